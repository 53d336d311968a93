//! Posts.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

use super::{
    REPLIES, Thread,
    authors::{self, Anonymity, AuthorFields},
    reader,
    revisions::{self, ChangedAs, PostRevision},
};
use crate::{
    access::{
        self, Field, InCourse, POST_AUTHOR, POST_BODY, POST_BODY_HTML, POST_HIDDEN_AUTHOR, POST_REMOVAL_REASON,
        POST_REMOVED_BODY, POST_REMOVED_BODY_HTML, POST_REMOVED_REVISIONS, POST_REVISIONS, Shown, Standing,
        graphql::About, permit, tags,
    },
    accounts::graphql::Person,
    db::page::{Page, TimeKey},
    forum::model,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::Fault,
        node::NodeId,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{CourseId, PostId},
    markdown,
};

/// What is longer, in bytes, is made HTML of beside the threads that answer requests.
const AT_ONCE: usize = 8_192;

/// A post as HTML.
async fn html_of(body: &str) -> String {
    if body.len() <= AT_ONCE {
        return markdown::to_html(body);
    }
    let body = body.to_owned();
    tokio::task::spawn_blocking(move || markdown::to_html(&body)).await.unwrap_or_default()
}

/// In what order the posts of a thread come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum PostOrder {
    /// The oldest first: the one that opens the thread, and answers among the others.
    Oldest,
    /// Those with the most votes first; of those with as many, the latest. A post that is voted on while you page may be seen twice,
    /// or be missed.
    Votes,
}

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

/// A page of posts by votes.
pub(super) fn pages_by_votes(
    scope: &Scope,
    list: &str,
    page: &Page<Arc<model::Post>>,
    standing: &Standing<InCourse>,
) -> Result<Pages<Post>, Fault> {
    let key = |row: &Arc<model::Post>| -> TimeKey { (row.votes, row.id.0) };
    connection(scope, list, page, key, |row| Post { row: Arc::clone(row), standing: standing.clone() })
}

/// A post in a thread.
pub(crate) struct Post {
    pub(super) row: Arc<model::Post>,
    pub(super) standing: Standing<InCourse>,
}

