//! The command line.
//!
//! Exit codes: 0 done; 1 it could not be done, and standard error says why; 2 the command itself is wrong;
//! 3 an import, or a manifest of documents, was refused because of bad rows, which standard output lists.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use stoa_recommender::Registry;

mod account;
mod audit;
mod bar;
mod config;
mod data;
mod doctor;
mod documents;
mod evaluate;
mod experiments;
mod model;
mod models;
mod serve;
mod token;

use config::{Config, Flags, LogFormat};

#[cfg(feature = "otlp")]
use crate::observe::otlp::Traces;
use crate::{
    app::App,
    db::{Db, Options},
    observe::watch::TRACE,
    time::Clock,
};

/// It was done.
const DONE: u8 = 0;
/// It could not be done.
const FAILED: u8 = 1;
/// The command or the configuration is wrong.
const WRONG: u8 = 2;
/// An import or a manifest was refused because of bad rows.
const BAD_ROWS: u8 = 3;

/// Stoa: a server for online learning.
#[derive(Debug, Parser)]
#[command(name = "stoa", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The configuration file [default: stoa.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database: <sqlite://PATH> or <postgres://USER:PASSWORD@HOST/NAME> [default: <sqlite://data/stoa.db>]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a campus to look around in: makes, fills and trains whatever is missing
    Demo(serve::DemoArguments),
    /// Serve the database as it is
    Serve(serve::ServeArguments),
    /// Bring the database's schema up to date, making the SQLite file if there is none
    Migrate,
    /// Print the GraphQL schema
    Schema {
        /// As somebody in this role sees it, with what is left out at its head
        #[arg(long = "as", value_name = "ROLE")]
        role: Option<crate::graphql::schema_view::Role>,
    },
    /// Print who may see what, as docs/AUTHORIZATION.md has it
    Authorization,
    /// Fill the database with a generated campus
    Seed(data::SeedArguments),
    /// Import courses, learners and what they did from files
    Import(data::ImportArguments),
    /// Train the recommender on everybody's enrolments; servers take the new model up by themselves
    Train(models::TrainArguments),
    /// List the models, choose one by name, go back to the one before, or forget old ones
    Models(models::ModelsArguments),
    /// Show a learner's next courses, with the reasons
    Recommend(model::RecommendArguments),
    /// Measure the recommender and each of its engines: can they foretell what learners took?
    Evaluate(evaluate::EvaluateArguments),
    /// Tell what came of an experiment: rates for each arm, with their intervals
    Experiments(experiments::ExperimentsArguments),
    /// Make a bearer token for an account, list its tokens, or revoke one
    Token(token::TokenArguments),
    /// Look whether all is well: configuration, database, model, clock, mailer
    Doctor(doctor::DoctorArguments),
    /// Look after the access log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Add documents that clients may send by id, look at them, list them, remove them
    #[command(subcommand)]
    Documents(documents::DocumentsCommand),
    /// Set an account's password, read from standard input
    Password(account::PasswordArguments),
    /// Give an account a role by job function, or take it away
    Role(account::RoleArguments),
}

/// Runs the command line of this process, with the engines of `registry`, and answers with its exit code.
pub fn run(registry: Registry) -> ExitCode {
    ExitCode::from(run_with_engines(registry, std::env::args_os()))
}

/// Runs a command line, the program's name first, and answers with its exit code.
pub fn run_with<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> u8 {
    run_with_engines(Registry::standard(), arguments)
}

/// As [`run_with`], with the engines of `registry`.
pub fn run_with_engines<T: Into<OsString> + Clone>(registry: Registry, arguments: impl IntoIterator<Item = T>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // `--help` is such an "error" too.
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(WRONG);
        }
    };
    let listen = match &arguments.command {
        Command::Demo(serve) => serve.listen.clone(),
        Command::Serve(serve) => serve.listen.clone(),
        _ => None,
    };
    let flags = Flags { database_url: arguments.database_url, listen };
    let config = match Config::read(arguments.config.as_deref(), &flags) {
        Ok(config) => Config { registry, ..config },
        Err(error) => {
            return match &arguments.command {
                Command::Doctor(doctor) => doctor::unreadable(&error, doctor.json),
                _ => failed(&error, WRONG),
            };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into(), FAILED),
    };
    let serves = matches!(arguments.command, Command::Demo(_) | Command::Serve(_));
    let in_runtime = runtime.enter();
    let traces = match start_log(&config, serves) {
        Ok(traces) => traces,
        Err(error) => return failed(&error, WRONG),
    };
    drop(in_runtime);
    let code = match runtime.block_on(dispatch(arguments.command, &config)) {
        Ok(code) => code,
        Err(error) => failed(&error, FAILED),
    };
    if let Some(traces) = traces {
        runtime.block_on(traces.end());
    }
    code
}

