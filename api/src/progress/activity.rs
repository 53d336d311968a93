//! Beats: how what learners report comes into their records.
//!
//! This is the hottest write of the system. One task takes all the beats that wait into one transaction, and each is answered
//! once that is committed: a commit costs about the same for one beat and for a thousand. What is refused is decided for each
//! by itself, before anything is written, so that it is no matter to the others.
//!
//! Which seconds count is told in [`spans`](super::spans), what they mean for progress in [`definition`](super::definition).

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    apply,
    model::{Activity, Recorded},
};
use crate::{
    batch::LoadError,
    db::{Db, DbError, Group},
    ids::{AccountId, LessonId},
    time::{Clock, Timestamp},
};

/// More than a day in one report is a slip of the client's clock or units.
pub const MAX_SECONDS: i64 = 86_400;
/// So many reports can be sent at once.
pub const MAX_BEATS: usize = 500;
/// A report may come so many days late.
pub const LATE_DAYS: i64 = 30;
/// A client's clock may be ahead by so many seconds. What it reports is taken to have ended when it came.
pub const MAX_AHEAD: i64 = 300;
/// From so many seconds on it is marked.
pub const MARKED_AHEAD: i64 = 60;
/// The longest key or name of a session, in bytes.
pub const MAX_KEY: usize = 100;

/// Beats are kept for so many days: a day longer than they may bear upon one that comes late.
const KEPT_DAYS: i64 = LATE_DAYS + 2;
const DAY: i64 = 86_400_000_000;
/// So many are deleted by one statement.
const PRUNED_AT_ONCE: i64 = 5_000;
const PRUNE_EVERY: Duration = Duration::from_hours(6);

/// So many requests may wait for their beats to be written; the next waits to be let in.
const MAX_WAITING: usize = 1_024;
/// With so many beats a commit takes no more requests along, so that none waits for a very long one.
const MAX_TOGETHER: usize = 2_000;
/// On PostgreSQL a transaction may have to give way to another; then it is done again, so many times.
const MAX_TRIES: usize = 4;

/// Why a report was not taken: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeatRefusal {
    /// There is no such lesson.
    #[error("there is no such lesson")]
    NoSuchLesson,
    /// Not a learner there.
    #[error("you are not enrolled in this lesson's course: call enroll first")]
    NotEnrolled,
    /// Somebody else is not a learner there.
    #[error("she is not enrolled in this lesson's course")]
    NotALearner,
    /// Negative, or more than [`MAX_SECONDS`].
    #[error("seconds must be between 0 and {MAX_SECONDS}; this was {0}")]
    Seconds(i64),
    /// Negative.
    #[error("position must be 0 or more seconds from the lesson's start; this was {0}")]
    Position(i64),
    /// The client's clock is ahead by more than [`MAX_AHEAD`].
    #[error(
        "this ended {0} seconds from now: the client's clock is ahead; set it, or leave `at` out (up to {MAX_AHEAD} seconds are forgiven)"
    )]
    ClockAhead(i64),
    /// It ended more than [`LATE_DAYS`] ago.
    #[error("this ended on {0}, more than {LATE_DAYS} days ago: it comes too late to be recorded")]
    TooLate(Timestamp),
    /// It ended before she enrolled.
    #[error("this ended before you enrolled, on {0}: it can't have been in this course")]
    BeforeEnrolment(Timestamp),
    /// The session begins after its beat.
    #[error("the session can't have begun after the report ended: give `startedAt` by the same clock as `at`")]
    StartedLater,
    /// Empty or too long.
    #[error("an idempotency key has 1 to {MAX_KEY} bytes; this one has {0}")]
    KeyLength(usize),
    /// Used before for another report.
    #[error("this idempotency key was used for another report: make a new one for each")]
    KeyReused,
    /// Empty or too long.
    #[error("the name of a session has 1 to {MAX_KEY} bytes; this one has {0}")]
    SessionLength(usize),
    /// There is no such version.
    #[error("the content of this lesson is at version {0}: contentVersion must be between 1 and that")]
    ContentVersion(i64),
    /// Not between 0 and 1.
    #[error("a score must be between 0 and 1")]
    Score,
    /// Completed by something else.
    #[error("this lesson is not completed by a score: its author chose another rule")]
    NotScored,
}

/// What is to be recorded of a learner.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) learner: AccountId,
    pub(super) lesson: LessonId,
    pub(super) what: What,
}

/// What she did, or what she got.
#[derive(Clone, Debug)]
pub(super) enum What {
    Beat(Beat),
    /// A score, in millionths.
    Score(i64),
}

/// A report, with its names as ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    /// Of the client's key; `None` if it gave none.
    pub(super) id: Option<Uuid>,
    pub(super) session: Uuid,
    pub(super) seconds: i64,
    pub(super) position: Option<i64>,
    pub(super) completed: bool,
    pub(super) at: Option<Timestamp>,
    pub(super) since: Option<Timestamp>,
    pub(super) content_version: Option<i64>,
}

/// What became of each.
pub(super) type Answer = Result<Recorded, BeatRefusal>;

