//! Voting for posts, accepting answers, and standing behind them.

use async_graphql::{Context, ID, SimpleObject};

use super::{
    Post,
    editing::{Outcome, Target},
};
use crate::graphql::{
    errors::{Fault, UserError},
    scope::scope,
};

/// Declares the payloads: all of the same form.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The post; null if there were errors.
            post: Option<Post>,
            /// What you can mend.
            user_errors: Vec<UserError>,
        }

        impl From<Outcome> for $name {
            fn from(outcome: Outcome) -> Self {
                match outcome {
                    Ok(post) => Self { post: Some(post), user_errors: Vec::new() },
                    Err(error) => Self { post: None, user_errors: vec![error] },
                }
            }
        }
    )+};
}

payloads! {
    /// What became of `votePost`.
    VotePostPayload;
    /// What became of `unvotePost`.
    UnvotePostPayload;
    /// What became of `acceptAnswer`.
    AcceptAnswerPayload;
    /// What became of `unacceptAnswer`.
    UnacceptAnswerPayload;
    /// What became of `endorsePost`.
    EndorsePostPayload;
    /// What became of `unendorsePost`.
    UnendorsePostPayload;
}

/// Judging posts.
#[derive(Default)]
pub(crate) struct VotingMutation;

/// Judging posts.
#[async_graphql::Object]
impl VotingMutation {
    /// Votes for a post of somebody else, once. Who voted is not shown to anybody.
    async fn vote_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
    ) -> Result<VotePostPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.vote(&target.actor, target.key).await;
        Ok(target.outcome(scope, done)?.into())
    }

    /// Takes your vote for a post back.
    async fn unvote_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
    ) -> Result<UnvotePostPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.unvote(&target.actor, target.key).await;
        Ok(target.outcome(scope, done)?.into())
    }

    /// Accepts a post as the answer to the question of its thread, in place of another: for whoever asked, and for the
    /// staff of the course.
    async fn accept_answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
    ) -> Result<AcceptAnswerPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.accept_answer(&target.actor, target.key).await;
        Ok(target.outcome(scope, done)?.into())
    }

    /// Takes back that a post is the answer: for whoever asked, and for the staff of the course.
    async fn unaccept_answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
    ) -> Result<UnacceptAnswerPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.unaccept_answer(&target.actor, target.key).await;
        Ok(target.outcome(scope, done)?.into())
    }

    /// Says that the staff of the course stands behind a post: for the staff. Doing it again changes nothing.
    async fn endorse_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
    ) -> Result<EndorsePostPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.endorse_post(&target.actor, target.key, true).await;
        Ok(target.outcome(scope, done)?.into())
    }

    /// Takes back that the staff of the course stands behind a post: for the staff.
    async fn unendorse_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
    ) -> Result<UnendorsePostPayload, Fault> {
        let scope = scope(ctx);
        let target = match Target::find(scope, &post_id).await? {
            Ok(target) => target,
            Err(error) => return Ok(Err(error).into()),
        };
        let done = scope.app.forum.endorse_post(&target.actor, target.key, false).await;
        Ok(target.outcome(scope, done)?.into())
    }
}
