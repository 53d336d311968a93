//! Taking records in: each kind in one transaction, checked against what is there.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use super::{
    records::{ActivityRecord, BadRow, CourseRecord, Kind, LearnerRecord, LessonRecord, PostRecord, Row, Rows, Source, SourceError},
    report::{FileReport, Report},
    slug::Slugs,
    store::{self, AccountRow, CourseRow, Known, LessonRow, PostRow, ProgressRow, ThreadRow},
};
use crate::{
    accounts::Accounts,
    db::{Db, DbError, Tx},
    ids::{AccountId, CategoryId, CourseId, LessonId, ModuleId, PostId, ThreadId, TopicId},
    progress::model::Progress,
    time::Clock,
};

/// So many rows are written with one statement.
const BATCH: usize = 500;

/// Takes records in.
pub struct Intake {
    db: Db,
    clock: Clock,
    accounts: Accounts,
}

/// Why nothing more could be taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// A file can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The database does not take it.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Told after each batch: the kind, how many rows were read of it, and about how many there are.
pub type OnProgress<'a> = &'a mut (dyn FnMut(Kind, u64, Option<u64>) + Send);

/// What one run knows and tells.
struct Run<'a> {
    source: &'a dyn Source,
    name: String,
    known: Known,
    on_progress: OnProgress<'a>,
}

impl Intake {
    /// The service.
    pub fn new(db: Db, clock: Clock, accounts: Accounts) -> Self {
        Self { db, clock, accounts }
    }

    /// Whether there is nobody and nothing to learn yet.
    pub async fn is_empty(&self) -> Result<bool, DbError> {
        store::is_empty(&self.db).await
    }

    /// Takes everything that a source has, kind by kind. A kind with a bad row is not taken, and none after it.
    pub async fn take(&self, source: &dyn Source, on_progress: OnProgress<'_>) -> Result<Report, IntakeError> {
        let known = store::known(&self.db).await?;
        let mut run = Run { source, name: source.name(), known, on_progress };
        let mut report = Report::default();
        for kind in [Kind::Learners, Kind::Courses, Kind::Lessons, Kind::Activity, Kind::Posts] {
            let file = source.file(kind);
            if !report.complete() {
                if present(source, kind)? {
                    report.left.push(file);
                }
                continue;
            }
            let mut told = FileReport::new(file);
            let mut tx = self.db.begin().await?;
            let found = match kind {
                Kind::Learners => match source.learners()? {
                    Some(rows) => self.learners(&mut run, &mut tx, rows, &mut told).await.map(|()| true)?,
                    None => false,
                },
                Kind::Courses => match source.courses()? {
                    Some(rows) => self.courses(&mut run, &mut tx, rows, &mut told).await.map(|()| true)?,
                    None => false,
                },
                Kind::Lessons => match source.lessons()? {
                    Some(rows) => self.lessons(&mut run, &mut tx, rows, &mut told).await.map(|()| true)?,
                    None => false,
                },
                Kind::Activity => match source.activity()? {
                    Some(rows) => self.activity(&mut run, &mut tx, rows, &mut told).await.map(|()| true)?,
                    None => false,
                },
                Kind::Posts => match source.posts()? {
                    Some(rows) => posts(&mut run, &mut tx, rows, &mut told).await.map(|()| true)?,
                    None => false,
                },
            };
            if !found {
                continue;
            }
            if told.taken() {
                tx.commit().await?;
            }
            report.files.push(told);
        }
        Ok(report)
    }

    async fn learners(
        &self,
        run: &mut Run<'_>,
        tx: &mut Tx,
        rows: Rows<'_, LearnerRecord>,
        told: &mut FileReport,
    ) -> Result<(), IntakeError> {
        let mut topics = Topics::new(&run.known);
        let mut lines: HashMap<AccountId, u64> = HashMap::new();
        let mut batches = Batches::new(rows, Kind::Learners);
        while let Some(batch) = batches.next(run, told) {
            let mut accounts = Vec::with_capacity(batch.len());
            for Row { line, record } in batch {
                let id = AccountId::imported(&run.name, &record.key);
                if !is_new(&mut lines, id, line, told) {
                    continue;
                }
                run.known.accounts.insert(id);
                let goals = record.goals.iter().map(|name| topics.get(name)).collect();
                let email = record.email.map(|email| email.trim().to_lowercase());
                let email = email.map(|email| (self.accounts.email_hash(&email), email)).map(|(hash, email)| (email, hash));
                accounts.push(AccountRow { id, name: record.name, email, goals });
            }
            store::put_topics(tx, &topics.take_new()).await?;
            for taken in store::put_accounts(tx, &accounts, self.clock.now()).await? {
                told.refuse(BadRow::new(lines[&taken], "email", "this address belongs to somebody else"));
            }
        }
        run.known.topics.extend(topics.known());
        Ok(())
    }

