//! The trained hybrid, and how it is saved.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::candidates::FittedEngine;
use crate::content::Content;
use crate::engine::Registry;
use crate::evaluate::ablation::Part;
use crate::features::names;
use crate::recommend::Recommender;
use crate::stats::Stats;
use crate::training::{self, Progress};
use crate::{Catalogue, FitError, Interaction, Interactions, ModelError, Settings};

/// What a saved model begins with.
const MAGIC: [u8; 8] = *b"STOAREC\n";
/// Raised whenever the body changes.
const FORMAT: u32 = 1;
/// Magic, format, length of the body, checksum of the body.
const HEAD: usize = 8 + 4 + 8 + 32;

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelHeader {
    /// The algorithm, `hybrid`.
    pub engine: String,
    /// Version of this crate that trained it.
    pub version: String,
    /// Labels of the engines inside.
    pub engines: Vec<String>,
    /// The engines' parameters after the search, by label.
    pub parameters: BTreeMap<String, BTreeMap<String, f64>>,
    /// When it was trained (Unix seconds), see [`Model::stamp`]; the same as `seen_until` otherwise.
    pub trained_at: i64,
    /// Time of the latest interaction it saw (Unix seconds); 0 if it saw none.
    pub seen_until: i64,
    /// Learners it saw.
    pub learners: u64,
    /// Interactions it saw.
    pub interactions: u64,
    /// Courses of its catalogue.
    pub courses: u64,
    /// Held-out choices its ranker was fitted on; 0 if its weights were set by hand.
    pub choices: u64,
    /// [`Catalogue::fingerprint`] of its catalogue.
    pub catalogue: u64,
    /// Seed of the settings.
    pub seed: u64,
}

/// Parts of the settings that matter when answering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manners {
    pub(crate) candidates: usize,
    pub(crate) goal_boost: f64,
    pub(crate) support: u32,
    pub(crate) reasons: usize,
}

pub(crate) struct Inner {
    pub(crate) header: ModelHeader,
    pub(crate) keys: Vec<String>,
    pub(crate) engines: Vec<FittedEngine>,
    pub(crate) stats: Stats,
    /// Situation × feature.
    pub(crate) weights: Vec<f64>,
    pub(crate) manners: Manners,
    pub(crate) names: Vec<Arc<str>>,
}

/// A trained hybrid. Cheap to clone; [`bind`](Self::bind) it to a catalogue to ask it.
#[derive(Clone)]
pub struct Model(pub(crate) Arc<Inner>);

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Model").field(&self.0.header).finish()
    }
}

/// The body of a saved model.
#[derive(Serialize, Deserialize)]
struct Body {
    header: ModelHeader,
    keys: Vec<String>,
    engines: Vec<(String, String, Vec<u8>)>,
    stats: Stats,
    weights: Vec<f64>,
    manners: Manners,
}

