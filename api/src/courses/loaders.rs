//! The catalogue by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    model::{Course, CourseRollup, Lesson, LessonDraft, LessonVersion, Module, StaffMember, Topic},
    store,
};
use crate::{
    access::{Personal, tags},
    batch::{Fetch, grouped},
    db::{Db, DbError},
    ids::{AccountId, CourseId, LessonId, ModuleId, TopicId},
};

/// Loaders of one thing by its id: `None` where there is none.
macro_rules! by_id {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty = $fetch:path;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) Db);

        impl Fetch for $name {
            type Key = $key;
            type Value = Option<Arc<$value>>;

            async fn fetch(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, DbError> {
                Ok($fetch(&self.0, keys).await?.into_iter().map(|found| (found.id, Some(Arc::new(found)))).collect())
            }
        }
    )+};
}

/// Loaders of what belongs to a thing, in order.
macro_rules! belonging {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty = |$db:ident, $keys:ident| $pairs:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) Db);

        impl Fetch for $name {
            type Key = $key;
            type Value = Arc<Vec<$value>>;

            async fn fetch(&self, $keys: &[$key]) -> Result<HashMap<$key, Self::Value>, DbError> {
                let $db = &self.0;
                Ok(grouped($pairs))
            }
        }
    )+};
}

by_id! {
    /// Courses of any status: whoever asks checks [`Course::is_public`].
    Courses: CourseId => Course = store::by_ids;
    /// Topics, also those that are nothing but somebody's goal: for whoever may see that.
    Topics: TopicId => Topic = store::topics_by_ids;
    /// Topics of courses that anybody may know of.
    PublicTopics: TopicId => Topic = store::public_topics_by_ids;
    /// Modules of any status: whoever asks for one to show it asks `graphql::Module::find`.
    Modules: ModuleId => Module = store::modules_by_ids;
    /// Lessons of any status: whoever asks for one to show it asks `graphql::Lesson::find`.
    Lessons: LessonId => Lesson = store::lessons_by_ids;
}

belonging! {
    /// The topics of courses.
    TopicsOfCourse: CourseId => Topic = |db, keys| store::topics_of_courses(db, keys).await?;
    /// The courses that courses require.
    Prerequisites: CourseId => CourseId = |db, keys| store::prerequisites(db, keys).await?;
    /// The staff of courses.
    Staff: CourseId => StaffMember = |db, keys| store::staff(db, keys).await?;
    /// The modules of courses, as learners find them.
    ModulesOfCourse: CourseId => Arc<Module> = |db, keys| store::modules_of_courses(db, keys, false)
        .await?
        .into_iter()
        .map(|module| (module.course_id, Arc::new(module)));
    /// The modules of courses with the drafts among them: for staff.
    ModulesForStaff: CourseId => Arc<Module> = |db, keys| store::modules_of_courses(db, keys, true)
        .await?
        .into_iter()
        .map(|module| (module.course_id, Arc::new(module)));
    /// The lessons of modules, as learners find them.
    LessonsOfModule: ModuleId => Arc<Lesson> = |db, keys| store::lessons_of_modules(db, keys, false)
        .await?
        .into_iter()
        .map(|lesson| (lesson.module_id, Arc::new(lesson)));
    /// The lessons of modules with the drafts among them: for staff.
    LessonsForStaff: ModuleId => Arc<Lesson> = |db, keys| store::lessons_of_modules(db, keys, true)
        .await?
        .into_iter()
        .map(|lesson| (lesson.module_id, Arc::new(lesson)));
    /// The modules that come before modules, whatever has become of them.
    ModulePrerequisites: ModuleId => ModuleId = |db, keys| store::links::module_prerequisites(db, keys).await?;
    /// The versions of lessons, the latest first.
    LessonVersions: LessonId => Arc<LessonVersion> = |db, keys| store::contents::versions(db, keys)
        .await?
        .into_iter()
        .map(|version| (version.lesson_id, Arc::new(version)));
}

/// What is counted of courses.
pub(crate) struct Rollups(pub(crate) Db);

impl Fetch for Rollups {
    type Key = CourseId;
    type Value = CourseRollup;

    async fn fetch(&self, keys: &[CourseId]) -> Result<HashMap<CourseId, CourseRollup>, DbError> {
        Ok(store::rollups(&self.0, keys).await?.into_iter().collect())
    }
}

/// What lessons say now.
pub(crate) struct Contents(pub(crate) Db);

impl Fetch for Contents {
    type Key = LessonId;
    type Value = Option<Arc<LessonVersion>>;

    async fn fetch(&self, keys: &[LessonId]) -> Result<HashMap<LessonId, Self::Value>, DbError> {
        let found = store::contents::current(&self.0, keys).await?;
        Ok(found.into_iter().map(|version| (version.lesson_id, Some(Arc::new(version)))).collect())
    }
}

/// What lessons are about to say: for staff.
pub(crate) struct Drafts(pub(crate) Db);

impl Fetch for Drafts {
    type Key = LessonId;
    type Value = Option<Arc<LessonDraft>>;

    async fn fetch(&self, keys: &[LessonId]) -> Result<HashMap<LessonId, Self::Value>, DbError> {
        let found = store::contents::drafts(&self.0, keys).await?;
        Ok(found.into_iter().map(|draft| (draft.lesson_id, Some(Arc::new(draft)))).collect())
    }
}

/// The first version that a learner can have seen of a lesson that she has been in.
pub(crate) struct FirstVersions(pub(crate) Db);

impl Fetch for FirstVersions {
    type Key = (AccountId, LessonId);
    type Value = Personal<tags::LearningRecord, Option<i64>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        // There is one viewer.
        for (learner, lessons) in grouped(keys.iter().copied()) {
            let rows = store::contents::first_seen(&self.0, learner, &lessons).await?;
            found.extend(rows.into_iter().map(|(lesson, first)| ((learner, lesson), Some(first).into())));
        }
        Ok(found)
    }
}

/// What lessons said in a version.
pub(crate) struct OldContents(pub(crate) Db);

impl Fetch for OldContents {
    type Key = (LessonId, i64);
    type Value = Option<Arc<LessonVersion>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        // A query names few versions, each for many lessons.
        for (version, lessons) in grouped(keys.iter().map(|(lesson, version)| (*version, *lesson))) {
            let rows = store::contents::in_version(&self.0, &lessons, version).await?;
            found.extend(rows.into_iter().map(|row| ((row.lesson_id, row.version), Some(Arc::new(row)))));
        }
        Ok(found)
    }
}
