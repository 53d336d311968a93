//! `stoa recommend`.

use anyhow::{Context as _, bail};
use clap::Args;

use super::{DONE, bar::Bar, config::Config, open};
use crate::{
    access::{Ledger, PERSON_RECOMMENDATIONS, Standing, Viewer, permit},
    app::App,
    audit::{model::Event, reads},
    courses::store as catalogue,
    ids::AccountId,
    recommendations::{TrainingProgress, model},
};

#[derive(Debug, Args)]
pub(super) struct RecommendArguments {
    /// The learner: an e-mail address, an account's id, or SOURCE:KEY of somebody who was imported (mars-en:123)
    learner: String,
    /// How many courses
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=50))]
    limit: u16,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Draws how far training is.
pub(super) fn shown() -> impl FnMut(TrainingProgress) + Send + 'static {
    let mut bar = Bar::new();
    move |progress| bar.show(progress.stage, progress.done as u64, progress.total as u64)
}

pub(super) async fn recommend(config: &Config, arguments: &RecommendArguments) -> anyhow::Result<u8> {
    let app = open(config).await?;
    if !app.feed.refresh().await? {
        bail!("there is no model yet: make one with `stoa train`");
    }
    let learner = find(&app, &arguments.learner).await?;
    let given = app.feed.next_courses(learner).await?.context("there is no model yet: make one with `stoa train`")?;
    let ledger = Ledger::default();
    let Ok(permit) = permit(&PERSON_RECOMMENDATIONS, &Standing::operator(learner, &ledger)) else {
        bail!("the policy shows nobody her list")
    };
    let model::List { about, items, .. } = &given.open(permit).list;
    let list: Vec<_> = items.iter().take(usize::from(arguments.limit)).collect();
    app.audit
        .record(reads(&Viewer::ANONYMOUS, None, ledger.take()).into_iter().map(Event::of_command).collect())
        .await?;
    let ids: Vec<_> = list.iter().map(|item| item.course).collect();
    let courses: std::collections::HashMap<_, _> =
        catalogue::by_ids(&app.db, &ids).await?.into_iter().map(|course| (course.id, course)).collect();
    if let Some(other) = &about.instead_of {
        let reason = about.fallback_reason.as_deref().unwrap_or_default();
        eprintln!("{other} made no list ({reason}): this is what {} makes", about.engine);
    } else if about.engine != model::HYBRID {
        eprintln!("made by {}", about.engine);
    }
    let titled = list.iter().filter_map(|item| courses.get(&item.course).map(|course| (*item, course)));
    if arguments.json {
        let items: Vec<_> = titled
            .map(|(item, course)| {
                serde_json::json!({
                    "course": { "id": course.id, "slug": course.slug, "title": course.title },
                    "score": item.score,
                    "reasons": item.reasons,
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&items)?);
    } else {
        for (place, (item, course)) in titled.enumerate() {
            println!("{:>2}. {} ({:.3})", place + 1, course.title, item.score);
            for reason in &item.reasons {
                println!("      {}", reason.sentence);
            }
        }
    }
    app.db.close().await;
    Ok(DONE)
}

async fn find(app: &App, learner: &str) -> anyhow::Result<AccountId> {
    let account = if learner.contains('@') {
        app.accounts.find_by_email(learner).await?
    } else if let Ok(id) = learner.parse() {
        Some(AccountId(id))
    } else if let Some((source, key)) = learner.split_once(':') {
        Some(app.accounts.imported(source, key))
    } else {
        bail!("{learner:?} is neither an e-mail address, nor an account's id, nor SOURCE:KEY");
    };
    let account = account.with_context(|| format!("nobody has the address {learner}"))?;
    if !app.accounts.exists(account).await? {
        bail!("there is no account {learner}");
    }
    Ok(account)
}
