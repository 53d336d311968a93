//! A generated campus: believable courses, people, activity and talk, of any size, the same for the same
//! seed. What learners do follows from their interests and ability, so that a recommender has something
//! to find: what follows what in a chain, what is popular and in season, what a circle of learners likes,
//! which topics somebody is after. Everybody in it is invented.
//!
//! Nothing is kept but the catalogue: each learner's life is made from a stream of chance of her own, when
//! it is wanted, so a campus of any size streams in little memory. With the same seed, the same number of
//! courses and the same end, a larger campus holds the smaller one.

mod catalogue;
mod draw;
mod lessons;
mod life;
mod people;
mod talk;
#[cfg(test)]
mod tests;
mod words;

use std::sync::OnceLock;

use self::{
    catalogue::{AGE, Catalogue},
    draw::{Draw, Purpose},
    life::{Life, Stay},
    people::{ADA, People},
    talk::{Forum, LEARNERS_A_THREAD, Member, Members},
    words::Words,
};
use super::records::{
    ActivityRecord, CourseRecord, Kind, LearnerRecord, LessonRecord, PostRecord, Row, Rows, Source, SourceError,
};
use crate::time::Timestamp;

pub use people::{DEMO_PEOPLE, DemoPerson};

/// When the records of a campus end unless something else is wanted: 2026-11-01T00:00:00Z.
pub const CAMPUS_UNTIL: Timestamp = Timestamp::from_seconds(1_793_491_200);

/// How large a campus is, and which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CampusSize {
    /// How many learn, besides the demo people and the staff.
    pub learners: u32,
    /// How many courses there are.
    pub courses: u32,
    /// Which campus of this size.
    pub seed: u64,
    /// When the records end; they begin four years before.
    pub until: Timestamp,
}

/// A generated campus.
#[derive(Debug)]
pub struct Campus {
    size: CampusSize,
    words: Words,
    catalogue: Catalogue,
    /// Who is in each course, found out when talk is first wanted.
    members: OnceLock<Vec<Members>>,
    /// Courses begun and lessons opened by a learner, on average; asked for often while records are read.
    typical: OnceLock<(f64, f64)>,
}

impl Campus {
    /// The campus of a size.
    pub fn new(size: CampusSize) -> Self {
        let words = Words::read();
        let catalogue = Catalogue::new(&words, size.seed, size.courses as usize, size.until.seconds());
        Self { size, words, catalogue, members: OnceLock::new(), typical: OnceLock::new() }
    }

    fn people(&self) -> People<'_> {
        let until = self.size.until.seconds();
        People { words: &self.words, seed: self.size.seed, span: (until - AGE, until) }
    }

    /// How many people there are: the demo people, the staff, the learners, in this order.
    fn people_count(&self) -> usize {
        self.first_learner() + self.size.learners as usize
    }

    fn first_learner(&self) -> usize {
        DEMO_PEOPLE.len() + self.catalogue.staff
    }

    /// The places of those who learn.
    fn learner_places(&self) -> impl Iterator<Item = usize> + use<> {
        std::iter::once(ADA).chain(self.first_learner()..self.people_count())
    }

    /// What the learner at a place does, course by course.
    fn stays(&self, place: usize) -> Vec<Stay> {
        let traits = self.people().traits(place);
        Life::new(&self.catalogue, &traits, self.size.seed, place, self.size.until.seconds()).stays(place)
    }

    fn activity_of(&self, place: usize) -> Vec<ActivityRecord> {
        let learner = person_key(place);
        let mut records = Vec::new();
        for stay in self.stays(place) {
            let course = course_key(stay.course);
            for visit in &stay.visits {
                records.push(ActivityRecord {
                    learner: learner.clone(),
                    lesson: lesson_key(&course, visit.lesson),
                    started_at: Timestamp::from_seconds(visit.from),
                    updated_at: Timestamp::from_seconds(visit.to),
                    seconds: visit.seconds,
                    progress: visit.progress,
                    // The course is rated at the end.
                    rating: stay.rating.filter(|_| visit.to == stay.to),
                });
            }
        }
        records
    }

    fn members(&self) -> &[Members] {
        self.members.get_or_init(|| {
            let count = self.catalogue.courses.len();
            let draw = |place| Draw::new(self.size.seed, Purpose::Members, place);
            let mut members: Vec<(Members, Draw)> = (0..count).map(|place| (Members::default(), draw(place))).collect();
            for person in self.learner_places() {
                for Stay { course, from, to, visits, .. } in self.stays(person) {
                    if !visits.is_empty() {
                        let (members, draw) = &mut members[course];
                        members.add(draw, Member { person, from, to });
                    }
                }
            }
            members.into_iter().map(|(members, _)| members).collect()
        })
    }

    /// How many courses are begun and lessons opened by a learner, on average, from a few of them.
    fn typical(&self) -> (f64, f64) {
        const SAMPLE: usize = 100;
        *self.typical.get_or_init(|| {
            let step = (self.size.learners as usize / SAMPLE).max(1);
            let (mut people, mut stays, mut visits) = (0.0, 0.0, 0.0);
            for place in (self.first_learner()..self.people_count()).step_by(step) {
                let found = self.stays(place);
                people += 1.0;
                stays += found.len() as f64;
                visits += found.iter().map(|stay| stay.visits.len()).sum::<usize>() as f64;
            }
            if people > 0.0 { (stays / people, visits / people) } else { (0.0, 0.0) }
        })
    }

    fn learner(&self, place: usize) -> LearnerRecord {
        let person = self.people().person(place);
        let demo_learner = DEMO_PEOPLE.get(place).is_some_and(|demo| demo.role == "learner");
        let goals =
            if demo_learner || place >= self.first_learner() { self.people().traits(place).goals } else { Vec::new() };
        LearnerRecord {
            key: person_key(place),
            name: person.name,
            email: Some(person.email),
            goals: goals.into_iter().map(|topic| self.words.topics[topic].name.to_owned()).collect(),
        }
    }

    fn course(&self, place: usize) -> CourseRecord {
        let course = &self.catalogue.courses[place];
        CourseRecord {
            key: course_key(place),
            title: course.title.clone(),
            summary: course.summary.clone(),
            language: course.language.to_owned(),
            level: course.level,
            topics: course.topics.iter().map(|topic| self.words.topics[*topic].name.to_owned()).collect(),
            prerequisites: course.prerequisites.iter().map(|required| course_key(*required)).collect(),
            staff: course.staff.iter().map(|(person, role)| (person_key(*person), *role)).collect(),
            published_at: Timestamp::from_seconds(course.published),
            open_forum: course.open_forum,
        }
    }

    fn lessons_of(&self, place: usize) -> impl Iterator<Item = LessonRecord> {
        let course = &self.catalogue.courses[place];
        let key = course_key(place);
        course.lessons.iter().enumerate().map(move |(number, lesson)| LessonRecord {
            key: lesson_key(&key, number),
            course: key.clone(),
            module: course.modules[lesson.module].title.clone(),
            title: lesson.title.clone(),
            kind: lesson.kind,
            seconds: lesson.seconds,
        })
    }

    fn posts_of(&self, place: usize) -> Vec<PostRecord> {
        let course = &self.catalogue.courses[place];
        Forum { people: &self.people(), course, place, members: &self.members()[place] }.posts()
    }

    fn courses_count(&self) -> usize {
        self.catalogue.courses.len()
    }
}

