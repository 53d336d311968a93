//! What can be told. Ids only: what somebody gets to see of it is read, and decided, for each listener.

use serde::{Deserialize, Serialize};

use crate::ids::{
    AccountId, AnnouncementId, ConversationId, CourseId, MessageId, NotificationId, PostId, ReportId, ThreadId,
};

/// Something that has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Event {
    /// A post was added to a thread; the first one of a new thread, too.
    PostAdded {
        /// The course.
        course: CourseId,
        /// The thread.
        thread: ThreadId,
        /// The post.
        post: PostId,
    },
    /// A post was edited, voted on, accepted, endorsed or removed.
    PostChanged {
        /// The course.
        course: CourseId,
        /// The thread.
        thread: ThreadId,
        /// The post.
        post: PostId,
    },
    /// A thread was pinned, locked, moved, merged or renamed.
    ThreadChanged {
        /// The course.
        course: CourseId,
        /// The thread.
        thread: ThreadId,
    },
    /// A learner's progress or time in a course has changed.
    ProgressChanged {
        /// Whose.
        learner: AccountId,
        /// Where.
        course: CourseId,
    },
    /// A learner's next courses are to be asked for anew.
    RecommendationsChanged {
        /// Whose.
        learner: AccountId,
    },
    /// A report came to the moderators of a forum, or was decided.
    ModerationChanged {
        /// The course.
        course: CourseId,
        /// The report.
        report: ReportId,
    },
    /// Somebody has a new notification.
    Notified {
        /// Who.
        person: AccountId,
        /// The notification.
        notification: NotificationId,
    },
    /// A message was added to a conversation.
    MessageAdded {
        /// The course.
        course: CourseId,
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// An announcement was made in a course.
    Announced {
        /// The course.
        course: CourseId,
        /// The announcement.
        announcement: AnnouncementId,
    },
}

impl Event {
    /// As it is told.
    pub(crate) fn to_notice(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// As it is heard; `None` for what a newer program tells.
    pub(crate) fn from_notice(notice: &str) -> Option<Self> {
        serde_json::from_str(notice).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_is_heard_and_what_is_not_known_is_nothing() {
        let (course, thread, post) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2), uuid::Uuid::from_u128(3));
        let event = Event::PostAdded { course: course.into(), thread: thread.into(), post: post.into() };
        assert_eq!(Event::from_notice(&event.to_notice()), Some(event));
        assert!(event.to_notice().len() < 1_000);
        assert_eq!(Event::from_notice(r#"{"what":"tomorrow"}"#), None);
    }
}
