//! Writing in bulk: many rows in a statement. Longer than other files, since every table that an import fills
//! is written here and nowhere else.

use std::collections::{HashMap, HashSet};

use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::{
    courses::model::{LessonKind, Level, StaffRole},
    db::{Backend, Db, DbError, Stored, Tx, Uuids, on, statements},
    forum::model::ThreadKind,
    ids::{AccountId, CategoryId, CourseId, LessonId, ModuleId, PostId, ThreadId, TopicId},
    time::Timestamp,
};

statements! {
    EMAILS_OF { "SELECT account_id FROM account_emails WHERE account_id " [any_uuid 1] }
    FORGET_EMAILS { "DELETE FROM account_emails WHERE account_id " [any_uuid 1] }
    FORGET_GOALS { "DELETE FROM learning_goals WHERE learner_id " [any_uuid 1] }
    FORGET_TOPICS { "DELETE FROM course_topics WHERE course_id " [any_uuid 1] }
    FORGET_PREREQUISITES { "DELETE FROM course_prerequisites WHERE course_id " [any_uuid 1] }
    FORGET_STAFF { "DELETE FROM course_staff WHERE course_id " [any_uuid 1] }
    /// Whoever sums looks after the lock: what others had under way is committed by then, and counted.
    LOCK_ENROLMENTS {
        "SELECT learner_id FROM enrolments WHERE learner_id " [any_uuid 1] " ORDER BY learner_id, course_id" [for_update]
    }
    BEGIN_ROLLUPS {
        "INSERT INTO course_rollups (course_id, learner_count, completed_count, rating_count, rating_sum)
         SELECT id, 0, 0, 0, 0 FROM courses WHERE id " [any_uuid 1] " ORDER BY id ON CONFLICT (course_id) DO NOTHING"
    }
    LOCK_ROLLUPS {
        "SELECT course_id FROM course_rollups WHERE course_id " [any_uuid 1] " ORDER BY course_id" [for_update]
    }
    LOCK_THREADS { "SELECT id FROM threads WHERE course_id " [any_uuid 1] " ORDER BY course_id, id" [for_update] }
    SUM_COURSES {
        "UPDATE courses SET updated_at = $2,
           lesson_count = (SELECT COUNT(*) FROM lessons l JOIN modules m ON m.id = l.module_id
                           WHERE l.course_id = courses.id AND l.status = 'PUBLISHED' AND m.status = 'PUBLISHED'),
           seconds = (SELECT CAST(COALESCE(SUM(l.seconds), 0) AS BIGINT) FROM lessons l JOIN modules m ON m.id = l.module_id
                      WHERE l.course_id = courses.id AND l.status = 'PUBLISHED' AND m.status = 'PUBLISHED')
         WHERE id " [any_uuid 1]
    }
    SUM_ENROLMENTS {
        "UPDATE enrolments SET
           seconds = (SELECT CAST(COALESCE(SUM(p.seconds), 0) AS BIGINT) FROM lesson_progress p
                      WHERE p.learner_id = enrolments.learner_id AND p.course_id = enrolments.course_id),
           progress_sum = CASE WHEN completed_at IS NOT NULL THEN (SELECT c.lesson_count * 1000000 FROM courses c WHERE c.id = enrolments.course_id)
             ELSE (SELECT CAST(COALESCE(SUM(p.progress), 0) AS BIGINT) FROM lesson_progress p
                     JOIN lessons l ON l.id = p.lesson_id AND l.status = 'PUBLISHED' JOIN modules m ON m.id = l.module_id AND m.status = 'PUBLISHED'
                   WHERE p.learner_id = enrolments.learner_id AND p.course_id = enrolments.course_id) END
         WHERE learner_id " [any_uuid 1]
    }
    MARK_COMPLETED {
        "UPDATE enrolments SET completed_at = (SELECT MAX(p.completed_at) FROM lesson_progress p
             WHERE p.learner_id = enrolments.learner_id AND p.course_id = enrolments.course_id)
         WHERE completed_at IS NULL AND progress_sum > 0 AND learner_id " [any_uuid 1] "
           AND progress_sum >= (SELECT c.lesson_count * 1000000 FROM courses c WHERE c.id = enrolments.course_id)"
    }
    SUM_ROLLUPS {
        "INSERT INTO course_rollups (course_id, learner_count, completed_count, rating_count, rating_sum)
         SELECT course_id, COUNT(*), COUNT(completed_at), COUNT(rating), CAST(COALESCE(SUM(rating), 0) AS BIGINT)
         FROM enrolments WHERE course_id " [any_uuid 1] " GROUP BY course_id
         ON CONFLICT (course_id) DO UPDATE SET learner_count = excluded.learner_count,
           completed_count = excluded.completed_count, rating_count = excluded.rating_count, rating_sum = excluded.rating_sum"
    }
    BEGIN_SEATS {
        "INSERT INTO enrolment_settings (course_id)
         SELECT id FROM courses WHERE id " [any_uuid 1] " ORDER BY id ON CONFLICT (course_id) DO NOTHING"
    }
    LOCK_SEATS {
        "SELECT course_id FROM enrolment_settings WHERE course_id " [any_uuid 1] " ORDER BY course_id" [for_update]
    }
    SUM_SEATS {
        "UPDATE enrolment_settings SET taken = (SELECT COUNT(*) FROM enrolments e
           WHERE e.course_id = enrolment_settings.course_id AND e.left_at IS NULL)
         WHERE course_id " [any_uuid 1]
    }
    COUNT_POSTS {
        "UPDATE threads SET last_post_at = (SELECT COALESCE(MAX(p.created_at), 0) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id),
           post_count = (SELECT COUNT(*) FROM posts p
             WHERE p.course_id = threads.course_id AND p.thread_id = threads.id)
         WHERE course_id " [any_uuid 1]
    }
}

