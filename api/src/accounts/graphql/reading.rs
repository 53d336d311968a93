//! What is read of a person once it is permitted.

use async_graphql::SimpleObject;

use super::{ENROLMENTS, Person};
use crate::{
    access::{Permit, tags},
    courses::graphql::{Course, Topic},
    graphql::{
        connection::{Pages, Paging},
        errors::Fault,
        scalars::int,
        scope::Scope,
    },
    progress::graphql::Enrolment,
};

impl Person {
    pub(super) async fn read_teaches(
        &self,
        scope: &Scope,
        permit: Permit<tags::Identity>,
    ) -> Result<Vec<Course>, Fault> {
        let courses = scope.load().teaches.get(self.account.id).await?;
        let courses = courses.open(permit);
        scope.make_room(courses.len())?;
        let found = futures_util::future::join_all(courses.iter().map(|id| Course::find(scope, *id))).await;
        found.into_iter().filter_map(Result::transpose).collect()
    }

    pub(super) async fn read_goals(&self, scope: &Scope, permit: Permit<tags::Profile>) -> Result<Vec<Topic>, Fault> {
        let load = scope.load();
        let goals = load.goals.get(self.account.id).await?;
        let goals = goals.open(permit);
        let topics = load.topics.get_many(goals.to_vec()).await?;
        Ok(goals
            .iter()
            .filter_map(|id| topics.get(id).cloned().flatten())
            .map(|topic| Topic((*topic).clone()))
            .collect())
    }

    pub(super) async fn read_enrolments(
        &self,
        scope: &Scope,
        paging: &Paging,
        permit: Permit<tags::LearningHistory>,
    ) -> Result<Pages<Enrolment>, Fault> {
        let request = paging.request(scope, ENROLMENTS)?;
        let page = scope.load().enrolment_pages.get((self.account.id, request)).await?;
        Enrolment::listed(scope, ENROLMENTS, page.open(permit)).await
    }

    pub(super) async fn read_time_per_topic(
        &self,
        scope: &Scope,
        permit: Permit<tags::LearningHistory>,
    ) -> Result<Vec<TopicTime>, Fault> {
        let load = scope.load();
        let times = load.time_per_topic.get(self.account.id).await?;
        let times = times.open(permit);
        let topics = load.topics.get_many(times.iter().map(|(id, _)| *id).collect()).await?;
        Ok(times
            .iter()
            .filter_map(|(id, seconds)| {
                let topic = topics.get(id).cloned().flatten()?;
                Some(TopicTime { topic: Topic((*topic).clone()), seconds: int(*seconds) })
            })
            .collect())
    }
}

/// Time spent on a topic.
#[derive(SimpleObject)]
pub(crate) struct TopicTime {
    /// The topic.
    topic: Topic,
    /// The time, in seconds.
    seconds: i32,
}
