//! The error of whatever goes beyond a limit.

use async_graphql::{Pos, ServerError};

/// The code of all of them; `extensions.limit` tells which it was.
pub(crate) const CODE: &str = "LIMIT_EXCEEDED";

/// A limit that a request goes beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// The name of the limit, as in `[limits]`.
    pub(crate) limit: &'static str,
    pub(crate) most: u64,
    pub(crate) found: u64,
    /// Where in the document.
    pub(crate) pos: Option<Pos>,
    /// What it is about, as `the document has 12 tokens`.
    pub(crate) what: String,
}

impl Exceeded {
    /// Nothing, or the error if there is too much.
    pub(crate) fn check(
        limit: &'static str,
        (found, most): (u64, u64),
        pos: Option<Pos>,
        what: impl FnOnce() -> String,
    ) -> Result<(), Box<Self>> {
        if found <= most {
            return Ok(());
        }
        Err(Box::new(Self { limit, most, found, pos, what: what() }))
    }

    /// For people.
    pub(crate) fn message(&self) -> String {
        format!("{}; the most is {}", self.what, self.most)
    }
}

impl From<Exceeded> for ServerError {
    fn from(exceeded: Exceeded) -> Self {
        let mut error = Self::new(exceeded.message(), exceeded.pos);
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", CODE);
        extensions.set("limit", exceeded.limit);
        extensions.set("most", exceeded.most);
        extensions.set("found", exceeded.found);
        error
    }
}
