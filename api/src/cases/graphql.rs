//! Cases in the graph.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{
    Refusal,
    model::{self, NewCase},
};
use crate::{
    access::{
        self, Anywhere, CASE_APPROVED_BY_NAME, CASE_CLOSED_BY_NAME, CASE_LOOKS, CASE_OPENED_BY_NAME, Permit, Shown,
        Standing, TokenScope,
        graphql::{About, Category},
        tags,
    },
    accounts::{graphql::Person, model::SystemRole},
    db::page::{Page, TimeKey},
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CaseId},
};

/// The names of the lists for cursors.
const CASES: &str = "cases";
const RUNNING: &str = "running cases";

/// Who opens, approves and closes cases.
const HOLDERS: [SystemRole; 2] = [SystemRole::Support, SystemRole::Administrator];

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "super::model::CaseState")]
pub(crate) enum CaseState {
    /// A second person must approve it first.
    Waiting,
    /// It opens what it names.
    Open,
    /// Somebody closed it.
    Closed,
    /// Its time is over.
    Expired,
}

/// A reason to see more of a person than one's role shows, for a time. The person sees every case about her; support and
/// administrators see their own and those that they may approve or close.
#[derive(Clone)]
pub(crate) struct Case {
    case: Arc<model::Case>,
    standing: Standing<Anywhere>,
}

impl Case {
    async fn new(scope: &Scope, case: model::Case) -> Result<Self, Fault> {
        let standing = scope.load().relations.get(case.person).await?.0;
        Ok(Self { case: Arc::new(case), standing })
    }

    /// A case that is asked for by id: to whom it is not for, it is not there.
    pub(crate) async fn find(scope: &Scope, person: AccountId, id: CaseId) -> Result<Option<Self>, Fault> {
        let Some(case) = scope.app.cases.find((person, id)).await? else { return Ok(None) };
        let case = Self::new(scope, case).await?;
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        let own = scope.viewer.is(case.case.opened_by) || case.is(scope, model::CaseState::Waiting);
        let seen = case.standing.shows(access::Category::Oversight)
            || known.has_role(SystemRole::Administrator)
            || known.has_role(SystemRole::Support) && own;
        Ok(seen.then_some(case))
    }

    fn is(&self, scope: &Scope, state: model::CaseState) -> bool {
        self.case.state(scope.app.clock.now()) == state
    }

    /// A page of the cases about a person.
    pub(crate) async fn list(
        scope: &Scope,
        person: AccountId,
        _standing: &Standing<Anywhere>,
        paging: &Paging,
        _permit: Permit<tags::Oversight>,
    ) -> Result<Pages<Self>, Fault> {
        let page = scope.app.cases.of_person(person, &paging.request(scope, CASES)?).await?;
        Self::listed(scope, CASES, page).await
    }

    async fn listed(scope: &Scope, list: &str, page: Page<model::Case>) -> Result<Pages<Self>, Fault> {
        let standings = scope.load().relations.get_many(page.items.iter().map(|case| case.person).collect()).await?;
        let page = page.map(|case| {
            let standing = standings.get(&case.person).cloned().unwrap_or_default().0;
            Self { case: Arc::new(case), standing }
        });
        let key = |case: &Self| -> TimeKey { (case.case.opened_at.0, case.case.id.0) };
        connection(scope, list, &page, key, Self::clone)
    }
}

/// A reason to see more of a person than one's role shows, for a time. The person sees every case about her; support and
/// administrators see their own and those that they may approve or close.
#[Object]
impl Case {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Case(self.case.person, self.case.id).encode()
    }

    /// Where it stands.
    async fn state(&self, ctx: &Context<'_>) -> CaseState {
        self.case.state(scope(ctx).app.clock.now()).into()
    }

    /// Whom it is about.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.case.person).await.transpose()
    }

    /// Who holds it, as you may see her.
    async fn opened_by(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.case.opened_by).await.transpose()
    }

    /// The name of whoever holds it; null if the account is gone.
    #[graphql(directive = About::apply(&CASE_OPENED_BY_NAME))]
    async fn opened_by_name(&self) -> Shown<Option<String>> {
        access::show(&CASE_OPENED_BY_NAME, &self.standing, &self.case.told).map(|told| told.opened_by)
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime {
        self.case.opened_at.into()
    }

    /// Why it was opened.
    async fn reason(&self) -> &str {
        &self.case.reason
    }

    /// Where it is kept track of elsewhere.
    async fn ticket(&self) -> &str {
        &self.case.ticket
    }

    /// What it opens.
    async fn categories(&self) -> Vec<Category> {
        self.case.categories.iter().map(Into::into).collect()
    }

    /// When it ends by itself.
    async fn expires_at(&self) -> DateTime {
        self.case.expires_at.into()
    }

    /// Whether it opens nothing until a second person has approved it.
    async fn approval_needed(&self) -> bool {
        self.case.approval_needed
    }

    /// The name of whoever approved it; null until then.
    #[graphql(directive = About::apply(&CASE_APPROVED_BY_NAME))]
    async fn approved_by_name(&self) -> Shown<Option<String>> {
        access::show(&CASE_APPROVED_BY_NAME, &self.standing, &self.case.told).map(|told| told.approved_by)
    }

    /// When it was approved; null until then.
    async fn approved_at(&self) -> Option<DateTime> {
        self.case.approved.map(|(_, at)| at.into())
    }

    /// The name of whoever closed it; null if nobody did.
    #[graphql(directive = About::apply(&CASE_CLOSED_BY_NAME))]
    async fn closed_by_name(&self) -> Shown<Option<String>> {
        access::show(&CASE_CLOSED_BY_NAME, &self.standing, &self.case.told).map(|told| told.closed_by)
    }

    /// When it was closed; null if nobody did.
    async fn closed_at(&self) -> Option<DateTime> {
        self.case.closed.map(|(_, at)| at.into())
    }

    /// How often something was looked at under it: entries of the access log.
    #[graphql(directive = About::apply(&CASE_LOOKS))]
    async fn looks(&self) -> Shown<i32> {
        access::show(&CASE_LOOKS, &self.standing, &self.case.told).map(|told| int(told.looks))
    }
}

