//! What keeping order in a forum is about.

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, CategoryId, CourseId, PostId, ReportId, ThreadId},
    time::Timestamp,
};

stored_enum! {
    /// What a moderator did.
    pub enum Act {
        /// Put a thread above the others.
        PinThread = "PIN_THREAD",
        /// Let it go back among them.
        UnpinThread = "UNPIN_THREAD",
        /// Closed a thread for posts.
        LockThread = "LOCK_THREAD",
        /// Opened it again.
        UnlockThread = "UNLOCK_THREAD",
        /// Gave a thread of somebody else's another title.
        RenameThread = "RENAME_THREAD",
        /// Put a thread into another category.
        MoveThread = "MOVE_THREAD",
        /// Moved the posts of a thread into another one.
        MergeThreads = "MERGE_THREADS",
        /// Removed a post.
        RemovePost = "REMOVE_POST",
        /// Put a removed post back.
        RestorePost = "RESTORE_POST",
        /// Warned the author of a post.
        WarnAuthor = "WARN_AUTHOR",
        /// Decided that nothing is wrong with a reported post.
        DismissReport = "DISMISS_REPORT",
        /// Made a category.
        CreateCategory = "CREATE_CATEGORY",
        /// Changed a category's name, description or who begins threads in it.
        ChangeCategory = "CHANGE_CATEGORY",
        /// Put the categories into another order.
        ReorderCategories = "REORDER_CATEGORIES",
        /// Closed a category for new threads.
        ArchiveCategory = "ARCHIVE_CATEGORY",
    }
}

stored_enum! {
    /// What is wrong with a reported post.
    pub enum ReportReason {
        /// Advertising, or the same again and again.
        Spam = "SPAM",
        /// It insults or threatens somebody.
        Harassment = "HARASSMENT",
        /// It does not belong here.
        OffTopic = "OFF_TOPIC",
        /// It gives away what learners are to find by themselves.
        Cheating = "CHEATING",
        /// It shows what is somebody's own.
        PersonalData = "PERSONAL_DATA",
        /// Something else; the text says what.
        Other = "OTHER",
    }
}

stored_enum! {
    /// Whether a report waits for the moderators.
    pub enum ReportState {
        /// It waits.
        Open = "OPEN",
        /// It was decided.
        Decided = "DECIDED",
    }
}

stored_enum! {
    /// What a moderator makes of a report.
    pub enum Decision {
        /// Nothing is wrong with the post.
        Dismiss = "DISMISS",
        /// The post is removed.
        RemovePost = "REMOVE_POST",
        /// The thread takes no more posts.
        LockThread = "LOCK_THREAD",
        /// The author is told what is wrong with it.
        Warn = "WARN",
    }
}

impl Decision {
    /// What is noted of it in the log.
    pub(crate) const fn act(self) -> Act {
        match self {
            Self::Dismiss => Act::DismissReport,
            Self::RemovePost => Act::RemovePost,
            Self::LockThread => Act::LockThread,
            Self::Warn => Act::WarnAuthor,
        }
    }
}

stored_enum! {
    /// Which questions wait for an answer.
    pub enum Unanswered {
        /// Those to which nobody but the asker has posted anything.
        NoReply = "NO_REPLY",
        /// Those of which no answer is accepted or endorsed, replied to or not.
        NoAnswer = "NO_ANSWER",
    }
}

/// A line of a forum's log of what its moderators did.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id, together with the course's.
    pub id: uuid::Uuid,
    /// The course.
    pub course_id: CourseId,
    /// When it was done.
    pub at: Timestamp,
    /// By whom.
    pub moderator_id: AccountId,
    /// What.
    pub act: Act,
    /// To which category.
    pub category_id: Option<CategoryId>,
    /// To which thread.
    pub thread_id: Option<ThreadId>,
    /// To which post.
    pub post_id: Option<PostId>,
    /// Why.
    pub reason: Option<String>,
    /// The title or name before.
    pub before: Option<String>,
    /// The title or name after.
    pub after: Option<String>,
}

/// A line to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEntry<'a> {
    pub(crate) act: Act,
    pub(crate) category: Option<CategoryId>,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) post: Option<PostId>,
    /// Whose thread or post it is.
    pub(crate) about: Option<AccountId>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
}

impl NewEntry<'_> {
    pub(crate) const fn of(act: Act) -> Self {
        Self { act, category: None, thread: None, post: None, about: None, reason: None, before: None, after: None }
    }
}

/// That a post was reported, by one or several.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its id, together with the course's.
    pub id: ReportId,
    /// The course.
    pub course_id: CourseId,
    /// The post.
    pub post_id: PostId,
    /// Who wrote the post.
    pub author_id: AccountId,
    /// Whether it waits.
    pub state: ReportState,
    /// When it was reported first.
    pub reported_at: Timestamp,
    /// By how many.
    pub reporter_count: Personal<tags::Moderation, i64>,
    /// Grows with each report and with the decision.
    pub version: i64,
    /// What was decided.
    pub decided: Option<Decided>,
}

/// What a moderator decided on a report.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What.
    pub decision: Decision,
    /// Why, in her words.
    pub reason: Option<String>,
    /// Who.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
}

/// One reader's report of a post.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who reported it.
    pub reporter_id: AccountId,
    /// What is wrong with it.
    pub reason: ReportReason,
    /// In her own words.
    pub text: Option<String>,
    /// When.
    pub reported_at: Timestamp,
}

/// What a reader reports.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// What is wrong.
    pub reason: ReportReason,
    /// In her own words.
    pub text: Option<String>,
}

/// What a moderator told the author of a post.
#[derive(Clone, Debug)]
pub struct Warning {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// A title that a thread had.
#[derive(Clone, Debug)]
pub struct FormerTitle {
    /// The title.
    pub title: Personal<tags::Communication, String>,
    /// Until when it had it.
    pub until: Timestamp,
    /// Whether its author changed it, or a moderator.
    pub renamed_as: crate::forum::model::RemovedAs,
}

/// What is needed to make a category, or to change one.
#[derive(Clone, Debug)]
pub struct CategoryText {
    /// Its name.
    pub name: String,
    /// What belongs into it.
    pub description: Option<String>,
    /// Whether only staff begins threads in it.
    pub staff_only: bool,
}

/// A thread as it is held for a change.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) course_id: CourseId,
    pub(crate) id: ThreadId,
    pub(crate) category_id: CategoryId,
    pub(crate) author_id: AccountId,
    pub(crate) title: String,
    pub(crate) created_at: Timestamp,
    pub(crate) post_count: i64,
    pub(crate) version: i64,
    pub(crate) is_pinned: bool,
    pub(crate) is_locked: bool,
    pub(crate) merged_into: Option<ThreadId>,
}
