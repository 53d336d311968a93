//! The tables of trusted documents.

use super::model::{Checked, TextHash, Trusted};
use crate::{
    db::{Db, DbError, Texts, Tx, on, statements},
    time::Timestamp,
};

statements! {
    /// What a server has in memory of each.
    ALL { "SELECT id, text_hash, used_on FROM trusted_documents" }
    TEXT { "SELECT text FROM trusted_documents WHERE id = $1" }
    COUNT { "SELECT COUNT(*) AS count FROM trusted_documents" }
    HASHES { "SELECT id, text_hash FROM trusted_documents WHERE id " [any_text 1] }
    INSERT {
        "INSERT INTO trusted_documents (id, text, text_hash, operations, added_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING"
    }
    NAME_SOURCE {
        "INSERT INTO trusted_document_sources (source, document_id, added_at) VALUES ($1, $2, $3)
         ON CONFLICT (source, document_id) DO NOTHING"
    }
    LIST {
        "SELECT id, operations, added_at, used_on, " [lite "octet_length(text)"] [pg "octet_length(text)::bigint"] " AS bytes
         FROM trusted_documents"
    }
    SOURCES { "SELECT document_id, source FROM trusted_document_sources ORDER BY document_id, source" }
    REMOVE { "DELETE FROM trusted_documents WHERE id " [any_text 1] }
    REMOVE_SOURCE { "DELETE FROM trusted_document_sources WHERE source = $1" }
    /// Removes those that are in no manifest any more.
    REMOVE_ORPHANS {
        "DELETE FROM trusted_documents
         WHERE NOT EXISTS (SELECT 1 FROM trusted_document_sources s WHERE s.document_id = trusted_documents.id)"
    }
    USED { "UPDATE trusted_documents SET used_on = $2 WHERE id = $1 AND (used_on IS NULL OR used_on < $2)" }
}

/// What a server has in memory of a document: its id, its hash, and the last day of its use.
pub(super) async fn all(db: &Db) -> Result<Vec<(String, TextHash, Option<i64>)>, DbError> {
    let sql = db.sql(&ALL);
    let rows: Vec<(String, Vec<u8>, Option<i64>)> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(|(id, hash, used)| Some((id, TextHash::from_bytes(&hash)?, used))).collect())
}

pub(super) async fn text(db: &Db, id: &str) -> Result<Option<String>, DbError> {
    let sql = db.sql(&TEXT);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(id).fetch_optional(c).await)?)
}

pub(super) async fn count(tx: &mut Tx) -> Result<i64, DbError> {
    let sql = tx.sql(&COUNT);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).fetch_one(c).await)?)
}

/// The hashes of those of these that are there.
pub(super) async fn hashes(tx: &mut Tx, ids: Vec<String>) -> Result<Vec<(String, TextHash)>, DbError> {
    let (sql, ids) = (tx.sql(&HASHES), Texts(ids));
    let rows: Vec<(String, Vec<u8>)> = on!(tx.conn(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(|(id, hash)| Some((id, TextHash::from_bytes(&hash)?))).collect())
}

pub(super) async fn insert(tx: &mut Tx, document: &Checked, hash: TextHash, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    let operations = document.operations.join(", ");
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(&document.id).bind(&document.text).bind(hash.bytes().to_vec()).bind(operations).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn name_source(tx: &mut Tx, source: &str, id: &str, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&NAME_SOURCE);
    on!(tx.conn(), c => sqlx::query(sql).bind(source).bind(id).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ListRow {
    id: String,
    operations: String,
    added_at: Timestamp,
    used_on: Option<i64>,
    bytes: i64,
}

/// Every document, in the order of the ids.
pub(super) async fn list(db: &Db) -> Result<Vec<Trusted>, DbError> {
    let sql = db.sql(&LIST);
    let rows: Vec<ListRow> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    let sql = db.sql(&SOURCES);
    let named: Vec<(String, String)> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    let mut sources = std::collections::HashMap::<_, Vec<_>>::new();
    for (id, source) in named {
        sources.entry(id).or_default().push(source);
    }
    let mut all: Vec<_> = rows
        .into_iter()
        .map(|row| Trusted {
            sources: sources.remove(&row.id).unwrap_or_default(),
            id: row.id,
            operations: row.operations,
            added_at: row.added_at,
            used_on: row.used_on.map(super::beginning),
            bytes: row.bytes,
        })
        .collect();
    // Each database sorts texts in its own way.
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

/// How many were removed.
pub(super) async fn remove(tx: &mut Tx, ids: Vec<String>) -> Result<u64, DbError> {
    let (sql, ids) = (tx.sql(&REMOVE), Texts(ids));
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(ids).execute(c).await.map(|done| done.rows_affected()))?)
}

/// How many documents the source had.
pub(super) async fn remove_source(tx: &mut Tx, source: &str) -> Result<u64, DbError> {
    let sql = tx.sql(&REMOVE_SOURCE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(source).execute(c).await.map(|done| done.rows_affected()))?)
}

/// How many were removed.
pub(super) async fn remove_orphans(tx: &mut Tx) -> Result<u64, DbError> {
    let sql = tx.sql(&REMOVE_ORPHANS);
    Ok(on!(tx.conn(), c => sqlx::query(sql).execute(c).await.map(|done| done.rows_affected()))?)
}

pub(super) async fn used(db: &Db, id: &str, day: i64) -> Result<(), DbError> {
    let sql = db.sql(&USED);
    on!(db.writer(), c => sqlx::query(sql).bind(id).bind(day).execute(c).await.map(|_| ()))?;
    Ok(())
}
