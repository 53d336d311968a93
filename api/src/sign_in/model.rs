//! Sessions, sign-ins, and the state of an account.

use super::{PasswordRefusal, RetryAfter};
use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::AccountId,
    time::Timestamp,
};

stored_enum! {
    /// Whether an account may be used.
    pub enum AccountStatus {
        /// It may.
        Active = "ACTIVE",
        /// It may not: nobody signs in with it, and its sessions and tokens don't work.
        Suspended = "SUSPENDED",
    }
}

stored_enum! {
    /// How somebody signed in, or tried to.
    pub enum Method {
        /// With e-mail address and password.
        Password = "PASSWORD",
        /// With another provider's account.
        OpenId = "OPEN_ID",
    }
}

stored_enum! {
    /// What became of a sign-in.
    pub enum Outcome {
        /// There is a session.
        Succeeded = "SUCCEEDED",
        /// The password was wrong.
        WrongPassword = "WRONG_PASSWORD",
        /// The password was right, and a code was asked for.
        SecondFactorNeeded = "SECOND_FACTOR_NEEDED",
        /// The password was right, the code was not.
        WrongCode = "WRONG_CODE",
        /// The password was right, but the address has not been verified.
        EmailNotVerified = "EMAIL_NOT_VERIFIED",
        /// The password was right, but the account is suspended.
        Suspended = "SUSPENDED",
    }
}

stored_enum! {
    /// Why a sign-in looks as if it were somebody else's.
    pub enum Suspicion {
        /// No earlier sign-in came from this browser.
        NewDevice = "NEW_DEVICE",
        /// No earlier sign-in came from this network.
        NewNetwork = "NEW_NETWORK",
        /// Many attempts with a wrong password came before it.
        ManyFailures = "MANY_FAILURES",
    }
}

/// The state of an account.
#[derive(Clone, Debug)]
pub struct AccountState {
    /// Whose it is.
    pub id: AccountId,
    /// Whether it may be used.
    pub status: Personal<tags::Account, AccountStatus>,
    /// Since when there is an account.
    pub created_at: Personal<tags::Account, Timestamp>,
    /// When the address was verified; `None` for not yet.
    pub email_verified_at: Personal<tags::Account, Option<Timestamp>>,
}

/// Where a request comes from, as far as it is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The browser and system: `Firefox on Linux`.
    pub client_label: String,
    /// The network, shortened.
    pub network: Option<String>,
    /// What the browser is known by.
    pub device: Option<Device>,
}

/// What a browser is known by; only its keyed hash is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Device(pub [u8; 16]);

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<device>")
    }
}

/// A session as its cookie has it; only the hash of its secret is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCookie(pub(super) String);

impl SessionCookie {
    /// The cookie's value.
    pub fn secret_text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<session>")
    }
}

/// A session as its owner sees it in her list.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: uuid::Uuid,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used, to ten minutes.
    pub last_seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether a second factor was shown.
    pub two_factor: bool,
    /// The browser and system.
    pub client_label: String,
    /// The network.
    pub network: Option<String>,
}

/// A sign-in, or an attempt at one.
#[derive(Clone, Debug)]
pub struct SignInRecord {
    /// Its id.
    pub id: uuid::Uuid,
    /// When.
    pub at: Timestamp,
    /// How.
    pub method: Method,
    /// What became of it.
    pub outcome: Outcome,
    /// The browser and system.
    pub client_label: String,
    /// The network.
    pub network: Option<String>,
    /// Why it looks as if it were somebody else's.
    pub suspicious: Vec<Suspicion>,
}

/// What somebody signs in with.
#[derive(Clone)]
pub struct Proof {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The code of the second factor.
    pub code: Option<String>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<proof>")
    }
}

/// Why somebody was not signed up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignUpRefusal {
    /// Not an address.
    #[error("this is not an e-mail address")]
    Email,
    /// Empty or too long.
    #[error("a name has 1 to 200 characters")]
    Name,
    /// Not good enough.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
    /// Too many from this network.
    #[error("too many attempts: try again in {} s", .0.0)]
    Throttled(RetryAfter),
}

/// Why somebody was not signed in. It does not tell whether there is an account, but to whoever has its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    /// No account, or not its password.
    #[error("there is no account with this e-mail address and password")]
    WrongCredentials,
    /// Right, and there is a second factor.
    #[error("enter the code of your second factor")]
    SecondFactorNeeded,
    /// Right, but the code is not.
    #[error("this code is not right, or was used already: take the next one")]
    WrongCode,
    /// Right, but the address was not verified.
    #[error("verify your e-mail address first: we have sent you a mail")]
    EmailNotVerified,
    /// Right, but the account is suspended.
    #[error("this account is suspended: ask those who run this site")]
    Suspended,
    /// Too many attempts.
    #[error("too many attempts: try again in {} s", .0.0)]
    Throttled(RetryAfter),
}

/// Why a password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangePasswordRefusal {
    /// Not the present one.
    #[error("this is not your present password")]
    WrongPassword,
    /// The new one is not good enough.
    #[error(transparent)]
    New(#[from] PasswordRefusal),
    /// Too many attempts.
    #[error("too many attempts: try again in {} s", .0.0)]
    Throttled(RetryAfter),
}
