//! What somebody has read of a thread.

use std::sync::Arc;

use crate::{
    access::{Personal, tags},
    db::page::TimeKey,
    forum::model::Thread,
    ids::PostId,
    time::Timestamp,
};

/// So many unread posts are counted; more are shown as this.
pub const MAX_UNREAD: i64 = 100;

/// Up to where somebody has read a thread: the last post that she has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// When it was written.
    pub at: Timestamp,
    /// The post.
    pub post: PostId,
}

/// What somebody has read of a thread, and what not.
#[derive(Clone, Debug, Default)]
pub struct ReadState {
    /// When the last post was written that she has read; `None` if she has read none.
    pub read_up_to: Personal<tags::Interaction, Option<Timestamp>>,
    /// How many posts of others there are beyond it, up to [`MAX_UNREAD`].
    pub unread: Personal<tags::Interaction, i64>,
}

impl ReadState {
    /// With all unread posts that were counted.
    pub(crate) fn new(read_up_to: Option<Timestamp>, unread: i64) -> Self {
        Self { read_up_to: read_up_to.into(), unread: unread.min(MAX_UNREAD).into() }
    }
}

/// A thread in which there is something that somebody has not read.
#[derive(Clone, Debug)]
pub(crate) struct UnreadThread {
    /// Which.
    pub(crate) thread: Arc<Thread>,
    /// What she has read of it.
    pub(crate) state: ReadState,
}

impl UnreadThread {
    /// Its place in the list of them.
    pub(crate) fn key(&self) -> TimeKey {
        (self.thread.last_post_at.0, self.thread.id.0)
    }
}
