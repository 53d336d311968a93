//! Topics: courses on what the learner spends her time on.
//!
//! A content-based profile (Pazzani and Billsus, "Content-based recommendation systems", 2007):
//! a topic weighs `Σ ln(1 + minutes) · decay^k` over the learner's courses with it, k counting from
//! the latest; rare topics tell more, `ln(courses / courses with it)` (Spärck Jones 1972). A course
//! scores the sum over its topics, divided by the root of their number, times `ln(2 + learners)`, so
//! that of two courses on one topic the better known comes first. It knows courses that nobody took.

use serde::{Deserialize, Serialize};

use crate::engine::{Arrival, Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
use crate::stats::seconds_spent;
use crate::{FitError, Interaction, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "topics",
    parameters: &[Parameter {
        name: "decay",
        default: 0.9,
        min: 0.0,
        max: 1.0,
        search: &[0.7, 0.9, 0.97],
        meaning: "weight of the k-th course from the end of the history is decay^k",
    }],
    build: |values| Box::new(Topics { decay: values.get("decay") as f32 }),
    load: super::load::<Fitted>,
};

/// The learner's strongest topics that propose courses.
const SPEAKERS: usize = 8;
/// Only the latest courses of a longer history make the profile.
const LONGEST: usize = 200;

struct Topics {
    decay: f32,
}

impl Engine for Topics {
    fn has_ground(&self, data: &TrainingData<'_>) -> bool {
        data.content.topic_count() > 0
    }

    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let mut known = vec![0.0_f32; data.content.len()];
        for row in data.histories.iter().copied().flatten() {
            known[row.course as usize] += 1.0;
        }
        for count in &mut known {
            *count = (2.0 + *count).ln();
        }
        Ok(Box::new(Fitted { decay: self.decay, known }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    decay: f32,
    /// `ln(2 + learners)` of each course.
    known: Vec<f32>,
}

impl Fitted {
    /// The learner's topics by weight, strongest first.
    fn profile(&self, ask: &Ask<'_>) -> Vec<(u32, f32)> {
        let mut weights = vec![0.0; ask.content.topic_count()];
        if weights.is_empty() {
            return Vec::new();
        }
        let mut fade = 1.0;
        for row in ask.history.iter().rev().take(LONGEST) {
            for &topic in ask.content.topics(row.course) {
                weights[topic as usize] += fade * interest(row, ask);
            }
            fade *= self.decay;
        }
        let courses = ask.content.len() as f32;
        let rarity = |topic: u32| (courses / (1.0 + ask.content.of_topic(topic).len() as f32)).ln().max(0.0);
        let mut profile: Vec<(u32, f32)> =
            (0_u32..).zip(weights).filter(|t| t.1 > 0.0).map(|(t, w)| (t, w * rarity(t))).collect();
        profile.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        profile.truncate(SPEAKERS);
        profile
    }

    fn factor(&self, ask: &Ask<'_>, course: u32) -> f32 {
        let known = self.known.get(course as usize).copied().unwrap_or(2.0_f32.ln());
        known / (ask.content.topics(course).len().max(1) as f32).sqrt()
    }
}

/// How much a visit says of a topic; one of unknown length counts as a minute.
fn interest(row: &Interaction, ask: &Ask<'_>) -> f32 {
    (1.0 + seconds_spent(row, ask.content).unwrap_or(60.0) / 60.0).ln()
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for (topic, weight) in self.profile(ask) {
            for &course in ask.content.of_topic(topic) {
                out.add(course, weight * self.factor(ask, course));
            }
        }
    }

    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        let index = arrival.row.course as usize;
        if self.known.len() <= index {
            self.known.resize(index + 1, 2.0_f32.ln());
        }
        // `ln(2 + n)` becomes `ln(2 + n + 1)`.
        self.known[index] = (self.known[index].exp() + 1.0).ln();
        true
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let topics = ask.content.topics(course);
        let shared = self.profile(ask).into_iter().map(|t| t.0).filter(|t| topics.contains(t));
        Evidence { topics: shared.collect(), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::TimeOnTopic
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
