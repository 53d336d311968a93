//! Training by itself, while the server serves.

use std::time::Duration;

use stoa_recommender::Settings;

use super::{Feed, FeedError, Promotion, fingerprint, lease::Lease, store};
use crate::recommendations::{model::ModelInfo, store::catalogue_stamp};

/// A server looks so often whether it is time.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// So long it does not look again after it was time, but there was nothing new: the look reads all enrolments' times.
const QUIET_FOR: Duration = Duration::from_mins(15);
/// An hour, in microseconds.
const HOUR: i64 = 3_600 * 1_000_000;

/// When models are trained without anybody asking for it.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// So many hours after the last training, if there is something new since.
    pub every_hours: u32,
    /// So many models are kept when a new one is there.
    pub keep: usize,
    /// What they are trained with.
    pub settings: Settings,
}

impl Feed {
    /// Trains as the schedule says until the future is dropped.
    pub async fn keep_training(&self, schedule: &Schedule) {
        let mut pause = LOOK_EVERY;
        loop {
            tokio::time::sleep(pause).await;
            pause = LOOK_EVERY;
            match self.train_if_due(schedule).await {
                Ok(Due::Trained(model)) => {
                    let judgement = model.judgement.as_ref();
                    let why = judgement.map_or("", |judgement| judgement.why.as_str());
                    tracing::info!(model = %model.name, promoted = model.promoted_at.is_some(), why, "a model was trained");
                }
                Ok(Due::NothingNew) => pause = QUIET_FOR,
                Ok(Due::NotYet) => {}
                Err(FeedError::Training) => tracing::debug!("another server trains"),
                Err(error) => {
                    tracing::error!(%error, "no model was trained");
                    pause = QUIET_FOR;
                }
            }
        }
    }

    /// Trains if it is time and there is something new. [`FeedError::Training`] if somebody else trains.
    pub async fn train_if_due(&self, schedule: &Schedule) -> Result<Due, FeedError> {
        let before = self.due(schedule).await?;
        if !matches!(before, Some(true)) {
            return Ok(if before.is_some() { Due::NothingNew } else { Due::NotYet });
        }
        let lease = Lease::take(&self.db, &self.clock).await?.ok_or(FeedError::Training)?;
        let trained = lease.during(async {
            // Another may have trained between the look and the lease.
            if !matches!(self.due(schedule).await?, Some(true)) {
                return Ok(Due::NotYet);
            }
            let settings = schedule.settings.clone();
            let model = self.fit_and_judge(settings, Promotion::UnlessWorse, |_| {}).await?;
            if schedule.keep > 0 && self.current().await?.is_some() {
                self.forget_models(schedule.keep).await?;
            }
            Ok(Due::Trained(Box::new(model)))
        });
        Box::pin(trained).await
    }

    /// Whether it is time (`Some`), and there is something new.
    async fn due(&self, schedule: &Schedule) -> Result<Option<bool>, FeedError> {
        let last = self.models().await?.into_iter().next();
        let Some(last) = last else {
            return Ok(Some(store::enrolments_stamp(&self.db).await?.0 > 0));
        };
        if self.clock.now().0 < last.trained_at.0 + i64::from(schedule.every_hours) * HOUR {
            return Ok(None);
        }
        if last.settings != fingerprint(&schedule.settings) {
            return Ok(Some(true));
        }
        let (enrolments, active_at) = store::enrolments_stamp(&self.db).await?;
        let (_, changed_at) = catalogue_stamp(&self.db).await?;
        Ok(Some(enrolments != last.enrolments || active_at > last.trained_at || changed_at > last.trained_at.0))
    }
}

/// What came of a look at the schedule.
#[derive(Debug)]
pub enum Due {
    /// A model was trained; whether it serves is in its judgement.
    Trained(Box<ModelInfo>),
    /// It is time, but nothing has happened since the last training.
    NothingNew,
    /// It is not time yet.
    NotYet,
}
