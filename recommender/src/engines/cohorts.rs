//! Cohorts: what learners with the same interests take. Also for someone who did nothing yet but named goals.
//!
//! k-means (Lloyd 1982; seeded by k-means++, Arthur and Vassilvitskii, SODA 2007; linfa-clustering's) over
//! learners' profiles; a course scores how many learners of the nearest cohort took it, as in cluster-based
//! collaborative filtering (Ungar and Foster, AAAI workshop 1998). A profile is the shares of a learner's
//! time on topics, `ln(1 + minutes)` each; where there are no topics, of the courses she took. With many
//! topics or courses it is projected on few dimensions by seeded random signs (Achlioptas 2003), which keeps
//! distances nearly. Goals are a profile too: equal shares of the topics named.
//!
//! It keeps centroids and counts, each over several learners, and no learner.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::KMeans;
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::engine::{
    Arrival, Ask, Engine, Evidence, Ordered, Parameter, Registration, Scorer, Scores, Standing, TrainingData,
};
use crate::stats::seconds_spent;
use crate::{FitError, Interaction, ReasonKind};

pub(crate) const REGISTRATION: Registration = Registration {
    name: "cohorts",
    parameters: &[
        Parameter {
            name: "cohorts",
            default: 50.0,
            min: 1.0,
            max: 500.0,
            search: &[20.0, 50.0, 100.0],
            meaning: "most cohorts; fewer where there are few learners",
        },
        Parameter {
            name: "seed",
            default: 42.0,
            min: 0.0,
            max: 4_294_967_295.0,
            search: &[],
            meaning: "draws the first centroids and the projection",
        },
    ],
    build: |values| Box::new(Cohorts { cohorts: values.get("cohorts") as usize, seed: values.get("seed") as u64 }),
    load: super::load::<Fitted>,
};

/// A cohort has at least so many learners.
const SMALLEST: usize = 10;
/// A course that fewer of a cohort took is not counted in it.
const FEWEST: f32 = 5.0;
/// Learners from whom centroids are found; more cost time and move them little.
const SAMPLE: usize = 3000;
/// Dimensions of a profile; more topics or courses than this are projected.
const MOST_DIMENSIONS: usize = 64;
/// Only the latest courses of a longer history make the profile.
const LONGEST: usize = 200;

struct Cohorts {
    cohorts: usize,
    seed: u64,
}

impl Engine for Cohorts {
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let topics = data.content.topic_count() > 0;
        let atoms = if topics { data.content.topic_count() } else { data.content.len() };
        let mut fitted = Fitted {
            seed: self.seed,
            topics,
            dimensions: atoms.min(MOST_DIMENSIONS),
            projected: atoms > MOST_DIMENSIONS,
            cohorts: Vec::new(),
        };
        let profiles: Vec<Option<Vec<f32>>> =
            data.histories.iter().map(|history| fitted.profile(history, data.content)).collect();
        let known: Vec<&[f32]> = profiles.iter().flatten().map(Vec::as_slice).collect();
        let mut centroids = self.centroids(&known, fitted.dimensions)?;
        // A cohort that is too small is none: its learners go to the next nearest.
        loop {
            let mut sizes = vec![0_usize; centroids.len()];
            for profile in &known {
                if let Some(at) = nearest(&centroids, profile) {
                    sizes[at] += 1;
                }
            }
            if sizes.iter().all(|&size| size >= SMALLEST) {
                break;
            }
            let mut sizes = sizes.into_iter();
            centroids.retain(|_| sizes.next().is_some_and(|size| size >= SMALLEST));
        }
        let mut counts = vec![vec![0.0_f32; data.content.len()]; centroids.len()];
        for (history, profile) in data.histories.iter().zip(&profiles) {
            if let Some(at) = profile.as_ref().and_then(|profile| nearest(&centroids, profile)) {
                for row in *history {
                    counts[at][row.course as usize] += 1.0;
                }
            }
        }
        let cohorts = centroids.into_iter().zip(counts).map(|(centroid, mut counts)| {
            for count in counts.iter_mut().filter(|count| **count < FEWEST) {
                *count = 0.0;
            }
            Cohort { centroid, counts: Ordered::new(counts) }
        });
        fitted.cohorts = cohorts.collect();
        Ok(Box::new(fitted))
    }
}

