//! Second-order Markov chain: what came after the learner's latest *two* courses.
//!
//! `n(a, b → c) / distance`, for b the latest course and a the one or two before it; where nobody
//! took both, it says nothing and leaves the answer to the first-order engines. It sees what a sum
//! over single courses can't: which way someone is going through a series. Contexts of two items as
//! in Shani, Heckerman and Brafman, "An MDP-based recommender system" (JMLR 2005).

use serde::{Deserialize, Serialize};

use super::sparse::Sparse;
use crate::engine::{Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
use crate::{FitError, Interaction, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "pairs",
    parameters: &[Parameter {
        name: "window",
        default: 3.0,
        min: 1.0,
        max: 20.0,
        search: &[],
        meaning: "how far after the pair a course may come",
    }],
    build: |values| Box::new(Pairs { window: values.get("window") as usize }),
    load: super::load::<Fitted>,
};

/// Courses kept for each pair.
const KEEP: usize = 40;
/// Pairs seen less often than this say nothing.
const FEWEST: usize = 2;

/// A pair, the learner who took it, and the position after it.
type Place = ((u32, u32), u32, u32);

struct Pairs {
    window: usize,
}

impl Engine for Pairs {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        // Sorted, so that a pair's places stand together.
        let mut places: Vec<Place> = Vec::new();
        for (learner, history) in (0_u32..).zip(&data.histories) {
            for last in 1..history.len().saturating_sub(1) {
                for pair in contexts(&history[..=last]) {
                    places.push((pair, learner, last as u32 + 1));
                }
            }
        }
        places.sort_unstable();
        let groups: Vec<&[Place]> = places.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() >= FEWEST).collect();
        let pairs = groups.iter().map(|group| group[0].0).collect();
        let next = Sparse::rows(data.content.len(), groups.len(), KEEP, |at, row| {
            for &(_, learner, position) in groups[at as usize] {
                let after = &data.histories[learner as usize][position as usize..];
                for (next, distance) in after.iter().zip(1_u16..).take(self.window) {
                    row.add(next.course, 1.0 / f32::from(distance));
                }
            }
        });
        Ok(Box::new(Fitted { pairs, next }))
    }
}

/// The pairs that a history ends with: the last two, and the last with the one before those.
fn contexts(history: &[Interaction]) -> impl Iterator<Item = (u32, u32)> {
    let (last, before) = history.split_last().map_or((0, history), |(l, b)| (l.course, b));
    before.iter().rev().take(2).map(move |row| (row.course, last))
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    /// Sorted; the row of `next` is the place here.
    pairs: Vec<(u32, u32)>,
    next: Sparse,
}

impl Fitted {
    fn known(&self, ask: &Ask<'_>) -> impl Iterator<Item = (u32, (u32, u32))> {
        contexts(ask.history).filter_map(|pair| Some((self.pairs.binary_search(&pair).ok()? as u32, pair)))
    }
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for (row, _) in self.known(ask) {
            self.next.add_row(row, 1.0, out);
        }
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let speaks = self.known(ask).find(|(row, _)| self.next.get(*row, course) > 0.0);
        Evidence { courses: speaks.map_or(vec![], |(_, (before, last))| vec![last, before]), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::TakenNext
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
