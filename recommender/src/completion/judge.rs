//! How good the probabilities are, on rows later than those learned from.

use serde::Serialize;

use super::{Completion, DONE};
use crate::content::Content;
use crate::engine::Ask;
use crate::{Catalogue, Interaction, Interactions, training};

/// Bins of the calibration curve and of the calibration error, equally wide.
const BINS: usize = 10;

/// How well completion is foretold: fitted on the first 80 % of the measured rows by time, judged on
/// the rest, each with all that its learner did before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompletionReport {
    /// Rows judged.
    pub rows: usize,
    /// Share of them that were completed (0.9 and more).
    pub base_rate: f64,
    /// Probability that a completed row was given more than one that was not; see [`auc`].
    pub auc: f64,
    /// Mean squared error; see [`brier`].
    pub brier: f64,
    /// Expected calibration error over ten bins of equal width; see [`calibration_error`].
    pub ece: f64,
    /// For each bin that has rows: mean probability, share completed, rows.
    pub curve: Vec<(f64, f64, usize)>,
}

/// Fits the completion model on the first 80 % of the measured rows and judges it on the rest; `None`
/// where nobody measured completion, or too little of it for a model.
#[must_use]
pub fn evaluate(catalogue: &Catalogue, interactions: &Interactions) -> Option<CompletionReport> {
    let measured = |row: &&Interaction| row.completion.is_some();
    let all = || interactions.iter().map(|(_, history)| history);
    let mut times: Vec<i64> = all().flatten().filter(measured).map(|row| row.at).collect();
    times.sort_unstable();
    let freeze = *times.get(times.len() * 4 / 5)?;
    let content = Content::new(catalogue);
    let early = all().map(|h| &h[..h.partition_point(|row| row.at < freeze)]).filter(|h| !h.is_empty());
    let data = training::data(&content, early.collect(), interactions.has_clock());
    let model = Completion::fit(&data)?;
    let mut judged = Vec::new();
    for history in all() {
        for (at, row) in history.iter().enumerate().filter(|(_, row)| row.at >= freeze) {
            if let Some(completion) = row.completion {
                let ask = Ask { history: &history[..at], now: row.at, content: &content, goals: &[] };
                judged.push((model.reader(&ask).probability(row.course), completion >= DONE));
            }
        }
    }
    Some(report(&judged))
}

fn report(judged: &[(f64, bool)]) -> CompletionReport {
    let done = judged.iter().filter(|row| row.1).count();
    CompletionReport {
        rows: judged.len(),
        base_rate: done as f64 / judged.len().max(1) as f64,
        auc: auc(judged),
        brier: brier(judged),
        ece: calibration_error(judged, BINS),
        curve: curve(judged, BINS),
    }
}

/// Area under the ROC curve: the share of pairs (completed, not completed) in which the completed one
/// has the larger probability, ties counting half. One half where all are alike.
#[must_use]
pub fn auc(judged: &[(f64, bool)]) -> f64 {
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut pairs) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let done = tied.iter().filter(|row| row.1).count() as f64;
        let not = tied.len() as f64 - done;
        pairs += done * (below + not / 2.0);
        below += not;
    }
    let done = judged.len() as f64 - below;
    if done * below > 0.0 { pairs / (done * below) } else { 0.5 }
}

/// Mean squared difference of probability and outcome; zero for no rows.
#[must_use]
pub fn brier(judged: &[(f64, bool)]) -> f64 {
    let errors = judged.iter().map(|&(p, done)| (p - f64::from(u8::from(done))).powi(2));
    errors.sum::<f64>() / judged.len().max(1) as f64
}

/// Expected calibration error: over bins of equal width, the mean distance of the mean probability
/// from the share completed, weighted by rows.
#[must_use]
pub fn calibration_error(judged: &[(f64, bool)], bins: usize) -> f64 {
    let errors = curve(judged, bins).into_iter().map(|(p, rate, rows)| (p - rate).abs() * rows as f64);
    errors.sum::<f64>() / judged.len().max(1) as f64
}

/// Mean probability, share completed and rows of each bin of equal width that has rows.
fn curve(judged: &[(f64, bool)], bins: usize) -> Vec<(f64, f64, usize)> {
    let mut sums = vec![(0.0, 0.0, 0_usize); bins.max(1)];
    for &(p, done) in judged {
        let bin = ((p * bins as f64) as usize).min(bins.max(1) - 1);
        let sum = &mut sums[bin];
        *sum = (sum.0 + p, sum.1 + f64::from(u8::from(done)), sum.2 + 1);
    }
    sums.retain(|sum| sum.2 > 0);
    sums.into_iter().map(|(p, done, rows)| (p / rows as f64, done / rows as f64, rows)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    /// Two completed at .9 and .5, two not at .5 and .1.
    const FOUR: [(f64, bool); 4] = [(0.9, true), (0.5, true), (0.5, false), (0.1, false)];

    #[test]
    fn auc_counts_ties_half() {
        // Of four pairs three are right and one is tied.
        assert!(same(auc(&FOUR), 3.5 / 4.0));
        assert!(same(auc(&[(0.2, true), (0.8, false)]), 0.0));
        assert!(same(auc(&[(0.3, true), (0.9, true)]), 0.5));
    }

    #[test]
    fn brier_is_the_mean_squared_error() {
        assert!(same(brier(&FOUR), (0.01 + 0.25 + 0.25 + 0.01) / 4.0));
        assert!(same(brier(&[]), 0.0));
    }

    #[test]
    fn the_calibration_error_weighs_bins_by_their_rows() {
        // Bins of a fifth: .1 alone (0 of 1), .5 twice (1 of 2), .9 alone (1 of 1).
        assert!(same(calibration_error(&FOUR, 5), (0.1 + 2.0 * 0.0 + 0.1) / 4.0));
        assert!(same(calibration_error(&[(1.0, false)], 10), 1.0));
        assert_eq!(curve(&FOUR, 5).len(), 3);
    }
}
