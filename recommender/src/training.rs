//! From interactions to a model: search parameters, collect choices, fit the ranker, fit engines.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::candidates::{Desk, FittedEngine};
use crate::content::Content;
use crate::engine::{Ask, Engine, Registry, TrainingData, Values};
use crate::evaluate::ablation::Part;
use crate::evaluate::metrics::Tally;
use crate::features::{FACTS, Learner, PER_ENGINE, SITUATIONS, situation, width};
use crate::ranker::{Choice, Plan, listwise, pairwise};
use crate::reasons::ReasonKind;
use crate::settings::RankerKind;
use crate::stats::Stats;
use crate::{EngineSettings, FitError, Interaction, Settings, SettingsError};

/// How far the training has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, for people.
    pub stage: &'static str,
    /// Steps of it that are done.
    pub done: usize,
    /// Steps of it in all.
    pub total: usize,
}

/// Fewer choices than this can't weigh features; the weights are then set by hand.
const FEWEST: usize = 50;
/// With fewer choices than this, a mix must show that it beats the best single engine.
const DOUBTFUL: usize = 2000;
/// Rivals of a choice that are all kept: what the engines propose first.
const NEAR: usize = 40;
/// Of the rivals further down, one in so many is kept and counts for as many.
const FAR: usize = 5;

/// A gap (seconds) after which a choice begins a new sitting.
const PAUSE: i64 = 12 * 3600;

/// What [`fit`] gives.
pub(crate) struct Fitted {
    pub(crate) engines: Vec<FittedEngine>,
    pub(crate) stats: Stats,
    pub(crate) weights: Vec<f64>,
    pub(crate) choices: usize,
    /// By label and name.
    pub(crate) parameters: BTreeMap<String, BTreeMap<String, f64>>,
    /// Weights fitted without a part of the features; empty unless asked for.
    pub(crate) without: Vec<(Part, Vec<f64>)>,
}

/// An engine with its label and its parameters, after the search.
pub(crate) struct Chosen {
    pub(crate) settings: EngineSettings,
    pub(crate) engine: String,
    pub(crate) label: String,
    pub(crate) values: Values,
    pub(crate) built: Box<dyn Engine>,
}

pub(crate) fn chosen(settings: &Settings, registry: &Registry) -> Result<Vec<Chosen>, SettingsError> {
    settings.check(registry)?;
    let mut all = Vec::with_capacity(settings.engines.len());
    for engine in &settings.engines {
        let values = engine.values(registry)?;
        if let Some(found) = registry.find(&engine.engine) {
            all.push(Chosen {
                settings: engine.clone(),
                engine: engine.engine.clone(),
                label: engine.label().to_owned(),
                built: (found.build)(&values),
                values,
            });
        }
    }
    Ok(all)
}

pub(crate) fn fit_engines(chosen: &[Chosen], data: &TrainingData<'_>) -> Result<Vec<FittedEngine>, FitError> {
    let fit = |chosen: &Chosen| {
        Ok(FittedEngine { engine: chosen.engine.clone(), label: chosen.label.clone(), scorer: chosen.built.fit(data)? })
    };
    chosen.iter().map(fit).collect()
}

