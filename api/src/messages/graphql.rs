//! Private messages in the graph.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

pub(crate) use mutations::MessageMutation;

use super::{
    Actor,
    model::{self, Member},
    store,
};
use crate::{
    access::{
        self, CONVERSATION_MESSAGES, CONVERSATION_MUTED, CONVERSATION_PARTICIPANTS, CONVERSATION_SUBJECT,
        CONVERSATION_UNREAD_COUNT, InCourse, MESSAGE_BODY, MESSAGE_BODY_HTML, Permit, Shown, Standing, graphql::About,
        permit, tags,
    },
    accounts::graphql::Person,
    courses::graphql::Course,
    db::page::{Page, TimeKey},
    graphql::{
        connection::{Pages, Paging, connection},
        errors::Fault,
        node::NodeId,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, ConversationId, CourseId, MessageId},
    markdown,
};

pub(crate) mod live;
mod mutations;

/// The names of the lists for cursors.
const CONVERSATIONS: &str = "conversations";
const MESSAGES: &str = "messages";

/// As what somebody takes part in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Part")]
pub(crate) enum ConversationPart {
    /// The learner it is with.
    Learner,
    /// Of the staff of the course.
    Staff,
}

/// A private conversation between a learner and staff of a course, about that course. Nobody but those who take part in it can read
/// it.
pub(crate) struct Conversation {
    row: Arc<model::Conversation>,
    members: Arc<Vec<Member>>,
    /// Which of them the viewer is.
    me: Member,
    standing: Standing<InCourse>,
}

impl Conversation {
    /// The conversation, if the viewer takes part in it.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: ConversationId) -> Result<Option<Self>, Fault> {
        let (load, Some(viewer)) = (scope.load(), scope.viewer.id()) else { return Ok(None) };
        let (row, members) =
            futures_util::try_join!(load.conversations.get((course, id)), load.conversation_members.get((course, id)))?;
        let me = members.iter().find(|member| member.account == viewer).cloned();
        let (Some(row), Some(me)) = (row, me) else { return Ok(None) };
        let standing = load.viewpoint.to_conversation(course, me.part).await?;
        Ok(permit(&CONVERSATION_MESSAGES, &standing).is_ok().then_some(Self { row, members, me, standing }))
    }

    /// The viewer's conversations.
    pub(crate) async fn list(
        scope: &Scope,
        person: AccountId,
        paging: &Paging,
        _permit: Permit<tags::Notification>,
    ) -> Result<Pages<Self>, Fault> {
        let request = paging.request(scope, CONVERSATIONS)?;
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        let teaches: Vec<_> = known.courses().into_iter().filter(|course| known.teaches(*course)).collect();
        let rows = store::inbox_page(&scope.app.db, person, &teaches, &request).await?;
        let page = Page::from_rows(rows, &request);
        let found = futures_util::future::try_join_all(page.items.iter().map(async |(course, id, at)| {
            Ok::<_, Fault>(Self::find(scope, *course, *id).await?.map(|found| (Arc::new(found), (at.0, id.0))))
        }))
        .await?;
        let page = Page {
            items: found.into_iter().flatten().collect(),
            has_previous: page.has_previous,
            has_next: page.has_next,
        };
        let key = |(_, key): &(Arc<Self>, TimeKey)| *key;
        connection(scope, CONVERSATIONS, &page, key, |(found, _)| found.again())
    }

    fn again(&self) -> Self {
        Self {
            row: Arc::clone(&self.row),
            members: Arc::clone(&self.members),
            me: self.me.clone(),
            standing: self.standing.clone(),
        }
    }

    async fn status(&self, scope: &Scope) -> Result<model::Status, Fault> {
        Ok(scope.load().conversation_status.get((self.me.account, self.row.course_id, self.row.id)).await?)
    }
}

/// A private conversation between a learner and staff of a course, about that course. Nobody but those who take part in it can read
/// it.
#[Object]
impl Conversation {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Conversation(self.row.course_id, self.row.id).encode()
    }

    /// The course it is about; null if it is not in the catalogue any more.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.row.course_id).await.transpose()
    }

    /// What it is about.
    #[graphql(directive = About::apply(&CONVERSATION_SUBJECT))]
    async fn subject(&self) -> Shown<String> {
        access::show(&CONVERSATION_SUBJECT, &self.standing, &self.row.subject)
    }

    /// When it was begun.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When its last message was sent.
    async fn last_message_at(&self) -> DateTime {
        self.row.last_message_at.into()
    }

    /// Who takes part in it, in the order in which they came to it: everybody who can read it, and since when.
    #[graphql(directive = About::apply(&CONVERSATION_PARTICIPANTS))]
    async fn participants(&self, ctx: &Context<'_>) -> Shown<Vec<ConversationParticipant>> {
        match permit(&CONVERSATION_PARTICIPANTS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let room = scope(ctx).make_room(self.members.len());
                let all = self.members.iter().map(|member| {
                    let (course, created_at) = (self.row.course_id, self.row.created_at);
                    ConversationParticipant { member: member.clone(), course, created_at }
                });
                room.map_or_else(Shown::Failed, |()| Shown::permitted(permit, all.collect()))
            }
        }
    }

    /// Its messages, the oldest first. Who was added later finds those that were sent from then on.
    #[graphql(directive = About::apply(&CONVERSATION_MESSAGES))]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Message>> {
        match permit(&CONVERSATION_MESSAGES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_messages(scope(ctx), &Paging { first, after, last, before }, permit).await.into(),
        }
    }

    /// How many messages of others in it you have not read; 100 for that many and more.
    #[graphql(directive = About::apply(&CONVERSATION_UNREAD_COUNT))]
    async fn unread_count(&self, ctx: &Context<'_>) -> Shown<i32> {
        match permit(&CONVERSATION_UNREAD_COUNT, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.status(scope(ctx)).await.map(|status| int(*status.unread.open(permit))).into(),
        }
    }

    /// Whether you want to hear nothing of it.
    #[graphql(directive = About::apply(&CONVERSATION_MUTED))]
    async fn muted(&self, ctx: &Context<'_>) -> Shown<bool> {
        match permit(&CONVERSATION_MUTED, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.status(scope(ctx)).await.map(|status| *status.muted.open(permit)).into(),
        }
    }
}

