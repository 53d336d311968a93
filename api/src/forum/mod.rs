//! The forum: threads and posts of a course.
//!
//! Invariant: who may not read a course's forum gets nothing of it, from any path, and can't tell whether
//! there is anything.
//!
//! Invariant: who hides behind a post shows to nobody but those whom the policy names, whatever becomes of the post. What everybody
//! sees of her is a number, which is made of nothing but the order in which people came to hide in the thread.

mod answers;
mod editing;
pub(crate) mod graphql;
pub(crate) mod kept;
pub(crate) mod loaders;
pub mod model;
pub mod moderation;
mod posting;
pub mod reading;
pub(crate) mod search;
pub(crate) mod store;
mod votes;

use std::sync::Arc;

use crate::{
    db::{Db, DbError, Tx},
    idempotency::KeyRefusal,
    ids::{CategoryId, CourseId, PostId, ThreadId},
    markdown::Unsafe,
    time::Clock,
};
use kept::Kept;
use model::{Post, Thread};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 300;
/// The longest post, in characters.
pub const MAX_BODY: usize = 50_000;
/// The longest reason for an edit or a removal, in characters.
pub const MAX_REASON: usize = 500;
/// How deep replies may be nested. Who goes on from there answers one that is less deep.
pub const MAX_DEPTH: i64 = 32;
/// How often a post may be edited: each edit keeps what it said before.
pub const MAX_VERSION: i64 = 500;
/// The category that a course's forum begins with.
pub const FIRST_CATEGORY: &str = "General";

/// The id of a course's first category: derived from the course, so that two first threads at once make one.
pub(crate) fn first_category(course: CourseId) -> CategoryId {
    CategoryId::imported("first category", &course.0.to_string())
}

/// The forum's service.
#[derive(Clone, Debug)]
pub struct Forum {
    db: Db,
    clock: Clock,
    pub(crate) kept: Arc<Kept>,
}

/// Why something was not done in a forum: what a person can mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such course, or its forum is not for the viewer.
    #[error("there is no such course, or you don't take part in it: enroll first")]
    NoSuchForum,
    /// No such thread in that course.
    #[error("there is no such thread")]
    NoSuchThread,
    /// No thread begins in that category, or not hers.
    #[error(transparent)]
    NotHere(#[from] moderation::categories::NotHere),
    /// No such post in that thread to answer.
    #[error("there is no such post in this thread to reply to")]
    NoSuchReplyTo,
    /// No such post.
    #[error("there is no such post")]
    NoSuchPost,
    /// Empty or too long.
    #[error("a title has 1 to {MAX_TITLE} characters; this one has {0}")]
    Title(usize),
    /// Empty or too long.
    #[error("a post has 1 to {MAX_BODY} characters; this one has {0}")]
    Body(usize),
    /// Empty or too long.
    #[error("a reason has 1 to {MAX_REASON} characters; this one has {0}")]
    Reason(usize),
    /// A moderator changes somebody else's words.
    #[error("say why you edit somebody else's post")]
    ReasonNeeded,
    /// Markup that could do harm.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// The key was not one, or was used for something else.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// Staff speaks under its name.
    #[error("the staff of a course can't post anonymously there: use NONE")]
    StaffIsNamed,
    /// The thread takes no more posts.
    #[error("this thread is locked{}: no posts can be added or edited", .0.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default())]
    Locked(Option<String>),
    /// The thread's posts are in another now.
    #[error("this thread was merged into another one: post there")]
    Merged(CourseId, ThreadId),
    /// Replies to replies to replies …
    #[error("replies are nested at most {MAX_DEPTH} deep: reply to a post further up, or to the thread")]
    TooDeep,
    /// The post is gone.
    #[error("this post was removed")]
    Removed,
    /// Somebody else has changed it meanwhile.
    #[error("the post has changed since you read it: its version is {0} now")]
    Stale(i64),
    /// It was edited too often.
    #[error("a post can be edited {MAX_VERSION} times: write a new one")]
    TooManyEdits,
    /// Not hers.
    #[error("this is for the post's author")]
    NotAuthor,
    /// Not hers, and she is no moderator.
    #[error("this is for the post's author and for the moderators of the forum")]
    NotEditor,
    /// Not staff.
    #[error("this is for the staff of the course")]
    NotStaff,
    /// Neither the asker nor staff.
    #[error("this is for whoever asked, and for the staff of the course")]
    NotAsker,
    /// There is nothing to reveal.
    #[error("this post is not anonymous")]
    NotAnonymous,
    /// One's own post.
    #[error("you can't vote for, or endorse, what you wrote yourself")]
    OwnPost,
    /// A second vote.
    #[error("you have voted for this post already")]
    AlreadyVoted,
    /// No vote to take back.
    #[error("you have not voted for this post")]
    NotVoted,
    /// Nothing was asked.
    #[error("only a question has an answer: this thread is a discussion")]
    NotQuestion,
    /// The question is no answer.
    #[error("the post that asks can't be the answer")]
    IsQuestion,
    /// There is no such answer.
    #[error("this post is not the accepted answer")]
    NotAnswer,
}

impl Forum {
    /// The service, which keeps at most so many bytes of forums in memory.
    pub fn new(db: Db, clock: Clock, memory_bytes: u64) -> Self {
        Self { kept: Arc::new(Kept::new(&db, memory_bytes)), db, clock }
    }
}

/// A post and its thread, locked in that order for all who change both: the thread first.
async fn locked(tx: &mut Tx, (course, post): (CourseId, PostId)) -> Result<Result<(Thread, Post), Refusal>, DbError> {
    let Some(thread) = store::posts::thread_of(tx, (course, post)).await? else { return Ok(Err(Refusal::NoSuchPost)) };
    let Some(thread) = store::threads::lock(tx, course, thread).await? else { return Ok(Err(Refusal::NoSuchPost)) };
    Ok(match store::posts::lock(tx, course, post).await? {
        Some(post) if post.thread_id == thread.id => Ok((thread, post)),
        // It was moved between the two looks.
        Some(post) => Err(Refusal::Stale(post.version)),
        None => Err(Refusal::NoSuchPost),
    })
}

fn length(text: &str, most: usize, refusal: fn(usize) -> Refusal) -> Result<(), Refusal> {
    let letters = text.chars().count();
    if text.trim().is_empty() {
        Err(refusal(0))
    } else if letters > most {
        Err(refusal(letters))
    } else {
        Ok(())
    }
}
