//! Enrolments and progress in the graph.

pub(crate) mod activity;
mod changes;
pub(crate) mod live;
mod statistics;

pub(crate) use statistics::CourseStatistics;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

use super::{
    definition,
    model::{self, Progress},
};
use crate::{
    access::{
        self, COURSE_LEARNERS, Category, ENROLMENT_CAPPED_SECONDS, ENROLMENT_CHANGED_BECAUSE, ENROLMENT_COMPLETED_AT,
        ENROLMENT_ENROLLED_AT, ENROLMENT_LAST_ACTIVE_AT, ENROLMENT_LEFT_AT, ENROLMENT_MARKS, ENROLMENT_MODULES,
        ENROLMENT_NEW_LESSONS, ENROLMENT_PROGRESS, ENROLMENT_SECONDS, InCourse, LESSON_PROGRESS_COMPLETED_AT,
        LESSON_PROGRESS_CONTENT_VERSION, LESSON_PROGRESS_POSITION, LESSON_PROGRESS_PROGRESS, LESSON_PROGRESS_SCORE,
        LESSON_PROGRESS_SECONDS, Shown, Standing, graphql::About, permit, tags,
    },
    accounts::graphql::Person,
    courses::{
        graphql::{Course, Lesson, Module},
        model::PartStatus,
    },
    db::page::Page,
    enrolling::graphql::cohorts::Attendance,
    graphql::{
        connection::{Pages, Paging, connection},
        direct::List,
        errors::Fault,
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId},
    progress::loaders::Placed,
};
use activity::MarkedActivity;
use changes::EnrolmentChange;

/// The longest page of a class.
const MAX_CLASS: usize = 300;

/// How far along a learner's time in a course is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::EnrolmentState")]
pub(crate) enum EnrolmentState {
    /// She takes it.
    Active,
    /// She has completed every lesson.
    Completed,
    /// She has left it.
    Left,
}

/// How a class is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::LearnerOrder")]
pub(crate) enum LearnerOrder {
    /// The latest enrolment first.
    EnrolledAt,
    /// The least progress first.
    Progress,
    /// Those who have been away the longest first. With the state `ACTIVE` or `COMPLETED` only: when somebody who has
    /// left was last there is not shown, and so does not show by her place either.
    LastActiveAt,
}

/// A learner in a course.
#[derive(Clone)]
pub(crate) struct Enrolment {
    row: Arc<model::Enrolment>,
    standing: Standing<InCourse>,
}

impl Enrolment {
    /// The enrolment, if the viewer may know of it.
    pub(crate) async fn find(scope: &Scope, learner: AccountId, course: CourseId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        let Some(row) = load.enrolments.get((learner, course)).await? else { return Ok(None) };
        let standing = load.viewpoint.in_course(known, learner, course, Some(row.tenure));
        let there = standing.looks_at(Category::LearningRecord) || standing.looks_at(Category::LearningHistory);
        Ok(there.then_some(Self { row, standing }))
    }

