//! The catalogue by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    kept::{Kept, PageKey},
    model::{Course, CourseRollup, Lesson, LessonDraft, LessonVersion, Module, StaffMember, Topic},
    store,
};
use crate::{
    access::{Personal, tags},
    batch::{Fetch, grouped},
    db::{Db, DbError, page::Page},
    ids::{AccountId, CourseId, LessonId, ModuleId, TopicId},
    shelf::Shelf,
};

/// Loaders of one thing by its id, kept on the shelf that is named last: `None` where there is none.
macro_rules! by_id {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty = $fetch:path, $shelf:ident;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) Arc<Kept>);

        impl Fetch for $name {
            type Key = $key;
            type Value = Option<Arc<$value>>;

            fn shelf(&self) -> Option<&Shelf<$key, Self::Value>> {
                Some(&self.0.$shelf)
            }

            async fn fetch(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, DbError> {
                Ok($fetch(&self.0.db, keys).await?.into_iter().map(|found| (found.id, Some(Arc::new(found)))).collect())
            }
        }
    )+};
}

/// Loaders of what belongs to a thing, in order, kept on the shelf that is named before the statement.
macro_rules! kept_belonging {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty, $shelf:ident = |$db:ident, $keys:ident| $pairs:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) Arc<Kept>);

        impl Fetch for $name {
            type Key = $key;
            type Value = Arc<Vec<$value>>;

            fn shelf(&self) -> Option<&Shelf<$key, Self::Value>> {
                Some(&self.0.$shelf)
            }

            async fn fetch(&self, $keys: &[$key]) -> Result<HashMap<$key, Self::Value>, DbError> {
                let $db = &self.0.db;
                Ok(grouped($pairs))
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
    Courses: CourseId => Course = store::by_ids, courses;
    /// Topics, also those that are nothing but somebody's goal: for whoever may see that.
    Topics: TopicId => Topic = store::topics_by_ids, topics;
    /// Topics of courses that anybody may know of.
    PublicTopics: TopicId => Topic = store::public_topics_by_ids, public_topics;
    /// Modules of any status: whoever asks for one to show it asks `graphql::Module::find`.
    Modules: ModuleId => Module = store::modules_by_ids, modules;
    /// Lessons of any status: whoever asks for one to show it asks `graphql::Lesson::find`.
    Lessons: LessonId => Lesson = store::lessons_by_ids, lessons;
}

kept_belonging! {
    /// The topics of courses.
    TopicsOfCourse: CourseId => Topic, topics_of_course = |db, keys| store::topics_of_courses(db, keys).await?;
    /// The courses that courses require.
    Prerequisites: CourseId => CourseId, prerequisites = |db, keys| store::prerequisites(db, keys).await?;
    /// The modules of courses, as learners find them.
    ModulesOfCourse: CourseId => Arc<Module>, modules_of_course = |db, keys| store::modules_of_courses(db, keys, false)
        .await?
        .into_iter()
        .map(|module| (module.course_id, Arc::new(module)));
    /// The lessons of modules, as learners find them.
    LessonsOfModule: ModuleId => Arc<Lesson>, lessons_of_module = |db, keys| store::lessons_of_modules(db, keys, false)
        .await?
        .into_iter()
        .map(|lesson| (lesson.module_id, Arc::new(lesson)));
    /// The modules that come before modules, whatever has become of them.
    ModulePrerequisites: ModuleId => ModuleId, module_prerequisites = |db, keys| store::links::module_prerequisites(db, keys).await?;
}

belonging! {
    /// The staff of courses.
    Staff: CourseId => StaffMember = |db, keys| store::staff(db, keys).await?;
    /// The modules of courses with the drafts among them: for staff.
    ModulesForStaff: CourseId => Arc<Module> = |db, keys| store::modules_of_courses(db, keys, true)
        .await?
        .into_iter()
        .map(|module| (module.course_id, Arc::new(module)));
    /// The lessons of modules with the drafts among them: for staff.
    LessonsForStaff: ModuleId => Arc<Lesson> = |db, keys| store::lessons_of_modules(db, keys, true)
        .await?
        .into_iter()
        .map(|lesson| (lesson.module_id, Arc::new(lesson)));
    /// The versions of lessons, the latest first.
    LessonVersions: LessonId => Arc<LessonVersion> = |db, keys| store::contents::versions(db, keys)
        .await?
        .into_iter()
        .map(|version| (version.lesson_id, Arc::new(version)));
}

/// The ids of courses of any status, by slug.
pub(crate) struct Slugs(pub(crate) Arc<Kept>);

impl Fetch for Slugs {
    type Key = String;
    type Value = Option<CourseId>;

    fn shelf(&self) -> Option<&Shelf<String, Self::Value>> {
        Some(&self.0.slugs)
    }

    async fn fetch(&self, keys: &[String]) -> Result<HashMap<String, Self::Value>, DbError> {
        let found = store::ids_by_slugs(&self.0.db, keys).await?;
        Ok(found.into_iter().map(|(slug, id)| (slug, Some(id))).collect())
    }
}

/// Pages of the published courses.
pub(crate) struct CoursePages(pub(crate) Arc<Kept>);

impl Fetch for CoursePages {
    type Key = PageKey;
    type Value = Arc<Page<Arc<Course>>>;

    fn shelf(&self) -> Option<&Shelf<PageKey, Self::Value>> {
        Some(&self.0.pages)
    }

    async fn fetch(&self, keys: &[PageKey]) -> Result<HashMap<PageKey, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        // Each has a filter of its own, and a document asks for few.
        for (filter, order, request) in keys {
            let page = store::page(&self.0.db, filter, *order, request).await?.map(Arc::new);
            found.insert((filter.clone(), *order, request.clone()), Arc::new(page));
        }
        Ok(found)
    }
}

/// The topics of courses that anybody may know of, by name.
pub(crate) struct AllTopics(pub(crate) Arc<Kept>);

impl Fetch for AllTopics {
    type Key = ();
    type Value = Arc<Vec<Topic>>;

    fn shelf(&self) -> Option<&Shelf<(), Self::Value>> {
        Some(&self.0.all_topics)
    }

    async fn fetch(&self, _: &[()]) -> Result<HashMap<(), Self::Value>, DbError> {
        Ok([((), Arc::new(store::topics(&self.0.db).await?))].into())
    }
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
