//! Who makes a learner's list, and the one place where the hybrid stands in for an engine outside.

use stoa_recommender::FeedbackKind;

use super::{
    Feed,
    experiments::Served,
    external::{Ask, BreakerState, ExternalError, ExternalList},
    model::{About, HYBRID, MAX_LIST, Reason, Recommended},
    next::seed,
    serving::{Known, Serving, Sitting},
};
use crate::{
    ids::{AccountId, ListId},
    time::Timestamp,
};

impl Feed {
    /// The list of a learner who lets her data be used, by who is to make it, or by the hybrid where that is an engine
    /// outside and it makes none. `id` gives the list's id by who makes it.
    pub(super) async fn made(
        &self,
        serving: &Serving,
        known: &Known,
        (learner, served): (AccountId, &Served),
        now: Timestamp,
        id: impl Fn(&str) -> ListId,
    ) -> (ListId, About, Vec<Recommended>) {
        let fallback_reason = match served {
            Served::Hybrid | Served::Engine(_) => None,
            Served::External(name) => match self.made_outside(serving, known, learner, name, now).await {
                Ok((about, items)) => return (id(name), about, items),
                Err(error) => Some(error.code().to_owned()),
            },
        };
        // A list that stands in is another than the one that was to be.
        let id = id(if fallback_reason.is_some() { HYBRID } else { served.name() });
        let (about, items) = serving.list(known, served, Sitting { now, seed: seed(id), limit: MAX_LIST });
        (id, About { fallback_reason, ..about }, items)
    }

    async fn made_outside(
        &self,
        serving: &Serving,
        known: &Known,
        learner: AccountId,
        name: &str,
        now: Timestamp,
    ) -> Result<(About, Vec<Recommended>), ExternalError> {
        let served = Served::External(name.to_owned());
        let sitting = Sitting { now, seed: 0, limit: MAX_LIST };
        let (history, goals, exclude, data_used) = serving.ask(known, &served, sitting, |query| {
            let refused = query.feedback.iter().filter(|word| word.kind != FeedbackKind::Like);
            let exclude: Vec<_> = query.exclude.iter().copied().chain(refused.map(|word| word.course)).collect();
            (query.history.to_vec(), query.goals.to_vec(), exclude, serving.recommender.data_used(query))
        });
        let pseudonym = self.engines.pseudonym(name, learner);
        let ask = Ask {
            learner: Some(&pseudonym),
            history: &history,
            goals: &goals,
            exclude: &exclude,
            limit: MAX_LIST,
            now,
            mapped: &serving.mapped,
        };
        let ExternalList { items, model } = self.engines.next_courses(name, &ask).await?;
        tracing::debug!(engine = name, model, courses = items.len(), "an engine made a list");
        let about =
            About { data_used, engine: name.to_owned(), instead_of: None, fallback_reason: None, experiment: None };
        let items = items.into_iter().map(|item| Recommended {
            course: serving.mapped.courses[item.course as usize],
            score: item.score,
            reasons: item.reason.into_iter().map(Reason::of_engine).collect(),
            completion: None,
            path: Vec::new(),
            explored: false,
            propensity: 1.0,
        });
        Ok((about, items.collect()))
    }

    /// Whether a kept list is of who is to make it now. One that stood in for an engine outside is good only while that
    /// is not asked anyhow: when it answers again, so does this.
    pub(super) fn is_still_right(&self, about: &About, engine: Option<&str>) -> bool {
        let engine = engine.unwrap_or(HYBRID);
        match &about.instead_of {
            None => about.engine == engine,
            Some(other) => {
                other == engine
                    && !matches!(self.engines.state(other), Some(BreakerState::Closed | BreakerState::HalfOpen))
            }
        }
    }
}
