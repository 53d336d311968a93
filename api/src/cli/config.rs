//! Configuration: defaults < `stoa.toml` < environment < flags.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use stoa_recommender::Registry;

use crate::{
    access::{Relation, Rules},
    accounts::secret::SecretKey,
    app::Settings,
    courses::CatalogueSettings,
    db::without_password,
    documents::DocumentSettings,
    graphql::limits::LimitSettings,
    http::HttpSettings,
    live::LiveSettings,
    mail::model::MailSettings,
    observe::ObserveSettings,
    oidc::model::OidcSettings,
    recommendations::{
        experiments::ExperimentSettings,
        external::{EngineSettings, EnginesSettings},
        lifecycle::Schedule,
    },
    sign_in::SignInSettings,
};

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
    /// What this installation decides about who may see what.
    #[serde(default)]
    pub(super) policy: Policy,
    /// After how many days a session ends.
    pub(super) session_days: u16,
    /// Whether an address must be verified before somebody signs in with it.
    pub(super) verify_email: bool,
    /// A file of SHA-1 hashes of passwords that have become known, as Have I Been Pwned gives it.
    pub(super) breached_passwords: Option<PathBuf>,
    /// The addresses or networks of proxies whose `X-Forwarded-For` is believed.
    pub(super) trusted_proxies: Vec<String>,
    /// The recommender's engines and their parameters.
    pub(super) recommender: stoa_recommender::Settings,
    /// Engines outside the process, by name.
    #[serde(default)]
    pub(super) engines: BTreeMap<String, EngineSettings>,
    /// The engine of these that makes everybody's lists; the hybrid if none is named.
    pub(super) serve_by: Option<String>,
    /// So many hours after a training `serve` trains again, if there is something new; 0 for never.
    pub(super) train_every_hours: u32,
    /// So many models are kept when `serve` has trained another.
    pub(super) keep_models: usize,
    /// The engines that models may be made of. Not a setting: the program brings them.
    #[serde(skip)]
    pub(super) registry: Registry,
    /// Between which engines learners are split, if they are.
    #[serde(default)]
    pub(super) experiment: ExperimentSettings,
    /// Limits of live connections.
    #[serde(default)]
    pub(super) live: LiveSettings,
    /// Requests.
    #[serde(default)]
    pub(super) http: HttpSettings,
    /// How much may be asked for.
    #[serde(default)]
    pub(super) limits: LimitSettings,
    /// The catalogue.
    #[serde(default)]
    pub(super) catalogue: CatalogueSettings,
    /// Documents that are known.
    #[serde(default)]
    pub(super) documents: DocumentSettings,
    /// Figures and traces.
    #[serde(default)]
    pub(super) observe: ObserveSettings,
    /// How mails are sent.
    #[serde(default)]
    pub(super) mail: MailSettings,
    /// Sign-in with another provider, if there is one.
    pub(super) oidc: Option<OidcSettings>,
    /// The file that was read, if one was. Not a setting.
    #[serde(skip)]
    pub(super) file: Option<PathBuf>,
}

/// What an installation decides about who may see what: the table `[policy]`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Policy {
    /// For how many days the staff of a course keep what grading needs of a learner who has left or completed it.
    keep_days: u32,
    /// The roles that count only with a second factor: `STAFF` (of courses), `SUPPORT`, `ANALYST`, `ADMINISTRATOR`.
    two_factor_for: Vec<String>,
    /// The smallest number of learners that a sum may speak of, at least 5.
    smallest_group: u32,
    /// Whether a case needs the approval of a second person.
    cases_need_approval: bool,
    /// The longest that a case may be open, in hours.
    longest_case_hours: u32,
}

impl Default for Policy {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            keep_days: rules.keep_days,
            two_factor_for: rules.two_factor_for.iter().map(|role| role.as_str().to_owned()).collect(),
            smallest_group: rules.smallest_group,
            cases_need_approval: rules.cases_need_approval,
            longest_case_hours: rules.longest_case_hours,
        }
    }
}

