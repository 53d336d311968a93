//! Following, and who can be mentioned.

use async_graphql::{Context, ID, SimpleObject};

use super::{Refusal, is_own, user_error};
use crate::{
    access::{COURSE_FORUM, TokenScope, permit},
    accounts::graphql::Person,
    courses::graphql::Course,
    forum::graphql::Thread,
    graphql::{
        errors::{Fault, UserError},
        node,
        scope::{Scope, scope},
    },
    ids::{CourseId, ThreadId},
    time::Timestamp,
};

/// Whether the viewer follows a thread; `None` for whoever has not signed in, or looks with other eyes.
pub(crate) async fn viewer_follows_thread(
    scope: &Scope,
    course: CourseId,
    thread: ThreadId,
) -> Result<Option<bool>, Fault> {
    match scope.viewer.id() {
        Some(viewer) if is_own(scope, viewer).await? => {
            Ok(Some(scope.load().thread_follows.get((viewer, course, thread)).await?))
        }
        _ => Ok(None),
    }
}

/// Whether the viewer follows all threads of a course; `None` as above.
pub(crate) async fn viewer_follows_forum(scope: &Scope, course: CourseId) -> Result<Option<bool>, Fault> {
    match scope.viewer.id() {
        Some(viewer) if is_own(scope, viewer).await? => {
            Ok(Some(scope.load().forum_follows.get((viewer, course)).await?))
        }
        _ => Ok(None),
    }
}

/// Who can be mentioned in a course's forum, as far as their names show to the viewer. Whoever is none of the class is offered its
/// staff only, so that nobody whom she does not see takes a place in the list.
pub(crate) async fn mentionable(scope: &Scope, course: CourseId, prefix: &str) -> Result<Vec<Person>, Fault> {
    let load = scope.load();
    let known = load.viewpoint.known().await?;
    let completed_since = if known.membership(course).learner {
        Some(Timestamp(i64::MIN))
    } else if known.teaches(course) {
        Some(scope.app.rules.kept_since(load.viewpoint.now()))
    } else {
        None
    };
    let found = scope.app.notifications.mentionable(course, prefix, completed_since).await?;
    scope.make_room(found.len())?;
    let people = futures_util::future::join_all(found.into_iter().map(|person| Person::find(scope, person))).await;
    people.into_iter().filter_map(Result::transpose).collect()
}

/// What became of following a thread.
#[derive(SimpleObject)]
pub(crate) struct FollowThreadPayload {
    /// The thread; null if there were errors.
    thread: Option<Thread>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of following a forum.
#[derive(SimpleObject)]
pub(crate) struct FollowForumPayload {
    /// The course; null if there were errors.
    course: Option<Course>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Following.
#[derive(Default)]
pub(crate) struct FollowMutation;

/// Following.
#[async_graphql::Object]
impl FollowMutation {
    /// Follows a thread: you are notified of new posts in it. Doing so again changes nothing.
    async fn follow_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
    ) -> Result<FollowThreadPayload, Fault> {
        follow_thread(scope(ctx), &thread_id, true).await
    }

    /// Does not follow a thread any more.
    async fn unfollow_thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the thread.")] thread_id: ID,
    ) -> Result<FollowThreadPayload, Fault> {
        follow_thread(scope(ctx), &thread_id, false).await
    }

    /// Follows the forum of a course that you teach: you are notified of each new thread.
    async fn follow_forum(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<FollowForumPayload, Fault> {
        follow_forum(scope(ctx), &course_id, true).await
    }

    /// Does not follow a forum any more.
    async fn unfollow_forum(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<FollowForumPayload, Fault> {
        follow_forum(scope(ctx), &course_id, false).await
    }
}

async fn follow_thread(scope: &Scope, id: &ID, follows: bool) -> Result<FollowThreadPayload, Fault> {
    let person = scope.account_for(TokenScope::Write)?;
    let (course, thread) = node::thread_id(id)?;
    if Thread::find(scope, course, thread).await?.is_none() {
        return Ok(FollowThreadPayload { thread: None, user_errors: vec![user_error(Refusal::NoSuchThread)] });
    }
    scope.app.notifications.follow(person, (course, thread), follows).await?;
    scope.forget();
    Ok(FollowThreadPayload { thread: Thread::find(scope, course, thread).await?, user_errors: Vec::new() })
}

async fn follow_forum(scope: &Scope, id: &ID, follows: bool) -> Result<FollowForumPayload, Fault> {
    let (person, course) = (scope.account_for(TokenScope::Write)?, node::course_id(id)?);
    let refused = |refusal| FollowForumPayload { course: None, user_errors: vec![user_error(refusal)] };
    let Some(found) = Course::find(scope, course).await? else { return Ok(refused(Refusal::NoSuchCourse)) };
    let standing = found.standing(scope).await?;
    if permit(&COURSE_FORUM, &standing).is_err() {
        return Ok(refused(Refusal::NoSuchCourse));
    }
    let load = scope.load();
    if follows && !load.viewpoint.known().await?.teaches(course) {
        return Ok(refused(Refusal::NotStaff));
    }
    scope.app.notifications.follow_forum(person, course, follows).await?;
    scope.forget();
    Ok(FollowForumPayload { course: Some(found), user_errors: Vec::new() })
}
