//! A model at work on a catalogue: from a learner's rows to her list.

use stoa_recommender::{Feedback, FeedbackKind, Obstacle, Query, Recommender, WhyNot};

use super::{
    arrivals::Arrivals,
    catalogue::Mapped,
    experiments::Served,
    model::{self, About, Reason, Recommended, WhyNotKind},
    store::{CatalogueStamp, InteractionRow},
};
use crate::{
    ids::{CourseId, ModelId, TopicId},
    time::Timestamp,
};

/// A model on a catalogue. Replaced as a whole.
pub(super) struct Serving {
    pub(super) model_id: ModelId,
    pub(super) trained_at: Timestamp,
    pub(super) stamp: CatalogueStamp,
    pub(super) recommender: Recommender,
    pub(super) mapped: Mapped,
    pub(super) arrivals: Arrivals,
}

/// What is known of a learner.
pub(super) struct Known {
    /// What she takes or took.
    pub(super) history: Vec<InteractionRow>,
    /// What she wants to learn about.
    pub(super) goals: Vec<TopicId>,
    /// What she said of courses.
    pub(super) feedback: Vec<model::Feedback>,
    /// Whether all this may be used.
    pub(super) granted: bool,
}

/// The circumstances of a question.
#[derive(Clone, Copy)]
pub(super) struct Sitting {
    pub(super) now: Timestamp,
    pub(super) seed: u64,
    pub(super) limit: usize,
}

impl Serving {
    /// Who is meant by the name of an arm's engine.
    pub(super) fn served(&self, name: Option<&str>) -> Served {
        Served::of(name, &self.recommender.model().header().engines)
    }

    /// A list by the model itself, and what it was made from. An external engine's place is taken by the hybrid.
    pub(super) fn list(&self, known: &Known, served: &Served, sitting: Sitting) -> (About, Vec<Recommended>) {
        self.ask(known, served, sitting, |query| {
            let found = self.recommender.recommend(query);
            let (made_by, instead_of) = match served {
                Served::External(name) => (&Served::Hybrid, Some(name.clone())),
                made_by => (made_by, None),
            };
            let about = About {
                data_used: self.recommender.data_used(query),
                engine: made_by.name().to_owned(),
                instead_of,
                fallback_reason: None,
                experiment: None,
            };
            (about, found.iter().map(|found| self.recommended(found)).collect())
        })
    }

    /// Why a course is not in the list that [`Serving::list`] gives.
    pub(super) fn why_not(&self, known: &Known, served: &Served, sitting: Sitting, course: CourseId) -> model::WhyNot {
        let plain = |kind| model::WhyNot::plain(course, kind);
        // From her rows and not by the model, which without her consent is not told of them.
        if known.history.iter().any(|row| row.course_id == course) {
            return plain(WhyNotKind::Taken);
        }
        if let Some(kind) = known.barred().find(|(barred, _)| *barred == course).map(|(_, kind)| kind) {
            return plain(kind);
        }
        let Some(index) = self.mapped.course(course) else { return plain(WhyNotKind::NotWeighed) };
        if self.mapped.closed.contains(&index) {
            return plain(WhyNotKind::Closed);
        }
        // Only the engine itself could tell.
        if matches!(served, Served::External(_)) {
            return plain(WhyNotKind::NotWeighed);
        }
        match self.ask(known, served, sitting, |query| self.recommender.why_not(query, index)) {
            WhyNot::Listed { place } => model::WhyNot { place: Some(place), ..plain(WhyNotKind::Listed) },
            WhyNot::Outranked { place, course: found, .. } => {
                let Recommended { path, reasons, .. } = self.recommended(&found);
                model::WhyNot { place: Some(place), path, reasons, ..plain(WhyNotKind::Outranked) }
            }
            WhyNot::NoEvidence => plain(WhyNotKind::NoEvidence),
            WhyNot::Barred(obstacle) => plain(match obstacle {
                Obstacle::Taken => WhyNotKind::Taken,
                Obstacle::Dismissed => WhyNotKind::Dismissed,
                Obstacle::LessLikeThis => WhyNotKind::LessLikeThis,
                Obstacle::AlreadyKnown => WhyNotKind::AlreadyKnown,
                Obstacle::Excluded => WhyNotKind::Closed,
                Obstacle::Unknown => WhyNotKind::NotWeighed,
            }),
        }
    }

