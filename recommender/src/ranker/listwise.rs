//! The conditional logit: which of the candidates was chosen?
//!
//! `McFadden`, "Conditional logit analysis of qualitative choice behavior" (1974): the probability
//! of a candidate is `exp s_n / Σ exp s_m`; the weights minimise the choices' negative log
//! likelihood plus a ridge. Solved by L-BFGS (Liu and Nocedal 1989). The crosses with the situation
//! are never written out: a choice's weights are collapsed first, so an evaluation costs no more
//! than one with the plain features.

use crate::features::SITUATIONS;
use crate::ranker::{Choice, Plan, collapse, scales};

/// Steps kept to estimate the curvature.
const MEMORY: usize = 12;
const MOST_STEPS: usize = 150;
/// Gain of the loss per choice below which to stop.
const ENOUGH: f64 = 2e-6;

/// A step of a weight that holds in one situation only costs so many times that of one that always
/// holds: what is not sure to differ between situations is taken to be the same.
const CROSS: f64 = 1.5;
/// One choice in so many is looked at first: weights that are nearly right cost little to find there.
const GLANCE: usize = 4;

/// Weights (situation × feature, for features as they are) from held-out choices. The ridge draws
/// them to `prior`, so that little data moves them little.
pub(crate) fn fit(choices: &[Choice], width: usize, plan: Plan, prior: &[f64]) -> Vec<f64> {
    let mut scales = scales(choices, width);
    for scale in &mut scales[width..] {
        *scale *= CROSS;
    }
    let case = Case { width, scales: &scales, prior };
    let some: Vec<&Choice> = choices.iter().step_by(GLANCE).collect();
    let all: Vec<&Choice> = choices.iter().collect();
    // The ridge of a part is the same part of the ridge.
    let ridge = plan.ridge / GLANCE as f64;
    let near = minimise(vec![0.0; SITUATIONS * width], some.len(), |steps| case.loss(&some, steps, ridge));
    let fitted = minimise(near, all.len(), |steps| case.loss(&all, steps, plan.ridge));
    case.moved(&fitted)
}

/// What the loss is measured in.
struct Case<'a> {
    width: usize,
    scales: &'a [f64],
    prior: &'a [f64],
}

impl Case<'_> {
    /// The prior's weights, moved by so many scales' steps.
    fn moved(&self, steps: &[f64]) -> Vec<f64> {
        let moves = steps.iter().zip(self.scales).map(|(step, scale)| step / scale);
        self.prior.iter().zip(moves).map(|(weight, by)| weight + by).collect()
    }

    /// Loss and gradient in the steps moves from the prior.
    fn loss(&self, choices: &[&Choice], steps: &[f64], ridge: f64) -> (f64, Vec<f64>) {
        let width = self.width;
        let weights = self.moved(steps);
        let mut gradient = vec![0.0; weights.len()];
        let mut sum = 0.0;
        let (mut odds, mut local, mut single) = (Vec::new(), vec![0.0_f32; width], vec![0.0_f32; width]);
        for choice in choices {
            // Single precision within a choice: its rows are the cost, and they are single.
            for (slot, weight) in single.iter_mut().zip(collapse(&weights, &choice.situation, width)) {
                *slot = weight as f32;
            }
            odds.clear();
            odds.extend(choice.rows.chunks_exact(width).map(|row| quick_dot(&single, row)));
            let chosen = odds[0];
            let best = odds.iter().copied().fold(f32::MIN, f32::max);
            let mut all = 0.0;
            for (odd, &count) in odds.iter_mut().zip(&choice.stands_for) {
                *odd = count * (*odd - best).exp();
                all += *odd;
            }
            sum += f64::from(all).ln() + f64::from(best - chosen);
            local.fill(0.0);
            odds[0] -= all;
            for (row, odd) in choice.rows.chunks_exact(width).zip(&odds) {
                let part = odd / all;
                for (slot, &feature) in local.iter_mut().zip(row) {
                    *slot += part * feature;
                }
            }
            for (part, &factor) in gradient.chunks_mut(width).zip(&choice.situation) {
                if factor != 0.0 {
                    for (slot, &value) in part.iter_mut().zip(&local) {
                        *slot += factor * f64::from(value);
                    }
                }
            }
        }
        for ((slot, scale), step) in gradient.iter_mut().zip(self.scales).zip(steps) {
            *slot = *slot / scale + ridge * step;
        }
        let penalty: f64 = steps.iter().map(|w| w * w).sum();
        (sum + 0.5 * ridge * penalty, gradient)
    }
}

