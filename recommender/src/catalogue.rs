//! What can be recommended: courses, their topics, levels and prerequisites.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The highest [`Course::level`]: 1 is a beginner's course, 3 an advanced one.
pub const MAX_LEVEL: u8 = 3;

/// One course. Everything but the key may be unknown: what is missing makes its features zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Stable, unique name by which a model finds the course again in a later catalogue.
    pub key: String,
    /// Title as people read it; may be empty (the key is shown then).
    pub title: String,
    /// Indices into the catalogue's topics, in no particular order.
    pub topics: Vec<u32>,
    /// 1 (beginner) to 3 (advanced).
    pub level: Option<u8>,
    /// Usual length in seconds.
    pub seconds: Option<u32>,
    /// Courses (indices in the catalogue) that should be taken before this one.
    pub prerequisites: Vec<u32>,
    /// When the course appeared, in Unix seconds.
    pub published_at: Option<i64>,
}

/// A catalogue that can't be used, with the course (by key) and the value that are at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Two courses share a key.
    #[error("two courses have the key {0:?}")]
    DuplicateKey(String),
    /// A course without a key can't be found again after training.
    #[error("course {0} has an empty key")]
    EmptyKey(usize),
    /// A topic's index is past the list of topics.
    #[error("course {key:?} names topic {topic}, but there are {topics} topics")]
    UnknownTopic {
        /// Key of the course at fault.
        key: String,
        /// The index it names.
        topic: u32,
        /// How many topics there are.
        topics: usize,
    },
    /// A prerequisite's index is past the list of courses, or the course itself.
    #[error("course {key:?} names course {prerequisite} as its prerequisite, out of {courses}")]
    BadPrerequisite {
        /// Key of the course at fault.
        key: String,
        /// The index it names.
        prerequisite: u32,
        /// How many courses there are.
        courses: usize,
    },
    /// A level outside 1..=3.
    #[error("course {key:?} has level {level}, expected 1 to {MAX_LEVEL}")]
    BadLevel {
        /// Key of the course at fault.
        key: String,
        /// The level it has.
        level: u8,
    },
    /// More courses than fit an index.
    #[error("{0} courses are more than an index can hold")]
    TooMany(usize),
}

/// All courses, each known by its index `0..len()`, and the topics they name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    topics: Vec<String>,
    courses: Vec<Course>,
    by_key: HashMap<String, u32>,
}

impl Catalogue {
    /// Checks and indexes the courses.
    ///
    /// # Errors
    /// A key that is empty or used twice, a level outside 1..=3, an index (topic, prerequisite)
    /// that leads nowhere.
    pub fn new(topics: Vec<String>, courses: Vec<Course>) -> Result<Self, CatalogueError> {
        if u32::try_from(courses.len()).is_err() {
            return Err(CatalogueError::TooMany(courses.len()));
        }
        let mut by_key = HashMap::with_capacity(courses.len());
        for (index, course) in (0_u32..).zip(&courses) {
            check(course, index, courses.len(), topics.len())?;
            if by_key.insert(course.key.clone(), index).is_some() {
                return Err(CatalogueError::DuplicateKey(course.key.clone()));
            }
        }
        Ok(Self { topics, courses, by_key })
    }

    /// Number of courses.
    #[must_use]
    pub fn len(&self) -> usize {
        self.courses.len()
    }

    /// Whether there is no course at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.courses.is_empty()
    }

    /// The course at an index, if there is one.
    #[must_use]
    pub fn course(&self, index: u32) -> Option<&Course> {
        self.courses.get(index as usize)
    }

    /// All courses in the order of their indices.
    #[must_use]
    pub fn courses(&self) -> &[Course] {
        &self.courses
    }

    /// A topic's name; empty for an index that is not in the catalogue.
    #[must_use]
    pub fn topic(&self, index: u32) -> &str {
        self.topics.get(index as usize).map_or("", String::as_str)
    }

    /// All topics' names.
    #[must_use]
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The index of the course with this key.
    #[must_use]
    pub fn index_of(&self, key: &str) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    /// What to call a course in a sentence: its title, or its key where it has none.
    #[must_use]
    pub fn title(&self, index: u32) -> &str {
        match self.course(index) {
            Some(course) if course.title.is_empty() => &course.key,
            Some(course) => &course.title,
            None => "",
        }
    }

    /// A short hash of the keys and what training reads of the courses, in their order:
    /// two catalogues with one fingerprint are the same to a model.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Sha256::new();
        for course in &self.courses {
            hash.update((course.key.len() as u64).to_le_bytes());
            hash.update(course.key.as_bytes());
            hash.update([course.level.unwrap_or(0)]);
            hash.update(course.seconds.unwrap_or(0).to_le_bytes());
            for list in [&course.topics, &course.prerequisites] {
                hash.update((list.len() as u64).to_le_bytes());
                for index in list {
                    hash.update(index.to_le_bytes());
                }
            }
        }
        let digest = hash.finalize();
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(head)
    }
}

fn check(course: &Course, index: u32, courses: usize, topics: usize) -> Result<(), CatalogueError> {
    let key = || course.key.clone();
    if course.key.is_empty() {
        return Err(CatalogueError::EmptyKey(index as usize));
    }
    if let Some(level) = course.level.filter(|l| !(1..=MAX_LEVEL).contains(l)) {
        return Err(CatalogueError::BadLevel { key: key(), level });
    }
    if let Some(&topic) = course.topics.iter().find(|&&t| t as usize >= topics) {
        return Err(CatalogueError::UnknownTopic { key: key(), topic, topics });
    }
    let lost = |&&p: &&u32| p as usize >= courses || p == index;
    if let Some(&prerequisite) = course.prerequisites.iter().find(lost) {
        return Err(CatalogueError::BadPrerequisite { key: key(), prerequisite, courses });
    }
    Ok(())
}
