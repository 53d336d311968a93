//! Statements that stop when nobody waits for them any more.
//!
//! A request is dropped when its client is gone, when its time is over, or when a neighbour's error takes its answer. What it
//! does in the database must end then, too: else a few clients that ask for something slow and go away hold every connection.
//! Dropping a future of sqlx stops nothing. So each connection is lent as a lease, and a lease that is dropped before its
//! statement is over is taken back by a task:
//!
//! - **PostgreSQL:** the statement has [`GRACE`] to end by itself. Then the connection is closed, and the server, which looks
//!   every [`LOOK`] whether its client is still there, stops it. No signal is sent, so none can hit another statement, and it
//!   works where no second connection can be had. Such a connection is not used again.
//! - **SQLite:** a flag of the connection tells its thread to stop; see [`super::lanes`].
//!
//! A transaction that is dropped is rolled back in the same way. A commit is never broken off: see [`Tx::commit`](super::Tx).

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Connection as _, Database, Either, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr, Sqlite,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    lanes::Lanes,
    observed::{Meter, PoolState},
    watched::Taken,
};

/// Most statements end within it, and a connection that is kept is cheaper than a new one.
const GRACE: Duration = Duration::from_millis(100);
/// How often PostgreSQL looks whether the client of a running statement is still there, in milliseconds.
const LOOK: u32 = 200;
/// A connection that rested for so long is asked whether it still lives.
const RESTED: Duration = Duration::from_secs(1);
/// So long a connection may take to close.
const CLOSING: Duration = Duration::from_secs(5);

tokio::task_local! {
    static WRITES: Arc<AtomicBool>;
}

/// Runs something, and notes in `writes` as soon as it begins to write what may last.
pub(crate) async fn watched<T>(writes: Arc<AtomicBool>, work: impl Future<Output = T>) -> T {
    WRITES.scope(writes, work).await
}

/// What is sent next may last, even if nobody waits for it.
pub(super) fn writes() {
    // Work of our own is watched by nobody.
    let _ = WRITES.try_with(|writes| writes.store(true, Ordering::Relaxed));
}

/// What a lease is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: the connection can be lent to somebody else.
    Ready,
    /// A statement, as far as is known.
    Busy,
    /// A transaction.
    Open,
}

/// PostgreSQL's connections.
///
/// The pool opens and closes them. It starts a task for each that comes back, so those that are used one moment after another
/// are kept beside it.
#[derive(Clone, Debug)]
pub struct PgLanes {
    pool: PgPool,
    meter: Meter,
    broken: Arc<Mutex<Option<Instant>>>,
    /// As many as the pool may have. Who has one finds a connection, and who waits for one waits in turn.
    permits: Arc<Semaphore>,
    warm: Arc<Mutex<Vec<Warm>>>,
}

/// A connection that was used a moment ago, and since when it rests.
type Warm = (PoolConnection<Postgres>, Instant);

/// One of them.
pub(super) struct PgLease {
    // Taken when it is dropped.
    lane: Option<PoolConnection<Postgres>>,
    permit: Option<OwnedSemaphorePermit>,
    lanes: PgLanes,
    pub(super) state: State,
}

