//! Announcements: what the instructors of a course say to all who take it.
//!
//! One is out from its time on, to the second: that is decided when it is read. That its learners are told is work for the
//! server, which notes in the same transaction that it was begun; they are told in parts (`notifications/telling.rs`), so that
//! a hundred thousand of them hold nobody up.
//!
//! Invariant: what is not out yet, or was retracted, is known to nobody but the course's staff.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use std::time::Duration;

use crate::{
    db::{Db, DbError, Tx},
    idempotency::{Claim, Key, KeyRefusal},
    ids::{AccountId, AnnouncementId, CourseId},
    live::{self, model::Event},
    notifications,
    time::{Clock, Timestamp},
};
use model::{AnnouncementChange, AnnouncementState, NewAnnouncement, Publication};
use store::{Change, Text};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 300;
/// The longest text, in characters.
pub const MAX_BODY: usize = 50_000;
/// So many drafts and scheduled ones a course can have.
pub const MAX_PLANNED: i64 = 100;
/// So often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The service.
#[derive(Clone, Debug)]
pub struct Announcements {
    db: Db,
    clock: Clock,
}

/// Why nothing was announced or changed: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such course, or it is not for the viewer.
    #[error("there is no such course")]
    NoSuchCourse,
    /// No such announcement, or it is not for the viewer.
    #[error("there is no such announcement")]
    NoSuchAnnouncement,
    /// It is for instructors.
    #[error("only the instructors of a course announce something to it")]
    NotInstructor,
    /// Empty or too long.
    #[error("a title has 1 to {MAX_TITLE} characters; this one has {0}")]
    Title(usize),
    /// Empty or too long.
    #[error("an announcement has 1 to {MAX_BODY} characters; this one has {0}")]
    Body(usize),
    /// A time that is over.
    #[error("`publishAt` is over: leave it out to publish at once")]
    Past,
    /// Two ways to publish it.
    #[error("a draft has no `publishAt`: leave one of them out")]
    DraftWithTime,
    /// It is out.
    #[error("it is published: it can be edited and retracted, but not be put off")]
    IsPublished,
    /// It was taken back.
    #[error("it was retracted: write a new one")]
    IsRetracted,
    /// Too many that are not out.
    #[error("a course has at most {MAX_PLANNED} announcements that are not published: publish or retract some first")]
    TooMany,
    /// Somebody else was quicker.
    #[error("somebody has changed it since you read it: read it again, and give its present version")]
    Stale,
    /// Of the idempotency key.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
}

