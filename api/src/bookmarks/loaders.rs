//! Bookmarks by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{model::Bookmark, store};
use crate::{
    access::{Personal, tags},
    batch::{Fetch, by_request, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, BookmarkId},
};

/// Bookmarks by person and id.
pub(crate) struct Bookmarks(pub(crate) Db);

impl Fetch for Bookmarks {
    type Key = (AccountId, BookmarkId);
    type Value = Option<Arc<Bookmark>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::bookmarks(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.person_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Pages of people's bookmarks, the latest first.
pub(crate) struct BookmarkPages(pub(crate) Db);

impl Fetch for BookmarkPages {
    type Key = (AccountId, PageRequest<TimeKey>);
    type Value = Personal<tags::Interaction, Arc<Page<Arc<Bookmark>>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, people) in by_request(keys) {
            let rows = store::pages(&self.0, &people, &request).await?;
            let rows = rows.into_iter().map(|row| (row.person_id, Arc::new(row)));
            found.extend(pages(&request, people, rows).into_iter().map(|(key, page)| (key, page.into())));
        }
        Ok(found)
    }
}
