//! The categories of a course's forum, as they are changed.

use crate::{
    db::{DbError, Tx, on, statements},
    forum::{model::ForumCategory, moderation::model::CategoryText},
    ids::{CategoryId, CourseId},
    time::Timestamp,
};

statements! {
    HOLD {
        "SELECT course_id, id, name, position, description, staff_only, archived_at, version FROM forum_categories
         WHERE course_id = $1 ORDER BY position, id" [for_update]
    }
    CREATE {
        "INSERT INTO forum_categories (course_id, id, position, name, description, staff_only) VALUES ($1, $2, $3, $4, $5, $6)"
    }
    CHANGE {
        "UPDATE forum_categories SET name = $3, description = $4, staff_only = $5, version = version + 1 WHERE course_id = $1 AND id = $2"
    }
    PLACE { "UPDATE forum_categories SET position = $3, version = version + 1 WHERE course_id = $1 AND id = $2 AND position <> $3" }
    ARCHIVE { "UPDATE forum_categories SET archived_at = $3, version = version + 1 WHERE course_id = $1 AND id = $2" }
    MOVE_THREADS { "UPDATE threads SET category_id = $3, version = version + 1 WHERE course_id = $1 AND category_id = $2" }
}

/// All categories of a course, in order, which nobody else changes until the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, course: CourseId) -> Result<Vec<ForumCategory>, DbError> {
    let sql = tx.sql(&HOLD);
    let rows: Vec<super::CategoryRow> = on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ForumCategory::from).collect())
}

pub(crate) async fn create(
    tx: &mut Tx,
    (course, id): (CourseId, CategoryId),
    position: i64,
    text: &CategoryText,
) -> Result<(), DbError> {
    let sql = tx.sql(&CREATE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(position).bind(&text.name).bind(&text.description)
        .bind(text.staff_only).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn change(
    tx: &mut Tx,
    (course, id): (CourseId, CategoryId),
    text: &CategoryText,
) -> Result<(), DbError> {
    let sql = tx.sql(&CHANGE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(&text.name).bind(&text.description)
        .bind(text.staff_only).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Puts a category at a place.
pub(crate) async fn place(tx: &mut Tx, (course, id): (CourseId, CategoryId), position: i64) -> Result<(), DbError> {
    let sql = tx.sql(&PLACE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(position).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn archive(tx: &mut Tx, (course, id): (CourseId, CategoryId), at: Timestamp) -> Result<(), DbError> {
    let sql = tx.sql(&ARCHIVE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(at).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Moves all threads of a category into another.
pub(crate) async fn move_threads(
    tx: &mut Tx,
    course: CourseId,
    (from, to): (CategoryId, CategoryId),
) -> Result<(), DbError> {
    let sql = tx.forum_sql(course, &MOVE_THREADS);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(from).bind(to).execute(c).await.map(|_| ()))?;
    Ok(())
}