impl Announcements {
    /// The service.
    pub(crate) fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Announces something, or plans to. The author may do so.
    pub(crate) async fn create(
        &self,
        author: AccountId,
        course: CourseId,
        new: &NewAnnouncement,
        key: Option<&str>,
    ) -> Result<Result<AnnouncementId, Refusal>, DbError> {
        let now = self.clock.now();
        let text = match text(&new.title, &new.body) {
            Ok(text) => text,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let publish_at = match time(new.publication, now) {
            Ok(at) => at,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let when = publish_at.filter(|_| new.publication != Publication::Now).map_or(0, |at| at.0);
        let content: [&[u8]; 4] =
            [course.0.as_bytes(), text.title.as_bytes(), text.body.as_bytes(), &when.to_be_bytes()];
        let key = match key.map(|key| Key::new(author, key, "createAnnouncement", &content)).transpose() {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let mut tx = self.db.begin().await?;
        if let Some(key) = &key {
            match key.claim(&mut tx, now).await? {
                Claim::First => {}
                Claim::Again(made) => {
                    let made = uuid::Uuid::try_parse(&made).map(AnnouncementId);
                    return Ok(made.map_err(|_| Refusal::NoSuchAnnouncement));
                }
                Claim::Other => return Ok(Err(KeyRefusal::Reused.into())),
            }
        }
        let is_out = publish_at.is_some_and(|at| at <= now);
        if !is_out && store::count_planned(&mut tx, course).await? >= MAX_PLANNED {
            return Ok(Err(Refusal::TooMany));
        }
        let id: AnnouncementId = self.clock.id();
        store::insert(&mut tx, (course, id), author, &text, (publish_at, is_out.then_some(now)), now).await?;
        if is_out {
            self.tell(&mut tx, (course, id), author).await?;
        }
        if let Some(key) = &key {
            key.keep(&mut tx, &id.0.simple().to_string()).await?;
        }
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// Changes an announcement of that version. One that is out keeps its time.
    pub(crate) async fn change(
        &self,
        (course, id): (CourseId, AnnouncementId),
        version: i64,
        change: &AnnouncementChange,
    ) -> Result<Result<(), Refusal>, DbError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some((before, said)) = store::find(&mut tx, (course, id)).await? else {
            return Ok(Err(Refusal::NoSuchAnnouncement));
        };
        let state = before.state(now);
        if before.version != version {
            return Ok(Err(Refusal::Stale));
        }
        if state == AnnouncementState::Retracted {
            return Ok(Err(Refusal::IsRetracted));
        }
        let title = change.title.as_ref().unwrap_or(&said.title);
        let text = match text(title, change.body.as_ref().unwrap_or(&said.body)) {
            Ok(text) => text,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let publish_at = match change.publication {
            None => before.publish_at,
            Some(_) if state == AnnouncementState::Published => return Ok(Err(Refusal::IsPublished)),
            Some(publication) => match time(publication, now) {
                Ok(at) => at,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let comes_out = state != AnnouncementState::Published && publish_at.is_some_and(|at| at <= now);
        let change = Change {
            text,
            publish_at,
            told_at: comes_out.then_some(now),
            edited_at: if state == AnnouncementState::Published { Some(now) } else { before.edited_at },
        };
        if !store::update(&mut tx, (course, id), version, &change).await? {
            return Ok(Err(Refusal::Stale));
        }
        if comes_out {
            self.tell(&mut tx, (course, id), before.author_id).await?;
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Takes an announcement of that version back, with the notifications of it.
    pub(crate) async fn retract(
        &self,
        (course, id): (CourseId, AnnouncementId),
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some((before, _)) = store::find(&mut tx, (course, id)).await? else {
            return Ok(Err(Refusal::NoSuchAnnouncement));
        };
        if before.version != version {
            return Ok(Err(Refusal::Stale));
        }
        if before.retracted_at.is_some() {
            return Ok(Err(Refusal::IsRetracted));
        }
        if !store::retract(&mut tx, (course, id), version, now).await? {
            return Ok(Err(Refusal::Stale));
        }
        if before.is_out(now) {
            notifications::retracted(&mut tx, &self.clock, (course, id)).await?;
            live::announce(&mut tx, &Event::Announced { course, announcement: id });
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Tells the learners of those whose time has come. Answers with how many there were.
    pub async fn publish_due(&self) -> Result<usize, DbError> {
        let now = self.clock.now();
        let mut told = 0;
        for key in store::due(&self.db, now).await? {
            let mut tx = self.db.begin().await?;
            if let Some(author) = store::tell(&mut tx, key, now).await? {
                self.tell(&mut tx, key, author).await?;
                tx.commit().await?;
                told += 1;
            }
        }
        Ok(told)
    }

    /// Tells the learners of those whose time has come, until the future is dropped.
    pub async fn keep_publishing(&self) {
        loop {
            if let Err(error) = self.publish_due().await {
                tracing::warn!(%error, "announcements wait");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn tell(&self, tx: &mut Tx, key: (CourseId, AnnouncementId), author: AccountId) -> Result<(), DbError> {
        notifications::told(tx, &self.clock, key, author).await?;
        live::announce(tx, &Event::Announced { course: key.0, announcement: key.1 });
        Ok(())
    }
}

fn text(title: &str, body: &str) -> Result<Text, Refusal> {
    let title = title.trim();
    let letters = |text: &str| if text.trim().is_empty() { 0 } else { text.chars().count() };
    match (letters(title), letters(body)) {
        (length, _) if !(1..=MAX_TITLE).contains(&length) => Err(Refusal::Title(length)),
        (_, length) if !(1..=MAX_BODY).contains(&length) => Err(Refusal::Body(length)),
        _ => Ok(Text { title: title.to_owned(), body: body.to_owned() }),
    }
}

fn time(publication: Publication, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    match publication {
        Publication::Draft => Ok(None),
        Publication::Now => Ok(Some(now)),
        Publication::At(at) if at <= now => Err(Refusal::Past),
        Publication::At(at) => Ok(Some(at)),
    }
}
