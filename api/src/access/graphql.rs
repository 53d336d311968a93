//! How the policy shows in the graph: the output type, the directive, and the list of what was held back.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_graphql::{
    ContextSelectionSet, Enum, ErrorExtensions as _, OutputType, Positioned, ServerResult, SimpleObject, TypeDirective,
    Value,
    parser::types::Field as AstField,
    registry::{MetaDirectiveInvocation, Registry, location_traits},
};

use super::{Denied, Field, Permit, Place, Standing, Tag, audience, preview};
use crate::graphql::errors::Fault;

/// A value that the policy has let out, or `null` with the reason noted.
///
/// A denied value never takes its neighbours with it: in the schema the field is nullable.
#[derive(Clone, Debug)]
pub enum Shown<T> {
    /// May be seen.
    Visible(T),
    /// May not be seen.
    Denied(Denied),
    /// Could not be read: `null` with an error at its place.
    Failed(Fault),
}

impl<T> Shown<T> {
    /// A thing that holds no value itself but leads to some, for whoever was permitted.
    pub const fn permitted<C: Tag>(_permit: Permit<C>, value: T) -> Self {
        Self::Visible(value)
    }

    /// The same for another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Shown<U> {
        match self {
            Self::Visible(value) => Shown::Visible(f(value)),
            Self::Denied(denied) => Shown::Denied(denied),
            Self::Failed(fault) => Shown::Failed(fault),
        }
    }
}

impl<T, E: Into<Fault>> From<Result<T, E>> for Shown<T> {
    /// A value that was permitted and then read.
    fn from(read: Result<T, E>) -> Self {
        match read {
            Ok(value) => Self::Visible(value),
            Err(error) => Self::Failed(error.into()),
        }
    }
}

impl<T: OutputType> OutputType for Shown<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::type_name().into_owned()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry);
        T::type_name().into_owned()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<AstField>) -> ServerResult<Value> {
        match self {
            // The field is nullable: what fails inside of it stops here, as with `Option`.
            Self::Visible(value) => Ok(value.resolve(ctx, field).await.unwrap_or_else(|error| {
                ctx.add_error(error);
                Value::Null
            })),
            Self::Denied(denied) => {
                if let Some(error) =
                    ctx.data_opt::<Arc<Redactions>>().and_then(|redactions| redactions.hold_back(*denied))
                {
                    ctx.add_error(ctx.set_error_path(error.into_server_error(field.pos)));
                }
                Ok(Value::Null)
            }
            Self::Failed(fault) => {
                let error = async_graphql::Error::from(fault.clone()).into_server_error(field.pos);
                ctx.add_error(ctx.set_error_path(error));
                Ok(Value::Null)
            }
        }
    }
}

/// What was held back from an answer: each field once, with the number of places; or an error at each place,
/// for a client that has asked for that.
#[derive(Debug, Default)]
pub struct Redactions {
    as_errors: bool,
    noted: Mutex<BTreeMap<Denied, u64>>,
}

impl Redactions {
    /// An empty list, or with `as_errors` none: each denied field is an error at its place then.
    pub fn new(as_errors: bool) -> Self {
        Self { as_errors, noted: Mutex::default() }
    }

    /// Notes a field that is held back, or answers with the error to be told at its place.
    pub(crate) fn hold_back(&self, denied: Denied) -> Option<async_graphql::Error> {
        if self.as_errors {
            return Some(located(&denied));
        }
        let mut noted = self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *noted.entry(denied).or_default() += 1;
        None
    }

    /// For `extensions.redactions`; `None` if nothing was held back.
    pub fn to_value(&self) -> Option<Value> {
        let noted = self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if noted.is_empty() {
            return None;
        }
        let list = noted
            .iter()
            .map(|(denied, places)| {
                let seen_by: Vec<_> =
                    audience(denied.category).into_iter().map(|relation| Value::from(relation.as_str())).collect();
                async_graphql::value!({
                    "field": (format!("{}.{}", denied.type_name, denied.name)),
                    "category": (denied.category.as_str()),
                    "reason": (denied.reason.as_str()),
                    "needed": (denied.needed()),
                    "seenBy": seen_by,
                    "places": (*places),
                })
            })
            .collect();
        Some(Value::List(list))
    }
}

/// The error at the place of a denied field.
fn located(denied: &Denied) -> async_graphql::Error {
    let message = format!("{}.{} is not for you: it needs {}", denied.type_name, denied.name, denied.needed());
    async_graphql::Error::new(message).extend_with(|_, extensions| {
        extensions.set("code", "FIELD_FORBIDDEN");
        extensions.set("field", format!("{}.{}", denied.type_name, denied.name));
        extensions.set("category", denied.category.as_str());
        extensions.set("reason", denied.reason.as_str());
    })
}

