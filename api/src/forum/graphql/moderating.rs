//! What moderators can do to threads and posts.

use async_graphql::{Context, ID, InputObject, SimpleObject};

use super::{Post, Thread, moderation::moderator, reader};
use crate::{
    access::TokenScope,
    forum::moderation::{Moderator, Refusal},
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node,
        scope::{Scope, scope},
    },
    ids::{CourseId, PostId, ThreadId},
};

/// Why a thread is to be locked.
#[derive(Debug, InputObject)]
pub(crate) struct LockThreadInput {
    /// Why, 1 to 500 characters. Who reads the thread reads it.
    reason: String,
    /// The thread's version that you read.
    version: i32,
}

/// A thread to be opened for posts.
#[derive(Debug, InputObject)]
pub(crate) struct UnlockThreadInput {
    /// The thread's version that you read.
    version: i32,
}

/// Another title for a thread.
#[derive(Debug, InputObject)]
pub(crate) struct RenameThreadInput {
    /// The title, 1 to 300 characters.
    title: String,
    /// The thread's version that you read.
    version: i32,
}

/// Where a thread is to go.
#[derive(Debug, InputObject)]
pub(crate) struct MoveThreadInput {
    /// The global id of the category, in the same course.
    category_id: ID,
    /// The thread's version that you read.
    version: i32,
}

/// A thread to be merged into another one.
#[derive(Debug, InputObject)]
pub(crate) struct MergeThreadsInput {
    /// The global id of the thread that it goes into, in the same course: the older one of the two.
    into_id: ID,
    /// Why, 1 to 500 characters; for the log.
    reason: Option<String>,
    /// The version that you read of the thread that is to be merged.
    version: i32,
}

/// A post to be removed.
#[derive(Debug, InputObject)]
pub(crate) struct RemovePostInput {
    /// Why, 1 to 500 characters; for its author, and for the moderators.
    reason: String,
    /// The post's version that you read; left out, any will do.
    version: Option<i32>,
}

/// A post to be put back.
#[derive(Debug, InputObject)]
pub(crate) struct RestorePostInput {
    /// Why, 1 to 500 characters; for the log.
    reason: Option<String>,
    /// The post's version that you read; left out, any will do.
    version: Option<i32>,
}

