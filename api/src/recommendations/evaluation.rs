//! How well the recommender foretells what learners took.

use stoa_recommender::{
    Settings,
    evaluate::{Protocol, Report, Trial},
};

use super::{Feed, FeedError, TrainingProgress};

impl Feed {
    /// Measures the recommender on everybody's enrolments, once for each protocol; with `ablation` also
    /// without each part of it.
    pub async fn evaluate(
        &self,
        settings: Settings,
        protocols: Vec<Protocol>,
        ablation: bool,
        mut progress: impl FnMut(TrainingProgress) + Send + 'static,
    ) -> Result<Vec<Report>, FeedError> {
        let (mapped, interactions, _) = self.training_data().await?;
        let registry = self.registry.clone();
        let judge = move || {
            let trial = Trial { registry: &registry, settings: &settings, ablation };
            let judge = |protocol| trial.evaluate(protocol, &mapped.catalogue, &interactions, &mut progress);
            protocols.into_iter().map(judge).collect::<Result<_, _>>()
        };
        Ok(tokio::task::spawn_blocking(judge).await.map_err(|_| FeedError::Interrupted)??)
    }
}
