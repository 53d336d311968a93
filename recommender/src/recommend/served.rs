//! The rules of the list that is served: topics are spread, a few places explore, and a course that
//! builds on others comes with the path to it.

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::reading::{Ranked, Reading};
use super::{Contribution, GONE, Recommendation, Recommender};
use crate::candidates::Desk;
use crate::features::overlap;
use crate::settings::Prerequisites;

/// The rules look at so many candidates at least, and at so many for each place.
const HEAD: usize = 100;
const HEAD_PER_PLACE: usize = 5;
/// Shorter lists explore nothing.
const SHORTEST: usize = 5;
/// A place that explores draws one of so many courses.
const POOL: usize = 50;

/// A place of the list.
pub(super) struct Placed {
    pub(super) ranked: Option<Ranked>,
    pub(super) slot: u32,
    /// What its likeness to those above it takes from its score.
    pub(super) penalty: f64,
    pub(super) explored: bool,
    pub(super) propensity: f64,
}

impl Placed {
    pub(super) fn exactly(ranked: Ranked, penalty: f64) -> Self {
        Self { ranked: Some(ranked), slot: ranked.slot, penalty, explored: false, propensity: 1.0 }
    }

    /// Its score after the rules.
    pub(super) fn score(&self) -> f64 {
        self.ranked.map_or(0.0, |ranked| ranked.score) + self.penalty
    }
}

impl Recommender {
    /// The best `limit` courses, topics spread, by greedy maximal marginal relevance: Carbonell and
    /// Goldstein, "The use of MMR, diversity-based reranking" (SIGIR 1998). Each place goes to the
    /// course with the best score less `spread` times its largest topic overlap (Jaccard) with those
    /// above it; the penalty is a part of the score, which therefore still falls down the list.
    /// What was not chosen follows, each with its penalty, in the order of the scores.
    pub(super) fn spread(&self, order: &[Ranked], limit: usize, spread: f64) -> (Vec<Placed>, Vec<Placed>) {
        let head = order.len().min(limit.saturating_mul(HEAD_PER_PLACE).max(HEAD));
        let mut left: Vec<Placed> = order[..head].iter().map(|&ranked| Placed::exactly(ranked, 0.0)).collect();
        let mut chosen: Vec<Placed> = Vec::with_capacity(limit.min(head));
        if spread <= 0.0 || self.content.topic_count() == 0 {
            let rest = left.split_off(limit.min(head));
            return (left, rest);
        }
        while chosen.len() < limit && !left.is_empty() {
            // The first of equals: they are in the order of their scores, then of the catalogue.
            let mut best = 0;
            for at in 1..left.len() {
                if left[at].score() > left[best].score() {
                    best = at;
                }
                // Penalties only lower: nothing further down can be better.
                if left[at].ranked.is_some_and(|ranked| ranked.score <= left[best].score()) {
                    break;
                }
            }
            let placed = left.remove(best);
            let topics = self.content.topics(placed.slot);
            if !topics.is_empty() {
                for other in &mut left {
                    let like = f64::from(overlap(topics, self.content.topics(other.slot)));
                    other.penalty = other.penalty.min(-spread * like);
                }
            }
            chosen.push(placed);
        }
        left.sort_by(|a, b| b.score().total_cmp(&a.score()));
        (chosen, left)
    }

    /// How alike two courses are by their topics, 0..=1.
    pub(super) fn alike_topics(&self, one: u32, other: u32) -> f64 {
        f64::from(overlap(self.content.topics(one), self.content.topics(other)))
    }

    /// Gives the last places of a list to courses of which little is known, as [`Settings::exploration`]
    /// says. With n places and a share x, n·x places explore on average: the whole part of n·x always,
    /// one more with the probability of the rest, f. The places are the last ones; each draws from the
    /// same m courses, without repeats and all alike. So what ranks at a place that always explores is
    /// never shown there; at the place that explores with probability f it is shown with 1 - f, and a
    /// course of the pool with f / m; above, propensities are 1.
    ///
    /// [`Settings::exploration`]: crate::Settings::exploration
    pub(super) fn explore(
        &self,
        list: &mut [Placed],
        rest: &[Placed],
        reading: &Reading<'_>,
        seed: u64,
        open: &impl Fn(u32) -> bool,
    ) {
        let share = self.model.0.manners.exploration;
        if share <= 0.0 || list.len() < SHORTEST {
            return;
        }
        let mut pool = self.pool(list, rest, reading, open);
        let expected = (list.len() as f64 * share).min(pool.len() as f64);
        let (always, chance) = (expected as usize, expected.fract());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let one_more = chance > 0.0 && rng.gen_bool(chance);
        let size = pool.len() as f64;
        pool.shuffle(&mut rng);
        for (from_last, (slot, ranked)) in pool.into_iter().take(always + usize::from(chance > 0.0)).enumerate() {
            let place = list.len() - 1 - from_last;
            let certain = from_last < always;
            if certain || one_more {
                let propensity = if certain { 1.0 } else { chance } / size;
                list[place] = Placed { ranked, slot, penalty: 0.0, explored: true, propensity };
            } else {
                list[place].propensity = 1.0 - chance;
            }
        }
    }

