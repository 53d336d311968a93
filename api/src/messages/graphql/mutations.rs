//! Writing private messages.

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{Conversation, Message, actor};
use crate::{
    access::TokenScope,
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node,
        scope::{Scope, scope},
    },
    idempotency::KeyRefusal,
    ids::{CourseId, MessageId},
    messages::{Actor, Refusal, model::NewConversation, store::Key},
};

/// A conversation to be begun.
#[derive(Debug, InputObject)]
pub(crate) struct StartConversationInput {
    /// The global id of the course that it is about.
    course_id: ID,
    /// The global ids of those it goes to, at most 11: staff of the course. If you are of the staff: one learner of the course, and
    /// perhaps more of its staff.
    recipients: Vec<ID>,
    /// What it is about, 1 to 200 characters.
    subject: String,
    /// The first message, in Markdown, 1 to 20,000 characters.
    body: String,
    /// A key of your own making: sent again with it, the conversation is begun once.
    idempotency_key: Option<String>,
}

/// A message to be sent.
#[derive(Debug, InputObject)]
pub(crate) struct SendMessageInput {
    /// The global id of the conversation.
    conversation_id: ID,
    /// What it says, in Markdown, 1 to 20,000 characters.
    body: String,
    /// A key of your own making: sent again with it, the message is sent once.
    idempotency_key: Option<String>,
}

/// A change of a message.
#[derive(Debug, InputObject)]
pub(crate) struct EditMessageInput {
    /// The global id of the message.
    message_id: ID,
    /// What it is to say, in Markdown, 1 to 20,000 characters.
    body: String,
}

/// A message to be deleted.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteMessageInput {
    /// The global id of the message.
    message_id: ID,
}

/// Somebody to be added to a conversation.
#[derive(Debug, InputObject)]
pub(crate) struct AddToConversationInput {
    /// The global id of the conversation.
    conversation_id: ID,
    /// The global id of the person, who is of the staff of the course.
    person_id: ID,
}

/// Up to where a conversation is read.
#[derive(Debug, InputObject)]
pub(crate) struct MarkConversationReadInput {
    /// The global id of the conversation.
    conversation_id: ID,
    /// The global id of the last message that you have read; left out, it is the conversation's last.
    up_to: Option<ID>,
}

/// Whether you want to hear of a conversation.
#[derive(Debug, InputObject)]
pub(crate) struct MuteConversationInput {
    /// The global id of the conversation.
    conversation_id: ID,
    /// Whether you want to hear nothing of it: no notification tells of its messages then.
    muted: bool,
}

/// What became of a change of a conversation.
#[derive(SimpleObject)]
pub(crate) struct ConversationPayload {
    /// The conversation; null if there were errors.
    conversation: Option<Conversation>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of a message.
#[derive(SimpleObject)]
pub(crate) struct MessagePayload {
    /// The message; null if there were errors.
    message: Option<Message>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: Refusal) -> UserError {
    use UserErrorCode as Code;
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NotEnrolled => (Code::NotEnrolled, &["input", "courseId"]),
        Refusal::StaffOnly | Refusal::OneLearner => (Code::NotAllowed, &["input", "recipients"]),
        Refusal::Recipients => (Code::OutOfRange, &["input", "recipients"]),
        Refusal::TooManyMembers => (Code::TooMany, &["input", "personId"]),
        Refusal::Subject(_) => (Code::Length, &["input", "subject"]),
        Refusal::Body(_) => (Code::Length, &["input", "body"]),
        Refusal::NoSuchConversation => (Code::NotFound, &["input", "conversationId"]),
        Refusal::NoSuchMessage => (Code::NotFound, &["input", "messageId"]),
        Refusal::NotYours => (Code::NotAllowed, &["input", "messageId"]),
        Refusal::TooLate => (Code::TooLate, &["input", "messageId"]),
        Refusal::Closed => (Code::NotEnrolled, &["input", "conversationId"]),
        Refusal::StaffAdds => (Code::NotAllowed, &["input", "personId"]),
        Refusal::TooMany(_) => (Code::TooManyRequests, &["input"]),
        Refusal::Key(KeyRefusal::Length(_)) => (Code::Length, &["input", "idempotencyKey"]),
        Refusal::Key(KeyRefusal::Reused) => (Code::IdempotencyKeyReused, &["input", "idempotencyKey"]),
    };
    UserError::new(code, path, &refusal)
}

