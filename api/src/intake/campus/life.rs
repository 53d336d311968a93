//! What a learner does: which courses she begins, how far she comes, and when she sits down to it.

use super::{
    catalogue::{Catalogue, Course},
    draw::{Draw, Purpose},
    people::{ADA, Traits},
};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// A learner's time in a course. Times are seconds since 1970.
#[derive(Debug)]
pub(super) struct Stay {
    /// The place of the course.
    pub(super) course: usize,
    pub(super) from: i64,
    pub(super) to: i64,
    /// Whether every lesson was completed.
    pub(super) finished: bool,
    pub(super) visits: Vec<Visit>,
    /// 1..=5.
    pub(super) rating: Option<i64>,
}

/// A learner's time in a lesson. Times are seconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The place of the lesson in the course.
    pub(super) lesson: usize,
    pub(super) from: i64,
    pub(super) to: i64,
    /// Time spent, in seconds.
    pub(super) seconds: i64,
    /// 0..=1.
    pub(super) progress: f64,
}

/// How a demo person's life departs from chance.
#[derive(Clone, Copy)]
enum Fate {
    /// Not at all.
    Chance,
    /// She finishes.
    Finishes,
    /// She is as far as this, 0..=1, today.
    Halfway(f64),
}

/// A learner, and the campus that she learns on.
pub(super) struct Life<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) traits: &'a Traits,
    pub(super) draw: Draw,
    /// When the records end, in seconds since 1970.
    pub(super) until: i64,
}

impl<'a> Life<'a> {
    /// The life of the learner at a place.
    pub(super) fn new(catalogue: &'a Catalogue, traits: &'a Traits, seed: u64, place: usize, until: i64) -> Self {
        Self { catalogue, traits, draw: Draw::new(seed, Purpose::Life, place), until }
    }

    /// What the learner at a place does, course by course.
    pub(super) fn stays(mut self, place: usize) -> Vec<Stay> {
        if place == ADA {
            return self.rich();
        }
        let mut stays: Vec<Stay> = Vec::new();
        let mut now = self.traits.joined + self.draw.whole(0, 4 * DAY);
        while stays.len() < self.traits.courses {
            now = self.after_the_holidays(now);
            if now >= self.until {
                break;
            }
            let Some(course) = self.choose(&stays, now) else {
                // Perhaps there will be something later on.
                now += 45 * DAY;
                continue;
            };
            let stay = self.take(&stays, course, now, Fate::Chance);
            // Some begin another course before they end one.
            now = if self.draw.chance(0.15) { i64::midpoint(stay.from, stay.to) } else { stay.to };
            now += self.pause();
            stays.push(stay);
        }
        stays
    }

    /// The life of the demo's learner: several courses finished, two in their middle.
    fn rich(mut self) -> Vec<Stay> {
        let count = self.traits.courses.min(self.catalogue.courses.len());
        let finished = count.saturating_sub(2);
        let step = 360 * DAY / finished.max(1) as i64;
        let mut stays: Vec<Stay> = Vec::new();
        for number in 0..count {
            let (now, fate) = match count - number {
                1 => (self.until - 9 * DAY, Fate::Halfway(0.35)),
                2 => (self.until - 25 * DAY, Fate::Halfway(0.6)),
                _ => (self.traits.joined + step * number as i64, Fate::Finishes),
            };
            let Some(course) = self.choose(&stays, now) else { continue };
            stays.push(self.take(&stays, course, now, fate));
        }
        stays
    }

