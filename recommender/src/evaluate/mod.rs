//! Evaluation: what a model would have recommended, against what learners took.
//!
//! Every question has one right answer. All courses of the catalogue that the learner doesn't have
//! are ranked, none sampled; courses with the same score share their mean rank. Each engine is
//! judged beside the mix, on the same questions. `docs/EVALUATION.md` of the project has the
//! protocols and the formulas.

pub(crate) mod ablation;
mod bootstrap;
mod choose;
mod groups;
mod html;
mod judge;
mod lists;
pub(crate) mod metrics;
mod protocols;
mod report;
mod shadow;
mod split;
mod svg;

use std::time::Instant;

use serde::Serialize;

pub use crate::completion::CompletionReport;
pub use ablation::Ablated;
pub use choose::only;
pub use groups::{Gap, Group};
pub use html::page;
pub use metrics::Metrics;
pub use protocols::Protocol;
pub use report::{Report, Versus};
pub use shadow::{Shadow, shadow};
pub use split::{Split, SplitError, Target};

use crate::engine::Registry;
use crate::training::Progress;
use crate::{Catalogue, FitError, Interaction, Interactions, Model, Settings};
use judge::{judge, slotted};
use lists::Crowd;
use metrics::gain;

/// Which targets of a [`Split`] to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Fit on `train`, ask for the second last choices: for tuning.
    Validation,
    /// Fit on `trainval`, ask for the last choices: for reporting.
    Test,
}

/// What the hybrid is called in reports.
pub const MIX: &str = "mix";

/// One question: what comes after this history?
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    history: &'a [Interaction],
    now: i64,
    answer: u32,
}

/// What is to be judged, and how thoroughly.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// Where the settings' engines are found.
    pub registry: &'a Registry,
    /// What is judged.
    pub settings: &'a Settings,
    /// Whether the mix is fitted again without each of its parts: takes several times as long.
    pub ablation: bool,
}

impl Trial<'_> {
    /// Makes questions from interactions as the protocol says, fits on what is left, and asks them.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn evaluate(
        &self,
        protocol: Protocol,
        catalogue: &Catalogue,
        interactions: &Interactions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, FitError> {
        let (train, questions) = protocol.cut(interactions);
        let asked = Asked { protocol: protocol.as_str(), catalogue, interactions, train, questions };
        asked.report(self, progress)
    }

    /// Fits on one part of a split and asks for its targets.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn evaluate_split(
        &self,
        split: &Split,
        part: Part,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, FitError> {
        let (protocol, interactions, targets) = match part {
            Part::Validation => ("train → validation", &split.train, &split.validation),
            Part::Test => ("trainval → test", &split.trainval, &split.test),
        };
        let question = |target: &Target| Question {
            history: interactions.of(target.learner),
            now: target.at,
            answer: target.course,
        };
        let asked = Asked {
            protocol,
            catalogue: &split.catalogue,
            interactions,
            train: interactions.iter().map(|(_, history)| history).collect(),
            questions: targets.iter().map(question).collect(),
        };
        asked.report(self, progress)
    }
}

