//! Conversations by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    model::{Conversation, MAX_UNREAD, Member, Message, Status},
    store::{self, Key},
};
use crate::{
    batch::{Fetch, by_request, grouped, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, ConversationId, CourseId, MessageId},
};

/// Conversations by course and id.
pub(crate) struct Conversations(pub(crate) Db);

impl Fetch for Conversations {
    type Key = Key;
    type Value = Option<Arc<Conversation>>;

    async fn fetch(&self, keys: &[Key]) -> Result<HashMap<Key, Self::Value>, DbError> {
        let found = store::conversations(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Who takes part in conversations.
pub(crate) struct Members(pub(crate) Db);

impl Fetch for Members {
    type Key = Key;
    type Value = Arc<Vec<Member>>;

    async fn fetch(&self, keys: &[Key]) -> Result<HashMap<Key, Self::Value>, DbError> {
        Ok(grouped(store::members(&self.0, keys).await?))
    }
}

/// Messages by course and id.
pub(crate) struct Messages(pub(crate) Db);

impl Fetch for Messages {
    type Key = (CourseId, MessageId);
    type Value = Option<Arc<Message>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::messages(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Somebody's look at a conversation.
type View = (AccountId, CourseId, ConversationId);

/// Pages of the messages that people see in conversations.
pub(crate) struct MessagesOfConversation(pub(crate) Db);

impl Fetch for MessagesOfConversation {
    type Key = (View, PageRequest<TimeKey>);
    type Value = Arc<Page<Arc<Message>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, views) in by_request(keys) {
            // In a request there is one who looks: the viewer.
            for (person, conversations) in grouped(views.into_iter().map(|(person, course, id)| (person, (course, id))))
            {
                let rows = store::message_pages(&self.0, person, &conversations, &request).await?;
                let rows = rows.into_iter().map(|row| ((person, row.course_id, row.conversation_id), Arc::new(row)));
                let views = conversations.iter().map(|(course, id)| (person, *course, *id)).collect();
                found.extend(pages(&request, views, rows));
            }
        }
        Ok(found)
    }
}

/// How conversations stand for people.
pub(crate) struct StatusOf(pub(crate) Db);

impl Fetch for StatusOf {
    type Key = View;
    type Value = Status;

    async fn fetch(&self, keys: &[View]) -> Result<HashMap<View, Status>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (person, conversations) in grouped(keys.iter().map(|(person, course, id)| (*person, (*course, *id)))) {
            let states = store::states(&self.0, person, &conversations).await?;
            let counts = store::count_beyond(&self.0, person, &states).await?;
            let counts: HashMap<_, _> = counts.into_iter().map(|(course, id, unread)| ((course, id), unread)).collect();
            for ((course, id), state) in states {
                let unread = counts.get(&(course, id)).copied().unwrap_or(0).min(MAX_UNREAD);
                let muted = state.muted_at.is_some().into();
                found.insert((person, course, id), Status { unread: unread.into(), muted });
            }
        }
        Ok(found)
    }
}
