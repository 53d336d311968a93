//! Enrolments and progress by key, in batches.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    kept::{LessonRecord, Records},
    model::{
        ContentChange, Enrolment, EnrolmentNotes, EnrolmentState, LearnerOrder, LeftOff, Mark, Progress, RecordKey,
    },
    store,
};
use crate::{
    access::{Personal, tags},
    batch::{Fetch, by_request, grouped, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CohortId, CourseId, TopicId},
    time::Timestamp,
};

/// Enrolments by learner and course.
pub(crate) struct Enrolments(pub(crate) Db);

impl Fetch for Enrolments {
    type Key = (AccountId, CourseId);
    type Value = Option<Arc<Enrolment>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::enrolments(&self.0, keys).await?;
        Ok(found.into_iter().map(|enrolment| (enrolment.key(), Some(Arc::new(enrolment)))).collect())
    }
}

/// An enrolment and its place in the list.
pub(crate) type Placed = (TimeKey, Arc<Enrolment>);

/// Pages of learners' enrolments, latest first.
pub(crate) struct EnrolmentPages(pub(crate) Db);

impl Fetch for EnrolmentPages {
    type Key = (AccountId, PageRequest<TimeKey>);
    type Value = Personal<tags::LearningHistory, Arc<Page<Placed>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, learners) in by_request(keys) {
            let rows = store::enrolment_pages(&self.0, &learners, &request).await?;
            let rows = rows.into_iter().map(|row| (row.learner_id, (row.time_key(), Arc::new(row.into()))));
            found.extend(pages(&request, learners, rows).into_iter().map(|(key, page)| (key, page.into())));
        }
        Ok(found)
    }
}

/// Pages of classes, each in its order.
pub(crate) struct ClassPages(pub(crate) Db);

/// Which page of which class: the course, the order, the state, the cohort, since when its staff keep records.
pub(crate) type ClassPage =
    (CourseId, LearnerOrder, Option<EnrolmentState>, Option<CohortId>, Timestamp, PageRequest<TimeKey>);

impl Fetch for ClassPages {
    type Key = ClassPage;
    type Value = Personal<tags::Class, Arc<Page<Placed>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let alike = grouped(keys.iter().map(|(course, order, state, cohort, since, request)| {
            ((*order, *state, *cohort, *since, request.clone()), *course)
        }));
        let mut found = HashMap::with_capacity(keys.len());
        for ((order, state, cohort, since, request), courses) in alike {
            let rows = store::class_pages(&self.0, &courses, (order, state, cohort, since), &request).await?;
            let rows = rows.into_iter().map(|row| (row.course_id, (row.class_key(order), Arc::new(row.into()))));
            found.extend(
                pages(&request, courses.to_vec(), rows)
                    .into_iter()
                    .map(|((course, request), page)| ((course, order, state, cohort, since, request), page.into())),
            );
        }
        Ok(found)
    }
}

/// What learners did in the lessons of their courses.
pub(crate) struct LessonsOfEnrolment(pub(crate) Arc<Records>);

impl Fetch for LessonsOfEnrolment {
    type Key = RecordKey;
    type Value = Arc<LessonRecord>;

    fn at_hand(&self, key: &RecordKey) -> Option<Self::Value> {
        self.0.at_hand(key)
    }

    async fn fetch(&self, keys: &[RecordKey]) -> Result<HashMap<RecordKey, Self::Value>, DbError> {
        let epoch = self.0.db.epoch();
        // The same enrolment may have been read twice in a request, with a beat between.
        let of: BTreeSet<_> = keys.iter().map(|key| key.of).collect();
        let of: Vec<_> = of.into_iter().collect();
        let found = store::lessons_of_enrolments(&self.0.db, &of).await?;
        let records = found.into_iter().map(|(of, lessons)| (of, LessonRecord::new(lessons)));
        Ok(self.0.keep(keys, records, epoch))
    }
}

/// Where learners left off.
pub(crate) struct LeftOffs(pub(crate) Db);

impl Fetch for LeftOffs {
    type Key = AccountId;
    type Value = Personal<tags::LearningHistory, Option<LeftOff>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let found = store::left_off(&self.0, keys).await?;
        Ok(found.into_iter().map(|(learner, place)| (learner, Some(place).into())).collect())
    }
}

/// Learners' seconds per topic, most first.
pub(crate) struct TimePerTopic(pub(crate) Db);

impl Fetch for TimePerTopic {
    type Key = AccountId;
    type Value = Personal<tags::LearningHistory, Arc<Vec<(TopicId, i64)>>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let times = grouped(store::time_per_topic(&self.0, keys).await?);
        Ok(times.into_iter().map(|(learner, times)| (learner, times.into())).collect())
    }
}

/// What else is known of enrolments.
pub(crate) struct Notes(pub(crate) Db);

impl Fetch for Notes {
    type Key = (AccountId, CourseId);
    type Value = Option<EnrolmentNotes>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::activity::notes(&self.0, keys).await?;
        Ok(found.into_iter().map(|(key, notes)| (key, Some(notes))).collect())
    }
}

/// So many marks of an enrolment are shown.
const MAX_MARKS: i64 = 20;

/// The latest reports of enrolments that are marked, the latest first.
pub(crate) struct Marks(pub(crate) Db);

impl Fetch for Marks {
    type Key = (AccountId, CourseId);
    type Value = Personal<tags::Engagement, Arc<Vec<Mark>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = grouped(store::activity::marks(&self.0, keys, MAX_MARKS).await?);
        Ok(found.into_iter().map(|(key, marks)| (key, marks.into())).collect())
    }
}

/// What changed in courses, the first change first.
pub(crate) struct ContentChanges(pub(crate) Db);

impl Fetch for ContentChanges {
    type Key = CourseId;
    type Value = Arc<Vec<ContentChange>>;

    async fn fetch(&self, keys: &[CourseId]) -> Result<HashMap<CourseId, Self::Value>, DbError> {
        Ok(grouped(store::content::changes_of_courses(&self.0, keys).await?))
    }
}

/// What changes of courses did to learners' progress: the version, the progress before it and after it.
pub(crate) struct NotedChanges(pub(crate) Db);

impl Fetch for NotedChanges {
    type Key = (AccountId, CourseId);
    type Value = Personal<tags::LearningRecord, Arc<Vec<(i64, Progress, Progress)>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = grouped(store::content::noted_changes(&self.0, keys).await?);
        Ok(found.into_iter().map(|(key, changes)| (key, changes.into())).collect())
    }
}