    /// A page of a class, as somebody who may see the class sees each learner.
    pub(crate) async fn of_class(
        scope: &Scope,
        course: CourseId,
        paging: &Paging,
        (state, cohort): (Option<EnrolmentState>, Option<ID>),
        order: LearnerOrder,
    ) -> Shown<Pages<Self>> {
        let class = match scope.load().viewpoint.to_class(course).await {
            Ok(class) => class,
            Err(error) => return Shown::Failed(error.into()),
        };
        match permit(&COURSE_LEARNERS, &class) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Self::read_class(scope, course, paging, (state, cohort, order), permit).await.into(),
        }
    }

    async fn read_class(
        scope: &Scope,
        course: CourseId,
        paging: &Paging,
        (state, cohort, order): (Option<EnrolmentState>, Option<ID>, LearnerOrder),
        permit: access::Permit<tags::Class>,
    ) -> Result<Pages<Self>, Fault> {
        let (state, order) = (state.map(Into::into), model::LearnerOrder::from(order));
        let has_left = matches!(state, None | Some(model::EnrolmentState::Left));
        if has_left && !access::may_see(access::Relation::FormerStaff, order.category()) {
            return Err(Fault::bad_input(
                "of those who have left the course it is not shown what this order goes by: give `state` as ACTIVE or COMPLETED",
            ));
        }
        // A learner's cohort is shown to whoever sees her in the list, also after she has left: so it may be asked for.
        let cohort = match cohort.as_ref().map(node::cohort_id).transpose()? {
            Some((of, _)) if of != course => return Err(Fault::bad_input("`cohort` is a cohort of another course")),
            cohort => cohort.map(|(_, cohort)| cohort),
        };
        let list = format!("learners/{order:?}/{state:?}/{cohort:?}");
        let request = paging.request_of(scope, &list, MAX_CLASS)?;
        let since = scope.app.rules.kept_since(scope.app.clock.now());
        let page = scope.load().class_pages.get((course, order, state, cohort, since, request)).await?;
        Self::listed(scope, &list, page.open(permit)).await
    }

    /// A page of enrolments, each as what the viewer is to its learner there. That they exist is a look at them.
    pub(crate) async fn listed(scope: &Scope, list: &str, page: &Page<Placed>) -> Result<Pages<Self>, Fault> {
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        connection(
            scope,
            list,
            page,
            |(key, _)| *key,
            |(_, row)| {
                let standing = load.viewpoint.in_course(known, row.learner_id, row.course_id, Some(row.tenure));
                standing.looks_at(Category::LearningRecord);
                Self { row: Arc::clone(row), standing }
            },
        )
    }

    async fn read_progress(&self, scope: &Scope, permit: access::Permit<tags::LearningRecord>) -> Result<f64, Fault> {
        let course = scope.load().courses.get(self.row.course_id).await?;
        let lessons = course.map_or(0, |course| course.lesson_count);
        Ok(self.row.progress(lessons, permit).fraction())
    }

    async fn read_modules(&self, scope: &Scope) -> Result<Vec<ModuleProgress>, Fault> {
        // Somebody may have taken a course that is a draft again.
        if Course::find(scope, self.row.course_id).await?.is_none() {
            return Ok(Vec::new());
        }
        let load = scope.load();
        let (modules, record) = futures_util::try_join!(
            load.modules_of_course.get(self.row.course_id),
            load.lessons_of_enrolment.get(self.row.record_key())
        )?;
        scope.make_room(modules.len())?;
        let modules: Vec<_> = modules.iter().filter(|module| module.status == PartStatus::Published).collect();
        let lessons = load.lessons_of_module.get_many(modules.iter().map(|module| module.id).collect()).await?;
        let step = |lesson: &Arc<crate::courses::model::Lesson>| -> Step {
            let progress = record.get(lesson.id).cloned();
            (Arc::clone(lesson), progress.unwrap_or_else(|| model::LessonProgress::none(lesson.id)))
        };
        let of_module = |module: &&Arc<crate::courses::model::Module>| ModuleProgress {
            module: Arc::clone(module),
            lessons: lessons
                .get(&module.id)
                .into_iter()
                .flat_map(|lessons| lessons.iter().filter(|lesson| lesson.status == PartStatus::Published).map(step))
                .collect(),
            standing: self.standing.clone(),
        };
        Ok(modules.iter().map(of_module).collect())
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

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "the macro awaits it")]
    async fn attendance(&self) -> Attendance {
        Attendance { key: self.row.key(), standing: self.standing.clone() }
    }

    /// Since when.
    #[graphql(directive = About::apply(&ENROLMENT_ENROLLED_AT))]
    async fn enrolled_at(&self) -> Shown<DateTime> {
        access::show(&ENROLMENT_ENROLLED_AT, &self.standing, &self.row.enrolled_at).map(DateTime)
    }

    /// When she left the course; null while she is in it.
    #[graphql(directive = About::apply(&ENROLMENT_LEFT_AT))]
    async fn left_at(&self) -> Shown<Option<DateTime>> {
        access::show(&ENROLMENT_LEFT_AT, &self.standing, &self.row.left_at).map(|at| at.map(DateTime))
    }

    /// When the learner was last in the course.
    #[graphql(directive = About::apply(&ENROLMENT_LAST_ACTIVE_AT))]
    async fn last_active_at(&self) -> Shown<DateTime> {
        access::show(&ENROLMENT_LAST_ACTIVE_AT, &self.standing, &self.row.last_active_at).map(DateTime)
    }

    /// When every lesson was completed; null until then.
    #[graphql(directive = About::apply(&ENROLMENT_COMPLETED_AT))]
    async fn completed_at(&self) -> Shown<Option<DateTime>> {
        access::show(&ENROLMENT_COMPLETED_AT, &self.standing, &self.row.completed_at).map(|at| at.map(DateTime))
    }

    /// Time spent in the course, in seconds.
    #[graphql(directive = About::apply(&ENROLMENT_SECONDS))]
    async fn seconds(&self) -> Shown<i32> {
        access::show(&ENROLMENT_SECONDS, &self.standing, &self.row.seconds).map(int)
    }

    /// Progress in the course, 0 to 1: the mean over its lessons. 1 exactly when all are completed; it stays 1 when lessons are
    /// added after that (see `newLessonsSinceCompletion`). While it is below 1, a change of the course may change it:
    /// `changedBecause` tells.
    #[graphql(directive = About::apply(&ENROLMENT_PROGRESS))]
    async fn progress(&self, ctx: &Context<'_>) -> Shown<f64> {
        match permit(&ENROLMENT_PROGRESS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_progress(scope(ctx), permit).await.into(),
        }
    }

    /// The version of the definition of progress by which all of this is counted. When it grows, numbers that a client has kept
    /// mean something else.
    async fn definition_version(&self) -> i32 {
        definition::VERSION
    }

    /// How the course has changed since the learner enrolled or last took notice of it (`acknowledgeChanges`), the latest change
    /// first, each with what it did to her progress. So progress never falls without a reason.
    #[graphql(directive = About::apply(&ENROLMENT_CHANGED_BECAUSE))]
    async fn changed_because(&self, ctx: &Context<'_>) -> Shown<Vec<EnrolmentChange>> {
        match permit(&ENROLMENT_CHANGED_BECAUSE, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => changes::because(scope(ctx), &self.row, permit).await.into(),
        }
    }

    /// How many lessons were added since the learner completed the course and are not completed by her; null while she has not
    /// completed it.
    #[graphql(directive = About::apply(&ENROLMENT_NEW_LESSONS))]
    async fn new_lessons_since_completion(&self, ctx: &Context<'_>) -> Shown<Option<i32>> {
        match permit(&ENROLMENT_NEW_LESSONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => changes::new_lessons(scope(ctx), &self.row, permit).await.into(),
        }
    }

    /// How many of the seconds that were reported do not count, since they can't have been: more than had passed.
    #[graphql(directive = About::apply(&ENROLMENT_CAPPED_SECONDS))]
    async fn capped_seconds(&self, ctx: &Context<'_>) -> Shown<i32> {
        match permit(&ENROLMENT_CAPPED_SECONDS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Shown::from(scope(ctx).load().enrolment_notes.get(self.row.key()).await)
                .map(|notes| int(notes.map_or(0, |notes| *notes.capped_seconds.open(permit)))),
        }
    }

    /// The latest reports of time there that are marked, at most 20, the latest first. They are kept for 32 days.
    #[graphql(directive = About::apply(&ENROLMENT_MARKS))]
    async fn marked_activity(&self, ctx: &Context<'_>) -> Shown<Vec<MarkedActivity>> {
        match permit(&ENROLMENT_MARKS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Shown::from(scope(ctx).load().activity_marks.get(self.row.key()).await)
                .map(|marks| marks.open(permit).iter().copied().map(MarkedActivity).collect()),
        }
    }

    /// Progress in each of the course's modules, in order.
    #[graphql(directive = About::apply(&ENROLMENT_MODULES))]
    async fn modules(&self, ctx: &Context<'_>) -> Shown<List<ModuleProgress>> {
        match permit(&ENROLMENT_MODULES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(_permit) => self.read_modules(scope(ctx)).await.map(List).into(),
        }
    }
}

