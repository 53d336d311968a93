//! What an installation decides about how much may be asked for.

use serde::{Deserialize, Serialize};

use crate::bounds::{self, OutOfBounds};

/// What an installation decides about how much may be asked for: the table `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// How long the text of a document may be, in bytes.
    pub document_bytes: u64,
    /// How many tokens it may have: names, values, punctuation.
    pub tokens: u64,
    /// How deep a query may nest, in fields.
    pub depth: u64,
    /// How many fields and uses of fragments a document may have, with the fragments written out.
    pub fields: u64,
    /// How many of its fields may have an alias, with the fragments written out.
    pub aliases: u64,
    /// How many fields may be selected of `Query` or `Mutation`.
    pub root_fields: u64,
    /// How many directives one field may have.
    pub field_directives: u64,
    /// How many directives there may be in all.
    pub directives: u64,
    /// How many fragments may be defined.
    pub fragments: u64,
    /// How many variables may be defined.
    pub variables: u64,
    /// How many values there may be in the variables, all told.
    pub variable_values: u64,
    /// How deep the variables may nest.
    pub variable_depth: u64,
    /// How many values a list may have that is sent.
    pub list_items: u64,
    /// How much one request may cost.
    pub cost: u64,
    /// How much somebody who has signed in may ask for at once.
    pub budget: u64,
    /// How much comes back to it each second.
    pub budget_per_second: u64,
    /// How much those of one network may ask for at once who have not signed in.
    pub anonymous_budget: u64,
    /// How much comes back to it each second.
    pub anonymous_budget_per_second: u64,
    /// How much of a budget one program may use up, in percent.
    pub program_share: u64,
    /// How many requests are carried out at once; 0 for 16 on each core.
    pub concurrent: u64,
    /// How many more may wait.
    pub waiting: u64,
    /// How long each may wait, in milliseconds.
    pub waiting_milliseconds: u64,
    /// How much of what is carried out at once may be one viewer's, in percent.
    pub viewer_share: u64,
    /// How long a request may take, in seconds. Then it is stopped, and so is what it does in the database.
    pub request_seconds: u64,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            document_bytes: 256 << 10,
            tokens: 10_000,
            depth: 24,
            fields: 2_000,
            aliases: 500,
            root_fields: 100,
            field_directives: 5,
            directives: 100,
            fragments: 200,
            variables: 200,
            variable_values: 10_000,
            variable_depth: 20,
            list_items: 1_000,
            cost: 250_000,
            budget: 1_500_000,
            budget_per_second: 25_000,
            anonymous_budget: 3_000_000,
            anonymous_budget_per_second: 50_000,
            program_share: 75,
            concurrent: 0,
            waiting: 512,
            waiting_milliseconds: 2_000,
            viewer_share: 50,
            request_seconds: 15,
        }
    }
}

impl LimitSettings {
    /// Whether they can be used.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        // One program must be able to pay for one request, or it could wait for ever.
        let affordable = self.budget.min(self.anonymous_budget).saturating_mul(self.program_share) / 100;
        bounds::check(
            "limits",
            &[
                ("document_bytes", self.document_bytes, 1_024..=16 << 20),
                ("tokens", self.tokens, 100..=1_000_000),
                ("depth", self.depth, 8..=50),
                ("fields", self.fields, 100..=100_000),
                ("aliases", self.aliases, 0..=100_000),
                ("root_fields", self.root_fields, 1..=10_000),
                ("field_directives", self.field_directives, 1..=100),
                ("directives", self.directives, 1..=10_000),
                ("fragments", self.fragments, 0..=10_000),
                ("variables", self.variables, 0..=10_000),
                ("variable_values", self.variable_values, 100..=1_000_000),
                ("variable_depth", self.variable_depth, 5..=100),
                ("list_items", self.list_items, 10..=1_000_000),
                ("program_share", self.program_share, 1..=100),
                ("budget", self.budget, 1_000..=1_000_000_000),
                ("budget_per_second", self.budget_per_second, 1..=1_000_000_000),
                ("anonymous_budget", self.anonymous_budget, 1_000..=1_000_000_000),
                ("anonymous_budget_per_second", self.anonymous_budget_per_second, 1..=1_000_000_000),
                ("cost", self.cost, 100..=affordable.max(100)),
                ("concurrent", self.concurrent, 0..=100_000),
                ("waiting", self.waiting, 0..=100_000),
                ("waiting_milliseconds", self.waiting_milliseconds, 1..=60_000),
                ("viewer_share", self.viewer_share, 1..=100),
                ("request_seconds", self.request_seconds, 1..=600),
            ],
        )
    }

    /// How many levels of fields and fragments together a document may have.
    pub(crate) fn levels(&self) -> u64 {
        2 * self.depth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_can_be_paid_for_by_one_program() {
        assert_eq!(LimitSettings::default().check(), Ok(()));
        let error = LimitSettings { budget: 300_000, ..LimitSettings::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "limits.cost must be between 100 and 225000; this was 250000");
    }
}
