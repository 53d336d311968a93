//! What learners did, and what they wrote.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use super::{Batches, Intake, IntakeError, Run, is_new};
use crate::{
    db::Tx,
    forum::{FIRST_CATEGORY, MAX_DEPTH, first_category},
    ids::{AccountId, CategoryId, CourseId, LessonId, PostId, ThreadId},
    intake::{
        records::{ActivityRecord, BadRow, Kind, PostRecord, Row, Rows},
        report::FileReport,
        store::{self, PostRow, ProgressRow, ThreadRow},
    },
    progress::model::Progress,
};

impl Intake {
    pub(super) async fn activity(
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
                let learner_id = self.accounts.imported(&run.name, &record.learner);
                let lesson_id = LessonId::imported(&run.name, &record.lesson);
                if !run.known.accounts.contains(&learner_id) {
                    told.refuse(BadRow::new(
                        line,
                        "learner",
                        format!("there is no learner with the key {:?}", record.learner),
                    ));
                    continue;
                }
                let Some((course_id, length)) = run.known.lessons.get(&lesson_id).copied() else {
                    told.refuse(BadRow::new(
                        line,
                        "lesson",
                        format!("there is no lesson with the key {:?}", record.lesson),
                    ));
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

    pub(super) async fn posts(
        &self,
        run: &mut Run<'_>,
        tx: &mut Tx,
        rows: Rows<'_, PostRecord>,
        told: &mut FileReport,
    ) -> Result<(), IntakeError> {
        let mut lines: HashMap<PostId, u64> = HashMap::new();
        let mut thread_of: HashMap<PostId, (ThreadId, i64)> = HashMap::new();
        let mut threads: HashMap<ThreadId, CourseId> = HashMap::new();
        let mut categories: HashMap<CourseId, Vec<CategoryId>> = HashMap::new();
        let mut batches = Batches::new(rows, Kind::Posts);
        while let Some(batch) = batches.next(run, told) {
            let (mut new_categories, mut new_threads, mut posts) =
                (Vec::new(), Vec::new(), Vec::with_capacity(batch.len()));
            for Row { line, record } in batch {
                let course_id = CourseId::imported(&run.name, &record.course);
                let author_id = self.accounts.imported(&run.name, &record.author);
                let (id, thread_id) =
                    (PostId::imported(&run.name, &record.key), ThreadId::imported(&run.name, &record.thread));
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
                let answered =
                    reply_to.and_then(|answered| thread_of.get(&answered)).filter(|(of, _)| *of == thread_id);
                if reply_to.is_some() && answered.is_none() {
                    refuse(
                        "reply_to",
                        "the post that it answers must stand before it in the file, in its thread".to_owned(),
                    );
                    continue;
                }
                let depth = answered.map_or(0, |(_, depth)| depth + 1);
                if depth > MAX_DEPTH {
                    refuse("reply_to", format!("replies are nested at most {MAX_DEPTH} deep"));
                    continue;
                }
                if threads.get(&thread_id).is_some_and(|of| *of != course_id) {
                    refuse("course", format!("the thread {:?} belongs to another course", record.thread));
                    continue;
                }
                if !is_new(&mut lines, id, line, told) {
                    continue;
                }
                thread_of.insert(id, (thread_id, depth));
                if let Entry::Vacant(thread) = threads.entry(thread_id) {
                    thread.insert(course_id);
                    let category_id = category_id(&run.name, course_id, &record);
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
                posts.push(PostRow {
                    course_id,
                    id,
                    thread_id,
                    author_id,
                    reply_to,
                    depth,
                    body: record.body,
                    created_at: record.at,
                });
            }
            store::put_categories(tx, &new_categories).await?;
            store::put_threads(tx, &new_threads).await?;
            store::put_posts(tx, &posts).await?;
        }
        let courses: Vec<_> = categories.into_keys().collect();
        store::count_posts(tx, &courses).await?;
        Ok(())
    }
}

fn progress_row(
    record: &ActivityRecord,
    (learner_id, course_id, lesson_id): (AccountId, CourseId, LessonId),
    length: Option<i64>,
) -> ProgressRow {
    let completed = record.progress >= 1.0;
    // The end is reached by completing the lesson only: a share is rounded down, and stays before it.
    let share = |length: i64| ((length as f64 * record.progress) as i64).min(length - i64::from(!completed));
    let furthest = length.map_or(0, share);
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

/// The first category is the one that a forum gets when it is begun through the graph.
fn category_id(source: &str, course: CourseId, record: &PostRecord) -> CategoryId {
    if record.category == FIRST_CATEGORY {
        first_category(course)
    } else {
        CategoryId::imported(source, &format!("{}\0{}", record.course, record.category))
    }
}
