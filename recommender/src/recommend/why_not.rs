//! Why a course is not in a learner's list.

use super::reading::{Ranked, Reading, latest};
use super::served::Placed;
use super::{FeedbackKind, Query, Recommendation, Recommender};
use crate::Catalogue;
use crate::reasons::quote;

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
        /// Its place among all that were weighed, from 1, behind the list.
        place: usize,
        /// What its score lacks to the last course of the list (log odds); zero where
        /// nothing but its prerequisites, or a place given to exploration, keeps it out.
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
        let Some(&slot) = self.slot_of.get(course as usize) else {
            return WhyNot::Barred(Obstacle::Unknown);
        };
        let history = self.history(query.history);
        if history.iter().any(|row| row.course == slot) {
            return WhyNot::Barred(Obstacle::Taken);
        }
        let word = latest(query.feedback).into_iter().find(|word| word.0 == course);
        match word.map(|word| word.1) {
            Some(FeedbackKind::Dismiss) => return WhyNot::Barred(Obstacle::Dismissed),
            Some(FeedbackKind::LessLikeThis) => return WhyNot::Barred(Obstacle::LessLikeThis),
            Some(FeedbackKind::AlreadyKnow) => return WhyNot::Barred(Obstacle::AlreadyKnown),
            Some(FeedbackKind::Like) | None => {}
        }
        if query.exclude.contains(&course) {
            return WhyNot::Barred(Obstacle::Excluded);
        }
        let list = self.recommend(query);
        if let Some(at) = list.iter().position(|item| item.course == course) {
            return WhyNot::Listed { place: at + 1 };
        }
        let ask = self.asked(&history, query);
        let grown = self.grown();
        self.outranked(&self.read(self.known(&grown), ask, query), query, slot)
    }

    /// Weighs the course beside all others, even where its prerequisites keep it out.
    fn outranked(&self, reading: &Reading<'_>, query: &Query<'_>, slot: u32) -> WhyNot {
        let closed = self.closed(query);
        let early = |other: u32| other == slot || self.may_come_early(reading, other);
        let open = |other: u32| self.is_open(&closed, other) && early(other);
        let mut desk = self.desk();
        let count = self.model.0.manners.candidates.max(query.limit);
        let order = self.rank(reading, count, &mut desk, &open);
        let spread = if self.alone(query) { 0.0 } else { self.model.0.manners.spread };
        // A course that only its prerequisites keep out must not take a place from the others here.
        let others: Vec<Ranked> = order.iter().filter(|ranked| ranked.slot != slot).copied().collect();
        let (chosen, rest) = self.spread(&others, query.limit, spread);
        let own = order.iter().find(|ranked| ranked.slot == slot).copied();
        let answer = own.map_or(WhyNot::NoEvidence, |own| {
            let likest = chosen.iter().map(|placed| self.alike_topics(placed.slot, slot)).fold(0.0, f64::max);
            let own = Placed { penalty: -spread * likest, ..Placed::exactly(own, 0.0) };
            let above = rest.iter().filter(|placed| placed.score() > own.score()).count();
            let last = chosen.last().map_or(own.score(), Placed::score);
            let course = own.ranked.map(|ranked| self.explained(reading, &ranked, desk.row(ranked.at), &own));
            course.map_or(WhyNot::NoEvidence, |course| WhyNot::Outranked {
                place: chosen.len() + above + 1,
                gap: (last - own.score()).max(0.0),
                course: Box::new(course),
            })
        });
        self.put_back(desk);
        answer
    }
}

impl WhyNot {
    /// A sentence for the learner.
    #[must_use]
    pub fn sentence(&self, catalogue: &Catalogue) -> String {
        match self {
            Self::Listed { place } => format!("It is in your list, at place {place}."),
            Self::Barred(obstacle) => obstacle.sentence().to_owned(),
            Self::Outranked { place, course, .. } if course.path.is_empty() => {
                format!("Other courses fit you better: it stands at place {place}.")
            }
            Self::Outranked { place, course, .. } => {
                let path: Vec<_> = course.path.iter().map(|&before| quote(catalogue.title(before))).collect();
                format!("It builds on what you have not taken: {}. It stands at place {place}.", path.join(", then "))
            }
            Self::NoEvidence => "Nothing that you did, want or said leads to it.".to_owned(),
        }
    }
}

impl Obstacle {
    /// A sentence for the learner.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Taken => "You take it, or have taken it.",
            Self::Dismissed => "You dismissed it.",
            Self::LessLikeThis => "You asked for less like it.",
            Self::AlreadyKnown => "You said that you know it.",
            Self::Excluded => "It can't be taken now.",
            Self::Unknown => "There is no such course.",
        }
    }
}
