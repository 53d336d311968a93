//! The metrics, each over questions with one right answer. docs/EVALUATION.md has the formulas.

use std::cmp::Ordering;

use serde::Serialize;

use super::lists::{Crowd, Lists};
use crate::Interaction;
use crate::engine::Scores;

/// How deep the curves go.
pub(crate) const DEPTH: usize = 20;

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

/// What a rank is worth when the first `k` are looked at.
pub(crate) fn gain(rank: f64, k: usize) -> f64 {
    if rank <= k as f64 { 1.0 / (1.0 + rank).log2() } else { 0.0 }
}

/// Collects ranks and lists of one method.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    pub(crate) ranks: Vec<f64>,
    lists: Lists,
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
    /// 95 % interval of `ndcg_10`, by bootstrap over the questions.
    pub ndcg_10_interval: (f64, f64),
    /// 95 % interval of `hr_10`, by bootstrap over the questions.
    pub hr_10_interval: (f64, f64),
    /// Mean of `−log2(share of learners who took it)` over the courses in the lists of ten: bits of surprise.
    pub novelty_10: f64,
    /// 1 − mean Jaccard overlap of the topics of two courses in a list of ten; `None` without topics.
    pub diversity_10: Option<f64>,
    /// Mean share of learners who took it, over the courses in the lists of ten.
    pub popularity_10: f64,
    /// Share of the places in the lists of ten that go to the tenth of the courses that are taken most;
    /// to be read beside [`Report::head_share`](super::Report::head_share).
    pub head_10: f64,
    /// Gini coefficient of how often courses stand in lists of ten: 0 all alike, 1 one course has all.
    pub gini_10: f64,
    /// NDCG@10 of the worst group minus that of the best, where they are furthest apart; `None` without
    /// two groups of enough questions.
    pub group_gap: Option<f64>,
    /// NDCG@k for k from 1 to 20.
    pub ndcg_at: Vec<f64>,
    /// HR@k for k from 1 to 20.
    pub hr_at: Vec<f64>,
}

impl Tally {
    pub(crate) fn new(courses: usize) -> Self {
        Self { ranks: Vec::new(), lists: Lists::new(courses) }
    }

    pub(crate) fn add(&mut self, rank: f64) {
        self.ranks.push(rank);
    }

    /// Notes a list of ten.
    pub(super) fn show(&mut self, list: &[u32], crowd: &Crowd<'_>) {
        self.lists.add(list, crowd);
    }

    pub(crate) fn ndcg(&self) -> f64 {
        mean(&self.gains())
    }

    /// NDCG@10 of each question.
    pub(super) fn gains(&self) -> Vec<f64> {
        self.ranks.iter().map(|&rank| gain(rank, 10)).collect()
    }

    /// 1 for each question whose answer is among the first ten, else 0.
    pub(super) fn hits(&self) -> Vec<f64> {
        self.ranks.iter().map(|&rank| f64::from(rank <= 10.0)).collect()
    }

    /// Everything but the intervals by bootstrap and the gap, which look at all methods together.
    pub(super) fn metrics(&self, name: &str, crowd: &Crowd<'_>) -> Metrics {
        let gains = self.gains();
        let ndcg_10 = mean(&gains);
        let squares: f64 = gains.iter().map(|v| (v - ndcg_10).powi(2)).sum();
        let over =
            |f: &dyn Fn(f64) -> f64| self.ranks.iter().map(|&r| f(r)).sum::<f64>() / self.ranks.len().max(1) as f64;
        let within = |k: usize| over(&|rank| f64::from(rank <= k as f64));
        Metrics {
            name: name.to_owned(),
            hr_10: within(10),
            ndcg_10,
            ndcg_10_half_width: 1.96 * squares.sqrt() / gains.len().max(1) as f64,
            mrr: over(&|rank| 1.0 / rank),
            recall_20: within(20),
            coverage_10: self.lists.coverage(),
            ndcg_10_interval: (ndcg_10, ndcg_10),
            hr_10_interval: (within(10), within(10)),
            novelty_10: self.lists.novelty(),
            diversity_10: self.lists.diversity(),
            popularity_10: self.lists.popularity(),
            head_10: self.lists.head(crowd),
            gini_10: self.lists.gini(),
            group_gap: None,
            ndcg_at: (1..=DEPTH).map(|k| over(&|rank| gain(rank, k))).collect(),
            hr_at: (1..=DEPTH).map(within).collect(),
        }
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::{Catalogue, Course};

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
        // Course 0 is on topics 0 and 1, course 1 on 1, the others on 0. Eight learners.
        let course = |at: u32| Course {
            key: at.to_string(),
            topics: match at {
                0 => vec![0, 1],
                1 => vec![1],
                _ => vec![0],
            },
            ..Course::default()
        };
        let topics = vec!["A".into(), "B".into()];
        let content = Content::new(&Catalogue::new(topics, (0..8).map(course).collect()).expect("good"));
        let taken = [8, 4, 2, 1, 0, 0, 0, 0];
        let crowd = Crowd::new(&taken, 8, &content);
        let mut tally = Tally::new(8);
        for rank in [1.0, 3.0, 10.5, 30.0] {
            tally.add(rank);
        }
        tally.show(&[0, 1], &crowd);
        tally.show(&[1, 7], &crowd);
        let m = tally.metrics("by hand", &crowd);
        assert!(same(m.hr_10, 0.5));
        assert!(same(m.ndcg_10, (1.0 + 0.5) / 4.0));
        assert!(same(m.mrr, (1.0 + 1.0 / 3.0 + 1.0 / 10.5 + 1.0 / 30.0) / 4.0));
        assert!(same(m.recall_20, 0.75));
        assert!(same(m.coverage_10, 3.0 / 8.0));
        assert!(same(m.ndcg_at[0], 0.25) && same(m.ndcg_at[9], m.ndcg_10) && same(m.hr_at[19], 0.75));
        // Taken by all, by half twice, by nobody (counted as one of eight): 0, 1, 1 and 3 bits.
        assert!(same(m.novelty_10, 5.0 / 4.0), "{}", m.novelty_10);
        assert!(same(m.popularity_10, (1.0 + 0.5 + 0.5 + 0.0) / 4.0));
        // The first list shares one topic of two, the second none.
        assert!(same(m.diversity_10.expect("there are topics"), f64::midpoint(0.5, 1.0)));
        // A tenth of eight courses is one: course 0, with one place in four, and 8 of 15 in the histories.
        assert!(same(m.head_10, 0.25) && same(crowd.head_share(), 8.0 / 15.0));
        // Places: 0 × 5, 1, 1, 2. Σ (2i − n − 1) x / (n Σ x) = (3 + 5 + 14) / 32.
        assert!(same(m.gini_10, 22.0 / 32.0), "{}", m.gini_10);
    }
}
