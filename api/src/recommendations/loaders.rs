//! Next courses, made at most once for a learner in a request.

use std::{collections::HashMap, sync::Arc};

use super::{Feed, model::Recommended};
use crate::{
    access::{Personal, tags},
    batch::Fetch,
    db::DbError,
    ids::AccountId,
};

/// The lists of learners. Nobody but the learner herself may see one, so a request asks for one at most.
pub(crate) struct NextCourses(pub(crate) Feed);

impl Fetch for NextCourses {
    type Key = AccountId;
    type Value = Option<Arc<Personal<tags::Recommendation, Vec<Recommended>>>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let mut lists = HashMap::with_capacity(keys.len());
        for learner in keys {
            lists.insert(*learner, Some(Arc::new(self.0.next_courses(*learner).await?)));
        }
        Ok(lists)
    }
}
