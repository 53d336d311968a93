//! The table of reviews. Its key starts with the course. The rating stands with the enrolment, too: there the recommender reads it.

use super::model::{self, OwnReview, Review};
use crate::{
    db::{
        Db, DbError, Pairs, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, CourseId, ReviewId},
    time::Timestamp,
};

statements! {
    /// Those that stand in the list: a rating without a text does not, nor does what a moderator hides.
    REVIEWS {
        "SELECT t.course_id, t.id, t.author_id, t.rating, t.body, t.shows_name, t.created_at, t.edited_at
         FROM " [pairs 1] " k JOIN course_reviews t ON t.course_id = k.owner AND t.id = k.key
         WHERE t.body IS NOT NULL AND t.hidden_at IS NULL"
    }
    REVIEWS_FORWARD {
        [page (uuids) "t.course_id, t.id, t.author_id, t.rating, t.body, t.shows_name, t.created_at, t.edited_at"
         from "course_reviews" owned "t.course_id = k.key"
         where "i.course_id = k.key AND i.body IS NOT NULL AND i.hidden_at IS NULL" by "created_at" "id" ("<" "DESC")]
    }
    REVIEWS_BACKWARD {
        [page (uuids) "t.course_id, t.id, t.author_id, t.rating, t.body, t.shows_name, t.created_at, t.edited_at"
         from "course_reviews" owned "t.course_id = k.key"
         where "i.course_id = k.key AND i.body IS NOT NULL AND i.hidden_at IS NULL" by "created_at" "id" (">" "ASC")]
    }
    OWN {
        "SELECT t.course_id, t.author_id, t.id, t.rating, t.body, t.shows_name, t.version,
           t.body IS NOT NULL AND t.hidden_at IS NULL AS is_listed
         FROM " [pairs 1] " k JOIN course_reviews t ON t.course_id = k.owner AND t.author_id = k.key"
    }
    /// The enrolment is locked before anything of the course, as whoever learns does it.
    TAKEN { "SELECT rating, progress_sum, seconds FROM enrolments WHERE learner_id = $1 AND course_id = $2" [for_update] }
    BEFORE {
        "SELECT course_id, author_id, id, rating, body, shows_name, version, body IS NOT NULL AND hidden_at IS NULL AS is_listed
         FROM course_reviews WHERE course_id = $1 AND author_id = $2" [for_update]
    }
    INSERT {
        "INSERT INTO course_reviews (course_id, id, author_id, rating, body, shows_name, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    }
    CHANGE {
        "UPDATE course_reviews SET rating = $3, body = $4, shows_name = $5, edited_at = $6, version = version + 1
         WHERE course_id = $1 AND author_id = $2"
    }
    DELETE { "DELETE FROM course_reviews WHERE course_id = $1 AND author_id = $2" }
    RATE { "UPDATE enrolments SET rating = $3 WHERE learner_id = $1 AND course_id = $2" }
    SUM {
        "UPDATE course_rollups SET rating_count = rating_count + $2, rating_sum = rating_sum + $3,
           review_count = review_count + $4, review_sum = review_sum + $5
         WHERE course_id = $1"
    }
}

#[derive(sqlx::FromRow)]
struct ReviewRow {
    course_id: CourseId,
    id: ReviewId,
    author_id: AccountId,
    rating: i64,
    body: String,
    shows_name: bool,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
}

impl From<ReviewRow> for Review {
    fn from(row: ReviewRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            author: row.shows_name.then_some(row.author_id),
            rating: row.rating.into(),
            body: row.body.into(),
            written_on: model::day(row.created_at),
            edited_on: row.edited_at.map(model::day),
            created_at: row.created_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct OwnRow {
    course_id: CourseId,
    author_id: AccountId,
    id: ReviewId,
    rating: i64,
    body: Option<String>,
    shows_name: bool,
    version: i64,
    is_listed: bool,
}

impl From<OwnRow> for OwnReview {
    fn from(row: OwnRow) -> Self {
        Self {
            id: row.id,
            rating: row.rating,
            body: row.body,
            shows_name: row.shows_name,
            version: row.version,
            is_listed: row.is_listed,
        }
    }
}

/// What is known of somebody who wants to say something of a course.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(super) struct Taken {
    pub(super) rating: Option<i64>,
    pub(super) progress_sum: i64,
    pub(super) seconds: i64,
}

/// How the sums of a course change.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    pub(super) ratings: i64,
    pub(super) rating_sum: i64,
    pub(super) reviews: i64,
    pub(super) review_sum: i64,
}

pub(super) async fn reviews(db: &Db, keys: &[(CourseId, ReviewId)]) -> Result<Vec<Review>, DbError> {
    let (sql, keys) = (db.sql(&REVIEWS), Pairs::new(keys.iter().copied()));
    let rows: Vec<ReviewRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Review::from).collect())
}

/// For each course the rows of a page of its reviews, as they were read.
pub(super) async fn pages(
    db: &Db,
    courses: &[CourseId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Review>, DbError> {
    let sql = db.sql(if request.is_forward() { &REVIEWS_FORWARD } else { &REVIEWS_BACKWARD });
    let ((time, id), keys) = (request.start(false), Uuids::new(courses.iter().copied()));
    let rows: Vec<ReviewRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Review::from).collect())
}

/// What people have said of courses themselves.
pub(super) async fn own(
    db: &Db,
    keys: &[(CourseId, AccountId)],
) -> Result<Vec<((CourseId, AccountId), OwnReview)>, DbError> {
    let (sql, keys) = (db.sql(&OWN), Pairs::new(keys.iter().copied()));
    let rows: Vec<OwnRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| ((row.course_id, row.author_id), row.into())).collect())
}

/// The enrolment of somebody who takes or took the course, held until the transaction ends.
pub(super) async fn taken(tx: &mut Tx, learner: AccountId, course: CourseId) -> Result<Option<Taken>, DbError> {
    let sql = tx.sql(&TAKEN);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(learner).bind(course).fetch_optional(c).await)?)
}

/// What she has said before.
pub(super) async fn before(tx: &mut Tx, author: AccountId, course: CourseId) -> Result<Option<OwnReview>, DbError> {
    let sql = tx.sql(&BEFORE);
    let row: Option<OwnRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(author).fetch_optional(c).await)?;
    Ok(row.map(OwnReview::from))
}

/// Writes a new review down.
pub(super) async fn insert(
    tx: &mut Tx,
    (author, course): (AccountId, CourseId),
    review: &OwnReview,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(review.id).bind(author).bind(review.rating).bind(&review.body).bind(review.shows_name).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Writes down what a review has become.
pub(super) async fn change(
    tx: &mut Tx,
    (author, course): (AccountId, CourseId),
    review: &OwnReview,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&CHANGE);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(author).bind(review.rating).bind(&review.body).bind(review.shows_name).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn delete(tx: &mut Tx, author: AccountId, course: CourseId) -> Result<(), DbError> {
    let sql = tx.sql(&DELETE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(author).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Keeps the rating with the enrolment, and the sums of the course.
pub(super) async fn rate(
    tx: &mut Tx,
    (learner, course): (AccountId, CourseId),
    rating: Option<i64>,
    change: Change,
) -> Result<(), DbError> {
    let sql = tx.sql(&RATE);
    on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(rating).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&SUM);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(course).bind(change.ratings).bind(change.rating_sum).bind(change.reviews).bind(change.review_sum)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}