impl Policy {
    /// The rules, if they may be such.
    pub(super) fn rules(&self) -> anyhow::Result<Rules> {
        let between = |name: &str, value: u32, range: RangeInclusive<u32>| {
            let (least, most) = (range.start(), range.end());
            ensure!(range.contains(&value), "policy.{name} must be between {least} and {most}; this was {value}");
            Ok(value)
        };
        Ok(Rules {
            keep_days: between("keep_days", self.keep_days, 0..=36_500)?,
            two_factor_for: self.two_factor_for.iter().map(|name| working_role(name)).collect::<Result<_, _>>()?,
            // Of fewer than five, who knows some of them knows the rest.
            smallest_group: between("smallest_group", self.smallest_group, 5..=1_000)?,
            cases_need_approval: self.cases_need_approval,
            longest_case_hours: between("longest_case_hours", self.longest_case_hours, 1..=8_760)?,
        })
    }
}

/// A role that somebody has by her work. Instructors and assistants are both staff of a course.
fn working_role(name: &str) -> anyhow::Result<Relation> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "STAFF" | "INSTRUCTOR" | "ASSISTANT" => Relation::Staff,
        "SUPPORT" => Relation::Support,
        "ANALYST" => Relation::Analyst,
        "ADMINISTRATOR" => Relation::Administrator,
        _ => bail!("policy.two_factor_for names {name:?}: use STAFF, SUPPORT, ANALYST or ADMINISTRATOR"),
    })
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
const NAMES: [&str; 13] = [
    "database_url",
    "connections",
    "listen",
    "secret_key_file",
    "log",
    "log_format",
    "session_days",
    "verify_email",
    "breached_passwords",
    "trusted_proxies",
    "serve_by",
    "train_every_hours",
    "keep_models",
];

#[derive(Serialize)]
struct Defaults {
    database_url: &'static str,
    connections: u32,
    listen: &'static str,
    log: &'static str,
    log_format: LogFormat,
    session_days: u16,
    verify_email: bool,
    trusted_proxies: Vec<String>,
    recommender: stoa_recommender::Settings,
    train_every_hours: u32,
    keep_models: usize,
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
        let sign_in = SignInSettings::default();
        let defaults = Defaults {
            database_url: "sqlite://data/stoa.db",
            connections: 4,
            listen: "127.0.0.1:8000",
            log: "info,sqlx=warn",
            log_format: LogFormat::Text,
            session_days: sign_in.session_days,
            verify_email: sign_in.verify_email,
            trusted_proxies: Vec::new(),
            recommender: stoa_recommender::Settings::default(),
            train_every_hours: 24,
            keep_models: 10,
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
        let config = figment
            .merge(Env::raw().only(&["DATABASE_URL"]))
            .merge(Env::prefixed("STOA_").only(&NAMES))
            .merge(Serialized::defaults(Secret {
                secret_key: std::env::var("STOA_SECRET_KEY").ok().filter(|key| !key.is_empty()),
            }))
            .merge(Serialized::defaults(flags))
            .extract::<Self>()
            .context("the configuration can't be used")?;
        Ok(Self { file: file.is_file().then(|| file.to_owned()), ..config })
    }

    /// What the installation decides.
    pub(super) fn settings(&self) -> anyhow::Result<Settings> {
        self.experiment.check()?;
        self.live.check()?;
        self.http.check()?;
        self.limits.check()?;
        self.catalogue.check()?;
        self.documents.check()?;
        self.observe.check()?;
        Ok(Settings {
            rules: self.policy.rules()?,
            sign_in: self.sign_in()?,
            experiment: self.experiment.clone(),
            live: self.live.clone(),
            http: self.http.clone(),
            limits: self.limits.clone(),
            catalogue: self.catalogue.clone(),
            documents: self.documents.clone(),
            observe: self.observe.clone(),
        })
    }

