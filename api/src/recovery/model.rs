//! One-time tokens, and why they don't help.

use crate::{db::stored_enum, sign_in::PasswordRefusal};

stored_enum! {
    /// What a one-time token is good for.
    pub enum TokenKind {
        /// To show that an address is its owner's.
        VerifyAddress = "VERIFY_ADDRESS",
        /// To set a new password.
        ResetPassword = "RESET_PASSWORD",
    }
}

impl TokenKind {
    /// So long it can be used, in seconds.
    pub(crate) const fn lasts(self) -> i64 {
        match self {
            Self::VerifyAddress => 86_400,
            Self::ResetPassword => 3_600,
        }
    }
}

/// A one-time token as it stands in a mail; only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OneTimeToken(pub(super) String);

impl OneTimeToken {
    pub(crate) fn secret_text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<one-time token>")
    }
}

/// What the person can mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Mistyped, used, or too old: one answer for all.
    #[error("this link is not valid: it works once and for a short time. Ask for a new one")]
    Token,
    /// Not an address.
    #[error("this is not an e-mail address")]
    Address,
    /// Too many requests.
    #[error("there were too many requests: try again in an hour")]
    TooMany,
    /// The password is not taken; says why.
    #[error(transparent)]
    Password(PasswordRefusal),
}
