//! Our own layout: a folder of CSV files, described in `docs/IMPORT.md`.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::records::{
    ActivityRecord, BadRow, CourseRecord, Kind, LearnerRecord, LessonRecord, PostRecord, Rows, Source, SourceError,
};
use crate::{
    accounts::looks_like_email,
    courses::model::{LessonKind, StaffRole},
    forum::model::ThreadKind,
    time::Timestamp,
};

mod table;
#[cfg(test)]
mod tests;

pub(super) use table::{Cells, Columns, Table};

/// When a course whose file does not say it was published.
pub const PUBLISHED_UNKNOWN: Timestamp = Timestamp::from_seconds(0);

/// The longest time that a record may claim, in seconds: about 30 years. It catches milliseconds, and
/// keeps sums far from overflowing.
const MOST_SECONDS: i64 = 1_000_000_000;

// The longest texts, in characters.
const LONGEST_KEY: usize = 200;
const LONGEST_NAME: usize = 200;
const LONGEST_TITLE: usize = 300;
const LONGEST_TEXT: usize = 50_000;

const LEARNERS: Columns = Columns { required: &["key", "name"], optional: &["email", "goals"] };
const COURSES: Columns = Columns {
    required: &["key", "title"],
    optional: &[
        "summary",
        "language",
        "level",
        "topics",
        "prerequisites",
        "instructors",
        "assistants",
        "published_at",
        "open_forum",
    ],
};
const LESSONS: Columns = Columns { required: &["key", "course", "module", "title"], optional: &["kind", "seconds"] };
const ACTIVITY: Columns = Columns {
    required: &["learner", "lesson", "started_at"],
    optional: &["updated_at", "seconds", "progress", "completed", "rating"],
};
const THREADS: Columns = Columns {
    required: &["key", "thread", "course", "title", "author", "at", "body"],
    optional: &["category", "kind", "reply_to"],
};

/// A folder in our layout.
#[derive(Clone, Debug)]
pub struct CsvFolder {
    folder: PathBuf,
    source: String,
}

impl CsvFolder {
    /// The folder `dir`, whose keys are unique under the name `source`.
    pub fn open(dir: &Path, source: &str) -> Result<Self, SourceError> {
        let folder = Self { folder: dir.to_owned(), source: source.to_owned() };
        let kinds = [Kind::Learners, Kind::Courses, Kind::Lessons, Kind::Activity, Kind::Posts];
        demand_any(dir, kinds.map(file_of))?;
        Ok(folder)
    }

    fn read<T>(
        &self,
        kind: Kind,
        columns: &Columns,
        read: fn(&Cells) -> Result<T, BadRow>,
    ) -> Result<Option<Rows<'_, T>>, SourceError>
    where
        T: Send + 'static,
    {
        let table = Table::open(&self.folder.join(file_of(kind)), columns)?;
        Ok(table.map(|table| Box::new(table.records(read)) as Rows<'_, T>))
    }
}

/// Reads a text as each of the files, for fuzzers. Answers with how many rows each has, bad ones included.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn rows_of(bytes: &[u8]) -> [Option<usize>; 5] {
    fn count<T>(bytes: &[u8], columns: &Columns, read: fn(&Cells) -> Result<T, BadRow>) -> Option<usize> {
        let rows = Table::of(bytes, "file", columns).ok()?.records(read);
        let mut line = 1;
        let numbers = rows.map(|row| match row {
            Ok(row) => row.line,
            Err(bad) => bad.line,
        });
        Some(
            numbers
                .inspect(|number| {
                    assert!(*number > line, "line {number} comes after {line}");
                    line = *number;
                })
                .count(),
        )
    }
    [
        count(bytes, &LEARNERS, learner),
        count(bytes, &COURSES, course),
        count(bytes, &LESSONS, lesson),
        count(bytes, &ACTIVITY, activity),
        count(bytes, &THREADS, post),
    ]
}

/// Refuses a folder that has none of the files.
pub(super) fn demand_any<const N: usize>(dir: &Path, files: [&str; N]) -> Result<(), SourceError> {
    let unreadable = |cause| SourceError::Unreadable { file: dir.display().to_string(), cause };
    std::fs::read_dir(dir).map_err(unreadable)?;
    if files.iter().any(|file| dir.join(file).is_file()) {
        return Ok(());
    }
    Err(SourceError::Empty { folder: dir.display().to_string(), wanted: files.join(", ") })
}

const fn file_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Learners => "learners.csv",
        Kind::Courses => "courses.csv",
        Kind::Lessons => "lessons.csv",
        Kind::Activity => "activity.csv",
        Kind::Posts => "threads.csv",
    }
}

impl Source for CsvFolder {
    fn name(&self) -> String {
        self.source.clone()
    }

    fn file(&self, kind: Kind) -> String {
        file_of(kind).to_owned()
    }

    fn expected(&self, kind: Kind) -> Option<u64> {
        estimated_rows(&self.folder.join(file_of(kind)))
    }

