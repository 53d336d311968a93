//! Second factors: plain types.

use std::fmt;

use crate::time::Timestamp;

/// What a code was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The present code of the authenticator. It is spent now.
    Right,
    /// One of the recovery codes. It is spent now.
    RightByRecovery,
    /// Neither, or spent already.
    Wrong,
    /// Not looked at: there were too many wrong ones, until this instant.
    Throttled(Timestamp),
    /// There is no second factor.
    NotOn,
}

/// Whether somebody has a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Since when; `None` without one.
    pub since: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes_left: i64,
}

/// What an authenticator must be told once. Neither is ever shown again.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolling {
    /// The secret in base 32, for typing.
    pub secret: String,
    /// The same as an `otpauth://` address, for a picture that an authenticator reads.
    pub uri: String,
}

/// Codes for whoever has lost her authenticator; each works once. Shown when they are made, and never again.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCodes(pub Vec<String>);

impl fmt::Debug for Enrolling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<second factor>")
    }
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<recovery codes>")
    }
}
