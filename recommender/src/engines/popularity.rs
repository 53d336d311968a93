//! Plain popularity: how many learners took the course. A baseline, and a feature.

use serde::{Deserialize, Serialize};

use crate::engine::{Arrival, Ask, Engine, Evidence, Ordered, Registration, Scorer, Scores, Standing, TrainingData};
use crate::{FitError, ReasonKind};

pub(crate) const REGISTRATION: Registration =
    Registration { name: "popularity", parameters: &[], build: |_| Box::new(Popularity), load: super::load::<Fitted> };

struct Popularity;

impl Engine for Popularity {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let mut counts = vec![0.0_f32; data.content.len()];
        for row in data.histories.iter().copied().flatten() {
            counts[row.course as usize] += 1.0;
        }
        Ok(Box::new(Fitted { counts: Ordered::new(counts) }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    counts: Ordered,
}

impl Scorer for Fitted {
    fn score(&self, _: &Ask<'_>, out: &mut Scores) {
        let Standing { order, values } = self.counts.standing();
        for &course in order {
            out.add(course, values.get(course as usize).copied().unwrap_or(0.0));
        }
    }

    fn standing(&self, _: &Ask<'_>) -> Option<Standing<'_>> {
        Some(self.counts.standing())
    }

    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        self.counts.add(arrival.row.course, 1.0);
        true
    }

    fn explain(&self, _: &Ask<'_>, course: u32) -> Evidence {
        Evidence { learners: Some(self.counts.get(course) as u32), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::Popular
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