/// So many keys go into one statement that works through a list.
const KEYS: usize = 1_000;

/// `INSERT … VALUES (row), (row), … suffix`, in pieces: SQLite takes 32,766 parameters at once. `|b, row|`
/// binds the columns of a row.
macro_rules! bulk {
    ($tx:expr, $rows:expr, $prefix:literal, |$b:ident, $row:ident| $bind:expr, $suffix:expr) => {
        for rows in $rows.chunks(KEYS) {
            on!($tx.conn(), c => {
                let mut query = QueryBuilder::new($prefix);
                query.push_values(rows.iter(), |mut $b, $row| {
                    $bind;
                });
                query.push($suffix);
                query.build().execute(c).await.map(|_| ())
            })?;
        }
    };
}

/// Runs a statement whose first parameter is a list of ids, in pieces.
async fn for_each_piece<T: Copy + Into<Uuid>>(
    tx: &mut Tx,
    statement: &crate::db::Sql,
    ids: &[T],
) -> Result<(), DbError> {
    for piece in ids.chunks(KEYS) {
        let (sql, ids) = (tx.sql(statement), Uuids::new(piece.iter().copied()));
        on!(tx.conn(), c => sqlx::query(sql).bind(ids).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

pub(super) struct AccountRow {
    pub(super) id: AccountId,
    pub(super) name: String,
    pub(super) email: Option<(String, [u8; 32])>,
    pub(super) goals: Vec<TopicId>,
}

/// Writes people. Answers with those whose e-mail address belongs to somebody else.
pub(super) async fn put_accounts(
    tx: &mut Tx,
    rows: &[AccountRow],
    now: Timestamp,
) -> Result<HashSet<AccountId>, DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO accounts (id, name, email, created_at) ",
        |b, row| b
            .push_bind(row.id)
            .push_bind(row.name.clone())
            .push_bind(row.email.as_ref().map(|(email, _)| email.clone()))
            .push_bind(now),
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = COALESCE(excluded.email, accounts.email)"
    );
    // What a row does not say stays as it is.
    let ids = |says: fn(&AccountRow) -> bool| rows.iter().filter(|row| says(row)).map(|row| row.id).collect::<Vec<_>>();
    for_each_piece(tx, &FORGET_EMAILS, &ids(|row| row.email.is_some())).await?;
    for_each_piece(tx, &FORGET_GOALS, &ids(|row| !row.goals.is_empty())).await?;
    let with_email: Vec<_> = rows.iter().filter_map(|row| row.email.as_ref().map(|(_, hash)| (row.id, hash))).collect();
    bulk!(
        tx,
        with_email,
        "INSERT INTO account_emails (email_hash, account_id) ",
        |b, row| b.push_bind(row.1.to_vec()).push_bind(row.0),
        " ON CONFLICT (email_hash) DO NOTHING"
    );
    let goals: Vec<_> = rows.iter().flat_map(|row| row.goals.iter().map(|goal| (row.id, *goal))).collect();
    bulk!(
        tx,
        goals,
        "INSERT INTO learning_goals (learner_id, topic_id) ",
        |b, row| b.push_bind(row.0).push_bind(row.1),
        " ON CONFLICT (learner_id, topic_id) DO NOTHING"
    );
    let mut without: HashSet<_> = with_email.iter().map(|(id, _)| *id).collect();
    let sql = tx.sql(&EMAILS_OF);
    let asked = Uuids::new(without.iter().copied());
    let found: Vec<AccountId> = on!(tx.conn(), c => sqlx::query_scalar(sql).bind(asked).fetch_all(c).await)?;
    for id in found {
        without.remove(&id);
    }
    Ok(without)
}

/// Topics: id, slug, name.
pub(super) async fn put_topics(tx: &mut Tx, rows: &[(TopicId, String, String)]) -> Result<(), DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO topics (id, slug, name) ",
        |b, row| b.push_bind(row.0).push_bind(row.1.clone()).push_bind(row.2.clone()),
        " ON CONFLICT (id) DO NOTHING"
    );
    Ok(())
}

