//! Reviews of courses, by those who took them.
//!
//! Whoever has taken a course and begun it says once what she thinks of it: one to five stars, and a text if she wants to. With a
//! text it stands among the course's reviews for everybody to read, with her stars. Without one it is a rating, of which nobody
//! sees more than its share in the average.
//!
//! Reports: a review that breaks the rules is to be hidden by a moderator. The column `hidden_at` is there, and what has it is in
//! no list, under no id, and counts as a rating without a text; who sets it must take it out of `course_rollups.review_count` and
//! `review_sum` in the same transaction. Nothing sets it yet.
//!
//! Invariant: who wrote a review shows only where she wants it, and to those who may see her name anyhow; in no other way, neither
//! by the review's id nor by its time.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use crate::{
    accounts::Accounts,
    courses::{model::Course, store as catalogue},
    db::{Db, DbError},
    ids::{AccountId, CourseId, ReviewId},
    time::{Clock, Timestamp},
};
use model::{NewReview, OwnReview};
use store::{Change, Taken};

/// The longest review, in characters.
pub const MAX_BODY: usize = 5_000;
/// Who was so long in a course, in seconds, may say what she thinks of it without having got anywhere in it.
pub const BEGUN: i64 = 600;
/// For what ids are hashed.
const REVIEW: &str = "review";

/// The service of reviews.
#[derive(Clone)]
pub struct Reviews {
    db: Db,
    clock: Clock,
    accounts: Accounts,
}

/// Why something was not done: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such course.
    #[error("there is no such course")]
    NoSuchCourse,
    /// She never took it.
    #[error("reviews are by those who took the course: enroll first")]
    NotTaken,
    /// She has not begun.
    #[error("you have not begun this course: come back when you have seen something of it")]
    NotBegun,
    /// Too few or too many.
    #[error("a review has 1 to 5 stars; these were {0}")]
    Rating(i64),
    /// Too long.
    #[error("a review has at most {MAX_BODY} characters; this one has {0}")]
    Body(usize),
    /// Another version, or none.
    #[error(
        "you have changed your review since: read it again, and give its present version; for the first one, give none"
    )]
    Stale,
    /// There is none.
    #[error("you have said nothing of this course")]
    NoReview,
}

impl Reviews {
    /// The service.
    pub fn new(db: Db, clock: Clock, accounts: Accounts) -> Self {
        Self { db, clock, accounts }
    }

    /// Says what somebody thinks of a course, or changes what she said (`version`). The same again changes nothing.
    pub async fn review(
        &self,
        author: AccountId,
        course: CourseId,
        new: NewReview,
        version: Option<i64>,
    ) -> Result<Result<(), Refusal>, DbError> {
        if !(1..=5).contains(&new.rating) {
            return Ok(Err(Refusal::Rating(new.rating)));
        }
        let body = new.body.trim().replace('\0', "");
        let letters = body.chars().count();
        if letters > MAX_BODY {
            return Ok(Err(Refusal::Body(letters)));
        }
        let body = (letters > 0).then_some(body);
        if !self.is_public(course).await? {
            return Ok(Err(Refusal::NoSuchCourse));
        }
        let (key, now) = ((author, course), self.clock.now());
        let mut tx = self.db.begin().await?;
        let taken = match store::taken(&mut tx, author, course).await? {
            None => return Ok(Err(Refusal::NotTaken)),
            Some(taken) if taken.progress_sum == 0 && taken.seconds < BEGUN => return Ok(Err(Refusal::NotBegun)),
            Some(taken) => taken,
        };
        let before = store::before(&mut tx, author, course).await?;
        if let Some(before) = &before
            && (before.rating, &before.body, before.shows_name) == (new.rating, &body, new.shows_name)
        {
            return Ok(Ok(()));
        }
        if before.as_ref().map(|before| before.version) != version {
            return Ok(Err(Refusal::Stale));
        }
        let mut review = OwnReview {
            id: self.id(author, course, now),
            rating: new.rating,
            body,
            shows_name: new.shows_name,
            version: 1,
            is_listed: false,
        };
        if let Some(before) = &before {
            // What a moderator hides stays hidden.
            let is_hidden = before.body.is_some() && !before.is_listed;
            review.is_listed = review.body.is_some() && !is_hidden;
            store::change(&mut tx, key, &review, now).await?;
        } else {
            review.is_listed = review.body.is_some();
            store::insert(&mut tx, key, &review, now).await?;
        }
        store::rate(&mut tx, key, Some(review.rating), change(taken, before.as_ref(), Some(&review))).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Takes back what somebody said of a course, with its stars.
    pub async fn delete(&self, author: AccountId, course: CourseId) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let Some(taken) = store::taken(&mut tx, author, course).await? else { return Ok(Err(Refusal::NoReview)) };
        let Some(before) = store::before(&mut tx, author, course).await? else { return Ok(Err(Refusal::NoReview)) };
        store::delete(&mut tx, author, course).await?;
        store::rate(&mut tx, (author, course), None, change(taken, Some(&before), None)).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// The id of a new review: a keyed hash, since one that is ordered by time tells when it was written.
    fn id(&self, author: AccountId, course: CourseId, now: Timestamp) -> ReviewId {
        let data = [author.0.as_bytes().as_slice(), course.0.as_bytes(), &now.0.to_be_bytes()].concat();
        let hash = self.accounts.keyed_hash(REVIEW, &data);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        ReviewId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    async fn is_public(&self, course: CourseId) -> Result<bool, DbError> {
        Ok(catalogue::by_ids(&self.db, &[course]).await?.pop().is_some_and(|course| Course::is_public(&course)))
    }
}

/// How the sums of the course change when what was said becomes something else, or nothing. The rating that stood with the
/// enrolment may have come with an import, without a review.
fn change(taken: Taken, before: Option<&OwnReview>, after: Option<&OwnReview>) -> Change {
    let listed = |review: Option<&OwnReview>| review.filter(|review| review.is_listed).map(|review| review.rating);
    let (was_listed, is_listed) = (listed(before), listed(after));
    let rating = after.map(|review| review.rating);
    Change {
        ratings: i64::from(rating.is_some()) - i64::from(taken.rating.is_some()),
        rating_sum: rating.unwrap_or(0) - taken.rating.unwrap_or(0),
        reviews: i64::from(is_listed.is_some()) - i64::from(was_listed.is_some()),
        review_sum: is_listed.unwrap_or(0) - was_listed.unwrap_or(0),
    }
}
