//! Reviews of courses, in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{
    Refusal,
    model::{self, NewReview},
};
use crate::{
    access::{self, Category, InCourse, REVIEW_BODY, REVIEW_RATING, Shown, Standing, TokenScope, graphql::About},
    accounts::graphql::Person,
    courses::{graphql::Course, model::Course as Row},
    db::page::TimeKey,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{CourseId, ReviewId},
};

/// The name of the list for cursors.
const REVIEWS: &str = "reviews";

/// What somebody who took a course says of it.
#[derive(Clone)]
pub(crate) struct Review {
    row: Arc<model::Review>,
    standing: Standing<InCourse>,
}

impl Review {
    /// The review, if the viewer may know of the course.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: ReviewId) -> Result<Option<Self>, Fault> {
        let Some(of) = Course::find(scope, course).await? else { return Ok(None) };
        let standing = of.standing(scope).await?;
        Ok(scope.load().reviews.get((course, id)).await?.map(|row| Self { row, standing }))
    }
}

/// What somebody who took a course says of it.
#[Object]
impl Review {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Review(self.row.course_id, self.row.id).encode()
    }

    /// The course.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.row.course_id).await.transpose()
    }

    /// The stars, 1 to 5.
    #[graphql(directive = About::apply(&REVIEW_RATING))]
    async fn rating(&self) -> Shown<i32> {
        access::show(&REVIEW_RATING, &self.standing, &self.row.rating).map(int)
    }

    /// What it says, as plain text. It is what somebody typed: escape it before you show it.
    #[graphql(directive = About::apply(&REVIEW_BODY))]
    async fn body(&self) -> Shown<String> {
        access::show(&REVIEW_BODY, &self.standing, &self.row.body)
    }

    /// Who wrote it; null where she does not want her name to stand there, and where you may not see her.
    async fn author(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::find(scope(ctx), self.row.author?).await.transpose()
    }

    /// On which day it was written: its midnight, in UTC.
    async fn written_on(&self) -> DateTime {
        self.row.written_on.into()
    }

    /// On which day it was last edited; null if it never was.
    async fn edited_on(&self) -> Option<DateTime> {
        self.row.edited_on.map(DateTime)
    }
}

/// What you have said of a course.
#[derive(SimpleObject)]
pub(crate) struct MyReview {
    /// The stars, 1 to 5.
    rating: i32,
    /// What it says; null for a rating alone, of which nobody sees more than its share in the average.
    body: Option<String>,
    /// Whether your name stands there for those who may see it.
    shows_name: bool,
    /// Grows with each change: give it to `reviewCourse`.
    version: i32,
    /// It, as it stands among the course's reviews; null for a rating alone.
    review: Option<Review>,
}

impl MyReview {
    /// The viewer's own, when she looks with her own eyes.
    async fn find(scope: &Scope, course: CourseId) -> Result<Option<Self>, Fault> {
        let Some(viewer) = scope.viewer.id() else { return Ok(None) };
        let load = scope.load();
        if !load.relations.get(viewer).await?.0.looks_at(Category::Interaction) {
            return Ok(None);
        }
        let Some(own) = load.own_reviews.get((course, viewer)).await? else { return Ok(None) };
        Ok(Some(Self {
            rating: int(own.rating),
            body: own.body.clone(),
            shows_name: own.shows_name,
            version: int(own.version),
            review: if own.is_listed { Review::find(scope, course, own.id).await? } else { None },
        }))
    }
}

/// What is said of a course.
pub(crate) struct CourseReviews(pub(crate) Arc<Row>);

/// What is said of a course.
#[Object]
impl CourseReviews {
    /// What those who took it say of it, the latest first.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Result<Pages<Review>, Fault> {
        let scope = scope(ctx);
        let request = Paging { first, after, last, before }.request(scope, REVIEWS)?;
        let load = scope.load();
        let standing = load.viewpoint.to_course(&self.0).await?;
        let page = load.review_pages.get((self.0.id, request)).await?;
        let key = |row: &Arc<model::Review>| -> TimeKey { (row.created_at.0, row.id.0) };
        connection(scope, REVIEWS, &page, key, |row| Review { row: Arc::clone(row), standing: standing.clone() })
    }

    /// What you have said of it; null if you have not.
    async fn my_review(&self, ctx: &Context<'_>) -> Option<Result<MyReview, Fault>> {
        MyReview::find(scope(ctx), self.0.id).await.transpose()
    }
}

/// What you say of a course.
#[derive(Debug, InputObject)]
pub(crate) struct ReviewCourseInput {
    /// The global id of the course.
    course_id: ID,
    /// The stars, 1 to 5. With a text everybody sees them; without one they count in the average, and nobody sees them.
    rating: i32,
    /// What you say, as plain text, at most 5,000 characters. Everybody can read it.
    #[graphql(default)]
    body: String,
    /// Whether your name is to stand there, for those who may see it anyhow. Without it nobody is told who wrote it, not the
    /// course's staff either.
    #[graphql(default = false)]
    shows_name: bool,
    /// To change what you said: the version that you have read.
    version: Option<i32>,
}

/// A review to be taken back.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteReviewInput {
    /// The global id of the course.
    course_id: ID,
}

/// What became of `reviewCourse`.
#[derive(SimpleObject)]
pub(crate) struct ReviewCoursePayload {
    /// What you said; null if there were errors.
    review: Option<MyReview>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `deleteReview`.
#[derive(SimpleObject)]
pub(crate) struct DeleteReviewPayload {
    /// The course; null if there were errors.
    course: Option<Course>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: Refusal) -> UserError {
    let (code, field) = match refusal {
        Refusal::NoSuchCourse | Refusal::NoReview => (UserErrorCode::NotFound, "courseId"),
        Refusal::NotTaken => (UserErrorCode::NotEnrolled, "courseId"),
        Refusal::NotBegun => (UserErrorCode::NotAllowed, "courseId"),
        Refusal::Rating(_) => (UserErrorCode::OutOfRange, "rating"),
        Refusal::Body(_) => (UserErrorCode::Length, "body"),
        Refusal::Stale => (UserErrorCode::StaleVersion, "version"),
    };
    UserError::new(code, &["input", field], &refusal)
}

/// Saying what one thinks of courses.
#[derive(Default)]
pub(crate) struct ReviewMutation;

/// Saying what one thinks of courses.
#[async_graphql::Object]
impl ReviewMutation {
    /// Says what you think of a course that you take or took and have begun, or changes what you said.
    async fn review_course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you say.")] input: ReviewCourseInput,
    ) -> Result<ReviewCoursePayload, Fault> {
        let scope = scope(ctx);
        let (author, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&input.course_id)?);
        let new = NewReview { rating: input.rating.into(), body: input.body, shows_name: input.shows_name };
        if let Err(refusal) = scope.app.reviews.review(author, course, new, input.version.map(i64::from)).await? {
            return Ok(ReviewCoursePayload { review: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(ReviewCoursePayload { review: MyReview::find(scope, course).await?, user_errors: Vec::new() })
    }

    /// Takes back what you said of a course, with its stars.
    async fn delete_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which course.")] input: DeleteReviewInput,
    ) -> Result<DeleteReviewPayload, Fault> {
        let scope = scope(ctx);
        let (author, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&input.course_id)?);
        if let Err(refusal) = scope.app.reviews.delete(author, course).await? {
            return Ok(DeleteReviewPayload { course: None, user_errors: vec![user_error(refusal)] });
        }
        scope.forget();
        Ok(DeleteReviewPayload { course: Course::find(scope, course).await?, user_errors: Vec::new() })
    }
}
