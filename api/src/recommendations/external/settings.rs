//! What the configuration says of engines outside the process: the tables `[engines.NAME]`.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// What an engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// The protocol of `docs/ENGINES.md`.
    Http,
    /// Gorse's REST API, as versions 0.4 and 0.5 publish it.
    Gorse,
}

/// An engine outside the process.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSettings {
    /// What it speaks.
    pub kind: EngineKind,
    /// Where it is: for `http` the address that is asked, for `gorse` the server's.
    pub url: String,
    /// The secret that it wants to see, if it wants one.
    #[serde(default)]
    pub token: Option<String>,
    /// A file with that secret, instead.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// So long an answer may take, in milliseconds, the connection included.
    #[serde(default = "default_timeout")]
    pub timeout_ms: u64,
    /// After so many failures on end it is not asked for a while.
    #[serde(default = "default_failures")]
    pub failures: u32,
    /// So long it is not asked then, in seconds.
    #[serde(default = "default_pause")]
    pub pause_seconds: u32,
    /// Whether it may be spoken to in the clear although it is on another machine.
    #[serde(default)]
    pub plain_http: bool,
    /// For `gorse`: the name of its item-to-item recommender (0.5); left out for 0.4, which has one without a name.
    #[serde(default)]
    pub item_to_item: Option<String>,
    /// For `gorse`: the feedback type that an enrolment is told as; empty: it is not told.
    #[serde(default = "default_enrolled_as")]
    pub enrolled_as: String,
    /// For `gorse`: the feedback type that a like is told as; empty: it is not told.
    #[serde(default = "default_liked_as")]
    pub liked_as: String,
}

const fn default_timeout() -> u64 {
    300
}

const fn default_failures() -> u32 {
    5
}

const fn default_pause() -> u32 {
    30
}

fn default_enrolled_as() -> String {
    "enrol".to_owned()
}

fn default_liked_as() -> String {
    "like".to_owned()
}

impl EngineSettings {
    /// An engine at an address, with the defaults.
    pub fn new(kind: EngineKind, url: &str) -> Self {
        Self {
            kind,
            url: url.to_owned(),
            token: None,
            token_file: None,
            timeout_ms: default_timeout(),
            failures: default_failures(),
            pause_seconds: default_pause(),
            plain_http: false,
            item_to_item: None,
            enrolled_as: default_enrolled_as(),
            liked_as: default_liked_as(),
        }
    }
}

impl fmt::Debug for EngineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the token; nor the address, which may hold a password.
        f.debug_struct("EngineSettings")
            .field("kind", &self.kind)
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}

/// Every engine outside the process, and which of them serves.
#[derive(Clone, Debug, Default)]
pub struct EnginesSettings {
    /// The engines, by name.
    pub engines: BTreeMap<String, EngineSettings>,
    /// The one that makes everybody's lists; the hybrid if there is none.
    pub serve_by: Option<String>,
}

/// Why an engine's settings can't be used. None of these holds its token or its address.
#[derive(Debug, thiserror::Error)]
pub enum EngineSettingsError {
    /// A name that no variable of the environment could have, or the name of what is in the process.
    #[error("[engines.{0}]: a name has 1 to 40 letters a to z, digits and _, and is not hybrid")]
    Name(String),
    /// No address, or one that would tell what learners do to whoever listens.
    #[error(
        "[engines.{0}] url must begin with https:// (http:// for this machine, or for another with plain_http = true)"
    )]
    Url(String),
    /// A number out of its range.
    #[error("[engines.{engine}] {setting} must be between {least} and {most}; this was {value}")]
    Range {
        /// The engine.
        engine: String,
        /// The setting.
        setting: &'static str,
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
        /// What it is.
        value: u64,
    },
    /// Both a token and a file.
    #[error("[engines.{0}] has both token and token_file: give one")]
    TwoTokens(String),
    /// The file can't be read.
    #[error("[engines.{engine}] token_file {} can't be read: {cause}", path.display())]
    TokenFile {
        /// The engine.
        engine: String,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A token that can't stand in a header.
    #[error("[engines.{0}] token must be printable ASCII")]
    Token(String),
    /// `serve_by` names nothing.
    #[error("serve_by = {0:?} names none of [engines]: {1}")]
    ServeBy(String, String),
    /// The system's certificates can't be read.
    #[error("[engines.{0}] needs the system's certificates for https, which can't be read: {1}")]
    Certificates(String, std::io::Error),
}

