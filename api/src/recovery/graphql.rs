//! Back into an account, in the graph.

use async_graphql::{Context, InputObject, SimpleObject};

use super::model::Refusal;
use crate::{
    access::TokenScope,
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        scope::scope,
        visit::visit,
    },
};

/// What became of a request about verifying an address or setting a new password.
#[derive(SimpleObject)]
pub(crate) struct RecoveryPayload {
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl RecoveryPayload {
    fn new(result: Result<(), Refusal>) -> Self {
        let user_errors = result.err().map(|refusal| {
            let (code, path): (_, &[&str]) = match refusal {
                Refusal::Token => (UserErrorCode::NotFound, &["input", "token"]),
                Refusal::Address => (UserErrorCode::OutOfRange, &["input", "email"]),
                Refusal::TooMany => (UserErrorCode::TooManyRequests, &[]),
                Refusal::Password(_) => (UserErrorCode::PasswordRefused, &["input", "newPassword"]),
            };
            UserError::new(code, path, &refusal)
        });
        Self { user_errors: user_errors.into_iter().collect() }
    }
}

/// A token from a mail.
#[derive(InputObject)]
pub(crate) struct VerifyEmailInput {
    /// The token in the link.
    token: String,
    /// Your password, if you are not signed in: it shows that it was you who signed up.
    password: Option<String>,
}

/// Who forgot her password.
#[derive(InputObject)]
pub(crate) struct RequestPasswordResetInput {
    /// The e-mail address of the account.
    email: String,
}

/// A new password.
#[derive(InputObject)]
pub(crate) struct ResetPasswordInput {
    /// The token in the link.
    token: String,
    /// The new password.
    new_password: String,
}

/// Back into an account.
#[derive(Default)]
pub(crate) struct RecoveryMutation;

/// Back into an account.
#[async_graphql::Object]
impl RecoveryMutation {
    /// Asks for a mail with a link that shows that your address is yours. Nothing is sent if that is known already.
    async fn request_email_verification(&self, ctx: &Context<'_>) -> Result<RecoveryPayload, Fault> {
        let scope = scope(ctx);
        let account = scope.account_for(TokenScope::Account)?;
        Ok(RecoveryPayload::new(scope.app.recovery.request_verification(account).await?))
    }

    /// Shows with the token from such a mail that an address is its owner's. The first time, it must also be shown that
    /// it was she who signed up with it: by a session of the account, or by its password. Without, it may have been
    /// somebody else: the account's password and second factor go, its sessions and tokens end, and she gets in with
    /// `requestPasswordReset`.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: VerifyEmailInput,
    ) -> Result<RecoveryPayload, Fault> {
        let scope = scope(ctx);
        let viewer = scope.viewer.id().filter(|_| scope.session().is_some());
        let verified = scope.app.recovery.verify(&input.token, viewer, input.password.as_deref()).await?;
        scope.forget();
        Ok(RecoveryPayload::new(verified))
    }

    /// Asks for a mail with a link to set a new password. The answer is the same whether there is such an account.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address.")] input: RequestPasswordResetInput,
    ) -> Result<RecoveryPayload, Fault> {
        let scope = scope(ctx);
        let network = visit(ctx).origin.network.as_deref();
        Ok(RecoveryPayload::new(scope.app.recovery.request_reset(&input.email, network).await?))
    }

    /// Sets a new password with the token from such a mail. All sessions and tokens end. If the address had not been
    /// verified before, it is now, and a second factor goes: somebody else may have set it up.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token and the password.")] input: ResetPasswordInput,
    ) -> Result<RecoveryPayload, Fault> {
        let scope = scope(ctx);
        let reset = scope.app.recovery.reset(&input.token, &input.new_password).await?;
        scope.forget();
        Ok(RecoveryPayload::new(reset))
    }
}
