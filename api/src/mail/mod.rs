//! Mail: what is to be sent is written down with the change that causes it, and sent afterwards.
//!
//! Invariant: neither an address nor a text nor a token lies in the outbox or reaches a log.

mod mailer;
pub mod model;
pub(crate) mod store;
mod templates;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use tokio::sync::Notify;
use uuid::Uuid;

pub use mailer::Mailer;

use crate::{
    accounts::Accounts,
    app::App,
    db::{Db, DbError, Tx},
    ids::AccountId,
    notifications::digest,
    recovery::{Recovery, model::TokenKind},
    time::{Clock, Timestamp},
};
use model::{Addressee, Due, Kind};
use store::Outcome;

/// So often the outbox is looked at when nobody knocks: for what another server wrote, and what is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// So long a server has what it took to itself, in seconds. Twenty mails at the mailer's patience fit in.
const LEASE: i64 = 30 * 60;
/// When a mail is tried again, in seconds after each attempt. After the last it is given up.
const AGAIN_AFTER: [i64; 5] = [60, 5 * 60, 30 * 60, 2 * 3_600, 12 * 3_600];
/// So long what was dealt with is kept, in seconds.
const KEPT_FOR: i64 = 30 * 86_400;

/// What is to be sent; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    clock: Clock,
    bell: Arc<Notify>,
}

impl Outbox {
    /// The outbox.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, bell: Arc::default() }
    }

    /// How many mails are to be sent, and since when the oldest of them waits.
    pub(crate) async fn depth(&self, db: &Db) -> Result<(i64, Option<Timestamp>), DbError> {
        store::depth(db).await
    }

    /// Writes down that a mail is to be sent, in the transaction of what causes it. `argument` is what the mail
    /// needs to name, such as a case: nothing secret, at most 200 characters. Call [`Outbox::ring`] after the commit.
    pub async fn add(&self, tx: &mut Tx, account: AccountId, kind: Kind, argument: &str) -> Result<(), DbError> {
        store::add(tx, account, self.clock.id(), (kind, argument), self.clock.now()).await
    }

    /// As [`Outbox::add`], for whoever has the address with this keyed hash, if anybody has: that is found when it is
    /// sent. So a request costs the same whether there is such an account. Limited as [`Outbox::add_at_most`] is.
    pub(crate) async fn add_for_address(
        &self,
        tx: &mut Tx,
        email_hash: &[u8; 32],
        kind: Kind,
        limit: (i64, i64),
    ) -> Result<bool, DbError> {
        // Not an account's id; but what concerns one address lies together.
        let mut owner = [0; 16];
        owner.copy_from_slice(&email_hash[..16]);
        let owner = AccountId(uuid::Builder::from_custom_bytes(owner).into_uuid());
        self.add_limited(tx, owner, (kind, &hex(email_hash)), limit).await
    }

    /// As [`Outbox::add`], unless there were so many (`limit.0`) of the kind in so many seconds (`limit.1`) already: then `Ok(false)`.
    pub(crate) async fn add_at_most(
        &self,
        tx: &mut Tx,
        account: AccountId,
        kind: Kind,
        limit: (i64, i64),
    ) -> Result<bool, DbError> {
        self.add_limited(tx, account, (kind, ""), limit).await
    }

    async fn add_limited(
        &self,
        tx: &mut Tx,
        owner: AccountId,
        (kind, argument): (Kind, &str),
        (most, seconds): (i64, i64),
    ) -> Result<bool, DbError> {
        let since = after(self.clock.now(), -seconds);
        if store::count_since(tx, owner, kind, since).await? >= most {
            return Ok(false);
        }
        self.add(tx, owner, kind, argument).await?;
        Ok(true)
    }

    /// Tells this process's sender that something was committed.
    pub fn ring(&self) {
        self.bell.notify_one();
    }
}

/// Sends what is in the outbox.
pub struct Sender {
    db: Db,
    clock: Clock,
    outbox: Outbox,
    accounts: Accounts,
    recovery: Recovery,
    mailer: Mailer,
    app: App,
}

impl Sender {
    /// The sender of an installation.
    pub fn new(app: &App, mailer: Mailer) -> Self {
        Self {
            db: app.db.clone(),
            clock: app.clock.clone(),
            outbox: app.outbox.clone(),
            accounts: app.accounts.clone(),
            recovery: app.recovery.clone(),
            app: app.clone(),
            mailer,
        }
    }

