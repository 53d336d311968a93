//! The metrics, each over questions with one right answer.

use std::cmp::Ordering;

use serde::Serialize;

use crate::Interaction;
use crate::engine::Scores;

/// The rank of `target` (1 is best) among all courses that are not in `history`; courses with the
/// same score share their mean rank. Zero for a target that is in the history.
pub(crate) fn rank(scores: &Scores, target: u32, history: &[Interaction], courses: usize) -> f64 {
    let own = scores.get(target);
    let (mut above, mut equal) = (0_i64, 0_i64);
    let mut count = |score: f32, by: i64| match score.total_cmp(&own) {
        Ordering::Greater => above += by,
        Ordering::Equal => equal += by,
        Ordering::Less => {}
    };
    for &course in scores.touched() {
        count(scores.get(course), 1);
    }
    // Most courses are untouched, at zero.
    count(0.0, courses as i64 - scores.touched().len() as i64);
    for row in history {
        count(scores.get(row.course), -1);
    }
    1.0 + above as f64 + (equal - 1).max(0) as f64 / 2.0
}

/// Adds up ranks.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    hits: f64,
    ndcg: Vec<f64>,
    reciprocal: f64,
    recall: f64,
    shown: Vec<bool>,
}

/// The metrics of one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// The method: an engine's label, or `mix`.
    pub name: String,
    /// Share of questions whose answer is among the first ten.
    pub hr_10: f64,
    /// `1 / log2(1 + rank)` for ranks up to ten, else 0; the mean.
    pub ndcg_10: f64,
    /// Half the width of the 95 % interval of `ndcg_10` (normal approximation).
    pub ndcg_10_half_width: f64,
    /// Mean of `1 / rank`, over the whole catalogue.
    pub mrr: f64,
    /// Share of questions whose answer is among the first twenty.
    pub recall_20: f64,
    /// Share of the catalogue that stands in at least one list of ten.
    pub coverage_10: f64,
}

impl Tally {
    pub(crate) fn new(courses: usize) -> Self {
        Self { hits: 0.0, ndcg: Vec::new(), reciprocal: 0.0, recall: 0.0, shown: vec![false; courses] }
    }

    pub(crate) fn add(&mut self, rank: f64) {
        self.hits += f64::from(rank <= 10.0);
        self.recall += f64::from(rank <= 20.0);
        self.reciprocal += 1.0 / rank;
        self.ndcg.push(if rank <= 10.0 { 1.0 / (1.0 + rank).log2() } else { 0.0 });
    }

    pub(crate) fn show(&mut self, courses: impl IntoIterator<Item = u32>) {
        for course in courses {
            if let Some(shown) = self.shown.get_mut(course as usize) {
                *shown = true;
            }
        }
    }

    pub(crate) fn ndcg(&self) -> f64 {
        self.ndcg.iter().sum::<f64>() / self.ndcg.len().max(1) as f64
    }

    pub(crate) fn metrics(&self, name: &str) -> Metrics {
        let n = self.ndcg.len().max(1) as f64;
        let mean = self.ndcg();
        let squares: f64 = self.ndcg.iter().map(|v| (v - mean).powi(2)).sum();
        let shown = self.shown.iter().filter(|&&s| s).count();
        Metrics {
            name: name.to_owned(),
            hr_10: self.hits / n,
            ndcg_10: mean,
            ndcg_10_half_width: 1.96 * squares.sqrt() / n,
            mrr: self.reciprocal / n,
            recall_20: self.recall / n,
            coverage_10: shown as f64 / self.shown.len().max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    fn scores(values: &[f32]) -> Scores {
        let mut scores = Scores::new(values.len());
        for (course, &value) in (0_u32..).zip(values) {
            if value != 0.0 {
                scores.add(course, value);
            }
        }
        scores
    }

    #[test]
    fn ties_share_their_mean_rank_and_the_history_does_not_count() {
        let scores = scores(&[5.0, 3.0, 3.0, 0.0, 0.0, 9.0]);
        let had = [Interaction::new(5, 0)];
        assert!(same(rank(&scores, 0, &had, 6), 1.0));
        assert!(same(rank(&scores, 1, &had, 6), 2.5));
        assert!(same(rank(&scores, 3, &had, 6), 4.5));
        assert!(same(rank(&scores, 0, &[], 6), 2.0));
    }

    #[test]
    fn metrics_of_four_ranks_by_hand() {
        let mut tally = Tally::new(8);
        for rank in [1.0, 3.0, 10.5, 30.0] {
            tally.add(rank);
        }
        tally.show([0, 1, 1, 7]);
        let m = tally.metrics("by hand");
        assert!(same(m.hr_10, 0.5));
        assert!(same(m.ndcg_10, (1.0 + 0.5) / 4.0));
        assert!(same(m.mrr, (1.0 + 1.0 / 3.0 + 1.0 / 10.5 + 1.0 / 30.0) / 4.0));
        assert!(same(m.recall_20, 0.75));
        assert!(same(m.coverage_10, 3.0 / 8.0));
    }
}
