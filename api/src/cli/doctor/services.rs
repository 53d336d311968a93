//! The database, and the services on it and beside it.

use tokio::time::timeout;

use super::{Findings, machine::PATIENCE};
use crate::{
    app::App,
    audit::model::Told,
    cli::{config::Config, serve, services as open_services},
    db::{Db, DbError, Health, Options, settings, without_password},
    mail::{Mailer, model::Transport},
    time::{Clock, Timestamp},
};

/// A database may be large, or busy.
const LONG: std::time::Duration = std::time::Duration::from_mins(1);
/// So many of the last batches of the access log are looked at.
const BATCHES: i64 = 200;
/// The oldest PostgreSQL that Stoa is tested with.
const OLDEST_POSTGRES: i32 = 150_000;

const SECOND: i64 = 1_000_000;

pub(super) async fn services(config: &Config, send_to: Option<&str>, findings: &mut Findings) {
    let app = database(config, findings).await;
    mailer(config, send_to, findings).await;
    match app {
        Some(app) => {
            model(&app, config, findings).await;
            access_log(&app, findings).await;
            engines(&app, findings).await;
            provider(app.clone(), config, findings).await;
            app.db.close().await;
        }
        None => findings.warn(
            "services",
            "model, access log, engines and provider were not looked at",
            "mend what is above, and look again",
        ),
    }
}

/// Looks at the database; gives the services, if they can be had without setting anything up.
async fn database(config: &Config, findings: &mut Findings) -> Option<App> {
    const CHECK: &str = "database";
    let options = Options { connections: config.connections, ..Options::existing(&config.database_url) };
    let db = match timeout(LONG, Db::open(&options)).await {
        Ok(Ok(db)) => db,
        Ok(Err(error)) => {
            let mend = "start it, or set database_url to where it is";
            findings.fail(CHECK, format!("{}: {error}", without_password(&config.database_url)), mend);
            return None;
        }
        Err(_) => {
            findings.fail(CHECK, "it does not answer", "look whether it is overloaded");
            return None;
        }
    };
    match timeout(LONG, db.health()).await {
        Ok(Ok(health)) => of_health(&health, config, findings),
        Ok(Err(error)) => findings.fail(CHECK, error.to_string(), "see its own log"),
        Err(_) => findings.fail(CHECK, "it does not answer", "look whether it is overloaded"),
    }
    match timeout(LONG, db.flaws()).await {
        Ok(Ok(flaws)) if flaws.is_empty() => {}
        Ok(Ok(flaws)) => {
            findings.fail(CHECK, format!("the file is damaged: {}", flaws.join("; ")), "bring a backup back");
        }
        Ok(Err(error)) => findings.fail(CHECK, format!("the file can't be checked: {error}"), "bring a backup back"),
        Err(_) => findings.warn(CHECK, "it is too large to be checked in a minute", "run PRAGMA quick_check at night"),
    }
    match db.require_current().await {
        Ok(()) => findings.ok("migrations", "all are applied"),
        Err(error) => {
            findings.fail("migrations", error.to_string(), "see docs/CONFIGURATION.md, The database");
            db.close().await;
            return None;
        }
    }
    if config.secret_key.is_none() && !config.secret_key_path().exists() {
        db.close().await;
        return None;
    }
    let key = config.secret_key().ok()?;
    match settings::get(&db, "key_fingerprint").await {
        Ok(None) => {
            findings.warn("secret key", "no server has used this database yet", "start one");
            db.close().await;
            return None;
        }
        Ok(Some(fingerprint)) if fingerprint != key.fingerprint() => {
            findings.fail("secret key", DbError::SecretKey.to_string(), "bring the key back: nothing works without it");
            db.close().await;
            return None;
        }
        Ok(Some(_)) => {}
        Err(error) => findings.fail(CHECK, error.to_string(), "see its own log"),
    }
    match open_services(config, db).await {
        Ok(app) => Some(app),
        Err(error) => {
            findings.fail("services", format!("{error:#}"), "mend the configuration");
            None
        }
    }
}

fn of_health(health: &Health, config: &Config, findings: &mut Findings) {
    const CHECK: &str = "database";
    match health {
        Health::Lite { version, journal_mode } if journal_mode == "wal" => {
            findings.ok(CHECK, format!("SQLite {version}, with a write-ahead log"));
        }
        Health::Lite { version, journal_mode } => findings.fail(
            CHECK,
            format!("SQLite {version} with journal_mode {journal_mode}, not wal"),
            "keep the file on a disk of this machine: the write-ahead log does not work across a network",
        ),
        Health::Pg { version, version_number, most, used, encoding, collation, now } => {
            let text = format!("PostgreSQL {version}, encoding {encoding}, collation {collation}");
            if encoding != "UTF8" {
                findings.fail(CHECK, text, "make a database with ENCODING 'UTF8', and bring the rows over");
            } else if *version_number < OLDEST_POSTGRES {
                findings.fail(CHECK, text, "Stoa needs PostgreSQL 15 or newer");
            } else {
                findings.ok(CHECK, text);
            }
            // One more hears what is told.
            let wanted = i64::from(config.connections) + 1;
            let room = format!("{most} connections, {used} in use; this server takes up to {wanted}");
            if wanted > *most {
                findings.fail("connections", room, "lower `connections`, or raise max_connections");
            } else if wanted + used > *most {
                findings.warn(
                    "connections",
                    room,
                    "there may be too few when all are busy: count all servers together",
                );
            } else {
                findings.ok("connections", room);
            }
            let apart = (Clock::system().now().0 - now).abs();
            let text = format!("the database's clock and this machine's are {} ms apart", apart / 1_000);
            if apart > 60 * SECOND {
                findings.fail("clock", text, "keep both right by NTP");
            } else if apart > SECOND {
                findings.warn("clock", text, "keep both right by NTP");
            } else {
                findings.ok("clock", text);
            }
        }
    }
}