/// The key of the person at a place.
fn person_key(place: usize) -> String {
    format!("p{}", place + 1)
}

/// The key of the course at a place.
fn course_key(place: usize) -> String {
    format!("c{}", place + 1)
}

fn lesson_key(course: &str, place: usize) -> String {
    format!("{course}-l{}", place + 1)
}

/// The records, numbered.
fn rows<'a, T>(records: impl Iterator<Item = T> + Send + 'a) -> Rows<'a, T> {
    Box::new(records.zip(1..).map(|(record, line)| Ok(Row { line, record })))
}

impl Source for Campus {
    fn name(&self) -> String {
        format!("campus-{}", self.size.seed)
    }

    fn file(&self, kind: Kind) -> String {
        let kind = match kind {
            Kind::Learners => "people",
            Kind::Courses => "courses",
            Kind::Lessons => "lessons",
            Kind::Activity => "activity",
            Kind::Posts => "threads",
        };
        format!("generated {kind}")
    }

    fn expected(&self, kind: Kind) -> Option<u64> {
        let learners = f64::from(self.size.learners);
        Some(match kind {
            Kind::Learners => self.people_count() as u64,
            Kind::Courses => self.courses_count() as u64,
            Kind::Lessons => self.catalogue.courses.iter().map(|course| course.lessons.len() as u64).sum(),
            Kind::Activity => (learners * self.typical().1) as u64,
            // A thread has about 3 posts, a course's welcome some introductions besides.
            Kind::Posts => {
                (learners * self.typical().0 / LEARNERS_A_THREAD * 3.1) as u64 + 8 * self.courses_count() as u64
            }
        })
    }

    fn courses(&self) -> Result<Option<Rows<'_, CourseRecord>>, SourceError> {
        Ok(Some(rows((0..self.courses_count()).map(|place| self.course(place)))))
    }

    fn lessons(&self) -> Result<Option<Rows<'_, LessonRecord>>, SourceError> {
        Ok(Some(rows((0..self.courses_count()).flat_map(|place| self.lessons_of(place)))))
    }

    fn learners(&self) -> Result<Option<Rows<'_, LearnerRecord>>, SourceError> {
        Ok(Some(rows((0..self.people_count()).map(|place| self.learner(place)))))
    }

    fn activity(&self) -> Result<Option<Rows<'_, ActivityRecord>>, SourceError> {
        Ok(Some(rows(self.learner_places().flat_map(|place| self.activity_of(place)))))
    }

    fn posts(&self) -> Result<Option<Rows<'_, PostRecord>>, SourceError> {
        Ok(Some(rows((0..self.courses_count()).flat_map(|place| self.posts_of(place)))))
    }
}
