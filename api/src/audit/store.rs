//! The access log's tables. Rows are added, and nothing else.

use std::collections::HashMap;

use sqlx::PgExecutor;
use uuid::Uuid;

use super::model::{EntryPlace, EventKind, Place};
use crate::{
    access::{Category, CategorySet, Client, Relation},
    accounts::secret::hex,
    db::{Backend, Db, DbError, Rows, Stored as _, Text, Tx, Uuids, on, page::PageRequest, statements},
    ids::{AccountId, CaseId, CourseId},
    time::Timestamp,
};

statements! {
    HEAD { "SELECT number, hash FROM access_log_head WHERE id = 1" [for_update] }
    /// All rows of a batch, of whatever number. PostgreSQL writes the batch itself and moves the head in the same breath, since
    /// each statement is a way there and back, and nothing if the head is another than it was; SQLite has no such ways, and can't.
    APPEND {
        [pg "WITH head AS (UPDATE access_log_head SET number = $1, hash = $19 WHERE id = 1 AND number = $1 - 1 AND hash = $18
               RETURNING id),
             batch AS (INSERT INTO access_log_batches (number, at, row_count, previous_hash, hash)
               SELECT $1::bigint, $2::bigint, $17::bigint, $18::bytea, $19::bytea FROM head) "]
        "INSERT INTO access_log (batch, at, person_id, position, event, actor_id, relation, category, course_id, case_id, client,
             credential_id, network, request_id, detail, row_hash) SELECT $1, $2, "
        [lite "unhex(value ->> 0, '-'), value ->> 1, value ->> 2, unhex(value ->> 3, '-'), value ->> 4, value ->> 5,
             unhex(value ->> 6, '-'), unhex(value ->> 7, '-'), value ->> 8, unhex(value ->> 9, '-'), value ->> 10, value ->> 11,
             value ->> 12, unhex(value ->> 13) FROM jsonb_each($3)"]
        [pg "u.* FROM head, unnest($3::uuid[], $4::bigint[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::uuid[], $10::uuid[],
             $11::text[], $12::uuid[], $13::text[], $14::text[], $15::text[], $16::bytea[]) u"]
    }
    /// On SQLite, as the next.
    MOVE_HEAD { "UPDATE access_log_head SET number = $1, hash = $2 WHERE id = 1" }
    INSERT_BATCH { "INSERT INTO access_log_batches (number, at, row_count, previous_hash, hash) VALUES ($1, $2, $3, $4, $5)" }
    LOG_FORWARD {
        "SELECT batch, position, at, event, actor_id, relation, category, course_id, case_id, client, detail FROM access_log
         WHERE person_id = $1 AND (batch, position) <= ($2, $3) ORDER BY batch DESC, position DESC LIMIT $4"
    }
    LOG_BACKWARD {
        "SELECT batch, position, at, event, actor_id, relation, category, course_id, case_id, client, detail FROM access_log
         WHERE person_id = $1 AND (batch, position) >= ($2, $3) ORDER BY batch, position LIMIT $4"
    }
    NAMES { "SELECT id, name FROM accounts WHERE id " [any_uuid 1] }
    /// The head, and how far batches and rows reach, at one moment.
    EXTENT {
        "SELECT (SELECT number FROM access_log_head WHERE id = 1) AS number, (SELECT hash FROM access_log_head WHERE id = 1) AS hash,
             (SELECT MAX(number) FROM access_log_batches) AS last_batch, (SELECT MAX(batch) FROM access_log) AS last_row"
    }
    BATCHES {
        "SELECT number, at, row_count, previous_hash, hash FROM access_log_batches
         WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3"
    }
    ROWS {
        "SELECT person_id, batch, position, at, event, actor_id, relation, category, course_id, case_id, client, credential_id,
             network, request_id, detail, row_hash
         FROM access_log WHERE (batch, position, person_id) > ($1, $2, $3) AND batch <= $4
         ORDER BY batch, position, person_id LIMIT $5"
    }
}

/// A row, of which the hash is made. Names of kinds are texts here: what somebody has tampered with must be readable, too.
#[derive(sqlx::FromRow)]
pub(super) struct LogRow<T = String> {
    pub(super) person_id: AccountId,
    pub(super) batch: i64,
    pub(super) position: i64,
    pub(super) at: Timestamp,
    pub(super) event: T,
    pub(super) actor_id: Option<AccountId>,
    pub(super) relation: Option<T>,
    /// Which categories were looked at, with commas between them.
    pub(super) category: Option<T>,
    pub(super) course_id: Option<CourseId>,
    pub(super) case_id: Option<CaseId>,
    pub(super) client: Option<T>,
    pub(super) credential_id: Option<Uuid>,
    pub(super) network: Option<T>,
    pub(super) request_id: Option<T>,
    pub(super) detail: Option<T>,
}

