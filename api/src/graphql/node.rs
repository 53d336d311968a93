//! Global ids and what they lead to.

use async_graphql::{Context, ID, Interface};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::{
    errors::Fault,
    scope::{Scope, scope},
};
use crate::{
    accounts::graphql::Person,
    announcements::graphql::Announcement,
    bookmarks::graphql::Bookmark,
    cases::graphql::Case,
    courses::graphql::{Course, Lesson, Module, Topic},
    enrolling::graphql::{cohorts::Cohort, invitations::Invitation},
    forum::graphql::{ForumCategory, Post, Thread, reports::Report},
    ids::{
        AccountId, AnnouncementId, BookmarkId, CaseId, CategoryId, CohortId, ConversationId, CourseId, InvitationId,
        LessonId, MessageId, ModuleId, NotificationId, PostId, ReportId, ReviewId, ThreadId, TopicId,
    },
    messages::graphql::{Conversation, Message},
    notifications::graphql::Notification,
    progress::graphql::Enrolment,
    reviews::graphql::Review,
};

/// How many ids `nodes` takes.
const MAX_NODES: usize = 100;

macro_rules! node_ids {
    ($($letter:literal $name:ident ($($part:ident: $id:ty),+)),+ $(,)?) => {
        /// What a global id names. What belongs to a course or a learner carries that id too, so that it is
        /// looked for where it lies.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum NodeId { $($name($($id),+)),+ }

        impl NodeId {
            fn bytes(self) -> Vec<u8> {
                match self {
                    $(Self::$name($($part),+) => {
                        let mut bytes = vec![$letter];
                        $(bytes.extend_from_slice($part.0.as_bytes());)+
                        bytes
                    })+
                }
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let (letter, rest) = bytes.split_first()?;
                let mut parts = rest.chunks(16).map(|part| Uuid::from_slice(part).ok());
                let id = match letter {
                    $($letter => Self::$name($(<$id>::from({
                        let _ = stringify!($part);
                        parts.next()??
                    })),+),)+
                    _ => return None,
                };
                parts.next().is_none().then_some(id)
            }

            /// The GraphQL type's name.
            fn type_name(self) -> &'static str {
                match self { $(Self::$name(..) => stringify!($name)),+ }
            }
        }
    };
}

node_ids! {
    b'C' Course(course: CourseId),
    b'M' Module(module: ModuleId),
    b'L' Lesson(lesson: LessonId),
    b'T' Topic(topic: TopicId),
    b'P' Person(account: AccountId),
    b'E' Enrolment(learner: AccountId, course: CourseId),
    b'F' ForumCategory(course: CourseId, category: CategoryId),
    b'D' Thread(course: CourseId, thread: ThreadId),
    b'R' Post(course: CourseId, post: PostId),
    b'K' Case(person: AccountId, case: CaseId),
    b'H' Cohort(course: CourseId, cohort: CohortId),
    b'I' Invitation(course: CourseId, invitation: InvitationId),
    b'Q' Report(course: CourseId, report: ReportId),
    b'V' Review(course: CourseId, review: ReviewId),
    b'B' Bookmark(person: AccountId, bookmark: BookmarkId),
    b'A' Announcement(course: CourseId, announcement: AnnouncementId),
    b'N' Notification(person: AccountId, notification: NotificationId),
    b'O' Conversation(course: CourseId, conversation: ConversationId),
    b'G' Message(course: CourseId, message: MessageId),
}

impl NodeId {
    /// As clients see it: opaque.
    pub(crate) fn encode(self) -> ID {
        ID(URL_SAFE_NO_PAD.encode(self.bytes()))
    }

    /// Reads an id that a client sends in an argument.
    pub(crate) fn decode(id: &ID) -> Result<Self, Fault> {
        URL_SAFE_NO_PAD
            .decode(id.as_bytes())
            .ok()
            .and_then(|bytes| Self::from_bytes(&bytes))
            .ok_or_else(|| Fault::bad_input(format!("{:?} is not an id of anything here", shortened(id))))
    }

    fn wanted(self, wanted: &str) -> Fault {
        Fault::bad_input(format!("this is the id of a {}; the id of a {wanted} is wanted", self.type_name()))
    }
}

/// Reads a global id, for fuzzers: what is read is written as it was.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_id(text: &str) {
    if let Ok(id) = NodeId::decode(&text.into()) {
        assert_eq!(id.encode().as_str(), text);
    }
}

/// The global ids that the graph gives to things, for programs that know them by their own ids.
pub mod global_id {
    use super::{
        AccountId, AnnouncementId, BookmarkId, CategoryId, CohortId, ConversationId, CourseId, ID, InvitationId,
        LessonId, MessageId, ModuleId, NodeId, NotificationId, PostId, ReportId, ReviewId, ThreadId, TopicId,
    };

