//! linfa's FTRL on pairs: a ranker that learns step by step.
//!
//! `McMahan` et al., "Ad click prediction: a view from the trenches" (KDD 2013): follow the regularised
//! leader, proximal, with a step of its own for each feature. It sees the same differences as
//! [`pairwise`](super::pairwise), in small batches: for each choice a few candidates that were not chosen,
//! drawn in proportion to the odds that the weights so far give them, so that it learns most from what
//! still stands too high. One call of linfa's `fit_with` is one gradient step, and starts from random
//! weights: hence the seed, and the passes over the data.

use linfa::traits::FitWith;
use linfa::{DatasetBase, ParamGuard};
use linfa_ftrl::{Ftrl, FtrlParams};
use ndarray::{Array1, Array2};
use rand::seq::SliceRandom;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::FitError;
use crate::features::SITUATIONS;
use crate::ranker::{CONSTANT, Choice, Plan, fill, scales};

/// Passes over the choices.
const PASSES: usize = 12;
/// Choices to a step.
const BATCH: usize = 32;
/// Pairs drawn for a choice in each pass.
const PAIRS: usize = 4;
/// Length of steps; each feature's falls with the gradients it has seen.
const ALPHA: f64 = 0.02;
/// How long steps stay at their first length.
const BETA: f64 = 1.0;

/// Weights (situation × feature, for features as they are) from held-out choices.
pub(crate) fn fit(choices: &[Choice], width: usize, plan: Plan, rng: &mut ChaCha8Rng) -> Result<Vec<f64>, FitError> {
    let scales = scales(choices, width);
    let used: Vec<usize> = (0..scales.len()).filter(|&c| scales[c].to_bits() != CONSTANT.to_bits()).collect();
    let failed = |error: linfa_ftrl::FtrlError| FitError::Ranker(error.to_string());
    // linfa's penalty is for the sum over a whole data set and at most 1: the ridge, in its own units.
    let ridge = (plan.ridge / choices.len().max(1) as f64).clamp(0.0, 1.0);
    let seeded = ChaCha8Rng::seed_from_u64(rng.next_u64());
    let parameters = FtrlParams::new(ALPHA, BETA, 0.0, ridge, seeded).check().map_err(failed)?;
    let mut model: Option<Ftrl<f64>> = None;
    let mut weights = vec![0.0; SITUATIONS * width];
    let mut order: Vec<usize> = (0..choices.len()).filter(|&at| choices[at].stands_for.len() > 1).collect();
    let mut difference = vec![0.0; scales.len()];
    for _ in 0..PASSES {
        order.shuffle(rng);
        for batch in order.chunks(BATCH) {
            let mut records = Array2::<f64>::zeros((batch.len() * PAIRS, used.len()));
            for (at, &index) in batch.iter().enumerate() {
                let choice = &choices[index];
                let odds = odds(choice, width, &weights);
                for pair in 0..PAIRS {
                    let other = draw(&odds, rng);
                    fill(choice, other, width, &mut difference);
                    let mut record = records.row_mut(at * PAIRS + pair);
                    for (slot, &column) in record.iter_mut().zip(&used) {
                        *slot = difference[column] / scales[column];
                    }
                }
            }
            // What was chosen comes first in every difference.
            let preferred = Array1::from_elem(records.nrows(), true);
            let fitted = parameters.fit_with(model.take(), &DatasetBase::new(records, preferred)).map_err(failed)?;
            for (&column, weight) in used.iter().zip(fitted.get_weights()) {
                weights[column] = weight / scales[column];
            }
            model = Some(fitted);
        }
    }
    Ok(weights)
}

/// Running sums of the odds of what was not chosen.
fn odds(choice: &Choice, width: usize, weights: &[f64]) -> Vec<f64> {
    let scores = choice.scores(width, weights);
    let best = scores.iter().copied().fold(f64::MIN, f64::max);
    let mut running = 0.0;
    let rivals = scores[1..].iter().zip(&choice.stands_for[1..]);
    let odds = rivals.map(|(score, &count)| {
        running += f64::from(count) * (score - best).exp().max(1e-9);
        running
    });
    odds.collect()
}

/// A row that was not chosen.
fn draw(sums: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let at = rng.gen_range(0.0..1.0) * sums.last().copied().unwrap_or(0.0);
    sums.partition_point(|&sum| sum <= at).min(sums.len() - 1) + 1
}
