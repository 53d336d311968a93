//! Invitations, in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{cohorts::Cohort, instructor, user_error};
use crate::{
    access::{COURSE_INVITATIONS, Category, Permit, permit, tags},
    accounts::graphql::Person,
    courses::graphql::Course,
    db::page::TimeKey,
    enrolling::{
        Refusal,
        model::{self, NewInvitation},
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId, InvitationId},
};

/// The name of the list for cursors.
const INVITATIONS: &str = "invitations";

/// An invitation to a course.
#[derive(Clone)]
pub(crate) struct Invitation(Arc<model::Invitation>);

impl Invitation {
    /// The invitation, if the viewer may see those of the course.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: InvitationId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let class = load.viewpoint.to_class(course).await?;
        if permit(&COURSE_INVITATIONS, &class).is_err() {
            return Ok(None);
        }
        Ok(load.invitations.get((course, id)).await?.map(Self))
    }

    /// A page of a course's invitations, for whoever has asked the policy (see the field's resolver).
    pub(crate) async fn list(
        scope: &Scope,
        course: CourseId,
        paging: &Paging,
        permit: Permit<tags::Class>,
    ) -> Result<Pages<Self>, Fault> {
        let request = paging.request(scope, INVITATIONS)?;
        let page = scope.load().invitation_pages.get((course, request)).await?;
        let key = |row: &Arc<model::Invitation>| -> TimeKey { (row.created_at.0, row.id.0) };
        connection(scope, INVITATIONS, page.open(permit), key, |row| Self(Arc::clone(row)))
    }
}

/// An invitation to a course.
#[Object]
impl Invitation {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Invitation(self.0.course_id, self.0.id).encode()
    }

    /// The course.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course_id).await.transpose()
    }

    /// Whom it is for; null where it is for whoever has the code, and where you may not see her.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::find(scope(ctx), self.0.person_id?).await.transpose()
    }

    /// What it is for, to know it again; may be empty.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// The cohort of those who come by it; null for none.
    async fn cohort(&self, ctx: &Context<'_>) -> Option<Result<Cohort, Fault>> {
        Cohort::find(scope(ctx), self.0.course_id, self.0.cohort_id?).await.transpose()
    }

    /// How many may come by it.
    async fn uses(&self) -> i32 {
        int(self.0.max_uses)
    }

    /// How many have, those who wait for a seat included.
    async fn used(&self) -> i32 {
        int(self.0.used)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it ends.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// When it was revoked; null if it was not.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }
}

/// That the viewer is invited to a course.
#[derive(SimpleObject)]
pub(crate) struct MyInvitation {
    /// Since when.
    since: DateTime,
    /// Until when you can come by it.
    expires_at: DateTime,
}

impl MyInvitation {
    /// For herself, when she looks with her own eyes.
    pub(crate) async fn find(scope: &Scope, person: AccountId, course: CourseId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        if !load.viewpoint.in_course(known, person, course, None).looks_at(Category::LearningRecord) {
            return Ok(None);
        }
        let now = scope.app.clock.now();
        let found = load.invitations_of_person.get((course, person)).await?;
        let open = found.iter().rev().find(|invitation| invitation.is_open(now));
        Ok(open.map(|open| Self { since: open.created_at.into(), expires_at: open.expires_at.into() }))
    }
}

/// Somebody to be invited, or everybody who gets the code.
#[derive(Debug, InputObject)]
pub(crate) struct CreateInvitationInput {
    /// The global id of the course.
    course_id: ID,
    /// The global id of the person, who is notified; left out, there is a code.
    person_id: Option<ID>,
    /// What it is for, to know it again, at most 200 characters.
    #[graphql(default)]
    label: String,
    /// The global id of the cohort that those who come by it are put into.
    cohort_id: Option<ID>,
    /// How many may come by it, 1 to 100,000.
    #[graphql(default = 1)]
    uses: i32,
    /// For how long, in days, 1 to 366.
    #[graphql(default = 30)]
    days: i32,
    /// A key of your own making: sent again with it, nobody is invited twice.
    idempotency_key: Option<String>,
}

/// What became of `createInvitation`.
#[derive(SimpleObject)]
pub(crate) struct CreateInvitationPayload {
    /// The invitation; null if there were errors.
    invitation: Option<Invitation>,
    /// The code to give to those who are invited. It is shown this once; null for an invitation to a person, and where the
    /// invitation was made before under the same key.
    code: Option<String>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// An invitation to be taken back.
#[derive(Debug, InputObject)]
pub(crate) struct RevokeInvitationInput {
    /// The global id of the invitation.
    invitation_id: ID,
}

/// What became of `revokeInvitation`.
#[derive(SimpleObject)]
pub(crate) struct RevokeInvitationPayload {
    /// The invitation; null if there were errors.
    invitation: Option<Invitation>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Inviting to courses.
#[derive(Default)]
pub(crate) struct InvitationMutation;

/// Inviting to courses.
#[async_graphql::Object]
impl InvitationMutation {
    /// Invites to a course that you instruct: somebody whom you may see, or whoever gets the code.
    async fn create_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation.")] input: CreateInvitationInput,
    ) -> Result<CreateInvitationPayload, Fault> {
        let scope = scope(ctx);
        let course = node::course_id(&input.course_id)?;
        let refused =
            |refusal| CreateInvitationPayload { invitation: None, code: None, user_errors: vec![user_error(refusal)] };
        let instructor = match instructor(scope, course).await? {
            Ok(instructor) => instructor,
            Err(refusal) => return Ok(refused(refusal)),
        };
        let person = input.person_id.as_ref().map(node::person_id).transpose()?;
        if let Some(person) = person
            && Person::find(scope, person).await?.is_none()
        {
            return Ok(refused(Refusal::NoSuchPerson));
        }
        let cohort = match input.cohort_id.as_ref().map(node::cohort_id).transpose()? {
            Some((of, _)) if of != course => return Ok(refused(Refusal::NoSuchCohort)),
            cohort => cohort.map(|(_, cohort)| cohort),
        };
        let (uses, days) = (input.uses.into(), input.days.into());
        let new = NewInvitation { person, label: input.label, cohort, uses, days };
        let invited = scope.app.enrolling.invite(instructor, course, new, input.idempotency_key.as_deref()).await?;
        Ok(match invited {
            Err(refusal) => refused(refusal),
            Ok((id, code)) => {
                scope.forget();
                CreateInvitationPayload {
                    invitation: Invitation::find(scope, course, id).await?,
                    code: code.map(|code| code.secret_text().to_owned()),
                    user_errors: Vec::new(),
                }
            }
        })
    }

    /// Takes an invitation to a course that you instruct back. Whoever has come by it stays.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload, Fault> {
        let scope = scope(ctx);
        let (course, id) = node::invitation_id(&input.invitation_id)?;
        let refused = |refusal| RevokeInvitationPayload { invitation: None, user_errors: vec![user_error(refusal)] };
        match instructor(scope, course).await? {
            Ok(_) => {}
            // Nobody else knows of it.
            Err(_) => return Ok(refused(Refusal::NoSuchInvitation)),
        }
        if let Err(refusal) = scope.app.enrolling.revoke_invitation((course, id)).await? {
            return Ok(refused(refusal));
        }
        scope.forget();
        let invitation = Invitation::find(scope, course, id).await?;
        Ok(RevokeInvitationPayload { invitation, user_errors: Vec::new() })
    }
}
