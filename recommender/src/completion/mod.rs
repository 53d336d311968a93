//! How likely a learner is to *complete* a course, if she takes it.
//!
//! linfa's logistic regression over what is known before she takes it: how much she completes (drawn
//! to what her courses' rates would say, as in Rasch, "Probabilistic models for some intelligence and
//! attainment tests", 1960), how much others complete the course, alone and after the course before
//! it, how she fared nearby on the shelf and on its topics, and how she is sitting at it. The courses'
//! rates seen by a row of the training data are those of *other* learners (cut into folds), so that no
//! row sees its own outcome.
//!
//! The probabilities are then calibrated on the latest part of the training data, by models and rates
//! that end before it: by Platt's logistic curve ("Probabilistic outputs for support vector machines",
//! 1999) or isotonic regression (Zadrozny and Elkan, KDD 2002), whichever is better on its later half.

mod calibration;
mod judge;
mod listener;
mod table;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::engine::{Ask, TrainingData};
use crate::{FitError, Interaction};
use calibration::Calibration;
pub use judge::{CompletionReport, auc, brier, calibration_error, evaluate};
use listener::{Listener, SHARED, WIDTH};
use table::Table;

/// A course is completed from here on.
pub(crate) const DONE: f32 = 0.9;
/// Fewer measured rows than this make no model.
const FEWEST: usize = 200;
/// Only the latest rows of more are learned from, so that memory is bounded.
const MOST: usize = 200_000;
/// Rates are those of the latest 1/n of the rows, n being whichever of these foretells the latest rows
/// best: what drifts is better known from a short while, what stands from a long one.
const PARTS: [usize; 2] = [1, 3];
/// Rows that weigh the features, the latest. More hardly help and cost linfa's time.
const WEIGHED: usize = 12_000;
/// Only the latest courses of a longer history are read when answering.
const LONGEST: usize = 200;
/// Learners are cut into so many parts; each is seen with the rates of the others.
const FOLDS: usize = 8;
/// L2 penalty, on standardised features.
const RIDGE: f32 = 60.0;
/// Iterations of the optimiser.
const STEPS: u64 = 80;
/// One in so many rows, the latest, calibrates.
const LATEST: usize = 6;
/// Most rows that calibrate: how much is completed drifts, so only the latest speak.
const CALIBRATING: usize = 3000;

/// One measured row of the training data.
pub(crate) struct Row {
    at: i64,
    learner: u32,
    position: u32,
    course: u32,
    completion: f32,
    /// The course before it, and how much of that was done.
    before: Option<(u32, Option<f32>)>,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Completion {
    table: Table,
    clock: bool,
    intercept: f32,
    weights: Vec<f32>,
    calibration: Calibration,
}

impl Completion {
    /// Learns from all rows with a completion. Nothing where there are too few, or all are alike, or the
    /// optimiser gives up: a list can do without, so that is no reason to have no model at all.
    pub(crate) fn fit(data: &TrainingData<'_>) -> Option<Self> {
        Self::calibrated(data).ok().flatten()
    }

    fn calibrated(data: &TrainingData<'_>) -> Result<Option<Self>, FitError> {
        let rows = rows(&data.histories);
        let done = rows.iter().filter(|row| row.completion >= DONE).count();
        if rows.len() < FEWEST || done.min(rows.len() - done) < FEWEST / 10 {
            return Ok(None);
        }
        let (early, late) = rows.split_at(rows.len() - (rows.len() / LATEST).min(CALIBRATING));
        let mut best: Option<(f64, usize, Calibration)> = None;
        for part in PARTS {
            let model = Self::uncalibrated(data, latest(early, part))?;
            let scored = model.scored(data, late);
            let (calibration, quality) = Calibration::fit(&scored)?;
            if best.as_ref().is_none_or(|best| quality < best.0) {
                best = Some((quality, part, calibration));
            }
        }
        let Some((_, part, calibration)) = best else {
            return Ok(None);
        };
        let model = Self::uncalibrated(data, latest(&rows, part))?;
        Ok(Some(Self { calibration, ..model }))
    }

    /// Fits rates on all `rows`, and weights on the latest of them.
    fn uncalibrated(data: &TrainingData<'_>, rows: &[Row]) -> Result<Self, FitError> {
        let of_others = |fold: usize| rows.iter().filter(move |row| row.learner as usize % FOLDS != fold);
        let tables: Vec<Table> = (0..FOLDS).map(|fold| Table::new(data.content, of_others(fold))).collect();
        let tables: Vec<&Table> = tables.iter().collect();
        let weighed = &rows[rows.len().saturating_sub(WEIGHED)..];
        let mut records = Array2::<f32>::zeros((weighed.len(), WIDTH));
        let mut done = Vec::with_capacity(weighed.len());
        each(data, &tables, weighed, |listener, row| {
            if let Some(record) = records.row_mut(done.len()).as_slice_mut() {
                listener.fill(row.course, record);
            }
            done.push(row.completion >= DONE);
        });
        let (weights, intercept) = logistic(records, done)?;
        let table = Table::new(data.content, rows.iter());
        Ok(Self { table, clock: data.clock, intercept, weights, calibration: Calibration::default() })
    }

    /// Log odds of rows, and whether each was completed, in the order of their times.
    fn scored(&self, data: &TrainingData<'_>, rows: &[Row]) -> Vec<(f64, bool)> {
        let mut scored: Vec<(i64, f64, bool)> = Vec::with_capacity(rows.len());
        let mut shared = [0.0; SHARED];
        each(data, &[&self.table], rows, |listener, row| {
            let odds = self.odds(listener, row.course, &mut shared);
            scored.push((row.at, f64::from(odds), row.completion >= DONE));
        });
        scored.sort_by_key(|s| s.0);
        scored.into_iter().map(|s| (s.1, s.2)).collect()
    }

