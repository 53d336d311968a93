//! Notifications: who is told of what. They hold ids; what the reader gets to see is decided when she reads.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    db::stored_enum,
    ids::{AccountId, CourseId, NotificationId, PostId, ThreadId},
    time::Timestamp,
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

stored_enum! {
    /// How often something is told by mail.
    pub enum MailFrequency {
        /// Never.
        Never = "NEVER",
        /// In the morning of the next day.
        DigestDaily = "DIGEST_DAILY",
        /// In the morning of the next Monday.
        DigestWeekly = "DIGEST_WEEKLY",
    }
}

/// Where somebody is told of a kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// In her list of notifications.
    pub in_graph: bool,
    /// By mail.
    pub mail: MailFrequency,
}

impl NotificationKind {
    /// Where everybody is told of it who has not said otherwise. By mail only what somebody waits for.
    pub const fn channels(self) -> Channels {
        let mail = match self {
            Self::Reply
            | Self::Mention
            | Self::AnswerAccepted
            | Self::AnswerEndorsed
            | Self::Announcement
            | Self::SeatOffered => MailFrequency::DigestDaily,
            Self::Post
            | Self::Moderated
            | Self::ReportDecided
            | Self::Message
            | Self::Invited
            | Self::ContentChanged => MailFrequency::Never,
        };
        Channels { in_graph: true, mail }
    }

    /// Whether somebody who has muted a course or a thread does not hear of it. What concerns her alone she hears anyhow.
    pub const fn can_be_muted(self) -> bool {
        !matches!(self, Self::Moderated | Self::ReportDecided | Self::Message | Self::SeatOffered | Self::Invited)
    }

    /// Whether it is about a post.
    pub const fn is_about_a_post(self) -> bool {
        matches!(self, Self::Post | Self::Reply | Self::Mention | Self::AnswerAccepted | Self::AnswerEndorsed)
    }
}

/// Something that happened, of which people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub kind: NotificationKind,
    /// In which course.
    pub course: Option<CourseId>,
    /// About which post, thread, report …: the kind says which.
    pub subject: Option<Uuid>,
    /// Together with what it is shown as one, until it is read: new posts by their thread, messages by their conversation.
    pub group: Option<Uuid>,
    /// The thread that it happened in: who has muted that does not hear of it.
    pub thread: Option<ThreadId>,
    /// The id of the notification, if it must be known afterwards.
    pub id: Option<NotificationId>,
}

/// A notification as its person has it.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Whose.
    pub person: AccountId,
    /// Its id, together with hers.
    pub id: NotificationId,
    /// Of what.
    pub kind: NotificationKind,
    /// In which course.
    pub course: Option<CourseId>,
    /// About what; of several, about the first.
    pub subject: Option<Uuid>,
    /// For how many it stands.
    pub times: i64,
    /// When the first of them came.
    pub created_at: Timestamp,
    /// When the last of them came.
    pub updated_at: Timestamp,
    /// When she read it.
    pub read_at: Option<Timestamp>,
}

/// What somebody wants to hear, and how.
#[derive(Clone, Debug)]
pub struct Preferences {
    /// Whether she wants mails at all.
    pub by_mail: bool,
    /// Whether she follows a thread as soon as she writes in it.
    pub follow_when_posting: bool,
    /// Kind by kind, in order.
    pub kinds: Vec<(NotificationKind, Channels)>,
    /// The courses and threads of which she wants to hear nothing; `None` for the whole course.
    pub mutes: Vec<(CourseId, Option<ThreadId>)>,
}

/// Changes to preferences: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PreferencesChange {
    /// Whether she wants mails at all.
    pub by_mail: Option<bool>,
    /// Whether she follows a thread as soon as she writes in it.
    pub follow_when_posting: Option<bool>,
    /// Kinds with what is to change of them.
    pub kinds: Vec<(NotificationKind, Option<bool>, Option<MailFrequency>)>,
}

stored_enum! {
    /// Whom a round tells of what.
    pub enum RoundKind {
        /// Those who follow a thread, of a post.
        Post = "POST",
        /// Those who follow a forum, of a new thread.
        Opened = "OPENED",
        /// The learners of a course, of an announcement.
        Announced = "ANNOUNCED",
        /// Takes what was told of an announcement back.
        Retracted = "RETRACTED",
    }
}

/// Telling many people, a part at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Whom of what.
    pub kind: RoundKind,
    /// In which course.
    pub course: CourseId,
    /// A post or an announcement.
    pub subject: Uuid,
    /// The thread of a post.
    pub thread: Option<ThreadId>,
    /// Who is not told, or was told of it as something else.
    pub besides: Besides,
    /// After whom to go on.
    pub after: AccountId,
}

/// People who are not told again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Besides(pub Vec<AccountId>);

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
