//! What can be configured, with defaults and ranges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{Registry, Values};

/// One engine to use: which, under which label, with which parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSettings {
    /// Name in the [`Registry`].
    pub engine: String,
    /// Name in features and reports; the engine's name where left out. One engine may be used
    /// several times under several labels.
    #[serde(default)]
    pub label: Option<String>,
    /// Parameters by name; each engine's `parameters` say which there are and their ranges.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Whether the validation search may change what `parameters` leaves open.
    #[serde(default)]
    pub tune: bool,
    /// Whether it answers only those without a history, by their goals: the ranker does not see it then.
    #[serde(default)]
    pub cold: bool,
}

impl EngineSettings {
    /// An engine under its own name with its defaults.
    #[must_use]
    pub fn new(engine: &str) -> Self {
        Self { engine: engine.to_owned(), ..Self::default() }
    }

    /// The same under another label.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// The same with a parameter set.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.parameters.insert(name.to_owned(), value);
        self
    }

    /// The same, open to the validation search.
    #[must_use]
    pub fn tuned(mut self) -> Self {
        self.tune = true;
        self
    }

    /// The same, only for those without a history.
    #[must_use]
    pub fn cold(mut self) -> Self {
        self.cold = true;
        self
    }

    /// The label, or the engine's name.
    #[must_use]
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.engine)
    }
}

/// How the ranker's weights are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RankerKind {
    /// linfa's logistic regression on pairs of candidates.
    Pairwise,
    /// A conditional logit over whole lists of candidates. On validation, with the same features and
    /// questions, its NDCG@10 is .511 against .506 in French (difference .006, standard error .002) and
    /// .398 against .396 in English (within noise), and the fit takes a tenth of the time or less.
    #[default]
    Listwise,
    /// linfa's FTRL, which learns in small steps.
    Ftrl,
}

/// What becomes of a course whose prerequisites the learner lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prerequisites {
    /// It is recommended with the path that leads to it.
    #[default]
    Path,
    /// It is not recommended before she took them.
    Require,
}

/// How the hybrid is trained and how it answers.
///
/// | name | default | range | purpose |
/// |---|---|---|---|
/// | `seed` | 42 | any | samples of choices and of what was not chosen |
/// | `engines` | [`Settings::default`] | at least one | candidates and features |
/// | `candidates` | 60 | 1..=10 000 | courses each engine proposes |
/// | `choices` | 6 000 | 0..=10 000 000 | most held-out choices the ranker learns from |
/// | `folds` | 4 | 2..=50 | parts into which learners are cut: engines learn from the others |
/// | `negatives` | 24 | 1..=1 000 | pairs drawn for each choice (pairwise ranker) |
/// | `rounds` | 2 | 1..=20 | fits, each on harder pairs (pairwise ranker) |
/// | `ridge` | 200.0 | 0..=1e9 | L2 penalty of the ranker |
/// | `ranker` | `listwise` | `listwise`, `pairwise`, `ftrl` | loss of the ranker |
/// | `goal_boost` | 1.5 | 0..=100 | added (log odds) to a course with one of the learner's goals |
/// | `completion_weight` | 0.1 | 0..=10 | weight in the score of how likely she completes the course, as log odds above the usual |
/// | `prerequisites` | `path` | `path`, `require` | a course whose prerequisites she lacks: with the path to it, or not at all |
/// | `spread` | 0.2 | 0..=10 | taken from the score (log odds) of a course with the topics of one above it |
/// | `exploration` | 0.05 | 0..=0.5 | share of places given to courses that few took, the last places of lists of five and more |
/// | `support` | 10 | 5..=1 000 000 | no reason rests on fewer learners than this |
/// | `reasons` | 3 | 0..=20 | most reasons given for a course |
/// | `tune` | true | | search engines' parameters on held-out choices |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Samples of choices and of what was not chosen.
    pub seed: u64,
    /// Candidates and features.
    pub engines: Vec<EngineSettings>,
    /// Courses each engine proposes.
    pub candidates: usize,
    /// Most held-out choices the ranker learns from.
    pub choices: usize,
    /// Parts into which learners are cut: engines learn from the others.
    pub folds: usize,
    /// Courses not chosen that each choice is compared with.
    pub negatives: usize,
    /// Fits of the ranker, each on harder comparisons than the one before.
    pub rounds: usize,
    /// L2 penalty of the ranker, on standardised features.
    pub ridge: f64,
    /// Loss of the ranker.
    pub ranker: RankerKind,
    /// Added (log odds) to the score of a course with one of the learner's goals.
    pub goal_boost: f64,
    /// Weight in the score of how likely the learner completes the course, as log odds above the usual.
    pub completion_weight: f64,
    /// What becomes of a course whose prerequisites the learner lacks.
    pub prerequisites: Prerequisites,
    /// Taken from the score (log odds) of a course with all the topics of one above it, and less for some.
    pub spread: f64,
    /// Share of places given to courses that few took: the last places of lists of five and more.
    pub exploration: f64,
    /// No reason rests on fewer learners than this.
    pub support: u32,
    /// Most reasons given for a course.
    pub reasons: usize,
    /// Whether engines' open parameters are searched on held-out choices.
    pub tune: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let engine = EngineSettings::new;
        let recent = |label: &str, days: f64, pause: f64| {
            let recent = engine("recent").labelled(label);
            recent.with("half_life_days", days).with("pause_hours", pause)
        };
        Self {
            seed: 42,
            engines: vec![
                engine("popularity"),
                recent("recent_short", 3.0, 0.0),
                recent("recent_long", 40.0, 0.0),
                recent("back_short", 3.0, 12.0),
                recent("back_long", 60.0, 12.0),
                engine("rules").tuned(),
                engine("rules")
                    .labelled("returns")
                    .with("pause_hours", 12.0)
                    .with("window", 5.0)
                    .with("decay", 0.8)
                    .with("backward", 0.3),
                engine("markov"),
                engine("pairs"),
                engine("trend").tuned(),
                engine("slist").tuned(),
                engine("ease"),
                engine("neighbours"),
                engine("topics"),
                engine("shelf"),
                engine("cohorts").cold(),
            ],
            candidates: 60,
            choices: 6000,
            folds: 4,
            negatives: 24,
            rounds: 2,
            ridge: 200.0,
            ranker: RankerKind::default(),
            goal_boost: 1.5,
            completion_weight: 0.1,
            prerequisites: Prerequisites::default(),
            spread: 0.2,
            exploration: 0.05,
            support: 10,
            reasons: 3,
            tune: true,
        }
    }
}

