//! What learners' clients report, in the graph.

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::Enrolment;
pub(crate) use super::changes::ChangesMutation;
use crate::{
    access::TokenScope,
    courses::{
        graphql::{Course, Lesson},
        model::PartStatus,
    },
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node::{lesson_id, person_id},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId, LessonId},
    progress::{
        activity::{BeatRefusal, MAX_BEATS},
        model::{self, Activity, Recorded},
    },
};

/// Why seconds that were reported do not count, or why a report is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::CapReason")]
pub(crate) enum CapReason {
    /// They were more than had passed since the report before, in the same session.
    SinceLastBeat,
    /// They were more than had passed since the session or the enrolment began.
    SinceBegin,
    /// They ended in the future, by a clock that is a little ahead: they were taken to end when they came.
    Future,
}

/// A report of time that is marked. Reached through an enrolment whose marks may be seen.
pub(crate) struct MarkedActivity(pub(super) model::Mark);

/// A report of time that is marked. Reached through an enrolment whose marks may be seen.
#[Object]
impl MarkedActivity {
    /// When its seconds ended.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The lesson; null if it is no longer shown.
    async fn lesson(&self, ctx: &Context<'_>) -> Option<Result<Lesson, Fault>> {
        shown_lesson(scope(ctx), self.0.lesson_id).await.transpose()
    }

    /// How many seconds were reported.
    async fn seconds(&self) -> i32 {
        int(self.0.seconds)
    }

    /// How many of them do not count.
    async fn capped(&self) -> i32 {
        int(self.0.capped)
    }

    /// Why.
    async fn reason(&self) -> CapReason {
        self.0.reason.into()
    }
}

/// A lesson that a learner's record speaks of, if it is no draft again.
async fn shown_lesson(scope: &Scope, id: LessonId) -> Result<Option<Lesson>, Fault> {
    let found = scope.load().lessons.get(id).await?;
    let Some(lesson) = found.filter(|lesson| lesson.status != PartStatus::Draft) else { return Ok(None) };
    Ok(Course::find(scope, lesson.course_id).await?.map(|_| Lesson(lesson)))
}

/// What a learner's client reports of a lesson: a beat. Only `seconds` is needed; with `at` and `idempotencyKey` it may come late,
/// in any order and more than once, and counts the same.
#[derive(Debug, InputObject)]
pub(crate) struct RecordActivityInput {
    /// Seconds spent since the last report, 0 to 86400. More than have passed do not count.
    seconds: i32,
    /// Where she is, in seconds from the lesson's start.
    position: Option<i32>,
    /// Whether she says that the lesson is done. It completes a lesson whose rule is `VIEW` or `HAND`. A lesson that is completed
    /// stays so.
    #[graphql(default)]
    completed: bool,
    /// When the seconds ended, by the client's clock: up to 30 days ago. Left out, now.
    at: Option<DateTime>,
    /// When the client's session began, by the same clock: nothing before it counts.
    started_at: Option<DateTime>,
    /// A name of the tab or device, at most 100 bytes, where a learner may use several at once. What they report of the same
    /// time counts once.
    session: Option<String>,
    /// A name for this report, at most 100 bytes: sent again under it, it counts once. Kept for 30 days.
    idempotency_key: Option<String>,
    /// The version of the lesson's content that she sees (`Lesson.contentVersion`), where it may not be the present one.
    content_version: Option<i32>,
}

impl RecordActivityInput {
    fn activity(self, lesson_id: LessonId) -> Activity {
        Activity {
            lesson_id,
            seconds: self.seconds.into(),
            position: self.position.map(i64::from),
            completed: self.completed,
            at: self.at.map(|at| at.0),
            since: self.started_at.map(|at| at.0),
            session: self.session,
            key: self.idempotency_key,
            content_version: self.content_version.map(i64::from),
        }
    }
}

/// A report of a lesson among others.
#[derive(Debug, InputObject)]
pub(crate) struct LessonActivityInput {
    /// The global id of the lesson.
    lesson_id: ID,
    /// What you did there.
    activity: RecordActivityInput,
}

/// Reports that are sent together.
#[derive(Debug, InputObject)]
pub(crate) struct RecordActivitiesInput {
    /// The reports, 1 to 500, in any order.
    activities: Vec<LessonActivityInput>,
}

/// A score of a learner.
#[derive(Debug, InputObject)]
pub(crate) struct RecordScoreInput {
    /// The global id of the learner.
    learner_id: ID,
    /// The global id of the lesson.
    lesson_id: ID,
    /// What she scored, 0 to 1.
    score: f64,
}