    /// Puts the question to `f`. Of somebody who does not let her data be used, the recommender is told nothing but which
    /// courses not to name: what she takes, and what she refused.
    pub(super) fn ask<T>(
        &self,
        known: &Known,
        served: &Served,
        sitting: Sitting,
        f: impl FnOnce(&Query<'_>) -> T,
    ) -> T {
        let mut exclude = self.mapped.closed.clone();
        let (mut history, mut goals, mut feedback) = (Vec::new(), Vec::new(), Vec::new());
        if known.granted {
            history.extend(known.history.iter().filter_map(|row| self.mapped.interaction(row)));
            goals.extend(known.goals.iter().filter_map(|goal| self.mapped.topic(*goal)));
            feedback.extend(known.feedback.iter().filter_map(|word| self.word(word)));
        } else {
            let taken = known.history.iter().map(|row| row.course_id);
            let named = taken.chain(known.barred().map(|(course, _)| course));
            exclude.extend(named.filter_map(|course| self.mapped.course(course)));
        }
        let only = if let Served::Engine(label) = served { Some(label.as_str()) } else { None };
        f(&Query {
            history: &history,
            now: sitting.now.seconds(),
            goals: &goals,
            exclude: &exclude,
            feedback: &feedback,
            seed: sitting.seed,
            only,
            limit: sitting.limit,
        })
    }

    fn word(&self, word: &model::Feedback) -> Option<Feedback> {
        let kind = match word.kind {
            model::FeedbackKind::Like => FeedbackKind::Like,
            model::FeedbackKind::Dismiss => FeedbackKind::Dismiss,
            model::FeedbackKind::LessLikeThis => FeedbackKind::LessLikeThis,
            model::FeedbackKind::AlreadyKnow => FeedbackKind::AlreadyKnow,
        };
        Some(Feedback { course: self.mapped.course(word.course)?, kind, at: word.at.seconds() })
    }

    fn recommended(&self, found: &stoa_recommender::Recommendation) -> Recommended {
        Recommended {
            course: self.mapped.courses[found.course as usize],
            score: found.score,
            reasons: found.reasons.iter().map(|reason| self.reason(reason)).collect(),
            completion: found.completion,
            path: found.path.iter().map(|at| self.mapped.courses[*at as usize]).collect(),
            explored: found.explored,
            propensity: found.propensity,
        }
    }

    fn reason(&self, reason: &stoa_recommender::Reason) -> Reason {
        Reason {
            kind: reason.kind.as_str().to_owned(),
            sentence: reason.sentence(&self.mapped.catalogue),
            courses: reason.courses.iter().map(|at| self.mapped.courses[*at as usize]).collect(),
            topics: reason.topics.iter().map(|at| self.mapped.topics[*at as usize]).collect(),
            seconds: reason.seconds,
            rate: reason.rate,
            learners: reason.learners,
        }
    }
}

impl Known {
    /// The courses that she refused, and in which words.
    fn barred(&self) -> impl Iterator<Item = (CourseId, WhyNotKind)> {
        self.feedback.iter().filter_map(|word| {
            let kind = match word.kind {
                model::FeedbackKind::Like => return None,
                model::FeedbackKind::Dismiss => WhyNotKind::Dismissed,
                model::FeedbackKind::LessLikeThis => WhyNotKind::LessLikeThis,
                model::FeedbackKind::AlreadyKnow => WhyNotKind::AlreadyKnown,
            };
            Some((word.course, kind))
        })
    }
}