    /// The engines outside the process. A token in the environment counts before one in the file.
    pub(super) fn engines(&self) -> EnginesSettings {
        let mut engines = self.engines.clone();
        for (name, engine) in &mut engines {
            let variable = format!("STOA_ENGINE_{}_TOKEN", name.to_ascii_uppercase());
            if let Some(token) = std::env::var(variable).ok().filter(|token| !token.is_empty()) {
                (engine.token, engine.token_file) = (Some(token), None);
            }
        }
        EnginesSettings { engines, serve_by: self.serve_by.clone() }
    }

    /// When `serve` trains by itself, if it does.
    pub(super) fn schedule(&self) -> anyhow::Result<Option<Schedule>> {
        ensure!(
            self.train_every_hours <= 8_760,
            "train_every_hours must be between 0 and 8760; this was {}",
            self.train_every_hours
        );
        ensure!(
            (1..=1_000).contains(&self.keep_models),
            "keep_models must be between 1 and 1000; this was {}",
            self.keep_models
        );
        Ok((self.train_every_hours > 0).then(|| Schedule {
            every_hours: self.train_every_hours,
            keep: self.keep_models,
            settings: self.recommender.clone(),
        }))
    }

    /// What is decided about signing in.
    fn sign_in(&self) -> anyhow::Result<SignInSettings> {
        if !(1..=365).contains(&self.session_days) {
            bail!("session_days must be between 1 and 365; this is {}", self.session_days);
        }
        if let Some(file) = self.breached_passwords.as_ref().filter(|file| !file.is_file()) {
            bail!("breached_passwords: there is no file {}", file.display());
        }
        let trusted_proxies = self
            .trusted_proxies
            .iter()
            .map(|text| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)))
            .collect::<Result<_, _>>()
            .with_context(|| "trusted_proxies must be addresses or networks, such as 10.0.0.0/8")?;
        Ok(SignInSettings {
            session_days: self.session_days,
            verify_email: self.verify_email,
            breached_passwords: self.breached_passwords.clone(),
            trusted_proxies,
        })
    }

    /// The secret key, made and kept if there is none yet.
    pub(super) fn secret_key(&self) -> anyhow::Result<SecretKey> {
        if let Some(text) = &self.secret_key {
            return Ok(SecretKey::from_text(text)?);
        }
        Ok(SecretKey::from_file(&self.secret_key_path())?)
    }

    /// Where the secret key is kept if it is not given.
    pub(super) fn secret_key_path(&self) -> PathBuf {
        self.secret_key_file.clone().unwrap_or_else(|| {
            let database =
                self.database_url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
            let folder = database.and_then(|path| Path::new(path).parent()).unwrap_or(Path::new("data"));
            folder.join("stoa.key")
        })
    }

    /// Whether the file has something in it that is secret.
    pub(super) fn has_secrets_in_file(&self) -> bool {
        let Some(text) = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()) else { return false };
        let is_secret = |line: &str| {
            let (name, value) = line.split_once('=').unwrap_or_default();
            ["secret_key", "client_secret", "token"].contains(&name.trim())
                || (["url", "database_url"].contains(&name.trim()) && without_password(value) != value)
        };
        text.lines().any(is_secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, String> {
        let policy: Policy = Figment::from(Toml::string(text)).extract().map_err(|error| error.to_string())?;
        policy.rules().map_err(|error| error.to_string())
    }

    #[test]
    fn the_policys_rules_are_read_and_held_in_bounds() {
        assert_eq!(rules(""), Ok(Rules::default()));
        let read = rules("two_factor_for = [\"instructor\", \"SUPPORT\"]\nsmallest_group = 5\nkeep_days = 30").unwrap();
        assert!(read.two_factor_for.has(Relation::Staff) && read.two_factor_for.has(Relation::Support));
        assert!(!read.two_factor_for.has(Relation::Administrator));
        assert_eq!((read.smallest_group, read.keep_days), (5, 30));
        for (text, said) in [
            ("smallest_group = 4", "between 5 and"),
            ("longest_case_hours = 0", "between 1 and"),
            ("keep_days = 4000000000", "between 0 and"),
            ("two_factor_for = [\"LEARNER\"]", "use STAFF"),
            ("keep_day = 1", "unknown field"),
        ] {
            let error = rules(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
