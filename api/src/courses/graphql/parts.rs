//! Modules and lessons in the graph.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

use super::{
    Course,
    content::{ContentState, LessonContent, LessonDraft, may_read, state},
};
use crate::{
    access::{ENROLMENT_MODULES, Permit, permit, tags},
    courses::model::{self, PartStatus as Status},
    graphql::{
        direct::List,
        errors::Fault,
        node::NodeId,
        scalars::int,
        scope::{Scope, scope},
    },
    ids::{CourseId, LessonId, ModuleId},
    progress::{kept::LessonRecord, model::Enrolment},
};

/// What a lesson is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::LessonKind")]
pub(crate) enum LessonKind {
    /// To watch.
    Video,
    /// To read.
    Reading,
    /// To do.
    Exercise,
    /// Somewhere else.
    Link,
}

/// Where a module or lesson is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::PartStatus")]
pub(crate) enum PartStatus {
    /// Seen by the course's staff only.
    Draft,
    /// Part of the course.
    Published,
    /// Taken out of the course. It is in no list; who has a record of it, and the staff, find it by its id.
    Retired,
}

/// By what a lesson is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Completion")]
pub(crate) enum LessonCompletion {
    /// By seeing it to its end, or opening it where it has no length.
    View,
    /// By spending a share of its length with it.
    Time,
    /// By reaching a score in it.
    Score,
    /// By saying that it is done.
    Hand,
}

/// Whether the viewer is of the staff of a course.
pub(super) async fn is_staff(scope: &Scope, course: CourseId) -> Result<bool, Fault> {
    Ok(scope.load().viewpoint.known().await?.membership(course).staff)
}

/// Something that is for the staff of a course, or null.
pub(super) async fn for_staff<T>(
    scope: &Scope,
    course: CourseId,
    value: impl FnOnce() -> T,
) -> Option<Result<T, Fault>> {
    match is_staff(scope, course).await {
        Ok(staff) => staff.then(|| Ok(value())),
        Err(fault) => Some(Err(fault)),
    }
}

/// What the viewer did in the lessons of a course, if she takes or took it.
pub(super) async fn own_record(scope: &Scope, course: CourseId) -> Result<Option<Arc<LessonRecord>>, Fault> {
    match own_permit(scope, course).await? {
        Some((enrolment, _)) => Ok(Some(scope.load().lessons_of_enrolment.get(enrolment.record_key()).await?)),
        None => Ok(None),
    }
}

/// The viewer's enrolment in a course, and that she may see her own record there, as one who takes or took it.
pub(super) async fn own_permit(
    scope: &Scope,
    course: CourseId,
) -> Result<Option<(Arc<Enrolment>, Permit<tags::LearningRecord>)>, Fault> {
    let Some(viewer) = scope.viewer.id() else { return Ok(None) };
    let load = scope.load();
    let known = load.viewpoint.known().await?;
    let Some(enrolment) = load.enrolments.get((viewer, course)).await? else { return Ok(None) };
    let standing = load.viewpoint.in_course(known, viewer, course, Some(enrolment.tenure));
    Ok(permit(&ENROLMENT_MODULES, &standing).ok().map(|permit| (enrolment, permit)))
}

/// A part of a course.
#[derive(Clone)]
pub(crate) struct Module(pub(crate) Arc<model::Module>);

impl Module {
    /// The module, if the viewer may know of it.
    pub(crate) async fn find(scope: &Scope, id: ModuleId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let Some(module) = load.modules.get(id).await? else { return Ok(None) };
        let course = module.course_id;
        if Course::find(scope, course).await?.is_none() {
            return Ok(None);
        }
        let there = match module.status {
            Status::Published => true,
            Status::Draft => is_staff(scope, course).await?,
            Status::Retired => is_staff(scope, course).await? || Self::is_recorded(scope, course, id).await?,
        };
        Ok(there.then_some(Self(module)))
    }

