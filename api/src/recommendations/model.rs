//! What a learner is told to take next, and why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stoa_recommender::{DataUsed, evaluate::Shadow};

use crate::{
    db::stored_enum,
    ids::{CourseId, ListId, ModelId, TopicId},
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
    /// How likely she is to complete it, 0..=1; `None` where that can't be told.
    #[serde(default)]
    pub completion: Option<f64>,
    /// What to take first, in this order, since the course requires it.
    #[serde(default)]
    pub path: Vec<CourseId>,
    /// Whether it stands here to find out, not because it ranked here.
    #[serde(default)]
    pub explored: bool,
    /// The probability (0..=1) with which the list shows this course in this place.
    #[serde(default = "certain")]
    pub propensity: f64,
}

fn certain() -> f64 {
    1.0
}

/// A list of next courses.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Under which its events are reported; `None` for a list of which nothing is kept.
    pub id: Option<ListId>,
    /// The model that made it.
    pub model: ModelId,
    /// What it says of itself.
    pub about: About,
    /// The courses, the best first.
    pub items: Arc<Vec<Recommended>>,
}

/// What a list says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The learner's data that it was made from; nothing for a list that anybody would get.
    pub data_used: Vec<DataUsed>,
    /// Who made it: [`HYBRID`], the label of one of the model's engines, or the name of an external one.
    pub engine: String,
    /// Who should have made it and could not.
    pub instead_of: Option<String>,
    /// Why it could not, such as `TIMED_OUT`: [`ExternalError::code`](super::external::ExternalError::code).
    #[serde(default)]
    pub fallback_reason: Option<String>,
    /// The experiment that the learner is in, and her arm of it.
    pub experiment: Option<InArm>,
}

/// A place in an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InArm {
    /// The experiment.
    pub experiment: String,
    /// The arm.
    pub arm: String,
}

/// The name of all of a model's engines together.
pub const HYBRID: &str = "hybrid";

/// A course of a list, as it is held against what is reported of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The course.
    pub course: CourseId,
    /// The probability of its place, in millionths; at least one, since it stands there.
    pub propensity: i64,
    /// Whether it stands there to find out.
    pub explored: bool,
}

impl From<&Recommended> for Offered {
    fn from(item: &Recommended) -> Self {
        let millionths = (item.propensity * 1e6).round();
        Self { course: item.course, propensity: millionths.clamp(1.0, 1e6) as i64, explored: item.explored }
    }
}

stored_enum! {
    /// What a learner may say of a course.
    pub enum FeedbackKind {
        /// More like it.
        Like = "LIKE",
        /// Not this one.
        Dismiss = "DISMISS",
        /// Neither this one nor others like it.
        LessLikeThis = "LESS_LIKE_THIS",
        /// She knows what it teaches.
        AlreadyKnow = "ALREADY_KNOW",
    }
}

/// A learner's word on a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// The course.
    pub course: CourseId,
    /// What she said.
    pub kind: FeedbackKind,
    /// When.
    pub at: Timestamp,
}

stored_enum! {
    /// For what a learner's data may be used if she agrees.
    pub enum Purpose {
        /// To make lists of next courses from what she does, and to learn from it what to recommend to others.
        PersonalRecommendations = "PERSONAL_RECOMMENDATIONS",
    }
}

/// What a learner has decided about a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The purpose.
    pub purpose: Purpose,
    /// Whether her data may be used for it.
    pub granted: bool,
    /// When she decided; `None` if she never did.
    pub decided_at: Option<Timestamp>,
}

/// Why a course is not in a list, or where in it it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct WhyNot {
    /// The course.
    pub course: CourseId,
    /// In a word.
    pub kind: WhyNotKind,
    /// Its place: in the list, or among all that were weighed; from 1.
    pub place: Option<usize>,
    /// What she would have to take first.
    pub path: Vec<CourseId>,
    /// What speaks for it all the same.
    pub reasons: Vec<Reason>,
}

impl WhyNot {
    /// Without more to say of it.
    pub const fn plain(course: CourseId, kind: WhyNotKind) -> Self {
        Self { course, kind, place: None, path: Vec::new(), reasons: Vec::new() }
    }

    /// For people.
    pub fn sentence(&self) -> String {
        let place = self.place.unwrap_or_default();
        match self.kind {
            WhyNotKind::Listed => format!("It is in your list, in place {place}."),
            WhyNotKind::Taken => "You take it, or have taken it.".to_owned(),
            WhyNotKind::Dismissed => "You dismissed it.".to_owned(),
            WhyNotKind::LessLikeThis => "You said that you want less like this.".to_owned(),
            WhyNotKind::AlreadyKnown => "You said that you know this already.".to_owned(),
            WhyNotKind::Closed => "It takes no new learners.".to_owned(),
            WhyNotKind::Outranked => format!("Others fit better: it came in at place {place}."),
            WhyNotKind::NoEvidence => "Nothing that you did, want or said leads to it.".to_owned(),
            WhyNotKind::NotWeighed => "It has not been weighed yet.".to_owned(),
        }
    }
}

/// Why a course is not in a list, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNotKind {
    /// It is in the list.
    Listed,
    /// She takes it, or has taken it.
    Taken,
    /// She dismissed it.
    Dismissed,
    /// She wants less of this kind, and said so of this course.
    LessLikeThis,
    /// She said that she knows it.
    AlreadyKnown,
    /// It takes no new learners.
    Closed,
    /// Others were better.
    Outranked,
    /// Nothing leads to it.
    NoEvidence,
    /// It is too new, or there is no model.
    NotWeighed,
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
