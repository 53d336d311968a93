//! Budgets: how much somebody may ask for in a while, in the prices of [`crate::graphql::limits`].
//!
//! Everybody has a bucket that fills by itself. Who has signed in has her own; those who have not share one with their network.
//! Of it, one program can use up a part only, so that one which runs wild leaves something to the others; together they have no
//! more than the whole. What a program calls itself is its own word, so a name is never worth more than the bucket.
//!
//! Buckets are in the memory of this process: each server has its own, and a restart fills them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{graphql::limits::LimitSettings, ids::AccountId};

/// Whose bucket it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// Somebody who has signed in.
    Account(AccountId),
    /// Those of a network who have not.
    Network(String),
    /// Everybody else, while so many ask that nobody can be told apart.
    Others,
}

/// What there is in a bucket, after something was taken or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// What it holds when it is full.
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// In how long it is full.
    pub(super) full_in: Duration,
}

/// There is too little in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted {
    pub(super) level: Level,
    /// In how long there is enough.
    pub(super) enough_in: Duration,
    /// Whether it is the part of this program that is used up, and others could go on.
    pub(super) is_programs: bool,
}

/// So many holders are told apart. Whoever has not asked for a while is not kept.
const MOST_HOLDERS: usize = 100_000;
/// So many programs of one holder are told apart; those beyond share what one may use.
const MOST_PROGRAMS: usize = 16;
/// A thousand millionth: what comes back in a nanosecond is a whole number of these.
const NANO: u128 = 1_000_000_000;

/// How a bucket fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    capacity: u64,
    per_second: u64,
}

impl Terms {
    /// A part of it, in percent; at least something.
    fn part(self, percent: u64) -> Self {
        let of = |whole: u64| ((u128::from(whole) * u128::from(percent) / 100) as u64).max(1);
        Self { capacity: of(self.capacity), per_second: of(self.per_second) }
    }
}

/// What was taken out of a bucket and has not come back, in nanos of a unit. Exact: nothing is rounded until it is shown.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    taken: u128,
    at: u64,
}

impl Bucket {
    fn settle(&mut self, terms: Terms, now: u64) {
        let back = u128::from(now.saturating_sub(self.at)) * u128::from(terms.per_second);
        self.taken = self.taken.saturating_sub(back);
        self.at = self.at.max(now);
    }

    fn has(&self, terms: Terms, cost: u64) -> bool {
        self.taken + u128::from(cost) * NANO <= u128::from(terms.capacity) * NANO
    }

    fn level(&self, terms: Terms) -> Level {
        let left = (u128::from(terms.capacity) * NANO).saturating_sub(self.taken);
        Level { limit: terms.capacity, remaining: (left / NANO) as u64, full_in: wait(self.taken, terms) }
    }

    /// In how long there is enough for something.
    fn enough_in(&self, terms: Terms, cost: u64) -> Duration {
        let wanted = self.taken + u128::from(cost) * NANO;
        wait(wanted.saturating_sub(u128::from(terms.capacity) * NANO), terms)
    }
}

/// How long it takes until so much has come back, rounded up.
fn wait(nanos: u128, terms: Terms) -> Duration {
    Duration::from_nanos(u64::try_from(nanos.div_ceil(u128::from(terms.per_second.max(1)))).unwrap_or(u64::MAX))
}

/// The buckets of one holder: the whole, and the parts of her programs.
#[derive(Debug, Default)]
struct Purse {
    whole: Bucket,
    programs: HashMap<Box<str>, Bucket>,
}

/// The buckets of everybody.
pub(super) struct Budgets {
    signed_in: Terms,
    anonymous: Terms,
    share: u64,
    begun: Instant,
    purses: Mutex<Purses>,
}

struct Purses {
    purses: HashMap<Holder, Purse>,
    /// When there are so many, those that are full are let go.
    look_at: usize,
}

impl Budgets {
    pub(super) fn new(settings: &LimitSettings) -> Self {
        Self {
            signed_in: Terms { capacity: settings.budget, per_second: settings.budget_per_second },
            anonymous: Terms { capacity: settings.anonymous_budget, per_second: settings.anonymous_budget_per_second },
            share: settings.program_share,
            begun: Instant::now(),
            purses: Mutex::new(Purses { purses: HashMap::new(), look_at: 1_024 }),
        }
    }

