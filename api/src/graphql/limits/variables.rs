//! How much may be sent in variables.

use async_graphql::ServerError;
use serde_json::{Map, Value};

use super::{LimitSettings, exceeded::Exceeded};

/// Whether the variables of a request are within the limits. They are read from JSON, whose reader does not go deeper than the
/// stack allows.
pub(crate) fn check(variables: &Map<String, Value>, settings: &LimitSettings) -> Result<(), Box<ServerError>> {
    let mut seen = Seen { settings, values: 0, deepest: 0 };
    let found = variables.iter().try_for_each(|(name, value)| seen.look(name, value, 1));
    let found = found.and_then(|()| {
        let Seen { values, deepest, .. } = seen;
        let what = || format!("the variables nest {deepest} deep");
        Exceeded::check("variable_depth", (deepest, settings.variable_depth), None, what)?;
        let what = || format!("the variables have {values} values");
        Exceeded::check("variable_values", (values, settings.variable_values), None, what)
    });
    found.map_err(|exceeded| Box::new(ServerError::from(*exceeded)))
}

struct Seen<'a> {
    settings: &'a LimitSettings,
    values: u64,
    deepest: u64,
}

impl Seen<'_> {
    fn look(&mut self, name: &str, value: &Value, depth: u64) -> Result<(), Box<Exceeded>> {
        self.values += 1;
        self.deepest = self.deepest.max(depth);
        match value {
            Value::Array(items) => {
                let count = items.len() as u64;
                let what = || format!("a list in the variable ${name} has {count} values");
                Exceeded::check("list_items", (count, self.settings.list_items), None, what)?;
                items.iter().try_for_each(|item| self.look(name, item, depth + 1))
            }
            Value::Object(fields) => fields.values().try_for_each(|value| self.look(name, value, depth + 1)),
            _ => Ok(()),
        }
    }
}