    /// The next course: interest × popularity × level × prerequisites × what she just finished × season.
    fn choose(&mut self, stays: &[Stay], now: i64) -> Option<usize> {
        let courses = &self.catalogue.courses;
        let finished = |place: usize| stays.iter().any(|stay| stay.finished && stay.to <= now && stay.course == place);
        let last = stays.iter().rev().find(|stay| stay.to <= now);
        let last_topic = last.and_then(|stay| courses[stay.course].topics.first());
        let month = month(now);
        let weight = |(place, course): (usize, &Course)| {
            let Some(language) = self.traits.languages.iter().position(|tag| *tag == course.language) else {
                return 0.0;
            };
            if course.published > now || stays.iter().any(|stay| stay.course == place) {
                return 0.0;
            }
            let mut interest = 0.0;
            for (rank, topic) in course.topics.iter().enumerate() {
                interest += self.traits.interests[*topic] * if rank == 0 { 1.0 } else { 0.3 };
            }
            let gap = course.demand - self.skill(stays, course, now);
            let prepared = course.prerequisites.iter().all(|required| finished(*required));
            let sequence = match course.previous {
                Some(previous) if last.is_some_and(|stay| stay.finished && stay.course == previous) => 16.0,
                Some(previous) if finished(previous) => 5.0,
                _ => 1.0,
            };
            // A learner of two languages takes most courses in the first.
            let language = if language == 0 { 2.5 } else { 1.0 };
            let again = if last_topic == course.topics.first() { 1.8 } else { 1.0 };
            let age = (now - course.published) as f64 / DAY as f64;
            let distance = (month - course.month).rem_euclid(12);
            let distance = distance.min(12 - distance) as f64;
            interest
                * course.popularity
                * course.circles[self.traits.circle]
                * language
                * sequence
                * again
                * if prepared { 1.0 } else { 0.06 }
                * (1.0 + 2.0 / (1.0 + age / 40.0))
                * (1.6 - 0.15 * distance)
                / (1.0 + 2.0 * gap * gap)
        };
        let weights: Vec<f64> = courses.iter().enumerate().map(weight).collect();
        self.draw.weighted(&weights)
    }

    /// How much she knows of a course's topic, on the scale of what courses expect.
    fn skill(&self, stays: &[Stay], course: &Course, now: i64) -> f64 {
        let known = stays.iter().filter(|stay| {
            stay.finished
                && stay.to <= now
                && self.catalogue.courses[stay.course].topics.first() == course.topics.first()
        });
        (0.25 + 0.3 * self.traits.ability + 0.7 * known.count() as f64).clamp(-0.5, 2.4)
    }

    /// She takes a course.
    fn take(&mut self, stays: &[Stay], place: usize, now: i64, fate: Fate) -> Stay {
        let course = &self.catalogue.courses[place];
        let interest = course.topics.first().map_or(0.0, |topic| self.traits.interests[*topic]);
        let gap = (course.demand - self.skill(stays, course, now)).max(0.0);
        // How well learner and course go together: around 0, mostly within ±2.
        let fit = 0.6 * self.traits.ability + 1.6 * (self.traits.diligence - 0.5) + 0.4 * course.quality - 0.6 * gap
            + 0.5 * interest
            + 0.3 * self.draw.normal();
        let mut stay = Stay { course: place, from: now, to: now, finished: false, visits: Vec::new(), rating: None };
        let survived = self.visit_lessons(course, &mut stay, fit, fate);
        if survived {
            self.go_back(course, &mut stay, matches!(fate, Fate::Finishes));
        }
        stay.from = stay.visits.iter().map(|visit| visit.from).min().unwrap_or(now);
        stay.to = stay.visits.iter().map(|visit| visit.to).max().unwrap_or(now);
        stay.finished =
            stay.visits.len() == course.lessons.len() && stay.visits.iter().all(|visit| visit.progress >= 1.0);
        let willing = match (stay.finished, stay.visits.len()) {
            (true, _) => 0.36,
            (false, 3..) => 0.09,
            _ => 0.02,
        };
        if self.draw.chance(willing) {
            let liking = 3.6 + 0.7 * course.quality + 0.3 * fit + if stay.finished { 0.3 } else { -0.9 };
            stay.rating = Some((liking + 0.6 * self.draw.normal() + 0.5).clamp(1.0, 5.0) as i64);
        }
        stay
    }

    /// Goes through the lessons in order; whether she came to the end.
    fn visit_lessons(&mut self, course: &Course, stay: &mut Stay, fit: f64, fate: Fate) -> bool {
        let count = course.lessons.len();
        let (leaves, careless) = match fate {
            Fate::Chance => ((0.036 * (1.0 - 0.55 * fit)).clamp(0.003, 0.3), (0.05 - 0.02 * fit).clamp(0.005, 0.12)),
            Fate::Finishes | Fate::Halfway(_) => (0.0, 0.0),
        };
        let end = match fate {
            Fate::Halfway(share) => ((count as f64 * share) as usize).max(1),
            _ => count,
        };
        let mut now = stay.from;
        let mut sitting = 1 + self.draw.streak(0.6, 6);
        for lesson in 0..end {
            if lesson > 0 {
                // Most who leave do so at the beginning.
                if self.draw.chance(if lesson < 3 { leaves * 2.0 } else { leaves }) {
                    return false;
                }
                if sitting == 0 {
                    now = self.next_sitting(now, matches!(fate, Fate::Chance));
                    sitting = 1 + self.draw.streak(0.6, 6);
                } else {
                    now += self.draw.whole(MINUTE / 2, 8 * MINUTE);
                }
            }
            sitting -= 1;
            if now >= self.until {
                return false;
            }
            if self.draw.chance(careless) {
                continue;
            }
            let partly = self.draw.chance(careless * 1.5);
            let visit = self.visit(course, lesson, now, fit, partly);
            now = visit.to;
            stay.visits.push(visit);
        }
        end == count && now < self.until
    }

