//! The tables of beats, and what a batch of them reads and writes: each statement takes the rows of all its learners.

use uuid::Uuid;

use crate::{
    courses::model::Completion,
    db::{Db, DbError, Pairs, Rows, Text, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId, LessonId},
    progress::model::{CapReason, EnrolmentNotes, Mark},
    time::Timestamp,
};

/// A learner in a course.
pub(in crate::progress) type Pair = (AccountId, CourseId);

statements! {
    /// Lessons with what completes them. On PostgreSQL their courses are held as they are until the transaction ends: whoever
    /// changes what belongs to a course waits for that, and learners who meet there don't wait for each other.
    LESSONS {
        "SELECT l.id, l.course_id, l.seconds AS length, l.completion, l.completion_share, l.content_version,
           (l.status = 'PUBLISHED' AND m.status = 'PUBLISHED') AS counts,
           (c.status <> 'DRAFT' AND l.status <> 'DRAFT' AND m.status <> 'DRAFT') AS is_public, c.lesson_count
         FROM lessons l JOIN modules m ON m.id = l.module_id JOIN courses c ON c.id = l.course_id
         WHERE l.id " [any_uuid 1] " ORDER BY c.id, l.id" [pg " FOR SHARE OF c"]
    }
    /// Always in the same order, so that no two batches wait for each other.
    HOLD_ENROLMENTS {
        "SELECT e.learner_id, e.course_id, e.enrolled_at, e.last_active_at, e.left_at, e.completed_at, e.seconds, e.progress_sum,
           e.last_beat_at, e.capped_seconds
         FROM " [pairs 1] " k JOIN enrolments e ON e.learner_id = k.owner AND e.course_id = k.key
         ORDER BY e.learner_id, e.course_id" [pg " FOR UPDATE OF e"]
    }
    KNOWN_BEATS {
        "SELECT b.learner_id, b.id, b.course_id, b.lesson_id, b.client_at, b.seconds, b.position, b.capped, b.reason
         FROM " [pairs 1] " k JOIN activity_beats b ON b.learner_id = k.owner AND b.id = k.key"
    }
    BEATS_WITHIN {
        "SELECT b.learner_id, b.course_id, b.id, b.lesson_id, b.session_id, b.at, b.client_at, b.not_before, b.seconds, b.position
         FROM " [rows 1] " JOIN activity_beats b
           ON b.learner_id = " [id 0] " AND b.course_id = " [id 1] " AND b.at BETWEEN " [int 2] " AND " [int 3]
    }
    LESSON_STATES {
        "SELECT p.learner_id, p.course_id, p.lesson_id, p.seconds, p.position, p.position_at, p.furthest, p.progress, p.score,
           p.scored_at, p.content_version, p.started_at, p.updated_at, p.completed_at
         FROM " [rows 1] " JOIN lesson_progress p
           ON p.learner_id = " [id 0] " AND p.course_id = " [id 1] " AND p.lesson_id = " [id 2]
    }
    PUT_BEATS {
        "INSERT INTO activity_beats (learner_id, id, course_id, lesson_id, session_id, at, client_at, not_before, seconds, position, capped, reason)
         SELECT " [id 0] ", " [id 1] ", " [id 2] ", " [id 3] ", " [id 4] ", " [int 5] ", " [int 6] ", " [int 7] ", " [int 8] ", " [int 9] ", "
           [int 10] ", " [text 11] " FROM " [rows 1] " WHERE TRUE
         ON CONFLICT (learner_id, id) DO UPDATE SET capped = excluded.capped, reason = excluded.reason"
    }
    /// Their enrolments are put after them in the same transaction, which raises the versions of their records.
    PUT_LESSONS {
        "INSERT INTO lesson_progress (learner_id, course_id, lesson_id, seconds, position, position_at, furthest, progress, score, scored_at,
           content_version, started_at, updated_at, completed_at)
         SELECT " [id 0] ", " [id 1] ", " [id 2] ", " [int 3] ", " [int 4] ", " [int 5] ", " [int 6] ", " [int 7] ", " [int 8] ", " [int 9] ", "
           [int 10] ", " [int 11] ", " [int 12] ", " [int 13] " FROM " [rows 1] " WHERE TRUE
         ON CONFLICT (learner_id, course_id, lesson_id) DO UPDATE SET seconds = excluded.seconds, position = excluded.position,
           position_at = excluded.position_at, furthest = excluded.furthest, progress = excluded.progress, score = excluded.score,
           scored_at = excluded.scored_at, content_version = excluded.content_version, started_at = excluded.started_at,
           updated_at = excluded.updated_at, completed_at = excluded.completed_at"
    }
    PUT_ENROLMENTS {
        "UPDATE enrolments SET last_active_at = r.last_active_at, completed_at = r.completed_at, seconds = r.seconds,
           progress_sum = r.progress_sum, last_beat_at = r.last_beat_at, capped_seconds = r.capped_seconds,
           record_version = enrolments.record_version + 1
         FROM (SELECT " [id 0] " AS learner_id, " [id 1] " AS course_id, " [int 2] " AS last_active_at, " [int 3] " AS completed_at, "
           [int 4] " AS seconds, " [int 5] " AS progress_sum, " [int 6] " AS last_beat_at, " [int 7] " AS capped_seconds FROM " [rows 1] ") r
         WHERE enrolments.learner_id = r.learner_id AND enrolments.course_id = r.course_id"
    }
    /// When the last of the course's lessons was completed by a learner who has completed all.
    LAST_COMPLETION {
        "SELECT MAX(p.completed_at) FROM lesson_progress p JOIN lessons l ON l.id = p.lesson_id AND l.status = 'PUBLISHED'
           JOIN modules m ON m.id = l.module_id AND m.status = 'PUBLISHED'
         WHERE p.learner_id = $1 AND p.course_id = $2"
    }
    ADD_COMPLETIONS { "UPDATE course_rollups SET completed_count = completed_count + $2 WHERE course_id = $1" }
    PRUNE {
        "DELETE FROM activity_beats WHERE (learner_id, id) IN (SELECT b.learner_id, b.id FROM activity_beats b WHERE b.at < $1 ORDER BY b.at LIMIT $2)"
    }
    NOTES {
        "SELECT e.learner_id, e.course_id, e.seen_content, e.capped_seconds
         FROM " [pairs 1] " k JOIN enrolments e ON e.learner_id = k.owner AND e.course_id = k.key"
    }
    /// The latest marks of each enrolment.
    MARKS {
        "SELECT b.learner_id, b.course_id, b.at, b.lesson_id, b.seconds, b.capped, b.reason
         FROM " [pairs 1] " k " [lite "CROSS "] "JOIN activity_beats b ON b.learner_id = k.owner AND b.course_id = k.key AND b.reason IS NOT NULL
           AND b.id IN (SELECT i.id FROM activity_beats i WHERE i.learner_id = k.owner AND i.course_id = k.key AND i.reason IS NOT NULL
                        ORDER BY i.at DESC, i.id DESC LIMIT $2)
         ORDER BY b.at DESC, b.id DESC"
    }
}

