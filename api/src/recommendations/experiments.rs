//! Experiments: learners are split between engines, the same way each time, without anything stored.

use serde::{Deserialize, Serialize};

use super::model::{HYBRID, InArm};
use crate::{accounts::secret::SecretKey, ids::AccountId};

/// The longest name of an experiment or an arm, in characters.
const MAX_NAME: usize = 100;

/// An experiment, and for how long what becomes of lists is kept: the table `[experiment]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExperimentSettings {
    /// Its name. Another name splits learners anew.
    pub name: String,
    /// Between what they are split; without any there is no experiment.
    pub arms: Vec<ArmSettings>,
    /// After how many days impressions and events are deleted.
    pub keep_days: u32,
}

/// One of the ways of an experiment.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSettings {
    /// Its name.
    pub name: String,
    /// Its share of the learners, in proportion to those of the others.
    pub weight: f64,
    /// Who makes the lists: the label of one of the model's engines, or the name of an external engine; all of the model's
    /// engines together if it is `hybrid` or left out.
    #[serde(default)]
    pub engine: Option<String>,
}

impl Default for ExperimentSettings {
    fn default() -> Self {
        Self { name: String::new(), arms: Vec::new(), keep_days: 180 }
    }
}

/// What is wrong with an experiment.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExperimentError {
    /// No name, or too long a one.
    #[error("experiment.name and the names of its arms have 1 to {MAX_NAME} characters; this was {0:?}")]
    Name(String),
    /// Two arms have one name.
    #[error("experiment.arms has two arms with the name {0:?}")]
    Twice(String),
    /// Not a share.
    #[error("the weight of the arm {name:?} must be a number above 0; this was {weight}")]
    Weight {
        /// The arm.
        name: String,
        /// Its weight.
        weight: f64,
    },
    /// Too short or too long.
    #[error("experiment.keep_days must be between 1 and 3650; this was {0}")]
    KeepDays(u32),
}

impl ExperimentSettings {
    /// Whether it can be run.
    pub fn check(&self) -> Result<(), ExperimentError> {
        let is_name = |name: &str| (1..=MAX_NAME).contains(&name.trim().chars().count());
        if !(1..=3_650).contains(&self.keep_days) {
            return Err(ExperimentError::KeepDays(self.keep_days));
        }
        if !self.arms.is_empty() && !is_name(&self.name) {
            return Err(ExperimentError::Name(self.name.clone()));
        }
        for (at, arm) in self.arms.iter().enumerate() {
            if !is_name(&arm.name) {
                return Err(ExperimentError::Name(arm.name.clone()));
            }
            if self.arms[..at].iter().any(|other| other.name == arm.name) {
                return Err(ExperimentError::Twice(arm.name.clone()));
            }
            if !(arm.weight > 0.0 && arm.weight.is_finite()) {
                return Err(ExperimentError::Weight { name: arm.name.clone(), weight: arm.weight });
            }
        }
        Ok(())
    }

    /// The learner's arm. It follows from the key, the experiment's name and her id, so that every server gives the same,
    /// and nobody who knows her id can tell.
    pub(super) fn arm_of(&self, key: &SecretKey, learner: AccountId) -> Option<&ArmSettings> {
        let last = self.arms.last()?;
        let hash = key.keyed_hash("experiment", &[self.name.as_bytes(), &[0], learner.0.as_bytes()].concat());
        let mut head = [0; 8];
        head.copy_from_slice(&hash[..8]);
        let whole: f64 = self.arms.iter().map(|arm| arm.weight).sum();
        // 53 bits fit a number between 0 and 1 exactly.
        let mut left = (u64::from_be_bytes(head) >> 11) as f64 / (1_u64 << 53) as f64 * whole;
        for arm in &self.arms {
            if left < arm.weight {
                return Some(arm);
            }
            left -= arm.weight;
        }
        Some(last)
    }

