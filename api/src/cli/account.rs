//! `stoa password` and `stoa role`: what the first administrator is made with.

use std::io::BufRead as _;

use anyhow::{Context as _, bail};
use clap::Args;

use super::{DONE, config::Config, open};
use crate::{accounts::model::SystemRole, app::App, ids::AccountId};

#[derive(Debug, Args)]
pub(super) struct PasswordArguments {
    /// Whose password
    #[arg(long, value_name = "ADDRESS")]
    email: String,
}

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct RoleArguments {
    /// Whose role
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The role to give: support, analyst, administrator
    #[arg(long, value_name = "ROLE", conflicts_with = "revoke", required_unless_present = "revoke")]
    grant: Option<SystemRole>,
    /// The role to take away
    #[arg(long, value_name = "ROLE")]
    revoke: Option<SystemRole>,
}

pub(super) async fn password(config: &Config, arguments: &PasswordArguments) -> anyhow::Result<u8> {
    let app = open(config).await?;
    let account = holder(&app, &arguments.email).await?;
    // Not as an argument, which everybody on the machine could read.
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the password could not be read from standard input")?;
    let set = app.sign_in.set_password(account, line.trim_end_matches(['\r', '\n'])).await?;
    app.db.close().await;
    set?;
    eprintln!("the password is set, and every session of the account has ended");
    Ok(DONE)
}

pub(super) async fn role(config: &Config, arguments: &RoleArguments) -> anyhow::Result<u8> {
    let app = open(config).await?;
    let account = holder(&app, &arguments.email).await?;
    if let Some(role) = arguments.grant {
        app.accounts.command_role(account, role, true).await?;
    }
    let taken = match arguments.revoke {
        Some(role) => app.accounts.command_role(account, role, false).await?,
        None => true,
    };
    app.db.close().await;
    if !taken {
        bail!("{} does not have this role", arguments.email);
    }
    Ok(DONE)
}

async fn holder(app: &App, email: &str) -> anyhow::Result<AccountId> {
    let found = app.accounts.find_by_email(email).await?;
    found.with_context(|| format!("nobody has the address {email}: make an account with `stoa token --create NAME`"))
}
