//! What the viewer has read, in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{Forum, Thread, reader};
use crate::{
    access::{
        self, Anywhere, FORUM_UNREAD_THREADS, Permit, Shown, Standing, THREAD_UNREAD_COUNT, THREAD_VIEWER_READ_UP_TO,
        TokenScope, tags,
    },
    courses::graphql::Course,
    forum::reading::{
        ReadRefusal,
        model::{ReadState, UnreadThread},
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::AccountId,
};

/// The name of the list for cursors.
const UNREAD: &str = "unread threads";

/// The viewer, and what she is to herself.
async fn oneself(scope: &Scope) -> Result<(Option<AccountId>, Standing<Anywhere>), Fault> {
    Ok(match scope.viewer.id() {
        Some(viewer) => (Some(viewer), scope.load().relations.get(viewer).await?.0),
        None => (None, Standing::stranger()),
    })
}

impl Thread {
    async fn read_state(&self, scope: &Scope, viewer: Option<AccountId>) -> Result<ReadState, Fault> {
        let Some(viewer) = viewer else { return Ok(ReadState::default()) };
        Ok(scope.load().read_states.get((viewer, self.row.course_id, self.row.id)).await?)
    }

    pub(super) async fn show_unread_count(&self, scope: &Scope) -> Shown<i32> {
        let (viewer, standing) = match oneself(scope).await {
            Ok(oneself) => oneself,
            Err(fault) => return Shown::Failed(fault),
        };
        match access::permit(&THREAD_UNREAD_COUNT, &standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_state(scope, viewer).await.map(|state| int(*state.unread.open(permit))).into(),
        }
    }

    pub(super) async fn show_read_up_to(&self, scope: &Scope) -> Shown<Option<DateTime>> {
        let (viewer, standing) = match oneself(scope).await {
            Ok(oneself) => oneself,
            Err(fault) => return Shown::Failed(fault),
        };
        match access::permit(&THREAD_VIEWER_READ_UP_TO, &standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => {
                let state = self.read_state(scope, viewer).await;
                state.map(|state| state.read_up_to.open(permit).map(DateTime::from)).into()
            }
        }
    }
}

impl Forum {
    pub(super) async fn show_unread_threads(&self, scope: &Scope, paging: &Paging) -> Shown<Pages<Thread>> {
        let (viewer, standing) = match oneself(scope).await {
            Ok(oneself) => oneself,
            Err(fault) => return Shown::Failed(fault),
        };
        match access::permit(&FORUM_UNREAD_THREADS, &standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_unread_threads(scope, viewer, paging, permit).await.into(),
        }
    }

    async fn read_unread_threads(
        &self,
        scope: &Scope,
        viewer: Option<AccountId>,
        paging: &Paging,
        _permit: Permit<tags::Interaction>,
    ) -> Result<Pages<Thread>, Fault> {
        let viewer = viewer.ok_or_else(Fault::unauthenticated)?;
        let request = paging.request(scope, UNREAD)?;
        let course = self.course_id;
        let page = scope.load().unread_pages.get(((viewer, course), request)).await?;
        // What she has read of them was found with them.
        let state = |unread: &UnreadThread| ((viewer, course, unread.thread.id), unread.state.clone());
        scope.load().read_states.prime(page.items.iter().map(state).collect()).await;
        connection(scope, UNREAD, &page, UnreadThread::key, |unread| Thread {
            row: Arc::clone(&unread.thread),
            standing: self.standing.clone(),
        })
    }
}

/// Up to where a thread is read.
#[derive(Debug, InputObject)]
pub(crate) struct MarkThreadReadInput {
    /// The global id of the thread.
    thread_id: ID,
    /// The global id of the last post that you have read; left out, it is the thread's last.
    up_to: Option<ID>,
}

/// Of which course the forum is read.
#[derive(Debug, InputObject)]
pub(crate) struct MarkForumReadInput {
    /// The global id of the course.
    course_id: ID,
}

/// What became of `markThreadRead`.
#[derive(SimpleObject)]
pub(crate) struct MarkThreadReadPayload {
    /// The thread; null if there were errors.
    thread: Option<Thread>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `markForumRead`.
#[derive(SimpleObject)]
pub(crate) struct MarkForumReadPayload {
    /// The course; null if there were errors.
    course: Option<Course>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: ReadRefusal) -> UserError {
    let path: &[&str] = match refusal {
        ReadRefusal::NoSuchThread => &["input", "threadId"],
        ReadRefusal::NoSuchPost => &["input", "upTo"],
        ReadRefusal::NoSuchForum => &["input", "courseId"],
    };
    UserError::new(UserErrorCode::NotFound, path, &refusal)
}

/// What you have read in forums.
#[derive(Default)]
pub(crate) struct ReadingMutation;

/// What you have read in forums.
#[async_graphql::Object]
impl ReadingMutation {
    /// Notes that you have read a thread up to a post. Doing it again, or with an earlier post, changes nothing.
    async fn mark_thread_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which thread, and up to where.")] input: MarkThreadReadInput,
    ) -> Result<MarkThreadReadPayload, Fault> {
        let scope = scope(ctx);
        let viewer = scope.account_for(TokenScope::Write)?;
        let (course, id) = node::thread_id(&input.thread_id)?;
        let refused = |refusal| MarkThreadReadPayload { thread: None, user_errors: vec![user_error(refusal)] };
        let Some(thread) = Thread::find(scope, course, id).await? else {
            return Ok(refused(ReadRefusal::NoSuchThread));
        };
        let up_to = match input.up_to.as_ref().map(node::post_id).transpose()? {
            Some((of, _)) if of != course => return Ok(refused(ReadRefusal::NoSuchPost)),
            post => post.map(|(_, post)| post),
        };
        if let Err(refusal) = scope.app.forum.mark_thread_read(viewer, (course, id), up_to).await? {
            return Ok(refused(refusal));
        }
        scope.forget();
        Ok(MarkThreadReadPayload { thread: Some(thread), user_errors: Vec::new() })
    }

    /// Notes that you have read all there is now in the forum of a course.
    async fn mark_forum_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which course.")] input: MarkForumReadInput,
    ) -> Result<MarkForumReadPayload, Fault> {
        let scope = scope(ctx);
        let viewer = scope.account_for(TokenScope::Write)?;
        let course = node::course_id(&input.course_id)?;
        if reader(scope, course).await?.is_none() {
            let user_errors = vec![user_error(ReadRefusal::NoSuchForum)];
            return Ok(MarkForumReadPayload { course: None, user_errors });
        }
        scope.app.forum.mark_forum_read(viewer, course).await?;
        scope.forget();
        Ok(MarkForumReadPayload { course: Course::find(scope, course).await?, user_errors: Vec::new() })
    }
}
