//! The tables of signing in.

use uuid::Uuid;

use super::model::{AccountState, AccountStatus, Method, Outcome, Session, SignInRecord, Suspicion};
use crate::{
    accounts::{
        model::Holder,
        store::{self as accounts, HolderRow, holder, joined_holder},
    },
    db::{
        Db, DbError, Stored, Text, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::AccountId,
    time::Timestamp,
};

statements! {
    /// Everything that a sign-in with an address (1) needs, in one statement whether there is an account or not; and
    /// whether the device (2) has been there before.
    CANDIDATE {
        "SELECT a.id, a.status, a.email_verified_at, c.password_hash,
           EXISTS (SELECT 1 FROM sign_ins s WHERE s.account_id = a.id AND s.device_hash = $2 AND s.outcome = 'SUCCEEDED') AS known_device
         FROM account_emails e JOIN accounts a ON a.id = e.account_id LEFT JOIN credentials c ON c.account_id = a.id
         WHERE e.email_hash = $1"
    }
    /// What a session with a password is opened on, held until the transaction ends.
    LOCK {
        "SELECT a.status, c.password_hash FROM accounts a JOIN credentials c ON c.account_id = a.id WHERE a.id = $1"
        [for_update]
    }
    PASSWORD { "SELECT password_hash FROM credentials WHERE account_id = $1" }
    NAMES { "SELECT name, email FROM accounts WHERE id = $1" }
    PUT_PASSWORD {
        "INSERT INTO credentials (account_id, password_hash, set_at) VALUES ($1, $2, $3)
         ON CONFLICT (account_id) DO UPDATE SET password_hash = excluded.password_hash, set_at = excluded.set_at"
    }
    REMOVE_PASSWORD { "DELETE FROM credentials WHERE account_id = $1" }
    HOLD { "SELECT email_verified_at FROM accounts WHERE id = $1" [for_update] }
    VERIFY_EMAIL { "UPDATE accounts SET email_verified_at = $2 WHERE id = $1 AND email_verified_at IS NULL" }
    IS_VERIFIED { "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND email_verified_at IS NOT NULL) AS verified" }
    STATES { "SELECT id, status, created_at, email_verified_at FROM accounts WHERE id " [any_uuid 1] }

    INSERT_SESSION {
        "INSERT INTO sessions (account_id, id, secret_hash, created_at, last_seen_at, expires_at, two_factor, client_label, network)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8)"
    }
    DELETE_DEAD_SESSIONS { "DELETE FROM sessions WHERE account_id = $1 AND (expires_at <= $2 OR revoked_at IS NOT NULL)" }
    HELD_SESSION {
        "SELECT s.secret_hash, s.last_seen_at, s.expires_at, s.revoked_at, s.two_factor, " [holder!]
        " FROM sessions s " [joined_holder!] " WHERE s.account_id = $1 AND s.id = $2"
    }
    SEEN { "UPDATE sessions SET last_seen_at = $3 WHERE account_id = $1 AND id = $2 AND last_seen_at < $3" }
    REVOKE_SESSION { "UPDATE sessions SET revoked_at = $3 WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL" }
    /// All but one (2).
    REVOKE_SESSIONS { "UPDATE sessions SET revoked_at = $3 WHERE account_id = $1 AND id <> $2 AND revoked_at IS NULL" }
    SESSIONS {
        "SELECT account_id, id, created_at, last_seen_at, expires_at, two_factor, client_label, network FROM sessions
         WHERE revoked_at IS NULL AND account_id " [any_uuid 1] " ORDER BY account_id, created_at DESC, id DESC"
    }

    INSERT_SIGN_IN {
        "INSERT INTO sign_ins (account_id, id, at, method, outcome, client_label, network, device_hash, suspicious)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    }
    DELETE_OLD_SIGN_INS { "DELETE FROM sign_ins WHERE account_id = $1 AND at < $2" }
    /// How often an account (1) was signed in to, in all, from a device (2) and from a network (3); and how often a
    /// password or a code was wrong since an instant (4).
    HISTORY {
        "SELECT COUNT(CASE WHEN outcome = 'SUCCEEDED' THEN 1 END) AS succeeded,
           COUNT(CASE WHEN outcome = 'SUCCEEDED' AND device_hash = $2 THEN 1 END) AS from_device,
           COUNT(CASE WHEN outcome = 'SUCCEEDED' AND network = $3 THEN 1 END) AS from_network,
           COUNT(CASE WHEN outcome IN ('WRONG_PASSWORD', 'WRONG_CODE') AND at >= $4 THEN 1 END) AS failures
         FROM sign_ins WHERE account_id = $1"
    }
    SIGN_INS_FORWARD {
        [page (uuids) "t.account_id, t.id, t.at, t.method, t.outcome, t.client_label, t.network, t.suspicious"
         from "sign_ins" owned "t.account_id = k.key" where "i.account_id = k.key" by "at" "id" ("<" "DESC")]
    }
    SIGN_INS_BACKWARD {
        [page (uuids) "t.account_id, t.id, t.at, t.method, t.outcome, t.client_label, t.network, t.suspicious"
         from "sign_ins" owned "t.account_id = k.key" where "i.account_id = k.key" by "at" "id" (">" "ASC")]
    }

    FORGET_ATTEMPTS { "DELETE FROM attempts WHERE last_at < $1" }
    /// Counts an attempt if the time for one has come.
    TAKE_ATTEMPT {
        "INSERT INTO attempts (guarded_hash, failures, last_at, next_at) VALUES ($1, 1, $2, $2)
         ON CONFLICT (guarded_hash) DO UPDATE SET
           failures = CASE WHEN attempts.last_at < $3 THEN 1 ELSE attempts.failures + 1 END, last_at = $2
         WHERE attempts.next_at <= $2 RETURNING failures"
    }
    DELAY_ATTEMPTS { "UPDATE attempts SET next_at = $2 WHERE guarded_hash = $1" }
    NEXT_ATTEMPT { "SELECT next_at FROM attempts WHERE guarded_hash = $1" }
    TOUCH { "UPDATE attempts SET last_at = $2 WHERE guarded_hash = $1" }
    FORGIVE { "DELETE FROM attempts WHERE guarded_hash = $1" }
    FORGIVE_ONE {
        "UPDATE attempts SET failures = failures - 1, next_at = last_at WHERE guarded_hash = $1 AND failures > 0"
    }
}

/// Somebody who may be signing in.
#[derive(sqlx::FromRow)]
pub(super) struct Candidate {
    pub(super) id: AccountId,
    status: Text<AccountStatus>,
    pub(super) email_verified_at: Option<Timestamp>,
    pub(super) password_hash: Option<String>,
    pub(super) known_device: bool,
}

impl Candidate {
    pub(super) const fn is_suspended(&self) -> bool {
        matches!(self.status.0, AccountStatus::Suspended)
    }
}

/// What a session with a password is opened on.
#[derive(sqlx::FromRow)]
pub(super) struct Locked {
    status: Text<AccountStatus>,
    pub(super) password_hash: String,
}

impl Locked {
    pub(super) const fn is_suspended(&self) -> bool {
        matches!(self.status.0, AccountStatus::Suspended)
    }
}

/// A session as a cookie is held against it.
#[derive(Clone, sqlx::FromRow)]
pub(super) struct HeldSession {
    pub(super) secret_hash: Vec<u8>,
    pub(super) last_seen_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) revoked_at: Option<Timestamp>,
    pub(super) two_factor: bool,
}

#[derive(sqlx::FromRow)]
struct HeldSessionRow {
    #[sqlx(flatten)]
    session: HeldSession,
    #[sqlx(flatten)]
    holder: HolderRow,
}

#[derive(sqlx::FromRow)]
struct StateRow {
    id: AccountId,
    status: Text<AccountStatus>,
    created_at: Timestamp,
    email_verified_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    account_id: AccountId,
    id: Uuid,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    two_factor: bool,
    client_label: String,
    network: Option<String>,
}

#[derive(sqlx::FromRow)]
struct SignInRow {
    account_id: AccountId,
    id: Uuid,
    at: Timestamp,
    method: Text<Method>,
    outcome: Text<Outcome>,
    client_label: String,
    network: Option<String>,
    suspicious: String,
}

impl From<SignInRow> for SignInRecord {
    fn from(row: SignInRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            method: row.method.0,
            outcome: row.outcome.0,
            client_label: row.client_label,
            network: row.network,
            suspicious: row.suspicious.split(',').filter_map(Suspicion::from_name).collect(),
        }
    }
}