/// A setting that can't be used; each names the setting and the value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A number outside its range (or not a number).
    #[error("{name} is {value}, expected {min} to {max}")]
    OutOfRange {
        /// The setting.
        name: String,
        /// What it was set to.
        value: f64,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
    },
    /// No engine of that name is registered.
    #[error("there is no engine {name:?}; there are {known}")]
    UnknownEngine {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The engine has no such parameter.
    #[error("the engine {engine:?} has no parameter {name:?}")]
    UnknownParameter {
        /// The engine.
        engine: String,
        /// The parameter given.
        name: String,
    },
    /// Two engines share a label.
    #[error("two engines are labelled {0:?}")]
    DuplicateLabel(String),
    /// No engine at all.
    #[error("no engine is configured")]
    NoEngine,
}

impl Settings {
    /// Checks every value, and every engine against the registry.
    ///
    /// # Errors
    /// The first value that is out of range or unknown.
    pub fn check(&self, registry: &Registry) -> Result<(), SettingsError> {
        let whole =
            |name: &str, value: usize, min: usize, max: usize| range(name, value as f64, min as f64, max as f64);
        whole("candidates", self.candidates, 1, 10_000)?;
        whole("choices", self.choices, 0, 10_000_000)?;
        whole("folds", self.folds, 2, 50)?;
        whole("negatives", self.negatives, 1, 1000)?;
        whole("rounds", self.rounds, 1, 20)?;
        whole("support", self.support as usize, 5, 1_000_000)?;
        whole("reasons", self.reasons, 0, 20)?;
        range("ridge", self.ridge, 0.0, 1e9)?;
        range("goal_boost", self.goal_boost, 0.0, 100.0)?;
        range("completion_weight", self.completion_weight, 0.0, 10.0)?;
        range("spread", self.spread, 0.0, 10.0)?;
        range("exploration", self.exploration, 0.0, 0.5)?;
        if self.engines.is_empty() {
            return Err(SettingsError::NoEngine);
        }
        for (index, engine) in self.engines.iter().enumerate() {
            engine.values(registry)?;
            let label = engine.label();
            if self.engines[..index].iter().any(|e| e.label() == label) {
                return Err(SettingsError::DuplicateLabel(label.to_owned()));
            }
        }
        Ok(())
    }
}

impl EngineSettings {
    pub(crate) fn values(&self, registry: &Registry) -> Result<Values, SettingsError> {
        let Some(found) = registry.find(&self.engine) else {
            let known: Vec<_> = registry.iter().map(|r| r.name).collect();
            return Err(SettingsError::UnknownEngine { name: self.engine.clone(), known: known.join(", ") });
        };
        Values::check(self.label(), found.parameters, &self.parameters)
    }
}

fn range(name: &str, value: f64, min: f64, max: f64) -> Result<(), SettingsError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(SettingsError::OutOfRange { name: name.to_owned(), value, min, max })
}
