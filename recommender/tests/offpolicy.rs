//! Off-policy estimates against a school whose truth is known.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stoa_recommender::offpolicy::{
    Estimate, Estimates, Logged, OffPolicyError, Prediction, difference, estimate, wilson,
};

/// Learners of four kinds, three courses: how likely each is to be clicked.
const CLICKS: [[f64; 3]; 4] = [[0.1, 0.3, 0.5], [0.6, 0.2, 0.1], [0.3, 0.3, 0.4], [0.05, 0.7, 0.2]];
/// What is shown now, and what is asked about.
const LOGGING: [[f64; 3]; 4] = [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.5, 0.2, 0.3]];
const TARGET: [[f64; 3]; 4] = [[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1]];

const SEEDS: u64 = 400;

/// What the target earns.
fn truth() -> f64 {
    let of_kind = |kind: usize| -> f64 { (0..3).map(|a| TARGET[kind][a] * CLICKS[kind][a]).sum() };
    (0..4).map(of_kind).sum::<f64>() / 4.0
}

/// A thousand recommendations; `model` foretells the clicks of a kind and a course.
fn log(seed: u64, model: impl Fn(usize, usize) -> f64) -> Vec<Logged> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut row = || {
        let kind = rng.gen_range(0..4);
        let draw: f64 = rng.gen_range(0.0..1.0);
        let action = match LOGGING[kind] {
            [first, _, _] if draw < first => 0,
            [first, second, _] if draw < first + second => 1,
            _ => 2,
        };
        Logged {
            reward: f64::from(u8::from(rng.gen_bool(CLICKS[kind][action]))),
            propensity: LOGGING[kind][action],
            target: TARGET[kind][action],
            predicted: Some(Prediction {
                shown: model(kind, action),
                target: (0..3).map(|a| TARGET[kind][a] * model(kind, a)).sum(),
            }),
        }
    };
    (0..1000).map(|_| row()).collect()
}

fn runs(clip: Option<f64>, model: impl Fn(usize, usize) -> f64 + Copy) -> Vec<Estimates> {
    (0..SEEDS).map(|seed| estimate(&log(seed, model), clip).expect("a good log")).collect()
}

