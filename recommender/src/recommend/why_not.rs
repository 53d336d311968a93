//! Why a course is not in a learner's list.

use super::{Query, Recommendation, Recommender};

/// Why a course is not in a list, or where in it it stands.
#[derive(Debug, Clone, PartialEq)]
pub enum WhyNot {
    /// It is in the list, at this place (1 is first).
    Listed {
        /// Place, from 1.
        place: usize,
    },
    /// It can't be in the list.
    Barred(Obstacle),
    /// It was weighed and others were better.
    Outranked {
        /// Its place among all that were weighed, from 1.
        place: usize,
        /// What its score lacks to the last course of the list (log odds, above zero).
        gap: f64,
        /// The course with its score taken apart, and the courses to take first.
        course: Box<Recommendation>,
    },
    /// Nothing that she did, wants or said leads to it: no engine proposes it.
    NoEvidence,
}

/// What bars a course from a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// She takes it, or has taken it.
    Taken,
    /// She dismissed it.
    Dismissed,
    /// She wants less of this kind, and said so of this course.
    LessLikeThis,
    /// She said that she knows it.
    AlreadyKnown,
    /// It is among the courses that the caller excluded, such as one that is not open.
    Excluded,
    /// There is no such course in the catalogue.
    Unknown,
}

impl Recommender {
    /// Why `course` (index in the catalogue) is not in the list that [`recommend`](Self::recommend) gives.
    #[must_use]
    pub fn why_not(&self, query: &Query<'_>, course: u32) -> WhyNot {
        let list = self.recommend(query);
        match list.iter().position(|item| item.course == course) {
            Some(at) => WhyNot::Listed { place: at + 1 },
            None => WhyNot::NoEvidence,
        }
    }
}
