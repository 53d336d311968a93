//! People in the graph.

mod reading;
mod roles;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

use super::model::{Account, SystemRole};
use crate::{
    access::{
        self, Anywhere, Category, FIELDS, PERSON_ACCESS_LOG, PERSON_ACCOUNT, PERSON_CASES, PERSON_CONSENTS,
        PERSON_CONVERSATIONS, PERSON_EDUCATION, PERSON_EMAIL, PERSON_ENROLMENTS, PERSON_GOALS, PERSON_LANGUAGE,
        PERSON_LEFT_OFF, PERSON_NAME, PERSON_NEXT_COURSES, PERSON_NOTIFICATION_PREFERENCES, PERSON_NOTIFICATIONS,
        PERSON_PICTURE, PERSON_PREFERENCES, PERSON_RECOMMENDATION_FEEDBACK, PERSON_RECOMMENDATIONS, PERSON_ROLES,
        PERSON_TEACHES, PERSON_TIME_PER_TOPIC, PERSON_TIME_ZONE, PERSON_TWO_FACTOR, PERSON_UNREAD_NOTIFICATIONS,
        PERSON_WHY_NOT, Shown, Standing,
        graphql::{About, FieldAccess},
    },
    audit::graphql::AccessLogEntry,
    bookmarks::graphql::Reader,
    cases::graphql::Case,
    courses::graphql::{Course, Topic},
    enrolling::graphql::waiting::Waiter,
    graphql::{
        connection::{Pages, Paging},
        errors::Fault,
        node::{self, NodeId},
        scope::{Scope, scope},
    },
    ids::AccountId,
    messages::graphql::Conversation,
    notifications::graphql::{Notification, NotificationPreferences},
    profile::graphql::{LeftOff, Preferences},
    progress::graphql::Enrolment,
    recommendations::graphql::{
        NextCourses, Recommendation,
        feedback::{Consent, RecommendationFeedback},
        why_not::WhyNot,
    },
    sign_in::graphql::Account as AccountState,
    two_factor::graphql::TwoFactorState,
};

pub(crate) use reading::TopicTime;
pub(crate) use roles::AccountMutation;

/// The name of the list for cursors.
const ENROLMENTS: &str = "enrolments";

/// Somebody with an account. What you see of her depends on what you are to her: fields that are not for
/// you are null, and `extensions.redactions` names them.
#[derive(Clone)]
pub(crate) struct Person {
    account: Arc<Account>,
    standing: Standing<Anywhere>,
}

impl Person {
    /// The person as the viewer may see her.
    pub(crate) async fn load(scope: &Scope, id: AccountId) -> Result<Option<Self>, Fault> {
        Ok(scope.load().people.get(id).await?.map(|(account, standing)| Self { account, standing }))
    }

    /// As [`Person::load`], for somebody who is asked for by id: to whom her name is not shown, she is not there.
    pub(crate) async fn find(scope: &Scope, id: AccountId) -> Result<Option<Self>, Fault> {
        Ok(Self::load(scope, id).await?.filter(|person| person.standing.looks_at(Category::Identity)))
    }
}