    fn courses(&self) -> Result<Option<Rows<'_, CourseRecord>>, SourceError> {
        self.read(Kind::Courses, &COURSES, course)
    }

    fn lessons(&self) -> Result<Option<Rows<'_, LessonRecord>>, SourceError> {
        self.read(Kind::Lessons, &LESSONS, lesson)
    }

    fn learners(&self) -> Result<Option<Rows<'_, LearnerRecord>>, SourceError> {
        self.read(Kind::Learners, &LEARNERS, learner)
    }

    fn activity(&self) -> Result<Option<Rows<'_, ActivityRecord>>, SourceError> {
        self.read(Kind::Activity, &ACTIVITY, activity)
    }

    fn posts(&self) -> Result<Option<Rows<'_, PostRecord>>, SourceError> {
        self.read(Kind::Posts, &THREADS, post)
    }
}

/// About how many rows a file has, from the lines at its beginning: counting them all would read it twice.
pub(super) fn estimated_rows(path: &Path) -> Option<u64> {
    let file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let mut head = Vec::new();
    file.take(1 << 16).read_to_end(&mut head).ok()?;
    let lines = (head.split(|byte| *byte == b'\n').count() - 1).max(1) as u64;
    let all = lines.saturating_mul(size) / (head.len() as u64).max(1);
    Some(all.saturating_sub(1))
}

fn learner(cells: &Cells) -> Result<LearnerRecord, BadRow> {
    let email = cells.optional("email")?;
    if email.is_some_and(|email| !looks_like_email(email)) {
        // The address itself stays out of the report.
        return Err(cells.bad("email", "is not an e-mail address such as ada@example.org, at most 254 bytes long"));
    }
    Ok(LearnerRecord {
        key: key(cells, "key")?,
        name: short(cells, "name", LONGEST_NAME)?,
        email: email.map(str::to_owned),
        goals: list(cells, "goals", LONGEST_NAME)?,
    })
}

fn course(cells: &Cells) -> Result<CourseRecord, BadRow> {
    let key = key(cells, "key")?;
    let prerequisites = list(cells, "prerequisites", LONGEST_KEY)?;
    if prerequisites.contains(&key) {
        return Err(cells.bad("prerequisites", "names the course itself"));
    }
    let mut staff: Vec<(String, StaffRole)> = Vec::new();
    for (column, role) in [("instructors", StaffRole::Instructor), ("assistants", StaffRole::Assistant)] {
        for person in list(cells, column, LONGEST_KEY)? {
            if staff.iter().any(|(known, _)| *known == person) {
                return Err(cells.bad(column, format!("{} is an instructor already", quoted(&person))));
            }
            staff.push((person, role));
        }
    }
    let language = cells.optional("language")?.unwrap_or("en");
    if !is_language_tag(language) {
        return Err(cells.bad(
            "language",
            format!("{} is not a BCP 47 language tag such as en, pt-BR or zh-Hant", quoted(language)),
        ));
    }
    Ok(CourseRecord {
        title: short(cells, "title", LONGEST_TITLE)?,
        summary: cells.optional("summary")?.map_or(Ok(String::new()), |text| bounded(cells, "summary", text))?,
        language: language.to_owned(),
        level: named(cells, "level")?,
        topics: list(cells, "topics", LONGEST_NAME)?,
        published_at: time(cells, "published_at")?.unwrap_or(PUBLISHED_UNKNOWN),
        open_forum: yes_or_no(cells, "open_forum")?.unwrap_or(false),
        key,
        prerequisites,
        staff,
    })
}

fn lesson(cells: &Cells) -> Result<LessonRecord, BadRow> {
    let seconds = seconds(cells)?;
    if seconds == Some(0) {
        return Err(cells.bad("seconds", "is 0: leave it empty where the length is not known"));
    }
    Ok(LessonRecord {
        key: key(cells, "key")?,
        course: key(cells, "course")?,
        module: short(cells, "module", LONGEST_TITLE)?,
        title: short(cells, "title", LONGEST_TITLE)?,
        kind: named(cells, "kind")?.unwrap_or(LessonKind::Video),
        seconds,
    })
}

fn activity(cells: &Cells) -> Result<ActivityRecord, BadRow> {
    let started_at = needed_time(cells, "started_at")?;
    let updated_at = time(cells, "updated_at")?.unwrap_or(started_at);
    if updated_at < started_at {
        return Err(cells.bad("updated_at", format!("{updated_at} is before started_at, {started_at}")));
    }
    let progress = match cells.optional("progress")? {
        None => 0.0,
        // The comparison is false for what is not a number, too.
        Some(text) => text
            .parse()
            .ok()
            .filter(|progress| (0.0..=1.0).contains(progress))
            .ok_or_else(|| cells.bad("progress", format!("{} is not a number from 0 to 1", quoted(text))))?,
    };
    let completed = yes_or_no(cells, "completed")?.unwrap_or(false);
    let rating = match cells.optional("rating")? {
        None => None,
        Some(text) => Some(
            text.parse()
                .ok()
                .filter(|rating| (1..=5).contains(rating))
                .ok_or_else(|| cells.bad("rating", format!("{} is not a whole number from 1 to 5", quoted(text))))?,
        ),
    };
    Ok(ActivityRecord {
        learner: key(cells, "learner")?,
        lesson: key(cells, "lesson")?,
        started_at,
        updated_at,
        seconds: seconds(cells)?.unwrap_or(0),
        progress: if completed { 1.0 } else { progress },
        rating,
    })
}

