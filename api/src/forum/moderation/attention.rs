//! What waits for a course's staff: questions that are unanswered or stuck.
//!
//! A question is open as long as no answer to it is accepted or endorsed and it is neither locked nor merged into another.
//!
//! - It is *unreplied* if it is open and nobody but the asker has posted in it.
//! - It is *unanswered* if it is open: the unreplied ones are among these.
//! - It is *stuck* if it is open, somebody has replied, and either the asker has posted after the last reply and nobody has
//!   replied for [`WAITED_FOR`] since (her posting again does not begin the time anew); or there are
//!   [`STUCK_AFTER_REPLIES`] replies and it was asked [`TALKED_FOR`] ago.
//!
//! A reply is a post of anybody but the asker that is not removed. Which posts are the asker's is what every reader knows
//! (`Thread::is_by_asker`): see `store/attention.rs`.
//!
//! The state stands in the thread's row, so that the lists walk an index: [`posted`] is called in the transaction of each
//! post, [`recount`] in that of whatever else makes a difference. What is stored is the instant from which a thread counts as
//! stuck, so time alone puts it on the list. A change of these constants holds for a thread from its next post on.

use super::model::Unanswered;
use crate::{
    db::{
        Db, DbError, Tx,
        page::{Page, PageRequest, TimeKey},
    },
    forum::store::{
        attention::{self as store, Listed},
        posts::NewPostRow,
    },
    ids::{CourseId, ThreadId},
    time::Timestamp,
};

/// For so long an asker who has replied waits before her thread is stuck: a day, in microseconds.
pub const WAITED_FOR: i64 = 86_400_000_000;
/// So long after it was asked a question with several replies and no answer is stuck: three days, in microseconds.
pub const TALKED_FOR: i64 = 3 * 86_400_000_000;
/// So many replies are several.
pub const STUCK_AFTER_REPLIES: i64 = 3;

/// Takes note of a new post, in its transaction.
pub(crate) async fn posted(tx: &mut Tx, post: &NewPostRow<'_>) -> Result<(), DbError> {
    store::posted(tx, post).await
}

/// Takes note that an answer was accepted, endorsed or neither any more, that a post was removed or put back, or that a thread
/// was locked, opened or merged, in the transaction of the change.
pub(crate) async fn recount(tx: &mut Tx, course: CourseId, thread: ThreadId) -> Result<(), DbError> {
    store::count(tx, course, thread).await
}

/// A page of a course's questions without reply or answer, the oldest first.
pub(crate) async fn unanswered(
    db: &Db,
    course: CourseId,
    which: Unanswered,
    request: &PageRequest<TimeKey>,
) -> Result<Page<Listed>, DbError> {
    Ok(Page::from_rows(store::unanswered(db, course, which, request).await?, request))
}

/// A page of a course's threads that are stuck now, the longest stuck first.
pub(crate) async fn stuck(
    db: &Db,
    course: CourseId,
    now: Timestamp,
    request: &PageRequest<TimeKey>,
) -> Result<Page<Listed>, DbError> {
    Ok(Page::from_rows(store::stuck(db, course, now, request).await?, request))
}
