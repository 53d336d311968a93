//! The time that a request may take. When it is over, the work is dropped, and what it does in the database stops
//! ([`crate::db::cancel`]).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use poem::http::StatusCode;
use tokio::time::{Instant, timeout_at};

use super::endpoint::Refused;
use crate::{db::cancel, graphql::limits::LimitSettings};

/// When a request's time is over.
pub(super) struct Deadline {
    at: Instant,
    seconds: u64,
    /// Whether it is there to change something.
    changes: bool,
    /// Whether it has begun to write what may last.
    writes: Arc<AtomicBool>,
}

impl Deadline {
    /// From now on.
    pub(super) fn new(limits: &LimitSettings, changes: bool) -> Self {
        let seconds = limits.request_seconds;
        Self { at: Instant::now() + Duration::from_secs(seconds), seconds, changes, writes: Arc::default() }
    }

    /// Does it, or as much of it as there is time for.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Refused> {
        let watched = cancel::watched(Arc::clone(&self.writes), work);
        timeout_at(self.at, watched).await.map_err(|_| self.refused())
    }

    fn refused(&self) -> Refused {
        let seconds = self.seconds;
        tracing::warn!(seconds, "a request took too long, and was stopped");
        let mut message = format!("it took longer than {seconds} s and was stopped");
        // A statement that was stopped leaves nothing; a commit is not stopped.
        message += match (self.changes, self.writes.load(Ordering::Relaxed)) {
            (false, _) => ": ask for less, or try again",
            (true, false) => "; nothing was changed: ask for less, or try again",
            (true, true) => " when it had begun to write: it may have been done, so look before you send it again",
        };
        Refused::new(StatusCode::GATEWAY_TIMEOUT, "TIMEOUT", message)
    }
}
