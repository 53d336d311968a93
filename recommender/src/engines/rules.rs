//! Sequential rules: what people take soon after what the learner just took.
//!
//! Ludewig and Jannach, "Evaluation of session-based recommendation algorithms" (UMUAI 2018), SR:
//! a rule a → c gains `1 / distance` for every history in which c comes `distance` steps after a,
//! up to a window. Ours also learns from the reverse direction with a small weight, divides by
//! `(times a was taken)^norm`, and lets every course of the learner's history speak, the k-th from
//! the end with weight `decay^k`.

use serde::{Deserialize, Serialize};

use super::sparse::{Occurrences, Sparse, givers};
use crate::engine::{Arrival, Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData, Values};
use crate::strength::{STRENGTH, Strengths};
use crate::{FitError, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "rules",
    parameters: &[
        Parameter {
            name: "window",
            default: 10.0,
            min: 1.0,
            max: 1000.0,
            search: &[2.0, 5.0, 10.0, 20.0, 40.0],
            meaning: "largest distance of a rule, in courses",
        },
        Parameter {
            name: "decay",
            default: 0.8,
            min: 0.0,
            max: 1.0,
            search: &[0.5, 0.7, 0.8, 0.9],
            meaning: "weight of the k-th course from the end of the history is decay^k",
        },
        Parameter {
            name: "power",
            default: 1.0,
            min: 0.0,
            max: 4.0,
            search: &[0.5, 1.0, 1.5, 2.0],
            meaning: "a step at a distance counts 1 / distance^power",
        },
        Parameter {
            name: "backward",
            default: 0.1,
            min: 0.0,
            max: 1.0,
            search: &[0.0, 0.1, 0.3],
            meaning: "weight of the reverse direction",
        },
        Parameter {
            name: "norm",
            default: 0.5,
            min: 0.0,
            max: 1.0,
            search: &[0.0, 0.25, 0.5, 0.75],
            meaning: "a rule is divided by (times its first course was taken)^norm",
        },
        Parameter {
            name: "pause_hours",
            default: 0.0,
            min: 0.0,
            max: 87_600.0,
            search: &[],
            meaning: "learn only from courses that many hours apart: with what learners come back",
        },
        STRENGTH,
    ],
    build: |values| Box::new(Rules::new(values)),
    load: super::load::<Fitted>,
};

/// Rules kept for each course.
const KEEP: usize = 300;
/// Courses from the end of the history that speak.
const SPEAKERS: usize = 60;

struct Rules {
    window: usize,
    decay: f32,
    power: f32,
    backward: f32,
    norm: f32,
    /// Seconds.
    pause: i64,
    strength: f32,
}

impl Rules {
    fn new(values: &Values) -> Self {
        Self {
            window: values.get("window") as usize,
            decay: values.get("decay") as f32,
            power: values.get("power") as f32,
            backward: values.get("backward") as f32,
            norm: values.get("norm") as f32,
            pause: (values.get("pause_hours") * 3600.0) as i64,
            strength: values.get("strength") as f32,
        }
    }
}

impl Engine for Rules {
    fn has_ground(&self, data: &TrainingData<'_>) -> bool {
        data.clock || self.pause == 0
    }

    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let places = Occurrences::new(data.content.len(), &data.histories);
        let strengths = Strengths::new(self.strength, data);
        let weights: Vec<f32> = (1..=self.window).map(|distance| (distance as f32).powf(-self.power)).collect();
        let rules = Sparse::build(data.content.len(), KEEP, |course, row| {
            let norm = (places.count(course).max(1) as f32).powf(-self.norm);
            for &(learner, position) in places.of(course) {
                let history = data.histories[learner as usize];
                let (before, after) = history.split_at(position as usize);
                let at = after[0].at;
                let apart = |other: i64| !data.clock || (other - at).abs() >= self.pause;
                let next = after[1..].iter().filter(|next| apart(next.at));
                for (next, weight) in next.zip(&weights) {
                    row.add(next.course, strengths.of(next) * weight * norm);
                }
                if self.backward > 0.0 {
                    let past = before.iter().rev().filter(|past| apart(past.at));
                    for (past, weight) in past.zip(&weights) {
                        row.add(past.course, strengths.of(past) * self.backward * weight * norm);
                    }
                }
            }
        });
        let taken = (0..data.content.len() as u32).map(|c| places.count(c) as u32);
        Ok(Box::new(Fitted {
            decay: self.decay,
            taken: taken.collect(),
            rules,
            weights,
            backward: self.backward,
            norm: self.norm,
            pause: if data.clock { self.pause } else { 0 },
        }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    decay: f32,
    taken: Vec<u32>,
    rules: Sparse,
    /// What a step counts by its distance, from 1 on; with the next three, what absorbing needs.
    weights: Vec<f32>,
    backward: f32,
    norm: f32,
    /// Seconds; 0 without a clock.
    pause: i64,
}

impl Fitted {
    /// Courses that speak, latest first, with their weights.
    fn speakers(&self, ask: &Ask<'_>) -> impl Iterator<Item = (u32, f32)> {
        let weights = std::iter::successors(Some(1.0_f32), |w| Some(w * self.decay));
        ask.history.iter().rev().take(SPEAKERS).map(|row| row.course).zip(weights.take_while(|&w| w > 1e-4))
    }
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for (course, weight) in self.speakers(ask) {
            self.rules.add_row(course, weight, out);
        }
    }

    /// As a fit counts it, but for rules that the fit had cut off: they begin at nothing.
    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        let Arrival { history, row, .. } = *arrival;
        let course = row.course as usize;
        if self.taken.len() <= course {
            self.taken.resize(course + 1, 0);
        }
        let before = self.taken[course].max(1) as f32;
        self.taken[course] += 1;
        let after = self.taken[course] as f32;
        if self.norm > 0.0 && after > before {
            self.rules.scale(row.course, (after / before).powf(-self.norm));
        }
        // Rows are in order of time, so those a pause apart are the ones up to here.
        let apart =
            if self.pause > 0 { history.partition_point(|past| row.at - past.at >= self.pause) } else { history.len() };
        let norm = after.powf(-self.norm);
        for (at, past) in history[..apart].iter().enumerate().rev() {
            // Forward, the distance counts what is a pause apart from `past`; backward, from `row`.
            let skipped = if self.pause > 0 {
                history[at + 1..].partition_point(|other| other.at - past.at < self.pause)
            } else {
                0
            };
            let forward = self.weights.get(history.len() - at - 1 - skipped).copied().unwrap_or(0.0);
            let reverse = self.weights.get(apart - at - 1).copied().unwrap_or(0.0);
            if forward == 0.0 && reverse == 0.0 {
                break;
            }
            let taken = self.taken.get(past.course as usize).copied().unwrap_or(0).max(1) as f32;
            self.rules.add(past.course, row.course, forward * taken.powf(-self.norm), KEEP);
            self.rules.add(row.course, past.course, self.backward * reverse * norm, KEEP);
        }
        true
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let gifts = self.speakers(ask).map(|(from, weight)| (from, weight * self.rules.get(from, course)));
        let courses = givers(gifts);
        Evidence {
            learners: courses.first().and_then(|&from| self.taken.get(from as usize).copied()),
            courses,
            ..Evidence::default()
        }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::TakenNext
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
