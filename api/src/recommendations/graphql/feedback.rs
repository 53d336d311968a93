//! What learners say of next courses, agree to, and report of their lists.

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;
use uuid::Uuid;

use crate::{
    access::{Permit, TokenScope, tags},
    accounts::graphql::Person,
    courses::graphql::Course,
    db::page::TimeKey,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, ListId},
    recommendations::{EventRefusal, FeedbackRefusal, NewEvent, model},
};

/// The name of the list for cursors.
const FEEDBACK: &str = "recommendation feedback";

/// What a learner may say of a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::recommendations::model::FeedbackKind")]
pub(crate) enum RecommendationFeedbackKind {
    /// More like it. It may still be recommended itself.
    Like,
    /// Not this one.
    Dismiss,
    /// Neither this one nor others like it.
    LessLikeThis,
    /// She knows what it teaches: it counts as taken where another course requires it.
    AlreadyKnow,
}

/// A learner's word on a course.
#[derive(Clone)]
pub(crate) struct RecommendationFeedback(model::Feedback);

impl RecommendationFeedback {
    /// A page of what a learner said, for whoever has asked the policy (see the field's resolver).
    pub(crate) async fn list(
        scope: &Scope,
        learner: AccountId,
        paging: &Paging,
        permit: Permit<tags::Recommendation>,
    ) -> Result<Pages<Self>, Fault> {
        let page = scope.app.feed.feedback(learner, &paging.request(scope, FEEDBACK)?).await?;
        let key = |feedback: &model::Feedback| -> TimeKey { (feedback.at.0, feedback.course.0) };
        connection(scope, FEEDBACK, page.open(permit), key, |feedback| Self(*feedback))
    }
}

