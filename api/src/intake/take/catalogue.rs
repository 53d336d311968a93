//! Courses with their topics, staff and prerequisites, and lessons with their modules.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use super::{Batches, Intake, IntakeError, Run, is_new};
use crate::{
    db::Tx,
    ids::{CourseId, LessonId, ModuleId, TopicId},
    intake::{
        known::Known,
        records::{BadRow, CourseRecord, Kind, LessonRecord, Row, Rows},
        report::FileReport,
        slug::Slugs,
        store::{self, CourseRow, LessonRow},
    },
};

impl Intake {
    pub(super) async fn courses(
        &self,
        run: &mut Run<'_>,
        tx: &mut Tx,
        rows: Rows<'_, CourseRecord>,
        told: &mut FileReport,
    ) -> Result<(), IntakeError> {
        let mut topics = Topics::new(&run.known);
        // Behind those that are there. A course that is taken again keeps its place.
        let mut position = run.known.courses.len() as i64;
        let mut slugs = Slugs::new(run.known.courses.iter().map(|(id, slug)| (slug.clone(), id.0)));
        let mut lines: HashMap<CourseId, u64> = HashMap::new();
        let mut requires: BTreeMap<String, (u64, Vec<String>)> = BTreeMap::new();
        let mut batches = Batches::new(rows, Kind::Courses);
        while let Some(batch) = batches.next(run, told) {
            let mut courses = Vec::with_capacity(batch.len());
            for Row { line, record } in batch {
                let id = CourseId::imported(&run.name, &record.key);
                if !is_new(&mut lines, id, line, told) {
                    continue;
                }
                let slug = slugs.get(id.0, &record.title);
                run.known.courses.insert(id, slug.clone());
                let mut staff = Vec::new();
                for (key, role) in &record.staff {
                    let account = self.accounts.imported(&run.name, key);
                    if run.known.accounts.contains(&account) {
                        staff.push((account, *role));
                    } else {
                        told.refuse(BadRow::new(
                            line,
                            "instructors",
                            format!("there is no learner with the key {key:?}"),
                        ));
                    }
                }
                let has_prerequisites = !record.prerequisites.is_empty();
                if has_prerequisites {
                    requires.insert(record.key, (line, record.prerequisites));
                }
                position += 1;
                courses.push(CourseRow {
                    id,
                    slug,
                    title: record.title,
                    summary: record.summary,
                    language: record.language,
                    level: record.level,
                    open_forum: record.open_forum,
                    published_at: record.published_at,
                    position,
                    has_prerequisites,
                    topics: record.topics.iter().map(|name| topics.get(name)).collect(),
                    staff,
                });
            }
            store::put_topics(tx, &topics.take_new()).await?;
            store::put_courses(tx, &courses, self.clock.now()).await?;
        }
        run.known.topics.extend(topics.known());

        let mut pairs = Vec::new();
        for (course, (line, required)) in &requires {
            for key in required {
                let id = CourseId::imported(&run.name, key);
                if key == course {
                    told.refuse(BadRow::new(*line, "prerequisites", "a course can't require itself"));
                } else if run.known.courses.contains_key(&id) {
                    pairs.push((CourseId::imported(&run.name, course), id));
                } else {
                    told.refuse(BadRow::new(
                        *line,
                        "prerequisites",
                        format!("there is no course with the key {key:?}"),
                    ));
                }
            }
        }
        if let Some((line, cycle)) = cycle(&requires) {
            told.refuse(BadRow::new(
                line,
                "prerequisites",
                format!("courses require each other: {}", cycle.join(" → ")),
            ));
        }
        store::put_prerequisites(tx, &pairs).await?;
        Ok(())
    }