impl Post {
    /// The post, if the viewer may read the course's forum.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: PostId) -> Result<Option<Self>, Fault> {
        let Some(standing) = reader(scope, course).await? else { return Ok(None) };
        Ok(scope.load().posts.get((course, id)).await?.map(|row| Self { row, standing }))
    }

    /// What the policy says of the post's words: those of a removed one are for its author and for moderators.
    async fn if_readable<T>(
        &self,
        scope: &Scope,
        of_removed: &'static Field<tags::Moderation>,
        show: impl AsyncFnOnce() -> Shown<T>,
    ) -> Shown<T> {
        if self.row.removal.is_some() {
            let standing = match authors::to_author(scope, self.row.course_id, self.row.author_id).await {
                Ok(standing) => standing,
                Err(fault) => return Shown::Failed(fault),
            };
            if let Err(denied) = permit(of_removed, &standing) {
                return Shown::Denied(denied);
            }
        }
        show().await
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
    #[expect(clippy::unused_async, reason = "the derived resolver awaits it")]
    async fn moderation(&self) -> super::moderation::PostModeration {
        super::moderation::PostModeration { row: Arc::clone(&self.row) }
    }

    /// What it says, in Markdown. It is what somebody typed: escape it before you show it, or show `bodyHtml`. Of a post that was
    /// removed it is for its author and for moderators only.
    #[graphql(directive = About::apply(&POST_BODY))]
    async fn body(&self, ctx: &Context<'_>) -> Shown<String> {
        let show = async || access::show(&POST_BODY, &self.standing, &self.row.body);
        self.if_readable(scope(ctx), &POST_REMOVED_BODY, show).await
    }

    /// What it says, as HTML that may be put into a page as it is: paragraphs, lists, tables, code, links and pictures, and nothing
    /// that runs. HTML that somebody typed shows as she typed it. Null where `body` is.
    #[graphql(directive = About::apply(&POST_BODY_HTML))]
    async fn body_html(&self, ctx: &Context<'_>) -> Shown<String> {
        let show = async || match permit(&POST_BODY_HTML, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Shown::from(Ok::<_, Fault>(html_of(self.row.body.open(permit)).await)),
        };
        self.if_readable(scope(ctx), &POST_REMOVED_BODY_HTML, show).await
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When it was last edited; null if it never was.
    async fn edited_at(&self) -> Option<DateTime> {
        self.row.edited_at.map(Into::into)
    }

    /// Grows with each edit: give it to `editPost`.
    async fn version(&self) -> i32 {
        int(self.row.version)
    }

    /// From whom its author hides.
    async fn anonymity(&self) -> Anonymity {
        self.row.anonymity.into()
    }

    /// Who wrote it. If it is anonymous, that is for its author and for those whom `anonymity` names; for the others it is null. If it
    /// is not, it is for all who read it.
    #[graphql(directive = About::apply(&POST_AUTHOR))]
    async fn author(&self, ctx: &Context<'_>) -> Shown<Option<Person>> {
        let fields = AuthorFields { of_anonymous: &POST_AUTHOR, of_hidden: &POST_HIDDEN_AUTHOR };
        let row = &self.row;
        authors::shown(scope(ctx), &fields, (row.course_id, row.author_id, row.anonymity)).await
    }

    /// Under what name its author is known in this thread if she hides, such as `Anonymous 2`; null if she does not. It is the same
    /// in all that she posts in the thread with this anonymity, and says nothing of what she posts elsewhere.
    async fn pseudonym(&self) -> Option<String> {
        authors::pseudonym(self.row.anonymity, self.row.alias)
    }

    /// Whether you wrote it.
    async fn is_mine(&self, ctx: &Context<'_>) -> bool {
        scope(ctx).is_herself(self.row.author_id)
    }

    /// Whether it was written by who began the thread, as far as everybody may know: under the same name or pseudonym.
    async fn is_by_asker(&self, ctx: &Context<'_>) -> Result<bool, Fault> {
        let thread = scope(ctx).load().threads.get((self.row.course_id, self.row.thread_id)).await?;
        Ok(thread.is_some_and(|thread| thread.is_by_asker(&self.row)))
    }

    /// How many have voted for it.
    async fn votes(&self) -> i32 {
        int(self.row.votes)
    }

    /// Whether you have voted for it.
    async fn viewer_has_voted(&self, ctx: &Context<'_>) -> Result<bool, Fault> {
        let scope = scope(ctx);
        match scope.viewer.id().filter(|viewer| scope.is_herself(*viewer)) {
            Some(viewer) => Ok(scope.load().post_votes.get((viewer, self.row.course_id, self.row.id)).await?),
            None => Ok(false),
        }
    }

    /// Whether the staff of the course stands behind it.
    async fn is_endorsed(&self) -> bool {
        self.row.endorsed_at.is_some()
    }

    /// Whether it is the accepted answer of its thread.
    async fn is_answer(&self, ctx: &Context<'_>) -> Result<bool, Fault> {
        let thread = scope(ctx).load().threads.get((self.row.course_id, self.row.thread_id)).await?;
        Ok(thread.is_some_and(|thread| thread.answer_id == Some(self.row.id)))
    }

    /// When it was removed; null if it is there. The place of a removed post stays, and so do the replies to it.
    async fn removed_at(&self) -> Option<DateTime> {
        self.row.removal.as_ref().map(|removal| removal.at.into())
    }

    /// As what somebody removed it; null if it is there.
    async fn removed_as(&self) -> Option<ChangedAs> {
        self.row.removal.as_ref().map(|removal| removal.by.into())
    }

    /// Why it was removed; null also where it is there, or nobody has said.
    #[graphql(directive = About::apply(&POST_REMOVAL_REASON))]
    async fn removal_reason(&self, ctx: &Context<'_>) -> Shown<Option<String>> {
        match authors::to_author(scope(ctx), self.row.course_id, self.row.author_id).await {
            Err(fault) => Shown::Failed(fault),
            Ok(standing) => access::show(&POST_REMOVAL_REASON, &standing, &self.row.removal_reason),
        }
    }

    /// What it said before each edit, the latest first. Of a post that was removed it is for its author and for moderators only.
    #[graphql(directive = About::apply(&POST_REVISIONS))]
    async fn revisions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<PostRevision>> {
        let scope = scope(ctx);
        let read = async || {
            let request = Paging { first, after, last, before }.request(scope, revisions::REVISIONS)?;
            let page = scope.load().revisions_of_post.get(((self.row.course_id, self.row.id), request)).await?;
            revisions::pages_of(scope, &page, &self.standing)
        };
        let show = async || match permit(&POST_REVISIONS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(_) => Shown::from(read().await),
        };
        self.if_readable(scope, &POST_REMOVED_REVISIONS, show).await
    }

    /// The thread it belongs to.
    async fn thread(&self, ctx: &Context<'_>) -> Option<Result<Thread, Fault>> {
        Thread::find(scope(ctx), self.row.course_id, self.row.thread_id).await.transpose()
    }

    /// The post that it answers; null if it answers the thread as a whole.
    async fn reply_to(&self, ctx: &Context<'_>) -> Option<Result<Self, Fault>> {
        Self::find(scope(ctx), self.row.course_id, self.row.reply_to?).await.transpose()
    }

    /// How many posts are above it: 0 for one that answers the thread as a whole. At most 32.
    async fn depth(&self) -> i32 {
        int(self.row.depth)
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
