//! SLIST: a linear model from what came before to what comes after, in closed form.
//!
//! Choi, Kim, Lee, Shim and Lee, "Session-aware linear item-item models for session-based
//! recommendation" (WWW 2021). Every place in a history cuts it in a past and a future; courses
//! count `exp(-distance from the cut / span)` on both sides. `share` mixes in the model of what
//! stands together at all (EASE on whole histories, SLIS in the paper).

use faer::Mat;
use serde::{Deserialize, Serialize};

use super::closed_form::{Members, solve};
use super::sparse::{Occurrences, Sparse, givers};
use crate::engine::{Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
use crate::strength::{STRENGTH, Strengths};
use crate::{FitError, Interaction, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "slist",
    parameters: &[
        Parameter {
            name: "span",
            default: 1.0,
            min: 0.1,
            max: 100.0,
            search: &[0.5, 2.0],
            meaning: "distance (courses) over which the past and the future fade by e",
        },
        Parameter {
            name: "memory",
            default: 1.0,
            min: 0.1,
            max: 1000.0,
            search: &[2.0],
            meaning: "the same for the history when asking",
        },
        Parameter {
            name: "ridge",
            default: 30.0,
            min: 0.01,
            max: 1e7,
            search: &[10.0, 100.0],
            meaning: "L2 penalty of the weights",
        },
        Parameter {
            name: "share",
            default: 0.2,
            min: 0.0,
            max: 1.0,
            search: &[],
            meaning: "weight of what stands together against what comes after",
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
        Box::new(Slist {
            span: values.get("span") as f32,
            memory: values.get("memory") as f32,
            ridge: values.get("ridge") as f32,
            share: values.get("share") as f32,
            courses: values.get("courses") as usize,
            strength: values.get("strength") as f32,
        })
    },
    load: super::load::<Fitted>,
};

/// Weights kept for each course.
const KEEP: usize = 200;
/// Courses with less weight than this are left out.
const FAINT: f32 = 0.01;
/// Only the latest courses of a longer history count for what stands together.
const LONGEST: usize = 100;

struct Slist {
    span: f32,
    memory: f32,
    ridge: f32,
    share: f32,
    courses: usize,
    strength: f32,
}

impl Engine for Slist {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let places = Occurrences::new(data.content.len(), &data.histories);
        let members = Members::new(&places, data.content.len(), self.courses);
        let mut gram = Mat::<f32>::zeros(members.len(), members.len());
        let mut cross = Mat::<f32>::zeros(members.len(), members.len());
        let fading: Vec<f32> = fading(self.span).collect();
        let strengths = Strengths::new(self.strength, data);
        let (mut past, mut future) = (Vec::new(), Vec::new());
        for history in &data.histories {
            let rows: Vec<Option<(usize, f32)>> =
                history.iter().map(|row| Some((members.row(row.course)?, strengths.of(row)))).collect();
            for cut in 1..rows.len() {
                collect(&mut past, rows[..cut].iter().rev(), &fading);
                collect(&mut future, rows[cut..].iter(), &fading);
                for &(a, x) in &past {
                    let x = x * (1.0 - self.share);
                    for &(b, y) in &past {
                        gram[(b, a)] += x * y;
                    }
                }
                for &(b, y) in &future {
                    let y = y * (1.0 - self.share);
                    for &(a, x) in &past {
                        cross[(a, b)] += x * y;
                    }
                }
            }
            if self.share > 0.0 {
                for &(a, x) in rows.iter().rev().take(LONGEST).flatten() {
                    for &(b, y) in rows.iter().rev().take(LONGEST).flatten() {
                        gram[(b, a)] += self.share * x * y;
                        cross[(b, a)] += self.share * x * y;
                    }
                }
            }
        }
        let weights = solve("slist", &members, gram, Some(&cross), self.ridge, KEEP)?;
        Ok(Box::new(Fitted { memory: self.memory, weights }))
    }
}

/// 1, then falling by e over `span` steps, as far as it is not faint.
fn fading(span: f32) -> impl Iterator<Item = f32> {
    (0_u16..).map(move |step| (-f32::from(step) / span).exp()).take_while(|&weight| weight > FAINT)
}

fn collect<'a>(side: &mut Vec<(usize, f32)>, rows: impl Iterator<Item = &'a Option<(usize, f32)>>, fading: &[f32]) {
    side.clear();
    let weighted = rows.zip(fading);
    side.extend(weighted.filter_map(|(row, &weight)| row.map(|(row, strength)| (row, weight * strength))));
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    memory: f32,
    weights: Sparse,
}

impl Fitted {
    fn speakers(&self, history: &[Interaction]) -> impl Iterator<Item = (u32, f32)> {
        let latest = history.iter().rev().map(|row| row.course);
        latest.zip(fading(self.memory))
    }
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for (course, weight) in self.speakers(ask.history) {
            self.weights.add_row(course, weight, out);
        }
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let speakers = self.speakers(ask.history);
        let gifts = speakers.map(|(from, weight)| (from, weight * self.weights.get(from, course)));
        Evidence { courses: givers(gifts), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::TakenNext
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