impl Conversation {
    async fn read_messages(
        &self,
        scope: &Scope,
        paging: &Paging,
        _permit: Permit<tags::Correspondence>,
    ) -> Result<Pages<Message>, Fault> {
        let request = paging.request(scope, MESSAGES)?;
        let view = (self.me.account, self.row.course_id, self.row.id);
        let page = scope.load().messages_of_conversation.get((view, request)).await?;
        let key = |row: &Arc<model::Message>| -> TimeKey { (row.created_at.0, row.id.0) };
        connection(scope, MESSAGES, &page, key, |row| Message { row: Arc::clone(row), standing: self.standing.clone() })
    }
}

/// Somebody who takes part in a conversation.
pub(crate) struct ConversationParticipant {
    member: Member,
    course: CourseId,
    created_at: crate::time::Timestamp,
}

/// Somebody who takes part in a conversation.
#[Object]
impl ConversationParticipant {
    /// Who it is.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.member.account).await.transpose()
    }

    /// As what she takes part.
    async fn part(&self) -> ConversationPart {
        self.member.part.into()
    }

    /// Since when she takes part.
    async fn joined_at(&self) -> DateTime {
        self.member.joined_at.into()
    }

    /// Whether she sees all messages; false for who was added later, and sees those that were sent from then on.
    async fn sees_all(&self) -> bool {
        self.member.sees_from <= self.created_at
    }

    /// Whether she can read it now: staff can as long as it is staff of the course.
    async fn can_read(&self, ctx: &Context<'_>) -> Result<bool, Fault> {
        if self.member.part == model::Part::Learner {
            return Ok(true);
        }
        let staff = scope(ctx).load().staff.get(self.course).await?;
        Ok(staff.iter().any(|member| member.account_id == self.member.account))
    }
}

/// A private message.
pub(crate) struct Message {
    row: Arc<model::Message>,
    standing: Standing<InCourse>,
}

impl Message {
    /// The message, if the viewer takes part in its conversation and sees it.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: MessageId) -> Result<Option<Self>, Fault> {
        let Some(row) = scope.load().messages.get((course, id)).await? else { return Ok(None) };
        let found = Conversation::find(scope, course, row.conversation_id).await?;
        let found = found.filter(|conversation| row.created_at >= conversation.me.sees_from);
        Ok(found.map(|conversation| Self { row, standing: conversation.standing }))
    }
}

/// A private message.
#[Object]
impl Message {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Message(self.row.course_id, self.row.id).encode()
    }

    /// The conversation it is in.
    async fn conversation(&self, ctx: &Context<'_>) -> Option<Result<Conversation, Fault>> {
        Conversation::find(scope(ctx), self.row.course_id, self.row.conversation_id).await.transpose()
    }

    /// Who wrote it.
    async fn author(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.row.author_id).await.transpose()
    }

    /// When it was sent.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When it was last changed; null if it is as it was sent.
    async fn edited_at(&self) -> Option<DateTime> {
        self.row.edited_at.map(Into::into)
    }

    /// When it was deleted; null if it was not. Its place stays, its text is erased.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.row.deleted_at.map(Into::into)
    }

    /// What it says, in Markdown; null also once it is deleted. It is what somebody typed: escape it before you show it.
    #[graphql(directive = About::apply(&MESSAGE_BODY))]
    async fn body(&self) -> Shown<Option<String>> {
        access::show(&MESSAGE_BODY, &self.standing, &self.row.body)
    }

    /// What it says, as HTML that is safe to show; null also once it is deleted.
    #[graphql(directive = About::apply(&MESSAGE_BODY_HTML))]
    async fn body_html(&self) -> Shown<Option<String>> {
        let body = access::show(&MESSAGE_BODY_HTML, &self.standing, &self.row.body);
        body.map(|body| body.map(|body| markdown::to_html(&body)))
    }
}

/// Who does something, and what she may do as staff of the course now.
async fn actor(scope: &Scope, account: AccountId, course: CourseId) -> Result<Actor, Fault> {
    Ok(Actor { account, teaches: scope.load().viewpoint.known().await?.teaches(course) })
}
