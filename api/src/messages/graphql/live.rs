//! Private messages, as they come.

use async_graphql::{Context, ID, SimpleObject, Subscription};

use super::{Conversation, Message};
use crate::{
    graphql::{errors::Fault, node, scope::scope},
    live::{
        graphql::{Told, begun, told},
        model::{Event, Happening, Topic},
    },
};

/// A message was added to a conversation.
#[derive(SimpleObject)]
pub(crate) struct MessageAdded {
    /// The conversation.
    conversation: Conversation,
    /// The message; null if `missed`.
    message: Option<Message>,
    /// Whether there may have been messages that you were not told of: read the conversation anew.
    missed: bool,
}

/// Private messages, as they come.
#[derive(Default)]
pub(crate) struct MessageSubscription;

/// Private messages, as they come.
#[Subscription]
impl MessageSubscription {
    /// Each new message of a conversation in which you take part. It ends when you don't any more.
    async fn message_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the conversation.")] conversation_id: ID,
    ) -> Result<Told<MessageAdded>, Fault> {
        let scope = scope(ctx);
        let (course, id) = node::conversation_id(&conversation_id)?;
        let conversation =
            Conversation::find(scope, course, id).await?.ok_or_else(|| Fault::not_found("conversation"))?;
        let Some(happening) = begun(ctx, &[Topic::Conversation(course, id)]) else { return Ok(told(None)) };
        let message = match happening {
            Happening::Event(Event::MessageAdded { message, .. }) => Message::find(scope, course, message).await?,
            _ => None,
        };
        let missed = happening == Happening::Missed;
        // A message that was taken back at once is nothing to tell.
        Ok(told((message.is_some() || missed).then_some(MessageAdded { conversation, message, missed })))
    }
}
