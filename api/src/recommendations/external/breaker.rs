//! A circuit breaker: who fails again and again is left alone for a while.

use std::sync::{Mutex, PoisonError};

use crate::time::{Clock, Timestamp};

/// What a breaker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes until the pause is over.
    Open,
    /// The pause is over: one request tries, the others wait for what comes of it.
    HalfOpen,
}

impl BreakerState {
    /// The name, for operators.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// Counts failures on end, and opens.
pub(super) struct Breaker {
    name: String,
    clock: Clock,
    failures: u32,
    pause: i64,
    inner: Mutex<Inner>,
}

enum Inner {
    Closed { failed: u32 },
    Open { until: Timestamp },
    HalfOpen { trying: bool },
}

/// The right to ask once. What came of it is told by [`Pass::succeeded`] or [`Pass::failed`]; if neither is (the
/// request went away), the trial counts for nothing.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    settled: bool,
}

impl Breaker {
    /// Opens after `failures` on end, for `pause` seconds.
    pub(super) fn new(name: &str, clock: Clock, failures: u32, pause: u32) -> Self {
        let pause = i64::from(pause) * 1_000_000;
        Self { name: name.to_owned(), clock, failures, pause, inner: Mutex::new(Inner::Closed { failed: 0 }) }
    }

    /// The right to ask, if there is one now.
    pub(super) fn pass(&self) -> Option<Pass<'_>> {
        let mut inner = self.lock();
        if let Inner::Open { until } = *inner
            && self.clock.now() >= until
        {
            tracing::info!(engine = %self.name, "the engine is tried again");
            *inner = Inner::HalfOpen { trying: false };
        }
        match &mut *inner {
            Inner::Closed { .. } => {}
            Inner::HalfOpen { trying } if !*trying => *trying = true,
            Inner::HalfOpen { .. } | Inner::Open { .. } => return None,
        }
        Some(Pass { breaker: self, settled: false })
    }

    /// What it is at.
    pub(super) fn state(&self) -> BreakerState {
        match *self.lock() {
            Inner::Closed { .. } => BreakerState::Closed,
            Inner::Open { until } if self.clock.now() < until => BreakerState::Open,
            Inner::Open { .. } | Inner::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The answer was good.
    pub(super) fn succeeded(mut self) {
        self.settled = true;
        let mut inner = self.breaker.lock();
        match *inner {
            // One who asked before it opened says nothing of what is now.
            Inner::Open { .. } => {}
            Inner::HalfOpen { .. } => {
                tracing::info!(engine = %self.breaker.name, "the engine answers again");
                *inner = Inner::Closed { failed: 0 };
            }
            Inner::Closed { .. } => *inner = Inner::Closed { failed: 0 },
        }
    }

    /// There was no answer, or none that can be used.
    pub(super) fn failed(mut self) {
        self.settled = true;
        let breaker = self.breaker;
        let mut inner = breaker.lock();
        let failed = match *inner {
            Inner::Closed { failed } => failed + 1,
            Inner::HalfOpen { .. } => breaker.failures,
            Inner::Open { .. } => return,
        };
        *inner = if failed < breaker.failures {
            Inner::Closed { failed }
        } else {
            let seconds = breaker.pause / 1_000_000;
            tracing::warn!(engine = %breaker.name, failures = failed, seconds, "the engine is not asked for a while");
            Inner::Open { until: Timestamp(breaker.clock.now().0 + breaker.pause) }
        };
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.settled
            && let Inner::HalfOpen { trying } = &mut *self.breaker.lock()
        {
            *trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> (Clock, Breaker) {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        (clock.clone(), Breaker::new("shadowfax", clock, 3, 30))
    }

    fn fail(breaker: &Breaker, times: usize) {
        for _ in 0..times {
            breaker.pass().expect("a pass").failed();
        }
    }

    #[test]
    fn it_opens_after_failures_on_end_only() {
        let (_, breaker) = breaker();
        fail(&breaker, 2);
        breaker.pass().unwrap().succeeded();
        fail(&breaker, 2);
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail(&breaker, 1);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(breaker.pass().is_none());
    }

    #[test]
    fn after_the_pause_one_tries_and_decides_for_all() {
        let (clock, breaker) = breaker();
        fail(&breaker, 3);
        clock.advance(29);
        assert!(breaker.pass().is_none());
        clock.advance(1);
        let trial = breaker.pass().expect("the trial");
        assert!(breaker.pass().is_none(), "one at a time");
        trial.failed();
        assert_eq!(breaker.state(), BreakerState::Open, "a failed trial opens it again");
        clock.advance(30);
        breaker.pass().unwrap().succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail(&breaker, 2);
        assert_eq!(breaker.state(), BreakerState::Closed, "it counts from the start again");
    }

    #[test]
    fn a_trial_that_goes_away_leaves_room_for_another() {
        let (clock, breaker) = breaker();
        fail(&breaker, 3);
        clock.advance(30);
        drop(breaker.pass().unwrap());
        assert!(breaker.pass().is_some());
    }
}