    /// Whether the viewer has a record of one of its lessons.
    async fn is_recorded(scope: &Scope, course: CourseId, id: ModuleId) -> Result<bool, Fault> {
        let Some(record) = own_record(scope, course).await? else { return Ok(false) };
        let lessons = scope.load().lessons.get_many(record.lessons().collect()).await?;
        Ok(lessons.values().flatten().any(|lesson| lesson.module_id == id))
    }

    /// The modules of a course, as the viewer finds them.
    pub(super) async fn of_course(scope: &Scope, course: CourseId) -> Result<List<Self>, Fault> {
        let load = scope.load();
        let modules = if is_staff(scope, course).await? {
            load.modules_for_staff.get(course).await?
        } else {
            load.modules_of_course.get(course).await?
        };
        scope.make_room(modules.len())?;
        Ok(modules.iter().cloned().map(Self).collect())
    }

    /// The modules that come before it, as the viewer finds them.
    async fn before(&self, scope: &Scope) -> Result<Vec<Arc<model::Module>>, Fault> {
        let load = scope.load();
        let ids = load.module_prerequisites.get(self.0.id).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let staff = is_staff(scope, self.0.course_id).await?;
        let found = load.modules.get_many(ids.to_vec()).await?;
        let modules = ids.iter().filter_map(|id| found.get(id).cloned().flatten());
        let is_there = |module: &Arc<model::Module>| {
            module.status == Status::Published || (staff && module.status == Status::Draft)
        };
        Ok(modules.filter(is_there).collect())
    }

    /// Whether it is open to the viewer; `None` if it would depend on a record that she has not.
    pub(super) async fn open_to_viewer(&self, scope: &Scope) -> Result<Option<bool>, Fault> {
        let before = self.before(scope).await?;
        if before.is_empty() || is_staff(scope, self.0.course_id).await? {
            return Ok(Some(true));
        }
        let load = scope.load();
        if !load.viewpoint.known().await?.membership(self.0.course_id).learner {
            return Ok(None);
        }
        let Some((enrolment, permit)) = own_permit(scope, self.0.course_id).await? else { return Ok(None) };
        let record = load.lessons_of_enrolment.get(enrolment.record_key()).await?;
        for module in before {
            let lessons = load.lessons_of_module.get(module.id).await?;
            let is_done = |lesson: &Arc<model::Lesson>| {
                record.get(lesson.id).is_some_and(|progress| progress.completed_at.open(permit).is_some())
            };
            if !lessons.iter().all(is_done) {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }
}

/// A part of a course.
#[Object]
impl Module {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Module(self.0.id).encode()
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its place in the course, from 0, among the modules that learners find.
    async fn position(&self) -> i32 {
        int(self.0.position)
    }

    /// Where it is in its life.
    async fn status(&self) -> PartStatus {
        self.0.status.into()
    }

    /// Grows with each change, for those who change it: give it back with yours. Null for everybody else.
    async fn version(&self, ctx: &Context<'_>) -> Option<Result<i32, Fault>> {
        for_staff(scope(ctx), self.0.course_id, || int(self.0.version)).await
    }

    /// The modules that come before it.
    async fn prerequisites(&self, ctx: &Context<'_>) -> Result<Vec<Module>, Fault> {
        let scope = scope(ctx);
        let modules = self.before(scope).await?;
        scope.make_room(modules.len())?;
        Ok(modules.into_iter().map(Module).collect())
    }

    /// Whether it is open to you: you have completed the modules that come before it, or teach the course. Null if it depends on
    /// that and you don't take the course.
    async fn is_open(&self, ctx: &Context<'_>) -> Option<Result<bool, Fault>> {
        self.open_to_viewer(scope(ctx)).await.transpose()
    }

    /// The course it belongs to.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course_id).await.transpose()
    }

    /// Its lessons, in order; for the course's staff with those that are drafts.
    async fn lessons(&self, ctx: &Context<'_>) -> Result<List<Lesson>, Fault> {
        let scope = scope(ctx);
        let load = scope.load();
        let lessons = if is_staff(scope, self.0.course_id).await? {
            load.lessons_for_staff.get(self.0.id).await?
        } else {
            load.lessons_of_module.get(self.0.id).await?
        };
        scope.make_room(lessons.len())?;
        Ok(lessons.iter().cloned().map(Lesson).collect())
    }
}

/// A part of a module.
#[derive(Clone)]
pub(crate) struct Lesson(pub(crate) Arc<model::Lesson>);

impl Lesson {
    /// The lesson, if the viewer may know of it.
    pub(crate) async fn find(scope: &Scope, id: LessonId) -> Result<Option<Self>, Fault> {
        let Some(lesson) = scope.load().lessons.get(id).await? else { return Ok(None) };
        let course = lesson.course_id;
        if Course::find(scope, course).await?.is_none() {
            return Ok(None);
        }
        let there = match lesson.status {
            Status::Published => true,
            Status::Draft => is_staff(scope, course).await?,
            Status::Retired => {
                is_staff(scope, course).await?
                    || own_record(scope, course).await?.is_some_and(|record| record.get(id).is_some())
            }
        };
        Ok(there.then_some(Self(lesson)))
    }
}

/// A part of a module.
#[Object]
impl Lesson {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Lesson(self.0.id).encode()
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it is.
    async fn kind(&self) -> LessonKind {
        self.0.kind.into()
    }

