//! Accounts, sessions and tokens in the graph; signing up and in.

mod mutations;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, SimpleObject};
use stoa_macros::Object;

pub(crate) use mutations::SignInMutation;

use super::model::{self, AccountState, SignInRecord};
use crate::{
    access::{
        self, ACCOUNT_CREATED_AT, ACCOUNT_EMAIL_VERIFIED_AT, ACCOUNT_SESSIONS, ACCOUNT_SIGN_INS, ACCOUNT_STATUS,
        ACCOUNT_TOKENS, Anywhere, Permit, Shown, Standing, graphql::About, tags,
    },
    accounts::model as accounts,
    graphql::{
        connection::{Pages, Paging, connection},
        direct::Direct,
        errors::Fault,
        scalars::DateTime,
        scope::{Scope, scope},
    },
    ids::AccountId,
};

/// The name of the list for cursors.
const SIGN_INS: &str = "signIns";

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::AccountStatus")]
pub(crate) enum AccountStatus {
    /// It may.
    Active,
    /// It may not: nobody signs in with it, and its sessions and tokens don't work.
    Suspended,
}

/// How somebody signed in, or tried to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "SignInMethod", remote = "model::Method")]
pub(crate) enum Method {
    /// With e-mail address and password.
    Password,
    /// With another provider's account.
    OpenId,
}

/// What became of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "SignInOutcome", remote = "model::Outcome")]
pub(crate) enum Outcome {
    /// There is a session.
    Succeeded,
    /// The password was wrong.
    WrongPassword,
    /// The password was right, and a code was asked for.
    SecondFactorNeeded,
    /// The password was right, the code was not.
    WrongCode,
    /// The password was right, but the address has not been verified.
    EmailNotVerified,
    /// The password was right, but the account is suspended.
    Suspended,
}

/// Why a sign-in looks as if it were somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "SignInSuspicion", remote = "model::Suspicion")]
pub(crate) enum Suspicion {
    /// No earlier sign-in came from this browser.
    NewDevice,
    /// No earlier sign-in came from this network.
    NewNetwork,
    /// Many attempts with a wrong password came before it.
    ManyFailures,
}

/// What a token may be used for. A session may be used for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "access::TokenScope")]
pub(crate) enum TokenScope {
    /// To read: the catalogue, and what its holder sees of herself and as a learner.
    Read,
    /// To learn and write: enroll, record activity, post in forums.
    Write,
    /// To see other people as its holder's roles allow.
    People,
    /// To manage: the profile, sessions and tokens, roles, cases.
    Account,
}

/// Somebody's account.
pub(crate) struct Account {
    state: Arc<AccountState>,
    standing: Standing<Anywhere>,
}

impl Account {
    /// The account, as the viewer may see it.
    pub(crate) async fn load(
        scope: &Scope,
        id: AccountId,
        standing: &Standing<Anywhere>,
    ) -> Result<Option<Self>, Fault> {
        let state = scope.load().account_states.get(id).await?;
        Ok(state.map(|state| Self { state, standing: standing.clone() }))
    }

    async fn read_sessions(&self, scope: &Scope, permit: Permit<tags::Device>) -> Result<Vec<Session>, Fault> {
        let sessions = scope.load().sessions.get(self.state.id).await?;
        let (sessions, now) = (sessions.open(permit), scope.app.clock.now());
        let current = scope.viewer.credential().and_then(|credential| credential.id);
        let live: Vec<_> = sessions.iter().filter(|session| session.expires_at > now).collect();
        scope.make_room(live.len())?;
        Ok(live.into_iter().map(|session| Session::new(session, current)).collect())
    }

    async fn read_tokens(&self, scope: &Scope, permit: Permit<tags::Account>) -> Result<Vec<Token>, Fault> {
        let tokens = scope.load().tokens.get(self.state.id).await?;
        let tokens = tokens.open(permit);
        scope.make_room(tokens.len())?;
        Ok(tokens.iter().map(Token::new).collect())
    }

    async fn read_sign_ins(
        &self,
        scope: &Scope,
        paging: &Paging,
        permit: Permit<tags::Device>,
    ) -> Result<Pages<SignIn>, Fault> {
        let request = paging.request(scope, SIGN_INS)?;
        let page = scope.load().sign_in_pages.get((self.state.id, request)).await?;
        connection(scope, SIGN_INS, page.open(permit), |row| (row.at.0, row.id), SignIn::new)
    }
}

/// Somebody's account.
#[Object]
impl Account {
    /// Whether it may be used.
    #[graphql(directive = About::apply(&ACCOUNT_STATUS))]
    async fn status(&self) -> Shown<AccountStatus> {
        access::show(&ACCOUNT_STATUS, &self.standing, &self.state.status).map(Into::into)
    }

