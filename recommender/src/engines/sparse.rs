//! A square matrix of course × course with few entries in each row, and the index of who took what
//! when, from which such rows are summed.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::Interaction;
use crate::engine::Scores;

/// Rows of (column, weight), the largest weights kept. Rows that changed since the training lie beside the
/// others, and are not saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sparse {
    offsets: Vec<u32>,
    columns: Vec<u32>,
    weights: Vec<f32>,
    #[serde(skip)]
    changed: HashMap<u32, Vec<(u32, f32)>>,
}

/// A changed row may grow by so many entries before its smallest go.
const SPARE: usize = 100;

impl Sparse {
    /// A square matrix, see [`rows`](Self::rows).
    pub(crate) fn build(courses: usize, keep: usize, fill: impl FnMut(u32, &mut Scores)) -> Self {
        Self::rows(courses, courses, keep, fill)
    }

    /// A square matrix without the entries below `least`.
    pub(crate) fn at_least(courses: usize, keep: usize, least: f32, mut fill: impl FnMut(u32, &mut Scores)) -> Self {
        let mut whole = Scores::new(courses);
        Self::build(courses, keep, |at, row| {
            fill(at, &mut whole);
            for &course in whole.touched().iter().filter(|&&course| whole.get(course) >= least) {
                row.add(course, whole.get(course));
            }
            whole.clear();
        })
    }

    /// Builds `count` rows over `courses` columns: `fill` adds to the row's scores, of which the
    /// `keep` largest in absolute value stay.
    pub(crate) fn rows(courses: usize, count: usize, keep: usize, mut fill: impl FnMut(u32, &mut Scores)) -> Self {
        let mut matrix = Self { offsets: vec![0], ..Self::default() };
        let mut row = Scores::new(courses);
        let mut entries: Vec<(u32, f32)> = Vec::new();
        for at in 0..count as u32 {
            fill(at, &mut row);
            entries.clear();
            entries.extend(row.touched().iter().map(|&c| (c, row.get(c))));
            entries.retain(|e| e.1 != 0.0 && e.1.is_finite());
            if entries.len() > keep {
                entries.select_nth_unstable_by(keep, |a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
                entries.truncate(keep);
            }
            entries.sort_unstable_by_key(|e| e.0);
            matrix.columns.extend(entries.iter().map(|e| e.0));
            matrix.weights.extend(entries.iter().map(|e| e.1));
            matrix.offsets.push(matrix.columns.len() as u32);
            row.clear();
        }
        matrix
    }

    fn span(&self, row: u32) -> std::ops::Range<usize> {
        let row = row as usize;
        match (self.offsets.get(row), self.offsets.get(row + 1)) {
            // `get` below guards against offsets that a damaged file made up.
            (Some(&from), Some(&to)) => from as usize..to as usize,
            _ => 0..0,
        }
    }

    /// Adds `factor` times a row; nothing for a course the matrix doesn't know.
    #[inline]
    pub(crate) fn add_row(&self, row: u32, factor: f32, out: &mut Scores) {
        if let Some(entries) = self.changed(row) {
            for &(column, weight) in entries {
                out.add(column, factor * weight);
            }
            return;
        }
        let span = self.span(row);
        if let (Some(columns), Some(weights)) = (self.columns.get(span.clone()), self.weights.get(span)) {
            for (&column, &weight) in columns.iter().zip(weights) {
                out.add(column, factor * weight);
            }
        }
    }

    /// One entry, zero where there is none.
    pub(crate) fn get(&self, row: u32, column: u32) -> f32 {
        if let Some(entries) = self.changed(row) {
            return entries.binary_search_by_key(&column, |e| e.0).map_or(0.0, |at| entries[at].1);
        }
        let span = self.span(row);
        let columns = self.columns.get(span.clone()).unwrap_or_default();
        columns.binary_search(&column).map_or(0.0, |at| self.weights.get(span.start + at).copied().unwrap_or(0.0))
    }

    #[inline]
    fn changed(&self, row: u32) -> Option<&[(u32, f32)]> {
        if self.changed.is_empty() { None } else { self.changed.get(&row).map(Vec::as_slice) }
    }

    /// A row to be changed, sorted by column; empty if the matrix doesn't know it.
    pub(crate) fn change(&mut self, row: u32) -> &mut Vec<(u32, f32)> {
        let span = self.span(row);
        let columns = self.columns.get(span.clone()).unwrap_or_default();
        let weights = self.weights.get(span).unwrap_or_default();
        self.changed.entry(row).or_insert_with(|| columns.iter().copied().zip(weights.iter().copied()).collect())
    }

    /// Adds to one entry. A row that grew too long loses its smallest entries, never the one added to.
    pub(crate) fn add(&mut self, row: u32, column: u32, weight: f32, keep: usize) {
        if weight == 0.0 {
            return;
        }
        let entries = self.change(row);
        match entries.binary_search_by_key(&column, |e| e.0) {
            Ok(at) => entries[at].1 += weight,
            Err(at) => entries.insert(at, (column, weight)),
        }
        if entries.len() > keep + SPARE {
            entries.sort_by(|a, b| {
                let newest = (b.0 == column).cmp(&(a.0 == column));
                newest.then(b.1.abs().total_cmp(&a.1.abs())).then(a.0.cmp(&b.0))
            });
            entries.truncate(keep);
            entries.sort_unstable_by_key(|e| e.0);
        }
    }

    /// Multiplies a row; nothing for one the matrix doesn't know.
    pub(crate) fn scale(&mut self, row: u32, factor: f32) {
        if self.span(row).is_empty() && !self.changed.contains_key(&row) {
            return;
        }
        for entry in self.change(row) {
            entry.1 *= factor;
        }
    }
}

/// Where each course stands in the histories.
pub(crate) struct Occurrences {
    offsets: Vec<usize>,
    places: Vec<(u32, u32)>,
}

impl Occurrences {
    pub(crate) fn new(courses: usize, histories: &[&[Interaction]]) -> Self {
        let mut offsets = vec![0; courses + 1];
        for row in histories.iter().copied().flatten() {
            offsets[row.course as usize + 1] += 1;
        }
        for course in 0..courses {
            offsets[course + 1] += offsets[course];
        }
        let mut next = offsets.clone();
        let mut places = vec![(0, 0); offsets[courses]];
        for (learner, history) in (0_u32..).zip(histories) {
            for (position, row) in (0_u32..).zip(*history) {
                let slot = &mut next[row.course as usize];
                places[*slot] = (learner, position);
                *slot += 1;
            }
        }
        Self { offsets, places }
    }

    /// (index of the history, position in it) of each time the course was taken.
    pub(crate) fn of(&self, course: u32) -> &[(u32, u32)] {
        let course = course as usize;
        &self.places[self.offsets[course]..self.offsets[course + 1]]
    }

    pub(crate) fn count(&self, course: u32) -> usize {
        self.of(course).len()
    }
}

/// The courses of a history by what each gave, largest first; only those that gave something.
pub(crate) fn givers(gifts: impl Iterator<Item = (u32, f32)>) -> Vec<u32> {
    let mut gifts: Vec<(u32, f32)> = gifts.filter(|g| g.1 > 0.0).collect();
    gifts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    gifts.into_iter().map(|g| g.0).collect()
}
