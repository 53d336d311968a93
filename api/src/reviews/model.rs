//! What learners say of courses.

use crate::{
    access::{Personal, tags},
    ids::{AccountId, CourseId, ReviewId},
    time::Timestamp,
};

/// A review of a course, for everybody to read.
///
/// Who wrote it is not for everybody: `author` answers only where she wants her name to stand there. Nor is the instant: it could
/// be held against when somebody was last in the course.
#[derive(Clone, Debug)]
pub struct Review {
    /// The review's id, together with the course's. It tells neither who wrote it nor when.
    pub id: ReviewId,
    /// The course.
    pub course_id: CourseId,
    /// Who wrote it, where her name is to stand there.
    pub author: Option<AccountId>,
    /// The stars, 1..=5.
    pub rating: Personal<tags::Review, i64>,
    /// What it says.
    pub body: Personal<tags::Review, String>,
    /// On which day it was written: its midnight, in UTC.
    pub written_on: Timestamp,
    /// On which day it was last edited.
    pub edited_on: Option<Timestamp>,
    /// When it was written: for the order, and for nobody's eyes.
    pub(super) created_at: Timestamp,
}

/// What somebody has said of a course, as she sees it herself.
#[derive(Clone, Debug)]
pub struct OwnReview {
    /// The review's id.
    pub id: ReviewId,
    /// The stars, 1..=5.
    pub rating: i64,
    /// What it says; `None` for a rating alone, which nobody sees but in the average.
    pub body: Option<String>,
    /// Whether her name stands there for those who may see it.
    pub shows_name: bool,
    /// Grows with each change: whoever changes it gives the one that she read.
    pub version: i64,
    /// Whether it stands among the course's reviews.
    pub is_listed: bool,
}

/// What somebody says of a course.
#[derive(Clone, Debug)]
pub struct NewReview {
    /// The stars.
    pub rating: i64,
    /// What it says; empty for a rating alone.
    pub body: String,
    /// Whether her name is to stand there.
    pub shows_name: bool,
}

/// The midnight before an instant, in UTC.
pub(super) fn day(at: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400_000_000;
    Timestamp(at.0.div_euclid(DAY) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_instant_only_the_day_is_left() {
        let at = Timestamp::parse("2026-03-02T09:30:01.5Z").unwrap();
        assert_eq!(day(at).to_string(), "2026-03-02T00:00:00Z");
        assert_eq!(day(day(at)), day(at));
    }
}
