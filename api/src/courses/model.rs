//! The catalogue: courses, their modules and lessons, topics and staff. None of it is about a learner.

mod content;

pub use content::{Content, CourseChange, LessonChange, LessonDraft, LessonVersion, NewCourse, NewLesson, Rule};

use crate::{
    access::{Permit, Personal, tags},
    db::stored_enum,
    ids::{AccountId, CourseId, LessonId, ModuleId, TopicId},
    time::Timestamp,
};

stored_enum! {
    /// How much a course expects.
    pub enum Level {
        /// Nothing.
        Beginner = "BEGINNER",
        /// The basics.
        Intermediate = "INTERMEDIATE",
        /// Experience.
        Advanced = "ADVANCED",
    }
}

stored_enum! {
    /// Where a course is in its life.
    pub enum CourseStatus {
        /// Seen by its staff only.
        Draft = "DRAFT",
        /// In the catalogue.
        Published = "PUBLISHED",
        /// Kept for those who took it.
        Archived = "ARCHIVED",
    }
}

stored_enum! {
    /// What a lesson is.
    pub enum LessonKind {
        /// To watch.
        Video = "VIDEO",
        /// To read.
        Reading = "READING",
        /// To do.
        Exercise = "EXERCISE",
        /// Somewhere else.
        Link = "LINK",
    }
}

stored_enum! {
    /// What somebody does in a course that she does not take.
    pub enum StaffRole {
        /// Teaches it.
        Instructor = "INSTRUCTOR",
        /// Helps to teach it.
        Assistant = "ASSISTANT",
    }
}

stored_enum! {
    /// How a list of courses is ordered.
    pub enum CourseOrder {
        /// By title, from A to Z.
        Title = "TITLE",
        /// The latest first.
        Newest = "NEWEST",
        /// The shortest first.
        Shortest = "SHORTEST",
    }
}

stored_enum! {
    /// Where a module or lesson is in its life.
    pub enum PartStatus {
        /// Seen by the course's staff only.
        Draft = "DRAFT",
        /// Part of the course.
        Published = "PUBLISHED",
        /// Taken out of the course, and kept for the records of those who saw it.
        Retired = "RETIRED",
    }
}

stored_enum! {
    /// By what a lesson is completed.
    pub enum Completion {
        /// By seeing it to its end, or opening it where it has no length.
        View = "VIEW",
        /// By spending a share of its length with it.
        Time = "TIME",
        /// By reaching a score in it.
        Score = "SCORE",
        /// By saying that it is done.
        Hand = "HAND",
    }
}

/// A course.
#[derive(Clone, Debug)]
pub struct Course {
    /// The course's id.
    pub id: CourseId,
    /// A readable name for addresses, unique.
    pub slug: String,
    /// The title.
    pub title: String,
    /// What it is about, in a few sentences.
    pub summary: String,
    /// A BCP 47 language tag.
    pub language: String,
    /// How much it expects; `None` where nobody said.
    pub level: Option<Level>,
    /// Where it is in its life.
    pub status: CourseStatus,
    /// Whether everybody who has signed in may read and write its forum.
    pub open_forum: bool,
    /// How many lessons it has.
    pub lesson_count: i64,
    /// The length of its lessons together, in seconds.
    pub seconds: i64,
    /// Since when it is in the catalogue.
    pub published_at: Timestamp,
    /// Grows with each change of the course itself: whoever changes it gives the one that she read.
    pub version: i64,
    /// Grows with each change of what learners find in it.
    pub content_version: i64,
}

impl Course {
    /// Whether anybody but its staff may know of it.
    pub fn is_public(&self) -> bool {
        self.status != CourseStatus::Draft
    }
}

/// A part of a course.
#[derive(Clone, Debug)]
pub struct Module {
    /// The module's id.
    pub id: ModuleId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// Its place among the modules that learners find, from 0.
    pub position: i64,
    /// The title.
    pub title: String,
    /// Where it is in its life.
    pub status: PartStatus,
    /// Grows with each change: whoever changes it gives the one that she read.
    pub version: i64,
}

/// A part of a module.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The lesson's id.
    pub id: LessonId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// The module it belongs to.
    pub module_id: ModuleId,
    /// Its place among the lessons of the module that learners find, from 0.
    pub position: i64,
    /// The title.
    pub title: String,
    /// What it is.
    pub kind: LessonKind,
    /// Its usual length in seconds, where it has one.
    pub seconds: Option<i64>,
    /// Where it is in its life.
    pub status: PartStatus,
    /// Grows with each change: whoever changes it gives the one that she read.
    pub version: i64,
    /// The version of its content that it shows.
    pub content_version: i64,
    /// By what it is completed.
    pub completion: Completion,
    /// The share of its length, or of the full score, that completes it, in millionths; `None` for all of it.
    pub completion_share: Option<i64>,
    /// Whether anybody may read it, to see what the course is like.
    pub is_preview: bool,
}

