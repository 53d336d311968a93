//! What somebody is notified of, in the graph and by mail, and what she follows.
//!
//! A notification holds ids. What its reader gets to see is read, and decided by the policy, when she reads it: so who
//! wrote anonymously stays so, and what is no longer for her is not there.
//!
//! Invariant: nobody is told of what she may not read at that time, nor of what she did herself; and of a post she is told
//! once, as the closest thing that it is to her.
//!
//! Invariant: a notification goes into one digest at most.

pub(crate) mod digest;
pub(crate) mod graphql;
pub(crate) mod loaders;
mod mentions;
pub mod model;
mod preferences;
pub(crate) mod store;
mod telling;
mod work;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    accounts::secret::SecretKey,
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CourseId, NotificationId, ThreadId},
    time::{Clock, Timestamp},
};
use model::{MailFrequency, Notification, NotificationKind};

pub use telling::merged;
pub(crate) use telling::{notify, posted, retracted, told};

/// Unread ones are counted up to this; whoever has more has "99+".
pub const MOST_COUNTED: i64 = 100;
/// So many courses and threads somebody can mute.
pub const MAX_MUTES: i64 = 500;
/// So many people `mentionable` offers.
pub const MOST_MENTIONABLE: usize = 10;
/// So many of a course's learners are looked through for it, the latest first.
const LOOKED_THROUGH: i64 = 2_000;
/// So long what was read is kept, in days.
pub const READ_KEPT_DAYS: i64 = 90;
/// So long what was not read is kept, in days.
pub const KEPT_DAYS: i64 = 365;
/// What the link in a digest is sealed for.
const UNSUBSCRIBE: &str = "unsubscribe";

/// The service.
#[derive(Clone)]
pub struct Notifications {
    db: Db,
    clock: Clock,
    key: SecretKey,
}

/// Why something of notifications was not changed: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The thread is not there, or not for the viewer.
    #[error("there is no such thread")]
    NoSuchThread,
    /// The course is not there, or its forum is not for the viewer.
    #[error("there is no such course, or you don't take part in it")]
    NoSuchCourse,
    /// Following a whole forum is for staff.
    #[error("only those who teach a course can follow all of its threads: follow single ones")]
    NotStaff,
    /// There are too many already.
    #[error("you have muted {MAX_MUTES} courses and threads, and can't mute more: end some of these first")]
    TooManyMutes,
    /// The notification is somebody else's.
    #[error("this is no notification of yours")]
    NoSuchNotification,
    /// There is nothing to mark.
    #[error("say which: give `ids`, at most 100, or `before`")]
    Nothing,
}

impl Notifications {
    /// The service.
    pub(crate) fn new(db: Db, clock: Clock, key: SecretKey) -> Self {
        Self { db, clock, key }
    }

    /// A page of somebody's notifications, the latest first; with `unread`, of those that she has not read.
    pub(crate) async fn page(
        &self,
        person: AccountId,
        unread: bool,
        request: &PageRequest<TimeKey>,
    ) -> Result<Page<Notification>, DbError> {
        Ok(Page::from_rows(store::page(&self.db, person, unread, request).await?, request))
    }

    /// A notification of hers.
    pub(crate) async fn find(&self, person: AccountId, id: NotificationId) -> Result<Option<Notification>, DbError> {
        store::find(&self.db, person, id).await
    }

    /// How many she has not read, up to [`MOST_COUNTED`].
    pub(crate) async fn unread(&self, person: AccountId) -> Result<i64, DbError> {
        store::count_unread(&self.db, person, MOST_COUNTED).await
    }

    /// Notes that she has read these, and those that came up to an instant. Those that are gone are no error.
    pub(crate) async fn mark_read(
        &self,
        person: AccountId,
        ids: &[NotificationId],
        until: Option<Timestamp>,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !ids.is_empty() {
            store::mark_read(&mut tx, person, ids, now).await?;
        }
        if let Some(until) = until {
            store::mark_read_until(&mut tx, person, until, now).await?;
        }
        tx.commit().await
    }

    /// Follows a thread, or does not any more. She may read it.
    pub(crate) async fn follow(
        &self,
        person: AccountId,
        thread: (CourseId, ThreadId),
        follows: bool,
    ) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        if follows {
            store::follows::follow(&mut tx, thread, person, self.clock.now()).await?;
        } else {
            store::follows::unfollow(&mut tx, thread, person).await?;
        }
        tx.commit().await
    }

    /// Hears of every new thread of a course, or does not any more. She teaches it.
    pub(crate) async fn follow_forum(&self, person: AccountId, course: CourseId, follows: bool) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        store::follows::follow_forum(&mut tx, course, person, follows.then(|| self.clock.now())).await?;
        tx.commit().await
    }

    /// Those who can be mentioned in a course's forum, and have a name that begins with these letters, or a part of it that
    /// does: staff, and with `completed_since` those who take the course and did not complete it before.
    pub(crate) async fn mentionable(
        &self,
        course: CourseId,
        prefix: &str,
        completed_since: Option<Timestamp>,
    ) -> Result<Vec<AccountId>, DbError> {
        let mut people = store::follows::names_of_staff(&self.db, course).await?;
        if let Some(since) = completed_since {
            people.extend(store::follows::names_of_learners(&self.db, course, since, LOOKED_THROUGH).await?);
        }
        let prefix = prefix.trim().to_lowercase();
        let mut fitting: Vec<_> = people
            .into_iter()
            .map(|(person, name)| (name.to_lowercase(), person))
            .filter(|(name, _)| {
                name.starts_with(&prefix)
                    || name.split_whitespace().any(|part| !prefix.is_empty() && part.starts_with(&prefix))
            })
            .collect();
        fitting.sort();
        fitting.dedup();
        Ok(fitting.into_iter().take(MOST_MENTIONABLE).map(|(_, person)| person).collect())
    }

    /// The token of the link that ends all digests of a person. It works for ever, and tells nobody who she is.
    pub fn unsubscribe_token(&self, person: AccountId) -> String {
        URL_SAFE_NO_PAD.encode(self.key.seal_alike(UNSUBSCRIBE, person.0.as_bytes()))
    }

    /// Whether this token was made here.
    pub(crate) fn is_subscriber(&self, token: &str) -> bool {
        self.subscriber(token).is_some()
    }

    /// Whose token this is; `None` if it was not made here.
    fn subscriber(&self, token: &str) -> Option<AccountId> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let person = self.key.unseal_alike(UNSUBSCRIBE, &sealed)?;
        uuid::Uuid::from_slice(&person).ok().map(AccountId)
    }

    /// No more digests for the person whose token this is. Whether there was anybody shows to nobody.
    pub(crate) async fn unsubscribe(&self, token: &str) -> Result<bool, DbError> {
        let Some(person) = self.subscriber(token) else { return Ok(false) };
        store::preferences::unsubscribe(&self.db, person).await?;
        Ok(true)
    }
}

/// A kind that is told by mail at all.
fn is_mailed(kind: NotificationKind, said: &[(NotificationKind, model::Channels)]) -> bool {
    let channels = said.iter().find(|(of, _)| *of == kind).map_or_else(|| kind.channels(), |(_, channels)| *channels);
    channels.mail != MailFrequency::Never
}