pub(super) struct CourseRow {
    pub(super) id: CourseId,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) language: String,
    pub(super) level: Option<Level>,
    pub(super) open_forum: bool,
    pub(super) published_at: Timestamp,
    pub(super) position: i64,
    pub(super) topics: Vec<TopicId>,
    pub(super) has_prerequisites: bool,
    pub(super) staff: Vec<(AccountId, StaffRole)>,
}

/// Writes courses, published, with their topics and staff.
pub(super) async fn put_courses(tx: &mut Tx, rows: &[CourseRow], now: Timestamp) -> Result<(), DbError> {
    bulk!(tx, rows,
        "INSERT INTO courses (id, slug, title, title_key, summary, search_text, language, level, status, open_forum, lesson_count, seconds, published_at, position, updated_at) ",
        |b, row| b
            .push_bind(row.id)
            .push_bind(row.slug.clone())
            .push_bind(row.title.clone())
            .push_bind(row.title.to_lowercase())
            .push_bind(row.summary.clone())
            .push_bind(format!("{} {}", row.title, row.summary).to_lowercase())
            .push_bind(row.language.clone())
            .push_bind(row.level.map(|level| level.name().to_owned()))
            .push_bind("PUBLISHED")
            .push_bind(row.open_forum)
            .push_bind(0_i64)
            .push_bind(0_i64)
            .push_bind(row.published_at)
            .push_bind(row.position)
            .push_bind(now),
        " ON CONFLICT (id) DO UPDATE SET title = excluded.title, title_key = excluded.title_key, summary = excluded.summary,
            search_text = excluded.search_text, language = excluded.language, level = excluded.level,
            open_forum = excluded.open_forum, published_at = excluded.published_at, updated_at = excluded.updated_at");
    // What a row does not say stays as it is.
    let ids = |says: fn(&CourseRow) -> bool| rows.iter().filter(|row| says(row)).map(|row| row.id).collect::<Vec<_>>();
    for_each_piece(tx, &FORGET_TOPICS, &ids(|row| !row.topics.is_empty())).await?;
    for_each_piece(tx, &FORGET_PREREQUISITES, &ids(|row| row.has_prerequisites)).await?;
    for_each_piece(tx, &FORGET_STAFF, &ids(|row| !row.staff.is_empty())).await?;
    let topics: Vec<_> =
        rows.iter().flat_map(|row| row.topics.iter().zip(0_i64..).map(|(topic, at)| (row.id, *topic, at))).collect();
    bulk!(
        tx,
        topics,
        "INSERT INTO course_topics (course_id, topic_id, position) ",
        |b, row| b.push_bind(row.0).push_bind(row.1).push_bind(row.2),
        " ON CONFLICT (course_id, topic_id) DO NOTHING"
    );
    let staff: Vec<_> = rows
        .iter()
        .flat_map(|row| row.staff.iter().zip(0_i64..).map(|((account, role), at)| (row.id, *account, *role, at)))
        .collect();
    bulk!(
        tx,
        staff,
        "INSERT INTO course_staff (course_id, account_id, role, position) ",
        |b, row| b.push_bind(row.0).push_bind(row.1).push_bind(row.2.name()).push_bind(row.3),
        " ON CONFLICT (course_id, account_id) DO NOTHING"
    );
    Ok(())
}

/// Pairs of a course and one that it requires.
pub(super) async fn put_prerequisites(tx: &mut Tx, rows: &[(CourseId, CourseId)]) -> Result<(), DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO course_prerequisites (course_id, required_course_id) ",
        |b, row| b.push_bind(row.0).push_bind(row.1),
        " ON CONFLICT (course_id, required_course_id) DO NOTHING"
    );
    Ok(())
}

