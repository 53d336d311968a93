//! Threads.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

use super::{
    ForumCategory, POSTS, POSTS_BY_VOTES, Post, THREADS,
    authors::{self, Anonymity, AuthorFields},
    posts::{self, PostOrder},
    reader,
};
use crate::{
    access::{
        self, InCourse, Shown, Standing, THREAD_AUTHOR, THREAD_HIDDEN_AUTHOR, THREAD_TITLE, THREAD_UNREAD_COUNT,
        THREAD_VIEWER_READ_UP_TO, graphql::About,
    },
    accounts::graphql::Person,
    courses::graphql::Course,
    db::page::{Page, TimeKey},
    forum::model,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::Fault,
        node::NodeId,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{CourseId, ThreadId},
    notifications::graphql as following,
};

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::ThreadKind")]
pub(crate) enum ThreadKind {
    /// To talk.
    Discussion,
    /// To get an answer.
    Question,
}

/// A page of threads.
pub(crate) fn pages_of(
    scope: &Scope,
    page: &Page<Arc<model::Thread>>,
    standing: &Standing<InCourse>,
) -> Result<Pages<Thread>, Fault> {
    let key = |row: &Arc<model::Thread>| -> TimeKey { (row.created_at.0, row.id.0) };
    connection(scope, THREADS, page, key, |row| Thread { row: Arc::clone(row), standing: standing.clone() })
}
/// A thread of a course's forum.
pub(crate) struct Thread {
    pub(super) row: Arc<model::Thread>,
    pub(super) standing: Standing<InCourse>,
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

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "the derived resolver awaits it")]
    async fn moderation(&self) -> super::moderation::ThreadModeration {
        super::moderation::ThreadModeration { row: Arc::clone(&self.row), standing: self.standing.clone() }
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

    /// From whom its author hides.
    async fn anonymity(&self) -> Anonymity {
        self.row.anonymity.into()
    }

    /// Who began it. If it is anonymous, that is for its author and for those whom `anonymity` names; for the others it is null. If
    /// it is not, it is for all who read it.
    #[graphql(directive = About::apply(&THREAD_AUTHOR))]
    async fn author(&self, ctx: &Context<'_>) -> Shown<Option<Person>> {
        let fields = AuthorFields { of_anonymous: &THREAD_AUTHOR, of_hidden: &THREAD_HIDDEN_AUTHOR };
        let row = &self.row;
        authors::shown(scope(ctx), &fields, (row.course_id, row.author_id, row.anonymity)).await
    }

    /// Under what name its author is known in it if she hides; null if she does not.
    async fn pseudonym(&self) -> Option<String> {
        authors::pseudonym(self.row.anonymity, Some(model::ASKER_ALIAS))
    }

    /// Whether you began it.
    async fn is_mine(&self, ctx: &Context<'_>) -> bool {
        scope(ctx).is_herself(self.row.author_id)
    }

    /// Whether an answer was accepted.
    async fn is_answered(&self) -> bool {
        self.row.answer_id.is_some()
    }

    /// The post that was accepted as the answer; null if there is none.
    async fn answer(&self, ctx: &Context<'_>) -> Option<Result<Post, Fault>> {
        match scope(ctx).load().posts.get((self.row.course_id, self.row.answer_id?)).await {
            Ok(row) => row.map(|row| Ok(Post { row, standing: self.standing.clone() })),
            Err(error) => Some(Err(error.into())),
        }
    }

    /// The course it belongs to.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.row.course_id).await.transpose()
    }

    /// The category it is in.
    async fn category(&self, ctx: &Context<'_>) -> Option<Result<ForumCategory, Fault>> {
        ForumCategory::find(scope(ctx), self.row.course_id, self.row.category_id).await.transpose()
    }

    /// Whether you follow it: you are notified of new posts. Null if that is not for you to see.
    async fn viewer_is_following(&self, ctx: &Context<'_>) -> Option<Result<bool, Fault>> {
        following::viewer_follows_thread(scope(ctx), self.row.course_id, self.row.id).await.transpose()
    }

    /// Its posts: the oldest one opens it, and answers stand among the others.
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
        #[graphql(desc = "In what order.", default_with = "PostOrder::Oldest")] order_by: PostOrder,
    ) -> Result<Pages<Post>, Fault> {
        let (paging, scope) = (Paging { first, after, last, before }, scope(ctx));
        let key = (self.row.course_id, self.row.id);
        match order_by {
            PostOrder::Oldest => {
                let page = scope.load().posts_of_thread.get((key, paging.request(scope, POSTS)?)).await?;
                posts::pages_of(scope, POSTS, &page, &self.standing)
            }
            PostOrder::Votes => {
                let page = scope.load().posts_by_votes.get((key, paging.request(scope, POSTS_BY_VOTES)?)).await?;
                posts::pages_by_votes(scope, POSTS_BY_VOTES, &page, &self.standing)
            }
        }
    }
}
