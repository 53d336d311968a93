//! The forum's tables. Every key starts with the course.

use super::model::ForumCategory;
use crate::{
    db::{Db, DbError, Pairs, Tx, Uuids, on, statements},
    ids::{CategoryId, CourseId},
    time::Timestamp,
};

pub(crate) mod attention;
pub(crate) mod categories;
pub(crate) mod moderation;
pub(crate) mod posts;
pub(crate) mod reports;
pub(crate) mod revisions;
pub(crate) mod threads;
pub(crate) mod votes;

statements! {
    CATEGORIES_OF_COURSES {
        "SELECT course_id, id, name, position, description, staff_only, archived_at, version FROM forum_categories
         WHERE course_id " [any_uuid 1] " ORDER BY course_id, position, id"
    }
    CATEGORIES {
        "SELECT c.course_id, c.id, c.name, c.position, c.description, c.staff_only, c.archived_at, c.version
         FROM " [pairs 1] " k JOIN forum_categories c ON c.course_id = k.owner AND c.id = k.key"
    }
    INSERT_CATEGORY {
        "INSERT INTO forum_categories (course_id, id, position, name) VALUES ($1, $2, $3, $4) ON CONFLICT (course_id, id) DO NOTHING"
    }
}

#[derive(sqlx::FromRow)]
struct CategoryRow {
    course_id: CourseId,
    id: CategoryId,
    name: String,
    position: i64,
    description: Option<String>,
    staff_only: bool,
    archived_at: Option<Timestamp>,
    version: i64,
}

impl From<CategoryRow> for ForumCategory {
    fn from(row: CategoryRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            name: row.name,
            position: row.position,
            description: row.description,
            staff_only: row.staff_only,
            archived_at: row.archived_at,
            version: row.version,
        }
    }
}

pub(crate) async fn categories_of_courses(db: &Db, courses: &[CourseId]) -> Result<Vec<ForumCategory>, DbError> {
    let (sql, keys) = (db.sql(&CATEGORIES_OF_COURSES), Uuids::new(courses.iter().copied()));
    let rows: Vec<CategoryRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ForumCategory::from).collect())
}

pub(crate) async fn categories(db: &Db, keys: &[(CourseId, CategoryId)]) -> Result<Vec<ForumCategory>, DbError> {
    let (sql, keys) = (db.sql(&CATEGORIES), Pairs::new(keys.iter().copied()));
    let rows: Vec<CategoryRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ForumCategory::from).collect())
}

pub(crate) async fn insert_category(
    tx: &mut Tx,
    course: CourseId,
    id: CategoryId,
    position: i64,
    name: &str,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_CATEGORY);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(position).bind(name).execute(c).await.map(|_| ()))?;
    Ok(())
}
