//! Whether the completion model's probabilities can be believed.

use serde::Serialize;

use crate::{Catalogue, Interactions};

/// The completion model, fitted on the first part of the interactions and asked about the rest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompletionReport {
    /// How many interactions were foretold.
    pub rows: usize,
    /// Share of them that were completed.
    pub base_rate: f64,
    /// Area under the ROC curve: how often a completed one has the higher probability of two.
    pub auc: f64,
    /// Mean squared difference of probability and outcome.
    pub brier: f64,
    /// Expected calibration error, over the buckets of `curve`.
    pub ece: f64,
    /// The calibration curve.
    pub curve: Vec<Bucket>,
}

/// The interactions with about the same probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bucket {
    /// Mean probability foretold.
    pub predicted: f64,
    /// Share that was completed.
    pub observed: f64,
    /// How many interactions there are in it.
    pub rows: usize,
}

/// `None` where completion was not measured.
pub(super) fn completion(_: &Catalogue, _: &Interactions) -> Option<CompletionReport> {
    None
}