/// Mean error, standard deviation, and the share of intervals that hold the truth.
fn quality(runs: &[Estimates], of: impl Fn(&Estimates) -> Estimate) -> (f64, f64, f64) {
    let n = SEEDS as f64;
    let values: Vec<Estimate> = runs.iter().map(of).collect();
    let mean = values.iter().map(|e| e.value).sum::<f64>() / n;
    let spread = (values.iter().map(|e| (e.value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let covered = values.iter().filter(|e| (e.low..=e.high).contains(&truth())).count();
    (mean - truth(), spread, covered as f64 / n)
}

fn dr(estimates: &Estimates) -> Estimate {
    estimates.dr.expect("every row has a prediction")
}

const RIGHT: fn(usize, usize) -> f64 = |kind, action| CLICKS[kind][action];
const WRONG: fn(usize, usize) -> f64 = |kind, action| 0.9 - 0.2 * action as f64 - 0.1 * kind as f64;

#[test]
fn all_three_find_the_truth_and_their_intervals_hold_it_nineteen_times_in_twenty() {
    let runs = runs(None, RIGHT);
    for (name, (error, spread, covered)) in
        [("ips", quality(&runs, |e| e.ips)), ("snips", quality(&runs, |e| e.snips)), ("dr", quality(&runs, dr))]
    {
        // Three standard errors of the mean over the seeds.
        assert!(error.abs() < 3.0 * spread / (SEEDS as f64).sqrt(), "{name} errs by {error} ± {spread}");
        assert!((0.92..=0.98).contains(&covered), "{name} holds the truth in {covered}");
    }
}

#[test]
fn a_good_reward_model_steadies_the_doubly_robust_estimate() {
    let runs = runs(None, RIGHT);
    let ((_, ips, _), (_, snips, _), (_, dr, _)) =
        (quality(&runs, |e| e.ips), quality(&runs, |e| e.snips), quality(&runs, dr));
    assert!(dr < 0.9 * ips && dr < snips, "spread {dr} against {ips} and {snips}");
}

#[test]
fn a_wrong_reward_model_does_not_mislead_it() {
    let runs = runs(None, WRONG);
    let (error, spread, covered) = quality(&runs, dr);
    assert!(error.abs() < 3.0 * spread / (SEEDS as f64).sqrt(), "errs by {error} ± {spread}");
    assert!((0.92..=0.98).contains(&covered), "holds the truth in {covered}");
}

#[test]
fn wrong_propensities_mislead_the_first_two_but_not_the_doubly_robust_one_with_a_right_model() {
    let runs: Vec<Estimates> = (0..SEEDS)
        .map(|seed| {
            let mut rows = log(seed, RIGHT);
            for row in &mut rows {
                row.propensity = row.propensity.sqrt();
            }
            estimate(&rows, None).expect("a good log")
        })
        .collect();
    assert!(quality(&runs, |e| e.ips).0.abs() > 0.05);
    let (error, spread, _) = quality(&runs, dr);
    assert!(error.abs() < 3.0 * spread / (SEEDS as f64).sqrt(), "errs by {error} ± {spread}");
}

#[test]
fn clipping_steadies_and_leans_downwards() {
    let (free, clipped) = (runs(None, RIGHT), runs(Some(2.0), RIGHT));
    let (_, free_spread, _) = quality(&free, |e| e.ips);
    let (error, spread, _) = quality(&clipped, |e| e.ips);
    assert!(spread < free_spread && error < -0.02, "spread {spread} against {free_spread}, error {error}");
    // The reward model is right, so what is clipped away is not missed.
    assert!(quality(&clipped, dr).0.abs() < 0.005);
    assert!(clipped[0].effective > free[0].effective);
}

#[test]
fn the_policy_that_was_logged_earns_the_mean_of_the_log() {
    let row = |reward| Logged { reward, propensity: 0.25, target: 0.25, predicted: None };
    let found = estimate(&[row(0.0), row(1.0), row(1.0), row(0.0)], None).expect("a good log");
    assert_eq!((found.ips.value, found.snips.value, found.effective, found.dr), (0.5, 0.5, 4.0, None));
    // By hand: 1.96 × √(1/3 / 4).
    assert!((found.ips.high - 0.5 - 0.565_79).abs() < 1e-4, "{found:?}");
}

#[test]
fn bad_logs_are_refused_and_the_row_is_named() {
    let good = Logged { reward: 1.0, propensity: 0.5, target: 0.5, predicted: None };
    let told = |rows: &[Logged], clip| estimate(rows, clip).expect_err("refused").to_string();
    assert_eq!(estimate(&[], None), Err(OffPolicyError::TooFew { rows: 0 }));
    assert_eq!(estimate(&[good], None), Err(OffPolicyError::TooFew { rows: 1 }));
    for (propensity, text) in [(0.0, "0"), (-0.1, "-0.1"), (1.5, "1.5"), (f64::NAN, "NaN")] {
        let wanted = format!("row 1: the propensity is {text}, expected above 0 and at most 1");
        assert_eq!(told(&[good, Logged { propensity, ..good }], None), wanted);
    }
    let target = Logged { target: f64::NAN, ..good };
    assert_eq!(told(&[target, good], None), "row 0: the target policy's probability is NaN, expected 0 to 1");
    let reward = Logged { reward: f64::INFINITY, ..good };
    assert_eq!(told(&[good, good, reward], None), "row 2: the reward is inf, expected a finite number");
    let predicted = Some(Prediction { shown: 0.5, target: f64::NAN });
    let rows = [Logged { predicted, ..good }; 2];
    assert_eq!(told(&rows, None), "row 0: the target's prediction is NaN, expected a finite number");
    let predicted = Some(Prediction { shown: 0.5, target: 0.5 });
    let some = [good, Logged { predicted, ..good }];
    assert_eq!(told(&some, None), "row 1 has a prediction, unlike row 0: predict all rows or none");
    assert_eq!(estimate(&[Logged { target: 0.0, ..good }; 3], None), Err(OffPolicyError::NoOverlap { rows: 3 }));
    assert_eq!(estimate(&[good; 2], Some(0.0)), Err(OffPolicyError::Clip(0.0)));
}

#[test]
fn intervals_of_rates_as_published() {
    let near = |found: (f64, f64), low: f64, high: f64| {
        assert!((found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5, "{found:?}");
    };
    // Newcombe 1998, tables I (method 3) and II (method 10).
    near(wilson(81, 263), 0.2553, 0.3662);
    near(wilson(15, 148), 0.0624, 0.1605);
    near(wilson(0, 20), 0.0, 0.1611);
    near(wilson(1, 29), 0.0061, 0.1718);
    near(difference((56, 70), (48, 80)), 0.0524, 0.3339);
    near(difference((9, 10), (3, 10)), 0.1705, 0.8090);
    near(difference((10, 10), (0, 20)), 0.6791, 1.0);
    assert_eq!((wilson(0, 0), wilson(9, 9).1, wilson(12, 9)), ((0.0, 1.0), 1.0, wilson(9, 9)));
    assert_eq!(difference((1, 2), (0, 0)), (-1.0, 1.0));
}
