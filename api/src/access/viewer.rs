//! Who asks, and how she proved it.

use crate::{db::stored_enum, ids::AccountId};

stored_enum! {
    /// What a credential may be used for. A session may be used for everything; a token for what it was made for.
    pub enum TokenScope {
        /// To read: the catalogue, and what its holder sees of herself and as a learner.
        Read = "READ",
        /// To learn and write: enroll, record activity, post in forums.
        Write = "WRITE",
        /// To see other people as its holder's roles allow: as staff of a course, as support, as administrator.
        People = "PEOPLE",
        /// To manage: the profile, sessions and tokens, roles, cases.
        Account = "ACCOUNT",
    }
}

stored_enum! {
    /// What a request came with.
    pub enum Client {
        /// A browser's session.
        Session = "SESSION",
        /// A program's bearer token.
        Token = "TOKEN",
        /// A command on the server's machine.
        CommandLine = "COMMAND_LINE",
    }
}

/// How a viewer proved who she is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// What the request came with.
    pub client: Client,
    /// The session's or token's own id, as its owner sees it in her list; `None` from the command line.
    pub id: Option<uuid::Uuid>,
    /// What it may be used for.
    pub scopes: Vec<TokenScope>,
    /// Whether a second factor was shown when it was made.
    pub two_factor: bool,
    /// The network that the request came from, shortened (`203.0.113.0/24`); `None` where it is not known.
    pub network: Option<String>,
}

impl Credential {
    /// That of somebody who gives commands on the server's machine.
    pub fn command_line() -> Self {
        Self {
            client: Client::CommandLine,
            id: None,
            scopes: TokenScope::ALL.to_vec(),
            two_factor: true,
            network: None,
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer(Option<(AccountId, Credential)>);

impl Viewer {
    /// Somebody who has not signed in.
    pub const ANONYMOUS: Self = Self(None);

    /// The holder of an account, as she has proved.
    pub const fn new(account: AccountId, credential: Credential) -> Self {
        Self(Some((account, credential)))
    }

    /// The viewer's account, if signed in.
    pub fn id(&self) -> Option<AccountId> {
        self.0.as_ref().map(|(account, _)| *account)
    }

    /// How she proved it, if signed in.
    pub fn credential(&self) -> Option<&Credential> {
        self.0.as_ref().map(|(_, credential)| credential)
    }

    /// Whether the viewer is this person.
    pub fn is(&self, person: AccountId) -> bool {
        self.id() == Some(person)
    }

    /// Whether what she came with may be used for this.
    pub fn has_scope(&self, scope: TokenScope) -> bool {
        self.credential().is_some_and(|credential| credential.scopes.contains(&scope))
    }

    /// Whether she showed a second factor.
    pub fn has_two_factor(&self) -> bool {
        self.credential().is_some_and(|credential| credential.two_factor)
    }
}
