//! Enrolments and progress in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    Refusal,
    loaders::LessonRecord,
    model::{self, Activity, Progress},
};
use crate::{
    access::{
        self, ENROLMENT_COMPLETED_AT, ENROLMENT_ENROLLED_AT, ENROLMENT_LAST_ACTIVE_AT, ENROLMENT_MODULES,
        ENROLMENT_PROGRESS, ENROLMENT_SECONDS, LESSON_PROGRESS_COMPLETED_AT, LESSON_PROGRESS_POSITION,
        LESSON_PROGRESS_PROGRESS, LESSON_PROGRESS_SECONDS, Relation, Shown, graphql::About, permit, tags,
    },
    accounts::graphql::Person,
    courses::graphql::{Course, Lesson, Module},
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node::{NodeId, course_id, lesson_id},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId},
};

/// A learner in a course.
#[derive(Clone)]
pub(crate) struct Enrolment {
    row: Arc<model::Enrolment>,
    relation: Relation,
}

impl Enrolment {
    /// As somebody in this relation to the learner sees it.
    pub(crate) fn new(row: Arc<model::Enrolment>, relation: Relation) -> Self {
        Self { row, relation }
    }

    /// The enrolment, if the viewer may know of it.
    pub(crate) async fn find(scope: &Scope, learner: AccountId, course: CourseId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let relation = load.relations.get(learner).await?.0;
        if permit(&access::PERSON_ENROLMENTS, relation).is_err() {
            return Ok(None);
        }
        Ok(load.enrolments.get((learner, course)).await?.map(|row| Self::new(row, relation)))
    }

    async fn read_progress(&self, scope: &Scope, permit: access::Permit<tags::LearningRecord>) -> Result<f64, Fault> {
        let course = scope.load().courses.get(self.row.course_id).await?;
        let lessons = course.map_or(0, |course| course.lesson_count);
        Ok(Progress::mean(*self.row.progress_sum.open(permit), lessons).fraction())
    }

    async fn read_modules(&self, scope: &Scope) -> Result<Vec<ModuleProgress>, Fault> {
        let load = scope.load();
        let (modules, record) = futures_util::try_join!(
            load.modules_of_course.get(self.row.course_id),
            load.lessons_of_enrolment.get(self.row.key())
        )?;
        scope.make_room(modules.len())?;
        let record = record.unwrap_or_else(|| Arc::new(LessonRecord::new(std::collections::HashMap::new())));
        Ok(modules
            .iter()
            .map(|module| ModuleProgress {
                module: Arc::clone(module),
                record: Arc::clone(&record),
                relation: self.relation,
            })
            .collect())
    }
}

/// A learner in a course.
#[Object]
impl Enrolment {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Enrolment(self.row.learner_id, self.row.course_id).encode()
    }

    /// The course.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.row.course_id).await.transpose()
    }

    /// The learner.
    async fn learner(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.row.learner_id).await.transpose()
    }

    /// Since when.
    #[graphql(directive = About::apply(&ENROLMENT_ENROLLED_AT))]
    async fn enrolled_at(&self) -> Shown<DateTime> {
        access::show(&ENROLMENT_ENROLLED_AT, self.relation, &self.row.enrolled_at).map(DateTime)
    }

    /// When the learner was last in the course.
    #[graphql(directive = About::apply(&ENROLMENT_LAST_ACTIVE_AT))]
    async fn last_active_at(&self) -> Shown<DateTime> {
        access::show(&ENROLMENT_LAST_ACTIVE_AT, self.relation, &self.row.last_active_at).map(DateTime)
    }

    /// When every lesson was completed; null until then.
    #[graphql(directive = About::apply(&ENROLMENT_COMPLETED_AT))]
    async fn completed_at(&self) -> Shown<Option<DateTime>> {
        access::show(&ENROLMENT_COMPLETED_AT, self.relation, &self.row.completed_at).map(|at| at.map(DateTime))
    }

    /// Time spent in the course, in seconds.
    #[graphql(directive = About::apply(&ENROLMENT_SECONDS))]
    async fn seconds(&self) -> Shown<i32> {
        access::show(&ENROLMENT_SECONDS, self.relation, &self.row.seconds).map(int)
    }

    /// Progress in the course, 0 to 1: the mean over its lessons. 1 exactly when all are completed.
    #[graphql(directive = About::apply(&ENROLMENT_PROGRESS))]
    async fn progress(&self, ctx: &Context<'_>) -> Shown<f64> {
        match permit(&ENROLMENT_PROGRESS, self.relation) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_progress(scope(ctx), permit).await.into(),
        }
    }

    /// Progress in each of the course's modules, in order.
    #[graphql(directive = About::apply(&ENROLMENT_MODULES))]
    async fn modules(&self, ctx: &Context<'_>) -> Shown<Vec<ModuleProgress>> {
        match permit(&ENROLMENT_MODULES, self.relation) {
            Err(denied) => Shown::Denied(denied),
            Ok(_permit) => self.read_modules(scope(ctx)).await.into(),
        }
    }
}