impl Model {
    /// Trains with the crate's own engines. Same input and seed, same model.
    ///
    /// # Errors
    /// Settings out of range, interactions of another catalogue, an engine that gives up. Too little
    /// data is no error: the model then ranks by weights set by hand, in the end by popularity.
    pub fn fit(
        catalogue: &Catalogue,
        interactions: &Interactions,
        settings: &Settings,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, FitError> {
        Self::fit_with(&Registry::standard(), catalogue, interactions, settings, progress)
    }

    /// Trains with the engines of a registry.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn fit_with(
        registry: &Registry,
        catalogue: &Catalogue,
        interactions: &Interactions,
        settings: &Settings,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, FitError> {
        let histories = interactions.iter().map(|(_, history)| history).collect();
        let clock = interactions.has_clock();
        Ok(Self::fit_histories(registry, catalogue, histories, clock, settings, false, progress)?.0)
    }

    /// Trains on histories as they are cut for an evaluation. With `ablate` there also come the weights
    /// fitted without each part of the features.
    pub(crate) fn fit_histories(
        registry: &Registry,
        catalogue: &Catalogue,
        histories: Vec<&[Interaction]>,
        clock: bool,
        settings: &Settings,
        ablate: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Self, Vec<(Part, Vec<f64>)>), FitError> {
        let learners = histories.len();
        let interactions: usize = histories.iter().map(|h| h.len()).sum();
        let courses = catalogue.len();
        let mut rows = histories.iter().copied().flatten();
        if let Some(row) = rows.find(|row| row.course as usize >= courses) {
            return Err(FitError::OtherCatalogue { course: row.course, courses });
        }
        let content = Content::new(catalogue);
        let data = training::data(&content, histories, clock);
        let fitted = training::fit(&data, settings, registry, ablate, progress)?;
        let header = ModelHeader {
            engine: "hybrid".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engines: fitted.engines.iter().map(|e| e.label.clone()).collect(),
            parameters: fitted.parameters,
            trained_at: data.now,
            seen_until: data.now,
            learners: learners as u64,
            interactions: interactions as u64,
            courses: courses as u64,
            choices: fitted.choices as u64,
            catalogue: catalogue.fingerprint(),
            seed: settings.seed,
        };
        let model = Self(Arc::new(Inner {
            names: names(&header.engines).into_iter().map(Arc::from).collect(),
            header,
            keys: catalogue.courses().iter().map(|c| c.key.clone()).collect(),
            engines: fitted.engines,
            stats: fitted.stats,
            weights: fitted.weights,
            manners: Manners {
                candidates: settings.candidates,
                goal_boost: settings.goal_boost,
                support: settings.support,
                reasons: settings.reasons,
            },
        }));
        Ok((model, fitted.without))
    }

    /// Notes when the training took place (Unix seconds). Left out, two trainings on the same data
    /// give the same bytes.
    #[must_use]
    pub fn stamp(mut self, trained_at: i64) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.header.trained_at = trained_at;
        }
        self
    }

    /// What the model says of itself.
    #[must_use]
    pub fn header(&self) -> &ModelHeader {
        &self.0.header
    }

    /// The features' names, each with the part of its weight that holds in every situation.
    pub fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.names.iter().map(|n| &**n).zip(self.0.weights.iter().copied())
    }

    /// Readies the model to answer for a catalogue, which may have changed since the training:
    /// courses are matched by key, new ones are known by their topics, level and age only, those
    /// that vanished are never recommended.
    ///
    /// # Errors
    /// [`ModelError::OtherCatalogue`] if the model knows courses and the catalogue has none of them.
    pub fn bind(self, catalogue: &Catalogue) -> Result<Recommender, ModelError> {
        Recommender::new(self, catalogue)
    }

    /// The model as bytes: a header with magic, format, length and checksum, then the body.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let inner = &*self.0;
        let body = Body {
            header: inner.header.clone(),
            keys: inner.keys.clone(),
            engines: inner.engines.iter().map(|e| (e.engine.clone(), e.label.clone(), e.scorer.to_bytes())).collect(),
            stats: inner.stats.clone(),
            weights: inner.weights.clone(),
            manners: inner.manners.clone(),
        };
        // Plain data into memory: nothing can fail.
        let body = postcard::to_allocvec(&body).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(Sha256::digest(&body));
        bytes.extend(body);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Bytes that are no model, a format newer than this crate, a body that doesn't fit its
    /// checksum, an engine that is not registered.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        Self::from_bytes_with(&Registry::standard(), bytes)
    }

    /// Reads a model whose engines are in `registry`.
    ///
    /// # Errors
    /// As [`Model::from_bytes`].
    pub fn from_bytes_with(registry: &Registry, bytes: &[u8]) -> Result<Self, ModelError> {
        let body = body(bytes)?;
        let damaged = |error: postcard::Error| ModelError::Damaged(error.to_string());
        let body: Body = postcard::from_bytes(body).map_err(damaged)?;
        let mut engines = Vec::with_capacity(body.engines.len());
        for (engine, label, state) in body.engines {
            let Some(found) = registry.find(&engine) else {
                return Err(ModelError::UnknownEngine(engine));
            };
            let scorer =
                (found.load)(&state).map_err(|error| ModelError::Damaged(format!("engine {engine}: {error}")))?;
            engines.push(FittedEngine { engine, label, scorer });
        }
        let names = names(&body.header.engines);
        let situations = crate::features::SITUATIONS;
        if body.weights.len() != names.len() * situations || engines.len() != body.header.engines.len() {
            return Err(ModelError::Damaged("its weights don't fit its engines".into()));
        }
        Ok(Self(Arc::new(Inner {
            header: body.header,
            keys: body.keys,
            engines,
            stats: body.stats,
            weights: body.weights,
            manners: body.manners,
            names: names.into_iter().map(Arc::from).collect(),
        })))
    }
}

/// The body of a saved model, if the head is right.
fn body(bytes: &[u8]) -> Result<&[u8], ModelError> {
    let Some(rest) = bytes.strip_prefix(&MAGIC) else {
        return Err(ModelError::Foreign);
    };
    let cut = || ModelError::Damaged("it ends too early".into());
    let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let found = u32::from_le_bytes(*format);
    if found > FORMAT {
        return Err(ModelError::Newer { found, known: FORMAT });
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
    let (checksum, body) = rest.split_first_chunk::<32>().ok_or_else(cut)?;
    if body.len() as u64 != u64::from_le_bytes(*length) {
        let said = u64::from_le_bytes(*length);
        let text = format!("{} bytes where {said} were written", body.len());
        return Err(ModelError::Damaged(text));
    }
    if Sha256::digest(body).as_slice() != checksum {
        return Err(ModelError::Damaged("its checksum is wrong".into()));
    }
    Ok(body)
}
