//! What becomes of lists: what was shown, what was opened, and what was taken and completed because of it.
//!
//! Clients report what only they know. Enrolments and completions are noted in the transaction of the fact, where a list
//! showed the course before. All of it is for those lists only that are kept, so nothing is known of whoever does not let
//! her data be used; and it is deleted when its time is over.

use std::time::Duration;

use super::{
    Feed,
    model::Purpose,
    store::{self, log},
};
use crate::{
    db::{DbError, Tx},
    ids::{AccountId, CourseId, ListId},
    live::{self, model::Event},
    time::Timestamp,
};

const DAY: i64 = 86_400_000_000;
/// For how long a list counts as what led to a course, in microseconds.
pub(super) const SHOWN_FOR: i64 = 30 * DAY;
/// For how long what becomes of a list may be reported, in microseconds.
const REPORTED_FOR: i64 = 7 * DAY;
/// How many events one report may hold.
pub(crate) const MAX_EVENTS: usize = 100;
/// How often a server deletes what is too old.
const PRUNE_EVERY: Duration = Duration::from_hours(24);

/// What a client reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The course was on the screen.
    Impression,
    /// It was opened from the list.
    Click,
}

/// Something that a client reports of a course in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What.
    pub kind: EventKind,
    /// Of which course.
    pub course: CourseId,
}

/// Why a report was not taken: what a client can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// She was given no such list.
    #[error("you were given no such list, or more than 7 days ago: take the id from nextCourses")]
    NoSuchList,
    /// The event at this place is of a course that is not in the list.
    #[error("the course is not in this list")]
    NotInList(usize),
    /// There are too many.
    #[error("a report has at most {MAX_EVENTS} events; these were {0}")]
    TooMany(usize),
}

impl Feed {
    /// Takes a client's report: all of it, or nothing. How much of it is new: what was reported before changes nothing.
    pub async fn record_events(
        &self,
        learner: AccountId,
        list: ListId,
        events: &[NewEvent],
    ) -> Result<Result<u64, EventRefusal>, DbError> {
        if events.len() > MAX_EVENTS {
            return Ok(Err(EventRefusal::TooMany(events.len())));
        }
        let (now, key) = (self.clock.now(), (learner, list));
        let mut tx = self.db.begin().await?;
        if !store::feedback::hold_consent(&mut tx, learner, Purpose::PersonalRecommendations).await? {
            return Ok(Err(EventRefusal::NoSuchList));
        }
        let Some(offered) = log::offered(&mut tx, key, self.reported_since(now)).await? else {
            return Ok(Err(EventRefusal::NoSuchList));
        };
        if let Some(at) = events.iter().position(|event| !offered.contains(&event.course)) {
            return Ok(Err(EventRefusal::NotInList(at)));
        }
        // What was opened was shown.
        let all: Vec<_> = events.iter().map(|event| event.course).collect();
        let opened: Vec<_> =
            events.iter().filter(|event| event.kind == EventKind::Click).map(|event| event.course).collect();
        let mut new = log::show(&mut tx, key, &all, now).await?;
        if !opened.is_empty() {
            new += log::happen(&mut tx, key, &opened, "CLICK", now).await?;
        }
        tx.commit().await?;
        Ok(Ok(new))
    }

    /// Lists that were given before are not reported on any more.
    pub(super) fn reported_since(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0 - REPORTED_FOR.min(i64::from(self.experiment.keep_days) * DAY))
    }

    /// Deletes what is too old: lists on which nothing is reported any more, and impressions and events after the days
    /// that the installation keeps them. How many rows.
    pub async fn prune(&self) -> Result<u64, DbError> {
        let now = self.clock.now();
        let events = Timestamp(now.0 - i64::from(self.experiment.keep_days) * DAY);
        log::prune(&self.db, self.reported_since(now), events).await
    }

    /// Deletes daily what is too old, until the future is dropped.
    pub async fn keep_pruned(&self) {
        loop {
            match self.prune().await {
                Ok(rows) => tracing::debug!(rows, "old events of lists were deleted"),
                Err(error) => tracing::warn!(%error, "old events of lists were not deleted"),
            }
            tokio::time::sleep(PRUNE_EVERY).await;
        }
    }
}

/// Notes that a learner takes a course, if a list showed it to her lately. In the transaction of the fact.
pub(crate) async fn enrolled(tx: &mut Tx, learner: AccountId, course: CourseId, now: Timestamp) -> Result<(), DbError> {
    if store::feedback::hold_consent(tx, learner, Purpose::PersonalRecommendations).await? {
        log::happen_since(tx, (learner, course), "ENROLMENT", Timestamp(now.0 - SHOWN_FOR), now).await?;
    }
    live::announce(tx, &Event::RecommendationsChanged { learner });
    Ok(())
}

/// Notes that a learner has completed a course, if she took it because of a list. In the transaction of the fact.
pub(crate) async fn completed(
    tx: &mut Tx,
    learner: AccountId,
    course: CourseId,
    now: Timestamp,
) -> Result<(), DbError> {
    if store::feedback::hold_consent(tx, learner, Purpose::PersonalRecommendations).await? {
        log::complete(tx, (learner, course), now).await?;
    }
    live::announce(tx, &Event::RecommendationsChanged { learner });
    Ok(())
}