async fn model(app: &App, config: &Config, findings: &mut Findings) {
    const CHECK: &str = "model";
    match app.feed.refresh().await {
        Ok(false) => {
            findings.warn(CHECK, "there is none, so there are no recommendations", "make one with `stoa train`");
        }
        Err(error) => findings.fail(CHECK, error.to_string(), "make a new one with `stoa train`"),
        Ok(true) => {
            let Some((id, trained_at)) = app.feed.model_in_use() else { return };
            let hours = (app.clock.now().seconds() - trained_at.seconds()) / 3_600;
            let text = format!("{} fits the catalogue, trained {hours} hours ago", id.0);
            // A training that finds nothing new is not done.
            let old = i64::from(config.train_every_hours) * 3;
            if config.train_every_hours > 0 && hours > old {
                findings.warn(CHECK, text, "look into the log of `stoa serve` for why it trains no new one");
            } else {
                findings.ok(CHECK, text);
            }
        }
    }
}

async fn access_log(app: &App, findings: &mut Findings) {
    const CHECK: &str = "access log";
    let mut flaws = Vec::new();
    let mut told = |told| {
        if let Told::Flaw(flaw) = told {
            flaws.push(flaw.to_string());
        }
    };
    match timeout(LONG, app.audit.verify_end(BATCHES, &mut told)).await {
        Ok(Ok((report, last))) => {
            let end = report.head.map_or(0, |head| head.number);
            if report.flaws > 0 {
                flaws.truncate(3);
                findings.fail(CHECK, flaws.join("; "), "run `stoa audit verify`, and find out who changed it");
            } else {
                findings.ok(CHECK, format!("the last {} of {end} batches are as they were written", report.batches));
            }
            let ahead = last.map_or(0, |last: Timestamp| last.0 - app.clock.now().0);
            if ahead > SECOND {
                findings.warn(
                    "clock",
                    format!("the access log was written {} s in the future: a clock was set back", ahead / SECOND),
                    "keep the clocks of all servers right by NTP",
                );
            }
        }
        Ok(Err(error)) => findings.fail(CHECK, error.to_string(), "without it nothing about people is shown"),
        Err(_) => findings.warn(CHECK, "it could not be read in a minute", "run `stoa audit verify`"),
    }
}

async fn engines(app: &App, findings: &mut Findings) {
    for (name, answers) in app.feed.engines().reach().await {
        match answers {
            Ok(()) => findings.ok("engine", format!("{name} answers")),
            Err(error) => findings.warn(
                "engine",
                format!("{name}: {error}"),
                "start it, or mend [engines]; until then the model stands in for it",
            ),
        }
    }
}

async fn provider(app: App, config: &Config, findings: &mut Findings) {
    const CHECK: &str = "provider";
    let Some(settings) = &config.oidc else { return };
    match serve::with_provider(app, config) {
        Err(error) => findings.fail(CHECK, format!("{error:#}"), "mend [oidc]"),
        Ok(app) => match &app.oidc {
            None => {}
            Some(oidc) => match timeout(PATIENCE, oidc.reach()).await {
                Ok(Ok(())) => findings.ok(CHECK, format!("{} answers, with its keys", settings.issuer)),
                Ok(Err(error)) => {
                    findings.fail(CHECK, format!("{}: {error}", settings.issuer), "mend [oidc], or the provider");
                }
                Err(_) => findings.fail(CHECK, format!("{} does not answer", settings.issuer), "see whether it is up"),
            },
        },
    }
}

async fn mailer(config: &Config, send_to: Option<&str>, findings: &mut Findings) {
    const CHECK: &str = "mail";
    let mailer = match Mailer::new(&config.mail, Transport::None) {
        Ok(mailer) => mailer,
        Err(error) => return findings.fail(CHECK, error.to_string(), "mend [mail]"),
    };
    if !mailer.is_configured() {
        let found = "no transport is configured, so no mail is sent";
        return if config.verify_email || send_to.is_some() {
            findings.fail(CHECK, found, "set [mail] transport: without it nobody can verify an address");
        } else {
            findings.warn(CHECK, found, "set [mail] transport, or nobody gets a new password by herself");
        };
    }
    match mailer.reach().await {
        Ok(what) => findings.ok(CHECK, what),
        Err(error) => return findings.fail(CHECK, error.to_string(), "mend [mail] url, or the mail server"),
    }
    if let Some(address) = send_to {
        let clock = Clock::system();
        match mailer.send_test(address, clock.id(), clock.now()).await {
            Ok(()) => findings.ok(CHECK, "the mail was sent: look whether it came"),
            Err(error) => findings.fail(CHECK, error.to_string(), "see the mail server's own log"),
        }
    }
}
