//! What an engine is, and the list of those that come with the crate.
//!
//! An [`Engine`] is an algorithm with its parameters; fitting it gives a [`Scorer`], which scores
//! courses from a learner's history at hand and never from a stored learner. To add one:
//!
//! 1. write a file beside those in `engines/` with the engine, its scorer (serialisable), its
//!    parameters with ranges, and the source of its formula;
//!    where counts suffice, let the scorer [`absorb`](Scorer::absorb) what comes after the training;
//! 2. add its [`Registration`] to [`Registry::standard`] (or, outside this crate, call
//!    [`Registry::register`]);
//! 3. name it in the settings, or leave it out of the defaults until it earns its place;
//! 4. run the evaluation: it is judged beside all others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::reasons::ReasonKind;
use crate::{FitError, Interaction, SettingsError, engines};

/// What an engine is fitted on.
#[derive(Debug, Clone)]
pub struct TrainingData<'a> {
    /// The courses, by index.
    pub content: &'a Content,
    /// One slice for each learner, oldest first; a part of the truth when something is held out.
    pub histories: Vec<&'a [Interaction]>,
    /// Time of the latest interaction (Unix seconds).
    pub now: i64,
    /// Whether differences of times mean anything.
    pub clock: bool,
}

/// One question to a scorer: what next, for someone with this history, at this time?
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The learner's rows, oldest first; every course is an index into `content`.
    pub history: &'a [Interaction],
    /// The time of asking (Unix seconds).
    pub now: i64,
    /// The courses that may be scored: those of the training, then any that came later.
    pub content: &'a Content,
    /// Topics the learner wants to learn about; empty where she named none.
    pub goals: &'a [u32],
}

/// An interaction that came after the training, for [`Scorer::absorb`].
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// What the learner did before, oldest first; never the course of `row`.
    pub history: &'a [Interaction],
    /// What she did now. Its course may be one that came after the training.
    pub row: &'a Interaction,
    /// The courses: those of the training, then any that came later.
    pub content: &'a Content,
}

/// Scores of the courses, most of them untouched (zero).
#[derive(Debug, Clone, Default)]
pub struct Scores {
    values: Vec<f32>,
    seen: Vec<bool>,
    touched: Vec<u32>,
}

impl Scores {
    /// All zero, for `courses` courses.
    #[must_use]
    pub fn new(courses: usize) -> Self {
        Self { values: vec![0.0; courses], seen: vec![false; courses], touched: Vec::new() }
    }

    /// Adds to a course's score; an index past the end is ignored.
    #[inline]
    pub fn add(&mut self, course: u32, value: f32) {
        let index = course as usize;
        if let Some(slot) = self.values.get_mut(index) {
            *slot += value;
            if !self.seen[index] {
                self.seen[index] = true;
                self.touched.push(course);
            }
        }
    }

    /// Makes all zero again, at the cost of those touched.
    pub fn clear(&mut self) {
        for &course in &self.touched {
            self.values[course as usize] = 0.0;
            self.seen[course as usize] = false;
        }
        self.touched.clear();
    }

    /// A course's score; zero where nothing was added.
    #[inline]
    #[must_use]
    pub fn get(&self, course: u32) -> f32 {
        self.values.get(course as usize).copied().unwrap_or(0.0)
    }

    /// The courses to which something was added, in the order of the first addition.
    #[must_use]
    pub fn touched(&self) -> &[u32] {
        &self.touched
    }
}

/// Scores that are the same for everyone.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Courses with a score above zero, best first, ties by index.
    pub order: &'a [u32],
    /// Scores by course; courses past the end have none.
    pub values: &'a [f32],
}

/// A [`Standing`]'s parts, as a scorer keeps them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ordered {
    order: Vec<u32>,
    values: Vec<f32>,
}

impl Ordered {
    /// Sorts scores by course.
    #[must_use]
    pub fn new(values: Vec<f32>) -> Self {
        let mut order: Vec<u32> = (0_u32..).zip(&values).filter(|(_, v)| **v > 0.0).map(|(c, _)| c).collect();
        order.sort_by(|&a, &b| values[b as usize].total_cmp(&values[a as usize]).then(a.cmp(&b)));
        Self { order, values }
    }

