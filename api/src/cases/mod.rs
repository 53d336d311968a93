//! Cases: how support sees more of a person than an account, for a reason, for a time, and never unnoticed.
//!
//! Whoever opens one says why, what it is to open, and for how long; it ends by itself. Every look under it is logged
//! with its id, and the person reads all of that.
//!
//! Invariant: a holder has at most one case about a person that is not over, so that each look is under one case.

pub(crate) mod graphql;
pub mod model;
pub(crate) mod store;

use crate::{
    access::{Rules, Viewer, case_categories},
    accounts,
    audit::{
        self, Audit,
        model::{Event, EventKind},
    },
    db::{
        Db, DbError, Tx,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CaseId},
    mail::{Outbox, model::Kind},
    time::{Clock, Timestamp},
};
use model::{Case, NewCase, Told};

/// The shortest case, in minutes.
pub const SHORTEST: i64 = 15;
/// The shortest reason, in characters.
pub const SHORTEST_REASON: usize = 10;
/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 2_000;
/// The longest name of a ticket, in characters.
pub const LONGEST_TICKET: usize = 100;

/// The service of cases. Whoever opens, approves or closes one helps people with their accounts or runs the system.
#[derive(Clone, Debug)]
pub struct Cases {
    db: Db,
    clock: Clock,
    audit: Audit,
    outbox: Outbox,
    rules: Rules,
}

/// Why a case was not opened, approved or closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody has signed in.
    #[error("sign in first")]
    NotSignedIn,
    /// There is nobody to open a case about.
    #[error("there is no such person")]
    NoSuchPerson,
    /// A case is about somebody else.
    #[error("a case is about somebody else: what is yours you see without one")]
    Oneself,
    /// Too short or too long.
    #[error("a reason has {SHORTEST_REASON} to {LONGEST_REASON} characters, and the person reads it; this one has {0}")]
    Reason(usize),
    /// Empty or too long.
    #[error("a ticket has 1 to {LONGEST_TICKET} characters; this one has {0}")]
    Ticket(usize),
    /// It would open nothing.
    #[error("name at least one category that the case is to open")]
    NoCategory,
    /// No case opens this.
    #[error("no case opens {0}; what one can open is {known}", known = openable())]
    Category(&'static str),
    /// Too short or too long.
    #[error("a case is open for {SHORTEST} to {longest} minutes; this were {wanted}")]
    Duration {
        /// How long was wanted, in minutes.
        wanted: i64,
        /// The most that the installation allows, in minutes.
        longest: i64,
    },
    /// The holder has one.
    #[error("you have a case about this person that is not over: close it first")]
    AlreadyOpen,
    /// No such case, or not for the viewer.
    #[error("there is no such case")]
    NoSuchCase,
    /// A second person is needed.
    #[error("this is your own case: somebody else must approve it")]
    OwnCase,
    /// Whom it is about can't approve it.
    #[error("this case is about you: it is for somebody else to approve or close it")]
    AboutYou,
    /// There is nothing to approve.
    #[error("this case does not wait for approval, or no longer")]
    NotWaiting,
    /// There is nothing to close.
    #[error("this case is over already")]
    Over,
}

fn openable() -> String {
    case_categories().map(crate::access::Category::as_str).collect::<Vec<_>>().join(", ")
}

impl Cases {
    /// The service.
    pub fn new(db: Db, clock: Clock, audit: Audit, outbox: Outbox, rules: Rules) -> Self {
        Self { db, clock, audit, outbox, rules }
    }

