//! What is kept of the catalogue in memory, decoded: so a course page that somebody has just read costs no statement for it.
//!
//! Only what is the same for every viewer: no drafts, no counts of learners, nothing about a person, and not what lessons say,
//! which is large. Whoever shows it asks the policy as for what was just read.
//!
//! How it stays true is in [`crate::db::fresh`], which names the tables that these are read from.

use std::{mem::size_of, sync::Arc};

use super::{
    CatalogueSettings,
    model::{Course, CourseFilter, CourseKey, CourseOrder, Lesson, Module, PartStatus, Topic},
};
use crate::{
    db::{
        Db,
        page::{Page, PageRequest},
    },
    ids::{CourseId, LessonId, ModuleId, TopicId},
    shelf::Shelf,
};

/// Which page of the published courses.
pub(crate) type PageKey = (CourseFilter, CourseOrder, PageRequest<CourseKey>);

/// The shelves of one server.
pub(crate) struct Kept {
    pub(super) db: Db,
    pub(super) courses: Shelf<CourseId, Option<Arc<Course>>>,
    pub(super) slugs: Shelf<String, Option<CourseId>>,
    pub(super) pages: Shelf<PageKey, Arc<Page<Arc<Course>>>>,
    pub(super) topics: Shelf<TopicId, Option<Arc<Topic>>>,
    pub(super) public_topics: Shelf<TopicId, Option<Arc<Topic>>>,
    pub(super) all_topics: Shelf<(), Arc<Vec<Topic>>>,
    pub(super) topics_of_course: Shelf<CourseId, Arc<Vec<Topic>>>,
    pub(super) prerequisites: Shelf<CourseId, Arc<Vec<CourseId>>>,
    pub(super) modules: Shelf<ModuleId, Option<Arc<Module>>>,
    pub(super) modules_of_course: Shelf<CourseId, Arc<Vec<Arc<Module>>>>,
    pub(super) module_prerequisites: Shelf<ModuleId, Arc<Vec<ModuleId>>>,
    pub(super) lessons: Shelf<LessonId, Option<Arc<Lesson>>>,
    pub(super) lessons_of_module: Shelf<ModuleId, Arc<Vec<Arc<Lesson>>>>,
}

impl Kept {
    pub(crate) fn new(db: &Db, settings: &CatalogueSettings) -> Self {
        // By how large they are in a catalogue that is read all over: a course has some thirty lessons.
        let share = |percent: u64| settings.memory_bytes / 100 * percent;
        Self {
            db: db.clone(),
            courses: Shelf::new(db, share(16), course),
            slugs: Shelf::new(db, share(3), |id| id.map(|_| 0)),
            pages: Shelf::new(db, share(16), |page| Some(page.items.iter().map(|item| bytes_of_course(item)).sum())),
            topics: Shelf::new(db, share(2), topic),
            public_topics: Shelf::new(db, share(2), topic),
            all_topics: Shelf::new(db, share(2), |topics| Some(bytes_of_topics(topics))),
            topics_of_course: Shelf::new(db, share(4), |topics| Some(bytes_of_topics(topics))),
            prerequisites: Shelf::new(db, share(3), |ids| Some(size_of::<CourseId>() * ids.len())),
            modules: Shelf::new(db, share(5), |module| {
                module
                    .as_ref()
                    .filter(|module| module.status == PartStatus::Published)
                    .map(|module| bytes_of_module(module))
            }),
            modules_of_course: Shelf::new(db, share(6), |modules| {
                Some(modules.iter().map(|module| bytes_of_module(module)).sum())
            }),
            module_prerequisites: Shelf::new(db, share(5), |ids| Some(size_of::<ModuleId>() * ids.len())),
            lessons: Shelf::new(db, share(16), |lesson| {
                lesson
                    .as_ref()
                    .filter(|lesson| lesson.status == PartStatus::Published)
                    .map(|lesson| bytes_of_lesson(lesson))
            }),
            lessons_of_module: Shelf::new(db, share(20), |lessons| {
                Some(lessons.iter().map(|lesson| bytes_of_lesson(lesson)).sum())
            }),
        }
    }
}

/// What is not there is not kept, here and below: anybody may ask for ids without end.
#[expect(clippy::ref_option, reason = "it is what the shelf holds")]
fn course(course: &Option<Arc<Course>>) -> Option<usize> {
    course.as_ref().filter(|course| course.is_public()).map(|course| bytes_of_course(course))
}

#[expect(clippy::ref_option, reason = "it is what the shelf holds")]
fn topic(topic: &Option<Arc<Topic>>) -> Option<usize> {
    topic.as_ref().map(|topic| bytes_of_topic(topic))
}

fn bytes_of_course(course: &Course) -> usize {
    size_of::<Course>() + course.slug.len() + course.title.len() + course.summary.len() + course.language.len()
}

fn bytes_of_topic(topic: &Topic) -> usize {
    size_of::<Topic>() + topic.slug.len() + topic.name.len()
}

fn bytes_of_topics(topics: &[Topic]) -> usize {
    topics.iter().map(bytes_of_topic).sum()
}

fn bytes_of_module(module: &Module) -> usize {
    size_of::<Module>() + module.title.len()
}

fn bytes_of_lesson(lesson: &Lesson) -> usize {
    size_of::<Lesson>() + lesson.title.len()
}
