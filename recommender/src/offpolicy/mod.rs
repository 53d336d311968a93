//! What another way of recommending would have earned, told from what was logged under this one.
//!
//! A row of the log holds what came of a recommendation ([`Logged::reward`]), how likely the policy
//! that made it was to show it ([`Logged::propensity`], see
//! [`Recommendation::propensity`](crate::Recommendation::propensity)), and how likely the policy in
//! question would be to show the same ([`Logged::target`]). With `w = target / propensity`, over `n`
//! rows:
//!
//! | estimate | formula | its error |
//! |---|---|---|
//! | inverse propensity, IPS | `Σ w r / n` | none on average, but a few large weights can carry it |
//! | self-normalised, SNIPS | `Σ w r / Σ w` | a little on average, vanishing with `n`; far steadier |
//! | doubly robust, DR | `Σ (m(target) + w (r − m(shown))) / n` | none on average if either the propensities or the reward model `m` are right; the better `m`, the steadier |
//!
//! Sources: IPS is D. G. Horvitz and D. J. Thompson, "A Generalization of Sampling Without
//! Replacement from a Finite Universe", 1952; SNIPS is A. Swaminathan and T. Joachims, "The
//! Self-Normalized Estimator for Counterfactual Learning", 2015; DR is M. Dudík, J. Langford and
//! L. Li, "Doubly Robust Policy Evaluation and Learning", 2011.
//!
//! The intervals are normal: `± 1.96 s / √n` with the rows' standard deviation `s`, and for SNIPS,
//! a ratio, the delta method's `± 1.96 √(Σ w² (r − v)²) / Σ w`. They hold when
//! [`Estimates::effective`] is not small: below about fifty, believe none of the three.
//!
//! Clipping, `w = min(w, clip)`, bounds what one row can do. It makes IPS and SNIPS lean towards the
//! policy that was logged (with rewards that are not negative, IPS errs downwards); DR leans only as
//! far as its reward model is wrong.

mod rates;

use serde::Serialize;

pub use rates::{difference, wilson};

/// The half width of a 95 % interval, in standard errors.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// One logged recommendation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logged {
    /// What came of it, such as 1 for a click and 0 for none. Any unit.
    pub reward: f64,
    /// Probability that the logging policy showed this; above 0, at most 1.
    pub propensity: f64,
    /// Probability that the policy in question shows the same to the same learner; 0 to 1.
    pub target: f64,
    /// What a reward model says, if there is one: for all rows or for none.
    pub predicted: Option<Prediction>,
}

/// What a reward model foretells of one row. It must not have been fitted on that row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The reward of what was shown.
    pub shown: f64,
    /// The mean reward of what the policy in question shows: the sum of probability × predicted
    /// reward over all it could show.
    pub target: f64,
}

/// An estimated mean reward with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Reward for one recommendation.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The three estimates of one log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimates {
    /// Inverse propensity.
    pub ips: Estimate,
    /// Self-normalised inverse propensity.
    pub snips: Estimate,
    /// Doubly robust; `None` without predictions.
    pub dr: Option<Estimate>,
    /// `(Σ w)² / Σ w²`: how many rows, logged under the policy in question itself, would tell as much.
    pub effective: f64,
}

