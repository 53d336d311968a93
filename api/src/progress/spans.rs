//! Time on the clock, counted once: what the beats of a learner in a course say together.
//!
//! A beat claims the seconds before its end. It can't claim more than passed since the beat before it in the same session, nor
//! since the session or the enrolment began: the rest is capped. What several sessions (two tabs, two devices) claim of the same
//! time counts once, for each lesson and for the course. So the time is a function of the set of beats, and the order in which
//! they come makes no difference.
//!
//! All instants here are whole seconds, so every sum is exact.

use std::collections::HashMap;

use uuid::Uuid;

use crate::ids::LessonId;

/// What a beat claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The lesson.
    pub(super) lesson: LessonId,
    /// The tab or device.
    pub(super) session: Uuid,
    /// Its end.
    pub(super) at: i64,
    /// Nothing before this counts.
    pub(super) not_before: i64,
    /// How much it claims.
    pub(super) seconds: i64,
}

/// What claims come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Seconds in the course.
    pub(super) course: i64,
    /// Seconds in each lesson.
    pub(super) lessons: HashMap<LessonId, i64>,
    /// From when on each claim counts, and whether the beat before it is why it does not count from earlier; in the order of
    /// the claims.
    pub(super) starts: Vec<(i64, bool)>,
}

impl Measured {
    /// What the claims come to together.
    pub(super) fn of(claims: &[Claim]) -> Self {
        let starts = starts(claims);
        let mut spans: Vec<_> =
            claims.iter().zip(&starts).map(|(claim, (start, _))| (claim.lesson, *start, claim.at)).collect();
        spans.sort_unstable_by_key(|(_, start, end)| (*start, *end));
        let course = length(spans.iter().map(|(_, start, end)| (*start, *end)));
        spans.sort_unstable();
        let lessons = spans
            .chunk_by(|one, other| one.0 == other.0)
            .map(|of_one| (of_one[0].0, length(of_one.iter().map(|(_, start, end)| (*start, *end)))))
            .collect();
        Self { course, lessons, starts }
    }

    /// The seconds of a lesson.
    pub(super) fn lesson(&self, lesson: LessonId) -> i64 {
        self.lessons.get(&lesson).copied().unwrap_or(0)
    }

    /// When all but the last `surplus` seconds of a lesson had been spent; `None` if the claims hold less.
    pub(super) fn when_left(&self, claims: &[Claim], lesson: LessonId, mut surplus: i64) -> Option<i64> {
        let of_lesson = claims.iter().zip(&self.starts).filter(|(claim, _)| claim.lesson == lesson);
        let mut spans: Vec<_> = of_lesson.map(|(claim, (start, _))| (*start, claim.at)).collect();
        spans.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (start, end) in spans {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        for (start, end) in merged.into_iter().rev() {
            if surplus < end - start {
                return Some(end - surplus);
            }
            surplus -= end - start;
        }
        None
    }
}

/// From when on each claim counts.
fn starts(claims: &[Claim]) -> Vec<(i64, bool)> {
    let mut order: Vec<_> = (0..claims.len()).collect();
    order.sort_unstable_by_key(|at| (claims[*at].session, claims[*at].at));
    let mut starts = vec![(0, false); claims.len()];
    // The end of the latest claim of the session that ends before the one at hand: two that end together don't bound each other.
    let (mut before, mut latest) = (None, None);
    for (at, previous) in order.iter().zip(std::iter::once(None).chain(order.iter().map(Some))) {
        let claim = &claims[*at];
        match previous.map(|previous| &claims[*previous]) {
            Some(previous) if previous.session == claim.session => {
                if previous.at < claim.at {
                    before = latest;
                }
            }
            _ => before = None,
        }
        latest = Some(claim.at);
        let wanted = (claim.at - claim.seconds).max(claim.not_before).min(claim.at);
        starts[*at] = match before {
            Some(end) if end > wanted => (end, true),
            _ => (wanted, false),
        };
    }
    starts
}

/// How long spans are together, each second once. They come by their beginnings.
fn length(spans: impl Iterator<Item = (i64, i64)>) -> i64 {
    let (mut sum, mut covered) = (0, i64::MIN);
    for (start, end) in spans {
        sum += (end - start.max(covered)).max(0);
        covered = covered.max(end);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(lesson: u128, session: u128, at: i64, seconds: i64) -> Claim {
        Claim {
            lesson: LessonId(Uuid::from_u128(lesson)),
            session: Uuid::from_u128(session),
            at,
            not_before: 0,
            seconds,
        }
    }

    #[test]
    fn two_tabs_over_the_same_time_count_once() {
        let tabs: Vec<_> =
            (1..=4).flat_map(|beat| [claim(1, 1, beat * 30, 30), claim(2, 2, beat * 30 + 10, 30)]).collect();
        let measured = Measured::of(&tabs);
        assert_eq!(measured.course, 130);
        assert_eq!(measured.lesson(tabs[0].lesson), 120);
        assert_eq!(measured.lesson(tabs[1].lesson), 120);
        assert!(measured.starts.iter().all(|(_, bounded)| !bounded), "nothing was claimed that can't be");
    }

    #[test]
    fn more_than_passed_since_the_last_beat_does_not_count() {
        let measured = Measured::of(&[claim(1, 0, 1_000, 30), claim(1, 0, 1_030, 300), claim(1, 0, 1_030, 20)]);
        assert_eq!(measured.course, 60);
        assert_eq!(measured.starts, [(970, false), (1_000, true), (1_010, false)]);
        let session = Claim { not_before: 950, ..claim(1, 0, 1_000, 300) };
        assert_eq!(Measured::of(&[session]).course, 50);
        let none = Claim { not_before: 2_000, ..claim(1, 0, 1_000, 300) };
        assert_eq!(Measured::of(&[none]).course, 0);
    }

    #[test]
    fn the_order_makes_no_difference_and_a_late_beat_mends_what_was_claimed_before_it_came() {
        let mut beats = vec![claim(1, 0, 100, 40), claim(2, 0, 500, 450), claim(1, 1, 300, 100), claim(1, 0, 90, 95)];
        let expected = Measured::of(&beats);
        assert_eq!(expected.course, 500);
        for _ in 0..beats.len() {
            beats.rotate_left(1);
            let measured = Measured::of(&beats);
            assert_eq!((measured.course, &measured.lessons), (expected.course, &expected.lessons));
        }
        assert_eq!(Measured::of(&[claim(1, 0, 3_600, 3_600)]).course, 3_600);
        assert_eq!(Measured::of(&[claim(1, 0, 3_600, 3_600), claim(1, 0, 1_800, 30)]).course, 1_830);
    }

    #[test]
    fn when_a_time_was_reached_is_told_from_its_end() {
        let claims = [claim(1, 0, 100, 100), claim(1, 0, 300, 100), claim(2, 0, 900, 100)];
        let measured = Measured::of(&claims);
        assert_eq!(measured.when_left(&claims, claims[0].lesson, 50), Some(250), "150 of its 200 seconds were spent");
        assert_eq!(measured.when_left(&claims, claims[0].lesson, 150), Some(50));
        assert_eq!(measured.when_left(&claims, claims[0].lesson, 500), None);
    }
}