/// A lesson with what completes it.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(in crate::progress) struct LessonRow {
    pub(in crate::progress) id: LessonId,
    pub(in crate::progress) course_id: CourseId,
    pub(in crate::progress) length: Option<i64>,
    pub(in crate::progress) completion: Text<Completion>,
    pub(in crate::progress) completion_share: Option<i64>,
    pub(in crate::progress) content_version: i64,
    /// Whether it is part of the course's progress.
    pub(in crate::progress) counts: bool,
    /// Whether it is no draft.
    pub(in crate::progress) is_public: bool,
    /// How many lessons its course has.
    pub(in crate::progress) lesson_count: i64,
}

/// An enrolment that is held until the transaction ends.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(in crate::progress) struct HeldRow {
    pub(in crate::progress) learner_id: AccountId,
    pub(in crate::progress) course_id: CourseId,
    pub(in crate::progress) enrolled_at: Timestamp,
    pub(in crate::progress) last_active_at: Timestamp,
    pub(in crate::progress) left_at: Option<Timestamp>,
    pub(in crate::progress) completed_at: Option<Timestamp>,
    pub(in crate::progress) seconds: i64,
    pub(in crate::progress) progress_sum: i64,
    pub(in crate::progress) last_beat_at: Option<Timestamp>,
    pub(in crate::progress) capped_seconds: i64,
}

