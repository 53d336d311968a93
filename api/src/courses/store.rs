//! The catalogue's tables.

pub(crate) mod contents;
pub(crate) mod desk;
pub(crate) mod links;
pub(crate) mod parts;

use sqlx::QueryBuilder;

use super::model::{
    Completion, Course, CourseFilter, CourseKey, CourseOrder, CourseRollup, CourseStatus, Lesson, LessonKind, Level,
    Module, PartStatus, StaffMember, StaffRole, Topic,
};
use crate::{
    db::{
        Db, DbError, Stored, Text, Texts, Uuids, on,
        page::{Page, PageRequest},
        statements,
    },
    ids::{AccountId, CourseId, LessonId, ModuleId, TopicId},
    time::Timestamp,
};

const PAGE_OF_COURSES: &str = "SELECT c.id, c.slug, c.title, c.summary, c.language, c.level, c.status, c.open_forum, c.lesson_count, c.seconds, c.published_at, c.version, c.content_version
     FROM courses c WHERE c.status = 'PUBLISHED'";

statements! {
    BY_IDS {
        "SELECT c.id, c.slug, c.title, c.summary, c.language, c.level, c.status, c.open_forum, c.lesson_count, c.seconds, c.published_at, c.version, c.content_version
         FROM courses c WHERE c.id " [any_uuid 1]
    }
    IDS_BY_SLUGS { "SELECT slug, id FROM courses WHERE slug " [any_text 1] }
    /// The topics of courses that anybody may know of: a learner's goal alone makes no topic public.
    PUBLIC_TOPICS {
        "SELECT t.id, t.slug, t.name FROM topics t WHERE EXISTS (SELECT 1 FROM course_topics ct JOIN courses c ON c.id = ct.course_id
         WHERE ct.topic_id = t.id AND c.status <> 'DRAFT') ORDER BY t.name, t.id"
    }
    PUBLIC_TOPICS_BY_IDS {
        "SELECT t.id, t.slug, t.name FROM topics t WHERE t.id " [any_uuid 1] " AND EXISTS (SELECT 1 FROM course_topics ct
         JOIN courses c ON c.id = ct.course_id WHERE ct.topic_id = t.id AND c.status <> 'DRAFT')"
    }
    TOPICS_BY_IDS { "SELECT id, slug, name FROM topics WHERE id " [any_uuid 1] }
    TOPICS_OF_COURSES {
        "SELECT ct.course_id, t.id, t.slug, t.name FROM course_topics ct JOIN topics t ON t.id = ct.topic_id
         WHERE ct.course_id " [any_uuid 1] " ORDER BY ct.course_id, ct.position, t.id"
    }
    PREREQUISITES {
        "SELECT p.course_id, p.required_course_id FROM course_prerequisites p JOIN courses c ON c.id = p.required_course_id
         WHERE p.course_id " [any_uuid 1] " AND c.status <> 'DRAFT' ORDER BY p.course_id, c.title_key, c.id"
    }
    STAFF {
        "SELECT course_id, account_id, role FROM course_staff
         WHERE course_id " [any_uuid 1] " ORDER BY course_id, position, account_id"
    }
    /// The position is the place among what learners find: a gap would tell of a draft.
    MODULES_BY_IDS {
        "SELECT id, course_id, title, status, version, (SELECT COUNT(*) FROM modules b WHERE b.course_id = m.course_id
           AND b.status = 'PUBLISHED' AND (b.position, b.id) < (m.position, m.id)) AS position
         FROM modules m WHERE id " [any_uuid 1]
    }
    MODULES_OF_COURSES {
        "SELECT id, course_id, title, status, version, ROW_NUMBER() OVER (PARTITION BY course_id ORDER BY position, id) - 1 AS position
         FROM modules WHERE status = 'PUBLISHED' AND course_id " [any_uuid 1] " ORDER BY course_id, modules.position, id"
    }
    /// With drafts.
    MODULES_FOR_STAFF {
        "SELECT id, course_id, title, status, version, COUNT(CASE WHEN status = 'PUBLISHED' THEN 1 END)
             OVER (PARTITION BY course_id ORDER BY position, id) - CASE WHEN status = 'PUBLISHED' THEN 1 ELSE 0 END AS position
         FROM modules WHERE status <> 'RETIRED' AND course_id " [any_uuid 1] " ORDER BY course_id, modules.position, id"
    }
    LESSONS_BY_IDS {
        "SELECT id, course_id, module_id, title, kind, seconds, status, version, content_version, completion, completion_share, is_preview,
           (SELECT COUNT(*) FROM lessons b WHERE b.module_id = l.module_id AND b.status = 'PUBLISHED'
              AND (b.position, b.id) < (l.position, l.id)) AS position
         FROM lessons l WHERE id " [any_uuid 1]
    }
    LESSONS_OF_MODULES {
        "SELECT id, course_id, module_id, title, kind, seconds, status, version, content_version, completion, completion_share, is_preview,
           ROW_NUMBER() OVER (PARTITION BY module_id ORDER BY position, id) - 1 AS position
         FROM lessons WHERE status = 'PUBLISHED' AND module_id " [any_uuid 1] " ORDER BY module_id, lessons.position, id"
    }
    /// With drafts.
    LESSONS_FOR_STAFF {
        "SELECT id, course_id, module_id, title, kind, seconds, status, version, content_version, completion, completion_share, is_preview,
           COUNT(CASE WHEN status = 'PUBLISHED' THEN 1 END) OVER (PARTITION BY module_id ORDER BY position, id)
             - CASE WHEN status = 'PUBLISHED' THEN 1 ELSE 0 END AS position
         FROM lessons WHERE status <> 'RETIRED' AND module_id " [any_uuid 1] " ORDER BY module_id, lessons.position, id"
    }
    ROLLUPS {
        "SELECT course_id, learner_count, completed_count, rating_count, rating_sum, review_count, review_sum FROM course_rollups
         WHERE course_id " [any_uuid 1]
    }
}

