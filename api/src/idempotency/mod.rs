//! Doing a thing once although it was sent twice.
//!
//! A client that may have to send a mutation again (it lost the connection before the answer came) gives a key of its own
//! making. The first request under the key does the work and keeps what came of it, in the same transaction; another with the
//! same content is answered with that; another with a different content is refused. Keys are kept for [`KEPT_DAYS`] days.

pub(crate) mod store;

use sha2::{Digest as _, Sha256};

use crate::{
    db::{Db, DbError, Tx},
    ids::AccountId,
    time::Timestamp,
};

/// For how long a key is remembered.
pub const KEPT_DAYS: i64 = 7;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 100;

/// A key that a client gave, with what it was given for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    account: AccountId,
    text: String,
    request_hash: Vec<u8>,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing: do the work, then [`Key::keep`] its result.
    First,
    /// The work was done, and this came of it.
    Again(String),
    /// It was used for something else.
    Other,
}

/// Why a key can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// Empty or too long.
    #[error("an idempotency key has 1 to {MAX_KEY} bytes; this one has {0}")]
    Length(usize),
    /// Used before for another request.
    #[error("this idempotency key was used for something else: make a new one for each thing you do")]
    Reused,
}

impl Key {
    /// A key for an operation with these inputs; whatever makes a difference to the work belongs into `request`.
    pub(crate) fn new(account: AccountId, key: &str, operation: &str, request: &[&[u8]]) -> Result<Self, KeyRefusal> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(KeyRefusal::Length(key.len()));
        }
        let mut hash = Sha256::new();
        for part in std::iter::once(operation.as_bytes()).chain(request.iter().copied()) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Self { account, text: key.to_owned(), request_hash: hash.finalize().to_vec() })
    }

    /// Takes the key for this transaction. Another request with it waits until the transaction ends.
    pub(crate) async fn claim(&self, tx: &mut Tx, now: Timestamp) -> Result<Claim, DbError> {
        if store::insert(tx, self.account, &self.text, &self.request_hash, now).await? {
            return Ok(Claim::First);
        }
        Ok(match store::find(tx, self.account, &self.text).await? {
            Some((hash, result)) if hash == self.request_hash => Claim::Again(result),
            _ => Claim::Other,
        })
    }

    /// Keeps what came of the work, such as the id of what was made.
    pub(crate) async fn keep(&self, tx: &mut Tx, result: &str) -> Result<(), DbError> {
        store::keep(tx, self.account, &self.text, result).await
    }
}

/// Forgets the keys whose time is over; how many there were.
pub(crate) async fn prune(db: &Db, now: Timestamp) -> Result<u64, DbError> {
    store::prune(db, Timestamp(now.0 - KEPT_DAYS * 86_400_000_000)).await
}