/// Somebody with an account. What you see of her depends on what you are to her: fields that are not for
/// you are null, and `extensions.redactions` names them.
#[Object]
impl Person {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Person(self.account.id).encode()
    }

    /// The name.
    #[graphql(directive = About::apply(&PERSON_NAME))]
    async fn name(&self) -> Shown<String> {
        access::show(&PERSON_NAME, &self.standing, &self.account.name)
    }

    /// The e-mail address; null also where there is none.
    #[graphql(directive = About::apply(&PERSON_EMAIL))]
    async fn email(&self) -> Shown<Option<String>> {
        access::show(&PERSON_EMAIL, &self.standing, &self.account.email)
    }

    /// Where her picture is; null also where there is none.
    #[graphql(directive = About::apply(&PERSON_PICTURE))]
    async fn picture(&self) -> Shown<Option<String>> {
        access::show(&PERSON_PICTURE, &self.standing, &self.account.picture)
    }

    /// Her roles by job function, for the whole installation. Instructors and assistants are such for a course: see
    /// `Course.staff`.
    #[graphql(directive = About::apply(&PERSON_ROLES))]
    async fn roles(&self, ctx: &Context<'_>) -> Shown<Vec<Role>> {
        match access::permit(&PERSON_ROLES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let roles = scope(ctx).load().roles.get(self.account.id).await;
                roles.map(|roles| roles.open(permit).iter().copied().map(Role::from).collect()).into()
            }
        }
    }

    /// Whether she has a second factor.
    #[graphql(directive = About::apply(&PERSON_TWO_FACTOR))]
    async fn two_factor(&self, ctx: &Context<'_>) -> Shown<TwoFactorState> {
        match access::permit(&PERSON_TWO_FACTOR, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let state = scope(ctx).load().second_factors.get(self.account.id).await;
                state.map(|state| state.map(|state| *state.open(permit)).into()).into()
            }
        }
    }

    /// Her educational background, in her own words; null also where she has not told.
    #[graphql(directive = About::apply(&PERSON_EDUCATION))]
    async fn education(&self) -> Shown<Option<String>> {
        access::show(&PERSON_EDUCATION, &self.standing, &self.account.education)
    }

    /// Her time zone as IANA names it, such as `Europe/Lisbon`; null also where she has not told.
    #[graphql(directive = About::apply(&PERSON_TIME_ZONE))]
    async fn time_zone(&self) -> Shown<Option<String>> {
        access::show(&PERSON_TIME_ZONE, &self.standing, &self.account.time_zone)
    }

    /// Her language as BCP 47 names it, such as `pt`; null also where she has not told.
    #[graphql(directive = About::apply(&PERSON_LANGUAGE))]
    async fn language(&self) -> Shown<Option<String>> {
        access::show(&PERSON_LANGUAGE, &self.standing, &self.account.language)
    }

    /// How she wants the interface.
    #[graphql(directive = About::apply(&PERSON_PREFERENCES))]
    async fn preferences(&self, ctx: &Context<'_>) -> Shown<Preferences> {
        match access::permit(&PERSON_PREFERENCES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let preferences = scope(ctx).load().preferences.get(self.account.id).await;
                preferences.map(|preferences| preferences.open(permit).clone().into()).into()
            }
        }
    }

    /// Where she left off: the lesson that she was last in; null also before she has opened one.
    #[graphql(directive = About::apply(&PERSON_LEFT_OFF))]
    async fn left_off(&self, ctx: &Context<'_>) -> Shown<Option<LeftOff>> {
        match access::permit(&PERSON_LEFT_OFF, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let place = scope(ctx).load().left_off.get(self.account.id).await;
                place.map(|place| place.open(permit).map(LeftOff)).into()
            }
        }
    }

    /// The account: its state, sessions, tokens and sign-ins.
    #[graphql(directive = About::apply(&PERSON_ACCOUNT))]
    async fn account(&self, ctx: &Context<'_>) -> Shown<Option<AccountState>> {
        match access::permit(&PERSON_ACCOUNT, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(_permit) => AccountState::load(scope(ctx), self.account.id, &self.standing).await.into(),
        }
    }

    /// The topics that she wants to learn about.
    #[graphql(directive = About::apply(&PERSON_GOALS))]
    async fn goals(&self, ctx: &Context<'_>) -> Shown<Vec<Topic>> {
        match access::permit(&PERSON_GOALS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_goals(scope(ctx), permit).await.into(),
        }
    }

    /// The courses that she teaches or helps to teach. A draft shows to its own staff only.
    #[graphql(directive = About::apply(&PERSON_TEACHES))]
    async fn teaches(&self, ctx: &Context<'_>) -> Shown<Vec<Course>> {
        match access::permit(&PERSON_TEACHES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_teaches(scope(ctx), permit).await.into(),
        }
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "the macro awaits it")]
    async fn reader(&self) -> Reader {
        Reader { person: self.account.id, standing: self.standing.clone() }
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "the macro awaits it")]
    async fn waiting(&self) -> Waiter {
        Waiter { person: self.account.id, standing: self.standing.clone() }
    }

    /// The courses that she takes or took, the latest first.
    #[graphql(directive = About::apply(&PERSON_ENROLMENTS))]
    async fn enrolments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Enrolment>> {
        match access::permit(&PERSON_ENROLMENTS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_enrolments(scope(ctx), &Paging { first, after, last, before }, permit).await.into(),
        }
    }

    /// How long she has spent on each topic, most first. A course about two topics counts for both.
    #[graphql(directive = About::apply(&PERSON_TIME_PER_TOPIC))]
    async fn time_per_topic(&self, ctx: &Context<'_>) -> Shown<Vec<TopicTime>> {
        match access::permit(&PERSON_TIME_PER_TOPIC, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_time_per_topic(scope(ctx), permit).await.into(),
        }
    }

    /// The courses to take next, the best first, each with the reasons for it.
    #[graphql(
        directive = About::apply(&PERSON_RECOMMENDATIONS),
        deprecation = "Use `nextCourses { items }`: the same courses, with what there is to say of the list. Removal after 2027-06-30."
    )]
    async fn recommendations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 50.", default = 10)] first: i32,
    ) -> Shown<Vec<Recommendation>> {
        match access::permit(&PERSON_RECOMMENDATIONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Recommendation::list(scope(ctx), self.account.id, first, permit).await.into(),
        }
    }

    /// The courses to take next, as a list that can be reported on, with what there is to say of the list as a whole.
    #[graphql(directive = About::apply(&PERSON_NEXT_COURSES))]
    async fn next_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 50.", default = 10)] first: i32,
    ) -> Shown<NextCourses> {
        match access::permit(&PERSON_NEXT_COURSES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => NextCourses::load(scope(ctx), self.account.id, first, permit).await.into(),
        }
    }

    /// Why a course is not among her next courses, or where among them it stands; null also if there is no such course.
    #[graphql(directive = About::apply(&PERSON_WHY_NOT))]
    async fn why_not(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Shown<Option<WhyNot>> {
        match access::permit(&PERSON_WHY_NOT, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => WhyNot::load(scope(ctx), self.account.id, &course_id, permit).await.into(),
        }
    }

    /// What she said of courses that were recommended, the latest first.
    #[graphql(directive = About::apply(&PERSON_RECOMMENDATION_FEEDBACK))]
    async fn recommendation_feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<RecommendationFeedback>> {
        let paging = Paging { first, after, last, before };
        match access::permit(&PERSON_RECOMMENDATION_FEEDBACK, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => RecommendationFeedback::list(scope(ctx), self.account.id, &paging, permit).await.into(),
        }
    }

    /// For what her data may be used, purpose by purpose.
    #[graphql(directive = About::apply(&PERSON_CONSENTS))]
    async fn consents(&self, ctx: &Context<'_>) -> Shown<Vec<Consent>> {
        match access::permit(&PERSON_CONSENTS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let consents = scope(ctx).load().consents.get(self.account.id).await;
                consents.map(|consents| consents.open(permit).iter().copied().map(Consent::from).collect()).into()
            }
        }
    }

    /// What she was notified of, the latest first: a group moves up when another one comes.
    #[graphql(directive = About::apply(&PERSON_NOTIFICATIONS))]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that she has not read.", default = false)] unread: bool,
    ) -> Shown<Pages<Notification>> {
        let paging = Paging { first, after, last, before };
        match access::permit(&PERSON_NOTIFICATIONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Notification::list(scope(ctx), self.account.id, unread, &paging, permit).await.into(),
        }
    }

    /// How many notifications she has not read; 100 stands for that many or more.
    #[graphql(directive = About::apply(&PERSON_UNREAD_NOTIFICATIONS))]
    async fn unread_notifications(&self, ctx: &Context<'_>) -> Shown<i32> {
        match access::permit(&PERSON_UNREAD_NOTIFICATIONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Notification::unread(scope(ctx), self.account.id, permit).await.into(),
        }
    }

    /// Of what she wants to be notified, and how.
    #[graphql(directive = About::apply(&PERSON_NOTIFICATION_PREFERENCES))]
    async fn notification_preferences(&self, ctx: &Context<'_>) -> Shown<NotificationPreferences> {
        match access::permit(&PERSON_NOTIFICATION_PREFERENCES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => NotificationPreferences::load(scope(ctx), self.account.id, permit).await.into(),
        }
    }

    /// What happened to her data and her account, and who looked at it, the latest first.
    #[graphql(directive = About::apply(&PERSON_ACCESS_LOG))]
    async fn access_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<AccessLogEntry>> {
        let paging = Paging { first, after, last, before };
        match access::permit(&PERSON_ACCESS_LOG, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                AccessLogEntry::list(scope(ctx), self.account.id, &self.standing, &paging, permit).await.into()
            }
        }
    }

    /// The cases under which somebody could or can see more of her, the latest first.
    #[graphql(directive = About::apply(&PERSON_CASES))]
    async fn cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Case>> {
        let paging = Paging { first, after, last, before };
        match access::permit(&PERSON_CASES, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Case::list(scope(ctx), self.account.id, &self.standing, &paging, permit).await.into(),
        }
    }

    /// Her private conversations with staff of courses, and as staff with learners, the one with the latest message first.
    #[graphql(directive = About::apply(&PERSON_CONVERSATIONS))]
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Conversation>> {
        let paging = Paging { first, after, last, before };
        match access::permit(&PERSON_CONVERSATIONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Conversation::list(scope(ctx), self.account.id, &paging, permit).await.into(),
        }
    }
}