/// A log from which nothing can be told. Rows are counted from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OffPolicyError {
    /// A spread can't be told from one row.
    #[error("an estimate needs at least two logged rows; there are {rows}")]
    TooFew {
        /// How many there are.
        rows: usize,
    },
    /// Something was shown that could not be shown, or the probability is none.
    #[error("row {row}: the propensity is {value}, expected above 0 and at most 1")]
    Propensity {
        /// The row at fault.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// The target's probability is none.
    #[error("row {row}: the target policy's probability is {value}, expected 0 to 1")]
    Target {
        /// The row at fault.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// A reward or a prediction is not a number.
    #[error("row {row}: the {what} is {value}, expected a finite number")]
    NotFinite {
        /// The row at fault.
        row: usize,
        /// Which of its values.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// Only some rows have a prediction.
    #[error("row {row} has {}, unlike row 0: predict all rows or none", if *.has { "a prediction" } else { "no prediction" })]
    Uneven {
        /// The first row that differs from row 0.
        row: usize,
        /// Whether it has one.
        has: bool,
    },
    /// The policy in question shows nothing of what was logged.
    #[error("the target policy would have shown none of the {rows} logged rows: nothing can be told of it")]
    NoOverlap {
        /// How many rows there are.
        rows: usize,
    },
    /// A bound that bounds nothing.
    #[error("weights can't be clipped at {0}, expected a number above 0")]
    Clip(f64),
}

/// Estimates the mean reward of the policy in question; weights above `clip` count as `clip`.
///
/// # Errors
/// Fewer than two rows, a value out of range (with its row), predictions for only some rows, no
/// overlap between the policies, a `clip` that is not above zero.
pub fn estimate(rows: &[Logged], clip: Option<f64>) -> Result<Estimates, OffPolicyError> {
    check(rows, clip)?;
    let most = clip.unwrap_or(f64::INFINITY);
    let weights: Vec<f64> = rows.iter().map(|row| (row.target / row.propensity).min(most)).collect();
    let weight: f64 = weights.iter().sum();
    if weight <= 0.0 {
        return Err(OffPolicyError::NoOverlap { rows: rows.len() });
    }
    let weighed = || rows.iter().zip(&weights);
    let corrected = |(row, weight): (&Logged, &f64)| {
        let predicted = row.predicted?;
        Some(predicted.target + weight * (row.reward - predicted.shown))
    };
    let corrected: Option<Vec<f64>> = weighed().map(corrected).collect();
    Ok(Estimates {
        ips: mean(&weighed().map(|(row, weight)| weight * row.reward).collect::<Vec<_>>()),
        snips: ratio(rows, &weights, weight),
        dr: corrected.map(|values| mean(&values)),
        effective: weight.powi(2) / weights.iter().map(|w| w.powi(2)).sum::<f64>(),
    })
}

fn check(rows: &[Logged], clip: Option<f64>) -> Result<(), OffPolicyError> {
    if rows.len() < 2 {
        return Err(OffPolicyError::TooFew { rows: rows.len() });
    }
    if let Some(clip) = clip.filter(|clip| clip.is_nan() || *clip <= 0.0) {
        return Err(OffPolicyError::Clip(clip));
    }
    let predicted = rows[0].predicted.is_some();
    for (index, row) in rows.iter().enumerate() {
        if !(row.propensity > 0.0 && row.propensity <= 1.0) {
            return Err(OffPolicyError::Propensity { row: index, value: row.propensity });
        }
        if !(0.0..=1.0).contains(&row.target) {
            return Err(OffPolicyError::Target { row: index, value: row.target });
        }
        if row.predicted.is_some() != predicted {
            return Err(OffPolicyError::Uneven { row: index, has: row.predicted.is_some() });
        }
        let foretold = row.predicted.iter();
        let foretold =
            foretold.flat_map(|p| [("prediction of what was shown", p.shown), ("target's prediction", p.target)]);
        if let Some((what, value)) = foretold.chain([("reward", row.reward)]).find(|(_, value)| !value.is_finite()) {
            return Err(OffPolicyError::NotFinite { row: index, what, value });
        }
    }
    Ok(())
}

fn around(value: f64, error: f64) -> Estimate {
    Estimate { value, low: value - Z * error, high: value + Z * error }
}

/// The mean of at least two values.
fn mean(values: &[f64]) -> Estimate {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    around(mean, (squares / (n - 1.0) / n).sqrt())
}

fn ratio(rows: &[Logged], weights: &[f64], weight: f64) -> Estimate {
    let weighed = || rows.iter().zip(weights);
    let value = weighed().map(|(row, w)| w * row.reward).sum::<f64>() / weight;
    let squares: f64 = weighed().map(|(row, w)| (w * (row.reward - value)).powi(2)).sum();
    around(value, squares.sqrt() / weight)
}
