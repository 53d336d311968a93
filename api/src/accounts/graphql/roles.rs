//! Giving roles by job function.

use async_graphql::{Context, ID, SimpleObject};

use super::{Person, Role};
use crate::{
    access::TokenScope,
    accounts::{RoleRefusal, model::SystemRole},
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node,
        scope::{Scope, scope},
    },
};

/// What became of `grantRole`.
#[derive(SimpleObject)]
pub(crate) struct GrantRolePayload {
    /// The person, with the role; null if there were errors.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `revokeRole`.
#[derive(SimpleObject)]
pub(crate) struct RevokeRolePayload {
    /// The person, without the role; null if there were errors.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Giving roles.
#[derive(Default)]
pub(crate) struct AccountMutation;

/// Giving roles.
#[async_graphql::Object]
impl AccountMutation {
    /// Gives somebody a role: for administrators. Doing it again changes nothing.
    async fn grant_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the person.")] account_id: ID,
        #[graphql(desc = "The role.")] role: Role,
    ) -> Result<GrantRolePayload, Fault> {
        let (person, user_errors) = set_role(scope(ctx), &account_id, role, true).await?;
        Ok(GrantRolePayload { person, user_errors })
    }

    /// Takes a role from somebody, at once: for administrators. The last administrator stays one.
    async fn revoke_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the person.")] account_id: ID,
        #[graphql(desc = "The role.")] role: Role,
    ) -> Result<RevokeRolePayload, Fault> {
        let (person, user_errors) = set_role(scope(ctx), &account_id, role, false).await?;
        Ok(RevokeRolePayload { person, user_errors })
    }
}

async fn set_role(
    scope: &Scope,
    account: &ID,
    role: Role,
    held: bool,
) -> Result<(Option<Person>, Vec<UserError>), Fault> {
    scope.account_for(TokenScope::Account)?;
    scope.holder_of(&[SystemRole::Administrator]).await?;
    let account = node::person_id(account)?;
    if let Err(refusal) = scope.app.accounts.set_role(&scope.viewer, account, role.into(), held).await? {
        let (code, path): (_, &[&str]) = match refusal {
            RoleRefusal::NoSuchAccount => (UserErrorCode::NotFound, &["accountId"]),
            RoleRefusal::LastAdministrator => (UserErrorCode::LastAdministrator, &["role"]),
        };
        return Ok((None, vec![UserError::new(code, path, &refusal)]));
    }
    scope.forget();
    Ok((Person::load(scope, account).await?, Vec::new()))
}