/// A lesson, and what the learner did in it.
type Step = (Arc<crate::courses::model::Lesson>, model::LessonProgress);

/// A learner's progress in a module. Reached through an enrolment whose modules may be seen.
pub(crate) struct ModuleProgress {
    module: Arc<crate::courses::model::Module>,
    /// Its published lessons, in order, with what the learner did in each.
    lessons: Vec<Step>,
    standing: Standing<InCourse>,
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
    async fn progress(&self) -> Shown<f64> {
        match permit(&access::MODULE_PROGRESS_PROGRESS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let sum = Progress::sum(self.lessons.iter().map(|(_, progress)| *progress.progress.open(permit)));
                Shown::from(Ok::<_, Fault>(Progress::mean(sum, self.lessons.len() as i64).fraction()))
            }
        }
    }

    /// Time spent in the module, in seconds.
    #[graphql(directive = About::apply(&access::MODULE_PROGRESS_SECONDS))]
    async fn seconds(&self) -> Shown<i32> {
        match permit(&access::MODULE_PROGRESS_SECONDS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let seconds = self.lessons.iter().map(|(_, progress)| *progress.seconds.open(permit)).sum();
                Shown::from(Ok::<_, Fault>(int(seconds)))
            }
        }
    }

    /// Progress in each of the module's lessons, in order.
    #[graphql(directive = About::apply(&access::MODULE_PROGRESS_LESSONS))]
    async fn lessons(&self, ctx: &Context<'_>) -> Shown<List<LessonProgress>> {
        match permit(&access::MODULE_PROGRESS_LESSONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(_permit) => Shown::from(scope(ctx).make_room(self.lessons.len())).map(|()| {
                let of_lesson = |(lesson, progress): &Step| LessonProgress {
                    lesson: Arc::clone(lesson),
                    progress: progress.clone(),
                    standing: self.standing.clone(),
                };
                self.lessons.iter().map(of_lesson).collect()
            }),
        }
    }
}

