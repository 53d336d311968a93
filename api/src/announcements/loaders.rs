//! Announcements, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{model::Announcement, store};
use crate::{
    batch::{Fetch, by_request, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AnnouncementId, CourseId},
    time::Timestamp,
};

/// Announcements by course and id.
pub(crate) struct ById(pub(crate) Db);

impl Fetch for ById {
    type Key = (CourseId, AnnouncementId);
    type Value = Option<Arc<Announcement>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::by_ids(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Pages of what is published in courses at an instant.
pub(crate) struct Published(pub(crate) Db);

impl Fetch for Published {
    type Key = ((CourseId, Timestamp), PageRequest<TimeKey>);
    type Value = Arc<Page<Arc<Announcement>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, lists) in by_request(keys) {
            // The instants of one request are all but the same; each that differs costs a statement.
            let mut by_instant: HashMap<Timestamp, Vec<CourseId>> = HashMap::new();
            for (course, now) in &lists {
                by_instant.entry(*now).or_default().push(*course);
            }
            for (now, courses) in by_instant {
                let rows = store::published_pages(&self.0, &courses, &request, now).await?;
                let rows = rows.into_iter().map(|row| ((row.course_id, now), Arc::new(row)));
                found.extend(pages(&request, courses.iter().map(|course| (*course, now)).collect(), rows));
            }
        }
        Ok(found)
    }
}

/// What is planned in courses, for their staff.
pub(crate) struct Planned(pub(crate) Db);

impl Fetch for Planned {
    type Key = (CourseId, Timestamp);
    type Value = Arc<Vec<Arc<Announcement>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut by_instant: HashMap<Timestamp, Vec<CourseId>> = HashMap::new();
        for (course, now) in keys {
            by_instant.entry(*now).or_default().push(*course);
        }
        let mut found: HashMap<Self::Key, Vec<Arc<Announcement>>> = HashMap::new();
        for (now, courses) in by_instant {
            for row in store::planned(&self.0, &courses, now).await? {
                found.entry((row.course_id, now)).or_default().push(Arc::new(row));
            }
        }
        Ok(found.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
    }
}
