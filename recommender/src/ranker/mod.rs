//! The ranker: weights for the features, learned from held-out choices.
//!
//! [`pairwise`] and [`ftrl`] are linfa's, [`listwise`] a conditional logit of our own; all see the same
//! choices and give the same kind of weights, so any may be the default.

pub(crate) mod ftrl;
pub(crate) mod listwise;
pub(crate) mod pairwise;

use crate::features::SITUATIONS;

/// One held-out choice: the candidates' features, the chosen course's row first.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) situation: [f64; SITUATIONS],
    /// Rows of `width` features; the first is the course chosen.
    pub(crate) rows: Vec<f32>,
    /// How many candidates each row stands for: rows from far down the lists are a sample.
    pub(crate) stands_for: Vec<f32>,
}

impl Choice {
    /// Scores of all rows under weights laid out as situation × feature.
    pub(crate) fn scores(&self, width: usize, weights: &[f64]) -> Vec<f64> {
        let collapsed = collapse(weights, &self.situation, width);
        self.rows.chunks(width).map(|row| dot(&collapsed, row)).collect()
    }
}

/// The weights of the features in one situation.
pub(crate) fn collapse(weights: &[f64], situation: &[f64; SITUATIONS], width: usize) -> Vec<f64> {
    let mut collapsed = vec![0.0; width];
    for (part, &factor) in weights.chunks(width).zip(situation) {
        if factor != 0.0 {
            for (sum, weight) in collapsed.iter_mut().zip(part) {
                *sum += factor * weight;
            }
        }
    }
    collapsed
}

/// Σ weight × feature.
pub(crate) fn dot(weights: &[f64], row: &[f32]) -> f64 {
    weights.iter().zip(row).map(|(w, &f)| w * f64::from(f)).sum()
}

/// How the ranker is fitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Pairs for each choice, on average.
    pub(crate) negatives: usize,
    pub(crate) rounds: usize,
    pub(crate) ridge: f64,
}

/// The scale of a feature that never differs: its weight stays what it was.
pub(crate) const CONSTANT: f64 = 1.0;

/// Root mean square of each crossed feature's difference between what was chosen and what was not.
pub(crate) fn scales(choices: &[Choice], width: usize) -> Vec<f64> {
    let mut sums = vec![0.0; SITUATIONS * width];
    let mut count = 0.0;
    let mut squares = vec![0.0_f32; width];
    for choice in choices {
        // The situation is the same for all rows of a choice: square it once.
        squares.fill(0.0);
        let (chosen, others) = choice.rows.split_at(width);
        for other in others.chunks_exact(width) {
            for ((square, a), b) in squares.iter_mut().zip(chosen).zip(other) {
                *square += (a - b) * (a - b);
            }
        }
        for (part, &factor) in sums.chunks_mut(width).zip(&choice.situation) {
            for (sum, &square) in part.iter_mut().zip(&squares) {
                *sum += factor * factor * f64::from(square);
            }
        }
        count += (others.len() / width) as f64;
    }
    let scale = |sum: f64| (sum / f64::max(count, 1.0)).sqrt();
    sums.into_iter().map(|sum| if scale(sum) > 1e-9 { scale(sum) } else { CONSTANT }).collect()
}

pub(crate) fn fill(choice: &Choice, other: usize, width: usize, out: &mut [f64]) {
    let chosen = &choice.rows[..width];
    let other = &choice.rows[other * width..(other + 1) * width];
    for (part, &factor) in out.chunks_mut(width).zip(&choice.situation) {
        for ((d, &a), &b) in part.iter_mut().zip(chosen).zip(other) {
            *d = factor * f64::from(a - b);
        }
    }
}
