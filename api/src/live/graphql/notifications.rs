//! Notifications, as they come.

use async_graphql::{Context, ID, SimpleObject, Subscription};

use super::{Told, begun, told};
use crate::{
    access::TokenScope,
    graphql::{errors::Fault, node::NodeId, scope::scope},
    live::model::{Event, Happening, Topic},
};

/// You have a new notification.
#[derive(SimpleObject)]
pub(crate) struct NotificationAdded {
    /// The global id of the notification; null if `missed`.
    id: Option<ID>,
    /// Whether there may have been notifications that you were not told of: read them anew.
    missed: bool,
}

/// Notifications, as they come.
#[derive(Default)]
pub(crate) struct NotificationSubscription;

/// Notifications, as they come.
#[Subscription]
impl NotificationSubscription {
    /// Each new notification of yours.
    async fn notification_added(&self, ctx: &Context<'_>) -> Result<Told<NotificationAdded>, Fault> {
        let person = scope(ctx).account_for(TokenScope::Read)?;
        let happening = begun(ctx, &[Topic::Notifications(person)]);
        Ok(told(happening.map(|happening| match happening {
            Happening::Event(Event::Notified { notification, .. }) => {
                let id = NodeId::Notification(person, notification).encode();
                NotificationAdded { id: Some(id), missed: false }
            }
            _ => NotificationAdded { id: None, missed: true },
        })))
    }
}