    /// Takes what something costs, or nothing if there is too little.
    pub(super) fn take(&self, holder: Holder, program: Option<&str>, cost: u64) -> Result<Level, Exhausted> {
        self.take_at(self.now(), holder, program, cost)
    }

    /// Gives back what was taken for something that was not carried out.
    pub(super) fn give_back(&self, holder: &Holder, program: Option<&str>, cost: u64) {
        let mut purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(purse) = purses.purses.get_mut(holder) else { return };
        let back = u128::from(cost) * NANO;
        purse.whole.taken = purse.whole.taken.saturating_sub(back);
        let name = known_program(purse, program.unwrap_or_default());
        if let Some(bucket) = purse.programs.get_mut(name) {
            bucket.taken = bucket.taken.saturating_sub(back);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn terms(&self, holder: &Holder) -> Terms {
        if matches!(holder, Holder::Account(_)) { self.signed_in } else { self.anonymous }
    }

    fn take_at(&self, now: u64, holder: Holder, program: Option<&str>, cost: u64) -> Result<Level, Exhausted> {
        let mut purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
        if purses.purses.len() >= purses.look_at {
            purses.purses.retain(|holder, purse| !is_full(purse, self.terms(holder), self.share, now));
            purses.look_at = (purses.purses.len() * 2).clamp(1_024, MOST_HOLDERS);
        }
        let is_crowded = purses.purses.len() >= MOST_HOLDERS && !purses.purses.contains_key(&holder);
        let holder = if is_crowded { Holder::Others } else { holder };
        let whole = self.terms(&holder);
        let part = whole.part(self.share);
        let purse = match purses.purses.entry(holder) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Purse::default()),
        };
        purse.whole.settle(whole, now);
        purse.programs.retain(|_, bucket| {
            bucket.settle(part, now);
            bucket.taken > 0
        });
        let name: Box<str> = known_program(purse, program.unwrap_or_default()).into();
        let mut own = purse.programs.get(&name).copied().unwrap_or(Bucket { taken: 0, at: now });
        let (has_whole, has_part) = (purse.whole.has(whole, cost), own.has(part, cost));
        if has_whole && has_part {
            let nanos = u128::from(cost) * NANO;
            purse.whole.taken += nanos;
            own.taken += nanos;
            purse.programs.insert(name, own);
            let (all, own) = (purse.whole.level(whole), own.level(part));
            return Ok(if own.remaining < all.remaining { own } else { all });
        }
        let (all_in, own_in) = (purse.whole.enough_in(whole, cost), own.enough_in(part, cost));
        let level = if own_in > all_in { own.level(part) } else { purse.whole.level(whole) };
        Err(Exhausted { level, enough_in: all_in.max(own_in), is_programs: has_whole })
    }

    #[cfg(test)]
    fn holders(&self) -> usize {
        self.purses.lock().unwrap().purses.len()
    }
}

/// Under which name a program's part is kept.
fn known_program<'a>(purse: &Purse, name: &'a str) -> &'a str {
    if purse.programs.len() >= MOST_PROGRAMS && !purse.programs.contains_key(name) { "" } else { name }
}