#[derive(sqlx::FromRow)]
struct CourseRow {
    id: CourseId,
    slug: String,
    title: String,
    summary: String,
    language: String,
    level: Option<Text<Level>>,
    status: Text<CourseStatus>,
    open_forum: bool,
    lesson_count: i64,
    seconds: i64,
    published_at: Timestamp,
    version: i64,
    content_version: i64,
}

impl From<CourseRow> for Course {
    fn from(row: CourseRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            title: row.title,
            summary: row.summary,
            language: row.language,
            level: row.level.map(|level| level.0),
            status: row.status.0,
            open_forum: row.open_forum,
            lesson_count: row.lesson_count,
            seconds: row.seconds,
            published_at: row.published_at,
            version: row.version,
            content_version: row.content_version,
        }
    }
}

#[derive(sqlx::FromRow)]
struct TopicRow {
    id: TopicId,
    slug: String,
    name: String,
}

impl From<TopicRow> for Topic {
    fn from(TopicRow { id, slug, name }: TopicRow) -> Self {
        Self { id, slug, name }
    }
}

#[derive(sqlx::FromRow)]
struct CourseTopicRow {
    course_id: CourseId,
    #[sqlx(flatten)]
    topic: TopicRow,
}

#[derive(sqlx::FromRow)]
struct ModuleRow {
    id: ModuleId,
    course_id: CourseId,
    position: i64,
    title: String,
    status: Text<PartStatus>,
    version: i64,
}

impl From<ModuleRow> for Module {
    fn from(ModuleRow { id, course_id, position, title, status, version }: ModuleRow) -> Self {
        Self { id, course_id, position, title, status: status.0, version }
    }
}

#[derive(sqlx::FromRow)]
struct LessonRow {
    id: LessonId,
    course_id: CourseId,
    module_id: ModuleId,
    position: i64,
    title: String,
    kind: Text<LessonKind>,
    seconds: Option<i64>,
    status: Text<PartStatus>,
    version: i64,
    content_version: i64,
    completion: Text<Completion>,
    completion_share: Option<i64>,
    is_preview: bool,
}

