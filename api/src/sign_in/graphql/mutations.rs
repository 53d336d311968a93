//! Signing up, in and out; sessions and tokens.

use async_graphql::{Context, ID, InputObject, SimpleObject};
use uuid::Uuid;

use super::{Token, TokenScope};
use crate::{
    access::{self, Client},
    accounts::{
        model::{NewAccount, NewToken},
        secret::random_bytes,
    },
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        scope::{Scope, scope},
        visit::visit,
    },
    sign_in::model::{ChangePasswordRefusal, Device, Proof, SignInRefusal, SignUpRefusal},
    time::Timestamp,
};

/// So many tokens an account has at most.
const MAX_TOKENS: usize = 50;
/// The longest label of a token, in characters.
const MAX_LABEL: usize = 200;
/// The longest that a token may last, in days.
const MAX_TOKEN_DAYS: i32 = 3_650;

/// Who signs up.
#[derive(InputObject)]
pub(crate) struct SignUpInput {
    /// The name that others see, 1 to 200 characters.
    name: String,
    /// The e-mail address.
    email: String,
    /// The password, 10 to 200 characters.
    password: String,
}

/// Who signs in.
#[derive(InputObject)]
pub(crate) struct SignInInput {
    /// The e-mail address.
    email: String,
    /// The password.
    password: String,
    /// The code of the second factor, if there is one.
    code: Option<String>,
}

/// A new password.
#[derive(InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The present password.
    password: String,
    /// The new password, 10 to 200 characters.
    new_password: String,
}

/// A new token.
#[derive(InputObject)]
pub(crate) struct CreateTokenInput {
    /// What it is for, to know it again; 1 to 200 characters.
    label: String,
    /// What it may be used for: no more than what you came with.
    scopes: Vec<TokenScope>,
    /// After how many days it ends, 1 to 3650.
    days: i32,
}

/// What became of `signUp`.
#[derive(SimpleObject)]
pub(crate) struct SignUpPayload {
    /// What you can mend. An address that has an account already is no error: its holder is told.
    user_errors: Vec<UserError>,
}

/// What became of `signIn`.
#[derive(SimpleObject)]
pub(crate) struct SignInPayload {
    /// You; null if you are not signed in. Ask for more in another request, which comes with the session's cookie.
    account_id: Option<ID>,
    /// Whether address and password are right, and the code of the second factor is needed, too.
    second_factor_needed: bool,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `signOut`.
#[derive(SimpleObject)]
pub(crate) struct SignOutPayload {
    /// Whether there was a session that has ended now.
    signed_out: bool,
}

/// What became of `changePassword`.
#[derive(SimpleObject)]
pub(crate) struct ChangePasswordPayload {
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `createToken`.
#[derive(SimpleObject)]
pub(crate) struct CreateTokenPayload {
    /// The token; null if there were errors.
    token: Option<Token>,
    /// What a program sends as `Authorization: Bearer …`. It is shown only now.
    secret: Option<String>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `revokeToken`, `revokeSession` or `revokeOtherSessions`.
#[derive(SimpleObject)]
pub(crate) struct RevokePayload {
    /// How many were revoked.
    revoked: i32,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Signing up, in and out; sessions and tokens.
#[derive(Default)]
pub(crate) struct SignInMutation;

/// Signing up, in and out; sessions and tokens.
#[async_graphql::Object]
impl SignInMutation {
    /// Makes an account. It does not sign in. The answer does not tell whether the address had an account already.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs up.")] input: SignUpInput,
    ) -> Result<SignUpPayload, Fault> {
        let new = NewAccount { name: input.name, email: input.email };
        let signed_up = scope(ctx).app.sign_in.sign_up(new, &input.password, &visit(ctx).origin).await?;
        let user_errors = signed_up.err().map(|refusal| {
            let (code, path): (_, &[&str]) = match refusal {
                SignUpRefusal::Email => (UserErrorCode::Email, &["input", "email"]),
                SignUpRefusal::Name => (UserErrorCode::Length, &["input", "name"]),
                SignUpRefusal::Password(_) => (UserErrorCode::Password, &["input", "password"]),
                SignUpRefusal::Throttled(_) => (UserErrorCode::Throttled, &["input"]),
            };
            UserError::new(code, path, &refusal)
        });
        Ok(SignUpPayload { user_errors: user_errors.into_iter().collect() })
    }

