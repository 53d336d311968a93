//! Beginning threads, and answering.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{Post, Thread, actor, authors::Anonymity, reader, threads::ThreadKind, user_error};
use crate::{
    access::TokenScope,
    forum::{
        Refusal,
        model::{NewPost, NewThread},
        moderation::categories::NotHere,
    },
    graphql::{
        errors::{Fault, UserError},
        node,
        scope::scope,
    },
};

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
    /// From whom you hide: see `Forum.postingAudience`. It can't be changed afterwards, but that you may show yourself.
    #[graphql(default_with = "Anonymity::None")]
    anonymity: Anonymity,
    /// A key of your own making, 1 to 100 bytes: if you send the same again with it, no second thread is begun.
    idempotency_key: Option<String>,
}

/// A post to be added.
#[derive(Debug, InputObject)]
pub(crate) struct CreatePostInput {
    /// The global id of the post that it answers; left out, it answers the thread as a whole.
    reply_to: Option<ID>,
    /// What it says, in Markdown, 1 to 50,000 characters.
    body: String,
    /// From whom you hide: see `Forum.postingAudience`. It can't be changed afterwards, but that you may show yourself.
    #[graphql(default_with = "Anonymity::None")]
    anonymity: Anonymity,
    /// A key of your own making, 1 to 100 bytes: if you send the same again with it, no second post is added.
    idempotency_key: Option<String>,
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

/// Beginning threads, and answering.
#[derive(Default)]
pub(crate) struct PostingMutation;

/// Beginning threads, and answering.
#[async_graphql::Object]
impl PostingMutation {
    /// Begins a thread in the forum of a course that you take or teach.
    async fn create_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
        #[graphql(desc = "The thread.")] input: CreateThreadInput,
    ) -> Result<CreateThreadPayload, Fault> {
        let scope = scope(ctx);
        scope.account_for(TokenScope::Write)?;
        let course = node::course_id(&course_id)?;
        let refused = |refusal: &Refusal| CreateThreadPayload { thread: None, user_errors: vec![user_error(refusal)] };
        let Some(standing) = reader(scope, course).await? else { return Ok(refused(&Refusal::NoSuchForum)) };
        let category_id = match input.category_id.as_ref().map(node::category_id).transpose()? {
            Some((of, _)) if of != course => return Ok(refused(&Refusal::NotHere(NotHere::NoSuch))),
            category => category.map(|(_, category)| category),
        };
        let new = NewThread {
            category_id,
            kind: input.kind.into(),
            title: input.title,
            body: input.body,
            anonymity: input.anonymity.into(),
            key: input.idempotency_key,
        };
        let actor = actor(scope, course).await?;
        Ok(match scope.app.forum.create_thread(&actor, course, new).await? {
            Err(refusal) => refused(&refusal),
            Ok(thread) => {
                scope.forget();
                let thread = Thread { row: Arc::new(thread), standing };
                CreateThreadPayload { thread: Some(thread), user_errors: Vec::new() }
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
        scope.account_for(TokenScope::Write)?;
        let (course, thread) = node::thread_id(&thread_id)?;
        let refused = |refusal: &Refusal| CreatePostPayload { post: None, user_errors: vec![user_error(refusal)] };
        let Some(standing) = reader(scope, course).await? else { return Ok(refused(&Refusal::NoSuchThread)) };
        let reply_to = match input.reply_to.as_ref().map(node::post_id).transpose()? {
            Some((of, _)) if of != course => return Ok(refused(&Refusal::NoSuchReplyTo)),
            post => post.map(|(_, post)| post),
        };
        let new = NewPost { reply_to, body: input.body, anonymity: input.anonymity.into(), key: input.idempotency_key };
        let actor = actor(scope, course).await?;
        Ok(match scope.app.forum.create_post(&actor, (course, thread), new).await? {
            Err(refusal) => refused(&refusal),
            Ok(post) => {
                scope.forget();
                CreatePostPayload { post: Some(Post { row: Arc::new(post), standing }), user_errors: Vec::new() }
            }
        })
    }
}
