//! Bookmarks: what somebody wants to find again, each with a note of her own if she wants one.
//!
//! A bookmark holds ids. What it leads to is found when somebody looks, by the same question as from every other path; what she
//! may not see any more is null.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use crate::{
    db::{Db, DbError},
    ids::{AccountId, BookmarkId},
    time::Clock,
};
use model::Thing;

/// So many bookmarks somebody may have.
pub const MAX_BOOKMARKS: i64 = 5_000;
/// The longest note, in characters.
pub const MAX_NOTE: usize = 2_000;

/// The service of bookmarks.
#[derive(Clone, Debug)]
pub struct Bookmarks {
    db: Db,
    clock: Clock,
}

/// Why something was not done: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such thing, or not for the viewer.
    #[error("there is no such course, lesson, thread or post, or it is not for you")]
    NoSuchThing,
    /// No such bookmark of hers.
    #[error("you have no such bookmark")]
    NoSuchBookmark,
    /// Too long.
    #[error("a note has at most {MAX_NOTE} characters; this one has {0}")]
    Note(usize),
    /// As many as there may be.
    #[error("you have {MAX_BOOKMARKS} bookmarks, which is as many as there may be: remove one first")]
    TooMany,
}

impl Bookmarks {
    /// The service.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Bookmarks something that the person may see. What is bookmarked already stays as it is, with its note.
    pub async fn add(
        &self,
        person: AccountId,
        thing: Thing,
        note: Option<&str>,
    ) -> Result<Result<BookmarkId, Refusal>, DbError> {
        let note = match checked(note) {
            Ok(note) => note,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut tx = self.db.begin().await?;
        if let Some(id) = store::find(&mut tx, person, thing).await? {
            return Ok(Ok(id));
        }
        if store::count(&mut tx, person).await? >= MAX_BOOKMARKS {
            return Ok(Err(Refusal::TooMany));
        }
        let id = self.clock.id();
        if store::insert(&mut tx, (person, id), thing, note.as_deref(), self.clock.now()).await? {
            tx.commit().await?;
            return Ok(Ok(id));
        }
        Ok(store::find(&mut tx, person, thing).await?.ok_or(Refusal::NoSuchThing))
    }

    /// Writes another note on a bookmark, or takes it off.
    pub async fn note(&self, key: (AccountId, BookmarkId), note: Option<&str>) -> Result<Result<(), Refusal>, DbError> {
        let note = match checked(note) {
            Ok(note) => note,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let found = store::note(&self.db, key, note.as_deref()).await?;
        Ok(if found { Ok(()) } else { Err(Refusal::NoSuchBookmark) })
    }

    /// Removes a bookmark; where there is none, nothing changes.
    pub async fn remove(&self, key: (AccountId, BookmarkId)) -> Result<(), DbError> {
        store::delete(&self.db, key).await
    }
}

/// A note as it is kept: a blank one is none.
fn checked(note: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(note) = note else { return Ok(None) };
    let note = note.trim().replace('\0', "");
    let letters = note.chars().count();
    if letters > MAX_NOTE { Err(Refusal::Note(letters)) } else { Ok(Some(note).filter(|note| !note.is_empty())) }
}
