//! Item neighbours: courses taken by the same learners.
//!
//! Sarwar et al., "Item-based collaborative filtering" (WWW 2001), with the cosine of binary
//! histories and a shrunk denominator: `sim(a, c) = n(a and c) / (sqrt(n(a) n(c)) + shrink)`; a
//! course scores the sum over the learner's history of its `neighbours` nearest.

use serde::{Deserialize, Serialize};

use super::sparse::{Occurrences, Sparse, givers};
use crate::engine::{Arrival, Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
use crate::strength::{STRENGTH, Strengths};
use crate::{FitError, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "neighbours",
    parameters: &[
        Parameter {
            name: "neighbours",
            default: 50.0,
            min: 1.0,
            max: 1000.0,
            search: &[20.0, 50.0, 100.0, 200.0],
            meaning: "nearest courses kept for each course",
        },
        Parameter {
            name: "shrink",
            default: 10.0,
            min: 0.0,
            max: 100_000.0,
            search: &[0.0, 3.0, 10.0, 30.0],
            meaning: "added to the denominator: doubts pairs seen together rarely",
        },
        STRENGTH,
    ],
    build: |values| {
        Box::new(Neighbours {
            keep: values.get("neighbours") as usize,
            shrink: values.get("shrink") as f32,
            strength: values.get("strength") as f32,
        })
    },
    load: super::load::<Fitted>,
};

/// A history longer than this speaks by its latest courses only.
const LONGEST: usize = 400;
/// Courses of the history with which an absorbed one is counted together.
const PARTNERS: usize = 60;

struct Neighbours {
    keep: usize,
    shrink: f32,
    strength: f32,
}

impl Engine for Neighbours {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let places = Occurrences::new(data.content.len(), &data.histories);
        let strengths = Strengths::new(self.strength, data);
        // The squared length of each course's column; how many took it, where all rows count alike.
        let mut lengths = vec![0.0_f32; data.content.len()];
        for row in data.histories.iter().copied().flatten() {
            lengths[row.course as usize] += strengths.of(row).powi(2);
        }
        let mut together = Scores::new(data.content.len());
        let similar = Sparse::build(data.content.len(), self.keep, |course, row| {
            together.clear();
            for &(learner, position) in places.of(course) {
                let history = data.histories[learner as usize];
                let own = strengths.of(&history[position as usize]);
                for other in history.iter().rev().take(LONGEST) {
                    together.add(other.course, own * strengths.of(other));
                }
            }
            let own = lengths[course as usize];
            for &other in together.touched() {
                if other != course {
                    let root = (own * lengths[other as usize]).sqrt();
                    row.add(other, together.get(other) / (root + self.shrink));
                }
            }
        });
        let taken = (0..data.content.len() as u32).map(|c| places.count(c) as u32);
        Ok(Box::new(Fitted { shrink: self.shrink, keep: self.keep, taken: taken.collect(), similar }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    shrink: f32,
    keep: usize,
    taken: Vec<u32>,
    similar: Sparse,
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for row in ask.history.iter().rev().take(LONGEST) {
            self.similar.add_row(row.course, 1.0, out);
        }
    }

    /// Approximate: similarities of the new row's course with courses of this history are as a fit has
    /// them; those with other courses lag in their denominator, by one learner of all who took it, and
    /// pairs that the fit cut off begin at nothing.
    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        let course = arrival.row.course;
        if self.taken.len() <= course as usize {
            self.taken.resize(course as usize + 1, 0);
        }
        let before = self.taken[course as usize] as f32;
        self.taken[course as usize] += 1;
        for past in arrival.history.iter().rev().take(PARTNERS) {
            let other = self.taken.get(past.course as usize).copied().unwrap_or(0).max(1) as f32;
            let root = |own: f32| (own * other).sqrt() + self.shrink;
            let next = |old: f32| (old * root(before) + 1.0) / root(before + 1.0);
            for (from, to) in [(course, past.course), (past.course, course)] {
                let old = self.similar.get(from, to);
                self.similar.add(from, to, next(old) - old, self.keep);
            }
        }
        !arrival.history.is_empty()
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let gifts = ask.history.iter().rev().take(LONGEST);
        let courses = givers(gifts.map(|row| (row.course, self.similar.get(row.course, course))));
        Evidence {
            learners: courses.first().and_then(|&from| self.taken.get(from as usize).copied()),
            courses,
            ..Evidence::default()
        }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::SimilarTo
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