    /// Signs in: the answer sets the cookie of a session.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInInput,
    ) -> Result<SignInPayload, Fault> {
        let (scope, visit) = (scope(ctx), visit(ctx));
        visit.require_cookies()?;
        let mut origin = visit.origin.clone();
        // A browser that is new here is given something to be known by.
        let new_device = origin.device.is_none().then(|| Device(random_bytes()));
        origin.device = origin.device.or(new_device);
        let proof = Proof { email: input.email, password: input.password, code: input.code };
        match scope.app.sign_in.sign_in(&proof, &origin).await? {
            Ok((viewer, session)) => {
                visit.give_session(&session, scope.app.sign_in.settings().session_days, new_device);
                let account_id = viewer.id().map(|id| ID(crate::graphql::global_id::person(id)));
                Ok(SignInPayload { account_id, second_factor_needed: false, user_errors: Vec::new() })
            }
            Err(SignInRefusal::SecondFactorNeeded) => {
                Ok(SignInPayload { account_id: None, second_factor_needed: true, user_errors: Vec::new() })
            }
            Err(refusal) => {
                let (code, path): (_, &[&str]) = match refusal {
                    SignInRefusal::WrongCredentials => (UserErrorCode::WrongCredentials, &["input"]),
                    SignInRefusal::SecondFactorNeeded | SignInRefusal::WrongCode => {
                        (UserErrorCode::WrongCode, &["input", "code"])
                    }
                    SignInRefusal::EmailNotVerified => (UserErrorCode::EmailNotVerified, &["input", "email"]),
                    SignInRefusal::Suspended => (UserErrorCode::Suspended, &["input"]),
                    SignInRefusal::Throttled(_) => (UserErrorCode::Throttled, &["input"]),
                };
                let user_errors = vec![UserError::new(code, path, &refusal)];
                let second_factor_needed = refusal == SignInRefusal::WrongCode;
                Ok(SignInPayload { account_id: None, second_factor_needed, user_errors })
            }
        }
    }

    /// Ends the session that the request came with, and takes its cookie away.
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<SignOutPayload, Fault> {
        let scope = scope(ctx);
        visit(ctx).take_session();
        let signed_out = match (scope.viewer.id(), session(scope)) {
            (Some(account), Some(id)) => scope.app.sign_in.revoke_session(account, id).await?,
            _ => false,
        };
        Ok(SignOutPayload { signed_out })
    }

    /// Changes your password, and ends every other session.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The present password and a new one.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload, Fault> {
        let scope = scope(ctx);
        let account = scope.account_for(access::TokenScope::Account)?;
        let passwords = (input.password.as_str(), input.new_password.as_str());
        let changed = scope.app.sign_in.change_password(account, passwords, session(scope)).await?;
        scope.forget();
        let user_errors = changed.err().map(|refusal| {
            let (code, path): (_, &[&str]) = match refusal {
                ChangePasswordRefusal::WrongPassword => (UserErrorCode::WrongCredentials, &["input", "password"]),
                ChangePasswordRefusal::New(_) => (UserErrorCode::Password, &["input", "newPassword"]),
                ChangePasswordRefusal::Throttled(_) => (UserErrorCode::Throttled, &["input"]),
            };
            UserError::new(code, path, &refusal)
        });
        Ok(ChangePasswordPayload { user_errors: user_errors.into_iter().collect() })
    }

