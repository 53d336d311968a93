//! Engines outside the process: what they are asked, what of their answer is taken, and what happens when there is none.
//!
//! Invariant: whatever an engine says, only courses come out that are in the catalogue, open, and neither in the history
//! nor barred; and what goes to it names nobody: a keyed hash of its own stands for the learner.

mod breaker;
mod caller;
mod gorse;
mod protocol;
mod settings;
mod telling;

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::Arc,
};

use stoa_recommender::Interaction;

use self::{breaker::Breaker, caller::Caller, gorse::Gorse, telling::Queue};
use super::{catalogue::Mapped, model::HYBRID};
use crate::{
    accounts::secret::{SecretKey, hex},
    db::Db,
    ids::AccountId,
    time::{Clock, Timestamp},
};

pub use breaker::BreakerState;
pub use settings::{EngineKind, EngineSettings, EngineSettingsError, EnginesSettings};
pub use telling::{Happened, Told};

/// A question to an engine.
pub(super) struct Ask<'a> {
    /// Stands for the learner at this engine; `None` for somebody who is not to be known again.
    pub(super) learner: Option<&'a str>,
    /// What she did.
    pub(super) history: &'a [Interaction],
    /// Topics that she wants to learn about.
    pub(super) goals: &'a [u32],
    /// Courses that must not come out: not open, dismissed.
    pub(super) exclude: &'a [u32],
    /// How many courses.
    pub(super) limit: usize,
    /// The time of asking.
    pub(super) now: Timestamp,
    /// What the indices stand for.
    pub(super) mapped: &'a Mapped,
}

/// A course that an engine names.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ExternalItem {
    pub(super) course: u32,
    pub(super) score: f64,
    pub(super) reason: Option<String>,
}

/// A list of an engine.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ExternalList {
    /// The best first.
    pub(super) items: Vec<ExternalItem>,
    /// What it calls its model.
    pub(super) model: Option<String>,
}

/// Why there is no list of an engine. Nothing of what it was sent or said is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalError {
    /// No engine has the name.
    #[error("there is no such engine")]
    Unknown,
    /// It failed again and again, and is left alone for a while.
    #[error("it is not asked for a while, since it failed again and again")]
    Paused,
    /// Too many requests to it are under way.
    #[error("too many requests to it are under way")]
    Busy,
    /// It took too long.
    #[error("it took too long")]
    TimedOut,
    /// No connection, or one that broke.
    #[error("it can't be reached")]
    Unreachable,
    /// Another status than 200.
    #[error("it answered with status {0}")]
    Status(u16),
    /// An answer that can't be used.
    #[error("its answer can't be used: {0}")]
    Answer(&'static str),
    /// A good answer, but nothing in it may be shown to her.
    #[error("it has nothing for her")]
    Nothing,
}

impl ExternalError {
    /// The reason, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN_ENGINE",
            Self::Paused => "PAUSED",
            Self::Busy => "BUSY",
            Self::TimedOut => "TIMED_OUT",
            Self::Unreachable => "UNREACHABLE",
            Self::Status(_) => "BAD_STATUS",
            Self::Answer(_) => "BAD_ANSWER",
            Self::Nothing => "NOTHING",
        }
    }

    /// Whether the engine is to blame, so that the breaker counts it.
    const fn is_failure(self) -> bool {
        matches!(self, Self::TimedOut | Self::Unreachable | Self::Status(_) | Self::Answer(_))
    }
}

impl Ask<'_> {
    /// Whether a course may be shown to her.
    fn allows(&self, course: u32) -> bool {
        !self.history.iter().any(|row| row.course == course) && !self.exclude.contains(&course)
    }

    /// What may be shown of a list: each course once, the best first, no more than was asked for.
    fn allowed(&self, mut list: ExternalList) -> Result<ExternalList, ExternalError> {
        let barred: HashSet<u32> =
            self.history.iter().map(|row| row.course).chain(self.exclude.iter().copied()).collect();
        let mut seen = HashSet::new();
        list.items.retain(|item| !barred.contains(&item.course) && seen.insert(item.course));
        list.items.sort_by(|one, other| other.score.total_cmp(&one.score));
        list.items.truncate(self.limit);
        if list.items.is_empty() { Err(ExternalError::Nothing) } else { Ok(list) }
    }
}

/// The engines outside the process; cheap to clone.
#[derive(Clone)]
pub struct Engines(Arc<Inner>);

struct Inner {
    db: Db,
    key: SecretKey,
    by_name: BTreeMap<String, Outside>,
    serve_by: Option<String>,
}

/// One engine.
struct Outside {
    caller: Caller,
    breaker: Breaker,
    speaks: Speaks,
}

enum Speaks {
    Ours { url: String },
    Gorse(Gorse, Box<Queue>),
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.by_name.keys()).finish()
    }
}

