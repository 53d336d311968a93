//! What learners did: one row for each learner and course.

use serde::{Deserialize, Serialize};

use crate::Catalogue;

/// More than this for one course (ten years) can only be a mistake in the data.
pub const MAX_SECONDS: f32 = 315_576_000.0;

/// Times outside the years 0001 to 9999 are refused, so that differences can't overflow.
pub(crate) const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// One learner's dealings with one course.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// Index of the course in the catalogue.
    pub course: u32,
    /// When the learner first opened it, in Unix seconds.
    pub at: i64,
    /// How much of it is done, 0..=1; `None` where nobody measured.
    pub completion: Option<f32>,
    /// Time spent on it in seconds.
    pub seconds: Option<f32>,
    /// How much the learner liked it, 0..=1.
    pub rating: Option<f32>,
}

impl Interaction {
    /// A visit of which only the time is known.
    #[must_use]
    pub fn new(course: u32, at: i64) -> Self {
        Self { course, at, completion: None, seconds: None, rating: None }
    }
}

/// A row that was refused; each names the value.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InteractionError {
    /// The course's index is not in the catalogue.
    #[error("course {course} is not in the catalogue, which has {courses}")]
    UnknownCourse {
        /// The index given.
        course: u32,
        /// How many courses there are.
        courses: usize,
    },
    /// Completion that is NaN or outside 0..=1.
    #[error("completion {0} is not between 0 and 1")]
    Completion(f32),
    /// Seconds that are NaN, negative, or more than ten years.
    #[error("{0} seconds are not between 0 and {MAX_SECONDS}")]
    Seconds(f32),
    /// A rating that is NaN or outside 0..=1.
    #[error("rating {0} is not between 0 and 1")]
    Rating(f32),
    /// A time outside the years 0001 to 9999.
    #[error("time {0} (Unix seconds) is outside the years 0001 to 9999")]
    Time(i64),
}

/// Whether a row can be used with a catalogue of `courses` courses.
///
/// # Errors
/// The first value that is out of range.
pub(crate) fn check(row: &Interaction, courses: usize) -> Result<(), InteractionError> {
    let unit = |v: &f32| (0.0..=1.0).contains(v);
    if row.course as usize >= courses {
        return Err(InteractionError::UnknownCourse { course: row.course, courses });
    }
    if !TIMES.contains(&row.at) {
        return Err(InteractionError::Time(row.at));
    }
    if let Some(value) = row.completion.filter(|v| !unit(v)) {
        return Err(InteractionError::Completion(value));
    }
    if let Some(value) = row.rating.filter(|v| !unit(v)) {
        return Err(InteractionError::Rating(value));
    }
    if let Some(value) = row.seconds.filter(|v| !(0.0..=MAX_SECONDS).contains(v)) {
        return Err(InteractionError::Seconds(value));
    }
    Ok(())
}

/// Rows that a builder keeps unless told otherwise, see [`InteractionsBuilder::at_most`].
pub const MOST_ROWS: usize = 5_000_000;

/// Mixes the bits of a number, the same way for ever (Steele, Lea and Flood, `SplitMix64`, OOPSLA 2014).
pub(crate) fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Collects rows in any order; [`build`](Self::build) sorts and merges them. Its memory is bounded, see
/// [`at_most`](Self::at_most).
#[derive(Debug, Clone)]
pub struct InteractionsBuilder {
    courses: usize,
    clock: bool,
    most: usize,
    /// A learner is kept while her number, scattered, has so many leading zeros.
    halvings: u32,
    rows: Vec<(u64, Interaction)>,
}

impl InteractionsBuilder {
    /// Starts with no rows, for the courses of one catalogue.
    #[must_use]
    pub fn new(catalogue: &Catalogue) -> Self {
        Self { courses: catalogue.len(), clock: true, most: MOST_ROWS, halvings: 0, rows: Vec::new() }
    }

    /// Says that the times are only an order: nothing will be read from how far apart they are.
    #[must_use]
    pub fn order_only(mut self) -> Self {
        self.clock = false;
        self
    }

    /// Bounds the rows kept, [`MOST_ROWS`] where this is not called. With more, half of the learners are
    /// left out, then half of those left, and so on: a sample of whole histories, drawn by a hash of the
    /// learners' numbers. Which learners it has depends on the rows alone, not on their order.
    ///
    /// Building takes up to 112 bytes for each row kept (48 collected, 24 to sort, 40 in the result), of which
    /// 40 stay; training takes about as much again, and more for the courses.
    #[must_use]
    pub fn at_most(mut self, rows: usize) -> Self {
        self.most = rows;
        self.shrink();
        self
    }

