//! Notifications in the graph.

mod follows;
mod preferences;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{
    MOST_COUNTED, Refusal,
    model::{self, NotificationKind as Kind},
};
use crate::{
    access::{Anywhere, Category, Permit, Standing, TokenScope, tags},
    accounts::graphql::Person,
    announcements::graphql::Announcement,
    courses::graphql::Course,
    db::page::TimeKey,
    forum::graphql::{Post, Thread},
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, AnnouncementId, CourseId, NotificationId, PostId, ThreadId},
};

pub(crate) use follows::{FollowMutation, mentionable, viewer_follows_forum, viewer_follows_thread};
pub(crate) use preferences::{NotificationPreferences, PreferenceMutation};

/// The names of the lists for cursors.
const NOTIFICATIONS: &str = "notifications";
const UNREAD: &str = "unread notifications";
/// So many are marked as read at once.
const MOST_MARKED: usize = 100;

/// What somebody is notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub(crate) enum NotificationKind {
    /// New posts in a thread that she follows; for staff who follow a forum, a new thread.
    Post,
    /// A reply to a post of hers.
    Reply,
    /// She was mentioned in a post.
    Mention,
    /// Her answer was accepted.
    AnswerAccepted,
    /// Her answer was endorsed by staff.
    AnswerEndorsed,
    /// A moderator edited or removed a post of hers, or locked or moved her thread.
    Moderated,
    /// What she reported was decided.
    ReportDecided,
    /// An announcement in a course that she takes.
    Announcement,
    /// A private message.
    Message,
    /// A seat in a course that she waited for is hers.
    SeatOffered,
    /// She was invited to a course.
    Invited,
    /// The content of a course that she takes has changed.
    ContentChanged,
}

/// Something that somebody is notified of. Only she sees it. What it is about is shown as she may see it now: of a forum that is
/// no longer for her, or of what was removed, there is nothing.
#[derive(Clone)]
pub(crate) struct Notification(model::Notification);

impl Notification {
    /// The notification, if it is the viewer's own.
    pub(crate) async fn find(scope: &Scope, person: AccountId, id: NotificationId) -> Result<Option<Self>, Fault> {
        if !is_own(scope, person).await? {
            return Ok(None);
        }
        Ok(scope.app.notifications.find(person, id).await?.map(Self))
    }

    /// A page of somebody's notifications.
    pub(crate) async fn list(
        scope: &Scope,
        person: AccountId,
        unread: bool,
        paging: &Paging,
        _permit: Permit<tags::Notification>,
    ) -> Result<Pages<Self>, Fault> {
        let list = if unread { UNREAD } else { NOTIFICATIONS };
        let page = scope.app.notifications.page(person, unread, &paging.request(scope, list)?).await?;
        let key = |row: &model::Notification| -> TimeKey { (row.updated_at.0, row.id.0) };
        connection(scope, list, &page, key, |row| Self(row.clone()))
    }

    /// How many somebody has not read.
    pub(crate) async fn unread(
        scope: &Scope,
        person: AccountId,
        _permit: Permit<tags::Notification>,
    ) -> Result<i32, Fault> {
        Ok(int(scope.app.notifications.unread(person).await?))
    }

    fn about(&self, is_wanted: bool) -> Option<(CourseId, uuid::Uuid)> {
        self.0.course.zip(self.0.subject).filter(|_| is_wanted)
    }

    async fn find_post(&self, scope: &Scope) -> Result<Option<Post>, Fault> {
        match self.about(self.0.kind.is_about_a_post()) {
            Some((course, id)) => Post::find(scope, course, PostId(id)).await,
            None => Ok(None),
        }
    }

    async fn find_thread(&self, scope: &Scope) -> Result<Option<Thread>, Fault> {
        if let Some((course, id)) = self.about(self.0.kind == Kind::Moderated) {
            return Thread::find(scope, course, ThreadId(id)).await;
        }
        let Some((course, id)) = self.about(self.0.kind.is_about_a_post()) else { return Ok(None) };
        match scope.load().posts.get((course, PostId(id))).await? {
            Some(post) => Thread::find(scope, course, post.thread_id).await,
            None => Ok(None),
        }
    }
}

