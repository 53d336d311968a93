//! An evaluation of some engines alone.

use crate::engine::Registry;
use crate::{EngineSettings, Settings, SettingsError};

/// The settings with only the named engines, in the order in which they are named.
///
/// A name is a label of the settings, or an engine of the registry: that stands for all the settings'
/// engines of the kind, or, where they have none, for one with its defaults, open to the search.
///
/// # Errors
/// A name that is neither; the error lists what there is.
pub fn only(settings: &Settings, names: &[String], registry: &Registry) -> Result<Settings, SettingsError> {
    let mut engines: Vec<EngineSettings> = Vec::new();
    for name in names {
        let labelled = settings.engines.iter().filter(|engine| engine.label() == name);
        let mut found: Vec<_> = labelled.cloned().collect();
        if found.is_empty() && registry.find(name).is_some() {
            found = settings.engines.iter().filter(|engine| engine.engine == *name).cloned().collect();
            if found.is_empty() {
                found.push(EngineSettings::new(name).tuned());
            }
        }
        if found.is_empty() {
            let mut known: Vec<&str> = settings.engines.iter().map(EngineSettings::label).collect();
            known.extend(registry.iter().map(|r| r.name).filter(|name| !known.contains(name)).collect::<Vec<_>>());
            return Err(SettingsError::UnknownEngine { name: name.clone(), known: known.join(", ") });
        }
        found.retain(|engine| engines.iter().all(|other| other.label() != engine.label()));
        engines.extend(found);
    }
    Ok(Settings { engines, ..settings.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Result<Vec<String>, SettingsError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let chosen = only(&Settings::default(), &names, &Registry::standard())?;
        Ok(chosen.engines.iter().map(|engine| engine.label().to_owned()).collect())
    }

    #[test]
    fn a_name_is_a_label_or_a_kind_of_engine() {
        assert_eq!(labels(&["returns", "popularity", "returns"]).expect("known"), ["returns", "popularity"]);
        assert!(labels(&["recent"]).expect("known").len() > 1, "all engines of the kind");
    }

    #[test]
    fn an_unknown_name_is_answered_with_what_there_is() {
        let error = labels(&["rules", "gorse"]).expect_err("refused").to_string();
        assert!(error.starts_with("there is no engine \"gorse\"; there are "), "{error}");
        assert!(error.contains("returns") && error.contains("recent"), "{error}");
    }
}