    /// Of a course.
    pub fn course(id: CourseId) -> String {
        NodeId::Course(id).encode().0
    }

    /// Of a lesson.
    pub fn lesson(id: LessonId) -> String {
        NodeId::Lesson(id).encode().0
    }

    /// Of a person.
    pub fn person(id: AccountId) -> String {
        NodeId::Person(id).encode().0
    }

    /// Whose this id is, if it is a person's.
    pub fn read_person(id: &str) -> Option<AccountId> {
        match NodeId::decode(&ID(id.to_owned())) {
            Ok(NodeId::Person(account)) => Some(account),
            _ => None,
        }
    }

    /// Of an announcement.
    pub fn announcement(course: CourseId, announcement: AnnouncementId) -> String {
        NodeId::Announcement(course, announcement).encode().0
    }

    /// Of a notification.
    pub fn notification(person: AccountId, notification: NotificationId) -> String {
        NodeId::Notification(person, notification).encode().0
    }

    /// Of an enrolment.
    pub fn enrolment(learner: AccountId, course: CourseId) -> String {
        NodeId::Enrolment(learner, course).encode().0
    }

    /// Of a module.
    pub fn module(id: ModuleId) -> String {
        NodeId::Module(id).encode().0
    }

    /// Of a topic.
    pub fn topic(id: TopicId) -> String {
        NodeId::Topic(id).encode().0
    }

    /// Of a category of a forum.
    pub fn category(course: CourseId, category: CategoryId) -> String {
        NodeId::ForumCategory(course, category).encode().0
    }

    /// Of a thread.
    pub fn thread(course: CourseId, thread: ThreadId) -> String {
        NodeId::Thread(course, thread).encode().0
    }

    /// Of a cohort.
    pub fn cohort(course: CourseId, cohort: CohortId) -> String {
        NodeId::Cohort(course, cohort).encode().0
    }

    /// Of an invitation.
    pub fn invitation(course: CourseId, invitation: InvitationId) -> String {
        NodeId::Invitation(course, invitation).encode().0
    }

    /// Of a report.
    pub fn report(course: CourseId, report: ReportId) -> String {
        NodeId::Report(course, report).encode().0
    }

    /// Of a review.
    pub fn review(course: CourseId, review: ReviewId) -> String {
        NodeId::Review(course, review).encode().0
    }

    /// Of a bookmark.
    pub fn bookmark(person: AccountId, bookmark: BookmarkId) -> String {
        NodeId::Bookmark(person, bookmark).encode().0
    }

    /// Of a conversation.
    pub fn conversation(course: CourseId, conversation: ConversationId) -> String {
        NodeId::Conversation(course, conversation).encode().0
    }

    /// Of a message.
    pub fn message(course: CourseId, message: MessageId) -> String {
        NodeId::Message(course, message).encode().0
    }

    /// Of a post.
    pub fn post(course: CourseId, post: PostId) -> String {
        NodeId::Post(course, post).encode().0
    }
}

fn shortened(id: &ID) -> String {
    id.chars().take(64).collect()
}

macro_rules! expect {
    ($($function:ident -> $variant:ident($($part:ident),+): $type:ty;)+) => {$(
        /// The id, if it is of this type.
        pub(crate) fn $function(id: &ID) -> Result<$type, Fault> {
            match NodeId::decode(id)? {
                NodeId::$variant($($part),+) => Ok(($($part),+)),
                other => Err(other.wanted(stringify!($variant))),
            }
        }
    )+};
}

expect! {
    course_id -> Course(course): CourseId;
    person_id -> Person(account): AccountId;
    topic_id -> Topic(topic): TopicId;
    lesson_id -> Lesson(lesson): LessonId;
    module_id -> Module(module): ModuleId;
    thread_id -> Thread(course, thread): (CourseId, ThreadId);
    post_id -> Post(course, post): (CourseId, PostId);
    report_id -> Report(course, report): (CourseId, ReportId);
    case_id -> Case(person, case): (AccountId, CaseId);
    announcement_id -> Announcement(course, announcement): (CourseId, AnnouncementId);
    notification_id -> Notification(person, notification): (AccountId, NotificationId);
    conversation_id -> Conversation(course, conversation): (CourseId, ConversationId);
    message_id -> Message(course, message): (CourseId, MessageId);
    category_id -> ForumCategory(course, category): (CourseId, CategoryId);
    enrolment_id -> Enrolment(learner, course): (AccountId, CourseId);
    cohort_id -> Cohort(course, cohort): (CourseId, CohortId);
    invitation_id -> Invitation(course, invitation): (CourseId, InvitationId);
    bookmark_id -> Bookmark(person, bookmark): (AccountId, BookmarkId);
}

