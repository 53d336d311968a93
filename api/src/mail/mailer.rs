//! How a mail leaves.

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::model::{Addressee, MailSettings, MailSettingsError, Text, Transport};
use crate::{ids::AccountId, time::Timestamp};

/// So long a mail server may take. Much less than a lease, so that no second server sends the same.
const PATIENCE: Duration = Duration::from_mins(1);

/// So long it may take to answer whoever only looks.
const REACH: Duration = Duration::from_secs(15);

/// Sends mails as the configuration says.
#[derive(Clone)]
pub struct Mailer {
    way: Way,
    from: Mailbox,
    base_url: String,
}

#[derive(Clone)]
enum Way {
    Nowhere,
    Console,
    Folder(PathBuf),
    Server(AsyncSmtpTransport<Tokio1Executor>),
}

/// Why a mail was not sent. Says nothing of its text, nor of the address: servers like to repeat it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error("no mailer is configured: see [mail] in the configuration")]
    Nowhere,
    #[error("the address can't be written to")]
    Address,
    #[error("the mail server refused it for good (status {0})")]
    Refused(String),
    #[error("the mail server can't be reached or asks to wait")]
    Server,
    #[error("the mail's file can't be written: {0}")]
    File(#[from] std::io::Error),
}

impl MailError {
    /// Whether it could go well another time.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Server | Self::File(_))
    }
}

impl Mailer {
    /// The mailer of a configuration; `default` is what it does if nothing is said.
    pub fn new(settings: &MailSettings, default: Transport) -> Result<Self, MailSettingsError> {
        let transport = settings.transport.unwrap_or(default);
        let base_url = match (&settings.base_url, transport) {
            (Some(url), _) if url.starts_with("https://") || url.starts_with("http://") => {
                url.trim_end_matches('/').to_owned()
            }
            (Some(url), _) => return Err(MailSettingsError::BaseUrl(url.clone())),
            (None, Transport::File | Transport::Smtp) => return Err(MailSettingsError::Missing("base_url")),
            (None, Transport::None | Transport::Console) => "http://localhost:8000".to_owned(),
        };
        let from = match (&settings.from, transport) {
            (Some(from), _) => from.parse().map_err(|_| MailSettingsError::From(from.clone()))?,
            (None, Transport::Smtp) => return Err(MailSettingsError::Missing("from")),
            (None, _) => Mailbox::new(Some("Stoa".to_owned()), nobody()),
        };
        let way = match transport {
            Transport::None => Way::Nowhere,
            Transport::Console => Way::Console,
            Transport::File => {
                let folder = settings.folder.clone().ok_or(MailSettingsError::Missing("folder"))?;
                std::fs::create_dir_all(&folder)
                    .map_err(|error| MailSettingsError::Folder(folder.display().to_string(), error))?;
                Way::Folder(folder)
            }
            Transport::Smtp => Way::Server(server(settings.url.as_deref())?),
        };
        Ok(Self { way, from, base_url })
    }

    /// What links begin with.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Whether there is any use in writing a mail.
    pub(crate) fn is_configured(&self) -> bool {
        !matches!(self.way, Way::Nowhere)
    }

    /// Sends a mail. Its id stays the same when it is sent again, so that mail readers show it once.
    pub(crate) async fn send(&self, to: &Addressee, id: Uuid, text: Text, now: Timestamp) -> Result<(), MailError> {
        if let Way::Console = self.way {
            // The one place where a mail's text is shown, to a developer who asked for it.
            eprintln!("\n--- mail to {}: {}\n{}---", to.address, text.subject, text.body);
            return Ok(());
        }
        let address = to.address.parse().map_err(|_| MailError::Address)?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(to.name.clone()), address))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .date(UNIX_EPOCH + Duration::from_micros(now.0.max(0).cast_unsigned()))
            .subject(text.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.body)
            .map_err(|_| MailError::Address)?;
        if let Some(url) = text.unsubscribe {
            // RFC 8058: a mail reader ends these mails with one POST, which nobody has to sign in for.
            let post = "List-Unsubscribe=One-Click".to_owned();
            for (name, value) in [("List-Unsubscribe", format!("<{url}>")), ("List-Unsubscribe-Post", post)] {
                let name = HeaderName::new_from_ascii_str(name);
                message.headers_mut().insert_raw(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value));
            }
        }
        match &self.way {
            Way::Nowhere | Way::Console => Err(MailError::Nowhere),
            Way::Folder(folder) => {
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create(true).truncate(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(folder.join(format!("{id}.eml")))?;
                file.write_all(&message.formatted())?;
                Ok(())
            }
            Way::Server(server) => match tokio::time::timeout(PATIENCE, server.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) if error.is_permanent() => {
                    Err(MailError::Refused(error.status().map_or_else(String::new, |status| status.to_string())))
                }
                Ok(Err(_)) | Err(_) => Err(MailError::Server),
            },
        }
    }
}

