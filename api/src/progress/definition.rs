//! The one definition of progress. What it means for people stands in docs/PROGRESS.md.
//!
//! **The definition, version 2.**
//!
//! - A lesson's progress is 1 when it is completed, and below 1 until then. What its author set as its rule completes it:
//!   - **VIEW**: the furthest position reached is the length, or the share of it that the author asks for; or the learner
//!     says that she has come to its end (a text has no positions). A lesson without a length is completed by opening it.
//!     Before that, progress is the furthest position over the position that is needed.
//!   - **TIME**: the time spent is the length, or the share of it. Before that, progress is the time over the time that is
//!     needed. Without a length there is no share to take, and the lesson is completed by hand.
//!   - **SCORE**: the score is the full one, or the share of it. Before that, progress is the best score over the score that
//!     is needed.
//!   - **HAND**: the learner says that it is done. Before that, progress is 0.
//! - What was reached is kept: progress in a lesson never falls, and what is completed stays completed, whatever the author
//!   changes.
//! - A module's and a course's progress is the mean over their published lessons, each counting the same; without lessons
//!   it is 0. So a course's progress is 1 exactly when every lesson is completed.
//! - A course that was completed stays completed, and its progress 1, when lessons are added later.
//!
//! All of it is counted in whole millionths, so sums are exact, and every path shows the same number.

use super::model::Progress;
use crate::courses::model::Completion;

/// The version of this definition. A client that keeps numbers can tell that they mean something else now.
pub const VERSION: i32 = 2;

/// By what a lesson is completed, with what its author set.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// By what.
    pub completion: Completion,
    /// The share of the length or of the score, in millionths; `None` for all of it.
    pub share: Option<i64>,
    /// The lesson's length in seconds.
    pub length: Option<i64>,
}

/// What a learner has reached in a lesson.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reached {
    /// Whether it is completed already.
    pub completed: bool,
    /// The furthest position, in seconds.
    pub furthest: i64,
    /// Time spent, in seconds.
    pub seconds: i64,
    /// The score, in millionths.
    pub score: Option<i64>,
}

impl Rule {
    /// The share that is asked for, in millionths.
    fn share(&self) -> i64 {
        self.share.unwrap_or(Progress::WHOLE.millionths()).clamp(1, Progress::WHOLE.millionths())
    }

    /// The seconds, as position or as time, that complete the lesson; `None` where it has no length.
    pub fn needed(&self) -> Option<i64> {
        let length = self.length.filter(|length| *length > 0)?;
        let whole = i128::from(Progress::WHOLE.millionths());
        Some(((i128::from(length) * i128::from(self.share()) + whole - 1) / whole) as i64)
    }

    /// Whether the learner's own word completes the lesson.
    pub fn takes_her_word(&self) -> bool {
        match self.completion {
            Completion::View | Completion::Hand => true,
            Completion::Time => self.needed().is_none(),
            Completion::Score => false,
        }
    }

    /// Whether what was reached completes the lesson, apart from what the learner says.
    pub fn is_met(&self, reached: &Reached) -> bool {
        match self.completion {
            Completion::View => self.needed().is_none_or(|needed| reached.furthest >= needed),
            Completion::Time => self.needed().is_some_and(|needed| reached.seconds >= needed),
            Completion::Score => reached.score.is_some_and(|score| score >= self.share()),
            Completion::Hand => false,
        }
    }

    /// The progress in the lesson.
    pub fn progress(&self, reached: &Reached) -> Progress {
        match self.completion {
            _ if reached.completed => Progress::WHOLE,
            Completion::View => Progress::below_whole(reached.furthest, self.needed()),
            Completion::Time => Progress::below_whole(reached.seconds, self.needed()),
            Completion::Score => Progress::below_whole(reached.score.unwrap_or(0), Some(self.share())),
            Completion::Hand => Progress::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(completion: Completion, share: Option<i64>, length: Option<i64>) -> Rule {
        Rule { completion, share, length }
    }

    #[test]
    fn a_lesson_is_completed_by_what_its_author_set_and_not_before() {
        let at = |furthest, seconds, score| Reached { completed: false, furthest, seconds, score };
        let nine_tenths = Some(900_000);
        for (rule, before, met) in [
            (rule(Completion::View, None, Some(420)), at(419, 9_999, None), at(420, 0, None)),
            (rule(Completion::View, nine_tenths, Some(420)), at(377, 9_999, None), at(378, 0, None)),
            (rule(Completion::Time, None, Some(420)), at(420, 419, None), at(0, 420, None)),
            (rule(Completion::Time, Some(333_333), Some(100)), at(100, 33, None), at(0, 34, None)),
            (rule(Completion::Score, Some(700_000), None), at(420, 420, Some(699_999)), at(0, 0, Some(700_000))),
            (rule(Completion::Score, None, None), at(0, 0, Some(999_999)), at(0, 0, Some(1_000_000))),
        ] {
            assert!(!rule.is_met(&before) && rule.progress(&before) < Progress::WHOLE, "{rule:?}");
            assert!(rule.is_met(&met), "{rule:?}");
        }
        assert!(rule(Completion::View, None, None).is_met(&at(0, 0, None)), "opened");
        assert!(!rule(Completion::Hand, None, Some(1)).is_met(&at(9, 9, Some(1_000_000))));
    }

    #[test]
    fn her_word_counts_where_nothing_else_could_tell() {
        assert!(rule(Completion::View, None, Some(300)).takes_her_word());
        assert!(rule(Completion::Hand, None, None).takes_her_word());
        assert!(!rule(Completion::Time, None, Some(300)).takes_her_word());
        assert!(rule(Completion::Time, None, None).takes_her_word(), "else it could never be completed");
        assert!(!rule(Completion::Score, None, None).takes_her_word());
    }

    #[test]
    fn progress_goes_by_the_rule() {
        let reached = Reached { completed: false, furthest: 210, seconds: 105, score: Some(350_000) };
        let of = |completion, share| rule(completion, share, Some(420)).progress(&reached).millionths();
        assert_eq!(of(Completion::View, None), 500_000);
        assert_eq!(of(Completion::View, Some(500_000)), 999_999, "reached, and not yet completed");
        assert_eq!(of(Completion::Time, None), 250_000);
        assert_eq!(of(Completion::Score, Some(700_000)), 500_000);
        assert_eq!(of(Completion::Hand, None), 0);
    }
}