/// Σ weight × feature in eight sums side by side, which the processor adds at once.
fn quick_dot(weights: &[f32], row: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (weights, rest) = weights.as_chunks::<LANES>();
    let (row, rest_of_row) = row.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (w, f) in weights.iter().zip(row) {
        for lane in 0..LANES {
            sums[lane] += w[lane] * f[lane];
        }
    }
    let last: f32 = rest.iter().zip(rest_of_row).map(|(w, f)| w * f).sum();
    sums.iter().sum::<f32>() + last
}

/// L-BFGS with backtracking.
fn minimise(mut at: Vec<f64>, choices: usize, loss: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let (mut value, mut gradient) = loss(&at);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for _ in 0..MOST_STEPS {
        let mut direction = descend(&gradient, &memory);
        let mut slope = inner(&direction, &gradient);
        if slope >= 0.0 {
            memory.clear();
            direction = descend(&gradient, &memory);
            slope = inner(&direction, &gradient);
        }
        // The first direction is a bare gradient: keep its step short.
        let length = inner(&direction, &direction).sqrt();
        let mut step = if memory.is_empty() { 1.0 / length.max(1.0) } else { 1.0 };
        let moved = (0..30).find_map(|_| {
            let there: Vec<f64> = at.iter().zip(&direction).map(|(a, d)| a + step * d).collect();
            let (value_there, gradient_there) = loss(&there);
            if value_there <= value + 1e-4 * step * slope {
                return Some((there, value_there, gradient_there));
            }
            step *= 0.5;
            None
        });
        let Some((there, value_there, gradient_there)) = moved else {
            break;
        };
        let went: Vec<f64> = there.iter().zip(&at).map(|(a, b)| a - b).collect();
        let turned: Vec<f64> = gradient_there.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = inner(&went, &turned);
        if curvature > 1e-12 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((went, turned, curvature));
        }
        let gain = value - value_there;
        (at, value, gradient) = (there, value_there, gradient_there);
        if gain < ENOUGH * choices as f64 {
            break;
        }
    }
    at
}

/// The two-loop recursion: minus the estimated inverse curvature times the gradient.
fn descend(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut factors = Vec::with_capacity(memory.len());
    for (went, turned, curvature) in memory.iter().rev() {
        let factor = inner(went, &direction) / curvature;
        add(&mut direction, -factor, turned);
        factors.push(factor);
    }
    if let Some((_, turned, curvature)) = memory.last() {
        let scale = curvature / inner(turned, turned);
        for d in &mut direction {
            *d *= scale;
        }
    }
    for ((went, turned, curvature), factor) in memory.iter().zip(factors.iter().rev()) {
        let other = inner(turned, &direction) / curvature;
        add(&mut direction, factor - other, went);
    }
    direction
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    for (slot, value) in to.iter_mut().zip(what) {
        *slot += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_the_chosen_from_the_rest_gets_the_weight() {
        // The first feature is one for what was chosen, the second says nothing.
        let choice = |n: u16| {
            let noise = f32::from(n % 7);
            let mut situation = [0.0; SITUATIONS];
            situation[0] = 1.0;
            Choice { situation, rows: vec![1.0, noise, 0.0, 3.0, 0.0, 6.0 - noise], stands_for: vec![1.0, 1.0, 5.0] }
        };
        let choices: Vec<Choice> = (0..200).map(choice).collect();
        let plan = Plan { negatives: 1, rounds: 1, ridge: 1.0 };
        let weights = fit(&choices, 2, plan, &[0.0; 2 * SITUATIONS]);
        assert!(weights[0] > 2.0 && weights[1].abs() < 0.5, "{:?}", &weights[..2]);
        assert!(weights[2..].iter().all(|&weight| weight.abs() < 1e-9));
    }

    #[test]
    fn side_by_side_sums_are_the_sum() {
        let numbers: Vec<f32> = (0_u8..19).map(f32::from).collect();
        let plain: f32 = numbers.iter().map(|n| n * n).sum();
        assert!((quick_dot(&numbers, &numbers) - plain).abs() < 1e-2);
    }
}
