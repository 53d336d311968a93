//! How much an interaction says: a course that was gone through says more than one that was left at once.
//!
//! Of what was measured, the mean counts: completion (0..=1), time against the course's usual time (at most
//! 1: who stays longer than others is slow, not keener), and rating (0..=1, where feedback comes in). A mean
//! and not a product, since each measures the same thing with other errors, and one that is missing or low
//! by mistake must not undo the others. Implicit feedback as graded preference: Hu, Koren and Volinsky,
//! "Collaborative filtering for implicit feedback datasets" (ICDM 2008).
//!
//! An engine's parameter `strength` s says how far to go: a row weighs `1 - s · (1 - mean)`, so 0 counts all
//! rows alike and 1 goes by the mean alone. A row of which nothing was measured weighs 1. Course platforms
//! differ in how much it pays, so the default is 0 and the validation search may choose otherwise: on the
//! data of the README it moves Markov chains and neighbours by .002 to .005 NDCG@10 and the others by less.

use crate::Interaction;
use crate::engine::{Parameter, TrainingData};

/// Fewer measured times than this say nothing of the usual one.
const FEWEST: usize = 5;

/// The parameter of the engines that weigh rows.
pub(crate) const STRENGTH: Parameter = Parameter {
    name: "strength",
    default: 0.0,
    min: 0.0,
    max: 1.0,
    search: &[0.5],
    meaning: "how far rows count by completion, time spent and rating: 0 all alike, 1 by these alone",
};

/// The weights of rows.
pub(crate) struct Strengths {
    strength: f32,
    /// Usual seconds of each course; empty where `strength` is 0.
    usual: Vec<Option<f32>>,
}

impl Strengths {
    pub(crate) fn new(strength: f32, data: &TrainingData<'_>) -> Self {
        if strength <= 0.0 {
            return Self { strength: 0.0, usual: Vec::new() };
        }
        let mut times: Vec<Vec<f32>> = vec![Vec::new(); data.content.len()];
        for row in data.histories.iter().copied().flatten() {
            times[row.course as usize].extend(row.seconds);
        }
        let usual = (0_u32..).zip(&mut times).map(|(course, times)| {
            let stated = data.content.facts(course).and_then(|f| f.seconds).map(|s| s as f32);
            median(times).or(stated).filter(|&seconds| seconds > 0.0)
        });
        Self { strength, usual: usual.collect() }
    }

    /// 0..=1; a course past the end has no usual time.
    #[inline]
    pub(crate) fn of(&self, row: &Interaction) -> f32 {
        if self.strength <= 0.0 {
            return 1.0;
        }
        let usual = self.usual.get(row.course as usize).copied().flatten();
        let time = row.seconds.zip(usual).map(|(seconds, usual)| (seconds / usual).min(1.0));
        let (mut sum, mut count) = (0.0_f32, 0.0_f32);
        for part in [row.completion, time, row.rating].into_iter().flatten() {
            sum += part;
            count += 1.0;
        }
        if count > 0.0 { 1.0 - self.strength * (1.0 - sum / count) } else { 1.0 }
    }
}

fn median(times: &mut [f32]) -> Option<f32> {
    if times.len() < FEWEST {
        return None;
    }
    let middle = times.len() / 2;
    Some(*times.select_nth_unstable_by(middle, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::{Catalogue, Course};

    fn strengths(strength: f32, seconds: &[f32]) -> Strengths {
        let stated = Course { key: "a".into(), seconds: Some(1000), ..Course::default() };
        let content = Content::new(&Catalogue::new(vec![], vec![stated]).expect("good"));
        let row = |&seconds: &f32| [Interaction { seconds: Some(seconds), ..Interaction::new(0, 0) }];
        let rows: Vec<_> = seconds.iter().map(row).collect();
        let histories = rows.iter().map(|row| &row[..]).collect();
        Strengths::new(strength, &TrainingData { content: &content, histories, now: 0, clock: true })
    }

    fn same(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn time_counts_against_the_median_of_those_who_took_it_or_the_stated_length() {
        let row = Interaction { seconds: Some(250.0), ..Interaction::new(0, 0) };
        assert!(same(strengths(1.0, &[100.0, 400.0, 500.0, 600.0, 9e7]).of(&row), 0.5));
        assert!(same(strengths(1.0, &[100.0, 400.0]).of(&row), 0.25));
        let slow = Interaction { seconds: Some(1e6), ..row };
        assert!(same(strengths(1.0, &[]).of(&slow), 1.0));
    }

    #[test]
    fn what_was_measured_counts_by_its_mean_and_what_was_not_does_not_count() {
        let all = strengths(1.0, &[]);
        let row = Interaction { completion: Some(0.2), rating: Some(0.8), ..Interaction::new(0, 0) };
        assert!(same(all.of(&row), 0.5));
        assert!(same(strengths(0.5, &[]).of(&row), 0.75));
        assert!(same(all.of(&Interaction::new(0, 0)), 1.0));
        let abandoned = Interaction { completion: Some(0.0), ..row };
        assert!(same(strengths(0.0, &[]).of(&abandoned), 1.0));
    }
}
