//! The forum in the graph: a course's forum and its categories; threads and posts have files of their own.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object};

use super::{
    Refusal, model,
    moderation::{Closed, categories::NotHere},
};
use crate::{
    access::{COURSE_FORUM, FORUM_UNREAD_THREADS, InCourse, Shown, Standing, graphql::About, permit},
    courses::graphql::Course,
    graphql::{
        connection::{Pages, Paging},
        errors::{Fault, UserError, UserErrorCode},
        node::NodeId,
        scope::{Scope, scope},
    },
    ids::{CategoryId, CourseId},
};

pub(crate) mod categories;
pub(crate) mod live;
pub(crate) mod moderating;
pub(crate) mod moderation;
mod posts;
pub(crate) mod reading;
pub(crate) mod reports;
pub(crate) mod search;
mod threads;

pub(crate) use posts::Post;
pub(crate) use threads::{Thread, ThreadKind};

/// The names of the lists for cursors.
const THREADS: &str = "threads";
const POSTS: &str = "posts";
const REPLIES: &str = "replies";

/// Taking part in the forum.
#[derive(Default, MergedObject)]
pub(crate) struct ForumMutation(
    threads::ThreadMutation,
    posts::PostMutation,
    moderating::ModerationMutation,
    reports::ReportMutation,
    categories::CategoryMutation,
);

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
    #[graphql(flatten)]
    async fn moderation(&self) -> moderation::ForumModeration {
        moderation::ForumModeration { course_id: self.course_id, standing: self.standing.clone() }
    }

    /// Its categories, in order.
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether those that are archived are wanted, too.", default)] archived: bool,
    ) -> Result<Vec<ForumCategory>, Fault> {
        let found = scope(ctx).load().categories_of_course.get(self.course_id).await?;
        let wanted = found.iter().filter(|row| archived || row.archived_at.is_none());
        Ok(wanted.map(|row| ForumCategory { row: Arc::clone(row), standing: self.standing.clone() }).collect())
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
        threads::pages_of(scope(ctx), &page, &self.standing)
    }
}
/// A part of a course's forum.
#[derive(Clone)]
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

    #[graphql(flatten)]
    async fn rules(&self) -> categories::CategoryRules {
        categories::CategoryRules { category: self.clone() }
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
        threads::pages_of(scope(ctx), &page, &self.standing)
    }
}

fn user_error(refusal: Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchForum => (UserErrorCode::NotFound, &["courseId"]),
        Refusal::NoSuchThread => (UserErrorCode::NotFound, &["threadId"]),
        Refusal::NotHere(NotHere::NoSuch) => (UserErrorCode::NotFound, &["input", "categoryId"]),
        Refusal::NotHere(_) => (UserErrorCode::NotAllowed, &["input", "categoryId"]),
        Refusal::Closed(Closed::Locked) => (UserErrorCode::Locked, &["threadId"]),
        Refusal::Closed(Closed::Merged(_)) => (UserErrorCode::Conflict, &["threadId"]),
        Refusal::NoSuchPost => (UserErrorCode::NotFound, &["input", "replyTo"]),
        Refusal::Title(_) => (UserErrorCode::Length, &["input", "title"]),
        Refusal::Body(_) => (UserErrorCode::Length, &["input", "body"]),
    };
    UserError::new(code, path, &refusal)
}
