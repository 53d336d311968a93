//! What happens, told to those who listen.
//!
//! An area that changes something which somebody may be waiting for says so in the transaction of the change
//! ([`announce`]); it is heard once that is committed, on every replica.

pub mod model;

use crate::db::Tx;
use model::Event;

/// Tells of something once the transaction is committed, and never if it is not.
pub(crate) fn announce(tx: &mut Tx, event: &Event) {
    tx.announce(event.to_notice());
}
