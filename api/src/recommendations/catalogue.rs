//! The catalogue and histories in the recommender's terms.

use std::collections::HashMap;

use stoa_recommender::{Catalogue, CatalogueError, Course, Interaction};

use super::store::{CatalogueRows, InteractionRow};
use crate::{
    courses::model::Level,
    ids::{CourseId, TopicId},
    progress::model::Progress,
};

/// The recommender's catalogue, and what its indices stand for.
pub(super) struct Mapped {
    pub(super) catalogue: Catalogue,
    /// The course at each index.
    pub(super) courses: Vec<CourseId>,
    /// The topic at each index.
    pub(super) topics: Vec<TopicId>,
    /// The index of each course.
    index: HashMap<CourseId, u32>,
    topic_index: HashMap<TopicId, u32>,
    /// What engines outside know the courses and topics by.
    slugs: Vec<String>,
    by_slug: HashMap<String, u32>,
    topic_slugs: Vec<String>,
    lesson_counts: Vec<i64>,
    /// Courses that may be evidence but not advice.
    pub(super) closed: Vec<u32>,
}

impl Mapped {
    pub(super) fn new(rows: CatalogueRows) -> Result<Self, CatalogueError> {
        let index: HashMap<_, _> = rows.courses.iter().zip(0..).map(|(course, at)| (course.id, at)).collect();
        let topic_index: HashMap<_, _> = rows.topics.iter().zip(0..).map(|((id, _, _), at)| (*id, at)).collect();
        let mut courses: Vec<_> = rows
            .courses
            .iter()
            .map(|row| Course {
                // The library takes the order of the keys for the order of the catalogue.
                key: format!("{:012} {}", row.position, row.id.0),
                title: row.title.clone(),
                topics: Vec::new(),
                level: row.level.map(|level| match level.0 {
                    Level::Beginner => 1,
                    Level::Intermediate => 2,
                    Level::Advanced => 3,
                }),
                seconds: u32::try_from(row.seconds).ok().filter(|seconds| *seconds > 0),
                prerequisites: Vec::new(),
                published_at: Some(row.published_at.seconds()),
            })
            .collect();
        for (course, topic) in rows.course_topics {
            if let (Some(course), Some(topic)) = (index.get(&course), topic_index.get(&topic)) {
                courses[*course as usize].topics.push(*topic);
            }
        }
        for (course, required) in rows.prerequisites {
            if let (Some(course), Some(required)) = (index.get(&course), index.get(&required)) {
                courses[*course as usize].prerequisites.push(*required);
            }
        }
        let (mut topics, mut names, mut topic_slugs) = (Vec::new(), Vec::new(), Vec::new());
        for (id, name, slug) in rows.topics {
            topics.push(id);
            names.push(name);
            topic_slugs.push(slug);
        }
        let slugs: Vec<_> = rows.courses.iter().map(|row| row.slug.clone()).collect();
        Ok(Self {
            by_slug: slugs.iter().cloned().zip(0..).collect(),
            slugs,
            topic_slugs,
            catalogue: Catalogue::new(names, courses)?,
            closed: rows.courses.iter().zip(0..).filter(|(row, _)| !row.open).map(|(_, at)| at).collect(),
            lesson_counts: rows.courses.iter().map(|row| row.lesson_count).collect(),
            courses: rows.courses.into_iter().map(|row| row.id).collect(),
            topics,
            index,
            topic_index,
        })
    }

    pub(super) fn course(&self, course: CourseId) -> Option<u32> {
        self.index.get(&course).copied()
    }

    pub(super) fn topic(&self, topic: TopicId) -> Option<u32> {
        self.topic_index.get(&topic).copied()
    }

    /// What a course is called outside.
    pub(super) fn slug(&self, course: u32) -> Option<&str> {
        self.slugs.get(course as usize).map(String::as_str)
    }

    /// The course that is called so outside.
    pub(super) fn course_of_slug(&self, slug: &str) -> Option<u32> {
        self.by_slug.get(slug).copied()
    }

    /// What a topic is called outside.
    pub(super) fn topic_slug(&self, topic: u32) -> Option<&str> {
        self.topic_slugs.get(topic as usize).map(String::as_str)
    }

    /// An enrolment as an interaction. `None` if its course is not in the catalogue any more.
    ///
    /// An enrolment in which nothing happened says nothing of completion: she may have read elsewhere.
    pub(super) fn interaction(&self, row: &InteractionRow) -> Option<Interaction> {
        let course = *self.index.get(&row.course_id)?;
        let lessons = self.lesson_counts[course as usize];
        let known = row.seconds > 0 || row.progress_sum > 0;
        Some(Interaction {
            course,
            at: row.enrolled_at.seconds(),
            completion: known.then(|| Progress::mean(row.progress_sum, lessons).fraction() as f32),
            seconds: known.then_some(row.seconds as f32),
            rating: row.rating.map(|stars| (stars - 1) as f32 / 4.0),
        })
    }
}

#[cfg(test)]
impl Mapped {
    /// Open courses of which only the slugs are known.
    pub(super) fn of_slugs(slugs: &[&str]) -> Self {
        let courses = (0_i64..).zip(slugs).map(|(position, slug)| super::store::CourseRow {
            id: CourseId(uuid::Uuid::from_u128(u128::from(position.unsigned_abs()) + 1)),
            position,
            slug: (*slug).to_owned(),
            title: (*slug).to_owned(),
            level: None,
            open: true,
            seconds: 0,
            lesson_count: 0,
            published_at: crate::time::Timestamp::from_seconds(0),
        });
        let rows = CatalogueRows {
            courses: courses.collect(),
            topics: Vec::new(),
            course_topics: Vec::new(),
            prerequisites: Vec::new(),
        };
        Self::new(rows).expect("a catalogue")
    }
}
