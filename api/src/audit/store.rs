//! The access log's tables. Rows are added, and nothing else.

use std::collections::HashMap;

use sqlx::QueryBuilder;
use uuid::Uuid;

use super::model::{EventKind, Place};
use crate::{
    access::{Category, Client, Relation},
    db::{Db, DbError, Text, Tx, Uuids, on, page::PageRequest, statements},
    ids::{AccountId, CaseId, CourseId},
    time::Timestamp,
};

/// How many rows go into one statement: as many as fit of the largest, then of the next. Few texts are prepared that way.
const PIECES: [usize; 3] = [128, 16, 1];

statements! {
    HEAD { "SELECT number, hash FROM access_log_head WHERE id = 1" [for_update] }
    MOVE_HEAD { "UPDATE access_log_head SET number = $1, hash = $2 WHERE id = 1" }
    INSERT_BATCH { "INSERT INTO access_log_batches (number, at, row_count, previous_hash, hash) VALUES ($1, $2, $3, $4, $5)" }
    LOG_FORWARD {
        "SELECT batch, position, at, event, actor_id, relation, category, course_id, case_id, client, detail FROM access_log
         WHERE person_id = $1 AND (batch, position) < ($2, $3) ORDER BY batch DESC, position DESC LIMIT $4"
    }
    LOG_BACKWARD {
        "SELECT batch, position, at, event, actor_id, relation, category, course_id, case_id, client, detail FROM access_log
         WHERE person_id = $1 AND (batch, position) > ($2, $3) ORDER BY batch, position LIMIT $4"
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

/// A row as it is stored. Names of kinds are texts here: what somebody has tampered with must be readable, too.
#[derive(sqlx::FromRow)]
pub(super) struct LogRow {
    pub(super) person_id: AccountId,
    pub(super) batch: i64,
    pub(super) position: i64,
    pub(super) at: Timestamp,
    pub(super) event: String,
    pub(super) actor_id: Option<AccountId>,
    pub(super) relation: Option<String>,
    pub(super) category: Option<String>,
    pub(super) course_id: Option<CourseId>,
    pub(super) case_id: Option<CaseId>,
    pub(super) client: Option<String>,
    pub(super) credential_id: Option<Uuid>,
    pub(super) network: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) row_hash: Vec<u8>,
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
    pub(super) category: Option<Text<Category>>,
    pub(super) course_id: Option<CourseId>,
    pub(super) case_id: Option<CaseId>,
    pub(super) client: Option<Text<Client>>,
    pub(super) detail: Option<String>,
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

pub(super) async fn append(tx: &mut Tx, batch: &BatchRow, rows: &[LogRow]) -> Result<(), DbError> {
    let mut rest = rows;
    for size in PIECES {
        while rest.len() >= size {
            let (piece, after) = rest.split_at(size);
            insert_rows(tx, piece).await?;
            rest = after;
        }
    }
    let sql = tx.sql(&INSERT_BATCH);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(batch.number).bind(batch.at).bind(batch.row_count).bind(&batch.previous_hash).bind(&batch.hash)
        .execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&MOVE_HEAD);
    on!(tx.conn(), c => sqlx::query(sql).bind(batch.number).bind(&batch.hash).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Rows in one statement, whose text is made for their number.
async fn insert_rows(tx: &mut Tx, rows: &[LogRow]) -> Result<(), DbError> {
    on!(tx.conn(), c => {
        let mut query = QueryBuilder::new(
            "INSERT INTO access_log (person_id, batch, position, at, event, actor_id, relation, category, course_id, case_id,
               client, credential_id, network, request_id, detail, row_hash) ",
        );
        query.push_values(rows, |mut values, row| {
            values
                .push_bind(row.person_id)
                .push_bind(row.batch)
                .push_bind(row.position)
                .push_bind(row.at)
                .push_bind(row.event.clone())
                .push_bind(row.actor_id)
                .push_bind(row.relation.clone())
                .push_bind(row.category.clone())
                .push_bind(row.course_id)
                .push_bind(row.case_id)
                .push_bind(row.client.clone())
                .push_bind(row.credential_id)
                .push_bind(row.network.clone())
                .push_bind(row.request_id.clone())
                .push_bind(row.detail.clone())
                .push_bind(row.row_hash.clone());
        });
        query.build().execute(c).await.map(|_| ())
    })?;
    Ok(())
}

/// The rows of a page of somebody's log, latest first, as they were read.
pub(super) async fn log(db: &Db, person: AccountId, request: &PageRequest<Place>) -> Result<Vec<EntryRow>, DbError> {
    let sql = db.sql(if request.is_forward() { &LOG_FORWARD } else { &LOG_BACKWARD });
    let start = if request.is_forward() { (i64::MAX, i64::MAX) } else { (i64::MIN, i64::MIN) };
    let (batch, position) = request.from.unwrap_or(start);
    Ok(
        on!(db.reader(), c => sqlx::query_as(sql).bind(person).bind(batch).bind(position).bind(request.fetch()).fetch_all(c).await)?,
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
) -> Result<Vec<LogRow>, DbError> {
    let sql = db.sql(&ROWS);
    Ok(on!(db.reader(), c => sqlx::query_as(sql)
        .bind(after.0).bind(after.1).bind(person).bind(last).bind(most).fetch_all(c).await)?)
}