/// A beat that was recorded before.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(in crate::progress) struct KnownRow {
    pub(in crate::progress) learner_id: AccountId,
    pub(in crate::progress) id: Uuid,
    pub(in crate::progress) course_id: CourseId,
    pub(in crate::progress) lesson_id: LessonId,
    pub(in crate::progress) client_at: Option<Timestamp>,
    pub(in crate::progress) seconds: i64,
    pub(in crate::progress) position: Option<i64>,
    pub(in crate::progress) capped: i64,
    pub(in crate::progress) reason: Option<Text<CapReason>>,
}

/// A beat as it is kept, apart from how much of it counts: that depends on the others.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(in crate::progress) struct BeatRow {
    pub(in crate::progress) learner_id: AccountId,
    pub(in crate::progress) course_id: CourseId,
    pub(in crate::progress) id: Uuid,
    pub(in crate::progress) lesson_id: LessonId,
    pub(in crate::progress) session_id: Uuid,
    pub(in crate::progress) at: Timestamp,
    pub(in crate::progress) client_at: Option<Timestamp>,
    pub(in crate::progress) not_before: Timestamp,
    pub(in crate::progress) seconds: i64,
    pub(in crate::progress) position: Option<i64>,
}

/// A learner's state in a lesson.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(in crate::progress) struct StateRow {
    pub(in crate::progress) learner_id: AccountId,
    pub(in crate::progress) course_id: CourseId,
    pub(in crate::progress) lesson_id: LessonId,
    pub(in crate::progress) seconds: i64,
    pub(in crate::progress) position: i64,
    pub(in crate::progress) position_at: Option<Timestamp>,
    pub(in crate::progress) furthest: i64,
    pub(in crate::progress) progress: i64,
    pub(in crate::progress) score: Option<i64>,
    pub(in crate::progress) scored_at: Option<Timestamp>,
    pub(in crate::progress) content_version: i64,
    pub(in crate::progress) started_at: Timestamp,
    pub(in crate::progress) updated_at: Timestamp,
    pub(in crate::progress) completed_at: Option<Timestamp>,
}

pub(in crate::progress) async fn lessons(tx: &mut Tx, ids: &[LessonId]) -> Result<Vec<LessonRow>, DbError> {
    let (sql, ids) = (tx.sql(&LESSONS), Uuids::new(ids.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?)
}

/// The enrolments that there are, those that were left, too.
pub(in crate::progress) async fn hold(tx: &mut Tx, pairs: impl Iterator<Item = Pair>) -> Result<Vec<HeldRow>, DbError> {
    let (sql, pairs) = (tx.sql(&HOLD_ENROLMENTS), Pairs::new(pairs));
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(pairs).fetch_all(c).await)?)
}

pub(in crate::progress) async fn known_beats(tx: &mut Tx, ids: &[(AccountId, Uuid)]) -> Result<Vec<KnownRow>, DbError> {
    let (sql, ids) = (tx.sql(&KNOWN_BEATS), Pairs::new(ids.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(ids).fetch_all(c).await)?)
}

/// The beats of each learner in a course that end from one instant to another.
pub(in crate::progress) async fn beats_within(
    tx: &mut Tx,
    windows: &[(AccountId, CourseId, Timestamp, Timestamp)],
) -> Result<Vec<BeatRow>, DbError> {
    let (sql, windows) = (tx.sql(&BEATS_WITHIN), Rows::new(windows)?);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(windows).fetch_all(c).await)?)
}

pub(in crate::progress) async fn lesson_states(
    tx: &mut Tx,
    keys: &[(AccountId, CourseId, LessonId)],
) -> Result<Vec<StateRow>, DbError> {
    let (sql, keys) = (tx.sql(&LESSON_STATES), Rows::new(keys)?);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?)
}

