//! `stoa serve` and `stoa demo`.

use anyhow::{Context as _, bail};
use clap::Args;

use super::{DONE, config::Config, data, models, open, open_or_create};
use crate::{
    accounts::model::SystemRole,
    app::App,
    http::{self, ConsoleAccount, Listener},
    intake::{
        Intake,
        campus::{CAMPUS_UNTIL, Campus, CampusSize, DEMO_PEOPLE},
    },
    mail::{Mailer, Sender, model::Transport},
    recommendations::lifecycle::Schedule,
};

/// The demo's campus.
const DEMO_SIZE: CampusSize = CampusSize { learners: 2_000, courses: 120, seed: 1, until: CAMPUS_UNTIL };

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// The address to listen on [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// The address to listen on, of this machine only [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
    /// Make everything ready, then end instead of serving
    #[arg(long)]
    prepare_only: bool,
}

pub(super) async fn serve(config: &Config) -> anyhow::Result<u8> {
    let schedule = config.schedule()?;
    let listener = listen(config).await?;
    let metrics = listen_for_metrics(config).await?;
    let app = open(config).await?;
    match app.feed.refresh().await {
        Ok(true) => {}
        Ok(false) => {
            tracing::warn!("there is no model yet, so there are no recommendations: make one with `stoa train`");
        }
        // All else works without it.
        Err(error) => tracing::error!(%error, "there are no recommendations"),
    }
    let trusted = app.documents.list().await?;
    app.observe.know_operations(trusted.iter().flat_map(|document| document.operations.split(", ")));
    if config.documents.only_trusted && trusted.is_empty() {
        tracing::warn!("only trusted documents are answered, and there are none: add some with `stoa documents add`");
    }
    let mailer = Mailer::new(&config.mail, Transport::None)?;
    let app = with_provider(app, config)?;
    tracing::info!(address = %listener.address, database = app.db.kind(), "serving");
    run(app, mailer, (listener, metrics), Vec::new(), schedule).await
}

pub(super) async fn demo(config: &Config, arguments: &DemoArguments) -> anyhow::Result<u8> {
    if arguments.prepare_only {
        let app = prepare(config).await?;
        app.db.close().await;
        return Ok(DONE);
    }
    let listener = listen(config).await?;
    // The page hands the demo's accounts to whoever opens it.
    if !listener.address.ip().is_loopback() {
        bail!(
            "the demo gives its accounts to everybody, so it listens on this machine only: use `stoa serve` for others"
        );
    }
    let metrics = listen_for_metrics(config).await?;
    let app = prepare(config).await?;
    app.feed.refresh().await?;
    let accounts = accounts(&app).await?;
    println!("{}", welcome(&listener, &accounts));
    let mailer = Mailer::new(&config.mail, Transport::Console)?;
    // The campus does not change by itself, so there is nothing to train for.
    run(with_provider(app, config)?, mailer, (listener, metrics), accounts, None).await
}

/// Makes whatever is missing: the database, the campus in it, the model.
async fn prepare(config: &Config) -> anyhow::Result<App> {
    let app = open_or_create(config).await?;
    let intake = Intake::new(app.db.clone(), app.clock.clone(), app.accounts.clone());
    let campus = Campus::new(DEMO_SIZE);
    // A start that was broken off is taken up again: what was taken is found there, the rest is added.
    if intake.is_empty().await? || intake.was_begun(&campus).await? {
        eprintln!(
            "filling the database with a campus of {} learners and {} courses …",
            DEMO_SIZE.learners, DEMO_SIZE.courses
        );
        let report = data::take(&app, &campus).await?;
        if !report.complete() {
            bail!("the campus was not taken:\n{report}");
        }
    }
    if app.feed.current().await?.is_none() {
        eprintln!("training the recommender …");
        eprintln!("{}", models::train_on(&app, config.recommender.clone()).await?);
    }
    Ok(app)
}

async fn listen(config: &Config) -> anyhow::Result<Listener> {
    let address = &config.listen;
    config.http.check()?;
    let listener = Listener::bind(address).await.with_context(|| {
        format!("{address} can't be listened on: is another server running there? Choose another with --listen")
    })?;
    Ok(listener.with(&config.http)?)
}