/// Whether these are the viewer's own notifications, and she looks with her own eyes.
async fn is_own(scope: &Scope, person: AccountId) -> Result<bool, Fault> {
    let standing: Standing<Anywhere> = scope.load().relations.get(person).await?.0;
    Ok(standing.shows(Category::Notification))
}

/// Something that somebody is notified of. Only she sees it. What it is about is shown as she may see it now: of a forum that is
/// no longer for her, or of what was removed, there is nothing.
#[Object]
impl Notification {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Notification(self.0.person, self.0.id).encode()
    }

    /// Of what.
    async fn kind(&self) -> NotificationKind {
        self.0.kind.into()
    }

    /// For how many it stands: new posts of a thread, and messages of a conversation, are one until it is read or mailed.
    async fn count(&self) -> i32 {
        int(self.0.times)
    }

    /// When it came; of several, the first.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the last of several came. The list is in this order.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// When you marked it as read; null if you did not.
    async fn read_at(&self) -> Option<DateTime> {
        self.0.read_at.map(DateTime)
    }

    /// In which course; null also where the course is not for you.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course?).await.transpose()
    }

    /// The post that it is about; of several, the first. Who wrote it is told by its `author` alone.
    async fn post(&self, ctx: &Context<'_>) -> Option<Result<Post, Fault>> {
        self.find_post(scope(ctx)).await.transpose()
    }

    /// The thread that it is about, or that its post is in.
    async fn thread(&self, ctx: &Context<'_>) -> Option<Result<Thread, Fault>> {
        self.find_thread(scope(ctx)).await.transpose()
    }

    /// The announcement that it is about.
    async fn announcement(&self, ctx: &Context<'_>) -> Option<Result<Announcement, Fault>> {
        let (course, id) = self.about(self.0.kind == Kind::Announcement)?;
        Announcement::find(scope(ctx), course, AnnouncementId(id)).await.transpose()
    }
}

/// Which notifications you have read. Give either or both.
#[derive(Debug, InputObject)]
pub(crate) struct MarkNotificationsReadInput {
    /// Their global ids, at most 100.
    ids: Option<Vec<ID>>,
    /// All whose last one came up to this instant: the `updatedAt` of the first that you have on the screen.
    until: Option<DateTime>,
}

/// What became of `markNotificationsRead`.
#[derive(SimpleObject)]
pub(crate) struct MarkNotificationsReadPayload {
    /// You; null if there were errors: then nothing was marked.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

pub(super) fn user_error(refusal: Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchThread => (UserErrorCode::NotFound, &["threadId"]),
        Refusal::NoSuchCourse => (UserErrorCode::NotFound, &["courseId"]),
        Refusal::NotStaff => (UserErrorCode::NotAllowed, &["courseId"]),
        Refusal::TooManyMutes => (UserErrorCode::TooMany, &["input"]),
        Refusal::NoSuchNotification => (UserErrorCode::NotFound, &["input", "ids"]),
        Refusal::Nothing => (UserErrorCode::OutOfRange, &["input"]),
    };
    UserError::new(code, path, &refusal)
}

/// Reading notifications.
#[derive(Default)]
pub(crate) struct NotificationMutation;

/// Reading notifications.
#[async_graphql::Object]
impl NotificationMutation {
    /// Marks notifications of yours as read.
    async fn mark_notifications_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: MarkNotificationsReadInput,
    ) -> Result<MarkNotificationsReadPayload, Fault> {
        let scope = scope(ctx);
        let person = scope.account_for(TokenScope::Write)?;
        let refused = |refusal| MarkNotificationsReadPayload { person: None, user_errors: vec![user_error(refusal)] };
        let given = input.ids.unwrap_or_default();
        if given.len() > MOST_MARKED || given.is_empty() && input.until.is_none() {
            return Ok(refused(Refusal::Nothing));
        }
        let mut ids = Vec::with_capacity(given.len());
        for id in &given {
            match node::notification_id(id)? {
                (of, id) if of == person => ids.push(id),
                _ => return Ok(refused(Refusal::NoSuchNotification)),
            }
        }
        scope.app.notifications.mark_read(person, &ids, input.until.map(|until| until.0)).await?;
        scope.forget();
        Ok(MarkNotificationsReadPayload { person: Person::load(scope, person).await?, user_errors: Vec::new() })
    }
}

const _: () = assert!(MOST_COUNTED == 100, "the schema says so: `Person.unreadNotifications`");
