//! Configuration: defaults < `stoa.toml` < environment < flags.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

use crate::{accounts::secret::SecretKey, mail::model::MailSettings, oidc::model::OidcSettings};

/// Every setting. Names are the same in `stoa.toml`; in the environment they are in capitals behind
/// `STOA_`, such as `STOA_LISTEN`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// `sqlite://PATH` or `postgres://…`; also read from `DATABASE_URL`.
    pub(super) database_url: String,
    /// How many connections to the database, at most.
    pub(super) connections: u32,
    /// The address to listen on.
    pub(super) listen: String,
    /// The secret key, at least 32 characters. Every server on one database needs the same.
    pub(super) secret_key: Option<String>,
    /// Where the secret key is kept if it is not given; made if missing. By default `stoa.key` beside the
    /// SQLite file.
    pub(super) secret_key_file: Option<PathBuf>,
    /// What is logged, as `RUST_LOG` writes it.
    pub(super) log: String,
    /// How it is logged.
    pub(super) log_format: LogFormat,
    /// The recommender's engines and their parameters.
    pub(super) recommender: stoa_recommender::Settings,
    /// How mails are sent.
    #[serde(default)]
    pub(super) mail: MailSettings,
    /// Sign-in with another provider, if there is one.
    pub(super) oidc: Option<OidcSettings>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// The names that are read from the environment.
const NAMES: [&str; 6] = ["database_url", "connections", "listen", "secret_key_file", "log", "log_format"];

#[derive(Serialize)]
struct Defaults {
    database_url: &'static str,
    connections: u32,
    listen: &'static str,
    log: &'static str,
    log_format: LogFormat,
    recommender: stoa_recommender::Settings,
}

/// The secret key from the environment: always a text, also where it looks like a number.
#[derive(Serialize)]
struct Secret {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
}

/// What else is secret, and so better given in the environment than in a file.
const SECRETS: [(&str, &str); 2] = [("STOA_MAIL_URL", "mail.url"), ("STOA_OIDC_CLIENT_SECRET", "oidc.client_secret")];

/// What flags say. `None` leaves a setting as it is.
#[derive(Debug, Default, Serialize)]
pub(super) struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) database_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) listen: Option<String>,
}

impl Config {
    /// Reads the configuration. `file` must be there if it is given; `stoa.toml` need not.
    pub(super) fn read(file: Option<&Path>, flags: &Flags) -> anyhow::Result<Self> {
        if let Some(file) = file
            && !file.is_file()
        {
            bail!("there is no configuration file {}", file.display());
        }
        let defaults = Defaults {
            database_url: "sqlite://data/stoa.db",
            connections: 4,
            listen: "127.0.0.1:8000",
            log: "info,sqlx=warn",
            log_format: LogFormat::Text,
            recommender: stoa_recommender::Settings::default(),
        };
        let file = file.unwrap_or(Path::new("stoa.toml"));
        let mut figment = Figment::from(Serialized::defaults(defaults));
        if file.is_file() {
            // Exactly this one: not one that lies in some folder above.
            figment = figment.merge(Toml::file_exact(file));
        }
        for (variable, setting) in SECRETS {
            if let Ok(value) = std::env::var(variable)
                && !value.is_empty()
            {
                figment = figment.merge(Serialized::default(setting, value));
            }
        }
        figment
            .merge(Env::raw().only(&["DATABASE_URL"]))
            .merge(Env::prefixed("STOA_").only(&NAMES))
            .merge(Serialized::defaults(Secret {
                secret_key: std::env::var("STOA_SECRET_KEY").ok().filter(|key| !key.is_empty()),
            }))
            .merge(Serialized::defaults(flags))
            .extract()
            .context("the configuration can't be used")
    }

    /// The secret key, made and kept if there is none yet.
    pub(super) fn secret_key(&self) -> anyhow::Result<SecretKey> {
        if let Some(text) = &self.secret_key {
            return Ok(SecretKey::from_text(text)?);
        }
        let file = self.secret_key_file.clone().unwrap_or_else(|| {
            let database =
                self.database_url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
            let folder = database.and_then(|path| Path::new(path).parent()).unwrap_or(Path::new("data"));
            folder.join("stoa.key")
        });
        Ok(SecretKey::from_file(&file)?)
    }
}