    /// Its usual length in seconds; null where it has none.
    async fn seconds(&self) -> Option<i32> {
        self.0.seconds.map(int)
    }

    /// Its place in the module, from 0, among the lessons that learners find.
    async fn position(&self) -> i32 {
        int(self.0.position)
    }

    /// Where it is in its life.
    async fn status(&self) -> PartStatus {
        self.0.status.into()
    }

    /// Grows with each change, of its draft too, for those who change it: give it back with yours. Null for everybody else.
    async fn version(&self, ctx: &Context<'_>) -> Option<Result<i32, Fault>> {
        for_staff(scope(ctx), self.0.course_id, || int(self.0.version)).await
    }

    /// Which version of its content learners see, from 1; 0 before it is published for the first time.
    async fn content_version(&self) -> i32 {
        int(self.0.content_version)
    }

    /// By what it is completed.
    async fn completion(&self) -> LessonCompletion {
        self.0.completion.into()
    }

    /// The share of its length, or of the full score, that completes it, more than 0 and at most 1; null for all of it.
    async fn completion_share(&self) -> Option<f64> {
        self.0.completion_share.map(|millionths| millionths as f64 / 1_000_000.0)
    }

    /// Whether anybody may read it, to see what the course is like.
    async fn is_preview(&self) -> bool {
        self.0.is_preview
    }

    /// What it says, for those who take or teach the course, and for everybody if it is a preview; null otherwise, and
    /// `contentState` says why.
    async fn content(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "A version that it had while you were in it, as your record names it; the present one if left out."
        )]
        version: Option<i32>,
    ) -> Option<Result<LessonContent, Fault>> {
        LessonContent::read(scope(ctx), &self.0, version.map(i64::from)).await.transpose()
    }

    /// Whether you can read what it says, or why not.
    async fn content_state(&self, ctx: &Context<'_>) -> Result<ContentState, Fault> {
        let scope = scope(ctx);
        state(scope, &self.0, may_read(scope, &self.0).await?).await
    }

    /// Every version that was published, the latest first, for the course's staff; null for everybody else.
    async fn versions(&self, ctx: &Context<'_>) -> Option<Result<Vec<LessonContent>, Fault>> {
        LessonContent::versions(scope(ctx), &self.0).await.transpose()
    }

    /// What it is about to say, for the course's staff; null if it is published as it is, and for everybody else.
    async fn draft(&self, ctx: &Context<'_>) -> Option<Result<LessonDraft, Fault>> {
        LessonDraft::read(scope(ctx), &self.0).await.transpose()
    }

    /// The module it belongs to.
    async fn module(&self, ctx: &Context<'_>) -> Option<Result<Module, Fault>> {
        Module::find(scope(ctx), self.0.module_id).await.transpose()
    }

    /// The course it belongs to.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course_id).await.transpose()
    }
}
