//! The catalogue by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    model::{Course, CourseRollup, Lesson, Module, StaffMember, Topic},
    store,
};
use crate::{
    batch::{Fetch, grouped},
    db::{Db, DbError},
    ids::{CourseId, LessonId, ModuleId, TopicId},
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
    /// Modules.
    Modules: ModuleId => Module = store::modules_by_ids;
    /// Lessons.
    Lessons: LessonId => Lesson = store::lessons_by_ids;
}

belonging! {
    /// The topics of courses.
    TopicsOfCourse: CourseId => Topic = |db, keys| store::topics_of_courses(db, keys).await?;
    /// The courses that courses require.
    Prerequisites: CourseId => CourseId = |db, keys| store::prerequisites(db, keys).await?;
    /// The staff of courses.
    Staff: CourseId => StaffMember = |db, keys| store::staff(db, keys).await?;
    /// The modules of courses.
    ModulesOfCourse: CourseId => Arc<Module> = |db, keys| store::modules_of_courses(db, keys)
        .await?
        .into_iter()
        .map(|module| (module.course_id, Arc::new(module)));
    /// The lessons of modules.
    LessonsOfModule: ModuleId => Arc<Lesson> = |db, keys| store::lessons_of_modules(db, keys)
        .await?
        .into_iter()
        .map(|lesson| (lesson.module_id, Arc::new(lesson)));
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