impl From<LessonRow> for Lesson {
    fn from(row: LessonRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            module_id: row.module_id,
            position: row.position,
            title: row.title,
            kind: row.kind.0,
            seconds: row.seconds,
            status: row.status.0,
            version: row.version,
            content_version: row.content_version,
            completion: row.completion.0,
            completion_share: row.completion_share,
            is_preview: row.is_preview,
        }
    }
}

pub(crate) async fn by_ids(db: &Db, ids: &[CourseId]) -> Result<Vec<Course>, DbError> {
    let (sql, ids) = (db.sql(&BY_IDS), Uuids::new(ids.iter().copied()));
    let rows: Vec<CourseRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Course::from).collect())
}

pub(crate) async fn ids_by_slugs(db: &Db, slugs: &[String]) -> Result<Vec<(String, CourseId)>, DbError> {
    let (sql, slugs) = (db.sql(&IDS_BY_SLUGS), Texts(slugs.to_vec()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(slugs).fetch_all(c).await)?)
}

/// A page of the published courses.
pub(crate) async fn page(
    db: &Db,
    filter: &CourseFilter,
    order: CourseOrder,
    request: &PageRequest<CourseKey>,
) -> Result<Page<Course>, DbError> {
    db.counted();
    let rows: Vec<CourseRow> = on!(db.reader(), c => {
        let mut query = QueryBuilder::new(PAGE_OF_COURSES);
        if let Some(topics) = &filter.topics {
            query.push(" AND EXISTS (SELECT 1 FROM course_topics ct JOIN topics t ON t.id = ct.topic_id WHERE ct.course_id = c.id AND t.slug ");
            push_any(&mut query, db, Texts(topics.clone()));
            query.push(")");
        }
        if let Some(levels) = &filter.levels {
            query.push(" AND c.level ");
            push_any(&mut query, db, Texts(levels.iter().map(|level| level.name().to_owned()).collect()));
        }
        if let Some(language) = &filter.language {
            query.push(" AND c.language = ").push_bind(language.clone());
        }
        for word in filter.text.iter().flat_map(|text| text.split_whitespace()) {
            query.push(" AND c.search_text LIKE ").push_bind(containing(word)).push(r" ESCAPE '\'");
        }
        let (column, ascending) = match order {
            CourseOrder::Title => ("c.title_key", true),
            CourseOrder::Newest => ("c.published_at", false),
            CourseOrder::Shortest => ("c.seconds", true),
        };
        let upward = ascending == request.is_forward();
        if let Some(from) = &request.from {
            query.push(format_args!(" AND ({column}, c.id) {} (", if upward { ">" } else { "<" }));
            match from.clone() {
                CourseKey::Number(value, id) => query.push_bind(value).push(", ").push_bind(id),
                CourseKey::Text(value, id) => query.push_bind(value).push(", ").push_bind(id),
            };
            query.push(")");
        }
        let direction = if upward { "ASC" } else { "DESC" };
        query.push(format_args!(" ORDER BY {column} {direction}, c.id {direction} LIMIT ")).push_bind(request.fetch());
        query.build_query_as().fetch_all(c).await
    })?;
    Ok(Page::from_rows(rows, request).map(Course::from))
}

/// `= ANY(…)` or `IN (…)`, as the fragments of [`statements!`] write it.
fn push_any<D: sqlx::Database>(query: &mut QueryBuilder<D>, db: &Db, texts: Texts)
where
    Texts: for<'q> sqlx::Encode<'q, D> + sqlx::Type<D> + 'static,
{
    match db.reader() {
        crate::db::Backend::Lite(_) => query.push("IN (SELECT value FROM json_each(").push_bind(texts).push("))"),
        crate::db::Backend::Pg(_) => query.push("= ANY(").push_bind(texts).push(")"),
    };
}

/// A pattern for `LIKE` that matches the word as it is written.
fn containing(word: &str) -> String {
    let mut pattern = String::from("%");
    for letter in word.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + "%"
}

pub(crate) async fn topics(db: &Db) -> Result<Vec<Topic>, DbError> {
    let sql = db.sql(&PUBLIC_TOPICS);
    let rows: Vec<TopicRow> = on!(db.reader(), c => sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Topic::from).collect())
}

