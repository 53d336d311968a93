//! Data that was split by others, so that figures compare: a folder of tab separated files.
//!
//! | file | columns | needed |
//! |---|---|---|
//! | `item_ids.tsv` | item index, the item's own id | yes |
//! | `train.tsv` | learner, item, time (Unix seconds), completion 0..=1 (optional) | yes |
//! | `val_target.tsv` | learner, item, time | yes |
//! | `trainval.tsv` | as `train.tsv`: train and the validation targets | yes |
//! | `test_target.tsv` | learner, item, time | yes |
//! | `topics.tsv` | item index, topics separated by `\|` | no |
//!
//! No header; learners and items are indices.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{Catalogue, CatalogueError, Course, Interaction, InteractionError, Interactions, InteractionsBuilder};

/// A split that can't be read, with file, line and column (from 1) and the reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// The file can't be opened or read.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A cell that is missing or makes no sense.
    #[error("{}:{line}:{column}: {reason}", file.display())]
    Cell {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A row whose values are out of range.
    #[error("{}:{line}: {source}", file.display())]
    Row {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        source: InteractionError,
    },
    /// The items make no catalogue.
    #[error("{}: {source}", file.display())]
    Catalogue {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: CatalogueError,
    },
}

/// What is asked of one learner: the course she took next, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The learner.
    pub learner: u64,
    /// The course she took.
    pub course: u32,
    /// When she took it (Unix seconds).
    pub at: i64,
}

/// A catalogue with two training sets and the targets of each.
#[derive(Debug, Clone)]
pub struct Split {
    /// One course for each line of `item_ids.tsv`, its key the item's own id.
    pub catalogue: Catalogue,
    /// Everything before the last two choices.
    pub train: Interactions,
    /// The second last choices.
    pub validation: Vec<Target>,
    /// Everything before the last choice.
    pub trainval: Interactions,
    /// The last choices.
    pub test: Vec<Target>,
}

impl Split {
    /// Reads a folder; times are times.
    ///
    /// # Errors
    /// A file that is missing, or the first line that makes no sense.
    pub fn read(dir: impl AsRef<Path>) -> Result<Self, SplitError> {
        Self::read_with(dir, true)
    }

    /// Reads a folder; without `clock` the times are only an order.
    ///
    /// # Errors
    /// As [`Split::read`].
    pub fn read_with(dir: impl AsRef<Path>, clock: bool) -> Result<Self, SplitError> {
        let dir = dir.as_ref();
        let catalogue = catalogue(dir)?;
        let rows = |name| interactions(&dir.join(name), &catalogue, clock);
        let targets = |name| targets(&dir.join(name), &catalogue);
        Ok(Self {
            train: rows("train.tsv")?,
            validation: targets("val_target.tsv")?,
            trainval: rows("trainval.tsv")?,
            test: targets("test_target.tsv")?,
            catalogue,
        })
    }
}

impl Split {
    /// Everything, the test targets included, for the protocols that cut by time.
    #[must_use]
    pub fn everything(&self) -> Interactions {
        let mut all = InteractionsBuilder::new(&self.catalogue);
        if !self.trainval.has_clock() {
            all = all.order_only();
        }
        let rows = self.trainval.iter().flat_map(|(learner, h)| h.iter().map(move |row| (learner, *row)));
        let targets = self.test.iter().map(|t| (t.learner, Interaction::new(t.course, t.at)));
        for (learner, row) in rows.chain(targets) {
            // Both were checked against this catalogue when they were read.
            all.push(learner, row).unwrap_or_default();
        }
        all.build()
    }
}

/// The lines of a file, each with what is needed to say where an error is.
struct Line<'a> {
    file: &'a Path,
    number: usize,
    cells: Vec<&'a str>,
}

