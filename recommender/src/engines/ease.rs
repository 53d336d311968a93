//! EASE: a linear autoencoder of the set of courses taken, in closed form.
//!
//! Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019).

use faer::Mat;
use serde::{Deserialize, Serialize};

use super::closed_form::{Members, solve};
use super::sparse::{Occurrences, Sparse, givers};
use crate::engine::{Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
use crate::strength::{STRENGTH, Strengths};
use crate::{FitError, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "ease",
    parameters: &[
        Parameter {
            name: "ridge",
            default: 100.0,
            min: 0.1,
            max: 1e7,
            search: &[30.0, 100.0, 300.0],
            meaning: "L2 penalty of the weights",
        },
        Parameter {
            name: "courses",
            default: 2500.0,
            min: 1.0,
            max: 20_000.0,
            search: &[],
            meaning: "most courses that take part, by how often they are taken",
        },
        STRENGTH,
    ],
    build: |values| {
        Box::new(Ease {
            ridge: values.get("ridge") as f32,
            courses: values.get("courses") as usize,
            strength: values.get("strength") as f32,
        })
    },
    load: super::load::<Fitted>,
};

/// Only the latest courses of a longer history are learned from, and speak.
const LONGEST: usize = 200;
/// Weights kept for each course.
const KEEP: usize = 200;

struct Ease {
    ridge: f32,
    courses: usize,
    strength: f32,
}

impl Engine for Ease {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let places = Occurrences::new(data.content.len(), &data.histories);
        let members = Members::new(&places, data.content.len(), self.courses);
        let mut gram = Mat::<f32>::zeros(members.len(), members.len());
        let strengths = Strengths::new(self.strength, data);
        let mut rows = Vec::new();
        for history in &data.histories {
            rows.clear();
            let latest = history.iter().rev().take(LONGEST);
            rows.extend(latest.filter_map(|row| Some((members.row(row.course)?, strengths.of(row)))));
            for &(a, x) in &rows {
                for &(b, y) in &rows {
                    gram[(b, a)] += x * y;
                }
            }
        }
        let weights = solve("ease", &members, gram, None, self.ridge, KEEP)?;
        Ok(Box::new(Fitted { weights }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    weights: Sparse,
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for row in ask.history.iter().rev().take(LONGEST) {
            self.weights.add_row(row.course, 1.0, out);
        }
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let gifts = ask.history.iter().rev().take(LONGEST);
        Evidence {
            courses: givers(gifts.map(|row| (row.course, self.weights.get(row.course, course)))),
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
