//! The accounts' tables.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use uuid::Uuid;

use crate::{
    access::{Tenure, TokenScope},
    accounts::model::{Account, HeldToken, Holder, Involvement, NewToken, SystemRole, Token},
    courses::model::StaffRole,
    db::{Db, DbError, Stored as _, Text, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId, TopicId},
    time::Timestamp,
};

/// What somebody (1) is: to each course, and by job function.
macro_rules! involved {
    () => {
        "SELECT course_id, 'LEARNER' AS what FROM enrolments WHERE learner_id = $1 AND left_at IS NULL
         UNION ALL SELECT course_id, role FROM course_staff WHERE account_id = $1
         UNION ALL SELECT NULL, role FROM account_roles WHERE account_id = $1"
    };
}

/// The columns of a [`HolderRow`].
macro_rules! holder {
    () => {
        "a.status, a.id, a.name, a.email, a.picture_url, a.education, a.time_zone, a.language, i.course_id, i.what"
    };
}

/// A join with these: the account (1), in a row for each thing that she is.
macro_rules! joined_holder {
    () => {
        concat!("JOIN accounts a ON a.id = $1 LEFT JOIN (", $crate::accounts::store::involved!(), ") i ON TRUE")
    };
}

pub(crate) use {holder, involved, joined_holder};

