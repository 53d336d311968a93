//! What is found in forums, in batches: the same search in many courses costs one statement.

use std::{collections::HashMap, sync::Arc};

use super::{Hit, Search, store};
use crate::{
    batch::Fetch,
    db::{Db, DbError, page::Page},
    ids::CourseId,
};

/// Pages of what is found in courses' forums.
pub(crate) struct Found(pub(crate) Db);

impl Fetch for Found {
    type Key = (CourseId, Search);
    type Value = Arc<Page<Hit>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut courses: HashMap<&Search, Vec<CourseId>> = HashMap::new();
        for (course, search) in keys {
            courses.entry(search).or_default().push(*course);
        }
        let mut found = HashMap::with_capacity(keys.len());
        for (search, courses) in courses {
            let mut hits: HashMap<CourseId, Vec<Hit>> = HashMap::new();
            for hit in store::found(&self.0, &courses, search, true).await? {
                hits.entry(hit.course_id).or_default().push(hit);
            }
            for (course, hits) in hits {
                found.insert((course, search.clone()), Arc::new(Page::from_rows(hits, &search.page)));
            }
        }
        Ok(found)
    }
}