pub(super) async fn candidate(
    db: &Db,
    email_hash: &[u8; 32],
    device_hash: Option<&[u8; 32]>,
) -> Result<Option<Candidate>, DbError> {
    let (sql, device) = (db.sql(&CANDIDATE), device_hash.map(|hash| hash.to_vec()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(email_hash.to_vec()).bind(device).fetch_optional(c).await)?)
}

pub(super) async fn lock(tx: &mut Tx, account: AccountId) -> Result<Option<Locked>, DbError> {
    let sql = tx.sql(&LOCK);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(account).fetch_optional(c).await)?)
}

pub(super) async fn password(db: &Db, account: AccountId) -> Result<Option<String>, DbError> {
    let sql = db.sql(&PASSWORD);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(account).fetch_optional(c).await)?)
}

/// The name, and the address if there is one.
pub(super) async fn names(db: &Db, account: AccountId) -> Result<Option<(String, Option<String>)>, DbError> {
    let sql = db.sql(&NAMES);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(account).fetch_optional(c).await)?)
}

pub(super) async fn put_password(tx: &mut Tx, account: AccountId, hash: &str, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&PUT_PASSWORD);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(hash).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn remove_password(tx: &mut Tx, account: AccountId) -> Result<(), DbError> {
    let sql = tx.sql(&REMOVE_PASSWORD);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Holds the account until the transaction ends; whether its address is verified.
pub(super) async fn hold(tx: &mut Tx, account: AccountId) -> Result<bool, DbError> {
    let sql = tx.sql(&HOLD);
    let at: Option<Option<Timestamp>> =
        on!(tx.conn(), c => sqlx::query_scalar(sql).bind(account).fetch_optional(c).await)?;
    Ok(at.flatten().is_some())
}

pub(super) async fn verify_email(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&VERIFY_EMAIL);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn is_verified(db: &Db, account: AccountId) -> Result<bool, DbError> {
    let sql = db.sql(&IS_VERIFIED);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(account).fetch_one(c).await)?)
}

