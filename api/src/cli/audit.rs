//! `stoa audit`.

use anyhow::bail;
use clap::Subcommand;

use super::{DONE, FAILED, bar::Bar, config::Config, open};
use crate::audit::model::{Head, Told};

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Look whether the access log is as it was written; each flaw is a line, and the exit code is 1 if there are any
    Verify {
        /// A batch that `stoa audit head` printed earlier, which must still be in the log
        #[arg(long, value_name = "NUMBER:HASH")]
        expect: Option<Head>,
    },
    /// Print the last batch and its hash: kept elsewhere, it shows later whether the log was cut
    Head,
}

pub(super) async fn audit(config: &Config, command: &AuditCommand) -> anyhow::Result<u8> {
    let app = open(config).await?;
    let code = match command {
        AuditCommand::Head => match app.audit.head().await? {
            Some(head) => {
                println!("{head}");
                DONE
            }
            None => bail!("the head of the access log is missing: `stoa audit verify` tells what else is"),
        },
        AuditCommand::Verify { expect } => {
            let mut bar = Bar::new();
            let report = app
                .audit
                .verify(*expect, &mut |told| match told {
                    Told::Flaw(flaw) => println!("{flaw}"),
                    Told::Batches(done, all) => bar.show("verifying", done as u64, all as u64),
                })
                .await?;
            drop(bar);
            eprintln!("{} rows in {} batches, {} of them erased", report.rows, report.batches, report.erased);
            if let Some(head) = report.head {
                println!("{head}");
            }
            if report.is_whole() { DONE } else { FAILED }
        }
    };
    app.db.close().await;
    Ok(code)
}
