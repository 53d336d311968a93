//! What those areas that lead people to their accounts ask of the one that signs them in.

use futures_util::future::BoxFuture;

use crate::{db::DbError, ids::AccountId};

/// Why the door stays shut, in words for the person who stands before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TurnedAway(pub String);

/// Who comes with which browser.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The `Cookie` header, for the cookie of a known device.
    pub cookies: Option<String>,
    /// The network that the request came from, shortened.
    pub network: Option<String>,
}

/// Passwords, verified addresses and sessions, as `recovery` and `oidc` need them.
pub trait Door: Send + Sync {
    /// Sets a password for somebody who has read a mail to her address: ends all sessions, notes that the address is
    /// hers, and tells her by mail. Or says what is wrong with the password.
    fn set_password<'a>(
        &'a self,
        account: AccountId,
        password: &'a str,
    ) -> BoxFuture<'a, Result<Result<(), TurnedAway>, DbError>>;

    /// Whether the account's address is known to be its owner's.
    fn is_verified(&self, account: AccountId) -> BoxFuture<'_, Result<bool, DbError>>;

    /// Notes that the account's address is its owner's.
    fn mark_verified(&self, account: AccountId) -> BoxFuture<'_, Result<(), DbError>>;

    /// Opens a session for somebody whom another provider vouches for. Answers with the values of `Set-Cookie`.
    fn open_session(
        &self,
        account: AccountId,
        arrival: Arrival,
    ) -> BoxFuture<'_, Result<Result<Vec<String>, TurnedAway>, DbError>>;
}

/// The door of an installation where nobody signs in but with tokens from the command line.
pub(crate) struct Closed;

impl Closed {
    fn turned_away() -> TurnedAway {
        TurnedAway("nobody signs in with a password or a provider here: ask who runs it for a token".to_owned())
    }
}

impl Door for Closed {
    fn set_password<'a>(
        &'a self,
        _account: AccountId,
        _password: &'a str,
    ) -> BoxFuture<'a, Result<Result<(), TurnedAway>, DbError>> {
        Box::pin(async { Ok(Err(Self::turned_away())) })
    }

    fn is_verified(&self, _account: AccountId) -> BoxFuture<'_, Result<bool, DbError>> {
        Box::pin(async { Ok(false) })
    }

    fn mark_verified(&self, _account: AccountId) -> BoxFuture<'_, Result<(), DbError>> {
        Box::pin(async { Ok(()) })
    }

    fn open_session(
        &self,
        _account: AccountId,
        _arrival: Arrival,
    ) -> BoxFuture<'_, Result<Result<Vec<String>, TurnedAway>, DbError>> {
        Box::pin(async { Ok(Err(Self::turned_away())) })
    }
}
