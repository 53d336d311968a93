//! `stoa evaluate`.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use stoa_recommender::{
    Settings,
    engine::Registry,
    evaluate::{self, Part, Protocol, Report, Split, Trial},
};

use super::{DONE, config::Config, data::take, model::shown, open};
use crate::{
    accounts::secret::SecretKey,
    app::App,
    db::{Db, Options},
    intake::csv::CsvFolder,
    time::Clock,
};

#[derive(Debug, Args)]
pub(super) struct EvaluateArguments {
    /// Instead of the database: a folder in our CSV layout (docs/IMPORT.md); nothing is imported
    #[arg(long, value_name = "DIR", conflicts_with = "split")]
    csv: Option<PathBuf>,
    /// Instead of the database: a folder with train.tsv, `val_target.tsv`, trainval.tsv, `test_target.tsv`, `item_ids.tsv`
    #[arg(long, value_name = "DIR")]
    split: Option<PathBuf>,
    /// With --split: the times are only an order
    #[arg(long, requires = "split")]
    no_clock: bool,
    /// With --split: which targets to ask for
    #[arg(long, requires = "split", value_enum, default_value_t = Targets::Test)]
    part: Targets,
    /// What is held out
    #[arg(long, value_enum, default_value_t = Protocols::LeaveLastOut)]
    protocol: Protocols,
    /// Judge only these engines, and a mix of them alone: labels of the configuration, or engines' names
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    engines: Vec<String>,
    /// Also tell what each engine and each group of features earns; takes several times as long
    #[arg(long)]
    ablation: bool,
    /// Also write the report as a page with charts
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// As JSON; with several protocols a list
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Targets {
    /// Fit on train.tsv, ask for `val_target.tsv`: for tuning
    Validation,
    /// Fit on trainval.tsv, ask for `test_target.tsv`: for reporting
    Test,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocols {
    /// The last course of every learner with three or more (with --split: the split's own targets)
    LeaveLastOut,
    /// Train on the first 80 % of time, ask for everything later
    Rolling,
    /// The same, but only the first choice of learners who come back
    FirstReturn,
    /// All three
    All,
}

impl Protocols {
    fn list(self) -> Vec<Protocol> {
        match self {
            Self::LeaveLastOut => vec![Protocol::LeaveLastOut],
            Self::Rolling => vec![Protocol::Rolling],
            Self::FirstReturn => vec![Protocol::FirstReturn],
            Self::All => vec![Protocol::LeaveLastOut, Protocol::Rolling, Protocol::FirstReturn],
        }
    }
}

pub(super) async fn evaluate(config: &Config, arguments: &EvaluateArguments) -> anyhow::Result<u8> {
    let mut settings = config.recommender.clone();
    if !arguments.engines.is_empty() {
        settings = evaluate::only(&settings, &arguments.engines, &Registry::standard())?;
    }
    let reports = if let Some(folder) = &arguments.split {
        on_split(folder, settings, arguments).await?
    } else if let Some(folder) = &arguments.csv {
        on_csv(folder, config, settings, arguments).await?
    } else {
        on_database(&open(config).await?, settings, arguments).await?
    };
    if let Some(file) = &arguments.report {
        fs::write(file, evaluate::page(&reports)).with_context(|| format!("can't write {}", file.display()))?;
    }
    match reports.as_slice() {
        [report] if arguments.json => println!("{}", serde_json::to_string_pretty(report)?),
        reports if arguments.json => println!("{}", serde_json::to_string_pretty(reports)?),
        reports => {
            let texts: Vec<_> = reports.iter().map(ToString::to_string).collect();
            print!("{}", texts.join("\n"));
        }
    }
    Ok(DONE)
}

async fn on_database(app: &App, settings: Settings, arguments: &EvaluateArguments) -> anyhow::Result<Vec<Report>> {
    let reports = app.feed.evaluate(settings, arguments.protocol.list(), arguments.ablation, shown()).await?;
    app.db.close().await;
    Ok(reports)
}

async fn on_split(folder: &Path, settings: Settings, arguments: &EvaluateArguments) -> anyhow::Result<Vec<Report>> {
    let mut protocols = arguments.protocol.list();
    if arguments.part == Targets::Validation && arguments.protocol != Protocols::LeaveLastOut {
        bail!("--part validation goes with --protocol leave-last-out: the others cut by time");
    }
    if arguments.no_clock && protocols != [Protocol::LeaveLastOut] {
        if arguments.protocol != Protocols::All {
            bail!("--protocol rolling and first-return cut by time: they can't be had with --no-clock");
        }
        eprintln!("stoa: only leave-last-out: the other protocols cut by time");
        protocols = vec![Protocol::LeaveLastOut];
    }
    let split = Split::read_with(folder, !arguments.no_clock)?;
    let part = match arguments.part {
        Targets::Validation => Part::Validation,
        Targets::Test => Part::Test,
    };
    let (ablation, mut progress) = (arguments.ablation, shown());
    let judge = move || {
        let registry = Registry::standard();
        let trial = Trial { registry: &registry, settings: &settings, ablation };
        let everything = split.everything();
        let judge = |protocol| match protocol {
            Protocol::LeaveLastOut => trial.evaluate_split(&split, part, &mut progress),
            protocol => trial.evaluate(protocol, &split.catalogue, &everything, &mut progress),
        };
        protocols.into_iter().map(judge).collect::<Result<_, _>>()
    };
    Ok(tokio::task::spawn_blocking(judge).await??)
}

/// Takes the files into a database that is thrown away, so that they are read just as an import reads them.
async fn on_csv(
    folder: &Path,
    config: &Config,
    settings: Settings,
    arguments: &EvaluateArguments,
) -> anyhow::Result<Vec<Report>> {
    if !folder.is_dir() {
        bail!("there is no folder {}", folder.display());
    }
    let source = CsvFolder::open(folder, "csv")?;
    let clock = Clock::system();
    let place = Thrown::new(&clock)?;
    let url = format!("sqlite://{}", place.0.join("evaluated.db").display());
    let db = Db::open(&Options { connections: config.connections, ..Options::create(&url) }).await?;
    db.migrate().await?;
    let app = App::new(db, clock, SecretKey::from_file(&place.0.join("key"))?, config.settings()?).await?;
    let taken = take(&app, &source).await?;
    if !taken.complete() {
        eprint!("{taken}");
    }
    on_database(&app, settings, arguments).await
}

/// A folder that only this user may read, and that is gone in the end.
struct Thrown(PathBuf);

impl Thrown {
    fn new(clock: &Clock) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("stoa-evaluate-{}", clock.id::<uuid::Uuid>()));
        DirBuilder::new().mode(0o700).create(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Thrown {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("stoa: {} is left behind: {error}", self.0.display());
        }
    }
}
