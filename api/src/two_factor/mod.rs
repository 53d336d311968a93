//! A second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes for whoever has lost hers.
//!
//! Invariant: a code works once, also under two requests at once: it is spent in the transaction that finds it right,
//! with the row held. Wrong codes are counted in the same row, so that every server counts the same.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use totp_rs::{Builder, Totp};
use uuid::Uuid;

use crate::{
    accounts::secret::{SecretKey, random_bytes},
    db::{Db, DbError, Tx},
    ids::AccountId,
    mail::{Outbox, model::Kind},
    time::{Clock, Timestamp},
};
use model::{Checked, Enrolling, RecoveryCodes};
use store::Factor;

/// Under this name authenticators list the account.
const ISSUER: &str = "Stoa";
/// What the secrets are sealed for.
const SEALED_FOR: &str = "second factor";
/// How many wrong codes may be tried …
const MAX_FAILURES: i64 = 5;
/// … within this time, in microseconds.
const FAILURES_LIFE: i64 = 15 * 60 * 1_000_000;
/// How many recovery codes somebody gets.
const RECOVERY_CODES: usize = 10;
/// How many letters a recovery code has: 12 of 32 kinds are 60 bits, which nobody guesses.
const RECOVERY_LETTERS: usize = 12;
/// Crockford's letters, which are not taken for each other.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The service of second factors.
#[derive(Clone, Debug)]
pub struct TwoFactor {
    db: Db,
    clock: Clock,
    key: SecretKey,
    outbox: Outbox,
}

/// Why something was not done: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// On already.
    #[error("your second factor is on already: turn it off first if you want another authenticator")]
    AlreadyOn,
    /// Nothing to confirm.
    #[error("there is nothing to confirm: call startTwoFactor first")]
    NotStarted,
    /// Off.
    #[error("you have no second factor")]
    NotOn,
    /// The code is wrong.
    #[error(
        "this code is not right, or was used before: wait for your authenticator's next one, and look at its clock"
    )]
    Wrong,
    /// Too many wrong codes.
    #[error("there were too many wrong codes: try again after {0}")]
    Throttled(Timestamp),
}

impl TwoFactor {
    /// The service.
    pub fn new(db: Db, clock: Clock, key: SecretKey, outbox: Outbox) -> Self {
        Self { db, clock, key, outbox }
    }

    /// Begins: makes a secret, which counts for nothing until [`TwoFactor::confirm`]. Beginning again makes another.
    pub async fn start(&self, account: AccountId) -> Result<Result<Enrolling, Refusal>, DbError> {
        let label = store::label(&self.db, account).await?.unwrap_or_default();
        let secret = random_bytes::<20>();
        let sealed = self.key.seal(SEALED_FOR, account.0, &secret);
        if !store::put(&self.db, account, sealed).await? {
            return Ok(Err(Refusal::AlreadyOn));
        }
        let totp = authenticator(&secret, &label)?;
        let uri = totp.to_url().map_err(|_| DbError::Sealed)?;
        Ok(Ok(Enrolling { secret: totp.secret().to_base32(), uri }))
    }