    /// The score of a course; zero past the end.
    #[must_use]
    pub fn get(&self, course: u32) -> f32 {
        self.values.get(course as usize).copied().unwrap_or(0.0)
    }

    /// Adds something above zero to the score of a course, which may be new, and moves it up to its place.
    pub fn add(&mut self, course: u32, value: f32) {
        let index = course as usize;
        if self.values.len() <= index {
            self.values.resize(index + 1, 0.0);
        }
        let old = self.values[index];
        let from = self.place(course, old).unwrap_or(self.order.len());
        if from == self.order.len() {
            self.order.push(course);
        }
        // Sought while the old value stands, so that the order is sorted as the search expects.
        let to = self.order[..from].partition_point(|&c| self.before(c, course, old + value));
        self.values[index] = old + value;
        self.order[to..=from].rotate_right(1);
    }

    /// Multiplies every score by a factor above zero. Those that become zero leave the order.
    pub fn scale(&mut self, factor: f32) {
        for value in &mut self.values {
            *value *= factor;
        }
        let above_zero = self.order.partition_point(|&c| self.get(c) > 0.0);
        self.order.truncate(above_zero);
    }

    /// Where a course with this value stands in the order, if it does.
    fn place(&self, course: u32, value: f32) -> Option<usize> {
        let at = self.order.partition_point(|&c| self.before(c, course, value));
        (self.order.get(at) == Some(&course)).then_some(at)
    }

    /// Whether a listed course stands before one with this value.
    fn before(&self, listed: u32, course: u32, value: f32) -> bool {
        let own = self.values.get(listed as usize).copied().unwrap_or(0.0);
        own.total_cmp(&value).reverse().then(listed.cmp(&course)).is_lt()
    }

    /// Number of courses.
    #[must_use]
    pub fn courses(&self) -> u32 {
        self.values.len() as u32
    }

    /// Both parts.
    #[must_use]
    pub fn standing(&self) -> Standing<'_> {
        Standing { order: &self.order, values: &self.values }
    }
}

/// What stands behind an engine's score of one course.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// Courses of the history, by how much each gave to the score, largest first.
    pub courses: Vec<u32>,
    /// Topics shared with the history, largest share first.
    pub topics: Vec<u32>,
    /// Seconds the learner spent on those topics.
    pub seconds: Option<f64>,
    /// A share 0..=1, such as how many complete the course.
    pub rate: Option<f64>,
    /// How many learners the evidence rests on.
    pub learners: Option<u32>,
}

/// An algorithm with its parameters, not fitted yet.
pub trait Engine: Send + Sync {
    /// Learns from the data.
    ///
    /// # Errors
    /// What the engine can't cope with. Few or no interactions are no error.
    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError>;

    /// Whether the data has what the engine works from (a clock, topics). One without ground is
    /// left out of the model.
    fn has_ground(&self, _: &TrainingData<'_>) -> bool {
        true
    }
}

