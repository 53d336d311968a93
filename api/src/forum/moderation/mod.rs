//! Keeping order in a course's forum: what its moderators (its instructors) do to threads. Posts, reports and categories have
//! files of their own.
//!
//! Invariant: whatever a moderator does is noted in the forum's log in the same transaction, and nothing changes a line of it.
//!
//! Invariant: who reported a post is told to moderators only, and never to the one who wrote it.

pub mod attention;
pub mod categories;
pub(crate) mod loaders;
pub mod model;
mod removal;
pub(crate) mod reports;

use crate::{
    db::{
        Db, DbError, Tx,
        page::{Page, PageRequest, TimeKey},
    },
    forum::{
        self, Forum, MAX_TITLE,
        model::{Post, RemovedAs, Thread},
        store::{self, moderation as table},
    },
    ids::{AccountId, CategoryId, CourseId, PostId, ReportId, ThreadId},
    live::{self, model::Event},
    notifications::{
        self,
        model::{NewNotification, NotificationKind},
    },
    time::Clock,
};
use model::{Act, Decision, Entry, Held, NewEntry};

/// The longest reason, in characters.
pub const MAX_REASON: usize = 500;
/// So many threads of a course are pinned at most: a list that is all pinned threads is a list with none.
pub const MAX_PINNED: i64 = 10;
/// So many posts are moved at most when threads are merged: they move in one transaction, in which nobody else writes.
pub const MAX_MERGED: i64 = 2_000;
/// The longest name of a category, in characters.
pub const MAX_NAME: usize = 200;
/// So many categories that are not archived a course has at most.
pub const MAX_CATEGORIES: usize = 50;
/// The longest text of a report, in characters.
pub const MAX_REPORT: usize = 1_000;
/// So many posts somebody reports in a course at most, in [`REPORTS_IN_HOURS`] hours.
pub const MAX_REPORTS: i64 = 20;
/// The time to which [`MAX_REPORTS`] applies.
pub const REPORTS_IN_HOURS: i64 = 24;

/// The service that keeps order. Whether who asks is a moderator of the course is decided before: see `Known::moderates`.
#[derive(Clone, Debug)]
pub struct Moderation {
    db: Db,
    clock: Clock,
    forum: Forum,
}

/// Why something was not done: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such course, or its forum is not for the viewer.
    #[error("there is no such course, or you don't take part in it")]
    NoSuchForum,
    /// No such thread.
    #[error("there is no such thread")]
    NoSuchThread,
    /// No such post.
    #[error("there is no such post")]
    NoSuchPost,
    /// No such category in that course.
    #[error("there is no such category in this course's forum")]
    NoSuchCategory,
    /// No such report, or it is not hers to decide.
    #[error("there is no such report")]
    NoSuchReport,
    /// She keeps no order here.
    #[error("this is for those who keep order in this course's forum: its instructors")]
    NotAModerator,
    /// Somebody else was faster.
    #[error("it was changed since you read it: read it again, and give its present version, which is {0}")]
    Stale(i64),
    /// Empty or too long.
    #[error("a reason has 1 to {MAX_REASON} characters; this one has {0}")]
    Reason(usize),
    /// Empty or too long.
    #[error("a title has 1 to {MAX_TITLE} characters; this one has {0}")]
    Title(usize),
    /// Empty or too long.
    #[error("a category's name has 1 to {MAX_NAME} characters; this one has {0}")]
    Name(usize),
    /// Empty or too long.
    #[error("a category's description has 1 to {MAX_REASON} characters, or is left out; this one has {0}")]
    Description(usize),
    /// Too long.
    #[error("the text of a report has at most {MAX_REPORT} characters; this one has {0}")]
    Text(usize),
    /// `OTHER` without saying what.
    #[error("say in `text` what is wrong with the post, if none of the other reasons is it")]
    TextNeeded,
    /// Another name of the course's.
    #[error("another category of this forum has that name")]
    NameTaken,
    /// Too many categories.
    #[error("a forum has at most {MAX_CATEGORIES} categories: archive one first")]
    TooManyCategories,
    /// A list of categories that is not that of the course.
    #[error("give every category of the forum that is not archived, once: there are {0}")]
    Order(usize),
    /// Without it there would be none.
    #[error("it is the only category in which everybody may begin threads: make another one first")]
    LastCategory,
    /// It takes no new threads.
    #[error("this category is archived: choose another one")]
    Archived,
    /// A thread stays in its course.
    #[error("a thread stays in its course: whoever wrote in it wrote for those who take part in that one")]
    OtherCourse,
    /// It is there already.
    #[error("the thread is in that category")]
    SameCategory,
    /// A thread and itself.
    #[error("a thread can't be merged into itself")]
    SameThread,
    /// It is empty.
    #[error("this thread was merged into another one: go on there")]
    Merged,
    /// The opening post would not be the first.
    #[error(
        "the thread to be merged is the older one, so its first post would come before the other's: merge the other one into it"
    )]
    Older,
    /// Too many posts to move.
    #[error("a thread of more than {MAX_MERGED} posts can't be merged into another; this one has {0}")]
    MergeSize(i64),
    /// Too many are pinned.
    #[error("at most {MAX_PINNED} threads of a forum are pinned: unpin one first")]
    TooManyPinned,
    /// It was reported by her, and nobody has decided yet.
    #[error("you have reported this post; you are notified when it is decided")]
    AlreadyReported,
    /// It is her own.
    #[error("this is your own post: edit or remove it instead")]
    OwnPost,
    /// More than one person may report.
    #[error(
        "you have reported {MAX_REPORTS} posts of this course in {REPORTS_IN_HOURS} hours: write to its instructors instead"
    )]
    TooManyReports,
    /// There is nothing to do.
    #[error("the post was removed already")]
    Removed,
    /// There is nothing to put back.
    #[error("the post was not removed by a moderator: only what a moderator removed can be put back")]
    NotRemoved,
    /// Another moderator was faster.
    #[error("this report was decided already: {}", .0.as_str())]
    Decided(Decision),
    /// She wrote what is to be decided on.
    #[error("it is about a post of your own: another instructor of the course has to decide")]
    OwnReport,
}

