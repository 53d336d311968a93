//! The access log in the graph.

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

use super::model::{Entry, EntryPlace};
use crate::{
    access::{
        self, ACCESS_LOG_ENTRY_ACTOR_NAME, Anywhere, Permit, Shown, Standing,
        graphql::{About, Category, Relation},
        tags,
    },
    courses::graphql::Course,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::Fault,
        node::NodeId,
        scalars::DateTime,
        scope::{Scope, scope},
    },
    ids::AccountId,
};

/// The name of the list for cursors.
const ACCESS_LOG: &str = "access log";

/// What happened to somebody's data or account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "AccessEvent", remote = "super::model::EventKind")]
pub(crate) enum EventKind {
    /// Somebody else looked at her data.
    Read,
    /// She signed in.
    SignedIn,
    /// Somebody tried to sign in as her and could not.
    SignInFailed,
    /// She was given a role.
    RoleGranted,
    /// A role was taken from her.
    RoleRevoked,
    /// She became one of those who teach a course.
    StaffAdded,
    /// She is no longer one of those who teach a course.
    StaffRemoved,
    /// She became instructor instead of assistant in a course, or the other way round.
    StaffRoleChanged,
    /// Somebody opened a case about her.
    CaseOpened,
    /// A second person approved a case about her.
    CaseApproved,
    /// A case about her was closed.
    CaseClosed,
    /// Her data was exported.
    Exported,
    /// Somebody gave a command about her on the server's machine.
    Command,
}

/// What a request came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "AccessClient", remote = "crate::access::Client")]
pub(crate) enum Client {
    /// A browser's session.
    Session,
    /// A program's bearer token.
    Token,
    /// A command on the server's machine.
    CommandLine,
}

/// Something that happened to somebody's data or account. A request that looked at several kinds of data has an entry
/// for each. Reached through an access log that may be seen.
pub(crate) struct AccessLogEntry {
    person: AccountId,
    entry: Entry,
    standing: Standing<Anywhere>,
}

impl AccessLogEntry {
    /// A page of a person's access log.
    pub(crate) async fn list(
        scope: &Scope,
        person: AccountId,
        standing: &Standing<Anywhere>,
        paging: &Paging,
        _permit: Permit<tags::Oversight>,
    ) -> Result<Pages<Self>, Fault> {
        let page = scope.app.audit.page(person, &paging.request(scope, ACCESS_LOG)?).await?;
        connection(
            scope,
            ACCESS_LOG,
            &page,
            |entry| -> EntryPlace { entry.place },
            |entry| Self { person, entry: entry.clone(), standing: standing.clone() },
        )
    }
}

/// Something that happened to somebody's data or account. A request that looked at several kinds of data has an entry
/// for each. Reached through an access log that may be seen.
#[Object]
impl AccessLogEntry {
    /// When it happened.
    async fn at(&self) -> DateTime {
        self.entry.at.into()
    }

    /// What happened.
    async fn event(&self) -> EventKind {
        self.entry.kind.into()
    }

    /// The name of whoever did it; null where nobody had signed in, or the account is gone.
    #[graphql(directive = About::apply(&ACCESS_LOG_ENTRY_ACTOR_NAME))]
    async fn actor_name(&self) -> Shown<Option<String>> {
        access::show(&ACCESS_LOG_ENTRY_ACTOR_NAME, &self.standing, &self.entry.actor_name)
    }

    /// As what she looked; null for what is not a look.
    async fn relation(&self) -> Option<Relation> {
        self.entry.relation.map(Into::into)
    }

    /// What kind of data was looked at; null for what is not a look.
    async fn category(&self) -> Option<Category> {
        self.entry.category.map(Into::into)
    }

    /// In which course; null for what is of none. What is of you as a whole, such as your name, stands with the course in which the
    /// request looked at you, if that was one.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.entry.course?).await.transpose()
    }

    /// The global id of the case under which it was looked at, or which this is about.
    async fn case_id(&self) -> Option<ID> {
        self.entry.case.map(|case| NodeId::Case(self.person, case).encode())
    }

    /// What the request came with.
    async fn client(&self) -> Option<Client> {
        self.entry.client.map(Into::into)
    }

    /// What else there is to say, such as the role that was given.
    async fn detail(&self) -> Option<&str> {
        self.entry.detail.as_deref()
    }
}
