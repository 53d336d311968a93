//! A question as it is read once, and the score of each course for it.

use std::collections::HashMap;

use super::{Feedback, FeedbackKind, GONE, Query, Recommender};
use crate::Interaction;
use crate::candidates::{Desk, Known};
use crate::completion::Reader;
use crate::engine::{Ask, Scores};
use crate::features::{Learner, PER_ENGINE, overlap};
use crate::ranker::dot;
use crate::reasons::ReasonKind;

/// Added (log odds) to a course quite like one that she liked.
const LIKED: f64 = 1.0;
/// Taken from a course quite like one of which she wants less.
const LESS: f64 = 1.5;
/// Of more words of one kind, only the latest count.
const WORDS: usize = 20;
/// Courses that a liked one proposes.
const ALIKE: usize = 20;

/// What she said, one word for each course, by slot.
#[derive(Default)]
pub(super) struct Words {
    liked: Vec<Alike>,
    less: Vec<Alike>,
    known: Vec<u32>,
}

/// A course, and how like it others are to learners: 0..=1.
struct Alike {
    slot: u32,
    near: HashMap<u32, f32>,
}

/// A question with all that its courses have in common.
pub(crate) struct Reading<'a> {
    pub(super) known: &'a Known,
    pub(super) ask: Ask<'a>,
    pub(super) learner: Learner<'a>,
    pub(super) weights: Vec<f64>,
    pub(super) goals: &'a [u32],
    completion: Option<Reader<'a>>,
    words: Words,
    only: Option<usize>,
}

/// A candidate with its score, apart from its features.
#[derive(Clone, Copy)]
pub(crate) struct Ranked {
    /// Its row of the desk.
    pub(crate) at: usize,
    pub(crate) slot: u32,
    /// All that counts before the rules of the served list.
    pub(crate) score: f64,
    pub(super) extras: Extras,
}

/// What counts beside the features.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extras {
    pub(super) goal: f64,
    pub(super) completion: f64,
    pub(super) liked: f64,
    pub(super) less: f64,
    /// How likely she completes it.
    pub(super) probability: Option<f64>,
}

impl Recommender {
    /// Reads a question: `ask` has its history by slot.
    pub(crate) fn read<'a>(&'a self, known: &'a Known, ask: Ask<'a>, query: &Query<'a>) -> Reading<'a> {
        let inner = &*self.model.0;
        let mut learner = Learner::new(ask, &known.stats);
        let words = self.words(known, query.feedback, ask.now);
        for &slot in &words.known {
            learner.know(slot);
        }
        let only = query.only.and_then(|label| known.engines.iter().position(|engine| engine.label == label));
        let weights = match only {
            Some(engine) => {
                let mut weights = vec![0.0; inner.names.len()];
                weights[engine * PER_ENGINE] = 1.0;
                weights
            }
            None => self.weights(known, &ask),
        };
        let completion = inner.completion.as_ref().map(|completion| completion.reader(&ask));
        Reading { known, ask, learner, weights, goals: query.goals, completion, words, only }
    }