fn is_full(purse: &mut Purse, terms: Terms, share: u64, now: u64) -> bool {
    purse.whole.settle(terms, now);
    let part = terms.part(share);
    purse.programs.values_mut().for_each(|bucket| bucket.settle(part, now));
    purse.whole.taken == 0 && purse.programs.values().all(|bucket| bucket.taken == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn budgets(capacity: u64, per_second: u64, share: u64) -> Budgets {
        Budgets::new(&LimitSettings {
            budget: capacity,
            budget_per_second: per_second,
            anonymous_budget: capacity,
            anonymous_budget_per_second: per_second,
            program_share: share,
            ..LimitSettings::default()
        })
    }

    fn network(name: &str) -> Holder {
        Holder::Network(name.to_owned())
    }

    #[test]
    fn what_is_taken_comes_back_in_time_and_not_a_moment_before() {
        let budgets = budgets(100, 10, 100);
        let take = |now, cost| budgets.take_at(now, network("a"), None, cost);
        let level = take(0, 70).unwrap();
        assert_eq!(level, Level { limit: 100, remaining: 30, full_in: Duration::from_secs(7) });
        let refused = take(SECOND, 50).unwrap_err();
        assert_eq!(refused.level, Level { limit: 100, remaining: 40, full_in: Duration::from_secs(6) });
        assert_eq!((refused.enough_in, refused.is_programs), (Duration::from_secs(1), false));
        assert!(take(2 * SECOND - 1, 50).is_err(), "a refusal takes nothing, and a moment too early is too early");
        assert_eq!(take(2 * SECOND, 50).unwrap().remaining, 0);
        assert_eq!(take(1_000 * SECOND, 0).unwrap(), Level { limit: 100, remaining: 100, full_in: Duration::ZERO });
    }

    #[test]
    fn a_program_that_runs_wild_leaves_something_to_the_others_and_names_are_worth_nothing() {
        let budgets = budgets(100, 1, 75);
        let take = |program, cost| budgets.take_at(0, network("a"), program, cost);
        assert_eq!(
            take(Some("dashboard"), 75).unwrap(),
            Level { limit: 75, remaining: 0, full_in: Duration::from_secs(75) }
        );
        assert!(take(Some("dashboard"), 1).unwrap_err().is_programs);
        assert_eq!(take(Some("app"), 20).unwrap().remaining, 5);
        let refused = take(Some("another name"), 6).unwrap_err();
        assert!(!refused.is_programs && refused.level.limit == 100, "all her programs together have a ceiling");
        assert_eq!(budgets.take_at(0, network("b"), Some("dashboard"), 75).unwrap().remaining, 0, "others are others");
    }

    #[test]
    fn who_makes_up_a_thousand_names_is_one_holder_with_few_of_them() {
        let budgets = budgets(10_000, 1, 50);
        for number in 0..1_000 {
            budgets.take_at(0, network("a"), Some(&number.to_string()), 1).unwrap();
        }
        let purses = budgets.purses.lock().unwrap();
        assert!(purses.purses[&network("a")].programs.len() <= MOST_PROGRAMS + 1);
    }

    #[test]
    fn whoever_has_not_asked_for_a_while_is_not_kept() {
        let budgets = budgets(100, 100, 100);
        for number in 0..100_000_u64 {
            // Each has its bucket full again a hundredth of a second later.
            budgets.take_at(number * SECOND / 1_000, network(&number.to_string()), None, 1).unwrap();
        }
        assert!(budgets.holders() < 3_000, "{}", budgets.holders());
    }

    #[test]
    fn what_was_not_carried_out_is_given_back() {
        let budgets = budgets(100, 1, 75);
        budgets.take_at(0, network("a"), Some("x"), 60).unwrap();
        budgets.give_back(&network("a"), Some("x"), 60);
        assert_eq!(budgets.take_at(0, network("a"), Some("x"), 75).unwrap().remaining, 0);
    }

    proptest! {
        /// Whatever comes when: in no stretch of time is more given than was in the bucket and came back, and what is refused
        /// would have been more than that.
        #[test]
        fn no_more_is_given_than_there_is_and_no_less(
            capacity in 1_u64..1_000,
            per_second in 1_u64..1_000,
            asked in proptest::collection::vec((0_u64..3 * SECOND, 0_u64..1_200), 1..60),
        ) {
            let budgets = budgets(capacity, per_second, 100);
            let (mut now, mut left) = (0_u64, u128::from(capacity) * NANO);
            for (later, cost) in asked {
                now += later;
                left = (left + u128::from(later) * u128::from(per_second)).min(u128::from(capacity) * NANO);
                let given = budgets.take_at(now, network("a"), None, cost);
                let affordable = u128::from(cost) * NANO <= left;
                prop_assert_eq!(given.is_ok(), affordable);
                if affordable {
                    left -= u128::from(cost) * NANO;
                }
                let level = given.unwrap_or_else(|refused| refused.level);
                prop_assert_eq!(u128::from(level.remaining), left / NANO);
                if let Err(refused) = given
                    && cost <= capacity
                {
                    // It is enough then, and was not a moment before.
                    let at = u128::from(now) + refused.enough_in.as_nanos();
                    let then = |at: u128| left + (at - u128::from(now)) * u128::from(per_second);
                    prop_assert!(then(at) >= u128::from(cost) * NANO && then(at - 1) < u128::from(cost) * NANO);
                }
            }
        }
    }
}
