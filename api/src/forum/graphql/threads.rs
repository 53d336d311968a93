//! Threads.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{ForumCategory, POSTS, Post, THREADS, posts, reader, user_error};
use crate::{
    access::{
        self, InCourse, Shown, Standing, THREAD_TITLE, THREAD_UNREAD_COUNT, THREAD_VIEWER_READ_UP_TO, TokenScope,
        graphql::About,
    },
    accounts::graphql::Person,
    courses::graphql::Course,
    db::page::{Page, TimeKey},
    forum::{
        Refusal,
        model::{self, NewThread},
        moderation::categories::NotHere,
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{CourseId, ThreadId},
};

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::ThreadKind")]
pub(crate) enum ThreadKind {
    /// To talk.
    Discussion,
    /// To get an answer.
    Question,
}

/// A page of threads.
pub(crate) fn pages_of(
    scope: &Scope,
    page: &Page<Arc<model::Thread>>,
    standing: &Standing<InCourse>,
) -> Result<Pages<Thread>, Fault> {
    let key = |row: &Arc<model::Thread>| -> TimeKey { (row.created_at.0, row.id.0) };
    connection(scope, THREADS, page, key, |row| Thread { row: Arc::clone(row), standing: standing.clone() })
}
/// A thread of a course's forum.
pub(crate) struct Thread {
    pub(super) row: Arc<model::Thread>,
    pub(super) standing: Standing<InCourse>,
}

impl Thread {
    /// The thread, if the viewer may read the course's forum.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: ThreadId) -> Result<Option<Self>, Fault> {
        let Some(standing) = reader(scope, course).await? else { return Ok(None) };
        Ok(scope.load().threads.get((course, id)).await?.map(|row| Self { row, standing }))
    }
}

/// A thread of a course's forum.
#[Object]
impl Thread {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Thread(self.row.course_id, self.row.id).encode()
    }

    #[graphql(flatten)]
    async fn moderation(&self) -> super::moderation::ThreadModeration {
        super::moderation::ThreadModeration { row: Arc::clone(&self.row), standing: self.standing.clone() }
    }

    /// What it is about.
    #[graphql(directive = About::apply(&THREAD_TITLE))]
    async fn title(&self) -> Shown<String> {
        access::show(&THREAD_TITLE, &self.standing, &self.row.title)
    }

    /// What it is for.
    async fn kind(&self) -> ThreadKind {
        self.row.kind.into()
    }

    /// When it was begun.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// How many posts it has, the first included.
    async fn post_count(&self) -> i32 {
        int(self.row.post_count)
    }

    /// How many posts of others in it you have not read; 100 for that many and more.
    #[graphql(directive = About::apply(&THREAD_UNREAD_COUNT))]
    async fn unread_count(&self, ctx: &Context<'_>) -> Shown<i32> {
        self.show_unread_count(scope(ctx)).await
    }

    /// When the last post was written that you have read; null also if you have read none.
    #[graphql(directive = About::apply(&THREAD_VIEWER_READ_UP_TO))]
    async fn viewer_read_up_to(&self, ctx: &Context<'_>) -> Shown<Option<DateTime>> {
        self.show_read_up_to(scope(ctx)).await
    }

    /// Who began it.
    async fn author(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.row.author_id).await.transpose()
    }

    /// The course it belongs to.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.row.course_id).await.transpose()
    }

    /// The category it is in.
    async fn category(&self, ctx: &Context<'_>) -> Option<Result<ForumCategory, Fault>> {
        ForumCategory::find(scope(ctx), self.row.course_id, self.row.category_id).await.transpose()
    }

    /// Its posts, the oldest first: the first one opens it, and answers stand among the others.
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Result<Pages<Post>, Fault> {
        let request = Paging { first, after, last, before }.request(scope(ctx), POSTS)?;
        let page = scope(ctx).load().posts_of_thread.get(((self.row.course_id, self.row.id), request)).await?;
        posts::pages_of(scope(ctx), POSTS, &page, &self.standing)
    }
}

/// A thread to be begun.
#[derive(Debug, InputObject)]
pub(crate) struct CreateThreadInput {
    /// The global id of the category; the forum's first one if left out.
    category_id: Option<ID>,
    /// What it is for.
    #[graphql(default_with = "ThreadKind::Discussion")]
    kind: ThreadKind,
    /// What it is about, 1 to 300 characters.
    title: String,
    /// The first post, in Markdown, 1 to 50,000 characters.
    body: String,
}

/// What became of `createThread`.
#[derive(SimpleObject)]
pub(crate) struct CreateThreadPayload {
    /// The thread; null if there were errors.
    thread: Option<Thread>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Beginning threads.
#[derive(Default)]
pub(crate) struct ThreadMutation;

/// Beginning threads.
#[Object]
impl ThreadMutation {
    /// Begins a thread in the forum of a course that you take or teach.
    async fn create_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
        #[graphql(desc = "The thread.")] input: CreateThreadInput,
    ) -> Result<CreateThreadPayload, Fault> {
        let scope = scope(ctx);
        let (author, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&course_id)?);
        let refused = |refusal| CreateThreadPayload { thread: None, user_errors: vec![user_error(refusal)] };
        let Some(standing) = reader(scope, course).await? else { return Ok(refused(Refusal::NoSuchForum)) };
        let category_id = match input.category_id.as_ref().map(node::category_id).transpose()? {
            Some((of, _)) if of != course => return Ok(refused(Refusal::NotHere(NotHere::NoSuch))),
            category => category.map(|(_, category)| category),
        };
        let is_staff = scope.load().viewpoint.known().await?.teaches(course);
        let new = NewThread { category_id, kind: input.kind.into(), is_staff, title: input.title, body: input.body };
        Ok(match scope.app.forum.create_thread(author, course, new).await? {
            Err(refusal) => refused(refusal),
            Ok(thread) => {
                scope.forget();
                CreateThreadPayload {
                    thread: Some(Thread { row: Arc::new(thread), standing }),
                    user_errors: Vec::new(),
                }
            }
        })
    }
}
