//! Answering: the next courses for a history, with reasons.

mod absorb;
mod explain;
mod feedback;
mod why_not;

use std::sync::{Arc, Mutex, PoisonError};

use crate::candidates::Desk;
use crate::content::Content;
use crate::engine::Ask;
use crate::features::{Learner, PER_ENGINE, situation};
use crate::interactions::{self, Interaction};
use crate::model::Inner;
use crate::ranker::{collapse, dot};
use crate::reasons::{Reason, ReasonKind};
use crate::{Catalogue, Model, ModelError};

pub use feedback::{DataUsed, Feedback, FeedbackKind};
pub use why_not::{Obstacle, WhyNot};

/// A slot whose course is no longer in the catalogue.
const GONE: u32 = u32::MAX;
/// Most courses that goals alone may propose.
const GOAL_COURSES: usize = 500;

/// A question: what next for this learner?
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    /// What she did so far, in any order. Rows that name no course of the catalogue or hold values
    /// out of range are passed over.
    pub history: &'a [Interaction],
    /// The time of asking (Unix seconds).
    pub now: i64,
    /// Topics (indices in the catalogue) she wants to learn about.
    pub goals: &'a [u32],
    /// Courses never to return, such as dismissed ones. Those of the history never are.
    pub exclude: &'a [u32],
    /// What she said of courses, in any order; the latest word on a course counts.
    pub feedback: &'a [Feedback],
    /// Draws what is explored: the same seed gives the same list.
    pub seed: u64,
    /// Rank by the engine of this label alone; the whole hybrid where it is `None` or not in the model.
    pub only: Option<&'a str>,
    /// How many courses at most.
    pub limit: usize,
}

/// A feature's part of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// Name of the feature, such as `rules.log`.
    pub feature: Arc<str>,
    /// What it adds (log odds).
    pub value: f64,
}

/// A course to take next.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Index in the catalogue.
    pub course: u32,
    /// Log odds up to a constant: only differences within one list mean something.
    pub score: f64,
    /// What each feature gave; they sum to the score. Zero ones are left out.
    pub contributions: Vec<Contribution>,
    /// The strongest grounds, strongest first.
    pub reasons: Vec<Reason>,
    /// How likely she is to complete it, 0..=1; `None` where no completion was ever measured.
    pub completion: Option<f64>,
    /// Courses to take first, in this order, since this one requires them; empty if nothing is missing.
    pub path: Vec<u32>,
    /// Whether it stands here to find out, not because it ranked here.
    pub explored: bool,
    /// The probability (0..=1) with which this list shows this course in this place; 1 without exploration.
    pub propensity: f64,
}

/// A model at work on a catalogue. Shared between threads; answering needs no lock for long.
pub struct Recommender {
    model: Model,
    content: Content,
    /// Slot → index in the catalogue, or [`GONE`].
    course_of: Vec<u32>,
    /// Index in the catalogue → slot.
    slot_of: Vec<u32>,
    cold: Vec<f64>,
    desks: Mutex<Vec<Desk>>,
}

impl std::fmt::Debug for Recommender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recommender")
            .field("model", &self.model)
            .field("courses", &self.slot_of.len())
            .finish_non_exhaustive()
    }
}

impl Recommender {
    pub(crate) fn new(model: Model, catalogue: &Catalogue) -> Result<Self, ModelError> {
        let keys = &model.0.keys;
        // Slots are the model's courses in its order, then the courses that are new.
        let found = keys.iter().map(|key| catalogue.index_of(key));
        let mut course_of: Vec<u32> = found.map(|c| c.unwrap_or(GONE)).collect();
        let known = course_of.iter().filter(|&&c| c != GONE).count();
        if known == 0 && !keys.is_empty() && !catalogue.is_empty() {
            return Err(ModelError::OtherCatalogue { courses: keys.len() });
        }
        let mut slot_of = vec![GONE; catalogue.len()];
        for (slot, &course) in (0_u32..).zip(&course_of) {
            if let Some(place) = slot_of.get_mut(course as usize) {
                *place = slot;
            }
        }
        for (course, slot) in (0_u32..).zip(&mut slot_of) {
            if *slot == GONE {
                *slot = course_of.len() as u32;
                course_of.push(course);
            }
        }
        Ok(Self {
            content: Content::ordered(catalogue, &course_of),
            cold: cold(&model.0),
            model,
            course_of,
            slot_of,
            desks: Mutex::new(Vec::new()),
        })
    }

    /// The model that answers.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The best courses for a learner, best first: never one of her history or of `exclude`.
    /// Someone without a history gets what is popular now, and what serves her goals.
    #[must_use]
    pub fn recommend(&self, query: &Query<'_>) -> Vec<Recommendation> {
        let history = self.history(query.history);
        let ask = Ask { history: &history, now: query.now, content: &self.content };
        let mut closed = vec![false; self.content.len()];
        for &course in query.exclude {
            if let Some(&slot) = self.slot_of.get(course as usize) {
                closed[slot as usize] = true;
            }
        }
        for word in query.feedback.iter().filter(|word| word.kind != FeedbackKind::Like) {
            if let Some(&slot) = self.slot_of.get(word.course as usize) {
                closed[slot as usize] = true;
            }
        }
        let open = |slot: u32| self.course_of[slot as usize] != GONE && !closed[slot as usize];
        let mut desk = self.desk();
        let list = self.ranked(&ask, query, &open, &mut desk);
        self.put_back(desk);
        list
    }