pub(crate) async fn topics_by_ids(db: &Db, ids: &[TopicId]) -> Result<Vec<Topic>, DbError> {
    let (sql, ids) = (db.sql(&TOPICS_BY_IDS), Uuids::new(ids.iter().copied()));
    let rows: Vec<TopicRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Topic::from).collect())
}

pub(crate) async fn public_topics_by_ids(db: &Db, ids: &[TopicId]) -> Result<Vec<Topic>, DbError> {
    let (sql, ids) = (db.sql(&PUBLIC_TOPICS_BY_IDS), Uuids::new(ids.iter().copied()));
    let rows: Vec<TopicRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Topic::from).collect())
}

pub(crate) async fn topics_of_courses(db: &Db, courses: &[CourseId]) -> Result<Vec<(CourseId, Topic)>, DbError> {
    let (sql, courses) = (db.sql(&TOPICS_OF_COURSES), Uuids::new(courses.iter().copied()));
    let rows: Vec<CourseTopicRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| (row.course_id, row.topic.into())).collect())
}

/// Pairs of a course and one that it requires.
pub(crate) async fn prerequisites(db: &Db, courses: &[CourseId]) -> Result<Vec<(CourseId, CourseId)>, DbError> {
    let (sql, courses) = (db.sql(&PREREQUISITES), Uuids::new(courses.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?)
}

pub(crate) async fn staff(db: &Db, courses: &[CourseId]) -> Result<Vec<(CourseId, StaffMember)>, DbError> {
    let (sql, courses) = (db.sql(&STAFF), Uuids::new(courses.iter().copied()));
    let rows: Vec<(CourseId, AccountId, Text<StaffRole>)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(course, account_id, role)| (course, StaffMember { account_id, role: role.0 })).collect())
}

pub(crate) async fn modules_by_ids(db: &Db, ids: &[ModuleId]) -> Result<Vec<Module>, DbError> {
    let (sql, ids) = (db.sql(&MODULES_BY_IDS), Uuids::new(ids.iter().copied()));
    let rows: Vec<ModuleRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Module::from).collect())
}

/// The modules that learners find, and with `drafts` those that only staff does.
pub(crate) async fn modules_of_courses(db: &Db, courses: &[CourseId], drafts: bool) -> Result<Vec<Module>, DbError> {
    let sql = db.sql(if drafts { &MODULES_FOR_STAFF } else { &MODULES_OF_COURSES });
    let courses = Uuids::new(courses.iter().copied());
    let rows: Vec<ModuleRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Module::from).collect())
}

pub(crate) async fn lessons_by_ids(db: &Db, ids: &[LessonId]) -> Result<Vec<Lesson>, DbError> {
    let (sql, ids) = (db.sql(&LESSONS_BY_IDS), Uuids::new(ids.iter().copied()));
    let rows: Vec<LessonRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Lesson::from).collect())
}

/// The lessons that learners find, and with `drafts` those that only staff does.
pub(crate) async fn lessons_of_modules(db: &Db, modules: &[ModuleId], drafts: bool) -> Result<Vec<Lesson>, DbError> {
    let sql = db.sql(if drafts { &LESSONS_FOR_STAFF } else { &LESSONS_OF_MODULES });
    let modules = Uuids::new(modules.iter().copied());
    let rows: Vec<LessonRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(modules).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Lesson::from).collect())
}

pub(crate) async fn rollups(db: &Db, courses: &[CourseId]) -> Result<Vec<(CourseId, CourseRollup)>, DbError> {
    let (sql, courses) = (db.sql(&ROLLUPS), Uuids::new(courses.iter().copied()));
    let rows: Vec<(CourseId, i64, i64, i64, i64, i64, i64)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(course, learner_count, completed_count, rating_count, rating_sum, review_count, review_sum)| {
            let completed_count = completed_count.into();
            let rollup =
                CourseRollup { learner_count, completed_count, rating_count, rating_sum, review_count, review_sum };
            (course, rollup)
        })
        .collect())
}
