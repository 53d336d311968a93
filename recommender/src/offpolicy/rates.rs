//! Intervals for rates: how many of so many.

use super::Z;

/// The 95 % interval of a rate: E. B. Wilson, "Probable Inference, the Law of Succession, and
/// Statistical Inference", 1927. Unlike the normal one it is of use for few trials and near 0 and 1.
///
/// With `p = successes / n` and `z = 1.96`: `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`.
/// Without trials nothing is known: (0, 1). More successes than trials count as all of them.
///
/// ```
/// let (low, high) = stoa_recommender::offpolicy::wilson(0, 20);
/// assert_eq!(low, 0.0);
/// assert!((high - 0.161).abs() < 5e-4);
/// ```
#[must_use]
pub fn wilson(successes: u64, trials: u64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (p, n) = (rate(successes, trials), trials as f64);
    let doubt = Z * Z / n;
    let centre = p + doubt / 2.0;
    let half = Z * (p * (1.0 - p) / n + doubt / n / 4.0).sqrt();
    // At the ends both terms are equal but for rounding.
    let low = if successes == 0 { 0.0 } else { ((centre - half) / (1.0 + doubt)).max(0.0) };
    let high = if successes >= trials { 1.0 } else { ((centre + half) / (1.0 + doubt)).min(1.0) };
    (low, high)
}

/// The 95 % interval of the difference of two rates, first − second, each given as (successes,
/// trials): method 10 of R. G. Newcombe, "Interval Estimation for the Difference Between Independent
/// Proportions", 1998, which joins their [`wilson`] intervals. (−1, 1) if either has no trials.
///
/// ```
/// let (low, high) = stoa_recommender::offpolicy::difference((56, 70), (48, 80));
/// assert!((low - 0.0524).abs() < 5e-5 && (high - 0.3339).abs() < 5e-5);
/// ```
#[must_use]
pub fn difference(first: (u64, u64), second: (u64, u64)) -> (f64, f64) {
    if first.1 == 0 || second.1 == 0 {
        return (-1.0, 1.0);
    }
    let (a, b) = (rate(first.0, first.1), rate(second.0, second.1));
    let (a_low, a_high) = wilson(first.0, first.1);
    let (b_low, b_high) = wilson(second.0, second.1);
    let low = a - b - (a - a_low).hypot(b_high - b);
    let high = a - b + (a_high - a).hypot(b - b_low);
    (low, high)
}

fn rate(successes: u64, trials: u64) -> f64 {
    successes.min(trials) as f64 / trials as f64
}
