//! What the training data says of each course's completion.

use serde::{Deserialize, Serialize};

use super::{DONE, Row, logit};
use crate::content::Content;

/// Rows with which a course's rate is drawn to that of its neighbours on the shelf.
const DOUBT: f32 = 12.0;
/// The same for a step from one course to the next, drawn to the course's own rate.
const STEP_DOUBT: f32 = 8.0;
/// Places on the shelf, either way, that count as neighbours.
pub(super) const NEAR: usize = 6;
/// A completion below this is a glance.
const GLANCE: f32 = 0.3;

/// Numbers of one course; each zero where nothing was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Numbers {
    /// Share of those who completed it, drawn to the usual.
    pub(super) rate: f32,
    /// Log odds of `rate` above the usual.
    pub(super) odds: f32,
    /// Mean completion above the usual.
    pub(super) mean: f32,
    /// Share of glances above the usual.
    pub(super) glances: f32,
    /// Log odds among the later half of its rows, above `odds`.
    pub(super) late: f32,
    /// The neighbours' log odds above the usual.
    pub(super) around: f32,
    /// Log odds after a course that was completed, and after one that was not, above `odds`.
    pub(super) after: [f32; 2],
    /// Logarithm of the rows.
    pub(super) known: f32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Table {
    /// Share of all rows that are complete.
    pub(super) usual: f32,
    pub(super) courses: Vec<Numbers>,
    /// For each course, where its steps begin.
    offsets: Vec<u32>,
    /// (next course, log odds above that course's own), by next course.
    steps: Vec<(u32, f32)>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    rows: f32,
    done: f32,
}

impl Sum {
    fn add(&mut self, done: bool) {
        self.rows += 1.0;
        self.done += f32::from(u8::from(done));
    }

    /// The rate, drawn to `to` as by `doubt` rows.
    fn rate(self, to: f32, doubt: f32) -> f32 {
        (self.done + doubt * to) / (self.rows + doubt)
    }
}

impl Table {
    /// From rows in the order of their times.
    pub(super) fn new<'a>(content: &Content, rows: impl Iterator<Item = &'a Row> + Clone) -> Self {
        let count = content.len();
        let mut sums = vec![Sum::default(); count];
        let mut after = vec![[Sum::default(); 2]; count];
        let mut completion = vec![0.0_f32; count];
        let mut glances = vec![0.0_f32; count];
        let mut all = Sum::default();
        let mut pairs: Vec<(u32, u32, bool)> = Vec::new();
        for row in rows.clone() {
            let at = row.course as usize;
            let done = row.completion >= DONE;
            sums[at].add(done);
            all.add(done);
            completion[at] += row.completion;
            glances[at] += f32::from(u8::from(row.completion < GLANCE));
            if let Some((before, was)) = row.before {
                pairs.push((before, row.course, done));
                if let Some(was) = was {
                    after[at][usize::from(was < DONE)].add(done);
                }
            }
        }
        let mut late = vec![Sum::default(); count];
        let mut seen = vec![0.0_f32; count];
        for row in rows {
            let at = row.course as usize;
            seen[at] += 1.0;
            if seen[at] > sums[at].rows / 2.0 {
                late[at].add(row.completion >= DONE);
            }
        }
        let usual = all.rate(0.5, 1.0);
        let mean = completion.iter().sum::<f32>() / all.rows.max(1.0);
        let glance = glances.iter().sum::<f32>() / all.rows.max(1.0);
        let shares: [f32; 2] = [0, 1].map(|side| {
            let mut sum = Sum::default();
            for course in &after {
                sum.rows += course[side].rows;
                sum.done += course[side].done;
            }
            logit(sum.rate(usual, 1.0)) - logit(usual)
        });
        let near = |course: u32| {
            let place = content.facts(course).map_or(0, |f| f.place as usize);
            let from = place.saturating_sub(NEAR);
            let to = (place + NEAR + 1).min(count);
            content.shelf()[from..to].iter().copied().filter(move |&c| c != course)
        };
        let mut courses = Vec::with_capacity(count);
        for course in 0..count as u32 {
            let at = course as usize;
            let sum = sums[at];
            let mut around = Sum::default();
            for other in near(course) {
                around.rows += sums[other as usize].rows;
                around.done += sums[other as usize].done;
            }
            let around = around.rate(usual, 5.0 * DOUBT);
            let rate = sum.rate(around, DOUBT);
            let odds = logit(rate);
            let side = |side: usize| {
                let to = sigmoid(odds + shares[side]);
                logit(after[at][side].rate(to, 2.0 * DOUBT)) - odds - shares[side]
            };
            courses.push(Numbers {
                rate,
                odds: odds - logit(usual),
                mean: (completion[at] + DOUBT * mean) / (sum.rows + DOUBT) - mean,
                glances: (glances[at] + DOUBT * glance) / (sum.rows + DOUBT) - glance,
                late: logit(late[at].rate(rate, 2.0 * DOUBT)) - odds,
                around: logit(around) - logit(usual),
                after: [side(0), side(1)],
                known: (1.0 + sum.rows).ln(),
            });
        }
        let mut table = Self { usual, courses, offsets: vec![0], steps: Vec::new() };
        table.keep(&mut pairs);
        table
    }

    /// The steps, sorted, each against the rate of the course it leads to.
    fn keep(&mut self, pairs: &mut [(u32, u32, bool)]) {
        pairs.sort_unstable();
        for group in pairs.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (from, to, _) = group[0];
            while self.offsets.len() <= from as usize {
                self.offsets.push(self.steps.len() as u32);
            }
            let mut sum = Sum::default();
            for step in group {
                sum.add(step.2);
            }
            let own = self.courses[to as usize].rate;
            self.steps.push((to, logit(sum.rate(own, STEP_DOUBT)) - logit(own)));
        }
        while self.offsets.len() <= self.courses.len() {
            self.offsets.push(self.steps.len() as u32);
        }
    }

    pub(super) fn of(&self, course: u32) -> Numbers {
        self.courses.get(course as usize).copied().unwrap_or(Numbers { rate: self.usual, ..Numbers::default() })
    }

    /// The steps from a course.
    pub(super) fn steps(&self, from: u32) -> &[(u32, f32)] {
        let from = from as usize;
        match (self.offsets.get(from), self.offsets.get(from + 1)) {
            (Some(&start), Some(&end)) => self.steps.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

fn sigmoid(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}
