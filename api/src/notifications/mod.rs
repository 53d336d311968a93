//! What somebody is notified of.

pub mod model;
pub(crate) mod store;

use crate::{
    db::{DbError, Tx},
    live::{self, model::Event},
    time::Clock,
};
use model::{NewNotification, Posted};

/// Notifies people of something, in the transaction in which it happens. Whoever did it is not to be among them.
pub(crate) async fn notify(tx: &mut Tx, clock: &Clock, new: &[NewNotification]) -> Result<(), DbError> {
    for notification in new {
        let id = clock.id();
        store::insert(tx, id, notification, clock.now()).await?;
        live::announce(tx, &Event::Notified { person: notification.person, notification: id });
    }
    Ok(())
}

/// Notifies those who follow a thread, and those who are mentioned, of a new post in it.
#[expect(clippy::unused_async, reason = "nobody follows a thread yet")]
pub(crate) async fn posted(_tx: &mut Tx, _clock: &Clock, _post: &Posted<'_>) -> Result<(), DbError> {
    Ok(())
}
