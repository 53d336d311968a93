//! What a learner says of courses, and what a list was made from.

use serde::{Deserialize, Serialize};

use super::{Query, Recommender};

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
    #[must_use]
    pub fn data_used(&self, query: &Query<'_>) -> Vec<DataUsed> {
        let history = self.history(query.history);
        let mut used = Vec::new();
        if !history.is_empty() {
            used.push(DataUsed::History);
        }
        if history.iter().any(|row| row.completion.is_some()) {
            used.push(DataUsed::Completion);
        }
        if history.iter().any(|row| row.seconds.is_some()) {
            used.push(DataUsed::Time);
        }
        if !query.goals.is_empty() {
            used.push(DataUsed::Goals);
        }
        if !query.feedback.is_empty() {
            used.push(DataUsed::Feedback);
        }
        used
    }
}
