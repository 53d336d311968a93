//! What a learner does in a course, and the one definition of progress.

use crate::{
    access::{Category, Personal, Tenure, tags},
    db::stored_enum,
    ids::{AccountId, CourseId, LessonId},
    time::Timestamp,
};

/// Progress, exact: millionths of the whole.
///
/// **The definition, version 1.**
/// - A lesson's progress is 1 when it is completed; else the furthest position reached over the lesson's
///   length (or the share that an imported record reports, if that is more), below 1; else 0.
/// - A lesson is completed when its learner says so or reaches its end, and stays completed.
/// - A module's and a course's progress is the mean over its lessons, each counting the same; a module or
///   course without lessons has progress 0.
///
/// Sums of whole millionths are exact, so 1 is reached exactly when every lesson is completed, and the
/// same number comes from every path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Progress(i64);

impl Progress {
    /// Nothing yet.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const WHOLE: Self = Self(1_000_000);

    /// The progress of a lesson.
    pub fn of_lesson(completed: bool, furthest: i64, length: Option<i64>) -> Self {
        match length {
            _ if completed => Self::WHOLE,
            Some(length) if length > 0 => {
                let millionths = i128::from(furthest.max(0)) * 1_000_000 / i128::from(length);
                Self(millionths.min(999_999) as i64)
            }
            _ => Self::NONE,
        }
    }

    /// The share of a lesson, 0..=1, that an imported record reports.
    pub(crate) fn reported(share: f64) -> Self {
        Self((share * 1_000_000.0).clamp(0.0, 1_000_000.0) as i64)
    }

    /// The mean of `sum` (see [`Progress::sum`]) over `lessons` lessons.
    pub fn mean(sum: i64, lessons: i64) -> Self {
        if lessons <= 0 { Self::NONE } else { Self((sum / lessons).clamp(0, Self::WHOLE.0)) }
    }

    /// The sum of the progress of lessons, in millionths.
    pub fn sum(lessons: impl IntoIterator<Item = Self>) -> i64 {
        lessons.into_iter().map(|progress| progress.0).sum()
    }

    /// In millionths, as it is stored.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// As stored.
    pub(crate) fn from_millionths(millionths: i64) -> Self {
        Self(millionths.clamp(0, Self::WHOLE.0))
    }

    /// Between 0 and 1.
    pub fn fraction(self) -> f64 {
        self.0 as f64 / Self::WHOLE.0 as f64
    }
}

/// A learner in a course.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Who.
    pub learner_id: AccountId,
    /// In which course.
    pub course_id: CourseId,
    /// Since when.
    pub enrolled_at: Personal<tags::LearningRecord, Timestamp>,
    /// When she left; `None` while she takes it.
    pub left_at: Personal<tags::LearningRecord, Option<Timestamp>>,
    /// Last seen there.
    pub last_active_at: Personal<tags::Engagement, Timestamp>,
    /// When every lesson was completed.
    pub completed_at: Personal<tags::LearningRecord, Option<Timestamp>>,
    /// Time spent in the course, in seconds.
    pub seconds: Personal<tags::Engagement, i64>,
    /// The sum of the progress of its lessons, in millionths.
    pub progress_sum: Personal<tags::LearningRecord, i64>,
    /// What the policy goes by.
    pub tenure: Tenure,
}

impl Enrolment {
    /// What identifies it.
    pub fn key(&self) -> (AccountId, CourseId) {
        (self.learner_id, self.course_id)
    }
}

/// Where a learner was last: what the interface offers her to go on with.
#[derive(Clone, Copy, Debug)]
pub struct LeftOff {
    /// In which course.
    pub course_id: CourseId,
    /// In which of its lessons.
    pub lesson_id: LessonId,
    /// Where in it, in seconds from its start.
    pub position: i64,
    /// When.
    pub at: Timestamp,
}

/// A learner in a lesson.
#[derive(Clone, Debug)]
pub struct LessonProgress {
    /// Which lesson.
    pub lesson_id: LessonId,
    /// Time spent, in seconds.
    pub seconds: Personal<tags::Engagement, i64>,
    /// Where she left off, in seconds from the lesson's start.
    pub position: Personal<tags::Engagement, i64>,
    /// How far she is.
    pub progress: Personal<tags::LearningRecord, Progress>,
    /// When it was completed.
    pub completed_at: Personal<tags::LearningRecord, Option<Timestamp>>,
}

impl LessonProgress {
    /// Of a lesson that was never opened.
    pub fn none(lesson_id: LessonId) -> Self {
        Self {
            lesson_id,
            seconds: 0.into(),
            position: 0.into(),
            progress: Progress::NONE.into(),
            completed_at: None.into(),
        }
    }
}

stored_enum! {
    /// How far along a learner's time in a course is.
    pub enum EnrolmentState {
        /// She takes it.
        Active = "ACTIVE",
        /// She has completed every lesson.
        Completed = "COMPLETED",
        /// She has left it.
        Left = "LEFT",
    }
}

/// How a class is ordered. Each learner's place tells of her what the order goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LearnerOrder {
    /// The latest enrolment first.
    EnrolledAt,
    /// The least progress first.
    Progress,
    /// Those who have been away the longest first.
    LastActiveAt,
}

impl LearnerOrder {
    /// The category of what the order goes by.
    pub const fn category(self) -> Category {
        match self {
            Self::EnrolledAt | Self::Progress => Category::LearningRecord,
            Self::LastActiveAt => Category::Engagement,
        }
    }

    /// Whether small keys come first.
    pub const fn is_ascending(self) -> bool {
        !matches!(self, Self::EnrolledAt)
    }
}

/// What a learner's client reports.
#[derive(Clone, Copy, Debug)]
pub struct Activity {
    /// Which lesson.
    pub lesson_id: LessonId,
    /// Seconds spent since the last report.
    pub seconds: i64,
    /// Where she is, in seconds from the lesson's start.
    pub position: Option<i64>,
    /// Whether she says that the lesson is done.
    pub completed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_whole_only_when_completed() {
        assert_eq!(Progress::of_lesson(false, 0, Some(600)), Progress::NONE);
        assert_eq!(Progress::of_lesson(false, 300, Some(600)).millionths(), 500_000);
        assert!(Progress::of_lesson(false, 600, Some(600)) < Progress::WHOLE);
        assert!(Progress::of_lesson(false, i64::MAX, Some(1)) < Progress::WHOLE);
        assert_eq!(Progress::of_lesson(false, 300, None), Progress::NONE);
        assert_eq!(Progress::of_lesson(true, 0, None), Progress::WHOLE);
    }

    #[test]
    fn a_course_is_whole_exactly_when_every_lesson_is() {
        for lessons in 1..=100 {
            let all = Progress::sum(std::iter::repeat_n(Progress::WHOLE, lessons));
            assert_eq!(Progress::mean(all, lessons as i64), Progress::WHOLE);
            assert!(Progress::mean(all - 1, lessons as i64) < Progress::WHOLE);
        }
        assert_eq!(Progress::mean(5_000_000, 0), Progress::NONE);
        assert_eq!(Progress::mean(5_000_000, 2), Progress::WHOLE, "a lesson fewer than before");
    }
}
