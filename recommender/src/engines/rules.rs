//! Sequential rules: what people take soon after what the learner just took.
//!
//! Ludewig and Jannach, "Evaluation of session-based recommendation algorithms" (UMUAI 2018), SR:
//! a rule a → c gains `1 / distance` for every history in which c comes `distance` steps after a,
//! up to a window. Ours also learns from the reverse direction with a small weight, divides by
//! `(times a was taken)^norm`, and lets every course of the learner's history speak, the k-th from
//! the end with weight `decay^k`.

use serde::{Deserialize, Serialize};

use super::sparse::{Occurrences, Sparse, givers};
use crate::engine::{Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData, Values};
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
            default: 0.5,
            min: 0.0,
            max: 1.0,
            search: &[0.3, 0.7],
            meaning: "weight of the k-th course from the end of the history is decay^k",
        },
        Parameter {
            name: "power",
            default: 1.0,
            min: 0.0,
            max: 4.0,
            search: &[0.7, 1.5, 2.0],
            meaning: "a step at a distance counts 1 / distance^power",
        },
        Parameter {
            name: "backward",
            default: 0.1,
            min: 0.0,
            max: 1.0,
            search: &[0.0, 0.3],
            meaning: "weight of the reverse direction",
        },
        Parameter {
            name: "norm",
            default: 0.5,
            min: 0.0,
            max: 1.0,
            search: &[0.25, 0.75],
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
        }
    }
}

impl Engine for Rules {
    fn has_ground(&self, data: &TrainingData<'_>) -> bool {
        data.clock || self.pause == 0
    }

    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let places = Occurrences::new(data.content.len(), &data.histories);
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
                    row.add(next.course, weight * norm);
                }
                if self.backward > 0.0 {
                    let past = before.iter().rev().filter(|past| apart(past.at));
                    for (past, weight) in past.zip(&weights) {
                        row.add(past.course, self.backward * weight * norm);
                    }
                }
            }
        });
        let taken = (0..data.content.len() as u32).map(|c| places.count(c) as u32);
        Ok(Box::new(Fitted { decay: self.decay, taken: taken.collect(), rules }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    decay: f32,
    taken: Vec<u32>,
    rules: Sparse,
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
