//! What is read of threads, in batches.

use std::collections::HashMap;

use super::model::{MAX_UNREAD, ReadState};
use crate::{
    batch::{Fetch, grouped},
    db::{Db, DbError},
    ids::{AccountId, CourseId, ThreadId},
};

/// What people have read of threads.
pub(crate) struct ReadStates(pub(crate) Db);

impl Fetch for ReadStates {
    type Key = (AccountId, CourseId, ThreadId);
    type Value = ReadState;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, ReadState>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        // In a request there is one reader: the viewer.
        for (reader, threads) in grouped(keys.iter().map(|(reader, course, thread)| (*reader, (*course, *thread)))) {
            for ((course, thread), (mark, unread)) in super::states(&self.0, reader, &threads).await? {
                let state =
                    ReadState { read_up_to: mark.map(|mark| mark.at).into(), unread: unread.min(MAX_UNREAD).into() };
                found.insert((reader, course, thread), state);
            }
        }
        Ok(found)
    }
}
