//! Progress, as it happens.

use async_graphql::{Context, ID, Subscription};

use super::Enrolment;
use crate::{
    access::TokenScope,
    graphql::{errors::Fault, node, scope::scope},
    live::{
        graphql::{Told, begun, told},
        model::Topic,
    },
};

/// Progress, as it happens.
#[derive(Default)]
pub(crate) struct ProgressSubscription;

/// Progress, as it happens.
#[Subscription]
impl ProgressSubscription {
    /// Your own progress and time in a course, each time that they have changed. Several changes that come together may be told
    /// once: what you get is how it is now.
    async fn progress_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
    ) -> Result<Told<Enrolment>, Fault> {
        let scope = scope(ctx);
        let (learner, course) = (scope.account_for(TokenScope::Read)?, node::course_id(&course_id)?);
        let enrolment = Enrolment::find(scope, learner, course).await?;
        let enrolment = enrolment.ok_or_else(|| Fault::not_found("course that you take"))?;
        Ok(told(begun(ctx, &[Topic::Progress(learner, course)]).map(|_| enrolment)))
    }
}
