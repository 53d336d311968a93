//! First-order Markov chain: what came directly after the learner's latest course.
//!
//! Transition counts with Kneser-Ney style discounting left out: `P(c | last) = n(last → c) / n(last)`;
//! see Rendle, Freudenthaler and Schmidt-Thieme, "Factorizing personalized Markov chains" (WWW 2010)
//! for the unfactorised chain used here. Steps within one sitting and steps to the next sitting are
//! counted alike; the ranker tells them apart by the time since the last visit.

use serde::{Deserialize, Serialize};

use super::sparse::{Occurrences, Sparse};
use crate::engine::{Arrival, Ask, Engine, Evidence, Registration, Scorer, Scores, TrainingData};
use crate::strength::{STRENGTH, Strengths};
use crate::{FitError, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "markov",
    parameters: &[STRENGTH],
    build: |values| Box::new(Markov { strength: values.get("strength") as f32 }),
    load: super::load::<Fitted>,
};

/// Steps kept from each course.
const KEEP: usize = 300;

struct Markov {
    strength: f32,
}

impl Engine for Markov {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let places = Occurrences::new(data.content.len(), &data.histories);
        let strengths = Strengths::new(self.strength, data);
        let steps = Sparse::build(data.content.len(), KEEP, |course, row| {
            for &(learner, position) in places.of(course) {
                if let Some(next) = data.histories[learner as usize].get(position as usize + 1) {
                    row.add(next.course, strengths.of(next));
                }
            }
        });
        Ok(Box::new(Fitted { steps }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    steps: Sparse,
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        if let Some(last) = ask.history.last() {
            self.steps.add_row(last.course, 1.0, out);
        }
    }

    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        if let Some(last) = arrival.history.last() {
            self.steps.add(last.course, arrival.row.course, 1.0, KEEP);
        }
        !arrival.history.is_empty()
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let Some(last) = ask.history.last() else {
            return Evidence::default();
        };
        Evidence {
            courses: vec![last.course],
            learners: Some(self.steps.get(last.course, course) as u32),
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