impl PgLanes {
    /// Opens them, each when it is needed first.
    pub(super) async fn open(
        options: PgPoolOptions,
        connect: PgConnectOptions,
        meter: Meter,
    ) -> Result<Self, sqlx::Error> {
        let broken: Arc<Mutex<Option<Instant>>> = Arc::default();
        let seen = Arc::clone(&broken);
        let pool = options
            .after_connect(|lane, _| Box::pin(prepare(lane)))
            // After a restart of the server all connections that rest are dead, and each would fail a request. To ask them all
            // every time would cost a round trip for each statement.
            .before_acquire(move |lane, meta| {
                let broken = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let suspect = broken.is_some_and(|at| meta.idle_for >= at.elapsed());
                let ask = suspect || meta.idle_for >= RESTED;
                Box::pin(async move {
                    if ask {
                        lane.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(connect)
            .await?;
        let permits = Arc::new(Semaphore::new(pool.options().get_max_connections() as usize));
        Ok(Self { pool, meter, broken, permits, warm: Arc::default() })
    }

    fn warm(&self) -> MutexGuard<'_, Vec<Warm>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last, if it need not be asked whether it lives. Those that rest longer go back to the pool.
    fn take_warm(&self) -> Option<PoolConnection<Postgres>> {
        let mut warm = self.warm();
        let (lane, since) = warm.pop()?;
        let broken = *self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if since.elapsed() < RESTED && broken.is_none_or(|at| at < since) {
            return Some(lane);
        }
        drop((lane, std::mem::take(&mut *warm)));
        None
    }

    /// Gives those that rest here back to the pool, for who takes one of the pool's itself.
    pub(super) fn settle(&self) {
        let warm = std::mem::take(&mut *self.warm());
        drop(warm);
    }

    /// Waits until all are back, and closes them.
    pub(super) async fn close(&self) {
        let closing = self.pool.close();
        self.settle();
        closing.await;
    }

    /// The pool.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What counts for them.
    fn meter(&self) -> &Meter {
        &self.meter
    }

    /// How they are now.
    pub(super) fn state(&self) -> PoolState {
        let most = self.pool.options().get_max_connections();
        let idle = self.pool.num_idle() + self.warm().len();
        self.meter.state(most, idle, most as usize - self.permits.available_permits())
    }

    /// One that nobody else has. Its holder says when her statement is [`PgLease::over`].
    pub(super) async fn lend(&self) -> Result<PgLease, sqlx::Error> {
        let (lane, permit) = self.meter.wait(self.free()).await?;
        Ok(PgLease { lane: Some(lane), permit: Some(permit), lanes: self.clone(), state: State::Busy })
    }

    async fn free(&self) -> Result<(PoolConnection<Postgres>, OwnedSemaphorePermit), sqlx::Error> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => timeout(self.pool.options().get_acquire_timeout(), Arc::clone(&self.permits).acquire_owned())
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)?
                .map_err(|_| sqlx::Error::PoolClosed)?,
        };
        let warm = self.take_warm();
        Ok((if let Some(lane) = warm { lane } else { self.pool.acquire().await? }, permit))
    }

    /// One in a transaction.
    pub(super) async fn begin(&self) -> Result<PgLease, sqlx::Error> {
        let mut lease = self.lend().await?;
        lease.state = State::Open;
        let begun = lease.conn().execute("BEGIN").await;
        if let Err(error) = begun {
            lease.over(Some(&error));
            return Err(error);
        }
        Ok(lease)
    }
}

/// The server stops what it does for a client that is gone, and a transaction of a client that is gone without a word does
/// not keep its locks. There is no limit on a statement's time: training reads for minutes, on a connection of the same pool.
///
/// Each statement is planned once on a connection, for whatever parameters. Left to itself PostgreSQL plans those with a list or a
/// limit among their parameters each time anew, which for small answers costs more than to carry them out; that the plans hold
/// for schools of every size is what `tests/stories/plans.rs` looks at.
async fn prepare(lane: &mut PgConnection) -> Result<(), sqlx::Error> {
    lane.execute("SET idle_in_transaction_session_timeout = '5min'; SET plan_cache_mode = force_generic_plan").await?;
    let look = sqlx::AssertSqlSafe(format!("SET client_connection_check_interval = {LOOK}"));
    if let Err(error) = lane.execute(look).await {
        // Not every system can tell. There a statement goes on to its end.
        tracing::warn!(%error, "PostgreSQL can't look whether a client is gone");
    }
    Ok(())
}

impl PgLease {
    /// The connection.
    pub(super) fn conn(&mut self) -> &mut PgConnection {
        self.lane.as_mut().expect("it is taken when this is dropped")
    }

    /// The statement has come to its end, or to this error.
    pub(super) fn over(&mut self, error: Option<&sqlx::Error>) {
        self.state = State::Ready;
        if error.is_some_and(is_broken) {
            // Those that rest are as old, and may be as dead.
            *self.lanes.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }
}

impl Drop for PgLease {
    fn drop(&mut self) {
        let (Some(mut lane), permit) = (self.lane.take(), self.permit.take()) else { return };
        let in_transaction = match self.state {
            State::Ready => {
                // One that is broken is the pool's to end. The permit goes last.
                let broken = *self.lanes.broken.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                if !self.lanes.pool.is_closed() && broken.is_none_or(|at| now.duration_since(at) > RESTED) {
                    self.lanes.warm().push((lane, now));
                }
                return;
            }
            State::Busy => false,
            State::Open => true,
        };
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            let ended = async {
                // Both wait until the statement is over.
                if in_transaction { lane.execute("ROLLBACK").await.map(|_| ()) } else { lane.ping().await }
            };
            if !matches!(timeout(GRACE, ended).await, Ok(Ok(()))) {
                tracing::debug!("a statement that nobody waits for is stopped");
                let _ = timeout(CLOSING, lane.close()).await;
            }
            drop(permit);
        });
    }
}

/// Whether the connection is of no more use, by an error of a statement.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // The server ends, or has ended this session.
        sqlx::Error::Database(cause) => {
            cause.code().is_some_and(|code| code.len() == 5 && (code.starts_with("57P") || code.starts_with("25P")))
        }
        _ => false,
    }
}

