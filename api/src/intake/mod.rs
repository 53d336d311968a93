//! What comes into Stoa in bulk: from our CSV layout, from published data sets, from the generator.
//!
//! A [`records::Source`] yields records; [`Intake`] checks what they refer to and writes them. Every file is
//! taken as a whole or not at all, and taking it twice changes nothing: rows are found again by the keys
//! they have at their source.

pub mod campus;
pub mod csv;
mod known;
pub mod mars;
pub mod records;
mod report;
mod slug;
mod store;
mod take;

pub(crate) use known::STATEMENTS as KNOWN_STATEMENTS;
pub use report::{FileReport, Report};
pub(crate) use slug::slug as slug_of;
pub(crate) use store::STATEMENTS;
pub use take::{Intake, IntakeError, OnProgress};
