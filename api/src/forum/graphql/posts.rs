//! Posts.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{REPLIES, Thread, reader, user_error};
use crate::{
    access::{self, InCourse, POST_BODY, Shown, Standing, TokenScope, graphql::About},
    accounts::graphql::Person,
    db::page::{Page, TimeKey},
    forum::{
        Refusal,
        model::{self, NewPost},
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError},
        node::{self, NodeId},
        scalars::DateTime,
        scope::{Scope, scope},
    },
    ids::{CourseId, PostId},
};

/// A page of posts.
pub(crate) fn pages_of(
    scope: &Scope,
    list: &str,
    page: &Page<Arc<model::Post>>,
    standing: &Standing<InCourse>,
) -> Result<Pages<Post>, Fault> {
    let key = |row: &Arc<model::Post>| -> TimeKey { (row.created_at.0, row.id.0) };
    connection(scope, list, page, key, |row| Post { row: Arc::clone(row), standing: standing.clone() })
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

    #[graphql(flatten)]
    async fn moderation(&self) -> super::moderation::PostModeration {
        super::moderation::PostModeration { row: Arc::clone(&self.row) }
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
        pages_of(scope(ctx), REPLIES, &page, &self.standing)
    }
}

/// A post to be added.
#[derive(Debug, InputObject)]
pub(crate) struct CreatePostInput {
    /// The global id of the post that it answers; left out, it answers the thread as a whole.
    reply_to: Option<ID>,
    /// What it says, in Markdown, 1 to 50,000 characters.
    body: String,
}

/// What became of `createPost`.
#[derive(SimpleObject)]
pub(crate) struct CreatePostPayload {
    /// The post; null if there were errors.
    post: Option<Post>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Adding posts.
#[derive(Default)]
pub(crate) struct PostMutation;

/// Adding posts.
#[Object]
impl PostMutation {
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