/// Statements run on connections that are lent for one statement each.
macro_rules! executor {
    ($($lanes:ty: $database:ty),+) => {$(
        impl<'p> Executor<'p> for &'p $lanes {
            type Database = $database;

            fn fetch_many<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxStream<'e, Result<Either<<$database as Database>::QueryResult, <$database as Database>::Row>, sqlx::Error>>
            where
                'p: 'e,
                E: 'q + Execute<'q, $database>,
            {
                Box::pin(async_stream::try_stream! {
                    let mut lease = self.lend().await?;
                    let query = Taken::new(query);
                    let mut timing = self.meter().begin(query.sql.as_str());
                    let mut failed = None;
                    {
                        let mut rows = lease.conn().fetch_many(query);
                        while let Some(step) = rows.next().await {
                            timing.step(&step);
                            match step {
                                Ok(row) => yield row,
                                Err(error) => {
                                    failed = Some(error);
                                    break;
                                }
                            }
                        }
                    }
                    drop(timing);
                    lease.over(failed.as_ref());
                    // Back before its reader hears of the end, or she would find it missing.
                    drop(lease);
                    if let Some(error) = failed {
                        Err(error)?;
                    }
                })
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxFuture<'e, Result<Option<<$database as Database>::Row>, sqlx::Error>>
            where
                'p: 'e,
                E: 'q + Execute<'q, $database>,
            {
                Box::pin(async move {
                    let mut lease = self.lend().await?;
                    let query = Taken::new(query);
                    let mut timing = self.meter().begin(query.sql.as_str());
                    let found = lease.conn().fetch_optional(query).await;
                    timing.found(&found);
                    drop(timing);
                    lease.over(found.as_ref().err());
                    found
                })
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [<$database as Database>::TypeInfo],
            ) -> BoxFuture<'e, Result<<$database as Database>::Statement, sqlx::Error>>
            where
                'p: 'e,
            {
                Box::pin(async move {
                    let mut lease = self.lend().await?;
                    let prepared = lease.conn().prepare_with(sql, parameters).await;
                    lease.over(prepared.as_ref().err());
                    prepared
                })
            }
        }
    )+};
}

executor!(PgLanes: Postgres, Lanes: Sqlite);
