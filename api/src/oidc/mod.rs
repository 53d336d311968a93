//! Sign-in with another provider (OpenID Connect, authorization code with PKCE).
//!
//! Invariant: somebody gets into an account that was there before only if the address is verified at the provider and
//! here: else whoever signs up first with somebody else's address would wait for her inside.

pub(crate) mod graphql;
pub mod model;
mod provider;
pub(crate) mod store;
mod token;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    accounts::{Accounts, CreateAccountError, model::NewAccount, secret::random_bytes},
    db::Db,
    ids::AccountId,
    sign_in::{
        SignIn,
        model::{Method, Origin, SessionCookie},
    },
    time::{Clock, Timestamp},
};
use model::{Identity, OidcError, OidcSettings, OidcSettingsError, Refusal};
use provider::Provider;
use token::{Expected, Unverified};

/// So long somebody may take at the provider, in seconds.
pub(crate) const TIME_TO_SIGN_IN: i64 = 600;
/// What the browser's note is sealed for.
const SEALED_FOR: &str = "oidc sign-in";

/// The service; cheap to clone.
#[derive(Clone)]
pub struct Oidc {
    db: Db,
    clock: Clock,
    accounts: Accounts,
    sign_in: SignIn,
    provider: Arc<Provider>,
}

/// A sign-in that was begun.
pub(crate) struct Begun {
    /// Where the browser goes.
    pub(crate) location: String,
    /// What it keeps until it comes back.
    pub(crate) note: String,
}

/// A sign-in that was ended.
pub(crate) struct Ended {
    /// The path that she wanted to.
    pub(crate) return_to: String,
    /// Her session.
    pub(crate) session: SessionCookie,
}

/// What the browser keeps while its user is at the provider. Sealed, so that it is ours when it comes back.
#[derive(Deserialize, Serialize)]
struct Note {
    state: String,
    nonce: String,
    verifier: String,
    return_to: String,
    until: Timestamp,
}

impl Oidc {
    /// The service, with who opens sessions.
    pub fn new(
        settings: OidcSettings,
        db: Db,
        clock: Clock,
        accounts: Accounts,
        sign_in: SignIn,
    ) -> Result<Self, OidcSettingsError> {
        let provider = Arc::new(Provider::new(settings, clock.clone())?);
        Ok(Self { db, clock, accounts, sign_in, provider })
    }

    /// Asks the provider what it says of itself.
    pub(crate) async fn reach(&self) -> Result<(), OidcError> {
        self.provider.known().await.map(|_| ())
    }

    /// What the button says.
    pub(crate) fn label(&self) -> &str {
        &self.provider.settings().label
    }

    /// Begins a sign-in; afterwards she goes to `return_to`.
    pub(crate) async fn begin(&self, return_to: &str) -> Result<Result<Begun, Refusal>, OidcError> {
        if !is_path_here(return_to) {
            return Ok(Err(Refusal::ReturnTo));
        }
        let known = self.provider.known().await?;
        let settings = self.provider.settings();
        let note = Note {
            state: random_text(),
            nonce: random_text(),
            verifier: random_text(),
            return_to: return_to.to_owned(),
            until: Timestamp(self.clock.now().0 + TIME_TO_SIGN_IN * 1_000_000),
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&note.verifier));
        let parameters = [
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &settings.redirect_url),
            ("scope", &settings.scopes),
            ("state", &note.state),
            ("nonce", &note.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let parameters = serde_urlencoded::to_string(parameters).map_err(|_| OidcError::Answer("no parameters"))?;
        let endpoint = &known.metadata.authorization_endpoint;
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(Ok(Begun { location: format!("{endpoint}{joint}{parameters}"), note: self.seal(&note)? }))
    }