/// Judges settings with the crate's own engines, see [`Trial::evaluate`].
///
/// # Errors
/// As [`Model::fit`].
pub fn evaluate(
    protocol: Protocol,
    catalogue: &Catalogue,
    interactions: &Interactions,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, FitError> {
    let registry = Registry::standard();
    Trial { registry: &registry, settings, ablation: false }.evaluate(protocol, catalogue, interactions, progress)
}

/// [`evaluate`] with [`Protocol::LeaveLastOut`].
///
/// # Errors
/// As [`Model::fit`].
pub fn leave_last_out(
    catalogue: &Catalogue,
    interactions: &Interactions,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, FitError> {
    evaluate(Protocol::LeaveLastOut, catalogue, interactions, settings, progress)
}

/// Judges settings on a split with the crate's own engines, see [`Trial::evaluate_split`].
///
/// # Errors
/// As [`Model::fit`].
pub fn evaluate_split(
    split: &Split,
    part: Part,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, FitError> {
    let registry = Registry::standard();
    Trial { registry: &registry, settings, ablation: false }.evaluate_split(split, part, progress)
}

/// Training data, and the questions to ask after it.
struct Asked<'a> {
    protocol: &'a str,
    catalogue: &'a Catalogue,
    /// All that is known, for the completion model, which has a cut of its own.
    interactions: &'a Interactions,
    train: Vec<&'a [Interaction]>,
    questions: Vec<Question<'a>>,
}

impl Asked<'_> {
    fn report(self, trial: &Trial<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Report, FitError> {
        let Self { protocol, catalogue, interactions, train, questions } = self;
        let (registry, settings, clock) = (trial.registry, trial.settings, interactions.has_clock());
        let learners = train.len();
        let start = Instant::now();
        let (model, without) =
            Model::fit_histories(registry, catalogue, train, clock, settings, trial.ablation, progress)?;
        let fit_seconds = start.elapsed().as_secs_f64();
        // The catalogue is the one it was trained on, so there is nothing that could not fit.
        let impossible = || FitError::OtherCatalogue { course: 0, courses: catalogue.len() };
        let recommender = model.bind(catalogue).map_err(|_| impossible())?;
        let inner = recommender.model().0.clone();
        let crowd = Crowd::new(&inner.known.stats.taken, learners as u64, recommender.content());
        let judged = judge(&recommender, &slotted(&recommender, &questions), &crowd, progress);
        let header = inner.header.clone();
        let partings = groups::part(&questions, &crowd, clock);
        let names = header.engines.iter().map(|label| &**label).chain([MIX]);
        let mut methods: Vec<Metrics> =
            names.zip(&judged.tallies).map(|(name, tally)| tally.metrics(name, &crowd)).collect();
        let gains: Vec<Vec<f64>> = judged.tallies.iter().map(metrics::Tally::gains).collect();
        let hits = judged.tallies.iter().map(metrics::Tally::hits);
        let columns: Vec<Vec<f64>> = gains.iter().cloned().chain(hits).collect();
        let draws = bootstrap::means(&columns, settings.seed);
        let (gain_draws, hit_draws) = draws.split_at(methods.len());
        for (at, method) in methods.iter_mut().enumerate() {
            method.ndcg_10_interval = bootstrap::interval(gain_draws[at].clone(), method.ndcg_10);
            method.hr_10_interval = bootstrap::interval(hit_draws[at].clone(), method.hr_10);
            let widest = groups::gaps(&partings, &gains[at]).into_iter().map(|gap| gap.gap);
            method.group_gap = widest.min_by(f64::total_cmp);
        }
        let mix = methods.len() - 1;
        let best = (0..mix).max_by(|&a, &b| methods[a].ndcg_10.total_cmp(&methods[b].ndcg_10).then(b.cmp(&a)));
        let versus = best.map(|best| {
            let difference = methods[mix].ndcg_10 - methods[best].ndcg_10;
            let draws = bootstrap::differences(&gain_draws[mix], &gain_draws[best]);
            let interval = bootstrap::interval(draws, difference);
            Versus { best_single: methods[best].name.clone(), difference, interval }
        });
        let head_share = crowd.head_share();
        let configured = settings.engines.iter().map(|engine| engine.label().to_owned());
        let left_out = configured.filter(|label| !header.engines.contains(label)).collect();
        let mut report = Report {
            protocol: protocol.to_owned(),
            questions: questions.len(),
            courses: catalogue.len(),
            learners,
            interactions: header.interactions as usize,
            fit_seconds,
            answer_micros: judged.answering.as_secs_f64() * 1e6 / questions.len().max(1) as f64,
            groups: groups::groups(&partings, &gains[mix], best.map(|best| &*gains[best])),
            gaps: groups::gaps(&partings, &gains[mix]),
            methods,
            left_out,
            head_share,
            mix_over_best: versus,
            completion: crate::completion::evaluate(catalogue, interactions),
            ablation: Vec::new(),
        };
        if trial.ablation {
            let model = recommender.model().clone();
            // The parts are put into the model itself, which must be nobody else's.
            drop((recommender, inner));
            let mut step = |done, steps| progress(crate::training::stage("parts judged", done, steps));
            let ranks = ablation::ranks_without(model, catalogue, &questions, without, &mut step);
            report.ablation = ablated(&ranks, &gains[mix], settings.seed);
        }
        Ok(report)
    }
}

/// What the mix loses without each part, the dearest part first.
fn ablated(ranks: &[(ablation::Part, Vec<f64>)], whole: &[f64], seed: u64) -> Vec<Ablated> {
    let columns: Vec<Vec<f64>> = ranks
        .iter()
        .map(|(_, ranks)| ranks.iter().zip(whole).map(|(&rank, whole)| gain(rank, 10) - whole).collect())
        .collect();
    let draws = bootstrap::means(&columns, seed);
    let mut all: Vec<Ablated> = ranks
        .iter()
        .zip(columns.iter().zip(draws))
        .map(|((part, _), (column, draws))| {
            let difference = metrics::mean(column);
            Ablated {
                kind: part.kind,
                part: part.name.clone(),
                ndcg_10: metrics::mean(whole) + difference,
                difference,
                interval: bootstrap::interval(draws, difference),
            }
        })
        .collect();
    all.sort_by(|a, b| a.difference.total_cmp(&b.difference));
    all
}
