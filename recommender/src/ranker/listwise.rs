//! The conditional logit: which of the candidates was chosen?
//!
//! `McFadden`, "Conditional logit analysis of qualitative choice behavior" (1974): the probability
//! of a candidate is `exp s_n / Σ exp s_m`; the weights minimise the choices' negative log
//! likelihood plus a ridge. Solved by L-BFGS (Liu and Nocedal 1989). The crosses with the situation
//! are never written out: a choice's weights are collapsed first, so an evaluation costs no more
//! than one with the plain features.

use crate::features::SITUATIONS;
use crate::ranker::{Choice, Plan, collapse, dot, scales};

/// Steps kept to estimate the curvature.
const MEMORY: usize = 12;
const MOST_STEPS: usize = 150;
/// Gain of the loss per choice below which to stop.
const ENOUGH: f64 = 2e-6;

/// Weights (situation × feature, for features as they are) from held-out choices. The ridge draws
/// them to `prior`, so that little data moves them little.
pub(crate) fn fit(choices: &[Choice], width: usize, plan: Plan, prior: &[f64]) -> Vec<f64> {
    let scales = scales(choices, width);
    let loss = |steps: &[f64]| loss(choices, width, &scales, prior, steps, plan.ridge);
    let fitted = minimise(vec![0.0; SITUATIONS * width], choices.len(), loss);
    moved(prior, &fitted, &scales)
}

/// The prior's weights, moved by so many steps steps.
fn moved(prior: &[f64], steps: &[f64], scales: &[f64]) -> Vec<f64> {
    let moves = steps.iter().zip(scales).map(|(step, scale)| step / scale);
    prior.iter().zip(moves).map(|(weight, by)| weight + by).collect()
}

/// Loss and gradient in the steps moves from the prior.
fn loss(choices: &[Choice], width: usize, scales: &[f64], prior: &[f64], steps: &[f64], ridge: f64) -> (f64, Vec<f64>) {
    let weights = moved(prior, steps, scales);
    let mut gradient = vec![0.0; weights.len()];
    let mut sum = 0.0;
    let (mut odds, mut local) = (Vec::new(), vec![0.0; width]);
    for choice in choices {
        let collapsed = collapse(&weights, &choice.situation, width);
        odds.clear();
        odds.extend(choice.rows.chunks(width).map(|row| dot(&collapsed, row)));
        let chosen = odds[0];
        let best = odds.iter().copied().fold(f64::MIN, f64::max);
        let mut all = 0.0;
        for (odd, &count) in odds.iter_mut().zip(&choice.stands_for) {
            *odd = f64::from(count) * (*odd - best).exp();
            all += *odd;
        }
        sum += all.ln() + best - chosen;
        local.fill(0.0);
        odds[0] -= all;
        for (row, odd) in choice.rows.chunks(width).zip(&odds) {
            let part = odd / all;
            for (slot, &feature) in local.iter_mut().zip(row) {
                *slot += part * f64::from(feature);
            }
        }
        for (part, &factor) in gradient.chunks_mut(width).zip(&choice.situation) {
            for (slot, value) in part.iter_mut().zip(&local) {
                *slot += factor * value;
            }
        }
    }
    for ((slot, scale), weight) in gradient.iter_mut().zip(scales).zip(steps) {
        *slot = *slot / scale + ridge * weight;
    }
    let penalty: f64 = steps.iter().map(|w| w * w).sum();
    (sum + 0.5 * ridge * penalty, gradient)
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