    /// Turns the second factor on, if the code shows that the authenticator has the secret. That counts as shown in the
    /// session.
    pub async fn confirm(
        &self,
        account: AccountId,
        session: Option<Uuid>,
        code: &str,
    ) -> Result<Result<RecoveryCodes, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let factor = match store::lock(&mut tx, account).await? {
            None => return Ok(Err(Refusal::NotStarted)),
            Some(factor) if factor.enabled_at.is_some() => return Ok(Err(Refusal::AlreadyOn)),
            Some(factor) => factor,
        };
        let checked = self.look_at(&mut tx, account, &factor, code).await?;
        let codes = match refused(checked) {
            None => {
                store::enable(&mut tx, account, self.clock.now()).await?;
                if let Some(session) = session {
                    store::mark_session(&mut tx, account, session).await?;
                }
                self.outbox.add(&mut tx, account, Kind::TwoFactorChanged, "").await?;
                Ok(self.put_recovery_codes(&mut tx, account).await?)
            }
            Some(refusal) => Err(refusal),
        };
        tx.commit().await?;
        self.outbox.ring();
        Ok(codes)
    }

    /// Whether this is the present code, or a recovery code. What is right is spent by that.
    pub async fn check(&self, account: AccountId, code: &str) -> Result<Checked, DbError> {
        let mut tx = self.db.begin().await?;
        let checked = self.check_in(&mut tx, account, code).await?;
        tx.commit().await?;
        Ok(checked)
    }

    /// Shows a second factor in a session that was opened without.
    pub async fn show(&self, account: AccountId, session: Uuid, code: &str) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let refusal = refused(self.check_in(&mut tx, account, code).await?);
        if refusal.is_none() {
            store::mark_session(&mut tx, account, session).await?;
        }
        tx.commit().await?;
        Ok(refusal.map_or(Ok(()), Err))
    }

    /// Turns the second factor off, and forgets it: no session and no token has shown one any more.
    pub async fn disable(&self, account: AccountId, code: &str) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let refusal = refused(self.check_in(&mut tx, account, code).await?);
        if refusal.is_none() {
            store::remove(&mut tx, account).await?;
            store::unmark(&mut tx, account).await?;
            self.outbox.add(&mut tx, account, Kind::TwoFactorChanged, "").await?;
        }
        tx.commit().await?;
        self.outbox.ring();
        Ok(refusal.map_or(Ok(()), Err))
    }

    /// New recovery codes in place of those that are left.
    pub async fn renew_recovery_codes(
        &self,
        account: AccountId,
        code: &str,
    ) -> Result<Result<RecoveryCodes, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let codes = match refused(self.check_in(&mut tx, account, code).await?) {
            None => Ok(self.put_recovery_codes(&mut tx, account).await?),
            Some(refusal) => Err(refusal),
        };
        tx.commit().await?;
        Ok(codes)
    }

    /// Whether somebody has a second factor.
    pub async fn is_on(&self, account: AccountId) -> Result<bool, DbError> {
        Ok(!store::states(&self.db, &[account]).await?.is_empty())
    }

    /// Whether somebody has a second factor, held until the transaction ends.
    pub(crate) async fn is_on_in(&self, tx: &mut Tx, account: AccountId) -> Result<bool, DbError> {
        Ok(store::lock(tx, account).await?.is_some_and(|factor| factor.enabled_at.is_some()))
    }

    async fn check_in(&self, tx: &mut Tx, account: AccountId, code: &str) -> Result<Checked, DbError> {
        match store::lock(tx, account).await? {
            Some(factor) if factor.enabled_at.is_some() => self.look_at(tx, account, &factor, code).await,
            _ => Ok(Checked::NotOn),
        }
    }

    /// Looks at a code for a second factor that is held. A right one is spent, a wrong one counted.
    async fn look_at(&self, tx: &mut Tx, account: AccountId, factor: &Factor, code: &str) -> Result<Checked, DbError> {
        let now = self.clock.now();
        let ends = Timestamp(factor.failing_since.0 + FAILURES_LIFE);
        let failures = if now < ends { factor.failures } else { 0 };
        if failures >= MAX_FAILURES {
            return Ok(Checked::Throttled(ends));
        }
        let secret = self.key.unseal(SEALED_FOR, account.0, &factor.sealed_secret).ok_or(DbError::Sealed)?;
        let shown: String = code.chars().filter(char::is_ascii_digit).collect();
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let step = authenticator(&secret, "")?.check(&shown, seconds).and_then(|step| i64::try_from(step).ok());
        if let Some(step) = step.filter(|step| is_of_digits(code) && *step > factor.last_step) {
            store::spend_step(tx, account, step).await?;
            return Ok(Checked::Right);
        }
        if let Some(code) = read_recovery_code(code)
            && store::spend_recovery_code(tx, account, &self.recovery_hash(account, &code)).await?
        {
            return Ok(Checked::RightByRecovery);
        }
        let since = if failures == 0 { now } else { factor.failing_since };
        store::put_failures(tx, account, failures + 1, since).await?;
        Ok(Checked::Wrong)
    }

    async fn put_recovery_codes(&self, tx: &mut Tx, account: AccountId) -> Result<RecoveryCodes, DbError> {
        let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| new_recovery_code()).collect();
        let hashes: Vec<_> = codes.iter().map(|code| self.recovery_hash(account, code)).collect();
        store::remove_recovery_codes(tx, account).await?;
        store::put_recovery_codes(tx, account, &hashes).await?;
        Ok(RecoveryCodes(codes.iter().map(|code| written(code)).collect()))
    }

    fn recovery_hash(&self, account: AccountId, code: &str) -> [u8; 32] {
        self.key.keyed_hash("recovery code", &[account.0.as_bytes(), code.as_bytes()].concat())
    }
}