    async fn courses(
        &self,
        run: &mut Run<'_>,
        tx: &mut Tx,
        rows: Rows<'_, CourseRecord>,
        told: &mut FileReport,
    ) -> Result<(), IntakeError> {
        let mut topics = Topics::new(&run.known);
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
                    let account = AccountId::imported(&run.name, key);
                    if run.known.accounts.contains(&account) {
                        staff.push((account, *role));
                    } else {
                        told.refuse(BadRow::new(line, "instructors", format!("there is no learner with the key {key:?}")));
                    }
                }
                if !record.prerequisites.is_empty() {
                    requires.insert(record.key, (line, record.prerequisites));
                }
                courses.push(CourseRow {
                    id,
                    slug,
                    title: record.title,
                    summary: record.summary,
                    language: record.language,
                    level: record.level,
                    open_forum: record.open_forum,
                    published_at: record.published_at,
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
                    told.refuse(BadRow::new(*line, "prerequisites", format!("there is no course with the key {key:?}")));
                }
            }
        }
        if let Some((line, cycle)) = cycle(&requires) {
            told.refuse(BadRow::new(line, "prerequisites", format!("courses require each other: {}", cycle.join(" → "))));
        }
        store::put_prerequisites(tx, &pairs).await?;
        Ok(())
    }

    async fn lessons(
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
                    told.refuse(BadRow::new(line, "course", format!("there is no course with the key {:?}", record.course)));
                    continue;
                }
                let id = LessonId::imported(&run.name, &record.key);
                if !is_new(&mut lines, id, line, told) {
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

    async fn activity(
        &self,
        run: &mut Run<'_>,
        tx: &mut Tx,
        rows: Rows<'_, ActivityRecord>,
        told: &mut FileReport,
    ) -> Result<(), IntakeError> {
        let (mut learners, mut courses) = (HashSet::new(), HashSet::new());
        let mut batches = Batches::new(rows, Kind::Activity);
        while let Some(batch) = batches.next(run, told) {
            let mut progress: HashMap<(AccountId, LessonId), ProgressRow> = HashMap::with_capacity(batch.len());
            for Row { line, record } in batch {
                let learner_id = AccountId::imported(&run.name, &record.learner);
                let lesson_id = LessonId::imported(&run.name, &record.lesson);
                if !run.known.accounts.contains(&learner_id) {
                    told.refuse(BadRow::new(line, "learner", format!("there is no learner with the key {:?}", record.learner)));
                    continue;
                }
                let Some((course_id, length)) = run.known.lessons.get(&lesson_id).copied() else {
                    told.refuse(BadRow::new(line, "lesson", format!("there is no lesson with the key {:?}", record.lesson)));
                    continue;
                };
                learners.insert(learner_id);
                courses.insert(course_id);
                let row = progress_row(&record, (learner_id, course_id, lesson_id), length);
                progress.entry((learner_id, lesson_id)).and_modify(|sum| sum.merge(&row)).or_insert(row);
            }
            let rows: Vec<_> = progress.into_values().collect();
            store::put_progress(tx, &self.db, &rows).await?;
        }
        if told.taken() {
            let (learners, courses): (Vec<_>, Vec<_>) = (learners.into_iter().collect(), courses.into_iter().collect());
            store::sum_enrolments(tx, &learners, &courses).await?;
        }
        Ok(())
    }
}

fn progress_row(
    record: &ActivityRecord,
    (learner_id, course_id, lesson_id): (AccountId, CourseId, LessonId),
    length: Option<i64>,
) -> ProgressRow {
    let completed = record.progress >= 1.0;
    let furthest = length.map_or(0, |length| (length as f64 * record.progress).round() as i64);
    let reported = Progress::reported(record.progress);
    ProgressRow {
        learner_id,
        course_id,
        lesson_id,
        seconds: record.seconds,
        furthest,
        progress: Progress::of_lesson(completed, furthest, length).max(reported).millionths(),
        started_at: record.started_at,
        updated_at: record.updated_at,
        completed_at: completed.then_some(record.updated_at),
        rating: record.rating,
    }
}

