//! Second-order Markov chain: what came after the learner's latest *two* courses.
//!
//! `n(a, b → c) / distance`, for b the latest course and a the one or two before it; where nobody
//! took both, it says nothing and leaves the answer to the first-order engines. It sees what a sum
//! over single courses can't: which way someone is going through a series. Contexts of two items as
//! in Shani, Heckerman and Brafman, "An MDP-based recommender system" (JMLR 2005).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::sparse::Sparse;
use crate::engine::{Arrival, Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData};
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
        Ok(Box::new(Fitted { pairs, next, window: self.window, absorbed: HashMap::new() }))
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
    window: usize,
    /// Pairs that came after the training: their row of `next`, and how often they were seen.
    #[serde(skip)]
    absorbed: HashMap<(u32, u32), (u32, usize)>,
}

impl Fitted {
    fn known(&self, ask: &Ask<'_>) -> impl Iterator<Item = (u32, (u32, u32))> {
        contexts(ask.history).filter_map(|pair| Some((self.row(pair)?, pair)))
    }

    fn row(&self, pair: (u32, u32)) -> Option<u32> {
        if let Ok(row) = self.pairs.binary_search(&pair) {
            return Some(row as u32);
        }
        self.absorbed.get(&pair).filter(|(_, seen)| *seen >= FEWEST).map(|(row, _)| *row)
    }
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for (row, _) in self.known(ask) {
            self.next.add_row(row, 1.0, out);
        }
    }

    /// As a fit counts it, but for pairs that the fit had seen once: they begin at nothing.
    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        for (back, distance) in (0..arrival.history.len()).zip(1_u16..).take(self.window) {
            for pair in contexts(&arrival.history[..arrival.history.len() - back]) {
                let row = self.pairs.binary_search(&pair).map_or_else(
                    |_| {
                        let fresh = (self.pairs.len() + self.absorbed.len()) as u32;
                        let (row, seen) = self.absorbed.entry(pair).or_insert((fresh, 0));
                        *seen += usize::from(distance == 1);
                        *row
                    },
                    |row| row as u32,
                );
                self.next.add(row, arrival.row.course, 1.0 / f32::from(distance), KEEP);
            }
        }
        arrival.history.len() > 1
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
