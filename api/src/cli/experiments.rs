//! `stoa experiments`.

use clap::Args;

use super::{DONE, config::Config, open};

#[derive(Debug, Args)]
pub(super) struct ExperimentsArguments {
    /// The experiment [default: the configured one; without one, the lists that were in none]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Instead of a report: delete impressions and events that are older than `experiment.keep_days`, as a server does daily
    #[arg(long, conflicts_with_all = ["name", "json"])]
    prune: bool,
}

pub(super) async fn experiments(config: &Config, arguments: &ExperimentsArguments) -> anyhow::Result<u8> {
    let app = open(config).await?;
    if arguments.prune {
        println!("{} rows were deleted", app.feed.prune().await?);
    } else {
        let name = arguments.name.clone().unwrap_or_else(|| app.feed.experiment().to_owned());
        let report = app.feed.report(&name, app.rules.smallest_group).await?;
        if arguments.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print!("{report}");
        }
    }
    app.db.close().await;
    Ok(DONE)
}
