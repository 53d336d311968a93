//! The forum: threads and posts of a course.
//!
//! Invariant: who may not read a course's forum gets nothing of it, from any path, and can't tell whether
//! there is anything.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use crate::{
    db::{Db, DbError},
    ids::{AccountId, CategoryId, CourseId, PostId, ThreadId},
    notifications::{self, model::Posted},
    time::Clock,
};
use model::{Anonymity, NewPost, NewThread, Post, Thread};
use store::{NewPostRow, NewThreadRow};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 300;
/// The longest post, in characters.
pub const MAX_BODY: usize = 50_000;
/// The category that a course's forum begins with.
pub const FIRST_CATEGORY: &str = "General";

/// The id of a course's first category: derived from the course, so that two first threads at once make one.
pub(crate) fn first_category(course: CourseId) -> CategoryId {
    CategoryId::imported("first category", &course.0.to_string())
}

/// The forum's service.
#[derive(Clone, Debug)]
pub struct Forum {
    db: Db,
    clock: Clock,
}

/// Why something was not posted: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such course, or its forum is not for the viewer.
    #[error("there is no such course, or you don't take part in it: enroll first")]
    NoSuchForum,
    /// No such thread in that course.
    #[error("there is no such thread")]
    NoSuchThread,
    /// No such category in that course.
    #[error("there is no such category in this course's forum")]
    NoSuchCategory,
    /// No such post in that thread.
    #[error("there is no such post in this thread to reply to")]
    NoSuchPost,
    /// Empty or too long.
    #[error("a title has 1 to {MAX_TITLE} characters; this one has {0}")]
    Title(usize),
    /// Empty or too long.
    #[error("a post has 1 to {MAX_BODY} characters; this one has {0}")]
    Body(usize),
}

impl Forum {
    /// The service.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Begins a thread with its first post. The author may take part in the course's forum.
    pub async fn create_thread(
        &self,
        author: AccountId,
        course: CourseId,
        new: NewThread,
    ) -> Result<Result<Thread, Refusal>, DbError> {
        let title = new.title.trim();
        if let Err(refusal) = length(title, MAX_TITLE, Refusal::Title).and(length(&new.body, MAX_BODY, Refusal::Body)) {
            return Ok(Err(refusal));
        }
        let categories = store::categories_of_courses(&self.db, &[course]).await?;
        let wanted = match new.category_id {
            Some(id) => categories.iter().find(|category| category.id == id).map(|category| category.id),
            None => categories.first().map(|category| category.id),
        };
        let mut tx = self.db.begin().await?;
        let category_id = match wanted {
            Some(id) => id,
            None if new.category_id.is_some() => return Ok(Err(Refusal::NoSuchCategory)),
            None => {
                let id = first_category(course);
                store::insert_category(&mut tx, course, id, 0, FIRST_CATEGORY).await?;
                id
            }
        };
        let (id, now) = (self.clock.id(), self.clock.now());
        let thread = NewThreadRow {
            course_id: course,
            id,
            category_id,
            author_id: author,
            kind: new.kind,
            title,
            created_at: now,
        };
        store::insert_thread(&mut tx, &thread).await?;
        let post = NewPostRow {
            course_id: course,
            id: self.clock.id(),
            thread_id: id,
            author_id: author,
            reply_to: None,
            body: &new.body,
            created_at: now,
        };
        store::insert_post(&mut tx, &post).await?;
        let (post, body) = (post.id, post.body);
        notifications::posted(&mut tx, &self.clock, &Posted { course, thread: id, post, author, answers: None, body })
            .await?;
        tx.commit().await?;
        Ok(Ok(Thread {
            id,
            course_id: course,
            category_id,
            author_id: author,
            kind: new.kind,
            title: title.to_owned().into(),
            created_at: now,
            post_count: 1,
            anonymity: Anonymity::None,
            version: 1,
            last_post_at: now,
            pinned_at: None,
            locked_at: None,
            lock_reason: None,
            answer_id: None,
            merged_into: None,
        }))
    }

    /// Adds a post to a thread. The author may take part in the course's forum.
    pub async fn create_post(
        &self,
        author: AccountId,
        (course, thread): (CourseId, ThreadId),
        new: NewPost,
    ) -> Result<Result<Post, Refusal>, DbError> {
        if let Err(refusal) = length(&new.body, MAX_BODY, Refusal::Body) {
            return Ok(Err(refusal));
        }
        if store::threads(&self.db, &[(course, thread)]).await?.is_empty() {
            return Ok(Err(Refusal::NoSuchThread));
        }
        let mut answers = None;
        if let Some(reply_to) = new.reply_to {
            let answered = store::posts(&self.db, &[(course, reply_to)]).await?.pop();
            match answered.filter(|post| post.thread_id == thread) {
                Some(post) => answers = Some(post.author_id),
                None => return Ok(Err(Refusal::NoSuchPost)),
            }
        }
        let (id, now): (PostId, _) = (self.clock.id(), self.clock.now());
        let row = NewPostRow {
            course_id: course,
            id,
            thread_id: thread,
            author_id: author,
            reply_to: new.reply_to,
            body: &new.body,
            created_at: now,
        };
        let mut tx = self.db.begin().await?;
        store::insert_post(&mut tx, &row).await?;
        let post = Posted { course, thread, post: id, author, answers, body: row.body };
        notifications::posted(&mut tx, &self.clock, &post).await?;
        tx.commit().await?;
        Ok(Ok(Post {
            id,
            course_id: course,
            thread_id: thread,
            author_id: author,
            reply_to: new.reply_to,
            body: new.body.into(),
            created_at: now,
            anonymity: Anonymity::None,
            version: 1,
            depth: 0,
            votes: 0,
            endorsed_at: None,
            edited_at: None,
            removal: None,
        }))
    }
}

fn length(text: &str, most: usize, refusal: fn(usize) -> Refusal) -> Result<(), Refusal> {
    let letters = text.chars().count();
    if text.trim().is_empty() {
        Err(refusal(0))
    } else if letters > most {
        Err(refusal(letters))
    } else {
        Ok(())
    }
}
