//! The life of models: trained off the request path, held against the one in use, promoted, gone back to, forgotten.

mod lease;
mod schedule;
pub(crate) mod store;

use sha2::{Digest as _, Sha256};
use stoa_recommender::{
    Interactions, Model, Settings,
    evaluate::{self, Shadow},
};

use super::{
    CURRENT_MODEL, Feed, FeedError, TrainingProgress,
    catalogue::Mapped,
    model::{Judgement, ModelInfo},
};
use crate::{
    accounts::secret::hex,
    db::{DbError, settings},
    ids::ModelId,
    time::Timestamp,
};
use lease::Lease;

pub use schedule::{Due, Schedule};

/// A day, in microseconds.
const DAY: i64 = 86_400 * 1_000_000;
/// A name is taken by somebody who broke the lease so seldom that a few tries do.
const TRIES: usize = 3;

/// Whether a new model has to be no worse than the one in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promotion {
    /// It takes over unless it is worse.
    #[default]
    UnlessWorse,
    /// It takes over, whatever the figures say.
    Always,
    /// It takes over, and nothing is measured.
    Unmeasured,
}

impl Feed {
    /// The model in use, if there is one.
    pub async fn current(&self) -> Result<Option<ModelId>, DbError> {
        let id = settings::get(&self.db, CURRENT_MODEL).await?;
        Ok(id.and_then(|id| id.parse().ok()).map(ModelId))
    }

