//! What a request has looked at, kept until it is written to the access log.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    CategorySet, Relation,
    standing::{Circumstances, Inner},
};
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
    /// In which course she was looked at; what is of a person as a whole stands with the only one, if there was one.
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
        let mut read: BTreeMap<Circumstances, CategorySet> = BTreeMap::new();
        for standing in watched.iter() {
            for (look, category) in standing.take_looks() {
                let categories = read.entry(look).or_default();
                *categories = categories.with(category);
            }
        }
        join_wholes(&mut read);
        read.into_iter()
            .map(|((person, relation, course, case), categories)| Look { person, categories, relation, course, case })
            .collect()
    }
}

/// Puts what was looked at of a person as a whole, such as her name in the list of a class, to what was looked at in a course, where
/// that was one course: it says more, and a class is half as many rows.
fn join_wholes(read: &mut BTreeMap<Circumstances, CategorySet>) {
    let wholes: Vec<_> = read.keys().copied().filter(|(.., course, _)| course.is_none()).collect();
    for whole in wholes {
        let (person, relation, _, case) = whole;
        let mut in_courses = read
            .range((Excluded(whole), Unbounded))
            .map(|(key, _)| *key)
            .take_while(|key| (key.0, key.1) == (person, relation))
            .filter(|(.., course, under)| course.is_some() && *under == case);
        let (Some(in_course), None) = (in_courses.next(), in_courses.next()) else { continue };
        if let Some(categories) = read.remove(&whole) {
            read.entry(in_course).and_modify(|of| *of = of.or(categories));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Category::{Contact, Identity, LearningRecord};

    #[test]
    fn what_is_of_a_person_as_a_whole_stands_with_the_one_course_in_which_she_was_looked_at() {
        let id = uuid::Uuid::from_u128;
        let person = |of| AccountId(id(of));
        let (soil, water) = (Some(CourseId(id(1))), Some(CourseId(id(2))));
        let case = Some(CaseId(id(9)));
        let (staff, holder) = (Relation::Staff, Relation::CaseHolder);
        let both = CategorySet::only(Identity).with(Contact);
        let record = CategorySet::only(LearningRecord);
        let mut read = BTreeMap::from([
            ((person(1), staff, None, None), both),
            ((person(1), staff, soil, None), record),
            // In two courses: who knows for which.
            ((person(2), staff, None, None), both),
            ((person(2), staff, soil, None), record),
            ((person(2), staff, water, None), record),
            // In another relation, and under a case.
            ((person(3), staff, None, None), both),
            ((person(3), Relation::FormerStaff, soil, None), record),
            ((person(4), holder, None, case), both),
            ((person(4), holder, soil, None), record),
            ((person(4), holder, water, case), record),
        ]);
        join_wholes(&mut read);
        let all = record.or(both);
        let joined = BTreeMap::from([
            ((person(1), staff, soil, None), all),
            ((person(2), staff, None, None), both),
            ((person(2), staff, soil, None), record),
            ((person(2), staff, water, None), record),
            ((person(3), staff, None, None), both),
            ((person(3), Relation::FormerStaff, soil, None), record),
            ((person(4), holder, soil, None), record),
            ((person(4), holder, water, case), all),
        ]);
        assert_eq!(read, joined);
    }
}