statements! {
    BY_IDS { "SELECT id, name, email, picture_url, education, time_zone, language FROM accounts WHERE id " [any_uuid 1] }
    ID_BY_EMAIL { "SELECT account_id FROM account_emails WHERE email_hash = $1" }
    INSERT { "INSERT INTO accounts (id, name, email, created_at) VALUES ($1, $2, $3, $4)" }
    INSERT_EMAIL { "INSERT INTO account_emails (email_hash, account_id) VALUES ($1, $2)" }
    IS_SUSPENDED { "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND status = 'SUSPENDED') AS suspended" }
    TOKEN {
        "SELECT t.id AS token_id, t.scopes, t.two_factor, t.created_at, t.expires_at, t.revoked_at, t.last_used_at, " [holder!]
        " FROM access_tokens t " [joined_holder!] " WHERE t.account_id = $1 AND t.secret_hash = $2"
    }
    INSERT_TOKEN {
        "INSERT INTO access_tokens (account_id, id, secret_hash, label, scopes, two_factor, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_id, secret_hash) DO NOTHING"
    }
    TOKENS {
        "SELECT account_id, id, label, scopes, created_at, expires_at, last_used_at FROM access_tokens
         WHERE revoked_at IS NULL AND account_id " [any_uuid 1] " ORDER BY account_id, created_at DESC, id DESC"
    }
    USED_TOKEN { "UPDATE access_tokens SET last_used_at = $3 WHERE account_id = $1 AND id = $2" }
    REVOKE_TOKEN { "UPDATE access_tokens SET revoked_at = $3 WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL" }
    REVOKE_TOKENS { "UPDATE access_tokens SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL" }
    ROLES { "SELECT role FROM account_roles WHERE account_id = $1 ORDER BY role" }
    ROLES_OF { "SELECT account_id, role FROM account_roles WHERE account_id " [any_uuid 1] " ORDER BY account_id, role" }
    GRANT { "INSERT INTO account_roles (account_id, role, granted_at) VALUES ($1, $2, $3) ON CONFLICT (account_id, role) DO NOTHING" }
    REVOKE { "DELETE FROM account_roles WHERE account_id = $1 AND role = $2" }
    OTHER_HOLDERS { "SELECT EXISTS (SELECT 1 FROM account_roles WHERE role = $1 AND account_id <> $2)" }
    GOALS { "SELECT learner_id, topic_id FROM learning_goals WHERE learner_id " [any_uuid 1] " ORDER BY learner_id, topic_id" }
    TEACHES { "SELECT account_id, course_id FROM course_staff WHERE account_id " [any_uuid 1] " ORDER BY account_id, course_id" }
    INVOLVEMENT { [involved!] }
    /// The people (1), each with a row for each of the courses (2) that she takes or took, or one if there is none, and whether she
    /// teaches a course that is not a draft, or one of these (3). SQLite looks at each person in turn in half the time that lists take;
    /// PostgreSQL takes half as long again for it.
    PEOPLE {
        "SELECT a.id, a.name, a.email, a.picture_url, a.education, a.time_zone, a.language, "
        [lite "EXISTS (SELECT 1 FROM course_staff s JOIN courses c ON c.id = s.course_id WHERE s.account_id = a.id
             AND (c.status <> 'DRAFT' OR s.course_id IN (SELECT unhex(value) FROM json_each($3))))"]
        [pg "s.account_id IS NOT NULL"]
        " AS teaches, e.course_id, e.left_at, e.completed_at FROM "
        [lite "(SELECT unhex(value) AS key FROM json_each($1)) k JOIN accounts a ON a.id = k.key
           LEFT JOIN enrolments e ON e.learner_id = a.id AND e.course_id IN (SELECT unhex(value) FROM json_each($2))"]
        [pg "accounts a
           LEFT JOIN (SELECT learner_id, course_id, left_at, completed_at FROM enrolments
             WHERE learner_id = ANY($1::uuid[]) AND course_id = ANY($2::uuid[])) e ON e.learner_id = a.id
           LEFT JOIN (SELECT DISTINCT s.account_id FROM course_staff s JOIN courses c ON c.id = s.course_id
             WHERE s.account_id = ANY($1::uuid[]) AND (c.status <> 'DRAFT' OR s.course_id = ANY($3::uuid[]))) s ON s.account_id = a.id
           WHERE a.id = ANY($1::uuid[])"]
    }
    /// Who of the people (1) takes or took which of the courses (2). SQLite looks at each of them in turn here, too.
    TAKERS {
        "SELECT e.learner_id, e.course_id, e.left_at, e.completed_at FROM "
        [lite "(SELECT unhex(value) AS key FROM json_each($1)) k JOIN enrolments e
           ON e.learner_id = k.key AND e.course_id IN (SELECT unhex(value) FROM json_each($2))"]
        [pg "enrolments e WHERE e.learner_id = ANY($1::uuid[]) AND e.course_id = ANY($2::uuid[])"]
    }
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: AccountId,
    name: String,
    email: Option<String>,
    picture_url: Option<String>,
    education: Option<String>,
    time_zone: Option<String>,
    language: Option<String>,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id,
            name: row.name.into(),
            email: row.email.into(),
            picture: row.picture_url.into(),
            education: row.education.into(),
            time_zone: row.time_zone.into(),
            language: row.language.into(),
        }
    }
}

#[derive(sqlx::FromRow)]
struct HeldTokenRow {
    token_id: Uuid,
    scopes: String,
    two_factor: bool,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    #[sqlx(flatten)]
    holder: HolderRow,
}

/// Somebody who holds a credential, and one thing that she is.
#[derive(sqlx::FromRow)]
pub(crate) struct HolderRow {
    status: String,
    #[sqlx(flatten)]
    account: AccountRow,
    course_id: Option<CourseId>,
    what: Option<String>,
}

/// What was read of her.
pub(crate) fn held_by(rows: impl IntoIterator<Item = HolderRow>) -> Option<Holder> {
    let mut rows = rows.into_iter();
    let first = rows.next()?;
    let is_suspended = first.status == "SUSPENDED";
    let mut involvement = Involvement::default();
    involvement.add(first.course_id, first.what.as_deref());
    for row in rows {
        involvement.add(row.course_id, row.what.as_deref());
    }
    Some(Holder { is_suspended, account: Arc::new(first.account.into()), involvement })
}

impl Involvement {
    /// To the course of a row, or by job function.
    fn add(&mut self, course: Option<CourseId>, what: Option<&str>) {
        let Some(what) = what else { return };
        match course {
            Some(course) => {
                let membership = self.courses.entry(course).or_default();
                if what == "LEARNER" {
                    membership.learner = true;
                } else {
                    membership.staff = true;
                    membership.moderator = what == StaffRole::Instructor.as_str();
                }
            }
            None => self.roles.extend(SystemRole::from_name(what)),
        }
    }
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    account_id: AccountId,
    id: Uuid,
    label: String,
    scopes: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

fn scopes(stored: &str) -> Vec<TokenScope> {
    stored.split(',').filter_map(TokenScope::from_name).collect()
}

pub(crate) async fn by_ids(db: &Db, ids: &[AccountId]) -> Result<Vec<Account>, DbError> {
    let (sql, ids) = (db.sql(&BY_IDS), Uuids::new(ids.iter().copied()));
    let rows: Vec<AccountRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Account::from).collect())
}

