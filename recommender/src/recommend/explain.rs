//! Why a course stands where it does: the score's parts, and those that make a reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Contribution, GONE, Recommendation, Recommender};
use crate::candidates::Known;
use crate::engine::{Ask, Evidence};
use crate::features::{FACTS, Learner, PER_ENGINE};
use crate::reasons::{Reason, ReasonKind};

/// A course must have this share of the best course's popularity to be called popular.
const POPULAR: f32 = 0.05;
/// So many places further on the shelf is still soon after.
const SOON: u32 = 3;
/// A course is new for so long (seconds).
const NEW: i64 = 60 * 86_400;

impl Recommender {
    /// A course with its score taken apart.
    pub(super) fn explained(
        &self,
        known: &Known,
        ask: &Ask<'_>,
        learner: &Learner<'_>,
        slot: u32,
        row: &[f32],
        weights: &[f64],
    ) -> Recommendation {
        let inner = &*self.model.0;
        let mut contributions = Vec::new();
        let mut parts: BTreeMap<ReasonKind, Part> = BTreeMap::new();
        for (at, (&feature, weight)) in row.iter().zip(weights).enumerate() {
            let value = weight * f64::from(feature);
            if value == 0.0 {
                continue;
            }
            contributions.push(Contribution { feature: Arc::clone(&inner.names[at]), value });
            let engine = known.engines.get(at / PER_ENGINE);
            let kind = match engine {
                Some(engine) => engine.scorer.kind(),
                None => FACTS[at - known.engines.len() * PER_ENGINE].1,
            };
            let part = parts.entry(kind).or_default();
            part.value += value;
            if engine.is_some() && value > part.best.map_or(0.0, |b| b.1) {
                part.best = Some((at / PER_ENGINE, value));
            }
        }
        let goal = self.goal(slot, ask.goals);
        if goal != 0.0 {
            contributions.push(Contribution { feature: Arc::from("goal"), value: goal });
            parts.entry(ReasonKind::Goal).or_default().value = goal;
        }
        let mut parts: Vec<(ReasonKind, Part)> = parts.into_iter().collect();
        parts.retain(|(_, part)| part.value > 0.0);
        parts.sort_by(|a, b| b.1.value.total_cmp(&a.1.value).then(a.0.cmp(&b.0)));
        let case = Case { known, ask, learner, slot, row };
        let reasons = parts
            .iter()
            .filter_map(|(kind, part)| self.reason(&case, *kind, part))
            .take(inner.manners.reasons)
            .collect();
        Recommendation {
            course: self.course_of[slot as usize],
            score: contributions.iter().map(|c| c.value).sum(),
            contributions,
            reasons,
            completion: None,
            path: Vec::new(),
            explored: false,
            propensity: 1.0,
        }
    }

    /// The evidence for one kind of reason; none if its sentence would not be true.
    fn reason(&self, case: &Case<'_>, kind: ReasonKind, part: &Part) -> Option<Reason> {
        let inner = &*self.model.0;
        let Case { known, ask, learner, slot, row } = *case;
        let facts = self.content.facts(slot)?;
        let last = ask.history.last().and_then(|row| self.content.facts(row.course));
        let mut evidence = match part.best {
            Some((engine, _)) => known.engines[engine].scorer.explain(ask, slot),
            None => Evidence::default(),
        };
        let fact = |name: &str| {
            let at = FACTS.iter().position(|(fact, _)| *fact == name)?;
            row.get(known.engines.len() * PER_ENGINE + at).copied()
        };
        let is_true = match kind {
            ReasonKind::Popular | ReasonKind::PopularNow | ReasonKind::Cohort => {
                part.best.is_some_and(|(engine, _)| row[engine * PER_ENGINE] >= POPULAR)
            }
            ReasonKind::TakenNext | ReasonKind::SimilarTo => !evidence.courses.is_empty(),
            ReasonKind::TimeOnTopic => {
                let mut topics: Vec<(u32, f32)> = learner.topics(slot).collect();
                topics.sort_by(|a, b| b.1.total_cmp(&a.1));
                topics.truncate(2);
                let seconds: f32 = topics.iter().map(|t| t.1).sum();
                evidence.topics = topics.iter().map(|t| t.0).collect();
                evidence.seconds = (seconds > 0.0).then_some(f64::from(seconds));
                !evidence.topics.is_empty()
            }
            ReasonKind::CompletionRate => {
                evidence.learners = known.stats.measured.get(slot as usize).copied();
                evidence.rate = known.stats.completion.get(slot as usize).map(|&r| f64::from(r));
                let enough = evidence.learners.is_some_and(|n| n >= inner.manners.support);
                enough && known.stats.completion_lift(slot) > 0.0
            }
            ReasonKind::Goal => {
                let served = ask.goals.iter().copied().filter(|g| facts.topics.contains(g));
                evidence.topics = served.collect();
                !evidence.topics.is_empty()
            }
            ReasonKind::PrerequisitesMet => {
                let needed = facts.prerequisites.iter().copied();
                evidence.courses = needed.filter(|&p| learner.has(p)).collect();
                !evidence.courses.is_empty()
            }
            ReasonKind::NextInCatalogue => {
                evidence.courses = ask.history.last().map(|row| row.course).into_iter().collect();
                last.is_some_and(|last| (1..=SOON).any(|step| last.place + step == facts.place))
            }
            ReasonKind::Freshness => facts.published_at.is_some_and(|at| ask.now - at <= NEW),
            ReasonKind::NextLevel => facts.level.is_some() && fact("level_gap").is_some_and(|gap| gap > -1.0),
            // Within two thirds and one and a half of the usual length.
            ReasonKind::Length => facts.seconds.is_some() && fact("length_gap").is_some_and(|gap| gap > -0.4),
        };
        if !is_true {
            return None;
        }
        evidence.courses.retain(|&slot| self.course_of[slot as usize] != GONE);
        evidence.courses.truncate(3);
        let course_of = |&slot: &u32| self.course_of[slot as usize];
        Some(Reason {
            kind,
            contribution: part.value,
            courses: evidence.courses.iter().map(course_of).collect(),
            topics: evidence.topics,
            seconds: evidence.seconds,
            rate: evidence.rate,
            learners: evidence.learners.filter(|&n| n >= inner.manners.support),
        })
    }
}

/// A course that is being explained.
#[derive(Clone, Copy)]
struct Case<'a> {
    known: &'a Known,
    ask: &'a Ask<'a>,
    learner: &'a Learner<'a>,
    slot: u32,
    row: &'a [f32],
}

/// What the features of one kind of reason gave, and the engine that gave most of it.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    value: f64,
    best: Option<(usize, f64)>,
}
