//! Names that others choose, as labels: only so many, since each is a series that Prometheus keeps for weeks.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

/// The longest name that becomes a label.
const MAX_LENGTH: usize = 64;

/// A set of names with a limit. The first to come are in it; all others are one, `other`.
#[derive(Debug)]
pub(super) struct Names {
    most: usize,
    known: RwLock<HashSet<Arc<str>>>,
    other: Arc<str>,
    none: Arc<str>,
}

impl Names {
    pub(super) fn new(most: usize) -> Self {
        Self { most, known: RwLock::default(), other: "other".into(), none: "none".into() }
    }

    /// The label for a name; `none` where there is no name.
    pub(super) fn label(&self, name: Option<&str>) -> Arc<str> {
        let Some(name) = name else { return Arc::clone(&self.none) };
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(known);
        }
        self.add(name, self.most)
    }

    /// Makes room for a name although there are as many as may be: for those that the installation itself chose.
    pub(super) fn reserve(&self, name: &str) {
        self.add(name, usize::MAX);
    }

    fn add(&self, name: &str, most: usize) -> Arc<str> {
        if !is_plain(name) {
            return Arc::clone(&self.other);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return Arc::clone(known);
        }
        if known.len() >= most {
            return Arc::clone(&self.other);
        }
        let label: Arc<str> = name.into();
        known.insert(Arc::clone(&label));
        label
    }
}

/// Whether a name may stand in a label and in a log: no line break, no quote, not endless.
pub(crate) fn is_plain(name: &str) -> bool {
    (1..=MAX_LENGTH).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/@+ ".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_names() {
        let names = Names::new(2);
        names.reserve("Trusted");
        let labels: Vec<_> = ["A", "B", "C", "A", "Trusted"].map(|name| names.label(Some(name)).to_string()).into();
        assert_eq!(labels, ["A", "other", "other", "A", "Trusted"]);
        names.reserve("Later");
        assert_eq!(&*names.label(Some("Later")), "Later");
        assert_eq!(&*names.label(None), "none");
        assert_eq!(&*Names::new(2).label(Some("{\"\n")), "other");
        assert_eq!(&*Names::new(2).label(Some(&"x".repeat(65))), "other");
    }
}