pub(crate) async fn id_by_email(db: &Db, email_hash: &[u8; 32]) -> Result<Option<AccountId>, DbError> {
    let sql = db.sql(&ID_BY_EMAIL);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(email_hash.to_vec()).fetch_optional(c).await)?)
}

pub(crate) async fn insert(
    tx: &mut Tx,
    id: AccountId,
    name: &str,
    email: &str,
    email_hash: &[u8; 32],
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql).bind(id).bind(name).bind(email).bind(now).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&INSERT_EMAIL);
    on!(tx.conn(), c => sqlx::query(sql).bind(email_hash.to_vec()).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn is_suspended(db: &Db, account: AccountId) -> Result<bool, DbError> {
    let sql = db.sql(&IS_SUSPENDED);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(account).fetch_one(c).await)?)
}

/// A token, and who holds it.
pub(crate) async fn token(
    db: &Db,
    account: AccountId,
    secret_hash: &[u8; 32],
) -> Result<Option<(HeldToken, Holder)>, DbError> {
    let sql = db.sql(&TOKEN);
    let rows: Vec<HeldTokenRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(account).bind(secret_hash.to_vec()).fetch_all(c).await)?;
    let token = rows.first().map(|row| HeldToken {
        id: row.token_id,
        scopes: scopes(&row.scopes),
        two_factor: row.two_factor,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at.unwrap_or(row.created_at),
    });
    Ok(token.zip(held_by(rows.into_iter().map(|row| row.holder))))
}

pub(crate) async fn insert_token(
    db: &Db,
    account: AccountId,
    (id, secret_hash): (Uuid, &[u8; 32]),
    new: &NewToken,
    now: Timestamp,
) -> Result<(), DbError> {
    let scopes = new.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
    let sql = db.sql(&INSERT_TOKEN);
    on!(db.writer(), c => sqlx::query(sql)
        .bind(account).bind(id).bind(secret_hash.to_vec()).bind(&new.label).bind(scopes).bind(new.two_factor)
        .bind(now).bind(new.expires_at)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn tokens(db: &Db, accounts: &[AccountId]) -> Result<Vec<(AccountId, Token)>, DbError> {
    let (sql, accounts) = (db.sql(&TOKENS), Uuids::new(accounts.iter().copied()));
    let rows: Vec<TokenRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(accounts).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let token = Token {
                id: row.id,
                label: row.label,
                scopes: scopes(&row.scopes),
                created_at: row.created_at,
                expires_at: row.expires_at,
                last_used_at: row.last_used_at,
            };
            (row.account_id, token)
        })
        .collect())
}

