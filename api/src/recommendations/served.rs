//! Who makes a learner's list, and the one place where the hybrid stands in for an engine outside.

use stoa_recommender::{Interaction, Query};

use super::{
    Feed, Serving,
    external::{Ask, ExternalError, ExternalList, HYBRID},
    model::{MAX_LIST, Provenance, Reason, Recommended},
};
use crate::{ids::AccountId, time::Timestamp};

/// What a list is made from.
pub(super) struct Wanted<'a> {
    pub(super) learner: AccountId,
    /// What she did.
    pub(super) history: &'a [Interaction],
    /// Topics that she wants to learn about.
    pub(super) goals: &'a [u32],
    /// Courses that must not come out: not open, dismissed.
    pub(super) exclude: &'a [u32],
    pub(super) now: Timestamp,
}

impl Feed {
    /// The learner's list by the engine outside of this name, or by the hybrid where there is none or it gives none.
    pub(super) async fn made(
        &self,
        serving: &Serving,
        outside: Option<&str>,
        wanted: &Wanted<'_>,
    ) -> (Vec<Recommended>, Provenance) {
        let fallback_reason = match outside {
            None => None,
            Some(name) => match self.made_outside(serving, name, wanted).await {
                Ok(list) => return (list, Provenance { served_by: name.to_owned(), fallback_reason: None }),
                Err(error) => Some(error.code().to_owned()),
            },
        };
        (serving.list(wanted), Provenance { served_by: HYBRID.to_owned(), fallback_reason })
    }

    async fn made_outside(
        &self,
        serving: &Serving,
        name: &str,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<Recommended>, ExternalError> {
        let pseudonym = self.engines.pseudonym(name, wanted.learner);
        let ask = Ask {
            learner: Some(&pseudonym),
            history: wanted.history,
            goals: wanted.goals,
            exclude: wanted.exclude,
            limit: MAX_LIST,
            now: wanted.now,
            mapped: &serving.mapped,
        };
        let ExternalList { items, model } = self.engines.next_courses(name, &ask).await?;
        tracing::debug!(engine = name, model, courses = items.len(), "an engine made a list");
        Ok(items
            .into_iter()
            .map(|item| Recommended {
                course: serving.mapped.courses[item.course as usize],
                score: item.score,
                reasons: item.reason.into_iter().map(Reason::of_engine).collect(),
            })
            .collect())
    }
}

impl Serving {
    /// The hybrid's list.
    fn list(&self, wanted: &Wanted<'_>) -> Vec<Recommended> {
        let query = Query {
            history: wanted.history,
            now: wanted.now.seconds(),
            goals: wanted.goals,
            exclude: wanted.exclude,
            limit: MAX_LIST,
            ..Query::default()
        };
        let found = self.recommender.recommend(&query);
        found
            .into_iter()
            .map(|found| Recommended {
                course: self.mapped.courses[found.course as usize],
                score: found.score,
                reasons: found.reasons.iter().map(|reason| self.reason(reason)).collect(),
            })
            .collect()
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
