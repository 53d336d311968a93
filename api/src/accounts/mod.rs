//! Accounts: people, their roles, and how a request proves whose it is.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub mod secret;
pub(crate) mod store;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    access::{Client, Credential, TokenScope, Viewer},
    audit::{
        Audit,
        model::{Event, EventKind},
    },
    db::{Db, DbError, Tx, settings},
    ids::AccountId,
    mail::{Outbox, model::Kind},
    time::{Clock, Timestamp},
};
use model::{BearerToken, Identified, NewAccount, NewToken, SystemRole, Token};
use secret::{SecretKey, random_bytes};

/// What [`fit_name`] takes.
pub(crate) const NAME_RULE: &str = "a name has 1 to 200 characters, and no control characters such as line breaks";
/// What cursors are sealed for.
const CURSOR: &str = "cursor";
/// How every token begins, so that a leaked one is recognised.
const TOKEN_PREFIX: &str = "stoa_";

/// That a token is used is written down at most so often, in microseconds.
const USED_EVERY: i64 = 600_000_000;

/// The accounts' service.
#[derive(Clone, Debug)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    key: SecretKey,
    pub(crate) audit: Audit,
    pub(crate) outbox: Outbox,
}

/// Why a request's token was not accepted. One answer for every cause that an outsider could probe.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// Not a token of ours, unknown, revoked or expired.
    #[error(
        "the bearer token is not valid: it may have been mistyped, revoked, or have expired. Make a new one with `stoa token --email …`"
    )]
    Invalid,
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    /// Not an address.
    #[error("{0:?} is not an e-mail address")]
    Email(String),
    /// Empty or too long.
    #[error("{NAME_RULE}")]
    Name,
    /// Somebody has it.
    #[error("there is an account with this e-mail address already")]
    Taken,
    /// The database did not take it.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Why a role was not changed: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleRefusal {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// Nobody else could give roles any more.
    #[error("this is the last administrator: give somebody else the role first")]
    LastAdministrator,
}

impl Accounts {
    /// The service. Refuses a database whose keyed hashes were made with another key.
    pub async fn open(db: Db, clock: Clock, key: SecretKey, audit: Audit, outbox: Outbox) -> Result<Self, DbError> {
        let fingerprint = key.fingerprint();
        if settings::get_or_set(&db, "key_fingerprint", &fingerprint).await? != fingerprint {
            return Err(DbError::SecretKey);
        }
        Ok(Self { db, clock, key, audit, outbox })
    }