    fn ranked(
        &self,
        ask: &Ask<'_>,
        query: &Query<'_>,
        open: &impl Fn(u32) -> bool,
        desk: &mut Desk,
    ) -> Vec<Recommendation> {
        let inner = &*self.model.0;
        let learner = Learner::new(*ask, &inner.stats);
        let mut extra: Vec<u32> =
            query.goals.iter().flat_map(|&topic| self.content.of_topic(topic)).copied().take(GOAL_COURSES).collect();
        if let Some(next) = self.next_on_shelf(ask) {
            extra.push(next);
        }
        let count = inner.manners.candidates.max(query.limit);
        desk.gather(&inner.engines, &learner, ask, count, &extra, open);
        let weights = self.weights(ask);
        let mut order: Vec<(usize, f64)> = (0..desk.courses.len())
            .map(|at| {
                let goal = self.goal(desk.courses[at], query.goals);
                (at, dot(&weights, desk.row(at)) + goal)
            })
            .collect();
        let course_of = |at: usize| self.course_of[desk.courses[at] as usize];
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| course_of(a.0).cmp(&course_of(b.0))));
        order.truncate(query.limit);
        let explain = |&(at, _): &(usize, f64)| {
            let slot = desk.courses[at];
            self.explained(ask, &learner, slot, desk.row(at), &weights, query.goals)
        };
        let mut list: Vec<Recommendation> = order.iter().map(explain).collect();
        self.fill(&mut list, &learner, query.limit, open);
        list
    }

    /// The weights of the features for this question.
    pub(crate) fn weights(&self, ask: &Ask<'_>) -> Vec<f64> {
        let inner = &*self.model.0;
        if ask.history.is_empty() {
            return self.cold.clone();
        }
        let situation = situation(ask, &inner.stats);
        collapse(&inner.weights, &situation, inner.names.len())
    }

    pub(crate) fn next_on_shelf(&self, ask: &Ask<'_>) -> Option<u32> {
        let place = self.content.facts(ask.history.last()?.course)?.place as usize;
        self.content.shelf().get(place + 1).copied()
    }

    /// A history with slots for courses, oldest first, each course once.
    pub(crate) fn history(&self, rows: &[Interaction]) -> Vec<Interaction> {
        let mut history: Vec<Interaction> = rows
            .iter()
            .filter(|row| interactions::check(row, self.slot_of.len()).is_ok())
            .map(|row| Interaction { course: self.slot_of[row.course as usize], ..*row })
            .collect();
        history.sort_by_key(|row| row.at);
        let mut seen = vec![false; self.content.len()];
        history.retain(|row| !std::mem::replace(&mut seen[row.course as usize], true));
        history
    }

    pub(crate) fn desk(&self) -> Desk {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.pop().unwrap_or_else(|| Desk::new(self.model.0.engines.len(), self.content.len()))
    }

    pub(crate) fn put_back(&self, desk: Desk) {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.push(desk);
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// The slot of a course; `None` past the end of the catalogue.
    pub(crate) fn slot(&self, course: u32) -> Option<u32> {
        self.slot_of.get(course as usize).copied()
    }

    /// Whether a slot's course is still in the catalogue.
    pub(crate) fn is_listed(&self, slot: u32) -> bool {
        self.course_of.get(slot as usize).is_some_and(|&course| course != GONE)
    }

    /// What the learner's goals add: the boost times the share of goals the course serves, or all
    /// of it for one that serves any, whichever is less surprising: any.
    fn goal(&self, slot: u32, goals: &[u32]) -> f64 {
        let topics = self.content.topics(slot);
        if goals.iter().any(|goal| topics.contains(goal)) { self.model.0.manners.goal_boost } else { 0.0 }
    }

    /// Where engines and goals propose too little, the rest in the order of level and catalogue:
    /// a young platform still has something to show. Their score is that of no evidence.
    fn fill(&self, list: &mut Vec<Recommendation>, learner: &Learner<'_>, limit: usize, open: &impl Fn(u32) -> bool) {
        if list.len() >= limit {
            return;
        }
        let listed: Vec<u32> = list.iter().map(|r| r.course).collect();
        let mut rest: Vec<u32> = (0..self.content.len() as u32)
            .filter(|&slot| open(slot) && !learner.has(slot))
            .filter(|&slot| !listed.contains(&self.course_of[slot as usize]))
            .collect();
        rest.sort_by_key(|&slot| {
            let level = self.content.facts(slot).and_then(|f| f.level).unwrap_or(1);
            (level, self.course_of[slot as usize])
        });
        let floor = list.iter().map(|r| r.score).fold(0.0, f64::min);
        for slot in rest.into_iter().take(limit - list.len()) {
            let no_evidence = Contribution { feature: Arc::from("no_evidence"), value: floor };
            list.push(Recommendation {
                course: self.course_of[slot as usize],
                score: floor,
                contributions: vec![no_evidence],
                reasons: Vec::new(),
                completion: None,
                path: Vec::new(),
                explored: false,
                propensity: 1.0,
            });
        }
    }
}

/// Weights for someone without a history: the engine of what is popular now, or of what is popular.
fn cold(inner: &Inner) -> Vec<f64> {
    let mut weights = vec![0.0; inner.names.len()];
    let of_kind = |kind| inner.engines.iter().rposition(|e| e.scorer.kind() == kind);
    let engine = of_kind(ReasonKind::PopularNow).or_else(|| of_kind(ReasonKind::Popular));
    if let Some(engine) = engine {
        weights[engine * PER_ENGINE] = 1.0;
    }
    weights
}