/// Modules: id, course, position, title.
pub(super) async fn put_modules(tx: &mut Tx, rows: &[(ModuleId, CourseId, i64, String)]) -> Result<(), DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO modules (id, course_id, position, title) ",
        |b, row| b.push_bind(row.0).push_bind(row.1).push_bind(row.2).push_bind(row.3.clone()),
        " ON CONFLICT (id) DO UPDATE SET position = excluded.position, title = excluded.title"
    );
    Ok(())
}

pub(super) struct LessonRow {
    pub(super) id: LessonId,
    pub(super) course_id: CourseId,
    pub(super) module_id: ModuleId,
    pub(super) position: i64,
    pub(super) title: String,
    pub(super) kind: LessonKind,
    pub(super) seconds: Option<i64>,
}

pub(super) async fn put_lessons(tx: &mut Tx, rows: &[LessonRow]) -> Result<(), DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO lessons (id, course_id, module_id, position, title, kind, seconds) ",
        |b, row| b
            .push_bind(row.id)
            .push_bind(row.course_id)
            .push_bind(row.module_id)
            .push_bind(row.position)
            .push_bind(row.title.clone())
            .push_bind(row.kind.name())
            .push_bind(row.seconds),
        " ON CONFLICT (id) DO UPDATE SET module_id = excluded.module_id, position = excluded.position,
            title = excluded.title, kind = excluded.kind, seconds = excluded.seconds"
    );
    Ok(())
}

