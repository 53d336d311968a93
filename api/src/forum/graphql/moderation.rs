//! What moderators do to threads and posts, what waits for staff, and the log.

use std::sync::Arc;

use async_graphql::{Context, Enum};
use stoa_macros::Object;

use super::{
    ForumCategory, Post, Thread,
    authors::to_author,
    reader,
    reports::{Report, ReportState},
};
use crate::{
    access::{
        self, FORMER_TITLE_TITLE, FORUM_MODERATION_LOG, FORUM_MODERATION_QUEUE, FORUM_STUCK, FORUM_UNANSWERED,
        InCourse, POST_WARNING, Shown, Standing, TokenScope, graphql::About, permit,
    },
    accounts::graphql::Person,
    db::page::{Page, TimeKey},
    forum::{
        model as forum_model,
        moderation::{Moderator, Refusal, attention, model},
        store::attention::Listed,
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::Fault,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{CourseId, ThreadId},
};

const LOG: &str = "moderation log";
const UNANSWERED: &str = "unanswered";
const UNREPLIED: &str = "unreplied";
const STUCK: &str = "stuck";

/// What a moderator did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Act")]
pub(crate) enum ModerationAct {
    /// Put a thread above the others.
    PinThread,
    /// Let it go back among them.
    UnpinThread,
    /// Closed a thread for posts.
    LockThread,
    /// Opened it again.
    UnlockThread,
    /// Gave a thread of somebody else's another title.
    RenameThread,
    /// Put a thread into another category.
    MoveThread,
    /// Moved the posts of a thread into another one.
    MergeThreads,
    /// Removed a post.
    RemovePost,
    /// Put a removed post back.
    RestorePost,
    /// Warned the author of a post.
    WarnAuthor,
    /// Decided that nothing is wrong with a reported post.
    DismissReport,
    /// Made a category.
    CreateCategory,
    /// Changed a category's name, description or who begins threads in it.
    ChangeCategory,
    /// Put the categories into another order.
    ReorderCategories,
    /// Closed a category for new threads.
    ArchiveCategory,
}

/// Which questions wait for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Unanswered")]
pub(crate) enum UnansweredBy {
    /// Those to which nobody but the asker has posted anything.
    NoReply,
    /// Those of which no answer is accepted or endorsed, replied to or not.
    NoAnswer,
}

/// As what somebody changed a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "forum_model::RemovedAs")]
pub(crate) enum RenamedAs {
    /// As the thread's author.
    Author,
    /// As a moderator.
    Moderator,
}

/// The viewer as a moderator of a course's forum; or why she is none.
pub(super) async fn moderator(scope: &Scope, course: CourseId) -> Result<Result<Moderator, Refusal>, Fault> {
    let id = scope.account_for(TokenScope::Write)?;
    if reader(scope, course).await?.is_none() {
        return Ok(Err(Refusal::NoSuchForum));
    }
    let moderates = scope.load().viewpoint.known().await?.moderates(course);
    Ok(if moderates { Ok(Moderator { id, course }) } else { Err(Refusal::NotAModerator) })
}

/// What moderators did to a thread.
pub(crate) struct ThreadModeration {
    pub(super) row: Arc<forum_model::Thread>,
    pub(super) standing: Standing<InCourse>,
}

/// What moderators did to a thread.
#[Object]
impl ThreadModeration {
    /// Grows with each change of the thread itself: give it when you change it.
    async fn version(&self) -> i32 {
        int(self.row.version)
    }

    /// Since when it stands above the others; null if it does not.
    async fn pinned_at(&self) -> Option<DateTime> {
        self.row.pinned_at.map(Into::into)
    }

    /// Since when it takes no more posts; null if it takes them.
    async fn locked_at(&self) -> Option<DateTime> {
        self.row.locked_at.map(Into::into)
    }

    /// Why it takes no more posts, in the words of the moderator who locked it; null if it takes them.
    async fn lock_reason(&self) -> Option<&str> {
        self.row.lock_reason.as_deref()
    }

    /// The thread that its posts were moved into; null if they are here. A thread that was merged into another one is empty,
    /// and in no list.
    async fn merged_into(&self, ctx: &Context<'_>) -> Option<Result<Thread, Fault>> {
        Thread::find(scope(ctx), self.row.course_id, self.row.merged_into?).await.transpose()
    }

    /// The titles that it had before, the latest first, at most 100.
    async fn former_titles(&self, ctx: &Context<'_>) -> Result<Vec<FormerTitle>, Fault> {
        let scope = scope(ctx);
        let titles = scope.load().former_titles.get((self.row.course_id, self.row.id)).await?;
        scope.make_room(titles.len())?;
        Ok(titles.iter().map(|row| FormerTitle { row: row.clone(), standing: self.standing.clone() }).collect())
    }
}

/// A title that a thread had.
pub(crate) struct FormerTitle {
    row: model::FormerTitle,
    standing: Standing<InCourse>,
}

/// A title that a thread had.
#[Object]
impl FormerTitle {
    /// The title.
    #[graphql(directive = About::apply(&FORMER_TITLE_TITLE))]
    async fn title(&self) -> Shown<String> {
        access::show(&FORMER_TITLE_TITLE, &self.standing, &self.row.title)
    }

    /// Until when the thread had it.
    async fn until(&self) -> DateTime {
        self.row.until.into()
    }

    /// As what somebody changed it.
    async fn renamed_as(&self) -> RenamedAs {
        self.row.renamed_as.into()
    }
}

/// What moderators did to a post.
pub(crate) struct PostModeration {
    pub(super) row: Arc<forum_model::Post>,
}

/// What moderators did to a post.
#[Object]
impl PostModeration {
    /// What a moderator told its author about it; null if nothing.
    #[graphql(directive = About::apply(&POST_WARNING))]
    async fn warning(&self, ctx: &Context<'_>) -> Shown<Option<Warning>> {
        let load = scope(ctx).load();
        let standing = match to_author(scope(ctx), self.row.course_id, self.row.author_id).await {
            Err(fault) => return Shown::Failed(fault),
            Ok(standing) => standing,
        };
        match load.warnings.get((self.row.course_id, self.row.id)).await {
            Err(error) => Shown::Failed(error.into()),
            Ok(warning) => access::show(&POST_WARNING, &standing, &warning).map(|warning| warning.map(Warning)),
        }
    }
}

/// What a moderator told the author of a post.
pub(crate) struct Warning(model::Warning);

/// What a moderator told the author of a post.
#[Object(name = "PostWarning")]
impl Warning {
    /// What.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// When.
    async fn warned_at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// What is kept in order in a forum, and what waits for its staff.
pub(crate) struct ForumModeration {
    pub(super) course_id: CourseId,
    pub(super) standing: Standing<InCourse>,
}

/// What is kept in order in a forum, and what waits for its staff.
#[Object]
impl ForumModeration {
    /// The threads that stand above the others, the one pinned last first, at most 10. They are in `threads`, too.
    async fn pinned(&self, ctx: &Context<'_>) -> Result<Vec<Thread>, Fault> {
        let ids = scope(ctx).load().pinned_threads.get(self.course_id).await?;
        found(scope(ctx), self.course_id, &ids, &self.standing).await
    }

    /// Questions that wait for an answer, the oldest first; for the course's staff. Those that are locked or merged are none.
    #[graphql(directive = About::apply(&FORUM_UNANSWERED))]
    async fn unanswered(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.", default_with = "UnansweredBy::NoAnswer")] by: UnansweredBy,
    ) -> Shown<Pages<Thread>> {
        if let Err(denied) = permit(&FORUM_UNANSWERED, &self.standing) {
            return Shown::Denied(denied);
        }
        let list = if by == UnansweredBy::NoReply { UNREPLIED } else { UNANSWERED };
        let read = async {
            let scope = scope(ctx);
            let request = Paging { first, after, last, before }.request(scope, list)?;
            let page = attention::unanswered(&scope.app.db, self.course_id, by.into(), &request).await?;
            self.listed(scope, list, page).await
        };
        Shown::from(read.await)
    }

    /// Threads that are stuck, the longest stuck first; for the course's staff. A question is stuck if it was replied to, no
    /// answer to it is accepted or endorsed, and the asker has posted last and waited for a day, or there are three
    /// replies or more and it was asked three days ago.
    #[graphql(directive = About::apply(&FORUM_STUCK))]
    async fn stuck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Thread>> {
        if let Err(denied) = permit(&FORUM_STUCK, &self.standing) {
            return Shown::Denied(denied);
        }
        let read = async {
            let scope = scope(ctx);
            let request = Paging { first, after, last, before }.request(scope, STUCK)?;
            let page = attention::stuck(&scope.app.db, self.course_id, scope.app.clock.now(), &request).await?;
            self.listed(scope, STUCK, page).await
        };
        Shown::from(read.await)
    }

    /// What the forum's moderators did, the latest first; for them. It can't be changed.
    #[graphql(directive = About::apply(&FORUM_MODERATION_LOG))]
    async fn moderation_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<ModerationEntry>> {
        if let Err(denied) = permit(&FORUM_MODERATION_LOG, &self.standing) {
            return Shown::Denied(denied);
        }
        let read = async {
            let scope = scope(ctx);
            let request = Paging { first, after, last, before }.request(scope, LOG)?;
            let page = scope.app.moderation.log(self.reader(scope)?, &request).await?;
            let key = |row: &model::Entry| -> TimeKey { (row.at.0, row.id) };
            connection(scope, LOG, &page, key, |row| ModerationEntry(row.clone()))
        };
        Shown::from(read.await)
    }

    /// The posts that were reported, those that have waited longest first; for the forum's moderators. Without those that the
    /// viewer wrote, unless nobody else could decide on them.
    #[graphql(directive = About::apply(&FORUM_MODERATION_QUEUE))]
    async fn moderation_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Those in this state.", default_with = "ReportState::Open")] state: ReportState,
    ) -> Shown<Pages<Report>> {
        if let Err(denied) = permit(&FORUM_MODERATION_QUEUE, &self.standing) {
            return Shown::Denied(denied);
        }
        let read = async {
            let scope = scope(ctx);
            let paging = Paging { first, after, last, before };
            Report::queue(scope, self.reader(scope)?, &self.standing, state, &paging).await
        };
        Shown::from(read.await)
    }
}

impl ForumModeration {
    /// The viewer, for what a permit has shown to be hers to read.
    fn reader(&self, scope: &Scope) -> Result<Moderator, Fault> {
        Ok(Moderator { id: scope.viewer.id().ok_or_else(Fault::unauthenticated)?, course: self.course_id })
    }

    async fn listed(&self, scope: &Scope, list: &str, page: Page<Listed>) -> Result<Pages<Thread>, Fault> {
        let load = scope.load();
        let rows = load.threads.get_many(page.items.iter().map(|item| (item.course_id, item.id)).collect()).await?;
        // A thread that went away between the two reads is left out.
        let page = Page {
            items: page
                .items
                .into_iter()
                .filter_map(|item| Some((item, rows.get(&(item.course_id, item.id)).cloned().flatten()?)))
                .collect(),
            has_previous: page.has_previous,
            has_next: page.has_next,
        };
        let key = |(item, _): &(Listed, Arc<forum_model::Thread>)| -> TimeKey { (item.at.0, item.id.0) };
        connection(scope, list, &page, key, |(_, row)| Thread { row: Arc::clone(row), standing: self.standing.clone() })
    }
}

/// Threads by their ids, in their order.
async fn found(
    scope: &Scope,
    course: CourseId,
    ids: &[ThreadId],
    standing: &Standing<InCourse>,
) -> Result<Vec<Thread>, Fault> {
    scope.make_room(ids.len())?;
    let rows = scope.load().threads.get_many(ids.iter().map(|id| (course, *id)).collect()).await?;
    Ok(ids
        .iter()
        .filter_map(|id| rows.get(&(course, *id)).cloned().flatten())
        .map(|row| Thread { row, standing: standing.clone() })
        .collect())
}

/// The pinned threads of a category.
pub(super) async fn pinned_in(scope: &Scope, category: &ForumCategory) -> Result<Vec<Thread>, Fault> {
    let ids = scope.load().pinned_threads.get(category.row.course_id).await?;
    let threads = found(scope, category.row.course_id, &ids, &category.standing).await?;
    Ok(threads.into_iter().filter(|thread| thread.row.category_id == category.row.id).collect())
}

/// A line of the log of what a forum's moderators did.
pub(crate) struct ModerationEntry(model::Entry);

/// A line of the log of what a forum's moderators did.
#[Object]
impl ModerationEntry {
    /// When it was done.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Who did it.
    async fn moderator(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.0.moderator_id).await.transpose()
    }

    /// What.
    async fn act(&self) -> ModerationAct {
        self.0.act.into()
    }

    /// To which category, or into which one; null where it is about none.
    async fn category(&self, ctx: &Context<'_>) -> Option<Result<ForumCategory, Fault>> {
        ForumCategory::find(scope(ctx), self.0.course_id, self.0.category_id?).await.transpose()
    }

    /// To which thread; null where it is about none.
    async fn thread(&self, ctx: &Context<'_>) -> Option<Result<Thread, Fault>> {
        Thread::find(scope(ctx), self.0.course_id, self.0.thread_id?).await.transpose()
    }

    /// To which post; null where it is about none.
    async fn post(&self, ctx: &Context<'_>) -> Option<Result<Post, Fault>> {
        Post::find(scope(ctx), self.0.course_id, self.0.post_id?).await.transpose()
    }

    /// Why, in her words; null where she gave no reason.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// What it was before: a title, or the name of a category; null where nothing of that kind was changed.
    async fn before(&self) -> Option<&str> {
        self.0.before.as_deref()
    }

    /// What it was after, likewise.
    async fn after(&self) -> Option<&str> {
        self.0.after.as_deref()
    }
}