/// A learner's progress in a module. Reached through an enrolment whose modules may be seen.
pub(crate) struct ModuleProgress {
    module: Arc<crate::courses::model::Module>,
    record: Arc<LessonRecord>,
    relation: Relation,
}

impl ModuleProgress {
    async fn read_lessons(
        &self,
        scope: &Scope,
        permit: access::Permit<tags::LearningRecord>,
    ) -> Result<Vec<(Arc<crate::courses::model::Lesson>, model::LessonProgress)>, Fault> {
        let lessons = scope.load().lessons_of_module.get(self.module.id).await?;
        scope.make_room(lessons.len())?;
        let record = self.record.open(permit);
        Ok(lessons
            .iter()
            .map(|lesson| {
                let progress = record.get(&lesson.id).cloned();
                (Arc::clone(lesson), progress.unwrap_or_else(|| model::LessonProgress::none(lesson.id)))
            })
            .collect())
    }
}

/// A learner's progress in a module. Reached through an enrolment whose modules may be seen.
#[Object]
impl ModuleProgress {
    /// The module.
    async fn module(&self) -> Module {
        Module(Arc::clone(&self.module))
    }

    /// Progress in the module, 0 to 1: the mean over its lessons.
    #[graphql(directive = About::apply(&access::MODULE_PROGRESS_PROGRESS))]
    async fn progress(&self, ctx: &Context<'_>) -> Shown<f64> {
        match permit(&access::MODULE_PROGRESS_PROGRESS, self.relation) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Shown::from(self.read_lessons(scope(ctx), permit).await).map(|lessons| {
                let sum = Progress::sum(lessons.iter().map(|(_, progress)| progress.progress));
                Progress::mean(sum, lessons.len() as i64).fraction()
            }),
        }
    }

    /// Time spent in the module, in seconds.
    #[graphql(directive = About::apply(&access::MODULE_PROGRESS_SECONDS))]
    async fn seconds(&self, ctx: &Context<'_>) -> Shown<i32> {
        match permit(&access::MODULE_PROGRESS_SECONDS, self.relation) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Shown::from(self.read_lessons(scope(ctx), permit).await)
                .map(|lessons| int(lessons.iter().map(|(_, progress)| progress.seconds).sum())),
        }
    }

    /// Progress in each of the module's lessons, in order.
    #[graphql(directive = About::apply(&access::MODULE_PROGRESS_LESSONS))]
    async fn lessons(&self, ctx: &Context<'_>) -> Shown<Vec<LessonProgress>> {
        match permit(&access::MODULE_PROGRESS_LESSONS, self.relation) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Shown::from(self.read_lessons(scope(ctx), permit).await).map(|lessons| {
                lessons
                    .into_iter()
                    .map(|(lesson, progress)| LessonProgress {
                        lesson,
                        progress: progress.into(),
                        relation: self.relation,
                    })
                    .collect()
            }),
        }
    }
}

/// A learner's progress in a lesson.
pub(crate) struct LessonProgress {
    lesson: Arc<crate::courses::model::Lesson>,
    progress: access::Personal<tags::LearningRecord, model::LessonProgress>,
    relation: Relation,
}

/// A learner's progress in a lesson.
#[Object]
impl LessonProgress {
    /// The lesson.
    async fn lesson(&self) -> Lesson {
        Lesson(Arc::clone(&self.lesson))
    }