/// A fitted engine.
pub trait Scorer: Send + Sync {
    /// Adds this engine's scores (0 and up; any scale: what counts is their ratio to the best).
    /// Courses the learner has may be scored too; the caller drops them.
    fn score(&self, ask: &Ask<'_>, out: &mut Scores);

    /// The scores if they are the same for everyone at this time, so that nothing needs adding up.
    /// They must be what [`score`](Self::score) adds.
    fn standing(&self, _: &Ask<'_>) -> Option<Standing<'_>> {
        None
    }

    /// Counts an interaction that came after the training, so that the next answer shows it; `false` where
    /// the engine can't without a fit. It must be quick (microseconds): nobody is answered meanwhile.
    /// What was absorbed need not be in [`to_bytes`](Self::to_bytes): the next training sees the row itself.
    ///
    /// Of the crate's engines, `popularity`, `markov`, `trend`, `shelf`, `topics` count as a fit does;
    /// `recent` too, but for times before the end of the training, of which it tells what it told before;
    /// `rules` and `pairs` but for what the fit had cut off as too rare, which begins at nothing;
    /// `neighbours` and `cohorts` nearly, their files say how; `slist` and `ease` are solved as a whole and wait for the
    /// next fit. Rows count in full, whatever their strength.
    fn absorb(&mut self, _: &Arrival<'_>) -> bool {
        false
    }

    /// What the score of `course` rests on.
    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence;

    /// Which kind of reason this engine gives.
    fn kind(&self) -> ReasonKind;

    /// The fitted state, as [`Registration::load`] reads it back.
    fn to_bytes(&self) -> Vec<u8>;
}

/// One parameter of an engine: its name, default, range and the values the search may try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Name in the settings.
    pub name: &'static str,
    /// Value where the settings say nothing.
    pub default: f64,
    /// Smallest value allowed.
    pub min: f64,
    /// Largest value allowed.
    pub max: f64,
    /// What the validation search tries, one parameter after the other; empty: never searched.
    pub search: &'static [f64],
    /// What it does and in which unit.
    pub meaning: &'static str,
}

/// Values of an engine's parameters, all named and in range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values(BTreeMap<&'static str, f64>);

impl Values {
    /// Defaults overlaid with what was given.
    ///
    /// # Errors
    /// A name the engine doesn't have, or a value out of range (NaN is).
    pub fn check(engine: &str, parameters: &[Parameter], given: &BTreeMap<String, f64>) -> Result<Self, SettingsError> {
        let mut values = BTreeMap::new();
        for p in parameters {
            let value = given.get(p.name).copied().unwrap_or(p.default);
            if !(p.min..=p.max).contains(&value) {
                return Err(SettingsError::OutOfRange {
                    name: format!("{engine}.{}", p.name),
                    value,
                    min: p.min,
                    max: p.max,
                });
            }
            values.insert(p.name, value);
        }
        match given.keys().find(|k| !values.contains_key(k.as_str())) {
            Some(name) => Err(SettingsError::UnknownParameter { engine: engine.to_owned(), name: name.clone() }),
            None => Ok(Self(values)),
        }
    }

    /// The value of a parameter the engine declares (0 for one it doesn't).
    #[must_use]
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    /// The same with one value changed.
    #[must_use]
    pub fn with(&self, name: &'static str, value: f64) -> Self {
        let mut other = self.clone();
        other.0.insert(name, value);
        other
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().map(|(name, value)| (*name, *value))
    }
}

/// Reads a scorer back from its bytes.
pub type Load = fn(&[u8]) -> Result<Box<dyn Scorer>, String>;

/// How an engine is made and read back.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    /// Name in settings, reports and saved models.
    pub name: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Makes the engine from checked values.
    pub build: fn(&Values) -> Box<dyn Engine>,
    /// Reads a scorer that [`Scorer::to_bytes`] wrote; the error is for people.
    pub load: Load,
}

/// The engines that can be named in settings and found in saved models.
#[derive(Debug, Clone)]
pub struct Registry(Vec<Registration>);

impl Default for Registry {
    fn default() -> Self {
        Self::standard()
    }
}

impl Registry {
    /// The engines of this crate.
    #[must_use]
    pub fn standard() -> Self {
        Self(vec![
            engines::popularity::REGISTRATION,
            engines::recent::REGISTRATION,
            engines::rules::REGISTRATION,
            engines::neighbours::REGISTRATION,
            engines::markov::REGISTRATION,
            engines::slist::REGISTRATION,
            engines::ease::REGISTRATION,
            engines::trend::REGISTRATION,
            engines::shelf::REGISTRATION,
            engines::pairs::REGISTRATION,
            engines::topics::REGISTRATION,
            engines::cohorts::REGISTRATION,
        ])
    }

    /// Adds an engine, or replaces the one of the same name.
    pub fn register(&mut self, registration: Registration) {
        self.0.retain(|r| r.name != registration.name);
        self.0.push(registration);
    }

    /// The engine of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Registration> {
        self.0.iter().find(|r| r.name == name)
    }

    /// All engines in the order of their registration.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.0.iter()
    }
}