/// The address for Prometheus, if there is to be one.
async fn listen_for_metrics(config: &Config) -> anyhow::Result<Option<Listener>> {
    let address = &config.observe.metrics_listen;
    if address.is_empty() {
        return Ok(None);
    }
    let listener = Listener::bind(address)
        .await
        .with_context(|| format!("observe.metrics_listen: {address} can't be listened on; choose another address"))?;
    Ok(Some(listener))
}

/// With sign-in by the provider that is configured, if one is.
pub(super) fn with_provider(app: App, config: &Config) -> anyhow::Result<App> {
    match &config.oidc {
        Some(settings) => Ok(app.with_oidc(settings.clone())?),
        None => Ok(app),
    }
}

async fn run(
    app: App,
    mailer: Mailer,
    (listener, metrics): (Listener, Option<Listener>),
    accounts: Vec<ConsoleAccount>,
    schedule: Option<Schedule>,
) -> anyhow::Result<u8> {
    let feed = app.feed.clone();
    let fresh = tokio::spawn(async move { feed.keep_fresh().await });
    let engines = app.feed.engines().clone();
    let telling = tokio::spawn(async move { engines.keep_telling().await });
    let feed = app.feed.clone();
    let training = schedule.map(|schedule| tokio::spawn(async move { feed.keep_training(&schedule).await }));
    let feed = app.feed.clone();
    let pruned = tokio::spawn(async move { feed.keep_pruned().await });
    let learning = app.learning.clone();
    let beats = tokio::spawn(async move { learning.keep_pruned().await });
    let notifications = app.notifications.clone();
    let forgotten = tokio::spawn(async move { notifications.keep_pruned().await });
    let (notifications, outbox, mails) = (app.notifications.clone(), app.outbox.clone(), mailer.is_configured());
    let telling_people = tokio::spawn(async move { notifications.keep_working(&outbox, mails).await });
    let announcements = app.announcements.clone();
    let publishing = tokio::spawn(async move { announcements.keep_publishing().await });
    let sender = Sender::new(&app, mailer);
    let sending = tokio::spawn(async move { sender.keep_sending().await });
    let live = app.live.clone();
    let listening = tokio::spawn(async move { live.keep_listening().await });
    let measured = metrics.map(|metrics| {
        tracing::info!(metrics = %metrics.address, "figures for Prometheus are at /metrics");
        tokio::spawn(metrics.serve(http::metrics(&app), std::future::pending()))
    });
    let end = async {
        http::asked_to_end().await;
        app.live.end().await;
    };
    let served = listener.serve(http::routes(&app, &accounts), end).await;
    let tasks = [fresh, listening, telling, pruned, beats, forgotten, telling_people, publishing, sending];
    for task in tasks.into_iter().chain(training) {
        task.abort();
    }
    if let Some(measured) = measured {
        measured.abort();
    }
    app.db.close().await;
    served.context("the server broke off")?;
    tracing::info!("ended");
    Ok(DONE)
}

/// The demo's people who are there, with tokens.
async fn accounts(app: &App) -> anyhow::Result<Vec<ConsoleAccount>> {
    let mut accounts = Vec::new();
    for person in DEMO_PEOPLE {
        let Some(id) = app.accounts.find_by_email(person.email).await? else { continue };
        if let Ok(role) = person.role.parse::<SystemRole>()
            && !app.accounts.roles(id).await?.contains(&role)
        {
            app.accounts.command_role(id, role, true).await?;
        }
        let token = app.accounts.demo_token(id).await?;
        accounts.push(ConsoleAccount {
            name: person.name.to_owned(),
            role: person.role.to_owned(),
            note: person.note.to_owned(),
            token: token.secret_text().to_owned(),
        });
    }
    Ok(accounts)
}

fn welcome(listener: &Listener, accounts: &[ConsoleAccount]) -> String {
    let url = format!("{}://{}", listener.scheme(), listener.address);
    let mut text = format!(
        "\nStoa is ready.\n\n  The query page    {url}/\n  GraphQL endpoint  {url}/graphql\n\n\
         Sign in on the page, or send one of these as `Authorization: Bearer …`:\n"
    );
    for account in accounts {
        text += &format!("\n  {} ({}): {}\n  {}\n", account.name, account.role, account.note, account.token);
    }
    text + "\nCtrl-C ends it."
}