    /// Every model that was trained, the latest first.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, DbError> {
        store::models(&self.db).await
    }

    /// Trains a model on everybody's enrolments, keeps it, and makes it the current one unless it is worse than that.
    /// Servers take it up within seconds.
    pub async fn train(
        &self,
        settings: Settings,
        progress: impl FnMut(TrainingProgress) + Send + 'static,
    ) -> Result<ModelInfo, FeedError> {
        self.train_with(settings, Promotion::default(), progress).await
    }

    /// As [`Feed::train`]; `promotion` says when it becomes the current one. What came of it is in the model's judgement.
    ///
    /// One trains at a time, among all servers: [`FeedError::Training`] if somebody does.
    pub async fn train_with(
        &self,
        settings: Settings,
        promotion: Promotion,
        progress: impl FnMut(TrainingProgress) + Send + 'static,
    ) -> Result<ModelInfo, FeedError> {
        let lease = Lease::take(&self.db, &self.clock).await?.ok_or(FeedError::Training)?;
        Box::pin(lease.during(self.fit_and_judge(settings, promotion, progress))).await
    }

    async fn fit_and_judge(
        &self,
        settings: Settings,
        promotion: Promotion,
        mut progress: impl FnMut(TrainingProgress) + Send + 'static,
    ) -> Result<ModelInfo, FeedError> {
        // Before anything is read: what comes meanwhile may be counted twice for a while, but is not missed.
        let now = self.clock.now();
        let fingerprint = fingerprint(&settings);
        let against = self.against().await?;
        let (mapped, interactions, enrolments) = self.training_data().await?;
        let registry = self.registry.clone();
        let judged = move || {
            let (catalogue, used) = (&mapped.catalogue, &interactions);
            let model = Model::fit_with(&registry, catalogue, used, &settings, &mut progress)?.stamp(now.seconds());
            let shadow = |current: &Model, progress: &mut dyn FnMut(TrainingProgress)| {
                evaluate::shadow(&registry, catalogue, used, &settings, current, progress)
            };
            let judgement = judge(promotion, against, |current| shadow(current, &mut progress))?;
            Ok::<_, FeedError>((model.to_bytes(), model.header().clone(), judgement))
        };
        let (payload, header, judgement) =
            tokio::task::spawn_blocking(judged).await.map_err(|_| FeedError::Interrupted)??;
        let mut info = ModelInfo {
            id: self.clock.id(),
            name: String::new(),
            engine: header.engine,
            trained_at: now,
            learners: header.learners as i64,
            interactions: header.interactions as i64,
            courses: header.courses as i64,
            enrolments,
            settings: fingerprint,
            promoted_at: judgement.promoted.then(|| self.clock.now()),
            judgement: Some(judgement),
        };
        for _ in 0..TRIES {
            match self.put_model(&mut info, &payload).await {
                Err(DbError::Constraint(_)) => {}
                kept => return Ok(kept.map(|()| info)?),
            }
        }
        Err(FeedError::Training)
    }

    /// Keeps a model under a free name, and makes it the current one if it was promoted.
    async fn put_model(&self, info: &mut ModelInfo, payload: &[u8]) -> Result<(), DbError> {
        let day = info.trained_at.0.div_euclid(DAY) * DAY;
        let date: String = Timestamp(day).to_string().chars().take_while(|letter| *letter != 'T').collect();
        let mut tx = self.db.begin().await?;
        let names = store::names(&mut tx, Timestamp(day), Timestamp(day + DAY)).await?;
        let numbers = names.iter().filter_map(|name| name.rsplit_once('-')?.1.parse::<u32>().ok());
        info.name = format!("{date}-{}", numbers.max().unwrap_or(0) + 1);
        store::insert_model(&mut tx, info, payload).await?;
        if info.promoted_at.is_some() {
            settings::set(&mut tx, CURRENT_MODEL, &info.id.0.to_string()).await?;
        }
        tx.commit().await
    }

    /// The model that a new one is held against: its name, and itself or why it can't be read.
    async fn against(&self) -> Result<Option<(String, Result<Model, String>)>, FeedError> {
        let Some(id) = self.current().await? else { return Ok(None) };
        let Some((payload, _)) = store::model(&self.db, id).await? else { return Ok(None) };
        let name = self.models().await?.into_iter().find(|info| info.id == id).map(|info| info.name);
        let model = Model::from_bytes_with(&self.registry, &payload).map_err(|error| error.to_string());
        Ok(Some((name.unwrap_or_default(), model)))
    }

    /// Makes the model of this name the current one, if it can be used.
    pub async fn use_model(&self, name: &str) -> Result<ModelInfo, FeedError> {
        let models = self.models().await?;
        let Some(found) = models.iter().find(|info| info.name == name) else {
            let known: Vec<_> = models.into_iter().map(|info| info.name).collect();
            return Err(FeedError::NoSuchModel { name: name.to_owned(), known: known.join(", ") });
        };
        let mut info = found.clone();
        let now = self.clock.now();
        self.serve(&info, Some(now)).await?;
        info.promoted_at = Some(now);
        Ok(info)
    }

    /// Goes back to the model that was chosen before the current one. Doing it again goes back further.
    pub async fn roll_back(&self) -> Result<ModelInfo, FeedError> {
        let current = self.current().await?.ok_or(FeedError::NoModel)?;
        let mut models = self.models().await?;
        models.sort_by_key(|info| (info.promoted_at, info.trained_at, info.id));
        let before =
            models.iter().take_while(|info| info.id != current).filter(|info| info.promoted_at.is_some()).last();
        let info = before.cloned().ok_or(FeedError::NothingBefore)?;
        self.serve(&info, None).await?;
        Ok(info)
    }

    /// Forgets all but the `keep` latest models; the current one always stays. Answers how many were forgotten.
    pub async fn forget_models(&self, keep: usize) -> Result<u64, FeedError> {
        let current = self.current().await?.ok_or(FeedError::NoModel)?;
        Ok(store::prune(&self.db, i64::try_from(keep).unwrap_or(i64::MAX), current).await?)
    }

    /// Makes a model the current one after a look at whether it can be.
    async fn serve(&self, info: &ModelInfo, promoted_at: Option<Timestamp>) -> Result<(), FeedError> {
        let (payload, _) = store::model(&self.db, info.id).await?.ok_or(FeedError::NoModel)?;
        let mapped = Mapped::new(super::store::catalogue(&self.db).await?)?;
        let unusable = |cause| FeedError::Model { id: info.id.0.to_string(), cause };
        let model = Model::from_bytes_with(&self.registry, &payload).map_err(unusable)?;
        model.bind(&mapped.catalogue).map_err(unusable)?;
        let mut tx = self.db.begin().await?;
        if let Some(at) = promoted_at {
            store::promoted(&mut tx, info.id, at).await?;
        }
        settings::set(&mut tx, CURRENT_MODEL, &info.id.0.to_string()).await?;
        Ok(tx.commit().await?)
    }
}