/// What kind of thing a value says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PersonalCategory", remote = "crate::access::Category")]
pub enum Category {
    /// Name and picture.
    Identity,
    /// E-mail address.
    Contact,
    /// The state of the account: since when, whether it is verified, its roles, second factor and tokens.
    Account,
    /// Where somebody signed in from: networks, browsers, times.
    Device,
    /// Goals, background, time zone, language.
    Profile,
    /// Every course that somebody takes or took, and time over all of them.
    LearningHistory,
    /// In one course: being enrolled, progress, completions.
    LearningRecord,
    /// Who takes a course: its class.
    Class,
    /// In one course: time spent, when last there, where she left off.
    Engagement,
    /// In one course: attempts, submissions, grades.
    Assessment,
    /// Bookmarks, navigation, preferences of the interface.
    Interaction,
    /// What was written to a course's forum.
    Communication,
    /// Who wrote what was posted anonymously to classmates.
    Authorship,
    /// Who wrote what was posted anonymously to all but moderators.
    HiddenAuthorship,
    /// What was reported to the moderators of a forum, by whom, and what they decided.
    Moderation,
    /// What was written in private between a learner and the staff of a course.
    Correspondence,
    /// What she wrote about a course for everybody to read.
    Review,
    /// What she was notified of.
    Notification,
    /// What the recommender makes of a learning history, with its reasons: courses taken, time on topics, goals.
    Recommendation,
    /// Who looked at her data, and under which cases.
    Oversight,
    /// What was paid, and how.
    Payment,
    /// What she has agreed to.
    Consent,
    /// Sums over a course's learners, from which no single one can be told.
    Statistics,
}

/// What a viewer is to a person, or to a course whose talk or sums she reads. There may be several at once: what any
/// of them may see is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PersonalRelation", remote = "crate::access::Relation")]
pub enum Relation {
    /// The person herself.
    Oneself,
    /// An instructor or assistant of the course at hand, or, for what is not of one course, of one that the person
    /// takes.
    Staff,
    /// An instructor or assistant of a course that the person has left, for as long as grading may need it.
    FormerStaff,
    /// Whoever keeps order in the forum of the course at hand: its instructors.
    Moderator,
    /// Whoever takes part in the conversation at hand.
    Correspondent,
    /// Somebody who takes the same course.
    Classmate,
    /// Anybody, of a person who teaches a course that is not a draft.
    Audience,
    /// Whoever has an open case about the person that names the category.
    CaseHolder,
    /// Whoever helps people with their accounts.
    Support,
    /// Whoever reads sums.
    Analyst,
    /// Whoever runs the system.
    Administrator,
    /// Whoever gives commands on the server's machine.
    Operator,
    /// Anybody.
    Stranger,
}

/// Why a field may not be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "DenialReason", remote = "crate::access::Reason")]
pub enum Reason {
    /// Nobody has signed in.
    NotSignedIn,
    /// You are none of those who may see it.
    NotInAudience,
    /// It needs an open case that names its category.
    CaseNeeded,
    /// The learner has left the course.
    EnrolmentEnded,
    /// The token was not made for seeing other people.
    ScopeNeeded,
    /// Your role counts only with a second factor.
    TwoFactorNeeded,
}

/// Whether you may see a field of somebody, and why, or why not.
#[derive(Debug, SimpleObject)]
pub(crate) struct FieldAccess {
    /// The field, as `Type.field`.
    field: String,
    /// What kind of data it is.
    category: Category,
    /// Whether you may see it.
    allowed: bool,
    /// As what you may see it; null if you may not.
    relation: Option<Relation>,
    /// Why not; null if you may.
    reason: Option<Reason>,
    /// What would be needed; null if you may.
    needed: Option<String>,
}

impl FieldAccess {
    /// What the policy says of a field.
    pub(crate) fn new<P: Place>(field: (&'static str, &'static str, super::Category), standing: &Standing<P>) -> Self {
        let denied = preview(field, standing);
        Self {
            field: format!("{}.{}", field.0, field.1),
            category: field.2.into(),
            allowed: denied.is_ok(),
            relation: denied.ok().map(Into::into),
            reason: denied.err().map(|denied| denied.reason.into()),
            needed: denied.err().map(|denied| denied.needed()),
        }
    }
}

/// The field carries data about a person: of which category, and who may see it. For everybody else it
/// is `null`, and `extensions.redactions` names it once.
#[TypeDirective(name = "personal", location = "FieldDefinition")]
fn declaration(
    #[graphql(desc = "What kind of thing the field says about a person.")] category: Category,
    #[graphql(desc = "What a viewer may be to the person to see it: any of these.")] seen_by: Vec<Relation>,
) {
}

/// The `@personal` directive of a field, written from the policy's table:
/// `#[graphql(directive = About::apply(&PERSON_NAME))]`.
pub(crate) struct About;

impl About {
    pub(crate) fn apply<C: Tag>(_field: &Field<C>) -> MetaDirectiveInvocation {
        declaration::apply(C::CATEGORY.into(), audience(C::CATEGORY).into_iter().map(Into::into).collect())
    }
}

impl async_graphql::TypeDirective for About {
    fn name(&self) -> Cow<'static, str> {
        declaration.name()
    }

    fn register(&self, registry: &mut Registry) {
        declaration.register(registry);
    }
}

impl location_traits::Directive_At_FIELD_DEFINITION for About {}
