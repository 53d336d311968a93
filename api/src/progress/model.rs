//! What a learner does in a course.

use crate::{
    access::{Category, Permit, Personal, Tenure, tags},
    db::stored_enum,
    ids::{AccountId, CourseId, LessonId},
    time::Timestamp,
};

/// Progress, exact: millionths of the whole. What it means is said in [`definition`](super::definition).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Progress(i64);

impl Progress {
    /// Nothing yet.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const WHOLE: Self = Self(1_000_000);

    /// The progress of a lesson whose rule is to see it to its end.
    pub fn of_lesson(completed: bool, furthest: i64, length: Option<i64>) -> Self {
        if completed { Self::WHOLE } else { Self::below_whole(furthest, length) }
    }

    /// The share of what is needed that was reached, below the whole: only what is completed is whole.
    pub fn below_whole(reached: i64, needed: Option<i64>) -> Self {
        match needed {
            Some(needed) if needed > 0 => {
                let millionths = i128::from(reached.max(0)) * 1_000_000 / i128::from(needed);
                Self(millionths.min(999_999) as i64)
            }
            _ => Self::NONE,
        }
    }

    /// The progress of a course: the mean over its lessons, and the whole once it was completed. Everything that shows or uses
    /// somebody's progress in a course gets it here.
    pub fn of_course(completed: bool, sum: i64, lessons: i64) -> Self {
        if completed { Self::WHOLE } else { Self::mean(sum, lessons) }
    }

    /// The share of a lesson, 0..=1, that an imported record reports.
    pub(crate) fn reported(share: f64) -> Self {
        Self((share * 1_000_000.0).clamp(0.0, 1_000_000.0) as i64)
    }

    /// The nearest to a share, 0..=1.
    pub fn nearest(share: f64) -> Self {
        Self((share * 1_000_000.0).round().clamp(0.0, 1_000_000.0) as i64)
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
    /// Grows with each change of what she did in its lessons.
    pub(super) record_version: i64,
}

/// Whose record in which course, as it was when the enrolment was read, or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RecordKey {
    pub(super) of: (AccountId, CourseId),
    pub(super) version: i64,
}

impl Enrolment {
    /// What finds what she did in its lessons.
    pub(crate) fn record_key(&self) -> RecordKey {
        RecordKey { of: self.key(), version: self.record_version }
    }

    /// What identifies it.
    pub fn key(&self) -> (AccountId, CourseId) {
        (self.learner_id, self.course_id)
    }

    /// The progress in the course, which has so many lessons: the same number for everybody who may see it.
    pub fn progress(&self, lessons: i64, permit: Permit<tags::LearningRecord>) -> Progress {
        let (completed, sum) = (self.completed_at.open(permit).is_some(), *self.progress_sum.open(permit));
        Progress::of_course(completed, sum, lessons)
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
    /// The version of its content that she saw last; `None` if she never opened it.
    pub content_version: Personal<tags::LearningRecord, Option<i64>>,
    /// What she scored, in millionths.
    pub score: Personal<tags::Assessment, Option<i64>>,
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
            content_version: None.into(),
            score: None.into(),
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

/// What a learner's client reports: a beat. Only the lesson and the seconds are needed.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Which lesson.
    pub lesson_id: LessonId,
    /// Seconds spent since the last report.
    pub seconds: i64,
    /// Where she is, in seconds from the lesson's start.
    pub position: Option<i64>,
    /// Whether she says that the lesson is done.
    pub completed: bool,
    /// When the seconds ended, by the client's clock; `None` for now.
    pub at: Option<Timestamp>,
    /// When the client's session began, by its clock.
    pub since: Option<Timestamp>,
    /// The tab or device, where there may be several.
    pub session: Option<String>,
    /// What the client calls this report, so that it counts once however often it is sent.
    pub key: Option<String>,
    /// The version of the lesson's content that she sees; `None` for the present one.
    pub content_version: Option<i64>,
}

impl Activity {
    /// Seconds spent with a lesson up to now.
    pub fn now(lesson_id: LessonId, seconds: i64) -> Self {
        Self {
            lesson_id,
            seconds,
            position: None,
            completed: false,
            at: None,
            since: None,
            session: None,
            key: None,
            content_version: None,
        }
    }
}

stored_enum! {
    /// Why some of the seconds that were reported do not count, or why a report is marked.
    pub enum CapReason {
        /// They were more than had passed since the report before, in the same session.
        SinceLastBeat = "SINCE_LAST_BEAT",
        /// They were more than had passed since the session or the enrolment began.
        SinceBegin = "SINCE_BEGIN",
        /// They ended in the future, by a clock that is a little ahead: they were taken to end when they came.
        Future = "FUTURE",
    }
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The course of the lesson.
    pub course_id: CourseId,
    /// The seconds that count. What another session reported of the same time is counted with it, once.
    pub counted: i64,
    /// The seconds that were reported and do not count.
    pub capped: i64,
    /// Why, if it is marked.
    pub reason: Option<CapReason>,
    /// Whether it had been recorded before, and changed nothing now.
    pub replayed: bool,
}

/// A report that is marked.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// When its seconds ended.
    pub at: Timestamp,
    /// Of which lesson.
    pub lesson_id: LessonId,
    /// How many seconds were reported.
    pub seconds: i64,
    /// How many of them do not count.
    pub capped: i64,
    /// Why.
    pub reason: CapReason,
}

/// What else is known of an enrolment.
#[derive(Clone, Debug, Default)]
pub struct EnrolmentNotes {
    /// Up to which version of the course's content she has taken notice of what changed.
    pub seen_content: Personal<tags::LearningRecord, Option<i64>>,
    /// How many reported seconds do not count.
    pub capped_seconds: Personal<tags::Engagement, i64>,
}

/// A change of what learners find in a course.
#[derive(Clone, Debug)]
pub struct ContentChange {
    /// The version of the course's content that it made.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// The lessons that came.
    pub added: Vec<LessonId>,
    /// The lessons that went.
    pub removed: Vec<LessonId>,
}

/// Why a learner's progress in a course is another number than it was.
#[derive(Clone, Debug)]
pub struct ProgressChange {
    /// The change of the course.
    pub change: ContentChange,
    /// Her progress just before it.
    pub before: Progress,
    /// Her progress just after it.
    pub now: Progress,
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
