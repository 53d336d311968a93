//! What a viewer is to a person, decided once, and asked for each field.

use std::{
    fmt,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{Category, CategorySet, Ledger, Relation, RelationSet, is_allow_all, is_unlogged};
use crate::{
    ids::{AccountId, CaseId, CourseId},
    time::Timestamp,
};

/// Of what a value speaks: of a person as a whole ([`Anywhere`]), or of her in one course ([`InCourse`]).
pub trait Place: Send + Sync + 'static {}

/// A person as a whole.
#[derive(Clone, Copy, Debug)]
pub enum Anywhere {}
/// In one course.
#[derive(Clone, Copy, Debug)]
pub enum InCourse {}

impl Place for Anywhere {}
impl Place for InCourse {}

/// A case that is open, as far as the policy needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// The case.
    pub id: CaseId,
    /// What it opens.
    pub categories: CategorySet,
}

/// What the policy must know of an enrolment to say what the course's staff may see of it. It shows to nobody.
#[derive(Clone, Copy)]
pub struct Tenure {
    left_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl Tenure {
    /// When the learner left, and when she completed the course; `None` for not yet.
    pub(crate) const fn new(left_at: Option<Timestamp>, completed_at: Option<Timestamp>) -> Self {
        Self { left_at, completed_at }
    }

    /// Whether she is in the course still.
    pub(crate) const fn lasts(self) -> bool {
        self.left_at.is_none()
    }

    /// What the staff of the course are to her; nothing any more if it ended before `kept_since`.
    pub(crate) fn to_staff(self, kept_since: Timestamp) -> Option<Relation> {
        let is_kept = |ended: Option<Timestamp>| ended.is_none_or(|ended| ended > kept_since);
        let relation = if self.lasts() { Relation::Staff } else { Relation::FormerStaff };
        (is_kept(self.left_at) && is_kept(self.completed_at)).then_some(relation)
    }
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<tenure>")
    }
}

/// What is known of viewer and person, from which a [`Standing`] is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) person: Option<AccountId>,
    pub(crate) course: Option<CourseId>,
    pub(crate) relations: RelationSet,
    pub(crate) case: Option<OpenCase>,
    /// Relations that the viewer would have with another credential: what her token's scopes leave out, or
    /// what waits for a second factor.
    pub(crate) withheld: RelationSet,
    pub(crate) withheld_for: Option<Withheld>,
    pub(crate) signed_in: bool,
}

/// Why a relation that a viewer has does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// The token was not made for it.
    Scope,
    /// The role needs a second factor.
    TwoFactor,
}

/// What a viewer is to a person at a [`Place`]: decided once, when it is made, then asked for each field.
/// Made by the loaders of relations only.
pub struct Standing<P> {
    inner: Arc<Inner>,
    place: PhantomData<fn() -> P>,
}

#[derive(Debug)]
pub(super) struct Inner {
    facts: Facts,
    shown: CategorySet,
    logged: CategorySet,
    read: AtomicU32,
}

impl<P: Place> Standing<P> {
    /// Decides. What is looked at is noted in the ledger.
    pub(crate) fn new(facts: Facts, ledger: &Ledger) -> Self {
        let (mut shown, mut logged) = (CategorySet::NONE, CategorySet::NONE);
        // Closest first: a category is seen, and logged, as what the closest relation that sees it says.
        for relation in facts.relations.iter() {
            let new = facts.seen_as(relation).without(shown);
            shown = shown.or(new);
            logged = logged.or(new.and(relation.logged()));
        }
        if is_allow_all() {
            shown = Category::ALL.iter().copied().collect();
        }
        if facts.person.is_none() || is_unlogged() {
            logged = CategorySet::NONE;
        }
        let inner = Arc::new(Inner { facts, shown, logged, read: AtomicU32::new(0) });
        if !logged.is_empty() {
            ledger.watch(Arc::clone(&inner));
        }
        Self { inner, place: PhantomData }
    }

    /// Somebody who is nothing to anybody.
    pub(crate) fn stranger() -> Self {
        Self::new(Facts::default(), &Ledger::default())
    }

    /// Of whoever gives commands on the server's machine to a person.
    pub(crate) fn operator(person: AccountId, ledger: &Ledger) -> Self {
        let relations = RelationSet::only(Relation::Operator);
        Self::new(Facts { person: Some(person), relations, signed_in: true, ..Facts::default() }, ledger)
    }

    /// Whether values of the category may be seen; asking leaves no trace.
    pub(crate) fn shows(&self, category: Category) -> bool {
        self.inner.shown.has(category)
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.inner.facts
    }

    /// As what a category is seen; the relation that counts is the closest one that may.
    pub(crate) fn as_what(&self, category: Category) -> Relation {
        self.inner.facts.as_what(category)
    }

    /// Whether values of the category may be seen, where to know that there are any is a look at them.
    pub(crate) fn looks_at(&self, category: Category) -> bool {
        let shown = self.shows(category);
        if shown {
            self.note(category);
        }
        shown
    }

    /// Notes that a category is being looked at.
    fn note(&self, category: Category) {
        let bit = CategorySet::only(category).bits();
        if self.inner.logged.bits() & bit != 0 && self.inner.read.load(Ordering::Relaxed) & bit == 0 {
            self.inner.read.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl Facts {
    /// What is seen in a relation that the viewer has.
    fn seen_as(&self, relation: Relation) -> CategorySet {
        match (relation, self.case) {
            (Relation::CaseHolder, None) => CategorySet::only(Category::Identity),
            (Relation::CaseHolder, Some(case)) => relation.sees().and(case.categories.with(Category::Identity)),
            _ => relation.sees(),
        }
    }

    fn as_what(&self, category: Category) -> Relation {
        self.relations.iter().find(|relation| self.seen_as(*relation).has(category)).unwrap_or(Relation::Stranger)
    }
}

/// Whose data, in which relation, in which course, under which case.
pub(super) type Circumstances = (AccountId, Relation, Option<CourseId>, Option<CaseId>);

impl Inner {
    pub(super) fn take_looks(&self) -> impl Iterator<Item = (Circumstances, Category)> {
        let read = CategorySet::from_bits(self.read.swap(0, Ordering::Relaxed));
        self.facts.person.into_iter().flat_map(move |person| {
            read.iter().map(move |category| {
                let relation = self.facts.as_what(category);
                let case = self.facts.case.filter(|_| relation == Relation::CaseHolder).map(|case| case.id);
                ((person, relation, self.facts.course, case), category)
            })
        })
    }
}

impl<P> Clone for Standing<P> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), place: PhantomData }
    }
}

impl<P> fmt::Debug for Standing<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.facts.fmt(f)
    }
}
