//! How sure the figures are: the questions are drawn anew, with replacement, many times.
//!
//! The percentile bootstrap: B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979. All
//! methods are judged on the same draws, so that a difference of two is over the same questions too.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws, where there are not too many questions.
const DRAWS: usize = 1000;
/// Draws × questions: with very many questions fewer draws do, since the means hardly move.
const MOST: usize = 30_000_000;
/// Draws in any case.
const FEWEST: usize = 200;

/// The mean of each column in each draw: `columns.len()` rows of means.
pub(super) fn means(columns: &[Vec<f64>], seed: u64) -> Vec<Vec<f64>> {
    let questions = columns.first().map_or(0, Vec::len);
    if questions == 0 {
        return vec![Vec::new(); columns.len()];
    }
    let draws = (MOST / questions).clamp(FEWEST, DRAWS);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut all = vec![Vec::with_capacity(draws); columns.len()];
    let mut times = vec![0_u32; questions];
    for _ in 0..draws {
        times.fill(0);
        for _ in 0..questions {
            times[rng.gen_range(0..questions)] += 1;
        }
        for (column, means) in columns.iter().zip(&mut all) {
            let sum: f64 = column.iter().zip(&times).map(|(value, &n)| value * f64::from(n)).sum();
            means.push(sum / questions as f64);
        }
    }
    all
}

/// The ends between which 95 % of the draws lie; `otherwise` if there are none.
pub(super) fn interval(mut draws: Vec<f64>, otherwise: f64) -> (f64, f64) {
    draws.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * (draws.len() as f64 - 1.0)).round().max(0.0);
        draws.get(place as usize).copied().unwrap_or(otherwise)
    };
    (at(0.025), at(0.975))
}

/// One method minus another in each draw.
pub(super) fn differences(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter().zip(other).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_theory_says() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let hits: Vec<f64> = (0..2000).map(|_| f64::from(u8::from(rng.gen_bool(0.3)))).collect();
        let mean = hits.iter().sum::<f64>() / 2000.0;
        let (low, high) = interval(means(&[hits], 1).remove(0), mean);
        let half = 1.96 * (mean * (1.0 - mean) / 2000.0).sqrt();
        assert!((mean - low - half).abs() < 0.1 * half && (high - mean - half).abs() < 0.1 * half, "{low} {high}");
    }

    #[test]
    fn a_difference_over_the_same_questions_is_surer_than_each_alone() {
        // One answers every question a little better than the other; the questions differ a lot.
        let other: Vec<f64> = (0..500).map(|at| f64::from(at % 2)).collect();
        let one: Vec<f64> = other.iter().map(|value| value + 0.01).collect();
        let draws = means(&[one, other], 1);
        let (low, high) = interval(differences(&draws[0], &draws[1]), 0.0);
        assert!((low - 0.01).abs() < 1e-9 && (high - 0.01).abs() < 1e-9, "{low} {high}");
        let (low, high) = interval(draws[0].clone(), 0.0);
        assert!(high - low > 0.05);
    }

    #[test]
    fn without_questions_there_is_nothing_to_draw() {
        assert_eq!(interval(means(&[Vec::new()], 1).remove(0), 0.5), (0.5, 0.5));
    }
}