/// A row as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct StoredRow {
    #[sqlx(flatten)]
    pub(super) row: LogRow,
    pub(super) row_hash: Vec<u8>,
}

impl StoredRow {
    pub(super) fn place(&self) -> Place {
        (self.row.batch, self.row.position)
    }
}

/// A batch as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct BatchRow {
    pub(super) number: i64,
    pub(super) at: Timestamp,
    pub(super) row_count: i64,
    pub(super) previous_hash: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

/// What a page of somebody's log is made of.
#[derive(sqlx::FromRow)]
pub(super) struct EntryRow {
    pub(super) batch: i64,
    pub(super) position: i64,
    pub(super) at: Timestamp,
    pub(super) event: Text<EventKind>,
    pub(super) actor_id: Option<AccountId>,
    pub(super) relation: Option<Text<Relation>>,
    #[sqlx(try_from = "Option<String>")]
    pub(super) category: Categories,
    pub(super) course_id: Option<CourseId>,
    pub(super) case_id: Option<CaseId>,
    pub(super) client: Option<Text<Client>>,
    pub(super) detail: Option<String>,
}

/// The categories of a row.
pub(super) struct Categories(pub(super) CategorySet);

impl Categories {
    /// As they are stored; `None` where there are none.
    pub(super) fn written(categories: CategorySet) -> Option<String> {
        let names: Vec<_> = categories.iter().map(Category::as_str).collect();
        (!names.is_empty()).then(|| names.join(","))
    }
}

impl TryFrom<Option<String>> for Categories {
    type Error = String;

    /// A name that is not known is an error: a look is never left out.
    fn try_from(text: Option<String>) -> Result<Self, String> {
        let known = |name| Category::from_name(name).ok_or_else(|| format!("{name:?} is not a known category"));
        text.iter().flat_map(|text| text.split(',')).map(known).collect::<Result<_, _>>().map(Self)
    }
}

/// The head, and how far the tables reach.
#[derive(sqlx::FromRow)]
pub(super) struct Extent {
    pub(super) number: Option<i64>,
    pub(super) hash: Option<Vec<u8>>,
    pub(super) last_batch: Option<i64>,
    pub(super) last_row: Option<i64>,
}

/// The last batch and its hash. On PostgreSQL nobody else appends until the transaction ends.
pub(super) async fn head(tx: &mut Tx) -> Result<Option<(i64, Vec<u8>)>, DbError> {
    let sql = tx.sql(&HEAD);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).fetch_optional(c).await)?)
}

/// A batch as it is to be written, with its rows and their hashes.
pub(super) struct Batch<'e> {
    pub(super) row: BatchRow,
    pub(super) rows: Vec<LogRow<&'e str>>,
    pub(super) hashes: Vec<[u8; 32]>,
}

impl<'e> Batch<'e> {
    /// The end of the chain after it.
    pub(super) fn end(&self) -> (i64, Vec<u8>) {
        (self.row.number, self.row.hash.clone())
    }

    fn column<V>(&'e self, of: impl Fn(&'e LogRow<&'e str>) -> V) -> Vec<V> {
        self.rows.iter().map(of).collect()
    }

