//! Next courses: the bridge between the database and the recommender, which knows nothing of it.

mod arrivals;
mod catalogue;
mod evaluation;
mod events;
pub mod experiments;
pub mod external;
mod feedback;
pub(crate) mod graphql;
pub mod lifecycle;
pub(crate) mod loaders;
pub mod model;
mod next;
mod report;
mod served;
mod serving;
pub(crate) mod store;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use stoa_recommender::{CatalogueError, FitError, InteractionsBuilder, Model, ModelError, Registry};
use tokio::sync::Notify;

use crate::{
    accounts::secret::SecretKey,
    db::{Db, DbError},
    ids::{AccountId, ModelId},
    live::{self, model::Event},
    time::Clock,
};
use arrivals::Arrivals;
use catalogue::Mapped;
use experiments::ExperimentSettings;
use external::{EngineSettingsError, Engines, EnginesSettings};
use lifecycle::TrainingData;
use model::List;
use serving::Serving;
use store::CatalogueStamp;

pub use events::{EventKind, EventRefusal, NewEvent};
pub(crate) use events::{completed, enrolled};
pub use feedback::FeedbackRefusal;
pub use next::Given;
pub(crate) use next::GivenList;
pub use report::{ExperimentReport, PartReport, Rate};
pub use stoa_recommender::Progress as TrainingProgress;

/// The setting that names the model in use.
const CURRENT_MODEL: &str = "current_model";
/// How often a server looks for a newer model or catalogue.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a list is kept: about a sitting, in microseconds.
const LIST_LIFE: i64 = 15 * 60 * 1_000_000;
/// So many lists are kept in memory, of some 20 kB each.
const MAX_GIVEN: u64 = 1_000;

/// The service of next courses; cheap to clone.
#[derive(Clone)]
pub struct Feed {
    db: Db,
    clock: Clock,
    key: SecretKey,
    experiment: Arc<ExperimentSettings>,
    registry: Arc<Registry>,
    engines: Engines,
    serving: Arc<ArcSwapOption<Serving>>,
    /// Somebody has enrolled here.
    arrived: Arc<Notify>,
    /// Lists that were read lately. Whether one is still good is asked each time; what it says is then not read and decoded
    /// again.
    given: Cache<AccountId, List>,
}