impl Entry {
    /// A report of a learner, as far as it can be right by itself.
    pub(super) fn beat(learner: AccountId, activity: &Activity) -> Result<Self, BeatRefusal> {
        if !(0..=MAX_SECONDS).contains(&activity.seconds) {
            return Err(BeatRefusal::Seconds(activity.seconds));
        }
        if let Some(position) = activity.position.filter(|position| *position < 0) {
            return Err(BeatRefusal::Position(position));
        }
        let named = |name: &Option<String>, refused: fn(usize) -> BeatRefusal| match name {
            Some(name) if name.is_empty() || name.len() > MAX_KEY => Err(refused(name.len())),
            name => Ok(name.as_deref().map(id_of)),
        };
        let beat = Beat {
            id: named(&activity.key, BeatRefusal::KeyLength)?,
            session: named(&activity.session, BeatRefusal::SessionLength)?.unwrap_or(Uuid::nil()),
            seconds: activity.seconds,
            position: activity.position,
            completed: activity.completed,
            at: activity.at,
            since: activity.since,
            content_version: activity.content_version,
        };
        Ok(Self { learner, lesson: activity.lesson_id, what: What::Beat(beat) })
    }
}

/// Names that clients give are kept as hashes: all of a length, and nothing to read.
fn id_of(name: &str) -> Uuid {
    let hash = Sha256::digest(name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Uuid::from_bytes(bytes)
}

/// Writes beats for all requests.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    db: Db,
    clock: Clock,
    queue: mpsc::Sender<Waiting>,
    /// Whether requests share commits; only a bench wants them not to.
    together: bool,
}

/// A request that waits for its beats to be written.
struct Waiting {
    entries: Vec<Entry>,
    done: oneshot::Sender<Result<Vec<Answer>, LoadError>>,
}

impl Writer {
    /// With a task that writes for all, and ends with the last clone of this.
    pub(super) fn new(db: Db, clock: Clock) -> Self {
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        tokio::spawn(write(db.clone(), clock.clone(), waiting));
        Self { db, clock, queue, together: true }
    }

    /// The same with a commit for each request.
    pub(super) fn one_by_one(&self) -> Self {
        Self { together: false, ..self.clone() }
    }

    /// Records; what was recorded survives a crash when this returns.
    pub(super) async fn record(&self, entries: Vec<Entry>) -> Result<Vec<Answer>, LoadError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        if !self.together {
            let entries: Vec<_> = entries.iter().collect();
            return Ok(commit(&self.db, &self.clock, &entries).await?);
        }
        let ending = || LoadError::from(DbError::Unavailable("the server is shutting down".to_owned()));
        let (done, written) = oneshot::channel();
        self.queue.send(Waiting { entries, done }).await.map_err(|_| ending())?;
        written.await.map_err(|_| ending())?
    }

    /// Deletes beats that nothing can bear upon any more; how many.
    pub(super) async fn prune(&self) -> Result<u64, DbError> {
        let before = Timestamp(self.clock.now().0 - KEPT_DAYS * DAY);
        let mut sum = 0;
        loop {
            let deleted = super::store::activity::prune(&self.db, before, PRUNED_AT_ONCE).await?;
            sum += deleted;
            if deleted < PRUNED_AT_ONCE as u64 {
                return Ok(sum);
            }
        }
    }

    /// Deletes them now and then, until the future is dropped.
    pub(super) async fn keep_pruned(&self) {
        loop {
            match self.prune().await {
                Ok(rows) => tracing::debug!(rows, "old beats were deleted"),
                Err(error) => tracing::warn!(%error, "old beats were not deleted"),
            }
            tokio::time::sleep(PRUNE_EVERY).await;
        }
    }
}

async fn write(db: Db, clock: Clock, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(first) = waiting.recv().await {
        let (mut beats, mut together) = (first.entries.len(), vec![first]);
        while beats < MAX_TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            beats += next.entries.len();
            together.push(next);
        }
        db.shared_a_commit(Group::Activity, together.len());
        let entries: Vec<&Entry> = together.iter().flat_map(|request| &request.entries).collect();
        match commit(&db, &clock, &entries).await {
            Ok(mut answers) => {
                for request in together {
                    let rest = answers.split_off(request.entries.len().min(answers.len()));
                    // Whoever has gone does not want to know.
                    let _ = request.done.send(Ok(std::mem::replace(&mut answers, rest)));
                }
            }
            // One that the database does not take, such as of somebody whose account is gone by now, is no matter to the others.
            Err(error) if together.len() > 1 && !error.is_passing() => {
                for request in together {
                    let entries: Vec<_> = request.entries.iter().collect();
                    let _ = request.done.send(commit(&db, &clock, &entries).await.map_err(LoadError::from));
                }
            }
            Err(error) => {
                let error = LoadError::from(error);
                for request in together {
                    let _ = request.done.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Records in a transaction of its own.
async fn commit(db: &Db, clock: &Clock, entries: &[&Entry]) -> Result<Vec<Answer>, DbError> {
    let mut tries = 1;
    loop {
        match apply::apply(db, clock, entries).await {
            Err(DbError::Locked) if tries < MAX_TRIES => tries += 1,
            done => return done,
        }
    }
}
