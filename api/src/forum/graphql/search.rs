//! Searching forums, in the graph.

use std::sync::Arc;

use async_graphql::{Context, Enum, SimpleObject};
use stoa_macros::Object;

use super::{Forum, Post, Thread, ThreadKind, reader};
use crate::{
    access::{self, FORUM_HIT_SNIPPET, InCourse, Shown, Standing, graphql::About},
    db::page::Page,
    forum::search::{
        Filter, Hit, Query, Search,
        snippet::{self, Part},
        store,
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::Fault,
        scope::{Scope, scope},
    },
    ids::CourseId,
};

/// The names of the lists for cursors.
const HITS: &str = "hits";
const HITS_OF_ALL: &str = "hits of all";

/// Where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ForumHitPlace {
    /// In the title of a thread.
    Title,
    /// In a post.
    Post,
}

/// A piece of a text that was found.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct SnippetPart {
    /// The text. It is what somebody typed: escape it before you show it.
    text: String,
    /// Whether it is what was looked for.
    is_match: bool,
}

impl From<Part> for SnippetPart {
    fn from(Part { text, is_match }: Part) -> Self {
        Self { text, is_match }
    }
}

/// Something that was found in a forum.
pub(crate) struct ForumHit {
    hit: Hit,
    query: Arc<Query>,
    standing: Standing<InCourse>,
}

/// Something that was found in a forum.
#[Object]
impl ForumHit {
    /// Where it was found.
    async fn place(&self) -> ForumHitPlace {
        if self.hit.post_id.is_some() { ForumHitPlace::Post } else { ForumHitPlace::Title }
    }

    /// The thread; null only if it has gone meanwhile.
    async fn thread(&self, ctx: &Context<'_>) -> Option<Result<Thread, Fault>> {
        Thread::find(scope(ctx), self.hit.course_id, self.hit.thread_id).await.transpose()
    }

    /// The post; null if it was found in the title.
    async fn post(&self, ctx: &Context<'_>) -> Option<Result<Post, Fault>> {
        Post::find(scope(ctx), self.hit.course_id, self.hit.post_id?).await.transpose()
    }

    /// The piece of the text around what was looked for, without markup.
    #[graphql(directive = About::apply(&FORUM_HIT_SNIPPET))]
    async fn snippet(&self, ctx: &Context<'_>) -> Shown<Vec<SnippetPart>> {
        match access::permit(&FORUM_HIT_SNIPPET, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => self.read_snippet(scope(ctx), permit).await.into(),
        }
    }
}

impl ForumHit {
    async fn read_snippet(
        &self,
        scope: &Scope,
        permit: access::Permit<access::tags::Communication>,
    ) -> Result<Vec<SnippetPart>, Fault> {
        let (load, course) = (scope.load(), self.hit.course_id);
        let parts = match self.hit.post_id {
            Some(post) => load
                .posts
                .get((course, post))
                .await?
                .filter(|post| post.removal.is_none())
                .map(|post| snippet::of_markdown(post.body.open(permit), &self.query)),
            None => load
                .threads
                .get((course, self.hit.thread_id))
                .await?
                .map(|thread| snippet::of_text(thread.title.open(permit), &self.query)),
        };
        Ok(parts.unwrap_or_default().into_iter().map(SnippetPart::from).collect())
    }
}

/// What somebody looks for, as it came in the arguments.
pub(super) struct Arguments {
    pub(super) text: String,
    pub(super) kind: Option<ThreadKind>,
    pub(super) answered: Option<bool>,
    pub(super) mine: bool,
}

impl Arguments {
    /// The search. What is the viewer's own she alone can ask for.
    fn search(self, scope: &Scope, paging: &Paging, list: &str) -> Result<Search, Fault> {
        let author = match (self.mine, scope.viewer.id()) {
            (true, None) => return Err(Fault::unauthenticated()),
            (true, viewer) => viewer,
            (false, _) => None,
        };
        let filter = Filter { kind: self.kind.map(Into::into), answered: self.answered, author };
        Ok(Search { query: Query::parse(&self.text), filter, page: paging.request(scope, list)? })
    }
}

impl Forum {
    pub(super) async fn find_in_it(
        &self,
        scope: &Scope,
        arguments: Arguments,
        paging: &Paging,
    ) -> Result<Pages<ForumHit>, Fault> {
        let search = arguments.search(scope, paging, HITS)?;
        let query = Arc::new(search.query.clone());
        let page = if query.is_empty() {
            Arc::default()
        } else {
            scope.load().forum_hits.get((self.course_id, search)).await?
        };
        hits(scope, HITS, &page, &query, |_| Some(&self.standing))
    }
}

fn hits<'a>(
    scope: &Scope,
    list: &str,
    page: &Page<Hit>,
    query: &Arc<Query>,
    standing: impl Fn(CourseId) -> Option<&'a Standing<InCourse>>,
) -> Result<Pages<ForumHit>, Fault> {
    connection(scope, list, page, Hit::key, |hit| ForumHit {
        hit: hit.clone(),
        query: Arc::clone(query),
        standing: standing(hit.course_id).cloned().unwrap_or_else(Standing::stranger),
    })
}

/// Searching forums.
#[derive(Default)]
pub(crate) struct SearchQuery;

/// Searching forums.
#[async_graphql::Object]
impl SearchQuery {
    /// What is found in the forums of all courses that you take or teach: titles first, then posts, the newest of each first. As
    /// `Forum.search`, which says how to ask.
    #[expect(clippy::too_many_arguments, reason = "a search and a page of it")]
    async fn search_forums(
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
    ) -> Result<Pages<ForumHit>, Fault> {
        let scope = scope(ctx);
        let paging = Paging { first, after, last, before };
        let search = Arguments { text, kind, answered, mine }.search(scope, &paging, HITS_OF_ALL)?;
        let query = Arc::new(search.query.clone());
        let load = scope.load();
        let taken = load.viewpoint.known().await?.courses();
        scope.make_room(taken.len())?;
        let asked = taken.into_iter().map(async |course| Ok::<_, Fault>((course, reader(scope, course).await?)));
        let found = futures_util::future::try_join_all(asked).await?;
        let readable: std::collections::HashMap<CourseId, Standing<InCourse>> =
            found.into_iter().filter_map(|(course, standing)| Some((course, standing?))).collect();
        let courses: Vec<_> = readable.keys().copied().collect();
        let page = if query.is_empty() || courses.is_empty() {
            Page::default()
        } else {
            Page::from_rows(store::found(&scope.app.db, &courses, &search, false).await?, &search.page)
        };
        hits(scope, HITS_OF_ALL, &page, &query, |course| readable.get(&course))
    }
}
