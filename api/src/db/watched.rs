//! Connections whose statements are counted: they do what sqlx' own do, and look at the clock.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Database, Either, Error, Execute, Executor, PgConnection, Postgres, SqlStr, Sqlite, SqliteConnection,
    error::BoxDynError,
};

use super::{
    fresh::Written,
    observed::{Figures, Timing},
};

/// The connection of a transaction, whose statements are counted.
pub(crate) struct Watched<'a, T> {
    target: T,
    figures: &'a Figures,
    /// To what was written so far.
    written: &'a mut Written,
}

impl<'a, T> Watched<'a, T> {
    pub(super) fn new(target: T, figures: &'a Figures, written: &'a mut Written) -> Self {
        Self { target, figures, written }
    }
}

impl<T> fmt::Debug for Watched<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

type Step<DB> = Result<Either<<DB as Database>::QueryResult, <DB as Database>::Row>, Error>;

macro_rules! of_a_transaction {
    ($database:ty, $connection:ty) => {
        impl<'c> Executor<'c> for Watched<'c, &'c mut $connection> {
            type Database = $database;

            fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step<$database>>
            where
                'c: 'e,
                E: 'q + Execute<'q, $database>,
            {
                let query = Taken::new(query);
                let timing = self.figures.begin(query.sql.as_str());
                self.written.add(timing.writes(query.sql.as_str()));
                Timed::<'_, $database> { steps: self.target.fetch_many(query), timing }.boxed()
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxFuture<'e, Result<Option<<$database as Database>::Row>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, $database>,
            {
                let query = Taken::new(query);
                let mut timing = self.figures.begin(query.sql.as_str());
                self.written.add(timing.writes(query.sql.as_str()));
                Box::pin(async move {
                    let found = self.target.fetch_optional(query).await;
                    timing.found(&found);
                    found
                })
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [<$database as Database>::TypeInfo],
            ) -> BoxFuture<'e, Result<<$database as Database>::Statement, Error>>
            where
                'c: 'e,
            {
                self.target.prepare_with(sql, parameters)
            }
        }
    };
}

of_a_transaction!(Sqlite, SqliteConnection);
of_a_transaction!(Postgres, PgConnection);

/// The rows of a statement, and the time it takes until they end.
struct Timed<'e, DB: Database> {
    steps: BoxStream<'e, Step<DB>>,
    timing: Timing<'e>,
}

impl<DB: Database> Stream for Timed<'_, DB> {
    type Item = Step<DB>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.steps.poll_next_unpin(cx);
        if let Poll::Ready(Some(step)) = &next {
            self.timing.step(step);
        }
        next
    }
}

/// A query whose text was looked at, which takes it apart.
pub(super) struct Taken<DB: Database> {
    pub(super) sql: SqlStr,
    arguments: Option<Result<Option<DB::Arguments>, BoxDynError>>,
    persistent: bool,
}

impl<DB: Database> Taken<DB> {
    pub(super) fn new<'q>(mut query: impl Execute<'q, DB>) -> Self {
        let arguments = Some(query.take_arguments());
        Self { arguments, persistent: query.persistent(), sql: query.sql() }
    }
}

impl<DB: Database> Execute<'_, DB> for Taken<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        self.arguments.take().unwrap_or(Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crate::db::{Backend, Db, Options};

    /// What counting costs, held against the cheapest statement there is. Run it alone:
    /// `cargo nextest run -p stoa-api --run-ignored only what_counting_costs --no-capture`.
    #[tokio::test]
    #[ignore = "it measures"]
    async fn what_counting_costs() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Options::create(&format!("sqlite://{}/t.db", folder.path().display()))).await.unwrap();
        let Backend::Lite(lite) = &db.backend else { unreachable!("it is SQLite") };
        let (mut plain, mut counted) = (Vec::new(), Vec::new());
        for _ in 0..4_000 {
            let begun = Instant::now();
            let mut lease = lite.read.lend().await.unwrap();
            let one: i64 = sqlx::query_scalar("SELECT 1").fetch_one(lease.conn()).await.unwrap();
            lease.over(None);
            drop(lease);
            plain.push(begun.elapsed().as_nanos());
            let Backend::Lite(c) = db.reader() else { unreachable!("it is SQLite") };
            let begun = Instant::now();
            let two: i64 = sqlx::query_scalar("SELECT 1").fetch_one(c).await.unwrap();
            counted.push(begun.elapsed().as_nanos());
            assert_eq!(one, two);
        }
        let median = |mut times: Vec<u128>| {
            times.sort_unstable();
            times[times.len() / 2]
        };
        let (plain, counted) = (median(plain), median(counted));
        println!("plain {plain} ns, counted {counted} ns: {:.3} times", counted as f64 / plain as f64);
    }
}
