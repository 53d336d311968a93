//! How the policy shows in the graph: the output type, the directive, and the list of what was held back.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_graphql::{
    ContextSelectionSet, Enum, OutputType, Positioned, ServerResult, TypeDirective, Value,
    parser::types::Field as AstField,
    registry::{MetaDirectiveInvocation, Registry, location_traits},
};

use super::{Denied, Field, Tag, audience};
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
                if let Some(redactions) = ctx.data_opt::<Arc<Redactions>>() {
                    redactions.note(*denied);
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

/// What was held back from an answer: each field once, with the number of places.
#[derive(Debug, Default)]
pub struct Redactions(Mutex<BTreeMap<Denied, u64>>);

impl Redactions {
    fn note(&self, denied: Denied) {
        let mut noted = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *noted.entry(denied).or_default() += 1;
    }

    /// For `extensions.redactions`; `None` if nothing was held back.
    pub fn to_value(&self) -> Option<Value> {
        let noted = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
                    "reason": "NOT_IN_AUDIENCE",
                    "seenBy": seen_by,
                    "places": (*places),
                })
            })
            .collect();
        Some(Value::List(list))
    }
}

/// What kind of thing a value says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PersonalCategory", remote = "crate::access::Category")]
pub enum Category {
    /// Name and picture.
    Identity,
    /// E-mail address.
    Contact,
    /// Goals and background.
    Profile,
    /// Enrolments, progress, time, completions.
    LearningRecord,
    /// What a person wrote in a course's forum.
    Communication,
    /// What the recommender makes of a learning record.
    Recommendation,
}

/// What a viewer is to the person that a value is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PersonalRelation", remote = "crate::access::Relation")]
pub enum Relation {
    /// The person herself.
    Oneself,
    /// An instructor or assistant of the course at hand, or of one that the person takes.
    Staff,
    /// Somebody who takes the same course.
    Classmate,
    /// Anybody, of a person who teaches a published course.
    Audience,
    /// Anybody.
    Stranger,
}

/// The field carries data about a person: of which category, and who may see it. For everybody else it
/// is `null`, and `extensions.redactions` names it once.
#[TypeDirective(name = "personal", location = "FieldDefinition")]
fn declaration(category: Category, seen_by: Vec<Relation>) {}

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
