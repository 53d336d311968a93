//! Why an author's change was not made: what she can mend.

use super::checks::{
    MAX_BODY, MAX_LESSONS, MAX_MODULES, MAX_PREREQUISITES, MAX_SECONDS, MAX_STAFF, MAX_SUMMARY, MAX_TITLE, MAX_TOPICS,
    MAX_URL,
};
use crate::{
    courses::model::{CourseStatus, LessonKind},
    db::DbError,
    idempotency::KeyRefusal,
};

/// Why an author's change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither administrator nor instructor of a published course.
    #[error(
        "courses are begun by administrators, and by instructors of a course that is in the catalogue: ask one of them"
    )]
    NotAnAuthor,
    /// There is no such course, or not for her.
    #[error("there is no such course")]
    NoSuchCourse,
    /// There is no such module, or not for her.
    #[error("there is no such module")]
    NoSuchModule,
    /// There is no such lesson, or not for her.
    #[error("there is no such lesson")]
    NoSuchLesson,
    /// Not of the course's staff.
    #[error("this is for the staff of the course: one of its instructors can add you")]
    NotStaff,
    /// An assistant.
    #[error(
        "this is for the instructors of the course: assistants change its content and let an instructor publish it"
    )]
    NotInstructor,
    /// Somebody was quicker.
    #[error("somebody has changed this since you read it: read it again, and give its version, which is {0} now")]
    Stale(i64),
    /// Empty or too long.
    #[error("a title has 1 to {MAX_TITLE} characters, and no control characters such as line breaks")]
    Title,
    /// Too long.
    #[error("a summary has at most {MAX_SUMMARY} characters")]
    Summary,
    /// Not a slug.
    #[error("a slug has 1 to 200 small letters, digits and single hyphens between them, such as living-soil")]
    Slug,
    /// Another course has it.
    #[error("this slug can't be had: choose another one")]
    SlugTaken,
    /// Not a language.
    #[error("{0:?} is not a language as BCP 47 names it: use a name like pt or zh-Hant-TW")]
    Language(String),
    /// Too many.
    #[error("a course is about at most {MAX_TOPICS} topics; these were {0}")]
    Topics(usize),
    /// Not a name.
    #[error("{0:?} is not the name of a topic: it has 1 to 100 characters, a letter or a digit among them")]
    Topic(String),
    /// Not from here.
    #[error("this course is {state}: {1}", state = .0.as_str())]
    CourseState(CourseStatus, &'static str),
    /// Nothing in it.
    #[error("a course needs a lesson that is published: publish one first")]
    NoLesson,
    /// Nothing said of it.
    #[error("a course needs a summary, so that learners know what it is about: write one first")]
    NoSummary,
    /// It would be empty.
    #[error("this would leave a published course without lessons: archive the course instead")]
    LastLesson,
    /// Too many.
    #[error("a course has at most {MAX_MODULES} modules")]
    TooManyModules,
    /// Too many.
    #[error("a module has at most {MAX_LESSONS} lessons")]
    TooManyLessons,
    /// Its module is not there for learners.
    #[error("the lesson's module is not published: publish it first")]
    ModuleNotPublished,
    /// Taken out.
    #[error("this is retired: publish it again, or make a new one")]
    Retired,
    /// It is there already.
    #[error("there is nothing to publish: it is published as it is")]
    NothingChanged,
    /// No draft.
    #[error("there is no draft to discard that learners have an earlier version of")]
    NoDraft,
    /// Not all of what is there.
    #[error("the order must name each of what is there once, drafts too: read the list again; {0}")]
    Order(&'static str),
    /// Not in that place.
    #[error("position must be between 0 and {0}")]
    Position(usize),
    /// Too short or too long.
    #[error("seconds must be between 1 and {MAX_SECONDS}; this was {0}")]
    Seconds(i64),
    /// Empty or too long.
    #[error("text has 1 to {MAX_BODY} characters; leave it out for none")]
    Body,
    /// Empty or too long.
    #[error("a transcript has 1 to {MAX_BODY} characters; leave it out for none")]
    Transcript,
    /// Not an address.
    #[error("an address begins with https://, names nobody, and has at most {MAX_URL} characters")]
    Url,
    /// Not of this kind.
    #[error("a lesson of the kind {kind} has no {1}", kind = .0.as_str())]
    NotOfKind(LessonKind, Part),
    /// The kind needs it.
    #[error("the lesson {title:?} can't be published yet: one of the kind {name} needs its {part}", name = .kind.as_str())]
    ContentMissing {
        /// The lesson's title.
        title: String,
        /// What it is.
        kind: LessonKind,
        /// What is missing.
        part: Part,
    },
    /// The rule does not fit.
    #[error("{0}")]
    Rule(&'static str),
    /// Not a share.
    #[error("completionShare must be more than 0 and at most 1")]
    Share,
    /// One would come before itself.
    #[error("this would make a circle: {0}")]
    Cycle(String),
    /// Not there, or not for her.
    #[error("one of these is not there: {0}")]
    NoSuchPrerequisite(&'static str),
    /// Too many.
    #[error("at most {MAX_PREREQUISITES} can come before one; these were {0}")]
    TooManyPrerequisites(usize),
    /// Nobody, or nobody whom she may know.
    #[error("there is no such person")]
    NoSuchPerson,
    /// Not an address.
    #[error("this is not an e-mail address")]
    Email,
    /// She is there already.
    #[error("she is of the course's staff already: change her role instead")]
    StaffAlready,
    /// Too many.
    #[error("a course has at most {MAX_STAFF} people who teach it, and as many who are asked to")]
    TooManyStaff,
    /// Nobody would be left.
    #[error("this is the last instructor: make somebody else one first")]
    LastInstructor,
    /// Not invited.
    #[error("you have not been invited to teach this course, or the invitation is over: ask for another one")]
    NotInvited,
    /// The address may be somebody else's.
    #[error("show first that your e-mail address is yours: the invitation went to an address")]
    EmailNotVerified,
    /// Too often.
    #[error("so many invitations went to this address already: wait a day")]
    TooManyInvitations,
    /// The key can't be used.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
}

/// A part of what a lesson says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What there is to read or to do.
    Text,
    /// Where it is.
    Url,
    /// What is said in the video.
    Transcript,
    /// Its length.
    Seconds,
}

impl Part {
    /// The argument that it comes in.
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Url => "url",
            Self::Transcript => "transcript",
            Self::Seconds => "seconds",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.argument())
    }
}

/// Why something stopped half-way; the transaction is dropped with it.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(Refusal),
    Failed(DbError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<KeyRefusal> for Stop {
    fn from(refusal: KeyRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

/// What is done at the desk.
pub(super) type Done<T> = Result<T, Stop>;

/// A refusal is a value for the author, a failure is one of ours.
pub(super) fn settle<T>(done: Done<T>) -> Result<Result<T, Refusal>, DbError> {
    match done {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Refused(refusal)) => Ok(Err(refusal)),
        Err(Stop::Failed(error)) => Err(error),
    }
}
