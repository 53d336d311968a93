//! Second factors in the graph.

use async_graphql::{Context, InputObject, SimpleObject};

use super::{Refusal, model::State};
use crate::{
    accounts::graphql::Person,
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        scalars::{DateTime, int},
        scope::scope,
    },
};

/// Whether somebody has a second factor: codes of an authenticator that she shows besides her password.
#[derive(SimpleObject)]
pub(crate) struct TwoFactorState {
    /// Whether it is on.
    enabled: bool,
    /// Since when; null if it is off.
    since: Option<DateTime>,
    /// How many recovery codes are left.
    recovery_codes_left: i32,
}

impl From<Option<State>> for TwoFactorState {
    fn from(state: Option<State>) -> Self {
        let since = state.and_then(|state| state.since);
        let left = state.map_or(0, |state| state.recovery_codes_left);
        Self { enabled: since.is_some(), since: since.map(DateTime), recovery_codes_left: int(left) }
    }
}

/// A code, to show that you have your second factor.
#[derive(InputObject)]
pub(crate) struct TwoFactorInput {
    /// The six digits that your authenticator shows. Where the second factor is on, a recovery code does, too.
    code: String,
}

/// What became of `startTwoFactor`.
#[derive(SimpleObject)]
pub(crate) struct StartTwoFactorPayload {
    /// The secret in base 32, to be typed into an authenticator; null if there were errors. It is shown only now.
    secret: Option<String>,
    /// The same as an `otpauth://` address, to be shown as a QR code; null if there were errors.
    uri: Option<String>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `confirmTwoFactor`.
#[derive(SimpleObject)]
pub(crate) struct ConfirmTwoFactorPayload {
    /// Ten codes for the day when you lose your authenticator; each works once. Null if there were errors. They are
    /// shown only now.
    recovery_codes: Option<Vec<String>>,
    /// You; null if there were errors.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `showSecondFactor`.
#[derive(SimpleObject)]
pub(crate) struct ShowSecondFactorPayload {
    /// You; null if there were errors.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `disableTwoFactor`.
#[derive(SimpleObject)]
pub(crate) struct DisableTwoFactorPayload {
    /// You; null if there were errors.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `renewRecoveryCodes`.
#[derive(SimpleObject)]
pub(crate) struct RenewRecoveryCodesPayload {
    /// The new codes; those from before work no more. Null if there were errors. They are shown only now.
    recovery_codes: Option<Vec<String>>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::AlreadyOn => (UserErrorCode::TwoFactorOn, &[]),
        Refusal::NotStarted | Refusal::NotOn => (UserErrorCode::TwoFactorOff, &[]),
        Refusal::Wrong => (UserErrorCode::WrongCode, &["input", "code"]),
        Refusal::Throttled(_) => (UserErrorCode::Throttled, &["input", "code"]),
    };
    UserError::new(code, path, &refusal)
}

/// Setting up a second factor.
#[derive(Default)]
pub(crate) struct TwoFactorMutation;

/// Setting up a second factor.
#[async_graphql::Object]
impl TwoFactorMutation {
    /// Begins to set up a second factor: gives the secret for your authenticator. Nothing is asked of you before
    /// `confirmTwoFactor`.
    async fn start_two_factor(&self, ctx: &Context<'_>) -> Result<StartTwoFactorPayload, Fault> {
        let scope = scope(ctx);
        let (account, _) = scope.account_in_session()?;
        Ok(match scope.app.two_factor.start(account).await? {
            Ok(new) => StartTwoFactorPayload { secret: Some(new.secret), uri: Some(new.uri), user_errors: Vec::new() },
            Err(refusal) => StartTwoFactorPayload { secret: None, uri: None, user_errors: vec![user_error(refusal)] },
        })
    }

    /// Turns your second factor on, with a first code of your authenticator.
    async fn confirm_two_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: TwoFactorInput,
    ) -> Result<ConfirmTwoFactorPayload, Fault> {
        let scope = scope(ctx);
        let (account, session) = scope.account_in_session()?;
        Ok(match scope.app.two_factor.confirm(account, Some(session), &input.code).await? {
            Ok(codes) => {
                scope.forget();
                let person = Person::load(scope, account).await?;
                ConfirmTwoFactorPayload { recovery_codes: Some(codes.0), person, user_errors: Vec::new() }
            }
            Err(refusal) => {
                let user_errors = vec![user_error(refusal)];
                ConfirmTwoFactorPayload { recovery_codes: None, person: None, user_errors }
            }
        })
    }

    /// Shows your second factor in a session that was opened without it, such as with another provider's account.
    async fn show_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: TwoFactorInput,
    ) -> Result<ShowSecondFactorPayload, Fault> {
        let scope = scope(ctx);
        let (account, session) = scope.account_in_session()?;
        if let Err(refusal) = scope.app.two_factor.show(account, session, &input.code).await? {
            return Ok(ShowSecondFactorPayload { person: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(ShowSecondFactorPayload { person: Person::load(scope, account).await?, user_errors: Vec::new() })
    }

    /// Turns your second factor off. Roles that need one count no more.
    async fn disable_two_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: TwoFactorInput,
    ) -> Result<DisableTwoFactorPayload, Fault> {
        let scope = scope(ctx);
        let (account, _) = scope.account_in_session()?;
        if let Err(refusal) = scope.app.two_factor.disable(account, &input.code).await? {
            return Ok(DisableTwoFactorPayload { person: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(DisableTwoFactorPayload { person: Person::load(scope, account).await?, user_errors: Vec::new() })
    }

    /// Gives you new recovery codes in place of those that are left.
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: TwoFactorInput,
    ) -> Result<RenewRecoveryCodesPayload, Fault> {
        let scope = scope(ctx);
        let (account, _) = scope.account_in_session()?;
        Ok(match scope.app.two_factor.renew_recovery_codes(account, &input.code).await? {
            Ok(codes) => RenewRecoveryCodesPayload { recovery_codes: Some(codes.0), user_errors: Vec::new() },
            Err(refusal) => RenewRecoveryCodesPayload { recovery_codes: None, user_errors: vec![user_error(refusal)] },
        })
    }
}