pub(super) async fn states(db: &Db, accounts: &[AccountId]) -> Result<Vec<AccountState>, DbError> {
    let (sql, accounts) = (db.sql(&STATES), Uuids::new(accounts.iter().copied()));
    let rows: Vec<StateRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(accounts).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| AccountState {
            id: row.id,
            status: row.status.0.into(),
            created_at: row.created_at.into(),
            email_verified_at: row.email_verified_at.into(),
        })
        .collect())
}

/// A session to be written.
pub(super) struct NewSession<'a> {
    pub(super) account: AccountId,
    pub(super) id: Uuid,
    pub(super) secret_hash: [u8; 32],
    pub(super) now: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) two_factor: bool,
    pub(super) client_label: &'a str,
    pub(super) network: Option<&'a str>,
}

/// Writes a session, and clears away those of the account that have ended.
pub(super) async fn insert_session(tx: &mut Tx, new: &NewSession<'_>) -> Result<(), DbError> {
    let sql = tx.sql(&DELETE_DEAD_SESSIONS);
    on!(tx.conn(), c => sqlx::query(sql).bind(new.account).bind(new.now).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&INSERT_SESSION);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(new.account).bind(new.id).bind(new.secret_hash.to_vec()).bind(new.now).bind(new.expires_at)
        .bind(new.two_factor).bind(new.client_label).bind(new.network)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// A session, and who holds it.
pub(super) async fn held_session(
    db: &Db,
    account: AccountId,
    id: Uuid,
) -> Result<Option<(HeldSession, Holder)>, DbError> {
    let sql = db.sql(&HELD_SESSION);
    let rows: Vec<HeldSessionRow> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(account).bind(id).fetch_all(c).await)?;
    let session = rows.first().map(|row| row.session.clone());
    Ok(session.zip(accounts::held_by(rows.into_iter().map(|row| row.holder))))
}

pub(super) async fn seen(db: &Db, account: AccountId, id: Uuid, now: Timestamp) -> Result<(), DbError> {
    let sql = db.sql(&SEEN);
    on!(db.writer(), c => sqlx::query(sql).bind(account).bind(id).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Whether there was such a session that had not been revoked.
pub(super) async fn revoke_session(db: &Db, account: AccountId, id: Uuid, now: Timestamp) -> Result<bool, DbError> {
    let sql = db.sql(&REVOKE_SESSION);
    Ok(on!(db.writer(), c => sqlx::query(sql)
        .bind(account).bind(id).bind(now).execute(c).await.map(|done| done.rows_affected()))?
        > 0)
}

/// Revokes every session but one, and answers with how many.
pub(super) async fn revoke_sessions(
    tx: &mut Tx,
    account: AccountId,
    but: Option<Uuid>,
    now: Timestamp,
) -> Result<u64, DbError> {
    let sql = tx.sql(&REVOKE_SESSIONS);
    let but = but.unwrap_or_else(Uuid::nil);
    Ok(on!(tx.conn(), c => sqlx::query(sql)
        .bind(account).bind(but).bind(now).execute(c).await.map(|done| done.rows_affected()))?)
}

pub(super) async fn sessions(db: &Db, accounts: &[AccountId]) -> Result<Vec<(AccountId, Session)>, DbError> {
    let (sql, accounts) = (db.sql(&SESSIONS), Uuids::new(accounts.iter().copied()));
    let rows: Vec<SessionRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(accounts).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let session = Session {
                id: row.id,
                created_at: row.created_at,
                last_seen_at: row.last_seen_at,
                expires_at: row.expires_at,
                two_factor: row.two_factor,
                client_label: row.client_label,
                network: row.network,
            };
            (row.account_id, session)
        })
        .collect())
}