/// What counts of a report.
#[derive(Clone, SimpleObject)]
pub(crate) struct RecordedActivity {
    /// The seconds that count. What another session reported of the same time is counted with it, once.
    counted: i32,
    /// The seconds that do not count, since they can't have been.
    capped: i32,
    /// Why, if the report is marked.
    reason: Option<CapReason>,
    /// Whether it had been recorded before, and changed nothing now.
    replayed: bool,
}

impl From<Recorded> for RecordedActivity {
    fn from(recorded: Recorded) -> Self {
        Self {
            counted: int(recorded.counted),
            capped: int(recorded.capped),
            reason: recorded.reason.map(Into::into),
            replayed: recorded.replayed,
        }
    }
}

/// What became of `recordActivity`.
#[derive(SimpleObject)]
pub(crate) struct RecordActivityPayload {
    /// The enrolment, with the activity added; null if there were errors.
    enrolment: Option<Enrolment>,
    /// What counts of the report; null if there were errors.
    recorded: Option<RecordedActivity>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of one of the reports that were sent together.
#[derive(SimpleObject)]
pub(crate) struct ActivityResult {
    /// What counts of it; null if there were errors.
    recorded: Option<RecordedActivity>,
    /// What you can mend in it.
    user_errors: Vec<UserError>,
}

/// What became of `recordActivities`.
#[derive(SimpleObject)]
pub(crate) struct RecordActivitiesPayload {
    /// What became of each report, in order. One that has errors is no matter to the others.
    results: Vec<ActivityResult>,
    /// The enrolments in whose courses something was recorded.
    enrolments: Vec<Enrolment>,
    /// What you can mend in the whole.
    user_errors: Vec<UserError>,
}

/// What became of `recordScore`.
#[derive(SimpleObject)]
pub(crate) struct RecordScorePayload {
    /// The learner's enrolment, as you may see it; null if there were errors.
    enrolment: Option<Enrolment>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// The code of a refusal, and the field it is about.
fn about(refusal: BeatRefusal) -> (UserErrorCode, &'static str) {
    match refusal {
        BeatRefusal::NoSuchLesson => (UserErrorCode::NotFound, "lessonId"),
        BeatRefusal::NotEnrolled => (UserErrorCode::NotEnrolled, "lessonId"),
        BeatRefusal::NotALearner => (UserErrorCode::NotEnrolled, "learnerId"),
        BeatRefusal::Seconds(_) => (UserErrorCode::OutOfRange, "seconds"),
        BeatRefusal::Position(_) => (UserErrorCode::OutOfRange, "position"),
        BeatRefusal::ClockAhead(_) => (UserErrorCode::ClockAhead, "at"),
        BeatRefusal::TooLate(_) => (UserErrorCode::TooLate, "at"),
        BeatRefusal::BeforeEnrolment(_) => (UserErrorCode::BeforeEnrolment, "at"),
        BeatRefusal::StartedLater => (UserErrorCode::OutOfRange, "startedAt"),
        BeatRefusal::KeyLength(_) => (UserErrorCode::Length, "idempotencyKey"),
        BeatRefusal::KeyReused => (UserErrorCode::IdempotencyKeyReused, "idempotencyKey"),
        BeatRefusal::SessionLength(_) => (UserErrorCode::Length, "session"),
        BeatRefusal::ContentVersion(_) => (UserErrorCode::OutOfRange, "contentVersion"),
        BeatRefusal::Score => (UserErrorCode::OutOfRange, "score"),
        BeatRefusal::NotScored => (UserErrorCode::NotAllowed, "lessonId"),
    }
}

/// A refusal, with the way to the field from the outside in.
fn user_error(refusal: BeatRefusal, outside: &[&str]) -> UserError {
    let (code, field) = about(refusal);
    let path: Vec<&str> = outside.iter().copied().chain([field]).collect();
    UserError::new(code, &path, &refusal)
}

/// What learners do.
#[derive(Default)]
pub(crate) struct ActivityMutation;

/// What learners do.
#[async_graphql::Object]
impl ActivityMutation {
    /// Adds what you did in a lesson to your record. It is there for good when the answer comes.
    async fn record_activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the lesson.")] lesson_id: ID,
        #[graphql(desc = "What you did.")] input: RecordActivityInput,
    ) -> Result<RecordActivityPayload, Fault> {
        let scope = scope(ctx);
        let (learner, lesson_id) = (scope.account_for(TokenScope::Write)?, self::lesson_id(&lesson_id)?);
        match scope.app.learning.record(learner, &input.activity(lesson_id)).await? {
            Err(refusal) => {
                let outside: &[&str] = if about(refusal).1 == "lessonId" { &[] } else { &["input"] };
                let user_errors = vec![user_error(refusal, outside)];
                Ok(RecordActivityPayload { enrolment: None, recorded: None, user_errors })
            }
            Ok(recorded) => {
                scope.forget();
                let enrolment = Enrolment::find(scope, learner, recorded.course_id).await?;
                Ok(RecordActivityPayload { enrolment, recorded: Some(recorded.into()), user_errors: Vec::new() })
            }
        }
    }