/// A moderator, in the forum that she keeps order in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moderator {
    pub(crate) id: AccountId,
    pub(crate) course: CourseId,
}

/// A thread to be changed, and the version that was read of it, where one is given.
pub(crate) type Wanted = (ThreadId, Option<i64>);

impl Moderation {
    /// The service.
    pub fn new(db: Db, clock: Clock, forum: Forum) -> Self {
        Self { db, clock, forum }
    }

    /// Puts a thread above the others. One that is there stays.
    pub(crate) async fn pin(&self, who: Moderator, thread: ThreadId) -> Result<Result<(), Refusal>, DbError> {
        let (mut tx, held) = match self.held(who.course, (thread, None)).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) if held.1.is_pinned => return Ok(Ok(())),
            Ok(held) => held,
        };
        if table::count_pinned(&mut tx, who.course).await? >= MAX_PINNED {
            return Ok(Err(Refusal::TooManyPinned));
        }
        table::pin(&mut tx, &held, Some(self.clock.now())).await?;
        self.done(tx, who, &held, NewEntry::of(Act::PinThread)).await
    }

    /// Lets a thread go back among the others. One that is there stays.
    pub(crate) async fn unpin(&self, who: Moderator, thread: ThreadId) -> Result<Result<(), Refusal>, DbError> {
        let (mut tx, held) = match self.held(who.course, (thread, None)).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) if !held.1.is_pinned => return Ok(Ok(())),
            Ok(held) => held,
        };
        table::pin(&mut tx, &held, None).await?;
        self.done(tx, who, &held, NewEntry::of(Act::UnpinThread)).await
    }

    /// Closes a thread for posts; who reads it reads why. One that is locked gets the new reason.
    pub(crate) async fn lock(
        &self,
        who: Moderator,
        wanted: Wanted,
        reason: &str,
    ) -> Result<Result<(), Refusal>, DbError> {
        let reason = match text(reason, MAX_REASON, Refusal::Reason) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(reason) => reason,
        };
        let (mut tx, held) = match self.held(who.course, wanted).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) => held,
        };
        table::lock(&mut tx, (who.course, held.id), Some((self.clock.now(), reason))).await?;
        store::attention::list(&mut tx, who.course, held.id).await?;
        self.done(tx, who, &held, NewEntry { reason: Some(reason), ..NewEntry::of(Act::LockThread) }).await
    }

    /// Opens a locked thread for posts.
    pub(crate) async fn unlock(&self, who: Moderator, wanted: Wanted) -> Result<Result<(), Refusal>, DbError> {
        let (mut tx, held) = match self.held(who.course, wanted).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) if !held.1.is_locked => return Ok(Ok(())),
            Ok(held) => held,
        };
        table::lock(&mut tx, (who.course, held.id), None).await?;
        store::attention::list(&mut tx, who.course, held.id).await?;
        self.done(tx, who, &held, NewEntry::of(Act::UnlockThread)).await
    }

    /// Gives a thread another title: its author does, or a moderator. The old one is kept.
    pub(crate) async fn rename(
        &self,
        who: Moderator,
        moderates: bool,
        wanted: Wanted,
        title: &str,
    ) -> Result<Result<(), Refusal>, DbError> {
        let title = match text(title, MAX_TITLE, Refusal::Title) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(title) => title,
        };
        let (mut tx, held) = match self.held(who.course, wanted).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) if held.1.author_id != who.id && !moderates => return Ok(Err(Refusal::NotAModerator)),
            Ok(held) if held.1.title == title => return Ok(Ok(())),
            Ok(held) => held,
        };
        let is_author = held.author_id == who.id;
        let renamed_as = if is_author { RemovedAs::Author } else { RemovedAs::Moderator };
        table::rename(&mut tx, &held, title, (self.clock.id(), self.clock.now(), renamed_as)).await?;
        if is_author {
            live::announce(&mut tx, &Event::ThreadChanged { course: who.course, thread: held.id });
            tx.commit().await?;
            return Ok(Ok(()));
        }
        let entry = NewEntry { before: Some(&held.title), after: Some(title), ..NewEntry::of(Act::RenameThread) };
        self.done(tx, who, &held, entry).await
    }

    /// Puts a thread into another category of the same course.
    pub(crate) async fn move_thread(
        &self,
        who: Moderator,
        wanted: Wanted,
        category: CategoryId,
    ) -> Result<Result<(), Refusal>, DbError> {
        let (mut tx, held) = match self.held(who.course, wanted).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) => held,
        };
        let categories = store::categories::hold(&mut tx, who.course).await?;
        let Some(to) = categories.iter().find(|found| found.id == category) else {
            return Ok(Err(Refusal::NoSuchCategory));
        };
        if to.id == held.category_id {
            return Ok(Err(Refusal::SameCategory));
        }
        if to.archived_at.is_some() {
            return Ok(Err(Refusal::Archived));
        }
        table::move_to(&mut tx, &held, category).await?;
        let from = categories.iter().find(|found| found.id == held.category_id).map(|found| found.name.as_str());
        let entry =
            NewEntry { category: Some(category), before: from, after: Some(&to.name), ..NewEntry::of(Act::MoveThread) };
        self.done(tx, who, &held, entry).await
    }

    /// Moves the posts of a thread into an older one, where they stand by the time at which they were written. The thread
    /// itself stays, empty, and leads there.
    pub(crate) async fn merge(
        &self,
        who: Moderator,
        wanted: Wanted,
        into: ThreadId,
        reason: Option<&str>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let reason = match reason.map(|reason| text(reason, MAX_REASON, Refusal::Reason)).transpose() {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(reason) => reason,
        };
        if wanted.0 == into {
            return Ok(Err(Refusal::SameThread));
        }
        let mut tx = self.db.begin().await?;
        // In the order of their ids, so that two merges of the same threads don't wait for each other.
        let first = table::hold(&mut tx, who.course, wanted.0.min(into)).await?;
        let second = table::hold(&mut tx, who.course, wanted.0.max(into)).await?;
        let (from, into) = if wanted.0 < into { (first, second) } else { (second, first) };
        let (Some(from), Some(into)) = (from, into) else { return Ok(Err(Refusal::NoSuchThread)) };
        if let Err(refusal) = mergeable(&from, &into, wanted.1) {
            return Ok(Err(refusal));
        }
        table::merge(&mut tx, &from, &into).await?;
        notifications::merged(&mut tx, who.course, from.id, into.id).await?;
        attention::recount(&mut tx, who.course, from.id).await?;
        attention::recount(&mut tx, who.course, into.id).await?;
        live::announce(&mut tx, &Event::ThreadChanged { course: who.course, thread: into.id });
        let entry =
            NewEntry { reason, before: Some(&from.title), after: Some(&into.title), ..NewEntry::of(Act::MergeThreads) };
        self.done(tx, who, &from, entry).await
    }

    /// A page of a forum's log of what its moderators did, the latest first, as one of them reads it.
    pub(crate) async fn log(&self, who: Moderator, request: &PageRequest<TimeKey>) -> Result<Page<Entry>, DbError> {
        Ok(Page::from_rows(table::log(&self.db, who.course, who.id, request).await?, request))
    }

    /// Begins a transaction with a thread that nobody else changes until it ends.
    async fn held(&self, course: CourseId, (thread, version): Wanted) -> Result<Result<(Tx, Held), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let Some(held) = table::hold(&mut tx, course, thread).await? else { return Ok(Err(Refusal::NoSuchThread)) };
        Ok(match version {
            _ if held.merged_into.is_some() => Err(Refusal::Merged),
            Some(read) if read != held.version => Err(Refusal::Stale(held.version)),
            _ => Ok((tx, held)),
        })
    }

    /// Begins a transaction with a post and its thread, which nobody else changes until it ends: the thread first, as everywhere.
    async fn held_post(
        &self,
        course: CourseId,
        (post, version): (PostId, Option<i64>),
    ) -> Result<Result<(Tx, Thread, Post), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        Ok(match forum::locked(&mut tx, (course, post)).await? {
            Err(forum::Refusal::Stale(present)) => Err(Refusal::Stale(present)),
            Err(_) => Err(Refusal::NoSuchPost),
            Ok((_, post)) if version.is_some_and(|read| read != post.version) => Err(Refusal::Stale(post.version)),
            Ok((thread, post)) => Ok((tx, thread, post)),
        })
    }

    /// Notes what was done to a thread, tells its author and those who look at it, and commits.
    async fn done(
        &self,
        mut tx: Tx,
        who: Moderator,
        held: &Held,
        entry: NewEntry<'_>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let entry = NewEntry { thread: Some(held.id), about: Some(held.author_id), ..entry };
        self.note(&mut tx, who, &entry).await?;
        live::announce(&mut tx, &Event::ThreadChanged { course: who.course, thread: held.id });
        self.tell_author(&mut tx, who, held.author_id, held.id).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Adds a line to the log.
    async fn note(&self, tx: &mut Tx, who: Moderator, entry: &NewEntry<'_>) -> Result<(), DbError> {
        table::note(tx, who.course, (self.clock.id(), self.clock.now(), who.id), entry).await
    }

    /// Notifies the author of what was moderated, unless it was she who did it.
    async fn tell_author(
        &self,
        tx: &mut Tx,
        who: Moderator,
        author: AccountId,
        thread: ThreadId,
    ) -> Result<(), DbError> {
        if author == who.id {
            return Ok(());
        }
        let new = NewNotification {
            person: author,
            kind: NotificationKind::Moderated,
            course: Some(who.course),
            subject: Some(thread.0),
        };
        notifications::notify(tx, &self.clock, &[new]).await
    }

    /// Notifies those who reported a post that it was decided.
    async fn tell_reporters(&self, tx: &mut Tx, who: Moderator, report: ReportId) -> Result<(), DbError> {
        let reporters = store::reports::reporters(tx, who.course, report).await?;
        let new: Vec<_> = reporters
            .into_iter()
            .filter(|reporter| *reporter != who.id)
            .map(|person| NewNotification {
                person,
                kind: NotificationKind::ReportDecided,
                course: Some(who.course),
                subject: Some(report.0),
            })
            .collect();
        notifications::notify(tx, &self.clock, &new).await
    }
}

/// Whether the posts of one thread may be moved into the other.
fn mergeable(from: &Held, into: &Held, version: Option<i64>) -> Result<(), Refusal> {
    if from.merged_into.is_some() || into.merged_into.is_some() {
        Err(Refusal::Merged)
    } else if version.is_some_and(|read| read != from.version) {
        Err(Refusal::Stale(from.version))
    } else if (from.created_at, from.id) < (into.created_at, into.id) {
        Err(Refusal::Older)
    } else if from.post_count > MAX_MERGED {
        Err(Refusal::MergeSize(from.post_count))
    } else {
        Ok(())
    }
}

/// A text without the spaces around it, if it is neither empty nor too long.
fn text(text: &str, most: usize, refusal: fn(usize) -> Refusal) -> Result<&str, Refusal> {
    let text = text.trim();
    let letters = text.chars().count();
    if (1..=most).contains(&letters) { Ok(text) } else { Err(refusal(letters)) }
}