    pub(super) async fn lessons(
        &self,
        run: &mut Run<'_>,
        tx: &mut Tx,
        rows: Rows<'_, LessonRecord>,
        told: &mut FileReport,
    ) -> Result<(), IntakeError> {
        let mut lines: HashMap<LessonId, u64> = HashMap::new();
        // The number of modules of each course, and the place and the number of lessons of each module.
        let mut courses: HashMap<CourseId, i64> = HashMap::new();
        let mut modules: HashMap<ModuleId, i64> = HashMap::new();
        let mut batches = Batches::new(rows, Kind::Lessons);
        while let Some(batch) = batches.next(run, told) {
            let (mut new_modules, mut lessons) = (Vec::new(), Vec::with_capacity(batch.len()));
            for Row { line, record } in batch {
                let course_id = CourseId::imported(&run.name, &record.course);
                if !run.known.courses.contains_key(&course_id) {
                    told.refuse(BadRow::new(
                        line,
                        "course",
                        format!("there is no course with the key {:?}", record.course),
                    ));
                    continue;
                }
                let id = LessonId::imported(&run.name, &record.key);
                if !is_new(&mut lines, id, line, told) {
                    continue;
                }
                if run.known.lessons.get(&id).is_some_and(|(course, _)| *course != course_id) {
                    told.refuse(BadRow::new(line, "course", "this lesson belongs to another course already"));
                    continue;
                }
                let module_id = ModuleId::imported(&run.name, &format!("{}\0{}", record.course, record.module));
                let position = match modules.entry(module_id) {
                    Entry::Occupied(mut count) => {
                        *count.get_mut() += 1;
                        *count.get()
                    }
                    Entry::Vacant(count) => {
                        let place = courses.entry(course_id).or_default();
                        new_modules.push((module_id, course_id, *place, record.module));
                        *place += 1;
                        *count.insert(0)
                    }
                };
                run.known.lessons.insert(id, (course_id, record.seconds));
                lessons.push(LessonRow {
                    id,
                    course_id,
                    module_id,
                    position,
                    title: record.title,
                    kind: record.kind,
                    seconds: record.seconds,
                });
            }
            store::put_modules(tx, &new_modules).await?;
            store::put_lessons(tx, &lessons).await?;
        }
        let courses: Vec<_> = courses.into_keys().collect();
        store::sum_courses(tx, &courses, self.clock.now()).await?;
        Ok(())
    }
}

/// Topics by name. They are the same for every source.
pub(super) struct Topics {
    ids: HashMap<TopicId, String>,
    slugs: Slugs,
    new: Vec<(TopicId, String, String)>,
}

impl Topics {
    pub(super) fn new(known: &Known) -> Self {
        let slugs = Slugs::new(known.topics.iter().map(|(id, slug)| (slug.clone(), id.0)));
        Self { ids: known.topics.clone(), slugs, new: Vec::new() }
    }

    pub(super) fn get(&mut self, name: &str) -> TopicId {
        let name = name.trim();
        let id = TopicId::imported("", &name.to_lowercase());
        if let Entry::Vacant(entry) = self.ids.entry(id) {
            let slug = self.slugs.get(id.0, name);
            entry.insert(slug.clone());
            self.new.push((id, slug, name.to_owned()));
        }
        id
    }

    pub(super) fn take_new(&mut self) -> Vec<(TopicId, String, String)> {
        std::mem::take(&mut self.new)
    }

    pub(super) fn known(self) -> HashMap<TopicId, String> {
        self.ids
    }
}

/// A cycle among the courses of a file, and the line of one of them.
fn cycle(requires: &BTreeMap<String, (u64, Vec<String>)>) -> Option<(u64, Vec<String>)> {
    let mut done: HashSet<&str> = HashSet::new();
    for start in requires.keys() {
        // Depth first, without recursion: `path` is the way from `start`, each with the next to try.
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((course, next)) = path.last_mut() {
            let before = requires.get(*course).map_or(&[][..], |(_, before)| before);
            let Some(key) = before.get(*next) else {
                done.insert(course);
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(at) = path.iter().position(|(course, _)| course == key) {
                let mut names: Vec<_> = path[at..].iter().map(|(course, _)| (*course).to_owned()).collect();
                names.push(key.clone());
                return Some((requires[key].0, names));
            }
            if !done.contains(key.as_str()) {
                path.push((key, 0));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requires(pairs: &[(&str, &[&str])]) -> BTreeMap<String, (u64, Vec<String>)> {
        pairs
            .iter()
            .zip(2..)
            .map(|((course, required), line)| {
                ((*course).to_owned(), (line, required.iter().map(ToString::to_string).collect()))
            })
            .collect()
    }

    #[test]
    fn courses_that_require_each_other_are_named() {
        assert_eq!(cycle(&requires(&[("b", &["a"]), ("c", &["a", "b"])])), None);
        let (line, names) = cycle(&requires(&[("a", &["b"]), ("b", &["c"]), ("c", &["x", "a"])])).unwrap();
        assert_eq!((line, names.join(" ")), (2, "a b c a".to_owned()));
    }
}
