//! What a change of a course's content does to the sums of its learners, and what they are told of it.

use crate::{
    db::{Db, DbError, Pairs, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId},
    progress::{
        model::{ContentChange, Progress},
        store::activity::Pair,
    },
    time::Timestamp,
};

statements! {
    /// The course is held until the transaction ends, so that nobody adds to a sum that is being made anew.
    HOLD_COURSE { "SELECT lesson_count, content_version FROM courses WHERE id = $1" [for_update] }
    LATEST_CHANGE { "SELECT version, published_at, added, removed FROM course_contents WHERE course_id = $1 AND version = $2" }
    /// Progress before and after, of those whose number it changes.
    NOTE_CHANGES {
        "INSERT INTO enrolment_changes (learner_id, course_id, version, progress_before, progress_now)
         SELECT s.learner_id, s.course_id, $2, CASE WHEN s.was > 1000000 THEN 1000000 ELSE s.was END, CASE WHEN s.is_now > 1000000 THEN 1000000 ELSE s.is_now END
         FROM (SELECT e.learner_id, e.course_id, CASE WHEN $3 > 0 THEN e.progress_sum / $3 ELSE 0 END AS was,
                 CASE WHEN $4 > 0 THEN (SELECT CAST(COALESCE(SUM(p.progress), 0) AS BIGINT) FROM lesson_progress p
                      JOIN lessons l ON l.id = p.lesson_id AND l.status = 'PUBLISHED' JOIN modules m ON m.id = l.module_id AND m.status = 'PUBLISHED'
                      WHERE p.learner_id = e.learner_id AND p.course_id = e.course_id) / $4 ELSE 0 END AS is_now
               FROM enrolments e WHERE e.course_id = $1 AND e.completed_at IS NULL) s
         WHERE s.was > 0 OR s.is_now > 0
         ON CONFLICT (learner_id, course_id, version) DO NOTHING"
    }
    SUM_AGAIN {
        "UPDATE enrolments SET progress_sum = CASE WHEN completed_at IS NOT NULL THEN $2 * 1000000 ELSE
           (SELECT CAST(COALESCE(SUM(p.progress), 0) AS BIGINT) FROM lesson_progress p
              JOIN lessons l ON l.id = p.lesson_id AND l.status = 'PUBLISHED' JOIN modules m ON m.id = l.module_id AND m.status = 'PUBLISHED'
            WHERE p.learner_id = enrolments.learner_id AND p.course_id = enrolments.course_id) END
         WHERE course_id = $1"
    }
    COMPLETE_WHOLE {
        "UPDATE enrolments SET completed_at = $3 WHERE course_id = $1 AND completed_at IS NULL AND $2 > 0 AND progress_sum >= $2 * 1000000
         RETURNING learner_id"
    }
    CHANGES_OF_COURSES {
        "SELECT course_id, version, published_at, added, removed FROM course_contents WHERE course_id " [any_uuid 1] " ORDER BY course_id, version"
    }
    NOTED_CHANGES {
        "SELECT c.learner_id, c.course_id, c.version, c.progress_before, c.progress_now
         FROM " [pairs 1] " k JOIN enrolment_changes c ON c.learner_id = k.owner AND c.course_id = k.key"
    }
    ACKNOWLEDGE {
        "UPDATE enrolments SET seen_content = $3 WHERE learner_id = $1 AND course_id = $2 AND (seen_content IS NULL OR seen_content < $3)"
    }
    FORGET_CHANGES { "DELETE FROM enrolment_changes WHERE learner_id = $1 AND course_id = $2 AND version <= $3" }
}

/// Lesson count and version of the content of a course, held until the transaction ends.
pub(in crate::progress) async fn hold_course(tx: &mut Tx, course: CourseId) -> Result<Option<(i64, i64)>, DbError> {
    let sql = tx.sql(&HOLD_COURSE);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_optional(c).await)?)
}

type ChangeRow = (i64, Timestamp, String, String);

fn change((version, at, added, removed): ChangeRow) -> Result<ContentChange, DbError> {
    let ids = |text: &str| serde_json::from_str(text).map_err(|error| DbError::Constraint(error.to_string()));
    Ok(ContentChange { version, at, added: ids(&added)?, removed: ids(&removed)? })
}

/// The change that made a version of a course's content; `None` for the first.
pub(in crate::progress) async fn change_to(
    tx: &mut Tx,
    course: CourseId,
    version: i64,
) -> Result<Option<ContentChange>, DbError> {
    let sql = tx.sql(&LATEST_CHANGE);
    let row: Option<ChangeRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(version).fetch_optional(c).await)?;
    row.map(change).transpose()
}

/// Notes what a change did to each learner's progress; before it the course had `before` lessons, now it has `now`.
pub(in crate::progress) async fn note_changes(
    tx: &mut Tx,
    (course, version): (CourseId, i64),
    (before, now): (i64, i64),
) -> Result<(), DbError> {
    let sql = tx.sql(&NOTE_CHANGES);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(version).bind(before).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Makes the sums of a course's learners anew; it has so many lessons now.
pub(in crate::progress) async fn sum_again(tx: &mut Tx, course: CourseId, lessons: i64) -> Result<(), DbError> {
    let sql = tx.sql(&SUM_AGAIN);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(lessons).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Those who have completed every lesson that is left have completed the course; who they are.
pub(in crate::progress) async fn complete_whole(
    tx: &mut Tx,
    course: CourseId,
    lessons: i64,
    now: Timestamp,
) -> Result<Vec<AccountId>, DbError> {
    let sql = tx.sql(&COMPLETE_WHOLE);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(lessons).bind(now).fetch_all(c).await)?)
}

/// What changed in courses, the first change first.
pub(in crate::progress) async fn changes_of_courses(
    db: &Db,
    courses: &[CourseId],
) -> Result<Vec<(CourseId, ContentChange)>, DbError> {
    let (sql, courses) = (db.sql(&CHANGES_OF_COURSES), Uuids::new(courses.iter().copied()));
    let rows: Vec<(CourseId, i64, Timestamp, String, String)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?;
    rows.into_iter()
        .map(|(course, version, at, added, removed)| Ok((course, change((version, at, added, removed))?)))
        .collect()
}

/// What changes did to learners' progress: version, before, after.
pub(in crate::progress) async fn noted_changes(
    db: &Db,
    keys: &[Pair],
) -> Result<Vec<(Pair, (i64, Progress, Progress))>, DbError> {
    let (sql, keys) = (db.sql(&NOTED_CHANGES), Pairs::new(keys.iter().copied()));
    let rows: Vec<(AccountId, CourseId, i64, i64, i64)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(learner, course, version, before, now)| {
            ((learner, course), (version, Progress::from_millionths(before), Progress::from_millionths(now)))
        })
        .collect())
}

/// Notes that a learner has taken notice of what changed up to a version.
pub(in crate::progress) async fn acknowledge(
    tx: &mut Tx,
    (learner, course): Pair,
    version: i64,
) -> Result<(), DbError> {
    for statement in [&ACKNOWLEDGE, &FORGET_CHANGES] {
        let sql = tx.sql(statement);
        on!(tx.conn(), c => sqlx::query(sql).bind(learner).bind(course).bind(version).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}
