//! What learners do after the training counts within seconds, without a new one.

use std::collections::{HashMap, HashSet};

use stoa_recommender::Interaction;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    Feed,
    catalogue::Mapped,
    external::Happened,
    lifecycle::store::{self, ArrivalKey},
    store::InteractionRow,
};
use crate::{
    db::{Db, DbError},
    ids::{AccountId, CourseId},
    time::Timestamp,
};

/// So many enrolments are read at once.
const BATCH: i64 = 500;
/// So many batches are taken in one look: what is left comes with the next.
const BATCHES: usize = 20;
/// An enrolment's time is taken before it is committed, so each look goes back by this much, in microseconds.
const LATE: i64 = 10 * 1_000_000;

/// How far a recommender has come with what arrived after its training.
pub(super) struct Arrivals(Mutex<Seen>);

struct Seen {
    /// Nothing up to here is looked at: the training has seen it.
    trained_at: Timestamp,
    /// Where the last look ended.
    at: ArrivalKey,
    /// Whether it ended for want of time, not of enrolments.
    more: bool,
    /// What was counted lately.
    counted: HashMap<(AccountId, CourseId), Timestamp>,
}

impl Arrivals {
    /// For a model that was trained at this time.
    pub(super) fn after(trained_at: Timestamp) -> Self {
        Self(Mutex::new(Seen { trained_at, at: end_of(trained_at), more: false, counted: HashMap::new() }))
    }
}

impl Feed {
    /// A learner has enrolled: that is to count, here at once, and with the engines that are told.
    pub(crate) fn enrolled(&self, learner: AccountId, course: CourseId, at: Timestamp) {
        self.arrived.notify_one();
        self.engines.happened(Happened::Enrolled, learner, course, at);
    }

    /// Counts the enrolments that came since the training, or since the last look. Answers how many were new.
    pub async fn absorb_new(&self) -> Result<usize, DbError> {
        let Some(serving) = self.serving.load_full() else { return Ok(0) };
        let mut seen = serving.arrivals.0.lock().await;
        let now = self.clock.now();
        let mut key =
            if seen.more { seen.at } else { end_of(seen.trained_at).max(end_of(Timestamp(seen.at.0.0 - LATE))) };
        let mut count = 0;
        seen.more = true;
        for _ in 0..BATCHES {
            let rows = store::arrivals(&self.db, key, now, BATCH).await?;
            seen.more = rows.len() as i64 == BATCH;
            let Some(last) = rows.last() else { break };
            key = (last.enrolled_at, last.learner_id, last.course_id);
            seen.at = seen.at.max(key);
            let new: Vec<_> =
                rows.into_iter().filter(|row| !seen.counted.contains_key(&(row.learner_id, row.course_id))).collect();
            let steps = self.steps(&serving.mapped, &new).await?;
            count += steps.len();
            seen.counted.extend(new.iter().map(|row| ((row.learner_id, row.course_id), row.enrolled_at)));
            let serving = serving.clone();
            // A batch takes the engines some milliseconds: not on a thread that answers requests.
            let absorbed = tokio::task::spawn_blocking(move || {
                for (history, row) in steps {
                    serving.recommender.absorb(&history, &row);
                }
            });
            if absorbed.await.is_err() {
                tracing::error!("new enrolments were not counted: the recommender panicked");
            }
            if !seen.more {
                break;
            }
        }
        let oldest = seen.at.0.0 - LATE;
        seen.counted.retain(|_, at| at.0 >= oldest);
        Ok(count)
    }

    /// Each new enrolment with what its learner did before.
    async fn steps(
        &self,
        mapped: &Mapped,
        new: &[InteractionRow],
    ) -> Result<Vec<(Vec<Interaction>, Interaction)>, DbError> {
        let learners: HashSet<_> = new.iter().map(|row| row.learner_id).collect();
        let learners = who_may_be_profiled(&self.db, learners).await?;
        let asked: Vec<_> = learners.iter().copied().collect();
        let mut histories: HashMap<AccountId, Vec<InteractionRow>> = HashMap::new();
        for row in store::histories(&self.db, &asked).await? {
            histories.entry(row.learner_id).or_default().push(row);
        }
        Ok(new
            .iter()
            .filter(|row| learners.contains(&row.learner_id))
            .filter_map(|row| {
                let place = (row.enrolled_at, row.course_id);
                let whole = histories.get(&row.learner_id).map_or(&[][..], Vec::as_slice);
                let before = whole.iter().filter(|other| (other.enrolled_at, other.course_id) < place);
                Some((before.filter_map(|row| mapped.interaction(row)).collect(), mapped.interaction(row)?))
            })
            .collect())
    }
}

/// The place after everything that arrived at a time.
const fn end_of(at: Timestamp) -> ArrivalKey {
    (at, AccountId(Uuid::max()), CourseId(Uuid::max()))
}

/// Those of whom a model may learn, and of whom an engine outside may be told.
pub(super) async fn who_may_be_profiled(
    db: &Db,
    mut learners: HashSet<AccountId>,
) -> Result<HashSet<AccountId>, DbError> {
    let asked: Vec<_> = learners.iter().copied().collect();
    for learner in store::refused(db, &asked).await? {
        learners.remove(&learner);
    }
    Ok(learners)
}
