//! Beginning threads, and answering.

use super::{
    FIRST_CATEGORY, Forum, MAX_BODY, MAX_DEPTH, MAX_TITLE, Refusal, first_category, length,
    model::{ASKER_ALIAS, Actor, Anonymity, NewPost, NewThread, Post, Thread},
    moderation::{attention, categories::for_new_thread},
    store::{self, posts::NewPostRow, threads::NewThreadRow},
};
use crate::{
    db::{DbError, Tx},
    idempotency::{Claim, Key, KeyRefusal},
    ids::{CourseId, PostId, ThreadId},
    live::{self, model::Event},
    markdown,
    notifications::{self, model::Posted},
};

impl Forum {
    /// Begins a thread with its first post. The author may take part in the course's forum.
    pub async fn create_thread(
        &self,
        actor: &Actor,
        course: CourseId,
        new: NewThread,
    ) -> Result<Result<Thread, Refusal>, DbError> {
        let title = new.title.trim();
        let key = length(title, MAX_TITLE, Refusal::Title)
            .and_then(|()| fits(actor, &new.body, new.anonymity))
            .and_then(|()| thread_key(actor, course, &new));
        let key = match key {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let categories = store::categories_of_courses(&self.db, &[course]).await?;
        let wanted = match for_new_thread(&categories, new.category_id, actor.is_staff) {
            Err(not_here) => return Ok(Err(not_here.into())),
            Ok(wanted) => wanted,
        };
        let mut tx = self.db.begin().await?;
        match self.claim(&mut tx, key.as_ref()).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(Some(made)) => {
                drop(tx);
                let thread = store::threads::threads(&self.db, &[(course, ThreadId(made))]).await?.pop();
                return Ok(thread.ok_or(Refusal::NoSuchThread));
            }
            Ok(None) => {}
        }
        let category_id = wanted.unwrap_or_else(|| first_category(course));
        if wanted.is_none() {
            store::insert_category(&mut tx, course, category_id, 0, FIRST_CATEGORY).await?;
        }
        let (id, now) = (self.clock.id(), self.clock.now());
        let thread = NewThreadRow {
            course_id: course,
            id,
            category_id,
            author_id: actor.account,
            kind: new.kind,
            title,
            created_at: now,
            anonymity: new.anonymity,
        };
        store::threads::insert_thread(&mut tx, &thread).await?;
        let post = NewPostRow {
            course_id: course,
            id: self.clock.id(),
            thread_id: id,
            author_id: actor.account,
            reply_to: None,
            depth: 0,
            body: &new.body,
            created_at: now,
            anonymity: new.anonymity,
            alias: (new.anonymity != Anonymity::None).then_some(ASKER_ALIAS),
        };
        self.add(&mut tx, &post, None).await?;
        if let Some(key) = &key {
            key.keep(&mut tx, &id.0.to_string()).await?;
        }
        tx.commit().await?;
        let thread = store::threads::threads(&self.db, &[(course, id)]).await?.pop();
        Ok(thread.ok_or(Refusal::NoSuchThread))
    }