    /// Opens a case.
    pub async fn open(&self, viewer: &Viewer, new: NewCase) -> Result<Result<Case, Refusal>, DbError> {
        let holder = match self.check(viewer, &new) {
            Ok(holder) => holder,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if accounts::store::by_ids(&self.db, &[new.person]).await?.is_empty() {
            return Ok(Err(Refusal::NoSuchPerson));
        }
        let now = self.clock.now();
        let case = Case {
            id: self.clock.id(),
            person: new.person,
            opened_by: holder,
            opened_at: now,
            reason: new.reason.trim().to_owned(),
            ticket: new.ticket.trim().to_owned(),
            categories: new.categories,
            expires_at: Timestamp(now.0 + new.minutes * 60_000_000),
            approval_needed: self.rules.cases_need_approval,
            approved: None,
            closed: None,
            told: Told::default().into(),
        };
        let mut tx = self.db.begin().await?;
        if !store::insert(&mut tx, &case).await? {
            return Ok(Err(Refusal::AlreadyOpen));
        }
        self.outbox.add(&mut tx, case.person, Kind::CaseOpened, &case.id.0.to_string()).await?;
        self.log(&mut tx, EventKind::CaseOpened, &case, viewer).await?;
        tx.commit().await?;
        self.outbox.ring();
        Ok(Ok(self.told(case).await?))
    }

    fn check(&self, viewer: &Viewer, new: &NewCase) -> Result<AccountId, Refusal> {
        let holder = viewer.id().ok_or(Refusal::NotSignedIn)?;
        let (reason, ticket) = (new.reason.trim().chars().count(), new.ticket.trim().chars().count());
        let longest = i64::from(self.rules.longest_case_hours) * 60;
        if holder == new.person {
            Err(Refusal::Oneself)
        } else if !(SHORTEST_REASON..=LONGEST_REASON).contains(&reason) {
            Err(Refusal::Reason(reason))
        } else if !(1..=LONGEST_TICKET).contains(&ticket) {
            Err(Refusal::Ticket(ticket))
        } else if new.categories.is_empty() {
            Err(Refusal::NoCategory)
        } else if let Some(other) = new.categories.iter().find(|category| case_categories().all(|one| one != *category))
        {
            Err(Refusal::Category(other.as_str()))
        } else if !(SHORTEST..=longest).contains(&new.minutes) {
            Err(Refusal::Duration { wanted: new.minutes, longest })
        } else {
            Ok(holder)
        }
    }

    /// Lets a case open what it names: a second person's word.
    pub async fn approve(&self, viewer: &Viewer, key: (AccountId, CaseId)) -> Result<Result<Case, Refusal>, DbError> {
        let Some(approver) = viewer.id() else { return Ok(Err(Refusal::NotSignedIn)) };
        let Some(mut case) = store::case(&self.db, key).await? else { return Ok(Err(Refusal::NoSuchCase)) };
        if approver == case.opened_by {
            return Ok(Err(Refusal::OwnCase));
        }
        if approver == case.person {
            return Ok(Err(Refusal::AboutYou));
        }
        let (mut tx, now) = (self.db.begin().await?, self.clock.now());
        if !store::approve(&mut tx, &case, approver, now).await? {
            return Ok(Err(Refusal::NotWaiting));
        }
        self.log(&mut tx, EventKind::CaseApproved, &case, viewer).await?;
        tx.commit().await?;
        case.approved = Some((approver, now));
        Ok(Ok(self.told(case).await?))
    }

    /// Closes a case before its end: its holder, whoever approved it, or somebody who may close any.
    pub async fn close(
        &self,
        viewer: &Viewer,
        key: (AccountId, CaseId),
        any: bool,
    ) -> Result<Result<Case, Refusal>, DbError> {
        let Some(closer) = viewer.id() else { return Ok(Err(Refusal::NotSignedIn)) };
        let Some(mut case) = store::case(&self.db, key).await? else { return Ok(Err(Refusal::NoSuchCase)) };
        let approver = case.approved.map(|(approver, _)| approver);
        if closer == case.person {
            return Ok(Err(Refusal::AboutYou));
        }
        if !any && closer != case.opened_by && Some(closer) != approver {
            return Ok(Err(Refusal::NoSuchCase));
        }
        let (mut tx, now) = (self.db.begin().await?, self.clock.now());
        if !store::close(&mut tx, &case, closer, now).await? {
            return Ok(Err(Refusal::Over));
        }
        self.log(&mut tx, EventKind::CaseClosed, &case, viewer).await?;
        tx.commit().await?;
        case.closed = Some((closer, now));
        Ok(Ok(self.told(case).await?))
    }

    /// A page of the cases about a person, with what she is told of them, the latest first.
    pub async fn of_person(&self, person: AccountId, request: &PageRequest<TimeKey>) -> Result<Page<Case>, DbError> {
        let mut cases = store::of_person(&self.db, person, request).await?;
        self.tell(&mut cases).await?;
        Ok(Page::from_rows(cases, request))
    }

    /// A page of the cases that run, the latest first: those of a holder and those that wait for approval, or all.
    pub async fn running(
        &self,
        holder: AccountId,
        all: bool,
        request: &PageRequest<TimeKey>,
    ) -> Result<Page<Case>, DbError> {
        let mut cases = store::running(&self.db, (holder, all), self.clock.now(), request).await?;
        self.tell(&mut cases).await?;
        Ok(Page::from_rows(cases, request))
    }

    /// A case, with what the person is told of it.
    pub async fn find(&self, (person, id): (AccountId, CaseId)) -> Result<Option<Case>, DbError> {
        let mut found: Vec<_> = store::case(&self.db, (person, id)).await?.into_iter().collect();
        self.tell(&mut found).await?;
        Ok(found.pop())
    }

    /// A case with what the person is told of it.
    async fn told(&self, mut case: Case) -> Result<Case, DbError> {
        self.tell(std::slice::from_mut(&mut case)).await?;
        Ok(case)
    }

    /// Adds what the people whom cases are about are told of them.
    async fn tell(&self, cases: &mut [Case]) -> Result<(), DbError> {
        if cases.is_empty() {
            return Ok(());
        }
        let people = cases.iter().flat_map(|case| {
            [Some(case.opened_by), case.approved.map(|by| by.0), case.closed.map(|by| by.0)].into_iter().flatten()
        });
        let names = audit::store::names(&self.db, people).await?;
        let looks = store::looks(&self.db, cases).await?;
        let name = |id: AccountId| names.get(&id).cloned();
        for case in cases {
            case.told = Told {
                opened_by: name(case.opened_by),
                approved_by: case.approved.and_then(|by| name(by.0)),
                closed_by: case.closed.and_then(|by| name(by.0)),
                looks: looks.iter().find(|(id, _)| *id == case.id).map_or(0, |(_, looks)| *looks),
            }
            .into();
        }
        Ok(())
    }

    async fn log(&self, tx: &mut Tx, kind: EventKind, case: &Case, by: &Viewer) -> Result<(), DbError> {
        let event = Event::new(kind, case.person, by).of_case(case.id).with(store::written(case.categories));
        self.audit.append(tx, &[event]).await
    }
}