/// A learner's word on a course.
#[Object]
impl RecommendationFeedback {
    /// The course; null while it is a draft again.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course).await.transpose()
    }

    /// What she said.
    async fn kind(&self) -> RecommendationFeedbackKind {
        self.0.kind.into()
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// For what a learner's data may be used if she agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::recommendations::model::Purpose")]
pub(crate) enum ConsentPurpose {
    /// To make lists of next courses from what she does, wants and says, to learn from it what to recommend to others, and to
    /// keep for a time what becomes of her lists.
    PersonalRecommendations,
}

/// What somebody has decided about a use of her data.
#[derive(SimpleObject)]
pub(crate) struct Consent {
    /// The use.
    purpose: ConsentPurpose,
    /// Whether her data may be used for it. It may until she decides otherwise.
    granted: bool,
    /// When she decided; null if she never did.
    decided_at: Option<DateTime>,
}

impl From<model::Consent> for Consent {
    fn from(consent: model::Consent) -> Self {
        Self {
            purpose: consent.purpose.into(),
            granted: consent.granted,
            decided_at: consent.decided_at.map(DateTime::from),
        }
    }
}

/// What you say of a course.
#[derive(Debug, InputObject)]
pub(crate) struct GiveRecommendationFeedbackInput {
    /// The global id of the course.
    course_id: ID,
    /// What you say of it.
    kind: RecommendationFeedbackKind,
    /// The id of the list in which you saw it. Left out, it counts for the list that showed the course last.
    list_id: Option<ID>,
}

/// What became of `giveRecommendationFeedback`.
#[derive(SimpleObject)]
pub(crate) struct GiveRecommendationFeedbackPayload {
    /// You, with the list as it is now; null if there were errors.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `undoRecommendationFeedback`.
#[derive(SimpleObject)]
pub(crate) struct UndoRecommendationFeedbackPayload {
    /// You, with the list as it is now.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What you decide about a use of your data.
#[derive(Debug, InputObject)]
pub(crate) struct SetConsentInput {
    /// The use.
    purpose: ConsentPurpose,
    /// Whether your data may be used for it.
    granted: bool,
}

/// What became of `setConsent`.
#[derive(SimpleObject)]
pub(crate) struct SetConsentPayload {
    /// You, with `consents` and the list as they are now.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What a client may report of a course in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::recommendations::EventKind")]
pub(crate) enum RecommendationEventKind {
    /// It was on the screen.
    Impression,
    /// It was opened from the list. It counts as an impression, too.
    Click,
}

/// Something that happened to a course in a list.
#[derive(Debug, InputObject)]
pub(crate) struct RecommendationEventInput {
    /// What.
    kind: RecommendationEventKind,
    /// The global id of the course.
    course_id: ID,
}

/// What happened to the courses of a list.
#[derive(Debug, InputObject)]
pub(crate) struct RecordRecommendationEventsInput {
    /// The list's id: of `nextCourses`, not older than 7 days.
    list_id: ID,
    /// What happened, at most 100 events.
    events: Vec<RecommendationEventInput>,
}

/// What became of `recordRecommendationEvents`.
#[derive(SimpleObject)]
pub(crate) struct RecordRecommendationEventsPayload {
    /// How much of it is new: what was reported before counts once. Null if there were errors: then nothing was taken.
    recorded: Option<i32>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// The id of a list. What is none is the id of no list that anybody was given.
fn list_id(id: &ID) -> ListId {
    ListId(Uuid::parse_str(id).unwrap_or_default())
}

fn feedback_error(refusal: FeedbackRefusal) -> UserError {
    let path: &[&str] = match refusal {
        FeedbackRefusal::NoSuchCourse | FeedbackRefusal::NotInList => &["input", "courseId"],
        FeedbackRefusal::NoSuchList => &["input", "listId"],
    };
    UserError::new(UserErrorCode::NotFound, path, &refusal)
}

fn event_error(refusal: EventRefusal) -> UserError {
    let place;
    let (code, path): (_, &[&str]) = match refusal {
        EventRefusal::NoSuchList => (UserErrorCode::NotFound, &["input", "listId"]),
        EventRefusal::NotInList(at) => {
            place = at.to_string();
            (UserErrorCode::NotFound, &["input", "events", &place, "courseId"])
        }
        EventRefusal::TooMany(_) => (UserErrorCode::TooMany, &["input", "events"]),
    };
    UserError::new(code, path, &refusal)
}

/// Answering to what is recommended.
#[derive(Default)]
pub(crate) struct RecommendationMutation;

/// Answering to what is recommended.
#[async_graphql::Object]
impl RecommendationMutation {
    /// Says what you think of a course. Your next courses change at once; the latest word on a course counts, and saying the
    /// same again changes nothing.
    async fn give_recommendation_feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you say.")] input: GiveRecommendationFeedbackInput,
    ) -> Result<GiveRecommendationFeedbackPayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&input.course_id)?);
        let list = input.list_id.as_ref().map(list_id);
        if let Err(refusal) = scope.app.feed.give_feedback(learner, (course, input.kind.into()), list).await? {
            let user_errors = vec![feedback_error(refusal)];
            return Ok(GiveRecommendationFeedbackPayload { person: None, user_errors });
        }
        scope.forget();
        Ok(GiveRecommendationFeedbackPayload { person: Person::load(scope, learner).await?, user_errors: Vec::new() })
    }

    /// Takes back what you said of a course. Where you said nothing, nothing changes.
    async fn undo_recommendation_feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<UndoRecommendationFeedbackPayload, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&course_id)?);
        scope.app.feed.undo_feedback(learner, course).await?;
        scope.forget();
        Ok(UndoRecommendationFeedbackPayload { person: Person::load(scope, learner).await?, user_errors: Vec::new() })
    }

    /// Decides whether your data may be used for a purpose. It counts at once, and you may decide otherwise at any time. Without
    /// consent to personal recommendations, your list is one that anybody would get, what became of your lists is deleted,
    /// and the next training leaves you out.
    async fn set_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you decide.")] input: SetConsentInput,
    ) -> Result<SetConsentPayload, Fault> {
        let scope = scope(ctx);
        let learner = scope.account_for(TokenScope::Account)?;
        scope.app.feed.set_consent(learner, input.purpose.into(), input.granted).await?;
        scope.forget();
        Ok(SetConsentPayload { person: Person::load(scope, learner).await?, user_errors: Vec::new() })
    }

    /// Reports what happened to the courses of a list: all of it is taken, or nothing. Reporting it again changes nothing.
    /// That you take or complete a course need not be reported.
    async fn record_recommendation_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What happened.")] input: RecordRecommendationEventsInput,
    ) -> Result<RecordRecommendationEventsPayload, Fault> {
        let scope = scope(ctx);
        let learner = scope.account_for(TokenScope::Write)?;
        let events: Vec<_> = input
            .events
            .iter()
            .map(|event| Ok(NewEvent { kind: event.kind.into(), course: node::course_id(&event.course_id)? }))
            .collect::<Result<_, Fault>>()?;
        Ok(match scope.app.feed.record_events(learner, list_id(&input.list_id), &events).await? {
            Ok(new) => {
                let recorded = Some(int(i64::try_from(new).unwrap_or(i64::MAX)));
                RecordRecommendationEventsPayload { recorded, user_errors: Vec::new() }
            }
            Err(refusal) => {
                RecordRecommendationEventsPayload { recorded: None, user_errors: vec![event_error(refusal)] }
            }
        })
    }
}
