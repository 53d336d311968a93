//! What a request has looked at, kept until it is written to the access log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{CategorySet, Relation, standing::Inner};
use crate::ids::{AccountId, CaseId, CourseId};

/// A look at somebody's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// At whose.
    pub person: AccountId,
    /// Of which kinds.
    pub categories: CategorySet,
    /// In which relation to her.
    pub relation: Relation,
    /// In which course, for what is of one course.
    pub course: Option<CourseId>,
    /// Under which case.
    pub case: Option<CaseId>,
}

/// What a request has looked at so far. Each person's [`Standing`](super::Standing) notes here what was opened of her.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Vec<Arc<Inner>>>>);

impl Ledger {
    pub(super) fn watch(&self, standing: Arc<Inner>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(standing);
    }

    /// The looks since the last time, in order: one for each person, relation, course and case.
    pub fn take(&self) -> Vec<Look> {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read: BTreeMap<_, CategorySet> = BTreeMap::new();
        for standing in watched.iter() {
            for (look, category) in standing.take_looks() {
                let categories = read.entry(look).or_default();
                *categories = categories.with(category);
            }
        }
        read.into_iter()
            .map(|((person, relation, course, case), categories)| Look { person, categories, relation, course, case })
            .collect()
    }
}
