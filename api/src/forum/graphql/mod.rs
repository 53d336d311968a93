//! The forum in the graph: a course's forum and its categories; threads and posts have files of their own.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject};
use stoa_macros::Object;

use self::authors::{Anonymity, PostingAudience};
use super::{
    Refusal,
    model::{self, Actor},
    moderation::categories::NotHere,
};
use crate::{
    access::{COURSE_FORUM, FORUM_UNREAD_THREADS, InCourse, Shown, Standing, TokenScope, graphql::About, permit},
    accounts::graphql::Person,
    courses::graphql::Course,
    graphql::{
        connection::{Pages, Paging},
        errors::{Fault, UserError, UserErrorCode},
        node::NodeId,
        scope::{Scope, scope},
    },
    idempotency::KeyRefusal,
    ids::{CategoryId, CourseId},
    notifications::graphql as following,
};

mod authors;
pub(crate) mod categories;
mod editing;
pub(crate) mod live;
pub(crate) mod moderating;
pub(crate) mod moderation;
mod posting;
mod posts;
pub(crate) mod reading;
pub(crate) mod reports;
mod revisions;
pub(crate) mod search;
mod threads;
mod voting;

pub(crate) use posts::Post;
pub(crate) use revisions::PostRevision;
pub(crate) use threads::{Thread, ThreadKind};

/// The names of the lists for cursors.
const THREADS: &str = "threads";
const POSTS: &str = "posts";
const POSTS_BY_VOTES: &str = "posts by votes";
const REPLIES: &str = "replies";

/// Taking part in the forum.
#[derive(Default, MergedObject)]
pub(crate) struct ForumMutation(
    posting::PostingMutation,
    editing::EditingMutation,
    voting::VotingMutation,
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
    #[expect(clippy::unused_async, reason = "the derived resolver awaits it")]
    async fn moderation(&self) -> moderation::ForumModeration {
        moderation::ForumModeration { course_id: self.course_id, standing: self.standing.clone() }
    }

    /// Who would read what you post, and who would see your name. Show it before somebody posts.
    async fn posting_audience(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From whom you would hide.", default_with = "Anonymity::None")] anonymity: Anonymity,
    ) -> Result<PostingAudience, Fault> {
        let scope = scope(ctx);
        let is_of_staff = scope.load().viewpoint.known().await?.membership(self.course_id).staff;
        let course = scope.load().courses.get(self.course_id).await?;
        let is_open = course.is_some_and(|course| course.open_forum);
        Ok(PostingAudience::new(anonymity.into(), is_open, is_of_staff))
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

    /// Whether you are notified of each new thread; null if that is not for you to see.
    async fn viewer_is_following(&self, ctx: &Context<'_>) -> Option<Result<bool, Fault>> {
        following::viewer_follows_forum(scope(ctx), self.course_id).await.transpose()
    }

    /// Whom you can mention here, at most 10: those who take or teach the course, as you see them. To mention Mei, write
    /// `@[Mei Tanaka](person:ID)` with her global id.
    async fn mentionable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of a name, or of a part of it.")] prefix: String,
    ) -> Result<Vec<Person>, Fault> {
        following::mentionable(scope(ctx), self.course_id, &prefix).await
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
    #[expect(clippy::unused_async, reason = "the derived resolver awaits it")]
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

/// Who does something in a course's forum, and what she is there.
async fn actor(scope: &Scope, course: CourseId) -> Result<Actor, Fault> {
    let account = scope.account_for(TokenScope::Write)?;
    let load = scope.load();
    let known = load.viewpoint.known().await?;
    Ok(Actor {
        account,
        is_staff: known.teaches(course),
        is_moderator: known.moderates(course),
        is_of_staff: known.membership(course).staff,
    })
}

fn user_error(refusal: &Refusal) -> UserError {
    use UserErrorCode as Code;
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchForum => (Code::NotFound, &["courseId"]),
        Refusal::NoSuchThread => (Code::NotFound, &["threadId"]),
        Refusal::NotHere(NotHere::NoSuch) => (Code::NotFound, &["input", "categoryId"]),
        Refusal::NotHere(_) => (Code::NotAllowed, &["input", "categoryId"]),
        Refusal::NoSuchReplyTo => (Code::NotFound, &["input", "replyTo"]),
        Refusal::NoSuchPost => (Code::NotFound, &["postId"]),
        Refusal::Title(_) => (Code::Length, &["input", "title"]),
        Refusal::Body(_) => (Code::Length, &["input", "body"]),
        Refusal::Reason(_) | Refusal::ReasonNeeded => (Code::Length, &["input", "reason"]),
        Refusal::Unsafe(_) => (Code::UnsafeContent, &["input", "body"]),
        Refusal::Key(KeyRefusal::Length(_)) => (Code::Length, &["input", "idempotencyKey"]),
        Refusal::Key(KeyRefusal::Reused) => (Code::IdempotencyKeyReused, &["input", "idempotencyKey"]),
        Refusal::StaffIsNamed => (Code::NotAllowed, &["input", "anonymity"]),
        Refusal::Locked(_) => (Code::Locked, &[]),
        Refusal::Merged(course, into) => {
            let into = NodeId::Thread(*course, *into).encode();
            return UserError::new(Code::Conflict, &["threadId"], &format!("{refusal}: {}", into.0));
        }
        Refusal::TooDeep => (Code::TooDeep, &["input", "replyTo"]),
        Refusal::Stale(_) => (Code::StaleVersion, &["input", "version"]),
        Refusal::TooManyEdits => (Code::TooMany, &["postId"]),
        Refusal::AlreadyVoted => (Code::AlreadyVoted, &["postId"]),
        Refusal::NotAuthor
        | Refusal::NotEditor
        | Refusal::NotStaff
        | Refusal::NotAsker
        | Refusal::OwnPost
        | Refusal::NotQuestion
        | Refusal::IsQuestion => (Code::NotAllowed, &["postId"]),
        Refusal::Removed | Refusal::NotVoted | Refusal::NotAnonymous | Refusal::NotAnswer => {
            (Code::Conflict, &["postId"])
        }
    };
    UserError::new(code, path, refusal)
}
