//! The features: what is known of a learner before she takes a course, of the course, and of both.

use super::table::{NEAR, Table};
use super::{DONE, logit};
use crate::Interaction;
use crate::content::Content;

/// Bends of the features that are not straight lines.
const ODDS_BENDS: [f32; 5] = [-1.0, -0.4, 0.0, 0.4, 1.0];
/// Logarithms of seconds: half a minute to a month.
const GAP_BENDS: [f32; 9] = [3.4, 4.4, 5.3, 6.2, 7.2, 8.2, 10.7, 12.5, 14.8];
/// Features of the learner alone.
const OWN: usize = 41;
/// Features of course and learner.
pub(super) const SHARED: usize = 36;
pub(super) const WIDTH: usize = OWN + SHARED;

/// A pause longer than this (seconds) begins a new sitting.
const PAUSE: i64 = 3600;
/// Rows with which a learner's rate is drawn to what her courses' rates say.
const DOUBT: f32 = 3.0;

/// What is known of a learner so far.
pub(super) struct Listener<'a> {
    content: &'a Content,
    table: &'a Table,
    clock: bool,
    /// Whether each measured row was complete, oldest first, and its completion.
    measured: Vec<(bool, f32)>,
    rows: f32,
    surprise: f32,
    spread: f32,
    sitting: (f32, f32, f32),
    last: Option<Interaction>,
    /// Her surprises around each place of the shelf: sum and weight.
    shelf: Vec<(f32, f32)>,
    topics: Vec<(f32, f32)>,
    lengths: (f32, f32),
    touched: Vec<u32>,
    /// Of the question at hand.
    own: [f32; OWN],
    steps: &'a [(u32, f32)],
    place: Option<u32>,
    quick: f32,
    skill: f32,
    latest: f32,
}

impl<'a> Listener<'a> {
    pub(super) fn new(content: &'a Content, table: &'a Table, clock: bool) -> Self {
        Self {
            content,
            table,
            clock,
            measured: Vec::new(),
            rows: 0.0,
            surprise: 0.0,
            spread: 0.0,
            sitting: (0.0, 0.0, 0.0),
            last: None,
            shelf: vec![(0.0, 0.0); content.len()],
            topics: vec![(0.0, 0.0); content.topic_count()],
            lengths: (0.0, 0.0),
            touched: Vec::new(),
            own: [0.0; OWN],
            steps: &[],
            place: None,
            quick: 0.0,
            skill: 0.0,
            latest: 0.0,
        }
    }

    /// Forgets the learner; `table` is what the next one is seen with.
    pub(super) fn clear(&mut self, table: &'a Table) {
        for place in self.touched.drain(..) {
            self.shelf[place as usize] = (0.0, 0.0);
        }
        self.topics.fill((0.0, 0.0));
        self.table = table;
        self.measured.clear();
        (self.rows, self.surprise, self.spread) = (0.0, 0.0, 0.0);
        self.sitting = (0.0, 0.0, 0.0);
        self.lengths = (0.0, 0.0);
        self.last = None;
    }

    /// Counts one more row of her history.
    pub(super) fn push(&mut self, row: &Interaction) {
        if self.clock && self.last.is_some_and(|last| row.at - last.at > PAUSE) {
            self.sitting = (0.0, 0.0, 0.0);
        }
        self.sitting.0 += 1.0;
        self.rows += 1.0;
        self.last = Some(*row);
        let Some(facts) = self.content.facts(row.course) else {
            return;
        };
        if let Some(seconds) = facts.seconds {
            self.lengths.0 += (1.0 + seconds as f32).ln();
            self.lengths.1 += 1.0;
        }
        let Some(completion) = row.completion else {
            return;
        };
        let done = completion >= DONE;
        let rate = self.table.of(row.course).rate;
        let surprise = f32::from(u8::from(done)) - rate;
        self.measured.push((done, completion));
        self.surprise += surprise;
        self.spread += rate * (1.0 - rate);
        self.sitting.1 += surprise;
        self.sitting.2 += rate * (1.0 - rate);
        let place = facts.place as usize;
        let from = place.saturating_sub(NEAR);
        for at in from..(place + NEAR + 1).min(self.shelf.len()) {
            let weight = 1.0 / (1.0 + at.abs_diff(place) as f32);
            self.shelf[at].0 += weight * surprise;
            self.shelf[at].1 += weight;
            self.touched.push(at as u32);
        }
        for &topic in &facts.topics {
            self.topics[topic as usize].0 += surprise;
            self.topics[topic as usize].1 += 1.0;
        }
    }

