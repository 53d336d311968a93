//! What is said in private between a learner and the staff of a course.

use uuid::Uuid;

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, ConversationId, CourseId, MessageId},
    time::Timestamp,
};

stored_enum! {
    /// As what somebody takes part in a conversation.
    pub enum Part {
        /// The learner it is with.
        Learner = "LEARNER",
        /// Of the staff of the course. She takes part as long as she is that.
        Staff = "STAFF",
    }
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The conversation's id, together with the course's.
    pub id: ConversationId,
    /// The course it is about.
    pub course_id: CourseId,
    /// The learner it is with.
    pub learner_id: AccountId,
    /// What it is about.
    pub subject: Personal<tags::Correspondence, String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When its last message was sent.
    pub last_message_at: Timestamp,
}

/// Somebody who takes part in a conversation.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who.
    pub account: AccountId,
    /// As what.
    pub part: Part,
    /// Since when.
    pub joined_at: Timestamp,
    /// From which instant on she sees the messages: who is added later does not see what was said before.
    pub sees_from: Timestamp,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The message's id, together with the course's.
    pub id: MessageId,
    /// The course it is about.
    pub course_id: CourseId,
    /// The conversation it is in.
    pub conversation_id: ConversationId,
    /// Who wrote it.
    pub author_id: AccountId,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted. Its place stays, so that what follows makes sense.
    pub deleted_at: Option<Timestamp>,
    /// What it says, in Markdown; `None` once it is deleted.
    pub body: Personal<tags::Correspondence, Option<String>>,
}

/// What a conversation is to one of those who take part in it.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The last message that she has read: when it was sent, and which it is.
    pub read_up_to: (Timestamp, Uuid),
    /// Since when she wants to hear nothing of it.
    pub muted_at: Option<Timestamp>,
}

/// How a conversation stands for one of those who take part in it.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// How many messages of others she has not read, up to [`MAX_UNREAD`].
    pub unread: Personal<tags::Correspondence, i64>,
    /// Whether she wants to hear nothing of it.
    pub muted: Personal<tags::Correspondence, bool>,
}

/// So many unread messages are counted; more are shown as this.
pub const MAX_UNREAD: i64 = 100;

/// What is needed to begin a conversation.
#[derive(Clone, Debug)]
pub struct NewConversation {
    /// The course it is about.
    pub course: CourseId,
    /// To whom: staff of the course; or, where staff begins it, one learner, and perhaps more staff.
    pub recipients: Vec<AccountId>,
    /// What it is about.
    pub subject: String,
    /// The first message, in Markdown.
    pub body: String,
    /// The client's key for doing it once.
    pub key: Option<String>,
}
