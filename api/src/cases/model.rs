//! Cases, and what is needed to open one.

use crate::{
    access::{CategorySet, Personal, tags},
    db::stored_enum,
    ids::{AccountId, CaseId},
    time::Timestamp,
};

/// A reason to see more of a person than one's role shows, for a time.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its id; it is found together with the person.
    pub id: CaseId,
    /// Whom it is about.
    pub person: AccountId,
    /// Who holds it.
    pub opened_by: AccountId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Where it is kept track of elsewhere.
    pub ticket: String,
    /// What it opens.
    pub categories: CategorySet,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Whether it opens nothing until a second person has approved it.
    pub approval_needed: bool,
    /// Who did, and when.
    pub approved: Option<(AccountId, Timestamp)>,
    /// Who closed it before its end, and when.
    pub closed: Option<(AccountId, Timestamp)>,
    /// What the person may know of it besides.
    pub told: Personal<tags::Oversight, Told>,
}

/// What a person is told of a case about her: names, whatever else she may know of those people, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Who holds it.
    pub opened_by: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// How often something was looked at under it.
    pub looks: i64,
}

stored_enum! {
    /// Where a case stands.
    pub enum CaseState {
        /// A second person must approve it first.
        Waiting = "WAITING",
        /// It opens what it names.
        Open = "OPEN",
        /// Somebody closed it.
        Closed = "CLOSED",
        /// Its time is over.
        Expired = "EXPIRED",
    }
}

impl Case {
    /// Where it stands at an instant.
    pub fn state(&self, now: Timestamp) -> CaseState {
        if self.closed.is_some() {
            CaseState::Closed
        } else if self.expires_at <= now {
            CaseState::Expired
        } else if self.approval_needed && self.approved.is_none() {
            CaseState::Waiting
        } else {
            CaseState::Open
        }
    }
}

/// A case to be opened.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// Whom it is about.
    pub person: AccountId,
    /// Why.
    pub reason: String,
    /// Where it is kept track of elsewhere.
    pub ticket: String,
    /// What it is to open.
    pub categories: CategorySet,
    /// For how long, in minutes.
    pub minutes: i64,
}