    /// The courses that some engine, goal or word proposes, best first: the one order that lists,
    /// evaluations and [`Recommender::why_not`] share. `desk` then has their features.
    pub(crate) fn rank(
        &self,
        reading: &Reading<'_>,
        count: usize,
        desk: &mut Desk,
        open: &impl Fn(u32) -> bool,
    ) -> Vec<Ranked> {
        let mut extra: Vec<u32> =
            reading.goals.iter().flat_map(|&topic| self.content.of_topic(topic)).copied().collect();
        extra.truncate(super::GOAL_COURSES);
        extra.extend(self.next_on_shelf(&reading.ask));
        for liked in &reading.words.liked {
            let mut near: Vec<(u32, f32)> = liked.near.iter().map(|(&slot, &share)| (slot, share)).collect();
            near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            extra.extend(near.iter().take(ALIKE).map(|n| n.0));
        }
        desk.gather(&reading.known.engines, &reading.learner, &reading.ask, count, &extra, open);
        let mut order: Vec<Ranked> = Vec::with_capacity(desk.courses.len());
        for (at, &slot) in desk.courses.iter().enumerate() {
            let row = desk.row(at);
            if reading.only.is_some_and(|engine| row[engine * PER_ENGINE] <= 0.0) {
                continue;
            }
            let extras = self.extras(reading, slot);
            let score = dot(&reading.weights, row) + extras.goal + extras.completion + extras.liked + extras.less;
            order.push(Ranked { at, slot, score, extras });
        }
        let course_of = |slot: u32| self.course_of[slot as usize];
        order.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| course_of(a.slot).cmp(&course_of(b.slot))));
        order
    }

    /// What counts for a course beside its features.
    pub(super) fn extras(&self, reading: &Reading<'_>, slot: u32) -> Extras {
        let manners = &self.model.0.manners;
        let probability = reading.completion.as_ref().map(|reader| reader.probability(slot));
        let mut extras = Extras { probability, ..Extras::default() };
        if reading.only.is_some() {
            return extras;
        }
        extras.goal = self.goal(slot, reading.goals);
        if let (Some(probability), Some(completion)) = (probability, &self.model.0.completion) {
            extras.completion = manners.completion_weight * (logit(probability) - logit(completion.usual()));
        }
        extras.liked = LIKED * self.likest(&reading.words.liked, slot).map_or(0.0, |l| f64::from(l.1));
        extras.less = -LESS * self.likest(&reading.words.less, slot).map_or(0.0, |l| f64::from(l.1));
        extras
    }

    /// The liked course that a course is most like, if it is like any.
    pub(super) fn liked(&self, reading: &Reading<'_>, slot: u32) -> Option<u32> {
        self.likest(&reading.words.liked, slot).map(|l| l.0)
    }

    /// The goal boost for a course that serves any of the goals.
    fn goal(&self, slot: u32, goals: &[u32]) -> f64 {
        let topics = self.content.topics(slot);
        if goals.iter().any(|goal| topics.contains(goal)) { self.model.0.manners.goal_boost } else { 0.0 }
    }

    /// The course of some that another is most like, and how much.
    fn likest(&self, of: &[Alike], slot: u32) -> Option<(u32, f32)> {
        let like = |alike: &Alike| {
            let topics = overlap(self.content.topics(slot), self.content.topics(alike.slot));
            (alike.slot, topics.max(alike.near.get(&slot).copied().unwrap_or(0.0)))
        };
        of.iter().map(like).filter(|l| l.1 > 0.0).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    fn words(&self, known: &Known, feedback: &[Feedback], now: i64) -> Words {
        let mut words = Words::default();
        for (course, kind) in latest(feedback).into_iter().rev() {
            let Some(&slot) = self.slot_of.get(course as usize) else {
                continue;
            };
            match kind {
                FeedbackKind::Like if words.liked.len() < WORDS => words.liked.push(self.alike(known, slot, now)),
                FeedbackKind::LessLikeThis if words.less.len() < WORDS => words.less.push(self.alike(known, slot, now)),
                FeedbackKind::AlreadyKnow => words.known.push(slot),
                _ => {}
            }
        }
        words
    }

    /// What enough learners take together with a course, by the engines that know it.
    fn alike(&self, known: &Known, slot: u32, now: i64) -> Alike {
        let history = [Interaction::new(slot, now)];
        let ask = Ask { history: &history, now, content: &self.content, goals: &[] };
        let mut near: HashMap<u32, f32> = HashMap::new();
        let mut scores = Scores::new(self.content.len());
        for engine in known.engines.iter().filter(|e| e.scorer.kind() == ReasonKind::SimilarTo) {
            scores.clear();
            engine.scorer.score(&ask, &mut scores);
            let others = || scores.touched().iter().copied().filter(|&other| other != slot);
            let best = others().map(|other| scores.get(other)).fold(0.0, f32::max);
            for other in others().filter(|&other| scores.get(other) > 0.0) {
                if self.course_of[other as usize] != GONE && self.model.0.support.together(slot, other) > 0 {
                    let share = near.entry(other).or_default();
                    *share = share.max(scores.get(other) / best);
                }
            }
        }
        Alike { slot, near }
    }
}

/// The latest word on each course, oldest first; of words at one time the later in the slice.
pub(super) fn latest(feedback: &[Feedback]) -> Vec<(u32, FeedbackKind)> {
    let mut words: Vec<(usize, &Feedback)> = feedback.iter().enumerate().collect();
    words.sort_by_key(|(place, word)| (word.at, *place));
    let mut last: HashMap<u32, usize> = HashMap::new();
    for (index, (_, word)) in words.iter().enumerate() {
        last.insert(word.course, index);
    }
    let stands = words.iter().enumerate().filter(|(index, (_, word))| last.get(&word.course) == Some(index));
    stands.map(|(_, (_, word))| (word.course, word.kind)).collect()
}

pub(super) fn logit(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}
