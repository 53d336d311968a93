//! Settings that are numbers, held within bounds.

use std::ops::RangeInclusive;

/// A setting that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{name} must be between {least} and {most}; this was {value}")]
pub struct OutOfBounds {
    table: &'static str,
    name: &'static str,
    least: u64,
    most: u64,
    value: u64,
}

/// Whether each setting of a table, with its name, value and bounds, is within them.
pub(crate) fn check(table: &'static str, all: &[(&'static str, u64, RangeInclusive<u64>)]) -> Result<(), OutOfBounds> {
    match all.iter().find(|(_, value, range)| !range.contains(value)) {
        Some((name, value, range)) => {
            Err(OutOfBounds { table, name, least: *range.start(), most: *range.end(), value: *value })
        }
        None => Ok(()),
    }
}
