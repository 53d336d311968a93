//! What comes into Stoa in bulk, from a file or from the generator: plain records that refer to each other
//! by the keys they have where they come from.

use crate::{
    courses::model::{LessonKind, Level, StaffRole},
    forum::model::ThreadKind,
    time::Timestamp,
};

/// A course.
#[derive(Clone, Debug, PartialEq)]
pub struct CourseRecord {
    /// Its key at the source.
    pub key: String,
    /// The title, 1 to 300 characters.
    pub title: String,
    /// What it is about.
    pub summary: String,
    /// A BCP 47 language tag.
    pub language: String,
    /// How much it expects.
    pub level: Option<Level>,
    /// Names of its topics, the most important first.
    pub topics: Vec<String>,
    /// Keys of the courses that come before it.
    pub prerequisites: Vec<String>,
    /// Who teaches it: keys of learners' records (people are people).
    pub staff: Vec<(String, StaffRole)>,
    /// Since when it is in the catalogue.
    pub published_at: Timestamp,
    /// Whether everybody who has signed in may take part in its forum.
    pub open_forum: bool,
}

/// A lesson. Modules and lessons stand in the order of the records.
#[derive(Clone, Debug, PartialEq)]
pub struct LessonRecord {
    /// Its key at the source.
    pub key: String,
    /// The key of its course.
    pub course: String,
    /// The title of its module in the course.
    pub module: String,
    /// The title.
    pub title: String,
    /// What it is.
    pub kind: LessonKind,
    /// Its usual length in seconds, above 0.
    pub seconds: Option<i64>,
}

/// A person: a learner, or somebody who teaches.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerRecord {
    /// Her key at the source.
    pub key: String,
    /// The name that others see, 1 to 200 characters.
    pub name: String,
    /// The e-mail address, if she is to sign in.
    pub email: Option<String>,
    /// Names of topics that she wants to learn about.
    pub goals: Vec<String>,
}

/// What a learner did in a lesson so far. Of several records for one learner and lesson, the earliest
/// start, the latest end and the largest numbers count, so that reading a record twice changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityRecord {
    /// The key of the learner.
    pub learner: String,
    /// The key of the lesson.
    pub lesson: String,
    /// When she first opened it.
    pub started_at: Timestamp,
    /// When she was last there.
    pub updated_at: Timestamp,
    /// Time spent so far, in seconds, 0 or more.
    pub seconds: i64,
    /// How far she came, 0..=1.
    pub progress: f64,
    /// Her rating of the lesson's course, 1..=5.
    pub rating: Option<i64>,
}

/// A post of a forum. The first record of a thread opens it.
#[derive(Clone, Debug, PartialEq)]
pub struct PostRecord {
    /// Its key at the source.
    pub key: String,
    /// The key of its thread.
    pub thread: String,
    /// The key of the course.
    pub course: String,
    /// The name of the forum's category.
    pub category: String,
    /// What the thread is for.
    pub kind: ThreadKind,
    /// What the thread is about, 1 to 300 characters.
    pub title: String,
    /// The key of whoever wrote it.
    pub author: String,
    /// The key of the post that it answers.
    pub reply_to: Option<String>,
    /// When it was written.
    pub at: Timestamp,
    /// What it says, in Markdown, 1 to 50,000 characters.
    pub body: String,
}

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    /// The line of the file, from 1; the number of the record where there is no file.
    pub line: u64,
    /// The record.
    pub record: T,
}

/// A row that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column's name; empty where the whole row is meant.
    pub column: &'static str,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl BadRow {
    /// A bad value in a column.
    pub fn new(line: u64, column: &'static str, reason: impl Into<String>) -> Self {
        Self { line, column, reason: reason.into() }
    }
}

/// What a reader yields: records in the order of the file, and the rows that are none.
pub type Rows<'a, T> = Box<dyn Iterator<Item = Result<Row<T>, BadRow>> + Send + 'a>;

/// Somewhere that records come from. Each method reads one file (or makes one kind of record) from the
/// start, as a stream. `Ok(None)`: this source has none of these.
pub trait Source: Send + Sync {
    /// The name under which the source's keys are unique.
    fn name(&self) -> String;
    /// The file's name for reports, for each kind of record.
    fn file(&self, kind: Kind) -> String;
    /// About how many records there are, for a progress bar.
    fn expected(&self, kind: Kind) -> Option<u64>;
    /// The courses.
    fn courses(&self) -> Result<Option<Rows<'_, CourseRecord>>, SourceError>;
    /// The lessons.
    fn lessons(&self) -> Result<Option<Rows<'_, LessonRecord>>, SourceError>;
    /// The people.
    fn learners(&self) -> Result<Option<Rows<'_, LearnerRecord>>, SourceError>;
    /// What they did.
    fn activity(&self) -> Result<Option<Rows<'_, ActivityRecord>>, SourceError>;
    /// What they wrote, each thread's first post before its others, and each post before its answers.
    fn posts(&self) -> Result<Option<Rows<'_, PostRecord>>, SourceError>;
}

/// The kinds of records, in the order in which they are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`LearnerRecord`].
    Learners,
    /// [`CourseRecord`].
    Courses,
    /// [`LessonRecord`].
    Lessons,
    /// [`ActivityRecord`].
    Activity,
    /// [`PostRecord`].
    Posts,
}

/// A file that can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The folder or file is not there or can't be read.
    #[error("{file} can't be read: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The first line does not name the columns that are needed.
    #[error("{file} lacks the column {column:?}; its first line must name {wanted}")]
    MissingColumn {
        /// The file.
        file: String,
        /// What is not there.
        column: String,
        /// All that must be there.
        wanted: String,
    },
    /// Nothing that could be read is in the folder.
    #[error("{folder} has none of the files {wanted}")]
    Empty {
        /// The folder.
        folder: String,
        /// What was looked for.
        wanted: String,
    },
}