/// What became of a change to a thread.
#[derive(SimpleObject)]
pub(crate) struct ModerateThreadPayload {
    /// The thread as it is now; null if there were errors. Of `mergeThreads`, the one that has the posts.
    thread: Option<Thread>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl ModerateThreadPayload {
    async fn of(scope: &Scope, course: CourseId, thread: ThreadId, done: Result<(), Refusal>) -> Result<Self, Fault> {
        if let Err(refusal) = done {
            return Ok(Self::refused(refusal));
        }
        scope.forget();
        Ok(Self { thread: Thread::find(scope, course, thread).await?, user_errors: Vec::new() })
    }

    fn refused(refusal: Refusal) -> Self {
        Self { thread: None, user_errors: vec![user_error(refusal)] }
    }
}

/// What became of a change to a post.
#[derive(SimpleObject)]
pub(crate) struct ModeratePostPayload {
    /// The post as it is now; null if there were errors.
    post: Option<Post>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl ModeratePostPayload {
    async fn of(scope: &Scope, (course, post): (CourseId, PostId), done: Result<(), Refusal>) -> Result<Self, Fault> {
        Ok(match done {
            // Whoever may not read the forum learns nothing of what is in it.
            Err(Refusal::NoSuchForum) => Self { post: None, user_errors: vec![user_error(Refusal::NoSuchPost)] },
            Err(refusal) => Self { post: None, user_errors: vec![user_error(refusal)] },
            Ok(()) => {
                scope.forget();
                Self { post: Post::find(scope, course, post).await?, user_errors: Vec::new() }
            }
        })
    }
}

/// A refusal for a client. What is about no field of an input is about what the mutation names.
pub(super) fn user_error(refusal: Refusal) -> UserError {
    use UserErrorCode as Code;
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchForum => (Code::NotFound, &["courseId"]),
        Refusal::NoSuchThread => (Code::NotFound, &["threadId"]),
        Refusal::NoSuchPost => (Code::NotFound, &["postId"]),
        Refusal::NoSuchCategory => (Code::NotFound, &["input", "categoryId"]),
        Refusal::NoSuchReport => (Code::NotFound, &["reportId"]),
        Refusal::NotAModerator => (Code::NotAllowed, &[]),
        Refusal::Stale(_) => (Code::StaleVersion, &["input", "version"]),
        Refusal::Reason(_) => (Code::Length, &["input", "reason"]),
        Refusal::Title(_) => (Code::Length, &["input", "title"]),
        Refusal::Name(_) => (Code::Length, &["input", "name"]),
        Refusal::Description(_) => (Code::Length, &["input", "description"]),
        Refusal::Text(_) | Refusal::TextNeeded => (Code::Length, &["input", "text"]),
        Refusal::NameTaken => (Code::Conflict, &["input", "name"]),
        Refusal::TooManyCategories | Refusal::TooManyPinned => (Code::TooMany, &[]),
        Refusal::Order(_) => (Code::Conflict, &["categoryIds"]),
        Refusal::LastCategory => (Code::NotAllowed, &["categoryId"]),
        Refusal::Archived | Refusal::SameCategory => (Code::Conflict, &["input", "categoryId"]),
        Refusal::OtherCourse => (Code::NotAllowed, &["input"]),
        Refusal::SameThread | Refusal::Older => (Code::Conflict, &["input", "intoId"]),
        Refusal::Merged => (Code::Conflict, &["threadId"]),
        Refusal::MergeSize(_) => (Code::OutOfRange, &["threadId"]),
        Refusal::AlreadyReported => (Code::AlreadyReported, &["postId"]),
        Refusal::OwnPost => (Code::NotAllowed, &["postId"]),
        Refusal::TooManyReports => (Code::TooManyRequests, &[]),
        Refusal::Removed | Refusal::NotRemoved => (Code::Conflict, &["postId"]),
        Refusal::Decided(_) => (Code::Conflict, &["reportId"]),
        Refusal::OwnReport => (Code::NotAllowed, &["reportId"]),
    };
    UserError::new(code, path, &refusal)
}

/// Keeping order among threads and posts.
#[derive(Default)]
pub(crate) struct ModerationMutation;

/// Does something to a thread as a moderator of its forum.
macro_rules! moderate {
    ($ctx:expr, $id:expr, |$scope:ident, $who:ident, $thread:ident| $done:expr) => {{
        let $scope = scope($ctx);
        let (course, $thread) = node::thread_id(&$id)?;
        match moderator($scope, course).await? {
            Err(Refusal::NoSuchForum) => Ok(ModerateThreadPayload::refused(Refusal::NoSuchThread)),
            Err(refusal) => Ok(ModerateThreadPayload::refused(refusal)),
            Ok($who) => ModerateThreadPayload::of($scope, course, $thread, $done.await?).await,
        }
    }};
}

/// Keeping order among threads and posts.
#[async_graphql::Object]
impl ModerationMutation {
    /// Puts a thread above the others, as a moderator of its forum.
    async fn pin_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
    ) -> Result<ModerateThreadPayload, Fault> {
        moderate!(ctx, thread_id, |scope, who, thread| scope.app.moderation.pin(who, thread))
    }