/// What courses are about.
#[derive(Clone, Debug)]
pub struct Topic {
    /// The topic's id.
    pub id: TopicId,
    /// A readable name for addresses, unique.
    pub slug: String,
    /// The name.
    pub name: String,
}

/// Somebody who teaches a course.
#[derive(Clone, Debug)]
pub struct StaffMember {
    /// Who.
    pub account_id: AccountId,
    /// As what.
    pub role: StaffRole,
}

/// What is counted of a course as it happens.
#[derive(Clone, Debug, Default)]
pub struct CourseRollup {
    /// How many have enrolled.
    pub learner_count: i64,
    /// How many have completed it.
    pub completed_count: Personal<tags::Statistics, i64>,
    /// How many have rated it.
    pub rating_count: i64,
    /// The sum of their stars.
    pub rating_sum: i64,
    /// How many of the ratings stand in a review that everybody reads.
    pub review_count: i64,
    /// The sum of their stars.
    pub review_sum: i64,
}

/// An average of fewer ratings would tell what a single learner thinks.
pub const MIN_RATINGS: i64 = 5;

impl CourseRollup {
    /// The average of the ratings, 1..=5, once there are [`MIN_RATINGS`]; to half a star, so that one more
    /// rating does not show what it was.
    ///
    /// The stars of a review are there to be read, by its author's choice: whoever takes them from the whole has what is left. So
    /// fewer than [`MIN_RATINGS`] that nobody reads don't count.
    pub fn average_rating(&self) -> Option<f64> {
        let unread = self.rating_count - self.review_count;
        let all_count = unread == 0 || unread >= MIN_RATINGS;
        let (count, sum) =
            if all_count { (self.rating_count, self.rating_sum) } else { (self.review_count, self.review_sum) };
        (count >= MIN_RATINGS).then(|| (sum as f64 * 2.0 / count as f64).round() / 2.0)
    }

    /// How many have completed the course, where these and the others are groups of at least `smallest`: in a smaller
    /// one the number would tell of single learners, and so would the rest.
    pub fn completed(&self, smallest: u32, permit: Permit<tags::Statistics>) -> Option<i64> {
        let (completed, smallest) = (*self.completed_count.open(permit), i64::from(smallest));
        (completed >= smallest && self.learner_count - completed >= smallest).then_some(completed)
    }
}

/// Which courses are wanted; everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CourseFilter {
    /// About any of these topics (slugs).
    pub topics: Option<Vec<String>>,
    /// At any of these levels.
    pub levels: Option<Vec<Level>>,
    /// In this language.
    pub language: Option<String>,
    /// With each of these words in title or summary, at most [`MAX_WORDS`].
    pub text: Option<String>,
}

/// So many words can be searched for at once.
pub const MAX_WORDS: usize = 16;
/// In so many characters.
pub const MAX_SEARCH: usize = 500;

/// What a list of courses is sorted by: the order's own value, then the id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum CourseKey {
    /// For orders by time and length.
    Number(i64, uuid::Uuid),
    /// For the order by title.
    Text(String, uuid::Uuid),
}

impl CourseKey {
    /// The key of a course in an order.
    pub fn of(course: &Course, order: CourseOrder) -> Self {
        match order {
            CourseOrder::Title => Self::Text(course.title.to_lowercase(), course.id.0),
            CourseOrder::Newest => Self::Number(course.published_at.0, course.id.0),
            CourseOrder::Shortest => Self::Number(course.seconds, course.id.0),
        }
    }

    /// Whether the key belongs to the order.
    pub fn fits(&self, order: CourseOrder) -> bool {
        match self {
            // No title has a NUL in it, and PostgreSQL takes none.
            Self::Text(title, _) => order == CourseOrder::Title && !title.contains('\0'),
            Self::Number(..) => order != CourseOrder::Title,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_shows_from_five_ratings_on_and_to_half_a_star() {
        let average = |rating_count, rating_sum| {
            CourseRollup { learner_count: 9, rating_count, rating_sum, ..CourseRollup::default() }
                .average_rating()
                .map(|stars| (stars * 10.0) as i64)
        };
        assert_eq!(average(4, 20), None);
        assert_eq!(average(5, 20), Some(40));
        assert_eq!(average(6, 25), Some(40), "one more rating does not show what it was");
        assert_eq!(average(7, 31), Some(45));
    }

    #[test]
    fn a_few_ratings_that_nobody_reads_do_not_show_beside_those_that_everybody_reads() {
        let average = |rating_count, rating_sum, review_count, review_sum| {
            let rollup = CourseRollup { rating_count, rating_sum, review_count, review_sum, ..CourseRollup::default() };
            rollup.average_rating().map(|stars| (stars * 10.0) as i64)
        };
        assert_eq!(average(5, 21, 4, 20), None, "the fifth would be told by the other four");
        assert_eq!(average(6, 26, 5, 25), Some(50), "the sixth does not count");
        assert_eq!(average(5, 25, 5, 25), Some(50));
        assert_eq!(average(10, 30, 5, 25), Some(30), "five hide each other");
    }
}
