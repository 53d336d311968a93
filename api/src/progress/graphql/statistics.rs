//! Sums over a course's learners, in the graph.

use async_graphql::SimpleObject;

use crate::{
    access::{COURSE_STATISTICS, InCourse, Shown, Standing, permit},
    graphql::{scalars::int, scope::Scope},
    ids::CourseId,
};

/// How a class does.
#[derive(SimpleObject)]
pub(crate) struct CourseStatistics {
    /// How many learners have enrolled.
    learners: i32,
    /// How many have completed the course; null where these, or the others, are fewer than `smallestGroup`.
    completed: Option<i32>,
    /// The smallest number of learners that a sum speaks of.
    smallest_group: i32,
}

impl CourseStatistics {
    /// The sums of a course, if somebody with this standing to it may see them.
    pub(crate) async fn read(scope: &Scope, course: CourseId, standing: &Standing<InCourse>) -> Shown<Self> {
        let permit = match permit(&COURSE_STATISTICS, standing) {
            Ok(permit) => permit,
            Err(denied) => return Shown::Denied(denied),
        };
        let smallest_group = scope.app.rules.smallest_group;
        Shown::from(scope.load().rollups.get(course).await).map(|rollup| Self {
            learners: int(rollup.learner_count),
            completed: rollup.completed(smallest_group, permit).map(int),
            smallest_group: int(smallest_group.into()),
        })
    }
}
