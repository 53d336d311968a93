//! Steps that people took lately: like sequential rules, but each step fades with its age.
//!
//! A class, a company or a campaign sends many learners down the same path in the same weeks; the
//! steps of that time say more than those of three years ago. Score of c after a:
//! `Σ over steps a → c before now of 2^(-age / half-life) / distance`, see Garg et al., "Sequence and
//! time aware neighborhood for session-based recommendations: STAN" (SIGIR 2019) for the fading of
//! old sessions. Without a clock nothing fades.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::sparse::{Occurrences, givers};
use crate::engine::{Arrival, Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
use crate::{FitError, ReasonKind};

const DAY: f64 = 86_400.0;

pub(crate) const REGISTRATION: Registration = Registration {
    name: "trend",
    parameters: &[
        Parameter {
            name: "half_life_days",
            default: 90.0,
            min: 0.01,
            max: 36_500.0,
            search: &[14.0, 30.0, 365.0],
            meaning: "days after which a step counts half",
        },
        Parameter {
            name: "window",
            default: 3.0,
            min: 1.0,
            max: 50.0,
            search: &[1.0, 6.0],
            meaning: "largest distance of a step, in courses",
        },
        Parameter {
            name: "decay",
            default: 0.3,
            min: 0.0,
            max: 1.0,
            search: &[0.6],
            meaning: "weight of the k-th course from the end of the history is decay^k",
        },
    ],
    build: |values| {
        Box::new(Trend {
            half_life: values.get("half_life_days") * DAY,
            window: values.get("window") as usize,
            decay: values.get("decay") as f32,
        })
    },
    load: super::load::<Fitted>,
};

/// Latest steps kept for each course.
const KEEP: usize = 400;
/// Courses from the end of the history that speak.
const SPEAKERS: usize = 5;

struct Trend {
    /// Seconds.
    half_life: f64,
    window: usize,
    decay: f32,
}

impl Engine for Trend {
    fn has_ground(&self, data: &TrainingData<'_>) -> bool {
        data.clock
    }

    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let places = Occurrences::new(data.content.len(), &data.histories);
        let mut fitted = Fitted {
            half_life: self.half_life,
            clock: data.clock,
            last: data.now,
            window: self.window,
            decay: self.decay,
            offsets: vec![0],
            steps: Vec::new(),
            absorbed: HashMap::new(),
        };
        let mut steps: Vec<Step> = Vec::new();
        for course in 0..data.content.len() as u32 {
            steps.clear();
            for &(learner, position) in places.of(course) {
                let after = &data.histories[learner as usize][position as usize + 1..];
                let step = |(next, distance): (&crate::Interaction, u16)| Step {
                    at: super::next_hour(next.at),
                    course: next.course,
                    weight: 1.0 / f32::from(distance),
                };
                steps.extend(after.iter().zip(1_u16..).take(self.window).map(step));
            }
            steps.sort_by_key(|step| (step.at, step.course));
            fitted.steps.extend_from_slice(&steps[steps.len().saturating_sub(KEEP)..]);
            fitted.offsets.push(fitted.steps.len() as u32);
        }
        Ok(Box::new(fitted))
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Step {
    at: i64,
    course: u32,
    weight: f32,
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    half_life: f64,
    clock: bool,
    /// Time of the latest interaction it saw: from then on all steps fade alike.
    last: i64,
    window: usize,
    decay: f32,
    offsets: Vec<u32>,
    /// For each course the steps from it, oldest first.
    steps: Vec<Step>,
    /// Those after the training, at their true times since they are not saved.
    #[serde(skip)]
    absorbed: HashMap<u32, Vec<Step>>,
}

impl Fitted {
    /// Every step known at `now` from the latest courses: (from, to, weight).
    fn each(&self, ask: &Ask<'_>, mut visit: impl FnMut(u32, u32, f32)) {
        let mut weight = 1.0;
        for row in ask.history.iter().rev().take(SPEAKERS) {
            let from = row.course as usize;
            let span = (self.offsets.get(from), self.offsets.get(from + 1));
            let steps = match span {
                (Some(&start), Some(&end)) => self.steps.get(start as usize..end as usize),
                _ => None,
            };
            let later = if self.absorbed.is_empty() { None } else { self.absorbed.get(&row.course) };
            for step in steps.unwrap_or_default().iter().chain(later.into_iter().flatten()) {
                if !self.clock {
                    visit(row.course, step.course, weight * step.weight);
                } else if step.at < ask.now {
                    let age = ((ask.now.min(self.last) - step.at).max(0)) as f64 / self.half_life;
                    // Old steps stay a trace apart from none at all.
                    let fade = ((-age).exp2() as f32).max(1e-4);
                    visit(row.course, step.course, weight * step.weight * fade);
                }
            }
            weight *= self.decay;
        }
    }
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        self.each(ask, |_, to, weight| out.add(to, weight));
    }

    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        let row = arrival.row;
        // An answer of the same second shows it already.
        let at = row.at - 1;
        for (past, distance) in arrival.history.iter().rev().zip(1_u16..).take(self.window) {
            let steps = self.absorbed.entry(past.course).or_default();
            if steps.len() >= KEEP {
                steps.remove(0);
            }
            steps.push(Step { at, course: row.course, weight: 1.0 / f32::from(distance) });
        }
        self.last = self.last.max(at);
        !arrival.history.is_empty()
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let mut gifts: Vec<(u32, f32)> = Vec::new();
        self.each(ask, |from, to, weight| {
            if to == course {
                match gifts.last_mut() {
                    Some(gift) if gift.0 == from => gift.1 += weight,
                    _ => gifts.push((from, weight)),
                }
            }
        });
        Evidence { courses: givers(gifts.into_iter()), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::TakenNext
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
