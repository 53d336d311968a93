//! From log odds to probabilities that hold.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_linear::IsotonicRegression;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::judge::brier;
use crate::FitError;

/// Fewer rows than this calibrate nothing: the log odds stay as they are.
const FEWEST: usize = 100;
/// The isotonic curve must be better by this much: it has more room to follow noise.
const CLEARLY: f64 = 0.001;
/// No probability is nearer to 0 or 1 than this.
const EDGE: f64 = 0.01;
/// The isotonic curve is fitted on the means of so many equal parts.
const PARTS: usize = 60;

/// A curve that rises.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) enum Calibration {
    /// As the model says.
    #[default]
    None,
    /// `sigmoid(slope · odds + shift)`.
    Platt { slope: f64, shift: f64 },
    /// Straight lines between (odds, probability).
    Isotonic(Vec<(f64, f64)>),
}

impl Calibration {
    /// The better of both on the later half, fitted on all, and its mean squared error there. Rows (log odds, whether completed) are in
    /// the order of their times.
    pub(super) fn fit(rows: &[(f64, bool)]) -> Result<(Self, f64), FitError> {
        let done = rows.iter().filter(|row| row.1).count();
        if rows.len() < FEWEST || done.min(rows.len() - done) < FEWEST / 10 {
            let pairs: Vec<(f64, bool)> = rows.iter().map(|row| (Self::None.apply(row.0), row.1)).collect();
            return Ok((Self::None, brier(&pairs)));
        }
        let (early, late) = rows.split_at(rows.len() / 2);
        let quality = |curve: &Self| {
            let pairs: Vec<(f64, bool)> = late.iter().map(|row| (curve.apply(row.0), row.1)).collect();
            brier(&pairs)
        };
        let (curve, steps) = (quality(&platt(early)?), quality(&isotonic(early)?));
        if steps < curve - CLEARLY { Ok((isotonic(rows)?, steps)) } else { Ok((platt(rows)?, curve)) }
    }

    pub(super) fn apply(&self, odds: f64) -> f64 {
        let sigmoid = |odds: f64| 1.0 / (1.0 + (-odds).exp());
        let probability = match self {
            Self::None => sigmoid(odds),
            Self::Platt { slope, shift } => sigmoid(slope * odds + shift),
            Self::Isotonic(knots) => between(knots, odds),
        };
        probability.clamp(EDGE, 1.0 - EDGE)
    }
}

fn between(knots: &[(f64, f64)], odds: f64) -> f64 {
    let after = knots.partition_point(|knot| knot.0 < odds);
    match (after.checked_sub(1).and_then(|at| knots.get(at)), knots.get(after)) {
        (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (odds - a.0) / (b.0 - a.0).max(1e-12),
        (None, Some(one)) | (Some(one), None) => one.1,
        (None, None) => 0.5,
    }
}

fn platt(rows: &[(f64, bool)]) -> Result<Calibration, FitError> {
    let odds = Array2::from_shape_fn((rows.len(), 1), |(at, _)| rows[at].0);
    let done: Array1<bool> = rows.iter().map(|row| row.1).collect();
    let model = LogisticRegression::default()
        .alpha(0.0)
        .max_iterations(50)
        .gradient_tolerance(1e-4 * rows.len() as f64)
        .fit(&DatasetBase::new(odds, done))
        .map_err(|error| FitError::Ranker(error.to_string()))?;
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    // A curve that falls would turn the order around.
    Ok(Calibration::Platt { slope: (sign * model.params()[0]).max(0.05), shift: sign * model.intercept() })
}

fn isotonic(rows: &[(f64, bool)]) -> Result<Calibration, FitError> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let parts = sorted.chunks(sorted.len().div_ceil(PARTS));
    let mean = |part: &[(f64, bool)]| {
        let count = part.len() as f64;
        let done = part.iter().filter(|row| row.1).count() as f64;
        (part.iter().map(|row| row.0).sum::<f64>() / count, done / count)
    };
    let means: Vec<(f64, f64)> = parts.map(mean).collect();
    let odds = Array2::from_shape_fn((means.len(), 1), |(at, _)| means[at].0);
    let rates: Array1<f64> = means.iter().map(|m| m.1).collect();
    let curve = IsotonicRegression::default()
        .fit(&DatasetBase::new(odds.clone(), rates))
        .map_err(|error| FitError::Ranker(error.to_string()))?;
    let values = curve.predict(&odds);
    let mut highest = 0.0_f64;
    let knots = means.iter().zip(&values).map(|(mean, &value)| {
        highest = highest.max(value);
        (mean.0, highest)
    });
    Ok(Calibration::Isotonic(knots.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows at log odds -3 to 3, of which `rate` are completed.
    fn rows(rate: impl Fn(f64) -> f64) -> Vec<(f64, bool)> {
        let grid = (0_i32..6000).map(|at| f64::from(at * 7 % 600) / 100.0 - 3.0);
        // Evenly spread thresholds stand for chance.
        let chance = (0_i32..6000).map(|at| f64::from(at * 37 % 101) / 101.0);
        grid.zip(chance).map(|(odds, chance)| (odds, chance < rate(odds))).collect()
    }

    #[test]
    fn odds_that_are_too_sure_are_drawn_in() {
        let (curve, _) = Calibration::fit(&rows(|odds| 1.0 / (1.0 + (-odds / 2.0).exp()))).expect("fits");
        for odds in [-2.0, 0.0, 2.0] {
            let right = 1.0 / (1.0 + (-odds / 2.0_f64).exp());
            assert!((curve.apply(odds) - right).abs() < 0.03, "{odds}: {} against {right}", curve.apply(odds));
        }
    }

    #[test]
    fn a_step_is_followed_by_the_isotonic_curve_which_never_falls() {
        let (curve, _) = Calibration::fit(&rows(|odds| if odds < 1.0 { 0.2 } else { 0.8 })).expect("fits");
        assert!(matches!(curve, Calibration::Isotonic(_)), "{curve:?}");
        assert!((curve.apply(0.0) - 0.2).abs() < 0.05 && (curve.apply(2.0) - 0.8).abs() < 0.05);
        let values: Vec<f64> = (-40..40).map(|at| curve.apply(f64::from(at) / 10.0)).collect();
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn few_rows_calibrate_nothing() {
        let (curve, _) = Calibration::fit(&rows(|_| 0.5)[..50]).expect("fits");
        assert_eq!(curve, Calibration::None);
    }
}
