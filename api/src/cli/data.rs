//! `stoa migrate`, `stoa seed`, `stoa import`.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::{BAD_ROWS, DONE, bar::Bar, config::Config, open_or_create};
use crate::{
    app::App,
    db::{Db, Options},
    intake::{
        Intake, IntakeError, Report,
        campus::{CAMPUS_UNTIL, Campus, CampusSize},
        csv::CsvFolder,
        mars::{Mars, MarsLanguage},
        records::{Kind, Source},
    },
};

#[derive(Debug, Args)]
pub(super) struct SeedArguments {
    /// How many learners
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    learners: u32,
    /// How many courses
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    courses: u32,
    /// The same seed and size make the same campus
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// The folder with the files
    folder: PathBuf,
    /// Their layout: our own, or that of a published data set
    #[arg(long, value_enum, default_value_t = Layout::Csv)]
    format: Layout,
    /// Which part of the mars data set
    #[arg(long, value_enum, default_value_t = Language::En)]
    lang: Language,
    /// With csv: under which name the keys are kept apart from those of other sources
    #[arg(long, default_value = "csv", value_name = "NAME")]
    source: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Layout {
    /// courses.csv, lessons.csv, learners.csv, activity.csv, threads.csv (docs/IMPORT.md)
    Csv,
    /// The Mandarine Academy Recommender System data set
    Mars,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    En,
    Fr,
}

pub(super) async fn migrate(config: &Config) -> anyhow::Result<u8> {
    let db = Db::open(&Options::create(&config.database_url)).await?;
    let applied = db.migrate().await?;
    db.close().await;
    if applied.is_empty() {
        println!("the database is up to date");
    } else {
        println!("applied {} migration(s): the database is at version {}", applied.len(), applied[applied.len() - 1]);
    }
    Ok(DONE)
}

pub(super) async fn seed(config: &Config, arguments: &SeedArguments) -> anyhow::Result<u8> {
    let app = open_or_create(config).await?;
    let size = CampusSize {
        learners: arguments.learners,
        courses: arguments.courses,
        seed: arguments.seed,
        until: CAMPUS_UNTIL,
    };
    let report = take(&app, &Campus::new(size)).await?;
    print!("{report}");
    app.db.close().await;
    Ok(code(&report))
}

pub(super) async fn import(config: &Config, arguments: &ImportArguments) -> anyhow::Result<u8> {
    if !arguments.folder.is_dir() {
        bail!("there is no folder {}", arguments.folder.display());
    }
    let source: Box<dyn Source> = match (arguments.format, arguments.lang) {
        (Layout::Csv, _) => Box::new(CsvFolder::open(&arguments.folder, &arguments.source)?),
        (Layout::Mars, Language::En) => Box::new(Mars::open(&arguments.folder, MarsLanguage::English)?),
        (Layout::Mars, Language::Fr) => Box::new(Mars::open(&arguments.folder, MarsLanguage::French)?),
    };
    let app = open_or_create(config).await?;
    let report = take(&app, source.as_ref()).await?;
    print!("{report}");
    app.db.close().await;
    Ok(code(&report))
}

/// Takes a source in, with a bar.
pub(super) async fn take(app: &App, source: &dyn Source) -> Result<Report, IntakeError> {
    let mut bar = Bar::new();
    let mut show = |kind, read, expected: Option<u64>| {
        let stage = match kind {
            Kind::Learners => "learners",
            Kind::Courses => "courses",
            Kind::Lessons => "lessons",
            Kind::Activity => "activity",
            Kind::Posts => "posts",
        };
        bar.show(stage, read, expected.unwrap_or(0));
    };
    let intake = Intake::new(app.db.clone(), app.clock.clone(), app.accounts.clone());
    let report = intake.take(source, &mut show).await?;
    app.db.analyze().await?;
    Ok(report)
}

fn code(report: &Report) -> u8 {
    if report.complete() { DONE } else { BAD_ROWS }
}