/// Adds beats, or says anew how much of them counts.
pub(in crate::progress) async fn put_beats(
    tx: &mut Tx,
    beats: &[(BeatRow, i64, Option<CapReason>)],
) -> Result<(), DbError> {
    let rows: Vec<_> = beats
        .iter()
        .map(|(beat, capped, reason)| {
            let (whose, when) = ((beat.learner_id, beat.id, beat.course_id, beat.lesson_id), (beat.at, beat.client_at));
            let reason = reason.map(CapReason::as_str);
            let (learner, id, course, lesson) = whose;
            let (at, client_at) = when;
            (
                learner,
                id,
                course,
                lesson,
                beat.session_id,
                at,
                client_at,
                beat.not_before,
                beat.seconds,
                beat.position,
                capped,
                reason,
            )
        })
        .collect();
    let (sql, rows) = (tx.sql(&PUT_BEATS), Rows::new(&rows)?);
    on!(tx.conn(), c => sqlx::query(sql).bind(rows).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in crate::progress) async fn put_lessons(tx: &mut Tx, states: &[StateRow]) -> Result<(), DbError> {
    let rows: Vec<_> = states
        .iter()
        .map(|state| {
            (
                state.learner_id,
                state.course_id,
                state.lesson_id,
                state.seconds,
                state.position,
                state.position_at,
                state.furthest,
                state.progress,
                state.score,
                state.scored_at,
                state.content_version,
                state.started_at,
                state.updated_at,
                state.completed_at,
            )
        })
        .collect();
    let (sql, rows) = (tx.sql(&PUT_LESSONS), Rows::new(&rows)?);
    on!(tx.conn(), c => sqlx::query(sql).bind(rows).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in crate::progress) async fn put_enrolments(tx: &mut Tx, enrolments: &[HeldRow]) -> Result<(), DbError> {
    let rows: Vec<_> = enrolments
        .iter()
        .map(|row| {
            let reached = (row.completed_at, row.seconds, row.progress_sum);
            let (completed_at, seconds, progress_sum) = reached;
            (
                row.learner_id,
                row.course_id,
                row.last_active_at,
                completed_at,
                seconds,
                progress_sum,
                row.last_beat_at,
                row.capped_seconds,
            )
        })
        .collect();
    let (sql, rows) = (tx.sql(&PUT_ENROLMENTS), Rows::new(&rows)?);
    on!(tx.conn(), c => sqlx::query(sql).bind(rows).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in crate::progress) async fn last_completion(
    tx: &mut Tx,
    (learner, course): Pair,
) -> Result<Option<Timestamp>, DbError> {
    let sql = tx.sql(&LAST_COMPLETION);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(learner).bind(course).fetch_one(c).await)?)
}

pub(in crate::progress) async fn add_completions(tx: &mut Tx, course: CourseId, count: i64) -> Result<(), DbError> {
    let sql = tx.sql(&ADD_COMPLETIONS);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(count).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Deletes beats that ended before, at most so many; how many there were.
pub(in crate::progress) async fn prune(db: &Db, before: Timestamp, most: i64) -> Result<u64, DbError> {
    let sql = db.sql(&PRUNE);
    Ok(
        on!(db.writer(), c => sqlx::query(sql).bind(before).bind(most).execute(c).await.map(|done| done.rows_affected()))?,
    )
}

pub(in crate::progress) async fn notes(db: &Db, keys: &[Pair]) -> Result<Vec<(Pair, EnrolmentNotes)>, DbError> {
    let (sql, keys) = (db.sql(&NOTES), Pairs::new(keys.iter().copied()));
    let rows: Vec<(AccountId, CourseId, Option<i64>, i64)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(learner, course, seen_content, capped_seconds)| {
            let (seen_content, capped_seconds) = (seen_content.into(), capped_seconds.into());
            ((learner, course), EnrolmentNotes { seen_content, capped_seconds })
        })
        .collect())
}

#[derive(sqlx::FromRow)]
struct MarkRow {
    learner_id: AccountId,
    course_id: CourseId,
    at: Timestamp,
    lesson_id: LessonId,
    seconds: i64,
    capped: i64,
    reason: Text<CapReason>,
}

/// The latest marks of each enrolment, the latest first.
pub(in crate::progress) async fn marks(db: &Db, keys: &[Pair], most: i64) -> Result<Vec<(Pair, Mark)>, DbError> {
    let (sql, keys) = (db.sql(&MARKS), Pairs::new(keys.iter().copied()));
    let rows: Vec<MarkRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(most).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let MarkRow { at, lesson_id, seconds, capped, reason, .. } = row;
            ((row.learner_id, row.course_id), Mark { at, lesson_id, seconds, capped, reason: reason.0 })
        })
        .collect())
}