/// Brings the courses' counts of lessons up to date.
pub(super) async fn sum_courses(tx: &mut Tx, courses: &[CourseId], now: Timestamp) -> Result<(), DbError> {
    for piece in courses.chunks(KEYS) {
        let (sql, ids) = (tx.sql(&SUM_COURSES), Uuids::new(piece.iter().copied()));
        on!(tx.conn(), c => sqlx::query(sql).bind(ids).bind(now).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

/// What a learner did in a lesson, in the terms of the table.
#[derive(Clone, Copy)]
pub(super) struct ProgressRow {
    pub(super) learner_id: AccountId,
    pub(super) course_id: CourseId,
    pub(super) lesson_id: LessonId,
    pub(super) seconds: i64,
    pub(super) furthest: i64,
    pub(super) progress: i64,
    pub(super) started_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) rating: Option<i64>,
}

impl ProgressRow {
    /// Two reports of the same: the earliest start, the latest end, the largest numbers. The same in any
    /// order, and twice the same is once.
    pub(super) fn merge(&mut self, other: &Self) {
        self.seconds = self.seconds.max(other.seconds);
        self.furthest = self.furthest.max(other.furthest);
        self.progress = self.progress.max(other.progress);
        self.started_at = self.started_at.min(other.started_at);
        self.updated_at = self.updated_at.max(other.updated_at);
        self.completed_at = match (self.completed_at, other.completed_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.rating = self.rating.max(other.rating);
    }
}

/// Writes what learners did; sums are brought up to date by [`sum_enrolments`].
pub(super) async fn put_progress(tx: &mut Tx, db: &Db, rows: &[ProgressRow]) -> Result<(), DbError> {
    let mut enrolments: HashMap<(AccountId, CourseId), ProgressRow> = HashMap::new();
    for row in rows {
        enrolments.entry((row.learner_id, row.course_id)).and_modify(|sum| sum.merge(row)).or_insert(*row);
    }
    let enrolments: Vec<_> = enrolments.into_values().collect();
    // The names of the functions that take the smaller and the larger of two values.
    let (least, greatest) = if db.kind() == "sqlite" { ("MIN", "MAX") } else { ("LEAST", "GREATEST") };
    bulk!(
        tx,
        enrolments,
        "INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum, rating) ",
        |b, row| b
            .push_bind(row.learner_id)
            .push_bind(row.course_id)
            .push_bind(row.started_at)
            .push_bind(row.updated_at)
            .push_bind(0_i64)
            .push_bind(0_i64)
            .push_bind(row.rating),
        format_args!(
            " ON CONFLICT (learner_id, course_id) DO UPDATE SET
            enrolled_at = {least}(enrolments.enrolled_at, excluded.enrolled_at),
            last_active_at = {greatest}(enrolments.last_active_at, excluded.last_active_at),
            rating = COALESCE({greatest}(enrolments.rating, excluded.rating), enrolments.rating, excluded.rating),
            record_version = enrolments.record_version + 1"
        )
    );
    bulk!(tx, rows,
        "INSERT INTO lesson_progress (learner_id, course_id, lesson_id, seconds, position, furthest, progress, started_at, updated_at, completed_at) ",
        |b, row| b
            .push_bind(row.learner_id)
            .push_bind(row.course_id)
            .push_bind(row.lesson_id)
            .push_bind(row.seconds)
            .push_bind(row.furthest)
            .push_bind(row.furthest)
            .push_bind(row.progress)
            .push_bind(row.started_at)
            .push_bind(row.updated_at)
            .push_bind(row.completed_at),
        format_args!(" ON CONFLICT (learner_id, course_id, lesson_id) DO UPDATE SET
            seconds = {greatest}(lesson_progress.seconds, excluded.seconds),
            position = CASE WHEN excluded.updated_at > lesson_progress.updated_at THEN excluded.position ELSE lesson_progress.position END,
            furthest = {greatest}(lesson_progress.furthest, excluded.furthest),
            progress = {greatest}(lesson_progress.progress, excluded.progress),
            started_at = {least}(lesson_progress.started_at, excluded.started_at),
            updated_at = {greatest}(lesson_progress.updated_at, excluded.updated_at),
            completed_at = COALESCE({least}(lesson_progress.completed_at, excluded.completed_at), lesson_progress.completed_at, excluded.completed_at)"));
    Ok(())
}

/// Lets nobody take or leave these courses until the transaction ends: before any row of a learner's is locked, as they do it.
pub(super) async fn hold_seats(tx: &mut Tx, courses: &[CourseId]) -> Result<(), DbError> {
    for_each_piece(tx, &BEGIN_SEATS, courses).await?;
    for_each_piece(tx, &LOCK_SEATS, courses).await
}

/// Brings the sums of enrolments and courses up to date with what was written.
pub(super) async fn sum_enrolments(tx: &mut Tx, learners: &[AccountId], courses: &[CourseId]) -> Result<(), DbError> {
    // Without statistics PostgreSQL expects that few lessons are published, and goes through all of those for each enrolment.
    if let Backend::Pg(c) = tx.conn() {
        sqlx::query("ANALYZE enrolments, lesson_progress, lessons, modules").execute(c).await?;
    }
    for_each_piece(tx, &LOCK_ENROLMENTS, learners).await?;
    for_each_piece(tx, &SUM_ENROLMENTS, learners).await?;
    for_each_piece(tx, &MARK_COMPLETED, learners).await?;
    for_each_piece(tx, &BEGIN_ROLLUPS, courses).await?;
    for_each_piece(tx, &LOCK_ROLLUPS, courses).await?;
    for_each_piece(tx, &SUM_ROLLUPS, courses).await?;
    for_each_piece(tx, &SUM_SEATS, courses).await
}

/// Categories: course, id, position, name.
pub(super) async fn put_categories(tx: &mut Tx, rows: &[(CourseId, CategoryId, i64, String)]) -> Result<(), DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO forum_categories (course_id, id, position, name) ",
        |b, row| b.push_bind(row.0).push_bind(row.1).push_bind(row.2).push_bind(row.3.clone()),
        " ON CONFLICT (course_id, id) DO NOTHING"
    );
    Ok(())
}

pub(super) struct ThreadRow {
    pub(super) course_id: CourseId,
    pub(super) id: ThreadId,
    pub(super) category_id: CategoryId,
    pub(super) author_id: AccountId,
    pub(super) kind: ThreadKind,
    pub(super) title: String,
    pub(super) created_at: Timestamp,
}

pub(super) async fn put_threads(tx: &mut Tx, rows: &[ThreadRow]) -> Result<(), DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO threads (course_id, id, category_id, author_id, kind, title, created_at, post_count) ",
        |b, row| b
            .push_bind(row.course_id)
            .push_bind(row.id)
            .push_bind(row.category_id)
            .push_bind(row.author_id)
            .push_bind(row.kind.name())
            .push_bind(row.title.clone())
            .push_bind(row.created_at)
            .push_bind(0_i64),
        " ON CONFLICT (course_id, id) DO UPDATE SET title = excluded.title, kind = excluded.kind, category_id = excluded.category_id"
    );
    Ok(())
}

pub(super) struct PostRow {
    pub(super) course_id: CourseId,
    pub(super) id: PostId,
    pub(super) thread_id: ThreadId,
    pub(super) author_id: AccountId,
    pub(super) reply_to: Option<PostId>,
    pub(super) depth: i64,
    pub(super) body: String,
    pub(super) created_at: Timestamp,
}

pub(super) async fn put_posts(tx: &mut Tx, rows: &[PostRow]) -> Result<(), DbError> {
    bulk!(
        tx,
        rows,
        "INSERT INTO posts (course_id, id, thread_id, author_id, reply_to, depth, body, created_at) ",
        |b, row| b
            .push_bind(row.course_id)
            .push_bind(row.id)
            .push_bind(row.thread_id)
            .push_bind(row.author_id)
            .push_bind(row.reply_to)
            .push_bind(row.depth)
            .push_bind(row.body.clone())
            .push_bind(row.created_at),
        " ON CONFLICT (course_id, id) DO UPDATE SET body = excluded.body"
    );
    Ok(())
}

pub(super) async fn count_posts(tx: &mut Tx, courses: &[CourseId]) -> Result<(), DbError> {
    for_each_piece(tx, &LOCK_THREADS, courses).await?;
    for_each_piece(tx, &COUNT_POSTS, courses).await?;
    crate::forum::store::attention::count_all(tx, courses).await
}