    /// Sends for ever, at once when the bell rings.
    pub async fn keep_sending(&self) {
        loop {
            match self.send_due().await {
                Ok(0) => {
                    let _ = tokio::time::timeout(LOOK_EVERY, self.outbox.bell.notified()).await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the outbox can't be read");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    /// Takes what is due, at most 20, and sends it. Answers with how many were taken.
    pub async fn send_due(&self) -> Result<usize, DbError> {
        let now = self.clock.now();
        let due = store::claim(&self.db, now, after(now, LEASE)).await?;
        if due.is_empty() {
            store::clear(&self.db, after(now, -KEPT_FOR)).await?;
        }
        for one in &due {
            let outcome = self.send(one).await?;
            let at = match outcome {
                Outcome::Later => after(self.clock.now(), again_after(one.attempts).unwrap_or_default()),
                Outcome::Sent | Outcome::Failed => self.clock.now(),
            };
            store::settle(&self.db, one, outcome, at).await?;
        }
        Ok(due.len())
    }

    async fn send(&self, due: &Due) -> Result<Outcome, DbError> {
        let kind = due.kind.as_str();
        if !self.mailer.is_configured() {
            tracing::warn!(kind, id = %due.id, "a mail was not sent: no mailer configured");
            return Ok(Outcome::Failed);
        }
        // Nobody has the address, or no longer. That is no failure, and the log must not tell of it.
        let Some(to) = self.addressee(due).await? else { return Ok(Outcome::Sent) };
        let base = self.mailer.base_url();
        let link = match due.kind {
            Kind::VerifyAddress => Some((TokenKind::VerifyAddress, "verify")),
            Kind::ResetPassword => Some((TokenKind::ResetPassword, "reset")),
            _ => None,
        };
        let link = match link {
            None => None,
            Some((kind, page)) => {
                let token = self.recovery.issue(to.account, kind).await?;
                Some(format!("{base}/{page}?token={}", token.secret_text()))
            }
        };
        let text = match due.kind {
            // What there is to say of it is found now. If that is nothing, it is dealt with.
            Kind::Digest => match digest::compose(&self.app, to.account, (&to.name, base), &due.argument).await? {
                Some(text) => text,
                None => return Ok(Outcome::Sent),
            },
            kind => templates::text(kind, &to.name, base, link.as_deref(), &due.argument),
        };
        match self.mailer.send(&to, due.id, text, self.clock.now()).await {
            Ok(()) => Ok(Outcome::Sent),
            Err(error) if error.is_passing() && again_after(due.attempts).is_some() => {
                tracing::warn!(kind, id = %due.id, attempts = due.attempts, %error, "a mail is tried again later");
                Ok(Outcome::Later)
            }
            Err(error) => {
                tracing::error!(kind, id = %due.id, attempts = due.attempts, %error, "a mail is given up");
                Ok(Outcome::Failed)
            }
        }
    }

    async fn addressee(&self, due: &Due) -> Result<Option<Addressee>, DbError> {
        let account = match (due.kind, unhex(&due.argument)) {
            (Kind::ResetPassword | Kind::StaffInvitation, Some(hash)) => {
                self.accounts.find_by_email_hash(&hash).await?
            }
            _ => Some(due.account),
        };
        match account {
            None => Ok(None),
            Some(account) => store::addressee(&self.db, account).await,
        }
    }
}

fn again_after(attempts: i64) -> Option<i64> {
    AGAIN_AFTER.get(usize::try_from(attempts - 1).ok()?).copied()
}

fn after(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp(at.0 + seconds * 1_000_000)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    // Two identifiers' worth of hexadecimal digits.
    let (first, second) = text.split_at_checked(32)?;
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(Uuid::try_parse(first).ok()?.as_bytes());
    bytes[16..].copy_from_slice(Uuid::try_parse(second).ok()?.as_bytes());
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_was_written_and_a_mail_is_tried_six_times() {
        let hash: [u8; 32] = std::array::from_fn(|at| at as u8 * 7);
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        assert_eq!(unhex(""), None);
        let waits: Vec<_> = (1..=7).map(again_after).collect();
        assert_eq!(waits, [Some(60), Some(300), Some(1_800), Some(7_200), Some(43_200), None, None]);
    }
}
