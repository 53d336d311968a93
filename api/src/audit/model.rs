//! What is in the access log.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    access::{Category, CategorySet, Client, Look, Personal, Relation, Viewer, tags},
    db::stored_enum,
    ids::{AccountId, CaseId, CourseId},
    time::Timestamp,
};

stored_enum! {
    /// What happened to somebody's data or account.
    pub enum EventKind {
        /// Somebody else looked at her data.
        Read = "READ",
        /// She signed in.
        SignedIn = "SIGNED_IN",
        /// Somebody tried to sign in as her and could not.
        SignInFailed = "SIGN_IN_FAILED",
        /// She was given a role.
        RoleGranted = "ROLE_GRANTED",
        /// A role was taken from her.
        RoleRevoked = "ROLE_REVOKED",
        /// She became one of those who teach a course.
        StaffAdded = "STAFF_ADDED",
        /// She is no longer one of those who teach a course.
        StaffRemoved = "STAFF_REMOVED",
        /// She became instructor instead of assistant in a course, or the other way round.
        StaffRoleChanged = "STAFF_ROLE_CHANGED",
        /// Somebody opened a case about her.
        CaseOpened = "CASE_OPENED",
        /// A second person approved a case about her.
        CaseApproved = "CASE_APPROVED",
        /// A case about her was closed.
        CaseClosed = "CASE_CLOSED",
        /// Her data was exported.
        Exported = "EXPORTED",
        /// Somebody gave a command about her on the server's machine.
        Command = "COMMAND",
    }
}

/// Something to be logged. It is about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// About whom.
    pub person: AccountId,
    /// What happened.
    pub kind: EventKind,
    /// Who did it; `None` where nobody had signed in.
    pub actor: Option<AccountId>,
    /// In which relation to her.
    pub relation: Option<Relation>,
    /// Of which kinds the data was; none for what is not a look.
    pub categories: CategorySet,
    /// In which course.
    pub course: Option<CourseId>,
    /// Under which case.
    pub case: Option<CaseId>,
    /// What the request came with.
    pub client: Option<Client>,
    /// The session's or token's own id.
    pub credential: Option<Uuid>,
    /// The network that it came from, shortened.
    pub network: Option<String>,
    /// The id under which the server's log knows the request.
    pub request: Option<String>,
    /// What else there is to say, such as the role that was given.
    pub detail: Option<String>,
}

impl Event {
    /// Something that the viewer did to a person.
    pub fn new(kind: EventKind, person: AccountId, by: &Viewer) -> Self {
        let credential = by.credential();
        Self {
            person,
            kind,
            actor: by.id(),
            relation: None,
            categories: CategorySet::NONE,
            course: None,
            case: None,
            client: credential.map(|credential| credential.client),
            credential: credential.and_then(|credential| credential.id),
            network: credential.and_then(|credential| credential.network.clone()),
            request: None,
            detail: None,
        }
    }

    /// Something that somebody did by a command on the server's machine.
    pub fn by_command(kind: EventKind, person: AccountId) -> Self {
        Self::new(kind, person, &Viewer::ANONYMOUS).of_command()
    }

    /// By a command on the server's machine.
    #[must_use]
    pub fn of_command(mut self) -> Self {
        self.client = Some(Client::CommandLine);
        self
    }

    /// A look of the viewer.
    pub fn look(look: Look, by: &Viewer) -> Self {
        Self {
            relation: Some(look.relation),
            categories: look.categories,
            course: look.course,
            case: look.case,
            ..Self::new(EventKind::Read, look.person, by)
        }
    }

    /// In a request with this id.
    #[must_use]
    pub fn in_request(mut self, id: Option<&str>) -> Self {
        self.request = id.map(str::to_owned);
        self
    }

    /// In a course.
    #[must_use]
    pub fn in_course(mut self, course: CourseId) -> Self {
        self.course = Some(course);
        self
    }

    /// Under, or about, a case.
    #[must_use]
    pub fn of_case(mut self, case: CaseId) -> Self {
        self.case = Some(case);
        self
    }

