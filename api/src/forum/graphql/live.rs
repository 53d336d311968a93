//! The forum, as it happens.

use async_graphql::{Context, ID, SimpleObject, Subscription};

use super::{Post, Thread, reports::Report};
use crate::{
    courses::graphql::Course,
    graphql::{
        errors::Fault,
        node,
        scope::{Scope, scope},
    },
    ids::{CourseId, ThreadId},
    live::{
        graphql::{Told, begun, told},
        model::{Event, Happening, Topic},
    },
};

/// A post was added to a thread.
#[derive(SimpleObject)]
pub(crate) struct PostAdded {
    /// The thread.
    thread: Thread,
    /// The post; null if `missed`.
    post: Option<Post>,
    /// Whether there may have been posts that you were not told of: read the thread anew.
    missed: bool,
}

/// A thread or one of its posts has changed.
#[derive(SimpleObject)]
pub(crate) struct ThreadChanged {
    /// The thread as it is now.
    thread: Thread,
    /// The post that was added, edited, voted on, accepted, endorsed or removed; null if it was none, or if `missed`.
    post: Option<Post>,
    /// Whether there may have been changes that you were not told of: read the thread anew.
    missed: bool,
}

/// The reports of a course's forum have changed.
#[derive(SimpleObject)]
pub(crate) struct ModerationQueueChanged {
    /// The course.
    course: Course,
    /// What was reported or decided; null if `missed`, or if it is not yours to decide.
    report: Option<Report>,
    /// Whether there may have been changes that you were not told of. Read the queue anew in either case.
    missed: bool,
}

/// The forum, as it happens.
#[derive(Default)]
pub(crate) struct ForumSubscription;

/// The forum, as it happens.
#[Subscription]
impl ForumSubscription {
    /// Each new post of a thread in a forum that you may read. It ends when you may not read it any more.
    async fn post_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
    ) -> Result<Told<PostAdded>, Fault> {
        let scope = scope(ctx);
        let (course, id, thread) = thread(scope, &thread_id).await?;
        let Some(happening) = begun(ctx, &[Topic::Posts(course, id)]) else { return Ok(told(None)) };
        let (post, missed) = post(scope, happening).await?;
        // A post that is not there any more, or not for the viewer, is nothing to tell.
        Ok(told((post.is_some() || missed).then_some(PostAdded { thread, post, missed })))
    }

    /// Each change of a thread in a forum that you may read, and of its posts. It ends when you may not read it any more.
    async fn thread_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
    ) -> Result<Told<ThreadChanged>, Fault> {
        let scope = scope(ctx);
        let (course, id, thread) = thread(scope, &thread_id).await?;
        let Some(happening) = begun(ctx, &[Topic::Thread(course, id)]) else { return Ok(told(None)) };
        let (post, missed) = post(scope, happening).await?;
        Ok(told(Some(ThreadChanged { thread, post, missed })))
    }

    /// Each change of the reports of a forum that you moderate. It ends when you don't any more.
    async fn moderation_queue_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<Told<ModerationQueueChanged>, Fault> {
        let scope = scope(ctx);
        let id = node::course_id(&course_id)?;
        let Some(course) = Course::find(scope, id).await? else { return Err(Fault::not_found("course")) };
        if !scope.load().viewpoint.known().await?.moderates(id) {
            return Err(Fault::forbidden("those who moderate the course's forum"));
        }
        let Some(happening) = begun(ctx, &[Topic::Moderation(id)]) else { return Ok(told(None)) };
        let report = match happening {
            Happening::Event(Event::ModerationChanged { report, .. }) => Report::find(scope, id, report).await?,
            _ => None,
        };
        Ok(told(Some(ModerationQueueChanged { course, report, missed: happening == Happening::Missed })))
    }
}

/// The thread, if the viewer may read it.
async fn thread(scope: &Scope, id: &ID) -> Result<(CourseId, ThreadId, Thread), Fault> {
    let (course, id) = node::thread_id(id)?;
    let thread = Thread::find(scope, course, id).await?.ok_or_else(|| Fault::not_found("thread"))?;
    Ok((course, id, thread))
}

/// The post that something has happened to, and whether more may have happened.
async fn post(scope: &Scope, happening: Happening) -> Result<(Option<Post>, bool), Fault> {
    Ok(match happening {
        Happening::Event(Event::PostAdded { course, post, .. } | Event::PostChanged { course, post, .. }) => {
            (Post::find(scope, course, post).await?, false)
        }
        Happening::Event(_) => (None, false),
        Happening::Missed => (None, true),
    })
}