    /// Adds what you did in many lessons to your record: what a client has kept while it was offline, up to 30 days. Send the same
    /// again, with its keys, if no answer came.
    async fn record_activities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you did.")] input: RecordActivitiesInput,
    ) -> Result<RecordActivitiesPayload, Fault> {
        let scope = scope(ctx);
        let learner = scope.account_for(TokenScope::Write)?;
        let count = input.activities.len();
        if !(1..=MAX_BEATS).contains(&count) {
            let message = format!("send 1 to {MAX_BEATS} activities at once; these were {count}");
            let user_errors = vec![UserError::new(UserErrorCode::OutOfRange, &["input", "activities"], &message)];
            return Ok(RecordActivitiesPayload { results: Vec::new(), enrolments: Vec::new(), user_errors });
        }
        let mut activities = Vec::with_capacity(count);
        for sent in input.activities {
            let lesson = lesson_id(&sent.lesson_id)?;
            activities.push(sent.activity.activity(lesson));
        }
        let answers = scope.app.learning.record_all(learner, &activities).await?;
        scope.forget();
        let mut courses: Vec<_> = answers.iter().flatten().map(|recorded| recorded.course_id).collect();
        courses.sort_unstable();
        courses.dedup();
        let enrolments = enrolments(scope, learner, &courses).await?;
        let result = |(at, answer): (usize, Result<Recorded, BeatRefusal>)| match answer {
            Ok(recorded) => ActivityResult { recorded: Some(recorded.into()), user_errors: Vec::new() },
            Err(refusal) => {
                let at = at.to_string();
                let outside: &[&str] = if about(refusal).1 == "lessonId" {
                    &["input", "activities", &at]
                } else {
                    &["input", "activities", &at, "activity"]
                };
                ActivityResult { recorded: None, user_errors: vec![user_error(refusal, outside)] }
            }
        };
        Ok(RecordActivitiesPayload {
            results: answers.into_iter().enumerate().map(result).collect(),
            enrolments,
            user_errors: Vec::new(),
        })
    }

    /// Records what a learner scored in a lesson whose rule is `SCORE`. For the course's staff, and for tools with a token of
    /// theirs with the scope `people`. A lesson that was completed by a score stays completed when a lower one is recorded.
    async fn record_score(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose score it is, and where.")] input: RecordScoreInput,
    ) -> Result<RecordScorePayload, Fault> {
        let scope = scope(ctx);
        scope.account_for(TokenScope::Write)?;
        let (learner, lesson_id) = (person_id(&input.learner_id)?, lesson_id(&input.lesson_id)?);
        let refused =
            |refusal| RecordScorePayload { enrolment: None, user_errors: vec![user_error(refusal, &["input"])] };
        let Some(lesson) = scope.load().lessons.get(lesson_id).await? else {
            return Ok(refused(BeatRefusal::NoSuchLesson));
        };
        if !scope.load().viewpoint.known().await?.teaches(lesson.course_id) {
            return Err(Fault::forbidden("the course's staff, with a session or a token with the scope people"));
        }
        if let Err(refusal) = scope.app.learning.record_score(learner, lesson_id, input.score).await? {
            return Ok(refused(refusal));
        }
        scope.forget();
        Ok(RecordScorePayload {
            enrolment: Enrolment::find(scope, learner, lesson.course_id).await?,
            user_errors: Vec::new(),
        })
    }
}

async fn enrolments(scope: &Scope, learner: AccountId, courses: &[CourseId]) -> Result<Vec<Enrolment>, Fault> {
    let mut found = Vec::with_capacity(courses.len());
    for course in courses {
        found.extend(Enrolment::find(scope, learner, *course).await?);
    }
    Ok(found)
}
