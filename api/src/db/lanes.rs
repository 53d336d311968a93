//! SQLite's connections.
//!
//! sqlx's pool can't say which of its connections it lends, and nothing tells a connection's thread from outside that nobody
//! waits for its statement. So these are kept here, each with a flag that its thread looks at while it works. It is also
//! quicker: sqlx's pool starts a task and wakes the connection's thread each time that a connection comes back.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::cancel::State;

/// So many steps of SQLite's machine a statement runs before its thread looks whether to stop: well under a millisecond.
const STEPS: i32 = 4_000;

/// Connections to one file.
#[derive(Clone)]
pub struct Lanes(Arc<Inner>);

struct Inner {
    connect: SqliteConnectOptions,
    most: u32,
    patience: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Lane>>,
}

/// A connection.
struct Lane {
    conn: SqliteConnection,
    /// Whether its thread should stop what it does.
    stop: Arc<AtomicBool>,
}

/// A connection that nobody else has.
pub(super) struct Lease {
    // Both taken when it is dropped.
    lane: Option<Lane>,
    permit: Option<OwnedSemaphorePermit>,
    lanes: Lanes,
    pub(super) state: State,
}

impl Lanes {
    /// Opens one connection, and up to `most` when they are needed. Whoever waits for one longer than `patience` gets an error.
    pub(super) async fn open(
        connect: SqliteConnectOptions,
        most: u32,
        patience: Duration,
    ) -> Result<Self, sqlx::Error> {
        let first = Lane::open(&connect).await?;
        let permits = Arc::new(Semaphore::new(most as usize));
        Ok(Self(Arc::new(Inner { connect, most, patience, permits, idle: Mutex::new(vec![first]) })))
    }

    /// One that nobody else has. Its holder says when her statement is [`Lease::over`].
    pub(super) async fn lend(&self) -> Result<Lease, sqlx::Error> {
        let permit = match Arc::clone(&self.0.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => timeout(self.0.patience, Arc::clone(&self.0.permits).acquire_owned())
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)?
                .map_err(|_| sqlx::Error::PoolClosed)?,
        };
        let idle = self.0.idle().pop();
        let lane = match idle {
            Some(lane) => lane,
            None => Lane::open(&self.0.connect).await?,
        };
        Ok(Lease { lane: Some(lane), permit: Some(permit), lanes: self.clone(), state: State::Busy })
    }

    /// One in a transaction that may write.
    pub(super) async fn begin(&self) -> Result<Lease, sqlx::Error> {
        let mut lease = self.lend().await?;
        lease.state = State::Open;
        // A deferred transaction that turns into a writing one can fail half-way.
        let begun = lease.conn().execute("BEGIN IMMEDIATE").await;
        if let Err(error) = begun {
            lease.over(Some(&error));
            return Err(error);
        }
        Ok(lease)
    }

    /// How many are lent now.
    pub(super) fn lent(&self) -> usize {
        self.0.most as usize - self.0.permits.available_permits()
    }

    /// Waits until all are back, and closes them.
    pub(super) async fn close(&self) {
        let all = Arc::clone(&self.0.permits).acquire_many_owned(self.0.most).await;
        self.0.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.0.idle());
        for lane in idle {
            if let Err(error) = lane.conn.close().await {
                tracing::warn!(%error, "a connection was not closed well");
            }
        }
    }
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Vec<Lane>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("most", &self.0.most).finish_non_exhaustive()
    }
}

impl Lane {
    async fn open(connect: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let mut conn = connect.connect().await?;
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        conn.lock_handle().await?.set_progress_handler(STEPS, move || !flag.load(Ordering::Relaxed));
        Ok(Self { conn, stop })
    }

    /// Ends what nobody waits for. Answers whether the connection can be used again.
    async fn end(&mut self, in_transaction: bool) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        // The thread does one thing after another. A rollback takes too few steps to be stopped itself.
        let rolled_back = match in_transaction {
            false => true,
            true => match self.conn.execute("ROLLBACK").await {
                Ok(_) => true,
                // It did not begin, or SQLite has rolled it back by itself.
                Err(sqlx::Error::Database(error)) => error.message().contains("no transaction is active"),
                Err(_) => false,
            },
        };
        let alive = self.conn.ping().await.is_ok();
        self.stop.store(false, Ordering::Relaxed);
        rolled_back && alive
    }
}

impl Lease {
    /// The connection.
    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.lane.as_mut().expect("it is taken when this is dropped").conn
    }

    /// The statement has come to its end, or to this error.
    pub(super) fn over(&mut self, error: Option<&sqlx::Error>) {
        // Of a thread that has ended, it is found out when the connection comes back.
        self.state = if matches!(error, Some(sqlx::Error::WorkerCrashed)) { State::Busy } else { State::Ready };
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(mut lane), permit) = (self.lane.take(), self.permit.take()) else { return };
        let in_transaction = match self.state {
            State::Ready => {
                // The permit goes last.
                self.lanes.0.idle().push(lane);
                return;
            }
            State::Busy => false,
            State::Open => true,
        };
        let Ok(runtime) = Handle::try_current() else { return };
        let lanes = self.lanes.clone();
        // At once, and not when the task comes to run.
        lane.stop.store(true, Ordering::Relaxed);
        runtime.spawn(async move {
            if lane.end(in_transaction).await {
                lanes.0.idle().push(lane);
            }
            drop(permit);
        });
    }
}