/// Reading about cases.
#[derive(Default)]
pub(crate) struct CaseQuery;

/// Reading about cases.
#[async_graphql::Object]
impl CaseQuery {
    /// The cases that run, the latest first: for support, its own and those that wait for approval; for administrators, all.
    async fn cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Result<Pages<Case>, Fault> {
        let scope = scope(ctx);
        let holder = scope.holder_of(&HOLDERS).await?;
        let all = is_administrator(scope).await?;
        let request = Paging { first, after, last, before }.request(scope, RUNNING)?;
        Case::listed(scope, RUNNING, scope.app.cases.running(holder, all, &request).await?).await
    }
}

async fn is_administrator(scope: &Scope) -> Result<bool, Fault> {
    Ok(scope.load().viewpoint.known().await?.has_role(SystemRole::Administrator))
}

/// A case to be opened.
#[derive(Debug, InputObject)]
pub(crate) struct OpenCaseInput {
    /// The global id of the person it is about.
    person_id: ID,
    /// Why, 10 to 2,000 characters. The person reads it.
    reason: String,
    /// Where it is kept track of elsewhere, 1 to 100 characters.
    ticket: String,
    /// What it is to open.
    categories: Vec<Category>,
    /// For how long, in minutes: from 15 to what the installation allows.
    minutes: i32,
}

/// What became of `openCase`, `approveCase` or `closeCase`.
#[derive(SimpleObject)]
pub(crate) struct CasePayload {
    /// The case; null if there were errors.
    case: Option<Case>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl CasePayload {
    async fn of(scope: &Scope, done: Result<model::Case, Refusal>) -> Result<Self, Fault> {
        Ok(match done {
            Ok(case) => {
                scope.forget();
                Self { case: Some(Case::new(scope, case).await?), user_errors: Vec::new() }
            }
            Err(refusal) => Self { case: None, user_errors: vec![user_error(&refusal)] },
        })
    }
}

fn user_error(refusal: &Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NotSignedIn => (UserErrorCode::NotAllowed, &[]),
        Refusal::NoSuchPerson => (UserErrorCode::NotFound, &["input", "personId"]),
        Refusal::Oneself => (UserErrorCode::NotAllowed, &["input", "personId"]),
        Refusal::Reason(_) => (UserErrorCode::Length, &["input", "reason"]),
        Refusal::Ticket(_) => (UserErrorCode::Length, &["input", "ticket"]),
        Refusal::NoCategory => (UserErrorCode::Length, &["input", "categories"]),
        Refusal::Category(_) => (UserErrorCode::NotAllowed, &["input", "categories"]),
        Refusal::Duration { .. } => (UserErrorCode::OutOfRange, &["input", "minutes"]),
        Refusal::AlreadyOpen => (UserErrorCode::Conflict, &["input", "personId"]),
        Refusal::NoSuchCase => (UserErrorCode::NotFound, &["caseId"]),
        Refusal::OwnCase | Refusal::AboutYou => (UserErrorCode::NotAllowed, &["caseId"]),
        Refusal::NotWaiting | Refusal::Over => (UserErrorCode::Conflict, &["caseId"]),
    };
    UserError::new(code, path, refusal)
}

/// Opening, approving and closing cases.
#[derive(Default)]
pub(crate) struct CaseMutation;

/// Opening, approving and closing cases.
#[async_graphql::Object]
impl CaseMutation {
    /// Opens a case about somebody, as support or administrator. She is told, and every look under it is in her access log.
    async fn open_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The case.")] input: OpenCaseInput,
    ) -> Result<CasePayload, Fault> {
        let scope = scope(ctx);
        scope.account_for(TokenScope::Account)?;
        scope.holder_of(&HOLDERS).await?;
        let new = NewCase {
            person: node::person_id(&input.person_id)?,
            reason: input.reason,
            ticket: input.ticket,
            categories: input.categories.into_iter().map(access::Category::from).collect(),
            minutes: input.minutes.into(),
        };
        CasePayload::of(scope, scope.app.cases.open(&scope.viewer, new).await?).await
    }

    /// Approves a case of somebody else's that waits for it, as support or administrator.
    async fn approve_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the case.")] case_id: ID,
    ) -> Result<CasePayload, Fault> {
        let scope = scope(ctx);
        scope.account_for(TokenScope::Account)?;
        scope.holder_of(&HOLDERS).await?;
        let key = node::case_id(&case_id)?;
        CasePayload::of(scope, scope.app.cases.approve(&scope.viewer, key).await?).await
    }

    /// Closes a case before its end: your own, one that you approved, or, as administrator, any.
    async fn close_case(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the case.")] case_id: ID,
    ) -> Result<CasePayload, Fault> {
        let scope = scope(ctx);
        scope.account_for(TokenScope::Account)?;
        scope.holder_of(&HOLDERS).await?;
        let (key, any) = (node::case_id(&case_id)?, is_administrator(scope).await?);
        CasePayload::of(scope, scope.app.cases.close(&scope.viewer, key, any).await?).await
    }
}
