//! The talk of a course.

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, CategoryId, CourseId, PostId, RevisionId, ThreadId},
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
    /// As what somebody removed a post, or edited it.
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
    /// From whom its author hides. Within the thread she is [`ASKER_ALIAS`] then.
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
    /// The number under which she is known in the thread if she hides, or did: the same in all that she posts there with the same
    /// anonymity, so that nobody tells from a number what she let others see elsewhere.
    pub alias: Option<i64>,
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
    /// Why it was removed; `None` also where it was not.
    pub removal_reason: Personal<tags::Moderation, Option<String>>,
}

/// That a post was removed.
#[derive(Clone, Debug)]
pub struct Removal {
    /// When.
    pub at: Timestamp,
    /// As what somebody did it.
    pub by: RemovedAs,
}

/// The number of whoever begins a thread and hides.
pub const ASKER_ALIAS: i64 = 1;

impl Thread {
    /// Whether a post in it was written by who began it, as far as everybody may know: under the same name, or the same alias.
    pub(crate) fn is_by_asker(&self, post: &Post) -> bool {
        match (self.anonymity, post.anonymity) {
            (Anonymity::None, Anonymity::None) => self.author_id == post.author_id,
            (Anonymity::None, _) | (_, Anonymity::None) => false,
            (ours, theirs) => ours == theirs && post.alias == Some(ASKER_ALIAS),
        }
    }
}

/// What a post said before an edit.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its id, together with the post's.
    pub id: RevisionId,
    /// The course of the post.
    pub course_id: CourseId,
    /// The post.
    pub post_id: PostId,
    /// The version of the post that said this.
    pub version: i64,
    /// What it said.
    pub body: Personal<tags::Communication, String>,
    /// When it was edited, and no longer said this.
    pub edited_at: Timestamp,
    /// As what somebody edited it; who of the moderators it was is not told.
    pub edited_as: RemovedAs,
    /// Why.
    pub reason: Personal<tags::Communication, Option<String>>,
}

/// Who does something in a forum, and what she is there.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// Who.
    pub account: AccountId,
    /// Whether she teaches the course, or helps to, and that counts now.
    pub is_staff: bool,
    /// Whether she keeps order in its forum, and that counts now.
    pub is_moderator: bool,
    /// Whether she is among the course's staff, with whatever she came.
    pub is_of_staff: bool,
}

/// What is needed to begin a thread.
#[derive(Clone, Debug)]
pub struct NewThread {
    /// The category; `None` for the course's first.
    pub category_id: Option<CategoryId>,
    /// What it is for.
    pub kind: ThreadKind,
    /// What it is about.
    pub title: String,
    /// The first post.
    pub body: String,
    /// From whom its author hides.
    pub anonymity: Anonymity,
    /// A key of the client's, so that sending it again does not begin another.
    pub key: Option<String>,
}

/// What is needed to answer.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// The post that it answers; `None` for the thread as a whole.
    pub reply_to: Option<PostId>,
    /// What it says, in Markdown.
    pub body: String,
    /// From whom its author hides.
    pub anonymity: Anonymity,
    /// A key of the client's, so that sending it again does not add another.
    pub key: Option<String>,
}

/// What is needed to edit a post.
#[derive(Clone, Debug)]
pub struct Edit {
    /// What it is to say, in Markdown.
    pub body: String,
    /// The version that the editor read.
    pub version: i64,
    /// Why; a moderator has to say.
    pub reason: Option<String>,
}