    fn kept(&self, learner: u64) -> bool {
        scatter(learner).leading_zeros() >= self.halvings
    }

    fn shrink(&mut self) {
        while self.rows.len() > self.most {
            self.halvings += 1;
            let halvings = self.halvings;
            self.rows.retain(|(learner, _)| scatter(*learner).leading_zeros() >= halvings);
        }
    }

    /// Adds a row. `learner` is any number that stands for one learner; it is not kept in models.
    ///
    /// # Errors
    /// A value out of range, see [`InteractionError`]; the row is then not added.
    pub fn push(&mut self, learner: u64, row: Interaction) -> Result<(), InteractionError> {
        check(&row, self.courses)?;
        if self.kept(learner) {
            self.rows.push((learner, row));
            self.shrink();
        }
        Ok(())
    }

    /// Sorts by learner and time (rows of one second keep the order in which they came) and merges
    /// rows of the same learner and course: the first time, the best completion, the *sum* of the
    /// seconds, the latest rating.
    #[must_use]
    pub fn build(mut self) -> Interactions {
        self.rows.sort_by_key(|(learner, row)| (*learner, row.at));
        let mut place: Vec<Option<(u64, usize)>> = vec![None; self.courses];
        let (mut learners, mut offsets) = (Vec::new(), vec![0]);
        let mut rows: Vec<Interaction> = Vec::with_capacity(self.rows.len());
        for (learner, row) in self.rows {
            if learners.last() != Some(&learner) {
                if !learners.is_empty() {
                    offsets.push(rows.len());
                }
                learners.push(learner);
            }
            let seen = &mut place[row.course as usize];
            match *seen {
                Some((owner, at)) if owner == learner => merge(&mut rows[at], &row),
                _ => {
                    *seen = Some((learner, rows.len()));
                    rows.push(row);
                }
            }
        }
        if !learners.is_empty() {
            offsets.push(rows.len());
        }
        rows.shrink_to_fit();
        Interactions { learners, offsets, rows, clock: self.clock, halvings: self.halvings }
    }
}

fn merge(first: &mut Interaction, later: &Interaction) {
    let best = |a: Option<f32>, b: Option<f32>, f: fn(f32, f32) -> f32| match (a, b) {
        (Some(a), Some(b)) => Some(f(a, b)),
        (a, b) => a.or(b),
    };
    first.completion = best(first.completion, later.completion, f32::max);
    first.seconds = best(first.seconds, later.seconds, |a, b| (a + b).min(MAX_SECONDS));
    first.rating = later.rating.or(first.rating);
}

/// Every learner's history, sorted by time, one row for each course.
#[derive(Debug, Clone, Default)]
pub struct Interactions {
    learners: Vec<u64>,
    offsets: Vec<usize>,
    rows: Vec<Interaction>,
    clock: bool,
    halvings: u32,
}

impl Interactions {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nobody did anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of learners with at least one row.
    #[must_use]
    pub fn learners(&self) -> usize {
        self.learners.len()
    }

    /// The share of learners that was kept, 1 unless there were more rows than
    /// [`InteractionsBuilder::at_most`] allows.
    #[must_use]
    pub fn share(&self) -> f64 {
        0.5_f64.powi(self.halvings as i32)
    }

    /// Whether the times are times, not only an order.
    #[must_use]
    pub fn has_clock(&self) -> bool {
        self.clock
    }

    /// Learners in the order of their numbers, each with her history (oldest first).
    pub fn iter(&self) -> impl Iterator<Item = (u64, &[Interaction])> {
        self.learners
            .iter()
            .zip(self.offsets.windows(2))
            .map(|(&learner, span)| (learner, &self.rows[span[0]..span[1]]))
    }

    /// One learner's history, empty if she is not known.
    #[must_use]
    pub fn of(&self, learner: u64) -> &[Interaction] {
        self.learners.binary_search(&learner).map_or(&[], |i| &self.rows[self.offsets[i]..self.offsets[i + 1]])
    }

    /// The time of the latest row, in Unix seconds.
    #[must_use]
    pub fn last_at(&self) -> Option<i64> {
        self.rows.iter().map(|row| row.at).max()
    }
}
