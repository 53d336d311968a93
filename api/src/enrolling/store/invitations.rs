//! The table of invitations. Its key starts with the course.

use crate::{
    db::{
        Db, DbError, Pairs, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    enrolling::model::Invitation,
    ids::{AccountId, CohortId, CourseId, InvitationId},
    time::Timestamp,
};

statements! {
    INVITATIONS {
        "SELECT t.course_id, t.id, t.person_id, t.label, t.cohort_id, t.max_uses, t.used, t.created_at, t.expires_at, t.revoked_at
         FROM " [pairs 1] " k JOIN invitations t ON t.course_id = k.owner AND t.id = k.key"
    }
    INVITATIONS_FORWARD {
        [page (uuids) "t.course_id, t.id, t.person_id, t.label, t.cohort_id, t.max_uses, t.used, t.created_at, t.expires_at, t.revoked_at"
         from "invitations" owned "t.course_id = k.key" where "i.course_id = k.key" by "created_at" "id" ("<" "DESC")]
    }
    INVITATIONS_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.person_id, t.label, t.cohort_id, t.max_uses, t.used, t.created_at, t.expires_at, t.revoked_at"
         from "invitations" owned "t.course_id = k.key" where "i.course_id = k.key" by "created_at" "id" (">" "ASC")]
    }
    BY_CODE {
        "SELECT course_id, id, person_id, label, cohort_id, max_uses, used, created_at, expires_at, revoked_at
         FROM invitations WHERE course_id = $1 AND code_hash = $2"
    }
    /// The latest one that is open now (3).
    OF_PERSON {
        "SELECT course_id, id, person_id, label, cohort_id, max_uses, used, created_at, expires_at, revoked_at
         FROM invitations WHERE course_id = $1 AND person_id = $2 AND revoked_at IS NULL AND used < max_uses AND expires_at > $3
         ORDER BY created_at DESC, id DESC LIMIT 1"
    }
    OF_PEOPLE {
        "SELECT t.course_id, t.id, t.person_id, t.label, t.cohort_id, t.max_uses, t.used, t.created_at, t.expires_at, t.revoked_at
         FROM " [pairs 1] " k JOIN invitations t ON t.course_id = k.owner AND t.person_id = k.key ORDER BY t.created_at, t.id"
    }
    INSERT {
        "INSERT INTO invitations (course_id, id, person_id, code_hash, label, cohort_id, max_uses, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    }
    REVOKE { "UPDATE invitations SET revoked_at = $3 WHERE course_id = $1 AND id = $2 AND revoked_at IS NULL" }
    USE { "UPDATE invitations SET used = used + 1 WHERE course_id = $1 AND id = $2 AND used < max_uses" }
    GIVE_BACK { "UPDATE invitations SET used = used - 1 WHERE course_id = $1 AND id = $2 AND used > 0" }
}

#[derive(sqlx::FromRow)]
struct InvitationRow {
    course_id: CourseId,
    id: InvitationId,
    person_id: Option<AccountId>,
    label: String,
    cohort_id: Option<CohortId>,
    max_uses: i64,
    used: i64,
    created_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            person_id: row.person_id,
            label: row.label,
            cohort_id: row.cohort_id,
            max_uses: row.max_uses,
            used: row.used,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

pub(in crate::enrolling) async fn invitations(
    db: &Db,
    keys: &[(CourseId, InvitationId)],
) -> Result<Vec<Invitation>, DbError> {
    let (sql, keys) = (db.sql(&INVITATIONS), Pairs::new(keys.iter().copied()));
    let rows: Vec<InvitationRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Invitation::from).collect())
}

/// For each course the rows of a page of its invitations, as they were read.
pub(in crate::enrolling) async fn pages(
    db: &Db,
    courses: &[CourseId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Invitation>, DbError> {
    let sql = db.sql(if request.is_forward() { &INVITATIONS_FORWARD } else { &INVITATIONS_BACKWARD });
    let ((time, id), keys) = (request.start(false), Uuids::new(courses.iter().copied()));
    let rows: Vec<InvitationRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Invitation::from).collect())
}

pub(in crate::enrolling) async fn by_code(
    tx: &mut Tx,
    course: CourseId,
    hash: &[u8; 32],
) -> Result<Option<Invitation>, DbError> {
    let sql = tx.sql(&BY_CODE);
    let row: Option<InvitationRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(hash.to_vec()).fetch_optional(c).await)?;
    Ok(row.map(Invitation::from))
}

/// The invitation by which a person may come to the course now.
pub(in crate::enrolling) async fn of_person(
    tx: &mut Tx,
    (course, person): (CourseId, AccountId),
    now: Timestamp,
) -> Result<Option<Invitation>, DbError> {
    let sql = tx.sql(&OF_PERSON);
    let row: Option<InvitationRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(person).bind(now).fetch_optional(c).await)?;
    Ok(row.map(Invitation::from))
}

/// The invitations of people to courses, each list the oldest first.
pub(in crate::enrolling) async fn of_people(
    db: &Db,
    keys: &[(CourseId, AccountId)],
) -> Result<Vec<Invitation>, DbError> {
    let (sql, keys) = (db.sql(&OF_PEOPLE), Pairs::new(keys.iter().copied()));
    let rows: Vec<InvitationRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Invitation::from).collect())
}

pub(in crate::enrolling) async fn insert(
    tx: &mut Tx,
    new: &Invitation,
    code_hash: Option<[u8; 32]>,
    created_by: AccountId,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(new.course_id).bind(new.id).bind(new.person_id).bind(code_hash.map(|hash| hash.to_vec())).bind(&new.label)
        .bind(new.cohort_id).bind(new.max_uses).bind(created_by).bind(new.created_at).bind(new.expires_at)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether there was such an invitation that had not been revoked.
pub(in crate::enrolling) async fn revoke(
    tx: &mut Tx,
    (course, id): (CourseId, InvitationId),
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&REVOKE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether there was a use left.
pub(in crate::enrolling) async fn take(tx: &mut Tx, course: CourseId, id: InvitationId) -> Result<bool, DbError> {
    let sql = tx.sql(&USE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whoever came by it has gone again before she had a seat.
pub(in crate::enrolling) async fn give_back(tx: &mut Tx, course: CourseId, id: InvitationId) -> Result<(), DbError> {
    let sql = tx.sql(&GIVE_BACK);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}
