//! Next courses, as they change.

use async_graphql::{Context, Subscription};

use crate::{
    access::TokenScope,
    accounts::graphql::Person,
    graphql::{errors::Fault, scope::scope},
    live::{
        graphql::{Told, begun, told},
        model::Topic,
    },
};

/// Next courses, as they change.
#[derive(Default)]
pub(crate) struct RecommendationSubscription;

/// Next courses, as they change.
#[Subscription]
impl RecommendationSubscription {
    /// Yourself, each time that your next courses are to be asked for anew: after what you said of a course, enrolled in,
    /// completed, set as a goal or consented to, and when another model serves. Select `nextCourses`.
    async fn next_courses_changed(&self, ctx: &Context<'_>) -> Result<Told<Person>, Fault> {
        let scope = scope(ctx);
        let learner = scope.account_for(TokenScope::Read)?;
        let person = Person::load(scope, learner).await?.ok_or_else(Fault::unauthenticated)?;
        Ok(told(begun(ctx, &[Topic::Recommendations(learner), Topic::Models]).map(|_| person)))
    }
}