    /// The learner's place in the experiment, and who makes her lists there.
    pub(super) fn place_of(&self, key: &SecretKey, learner: AccountId) -> (Option<InArm>, Option<&str>) {
        match self.arm_of(key, learner) {
            None => (None, None),
            Some(arm) => {
                let place = InArm { experiment: self.name.clone(), arm: arm.name.clone() };
                (Some(place), arm.engine.as_deref())
            }
        }
    }
}

/// Who makes a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// All of the model's engines together.
    Hybrid,
    /// The one with this label.
    Engine(String),
    /// An engine outside, by its name.
    External(String),
}

impl Served {
    /// Who is meant by a name, with a model that has engines of these labels.
    pub(super) fn of(name: Option<&str>, labels: &[String]) -> Self {
        match name {
            None | Some(HYBRID) => Self::Hybrid,
            Some(name) if labels.iter().any(|label| label == name) => Self::Engine(name.to_owned()),
            Some(name) => Self::External(name.to_owned()),
        }
    }

    /// The name under which it is shown and logged.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Hybrid => HYBRID,
            Self::Engine(name) | Self::External(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn arm(name: &str, weight: f64) -> ArmSettings {
        ArmSettings { name: name.to_owned(), weight, engine: None }
    }

    fn experiment(arms: &[(&str, f64)]) -> ExperimentSettings {
        let arms = arms.iter().map(|(name, weight)| arm(name, *weight)).collect();
        ExperimentSettings { name: "a test".to_owned(), arms, ..ExperimentSettings::default() }
    }

    fn key() -> SecretKey {
        SecretKey::from_text("a secret key for nothing but tests").unwrap()
    }

    #[test]
    fn learners_are_split_by_the_weights_and_always_alike() {
        let (settings, key) = (experiment(&[("a", 3.0), ("b", 1.0)]), key());
        let arm_of = |n| settings.arm_of(&key, AccountId(Uuid::from_u128(n))).unwrap().name.clone();
        let in_a = (0..4_000).filter(|n| arm_of(*n) == "a").count();
        // Four standard errors of a share of three quarters are 110.
        assert!((2_890..=3_110).contains(&in_a), "{in_a} of 4000");
        assert!((0..100).all(|n| arm_of(n) == arm_of(n)));
        let renamed = ExperimentSettings { name: "another".to_owned(), ..settings.clone() };
        let moved =
            (0..400).filter(|n| renamed.arm_of(&key, AccountId(Uuid::from_u128(*n))).unwrap().name != arm_of(*n));
        assert!(moved.count() > 50, "another experiment splits anew");
        assert_eq!(experiment(&[]).arm_of(&key, AccountId(Uuid::nil())), None);
    }

    #[test]
    fn what_cant_be_run_is_named() {
        assert_eq!(experiment(&[("a", 1.0), ("b", 0.5)]).check(), Ok(()));
        assert_eq!(ExperimentSettings::default().check(), Ok(()));
        let nameless = ExperimentSettings { name: " ".to_owned(), ..experiment(&[("a", 1.0)]) };
        assert_eq!(nameless.check(), Err(ExperimentError::Name(" ".to_owned())));
        assert_eq!(experiment(&[("a", 1.0), ("a", 1.0)]).check(), Err(ExperimentError::Twice("a".to_owned())));
        for weight in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert!(matches!(experiment(&[("a", weight)]).check(), Err(ExperimentError::Weight { .. })), "{weight}");
        }
        let for_ever = ExperimentSettings { keep_days: 0, ..ExperimentSettings::default() };
        assert_eq!(for_ever.check(), Err(ExperimentError::KeepDays(0)));
    }

    #[test]
    fn a_name_is_an_engine_of_the_model_or_else_one_outside() {
        let labels = ["rules".to_owned()];
        assert_eq!(Served::of(None, &labels), Served::Hybrid);
        assert_eq!(Served::of(Some("hybrid"), &labels), Served::Hybrid);
        assert_eq!(Served::of(Some("rules"), &labels), Served::Engine("rules".to_owned()));
        assert_eq!(Served::of(Some("gorse"), &labels), Served::External("gorse".to_owned()));
    }
}
