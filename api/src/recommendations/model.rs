//! What a learner is told to take next, and why.

use serde::{Deserialize, Serialize};

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

/// What is known of a trained model without opening it.
#[derive(Clone, Debug)]
pub struct ModelInfo {
    /// The model's id.
    pub id: ModelId,
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
}