impl Cohorts {
    fn centroids(&self, profiles: &[&[f32]], dimensions: usize) -> Result<Vec<Vec<f32>>, FitError> {
        let cohorts = self.cohorts.min(profiles.len() / SMALLEST);
        if cohorts == 0 || dimensions == 0 {
            return Ok(Vec::new());
        }
        let step = profiles.len().div_ceil(SAMPLE);
        let sample: Vec<&[f32]> = profiles.iter().copied().step_by(step).collect();
        let cohorts = cohorts.min(sample.len());
        let flat: Vec<f32> = sample.iter().flat_map(|profile| profile.iter().copied()).collect();
        let failed = |error: &dyn std::fmt::Display| FitError::Engine {
            engine: "cohorts".to_owned(),
            reason: error.to_string(),
        };
        let records = Array2::from_shape_vec((sample.len(), dimensions), flat).map_err(|error| failed(&error))?;
        let fitted = KMeans::params_with_rng(cohorts, ChaCha8Rng::seed_from_u64(self.seed))
            .n_runs(1)
            .max_n_iterations(25)
            .tolerance(1e-3)
            .fit(&DatasetBase::from(records))
            .map_err(|error| failed(&error))?;
        Ok(fitted.centroids().rows().into_iter().map(|row| row.to_vec()).collect())
    }
}

/// The centroid nearest to a profile, the first of equals.
fn nearest<C: AsRef<[f32]>>(centroids: &[C], profile: &[f32]) -> Option<usize> {
    let distance = |centroid: &C| centroid.as_ref().iter().zip(profile).map(|(a, b)| (a - b) * (a - b)).sum();
    let distances = centroids.iter().map(distance).enumerate();
    distances.min_by(|a: &(usize, f32), b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
}

#[derive(Serialize, Deserialize)]
struct Cohort {
    centroid: Vec<f32>,
    /// Learners of the cohort by course.
    counts: Ordered,
}

impl AsRef<[f32]> for Cohort {
    fn as_ref(&self) -> &[f32] {
        &self.centroid
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    seed: u64,
    /// Whether profiles are of topics; of courses otherwise.
    topics: bool,
    dimensions: usize,
    projected: bool,
    cohorts: Vec<Cohort>,
}

impl Fitted {
    /// A learner's profile at length 1; nothing for one that is empty.
    fn profile(&self, history: &[Interaction], content: &Content) -> Option<Vec<f32>> {
        let mut profile = vec![0.0; self.dimensions];
        for row in history.iter().rev().take(LONGEST) {
            if self.topics {
                // A visit of unknown length counts as a minute.
                let weight = (1.0 + seconds_spent(row, content).unwrap_or(60.0) / 60.0).ln();
                for &topic in content.topics(row.course) {
                    self.add(topic, weight, &mut profile);
                }
            } else {
                self.add(row.course, 1.0, &mut profile);
            }
        }
        unit(profile)
    }

    fn goals(&self, goals: &[u32]) -> Option<Vec<f32>> {
        let mut profile = vec![0.0; self.dimensions];
        for &topic in goals.iter().filter(|_| self.topics) {
            self.add(topic, 1.0, &mut profile);
        }
        unit(profile)
    }

    /// Adds a topic (or a course) to a profile: at its own place, or with its signs everywhere.
    fn add(&self, atom: u32, weight: f32, profile: &mut [f32]) {
        if !self.projected {
            if let Some(slot) = profile.get_mut(atom as usize) {
                *slot += weight;
            }
            return;
        }
        let signs = crate::interactions::scatter(self.seed << 32 ^ u64::from(atom));
        for (bit, slot) in profile.iter_mut().enumerate() {
            *slot += if signs >> bit & 1 == 1 { weight } else { -weight };
        }
    }

    /// The cohort of someone with this history, or, without one, with these goals.
    fn cohort(&self, ask: &Ask<'_>) -> Option<usize> {
        let profile = self.profile(ask.history, ask.content).or_else(|| self.goals(ask.goals))?;
        nearest(&self.cohorts, &profile)
    }
}

fn unit(mut profile: Vec<f32>) -> Option<Vec<f32>> {
    let length = profile.iter().map(|v| v * v).sum::<f32>().sqrt();
    for value in &mut profile {
        *value /= length;
    }
    (length > 0.0).then_some(profile)
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        if let Some(Standing { order, values }) = self.standing(ask) {
            for &course in order {
                out.add(course, values.get(course as usize).copied().unwrap_or(0.0));
            }
        }
    }

    fn standing(&self, ask: &Ask<'_>) -> Option<Standing<'_>> {
        Some(self.cohorts.get(self.cohort(ask)?)?.counts.standing())
    }

    /// Counted in the cohort that the history so far is nearest to; a fit would look at the whole one.
    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        let (history, content) = (arrival.history, arrival.content);
        let profile = self.profile(history, content).or_else(|| self.profile(&[*arrival.row], content));
        let Some(cohort) = profile.and_then(|profile| nearest(&self.cohorts, &profile)) else {
            return false;
        };
        self.cohorts[cohort].counts.add(arrival.row.course, 1.0);
        true
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        let count = self.cohort(ask).map(|at| self.cohorts[at].counts.get(course) as u32);
        Evidence { learners: count, ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::Cohort
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