    /// The id of a person whom another system (`source`) knows by `key`. Made with the secret key: a key
    /// elsewhere is often a student's number or address, and must not lead to her here.
    pub fn imported(&self, source: &str, key: &str) -> AccountId {
        let hash = self.key.keyed_hash("account id", format!("{source}\0{key}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        AccountId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The keyed hash under which an address is found.
    pub(crate) fn email_hash(&self, email: &str) -> [u8; 32] {
        self.key.keyed_hash("email", normalised(email).as_bytes())
    }

    /// A place in a list as clients get it: sealed.
    pub(crate) fn cursor(&self, place: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.key.seal_alike(CURSOR, place))
    }

    /// The place that a cursor holds; `None` if it was not made here.
    pub(crate) fn place(&self, cursor: &str) -> Option<Vec<u8>> {
        self.key.unseal_alike(CURSOR, &URL_SAFE_NO_PAD.decode(cursor).ok()?)
    }

    /// The keyed hash of anything else, for one purpose.
    pub(crate) fn keyed_hash(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        self.key.keyed_hash(purpose, data)
    }

    /// Whose address this is.
    pub async fn find_by_email(&self, email: &str) -> Result<Option<AccountId>, DbError> {
        store::id_by_email(&self.db, &self.email_hash(email)).await
    }

    /// Whose address has this keyed hash.
    pub(crate) async fn find_by_email_hash(&self, hash: &[u8; 32]) -> Result<Option<AccountId>, DbError> {
        store::id_by_email(&self.db, hash).await
    }

    /// Whether there is such an account.
    pub async fn exists(&self, id: AccountId) -> Result<bool, DbError> {
        Ok(!store::by_ids(&self.db, &[id]).await?.is_empty())
    }

    /// A name and an address as they are stored, if they can be.
    pub(crate) fn checked(new: NewAccount) -> Result<NewAccount, CreateAccountError> {
        let email = normalised(&new.email);
        if !looks_like_email(&email) {
            return Err(CreateAccountError::Email(new.email));
        }
        let name = fit_name(&new.name).ok_or(CreateAccountError::Name)?.to_owned();
        Ok(NewAccount { name, email })
    }

    /// Makes an account of what was checked; [`DbError::Constraint`] if somebody has the address.
    pub(crate) async fn insert(&self, tx: &mut Tx, new: &NewAccount) -> Result<AccountId, DbError> {
        let id = self.clock.id();
        store::insert(tx, id, &new.name, &new.email, &self.email_hash(&new.email), self.clock.now()).await?;
        Ok(id)
    }

    /// Makes an account.
    pub async fn create(&self, new: NewAccount) -> Result<AccountId, CreateAccountError> {
        let new = Self::checked(new)?;
        if self.find_by_email(&new.email).await?.is_some() {
            return Err(CreateAccountError::Taken);
        }
        let mut tx = self.db.begin().await?;
        let id = match self.insert(&mut tx, &new).await {
            // Two at the same time: the database decides.
            Err(DbError::Constraint(_)) => return Err(CreateAccountError::Taken),
            id => id?,
        };
        tx.commit().await?;
        Ok(id)
    }

    /// Whether the account may not be used.
    pub(crate) async fn is_suspended(&self, account: AccountId) -> Result<bool, DbError> {
        store::is_suspended(&self.db, account).await
    }

    /// Gives a role by job function, or takes it away, without asking who does it: for the command line. Whether that
    /// changed anything.
    pub async fn command_role(&self, account: AccountId, role: SystemRole, held: bool) -> Result<bool, DbError> {
        let mut tx = self.db.begin().await?;
        let changed = self.put_role(&mut tx, account, role, held, Event::by_command).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Gives somebody a role by job function, or takes it from her. Doing it again changes nothing. There is always an
    /// administrator: the last one stays.
    pub async fn set_role(
        &self,
        by: &Viewer,
        account: AccountId,
        role: SystemRole,
        held: bool,
    ) -> Result<Result<(), RoleRefusal>, DbError> {
        if !self.exists(account).await? {
            return Ok(Err(RoleRefusal::NoSuchAccount));
        }
        let mut tx = self.db.begin().await?;
        if role == SystemRole::Administrator && !held {
            // Two administrators who dismiss each other at once: the second waits here, and finds herself the last.
            settings::set(&mut tx, "administrators_changed_at", &self.clock.now().to_string()).await?;
            if !store::has_other_holders(&mut tx, account, role).await? {
                return Ok(Err(RoleRefusal::LastAdministrator));
            }
        }
        self.put_role(&mut tx, account, role, held, |kind, person| Event::new(kind, person, by)).await?;
        tx.commit().await?;
        self.outbox.ring();
        Ok(Ok(()))
    }

    /// Changes a role, tells her, and logs it.
    async fn put_role(
        &self,
        tx: &mut Tx,
        account: AccountId,
        role: SystemRole,
        held: bool,
        event: impl FnOnce(EventKind, AccountId) -> Event,
    ) -> Result<bool, DbError> {
        let (changed, kind) = if held {
            (store::grant(tx, account, role, self.clock.now()).await?, EventKind::RoleGranted)
        } else {
            (store::revoke(tx, account, role).await?, EventKind::RoleRevoked)
        };
        if changed {
            self.outbox.add(tx, account, Kind::RoleChanged, role.as_str()).await?;
            self.audit.append(tx, &[event(kind, account).with(role.as_str())]).await?;
        }
        Ok(changed)
    }

    /// The roles by job function.
    pub async fn roles(&self, account: AccountId) -> Result<Vec<SystemRole>, DbError> {
        store::roles(&self.db, account).await
    }

    /// Makes a token with every scope. It is shown once; what is stored is its hash.
    pub async fn issue_token(
        &self,
        account: AccountId,
        label: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<BearerToken, DbError> {
        let new = NewToken { label: label.to_owned(), scopes: TokenScope::ALL.to_vec(), expires_at, two_factor: true };
        Ok(self.issue(account, &new).await?.1)
    }

    /// Makes a token, and answers with its id, too.
    pub async fn issue(&self, account: AccountId, new: &NewToken) -> Result<(Uuid, BearerToken), DbError> {
        self.store_token(account, &random_bytes::<32>(), new).await
    }

    /// The demo's token of an account: the same every time, so that a second `stoa demo` can print it
    /// without having stored it. Only a holder of the secret key can make it.
    pub async fn demo_token(&self, account: AccountId) -> Result<BearerToken, DbError> {
        let secret = self.key.keyed_hash("demo token", account.0.as_bytes());
        let hash = Sha256::digest(secret).into();
        if store::token(&self.db, account, &hash).await?.is_some() {
            return Ok(written(account, &secret));
        }
        let scopes = TokenScope::ALL.to_vec();
        let new = NewToken { label: "demo".to_owned(), scopes, expires_at: None, two_factor: true };
        Ok(self.store_token(account, &secret, &new).await?.1)
    }

    async fn store_token(
        &self,
        account: AccountId,
        secret: &[u8; 32],
        new: &NewToken,
    ) -> Result<(Uuid, BearerToken), DbError> {
        let (hash, id) = (Sha256::digest(secret).into(), self.clock.id());
        store::insert_token(&self.db, account, (id, &hash), new, self.clock.now()).await?;
        Ok((id, written(account, secret)))
    }

    /// The tokens of an account that have not been revoked, the latest first.
    pub async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, DbError> {
        Ok(store::tokens(&self.db, &[account]).await?.into_iter().map(|(_, token)| token).collect())
    }

    /// Makes a token of no use any more; whether there was such a token.
    pub async fn revoke_token(&self, account: AccountId, id: Uuid) -> Result<bool, DbError> {
        store::revoke_token(&self.db, account, id, self.clock.now()).await
    }

    /// Who holds this token.
    pub async fn authenticate(&self, token: &str, network: Option<&str>) -> Result<Identified, AuthenticationError> {
        let (account, secret) = read(token).ok_or(AuthenticationError::Invalid)?;
        // The look-up is by the hash of 32 random bytes, so its timing tells nothing of the secret.
        let hash = Sha256::digest(secret).into();
        let found = store::token(&self.db, account, &hash).await?;
        let (held, holder) = found.ok_or(AuthenticationError::Invalid)?;
        let now = self.clock.now();
        let expired = held.expires_at.is_some_and(|at| at <= now);
        if expired || held.revoked_at.is_some() || holder.is_suspended {
            return Err(AuthenticationError::Invalid);
        }
        if now.0 - held.last_used_at.0 >= USED_EVERY {
            let db = self.db.clone();
            // Behind the answer: reading waits for no write.
            tokio::spawn(async move {
                if let Err(error) = store::used_token(&db, account, held.id, now).await {
                    tracing::warn!(%error, "that a token was used could not be written");
                }
            });
        }
        let credential = Credential {
            client: Client::Token,
            id: Some(held.id),
            scopes: held.scopes,
            two_factor: held.two_factor,
            network: network.map(str::to_owned),
        };
        Ok(Identified { viewer: Viewer::new(account, credential), holder: Some(Arc::new(holder)) })
    }
}

fn written(account: AccountId, secret: &[u8; 32]) -> BearerToken {
    let mut bytes = [0; 48];
    bytes[..16].copy_from_slice(account.0.as_bytes());
    bytes[16..].copy_from_slice(secret);
    BearerToken(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A token says whose it is, so that it is looked for where that person's rows are.
fn read(token: &str) -> Option<(AccountId, [u8; 32])> {
    let bytes = URL_SAFE_NO_PAD.decode(token.trim().strip_prefix(TOKEN_PREFIX)?).ok()?;
    let (account, secret) = bytes.split_first_chunk::<16>()?;
    Some((AccountId(Uuid::from_bytes(*account)), secret.try_into().ok()?))
}

/// The name without the space around it, if it may stand as somebody's name.
pub(crate) fn fit_name(name: &str) -> Option<&str> {
    let name = name.trim();
    ((1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control)).then_some(name)
}

fn normalised(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Good enough to catch a slip; whether an address works only a mail tells.
pub(crate) fn looks_like_email(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    !local.is_empty()
        && email.len() <= 254
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_account_and_nothing_else_is_a_token() {
        let account = AccountId(Uuid::from_u128(7));
        let token = written(account, &[9; 32]);
        assert_eq!(read(token.secret_text()), Some((account, [9; 32])));
        assert_eq!(format!("{token:?}"), "<token>");
        for broken in ["", "stoa_", "stoa_AAAA", "bearer x", &token.secret_text()[..40]] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    #[test]
    fn slips_in_addresses_are_caught() {
        assert!(looks_like_email("ada@example.org"));
        for slip in ["ada", "ada@", "@example.org", "ada@example", "ada @example.org", "ada@.org"] {
            assert!(!looks_like_email(slip), "{slip}");
        }
    }
}
