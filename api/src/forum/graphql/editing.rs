//! Editing a post, taking it away, and showing oneself.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{Post, actor, reader, user_error};
use crate::{
    access::{InCourse, Standing, TokenScope},
    db::DbError,
    forum::{
        Refusal,
        model::{self, Actor, Edit},
    },
    graphql::{
        errors::{Fault, UserError},
        node,
        scope::{Scope, scope},
    },
    ids::{CourseId, PostId},
};

/// What became of something that was done with a post.
pub(super) type Outcome = Result<Post, UserError>;

/// A post that something is to be done with, by somebody who reads it.
pub(super) struct Target {
    pub(super) actor: Actor,
    pub(super) key: (CourseId, PostId),
    standing: Standing<InCourse>,
}

impl Target {
    /// The post with this global id, if its forum is for the viewer.
    pub(super) async fn find(scope: &Scope, id: &ID) -> Result<Result<Self, UserError>, Fault> {
        scope.account_for(TokenScope::Write)?;
        let key = node::post_id(id)?;
        let Some(standing) = reader(scope, key.0).await? else { return Ok(Err(user_error(&Refusal::NoSuchPost))) };
        Ok(Ok(Self { actor: actor(scope, key.0).await?, key, standing }))
    }

    /// What the service says of it, for the payload.
    pub(super) fn outcome(
        self,
        scope: &Scope,
        done: Result<Result<model::Post, Refusal>, DbError>,
    ) -> Result<Outcome, Fault> {
        Ok(match done? {
            Err(refusal) => Err(user_error(&refusal)),
            Ok(post) => {
                scope.forget();
                Ok(Post { row: Arc::new(post), standing: self.standing })
            }
        })
    }
}

/// What a post is to say.
#[derive(Debug, InputObject)]
pub(crate) struct EditPostInput {
    /// What it is to say, in Markdown, 1 to 50,000 characters.
    body: String,
    /// The `version` of the post that you read.
    version: i32,
    /// Why, at most 500 characters. A moderator has to say.
    reason: Option<String>,
}

/// How a post is taken away.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DeletePostInput {
    /// Why, at most 500 characters.
    reason: Option<String>,
}

/// What became of `editPost`.
#[derive(SimpleObject)]
pub(crate) struct EditPostPayload {
    /// The post; null if there were errors.
    post: Option<Post>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl From<Outcome> for EditPostPayload {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(post) => Self { post: Some(post), user_errors: Vec::new() },
            Err(error) => Self { post: None, user_errors: vec![error] },
        }
    }
}

/// What became of `deletePost`.
#[derive(SimpleObject)]
pub(crate) struct DeletePostPayload {
    /// The post; null if there were errors.
    post: Option<Post>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl From<Outcome> for DeletePostPayload {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(post) => Self { post: Some(post), user_errors: Vec::new() },
            Err(error) => Self { post: None, user_errors: vec![error] },
        }
    }
}

/// What became of `revealPost`.
#[derive(SimpleObject)]
pub(crate) struct RevealPostPayload {
    /// The post; null if there were errors.
    post: Option<Post>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl From<Outcome> for RevealPostPayload {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(post) => Self { post: Some(post), user_errors: Vec::new() },
            Err(error) => Self { post: None, user_errors: vec![error] },
        }
    }
}

/// Editing posts.
#[derive(Default)]
pub(crate) struct EditingMutation;

/// Editing posts.
#[async_graphql::Object]
impl EditingMutation {
    /// Edits a post: its author does while the thread is not locked, a moderator at any time. What it said before is kept, and shows
    /// in `Post.revisions`.
    async fn edit_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
        #[graphql(desc = "What it is to say.")] input: EditPostInput,
    ) -> Result<EditPostPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let edit = Edit { body: input.body, version: input.version.into(), reason: input.reason };
        let done = scope.app.forum.edit_post(&target.actor, target.key, edit).await;
        Ok(target.outcome(scope, done)?.into())
    }

    /// Takes a post of yours away. Its place stays, and the replies to it; what it said is for you and the moderators only. Doing it
    /// again changes nothing.
    async fn delete_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
        #[graphql(desc = "How.", default)] input: DeletePostInput,
    ) -> Result<DeletePostPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.delete_post(&target.actor, target.key, input.reason.as_deref()).await;
        Ok(target.outcome(scope, done)?.into())
    }

    /// Shows who wrote an anonymous post of yours, for good. What you posted in the thread under the same pseudonym is shown with it.
    async fn reveal_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
    ) -> Result<RevealPostPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.reveal_post(&target.actor, target.key).await;
        Ok(target.outcome(scope, done)?.into())
    }
}
