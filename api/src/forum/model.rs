//! The talk of a course.

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, CategoryId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

stored_enum! {
    /// What a thread is for.
    pub enum ThreadKind {
        /// To talk.
        Discussion = "DISCUSSION",
        /// To get an answer.
        Question = "QUESTION",
    }
}

stored_enum! {
    /// From whom the author of a post hides.
    pub enum Anonymity {
        /// From nobody.
        None = "NONE",
        /// From her classmates; the course's staff see who it was.
        Classmates = "CLASSMATES",
        /// From all but the forum's moderators.
        AllButModerators = "ALL_BUT_MODERATORS",
    }
}

stored_enum! {
    /// Who removed a post.
    pub enum RemovedAs {
        /// Who wrote it.
        Author = "AUTHOR",
        /// A moderator.
        Moderator = "MODERATOR",
    }
}

/// A part of a course's forum.
#[derive(Clone, Debug)]
pub struct ForumCategory {
    /// The category's id, together with the course's.
    pub id: CategoryId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// Its name.
    pub name: String,
    /// Its place among the course's.
    pub position: i64,
    /// What belongs into it.
    pub description: Option<String>,
    /// Whether only staff begins threads in it.
    pub staff_only: bool,
    /// Since when it takes no new threads.
    pub archived_at: Option<Timestamp>,
    /// Grows with each change: whoever changes it gives the one that she read.
    pub version: i64,
}

/// A thread.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The thread's id, together with the course's.
    pub id: ThreadId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// The category it is in.
    pub category_id: CategoryId,
    /// Who began it.
    pub author_id: AccountId,
    /// What it is for.
    pub kind: ThreadKind,
    /// What it is about.
    pub title: Personal<tags::Communication, String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// How many posts it has, the first included.
    pub post_count: i64,
    /// From whom its author hides.
    pub anonymity: Anonymity,
    /// Grows with each change of the thread itself: whoever changes it gives the one that she read.
    pub version: i64,
    /// When its last post was written.
    pub last_post_at: Timestamp,
    /// Since when it stands above the others; `None` for not.
    pub pinned_at: Option<Timestamp>,
    /// Since when it takes no more posts; `None` for not.
    pub locked_at: Option<Timestamp>,
    /// Why it is locked.
    pub lock_reason: Option<String>,
    /// The post that its author, or staff, accepted as the answer.
    pub answer_id: Option<PostId>,
    /// The thread that its posts were moved to; it is empty itself.
    pub merged_into: Option<ThreadId>,
}

/// A post in a thread. The first one opens it.
#[derive(Clone, Debug)]
pub struct Post {
    /// The post's id, together with the course's.
    pub id: PostId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// The thread it belongs to.
    pub thread_id: ThreadId,
    /// Who wrote it.
    pub author_id: AccountId,
    /// The post that it answers.
    pub reply_to: Option<PostId>,
    /// What it says, in Markdown.
    pub body: Personal<tags::Communication, String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// From whom its author hides.
    pub anonymity: Anonymity,
    /// Grows with each edit: whoever edits it gives the one that she read.
    pub version: i64,
    /// How many posts are above it: 0 for one that answers the thread as a whole.
    pub depth: i64,
    /// How many have voted for it.
    pub votes: i64,
    /// Since when staff stands behind it.
    pub endorsed_at: Option<Timestamp>,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// That it was removed. Its place stays, so that the replies to it make sense.
    pub removal: Option<Removal>,
}

/// That a post was removed.
#[derive(Clone, Debug)]
pub struct Removal {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: RemovedAs,
    /// Why.
    pub reason: Option<String>,
}

/// What is needed to begin a thread.
#[derive(Clone, Debug)]
pub struct NewThread {
    /// The category; `None` for the course's first.
    pub category_id: Option<CategoryId>,
    /// What it is for.
    pub kind: ThreadKind,
    /// Whether its author is of the course's staff: some categories are for staff.
    pub is_staff: bool,
    /// What it is about.
    pub title: String,
    /// The first post.
    pub body: String,
}

/// What is needed to answer.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// The post that it answers; `None` for the thread as a whole.
    pub reply_to: Option<PostId>,
    /// What it says, in Markdown.
    pub body: String,
}