fn post(cells: &Cells) -> Result<PostRecord, BadRow> {
    let key_of_post = key(cells, "key")?;
    let reply_to = cells.optional("reply_to")?.map(|_| key(cells, "reply_to")).transpose()?;
    if reply_to.as_ref() == Some(&key_of_post) {
        return Err(cells.bad("reply_to", "names the post itself"));
    }
    Ok(PostRecord {
        key: key_of_post,
        thread: key(cells, "thread")?,
        course: key(cells, "course")?,
        category: cells
            .optional("category")?
            .map_or(Ok("General".to_owned()), |_| short(cells, "category", LONGEST_NAME))?,
        kind: named(cells, "kind")?.unwrap_or(ThreadKind::Discussion),
        title: short(cells, "title", LONGEST_TITLE)?,
        author: key(cells, "author")?,
        reply_to,
        at: needed_time(cells, "at")?,
        body: bounded(cells, "body", cells.required("body")?)?,
    })
}

fn key(cells: &Cells, column: &'static str) -> Result<String, BadRow> {
    short(cells, column, LONGEST_KEY)
}

/// A text of one line that must be there.
fn short(cells: &Cells, column: &'static str, longest: usize) -> Result<String, BadRow> {
    let text = cells.required(column)?;
    check_short(cells, column, text, longest)?;
    Ok(text.to_owned())
}

fn check_short(cells: &Cells, column: &'static str, text: &str, longest: usize) -> Result<(), BadRow> {
    let length = text.chars().count();
    if length > longest {
        return Err(cells.bad(column, format!("is {length} characters long; {longest} are possible")));
    }
    if text.contains(['\n', '\r']) {
        return Err(cells.bad(column, "has several lines; one is possible"));
    }
    Ok(())
}

/// A text that may have several lines.
fn bounded(cells: &Cells, column: &'static str, text: &str) -> Result<String, BadRow> {
    let length = text.chars().count();
    if length > LONGEST_TEXT {
        return Err(cells.bad(column, format!("is {length} characters long; {LONGEST_TEXT} are possible")));
    }
    Ok(text.replace("\r\n", "\n"))
}

/// Several values with `|` between them, each once.
fn list(cells: &Cells, column: &'static str, longest: usize) -> Result<Vec<String>, BadRow> {
    let mut values: Vec<String> = Vec::new();
    for value in cells.optional(column)?.unwrap_or("").split('|').map(str::trim).filter(|value| !value.is_empty()) {
        check_short(cells, column, value, longest)?;
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }
    Ok(values)
}

/// One of a few names.
fn named<T: FromStr<Err = String>>(cells: &Cells, column: &'static str) -> Result<Option<T>, BadRow> {
    cells.optional(column)?.map(|text| text.parse().map_err(|reason: String| cells.bad(column, reason))).transpose()
}

fn time(cells: &Cells, column: &'static str) -> Result<Option<Timestamp>, BadRow> {
    let read = |text| {
        Timestamp::parse(text).ok_or_else(|| {
            let reason = format!(
                "{} is not a time: use 2026-11-23T09:30:00Z, 2026-11-23 (UTC) or seconds since 1970",
                quoted(text)
            );
            cells.bad(column, reason)
        })
    };
    cells.optional(column)?.map(read).transpose()
}

fn needed_time(cells: &Cells, column: &'static str) -> Result<Timestamp, BadRow> {
    time(cells, column)?.ok_or_else(|| cells.bad(column, "is empty"))
}

fn seconds(cells: &Cells) -> Result<Option<i64>, BadRow> {
    let read = |text: &str| {
        text.parse().ok().filter(|seconds| (0..=MOST_SECONDS).contains(seconds)).ok_or_else(|| {
            let reason = format!("{} is not a whole number of seconds from 0 to {MOST_SECONDS}", quoted(text));
            cells.bad("seconds", reason)
        })
    };
    cells.optional("seconds")?.map(read).transpose()
}

fn yes_or_no(cells: &Cells, column: &'static str) -> Result<Option<bool>, BadRow> {
    let Some(text) = cells.optional(column)? else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(Some(true)),
        "false" | "no" | "0" => Ok(Some(false)),
        _ => Err(cells.bad(column, format!("{} is neither true nor false", quoted(text)))),
    }
}

/// Whether a text has the shape of a BCP 47 tag: a language of 2 to 8 letters, then subtags of 1 to 8
/// letters and digits, at most 35 characters in all.
fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or("");
    text.len() <= 35
        && (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The value as it is shown in a reason: not longer than a line.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}
