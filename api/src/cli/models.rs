//! `stoa train`, `stoa models`.

use clap::{Args, Subcommand};
use stoa_recommender::Settings;

use super::{DONE, config::Config, model::shown, open};
use crate::{
    app::App,
    ids::ModelId,
    recommendations::{lifecycle::Promotion, model::ModelInfo},
};

#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    /// Let the new model serve even if it is worse than the one in use
    #[arg(long, conflicts_with = "no_shadow")]
    promote: bool,
    /// Let the new model serve without holding it against the one in use
    #[arg(long)]
    no_shadow: bool,
}

#[derive(Debug, Args)]
pub(super) struct ModelsArguments {
    #[command(subcommand)]
    command: Option<ModelsCommand>,
    /// The list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// Let the model of this name serve
    Use {
        /// The name, such as 2026-11-24-1
        name: String,
    },
    /// Go back to the model that was chosen before the current one
    Rollback,
    /// Forget all but the latest models; the current one stays
    Prune {
        /// How many of the latest stay
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
        keep: u16,
    },
}

/// Trains, with a bar. Also what `stoa demo` does.
pub(super) async fn train_on(app: &App, settings: Settings) -> anyhow::Result<String> {
    Ok(told(&app.feed.train(settings, shown()).await?))
}

pub(super) async fn train(config: &Config, arguments: &TrainArguments) -> anyhow::Result<u8> {
    let promotion = match (arguments.promote, arguments.no_shadow) {
        (true, _) => Promotion::Always,
        (_, true) => Promotion::Unmeasured,
        _ => Promotion::UnlessWorse,
    };
    let app = open(config).await?;
    let model = app.feed.train_with(config.recommender.clone(), promotion, shown()).await?;
    println!("{}", told(&model));
    app.db.close().await;
    Ok(DONE)
}

/// What came of a training, for people.
fn told(model: &ModelInfo) -> String {
    let trained = format!(
        "trained {} ({}) on {} interactions of {} learners with {} courses",
        model.name, model.engine, model.interactions, model.learners, model.courses
    );
    let why = model.judgement.as_ref().map_or("", |judgement| judgement.why.as_str());
    if model.promoted_at.is_some() {
        format!("{trained}\nit serves now: {why}")
    } else {
        let why = why.trim_end_matches('.');
        format!("{trained}\nit does not serve: {why}. `stoa models use {}` lets it serve anyhow", model.name)
    }
}

pub(super) async fn models(config: &Config, arguments: &ModelsArguments) -> anyhow::Result<u8> {
    let app = open(config).await?;
    let feed = &app.feed;
    match &arguments.command {
        None => list(feed.current().await?, &feed.models().await?, arguments.json)?,
        Some(ModelsCommand::Use { name }) => println!("{} serves now", feed.use_model(name).await?.name),
        Some(ModelsCommand::Rollback) => println!("{} serves again", feed.roll_back().await?.name),
        Some(ModelsCommand::Prune { keep }) => {
            println!("{} models were forgotten", feed.forget_models(usize::from(*keep)).await?);
        }
    }
    app.db.close().await;
    Ok(DONE)
}

fn list(current: Option<ModelId>, models: &[ModelInfo], json: bool) -> anyhow::Result<()> {
    if json {
        let models: Vec<_> = models
            .iter()
            .map(|model| {
                serde_json::json!({
                    "name": model.name,
                    "id": model.id,
                    "current": current == Some(model.id),
                    "engine": model.engine,
                    "trainedAt": model.trained_at.to_string(),
                    "promotedAt": model.promoted_at.map(|at| at.to_string()),
                    "learners": model.learners,
                    "interactions": model.interactions,
                    "courses": model.courses,
                    "settings": model.settings,
                    "judgement": model.judgement,
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&models)?);
        return Ok(());
    }
    println!("  {:<16} {:<20} {:>9} {:>12} {:>8}  judged", "name", "trained", "learners", "interactions", "courses");
    for model in models {
        let sign = if current == Some(model.id) { '*' } else { ' ' };
        let trained: String = model.trained_at.to_string().chars().take(19).collect();
        println!(
            "{sign} {:<16} {trained:<20} {:>9} {:>12} {:>8}  {}",
            model.name,
            model.learners,
            model.interactions,
            model.courses,
            judged(model)
        );
    }
    println!("* serves");
    Ok(())
}

/// How a model was held against the one before it, in a line.
fn judged(model: &ModelInfo) -> String {
    let Some(judgement) = &model.judgement else { return String::new() };
    match (&judgement.shadow, &judgement.against) {
        (Some(shadow), Some(against)) if shadow.questions > 0 => format!(
            "NDCG@10 {:.3} beside {:.3} of {} ({} questions): {}",
            shadow.candidate,
            shadow.current,
            if shadow.against == "model in use" { against } else { &shadow.against },
            shadow.questions,
            judgement.why
        ),
        (_, Some(against)) => format!("beside {against}: {}", judgement.why),
        (_, None) => judgement.why.clone(),
    }
}