fn refused(checked: Checked) -> Option<Refusal> {
    match checked {
        Checked::Right | Checked::RightByRecovery => None,
        Checked::Wrong => Some(Refusal::Wrong),
        Checked::Throttled(until) => Some(Refusal::Throttled(until)),
        Checked::NotOn => Some(Refusal::NotOn),
    }
}

/// Codes as every authenticator makes them by default: SHA-1, six digits, 30 seconds. Those of the step before and
/// of the one after are taken too, since clocks differ and typing takes time.
fn authenticator(secret: &[u8], label: &str) -> Result<Totp, DbError> {
    Builder::new()
        .with_secret(secret)
        .with_issuer(Some(ISSUER))
        // A colon would end the issuer's name.
        .with_account_name(label.replace(':', " "))
        .build()
        // A secret of another length was not made here.
        .map_err(|_| DbError::Sealed)
}

/// Six digits, perhaps with a space between: not a recovery code, which has letters or is longer.
fn is_of_digits(code: &str) -> bool {
    code.chars().all(|c| c.is_ascii_digit() || c.is_whitespace())
}

fn new_recovery_code() -> String {
    random_bytes::<RECOVERY_LETTERS>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// `k7wq-9mxd-4tbz`
fn written(code: &str) -> String {
    [&code[..4], &code[4..8], &code[8..]].join("-")
}

/// A recovery code as it was typed: any case, with or without hyphens, and letters that look like digits as these.
fn read_recovery_code(typed: &str) -> Option<String> {
    let code: String = typed
        .chars()
        .filter(|c| *c != '-' && !c.is_whitespace())
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        })
        .take(RECOVERY_LETTERS + 1)
        .collect();
    (code.len() == RECOVERY_LETTERS && code.bytes().all(|byte| LETTERS.contains(&byte))).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6238 (appendix B), cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let totp = authenticator(b"12345678901234567890", "ada@example.org").unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(totp.generate(seconds).to_string(), code);
        }
        assert_eq!(totp.check("287082", 59 + 30), Some(1), "the step before");
        assert_eq!(totp.check("287082", 59 + 60), None);
        assert_eq!(
            totp.to_url().unwrap(),
            "otpauth://totp/Stoa:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stoa"
        );
    }

    #[test]
    fn a_recovery_code_is_read_as_people_type_it() {
        let code = new_recovery_code();
        assert_eq!(read_recovery_code(&written(&code)), Some(code.clone()));
        assert_eq!(read_recovery_code(&code.to_uppercase()), Some(code));
        assert_eq!(read_recovery_code("O0il-1111 aaaa").as_deref(), Some("00111111aaaa"));
        for wrong in ["", "123456", "k7wq-9mxd", "k7wq-9mxd-4tbzz", "k7wq-9mxd-4tbu", "k7wq-9mxd-4tbß"] {
            assert_eq!(read_recovery_code(wrong), None, "{wrong}");
        }
    }
}
