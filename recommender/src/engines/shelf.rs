//! The order of the catalogue: how far along the shelf learners step.
//!
//! Lessons of one course often have keys that follow each other. The engine counts, over all steps
//! from one course to the next, the distance of their places (courses sorted by key, numbers by
//! value), and scores a course by the share of steps with its distance: `n(d) / n`. Where keys mean
//! nothing the counts are flat and the ranker gives them no weight.

use serde::{Deserialize, Serialize};

use crate::engine::{Arrival, Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
use crate::{FitError, Interaction, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "shelf",
    parameters: &[Parameter {
        name: "reach",
        default: 15.0,
        min: 1.0,
        max: 1000.0,
        search: &[],
        meaning: "largest distance on the shelf, either way",
    }],
    build: |values| Box::new(Shelf { reach: values.get("reach") as u32 }),
    load: super::load::<Fitted>,
};

struct Shelf {
    reach: u32,
}

impl Engine for Shelf {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let reach = i64::from(self.reach);
        let mut counts = vec![0.0_f32; 2 * self.reach as usize + 1];
        let mut steps = 0.0;
        let place = |row: &Interaction| data.content.facts(row.course).map_or(0, |f| f.place);
        for pair in data.histories.iter().flat_map(|h| h.windows(2)) {
            let distance = i64::from(place(&pair[1])) - i64::from(place(&pair[0]));
            steps += 1.0;
            if distance.abs() <= reach {
                counts[(distance + reach) as usize] += 1.0;
            }
        }
        for count in &mut counts {
            *count /= f32::max(steps, 1.0);
        }
        Ok(Box::new(Fitted { reach, steps, shares: counts }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    reach: i64,
    /// Steps counted, far ones too.
    steps: f32,
    /// Share of steps by distance, from `-reach` on.
    shares: Vec<f32>,
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        let last = ask.history.last();
        let Some(facts) = last.and_then(|row| ask.content.facts(row.course)) else {
            return;
        };
        let first = i64::from(facts.place) - self.reach;
        for (place, &share) in (first..).zip(&self.shares) {
            let course = usize::try_from(place).ok().and_then(|p| ask.content.shelf().get(p));
            if let Some(&course) = course {
                out.add(course, share);
            }
        }
    }

    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        let place = |row: &Interaction| arrival.content.facts(row.course).map(|f| i64::from(f.place));
        let (Some(from), Some(to)) = (arrival.history.last().and_then(place), place(arrival.row)) else {
            return false;
        };
        let distance = usize::try_from(to - from + self.reach).ok();
        for (at, share) in self.shares.iter_mut().enumerate() {
            let more = if Some(at) == distance { 1.0 } else { 0.0 };
            *share = (*share * self.steps + more) / (self.steps + 1.0);
        }
        self.steps += 1.0;
        true
    }

    fn explain(&self, ask: &Ask<'_>, _: u32) -> Evidence {
        Evidence { courses: ask.history.last().map(|row| row.course).into_iter().collect(), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::NextInCatalogue
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
