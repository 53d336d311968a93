//! What is read of threads, in batches.

use std::{collections::HashMap, sync::Arc};

use super::model::{ReadState, UnreadThread};
use crate::{
    batch::{Fetch, by_request, grouped, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    forum::Forum,
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
                found.insert((reader, course, thread), ReadState::new(mark.map(|mark| mark.at), unread));
            }
        }
        Ok(found)
    }
}

/// The threads of forums in which there is something that people have not read, the one with the latest post first.
pub(crate) struct UnreadPages(pub(crate) Forum);

impl Fetch for UnreadPages {
    type Key = ((AccountId, CourseId), PageRequest<TimeKey>);
    type Value = Arc<Page<UnreadThread>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, forums) in by_request(keys) {
            let mut rows = Vec::new();
            for (reader, courses) in grouped(forums.iter().copied()) {
                let threads = self.0.unread_threads(reader, &courses, &request).await?;
                rows.extend(threads.into_iter().map(|(course, thread)| ((reader, course), thread)));
            }
            found.extend(pages(&request, forums, rows));
        }
        Ok(found)
    }
}