impl Line<'_> {
    fn error(&self, column: usize, reason: String) -> SplitError {
        SplitError::Cell { file: self.file.to_owned(), line: self.number, column: column + 1, reason }
    }

    fn parse<T: FromStr>(&self, column: usize, what: &str) -> Result<T, SplitError> {
        let Some(cell) = self.cells.get(column) else {
            return Err(self.error(column, format!("{what} is missing")));
        };
        cell.trim().parse().map_err(|_| self.error(column, format!("{what} expected, found {cell:?}")))
    }
}

fn each_line(file: &Path, mut visit: impl FnMut(&Line<'_>) -> Result<(), SplitError>) -> Result<(), SplitError> {
    let failed = |source| SplitError::File { file: file.to_owned(), source };
    let lines = BufReader::new(File::open(file).map_err(failed)?).lines();
    for (index, line) in lines.enumerate() {
        let line = line.map_err(failed)?;
        if !line.trim().is_empty() {
            visit(&Line { file, number: index + 1, cells: line.split('\t').collect() })?;
        }
    }
    Ok(())
}

fn catalogue(dir: &Path) -> Result<Catalogue, SplitError> {
    let file = dir.join("item_ids.tsv");
    let mut courses = Vec::new();
    each_line(&file, |line| {
        let index: usize = line.parse(0, "an item's index")?;
        if index != courses.len() {
            let reason = format!("items are numbered in order: {} expected", courses.len());
            return Err(line.error(0, reason));
        }
        let key: String = line.parse(1, "an item's id")?;
        courses.push(Course { title: format!("Item {key}"), key, ..Course::default() });
        Ok(())
    })?;
    let topics = topics(&dir.join("topics.tsv"), &mut courses)?;
    Catalogue::new(topics, courses).map_err(|source| SplitError::Catalogue { file, source })
}

fn topics(file: &Path, courses: &mut [Course]) -> Result<Vec<String>, SplitError> {
    let mut names: Vec<String> = Vec::new();
    if !file.exists() {
        return Ok(names);
    }
    let mut known: HashMap<String, u32> = HashMap::new();
    each_line(file, |line| {
        let index: usize = line.parse(0, "an item's index")?;
        let count = courses.len();
        let Some(course) = courses.get_mut(index) else {
            return Err(line.error(0, format!("item {index} of {count} does not exist")));
        };
        let cell = line.cells.get(1).copied().unwrap_or_default();
        for name in cell.split('|').map(str::trim).filter(|n| !n.is_empty()) {
            let next = names.len() as u32;
            let topic = *known.entry(name.to_owned()).or_insert(next);
            if topic == next {
                names.push(name.to_owned());
            }
            if !course.topics.contains(&topic) {
                course.topics.push(topic);
            }
        }
        Ok(())
    })?;
    Ok(names)
}

fn interactions(file: &Path, catalogue: &Catalogue, clock: bool) -> Result<Interactions, SplitError> {
    let mut builder = InteractionsBuilder::new(catalogue);
    if !clock {
        builder = builder.order_only();
    }
    each_line(file, |line| {
        let mut row =
            Interaction::new(line.parse(1, "an item's index")?, line.parse(2, "a time in whole Unix seconds")?);
        if line.cells.get(3).is_some_and(|c| !c.trim().is_empty()) {
            row.completion = Some(line.parse(3, "a completion")?);
        }
        let learner = line.parse(0, "a learner's index")?;
        builder.push(learner, row).map_err(|source| SplitError::Row {
            file: file.to_owned(),
            line: line.number,
            source,
        })
    })?;
    Ok(builder.build())
}

fn targets(file: &Path, catalogue: &Catalogue) -> Result<Vec<Target>, SplitError> {
    let mut targets = Vec::new();
    each_line(file, |line| {
        let target = Target {
            learner: line.parse(0, "a learner's index")?,
            course: line.parse(1, "an item's index")?,
            at: line.parse(2, "a time in whole Unix seconds")?,
        };
        let row = Interaction::new(target.course, target.at);
        crate::interactions::check(&row, catalogue.len()).map_err(|source| SplitError::Row {
            file: file.to_owned(),
            line: line.number,
            source,
        })?;
        targets.push(target);
        Ok(())
    })?;
    Ok(targets)
}
