//! Why a course stands in the list, for people and for programs.

use serde::{Deserialize, Serialize};

use crate::Catalogue;

/// What a reason rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ReasonKind {
    /// Many learners took it.
    Popular,
    /// Many learners took it lately.
    PopularNow,
    /// It is often taken after a course of the history.
    TakenNext,
    /// It is taken by the same learners as courses of the history.
    SimilarTo,
    /// The learner spent time on its topics.
    TimeOnTopic,
    /// Those who take it complete it more than is usual.
    CompletionRate,
    /// It has a topic the learner named as a goal.
    Goal,
    /// Its level fits what the learner took.
    NextLevel,
    /// The learner took what should be taken before.
    PrerequisitesMet,
    /// It is new, or has proven itself.
    Freshness,
    /// It is about as long as what the learner takes.
    Length,
    /// It comes soon after the learner's latest course in the catalogue.
    NextInCatalogue,
    /// She is clearly more likely to complete it than learners complete courses at all.
    LikelyToComplete,
    /// She liked a course like it.
    Liked,
    /// Many learners with the same interests took it.
    Cohort,
}

impl ReasonKind {
    /// The name as programs read it, such as `TAKEN_NEXT`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Popular => "POPULAR",
            Self::PopularNow => "POPULAR_NOW",
            Self::TakenNext => "TAKEN_NEXT",
            Self::SimilarTo => "SIMILAR_TO",
            Self::TimeOnTopic => "TIME_ON_TOPIC",
            Self::CompletionRate => "COMPLETION_RATE",
            Self::Goal => "GOAL",
            Self::NextLevel => "NEXT_LEVEL",
            Self::PrerequisitesMet => "PREREQUISITES_MET",
            Self::Freshness => "FRESHNESS",
            Self::Length => "LENGTH",
            Self::NextInCatalogue => "NEXT_IN_CATALOGUE",
            Self::LikelyToComplete => "LIKELY_TO_COMPLETE",
            Self::Liked => "LIKED",
            Self::Cohort => "COHORT",
        }
    }
}

impl std::fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason: what it rests on and how much it gave to the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What it rests on.
    pub kind: ReasonKind,
    /// Its part of the score (log odds), above zero.
    pub contribution: f64,
    /// Courses of the learner's history that speak for it, strongest first, three at most.
    pub courses: Vec<u32>,
    /// Topics that speak for it.
    pub topics: Vec<u32>,
    /// Seconds the learner spent on those topics, where it was measured.
    pub seconds: Option<f64>,
    /// Completion rate of the course, or how likely she completes it, 0..=1.
    pub rate: Option<f64>,
    /// How many learners it rests on; `None` below the smallest number that may be shown.
    pub learners: Option<u32>,
}

impl Reason {
    /// A sentence for the learner.
    #[must_use]
    pub fn sentence(&self, catalogue: &Catalogue) -> String {
        let course = || quote(catalogue.title(self.courses.first().copied().unwrap_or(u32::MAX)));
        let topics = || {
            let names: Vec<_> = self.topics.iter().map(|&t| catalogue.topic(t)).collect();
            names.join(" and ")
        };
        match self.kind {
            ReasonKind::Popular => match self.learners {
                Some(n) => format!("{n} learners took it."),
                None => "Learners take it often.".to_owned(),
            },
            ReasonKind::Cohort => match self.learners {
                Some(n) => format!("{n} learners with interests like yours took it."),
                None => "Learners with interests like yours take it.".to_owned(),
            },
            ReasonKind::PopularNow => "It is among the courses started most of late.".to_owned(),
            ReasonKind::TakenNext if self.courses.is_empty() => "Learners often take it next.".to_owned(),
            ReasonKind::TakenNext => {
                format!("Learners who took {} often take this next.", course())
            }
            ReasonKind::SimilarTo if self.courses.is_empty() => "It goes with what you took.".to_owned(),
            ReasonKind::SimilarTo => format!("Learners who took {} also took this.", course()),
            ReasonKind::TimeOnTopic => match self.seconds {
                Some(s) if s >= 60.0 => format!("You spent {} on {}.", duration(s), topics()),
                _ => format!("You looked at {}.", topics()),
            },
            ReasonKind::CompletionRate => match self.rate {
                Some(rate) => format!("Learners get through {:.0} % of it, more than is usual.", rate * 100.0),
                None => "Learners get through more of it than is usual.".to_owned(),
            },
            ReasonKind::Goal if self.topics.len() > 1 => format!("It serves your goals: {}.", topics()),
            ReasonKind::Goal => format!("It serves your goal: {}.", topics()),
            ReasonKind::NextLevel => "Its level fits what you took.".to_owned(),
            ReasonKind::PrerequisitesMet => format!("You took {}, which it builds on.", course()),
            ReasonKind::Freshness => "It is new in the catalogue.".to_owned(),
            ReasonKind::Length => "It is about as long as the courses you take.".to_owned(),
            ReasonKind::NextInCatalogue => format!("It comes soon after {} in the catalogue.", course()),
            ReasonKind::LikelyToComplete => "You are more likely to complete it than is usual.".to_owned(),
            ReasonKind::Liked => format!("You liked {}.", course()),
        }
    }
}

pub(crate) fn quote(title: &str) -> String {
    format!("'{title}'")
}

fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round();
    if minutes < 90.0 { format!("{minutes:.0} min") } else { format!("{:.0} h", seconds / 3600.0) }
}
