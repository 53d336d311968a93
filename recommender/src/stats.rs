//! What the interactions tell of each course, apart from who took it with what.

use serde::{Deserialize, Serialize};

use crate::Interaction;
use crate::content::Content;
use crate::engine::TrainingData;

/// Visits with which a course's completion rate is drawn to the general one.
const DOUBT: f32 = 10.0;

/// Numbers for each course, from the training data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// Mean completion over all rows that have one.
    pub(crate) usual_completion: f32,
    /// Mean completion of the course, drawn to the usual one where few measured it.
    pub(crate) completion: Vec<f32>,
    /// How many rows of the course have a completion.
    pub(crate) measured: Vec<u32>,
    /// How many learners took the course.
    pub(crate) taken: Vec<u32>,
    /// Time of the first visit (Unix seconds); `i64::MAX` for a course nobody took.
    pub(crate) first_at: Vec<i64>,
    /// Time of the latest interaction.
    pub(crate) last_at: i64,
    /// Whether times are times.
    pub(crate) clock: bool,
}

impl Stats {
    pub(crate) fn new(data: &TrainingData<'_>) -> Self {
        let courses = data.content.len();
        let mut sums = vec![0.0_f32; courses];
        let mut measured = vec![0_u32; courses];
        let mut taken = vec![0_u32; courses];
        let mut first_at = vec![i64::MAX; courses];
        for row in data.histories.iter().copied().flatten() {
            let index = row.course as usize;
            taken[index] += 1;
            first_at[index] = first_at[index].min(row.at);
            if let Some(completion) = row.completion {
                sums[index] += completion;
                measured[index] += 1;
            }
        }
        let all: u32 = measured.iter().sum();
        let usual_completion = sums.iter().sum::<f32>() / all.max(1) as f32;
        let completion =
            sums.iter().zip(&measured).map(|(sum, &n)| (sum + DOUBT * usual_completion) / (n as f32 + DOUBT)).collect();
        Self { usual_completion, completion, measured, taken, first_at, last_at: data.now, clock: data.clock }
    }

    /// Counts a row that came after the training. The usual completion stays: a single row moves it little.
    pub(crate) fn absorb(&mut self, row: &Interaction) {
        let index = row.course as usize;
        if self.taken.len() <= index {
            self.taken.resize(index + 1, 0);
            self.measured.resize(index + 1, 0);
            self.completion.resize(index + 1, self.usual_completion);
            self.first_at.resize(index + 1, i64::MAX);
        }
        self.taken[index] += 1;
        self.first_at[index] = self.first_at[index].min(row.at);
        self.last_at = self.last_at.max(row.at);
        if let Some(completion) = row.completion {
            let weight = self.measured[index] as f32 + DOUBT;
            self.completion[index] = (self.completion[index] * weight + completion) / (weight + 1.0);
            self.measured[index] += 1;
        }
    }

    /// How far the course's completion rate is from the usual one; zero where not measured.
    pub(crate) fn completion_lift(&self, course: u32) -> f32 {
        self.completion.get(course as usize).map_or(0.0, |rate| rate - self.usual_completion)
    }
}

/// Seconds a learner spent on a course: as measured, or from completion and the course's length.
pub(crate) fn seconds_spent(row: &Interaction, content: &Content) -> Option<f32> {
    row.seconds.or_else(|| {
        let length = content.facts(row.course)?.seconds?;
        Some(row.completion? * length as f32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, Course};

    #[test]
    fn rows_absorbed_one_by_one_count_as_in_a_training() {
        let courses = (0..3).map(|at| Course { key: at.to_string(), ..Course::default() });
        let content = Content::new(&Catalogue::new(vec![], courses.collect()).expect("good"));
        let row = |course, at, completion| Interaction { completion, ..Interaction::new(course, at) };
        let before = [row(0, 50, Some(0.25)), row(1, 60, Some(0.75))];
        let after = [row(1, 40, Some(0.5)), row(2, 70, Some(0.5)), row(0, 80, None)];
        let stats = |histories: Vec<&[Interaction]>, now| {
            Stats::new(&TrainingData { content: &content, histories, now, clock: true })
        };
        let mut grown = stats(vec![&before], 60);
        for row in &after {
            grown.absorb(row);
        }
        let whole = stats(vec![&before, &after], 80);
        assert_eq!((grown.taken, grown.measured), (whole.taken, whole.measured));
        assert_eq!((grown.first_at, grown.last_at), (whole.first_at, whole.last_at));
        // The rows were chosen so that the usual completion is one half before and after.
        assert!(grown.completion.iter().zip(&whole.completion).all(|(a, b)| (a - b).abs() < 1e-6));
        let mut new = Stats::default();
        new.absorb(&row(5, 9, Some(1.0)));
        assert_eq!((new.taken.len(), new.taken[5], new.first_at[5], new.first_at[4]), (6, 1, 9, i64::MAX));
    }
}