pub(crate) async fn used_token(db: &Db, account: AccountId, id: Uuid, now: Timestamp) -> Result<(), DbError> {
    let sql = db.sql(&USED_TOKEN);
    on!(db.writer(), c => sqlx::query(sql).bind(account).bind(id).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether there was such a token that had not been revoked.
pub(crate) async fn revoke_token(db: &Db, account: AccountId, id: Uuid, now: Timestamp) -> Result<bool, DbError> {
    let sql = db.sql(&REVOKE_TOKEN);
    Ok(on!(db.writer(), c => sqlx::query(sql)
        .bind(account).bind(id).bind(now).execute(c).await.map(|done| done.rows_affected()))?
        > 0)
}

/// Makes every token of an account of no use any more.
pub(crate) async fn revoke_tokens(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&REVOKE_TOKENS);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn roles(db: &Db, account: AccountId) -> Result<Vec<SystemRole>, DbError> {
    let sql = db.sql(&ROLES);
    let rows: Vec<Text<SystemRole>> = on!(db.reader(), c => sqlx::query_scalar(sql).bind(account).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

pub(crate) async fn roles_of(db: &Db, accounts: &[AccountId]) -> Result<Vec<(AccountId, SystemRole)>, DbError> {
    let (sql, accounts) = (db.sql(&ROLES_OF), Uuids::new(accounts.iter().copied()));
    let rows: Vec<(AccountId, Text<SystemRole>)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(accounts).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(account, role)| (account, role.0)).collect())
}

/// Whether it is new.
pub(crate) async fn grant(tx: &mut Tx, account: AccountId, role: SystemRole, now: Timestamp) -> Result<bool, DbError> {
    let sql = tx.sql(&GRANT);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(Text(role)).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether there was such a role to take.
pub(crate) async fn revoke(tx: &mut Tx, account: AccountId, role: SystemRole) -> Result<bool, DbError> {
    let sql = tx.sql(&REVOKE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(Text(role))
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether somebody else has the role.
pub(crate) async fn has_other_holders(tx: &mut Tx, account: AccountId, role: SystemRole) -> Result<bool, DbError> {
    let sql = tx.sql(&OTHER_HOLDERS);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(Text(role)).bind(account).fetch_one(c).await)?)
}

pub(crate) async fn goals(db: &Db, learners: &[AccountId]) -> Result<Vec<(AccountId, TopicId)>, DbError> {
    let (sql, learners) = (db.sql(&GOALS), Uuids::new(learners.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(learners).fetch_all(c).await)?)
}

/// Pairs of a person and a course that she teaches or helps to teach.
pub(crate) async fn teaches(db: &Db, people: &[AccountId]) -> Result<Vec<(AccountId, CourseId)>, DbError> {
    let (sql, people) = (db.sql(&TEACHES), Uuids::new(people.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(people).fetch_all(c).await)?)
}

/// What the database knows of a viewer.
pub(crate) async fn involvement(db: &Db, account: AccountId) -> Result<Involvement, DbError> {
    let sql = db.sql(&INVOLVEMENT);
    let rows: Vec<(Option<CourseId>, String)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(account).fetch_all(c).await)?;
    let mut involvement = Involvement::default();
    for (course, what) in rows {
        involvement.add(course, Some(&what));
    }
    Ok(involvement)
}

/// Where somebody is met: in which course she is or was a learner, or, without one, as one who teaches.
pub(super) type Meeting = (AccountId, Option<(CourseId, Tenure)>);

#[derive(sqlx::FromRow)]
struct MetRow {
    course_id: Option<CourseId>,
    left_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl From<MetRow> for Option<(CourseId, Tenure)> {
    fn from(row: MetRow) -> Self {
        Some((row.course_id?, Tenure::new(row.left_at, row.completed_at)))
    }
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    #[sqlx(flatten)]
    account: AccountRow,
    teaches: bool,
    #[sqlx(flatten)]
    met: MetRow,
}

/// People, and where they are met: in which of `courses` they are or were learners, and that they teach a course that is not a
/// draft, or one of `taught`.
pub(super) async fn people(
    db: &Db,
    people: &[AccountId],
    courses: impl IntoIterator<Item = CourseId>,
    taught: impl IntoIterator<Item = CourseId>,
) -> Result<(HashMap<AccountId, Arc<Account>>, Vec<Meeting>), DbError> {
    let (sql, people) = (db.sql(&PEOPLE), Uuids::new(people.iter().copied()));
    let (courses, taught) = (Uuids::new(courses), Uuids::new(taught));
    let rows: Vec<PersonRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(people).bind(courses).bind(taught).fetch_all(c).await)?;
    let (mut accounts, mut meetings) = (HashMap::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        let id = row.account.id;
        let taken: Option<_> = row.met.into();
        meetings.extend(taken.map(|taken| (id, Some(taken))));
        if let Entry::Vacant(first) = accounts.entry(id) {
            first.insert(Arc::new(row.account.into()));
            meetings.extend(row.teaches.then_some((id, None)));
        }
    }
    Ok((accounts, meetings))
}

#[derive(sqlx::FromRow)]
struct TakerRow {
    learner_id: AccountId,
    course_id: CourseId,
    left_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

pub(crate) async fn takers(
    db: &Db,
    people: &[AccountId],
    courses: impl IntoIterator<Item = CourseId>,
) -> Result<Vec<(AccountId, CourseId, Tenure)>, DbError> {
    let (sql, people, courses) = (db.sql(&TAKERS), Uuids::new(people.iter().copied()), Uuids::new(courses));
    let rows: Vec<TakerRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(people).bind(courses).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.learner_id, row.course_id, Tenure::new(row.left_at, row.completed_at)))
        .collect())
}