    /// What may be explored: open courses that fewer learners took than a reason may rest on, whose
    /// prerequisites are met; first those that were weighed, by rank, then those on her topics and
    /// goals; where there are none of either, what ranks next.
    fn pool(
        &self,
        list: &[Placed],
        rest: &[Placed],
        reading: &Reading<'_>,
        open: &impl Fn(u32) -> bool,
    ) -> Vec<(u32, Option<Ranked>)> {
        let inner = &*self.model.0;
        let learner = &reading.learner;
        let taken = |slot: u32| inner.stats.taken.get(slot as usize).copied().unwrap_or(0);
        let little_known = |slot: u32| taken(slot) < inner.manners.support;
        let ready = |slot: u32| learner.prerequisites(slot).is_none_or(|met| met >= 1.0);
        let weighed = rest.iter().filter(|placed| ready(placed.slot));
        let known = weighed.clone().filter(|placed| little_known(placed.slot));
        let mut pool: Vec<(u32, Option<Ranked>)> = known.map(|p| (p.slot, p.ranked)).take(POOL).collect();
        for slot in 0..self.content.len() as u32 {
            if pool.len() >= POOL {
                break;
            }
            let fits = || {
                let goal = self.content.topics(slot).iter().any(|topic| reading.goals.contains(topic));
                goal || learner.topics(slot).next().is_some()
            };
            let seen = || list.iter().any(|p| p.slot == slot) || pool.iter().any(|p| p.0 == slot);
            if little_known(slot) && open(slot) && !learner.has(slot) && fits() && ready(slot) && !seen() {
                pool.push((slot, None));
            }
        }
        if pool.is_empty() {
            pool.extend(weighed.map(|p| (p.slot, p.ranked)).take(POOL));
        }
        pool
    }

    /// What she lacks before a course, in an order in which she can take it, by index in the
    /// catalogue. A circle is entered where it is met, and walked once.
    pub(super) fn path(&self, reading: &Reading<'_>, slot: u32) -> Vec<u32> {
        let mut path = Vec::new();
        if reading.learner.prerequisites(slot).is_none_or(|met| met >= 1.0) {
            return path;
        }
        let mut seen = vec![slot];
        // Each course with how many of its prerequisites were looked at.
        let mut stack = vec![(slot, 0)];
        while let Some((at, next)) = stack.last_mut() {
            let needed = self.content.facts(*at).map_or(&[][..], |facts| &facts.prerequisites);
            if let Some(&before) = needed.get(*next) {
                *next += 1;
                if !reading.learner.has(before) && !seen.contains(&before) {
                    seen.push(before);
                    stack.push((before, 0));
                }
            } else {
                if *at != slot {
                    path.push(self.course_of[*at as usize]);
                }
                stack.pop();
            }
        }
        path.retain(|&course| course != GONE);
        path
    }

    /// Whether a course may be listed before its prerequisites are taken.
    pub(super) fn may_come_early(&self, reading: &Reading<'_>, slot: u32) -> bool {
        let lenient = self.model.0.manners.prerequisites == Prerequisites::Path;
        lenient || reading.learner.prerequisites(slot).is_none_or(|met| met >= 1.0)
    }

    /// Where engines and goals propose too little, the rest in the order of level and catalogue:
    /// a young platform still has something to show.
    pub(super) fn fill(
        &self,
        list: &mut Vec<Placed>,
        reading: &Reading<'_>,
        limit: usize,
        open: &impl Fn(u32) -> bool,
    ) {
        if list.len() >= limit {
            return;
        }
        let mut rest: Vec<u32> = (0..self.content.len() as u32)
            .filter(|&slot| open(slot) && !reading.learner.has(slot))
            .filter(|&slot| !list.iter().any(|placed| placed.slot == slot))
            .collect();
        rest.sort_by_key(|&slot| {
            let level = self.content.facts(slot).and_then(|f| f.level).unwrap_or(1);
            (level, self.course_of[slot as usize])
        });
        rest.truncate(limit - list.len());
        let unknown = |slot| Placed { ranked: None, slot, penalty: 0.0, explored: false, propensity: 1.0 };
        list.extend(rest.into_iter().map(unknown));
    }

    /// The list as it is given: with contributions, reasons and paths.
    pub(super) fn served(&self, list: &[Placed], reading: &Reading<'_>, desk: &Desk) -> Vec<Recommendation> {
        let floor = list.iter().filter(|p| p.ranked.is_some() && !p.explored).map(Placed::score).fold(0.0, f64::min);
        let serve = |placed: &Placed| match placed.ranked {
            Some(ranked) => self.explained(reading, &ranked, desk.row(ranked.at), placed),
            None => self.unproposed(reading, placed, floor),
        };
        list.iter().map(serve).collect()
    }

    /// A course that nothing proposes: its score is that of no evidence.
    fn unproposed(&self, reading: &Reading<'_>, placed: &Placed, floor: f64) -> Recommendation {
        let no_evidence = Contribution { feature: Arc::from("no_evidence"), value: floor };
        Recommendation {
            course: self.course_of[placed.slot as usize],
            score: floor,
            contributions: vec![no_evidence],
            reasons: Vec::new(),
            completion: self.extras(reading, placed.slot).probability,
            path: self.path(reading, placed.slot),
            explored: placed.explored,
            propensity: placed.propensity,
        }
    }
}