    /// Lets a pinned thread go back among the others, as a moderator of its forum.
    async fn unpin_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
    ) -> Result<ModerateThreadPayload, Fault> {
        moderate!(ctx, thread_id, |scope, who, thread| scope.app.moderation.unpin(who, thread))
    }

    /// Closes a thread for posts, as a moderator of its forum.
    async fn lock_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
        #[graphql(desc = "Why.")] input: LockThreadInput,
    ) -> Result<ModerateThreadPayload, Fault> {
        let version = Some(input.version.into());
        moderate!(ctx, thread_id, |scope, who, thread| scope.app.moderation.lock(who, (thread, version), &input.reason))
    }

    /// Opens a locked thread for posts, as a moderator of its forum.
    async fn unlock_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
        #[graphql(desc = "What you read of it.")] input: UnlockThreadInput,
    ) -> Result<ModerateThreadPayload, Fault> {
        let version = Some(input.version.into());
        moderate!(ctx, thread_id, |scope, who, thread| scope.app.moderation.unlock(who, (thread, version)))
    }

    /// Gives a thread another title: yours, or as a moderator of its forum anybody's. The old one is kept.
    async fn rename_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
        #[graphql(desc = "The title.")] input: RenameThreadInput,
    ) -> Result<ModerateThreadPayload, Fault> {
        let scope = scope(ctx);
        let (course, thread) = node::thread_id(&thread_id)?;
        let id = scope.account_for(TokenScope::Write)?;
        if reader(scope, course).await?.is_none() {
            return Ok(ModerateThreadPayload::refused(Refusal::NoSuchThread));
        }
        let moderates = scope.load().viewpoint.known().await?.moderates(course);
        let (who, wanted) = (Moderator { id, course }, (thread, Some(input.version.into())));
        let done = scope.app.moderation.rename(who, moderates, wanted, &input.title).await?;
        ModerateThreadPayload::of(scope, course, thread, done).await
    }

    /// Puts a thread into another category of its course's forum, as a moderator of it.
    async fn move_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
        #[graphql(desc = "Where it goes.")] input: MoveThreadInput,
    ) -> Result<ModerateThreadPayload, Fault> {
        let (of, category) = node::category_id(&input.category_id)?;
        let version = Some(input.version.into());
        moderate!(ctx, thread_id, |scope, who, thread| async {
            if of == who.course {
                scope.app.moderation.move_thread(who, (thread, version), category).await
            } else {
                Ok(Err(Refusal::OtherCourse))
            }
        })
    }

    /// Moves the posts of a thread into an older one of the same forum, as a moderator of it. There they stand by the time at
    /// which they were written. What was accepted as the answer stays so, unless the other thread has an answer of its
    /// own. The thread itself stays, empty, and leads to the other one.
    async fn merge_threads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread that is to be merged.")] thread_id: ID,
        #[graphql(desc = "Into which one.")] input: MergeThreadsInput,
    ) -> Result<ModerateThreadPayload, Fault> {
        let scope = scope(ctx);
        let (course, thread) = node::thread_id(&thread_id)?;
        let (of, into) = node::thread_id(&input.into_id)?;
        let who = match moderator(scope, course).await? {
            Err(Refusal::NoSuchForum) => return Ok(ModerateThreadPayload::refused(Refusal::NoSuchThread)),
            Err(refusal) => return Ok(ModerateThreadPayload::refused(refusal)),
            Ok(_) if of != course => return Ok(ModerateThreadPayload::refused(Refusal::OtherCourse)),
            Ok(who) => who,
        };
        let wanted = (thread, Some(input.version.into()));
        let done = scope.app.moderation.merge(who, wanted, into, input.reason.as_deref()).await?;
        ModerateThreadPayload::of(scope, course, into, done).await
    }

    /// Removes a post, as a moderator of its forum. Its place stays; its author and moderators still see what
    /// it said, and why it was removed. `deletePost` is for one's own.
    async fn remove_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
        #[graphql(desc = "Why.")] input: RemovePostInput,
    ) -> Result<ModeratePostPayload, Fault> {
        let (scope, (course, post)) = (scope(ctx), node::post_id(&post_id)?);
        let done = match moderator(scope, course).await? {
            Err(refusal) => Err(refusal),
            Ok(who) => {
                let wanted = (post, input.version.map(Into::into));
                scope.app.moderation.remove_post(who, wanted, &input.reason).await?
            }
        };
        ModeratePostPayload::of(scope, (course, post), done).await
    }

    /// Puts a post back that a moderator removed, as a moderator of its forum.
    async fn restore_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
        #[graphql(desc = "Why.")] input: RestorePostInput,
    ) -> Result<ModeratePostPayload, Fault> {
        let (scope, (course, post)) = (scope(ctx), node::post_id(&post_id)?);
        let done = match moderator(scope, course).await? {
            Err(refusal) => Err(refusal),
            Ok(who) => {
                let wanted = (post, input.version.map(Into::into));
                scope.app.moderation.restore_post(who, wanted, input.reason.as_deref()).await?
            }
        };
        ModeratePostPayload::of(scope, (course, post), done).await
    }
}
