//! How many learners stand behind a step from one course to another.
//!
//! A reason that names a step of two people tells what these two did. So the model keeps the steps
//! that enough learners took, and no others, and a reason that rests on a step must find it here.

use serde::{Deserialize, Serialize};

use crate::engine::TrainingData;
use crate::engines::sparse::{Occurrences, Sparse};

/// A course so many places after another is still taken next.
const WINDOW: usize = 10;
/// Only courses so near each other in a history count as taken together: long histories stay cheap.
const TOGETHER: usize = 100;
/// Steps kept for each course.
const KEEP: usize = 500;

/// Numbers of learners, by (course, other course); only those that are large enough.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Support {
    next: Sparse,
    together: Sparse,
}

impl Support {
    pub(crate) fn new(data: &TrainingData<'_>, fewest: u32) -> Self {
        let places = Occurrences::new(data.content.len(), &data.histories);
        let count = |before: usize, after: usize| {
            Sparse::at_least(data.content.len(), KEEP, fewest as f32, |course, row| {
                for &(learner, position) in places.of(course) {
                    let (past, rest) = data.histories[learner as usize].split_at(position as usize);
                    let past = past.iter().rev().take(before);
                    for other in past.chain(rest[1..].iter().take(after)) {
                        row.add(other.course, 1.0);
                    }
                }
            })
        };
        Self { next: count(0, WINDOW), together: count(TOGETHER, TOGETHER) }
    }

    /// How many learners took `to` soon after `from`; zero where they are too few to tell.
    pub(crate) fn next(&self, from: u32, to: u32) -> u32 {
        self.next.get(from, to) as u32
    }

    /// How many learners took both; zero where they are too few to tell.
    pub(crate) fn together(&self, one: u32, other: u32) -> u32 {
        self.together.get(one, other) as u32
    }
}
