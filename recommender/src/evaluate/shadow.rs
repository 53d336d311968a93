//! A candidate beside the model in use, on what happened after the latter was trained.
//!
//! The candidate's settings are fitted on what the model in use saw too: the rows up to its
//! [`seen_until`](crate::ModelHeader::seen_until). Both are then asked for every later choice of learners
//! who had been there before, so that neither has seen an answer.
//!
//! **The rule.** The candidate takes over unless it is worse. It is worse if the whole 95 % interval of
//! the difference (candidate − current, NDCG@10, paired bootstrap over the questions) is below zero; or
//! if it loses more than .005 and loses in nine draws of ten. A draw is no reason to refuse: the
//! candidate knows what happened since.
//!
//! **With too few later choices** (a model of yesterday, a small school) the two can't be told apart.
//! The candidate is then asked for the choices after the first 90 % of the rows (without a clock: for
//! every learner's last), against the better one of popularity and recent popularity, by the same rule.
//! That finds settings or data that are broken, and no more. With too few choices even for that, there is
//! nothing to hold against the candidate, and it takes over.

use serde::{Deserialize, Serialize};

use super::bootstrap::{differences, interval, means};
use super::judge::{judge_mix, slotted};
use super::metrics::{gain, mean, rank};
use super::{Protocol, Question};
use crate::content::Content;
use crate::engine::{Ask, Registry, Scores};
use crate::training::{self, Progress, chosen, fit_engines, stage};
use crate::{Catalogue, EngineSettings, FitError, Interaction, Interactions, Model, Settings};

/// Fewer later choices than this tell nothing of a difference between two models.
const FEWEST: usize = 50;
/// Fewer choices than this don't even tell that settings are broken.
const FEWEST_AT_ALL: usize = 20;
/// Of more choices than this, as many are asked, evenly spread.
const MOST: usize = 5000;
/// A loss of NDCG@10 that is not shrugged off, if it is likely.
const LOSS: f64 = 0.005;

/// How a candidate compares with the model in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// Number of questions both were asked.
    pub questions: usize,
    /// NDCG@10 of the candidate's settings, fitted on what lies before the questions.
    pub candidate: f64,
    /// NDCG@10 of the model in use; of the baseline where there are too few later choices.
    pub current: f64,
    /// What the candidate was compared with: `model in use`, or the label of the baseline.
    pub against: String,
    /// 95 % interval of candidate − current (paired bootstrap over the questions).
    pub difference: (f64, f64),
    /// Whether the candidate should take over.
    pub promote: bool,
    /// Why, for people.
    pub why: String,
}

/// Judges settings against the model in use, as the head of this module's file says.
///
/// # Errors
/// As [`Model::fit`].
pub fn shadow(
    registry: &Registry,
    catalogue: &Catalogue,
    interactions: &Interactions,
    settings: &Settings,
    current: &Model,
    progress: &mut dyn FnMut(Progress),
) -> Result<Shadow, FitError> {
    settings.check(registry)?;
    let clock = interactions.has_clock();
    if clock && let Ok(in_use) = current.clone().bind(catalogue) {
        let (train, questions) = cut(interactions, current.header().seen_until.saturating_add(1));
        if questions.len() >= FEWEST {
            let questions = spread(questions);
            let candidate = fitted(registry, catalogue, train, clock, settings, &questions, progress)?;
            progress(stage("model in use", 0, 1));
            let ranks = judge_mix(&in_use, &slotted(&in_use, &questions));
            return Ok(verdict(&candidate, &gains(&ranks), "model in use", settings.seed));
        }
    }
    let (train, questions) =
        if clock { cut(interactions, nine_tenths(interactions)) } else { Protocol::LeaveLastOut.cut(interactions) };
    if questions.len() < FEWEST_AT_ALL {
        return Ok(Shadow {
            questions: 0,
            candidate: 0.0,
            current: 0.0,
            against: String::new(),
            difference: (0.0, 0.0),
            promote: true,
            why: format!(
                "There is too little to compare on: {} choices of learners who had been there before, \
                 {FEWEST_AT_ALL} are needed. Nothing speaks against it.",
                questions.len()
            ),
        });
    }
    let questions = spread(questions);
    let candidate = fitted(registry, catalogue, train.clone(), clock, settings, &questions, progress)?;
    let (label, ranks) = baseline(catalogue, train, clock, &questions)?;
    Ok(verdict(&candidate, &gains(&ranks), &label, settings.seed))
}

/// The rows before a time to train on, and the later choices of learners with a history.
fn cut(interactions: &Interactions, from: i64) -> (Vec<&[Interaction]>, Vec<Question<'_>>) {
    let (mut train, mut questions) = (Vec::new(), Vec::new());
    for (_, history) in interactions.iter() {
        let kept = history.partition_point(|row| row.at < from);
        if kept > 0 {
            train.push(&history[..kept]);
        }
        questions.extend((kept.max(1)..history.len()).map(|at| Question {
            history: &history[..at],
            now: history[at].at,
            answer: history[at].course,
        }));
    }
    (train, questions)
}

/// The time before which nine tenths of the rows lie.
fn nine_tenths(interactions: &Interactions) -> i64 {
    let mut times: Vec<i64> = interactions.iter().flat_map(|(_, h)| h).map(|row| row.at).collect();
    times.sort_unstable();
    times.get(times.len() * 9 / 10).copied().unwrap_or(0)
}