    /// With something more to say.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Where a row stands in the log: its batch, and its position in that.
pub type Place = (i64, i64);

/// Where an entry stands in somebody's log. A look at several kinds of data is one row, and an entry for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryPlace(
    /// The row's batch.
    pub i64,
    /// The row's position in that.
    pub i64,
    /// The entry's in the row. Cursors that were given out before rows had several do without.
    #[serde(default)]
    pub usize,
);

/// What somebody reads of a row of her access log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it stands.
    pub place: EntryPlace,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// The name of whoever did it. She may always know it, whatever else she may know of that person.
    pub actor_name: Personal<tags::Oversight, Option<String>>,
    /// In which relation to her.
    pub relation: Option<Relation>,
    /// Of which kind the data was.
    pub category: Option<Category>,
    /// In which course.
    pub course: Option<CourseId>,
    /// Under which case.
    pub case: Option<CaseId>,
    /// What the request came with.
    pub client: Option<Client>,
    /// What else there is to say.
    pub detail: Option<String>,
}

/// A batch and its hash: with it, everything up to it is fixed. Written `NUMBER:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The batch's number; 0 before the first.
    pub number: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a batch and its hash, as `stoa audit head` prints them: NUMBER:HASH");
        let (number, digits) = text.trim().split_once(':').ok_or_else(wrong)?;
        let number = number.parse().ok().filter(|number| *number >= 0).ok_or_else(wrong)?;
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(wrong());
        }
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self { number, hash })
    }
}

/// A place where the log is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A row says something else, or stands elsewhere, than when it was written.
    #[error("batch {}, row {}: has been changed or moved", .0.0, .0.1)]
    Changed(Place),
    /// Rows that were written are not there.
    #[error("batch {}: rows {} to {} are missing", .batch, .first, .last)]
    Missing {
        /// In which batch.
        batch: i64,
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// A row that was not written with its batch.
    #[error("batch {}, row {}: has been added", .0.0, .0.1)]
    Added(Place),
    /// A batch is not what was written.
    #[error("batch {0}: has been changed or moved")]
    BatchChanged(i64),
    /// A batch does not follow the one before it.
    #[error("batch {0}: does not follow the batch before it")]
    Unchained(i64),
    /// Batches are not there.
    #[error("batches {0} to {1} are missing")]
    BatchesMissing(i64, i64),
    /// There are batches after the one that is said to be the last.
    #[error("the head says that batch {head} is the last, but there is a batch {last}")]
    Behind {
        /// What the head says.
        head: i64,
        /// The last batch.
        last: i64,
    },
    /// The head's hash is not that of the last batch.
    #[error("the head has been changed: its hash is not that of batch {0}")]
    HeadChanged(i64),
    /// There is no head.
    #[error("the head is missing")]
    HeadMissing,
    /// A batch that was noted earlier is not in the log any more.
    #[error(
        "batch {0} is not in the log with the hash that was expected: the log was cut, or replaced by an older one"
    )]
    NotAsExpected(i64),
}

/// What was found in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many batches there are.
    pub batches: i64,
    /// How many rows there are.
    pub rows: i64,
    /// How many flaws were found.
    pub flaws: u64,
    /// The last batch, if there is a head.
    pub head: Option<Head>,
}

impl Report {
    /// Whether the log is as it was written.
    pub const fn is_whole(&self) -> bool {
        self.flaws == 0
    }
}

/// What is told while the log is verified.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// Something is wrong.
    Flaw(Flaw),
    /// So many batches of so many have been looked at.
    Batches(i64, i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody may have kept one.
    #[test]
    fn a_cursor_from_before_rows_had_several_entries_is_good() {
        assert_eq!(serde_json::from_str::<EntryPlace>("[3,1]").unwrap(), EntryPlace(3, 1, 0));
        assert_eq!(serde_json::to_string(&EntryPlace(3, 1, 2)).unwrap(), "[3,1,2]");
    }
}
