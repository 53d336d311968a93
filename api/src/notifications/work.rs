//! What a server does by itself: goes on with rounds, makes digests, forgets what is old.
//!
//! Several servers may do all of it at once. A part of a round, and what goes into a digest, is taken in the transaction that
//! does it, so the second one finds it done.

use std::time::Duration;

use uuid::Uuid;

use super::{KEPT_DAYS, Notifications, READ_KEPT_DAYS, store, telling::advance};
use crate::{
    db::DbError,
    idempotency,
    mail::{Outbox, model::Kind},
    time::Timestamp,
};

/// So often it is looked whether there is something to do.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// So often what is old is forgotten.
const FORGET_EVERY: Duration = Duration::from_hours(24);
const DAY: i64 = 86_400_000_000;

impl Notifications {
    /// Goes on with what was begun, and makes digests, until the future is dropped. Where nothing is mailed, no digest is made.
    pub async fn keep_working(&self, outbox: &Outbox, mails: bool) {
        loop {
            let rounds = self.go_on().await;
            let digests = if mails { self.make_digests(outbox).await } else { Ok(0) };
            match (rounds, digests) {
                (Ok(0), Ok(0)) => tokio::time::sleep(LOOK_EVERY).await,
                (Ok(_), Ok(_)) => {}
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!(%error, "notifications wait");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    /// Goes on with rounds that were begun, a part of each. Answers with how many parts there were.
    pub async fn go_on(&self) -> Result<usize, DbError> {
        let mut parts = 0;
        for key in store::rounds::oldest(&self.db).await? {
            let mut tx = self.db.begin().await?;
            let Some(round) = store::rounds::take(&mut tx, key).await? else { continue };
            match advance(&mut tx, &self.clock, round).await? {
                Some(rest) => store::rounds::put(&mut tx, &rest, self.clock.now()).await?,
                None => store::rounds::done(&mut tx, key).await?,
            }
            tx.commit().await?;
            parts += 1;
        }
        Ok(parts)
    }

    /// Writes a digest into the outbox for each of those to whom something is due. Answers with how many.
    pub async fn make_digests(&self, outbox: &Outbox) -> Result<usize, DbError> {
        let now = self.clock.now();
        let mut due = store::digests::due(&self.db, now).await?;
        // All servers take people in the same order, so none waits for another that waits for it.
        due.sort();
        let mut made = 0;
        for people in due.chunks(100) {
            let mut tx = self.db.begin().await?;
            let digest: Uuid = self.clock.id();
            let mut readers = store::digests::claim(&mut tx, people, digest, now).await?;
            readers.sort();
            readers.dedup();
            for reader in &readers {
                outbox.add(&mut tx, *reader, Kind::Digest, &digest.simple().to_string()).await?;
            }
            tx.commit().await?;
            made += readers.len();
        }
        if made > 0 {
            outbox.ring();
        }
        Ok(made)
    }

    /// Forgets daily what is too old, until the future is dropped.
    pub async fn keep_pruned(&self) {
        loop {
            match self.prune().await {
                Ok(rows) => tracing::debug!(rows, "old notifications and keys were deleted"),
                Err(error) => tracing::warn!(%error, "old notifications and keys were not deleted"),
            }
            tokio::time::sleep(FORGET_EVERY).await;
        }
    }

    /// Forgets what is too old; how many rows that were. A few hundred at a time, so that nobody waits for it.
    pub async fn prune(&self) -> Result<u64, DbError> {
        let now = self.clock.now();
        let mut rows = idempotency::prune(&self.db, now).await?;
        for (read, days) in [(true, READ_KEPT_DAYS), (false, KEPT_DAYS)] {
            loop {
                let some = store::forget(&self.db, read, Timestamp(now.0 - days * DAY)).await?;
                rows += some;
                if some == 0 {
                    break;
                }
            }
        }
        Ok(rows)
    }
}