    /// Adds a post to a thread. The author may take part in the course's forum.
    pub async fn create_post(
        &self,
        actor: &Actor,
        (course, thread): (CourseId, ThreadId),
        new: NewPost,
    ) -> Result<Result<Post, Refusal>, DbError> {
        let key = fits(actor, &new.body, new.anonymity).and_then(|()| post_key(actor, (course, thread), &new));
        let key = match key {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut tx = self.db.begin().await?;
        match self.claim(&mut tx, key.as_ref()).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(Some(made)) => {
                drop(tx);
                let post = store::posts::posts(&self.db, &[(course, PostId(made))]).await?.pop();
                return Ok(post.ok_or(Refusal::NoSuchPost));
            }
            Ok(None) => {}
        }
        let above = match open_for_posts(&mut tx, (course, thread), new.reply_to).await? {
            Ok(above) => above,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let alias = match new.anonymity {
            Anonymity::None => None,
            anonymity => Some(store::posts::alias(&mut tx, (course, thread), actor.account, anonymity).await?),
        };
        let row = NewPostRow {
            course_id: course,
            id: self.clock.id(),
            thread_id: thread,
            author_id: actor.account,
            reply_to: new.reply_to,
            depth: above.as_ref().map_or(0, |above| above.depth + 1),
            body: &new.body,
            created_at: self.clock.now(),
            anonymity: new.anonymity,
            alias,
        };
        self.add(&mut tx, &row, above.as_ref()).await?;
        if let Some(key) = &key {
            key.keep(&mut tx, &row.id.0.to_string()).await?;
        }
        tx.commit().await?;
        let post = store::posts::posts(&self.db, &[(course, row.id)]).await?.pop();
        Ok(post.ok_or(Refusal::NoSuchPost))
    }

    /// Writes a post, and tells those who are to hear of it.
    async fn add(&self, tx: &mut Tx, row: &NewPostRow<'_>, above: Option<&Post>) -> Result<(), DbError> {
        store::posts::insert_post(tx, row).await?;
        attention::posted(tx, row).await?;
        let (course, thread, post) = (row.course_id, row.thread_id, row.id);
        let answers = above.map(|above| above.author_id);
        let posted = Posted { course, thread, post, author: row.author_id, answers, body: row.body };
        notifications::posted(tx, &self.clock, &posted).await?;
        live::announce(tx, &Event::PostAdded { course, thread, post });
        Ok(())
    }

    /// Takes the key, if there is one; with what was made under it before.
    async fn claim(&self, tx: &mut Tx, key: Option<&Key>) -> Result<Result<Option<uuid::Uuid>, Refusal>, DbError> {
        let Some(key) = key else { return Ok(Ok(None)) };
        Ok(match key.claim(tx, self.clock.now()).await? {
            Claim::First => Ok(None),
            Claim::Again(made) => made.parse().map(Some).map_err(|_| KeyRefusal::Reused.into()),
            Claim::Other => Err(KeyRefusal::Reused.into()),
        })
    }
}

/// Whether somebody may post this in this way.
fn fits(actor: &Actor, body: &str, anonymity: Anonymity) -> Result<(), Refusal> {
    length(body, MAX_BODY, Refusal::Body)?;
    markdown::check(body)?;
    // A learner must know whether it is staff that speaks to her.
    if anonymity != Anonymity::None && actor.is_of_staff { Err(Refusal::StaffIsNamed) } else { Ok(()) }
}

fn thread_key(actor: &Actor, course: CourseId, new: &NewThread) -> Result<Option<Key>, Refusal> {
    let Some(key) = &new.key else { return Ok(None) };
    let category = new.category_id.map(|id| id.0).unwrap_or_default();
    let request: [&[u8]; 6] = [
        course.0.as_bytes(),
        category.as_bytes(),
        new.kind.as_str().as_bytes(),
        new.title.as_bytes(),
        new.body.as_bytes(),
        new.anonymity.as_str().as_bytes(),
    ];
    Ok(Some(Key::new(actor.account, key, "createThread", &request)?))
}

fn post_key(actor: &Actor, (course, thread): (CourseId, ThreadId), new: &NewPost) -> Result<Option<Key>, Refusal> {
    let Some(key) = &new.key else { return Ok(None) };
    let reply_to = new.reply_to.map(|id| id.0).unwrap_or_default();
    let request: [&[u8]; 5] = [
        course.0.as_bytes(),
        thread.0.as_bytes(),
        reply_to.as_bytes(),
        new.body.as_bytes(),
        new.anonymity.as_str().as_bytes(),
    ];
    Ok(Some(Key::new(actor.account, key, "createPost", &request)?))
}

/// Locks the thread, and finds the post that is to be answered, if there is one.
async fn open_for_posts(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    reply_to: Option<PostId>,
) -> Result<Result<Option<Post>, Refusal>, DbError> {
    let Some(row) = store::threads::lock(tx, course, thread).await? else { return Ok(Err(Refusal::NoSuchThread)) };
    if let Some(into) = row.merged_into {
        return Ok(Err(Refusal::Merged(course, into)));
    }
    if row.locked_at.is_some() {
        return Ok(Err(Refusal::Locked(row.lock_reason)));
    }
    let Some(reply_to) = reply_to else { return Ok(Ok(None)) };
    Ok(match store::posts::lock(tx, course, reply_to).await? {
        Some(above) if above.thread_id != thread => Err(Refusal::NoSuchReplyTo),
        Some(above) if above.removal.is_some() => Err(Refusal::Removed),
        Some(above) if above.depth >= MAX_DEPTH => Err(Refusal::TooDeep),
        Some(above) => Ok(Some(above)),
        None => Err(Refusal::NoSuchReplyTo),
    })
}
