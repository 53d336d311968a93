//! How often something may be tried.
//!
//! An attempt is counted before it is made, in one statement, so that many at once don't slip through; what
//! comes out well is taken back. The counts are in the database: they hold for every server, and survive
//! a restart. They are kept by keyed hash, so an address without an account is throttled as any other.

use super::store;
use crate::{
    db::{DbError, Tx},
    time::Timestamp,
};

/// Failures older than this are forgotten, in seconds.
const MEMORY: i64 = 15 * 60;

/// What is guarded, and how many attempts are free before each costs a longer wait than the one before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    /// The keyed hash of what is guarded.
    pub(crate) hash: [u8; 32],
    /// How many attempts are free.
    pub(crate) free: i64,
}

/// When an attempt may be made again, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub i64);

impl RetryAfter {
    /// From now until then.
    pub(super) fn until(then: Timestamp, now: Timestamp) -> Self {
        Self((then.0 - now.0).max(0).div_euclid(1_000_000) + 1)
    }
}

/// Takes an attempt on each of the guards, or says when to come back. The transaction is to be committed in the first
/// case only.
pub(super) async fn take(tx: &mut Tx, guards: &[Guard], now: Timestamp) -> Result<Result<(), RetryAfter>, DbError> {
    let forget = Timestamp(now.0 - MEMORY * 1_000_000);
    store::forget_attempts(tx, forget).await?;
    for guard in guards {
        let Some(failures) = store::take_attempt(tx, &guard.hash, now, forget).await? else {
            let next_at = store::next_attempt(tx, &guard.hash).await?.unwrap_or(now);
            return Ok(Err(RetryAfter::until(next_at, now)));
        };
        let next_at = Timestamp(now.0 + wait(failures, guard.free) * 1_000_000);
        store::delay_attempts(tx, &guard.hash, next_at).await?;
    }
    Ok(Ok(()))
}

/// How long to wait after so many failures, in seconds: 2, 4, 8, … up to a quarter of an hour.
fn wait(failures: i64, free: i64) -> i64 {
    if failures < free { 0 } else { (2_i64 << (failures - free).clamp(0, 20)).min(MEMORY) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_after_the_free_attempts_and_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<_> = [1, 4, 5, 6, 7, 13, 14, 400].map(|failures| wait(failures, 5)).into();
        assert_eq!(waits, [0, 0, 2, 4, 8, 512, 900, 900]);
    }
}
