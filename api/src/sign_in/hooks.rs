//! What signing in asks of others, who may not be there: a sender of mails, a second factor.

use futures_util::future::BoxFuture;

use crate::{
    db::{DbError, Tx},
    ids::AccountId,
};

/// What somebody is told by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Please verify your address.
    VerifyAddress,
    /// Somebody has tried to sign up with your address.
    AddressTaken,
    /// There was a sign-in that looks as if it were somebody else's.
    NewSignIn,
    /// Your password was changed.
    PasswordChanged,
}

/// Sends notices: in the transaction of what they are about.
pub trait Notices: Send + Sync {
    /// Sends one to the holder of the account.
    fn send<'a>(&'a self, tx: &'a mut Tx, account: AccountId, notice: Notice) -> BoxFuture<'a, Result<(), DbError>>;
}

/// Checks second factors.
pub trait SecondFactor: Send + Sync {
    /// Whether the account has one.
    fn is_on(&self, account: AccountId) -> BoxFuture<'_, Result<bool, DbError>>;
    /// Whether this is a code of it.
    fn check<'a>(&'a self, account: AccountId, code: &'a str) -> BoxFuture<'a, Result<bool, DbError>>;
}

/// Nobody is told anything, and nobody has a second factor.
pub(super) struct Nothing;

impl Notices for Nothing {
    fn send<'a>(&'a self, _tx: &'a mut Tx, _account: AccountId, _notice: Notice) -> BoxFuture<'a, Result<(), DbError>> {
        Box::pin(async { Ok(()) })
    }
}

impl SecondFactor for Nothing {
    fn is_on(&self, _account: AccountId) -> BoxFuture<'_, Result<bool, DbError>> {
        Box::pin(async { Ok(false) })
    }

    fn check<'a>(&'a self, _account: AccountId, _code: &'a str) -> BoxFuture<'a, Result<bool, DbError>> {
        Box::pin(async { Ok(false) })
    }
}
