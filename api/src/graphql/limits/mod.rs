//! How much may be asked for at once: limits on text and document, and a price for each operation before it runs.
//!
//! A document goes through [`scan()`] as a text, is parsed, and becomes a [`Shape`], which says what it costs with the
//! variables of a request.

mod exceeded;
pub(crate) mod graphql;
mod measure;
mod price;
pub(crate) mod prices;
mod scan;
mod settings;
mod shape;
mod variables;

pub use prices::table as price_table;
pub use settings::LimitSettings;

pub(crate) use self::{scan::scan, shape::Shape, variables::check as check_variables};
