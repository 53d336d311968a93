//! Why a course stands where it does: the score's parts, and those that make a reason.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Contribution, GONE, Recommendation, Recommender};
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
        ask: &Ask<'_>,
        learner: &Learner<'_>,
        slot: u32,
        row: &[f32],
        weights: &[f64],
        goals: &[u32],
    ) -> Recommendation {
        let inner = &*self.model.0;
        let mut contributions = Vec::new();
        let mut parts: HashMap<ReasonKind, Part> = HashMap::new();
        for (at, (&feature, weight)) in row.iter().zip(weights).enumerate() {
            let value = weight * f64::from(feature);
            if value == 0.0 {
                continue;
            }
            contributions.push(Contribution { feature: Arc::clone(&inner.names[at]), value });
            let engine = inner.engines.get(at / PER_ENGINE);
            let kind = match engine {
                Some(engine) => engine.scorer.kind(),
                None => FACTS[at - inner.engines.len() * PER_ENGINE].1,
            };
            let part = parts.entry(kind).or_default();
            part.value += value;
            if engine.is_some() && value > part.best.map_or(0.0, |b| b.1) {
                part.best = Some((at / PER_ENGINE, value));
            }
        }
        let goal = self.goal(slot, goals);
        if goal != 0.0 {
            contributions.push(Contribution { feature: Arc::from("goal"), value: goal });
            parts.entry(ReasonKind::Goal).or_default().value = goal;
        }
        let mut parts: Vec<(ReasonKind, Part)> = parts.into_iter().collect();
        parts.retain(|(_, part)| part.value > 0.0);
        parts.sort_by(|a, b| b.1.value.total_cmp(&a.1.value).then(a.0.cmp(&b.0)));
        let reasons = parts
            .iter()
            .filter_map(|(kind, part)| self.reason(ask, learner, slot, *kind, part, goals))
            .take(inner.manners.reasons)
            .collect();
        Recommendation {
            course: self.course_of[slot as usize],
            score: contributions.iter().map(|c| c.value).sum(),
            contributions,
            reasons,
        }
    }

    /// The evidence for one kind of reason; none if it would not be true or says nothing.
    fn reason(
        &self,
        ask: &Ask<'_>,
        learner: &Learner<'_>,
        slot: u32,
        kind: ReasonKind,
        part: &Part,
        goals: &[u32],
    ) -> Option<Reason> {
        let inner = &*self.model.0;
        let facts = self.content.facts(slot)?;
        let mut evidence = match part.best {
            Some((engine, _)) => inner.engines[engine].scorer.explain(ask, slot),
            None => Evidence::default(),
        };
        match kind {
            ReasonKind::TakenNext | ReasonKind::SimilarTo if evidence.courses.is_empty() => {
                return None;
            }
            ReasonKind::TimeOnTopic => {
                let mut topics: Vec<(u32, f32)> = learner.topic_seconds(slot).collect();
                topics.sort_by(|a, b| b.1.total_cmp(&a.1));
                topics.truncate(2);
                let seconds: f32 = topics.iter().map(|t| t.1).sum();
                evidence.topics = topics.iter().map(|t| t.0).collect();
                evidence.seconds = (seconds > 0.0).then_some(f64::from(seconds));
                if evidence.topics.is_empty() {
                    return None;
                }
            }
            ReasonKind::CompletionRate => {
                let measured = inner.stats.measured.get(slot as usize).copied();
                let measured = measured.filter(|&n| n >= inner.manners.support)?;
                if inner.stats.completion_lift(slot) <= 0.0 {
                    return None;
                }
                evidence.rate = inner.stats.completion.get(slot as usize).map(|&r| f64::from(r));
                evidence.learners = Some(measured);
            }
            ReasonKind::Goal => {
                let served = goals.iter().copied().filter(|g| facts.topics.contains(g));
                evidence.topics = served.collect();
            }
            ReasonKind::PrerequisitesMet => {
                let met = facts.prerequisites.iter().copied();
                evidence.courses = met.filter(|&p| learner.has(p)).collect();
                if evidence.courses.is_empty() {
                    return None;
                }
            }
            ReasonKind::NextInCatalogue => {
                evidence.courses = ask.history.last().map(|row| row.course).into_iter().collect();
            }
            ReasonKind::Freshness => {
                let published = facts.published_at?;
                if ask.now - published > 60 * 86_400 {
                    return None;
                }
            }
            _ => {}
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

/// What the features of one kind of reason gave, and the engine that gave most of it.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    value: f64,
    best: Option<(usize, f64)>,
}