    /// What PostgreSQL is told. Whether the head was the batch's, and so it was written.
    async fn append<'c>(&'e self, sql: &'static str, conn: impl PgExecutor<'c>) -> Result<bool, sqlx::Error> {
        let Self { row: batch, hashes, .. } = self;
        let done = sqlx::query(sql)
            .bind(batch.number)
            .bind(batch.at)
            .bind(self.column(|row| row.person_id))
            .bind(self.column(|row| row.position))
            .bind(self.column(|row| row.event))
            .bind(self.column(|row| row.actor_id))
            .bind(self.column(|row| row.relation))
            .bind(self.column(|row| row.category))
            .bind(self.column(|row| row.course_id))
            .bind(self.column(|row| row.case_id))
            .bind(self.column(|row| row.client))
            .bind(self.column(|row| row.credential_id))
            .bind(self.column(|row| row.network))
            .bind(self.column(|row| row.request_id))
            .bind(self.column(|row| row.detail))
            .bind(hashes.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>())
            .bind(batch.row_count)
            .bind(&batch.previous_hash)
            .bind(&batch.hash)
            .execute(conn)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// Whether [`append_at_once`] can add anything here.
pub(super) fn appends_at_once(db: &Db) -> bool {
    matches!(db.reader(), Backend::Pg(_))
}

/// Adds a batch without a transaction around it, if the database can and the head is still the one before it. Whether it did.
pub(super) async fn append_at_once(db: &Db, batch: &Batch<'_>) -> Result<bool, DbError> {
    match db.writer() {
        Backend::Pg(lanes) => Ok(batch.append(db.sql(&APPEND), lanes).await?),
        Backend::Lite(_) => Ok(false),
    }
}

/// Adds a batch and moves the head to it.
pub(super) async fn append(tx: &mut Tx, batch: &Batch<'_>) -> Result<(), DbError> {
    let sql = tx.sql(&APPEND);
    let Batch { row, rows, hashes } = batch;
    match tx.conn() {
        Backend::Pg(c) => {
            let moved = || DbError::Constraint("the head of the access log has moved".to_owned());
            return batch.append(sql, c).await?.then_some(()).ok_or_else(moved);
        }
        Backend::Lite(c) => {
            let rows: Vec<_> = rows
                .iter()
                .zip(hashes)
                .map(|(row, hash)| {
                    (
                        row.person_id,
                        row.position,
                        row.event,
                        row.actor_id,
                        row.relation,
                        row.category,
                        row.course_id,
                        row.case_id,
                        row.client,
                        row.credential_id,
                        row.network,
                        row.request_id,
                        row.detail,
                        hex(hash),
                    )
                })
                .collect();
            let rows = Rows::new(&rows)?;
            sqlx::query(sql).bind(row.number).bind(row.at).bind(rows).execute(c).await?;
        }
    }
    let sql = tx.sql(&INSERT_BATCH);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(row.number).bind(row.at).bind(row.row_count).bind(&row.previous_hash).bind(&row.hash)
        .execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&MOVE_HEAD);
    on!(tx.conn(), c => sqlx::query(sql).bind(row.number).bind(&row.hash).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The rows that a page of somebody's log is in, latest first or last, as they were read. The first may be the one in which
/// the page before ended, since that may go on.
pub(super) async fn log(
    db: &Db,
    person: AccountId,
    request: &PageRequest<EntryPlace>,
) -> Result<Vec<EntryRow>, DbError> {
    let sql = db.sql(if request.is_forward() { &LOG_FORWARD } else { &LOG_BACKWARD });
    let start = if request.is_forward() { (i64::MAX, i64::MAX) } else { (i64::MIN, i64::MIN) };
    let (batch, position) = request.from.map_or(start, |from| (from.0, from.1));
    // Each row is an entry at least, but for that first one.
    let rows = request.fetch() + 1;
    Ok(
        on!(db.reader(), c => sqlx::query_as(sql).bind(person).bind(batch).bind(position).bind(rows).fetch_all(c).await)?,
    )
}

/// What people are called, whose data is in her log or her cases.
pub(crate) async fn names(
    db: &Db,
    people: impl IntoIterator<Item = AccountId>,
) -> Result<HashMap<AccountId, String>, DbError> {
    let (sql, people) = (db.sql(&NAMES), Uuids::new(people));
    let rows: Vec<(AccountId, String)> = on!(db.reader(), c => sqlx::query_as(sql).bind(people).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

pub(super) async fn extent(db: &Db) -> Result<Extent, DbError> {
    let sql = db.sql(&EXTENT);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).fetch_one(c).await)?)
}

/// At most `most` batches after one, up to another, in order.
pub(super) async fn batches(db: &Db, after: i64, last: i64, most: i64) -> Result<Vec<BatchRow>, DbError> {
    let sql = db.sql(&BATCHES);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(after).bind(last).bind(most).fetch_all(c).await)?)
}

/// At most `most` rows after one, up to the end of a batch, in order.
pub(super) async fn rows(
    db: &Db,
    (after, person): (Place, AccountId),
    last: i64,
    most: i64,
) -> Result<Vec<StoredRow>, DbError> {
    let sql = db.sql(&ROWS);
    Ok(on!(db.reader(), c => sqlx::query_as(sql)
        .bind(after.0).bind(after.1).bind(person).bind(last).bind(most).fetch_all(c).await)?)
}