impl Mailer {
    /// Whether mails could leave; nothing is sent. Says where they would go.
    pub(crate) async fn reach(&self) -> Result<String, MailError> {
        match &self.way {
            Way::Nowhere => Err(MailError::Nowhere),
            Way::Console => Ok("mails are shown on standard error".to_owned()),
            Way::Folder(folder) => {
                let probe = folder.join(format!(".stoa-{}", std::process::id()));
                std::fs::write(&probe, [])?;
                std::fs::remove_file(&probe)?;
                Ok(format!("mails become files in {}", folder.display()))
            }
            // Greets, turns to TLS, signs in.
            Way::Server(server) => match tokio::time::timeout(REACH, server.test_connection()).await {
                Ok(Ok(true)) => Ok("the mail server answers, and takes the password if there is one".to_owned()),
                Ok(Err(error)) if error.is_permanent() => {
                    Err(MailError::Refused(error.status().map_or_else(String::new, |status| status.to_string())))
                }
                Ok(_) | Err(_) => Err(MailError::Server),
            },
        }
    }

    /// Sends a mail that says it is a test.
    pub(crate) async fn send_test(&self, address: &str, id: Uuid, now: Timestamp) -> Result<(), MailError> {
        let to = Addressee { account: AccountId(Uuid::nil()), name: String::new(), address: address.to_owned() };
        let text = Text {
            subject: "A test from Stoa".to_owned(),
            body: format!("Stoa sends mails. Links in them begin with {}.\n", self.base_url),
            unsubscribe: None,
        };
        self.send(&to, id, text, now).await
    }
}

/// A server that is not on this machine is spoken to with TLS only, since a password and links go there.
fn server(url: Option<&str>) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailSettingsError> {
    let url = url.ok_or(MailSettingsError::Missing("url"))?;
    let parsed: poem::http::Uri = url.parse().map_err(|_| MailSettingsError::Url)?;
    let local = matches!(parsed.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let url = match parsed.scheme_str() {
        Some("smtps") => url.to_owned(),
        Some("smtp") if local => url.to_owned(),
        Some("smtp") => format!("{}?tls=required", url.split('?').next().unwrap_or_default()),
        _ => return Err(MailSettingsError::Url),
    };
    Ok(AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
        .map_err(|_| MailSettingsError::Url)?
        .timeout(Some(PATIENCE / 4))
        .build())
}

/// Who mails are from where nobody reads the address.
fn nobody() -> lettre::Address {
    lettre::Address::new("stoa", "localhost").unwrap_or_else(|_| unreachable!("stoa@localhost is an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_can_not_work_say_what_is_missing_and_no_password_is_shown() {
        let mut settings = MailSettings { transport: Some(Transport::Smtp), ..MailSettings::default() };
        settings.base_url = Some("https://school.example".to_owned());
        settings.from = Some("Stoa <stoa@school.example>".to_owned());
        assert!(matches!(Mailer::new(&settings, Transport::None), Err(MailSettingsError::Missing("url"))));
        settings.url = Some("http://ada:s3cret@mail.example".to_owned());
        let error = Mailer::new(&settings, Transport::None).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("[mail] url") && !error.contains("s3cret"), "{error}");
        assert!(!format!("{settings:?}").contains("s3cret"));
        settings.from = Some("nobody at all".to_owned());
        assert!(matches!(Mailer::new(&settings, Transport::None), Err(MailSettingsError::From(_))));
        settings.base_url = Some("school.example".to_owned());
        assert!(matches!(Mailer::new(&settings, Transport::None), Err(MailSettingsError::BaseUrl(_))));
    }
}
