//! linfa's logistic regression on pairs.
//!
//! A held-out choice says that its course was preferred to each candidate not chosen. The
//! difference of the two feature rows, with no intercept, makes that an ordinary logistic
//! regression: Bradley and Terry (1952), and Joachims, "Optimizing search engines using
//! clickthrough data" (KDD 2002) for the difference of features.
//!
//! The pairs are drawn so that their gradient is, in expectation, that of the *listwise* conditional
//! logit (`McFadden` 1974), which looks at the top of the list: for a choice p among candidates n,
//! the pair (p, n) is drawn in proportion to `(exp s_n + exp s_p) / Z` under the weights s of the
//! round before, because the pairwise loss weighs it by `exp s_n / (exp s_n + exp s_p)`.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::FitError;
use crate::features::SITUATIONS;
use crate::ranker::{Choice, Plan, fill, scales};

/// Weights (situation × feature, for features as they are) from held-out choices.
pub(crate) fn fit(choices: &[Choice], width: usize, plan: Plan, rng: &mut ChaCha8Rng) -> Result<Vec<f64>, FitError> {
    let scales = scales(choices, width);
    let mut weights = vec![0.0; SITUATIONS * width];
    for _ in 0..plan.rounds {
        let pairs = draw(choices, width, &weights, plan.negatives, rng);
        if pairs.is_empty() {
            break;
        }
        let start: Vec<f64> = weights.iter().zip(&scales).map(|(w, s)| w * s).collect();
        let fitted = logistic(choices, &pairs, width, &scales, start, plan.ridge)?;
        weights = fitted.iter().zip(&scales).map(|(w, s)| w / s).collect();
    }
    Ok(weights)
}

/// Pairs (choice, row not chosen), drawn as the module's documentation says.
fn draw(choices: &[Choice], width: usize, weights: &[f64], negatives: usize, rng: &mut ChaCha8Rng) -> Vec<(u32, u32)> {
    // Mass of a choice: Σ over n of (exp s_n + exp s_p) / Z.
    let lists: Vec<(Vec<f64>, f64)> = choices
        .iter()
        .map(|choice| {
            let scores = choice.scores(width, weights);
            let best = scores.iter().copied().fold(f64::MIN, f64::max);
            let odds: Vec<f64> = scores.iter().map(|s| (s - best).exp()).collect();
            let counts = choice.stands_for.iter().copied().map(f64::from);
            let all: f64 = odds.iter().zip(counts.clone()).map(|(o, n)| o * n).sum();
            let mut running = 0.0;
            let sums = odds[1..]
                .iter()
                .zip(counts.skip(1))
                .map(|(odd, count)| {
                    running += count * (odd + odds[0]) / all;
                    running
                })
                .collect();
            (sums, running)
        })
        .collect();
    let mean = lists.iter().map(|l| l.1).sum::<f64>() / lists.len().max(1) as f64;
    let mut pairs = Vec::with_capacity(choices.len() * (negatives + 1));
    for (index, (sums, mass)) in (0_u32..).zip(&lists) {
        if sums.is_empty() || mean <= 0.0 {
            continue;
        }
        let expected = negatives as f64 * mass / mean;
        let count = expected as usize + usize::from(rng.gen_bool(expected.fract()));
        for _ in 0..count {
            let at = rng.gen_range(0.0..1.0) * mass;
            let other = sums.partition_point(|&s| s <= at).min(sums.len() - 1);
            pairs.push((index, other as u32 + 1));
        }
    }
    pairs
}

fn logistic(
    choices: &[Choice],
    pairs: &[(u32, u32)],
    width: usize,
    scales: &[f64],
    start: Vec<f64>,
    ridge: f64,
) -> Result<Vec<f64>, FitError> {
    let columns = scales.len();
    let mut records = Array2::zeros((pairs.len(), columns));
    let mut difference = vec![0.0; columns];
    for (at, (&(choice, other), mut record)) in pairs.iter().zip(records.rows_mut()).enumerate() {
        fill(&choices[choice as usize], other as usize, width, &mut difference);
        // Both directions of a pair say the same; taking turns gives linfa its two classes.
        let sign = if at % 2 == 0 { 1.0 } else { -1.0 };
        for ((slot, d), scale) in record.iter_mut().zip(&difference).zip(scales) {
            *slot = sign * d / scale;
        }
    }
    let preferred: Array1<bool> = (0..pairs.len()).map(|at| at % 2 == 0).collect();
    if pairs.len() < 2 {
        return Ok(start);
    }
    let model = LogisticRegression::default()
        .with_intercept(false)
        .alpha(ridge)
        .max_iterations(60)
        // The tolerance is absolute, and the loss is summed over the pairs.
        .gradient_tolerance(1e-4 * pairs.len() as f64)
        .initial_params(Array1::from(start))
        .fit(&DatasetBase::new(records, preferred))
        .map_err(|error| FitError::Ranker(error.to_string()))?;
    // linfa calls the more frequent label positive, whichever it is.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    Ok(model.params().iter().map(|w| sign * w).collect())
}
