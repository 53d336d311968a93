//! `stoa token`.

use anyhow::bail;
use clap::Args;

use super::{DONE, config::Config, open};
use crate::{accounts::model::NewAccount, time::Timestamp};

#[derive(Debug, Args)]
pub(super) struct TokenArguments {
    /// Whose token
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// Make the account, with this name, if there is none with the address
    #[arg(long, value_name = "NAME")]
    create: Option<String>,
    /// What the token is for, to know it again
    #[arg(long, default_value = "command line")]
    label: String,
    /// After how many days it ends
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
}

pub(super) async fn token(config: &Config, arguments: &TokenArguments) -> anyhow::Result<u8> {
    let app = open(config).await?;
    let account = match (app.accounts.find_by_email(&arguments.email).await?, &arguments.create) {
        (Some(account), _) => account,
        (None, Some(name)) => {
            app.accounts.create(NewAccount { name: name.clone(), email: arguments.email.clone() }).await?
        }
        (None, None) => bail!("nobody has the address {}: add `--create NAME` to make an account", arguments.email),
    };
    let ends = Timestamp(app.clock.now().0 + i64::from(arguments.days) * 86_400_000_000);
    let token = app.accounts.issue_token(account, &arguments.label, Some(ends)).await?;
    // The token alone on standard output, so that a script can take it.
    println!("{}", token.secret_text());
    eprintln!("valid until {ends}; shown only now: send it as `Authorization: Bearer …`");
    app.db.close().await;
    Ok(DONE)
}