pub(crate) fn fit(
    data: &TrainingData<'_>,
    settings: &Settings,
    registry: &Registry,
    ablate: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fitted, FitError> {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut chosen = chosen(settings, registry)?;
    chosen.retain(|engine| engine.built.has_ground(data));
    if settings.tune {
        crate::search::tune(&mut chosen, data, registry, progress)?;
    }
    let width = width(chosen.len());
    let choices = collect(&chosen, data, settings, &mut rng, progress)?;
    let kinds = kinds(&chosen, data)?;
    progress(stage("ranker", 0, 1));
    let by_hand = by_hand(&kinds);
    let rank = |choices: &[Choice], rng: &mut ChaCha8Rng| {
        let plan = Plan { negatives: settings.negatives, rounds: settings.rounds, ridge: settings.ridge };
        match settings.ranker {
            RankerKind::Pairwise => pairwise::fit(choices, width, plan, rng),
            RankerKind::Listwise => Ok(listwise::fit(choices, width, plan, &by_hand)),
        }
    };
    let weigh = |choices: &[Choice], rng: &mut ChaCha8Rng| {
        if choices.len() < FEWEST {
            Ok(by_hand.clone())
        } else if choices.len() < DOUBTFUL && !pays(choices, width, rng, rank)? {
            Ok(best_alone(choices, width))
        } else {
            rank(choices, rng)
        }
    };
    let mut without = Vec::new();
    if ablate {
        let parts = Part::all(chosen.iter().map(|engine| &*engine.label));
        let steps = parts.len();
        for (done, part) in parts.into_iter().enumerate() {
            progress(stage("without parts", done, steps));
            let mut choices = choices.clone();
            if part.hide(&mut choices, width) {
                // The same draws as for the whole, so that only the part makes a difference.
                let mut weights = weigh(&choices, &mut rng.clone())?;
                part.silence(&mut weights, width);
                without.push((part, weights));
            }
        }
    }
    let weights = weigh(&choices, &mut rng)?;
    progress(stage("engines", 0, 1));
    let engines = fit_engines(&chosen, data)?;
    progress(stage("engines", 1, 1));
    let values = |engine: &Chosen| engine.values.iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let parameters = chosen.iter().map(|engine| (engine.label.clone(), values(engine))).collect();
    Ok(Fitted { engines, stats: Stats::new(data), weights, choices: choices.len(), parameters, without })
}

pub(crate) fn stage(stage: &'static str, done: usize, total: usize) -> Progress {
    Progress { stage, done, total }
}

/// Whether the mix, fitted on four fifths of the choices, ranks the rest at least as well as the best
/// single engine does.
fn pays(
    choices: &[Choice],
    width: usize,
    rng: &mut ChaCha8Rng,
    rank: impl Fn(&[Choice], &mut ChaCha8Rng) -> Result<Vec<f64>, FitError>,
) -> Result<bool, FitError> {
    let mut order: Vec<&Choice> = choices.iter().collect();
    order.shuffle(rng);
    let (asked, known) = order.split_at(choices.len() / 5);
    let known: Vec<Choice> = known.iter().copied().cloned().collect();
    let weights = rank(&known, rng)?;
    let asked: Vec<Choice> = asked.iter().copied().cloned().collect();
    let alone = best_alone(&known, width);
    Ok(quality(&asked, width, &weights) >= quality(&asked, width, &alone))
}

/// The weights that leave the ranking to the one engine that ranks the choices best.
fn best_alone(choices: &[Choice], width: usize) -> Vec<f64> {
    let engines = (width - FACTS.len()) / PER_ENGINE;
    let alone = |engine: usize| {
        let mut weights = vec![0.0; SITUATIONS * width];
        weights[engine * PER_ENGINE] = 1.0;
        weights
    };
    let quality = |engine: &usize| quality(choices, width, &alone(*engine));
    let best = (0..engines).max_by(|a, b| quality(a).total_cmp(&quality(b)).then(b.cmp(a)));
    alone(best.unwrap_or(0))
}

/// Mean NDCG@10 of choices under weights, among the rows kept of each.
fn quality(choices: &[Choice], width: usize, weights: &[f64]) -> f64 {
    let mut tally = Tally::new(0);
    for choice in choices {
        let scores = choice.scores(width, weights);
        let others = scores[1..].iter().zip(&choice.stands_for[1..]);
        let above = others.map(|(&score, &count)| match score.total_cmp(&scores[0]) {
            Ordering::Greater => f64::from(count),
            Ordering::Equal => f64::from(count) / 2.0,
            Ordering::Less => 0.0,
        });
        tally.add(1.0 + above.sum::<f64>());
    }
    tally.ndcg()
}

/// Which kind of reason each engine gives; asked of engines fitted on nothing.
fn kinds(chosen: &[Chosen], data: &TrainingData<'_>) -> Result<Vec<ReasonKind>, FitError> {
    let nothing = TrainingData { histories: Vec::new(), ..data.clone() };
    let fitted = fit_engines(chosen, &nothing)?;
    Ok(fitted.iter().map(|e| e.scorer.kind()).collect())
}

/// Weights for when there is too little to learn them from: what comes next counts most, then what
/// goes together, then topics, then popularity.
fn by_hand(kinds: &[ReasonKind]) -> Vec<f64> {
    let mut weights = vec![0.0; SITUATIONS * width(kinds.len())];
    for (index, kind) in kinds.iter().enumerate() {
        let alike = kinds.iter().filter(|k| *k == kind).count() as f64;
        let weight = match kind {
            ReasonKind::TakenNext => 2.0,
            ReasonKind::SimilarTo => 1.0,
            ReasonKind::TimeOnTopic => 0.75,
            ReasonKind::PopularNow | ReasonKind::Popular => 0.5,
            _ => 0.25,
        };
        weights[index * PER_ENGINE] = weight / alike;
    }
    let facts = kinds.len() * PER_ENGINE;
    for (index, (name, _)) in FACTS.iter().enumerate() {
        weights[facts + index] = match *name {
            "topic_time" => 1.0,
            "completion_rate" | "prerequisites_met" => 0.5,
            "prerequisites_missing" | "unseen" => 2.0,
            "level_gap" => 0.25,
            _ => 0.0,
        };
    }
    weights
}

/// Held-out choices, each scored by engines that saw nothing of its learner.
pub(crate) fn collect(
    chosen: &[Chosen],
    data: &TrainingData<'_>,
    settings: &Settings,
    rng: &mut ChaCha8Rng,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Choice>, FitError> {
    // Where times mean something, a part of the choices is asked of engines that stopped learning
    // a while before: that teaches the ranker what old knowledge is worth.
    let late = if data.clock { settings.choices / 3 } else { 0 };
    let places = sample(&data.histories, settings.choices - late, rng);
    let mut folds: Vec<usize> = (0..data.histories.len()).map(|i| i % settings.folds).collect();
    folds.shuffle(rng);
    let mut choices = Vec::with_capacity(settings.choices);
    let mut desk = Desk::new(chosen.len(), data.content.len());
    let steps = settings.folds + 1;
    for fold in 0..settings.folds {
        progress(stage("choices", fold, steps));
        let of_fold: Vec<_> = places.iter().copied().filter(|p| folds[p.0] == fold).collect();
        let rest = data.histories.iter().zip(&folds);
        let rest = rest.filter(|(_, f)| **f != fold).map(|(h, _)| *h).collect();
        let rest = TrainingData { histories: rest, ..data.clone() };
        choices.extend(ask_all(chosen, &rest, &data.histories, &of_fold, settings, &mut desk, rng)?);
    }
    progress(stage("choices", settings.folds, steps));
    if late > 0 {
        let freeze = freeze(&data.histories);
        let before = |history: &&'_ [Interaction]| history.partition_point(|row| row.at < freeze);
        let early = data.histories.iter().map(|h| &h[..before(h)]).filter(|h| !h.is_empty());
        let rest = TrainingData { histories: early.collect(), now: freeze, ..data.clone() };
        let after = data.histories.iter().enumerate();
        let after = after.flat_map(|(learner, h)| (before(h).max(1)..h.len()).map(move |at| (learner, at)));
        let after: Vec<_> = after.collect();
        let places: Vec<_> = after.choose_multiple(rng, late).copied().collect();
        choices.extend(ask_all(chosen, &rest, &data.histories, &places, settings, &mut desk, rng)?);
    }
    progress(stage("choices", steps, steps));
    Ok(choices)
}

/// The time before which four fifths of the rows lie.
fn freeze(histories: &[&[Interaction]]) -> i64 {
    let mut times: Vec<i64> = histories.iter().copied().flatten().map(|row| row.at).collect();
    times.sort_unstable();
    times.get(times.len() * 4 / 5).copied().unwrap_or(0)
}

/// The choices at some places, asked of engines that saw only `rest`.
fn ask_all(
    chosen: &[Chosen],
    rest: &TrainingData<'_>,
    histories: &[&[Interaction]],
    places: &[(usize, usize)],
    settings: &Settings,
    desk: &mut Desk,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<Choice>, FitError> {
    let mut choices = Vec::with_capacity(places.len());
    if places.is_empty() {
        return Ok(choices);
    }
    let engines = fit_engines(chosen, rest)?;
    let stats = Stats::new(rest);
    for &(learner, position) in places {
        let (history, future) = histories[learner].split_at(position);
        let ask = Ask { history, now: future[0].at, content: rest.content };
        choices.extend(choice(&engines, &stats, &ask, future[0].course, desk, settings.candidates, rng));
    }
    Ok(choices)
}

/// The choice's rows, or nothing if no engine proposes what was chosen.
fn choice(
    engines: &[FittedEngine],
    stats: &Stats,
    ask: &Ask<'_>,
    target: u32,
    desk: &mut Desk,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Option<Choice> {
    let learner = Learner::new(*ask, stats);
    desk.gather(engines, &learner, ask, count, &[target], |_| true);
    let at = desk.courses.iter().position(|&c| c == target)?;
    let found = desk.row(at)[..engines.len() * PER_ENGINE].iter().any(|&f| f > 0.0);
    if !found || desk.courses.len() < 2 {
        return None;
    }
    let mut rows = desk.row(at).to_vec();
    let mut stands_for = vec![1.0];
    // The better of an engine's share and rank features says how near the top it has a rival.
    let mut rivals: Vec<(f32, usize)> = (0..desk.courses.len())
        .filter(|&other| other != at)
        .map(|other| (nearness(desk.row(other), engines.len()), other))
        .collect();
    rivals.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (place, &(_, other)) in rivals.iter().enumerate() {
        let near = place < NEAR;
        if near || rng.gen_ratio(1, FAR as u32) {
            rows.extend_from_slice(desk.row(other));
            stands_for.push(if near { 1.0 } else { FAR as f32 });
        }
    }
    Some(Choice { situation: situation(ask, stats), rows, stands_for })
}

/// The sum of the reciprocal ranks that the engines give.
fn nearness(row: &[f32], engines: usize) -> f32 {
    row[..engines * PER_ENGINE].chunks(PER_ENGINE).map(|part| part[PER_ENGINE - 1]).sum()
}

/// Places (learner, position) of choices: every learner's last and some that followed a pause, since
/// those are the hardest and the rarest, then others at random.
fn sample(histories: &[&[Interaction]], most: usize, rng: &mut ChaCha8Rng) -> Vec<(usize, usize)> {
    let mut first: Vec<(usize, usize)> = Vec::new();
    let mut later: Vec<(usize, usize)> = Vec::new();
    for (learner, history) in histories.iter().enumerate() {
        if history.len() < 2 {
            continue;
        }
        first.push((learner, history.len() - 1));
        let pauses = (1..history.len() - 1).filter(|&at| history[at].at - history[at - 1].at >= PAUSE);
        let pauses: Vec<usize> = pauses.collect();
        later.extend(pauses.choose_multiple(rng, 2).map(|&at| (learner, at)));
        for _ in 0..(history.len() - 2).min(4) {
            later.push((learner, rng.gen_range(1..history.len() - 1)));
        }
    }
    later.sort_unstable();
    later.dedup();
    first.shuffle(rng);
    later.shuffle(rng);
    let half = most.div_ceil(2).max(most.saturating_sub(later.len()));
    first.truncate(half);
    first.extend(later);
    first.truncate(most);
    first
}

/// Whether any course could be recommended at all.
pub(crate) fn now(histories: &[&[Interaction]]) -> i64 {
    let rows = histories.iter().copied().flatten();
    rows.map(|row| row.at).max().unwrap_or(0)
}

/// The data of a whole catalogue.
pub(crate) fn data<'a>(content: &'a Content, histories: Vec<&'a [Interaction]>, clock: bool) -> TrainingData<'a> {
    TrainingData { content, now: now(&histories), histories, clock }
}