fn spread(questions: Vec<Question<'_>>) -> Vec<Question<'_>> {
    let step = questions.len().div_ceil(MOST).max(1);
    questions.into_iter().step_by(step).collect()
}

fn gains(ranks: &[f64]) -> Vec<f64> {
    ranks.iter().map(|&rank| gain(rank, 10)).collect()
}

/// NDCG@10 of the candidate for each question.
fn fitted(
    registry: &Registry,
    catalogue: &Catalogue,
    train: Vec<&[Interaction]>,
    clock: bool,
    settings: &Settings,
    questions: &[Question<'_>],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<f64>, FitError> {
    let (model, _) = Model::fit_histories(registry, catalogue, train, clock, settings, false, progress)?;
    let unfit = |_| FitError::OtherCatalogue { course: 0, courses: catalogue.len() };
    let recommender = model.bind(catalogue).map_err(unfit)?;
    progress(stage("candidate", 0, 1));
    Ok(gains(&judge_mix(&recommender, &slotted(&recommender, questions))))
}

/// The better one of the two simplest engines, with its ranks.
fn baseline(
    catalogue: &Catalogue,
    train: Vec<&[Interaction]>,
    clock: bool,
    questions: &[Question<'_>],
) -> Result<(String, Vec<f64>), FitError> {
    let engines = ["popularity", "recent"].map(EngineSettings::new).to_vec();
    let chosen = chosen(&Settings { engines, ..Settings::default() }, &Registry::standard())?;
    let content = Content::new(catalogue);
    let data = training::data(&content, train, clock);
    let mut scores = Scores::new(catalogue.len());
    let mut best: Option<(f64, String, Vec<f64>)> = None;
    for engine in fit_engines(&chosen, &data)? {
        let rank = |question: &Question<'_>| {
            scores.clear();
            let ask = Ask { history: question.history, now: question.now, content: &content };
            engine.scorer.score(&ask, &mut scores);
            rank(&scores, question.answer, question.history, catalogue.len())
        };
        let ranks: Vec<f64> = questions.iter().map(rank).collect();
        let quality = mean(&gains(&ranks));
        if best.as_ref().is_none_or(|(found, ..)| quality > *found) {
            best = Some((quality, engine.label, ranks));
        }
    }
    Ok(best.map(|(_, label, ranks)| (label, ranks)).unwrap_or_default())
}

fn verdict(candidate: &[f64], current: &[f64], against: &str, seed: u64) -> Shadow {
    let draws = means(&[candidate.to_vec(), current.to_vec()], seed);
    let draws = differences(&draws[0], &draws[1]);
    let lost = draws.iter().filter(|difference| **difference < 0.0).count() as f64 / draws.len().max(1) as f64;
    let (mine, theirs) = (mean(candidate), mean(current));
    let (low, high) = interval(draws, mine - theirs);
    let surely = high < 0.0;
    let promote = !surely && (theirs - mine <= LOSS || lost < 0.9);
    let judged = match (promote, surely) {
        (false, true) => "That is worse",
        (false, false) => "That is very likely worse",
        (true, _) if low > 0.0 => "That is better",
        (true, _) => "That is no worse, as far as can be told",
    };
    let other = if against == "model in use" { "the model in use".to_owned() } else { format!("the engine {against}") };
    let reason = if against == "model in use" {
        "on the choices since the model in use was trained"
    } else {
        "on the latest choices, since there are too few that the model in use has not seen"
    };
    let why = format!(
        "NDCG@10 {mine:.4}, against {theirs:.4} of {other}, {reason} ({} of them): a difference of {:+.4}, \
         95 % interval {low:+.4} to {high:+.4}. {judged}.",
        candidate.len(),
        mine - theirs,
    );
    Shadow {
        questions: candidate.len(),
        candidate: mine,
        current: theirs,
        against: against.to_owned(),
        difference: (low, high),
        promote,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(of: impl Fn(usize) -> (f64, f64), count: usize) -> Shadow {
        let (mine, theirs): (Vec<f64>, Vec<f64>) = (0..count).map(of).unzip();
        verdict(&mine, &theirs, "model in use", 1)
    }

    #[test]
    fn a_loss_that_chance_explains_is_forgiven_and_a_likely_one_is_not() {
        // One question in ten differs, as often either way.
        let even = judged(|at| (f64::from(at % 20 == 0), f64::from(at % 20 == 10)), 400);
        assert!(even.promote && even.why.ends_with("That is no worse, as far as can be told."), "{}", even.why);
        // Lost in 12 of 20 questions that differ: .02 lower, but a coin would do that.
        let unlucky = judged(|at| (f64::from(at < 8), f64::from((8..20).contains(&at))), 200);
        assert!(unlucky.promote && unlucky.candidate < unlucky.current - LOSS, "{}", unlucky.why);
        // Lost in 14 of 20: the interval still reaches past zero, but hardly.
        let doubtful = judged(|at| (f64::from(at < 6), f64::from((6..20).contains(&at))), 200);
        assert!(!doubtful.promote && doubtful.difference.1 >= 0.0, "{}", doubtful.why);
        assert!(doubtful.why.ends_with("That is very likely worse."), "{}", doubtful.why);
        let worse = judged(|at| (0.0, f64::from(at % 5 == 0)), 200);
        assert!(!worse.promote && worse.why.ends_with("That is worse."), "{}", worse.why);
    }
}
