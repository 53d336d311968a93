//! The forum in the graph.

pub(crate) mod reading;
pub(crate) mod search;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    Refusal,
    model::{self, NewPost, NewThread},
};
use crate::{
    access::{
        self, COURSE_FORUM, FORUM_UNREAD_THREADS, InCourse, POST_BODY, Shown, Standing, THREAD_TITLE,
        THREAD_UNREAD_COUNT, THREAD_VIEWER_READ_UP_TO, TokenScope, graphql::About, permit,
    },
    accounts::graphql::Person,
    courses::graphql::Course,
    db::page::TimeKey,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{CategoryId, CourseId, PostId, ThreadId},
};

/// The names of the lists for cursors.
const THREADS: &str = "threads";
const POSTS: &str = "posts";
const REPLIES: &str = "replies";

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::ThreadKind")]
pub(crate) enum ThreadKind {
    /// To talk.
    Discussion,
    /// To get an answer.
    Question,
}

/// What the viewer is to those who write in a course's forum, if she may read it at all.
async fn reader(scope: &Scope, course: CourseId) -> Result<Option<Standing<InCourse>>, Fault> {
    let Some(course) = Course::find(scope, course).await? else { return Ok(None) };
    let standing = course.standing(scope).await?;
    Ok(permit(&COURSE_FORUM, &standing).is_ok().then_some(standing))
}

/// The forum of a course.
pub(crate) struct Forum {
    course_id: CourseId,
    standing: Standing<InCourse>,
}

impl Forum {
    /// As somebody with this standing to its writers sees it.
    pub(crate) fn new(course_id: CourseId, standing: Standing<InCourse>) -> Self {
        Self { course_id, standing }
    }
}

/// The forum of a course.
#[Object]
impl Forum {
    /// Its categories, in order.
    async fn categories(&self, ctx: &Context<'_>) -> Result<Vec<ForumCategory>, Fault> {
        let found = scope(ctx).load().categories_of_course.get(self.course_id).await?;
        Ok(found.iter().map(|row| ForumCategory { row: Arc::clone(row), standing: self.standing.clone() }).collect())
    }

    /// Its threads, the latest first.
    async fn threads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Result<Pages<Thread>, Fault> {
        let request = Paging { first, after, last, before }.request(scope(ctx), THREADS)?;
        let page = scope(ctx).load().threads_of_course.get((self.course_id, request)).await?;
        threads(scope(ctx), &page, &self.standing)
    }

    /// What is found in it: titles first, then posts, the newest of each first. All words must be in the title, or in one post:
    /// `words`, `"several in a row"`, `-without`, `begin*`. Case does not count, nor do accents of Latin letters. At most 16 terms
    /// count; of a word that is everywhere the 2,000 latest places are looked at. Nothing is found for what is no word.
    #[expect(clippy::too_many_arguments, reason = "a search and a page of it")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look for.")] text: String,
        #[graphql(desc = "In threads of this kind only.")] kind: Option<ThreadKind>,
        #[graphql(desc = "In threads with an accepted answer only, or in those without.")] answered: Option<bool>,
        #[graphql(desc = "What you wrote yourself only.", default)] mine: bool,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Result<Pages<search::ForumHit>, Fault> {
        let arguments = search::Arguments { text, kind, answered, mine };
        self.find_in_it(scope(ctx), arguments, &Paging { first, after, last, before }).await
    }

    /// Its threads in which there is something that you have not read, the one with the latest post first. The 1,500 threads with the
    /// latest posts are looked at.
    #[graphql(directive = About::apply(&FORUM_UNREAD_THREADS))]
    async fn unread_threads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Thread>> {
        self.show_unread_threads(scope(ctx), &Paging { first, after, last, before }).await
    }
}

fn threads(
    scope: &Scope,
    page: &crate::db::page::Page<Arc<model::Thread>>,
    standing: &Standing<InCourse>,
) -> Result<Pages<Thread>, Fault> {
    let key = |row: &Arc<model::Thread>| -> TimeKey { (row.created_at.0, row.id.0) };
    connection(scope, THREADS, page, key, |row| Thread { row: Arc::clone(row), standing: standing.clone() })
}

fn posts(
    scope: &Scope,
    list: &str,
    page: &crate::db::page::Page<Arc<model::Post>>,
    standing: &Standing<InCourse>,
) -> Result<Pages<Post>, Fault> {
    let key = |row: &Arc<model::Post>| -> TimeKey { (row.created_at.0, row.id.0) };
    connection(scope, list, page, key, |row| Post { row: Arc::clone(row), standing: standing.clone() })
}

/// A part of a course's forum.
pub(crate) struct ForumCategory {
    row: Arc<model::ForumCategory>,
    standing: Standing<InCourse>,
}

impl ForumCategory {
    /// The category, if the viewer may read the course's forum.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: CategoryId) -> Result<Option<Self>, Fault> {
        let Some(standing) = reader(scope, course).await? else { return Ok(None) };
        Ok(scope.load().categories.get((course, id)).await?.map(|row| Self { row, standing }))
    }
}

