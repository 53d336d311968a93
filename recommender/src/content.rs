//! What is known of the courses themselves, laid out for scoring.

use serde::{Deserialize, Serialize};

use crate::Catalogue;

/// Facts of one course that scoring reads; the same units as in [`crate::Course`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Topics, sorted, each once.
    pub topics: Vec<u32>,
    /// 1..=3.
    pub level: Option<u8>,
    /// Usual length in seconds.
    pub seconds: Option<u32>,
    /// Courses to take before.
    pub prerequisites: Vec<u32>,
    /// When it appeared, Unix seconds.
    pub published_at: Option<i64>,
    /// Place on the shelf: courses sorted by key, numbers by value.
    pub place: u32,
}

/// Facts of all courses, and which courses a topic has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    facts: Vec<Facts>,
    of_topic: Vec<Vec<u32>>,
    shelf: Vec<u32>,
}

impl Content {
    /// Reads a catalogue, course by course.
    #[must_use]
    pub fn new(catalogue: &Catalogue) -> Self {
        let order: Vec<u32> = (0..catalogue.len() as u32).collect();
        Self::ordered(catalogue, &order)
    }

    /// Reads a catalogue with its courses renumbered: `order[new] = index in the catalogue`.
    /// Places that no longer have a course hold an index past the catalogue and get no facts.
    pub(crate) fn ordered(catalogue: &Catalogue, order: &[u32]) -> Self {
        let mut renumbered = vec![None; catalogue.len()];
        for (new, &old) in (0_u32..).zip(order) {
            if let Some(slot) = renumbered.get_mut(old as usize) {
                *slot = Some(new);
            }
        }
        let mut facts: Vec<Facts> = order.iter().map(|&old| facts(catalogue, old, &renumbered)).collect();
        let mut of_topic = vec![Vec::new(); catalogue.topics().len()];
        for (course, facts) in (0_u32..).zip(&facts) {
            for &topic in &facts.topics {
                of_topic[topic as usize].push(course);
            }
        }
        let shelf = shelve(catalogue, order);
        for (place, &course) in (0_u32..).zip(&shelf) {
            facts[course as usize].place = place;
        }
        Self { facts, of_topic, shelf }
    }

    /// Number of courses.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there are no courses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Facts of a course; `None` past the end.
    #[must_use]
    pub fn facts(&self, course: u32) -> Option<&Facts> {
        self.facts.get(course as usize)
    }

    /// Topics of a course, sorted; empty past the end.
    #[must_use]
    pub fn topics(&self, course: u32) -> &[u32] {
        self.facts(course).map_or(&[], |f| &f.topics)
    }

    /// Courses with a topic; empty past the end.
    #[must_use]
    pub fn of_topic(&self, topic: u32) -> &[u32] {
        self.of_topic.get(topic as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of topics.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.of_topic.len()
    }

    /// All courses in the order of their keys (numbers by value).
    #[must_use]
    pub fn shelf(&self) -> &[u32] {
        &self.shelf
    }
}

fn facts(catalogue: &Catalogue, old: u32, renumbered: &[Option<u32>]) -> Facts {
    let Some(course) = catalogue.course(old) else {
        return Facts::default();
    };
    let mut topics = course.topics.clone();
    topics.sort_unstable();
    topics.dedup();
    let mut prerequisites: Vec<u32> = course.prerequisites.iter().filter_map(|&p| renumbered[p as usize]).collect();
    prerequisites.sort_unstable();
    prerequisites.dedup();
    Facts {
        topics,
        level: course.level,
        seconds: course.seconds,
        prerequisites,
        published_at: course.published_at,
        place: 0,
    }
}

fn shelve(catalogue: &Catalogue, order: &[u32]) -> Vec<u32> {
    let key = |new: u32| catalogue.course(order[new as usize]).map(|c| &*c.key);
    let mut shelf: Vec<u32> = (0..order.len() as u32).collect();
    shelf.sort_by_cached_key(|&new| {
        let key = key(new).unwrap_or_default();
        // Numbers first and by value: lesson 9 stands before lesson 10.
        (key.parse::<u64>().unwrap_or(u64::MAX), key.to_owned())
    });
    shelf
}
