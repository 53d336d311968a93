//! Somebody at the door who remembers what was asked of her.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use stoa_api::{
    accounts::door::{Arrival, Door, TurnedAway},
    db::DbError,
    ids::AccountId,
};

/// Takes passwords of at least ten characters, and lets everybody in.
#[derive(Debug, Default)]
pub struct Doorkeeper {
    passwords: Mutex<HashMap<AccountId, String>>,
    verified: Mutex<HashSet<AccountId>>,
}

impl Doorkeeper {
    /// The password that was set last.
    pub fn password(&self, account: AccountId) -> Option<String> {
        held(&self.passwords).get(&account).cloned()
    }

    /// Whether the address was verified.
    pub fn has_verified(&self, account: AccountId) -> bool {
        held(&self.verified).contains(&account)
    }
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Door for Doorkeeper {
    fn set_password<'a>(
        &'a self,
        account: AccountId,
        password: &'a str,
    ) -> BoxFuture<'a, Result<Result<(), TurnedAway>, DbError>> {
        Box::pin(async move {
            if password.chars().count() < 10 {
                return Ok(Err(TurnedAway("a password has at least 10 characters".to_owned())));
            }
            held(&self.passwords).insert(account, password.to_owned());
            Ok(Ok(()))
        })
    }

    fn is_verified(&self, account: AccountId) -> BoxFuture<'_, Result<bool, DbError>> {
        Box::pin(async move { Ok(self.has_verified(account)) })
    }

    fn mark_verified(&self, account: AccountId) -> BoxFuture<'_, Result<(), DbError>> {
        Box::pin(async move {
            held(&self.verified).insert(account);
            Ok(())
        })
    }

    fn open_session(
        &self,
        account: AccountId,
        _arrival: Arrival,
    ) -> BoxFuture<'_, Result<Result<Vec<String>, TurnedAway>, DbError>> {
        Box::pin(async move { Ok(Ok(vec![format!("session-of={}", account.0)])) })
    }
}