    fn visit(&mut self, course: &Course, lesson: usize, now: i64, fit: f64, partly: bool) -> Visit {
        let length = course.lessons[lesson].seconds;
        let pace = self.traits.pace * self.draw.from(0.8, 1.25) * (1.0 - 0.06 * fit.clamp(-2.0, 2.0));
        let usual = length.unwrap_or(240) as f64;
        let whole = ((usual * pace) as i64).max(15);
        let mut share = if partly { self.draw.whole(50, 950) as f64 / 1_000.0 } else { 1.0 };
        let mut seconds = ((whole as f64 * share) as i64).max(5);
        if now + seconds > self.until {
            // The records end in the middle of the lesson.
            seconds = self.until - now;
            share = (seconds as f64 / whole as f64).min(0.99);
        }
        let idle = self.draw.whole(0, 90);
        // Without a length there is nothing between not completed and completed.
        let progress = if share < 1.0 && length.is_none() { 0.0 } else { share };
        Visit { lesson, from: now, to: (now + seconds + idle).min(self.until), seconds, progress }
    }

    /// Who came to the end may complete what she left out.
    fn go_back(&mut self, course: &Course, stay: &mut Stay, always: bool) {
        let thorough = 0.45 + 0.5 * self.traits.diligence;
        let mut now = stay.visits.last().map_or(stay.from, |visit| visit.to);
        for lesson in 0..course.lessons.len() {
            let before = stay.visits.iter().position(|visit| visit.lesson == lesson);
            if before.is_some_and(|at| stay.visits[at].progress >= 1.0) || !(always || self.draw.chance(thorough)) {
                continue;
            }
            now = if self.draw.chance(0.5) { self.next_sitting(now, false) } else { now + 5 * MINUTE };
            let whole = self.visit(course, lesson, now, 0.0, false);
            if now >= self.until || whole.progress < 1.0 {
                return;
            }
            now = whole.to;
            match before.and_then(|at| stay.visits.get_mut(at)) {
                Some(visit) => {
                    visit.seconds += (whole.seconds as f64 * (1.0 - visit.progress)) as i64;
                    visit.progress = 1.0;
                    visit.to = whole.to;
                }
                None => stay.visits.push(whole),
            }
        }
    }

    /// When she sits down again: some days later, at her time of the day, now and then weeks later.
    fn next_sitting(&mut self, now: i64, may_pause: bool) -> i64 {
        let slack = 1.0 + 5.0 * (1.0 - self.traits.diligence);
        let days = if may_pause && self.draw.chance(0.05) {
            self.draw.whole(12, 50)
        } else {
            1 + (slack * self.draw.unit() * self.draw.unit() * 1.5) as i64
        };
        let jitter = self.draw.whole(-70, 70) * MINUTE;
        (now.div_euclid(DAY) + days) * DAY + self.traits.hour + jitter
    }

    /// The time between two courses.
    fn pause(&mut self) -> i64 {
        let days = match self.draw.below(10) {
            0..=5 => self.draw.whole(0, 9),
            6..=8 => self.draw.whole(10, 60),
            _ => self.draw.whole(60, 260),
        };
        days * DAY + self.draw.whole(MINUTE, 600 * MINUTE)
    }

    /// Many wait until September or January.
    fn after_the_holidays(&mut self, now: i64) -> i64 {
        let day = day_of_year(now);
        let left = match day {
            185..=240 => 244 - day,
            355.. => 372 - day,
            _ => return now,
        };
        if self.draw.chance(0.5) { now + (left + self.draw.whole(0, 14)) * DAY } else { now }
    }
}

/// The day of the year from 0, give or take one: a year has 365.2425 days.
fn day_of_year(seconds: i64) -> i64 {
    (seconds.div_euclid(DAY) * 10_000).rem_euclid(3_652_425) / 10_000
}

/// The month, 0..12, give or take a day.
fn month(seconds: i64) -> i64 {
    day_of_year(seconds) * 12 / 366
}
