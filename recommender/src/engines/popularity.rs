//! Plain popularity: how many learners took the course. A baseline, and a feature.

use serde::{Deserialize, Serialize};

use crate::engine::{Ask, Engine, Evidence, Registration, Scorer, Scores, TrainingData};
use crate::{FitError, ReasonKind};

pub(crate) const REGISTRATION: Registration =
    Registration { name: "popularity", parameters: &[], build: |_| Box::new(Popularity), load: super::load::<Fitted> };

struct Popularity;

impl Engine for Popularity {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let mut counts = vec![0_u32; data.content.len()];
        for row in data.histories.iter().copied().flatten() {
            counts[row.course as usize] += 1;
        }
        Ok(Box::new(Fitted { counts }))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    counts: Vec<u32>,
}

impl Scorer for Fitted {
    fn score(&self, _: &Ask<'_>, out: &mut Scores) {
        for (course, &count) in (0_u32..).zip(&self.counts) {
            if count > 0 {
                out.add(course, count as f32);
            }
        }
    }

    fn explain(&self, _: &Ask<'_>, course: u32) -> Evidence {
        Evidence { learners: self.counts.get(course as usize).copied(), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::Popular
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
