//! Next courses, made at most once for a learner in a request, and what learners have agreed to.

use std::{collections::HashMap, sync::Arc};

use super::{Feed, GivenList, feedback::with_defaults, model, store};
use crate::{
    access::{Personal, tags},
    batch::{Fetch, grouped},
    db::{Db, DbError},
    ids::AccountId,
};

/// The lists of learners. Nobody but the learner herself may see one, so a request asks for one at most.
pub(crate) struct NextCourses(pub(crate) Feed);

impl Fetch for NextCourses {
    type Key = AccountId;
    type Value = GivenList;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let mut lists = HashMap::with_capacity(keys.len());
        for learner in keys {
            lists.insert(*learner, self.0.next_courses(*learner).await?.map(Arc::new));
        }
        Ok(lists)
    }
}

/// What learners have decided about every purpose there is.
pub(crate) struct Consents(pub(crate) Db);

impl Fetch for Consents {
    type Key = AccountId;
    type Value = Personal<tags::Consent, Vec<model::Consent>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let decided = grouped(store::feedback::consents(&self.0, keys).await?);
        Ok(keys
            .iter()
            .map(|learner| (*learner, with_defaults(decided.get(learner).map_or(&[], |found| found.as_slice())).into()))
            .collect())
    }
}