/// A role by job function, for the whole installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "SystemRole")]
pub(crate) enum Role {
    /// Helps people with their accounts.
    Support,
    /// Reads sums, and nothing about a single person.
    Analyst,
    /// Runs the system, and gives roles.
    Administrator,
}

/// Reading about people.
#[derive(Default)]
pub(crate) struct AccountQuery;

/// Reading about people.
#[async_graphql::Object]
impl AccountQuery {
    /// You; null if you have not signed in.
    async fn me(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        let scope = scope(ctx);
        Person::load(scope, scope.viewer.id()?).await.transpose()
    }

    /// The person with this e-mail address: for support and administrators. Null if there is nobody, and for everybody
    /// else.
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The e-mail address.")] email: String,
    ) -> Option<Result<Person, Fault>> {
        find_account(scope(ctx), &email).await.transpose()
    }

    /// What you may see of a learner, field by field, and why not the rest. With a course, what is of her in that
    /// course, too. (What an instructor may see of *you*: ask this, or
    /// anything else, with the header `Stoa-Seen-As: STAFF <course id>`.)
    async fn access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the learner.")] learner: ID,
        #[graphql(desc = "The global id of a course.")] course: Option<ID>,
    ) -> Option<Result<Vec<FieldAccess>, Fault>> {
        Some(field_by_field(scope(ctx), &learner, course.as_ref()).await)
    }
}

