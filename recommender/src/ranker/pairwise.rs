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
use crate::ranker::{CONSTANT, Choice, Plan, fill, scales};

/// Iterations of the optimiser in the last round; the earlier ones only find where to look.
const STEPS: u64 = 60;

/// Weights (situation × feature, for features as they are) from held-out choices.
pub(crate) fn fit(choices: &[Choice], width: usize, plan: Plan, rng: &mut ChaCha8Rng) -> Result<Vec<f64>, FitError> {
    let scales = scales(choices, width);
    let mut weights = vec![0.0; SITUATIONS * width];
    for round in 1..=plan.rounds {
        let last = round == plan.rounds;
        let negatives = if last { plan.negatives } else { plan.negatives.min(2) };
        let drawn = draw(choices, width, &weights, negatives, rng);
        if drawn.pairs.len() < 2 {
            break;
        }
        let start: Vec<f64> = weights.iter().zip(&scales).map(|(w, s)| w * s).collect();
        let steps = if last { STEPS } else { STEPS / 4 };
        let fitted = logistic(choices, &drawn, &scales, &start, plan.ridge, steps)?;
        weights = fitted.iter().zip(&scales).map(|(w, s)| w / s).collect();
    }
    Ok(weights)
}

/// Pairs, and how much of a choice's whole list one of them stands for.
struct Drawn {
    /// (choice, row not chosen).
    pairs: Vec<(u32, u32)>,
    /// Drawn pairs per unit of mass: the loss of the pairs is so many times that of the lists.
    rate: f64,
}

/// Pairs (choice, row not chosen), drawn as the module's documentation says.
fn draw(choices: &[Choice], width: usize, weights: &[f64], negatives: usize, rng: &mut ChaCha8Rng) -> Drawn {
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
    Drawn { pairs, rate: negatives as f64 / mean.max(1e-9) }
}

/// linfa's weights for the scaled differences. In single precision: the cost is memory's.
fn logistic(
    choices: &[Choice],
    drawn: &Drawn,
    scales: &[f64],
    start: &[f64],
    ridge: f64,
    steps: u64,
) -> Result<Vec<f64>, FitError> {
    let pairs = &drawn.pairs;
    let width = scales.len() / SITUATIONS;
    // Features that never differ are left out.
    let used: Vec<usize> = (0..scales.len()).filter(|&c| scales[c].to_bits() != CONSTANT.to_bits()).collect();
    let mut records = Array2::<f32>::zeros((pairs.len(), used.len()));
    let mut difference = vec![0.0; scales.len()];
    for (at, (&(choice, other), mut record)) in pairs.iter().zip(records.rows_mut()).enumerate() {
        fill(&choices[choice as usize], other as usize, width, &mut difference);
        // Both directions of a pair say the same; taking turns gives linfa its two classes.
        let sign = if at % 2 == 0 { 1.0 } else { -1.0 };
        for (slot, &column) in record.iter_mut().zip(&used) {
            *slot = (sign * difference[column] / scales[column]) as f32;
        }
    }
    let preferred: Array1<bool> = (0..pairs.len()).map(|at| at % 2 == 0).collect();
    let start: Array1<f32> = used.iter().map(|&column| start[column] as f32).collect();
    let model = LogisticRegression::default()
        .with_intercept(false)
        .alpha((ridge * drawn.rate) as f32)
        .max_iterations(steps)
        // The tolerance is absolute, and the loss is summed over the pairs.
        .gradient_tolerance(2e-4 * pairs.len() as f32)
        .initial_params(start)
        .fit(&DatasetBase::new(records, preferred))
        .map_err(|error| FitError::Ranker(error.to_string()))?;
    // linfa calls the more frequent label positive, whichever it is.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let mut weights = vec![0.0; scales.len()];
    for (&column, &weight) in used.iter().zip(model.params()) {
        weights[column] = sign * f64::from(weight);
    }
    Ok(weights)
}
