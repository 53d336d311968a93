//! Instants, and the clock that tells them.
//!
//! Invariant: nothing else in this crate reads the system's clock or makes an id, so a test that sets
//! the clock decides every date and every id.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
///
/// An integer, since texts with trimmed fractions sort wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Reads RFC 3339 (`2026-11-23T09:30:00Z`), a date with an optional time in UTC
    /// (`2026-11-23`, `2026-11-23 09:30:00`), or seconds since 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Self(at.as_microsecond()));
        }
        if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
            return Some(Self(jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?.as_microsecond()));
        }
        text.parse::<i64>().ok().filter(|seconds| (0..=253_402_300_799).contains(seconds)).map(Self::from_seconds)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(at) => at.fmt(f),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

/// Tells the time and makes ids.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual {
        now: Arc<AtomicI64>,
        made: Arc<AtomicU64>,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is moved, and makes the same ids every time.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual { now: Arc::new(AtomicI64::new(start.0)), made: Arc::default() })
    }

    /// Moves a manual clock forward. The system's clock is not moved.
    pub fn advance(&self, seconds: i64) {
        if let Source::Manual { now, .. } = &self.0 {
            now.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
        }
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |elapsed| i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)),
            ),
            Source::Manual { now, .. } => Timestamp(now.load(Ordering::Relaxed)),
        }
    }

    /// A new, time-ordered id of any kind.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn id<T: From<Uuid>>(&self) -> T {
        match &self.0 {
            Source::System => Uuid::now_v7(),
            Source::Manual { made, .. } => {
                let millis = u64::try_from(self.now().0 / 1_000).unwrap_or(0);
                let mut tail = [0; 10];
                tail[2..].copy_from_slice(&made.fetch_add(1, Ordering::Relaxed).to_be_bytes());
                uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
            }
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_from_the_usual_forms_and_written_as_rfc_3339() {
        let expected = Timestamp::from_seconds(1_541_068_921);
        for text in ["2018-11-01T10:42:01Z", "2018-11-01 10:42:01", "2018-11-01T11:42:01+01:00", "1541068921"] {
            assert_eq!(Timestamp::parse(text), Some(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "2018-11-01T10:42:01Z");
        assert_eq!(Timestamp::parse("2018-11-01"), Some(Timestamp::from_seconds(1_541_030_400)));
        assert_eq!(Timestamp::parse("yesterday"), None);
        assert_eq!(Timestamp::parse("-5"), None);
    }

    #[test]
    fn ids_made_later_sort_later() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let first: Uuid = clock.id();
        clock.advance(1);
        let second: Uuid = clock.id();
        assert!(first < second);
    }
}