    /// Since when there is an account.
    #[graphql(directive = About::apply(&ACCOUNT_CREATED_AT))]
    async fn created_at(&self) -> Shown<DateTime> {
        access::show(&ACCOUNT_CREATED_AT, &self.standing, &self.state.created_at).map(DateTime)
    }

    /// When the e-mail address was verified; null for not yet.
    #[graphql(directive = About::apply(&ACCOUNT_EMAIL_VERIFIED_AT))]
    async fn email_verified_at(&self) -> Shown<Option<DateTime>> {
        access::show(&ACCOUNT_EMAIL_VERIFIED_AT, &self.standing, &self.state.email_verified_at)
            .map(|at| at.map(DateTime))
    }

    /// Where she is signed in, the latest first.
    #[graphql(directive = About::apply(&ACCOUNT_SESSIONS))]
    async fn sessions(&self, ctx: &Context<'_>) -> Shown<Vec<Session>> {
        match access::permit(&ACCOUNT_SESSIONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_sessions(scope(ctx), permit).await.into(),
        }
    }

    /// The tokens that programs use in her name and that were not revoked, the latest first.
    #[graphql(directive = About::apply(&ACCOUNT_TOKENS))]
    async fn tokens(&self, ctx: &Context<'_>) -> Shown<Vec<Token>> {
        match access::permit(&ACCOUNT_TOKENS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_tokens(scope(ctx), permit).await.into(),
        }
    }

    /// Sign-ins and attempts at them, the latest first. They are kept for 180 days.
    #[graphql(directive = About::apply(&ACCOUNT_SIGN_INS))]
    async fn sign_ins(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<SignIn>> {
        match access::permit(&ACCOUNT_SIGN_INS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_sign_ins(scope(ctx), &Paging { first, after, last, before }, permit).await.into(),
        }
    }
}

/// Where somebody is signed in.
#[derive(SimpleObject)]
pub(crate) struct Session {
    /// Its id.
    id: ID,
    /// Whether it is the one that this request came with.
    is_current: bool,
    /// Since when.
    created_at: DateTime,
    /// When it was last used, to ten minutes.
    last_seen_at: DateTime,
    /// When it ends.
    expires_at: DateTime,
    /// Whether a second factor was shown.
    two_factor: bool,
    /// The browser and system, such as `Firefox on Linux`.
    client: String,
    /// The network, shortened, such as `203.0.113.0/24`; null where it is not known.
    network: Option<String>,
}

impl Session {
    fn new(session: &model::Session, current: Option<uuid::Uuid>) -> Self {
        Self {
            id: ID(session.id.to_string()),
            is_current: current == Some(session.id),
            created_at: DateTime(session.created_at),
            last_seen_at: DateTime(session.last_seen_at),
            expires_at: DateTime(session.expires_at),
            two_factor: session.two_factor,
            client: session.client_label.clone(),
            network: session.network.clone(),
        }
    }
}

/// What a program uses in somebody's name.
#[derive(SimpleObject)]
pub(crate) struct Token {
    /// Its id.
    id: ID,
    /// What it is for.
    label: String,
    /// What it may be used for.
    scopes: Vec<TokenScope>,
    /// Since when.
    created_at: DateTime,
    /// When it ends; null for never.
    expires_at: Option<DateTime>,
    /// When it was last used, to ten minutes; null for not since the ten minutes after it was made.
    last_used_at: Option<DateTime>,
}

impl Token {
    fn new(token: &accounts::Token) -> Self {
        Self {
            id: ID(token.id.to_string()),
            label: token.label.clone(),
            scopes: token.scopes.iter().copied().map(Into::into).collect(),
            created_at: DateTime(token.created_at),
            expires_at: token.expires_at.map(DateTime),
            last_used_at: token.last_used_at.map(DateTime),
        }
    }
}

/// A sign-in, or an attempt at one.
#[derive(SimpleObject)]
pub(crate) struct SignIn {
    /// When.
    at: DateTime,
    /// How.
    method: Method,
    /// What became of it.
    outcome: Outcome,
    /// The browser and system, such as `Firefox on Linux`.
    client: String,
    /// The network, shortened, such as `203.0.113.0/24`; null where it is not known.
    network: Option<String>,
    /// Why it looks as if it were somebody else's; empty if it does not.
    suspicious: Vec<Suspicion>,
}

impl Direct for SignIn {}

impl SignIn {
    fn new(record: &SignInRecord) -> Self {
        Self {
            at: DateTime(record.at),
            method: record.method.into(),
            outcome: record.outcome.into(),
            client: record.client_label.clone(),
            network: record.network.clone(),
            suspicious: record.suspicious.iter().copied().map(Into::into).collect(),
        }
    }
}