/// A part of a course's forum.
#[Object]
impl ForumCategory {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::ForumCategory(self.row.course_id, self.row.id).encode()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Its threads, the latest first.
    async fn threads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Result<Pages<Thread>, Fault> {
        let request = Paging { first, after, last, before }.request(scope(ctx), THREADS)?;
        let page = scope(ctx).load().threads_of_category.get(((self.row.course_id, self.row.id), request)).await?;
        threads(scope(ctx), &page, &self.standing)
    }
}

/// A thread of a course's forum.
pub(crate) struct Thread {
    row: Arc<model::Thread>,
    standing: Standing<InCourse>,
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
        posts(scope(ctx), POSTS, &page, &self.standing)
    }
}

/// A post in a thread.
pub(crate) struct Post {
    row: Arc<model::Post>,
    standing: Standing<InCourse>,
}

impl Post {
    /// The post, if the viewer may read the course's forum.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: PostId) -> Result<Option<Self>, Fault> {
        let Some(standing) = reader(scope, course).await? else { return Ok(None) };
        Ok(scope.load().posts.get((course, id)).await?.map(|row| Self { row, standing }))
    }
}

/// A post in a thread.
#[Object]
impl Post {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Post(self.row.course_id, self.row.id).encode()
    }

    /// What it says, in Markdown. It is what somebody typed: escape it before you show it.
    #[graphql(directive = About::apply(&POST_BODY))]
    async fn body(&self) -> Shown<String> {
        access::show(&POST_BODY, &self.standing, &self.row.body)
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Who wrote it.
    async fn author(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.row.author_id).await.transpose()
    }

    /// The thread it belongs to.
    async fn thread(&self, ctx: &Context<'_>) -> Option<Result<Thread, Fault>> {
        Thread::find(scope(ctx), self.row.course_id, self.row.thread_id).await.transpose()
    }

    /// The post that it answers; null if it answers the thread as a whole.
    async fn reply_to(&self, ctx: &Context<'_>) -> Option<Result<Self, Fault>> {
        Self::find(scope(ctx), self.row.course_id, self.row.reply_to?).await.transpose()
    }

    /// The posts that answer it, the oldest first.
    async fn replies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Result<Pages<Self>, Fault> {
        let request = Paging { first, after, last, before }.request(scope(ctx), REPLIES)?;
        let page = scope(ctx).load().replies_of_post.get(((self.row.course_id, self.row.id), request)).await?;
        posts(scope(ctx), REPLIES, &page, &self.standing)
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

/// A post to be added.
#[derive(Debug, InputObject)]
pub(crate) struct CreatePostInput {
    /// The global id of the post that it answers; left out, it answers the thread as a whole.
    reply_to: Option<ID>,
    /// What it says, in Markdown, 1 to 50,000 characters.
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

/// What became of `createPost`.
#[derive(SimpleObject)]
pub(crate) struct CreatePostPayload {
    /// The post; null if there were errors.
    post: Option<Post>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchForum => (UserErrorCode::NotFound, &["courseId"]),
        Refusal::NoSuchThread => (UserErrorCode::NotFound, &["threadId"]),
        Refusal::NoSuchCategory => (UserErrorCode::NotFound, &["input", "categoryId"]),
        Refusal::NoSuchPost => (UserErrorCode::NotFound, &["input", "replyTo"]),
        Refusal::Title(_) => (UserErrorCode::Length, &["input", "title"]),
        Refusal::Body(_) => (UserErrorCode::Length, &["input", "body"]),
    };
    UserError::new(code, path, &refusal)
}

/// Taking part in the forum.
#[derive(Default)]
pub(crate) struct ForumMutation;

/// Taking part in the forum.
#[Object]
impl ForumMutation {
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
            Some((of, _)) if of != course => return Ok(refused(Refusal::NoSuchCategory)),
            category => category.map(|(_, category)| category),
        };
        let new = NewThread { category_id, kind: input.kind.into(), title: input.title, body: input.body };
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

    /// Adds a post to a thread in the forum of a course that you take or teach.
    async fn create_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
        #[graphql(desc = "The post.")] input: CreatePostInput,
    ) -> Result<CreatePostPayload, Fault> {
        let scope = scope(ctx);
        let author = scope.account_for(TokenScope::Write)?;
        let (course, thread) = node::thread_id(&thread_id)?;
        let refused = |refusal| CreatePostPayload { post: None, user_errors: vec![user_error(refusal)] };
        let Some(standing) = reader(scope, course).await? else { return Ok(refused(Refusal::NoSuchThread)) };
        let reply_to = match input.reply_to.as_ref().map(node::post_id).transpose()? {
            Some((of, _)) if of != course => return Ok(refused(Refusal::NoSuchPost)),
            post => post.map(|(_, post)| post),
        };
        let new = NewPost { reply_to, body: input.body };
        Ok(match scope.app.forum.create_post(author, (course, thread), new).await? {
            Err(refusal) => refused(refusal),
            Ok(post) => {
                scope.forget();
                CreatePostPayload { post: Some(Post { row: Arc::new(post), standing }), user_errors: Vec::new() }
            }
        })
    }
}
