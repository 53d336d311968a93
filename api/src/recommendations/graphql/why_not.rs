//! Why a course is not among somebody's next courses.

use async_graphql::{Context, Enum, ID};
use stoa_macros::Object;

use super::{Reason, public, reasons};
use crate::{
    access::{Permit, Personal, tags},
    courses::graphql::Course,
    graphql::{
        errors::Fault,
        node,
        scalars::int,
        scope::{Scope, scope},
    },
    ids::AccountId,
    recommendations::model::{self, WhyNotKind as Kind},
};

/// Why a course is not among somebody's next courses, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::recommendations::model::WhyNotKind")]
pub(crate) enum WhyNotKind {
    /// It is among them, at `place`.
    Listed,
    /// She takes it, or has taken it.
    Taken,
    /// She dismissed it.
    Dismissed,
    /// She wants less of this kind, and said so of this course.
    LessLikeThis,
    /// She said that she knows it.
    AlreadyKnown,
    /// It takes no new learners.
    Closed,
    /// Others were better: it came in at `place`.
    Outranked,
    /// Nothing that she did, wants or said leads to it.
    NoEvidence,
    /// It was not there when lists were last made ready, or nothing is recommended yet.
    NotWeighed,
}

/// Why a course is not among somebody's next courses, or where among them it stands.
pub(crate) struct WhyNot {
    why: Personal<tags::Recommendation, model::WhyNot>,
    permit: Permit<tags::Recommendation>,
    course: Course,
}

impl WhyNot {
    /// For whoever has asked the policy (see the field's resolver). To whom a course is not there, it is not told of.
    pub(crate) async fn load(
        scope: &Scope,
        learner: AccountId,
        course: &ID,
        permit: Permit<tags::Recommendation>,
    ) -> Result<Option<Self>, Fault> {
        let id = node::course_id(course)?;
        let Some(course) = public(scope, &[id]).await?.pop() else { return Ok(None) };
        let why = match scope.load().next_courses.get(learner).await? {
            Some(given) => scope.app.feed.why_not(learner, id, given.open(permit)).await?,
            None => model::WhyNot::plain(id, Kind::NotWeighed).into(),
        };
        Ok(Some(Self { why, permit, course }))
    }

    fn why(&self) -> &model::WhyNot {
        self.why.open(self.permit)
    }
}

/// Why a course is not among somebody's next courses, or where among them it stands.
#[Object]
impl WhyNot {
    /// The course.
    async fn course(&self) -> &Course {
        &self.course
    }

    /// In a word, for programs.
    async fn kind(&self) -> WhyNotKind {
        self.why().kind.into()
    }

    /// The same, for people.
    async fn sentence(&self) -> String {
        self.why().sentence()
    }

    /// Its place, from 1: in the list if it is listed, among all that were weighed if it was outranked; null otherwise.
    async fn place(&self) -> Option<i32> {
        self.why().place.map(|place| int(i64::try_from(place).unwrap_or(i64::MAX)))
    }

    /// The courses that she would have to take first, in this order.
    async fn missing(&self, ctx: &Context<'_>) -> Result<Vec<Course>, Fault> {
        public(scope(ctx), &self.why().path).await
    }

    /// What speaks for it all the same, the strongest reason first.
    async fn reasons(&self) -> Vec<Reason<'_>> {
        reasons(&self.why().reasons)
    }
}
