//! What a change of a course did to a learner's progress, in the graph.

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::Enrolment;
use crate::{
    access::{Permit, TokenScope, tags},
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node::course_id,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    progress::{
        content::{self, AcknowledgeRefusal, Term},
        model,
    },
};

/// What kind of change it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum EnrolmentChangeKind {
    /// Lessons were added to the course.
    Added,
    /// Lessons were taken out of the course.
    Removed,
    /// Both at once.
    Exchanged,
}

/// Why a learner's progress in a course is another number than it was. Reached through an enrolment whose changes may be seen.
pub(crate) struct EnrolmentChange(model::ProgressChange);

/// Why a learner's progress in a course is another number than it was. Reached through an enrolment whose changes may be seen.
#[Object]
impl EnrolmentChange {
    /// What kind of change it was.
    async fn kind(&self) -> EnrolmentChangeKind {
        match (self.0.change.added.is_empty(), self.0.change.removed.is_empty()) {
            (_, true) => EnrolmentChangeKind::Added,
            (true, false) => EnrolmentChangeKind::Removed,
            (false, false) => EnrolmentChangeKind::Exchanged,
        }
    }

    /// The version of the course's content that the change made: what `acknowledgeChanges` is given.
    async fn version(&self) -> i32 {
        int(self.0.change.version)
    }

    /// When the course changed.
    async fn at(&self) -> DateTime {
        DateTime(self.0.change.at)
    }

    /// How many lessons came.
    async fn lessons_added(&self) -> i32 {
        int(self.0.change.added.len() as i64)
    }

    /// How many lessons went.
    async fn lessons_removed(&self) -> i32 {
        int(self.0.change.removed.len() as i64)
    }

    /// Her progress just before the change, 0 to 1.
    async fn progress_before(&self) -> f64 {
        self.0.before.fraction()
    }

    /// Her progress just after the change, 0 to 1.
    async fn progress_now(&self) -> f64 {
        self.0.now.fraction()
    }

    /// What happened, in a sentence for the learner.
    async fn message(&self) -> String {
        self.0.message()
    }
}

/// The changes that a learner has not taken notice of.
pub(super) async fn because(
    scope: &Scope,
    row: &model::Enrolment,
    permit: Permit<tags::LearningRecord>,
) -> Result<Vec<EnrolmentChange>, Fault> {
    let load = scope.load();
    let (changes, reckoned, notes) = futures_util::try_join!(
        load.content_changes.get(row.course_id),
        load.noted_changes.get(row.key()),
        load.enrolment_notes.get(row.key())
    )?;
    let term = Term { enrolled_at: *row.enrolled_at.open(permit), completed_at: *row.completed_at.open(permit) };
    let seen = notes.and_then(|notes| *notes.seen_content.open(permit));
    let told = content::unseen(&changes, reckoned.open(permit), seen, term);
    scope.make_room(told.len())?;
    Ok(told.into_iter().map(EnrolmentChange).collect())
}

/// How many lessons came after a learner had completed the course, apart from those that she has completed since.
pub(super) async fn new_lessons(
    scope: &Scope,
    row: &model::Enrolment,
    permit: Permit<tags::LearningRecord>,
) -> Result<Option<i32>, Fault> {
    let Some(completed_at) = *row.completed_at.open(permit) else { return Ok(None) };
    let load = scope.load();
    let changes = load.content_changes.get(row.course_id).await?;
    let came = content::came_since(&changes, completed_at);
    if came.is_empty() {
        return Ok(Some(0));
    }
    let record = load.lessons_of_enrolment.get(row.record_key()).await?;
    let is_done = |lesson| record.get(lesson).is_some_and(|progress| progress.completed_at.open(permit).is_some());
    Ok(Some(int(came.iter().filter(|lesson| !is_done(**lesson)).count() as i64)))
}

/// Of which changes a learner takes notice.
#[derive(Debug, InputObject)]
pub(crate) struct AcknowledgeChangesInput {
    /// The global id of the course.
    course_id: ID,
    /// The latest change that she was shown: its `version`. What came after it stays to be told.
    version: i32,
}

/// What became of `acknowledgeChanges`.
#[derive(SimpleObject)]
pub(crate) struct AcknowledgeChangesPayload {
    /// The enrolment, with what is left to be told; null if there were errors.
    enrolment: Option<Enrolment>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Taking notice of changes.
#[derive(Default)]
pub(crate) struct ChangesMutation;

/// Taking notice of changes.
#[async_graphql::Object]
impl ChangesMutation {
    /// Takes notice of what changed in a course that you take: `changedBecause` does not tell of it any more. Doing it again
    /// changes nothing.
    async fn acknowledge_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which changes.")] input: AcknowledgeChangesInput,
    ) -> Result<AcknowledgeChangesPayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Write)?, course_id(&input.course_id)?);
        if let Err(refusal) = scope.app.learning.acknowledge(learner, course, input.version.into()).await? {
            let (code, path) = match refusal {
                AcknowledgeRefusal::NotEnrolled => (UserErrorCode::NotEnrolled, "courseId"),
                AcknowledgeRefusal::NoSuchVersion(_) => (UserErrorCode::OutOfRange, "version"),
            };
            let user_errors = vec![UserError::new(code, &["input", path], &refusal)];
            return Ok(AcknowledgeChangesPayload { enrolment: None, user_errors });
        }
        scope.forget();
        Ok(AcknowledgeChangesPayload {
            enrolment: Enrolment::find(scope, learner, course).await?,
            user_errors: Vec::new(),
        })
    }
}