impl EngineSettings {
    /// Refuses what can't be used, and answers with the token, if there is one.
    pub(super) fn checked(&self, name: &str) -> Result<Option<String>, EngineSettingsError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) || name == super::HYBRID {
            return Err(EngineSettingsError::Name(name.to_owned()));
        }
        if !self.is_safe() {
            return Err(EngineSettingsError::Url(name.to_owned()));
        }
        for (setting, value, least, most) in [
            ("timeout_ms", self.timeout_ms, 1, 10_000),
            ("failures", self.failures.into(), 1, 1_000),
            ("pause_seconds", self.pause_seconds.into(), 1, 3_600),
        ] {
            if !(least..=most).contains(&value) {
                return Err(EngineSettingsError::Range { engine: name.to_owned(), setting, least, most, value });
            }
        }
        let token = match (&self.token, &self.token_file) {
            (Some(_), Some(_)) => return Err(EngineSettingsError::TwoTokens(name.to_owned())),
            (Some(token), None) => Some(token.clone()),
            (None, Some(path)) => {
                let read = std::fs::read_to_string(path);
                let failed =
                    |cause| EngineSettingsError::TokenFile { engine: name.to_owned(), path: path.clone(), cause };
                Some(read.map_err(failed)?.trim().to_owned())
            }
            (None, None) => None,
        };
        match token.filter(|token| !token.is_empty()) {
            Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err(EngineSettingsError::Token(name.to_owned()))
            }
            token => Ok(token),
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }

    fn is_safe(&self) -> bool {
        let Ok(url) = url::Url::parse(&self.url) else { return false };
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" => url.host().is_some(),
            "http" => here || (self.plain_http && url.host().is_some()),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, change: impl FnOnce(&mut EngineSettings)) -> String {
        let mut settings = EngineSettings::new(EngineKind::Http, "http://127.0.0.1:9000/recommend");
        change(&mut settings);
        settings.checked(name).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn settings_that_cant_be_used_are_refused_by_name_and_without_secrets() {
        assert_eq!(refused("shadowfax", |_| {}), "");
        assert_eq!(refused("shadowfax", |s| s.url = "https://engine.example/x".to_owned()), "");
        let other = |s: &mut EngineSettings| s.url = "http://engine.example/x".to_owned();
        assert!(refused("shadowfax", other).contains("https://"));
        assert_eq!(refused("shadowfax", |s| (other(s), s.plain_http = true).1), "");
        assert!(refused("hybrid", |_| {}).contains("hybrid"));
        assert!(refused("Sh-x", |_| {}).contains("a to z"));
        assert!(refused("shadowfax", |s| s.timeout_ms = 0).contains("between 1 and 10000; this was 0"));
        assert!(refused("shadowfax", |s| s.failures = 0).contains("failures"));
        let said = refused("shadowfax", |s| s.token = Some("töken".to_owned()));
        assert!(said.contains("ASCII") && !said.contains("töken"));
        let missing = refused("shadowfax", |s| s.token_file = Some(PathBuf::from("/nowhere/token")));
        assert!(missing.contains("/nowhere/token"));
    }

    #[test]
    fn a_token_is_read_from_a_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\n").unwrap();
        let mut settings = EngineSettings::new(EngineKind::Gorse, "http://localhost:8087");
        settings.token_file = Some(path);
        assert_eq!(settings.checked("gorse").unwrap().as_deref(), Some("s3cret"));
        settings.token = Some("s3cret".to_owned());
        assert!(settings.checked("gorse").is_err(), "one of both");
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
