//! The candidate engines, one file each.

mod closed_form;
pub(crate) mod cohorts;
pub(crate) mod ease;
pub(crate) mod markov;
pub(crate) mod neighbours;
pub(crate) mod pairs;
pub(crate) mod popularity;
pub(crate) mod recent;
pub(crate) mod rules;
pub(crate) mod shelf;
pub(crate) mod slist;
pub(crate) mod sparse;
pub(crate) mod topics;
pub(crate) mod trend;

use serde::de::DeserializeOwned;

use crate::engine::Scorer;

/// Reads a scorer's state; what [`postcard`] finds wrong becomes a sentence.
fn load<S: Scorer + DeserializeOwned + 'static>(bytes: &[u8]) -> Result<Box<dyn Scorer>, String> {
    match postcard::from_bytes::<S>(bytes) {
        Ok(scorer) => Ok(Box::new(scorer)),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes a scorer's state. Plain numbers into memory: nothing can fail.
fn save<S: serde::Serialize>(scorer: &S) -> Vec<u8> {
    postcard::to_allocvec(scorer).unwrap_or_default()
}

/// The next full hour: times that models keep are no finer, so that none tells when one learner was
/// there, and never earlier than the truth, so that none tells what had not happened yet.
fn next_hour(at: i64) -> i64 {
    (at.div_euclid(3600) + 1) * 3600
}
