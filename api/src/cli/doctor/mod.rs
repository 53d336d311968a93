//! `stoa doctor`: looks at the configuration and at all that it leads to. It changes nothing, and prints nothing secret.

use clap::Args;
use serde::Serialize;

use super::{DONE, FAILED, config::Config};

mod machine;
mod services;

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Print the findings as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Send a mail to this address, to see whether mails leave
    #[arg(long, value_name = "ADDRESS")]
    send_to: Option<String>,
}

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// It is as it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    /// What there is.
    found: String,
    /// What is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Ok, found: found.into(), mend: None });
    }

    fn warn(&mut self, check: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Warn, found: found.into(), mend: Some(mend.into()) });
    }

    fn fail(&mut self, check: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Finding { check, level: Level::Fail, found: found.into(), mend: Some(mend.into()) });
    }

    fn tell(&self, json: bool) -> anyhow::Result<u8> {
        if json {
            println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "findings": self.0 }))?);
        } else {
            for finding in &self.0 {
                let level = match finding.level {
                    Level::Ok => "ok  ",
                    Level::Warn => "warn",
                    Level::Fail => "fail",
                };
                let mend = finding.mend.as_ref().map(|mend| format!(": {mend}")).unwrap_or_default();
                println!("{level}  {:<14}{}{mend}", finding.check, finding.found);
            }
        }
        let fails = self.0.iter().any(|finding| finding.level == Level::Fail);
        Ok(if fails { FAILED } else { DONE })
    }
}

/// What is said of a configuration that can't be read.
pub(super) fn unreadable(error: &anyhow::Error, json: bool) -> u8 {
    let mut findings = Findings::default();
    findings.fail("configuration", format!("{error:#}"), "mend it: docs/CONFIGURATION.md lists every setting");
    findings.tell(json).unwrap_or(FAILED)
}

pub(super) async fn doctor(config: &Config, arguments: &DoctorArguments) -> anyhow::Result<u8> {
    let mut findings = Findings::default();
    machine::configuration(config, &mut findings);
    machine::secret_key(config, &mut findings);
    machine::addresses(config, &mut findings).await;
    machine::files(config, &mut findings);
    machine::clock(&mut findings);
    Box::pin(services::services(config, arguments.send_to.as_deref(), &mut findings)).await;
    findings.tell(arguments.json)
}
