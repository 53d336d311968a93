//! New passwords, and whose an address is.

use uuid::Uuid;

use super::{FREE_BY_ADDRESS, PasswordRefusal, SignIn, model::ChangePasswordRefusal, personal, store, throttle::Guard};
use crate::{
    accounts,
    db::{DbError, Tx},
    ids::AccountId,
    mail::model::Kind,
    recovery::{self, model::TokenKind},
    two_factor,
};

impl SignIn {
    /// Whether the account's address is known to be its holder's.
    pub async fn is_verified(&self, account: AccountId) -> Result<bool, DbError> {
        store::is_verified(&self.db, account).await
    }

    /// Notes that the account's address is its holder's.
    pub async fn mark_verified(&self, account: AccountId) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        store::verify_email(&mut tx, account, self.clock.now()).await?;
        tx.commit().await
    }

    /// Changes a password for whoever knows the present one, and ends every session but this one.
    pub async fn change_password(
        &self,
        account: AccountId,
        (present, new): (&str, &str),
        session: Option<Uuid>,
    ) -> Result<Result<(), ChangePasswordRefusal>, DbError> {
        let guard = Guard { hash: self.accounts.keyed_hash("password", account.0.as_bytes()), free: FREE_BY_ADDRESS };
        if let Err(retry) = self.take(&[guard]).await? {
            return Ok(Err(ChangePasswordRefusal::Throttled(retry)));
        }
        if !self.has_password(account, present).await? {
            return Ok(Err(ChangePasswordRefusal::WrongPassword));
        }
        let mut tx = self.db.begin().await?;
        store::forgive(&mut tx, &guard.hash).await?;
        tx.commit().await?;
        let hash = match self.hash(account, new).await? {
            Ok(hash) => hash,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let mut tx = self.db.begin().await?;
        store::hold(&mut tx, account).await?;
        self.put_password(&mut tx, account, &hash, session).await?;
        tx.commit().await?;
        self.accounts.outbox.ring();
        Ok(Ok(()))
    }

    /// Sets a password for somebody who has proved otherwise who she is, and that the address is hers. Ends every session.
    pub async fn set_password(
        &self,
        account: AccountId,
        password: &str,
    ) -> Result<Result<(), PasswordRefusal>, DbError> {
        let hash = match self.hash(account, password).await? {
            Ok(hash) => hash,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut tx = self.db.begin().await?;
        store::hold(&mut tx, account).await?;
        self.put_password(&mut tx, account, &hash, None).await?;
        store::verify_email(&mut tx, account, self.clock.now()).await?;
        tx.commit().await?;
        self.accounts.outbox.ring();
        Ok(Ok(()))
    }

    /// Whether it is her password. Who may try how often is the caller's to see to.
    pub(crate) async fn has_password(&self, account: AccountId, password: &str) -> Result<bool, DbError> {
        Ok(self.hasher.verify(password, store::password(&self.db, account).await?).await)
    }

    /// The hash of a new password for somebody, or why it is not good enough.
    pub(crate) async fn hash(
        &self,
        account: AccountId,
        password: &str,
    ) -> Result<Result<String, PasswordRefusal>, DbError> {
        let (name, email) = store::names(&self.db, account).await?.unwrap_or_default();
        Ok(self.hasher.hash(password, &personal(&name, email.as_deref())).await)
    }

    /// Holds an account until the transaction ends: no session opens meanwhile with a password. Whether its address is
    /// verified.
    pub(crate) async fn hold(&self, tx: &mut Tx, account: AccountId) -> Result<bool, DbError> {
        store::hold(tx, account).await
    }

    /// A new password by the mail to her address: whoever was inside is outside now. If it was not known before that the
    /// address is hers, a second factor may be somebody else's, and goes, too.
    pub(crate) async fn reset_password(
        &self,
        tx: &mut Tx,
        account: AccountId,
        hash: &str,
        verified_before: bool,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        self.put_password(tx, account, hash, None).await?;
        accounts::store::revoke_tokens(tx, account, now).await?;
        if !verified_before {
            two_factor::store::remove(tx, account).await?;
        }
        store::verify_email(tx, account, now).await
    }

    /// Notes that an address is its holder's. If it can't be told that she is also who signed up with it
    /// (`by_herself`), it may have been somebody else: all that opens the account goes.
    pub(crate) async fn verify_first(&self, tx: &mut Tx, account: AccountId, by_herself: bool) -> Result<(), DbError> {
        let now = self.clock.now();
        if !by_herself {
            store::remove_password(tx, account).await?;
            store::revoke_sessions(tx, account, None, now).await?;
            accounts::store::revoke_tokens(tx, account, now).await?;
            two_factor::store::remove(tx, account).await?;
            recovery::store::forget(tx, account, TokenKind::ResetPassword).await?;
        }
        store::verify_email(tx, account, now).await
    }

    /// Ends every session but one, and links to set another password.
    async fn put_password(
        &self,
        tx: &mut Tx,
        account: AccountId,
        hash: &str,
        session: Option<Uuid>,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        store::put_password(tx, account, hash, now).await?;
        store::revoke_sessions(tx, account, session, now).await?;
        recovery::store::forget(tx, account, TokenKind::ResetPassword).await?;
        self.accounts.outbox.add(tx, account, Kind::PasswordChanged, "").await
    }
}
