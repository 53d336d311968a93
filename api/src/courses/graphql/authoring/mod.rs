//! The authors' desk in the graph.

mod courses;
mod lessons;
mod modules;
mod staff;

use async_graphql::{ID, MergedObject};

pub(crate) use staff::InvitationQuery;

use crate::{
    access::TokenScope,
    courses::authoring::{Part, Refusal},
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        scope::Scope,
    },
    idempotency::{Key, KeyRefusal},
    ids::AccountId,
};

/// Writing courses.
#[derive(Default, MergedObject)]
pub(crate) struct AuthoringMutation(
    courses::CourseMutation,
    modules::ModuleMutation,
    lessons::LessonMutation,
    staff::StaffMutation,
);

/// The viewer's account, if she may write with what she came with. Whether she is of the course's staff is asked where the course
/// is held.
async fn author(scope: &Scope) -> Result<AccountId, Fault> {
    let account = scope.account_for(TokenScope::Write)?;
    if scope.load().viewpoint.known().await?.lacks_second_factor_as_staff() {
        return Err(Fault::forbidden("staff of courses who have signed in with a second factor"));
    }
    Ok(account)
}

/// A key for something that is made, from what it is made of.
fn key(
    account: AccountId,
    key: Option<&str>,
    operation: &str,
    of: &impl std::fmt::Debug,
) -> Result<Option<Key>, Refusal> {
    let request = format!("{of:?}");
    Ok(key.map(|key| Key::new(account, key, operation, &[request.as_bytes()])).transpose()?)
}

/// Ids of one type.
fn ids<T>(given: &[ID], read: impl Fn(&ID) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    given.iter().map(read).collect()
}

/// What became of a change: the error, or that what was read is not so any more.
fn settled<T>(scope: &Scope, outcome: Result<T, Refusal>) -> Result<T, Vec<UserError>> {
    match outcome {
        Ok(value) => {
            scope.forget();
            Ok(value)
        }
        Err(refusal) => Err(vec![user_error(&refusal)]),
    }
}

/// Says of a person or an address that it is one step further in, in the input object `name`.
fn within(name: &str, mut user_errors: Vec<UserError>) -> Vec<UserError> {
    for path in user_errors.iter_mut().map(|error| &mut error.path) {
        if path.last().is_some_and(|last| matches!(last.as_str(), "personId" | "email")) {
            path.insert(path.len() - 1, name.to_owned());
        }
    }
    user_errors
}

fn user_error(refusal: &Refusal) -> UserError {
    use UserErrorCode as Code;
    let (code, field) = match refusal {
        Refusal::NotAnAuthor => (Code::NotAnAuthor, None),
        Refusal::NoSuchCourse => (Code::NotFound, Some("courseId")),
        Refusal::NoSuchModule => (Code::NotFound, Some("moduleId")),
        Refusal::NoSuchLesson => (Code::NotFound, Some("lessonId")),
        Refusal::NotStaff => (Code::StaffOnly, None),
        Refusal::NotInstructor => (Code::InstructorOnly, None),
        Refusal::Stale(_) => (Code::StaleVersion, Some("version")),
        Refusal::Title => (Code::Length, Some("title")),
        Refusal::Summary => (Code::Length, Some("summary")),
        Refusal::Slug => (Code::Malformed, Some("slug")),
        Refusal::SlugTaken => (Code::SlugTaken, Some("slug")),
        Refusal::Language(_) => (Code::Malformed, Some("language")),
        Refusal::Topics(_) => (Code::TooMany, Some("topics")),
        Refusal::Topic(_) => (Code::Malformed, Some("topics")),
        Refusal::CourseState(..) | Refusal::Retired | Refusal::NoDraft => (Code::WrongState, None),
        Refusal::NoLesson => (Code::NoLesson, None),
        Refusal::NoSummary => (Code::ContentMissing, Some("summary")),
        Refusal::LastLesson => (Code::LastLesson, None),
        Refusal::TooManyModules | Refusal::TooManyLessons | Refusal::TooManyStaff => (Code::TooMany, None),
        Refusal::ModuleNotPublished => (Code::ModuleNotPublished, None),
        Refusal::NothingChanged => (Code::NothingChanged, None),
        Refusal::Order(_) => (Code::Conflict, Some("order")),
        Refusal::Position(_) => (Code::OutOfRange, Some("position")),
        Refusal::Seconds(_) => (Code::OutOfRange, Some(Part::Seconds.argument())),
        Refusal::Body => (Code::Length, Some(Part::Text.argument())),
        Refusal::Transcript => (Code::Length, Some(Part::Transcript.argument())),
        Refusal::Url => (Code::Malformed, Some(Part::Url.argument())),
        Refusal::NotOfKind(_, part) => (Code::NotAllowed, Some(part.argument())),
        Refusal::ContentMissing { part, .. } => (Code::ContentMissing, Some(part.argument())),
        Refusal::Rule(_) => (Code::NotAllowed, Some("completion")),
        Refusal::Share => (Code::OutOfRange, Some("completionShare")),
        Refusal::Cycle(_) => (Code::Cycle, Some("prerequisites")),
        Refusal::NoSuchPrerequisite(_) => (Code::NotFound, Some("prerequisites")),
        Refusal::TooManyPrerequisites(_) => (Code::TooMany, Some("prerequisites")),
        Refusal::NoSuchPerson => (Code::NotFound, Some("personId")),
        Refusal::Email => (Code::Email, Some("email")),
        Refusal::StaffAlready => (Code::Conflict, Some("personId")),
        Refusal::LastInstructor => (Code::LastInstructor, Some("personId")),
        Refusal::NotInvited => (Code::InvitationNeeded, Some("courseId")),
        Refusal::EmailNotVerified => (Code::EmailNotVerified, None),
        Refusal::TooManyInvitations => (Code::TooManyRequests, Some("email")),
        Refusal::Key(KeyRefusal::Length(_)) => (Code::Length, Some("idempotencyKey")),
        Refusal::Key(KeyRefusal::Reused) => (Code::IdempotencyKeyReused, Some("idempotencyKey")),
    };
    let path: Vec<&str> = std::iter::once("input").chain(field).collect();
    UserError::new(code, &path, refusal)
}
