//! `stoa token`.

use anyhow::bail;
use clap::Args;
use uuid::Uuid;

use super::{DONE, config::Config, open};
use crate::{
    access::TokenScope,
    accounts::model::{NewAccount, NewToken},
    time::Timestamp,
};

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
    /// What it may be used for: read, write, people, account; may be given several times [default: all]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<TokenScope>,
    /// List the account's tokens instead
    #[arg(long, conflicts_with_all = ["create", "revoke"])]
    list: bool,
    /// Revoke the token with this id instead
    #[arg(long, value_name = "ID", conflicts_with = "create")]
    revoke: Option<Uuid>,
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
    if arguments.list {
        for token in app.accounts.tokens(account).await? {
            let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.as_str()).collect();
            let ends = token.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
            println!("{}  {}  made {}  ends {ends}  {}", token.id, scopes.join(","), token.created_at, token.label);
        }
        app.db.close().await;
        return Ok(DONE);
    }
    if let Some(id) = arguments.revoke {
        let revoked = app.accounts.revoke_token(account, id).await?;
        app.db.close().await;
        if !revoked {
            bail!("{} has no token {id}: see them with `--list`", arguments.email);
        }
        return Ok(DONE);
    }
    let ends = Timestamp(app.clock.now().0 + i64::from(arguments.days) * 86_400_000_000);
    let scopes = if arguments.scopes.is_empty() { TokenScope::ALL.to_vec() } else { arguments.scopes.clone() };
    let new = NewToken { label: arguments.label.clone(), scopes, expires_at: Some(ends), two_factor: true };
    let (_, token) = app.accounts.issue(account, &new).await?;
    // The token alone on standard output, so that a script can take it.
    println!("{}", token.secret_text());
    eprintln!("valid until {ends}; shown only now: send it as `Authorization: Bearer …`");
    app.db.close().await;
    Ok(DONE)
}
