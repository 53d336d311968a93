//! Why a course stands where it does: the score's parts, and those that make a reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reading::{Ranked, Reading};
use super::served::Placed;
use super::{Contribution, GONE, Recommendation, Recommender};
use crate::completion::Completion;
use crate::engine::Evidence;
use crate::features::{FACTS, PER_ENGINE};
use crate::reasons::{Reason, ReasonKind};

/// A course must have this share of the best course's popularity to be called popular.
const POPULAR: f32 = 0.05;
/// So many places further on the shelf is still soon after.
const SOON: u32 = 3;
/// A course is new for so long (seconds).
const NEW: i64 = 60 * 86_400;
/// So much more likely to complete than is usual is clearly more; half of what is left to 1, if that is less.
const CLEARLY: f64 = 0.05;

impl Recommender {
    /// A course with its score taken apart.
    pub(super) fn explained(
        &self,
        reading: &Reading<'_>,
        ranked: &Ranked,
        row: &[f32],
        placed: &Placed,
    ) -> Recommendation {
        let (inner, known) = (&*self.model.0, reading.known);
        let mut contributions = Vec::new();
        let mut parts: BTreeMap<ReasonKind, Part> = BTreeMap::new();
        for (at, (&feature, weight)) in row.iter().zip(&reading.weights).enumerate() {
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
        let extras = ranked.extras;
        let beside = [
            ("goal", extras.goal, Some(ReasonKind::Goal)),
            ("completion", extras.completion, Some(ReasonKind::LikelyToComplete)),
            ("liked", extras.liked, Some(ReasonKind::Liked)),
            ("less_like_this", extras.less, None),
            ("spread", placed.penalty, None),
        ];
        for (name, value, kind) in beside {
            if value != 0.0 {
                contributions.push(Contribution { feature: Arc::from(name), value });
                if let Some(kind) = kind {
                    parts.entry(kind).or_default().value += value;
                }
            }
        }
        let mut parts: Vec<(ReasonKind, Part)> = parts.into_iter().collect();
        parts.retain(|(_, part)| part.value > 0.0);
        parts.sort_by(|a, b| b.1.value.total_cmp(&a.1.value).then(a.0.cmp(&b.0)));
        let case = Case { reading, slot: ranked.slot, row, probability: extras.probability };
        let reasons = parts
            .iter()
            .filter_map(|(kind, part)| self.reason(&case, *kind, part))
            .take(inner.manners.reasons)
            .collect();
        Recommendation {
            course: self.course_of[ranked.slot as usize],
            score: contributions.iter().map(|c| c.value).sum(),
            contributions,
            reasons,
            completion: extras.probability,
            path: self.path(reading, ranked.slot),
            explored: placed.explored,
            propensity: placed.propensity,
        }
    }

    /// The evidence for one kind of reason; none if its sentence would not be true.
    fn reason(&self, case: &Case<'_>, kind: ReasonKind, part: &Part) -> Option<Reason> {
        let inner = &*self.model.0;
        let Case { reading, slot, row, probability } = *case;
        let Reading { known, ask, learner, .. } = reading;
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
                let taken = known.stats.taken.get(slot as usize).is_some_and(|&n| n >= inner.manners.support);
                taken && part.best.is_some_and(|(engine, _)| row[engine * PER_ENGINE] >= POPULAR)
            }
            ReasonKind::TakenNext => self.rests(&mut evidence, |from| inner.support.next(from, slot)),
            ReasonKind::SimilarTo => self.rests(&mut evidence, |from| inner.support.together(from, slot)),
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
            ReasonKind::LikelyToComplete => {
                evidence.rate = probability;
                let usual = inner.completion.as_ref().map(Completion::usual);
                probability.zip(usual).is_some_and(|(p, usual)| p >= usual + CLEARLY.min((1.0 - usual) / 2.0))
            }
            ReasonKind::Liked => {
                evidence.courses = self.liked(reading, slot).into_iter().collect();
                !evidence.courses.is_empty()
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

    /// Keeps of the evidence the courses from which enough learners came to this one, and how many came
    /// from the first; false if none is left.
    fn rests(&self, evidence: &mut Evidence, learners: impl Fn(u32) -> u32) -> bool {
        let fewest = self.model.0.manners.support;
        evidence.courses.retain(|&from| self.course_of[from as usize] != GONE && learners(from) >= fewest);
        evidence.learners = evidence.courses.first().map(|&from| learners(from));
        !evidence.courses.is_empty()
    }
}

/// A course that is being explained.
#[derive(Clone, Copy)]
struct Case<'a> {
    reading: &'a Reading<'a>,
    slot: u32,
    row: &'a [f32],
    probability: Option<f64>,
}

/// What the features of one kind of reason gave, and the engine that gave most of it.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    value: f64,
    best: Option<(usize, f64)>,
}