    /// Ends a sign-in with what the provider sent back (`code`, `state`) and what the browser kept (`note`).
    pub(crate) async fn end(
        &self,
        code: &str,
        state: &str,
        note: &str,
        origin: &Origin,
    ) -> Result<Result<Ended, Refusal>, OidcError> {
        let now = self.clock.now();
        let Some(note) = self.unseal(note).filter(|note| note.until > now && note.state == state) else {
            return Ok(Err(Refusal::Stale));
        };
        let mut known = self.provider.known().await?;
        let Some(token) = self.provider.exchange(&known.metadata, code, &note.verifier).await? else {
            return Ok(Err(Refusal::NotSignedIn));
        };
        let unverified = match Unverified::read(&token) {
            Ok(unverified) => unverified,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if unverified.key(&known.keys).is_none() {
            // The provider may have changed its keys.
            known = self.provider.known_anew().await?;
        }
        let Some(key) = unverified.key(&known.keys) else {
            return Ok(Err(Refusal::Token("signed with an unknown key")));
        };
        let settings = self.provider.settings();
        let expected = Expected { issuer: &settings.issuer, client_id: &settings.client_id, nonce: &note.nonce, now };
        let account = match unverified.verify(key, &expected) {
            Ok(identity) => self.account(identity).await?,
            Err(refusal) => Err(refusal),
        };
        let account = match account {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // A second factor is the provider's to ask for.
        Ok(match self.sign_in.open_session(account, Method::OpenId, false, origin).await? {
            Ok((_, session)) => Ok(Ended { return_to: note.return_to, session }),
            Err(refusal) => Err(Refusal::SignIn(refusal)),
        })
    }

    /// The account of somebody whom the provider vouches for: linked before, linked now, or new.
    async fn account(&self, identity: Identity) -> Result<Result<AccountId, Refusal>, OidcError> {
        let hash = self.identity_hash(&identity.subject);
        if let Some(account) = store::account(&self.db, &hash).await? {
            return Ok(Ok(account));
        }
        let Some(email) = identity.email else { return Ok(Err(Refusal::AddressNotVerified)) };
        let account = match self.accounts.find_by_email(&email).await? {
            Some(account) if self.sign_in.is_verified(account).await? => account,
            Some(_) => return Ok(Err(Refusal::AddressTaken)),
            None => {
                let name = identity.name.map(|name| readable(&name)).filter(|name| !name.is_empty());
                let Some(name) = name else { return Ok(Err(Refusal::NoName)) };
                match self.accounts.create(NewAccount { name, email }).await {
                    Ok(account) => {
                        self.sign_in.mark_verified(account).await?;
                        account
                    }
                    Err(CreateAccountError::Taken) => return Ok(Err(Refusal::AddressTaken)),
                    Err(CreateAccountError::Email(_)) => return Ok(Err(Refusal::AddressNotVerified)),
                    Err(CreateAccountError::Name) => return Ok(Err(Refusal::NoName)),
                    Err(CreateAccountError::Database(error)) => return Err(error.into()),
                }
            }
        };
        store::link(&self.db, &hash, account, self.clock.now()).await?;
        Ok(Ok(account))
    }

    /// The keyed hash under which somebody of the provider is found.
    fn identity_hash(&self, subject: &str) -> [u8; 32] {
        let issuer = &self.provider.settings().issuer;
        self.accounts.keyed_hash("external identity", format!("{issuer}\0{subject}").as_bytes())
    }

    fn seal(&self, note: &Note) -> Result<String, OidcError> {
        let text = serde_json::to_vec(note).map_err(|_| OidcError::Answer("no note"))?;
        let seal = self.accounts.keyed_hash(SEALED_FOR, &text);
        Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(seal)))
    }

    fn unseal(&self, sealed: &str) -> Option<Note> {
        let (text, seal) = sealed.split_once('.')?;
        let (text, seal) = (URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(seal).ok()?);
        let right = self.accounts.keyed_hash(SEALED_FOR, &text);
        // Every byte is looked at, so the time it takes does not tell how many were right.
        let different = seal.iter().zip(right).fold(0, |different, (given, right)| different | (given ^ right));
        if seal.len() == right.len() && different == 0 { serde_json::from_slice(&text).ok() } else { None }
    }
}

/// 32 random bytes as text.
fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// A name without what does not belong in one, and not too long.
fn readable(name: &str) -> String {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    name.trim().to_owned()
}

/// Whether it is a path on this server, however a browser reads it: `//host` and `/\host` are others.
fn is_path_here(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2_000
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_on_this_server_is_returned_to() {
        for path in ["/", "/courses/living-soil?tab=forum#p5"] {
            assert!(is_path_here(path), "{path}");
        }
        for path in
            ["", "courses", "//evil.example", "/\\evil.example", "https://evil.example", "/\tx", "/a\r\nb", "/ä"]
        {
            assert!(!is_path_here(path), "{path}");
        }
    }
}
