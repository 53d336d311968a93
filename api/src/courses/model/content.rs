//! What lessons say, version by version, and what authors write.

use crate::{
    courses::model::{Completion, LessonKind, Level},
    ids::LessonId,
    profile::model::Change,
    time::Timestamp,
};

/// What a lesson says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What there is to read or to do, in Markdown.
    pub body: Option<String>,
    /// Where the video, or the thing elsewhere, is.
    pub url: Option<String>,
    /// What is said in the video, in Markdown.
    pub transcript: Option<String>,
}

/// By what a lesson is completed, as its author sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// By what.
    pub completion: Completion,
    /// The share of its length, or of the full score, in millionths; `None` for all of it.
    pub share: Option<i64>,
}

/// What a lesson said when it was published. It never changes.
#[derive(Clone, Debug)]
pub struct LessonVersion {
    /// Of which lesson.
    pub lesson_id: LessonId,
    /// Which version, from 1.
    pub version: i64,
    /// The title.
    pub title: String,
    /// Its usual length in seconds.
    pub seconds: Option<i64>,
    /// What it said.
    pub content: Content,
    /// By what it was completed.
    pub rule: Rule,
    /// Since when.
    pub published_at: Timestamp,
}

/// What a lesson is about to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonDraft {
    /// Of which lesson.
    pub lesson_id: LessonId,
    /// The title.
    pub title: String,
    /// Its usual length in seconds.
    pub seconds: Option<i64>,
    /// What it says.
    pub content: Content,
    /// By what it is completed.
    pub rule: Rule,
    /// Whether anybody may read it.
    pub is_preview: bool,
    /// Since when.
    pub updated_at: Timestamp,
}

/// What is needed to begin a course.
#[derive(Clone, Debug)]
pub struct NewCourse {
    /// The title.
    pub title: String,
    /// A readable name for addresses; `None` for one from the title.
    pub slug: Option<String>,
    /// What it is about.
    pub summary: String,
    /// A BCP 47 language tag.
    pub language: String,
    /// How much it expects.
    pub level: Option<Level>,
    /// What it is about, by name, the most important first.
    pub topics: Vec<String>,
}

/// What is to change of a course; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct CourseChange {
    /// The title.
    pub title: Option<String>,
    /// The name for addresses.
    pub slug: Option<String>,
    /// What it is about.
    pub summary: Option<String>,
    /// A BCP 47 language tag.
    pub language: Option<String>,
    /// How much it expects.
    pub level: Change<Level>,
    /// What it is about, by name.
    pub topics: Option<Vec<String>>,
}

/// What is needed to begin a lesson.
#[derive(Clone, Debug)]
pub struct NewLesson {
    /// The title.
    pub title: String,
    /// What it is. It stays so.
    pub kind: LessonKind,
    /// The rest.
    pub change: LessonChange,
}

/// What is to change of a lesson's draft; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct LessonChange {
    /// The title.
    pub title: Option<String>,
    /// Its usual length in seconds.
    pub seconds: Change<i64>,
    /// What there is to read or to do.
    pub body: Change<String>,
    /// Where it is.
    pub url: Change<String>,
    /// What is said in the video.
    pub transcript: Change<String>,
    /// By what it is completed.
    pub completion: Option<Completion>,
    /// The share that completes it, 0 to 1.
    pub share: Change<f64>,
    /// Whether anybody may read it.
    pub is_preview: Option<bool>,
}
