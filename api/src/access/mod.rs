//! Who may see what. The one place that decides.
//!
//! Data about a person has a [`Category`]. Whoever looks stands in [`Relation`]s to that person; the table
//! ([`may_see`]) says which relation sees which category. What a viewer is to a person is found in batches,
//! once, and kept as a [`Standing`], which knows the answer for every category. Values about people are
//! [`Personal`], which nothing opens but [`show`] and [`Permit`]s made here; what comes out is [`Shown`],
//! which GraphQL resolves to the value, or to `null` with the reason noted once. Every look at another
//! person's data is noted in the request's [`Ledger`] by the same call, and written to the access log before
//! the answer leaves.
//!
//! Categories belong to a [`Place`]: what is of one course ([`InCourse`]: progress, time, grades) can't be shown
//! by what the viewer is to the person elsewhere ([`Anywhere`]). The compiler keeps that.
//!
//! Invariant: a relation is found before the values are read, in batches, and the same way from every
//! path (see `accounts::loaders::Relations`), so that a learner shows the same fields however she is reached.

use crate::{db::stored_enum, time::Timestamp};

mod document;
mod fields;
pub mod graphql;
mod ledger;
mod modes;
mod personal;
mod standing;
mod table;
mod viewer;

pub use document::document;
pub(crate) use fields::*;
pub use fields::{CLOSER, FIELDS, Field};
pub use graphql::{Redactions, Shown};
pub use ledger::{Ledger, Look};
pub use personal::{Permit, Personal, Tag, tags};
pub use standing::{Anywhere, InCourse, OpenCase, Place, Standing, Tenure};
pub(crate) use standing::{Facts, Withheld};
pub use table::{Category, CategorySet, Relation, RelationSet, audience, case_categories, is_logged, may_see};
pub use viewer::{Client, Credential, TokenScope, Viewer};

/// What an installation decides about the policy; the table is the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// For how long the staff of a course keep what grading needs of a learner who has left it, and all of the record
    /// of one who has completed it, in days.
    pub keep_days: u32,
    /// The roles that count only with a second factor.
    pub two_factor_for: RelationSet,
    /// The smallest number of learners that a sum may speak of.
    pub smallest_group: u32,
    /// Whether a case needs the approval of a second person.
    pub cases_need_approval: bool,
    /// The longest that a case may be open, in hours.
    pub longest_case_hours: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            keep_days: 365,
            two_factor_for: RelationSet::NONE,
            smallest_group: 10,
            cases_need_approval: false,
            longest_case_hours: 72,
        }
    }
}

impl Rules {
    /// What ended before this instant is no longer for the staff of a course.
    pub(crate) fn kept_since(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0 - i64::from(self.keep_days) * 86_400_000_000)
    }
}

stored_enum! {
    /// Why a field may not be seen.
    pub enum Reason {
        /// Nobody has signed in.
        NotSignedIn = "NOT_SIGNED_IN",
        /// The viewer is none of those who may see it.
        NotInAudience = "NOT_IN_AUDIENCE",
        /// It needs an open case that names its category.
        CaseNeeded = "CASE_NEEDED",
        /// The learner has left the course.
        EnrolmentEnded = "ENROLMENT_ENDED",
        /// The token was not made for seeing other people.
        ScopeNeeded = "SCOPE_NEEDED",
        /// The viewer's role counts only with a second factor.
        TwoFactorNeeded = "TWO_FACTOR_NEEDED",
    }
}

/// A field that the viewer may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// The GraphQL type.
    pub type_name: &'static str,
    /// The GraphQL field.
    pub name: &'static str,
    /// What kind of data it is.
    pub category: Category,
    /// Why.
    pub reason: Reason,
}

impl Denied {
    fn new<P: Place>(type_name: &'static str, name: &'static str, category: Category, standing: &Standing<P>) -> Self {
        let facts = standing.facts();
        let would = |relations: RelationSet| relations.iter().any(|relation| may_see(relation, category));
        let reason = match facts.withheld_for {
            Some(Withheld::Scope) if would(facts.withheld) => Reason::ScopeNeeded,
            Some(Withheld::TwoFactor) if would(facts.withheld) => Reason::TwoFactorNeeded,
            _ if !facts.signed_in => Reason::NotSignedIn,
            _ if facts.relations.has(Relation::FormerStaff) && may_see(Relation::Staff, category) => {
                Reason::EnrolmentEnded
            }
            _ if (facts.relations.has(Relation::Support) || facts.relations.has(Relation::Administrator))
                && may_see(Relation::CaseHolder, category) =>
            {
                Reason::CaseNeeded
            }
            _ => Reason::NotInAudience,
        };
        Self { type_name, name, category, reason }
    }

    /// What would be needed to see the field, for people.
    pub fn needed(&self) -> String {
        let audience: Vec<_> = audience(self.category)
            .into_iter()
            .map(|relation| relation.as_str().replace('_', " ").to_lowercase())
            .collect();
        match self.reason {
            Reason::NotSignedIn => format!("to sign in, as one of: {}", audience.join(", ")),
            Reason::NotInAudience => format!("to be one of: {}", audience.join(", ")),
            Reason::CaseNeeded => format!("an open case about this person that names {}", self.category.as_str()),
            Reason::EnrolmentEnded => "a learner who is still in the course".to_owned(),
            Reason::ScopeNeeded => "a token with the scope READ for what is yours, PEOPLE for others".to_owned(),
            Reason::TwoFactorNeeded => "to sign in with a second factor".to_owned(),
        }
    }
}

/// Asks to see a field of somebody, and notes the look. The permit opens the [`Personal`] values of the field's
/// category.
pub fn permit<C: Tag>(field: &'static Field<C>, standing: &Standing<C::Place>) -> Result<Permit<C>, Denied> {
    if standing.looks_at(C::CATEGORY) {
        Ok(Permit::granted())
    } else {
        Err(Denied::new(field.type_name, field.name, C::CATEGORY, standing))
    }
}

/// Shows one value, or says that it may not be seen.
pub fn show<C: Tag, T: Clone>(
    field: &'static Field<C>,
    standing: &Standing<C::Place>,
    value: &Personal<C, T>,
) -> Shown<T> {
    match permit(field, standing) {
        Ok(permit) => Shown::Visible(value.open(permit).clone()),
        Err(denied) => Shown::Denied(denied),
    }
}

/// Whether a field of somebody would be shown, and as what the viewer would see it; or why not. No value is read by it.
pub(crate) fn preview<P: Place>(
    (type_name, name, category): (&'static str, &'static str, Category),
    standing: &Standing<P>,
) -> Result<Relation, Denied> {
    if standing.shows(category) {
        Ok(standing.as_what(category))
    } else {
        Err(Denied::new(type_name, name, category, standing))
    }
}

#[cfg(feature = "modes")]
pub use modes::{Mode, set_mode};
pub(crate) use modes::{is_allow_all, is_unlogged};
