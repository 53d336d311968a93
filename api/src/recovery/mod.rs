//! Back into an account: whose an address is, and a new password for who forgot hers. Both by a one-time token
//! that only a reader of her mail has.
//!
//! Invariant: who asks for a new password learns nothing of whether there is such an account.

pub(crate) mod graphql;
pub mod model;
pub(crate) mod store;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    accounts::{Accounts, looks_like_email, secret::random_bytes},
    db::{Db, DbError},
    ids::AccountId,
    mail::{Outbox, model::Kind},
    sign_in::SignIn,
    time::{Clock, Timestamp},
};
use model::{OneTimeToken, Refusal, TokenKind};

/// So many mails of a kind go to one address within so many seconds.
const FOR_ADDRESS: (i64, i64) = (3, 3_600);
/// So many requests come from one network within an hour. A class behind one address is such a network.
const FOR_NETWORK: u32 = 60;
/// So many networks are remembered; beyond, the count begins anew.
const NETWORKS: usize = 10_000;

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Recovery {
    db: Db,
    clock: Clock,
    accounts: Accounts,
    outbox: Outbox,
    sign_in: SignIn,
    networks: Arc<Mutex<Networks>>,
}

/// How many requests came from each network in an hour.
#[derive(Default)]
struct Networks {
    hour: i64,
    counts: HashMap<String, u32>,
}

impl Recovery {
    /// The service, with who sets passwords.
    pub fn new(db: Db, clock: Clock, accounts: Accounts, outbox: Outbox, sign_in: SignIn) -> Self {
        Self { db, clock, accounts, outbox, sign_in, networks: Arc::default() }
    }

    /// Asks for a mail with a link that shows that her address is hers. If that is known already, nothing happens.
    pub async fn request_verification(&self, account: AccountId) -> Result<Result<(), Refusal>, DbError> {
        if self.sign_in.is_verified(account).await? {
            return Ok(Ok(()));
        }
        let mut tx = self.db.begin().await?;
        if !self.outbox.add_at_most(&mut tx, account, Kind::VerifyAddress, FOR_ADDRESS).await? {
            return Ok(Err(Refusal::TooMany));
        }
        tx.commit().await?;
        self.outbox.ring();
        Ok(Ok(()))
    }

    /// Takes a token from such a mail. When that shows for the first time that the address is hers, somebody else may
    /// have signed up with it, and be inside. It was herself if this comes in a session of the account (`viewer`), or
    /// with its password; else password, second factor, sessions and tokens go.
    pub async fn verify(
        &self,
        token: &str,
        viewer: Option<AccountId>,
        password: Option<&str>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let Some((account, hash)) = read(token) else { return Ok(Err(Refusal::Token)) };
        let (kind, now) = (TokenKind::VerifyAddress, self.clock.now());
        if !store::is_good(&self.db, (account, &hash), kind, now).await? {
            return Ok(Err(Refusal::Token));
        }
        let by_herself = match password {
            _ if viewer == Some(account) => true,
            // No guessing: the token is spent whether it is right or not.
            Some(password) => self.sign_in.has_password(account, password).await?,
            None => false,
        };
        let mut tx = self.db.begin().await?;
        let verified_before = self.sign_in.hold(&mut tx, account).await?;
        if !store::take(&mut tx, (account, &hash), kind, now).await? {
            return Ok(Err(Refusal::Token));
        }
        store::forget(&mut tx, account, kind).await?;
        if !verified_before {
            self.sign_in.verify_first(&mut tx, account, by_herself).await?;
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Asks for a mail with a link to set a new password. Whether there is such an account is looked up when the mail
    /// is sent: neither the answer nor the work that it takes tells.
    pub async fn request_reset(&self, email: &str, network: Option<&str>) -> Result<Result<(), Refusal>, DbError> {
        if !looks_like_email(email.trim()) {
            return Ok(Err(Refusal::Address));
        }
        if !self.has_room(network) {
            return Ok(Err(Refusal::TooMany));
        }
        let hash = self.accounts.email_hash(email);
        let mut tx = self.db.begin().await?;
        if !self.outbox.add_for_address(&mut tx, &hash, Kind::ResetPassword, FOR_ADDRESS).await? {
            return Ok(Err(Refusal::TooMany));
        }
        tx.commit().await?;
        self.outbox.ring();
        Ok(Ok(()))
    }

    /// Sets a new password with a token from such a mail. Her sessions and tokens end, and so does a second factor that
    /// was set up before it was known whose the address is. A password that is refused does not use the token up.
    pub async fn reset(&self, token: &str, password: &str) -> Result<Result<(), Refusal>, DbError> {
        let Some((account, hash)) = read(token) else { return Ok(Err(Refusal::Token)) };
        let (kind, now) = (TokenKind::ResetPassword, self.clock.now());
        // First, since a refusal of the password tells something of her name and address.
        if !store::is_good(&self.db, (account, &hash), kind, now).await? {
            return Ok(Err(Refusal::Token));
        }
        let password = match self.sign_in.hash(account, password).await? {
            Ok(password) => password,
            Err(refusal) => return Ok(Err(Refusal::Password(refusal))),
        };
        let mut tx = self.db.begin().await?;
        let verified_before = self.sign_in.hold(&mut tx, account).await?;
        if !store::take(&mut tx, (account, &hash), kind, now).await? {
            return Ok(Err(Refusal::Token));
        }
        self.sign_in.reset_password(&mut tx, account, &password, verified_before).await?;
        tx.commit().await?;
        self.outbox.ring();
        Ok(Ok(()))
    }

    /// Makes a token. It is written into a mail at once; what is stored is its hash.
    pub(crate) async fn issue(&self, account: AccountId, kind: TokenKind) -> Result<OneTimeToken, DbError> {
        let secret = random_bytes::<32>();
        let now = self.clock.now();
        let expires_at = Timestamp(now.0 + kind.lasts() * 1_000_000);
        store::issue(&self.db, (account, &Sha256::digest(secret).into()), kind, now, expires_at).await?;
        Ok(written(account, &secret))
    }

    /// Whether a network may ask once more in this hour.
    fn has_room(&self, network: Option<&str>) -> bool {
        let Some(network) = network else { return true };
        let hour = self.clock.now().seconds() / 3_600;
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if networks.hour != hour || networks.counts.len() > NETWORKS {
            *networks = Networks { hour, counts: HashMap::new() };
        }
        let count = networks.counts.entry(network.to_owned()).or_default();
        *count += 1;
        *count <= FOR_NETWORK
    }
}

fn written(account: AccountId, secret: &[u8; 32]) -> OneTimeToken {
    let mut bytes = [0; 48];
    bytes[..16].copy_from_slice(account.0.as_bytes());
    bytes[16..].copy_from_slice(secret);
    OneTimeToken(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whose token it is, and its hash. The look-up is by the hash of random bytes, so its timing tells nothing.
fn read(token: &str) -> Option<(AccountId, [u8; 32])> {
    let bytes = URL_SAFE_NO_PAD.decode(token.trim()).ok()?;
    let (account, secret) = bytes.split_first_chunk::<16>()?;
    let secret: [u8; 32] = secret.try_into().ok()?;
    Some((AccountId(Uuid::from_bytes(*account)), Sha256::digest(secret).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_does_not_show_itself() {
        let account = AccountId(Uuid::from_u128(7));
        let token = written(account, &[9; 32]);
        assert_eq!(read(token.secret_text()), Some((account, Sha256::digest([9; 32]).into())));
        assert_eq!(format!("{token:?}"), "<one-time token>");
        for broken in ["", "AAAA", &token.secret_text()[..40], &format!("{}A", token.secret_text())] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