    /// Makes a token for a program. It may do no more than what you came with.
    async fn create_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the token is for.")] input: CreateTokenInput,
    ) -> Result<CreateTokenPayload, Fault> {
        let scope = scope(ctx);
        let account = scope.account_for(access::TokenScope::Account)?;
        let refused = |error| CreateTokenPayload { token: None, secret: None, user_errors: vec![error] };
        let new = match new_token(scope, input) {
            Ok(new) => new,
            Err(error) => return Ok(refused(error)),
        };
        if scope.app.accounts.tokens(account).await?.len() >= MAX_TOKENS {
            let message = format!("you have {MAX_TOKENS} tokens: revoke one first");
            return Ok(refused(UserError::new(UserErrorCode::TooMany, &["input"], &message)));
        }
        let (id, secret) = scope.app.accounts.issue(account, &new).await?;
        scope.forget();
        let tokens = scope.app.accounts.tokens(account).await?;
        Ok(CreateTokenPayload {
            token: tokens.iter().find(|token| token.id == id).map(Token::new),
            secret: Some(secret.secret_text().to_owned()),
            user_errors: Vec::new(),
        })
    }

    /// Makes a token of yours of no use any more.
    async fn revoke_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the token.")] id: ID,
    ) -> Result<RevokePayload, Fault> {
        let scope = scope(ctx);
        let account = scope.account_for(access::TokenScope::Account)?;
        let revoked = match Uuid::parse_str(&id) {
            Ok(id) => scope.app.accounts.revoke_token(account, id).await?,
            Err(_) => false,
        };
        scope.forget();
        Ok(RevokePayload::of(revoked, "token"))
    }

    /// Ends a session of yours.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the session.")] id: ID,
    ) -> Result<RevokePayload, Fault> {
        let scope = scope(ctx);
        let account = scope.account_for(access::TokenScope::Account)?;
        let revoked = match Uuid::parse_str(&id) {
            Ok(id) => scope.app.sign_in.revoke_session(account, id).await?,
            Err(_) => false,
        };
        scope.forget();
        Ok(RevokePayload::of(revoked, "session"))
    }

    /// Ends every session of yours but the one that the request came with.
    async fn revoke_other_sessions(&self, ctx: &Context<'_>) -> Result<RevokePayload, Fault> {
        let scope = scope(ctx);
        let account = scope.account_for(access::TokenScope::Account)?;
        let revoked = scope.app.sign_in.revoke_sessions(account, session(scope)).await?;
        scope.forget();
        Ok(RevokePayload { revoked: i32::try_from(revoked).unwrap_or(i32::MAX), user_errors: Vec::new() })
    }
}

impl RevokePayload {
    fn of(revoked: bool, what: &str) -> Self {
        let message = format!("you have no such {what}");
        let error = (!revoked).then(|| UserError::new(UserErrorCode::NotFound, &["id"], &message));
        Self { revoked: revoked.into(), user_errors: error.into_iter().collect() }
    }
}

/// The session that the request came with.
fn session(scope: &Scope) -> Option<Uuid> {
    scope.viewer.credential().filter(|credential| credential.client == Client::Session)?.id
}

fn new_token(scope: &Scope, input: CreateTokenInput) -> Result<NewToken, UserError> {
    let label = input.label.trim().to_owned();
    if label.is_empty() || label.chars().count() > MAX_LABEL {
        let message = format!("a label has 1 to {MAX_LABEL} characters");
        return Err(UserError::new(UserErrorCode::Length, &["input", "label"], &message));
    }
    if !(1..=MAX_TOKEN_DAYS).contains(&input.days) {
        let message = format!("a token lasts 1 to {MAX_TOKEN_DAYS} days; this was {}", input.days);
        return Err(UserError::new(UserErrorCode::OutOfRange, &["input", "days"], &message));
    }
    let mut scopes: Vec<access::TokenScope> = input.scopes.into_iter().map(Into::into).collect();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(UserError::new(UserErrorCode::Length, &["input", "scopes"], &"name at least one scope"));
    }
    if let Some(scope) = scopes.iter().find(|wanted| !scope.viewer.has_scope(**wanted)) {
        let message = format!("what you came with has not the scope {}", scope.as_str());
        return Err(UserError::new(UserErrorCode::ScopeNeeded, &["input", "scopes"], &message));
    }
    let expires_at = Timestamp(scope.app.clock.now().0 + i64::from(input.days) * 86_400_000_000);
    Ok(NewToken { label, scopes, expires_at: Some(expires_at), two_factor: scope.viewer.has_two_factor() })
}
