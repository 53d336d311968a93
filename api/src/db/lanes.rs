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

use super::{
    cancel::State,
    observed::{Meter, PoolState},
};

/// So many steps of SQLite's machine a statement runs before its thread looks whether to stop: well under a millisecond.
const STEPS: i32 = 4_000;

/// Connections to one file.
#[derive(Clone)]
pub struct Lanes(Arc<Inner>);

struct Inner {
    connect: SqliteConnectOptions,
    most: u32,
    patience: Duration,
    meter: Meter,
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
        meter: Meter,
    ) -> Result<Self, sqlx::Error> {
        let first = Lane::open(&connect).await?;
        let permits = Arc::new(Semaphore::new(most as usize));
        Ok(Self(Arc::new(Inner { connect, most, patience, meter, permits, idle: Mutex::new(vec![first]) })))
    }

    /// One that nobody else has. Its holder says when her statement is [`Lease::over`].
    pub(super) async fn lend(&self) -> Result<Lease, sqlx::Error> {
        self.0.meter.wait(self.free()).await
    }

    async fn free(&self) -> Result<Lease, sqlx::Error> {
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

    /// What counts for them.
    pub(super) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// How they are now.
    pub(super) fn state(&self) -> PoolState {
        self.0.meter.state(self.0.most, self.0.idle().len(), self.lent())
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
        let rolled_back = !in_transaction
            || match self.conn.execute("ROLLBACK").await {
                Ok(_) => true,
                // It did not begin, or SQLite has rolled it back by itself.
                Err(sqlx::Error::Database(error)) => error.message().contains("no transaction is active"),
                Err(_) => false,
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;
    use crate::db::observed::Figures;

    const FOREVER: &str =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n WHERE x < 0";

    async fn lanes(folder: &tempfile::TempDir, most: u32) -> (SqliteConnectOptions, Lanes) {
        let meter = Meter::new(&Arc::new(Figures::new("sqlite", &["read"])), 0);
        let file = folder.path().join("lanes.db");
        let connect = SqliteConnectOptions::new().filename(file).create_if_missing(true).row_buffer_size(2_000);
        (connect.clone(), Lanes::open(connect, most, Duration::from_secs(20), meter).await.unwrap())
    }

    #[tokio::test]
    async fn what_is_dropped_stops_and_its_connection_is_lent_again() {
        let folder = tempfile::tempdir().unwrap();
        let (_, lanes) = lanes(&folder, 1).await;
        sqlx::query("CREATE TABLE t (x INTEGER)").execute(&lanes).await.unwrap();
        for _ in 0..3 {
            let forever = sqlx::query_scalar::<_, i64>(FOREVER).fetch_one(&lanes);
            assert!(timeout(Duration::from_millis(20), forever).await.is_err());
            let mut lease = lanes.begin().await.unwrap();
            sqlx::query("INSERT INTO t VALUES (1)").execute(lease.conn()).await.unwrap();
            let forever = sqlx::query_scalar::<_, i64>(FOREVER).fetch_one(lease.conn());
            assert!(timeout(Duration::from_millis(20), forever).await.is_err());
            drop(lease);
        }
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(&lanes).await.unwrap();
        assert_eq!((rows, lanes.lent()), (0, 0));
        lanes.close().await;
        assert!(matches!(sqlx::query("SELECT 1").execute(&lanes).await, Err(sqlx::Error::PoolClosed)));
    }

    /// Says what a lease costs against sqlx's pool; compare within a run.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "measures"]
    async fn a_lease_costs_no_more_than_a_connection_of_a_pool() {
        let folder = tempfile::tempdir().unwrap();
        let (connect, lanes) = lanes(&folder, 4).await;
        let pool = SqlitePoolOptions::new().max_connections(4).test_before_acquire(false).connect_with(connect).await;
        let pool = pool.unwrap();
        sqlx::query("CREATE TABLE t (x INTEGER)").execute(&lanes).await.unwrap();
        let many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 20000) SELECT sum(x) FROM n";
        for (what, sql, times) in [("one row", "SELECT 1 FROM t", 2_000), ("20,000 steps", many, 200)] {
            for round in 0..3 {
                let begun = Instant::now();
                for _ in 0..times {
                    sqlx::query(sql).fetch_all(&pool).await.unwrap();
                }
                let of_pool = begun.elapsed();
                let begun = Instant::now();
                for _ in 0..times {
                    sqlx::query(sql).fetch_all(&lanes).await.unwrap();
                }
                let ratio = begun.elapsed().as_secs_f64() / of_pool.as_secs_f64();
                eprintln!("{what}, round {round}: {ratio:.2} of the time of a pool");
            }
        }
    }
}
