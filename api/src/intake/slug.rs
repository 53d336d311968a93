//! Readable names for addresses.

use std::collections::HashMap;

use uuid::Uuid;

/// Gives out slugs, each to one thing.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    taken: HashMap<String, Uuid>,
    of: HashMap<Uuid, String>,
}

impl Slugs {
    /// With those that are in use.
    pub(super) fn new(used: impl IntoIterator<Item = (String, Uuid)>) -> Self {
        let mut slugs = Self::default();
        for (slug, id) in used {
            slugs.of.insert(id, slug.clone());
            slugs.taken.insert(slug, id);
        }
        slugs
    }

    /// The slug of a thing: the one it has, or one from its name.
    pub(super) fn get(&mut self, id: Uuid, name: &str) -> String {
        if let Some(slug) = self.of.get(&id) {
            return slug.clone();
        }
        let plain = slug(name);
        let slug = if plain.is_empty() || self.taken.contains_key(&plain) {
            let tail = id.simple().to_string();
            [plain.as_str(), &tail[..8]].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
        } else {
            plain
        };
        self.taken.insert(slug.clone(), id);
        self.of.insert(id, slug.clone());
        slug
    }
}

/// Small letters and digits of any script, everything else as single hyphens.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 80 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_courses_of_one_name_get_two_slugs_and_keep_them() {
        let mut slugs = Slugs::default();
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2 << 100));
        assert_eq!(slugs.get(a, "C++: the  Basics!"), "c-the-basics");
        assert_eq!(slugs.get(b, "C: the basics"), "c-the-basics-00000020");
        assert_eq!(slugs.get(a, "A new title"), "c-the-basics");
        assert_eq!(slugs.get(Uuid::from_u128(3 << 100), "!?"), "00000030");
    }
}