/// A sign-in to be written.
pub(super) struct NewSignIn<'a> {
    pub(super) account: AccountId,
    pub(super) id: Uuid,
    pub(super) at: Timestamp,
    pub(super) method: Method,
    pub(super) outcome: Outcome,
    pub(super) client_label: &'a str,
    pub(super) network: Option<&'a str>,
    pub(super) device_hash: Option<[u8; 32]>,
    pub(super) suspicious: &'a [Suspicion],
}

/// Writes a sign-in, and clears away those of the account from before `keep_since`.
pub(super) async fn insert_sign_in(tx: &mut Tx, new: &NewSignIn<'_>, keep_since: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&DELETE_OLD_SIGN_INS);
    on!(tx.conn(), c => sqlx::query(sql).bind(new.account).bind(keep_since).execute(c).await.map(|_| ()))?;
    let suspicious = new.suspicious.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(",");
    let device = new.device_hash.map(|hash| hash.to_vec());
    let sql = tx.sql(&INSERT_SIGN_IN);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(new.account).bind(new.id).bind(new.at).bind(Text(new.method)).bind(Text(new.outcome))
        .bind(new.client_label).bind(new.network).bind(device).bind(suspicious)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Sign-ins in all, from the device, from the network; wrong passwords since an instant.
pub(super) async fn history(
    tx: &mut Tx,
    account: AccountId,
    device_hash: Option<&[u8; 32]>,
    network: Option<&str>,
    since: Timestamp,
) -> Result<(i64, i64, i64, i64), DbError> {
    let (sql, device) = (tx.sql(&HISTORY), device_hash.map(|hash| hash.to_vec()));
    Ok(on!(tx.conn(), c => sqlx::query_as(sql)
        .bind(account).bind(device).bind(network).bind(since).fetch_one(c).await)?)
}

pub(super) async fn sign_in_pages(
    db: &Db,
    accounts: &[AccountId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<(AccountId, SignInRecord)>, DbError> {
    let sql = db.sql(if request.is_forward() { &SIGN_INS_FORWARD } else { &SIGN_INS_BACKWARD });
    let ((time, id), accounts) = (request.start(false), Uuids::new(accounts.iter().copied()));
    let rows: Vec<SignInRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(accounts).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.into())).collect())
}

pub(super) async fn forget_attempts(tx: &mut Tx, before: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&FORGET_ATTEMPTS);
    on!(tx.conn(), c => sqlx::query(sql).bind(before).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Counts an attempt and answers with how many there are; `None` if the time for one has not come.
pub(super) async fn take_attempt(
    tx: &mut Tx,
    guarded: &[u8; 32],
    now: Timestamp,
    forget: Timestamp,
) -> Result<Option<i64>, DbError> {
    let sql = tx.sql(&TAKE_ATTEMPT);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql)
        .bind(guarded.to_vec()).bind(now).bind(forget).fetch_optional(c).await)?)
}

pub(super) async fn delay_attempts(tx: &mut Tx, guarded: &[u8; 32], next_at: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&DELAY_ATTEMPTS);
    on!(tx.conn(), c => sqlx::query(sql).bind(guarded.to_vec()).bind(next_at).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn next_attempt(tx: &mut Tx, guarded: &[u8; 32]) -> Result<Option<Timestamp>, DbError> {
    let sql = tx.sql(&NEXT_ATTEMPT);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(guarded.to_vec()).fetch_optional(c).await)?)
}

/// Writes that there was an attempt just now, which is known already.
pub(super) async fn touch(tx: &mut Tx, guarded: &[u8; 32], now: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&TOUCH);
    on!(tx.conn(), c => sqlx::query(sql).bind(guarded.to_vec()).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Forgets every attempt on what is guarded.
pub(super) async fn forgive(tx: &mut Tx, guarded: &[u8; 32]) -> Result<(), DbError> {
    let sql = tx.sql(&FORGIVE);
    on!(tx.conn(), c => sqlx::query(sql).bind(guarded.to_vec()).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Takes one attempt back.
pub(super) async fn forgive_one(tx: &mut Tx, guarded: &[u8; 32]) -> Result<(), DbError> {
    let sql = tx.sql(&FORGIVE_ONE);
    on!(tx.conn(), c => sqlx::query(sql).bind(guarded.to_vec()).execute(c).await.map(|_| ()))?;
    Ok(())
}
