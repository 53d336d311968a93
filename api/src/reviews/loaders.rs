//! Reviews by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    model::{OwnReview, Review},
    store,
};
use crate::{
    batch::{Fetch, by_request, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CourseId, ReviewId},
};

/// Reviews that stand in a list, by course and id.
pub(crate) struct Reviews(pub(crate) Db);

impl Fetch for Reviews {
    type Key = (CourseId, ReviewId);
    type Value = Option<Arc<Review>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::reviews(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Pages of courses' reviews, the latest first.
pub(crate) struct ReviewPages(pub(crate) Db);

impl Fetch for ReviewPages {
    type Key = (CourseId, PageRequest<TimeKey>);
    type Value = Arc<Page<Arc<Review>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, courses) in by_request(keys) {
            let rows = store::pages(&self.0, &courses, &request).await?;
            let rows = rows.into_iter().map(|row| (row.course_id, Arc::new(row)));
            found.extend(pages(&request, courses, rows));
        }
        Ok(found)
    }
}

/// What people have said of courses, for themselves.
pub(crate) struct OwnReviews(pub(crate) Db);

impl Fetch for OwnReviews {
    type Key = (CourseId, AccountId);
    type Value = Option<Arc<OwnReview>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::own(&self.0, keys).await?;
        Ok(found.into_iter().map(|(key, review)| (key, Some(Arc::new(review)))).collect())
    }
}
