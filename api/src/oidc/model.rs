//! Another provider, what it says of a person, and why that may not help her in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{db::DbError, sign_in::model::SignInRefusal};

/// The configuration's part about sign-in with another provider (OpenID Connect).
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// The provider, exactly as it names itself, such as `https://accounts.school.example`.
    pub issuer: String,
    /// The name under which it knows this installation.
    pub client_id: String,
    /// The secret that goes with it; left out where the provider gives none.
    pub client_secret: Option<String>,
    /// What is asked for, with spaces between.
    #[serde(default = "default_scopes")]
    pub scopes: String,
    /// What the button says.
    pub label: String,
    /// Where the provider sends people back to, as registered there: `https://school.example/auth/oidc/callback`.
    pub redirect_url: String,
}

fn default_scopes() -> String {
    "openid email profile".to_owned()
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcSettings")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret.as_ref().map(|_| "***"))
            .field("scopes", &self.scopes)
            .field("label", &self.label)
            .field("redirect_url", &self.redirect_url)
            .finish()
    }
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OidcSettingsError {
    /// Whoever listens could sign in as anybody.
    #[error("[oidc] {name} = {url:?} must begin with https:// (http:// only for localhost)")]
    Url {
        /// The setting.
        name: &'static str,
        /// What it says.
        url: String,
    },
    /// Without it there is no identity token.
    #[error("[oidc] scopes = {0:?} must name \"openid\"")]
    Scopes(String),
    /// The system's certificates can't be read.
    #[error("[oidc] the system's certificates can't be read: {0}")]
    Certificates(std::io::Error),
}

/// Why a sign-in could not be carried out, through no fault of the person.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// No answer.
    #[error("the sign-in provider can't be reached or took too long: try again in a moment")]
    Away,
    /// An answer that makes no sense. What is said is for the log, and quotes nothing of the answer.
    #[error("the sign-in provider's answer can't be used: {0}")]
    Answer(&'static str),
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Why the person is not signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address after the sign-in is not on this server.
    #[error("`return_to` must be a path on this server, such as /courses")]
    ReturnTo,
    /// Not begun in this browser, too old, or used.
    #[error("this sign-in was not begun in this browser, or took longer than ten minutes: begin again")]
    Stale,
    /// The provider said no, or she did.
    #[error("the sign-in provider did not sign you in: begin again")]
    NotSignedIn,
    /// The identity token is not what it should be.
    #[error("the sign-in provider's answer is not valid ({0}): begin again")]
    Token(&'static str),
    /// No address, or nobody knows whose it is.
    #[error("the sign-in provider has not verified your e-mail address: verify it there, then begin again")]
    AddressNotVerified,
    /// No name.
    #[error("the sign-in provider did not tell your name: give one there, then begin again")]
    NoName,
    /// There is such an account, but it may be somebody else's.
    #[error(
        "there is an account with your e-mail address, but the address was never verified here: sign in with your password and verify it, then begin again"
    )]
    AddressTaken,
    /// The account may not sign in.
    #[error(transparent)]
    SignIn(#[from] SignInRefusal),
}

/// What an identity token says, once it has been verified.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
}
