//! Who may take courses, and how learners take them, by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    model::{Attendance, Cohort, EnrolmentSettings, Invitation, WaitingPlace},
    store,
};
use crate::{
    access::{Personal, tags},
    batch::{Fetch, by_request, grouped, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CohortId, CourseId, InvitationId},
};

/// How courses take learners.
pub(crate) struct Settings(pub(crate) Db);

impl Fetch for Settings {
    type Key = CourseId;
    type Value = EnrolmentSettings;

    async fn fetch(&self, keys: &[CourseId]) -> Result<HashMap<CourseId, Self::Value>, DbError> {
        Ok(store::settings(&self.0, keys).await?.into_iter().collect())
    }
}

/// Cohort and history of enrolments.
pub(crate) struct Attendances(pub(crate) Db);

impl Fetch for Attendances {
    type Key = (AccountId, CourseId);
    type Value = Arc<Attendance>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::attendances(&self.0, keys).await?;
        Ok(found.into_iter().map(|(key, attendance)| (key, Arc::new(attendance))).collect())
    }
}

/// Places in lines.
pub(crate) struct Places(pub(crate) Db);

impl Fetch for Places {
    type Key = (AccountId, CourseId);
    type Value = Option<WaitingPlace>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::waiting::places(&self.0, keys).await?;
        Ok(found.into_iter().map(|place| ((place.learner_id, place.course_id), Some(place))).collect())
    }
}

/// Cohorts by course and id.
pub(crate) struct Cohorts(pub(crate) Db);

impl Fetch for Cohorts {
    type Key = (CourseId, CohortId);
    type Value = Option<Arc<Cohort>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::cohorts::cohorts(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Invitations by course and id.
pub(crate) struct Invitations(pub(crate) Db);

impl Fetch for Invitations {
    type Key = (CourseId, InvitationId);
    type Value = Option<Arc<Invitation>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::invitations::invitations(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// The invitations of people to courses, each list the oldest first.
pub(crate) struct InvitationsOfPerson(pub(crate) Db);

impl Fetch for InvitationsOfPerson {
    type Key = (CourseId, AccountId);
    type Value = Arc<Vec<Invitation>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::invitations::of_people(&self.0, keys).await?;
        Ok(grouped(found.into_iter().filter_map(|row| row.person_id.map(|person| ((row.course_id, person), row)))))
    }
}

/// Pages of courses' cohorts, the latest first.
pub(crate) struct CohortPages(pub(crate) Db);

impl Fetch for CohortPages {
    type Key = (CourseId, PageRequest<TimeKey>);
    type Value = Personal<tags::Class, Arc<Page<Arc<Cohort>>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, courses) in by_request(keys) {
            let rows = store::cohorts::pages(&self.0, &courses, &request).await?;
            let rows = rows.into_iter().map(|row| (row.course_id, Arc::new(row)));
            found.extend(pages(&request, courses, rows).into_iter().map(|(key, page)| (key, page.into())));
        }
        Ok(found)
    }
}

/// Pages of courses' invitations, the latest first.
pub(crate) struct InvitationPages(pub(crate) Db);

impl Fetch for InvitationPages {
    type Key = (CourseId, PageRequest<TimeKey>);
    type Value = Personal<tags::Class, Arc<Page<Arc<Invitation>>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, courses) in by_request(keys) {
            let rows = store::invitations::pages(&self.0, &courses, &request).await?;
            let rows = rows.into_iter().map(|row| (row.course_id, Arc::new(row)));
            found.extend(pages(&request, courses, rows).into_iter().map(|(key, page)| (key, page.into())));
        }
        Ok(found)
    }
}
