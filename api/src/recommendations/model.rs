//! What a learner is told to take next, and why.

use serde::{Deserialize, Serialize};
use stoa_recommender::evaluate::Shadow;

use crate::{
    ids::{CourseId, ModelId, TopicId},
    time::Timestamp,
};

/// How many courses a list has at most.
pub const MAX_LIST: usize = 50;

/// A course to take next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommended {
    /// The course.
    pub course: CourseId,
    /// The model's score: higher is better, comparable within one list only.
    pub score: f64,
    /// Why, the strongest reason first.
    pub reasons: Vec<Reason>,
}

/// A reason for a recommendation, with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of reason, for programs.
    pub kind: String,
    /// The reason for people.
    pub sentence: String,
    /// The courses it rests on.
    pub courses: Vec<CourseId>,
    /// The topics it rests on.
    pub topics: Vec<TopicId>,
    /// The time it rests on, in seconds.
    pub seconds: Option<f64>,
    /// The rate it rests on, 0..=1.
    pub rate: Option<f64>,
    /// How many learners it rests on, where they are enough not to be known by it.
    pub learners: Option<u32>,
}

impl Reason {
    /// A reason in the words of an engine outside the process.
    pub(super) fn of_engine(sentence: String) -> Self {
        Self {
            kind: "ENGINE".to_owned(),
            sentence,
            courses: Vec::new(),
            topics: Vec::new(),
            seconds: None,
            rate: None,
            learners: None,
        }
    }
}

/// What is known of a trained model without opening it.
#[derive(Clone, Debug)]
pub struct ModelInfo {
    /// The model's id.
    pub id: ModelId,
    /// What people call it: the day and a number, `2026-11-24-1`.
    pub name: String,
    /// The engine that made it.
    pub engine: String,
    /// When.
    pub trained_at: Timestamp,
    /// From how many learners.
    pub learners: i64,
    /// From how many interactions.
    pub interactions: i64,
    /// Over how many courses.
    pub courses: i64,
    /// How many enrolments there were; some may have been left out.
    pub enrolments: i64,
    /// A short hash of the settings that it was trained with.
    pub settings: String,
    /// How it was held against the model in use; `None` for one of an older Stoa.
    pub judgement: Option<Judgement>,
    /// When it was last chosen to serve; `None` if it never was.
    pub promoted_at: Option<Timestamp>,
}

/// Whether a new model was to take over, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judgement {
    /// The model that was in use; `None` if there was none.
    pub against: Option<String>,
    /// Whether it took over.
    pub promoted: bool,
    /// Why, for people.
    pub why: String,
    /// The figures; `None` if nothing was measured.
    pub shadow: Option<Shadow>,
}

/// Who made a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// `hybrid`, or the name of an engine outside the process.
    pub served_by: String,
    /// Why it was not the engine that was to make it, such as `TIMED_OUT`; `None` if it was.
    pub fallback_reason: Option<String>,
}