impl Engines {
    /// The engines that are configured.
    pub fn new(settings: &EnginesSettings, db: Db, clock: &Clock, key: SecretKey) -> Result<Self, EngineSettingsError> {
        let mut by_name = BTreeMap::new();
        for (name, engine) in &settings.engines {
            let token = engine.checked(name)?;
            let (secret, speaks) = match engine.kind {
                EngineKind::Http => (token.as_deref().map(protocol::secret), Speaks::Ours { url: engine.url.clone() }),
                EngineKind::Gorse => {
                    let gorse = Gorse::new(&engine.url, engine.item_to_item.clone())
                        .ok_or_else(|| EngineSettingsError::Url(name.clone()))?;
                    let queue = Box::new(Queue::new(name, &engine.enrolled_as, &engine.liked_as));
                    (token.as_deref().map(gorse::secret), Speaks::Gorse(gorse, queue))
                }
            };
            let breaker = Breaker::new(name, clock.clone(), engine.failures, engine.pause_seconds);
            by_name.insert(name.clone(), Outside { caller: Caller::new(name, engine, secret)?, breaker, speaks });
        }
        if let Some(name) = settings.serve_by.as_ref().filter(|name| !by_name.contains_key(*name)) {
            let known: Vec<_> = by_name.keys().cloned().collect();
            return Err(EngineSettingsError::ServeBy(name.clone(), known.join(", ")));
        }
        Ok(Self(Arc::new(Inner { db, key, by_name, serve_by: settings.serve_by.clone() })))
    }

    /// No engines.
    pub(super) fn none(db: Db, key: SecretKey) -> Self {
        Self(Arc::new(Inner { db, key, by_name: BTreeMap::new(), serve_by: None }))
    }

    /// The engine that makes everybody's lists, if one does.
    pub fn serve_by(&self) -> Option<&str> {
        self.0.serve_by.as_deref()
    }

    /// What each engine's breaker is at, by name.
    pub fn states(&self) -> impl Iterator<Item = (&str, BreakerState)> {
        self.0.by_name.iter().map(|(name, engine)| (name.as_str(), engine.breaker.state()))
    }

    /// What the breaker of an engine is at; `None` if there is no such engine.
    pub fn state(&self, name: &str) -> Option<BreakerState> {
        self.0.by_name.get(name).map(|engine| engine.breaker.state())
    }

    /// Whether each engine answers at all. It is asked for nothing.
    pub(crate) async fn reach(&self) -> Vec<(&str, Result<(), ExternalError>)> {
        let mut found = Vec::new();
        for (name, engine) in &self.0.by_name {
            let url = match &engine.speaks {
                Speaks::Ours { url } => url.clone(),
                Speaks::Gorse(gorse, _) => gorse.base(),
            };
            let request = poem::http::Request::builder().uri(url);
            let answer = engine.caller.in_time(engine.caller.ask::<serde_json::Value>(request, String::new())).await;
            let answers = match answer {
                // It has other questions that it answers.
                Ok(_) | Err(ExternalError::Status(_) | ExternalError::Answer(_)) => Ok(()),
                Err(error) => Err(error),
            };
            found.push((name.as_str(), answers));
        }
        found
    }

    /// What stands for a learner at an engine: the same there always, and different at every engine.
    pub(super) fn pseudonym(&self, name: &str, learner: AccountId) -> String {
        let purpose = format!("engine {name}");
        hex(&self.0.key.keyed_hash(&purpose, learner.0.as_bytes())[..16])
    }

    /// The list of an engine. Never to be asked for a learner who withdrew her consent.
    pub(super) async fn next_courses(&self, name: &str, ask: &Ask<'_>) -> Result<ExternalList, ExternalError> {
        let engine = self.0.by_name.get(name).ok_or(ExternalError::Unknown)?;
        let pass = engine.breaker.pass().ok_or(ExternalError::Paused)?;
        let list = engine
            .caller
            .in_time(async {
                match &engine.speaks {
                    Speaks::Ours { url } => protocol::next_courses(&engine.caller, url, ask).await,
                    Speaks::Gorse(gorse, _) => gorse.next_courses(&engine.caller, ask).await,
                }
            })
            .await;
        match list {
            Ok(list) => {
                pass.succeeded();
                ask.allowed(list)
            }
            Err(error) => {
                if error.is_failure() {
                    tracing::warn!(engine = name, reason = %error, "an engine gave no list");
                    pass.failed();
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A catalogue of courses with these slugs.
    pub(super) fn courses(slugs: &[&str]) -> Mapped {
        Mapped::of_slugs(slugs)
    }

    pub(super) fn ask_of<'a>(mapped: &'a Mapped, history: &'a [Interaction]) -> Ask<'a> {
        let now = Timestamp::from_seconds(1_000);
        Ask { learner: Some("0a"), history, goals: &[], exclude: &[], limit: 10, now, mapped }
    }

    #[test]
    fn nothing_comes_out_that_is_taken_barred_or_there_already() {
        let mapped = courses(&["soil", "compost", "worms", "seeds"]);
        let history = [Interaction::new(0, 5)];
        let ask = Ask { exclude: &[3], ..ask_of(&mapped, &history) };
        let item = |course, score| ExternalItem { course, score, reason: None };
        let list = |items: &[ExternalItem]| ExternalList { items: items.to_vec(), model: None };
        let said = list(&[item(0, 9.0), item(1, 1.0), item(2, 2.0), item(1, 8.0), item(3, 7.0)]);
        let allowed = ask.allowed(said).unwrap();
        assert_eq!(allowed.items, [item(2, 2.0), item(1, 1.0)]);
        assert_eq!(ask.allowed(list(&[item(0, 9.0), item(3, 1.0)])), Err(ExternalError::Nothing));
        let one = Ask { limit: 1, ..ask };
        assert_eq!(one.allowed(list(&[item(1, 1.0), item(2, 2.0)])).unwrap().items, [item(2, 2.0)]);
    }
}