    /// Progress in the lesson, 0 to 1: 1 when completed, else how far into it the learner came.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_PROGRESS))]
    async fn progress(&self) -> Shown<f64> {
        access::show(&LESSON_PROGRESS_PROGRESS, self.relation, &self.progress).map(|lesson| lesson.progress.fraction())
    }

    /// Time spent in the lesson, in seconds.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_SECONDS))]
    async fn seconds(&self) -> Shown<i32> {
        access::show(&LESSON_PROGRESS_SECONDS, self.relation, &self.progress).map(|lesson| int(lesson.seconds))
    }

    /// Where the learner left off, in seconds from the lesson's start.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_POSITION))]
    async fn position(&self) -> Shown<i32> {
        access::show(&LESSON_PROGRESS_POSITION, self.relation, &self.progress).map(|lesson| int(lesson.position))
    }

    /// When it was completed; null until then.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_COMPLETED_AT))]
    async fn completed_at(&self) -> Shown<Option<DateTime>> {
        access::show(&LESSON_PROGRESS_COMPLETED_AT, self.relation, &self.progress)
            .map(|lesson| lesson.completed_at.map(DateTime))
    }
}

/// What a learner's client reports of a lesson.
#[derive(Debug, InputObject)]
pub(crate) struct RecordActivityInput {
    /// Seconds spent since the last report, 0 to 86400.
    seconds: i32,
    /// Where she is, in seconds from the lesson's start.
    position: Option<i32>,
    /// Whether she says that the lesson is done. A lesson that is completed stays so.
    #[graphql(default)]
    completed: bool,
}

/// What became of `enroll`.
#[derive(SimpleObject)]
pub(crate) struct EnrollPayload {
    /// The enrolment; null if there were errors.
    enrolment: Option<Enrolment>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `recordActivity`.
#[derive(SimpleObject)]
pub(crate) struct RecordActivityPayload {
    /// The enrolment, with the activity added; null if there were errors.
    enrolment: Option<Enrolment>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchCourse => (UserErrorCode::NotFound, &["courseId"]),
        Refusal::NoSuchLesson => (UserErrorCode::NotFound, &["lessonId"]),
        Refusal::CourseClosed => (UserErrorCode::CourseClosed, &["courseId"]),
        Refusal::NotEnrolled => (UserErrorCode::NotEnrolled, &["lessonId"]),
        Refusal::Seconds(_) => (UserErrorCode::OutOfRange, &["input", "seconds"]),
        Refusal::Position(_) => (UserErrorCode::OutOfRange, &["input", "position"]),
    };
    UserError::new(code, path, &refusal)
}

/// Taking courses.
#[derive(Default)]
pub(crate) struct ProgressMutation;

/// Taking courses.
#[Object]
impl ProgressMutation {
    /// Takes a course. Doing it again changes nothing.
    async fn enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<EnrollPayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account()?, self::course_id(&course_id)?);
        if let Err(refusal) = scope.app.learning.enroll(learner, course).await? {
            return Ok(EnrollPayload { enrolment: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(EnrollPayload { enrolment: Enrolment::find(scope, learner, course).await?, user_errors: Vec::new() })
    }

    /// Adds what you did in a lesson to your record.
    async fn record_activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the lesson.")] lesson_id: ID,
        #[graphql(desc = "What you did.")] input: RecordActivityInput,
    ) -> Result<RecordActivityPayload, Fault> {
        let scope = scope(ctx);
        let (learner, lesson_id) = (scope.account()?, self::lesson_id(&lesson_id)?);
        let activity = Activity {
            lesson_id,
            seconds: input.seconds.into(),
            position: input.position.map(i64::from),
            completed: input.completed,
        };
        match scope.app.learning.record(learner, activity).await? {
            Err(refusal) => Ok(RecordActivityPayload { enrolment: None, user_errors: vec![user_error(refusal)] }),
            Ok(lesson) => {
                scope.forget();
                let enrolment = Enrolment::find(scope, learner, lesson.course_id).await?;
                Ok(RecordActivityPayload { enrolment, user_errors: Vec::new() })
            }
        }
    }
}
