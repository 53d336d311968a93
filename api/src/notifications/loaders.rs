//! What somebody follows, in batches.

use std::collections::HashMap;

use super::store::follows;
use crate::{
    batch::Fetch,
    db::{Db, DbError},
    ids::{AccountId, CourseId, ThreadId},
};

/// Whether a person follows a thread.
pub(crate) struct ThreadFollows(pub(crate) Db);

impl Fetch for ThreadFollows {
    type Key = (AccountId, CourseId, ThreadId);
    type Value = bool;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, bool>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (person, keys) in by_person(keys.iter().map(|(person, course, thread)| (*person, (*course, *thread)))) {
            for (course, thread) in follows::followed(&self.0, &keys, person).await? {
                found.insert((person, course, thread), true);
            }
        }
        Ok(found)
    }
}

/// Whether a person follows all threads of a course.
pub(crate) struct ForumFollows(pub(crate) Db);

impl Fetch for ForumFollows {
    type Key = (AccountId, CourseId);
    type Value = bool;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, bool>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (person, courses) in by_person(keys.iter().copied()) {
            for course in follows::followed_forums(&self.0, &courses, person).await? {
                found.insert((person, course), true);
            }
        }
        Ok(found)
    }
}

/// What is asked, by for whom: in one request that is one person.
fn by_person<T>(keys: impl Iterator<Item = (AccountId, T)>) -> HashMap<AccountId, Vec<T>> {
    let mut people: HashMap<_, Vec<T>> = HashMap::new();
    for (person, key) in keys {
        people.entry(person).or_default().push(key);
    }
    people
}