/// Why there are no next courses.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The catalogue can't be used.
    #[error("the catalogue can't be used for recommendations: {0}")]
    Catalogue(#[from] CatalogueError),
    /// The stored model can't be used.
    #[error("the model {id} can't be used: {cause}. Make a new one with `stoa train`")]
    Model {
        /// Which model.
        id: String,
        /// Why.
        cause: ModelError,
    },
    /// Training failed.
    #[error("the recommender can't be trained: {0}")]
    Fit(#[from] FitError),
    /// Training was broken off.
    #[error("training was interrupted")]
    Interrupted,
    /// No model has been trained.
    #[error("there is no model yet: make one with `stoa train`")]
    NoModel,
    /// One trains at a time.
    #[error("a model is being trained by another server or command: wait for it")]
    Training,
    /// No model has the name.
    #[error("there is no model {name:?}; there are: {known}")]
    NoSuchModel {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// There is nothing to go back to.
    #[error("no model was in use before the current one")]
    NothingBefore,
}

impl Feed {
    /// The service, without a model until [`Feed::refresh`] has found one, and without engines outside.
    pub fn new(db: Db, clock: Clock, key: SecretKey, experiment: ExperimentSettings) -> Self {
        Self {
            engines: Engines::none(db.clone(), key.clone()),
            registry: Arc::new(Registry::standard()),
            experiment: Arc::new(experiment),
            serving: Arc::default(),
            arrived: Arc::default(),
            given: Cache::builder()
                .max_capacity(MAX_GIVEN)
                .time_to_live(Duration::from_micros(LIST_LIFE as u64))
                .build(),
            db,
            clock,
            key,
        }
    }

    /// The same with the engines that models are made of, and those outside the process.
    pub fn with_engines(self, registry: Registry, settings: &EnginesSettings) -> Result<Self, EngineSettingsError> {
        let engines = Engines::new(settings, self.db.clone(), &self.clock, self.key.clone())?;
        Ok(Self { registry: Arc::new(registry), engines, ..self })
    }

    /// The engines outside the process.
    pub fn engines(&self) -> &Engines {
        &self.engines
    }

    /// The name of the experiment that runs; empty if none does.
    pub fn experiment(&self) -> &str {
        if self.experiment.arms.is_empty() { "" } else { &self.experiment.name }
    }

    /// Takes up the current model and catalogue, if they have changed. Answers whether a model serves.
    pub async fn refresh(&self) -> Result<bool, FeedError> {
        self.take_up(self.wanted().await?).await
    }

    async fn take_up(&self, wanted: (Option<ModelId>, CatalogueStamp)) -> Result<bool, FeedError> {
        let (Some(id), stamp) = wanted else {
            self.serving.store(None);
            return Ok(false);
        };
        if self.serving.load().as_ref().is_some_and(|serving| serving.model_id == id && serving.stamp == stamp) {
            return Ok(true);
        }
        let (payload, trained_at) = lifecycle::store::model(&self.db, id).await?.ok_or(FeedError::NoModel)?;
        let mapped = Mapped::new(store::catalogue(&self.db).await?)?;
        let unusable = |cause| FeedError::Model { id: id.0.to_string(), cause };
        let model = Model::from_bytes_with(&self.registry, &payload).map_err(unusable)?;
        let recommender = model.bind(&mapped.catalogue).map_err(unusable)?;
        let arrivals = Arrivals::after(trained_at);
        self.serving.store(Some(Arc::new(Serving { model_id: id, trained_at, stamp, recommender, mapped, arrivals })));
        live::announce_here(&self.db, &Event::ModelChanged);
        Ok(true)
    }

    /// Keeps up with newer models, a changed catalogue and new enrolments until the future is dropped. A model that can't
    /// be used leaves the one before it in its place.
    pub async fn keep_fresh(&self) {
        // What could not be used is not tried again until it changes.
        let mut unusable = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.arrived.notified() => {}
            }
            if let Err(error) = self.absorb_new().await {
                tracing::warn!(%error, "new enrolments were not counted yet");
            }
            let Ok(wanted) = self.wanted().await else { continue };
            if unusable == Some(wanted) {
                continue;
            }
            match self.take_up(wanted).await {
                Ok(_) => {}
                Err(FeedError::Database(error)) => tracing::warn!(%error, "the recommender was not refreshed"),
                Err(error) => {
                    tracing::error!(%error, "the recommender was not refreshed");
                    unusable = Some(wanted);
                }
            }
        }
    }

    /// What should be served: the current model and the state of the catalogue.
    async fn wanted(&self) -> Result<(Option<ModelId>, CatalogueStamp), DbError> {
        Ok((self.current().await?, store::catalogue_stamp(&self.db).await?))
    }

    /// Whether a model serves.
    pub fn is_serving(&self) -> bool {
        self.serving.load().is_some()
    }

    /// The model that serves, and when it was trained.
    pub fn model_in_use(&self) -> Option<(ModelId, crate::time::Timestamp)> {
        self.serving.load().as_ref().map(|serving| (serving.model_id, serving.trained_at))
    }

    async fn training_data(&self) -> Result<TrainingData, FeedError> {
        let mapped = Mapped::new(store::catalogue(&self.db).await?)?;
        let mut builder = InteractionsBuilder::new(&mapped.catalogue);
        let (mut learner, mut last, mut refused, mut rows) = (0, None, 0_u64, 0);
        store::each_interaction(&self.db, |row| {
            rows += 1;
            if last.replace(row.learner_id) != Some(row.learner_id) {
                learner += 1;
            }
            if let Some(interaction) = mapped.interaction(&row)
                && builder.push(learner, interaction).is_err()
            {
                refused += 1;
            }
        })
        .await?;
        if refused > 0 {
            tracing::warn!(refused, "enrolments were left out of training: their numbers are out of range");
        }
        let interactions = builder.build();
        Ok((mapped, interactions, rows))
    }
}
