//! What a learner says of courses, and what a list was made from.

use serde::{Deserialize, Serialize};

use super::{Query, Recommender};
use crate::Interaction;

/// A learner's word on a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feedback {
    /// Index in the catalogue.
    pub course: u32,
    /// What she said.
    pub kind: FeedbackKind,
    /// When (Unix seconds).
    pub at: i64,
}

/// What a learner may say of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeedbackKind {
    /// She wants more like it. It may still be recommended itself.
    Like,
    /// She does not want this course.
    Dismiss,
    /// She wants neither this course nor others like it.
    LessLikeThis,
    /// She knows what it teaches: it is not recommended, and counts as taken where another requires it.
    AlreadyKnow,
}

/// A kind of data about the learner from which a list was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataUsed {
    /// Which courses she took, and when.
    History,
    /// How far she got in them.
    Completion,
    /// How long she stayed.
    Time,
    /// How she rated them.
    Rating,
    /// Her goals.
    Goals,
    /// What she said of recommended courses.
    Feedback,
}

impl Recommender {
    /// The kinds of the learner's data that her list is made from, sorted; empty for an unpersonalised list.
    ///
    /// A kind counts where the list would be another without it: the history and what she said bar courses;
    /// completions, times, ratings and goals count if leaving them out changes a score.
    #[must_use]
    pub fn data_used(&self, query: &Query<'_>) -> Vec<DataUsed> {
        let history = self.history(query.history);
        let with = self.scores(&history, query);
        let without = |strip: fn(&mut Interaction)| {
            let mut less = history.clone();
            less.iter_mut().for_each(strip);
            less != history && self.scores(&less, query) != with
        };
        let mut used = Vec::new();
        if !history.is_empty() {
            used.push(DataUsed::History);
        }
        if without(|row| row.completion = None) {
            used.push(DataUsed::Completion);
        }
        if without(|row| row.seconds = None) {
            used.push(DataUsed::Time);
        }
        if without(|row| row.rating = None) {
            used.push(DataUsed::Rating);
        }
        if !query.goals.is_empty() && self.scores(&history, &Query { goals: &[], ..*query }) != with {
            used.push(DataUsed::Goals);
        }
        if query.feedback.iter().any(|word| (word.course as usize) < self.slot_of.len()) {
            used.push(DataUsed::Feedback);
        }
        used
    }

    /// Every course that is weighed, with its score.
    fn scores(&self, history: &[Interaction], query: &Query<'_>) -> Vec<(u32, f64)> {
        let ask = self.asked(history, query);
        let grown = self.grown();
        let reading = self.read(self.known(&grown), ask, query);
        let closed = self.closed(query);
        let mut desk = self.desk();
        let count = self.model.0.manners.candidates.max(query.limit);
        let order = self.rank(&reading, count, &mut desk, &|slot| self.is_open(&closed, slot));
        self.put_back(desk);
        order.into_iter().map(|ranked| (ranked.slot, ranked.score)).collect()
    }
}
