//! Next courses: the bridge between the database and the recommender, which knows nothing of it.

mod arrivals;
mod catalogue;
pub mod external;
pub(crate) mod graphql;
pub mod lifecycle;
pub(crate) mod loaders;
pub mod model;
mod served;
pub(crate) mod store;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use stoa_recommender::{
    CatalogueError, FitError, InteractionsBuilder, Model, ModelError, Recommender, Registry, Settings,
    evaluate::{self, Report},
};
use tokio::sync::Notify;

use crate::{
    access::{Personal, tags},
    accounts::{self, Accounts},
    db::{Db, DbError},
    ids::{AccountId, ModelId},
    time::{Clock, Timestamp},
};
use arrivals::Arrivals;
use catalogue::Mapped;
use external::{Engines, HYBRID};
use lifecycle::TrainingData;
use model::{Provenance, Recommended};
use served::Wanted;
use store::CatalogueStamp;

pub use stoa_recommender::Progress as TrainingProgress;

/// The setting that names the model in use.
const CURRENT_MODEL: &str = "current_model";
/// How often a server looks for a newer model or catalogue.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a list is kept: about a sitting, in microseconds.
const LIST_LIFE: i64 = 15 * 60 * 1_000_000;

/// The service of next courses; cheap to clone.
#[derive(Clone)]
pub struct Feed {
    db: Db,
    clock: Clock,
    registry: Arc<Registry>,
    engines: Engines,
    serving: Arc<ArcSwapOption<Serving>>,
    /// Somebody has enrolled here.
    arrived: Arc<Notify>,
}

/// A model on a catalogue. Replaced as a whole.
struct Serving {
    model_id: ModelId,
    stamp: CatalogueStamp,
    recommender: Recommender,
    mapped: Mapped,
    arrivals: Arrivals,
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
    pub fn new(db: Db, clock: Clock, accounts: Accounts) -> Self {
        let engines = Engines::none(db.clone(), accounts);
        let registry = Arc::new(Registry::standard());
        Self { db, clock, registry, engines, serving: Arc::default(), arrived: Arc::default() }
    }

    /// The same with the engines that models are made of, and those outside the process.
    #[must_use]
    pub fn with_engines(self, registry: Registry, engines: Engines) -> Self {
        Self { registry: Arc::new(registry), engines, ..self }
    }

    /// The engines outside the process.
    pub fn engines(&self) -> &Engines {
        &self.engines
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
        self.serving.store(Some(Arc::new(Serving { model_id: id, stamp, recommender, mapped, arrivals })));
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

    /// Measures the recommender on everybody's enrolments: the last course of each learner is to be
    /// foretold from those before it.
    pub async fn evaluate(
        &self,
        settings: Settings,
        mut progress: impl FnMut(TrainingProgress) + Send + 'static,
    ) -> Result<Report, FeedError> {
        let (mapped, interactions, _) = self.training_data().await?;
        let report = tokio::task::spawn_blocking(move || {
            evaluate::leave_last_out(&mapped.catalogue, &interactions, &settings, &mut progress)
        })
        .await
        .map_err(|_| FeedError::Interrupted)??;
        Ok(report)
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

    /// The learner's next courses, the best first, at most [`model::MAX_LIST`]; none without a model.
    ///
    /// The same list is given until the learner does something, a newer model comes, or a sitting is over.
    pub async fn next_courses(
        &self,
        learner: AccountId,
    ) -> Result<Personal<tags::Recommendation, Vec<Recommended>>, DbError> {
        Ok(self.next_courses_and_whence(learner).await?.0)
    }

    /// As [`Feed::next_courses`], with who made the list, and why it was not who should have.
    pub async fn next_courses_and_whence(
        &self,
        learner: AccountId,
    ) -> Result<(Personal<tags::Recommendation, Vec<Recommended>>, Provenance), DbError> {
        let outside = self.engines.serve_by();
        let served_by = outside.unwrap_or(HYBRID);
        let by = |served_by: &str| Provenance { served_by: served_by.to_owned(), fallback_reason: None };
        let Some(serving) = self.serving.load_full() else { return Ok((Vec::new().into(), by(HYBRID))) };
        let now = self.clock.now();
        let oldest = Timestamp(now.0 - LIST_LIFE);
        if let Some(list) = store::list(&self.db, learner, (serving.model_id, served_by), oldest).await? {
            return Ok((list.into(), by(served_by)));
        }
        // The stamp is read first: what happens meanwhile makes the list stale, never wrongly fresh.
        let history_at = store::history_stamp(&self.db, learner).await?;
        let rows = store::history(&self.db, learner).await?;
        let history: Vec<_> = rows.iter().filter_map(|row| serving.mapped.interaction(row)).collect();
        let goals = accounts::store::goals(&self.db, &[learner]).await?;
        let goals: Vec<_> = goals.into_iter().filter_map(|(_, topic)| serving.mapped.topic(topic)).collect();
        let wanted = Wanted { learner, history: &history, goals: &goals, exclude: &serving.mapped.closed, now };
        let (list, whence) = self.made(&serving, outside, &wanted).await;
        // A list that only stands in is not kept: when the engine answers again, so does this.
        if whence.fallback_reason.is_none() {
            // Reading does not wait for a write. If this one is lost, the list is made again.
            let (db, model, kept, served_by) = (self.db.clone(), serving.model_id, list.clone(), served_by.to_owned());
            tokio::spawn(async move {
                let key = (learner, model, served_by.as_str());
                if let Err(error) = store::put_list(&db, key, history_at, now, &kept).await {
                    tracing::debug!(%error, "a list of next courses was not kept");
                }
            });
        }
        Ok((list.into(), whence))
    }
}