    /// Reads what the question has in common for all courses.
    pub(super) fn ask(&mut self, now: i64) {
        let mut own = [0.0; OWN];
        let mut slots = own.iter_mut();
        let mut put = |value: f32| {
            if let Some(slot) = slots.next() {
                *slot = value;
            }
        };
        let usual = self.table.usual;
        let drawn = |n: usize, doubt: f32| {
            let rows = &self.measured[self.measured.len().saturating_sub(n)..];
            let done = rows.iter().filter(|r| r.0).count() as f32;
            logit((done + doubt * usual) / (rows.len() as f32 + doubt)) - logit(usual)
        };
        let skill = (self.surprise / (self.spread + DOUBT * usual * (1.0 - usual))).clamp(-4.0, 4.0);
        let latest = drawn(10, 2.0);
        // 6: how likely she completes at all.
        put(skill);
        for bend in ODDS_BENDS {
            put((skill - bend).max(0.0));
        }
        put(drawn(usize::MAX, DOUBT));
        put(latest);
        for bend in [-1.0, 0.0, 0.5] {
            put((latest - bend).max(0.0));
        }
        put(drawn(3, 1.0));
        let last = self.measured.last().copied();
        put(last.map_or(0.0, |l| l.1 - usual));
        put(last.map_or(0.0, |l| f32::from(u8::from(l.0)) - usual));
        put(last.map_or(0.0, |l| f32::from(u8::from(l.1 < 0.3))));
        put(f32::from(u8::from(last.is_none())));
        let streak = self.measured.iter().rev().take_while(|r| r.0 == last.is_some_and(|l| l.0)).count() as f32;
        let signed = if last.is_some_and(|l| l.0) { streak } else { -streak };
        put((1.0 + streak).ln() * signed.signum());
        let n = self.measured.len().max(1) as f32;
        put(self.measured.iter().map(|r| r.1).sum::<f32>() / n);
        put(self.measured.iter().filter(|r| r.1 < 0.3).count() as f32 / (n + 2.0));
        put((1.0 + self.rows).ln());
        put(1.0 / (1.0 + self.rows));
        let mut gap = None;
        if let (true, Some(last)) = (self.clock, self.last) {
            gap = Some((1.0 + (now - last.at).max(0) as f32).ln());
        }
        let same = gap.is_some_and(|_| self.last.is_some_and(|l| now - l.at <= PAUSE));
        let (count, surprise, spread) = if same { self.sitting } else { (0.0, 0.0, 0.0) };
        put(surprise / (spread + 1.0 * usual * (1.0 - usual)));
        put((1.0 + count).ln());
        put(f32::from(u8::from(gap.is_some())));
        let gap = gap.unwrap_or(0.0);
        put(gap);
        for bend in GAP_BENDS {
            put((gap - bend).max(0.0));
        }
        let quick = if gap > 0.0 { (-gap.exp() / 1800.0).exp() } else { 0.0 };
        put(quick * skill);
        put(quick * latest);
        put(quick * last.map_or(0.0, |l| l.1 - usual));
        put(skill * (1.0 + self.rows).ln());
        if self.clock {
            let hour = (now.rem_euclid(86_400)) as f32 / 86_400.0 * std::f32::consts::TAU;
            put(hour.sin());
            put(hour.cos());
            let day = (now.div_euclid(86_400) + 4).rem_euclid(7);
            put(f32::from(u8::from(day == 0 || day == 6)));
        }
        self.own = own;
        (self.skill, self.latest, self.quick) = (skill, latest, quick);
        self.steps = self.last.map_or(&[], |last| self.table.steps(last.course));
        self.place = self.last.and_then(|l| self.content.facts(l.course)).map(|f| f.place);
    }

    /// The features of one course, the learner's own first.
    pub(super) fn fill(&self, course: u32, out: &mut [f32]) {
        out[..OWN].copy_from_slice(&self.own);
        self.shared(course, &mut out[OWN..]);
    }

    pub(super) fn own(&self) -> &[f32] {
        &self.own
    }

    pub(super) fn shared(&self, course: u32, out: &mut [f32]) {
        let numbers = self.table.of(course);
        let mut slots = out.iter_mut();
        let mut put = |value: f32| {
            if let Some(slot) = slots.next() {
                *slot = value;
            }
        };
        put(numbers.odds);
        for bend in [-0.8, -0.3, 0.2, 0.7] {
            put((numbers.odds - bend).max(0.0));
        }
        put(numbers.mean);
        put(numbers.glances);
        put(numbers.late);
        put(numbers.around);
        put(numbers.known);
        let last = self.measured.last().copied();
        let was = self.last.and_then(|l| l.completion);
        put(was.map_or(0.0, |w| numbers.after[usize::from(w < DONE)]));
        let step = self.steps.binary_search_by_key(&course, |s| s.0).map_or(0.0, |at| self.steps[at].1);
        put(step);
        put(step * self.quick);
        put(step * self.skill.min(0.0));
        let facts = self.content.facts(course);
        let place = facts.map_or(0, |f| f.place);
        let walk = self.place.map(|p| i64::from(place) - i64::from(p));
        let is = |range: std::ops::RangeInclusive<i64>| f32::from(u8::from(walk.is_some_and(|w| range.contains(&w))));
        put(is(1..=1));
        put(is(2..=3));
        put(is(4..=10));
        put(is(-3..=-1));
        put(is(-10..=-4));
        put(is(1..=1) * self.quick);
        put(is(1..=1) * last.map_or(0.0, |l| l.1));
        put(is(-10..=10) * self.quick);
        let (sum, weight) = self.shelf.get(place as usize).copied().unwrap_or_default();
        let local = sum / (weight + 1.0);
        put(local);
        put(local.min(0.0));
        put(weight.min(4.0));
        put(self.skill * numbers.odds);
        put(self.latest * numbers.odds);
        put(self.skill.min(0.0) * numbers.glances);
        put(self.quick * numbers.odds);
        put(last.map_or(0.0, |l| l.1) * numbers.odds);
        let Some(facts) = facts else {
            return;
        };
        let (mut sum, mut weight) = (0.0, 0.0);
        for &topic in &facts.topics {
            let on = self.topics[topic as usize];
            sum += on.0;
            weight += on.1;
        }
        put(sum / (weight + 2.0));
        put(weight.min(8.0));
        if let Some(seconds) = facts.seconds {
            let length = (1.0 + seconds as f32).ln() - 7.0;
            put(length);
            let own = if self.lengths.1 > 0.0 { self.lengths.0 / self.lengths.1 - 7.0 } else { length };
            put((length - own).max(0.0));
            put((own - length).max(0.0));
            put(length * self.skill);
        }
    }
}