async fn find_account(scope: &Scope, email: &str) -> Result<Option<Person>, Fault> {
    let load = scope.load();
    let known = load.viewpoint.known().await?;
    if !known.has_role(SystemRole::Support) && !known.has_role(SystemRole::Administrator) {
        return Ok(None);
    }
    match scope.app.accounts.find_by_email(email).await? {
        // Whose address it is tells her address.
        Some(id) => Ok(Person::find(scope, id).await?.filter(|person| person.standing.looks_at(Category::Contact))),
        None => Ok(None),
    }
}

async fn field_by_field(scope: &Scope, learner: &ID, course: Option<&ID>) -> Result<Vec<FieldAccess>, Fault> {
    let learner = node::person_id(learner)?;
    let load = scope.load();
    let (found, known) = (load.relations.get(learner).await?, load.viewpoint.known().await?);
    let course = match course {
        None => None,
        Some(id) => {
            let id = node::course_id(id)?;
            let enrolment = load.enrolments.get((learner, id)).await?;
            let standing = load.viewpoint.in_course(known, learner, id, enrolment.map(|row| row.tenure));
            // What is allowed tells whether she takes the course.
            standing.looks_at(Category::LearningRecord);
            let course = Course::find(scope, id).await?;
            let talk = match course {
                Some(course) => course.standing(scope).await?,
                None => Standing::stranger(),
            };
            Some((standing, talk))
        }
    };
    Ok(FIELDS
        .iter()
        .filter_map(|field| match (field.2, &course) {
            (category, _) if !category.is_of_a_course() => Some(FieldAccess::new(*field, &found.0)),
            (Category::Communication | Category::Review | Category::Statistics, Some((_, talk))) => {
                Some(FieldAccess::new(*field, talk))
            }
            (_, Some((standing, _))) => Some(FieldAccess::new(*field, standing)),
            (_, None) => None,
        })
        .collect())
}
