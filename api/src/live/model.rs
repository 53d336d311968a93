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
    /// Another model or catalogue serves in this process, so that everybody's next courses are to be asked for anew.
    ModelChanged,
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

/// What somebody may listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// New posts of a thread.
    Posts(CourseId, ThreadId),
    /// Whatever happens to a thread and its posts.
    Thread(CourseId, ThreadId),
    /// A learner's progress in a course.
    Progress(AccountId, CourseId),
    /// A learner's next courses.
    Recommendations(AccountId),
    /// Everybody's next courses.
    Models,
    /// The reports of a course's forum.
    Moderation(CourseId),
    /// What a person is notified of.
    Notifications(AccountId),
    /// A conversation.
    Conversation(CourseId, ConversationId),
    /// The announcements of a course.
    Announcements(CourseId),
}

/// What a listener is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Something has happened.
    Event(Event),
    /// Something may have happened that was not heard: whoever wants to be sure reads anew.
    Missed,
}

impl Event {
    /// The topics whose listeners are told of it.
    pub(crate) const fn topics(self) -> [Option<Topic>; 2] {
        match self {
            Self::PostAdded { course, thread, .. } => {
                [Some(Topic::Posts(course, thread)), Some(Topic::Thread(course, thread))]
            }
            Self::PostChanged { course, thread, .. } | Self::ThreadChanged { course, thread } => {
                [Some(Topic::Thread(course, thread)), None]
            }
            Self::ProgressChanged { learner, course } => [Some(Topic::Progress(learner, course)), None],
            Self::RecommendationsChanged { learner } => [Some(Topic::Recommendations(learner)), None],
            Self::ModelChanged => [Some(Topic::Models), None],
            Self::ModerationChanged { course, .. } => [Some(Topic::Moderation(course)), None],
            Self::Notified { person, .. } => [Some(Topic::Notifications(person)), None],
            Self::MessageAdded { course, conversation, .. } => [Some(Topic::Conversation(course, conversation)), None],
            Self::Announced { course, .. } => [Some(Topic::Announcements(course)), None],
        }
    }

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