/// Whether a new model takes over.
fn judge(
    promotion: Promotion,
    against: Option<(String, Result<Model, String>)>,
    shadow: impl FnOnce(&Model) -> Result<Shadow, stoa_recommender::FitError>,
) -> Result<Judgement, FeedError> {
    let promoted = |against, why: String| Judgement { against, promoted: true, why, shadow: None };
    let Some((name, current)) = against else {
        return Ok(promoted(None, "there was no other model".to_owned()));
    };
    let current = match current {
        Ok(current) => current,
        Err(cause) => return Ok(promoted(Some(name), format!("the one in use could not be read: {cause}"))),
    };
    if promotion == Promotion::Unmeasured {
        return Ok(promoted(Some(name), "it was not held against the one in use".to_owned()));
    }
    let shadow = shadow(&current)?;
    let forced = promotion == Promotion::Always && !shadow.promote;
    let why = if forced { format!("it was to take over anyhow, although {}", shadow.why) } else { shadow.why.clone() };
    Ok(Judgement { against: Some(name), promoted: shadow.promote || forced, why, shadow: Some(shadow) })
}

/// A short hash of settings: two that are alike train alike.
fn fingerprint(settings: &Settings) -> String {
    // Plain data: nothing can fail.
    let text = serde_json::to_vec(settings).unwrap_or_default();
    hex(&Sha256::digest(&text)[..8])
}

/// What training reads.
pub(super) type TrainingData = (Mapped, Interactions, i64);

#[cfg(test)]
mod tests {
    use super::*;
    use stoa_recommender::{Catalogue, InteractionsBuilder};

    fn model() -> Model {
        let catalogue = Catalogue::new(Vec::new(), Vec::new()).unwrap();
        let nothing = InteractionsBuilder::new(&catalogue).build();
        Model::fit(&catalogue, &nothing, &Settings::default(), &mut |_| {}).unwrap()
    }

    fn found(promote: bool) -> Shadow {
        let why = if promote { "it foretells as well" } else { "it foretells worse" };
        Shadow {
            questions: 100,
            candidate: 0.1,
            current: 0.3,
            against: "model in use".to_owned(),
            difference: (-0.3, -0.1),
            promote,
            why: why.to_owned(),
        }
    }

    fn judged(promotion: Promotion, promote: bool) -> Judgement {
        judge(promotion, Some(("2026-03-01-1".to_owned(), Ok(model()))), |_| Ok(found(promote))).unwrap()
    }

    #[test]
    fn a_worse_model_does_not_take_over_and_it_says_why() {
        let worse = judged(Promotion::UnlessWorse, false);
        assert!(!worse.promoted && worse.why == "it foretells worse");
        assert_eq!(worse.against.as_deref(), Some("2026-03-01-1"));
        assert!(judged(Promotion::UnlessWorse, true).promoted);
    }

    #[test]
    fn whoever_forces_it_is_told_what_was_measured() {
        let forced = judged(Promotion::Always, false);
        assert!(forced.promoted && forced.why.contains("although it foretells worse") && forced.shadow.is_some());
        let unmeasured = judged(Promotion::Unmeasured, false);
        assert!(unmeasured.promoted && unmeasured.shadow.is_none());
    }

    #[test]
    fn the_first_model_and_the_one_after_a_broken_one_take_over_unmeasured() {
        let never = |_: &Model| panic!("there is nothing to hold it against");
        let first = judge(Promotion::UnlessWorse, None, never).unwrap();
        assert!(first.promoted && first.against.is_none());
        let never = |_: &Model| panic!("there is nothing to hold it against");
        let broken = Some(("2026-03-01-1".to_owned(), Err("its checksum is wrong".to_owned())));
        let after = judge(Promotion::UnlessWorse, broken, never).unwrap();
        assert!(after.promoted && after.why.contains("checksum"));
    }

    #[test]
    fn settings_that_differ_have_another_fingerprint() {
        let other = Settings { seed: 43, ..Settings::default() };
        assert_eq!(fingerprint(&Settings::default()), fingerprint(&Settings::default()));
        assert_ne!(fingerprint(&Settings::default()), fingerprint(&other));
    }
}
