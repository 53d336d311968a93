//! Notifications: who is told of what. They hold ids; what the reader gets to see is decided when she reads.

use uuid::Uuid;

use crate::{
    db::stored_enum,
    ids::{AccountId, CourseId, PostId, ThreadId},
};

stored_enum! {
    /// What somebody is notified of.
    pub enum NotificationKind {
        /// A post in a thread that she follows. About the post.
        Post = "POST",
        /// A reply to a post of hers. About the reply.
        Reply = "REPLY",
        /// She was mentioned. About the post.
        Mention = "MENTION",
        /// Her answer was accepted. About the post.
        AnswerAccepted = "ANSWER_ACCEPTED",
        /// Her answer was endorsed by staff. About the post.
        AnswerEndorsed = "ANSWER_ENDORSED",
        /// A moderator edited or removed a post of hers, or locked or moved her thread. About the thread.
        Moderated = "MODERATED",
        /// What she reported was decided. About the report.
        ReportDecided = "REPORT_DECIDED",
        /// An announcement in a course that she takes. About the announcement.
        Announcement = "ANNOUNCEMENT",
        /// A private message. About the conversation.
        Message = "MESSAGE",
        /// A seat in a course that she waited for is hers. About nothing but the course.
        SeatOffered = "SEAT_OFFERED",
        /// She was invited to a course. About nothing but the course.
        Invited = "INVITED",
        /// The content of a course that she takes has changed. About nothing but the course.
        ContentChanged = "CONTENT_CHANGED",
    }
}

/// Somebody to be notified.
#[derive(Clone, Copy, Debug)]
pub struct NewNotification {
    /// Who.
    pub person: AccountId,
    /// Of what.
    pub kind: NotificationKind,
    /// In which course.
    pub course: Option<CourseId>,
    /// About which post, thread, report …: the kind says which.
    pub subject: Option<Uuid>,
}

/// A new post, as far as it is needed to know whom to notify.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// The course.
    pub course: CourseId,
    /// The thread.
    pub thread: ThreadId,
    /// The post.
    pub post: PostId,
    /// Who wrote it; she is not notified.
    pub author: AccountId,
    /// Who wrote the post that it answers.
    pub answers: Option<AccountId>,
    /// What it says, in Markdown: mentions are looked for in it.
    pub body: &'a str,
}