async fn posts(run: &mut Run<'_>, tx: &mut Tx, rows: Rows<'_, PostRecord>, told: &mut FileReport) -> Result<(), IntakeError> {
    let mut lines: HashMap<PostId, u64> = HashMap::new();
    let mut threads: HashMap<ThreadId, CourseId> = HashMap::new();
    let mut categories: HashMap<CourseId, Vec<CategoryId>> = HashMap::new();
    let mut batches = Batches::new(rows, Kind::Posts);
    while let Some(batch) = batches.next(run, told) {
        let (mut new_categories, mut new_threads, mut posts) = (Vec::new(), Vec::new(), Vec::with_capacity(batch.len()));
        for Row { line, record } in batch {
            let course_id = CourseId::imported(&run.name, &record.course);
            let author_id = AccountId::imported(&run.name, &record.author);
            let (id, thread_id) = (PostId::imported(&run.name, &record.key), ThreadId::imported(&run.name, &record.thread));
            let reply_to = record.reply_to.as_ref().map(|key| PostId::imported(&run.name, key));
            let mut refuse = |column, reason: String| told.refuse(BadRow::new(line, column, reason));
            if !run.known.courses.contains_key(&course_id) {
                refuse("course", format!("there is no course with the key {:?}", record.course));
                continue;
            }
            if !run.known.accounts.contains(&author_id) {
                refuse("author", format!("there is no learner with the key {:?}", record.author));
                continue;
            }
            if reply_to.is_some_and(|answered| !lines.contains_key(&answered)) {
                refuse("reply_to", "the post that it answers must stand before it in the file".to_owned());
                continue;
            }
            if threads.get(&thread_id).is_some_and(|of| *of != course_id) {
                refuse("course", format!("the thread {:?} belongs to another course", record.thread));
                continue;
            }
            if !is_new(&mut lines, id, line, told) {
                continue;
            }
            if let Entry::Vacant(thread) = threads.entry(thread_id) {
                thread.insert(course_id);
                let category_id = CategoryId::imported(&run.name, &format!("{}\0{}", record.course, record.category));
                let known = categories.entry(course_id).or_default();
                if !known.contains(&category_id) {
                    new_categories.push((course_id, category_id, known.len() as i64, record.category));
                    known.push(category_id);
                }
                new_threads.push(ThreadRow {
                    course_id,
                    id: thread_id,
                    category_id,
                    author_id,
                    kind: record.kind,
                    title: record.title,
                    created_at: record.at,
                });
            }
            posts.push(PostRow { course_id, id, thread_id, author_id, reply_to, body: record.body, created_at: record.at });
        }
        store::put_categories(tx, &new_categories).await?;
        store::put_threads(tx, &new_threads).await?;
        store::put_posts(tx, &posts).await?;
    }
    let courses: Vec<_> = categories.into_keys().collect();
    store::count_posts(tx, &courses).await?;
    Ok(())
}

/// Whether the key is new in this file; a second row with the same key is bad.
fn is_new<T: Copy + Eq + std::hash::Hash>(lines: &mut HashMap<T, u64>, id: T, line: u64, told: &mut FileReport) -> bool {
    match lines.entry(id) {
        Entry::Vacant(entry) => {
            entry.insert(line);
            true
        }
        Entry::Occupied(first) => {
            told.refuse(BadRow::new(line, "key", format!("this key stands in line {} already", first.get())));
            false
        }
    }
}

/// Reads rows in batches, sorts out the bad ones, and tells how far it is.
struct Batches<'a, T> {
    rows: Rows<'a, T>,
    kind: Kind,
}

impl<'a, T> Batches<'a, T> {
    fn new(rows: Rows<'a, T>, kind: Kind) -> Self {
        Self { rows, kind }
    }

    fn next(&mut self, run: &mut Run<'_>, told: &mut FileReport) -> Option<Vec<Row<T>>> {
        let before = told.read;
        let mut batch = Vec::with_capacity(BATCH);
        for row in self.rows.by_ref().take(BATCH) {
            told.read += 1;
            match row {
                Ok(row) => batch.push(row),
                Err(bad) => told.refuse(bad),
            }
        }
        (run.on_progress)(self.kind, told.read, run.source.expected(self.kind));
        (told.read > before).then_some(batch)
    }
}

/// Topics by name. They are the same for every source.
struct Topics {
    ids: HashMap<TopicId, String>,
    slugs: Slugs,
    new: Vec<(TopicId, String, String)>,
}

impl Topics {
    fn new(known: &Known) -> Self {
        let slugs = Slugs::new(known.topics.iter().map(|(id, slug)| (slug.clone(), id.0)));
        Self { ids: known.topics.clone(), slugs, new: Vec::new() }
    }

    fn get(&mut self, name: &str) -> TopicId {
        let name = name.trim();
        let id = TopicId::imported("", &name.to_lowercase());
        if let Entry::Vacant(entry) = self.ids.entry(id) {
            let slug = self.slugs.get(id.0, name);
            entry.insert(slug.clone());
            self.new.push((id, slug, name.to_owned()));
        }
        id
    }

    fn take_new(&mut self) -> Vec<(TopicId, String, String)> {
        std::mem::take(&mut self.new)
    }

    fn known(self) -> HashMap<TopicId, String> {
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
            let required = requires.get(*course).map_or(&[][..], |(_, required)| required);
            let Some(key) = required.get(*next) else {
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

fn present(source: &dyn Source, kind: Kind) -> Result<bool, SourceError> {
    Ok(match kind {
        Kind::Learners => source.learners()?.is_some(),
        Kind::Courses => source.courses()?.is_some(),
        Kind::Lessons => source.lessons()?.is_some(),
        Kind::Activity => source.activity()?.is_some(),
        Kind::Posts => source.posts()?.is_some(),
    })
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
