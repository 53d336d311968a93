//! The tables of cases: all that ever were, by the person they are about, and those that are not closed, by their holder.

use super::model::{Case, Told};
use crate::{
    access::{Category, CategorySet, OpenCase},
    db::{
        Db, DbError, Stored as _, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, CaseId},
    time::Timestamp,
};

statements! {
    CASE {
        "SELECT person_id, id, opened_by, opened_at, reason, ticket, categories, expires_at, approval_needed, approved_by,
             approved_at, closed_by, closed_at
         FROM cases WHERE person_id = $1 AND id = $2"
    }
    OF_PERSON_FORWARD {
        "SELECT person_id, id, opened_by, opened_at, reason, ticket, categories, expires_at, approval_needed, approved_by,
             approved_at, closed_by, closed_at
         FROM cases WHERE person_id = $1 AND (opened_at, id) < ($2, $3) ORDER BY opened_at DESC, id DESC LIMIT $4"
    }
    OF_PERSON_BACKWARD {
        "SELECT person_id, id, opened_by, opened_at, reason, ticket, categories, expires_at, approval_needed, approved_by,
             approved_at, closed_by, closed_at
         FROM cases WHERE person_id = $1 AND (opened_at, id) > ($2, $3) ORDER BY opened_at, id LIMIT $4"
    }
    /// Those that run: of a holder (1), or waiting for somebody's approval, or all (2).
    RUNNING_FORWARD {
        "SELECT c.person_id, c.id, c.opened_by, c.opened_at, c.reason, c.ticket, c.categories, c.expires_at, c.approval_needed,
             c.approved_by, c.approved_at, c.closed_by, c.closed_at
         FROM open_cases o JOIN cases c ON c.person_id = o.person_id AND c.id = o.case_id
         WHERE (o.holder_id = $1 OR o.waiting OR $2) AND o.expires_at > $3 AND (o.opened_at, o.case_id) < ($4, $5)
         ORDER BY o.opened_at DESC, o.case_id DESC LIMIT $6"
    }
    RUNNING_BACKWARD {
        "SELECT c.person_id, c.id, c.opened_by, c.opened_at, c.reason, c.ticket, c.categories, c.expires_at, c.approval_needed,
             c.approved_by, c.approved_at, c.closed_by, c.closed_at
         FROM open_cases o JOIN cases c ON c.person_id = o.person_id AND c.id = o.case_id
         WHERE (o.holder_id = $1 OR o.waiting OR $2) AND o.expires_at > $3 AND (o.opened_at, o.case_id) > ($4, $5)
         ORDER BY o.opened_at, o.case_id LIMIT $6"
    }
    OPEN_OF_HOLDER {
        "SELECT person_id, case_id, categories FROM open_cases WHERE holder_id = $1 AND expires_at > $2 AND NOT waiting"
    }
    /// A row of the log has the categories that were looked at with commas between them, and counts as so many looks.
    LOOKS {
        "SELECT case_id, SUM(length(category) - length(replace(category, ',', '')) + 1) AS looks FROM access_log WHERE person_id " [any_uuid 1] " AND event = 'READ' AND case_id " [any_uuid 2] "
         GROUP BY case_id"
    }
    FORGET_EXPIRED { "DELETE FROM open_cases WHERE expires_at <= $1" }
    INSERT_OPEN {
        "INSERT INTO open_cases (holder_id, person_id, case_id, opened_at, categories, expires_at, waiting)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (holder_id, person_id) DO NOTHING"
    }
    INSERT {
        "INSERT INTO cases (person_id, id, opened_by, opened_at, reason, ticket, categories, expires_at, approval_needed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    }
    APPROVE {
        "UPDATE cases SET approved_by = $3, approved_at = $4 WHERE person_id = $1 AND id = $2
         AND approval_needed AND approved_at IS NULL AND closed_at IS NULL AND expires_at > $4"
    }
    APPROVE_OPEN { "UPDATE open_cases SET waiting = FALSE WHERE holder_id = $1 AND person_id = $2 AND case_id = $3" }
    CLOSE {
        "UPDATE cases SET closed_by = $3, closed_at = $4 WHERE person_id = $1 AND id = $2
         AND closed_at IS NULL AND expires_at > $4"
    }
    FORGET_OPEN { "DELETE FROM open_cases WHERE holder_id = $1 AND person_id = $2 AND case_id = $3" }
}

#[derive(sqlx::FromRow)]
struct CaseRow {
    person_id: AccountId,
    id: CaseId,
    opened_by: AccountId,
    opened_at: Timestamp,
    reason: String,
    ticket: String,
    categories: String,
    expires_at: Timestamp,
    approval_needed: bool,
    approved_by: Option<AccountId>,
    approved_at: Option<Timestamp>,
    closed_by: Option<AccountId>,
    closed_at: Option<Timestamp>,
}

impl From<CaseRow> for Case {
    fn from(row: CaseRow) -> Self {
        Self {
            id: row.id,
            person: row.person_id,
            opened_by: row.opened_by,
            opened_at: row.opened_at,
            reason: row.reason,
            ticket: row.ticket,
            categories: read(&row.categories),
            expires_at: row.expires_at,
            approval_needed: row.approval_needed,
            approved: row.approved_by.zip(row.approved_at),
            closed: row.closed_by.zip(row.closed_at),
            told: Told::default().into(),
        }
    }
}

/// Categories as they are stored.
pub(super) fn written(categories: CategorySet) -> String {
    categories.iter().map(Category::as_str).collect::<Vec<_>>().join(",")
}

fn read(categories: &str) -> CategorySet {
    categories.split(',').filter_map(Category::from_name).collect()
}

pub(super) async fn case(db: &Db, (person, id): (AccountId, CaseId)) -> Result<Option<Case>, DbError> {
    let sql = db.sql(&CASE);
    let row: Option<CaseRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(person).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Case::from))
}

