//! Notices of committed transactions, as one process hears them.
//!
//! On SQLite there is one process, and notices stay in it. On PostgreSQL every replica hears those of all, its own
//! included, by `LISTEN` on a connection of its own.

use std::{sync::Arc, time::Duration};

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::{Backend, Db, DbError, forums::Forums, fresh::Fresh};

/// The channel of PostgreSQL.
pub(super) const CHANNEL: &str = "stoa";
/// After so long without a notice the connection is asked whether it still lives: a firewall may have dropped it
/// without a word.
const SILENCE: Duration = Duration::from_secs(30);
/// So long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is heard.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// A notice.
    Notice(Arc<str>),
    /// Some notices were not heard, since there were too many at once.
    Missed,
}

/// Somebody who hears.
pub(crate) struct Ear {
    here: Receiver<Arc<str>>,
    elsewhere: Backend<(), PgListener>,
    fresh: Arc<Fresh>,
    forums: Arc<Forums>,
}

impl Db {
    /// Hears the notices of transactions that commit from now on.
    pub(crate) async fn listen(&self) -> Result<Ear, DbError> {
        let here = self.notices();
        let elsewhere = match &self.backend {
            Backend::Lite(_) => Backend::Lite(()),
            Backend::Pg(lanes) => {
                // Not one of the pool's: it is held for as long as somebody listens.
                let options = lanes.pool().connect_options().as_ref().clone().application_name("stoa listener");
                let own = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
                let own = own.max_lifetime(None).idle_timeout(None).connect_with(options).await?;
                let mut listener = PgListener::connect_with(&own).await?;
                // Whoever listens must know of each gap.
                listener.eager_reconnect(false);
                listener.listen(CHANNEL).await?;
                Backend::Pg(listener)
            }
        };
        Ok(Ear { here, elsewhere, fresh: Arc::clone(&self.fresh), forums: Arc::clone(&self.forums) })
    }

    /// Tells those who listen in this process, and nobody else.
    pub(crate) fn tell_here(&self, notice: String) {
        // Nobody may be listening.
        let _ = self.told.send(notice.into());
    }
}

impl Ear {
    /// The next notice. An error means that this ear is deaf from now on.
    pub(crate) async fn hear(&mut self) -> Result<Heard, DbError> {
        loop {
            match self.hear_any().await? {
                // What is kept is thrown away before anybody is told of what follows in the same transaction.
                Heard::Notice(notice) if self.fresh.heard(&notice) || self.forums.heard(&notice) => {}
                heard => return Ok(heard),
            }
        }
    }

    async fn hear_any(&mut self) -> Result<Heard, DbError> {
        match &mut self.elsewhere {
            Backend::Lite(()) => Ok(heard_here(self.here.recv().await)),
            Backend::Pg(listener) => {
                tokio::select! {
                    here = self.here.recv() => Ok(heard_here(here)),
                    there = heard_elsewhere(listener) => there,
                }
            }
        }
    }
}

fn heard_here(received: Result<Arc<str>, RecvError>) -> Heard {
    match received {
        Ok(notice) => Heard::Notice(notice),
        // This process holds the sender for as long as it holds the database.
        Err(RecvError::Lagged(_) | RecvError::Closed) => Heard::Missed,
    }
}

async fn heard_elsewhere(listener: &mut PgListener) -> Result<Heard, DbError> {
    let lost = || DbError::Unavailable("the connection that listens was lost".to_owned());
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => return Ok(Heard::Notice(notification.payload().into())),
            Ok(Ok(None)) => return Err(lost()),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {
                let alive = sqlx::query("SELECT 1").execute(&mut *listener);
                timeout(PATIENCE, alive).await.map_err(|_| lost())??;
            }
        }
    }
}
