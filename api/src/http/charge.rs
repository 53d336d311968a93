//! What a request costs, taken from the budget of whoever asks before it is carried out.

use super::{
    asked::Asked,
    budget::{Exhausted, Holder, Level},
    execution::{Answer, Asker, Executor},
};
use crate::{graphql::errors::Code, time::Timestamp};

/// What was taken, and from whom.
pub(super) struct Charge {
    pub(super) holder: Holder,
    pub(super) cost: u64,
    pub(super) level: Level,
}

impl Executor {
    /// Takes what it costs from the budget of whoever asks, or says why it is not carried out.
    pub(super) fn charge(&self, asked: &Asked, who: Asker<'_>) -> Result<Charge, Box<Answer>> {
        let (name, settings) = (asked.operation_name.as_deref(), &self.app.limits);
        // If it is not clear which operation is meant, that is for the executor to say, and costs little.
        let cost = asked.document.shape.price(name, &asked.variables).unwrap_or(1);
        self.app.observe.cost(cost);
        if cost > settings.cost {
            let error = asked.document.shape.too_expensive(name, &asked.variables, cost, settings);
            return Err(Box::new(Answer::failed(error)));
        }
        let holder = match who.by.viewer.id() {
            Some(account) => Holder::Account(account),
            None => Holder::Network(who.visit.origin.network.clone().unwrap_or_default()),
        };
        match self.budgets.take(holder.clone(), who.caller.name.as_deref(), cost) {
            Ok(level) => Ok(Charge { holder, cost, level }),
            Err(exhausted) => Err(Box::new(self.exhausted(cost, exhausted))),
        }
    }

    fn exhausted(&self, cost: u64, exhausted: Exhausted) -> Answer {
        let Exhausted { level, enough_in, is_programs } = exhausted;
        let seconds = enough_in.as_nanos().div_ceil(1_000_000_000) as u64;
        let whose = if is_programs { "this program's part of the budget" } else { "the budget" };
        let message = format!(
            "this costs {cost}, and of {whose} {} of {} are left: ask again in {seconds} seconds; it is whole again at {}",
            level.remaining,
            level.limit,
            self.reset_at(level)
        );
        let mut error = async_graphql::ServerError::new(message, None);
        error.extensions.get_or_insert_default().set("code", Code::BudgetExhausted.as_str());
        let mut answer = Answer::failed(error);
        answer.retry_after = Some(seconds.max(1));
        answer.response.extensions.insert("cost".to_owned(), self.told(cost, level));
        answer
    }

    /// When the budget is whole again, to the second.
    fn reset_at(&self, level: Level) -> Timestamp {
        let seconds = level.full_in.as_nanos().div_ceil(1_000_000_000) as i64;
        Timestamp::from_seconds(self.app.clock.now().seconds().saturating_add(seconds))
    }

    pub(super) fn told(&self, cost: u64, level: Level) -> async_graphql::Value {
        async_graphql::value!({
            "requested": cost,
            "limit": (level.limit),
            "remaining": (level.remaining),
            "resetAt": (self.reset_at(level).to_string()),
        })
    }
}
