//! How questions are made from interactions.

use serde::Serialize;

use super::Question;
use crate::{Interaction, Interactions};

/// How questions are made from interactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// The last choice of every learner with three or more is held out. It flatters: the answer is
    /// mostly the next lesson of the same sitting, and the training data reaches past it.
    LeaveLastOut,
    /// The model is frozen where 80 % of the interactions are past. Every later one of a learner
    /// with an earlier one is a question, with her history up to then. Most of these learners are
    /// not in the training data.
    Rolling,
    /// The same cut; only the first choice after it of each learner who was there before.
    FirstReturn,
}

impl Protocol {
    /// What it is called in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeaveLastOut => "leave last out",
            Self::Rolling => "rolling",
            Self::FirstReturn => "first return",
        }
    }

    /// The histories to train on and the questions to ask.
    pub(super) fn cut(self, interactions: &Interactions) -> (Vec<&[Interaction]>, Vec<Question<'_>>) {
        let (mut train, mut questions) = (Vec::new(), Vec::new());
        let freeze = freeze(interactions);
        for (_, history) in interactions.iter() {
            let kept = match self {
                Self::LeaveLastOut if history.len() < 3 => history.len(),
                Self::LeaveLastOut => history.len() - 1,
                Self::Rolling | Self::FirstReturn => history.partition_point(|row| row.at < freeze),
            };
            if kept > 0 {
                train.push(&history[..kept]);
            }
            let asked = match self {
                Self::Rolling => kept.max(1)..history.len(),
                Self::LeaveLastOut | Self::FirstReturn if kept == 0 => 0..0,
                Self::LeaveLastOut | Self::FirstReturn => kept..history.len().min(kept + 1),
            };
            questions.extend(asked.map(|at| Question {
                history: &history[..at],
                now: history[at].at,
                answer: history[at].course,
            }));
        }
        (train, questions)
    }
}

/// The time before which 80 % of the interactions lie.
fn freeze(interactions: &Interactions) -> i64 {
    let mut times: Vec<i64> = interactions.iter().flat_map(|(_, h)| h).map(|row| row.at).collect();
    times.sort_unstable();
    times.get(times.len() * 4 / 5).copied().unwrap_or(0)
}