/// A learner's progress in a lesson.
pub(crate) struct LessonProgress {
    lesson: Arc<crate::courses::model::Lesson>,
    progress: model::LessonProgress,
    standing: Standing<InCourse>,
}

/// A learner's progress in a lesson.
#[Object]
impl LessonProgress {
    /// The lesson.
    async fn lesson(&self) -> Lesson {
        Lesson(Arc::clone(&self.lesson))
    }

    /// Progress in the lesson, 0 to 1: 1 when completed, else how much is done of what its author asks for.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_PROGRESS))]
    async fn progress(&self) -> Shown<f64> {
        access::show(&LESSON_PROGRESS_PROGRESS, &self.standing, &self.progress.progress).map(Progress::fraction)
    }

    /// Time spent in the lesson, in seconds.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_SECONDS))]
    async fn seconds(&self) -> Shown<i32> {
        access::show(&LESSON_PROGRESS_SECONDS, &self.standing, &self.progress.seconds).map(int)
    }

    /// Where the learner left off, in seconds from the lesson's start.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_POSITION))]
    async fn position(&self) -> Shown<i32> {
        access::show(&LESSON_PROGRESS_POSITION, &self.standing, &self.progress.position).map(int)
    }

    /// When it was completed; null until then.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_COMPLETED_AT))]
    async fn completed_at(&self) -> Shown<Option<DateTime>> {
        access::show(&LESSON_PROGRESS_COMPLETED_AT, &self.standing, &self.progress.completed_at)
            .map(|at| at.map(DateTime))
    }

    /// The version of the lesson's content that the learner saw last; null if she never opened it.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_CONTENT_VERSION))]
    async fn content_version(&self) -> Shown<Option<i32>> {
        access::show(&LESSON_PROGRESS_CONTENT_VERSION, &self.standing, &self.progress.content_version)
            .map(|version| version.map(int))
    }

    /// What she scored in it, 0 to 1; null if nothing was recorded.
    #[graphql(directive = About::apply(&LESSON_PROGRESS_SCORE))]
    async fn score(&self) -> Shown<Option<f64>> {
        access::show(&LESSON_PROGRESS_SCORE, &self.standing, &self.progress.score)
            .map(|score| score.map(|score| Progress::from_millionths(score).fraction()))
    }
}
