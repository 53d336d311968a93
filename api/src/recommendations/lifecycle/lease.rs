//! One trains at a time, among all servers of a database.

use std::{pin::pin, time::Duration};

use super::store;
use crate::{
    accounts::secret::{hex, random_bytes},
    db::{Db, DbError},
    time::{Clock, Timestamp},
};

/// The setting that holds the lease.
const NAME: &str = "training";
/// A lease ends after so long, in microseconds, if its holder is gone.
const LASTS: i64 = 120 * 1_000_000;
/// It is prolonged so often.
const RENEWED_EVERY: Duration = Duration::from_secs(30);

/// The right to train.
pub(super) struct Lease {
    db: Db,
    clock: Clock,
    holder: String,
    text: String,
}

impl Lease {
    /// The lease, unless somebody else holds it.
    pub(super) async fn take(db: &Db, clock: &Clock) -> Result<Option<Self>, DbError> {
        let holder = hex(&random_bytes::<8>());
        let now = clock.now();
        let text = text(now.0 + LASTS, &holder);
        let taken = store::take_lease(db, NAME, &text, &digits(now.0)).await?;
        Ok(taken.then(|| Self { db: db.clone(), clock: clock.clone(), holder, text }))
    }

    /// Does some work and keeps the lease meanwhile, then gives it back. If the work is broken off, the lease ends by
    /// itself.
    pub(super) async fn during<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => {
                    self.change(String::new()).await;
                    return done;
                }
                () = tokio::time::sleep(RENEWED_EVERY) => {
                    let text = text(self.clock.now().0 + LASTS, &self.holder);
                    self.change(text).await;
                }
            }
        }
    }

    async fn change(&mut self, text: String) {
        match store::change_lease(&self.db, NAME, &self.text, &text).await {
            Ok(true) => self.text = text,
            Ok(false) => tracing::warn!("somebody else trains meanwhile: the lease was lost"),
            Err(error) => tracing::warn!(%error, "the lease of training could not be prolonged or given back"),
        }
    }
}

fn text(until: i64, holder: &str) -> String {
    format!("{} {holder}", digits(until))
}

/// A time in digits of one length.
fn digits(time: i64) -> String {
    let Timestamp(time) = Timestamp(time.max(0));
    format!("{time:020}")
}
