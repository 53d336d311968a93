//! Mails and where they go.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    db::{stored_enum, without_password},
    ids::AccountId,
};

stored_enum! {
    /// What a mail is about.
    pub enum Kind {
        /// A link that shows that the address is hers.
        VerifyAddress = "VERIFY_ADDRESS",
        /// Somebody wanted to sign up with her address.
        AddressTaken = "ADDRESS_TAKEN",
        /// A link to set a new password.
        ResetPassword = "RESET_PASSWORD",
        /// Her password was changed.
        PasswordChanged = "PASSWORD_CHANGED",
        /// Somebody signed in from a device and network that were not seen before.
        NewSignIn = "NEW_SIGN_IN",
        /// Somebody opened a case to see more of her.
        CaseOpened = "CASE_OPENED",
        /// She was given a role, or one was taken from her.
        RoleChanged = "ROLE_CHANGED",
        /// She was asked to teach a course.
        StaffInvitation = "STAFF_INVITATION",
        /// Her second factor was turned on or off.
        TwoFactorChanged = "TWO_FACTOR_CHANGED",
        /// What is new in her courses; the argument is the digest's id.
        Digest = "DIGEST",
    }
}

/// How mails are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Not at all.
    None,
    /// Printed on standard error, for development: whoever reads it can use the links.
    Console,
    /// One file for each mail in a folder.
    File,
    /// To a server.
    Smtp,
}

/// The configuration's part about mail.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// How mails are sent; if it is not given, `serve` sends none and `demo` prints them.
    pub transport: Option<Transport>,
    /// Who they are from, such as `Stoa <stoa@school.example>`.
    pub from: Option<String>,
    /// For `smtp`: `smtps://user:password@host:465`, or `smtp://…:587`, which turns to TLS before anything is said.
    pub url: Option<String>,
    /// For `file`: the folder.
    pub folder: Option<PathBuf>,
    /// The frontend's address, which links begin with, such as `https://school.example`.
    pub base_url: Option<String>,
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSettings")
            .field("transport", &self.transport)
            .field("from", &self.from)
            .field("url", &self.url.as_deref().map(without_password))
            .field("folder", &self.folder)
            .field("base_url", &self.base_url)
            .finish()
    }
}

/// Why mails can't be sent as they are configured.
#[derive(Debug, thiserror::Error)]
pub enum MailSettingsError {
    /// A setting is needed that is not there.
    #[error("[mail] needs `{0}` for this transport")]
    Missing(&'static str),
    /// Not an address.
    #[error("[mail] from = {0:?} is not an address: write it like \"Stoa <stoa@school.example>\"")]
    From(String),
    /// Not a server. Says nothing of the URL, which may hold a password.
    #[error("[mail] url can't be used: write it like \"smtps://user:password@mail.example:465\"")]
    Url,
    /// Not a page.
    #[error("[mail] base_url = {0:?} must begin with https:// or http://")]
    BaseUrl(String),
    /// The folder can't be made.
    #[error("[mail] folder {0} can't be used: {1}")]
    Folder(String, std::io::Error),
}

/// To whom a mail goes.
#[derive(Clone)]
pub(crate) struct Addressee {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) address: String,
}

impl fmt::Debug for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<addressee {}>", self.account.0)
    }
}

/// What is written in a mail.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) subject: String,
    pub(crate) body: String,
    /// Where a click, or a mail reader by itself (RFC 8058), ends mails of this kind.
    pub(crate) unsubscribe: Option<String>,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<mail>")
    }
}

/// Something that is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) account: AccountId,
    pub(crate) id: uuid::Uuid,
    pub(crate) kind: Kind,
    pub(crate) argument: String,
    /// How often it was tried, this time included.
    pub(crate) attempts: i64,
}