/// The rows of a page of the cases about a person, latest first, as they were read.
pub(super) async fn of_person(
    db: &Db,
    person: AccountId,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Case>, DbError> {
    let sql = db.sql(if request.is_forward() { &OF_PERSON_FORWARD } else { &OF_PERSON_BACKWARD });
    let (time, id) = request.start(false);
    let rows: Vec<CaseRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(person).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Case::from).collect())
}

/// The rows of a page of the cases that run: a holder's and those that wait for approval, or all; latest first, as
/// they were read.
pub(super) async fn running(
    db: &Db,
    (holder, all): (AccountId, bool),
    now: Timestamp,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Case>, DbError> {
    let sql = db.sql(if request.is_forward() { &RUNNING_FORWARD } else { &RUNNING_BACKWARD });
    let (time, id) = request.start(false);
    let rows: Vec<CaseRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(holder).bind(all).bind(now).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Case::from).collect())
}

/// What a holder's cases open, and of whom. Those that wait or are over open nothing.
pub(crate) async fn open_of_holder(
    db: &Db,
    holder: AccountId,
    now: Timestamp,
) -> Result<Vec<(AccountId, OpenCase)>, DbError> {
    let sql = db.sql(&OPEN_OF_HOLDER);
    let rows: Vec<(AccountId, CaseId, String)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(holder).bind(now).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(person, id, categories)| (person, OpenCase { id, categories: read(&categories) }))
        .collect())
}

/// How often something of a person was looked at under each of the cases.
pub(super) async fn looks(db: &Db, cases: &[Case]) -> Result<Vec<(CaseId, i64)>, DbError> {
    let people = Uuids::new(cases.iter().map(|case| case.person));
    let (sql, cases) = (db.sql(&LOOKS), Uuids::new(cases.iter().map(|case| case.id)));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(people).bind(cases).fetch_all(c).await)?)
}

/// Adds a case, unless its holder has one about the person that is not over.
pub(super) async fn insert(tx: &mut Tx, case: &Case) -> Result<bool, DbError> {
    let sql = tx.sql(&FORGET_EXPIRED);
    on!(tx.conn(), c => sqlx::query(sql).bind(case.opened_at).execute(c).await.map(|_| ()))?;
    let (sql, categories) = (tx.sql(&INSERT_OPEN), written(case.categories));
    let added = on!(tx.conn(), c => sqlx::query(sql)
        .bind(case.opened_by).bind(case.person).bind(case.id).bind(case.opened_at).bind(&categories).bind(case.expires_at)
        .bind(case.approval_needed).execute(c).await.map(|done| done.rows_affected()))?;
    if added == 0 {
        return Ok(false);
    }
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(case.person).bind(case.id).bind(case.opened_by).bind(case.opened_at).bind(&case.reason).bind(&case.ticket)
        .bind(&categories).bind(case.expires_at).bind(case.approval_needed).execute(c).await.map(|_| ()))?;
    Ok(true)
}

/// Notes who approved a case; `false` if it does not wait for that, or no longer.
pub(super) async fn approve(tx: &mut Tx, case: &Case, by: AccountId, now: Timestamp) -> Result<bool, DbError> {
    let sql = tx.sql(&APPROVE);
    let changed = on!(tx.conn(), c => sqlx::query(sql)
        .bind(case.person).bind(case.id).bind(by).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    let sql = tx.sql(&APPROVE_OPEN);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(case.opened_by).bind(case.person).bind(case.id).execute(c).await.map(|_| ()))?;
    Ok(changed > 0)
}

/// Notes who closed a case; `false` if it was over already.
pub(super) async fn close(tx: &mut Tx, case: &Case, by: AccountId, now: Timestamp) -> Result<bool, DbError> {
    let sql = tx.sql(&CLOSE);
    let changed = on!(tx.conn(), c => sqlx::query(sql)
        .bind(case.person).bind(case.id).bind(by).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    let sql = tx.sql(&FORGET_OPEN);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(case.opened_by).bind(case.person).bind(case.id).execute(c).await.map(|_| ()))?;
    Ok(changed > 0)
}