/// Anything with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id: give it to `node` to find this again."))]
pub(crate) enum Node {
    Course(Course),
    Module(Module),
    Lesson(Lesson),
    Topic(Topic),
    Person(Person),
    Enrolment(Enrolment),
    ForumCategory(ForumCategory),
    Thread(Thread),
    Post(Post),
    Case(Case),
    Cohort(Cohort),
    Invitation(Invitation),
    Report(Report),
    Review(Review),
    Bookmark(Bookmark),
    Announcement(Announcement),
    Notification(Notification),
    Conversation(Conversation),
    Message(Message),
}

/// Finds what an id names; `None` where there is nothing, or nothing for this viewer.
pub(crate) async fn find(scope: &Scope, id: NodeId) -> Result<Option<Node>, Fault> {
    let load = scope.load();
    Ok(match id {
        NodeId::Course(id) => Course::find(scope, id).await?.map(Node::Course),
        NodeId::Module(id) => Module::find(scope, id).await?.map(Node::Module),
        NodeId::Lesson(id) => Lesson::find(scope, id).await?.map(Node::Lesson),
        NodeId::Topic(id) => load.public_topics.get(id).await?.map(|topic| Node::Topic(Topic((*topic).clone()))),
        NodeId::Person(id) => Person::find(scope, id).await?.map(Node::Person),
        NodeId::Enrolment(learner, course) => Enrolment::find(scope, learner, course).await?.map(Node::Enrolment),
        NodeId::ForumCategory(course, id) => ForumCategory::find(scope, course, id).await?.map(Node::ForumCategory),
        NodeId::Thread(course, id) => Thread::find(scope, course, id).await?.map(Node::Thread),
        NodeId::Post(course, id) => Post::find(scope, course, id).await?.map(Node::Post),
        NodeId::Cohort(course, id) => Cohort::find(scope, course, id).await?.map(Node::Cohort),
        NodeId::Invitation(course, id) => Invitation::find(scope, course, id).await?.map(Node::Invitation),
        NodeId::Report(course, id) => Report::find(scope, course, id).await?.map(Node::Report),
        NodeId::Review(course, id) => Review::find(scope, course, id).await?.map(Node::Review),
        NodeId::Bookmark(person, id) => Bookmark::find(scope, person, id).await?.map(Node::Bookmark),
        NodeId::Case(person, id) => Case::find(scope, person, id).await?.map(Node::Case),
        NodeId::Announcement(course, id) => Announcement::find(scope, course, id).await?.map(Node::Announcement),
        NodeId::Notification(person, id) => Notification::find(scope, person, id).await?.map(Node::Notification),
        NodeId::Conversation(course, id) => Conversation::find(scope, course, id).await?.map(Node::Conversation),
        NodeId::Message(course, id) => Message::find(scope, course, id).await?.map(Node::Message),
    })
}

/// Finding things by their global ids.
#[derive(Default)]
pub(crate) struct NodeQuery;

/// Finding things by their global ids.
#[async_graphql::Object]
impl NodeQuery {
    /// The thing with this global id; null if there is none, or none for you.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The global id.")] id: ID) -> Option<Result<Node, Fault>> {
        match NodeId::decode(&id) {
            Ok(id) => find(scope(ctx), id).await.transpose(),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// The things with these global ids, in the same order; null for each that there is not, or not for you.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node, Fault>>>, Fault> {
        if ids.len() > MAX_NODES {
            return Err(Fault::bad_input(format!("`ids` takes at most {MAX_NODES}; these were {}", ids.len())));
        }
        let scope = scope(ctx);
        Ok(futures_util::future::join_all(ids.iter().map(async |id| match NodeId::decode(id) {
            Ok(id) => find(scope, id).await.transpose(),
            Err(fault) => Some(Err(fault)),
        }))
        .await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_of_what_it_is_and_nothing_else_is_one() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for id in [NodeId::Course(a.into()), NodeId::Thread(a.into(), b.into()), NodeId::Enrolment(a.into(), b.into())]
        {
            assert_eq!(NodeId::decode(&id.encode()).unwrap(), id);
        }
        for stranger in ["", "1", "Q291cnNlOjE", "QQ", &NodeId::Course(a.into()).encode()[..10]] {
            assert!(NodeId::decode(&ID(stranger.to_owned())).is_err(), "{stranger}");
        }
        assert!(lesson_id(&NodeId::Course(a.into()).encode()).is_err());
    }
}
