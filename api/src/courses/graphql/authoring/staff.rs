//! Who teaches a course.

use async_graphql::{Context, ID, InputObject, OneofObject, SimpleObject};
use stoa_macros::Object;

use super::{author, courses::CoursePayload, settled, user_error, within};
use crate::{
    access::TokenScope,
    accounts::graphql::Person,
    courses::{
        authoring::{Refusal, StaffInvitation as Invitation},
        graphql::{Course, StaffRole},
    },
    graphql::{
        errors::{Fault, UserError},
        node::{course_id, person_id},
        scalars::DateTime,
        scope::{Scope, scope},
    },
};

/// Somebody who is to teach a course.
#[derive(Debug, InputObject)]
pub(crate) struct AddStaffInput {
    /// The global id of the course.
    course_id: ID,
    /// Who.
    who: StaffCandidateInput,
    /// As what.
    role: StaffRole,
}

/// Who is to teach a course: by her id, or by her address.
#[derive(Debug, OneofObject)]
pub(crate) enum StaffCandidateInput {
    /// The global id of somebody whom you can see by name. She is added at once.
    PersonId(ID),
    /// An e-mail address. Whoever has it, if anybody does, is asked by mail.
    Email(String),
}

/// Somebody who teaches a course.
#[derive(Debug, InputObject)]
pub(crate) struct RemoveStaffInput {
    /// The global id of the course.
    course_id: ID,
    /// The global id of the person.
    person_id: ID,
}

/// What somebody who teaches a course is to be.
#[derive(Debug, InputObject)]
pub(crate) struct ChangeStaffRoleInput {
    /// The global id of the course.
    course_id: ID,
    /// The global id of the person.
    person_id: ID,
    /// As what.
    role: StaffRole,
}

/// What became of `addStaff`.
#[derive(SimpleObject)]
pub(crate) struct AddStaffPayload {
    /// The course; null if there were errors. Who was asked by mail is not of its staff before she accepts.
    course: Option<Course>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// A course that you were asked to teach.
pub(crate) struct StaffInvitation {
    invitation: Invitation,
    course: Option<std::sync::Arc<crate::courses::model::Course>>,
}

/// A course that you were asked to teach.
#[Object]
impl StaffInvitation {
    /// The global id of the course; it may be a draft, which you can't look at before you accept.
    async fn course_id(&self) -> ID {
        crate::graphql::node::NodeId::Course(self.invitation.course).encode()
    }

    /// The title of the course.
    async fn course_title(&self) -> Option<&str> {
        self.course.as_ref().map(|course| course.title.as_str())
    }

    /// As what.
    async fn role(&self) -> StaffRole {
        self.invitation.role.into()
    }

    /// When the invitation is over.
    async fn until(&self) -> DateTime {
        self.invitation.until.into()
    }
}

/// What the viewer was asked to teach.
#[derive(Default)]
pub(crate) struct InvitationQuery;

/// What the viewer was asked to teach.
#[async_graphql::Object]
impl InvitationQuery {
    /// The courses that you were asked to teach, by an address that you have shown to be yours; null if you have not signed in.
    async fn my_staff_invitations(&self, ctx: &Context<'_>) -> Option<Result<Vec<StaffInvitation>, Fault>> {
        let scope = scope(ctx);
        // For herself alone, and not with somebody else's eyes.
        let account = scope.viewer.id().filter(|_| scope.viewer.has_scope(TokenScope::Read))?;
        Some(invitations(scope, account).await)
    }
}

async fn invitations(scope: &Scope, account: crate::ids::AccountId) -> Result<Vec<StaffInvitation>, Fault> {
    let found = scope.app.authoring.invitations(account).await?;
    scope.make_room(found.len())?;
    let courses = scope.load().courses.get_many(found.iter().map(|invitation| invitation.course).collect()).await?;
    let named = |invitation: Invitation| StaffInvitation {
        course: courses.get(&invitation.course).cloned().flatten(),
        invitation,
    };
    Ok(found.into_iter().map(named).collect())
}

/// Saying who teaches.
#[derive(Default)]
pub(crate) struct StaffMutation;

/// Saying who teaches.
#[async_graphql::Object]
impl StaffMutation {
    /// Adds somebody to those who teach a course: for its instructors. Somebody whom you can see is added at once; to an address goes
    /// an invitation, and the answer is the same whether anybody has it.
    async fn add_staff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and as what.")] input: AddStaffInput,
    ) -> Result<AddStaffPayload, Fault> {
        let scope = scope(ctx);
        author(scope).await?;
        scope.account_for(TokenScope::People)?;
        let (course, role) = (course_id(&input.course_id)?, input.role.into());
        let refused = |user_errors| AddStaffPayload { course: None, user_errors };
        let desk = &scope.app.authoring;
        let outcome = match input.who {
            StaffCandidateInput::PersonId(person) => {
                let person = person_id(&person)?;
                if Person::find(scope, person).await?.is_none() {
                    return Ok(refused(within("who", vec![user_error(&Refusal::NoSuchPerson)])));
                }
                desk.add_staff(&scope.viewer, course, (person, role)).await?
            }
            StaffCandidateInput::Email(email) => desk.invite_staff(&scope.viewer, course, (&email, role)).await?,
        };
        Ok(match settled(scope, outcome) {
            Ok(()) => AddStaffPayload { course: Course::find(scope, course).await?, user_errors: Vec::new() },
            Err(user_errors) => refused(within("who", user_errors)),
        })
    }

    /// Joins those who teach a course that you were asked to teach.
    async fn accept_staff_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        author(scope).await?;
        let course = self::course_id(&course_id)?;
        let outcome = scope.app.authoring.accept_invitation(&scope.viewer, course).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }

    /// Takes somebody from those who teach a course: its instructors do, or she herself. The last instructor stays.
    async fn remove_staff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: RemoveStaffInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        author(scope).await?;
        scope.account_for(TokenScope::People)?;
        let (course, person) = (course_id(&input.course_id)?, person_id(&input.person_id)?);
        let outcome = scope.app.authoring.remove_staff(&scope.viewer, course, person).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }

    /// Makes an assistant an instructor, or the other way round: for the course's instructors. The last instructor stays one.
    async fn change_staff_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and to what.")] input: ChangeStaffRoleInput,
    ) -> Result<CoursePayload, Fault> {
        let scope = scope(ctx);
        author(scope).await?;
        scope.account_for(TokenScope::People)?;
        let (course, person) = (course_id(&input.course_id)?, person_id(&input.person_id)?);
        let outcome = scope.app.authoring.change_staff_role(&scope.viewer, course, (person, input.role.into())).await?;
        CoursePayload::of(scope, outcome.map(|()| course)).await
    }
}