async fn dispatch(command: Command, config: &Config) -> anyhow::Result<u8> {
    match command {
        // It holds all services.
        Command::Demo(arguments) => Box::pin(serve::demo(config, &arguments)).await,
        Command::Serve(_) => Box::pin(serve::serve(config)).await,
        Command::Migrate => data::migrate(config).await,
        Command::Schema { role } => {
            print!("{}", role.map_or_else(crate::graphql::sdl, crate::graphql::schema_view::sdl_as));
            Ok(DONE)
        }
        Command::Authorization => {
            print!("{}", crate::access::document());
            Ok(DONE)
        }
        Command::Seed(arguments) => data::seed(config, &arguments).await,
        Command::Import(arguments) => data::import(config, &arguments).await,
        Command::Train(arguments) => models::train(config, &arguments).await,
        Command::Models(arguments) => models::models(config, &arguments).await,
        Command::Recommend(arguments) => model::recommend(config, &arguments).await,
        Command::Evaluate(arguments) => evaluate::evaluate(config, &arguments).await,
        Command::Experiments(arguments) => experiments::experiments(config, &arguments).await,
        Command::Token(arguments) => token::token(config, &arguments).await,
        Command::Doctor(arguments) => doctor::doctor(config, &arguments).await,
        Command::Audit(command) => audit::audit(config, &command).await,
        Command::Documents(command) => documents::documents(config, &command).await,
        Command::Password(arguments) => account::password(config, &arguments).await,
        Command::Role(arguments) => account::role(config, &arguments).await,
    }
}

/// The services on the configured database, which must be there and up to date.
async fn open(config: &Config) -> anyhow::Result<App> {
    let options = Options { connections: config.connections, ..Options::existing(&config.database_url) };
    services(config, Db::open(&options).await?).await
}

/// As [`open`], but makes and migrates what is missing.
async fn open_or_create(config: &Config) -> anyhow::Result<App> {
    let options = Options { connections: config.connections, ..Options::create(&config.database_url) };
    let db = Db::open(&options).await?;
    db.migrate().await?;
    services(config, db).await
}

async fn services(config: &Config, db: Db) -> anyhow::Result<App> {
    let app = App::new(db, Clock::system(), config.secret_key()?, config.settings()?).await?;
    Ok(app.with_engines(config.registry.clone(), &config.engines())?)
}

fn failed(error: &anyhow::Error, code: u8) -> u8 {
    // The causes repeat each other where an error shows its cause in its own message.
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    eprintln!("stoa: {text}");
    code
}

/// Starts the log, and where something is served the traces, if they are to be sent.
fn start_log(config: &Config, serves: bool) -> anyhow::Result<Option<Traces>> {
    use tracing_subscriber::{
        EnvFilter, Layer as _,
        filter::{FilterExt as _, filter_fn},
        fmt,
        layer::SubscriberExt as _,
        util::SubscriberInitExt as _,
    };
    let filter = EnvFilter::try_new(&config.log).with_context(|| format!("`log` can't be read: {:?}", config.log))?;
    // Spans that are for traces are not for people who read the log.
    let filter = filter.and(filter_fn(|metadata| metadata.target() != TRACE));
    let on_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = fmt::layer().with_writer(std::io::stderr).with_ansi(on_terminal);
    #[cfg_attr(not(feature = "otlp"), expect(unused_mut, reason = "traces would be another"))]
    let mut layers = vec![match config.log_format {
        LogFormat::Text => log.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_filter(filter).boxed(),
    }];
    #[cfg(feature = "otlp")]
    let traces = if serves && !config.observe.otlp_endpoint.is_empty() {
        config.observe.check()?;
        let (traces, layer) = Traces::begin(&config.observe)?;
        layers.push(layer.boxed());
        Some(traces)
    } else {
        None
    };
    #[cfg(not(feature = "otlp"))]
    let (traces, _) = (None, serves);
    // A second start, as tests do it, keeps the first log.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(traces)
}

/// Traces, where the program can't send any.
#[cfg(not(feature = "otlp"))]
enum Traces {}

#[cfg(not(feature = "otlp"))]
impl Traces {
    async fn end(self) {
        match self {}
    }
}
