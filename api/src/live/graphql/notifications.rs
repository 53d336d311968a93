//! Notifications, as they come.

use async_graphql::{Context, ID, SimpleObject, Subscription};

use super::{Told, begun, told};
use crate::{
    access::TokenScope,
    graphql::{errors::Fault, node::NodeId, scope::scope},
    live::model::{Event, Happening, Topic},
    notifications::graphql::Notification,
};

/// You have a new notification.
#[derive(SimpleObject)]
pub(crate) struct NotificationAdded {
    // Not `id`: that would be the event's own, and a cache would take the event for the notification.
    /// The global id of the notification; null if `missed`.
    notification_id: Option<ID>,
    /// The notification; null if `missed`, or if it is gone again.
    notification: Option<Notification>,
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
        Ok(told(match begun(ctx, &[Topic::Notifications(person)]) {
            None => None,
            Some(Happening::Event(Event::Notified { notification: id, .. })) => {
                let notification = Notification::find(scope(ctx), person, id).await?;
                let notification_id = Some(NodeId::Notification(person, id).encode());
                Some(NotificationAdded { notification_id, notification, missed: false })
            }
            Some(_) => Some(NotificationAdded { notification_id: None, notification: None, missed: true }),
        }))
    }
}