    /// Log odds before calibration.
    fn odds(&self, listener: &Listener<'_>, course: u32, shared: &mut [f32; SHARED]) -> f32 {
        listener.shared(course, shared);
        let (own, both) = self.weights.split_at(WIDTH - SHARED);
        self.intercept + dot(own, listener.own()) + dot(both, shared)
    }

    /// The share of the rows learned from that are complete.
    pub(crate) fn usual(&self) -> f64 {
        f64::from(self.table.usual)
    }

    /// Whether a saved model can be asked.
    pub(crate) fn is_whole(&self) -> bool {
        self.weights.len() == WIDTH && (0.0..1.0).contains(&self.table.usual) && self.table.usual > 0.0
    }

    /// Reads a history, once for all courses.
    pub(crate) fn reader<'a>(&'a self, ask: &Ask<'a>) -> Reader<'a> {
        let mut listener = Listener::new(ask.content, &self.table, self.clock);
        let from = ask.history.len().saturating_sub(LONGEST);
        for row in &ask.history[from..] {
            listener.push(row);
        }
        listener.ask(ask.now);
        let base = self.intercept + dot(&self.weights[..WIDTH - SHARED], listener.own());
        Reader { model: self, listener, base }
    }
}

/// Answers for one learner.
pub(crate) struct Reader<'a> {
    model: &'a Completion,
    listener: Listener<'a>,
    base: f32,
}

impl Reader<'_> {
    /// How likely she completes the course, calibrated.
    pub(crate) fn probability(&self, course: u32) -> f64 {
        let mut shared = [0.0; SHARED];
        self.listener.shared(course, &mut shared);
        let odds = self.base + dot(&self.model.weights[WIDTH - SHARED..], &shared);
        self.model.calibration.apply(f64::from(odds))
    }
}

fn dot(weights: &[f32], features: &[f32]) -> f32 {
    weights.iter().zip(features).map(|(w, f)| w * f).sum()
}

fn logit(rate: f32) -> f32 {
    (rate / (1.0 - rate)).ln()
}

/// All measured rows, the latest [`MOST`] of them, by time.
fn rows(histories: &[&[Interaction]]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (learner, history) in (0_u32..).zip(histories) {
        for (position, row) in history.iter().enumerate() {
            let Some(completion) = row.completion else {
                continue;
            };
            let before = position.checked_sub(1).map(|at| (history[at].course, history[at].completion));
            rows.push(Row { at: row.at, learner, position: position as u32, course: row.course, completion, before });
        }
    }
    rows.sort_by_key(|row| (row.at, row.learner, row.position));
    rows.drain(..rows.len().saturating_sub(MOST));
    rows
}

/// The latest 1/`part` of the rows, or [`FEWEST`].
fn latest(rows: &[Row], part: usize) -> &[Row] {
    &rows[rows.len() - (rows.len() / part).max(FEWEST).min(rows.len())..]
}

/// Shows each row to `visit` with what was known of its learner before it. The table that a learner
/// is seen with is that of her fold.
fn each<'a>(data: &TrainingData<'a>, tables: &[&'a Table], rows: &[Row], mut visit: impl FnMut(&Listener<'a>, &Row)) {
    let mut order: Vec<&Row> = rows.iter().collect();
    order.sort_by_key(|row| (row.learner, row.position));
    let mut listener = Listener::new(data.content, tables[0], data.clock);
    for group in order.chunk_by(|a, b| a.learner == b.learner) {
        let learner = group[0].learner as usize;
        let history = data.histories[learner];
        listener.clear(tables[learner % tables.len()]);
        let mut read = 0;
        for row in group {
            for earlier in &history[read..row.position as usize] {
                listener.push(earlier);
            }
            read = row.position as usize;
            listener.ask(row.at);
            visit(&listener, row);
        }
    }
}

/// linfa's weights and intercept for the features as they are.
fn logistic(mut records: Array2<f32>, done: Vec<bool>) -> Result<(Vec<f32>, f32), FitError> {
    let rows = records.nrows().max(1) as f64;
    let mut scales = Vec::with_capacity(WIDTH);
    for column in records.columns() {
        let mean = column.iter().map(|&v| f64::from(v)).sum::<f64>() / rows;
        let spread = column.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / rows;
        scales.push((mean as f32, if spread > 1e-10 { spread.sqrt() as f32 } else { f32::INFINITY }));
    }
    for mut record in records.rows_mut() {
        for (value, &(mean, spread)) in record.iter_mut().zip(&scales) {
            *value = (*value - mean) / spread;
        }
    }
    let count = done.len() as f32;
    let model = LogisticRegression::default()
        .alpha(RIDGE)
        .max_iterations(STEPS)
        .gradient_tolerance(3e-4 * count)
        .fit(&DatasetBase::new(records, Array1::from(done)))
        .map_err(|error| FitError::Ranker(error.to_string()))?;
    // linfa calls the more frequent label positive, whichever it is.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let weights: Vec<f32> = model.params().iter().zip(&scales).map(|(w, s)| sign * w / s.1).collect();
    let shift: f32 = weights.iter().zip(&scales).map(|(w, s)| w * s.0).sum();
    Ok((weights, sign * model.intercept() - shift))
}
