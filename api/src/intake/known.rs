//! What is there before records are taken in: what they may refer to.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt as _;

use crate::{
    db::{Db, DbError, on, statements},
    ids::{AccountId, CourseId, LessonId, TopicId},
};

statements! {
    ALL_ACCOUNTS { "SELECT id FROM accounts" }
    ALL_COURSES { "SELECT id, slug FROM courses" }
    ALL_TOPICS { "SELECT id, slug FROM topics" }
    ALL_LESSONS { "SELECT id, course_id, seconds FROM lessons" }
    IS_EMPTY { "SELECT NOT EXISTS (SELECT 1 FROM accounts) AND NOT EXISTS (SELECT 1 FROM courses)" }
}

/// Whether there is nobody and nothing to learn.
pub(super) async fn is_empty(db: &Db) -> Result<bool, DbError> {
    let sql = db.sql(&IS_EMPTY);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).fetch_one(c).await)?)
}

/// What rows may refer to.
#[derive(Default)]
pub(super) struct Known {
    pub(super) accounts: HashSet<AccountId>,
    pub(super) courses: HashMap<CourseId, String>,
    pub(super) topics: HashMap<TopicId, String>,
    /// The course and the length of each lesson.
    pub(super) lessons: HashMap<LessonId, (CourseId, Option<i64>)>,
}

pub(super) async fn known(db: &Db) -> Result<Known, DbError> {
    let mut known = Known::default();
    let sql = db.sql(&ALL_ACCOUNTS);
    on!(db.reader(), c => {
        let mut ids = sqlx::query_scalar::<_, AccountId>(sql).fetch(c);
        while let Some(id) = ids.try_next().await? {
            known.accounts.insert(id);
        }
    });
    let sql = db.sql(&ALL_COURSES);
    let courses: Vec<(CourseId, String)> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    known.courses = courses.into_iter().collect();
    let sql = db.sql(&ALL_TOPICS);
    let topics: Vec<(TopicId, String)> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    known.topics = topics.into_iter().collect();
    let sql = db.sql(&ALL_LESSONS);
    on!(db.reader(), c => {
        let mut lessons = sqlx::query_as::<_, (LessonId, CourseId, Option<i64>)>(sql).fetch(c);
        while let Some((id, course, seconds)) = lessons.try_next().await? {
            known.lessons.insert(id, (course, seconds));
        }
    });
    Ok(known)
}