impl ConversationPayload {
    async fn new(scope: &Scope, (course, id): Key, done: Result<(), Refusal>) -> Result<Self, Fault> {
        if let Err(refusal) = done {
            return Ok(Self { conversation: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(Self { conversation: Conversation::find(scope, course, id).await?, user_errors: Vec::new() })
    }
}

impl MessagePayload {
    async fn new(scope: &Scope, course: CourseId, done: Result<MessageId, Refusal>) -> Result<Self, Fault> {
        Ok(match done {
            Err(refusal) => Self { message: None, user_errors: vec![user_error(refusal)] },
            Ok(id) => {
                scope.forget();
                Self { message: Message::find(scope, course, id).await?, user_errors: Vec::new() }
            }
        })
    }
}

/// Who writes in a conversation.
async fn writer(scope: &Scope, course: CourseId) -> Result<Actor, Fault> {
    let account = scope.account_for(TokenScope::Write)?;
    actor(scope, account, course).await
}

/// Writing private messages.
#[derive(Default)]
pub(crate) struct MessageMutation;

/// Writing private messages.
#[async_graphql::Object]
impl MessageMutation {
    /// Begins a private conversation with staff of a course that you take, or with a learner of a course that you teach. At most 60
    /// messages are sent by one person in an hour.
    async fn start_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] input: StartConversationInput,
    ) -> Result<ConversationPayload, Fault> {
        let (scope, course) = (scope(ctx), node::course_id(&input.course_id)?);
        let actor = writer(scope, course).await?;
        let recipients = input.recipients.iter().map(node::person_id).collect::<Result<_, _>>()?;
        let (subject, body, key) = (input.subject, input.body, input.idempotency_key);
        let new = NewConversation { course, recipients, subject, body, key };
        match scope.app.messages.start(actor, new).await? {
            Ok(id) => ConversationPayload::new(scope, (course, id), Ok(())).await,
            Err(refusal) => Ok(ConversationPayload { conversation: None, user_errors: vec![user_error(refusal)] }),
        }
    }

    /// Sends a message in a conversation. At most 60 messages are sent by one person in an hour.
    async fn send_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The message.")] input: SendMessageInput,
    ) -> Result<MessagePayload, Fault> {
        let (scope, conversation) = (scope(ctx), node::conversation_id(&input.conversation_id)?);
        let actor = writer(scope, conversation.0).await?;
        let key = input.idempotency_key.as_deref();
        let sent = scope.app.messages.send(actor, conversation, &input.body, key).await?;
        MessagePayload::new(scope, conversation.0, sent).await
    }

    /// Changes a message of yours within 15 minutes after you sent it. It shows that it was changed; what it said before is not kept.
    async fn edit_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: EditMessageInput,
    ) -> Result<MessagePayload, Fault> {
        let (scope, message) = (scope(ctx), node::message_id(&input.message_id)?);
        let actor = writer(scope, message.0).await?;
        let done = scope.app.messages.edit(actor, message, &input.body).await?;
        MessagePayload::new(scope, message.0, done.map(|()| message.1)).await
    }

    /// Deletes a message of yours for everybody: its text is erased, its place stays.
    async fn delete_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The message.")] input: DeleteMessageInput,
    ) -> Result<MessagePayload, Fault> {
        let (scope, message) = (scope(ctx), node::message_id(&input.message_id)?);
        let actor = writer(scope, message.0).await?;
        let done = scope.app.messages.delete(actor, message).await?;
        MessagePayload::new(scope, message.0, done.map(|()| message.1)).await
    }

    /// Lets one more of the course's staff take part in a conversation, if you are of its staff. She sees what is said from now on; the
    /// others are notified, and find her among the participants.
    async fn add_to_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to add, and where.")] input: AddToConversationInput,
    ) -> Result<ConversationPayload, Fault> {
        let (scope, conversation) = (scope(ctx), node::conversation_id(&input.conversation_id)?);
        let (actor, person) = (writer(scope, conversation.0).await?, node::person_id(&input.person_id)?);
        let done = scope.app.messages.add(actor, conversation, person).await?;
        ConversationPayload::new(scope, conversation, done).await
    }

    /// Notes that you have read a conversation up to a message. Doing it again, or with an earlier message, changes nothing.
    async fn mark_conversation_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation, and up to where.")] input: MarkConversationReadInput,
    ) -> Result<ConversationPayload, Fault> {
        let (scope, conversation) = (scope(ctx), node::conversation_id(&input.conversation_id)?);
        let actor = writer(scope, conversation.0).await?;
        let up_to = match input.up_to.as_ref().map(node::message_id).transpose()? {
            Some((of, _)) if of != conversation.0 => Err(Refusal::NoSuchMessage),
            message => Ok(message.map(|(_, message)| message)),
        };
        let done = match up_to {
            Ok(up_to) => scope.app.messages.mark_read(actor, conversation, up_to).await?,
            Err(refusal) => Err(refusal),
        };
        let mut payload = ConversationPayload::new(scope, conversation, done).await?;
        for error in payload.user_errors.iter_mut().filter(|error| error.path.ends_with(&["messageId".to_owned()])) {
            error.path = vec!["input".to_owned(), "upTo".to_owned()];
        }
        Ok(payload)
    }

    /// Says whether you want to hear nothing of a conversation. You can read it anyhow.
    async fn mute_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversation.")] input: MuteConversationInput,
    ) -> Result<ConversationPayload, Fault> {
        let (scope, conversation) = (scope(ctx), node::conversation_id(&input.conversation_id)?);
        let actor = writer(scope, conversation.0).await?;
        let done = scope.app.messages.mute(actor, conversation, input.muted).await?;
        ConversationPayload::new(scope, conversation, done).await
    }
}
