//! `stoa documents`.

use std::{fs, path::Path, path::PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};

use super::{BAD_ROWS, DONE, config::Config, open};
use crate::{
    documents::{
        manifest,
        model::{Checked, Flaw, Trusted},
    },
    http::Checker,
    time::Timestamp,
};

/// The longest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 64 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum DocumentsCommand {
    /// Trust the documents of a manifest: all of them, or none if one can't be carried out
    Add(AddArguments),
    /// Look whether the documents of a manifest can be carried out, without a database; each flaw is a line, and the exit code
    /// is 3 if there are any
    Check {
        /// The manifest
        file: PathBuf,
    },
    /// List the trusted documents
    List {
        /// Only those that nobody has asked for since this day, and that were there already
        #[arg(long, value_name = "DATE", value_parser = instant)]
        unused_since: Option<Timestamp>,
    },
    /// Trust documents no more
    Remove(RemoveArguments),
}

#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// The manifest, as relay-compiler, graphql-codegen or generate-persisted-query-manifest writes it
    file: PathBuf,
    /// What the manifest is called, such as the program's name and version [default: the file's name]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Look whether it could be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct RemoveArguments {
    /// The ids of the documents
    #[arg(value_name = "ID", conflicts_with = "source")]
    ids: Vec<String>,
    /// Those of this manifest instead that are in no other
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "this is no date: write it as 2026-11-23".to_owned())
}

pub(super) async fn documents(config: &Config, command: &DocumentsCommand) -> anyhow::Result<u8> {
    match command {
        DocumentsCommand::Add(arguments) => add(config, arguments).await,
        DocumentsCommand::Check { file } => match check(config, file).await? {
            Ok(documents) => {
                println!("{} can be carried out", count(documents.len() as u64));
                Ok(DONE)
            }
            Err(flaws) => Ok(tell(&flaws)),
        },
        DocumentsCommand::List { unused_since } => list(config, *unused_since).await,
        DocumentsCommand::Remove(arguments) => remove(config, arguments).await,
    }
}

async fn add(config: &Config, arguments: &AddArguments) -> anyhow::Result<u8> {
    let file_name = arguments.file.file_stem().map(|name| name.to_string_lossy().into_owned());
    let Some(source) = arguments.source.clone().or(file_name) else {
        bail!("{} is no file", arguments.file.display());
    };
    let documents = match check(config, &arguments.file).await? {
        Ok(documents) => documents,
        Err(flaws) => return Ok(tell(&flaws)),
    };
    let app = open(config).await?;
    let added = app.documents.add(&source, &documents, arguments.dry_run).await?;
    app.db.close().await;
    match added {
        Err(flaws) => Ok(tell(&flaws)),
        Ok(added) => {
            let done = if arguments.dry_run { "would be added" } else { "added" };
            println!("{} {done} from {source}; {} there already", count(added.new as u64), added.known);
            Ok(DONE)
        }
    }
}

/// The documents of a manifest, or all that is wrong with them.
async fn check(config: &Config, file: &Path) -> anyhow::Result<Result<Vec<Checked>, Vec<Flaw>>> {
    let name = || file.display().to_string();
    let bytes = fs::metadata(file).with_context(|| format!("{} can't be read", name()))?.len();
    ensure!(bytes <= MAX_MANIFEST, "{} has {bytes} bytes; a manifest has at most {MAX_MANIFEST}", name());
    let text = fs::read_to_string(file).with_context(|| format!("{} can't be read", name()))?;
    Ok(match manifest::read(&text) {
        Ok(documents) => Checker::new(&config.settings()?.limits).check(documents).await,
        Err(flaws) => Err(flaws),
    })
}

fn tell(flaws: &[Flaw]) -> u8 {
    println!(
        "nothing taken, {} wrong:",
        if flaws.len() == 1 { "one thing is".into() } else { format!("{} things are", flaws.len()) }
    );
    for flaw in flaws {
        println!("  {flaw}");
    }
    BAD_ROWS
}

async fn list(config: &Config, unused_since: Option<Timestamp>) -> anyhow::Result<u8> {
    let app = open(config).await?;
    let documents = match unused_since {
        Some(since) => app.documents.unused_since(since).await?,
        None => app.documents.list().await?,
    };
    app.db.close().await;
    for document in &documents {
        println!("{}", line(document));
    }
    eprintln!("{}", count(documents.len() as u64));
    Ok(DONE)
}

fn line(document: &Trusted) -> String {
    let day = |at: Timestamp| at.to_string().chars().take(10).collect::<String>();
    let operations = if document.operations.is_empty() { "(without a name)" } else { &document.operations };
    let used = document.used_on.map_or_else(|| "never".to_owned(), day);
    format!(
        "{}  {operations}  {} bytes  added {}  last used {used}  from {}",
        document.id,
        document.bytes,
        day(document.added_at),
        document.sources.join(", ")
    )
}

async fn remove(config: &Config, arguments: &RemoveArguments) -> anyhow::Result<u8> {
    let app = open(config).await?;
    let removed = if let Some(source) = &arguments.source {
        let (named, removed) = app.documents.remove_source(source).await?;
        ensure!(named > 0, "no document comes from {source}: `stoa documents list` tells where they come from");
        if removed < named {
            println!("{} kept: another manifest has them, too", count(named - removed));
        }
        removed
    } else {
        let removed = app.documents.remove(arguments.ids.clone()).await?;
        ensure!(removed > 0, "no document has such an id: see them with `stoa documents list`");
        removed
    };
    println!("{} removed; servers answer them no more within a few seconds", count(removed));
    app.db.close().await;
    Ok(DONE)
}

fn count(documents: u64) -> String {
    if documents == 1 { "1 document".to_owned() } else { format!("{documents} documents") }
}
