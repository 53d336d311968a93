//! Reports to a forum's moderators: one row for each post that was reported, and one for each who reported it.

use crate::{
    db::{
        Db, DbError, Pairs, Text, Tx, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    forum::moderation::model::{Decided, Decision, NewReport, Report, ReportReason, ReportState, Told},
    ids::{AccountId, CourseId, PostId, ReportId},
    time::Timestamp,
};

statements! {
    REPORTS {
        "SELECT r.course_id, r.id, r.post_id, r.author_id, r.state, r.reported_at, r.reporter_count, r.version, r.decision,
           r.decision_reason, r.decided_by, r.decided_at
         FROM " [pairs 1] " k JOIN reported_posts r ON r.course_id = k.owner AND r.id = k.key"
    }
    /// Without those about the reader's own posts, unless she is the only one to decide ($7).
    QUEUE_FORWARD {
        "SELECT course_id, id, post_id, author_id, state, reported_at, reporter_count, version, decision, decision_reason, decided_by, decided_at
         FROM reported_posts WHERE course_id = $1 AND state = $2 AND (reported_at, id) > ($3, $4) AND (author_id <> $6 OR $7)
         ORDER BY reported_at, id LIMIT $5"
    }
    QUEUE_BACKWARD {
        "SELECT course_id, id, post_id, author_id, state, reported_at, reporter_count, version, decision, decision_reason, decided_by, decided_at
         FROM reported_posts WHERE course_id = $1 AND state = $2 AND (reported_at, id) < ($3, $4) AND (author_id <> $6 OR $7)
         ORDER BY reported_at DESC, id DESC LIMIT $5"
    }
    HOLD {
        "SELECT course_id, id, post_id, author_id, state, reported_at, reporter_count, version, decision, decision_reason, decided_by, decided_at
         FROM reported_posts WHERE course_id = $1 AND id = $2" [for_update]
    }
    OPEN_OF_POST { "SELECT id FROM reported_posts WHERE course_id = $1 AND post_id = $2 AND state = 'OPEN'" [for_update] }
    OPEN {
        "INSERT INTO reported_posts (course_id, id, post_id, author_id, state, reported_at, reporter_count)
         VALUES ($1, $2, $3, $4, 'OPEN', $5, 1)
         ON CONFLICT (course_id, post_id) WHERE state = 'OPEN' DO NOTHING"
    }
    TELL {
        "INSERT INTO reports (course_id, report_id, reporter_id, reason, text, reported_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (course_id, report_id, reporter_id) DO NOTHING"
    }
    COUNT_REPORTER {
        "UPDATE reported_posts SET reporter_count = reporter_count + 1, version = version + 1 WHERE course_id = $1 AND id = $2"
    }
    TOLD {
        [page (pairs) "t.course_id, t.report_id, t.reporter_id, t.reason, t.text, t.reported_at" from "reports"
         owned "t.course_id = k.owner AND t.report_id = k.key" where "i.course_id = k.owner AND i.report_id = k.key"
         by "reported_at" "reporter_id" (">" "ASC")]
    }
    TOLD_BY {
        "SELECT r.course_id, r.report_id, r.reporter_id, r.reason, r.text, r.reported_at FROM " [pairs 1] " k
         JOIN reports r ON r.course_id = k.owner AND r.report_id = k.key WHERE r.reporter_id = $2"
    }
    REASONS {
        "SELECT r.course_id, r.report_id, r.reason, COUNT(*) AS reports FROM " [pairs 1] " k
         JOIN reports r ON r.course_id = k.owner AND r.report_id = k.key
         GROUP BY r.course_id, r.report_id, r.reason ORDER BY r.course_id, r.report_id, COUNT(*) DESC, r.reason"
    }
    REPORTERS { "SELECT reporter_id FROM reports WHERE course_id = $1 AND report_id = $2" }
    LATELY { "SELECT COUNT(*) FROM (SELECT 1 FROM reports WHERE course_id = $1 AND reporter_id = $2 AND reported_at > $3 LIMIT $4) l" }
    DECIDE {
        "UPDATE reported_posts SET state = 'DECIDED', decision = $3, decision_reason = $4, decided_by = $5, decided_at = $6,
           version = version + 1
         WHERE course_id = $1 AND id = $2 AND state = 'OPEN'"
    }
}

#[derive(sqlx::FromRow)]
struct ReportRow {
    course_id: CourseId,
    id: ReportId,
    post_id: PostId,
    author_id: AccountId,
    state: Text<ReportState>,
    reported_at: Timestamp,
    reporter_count: i64,
    version: i64,
    decision: Option<Text<Decision>>,
    decision_reason: Option<String>,
    decided_by: Option<AccountId>,
    decided_at: Option<Timestamp>,
}

impl From<ReportRow> for Report {
    fn from(row: ReportRow) -> Self {
        let decided = row.decision.zip(row.decided_by).zip(row.decided_at);
        Self {
            id: row.id,
            course_id: row.course_id,
            post_id: row.post_id,
            author_id: row.author_id,
            state: row.state.0,
            reported_at: row.reported_at,
            reporter_count: row.reporter_count.into(),
            version: row.version,
            decided: decided.map(|((decision, by), at)| Decided {
                decision: decision.0,
                reason: row.decision_reason,
                by,
                at,
            }),
        }
    }
}

#[derive(sqlx::FromRow)]
struct ToldRow {
    course_id: CourseId,
    report_id: ReportId,
    reporter_id: AccountId,
    reason: Text<ReportReason>,
    text: Option<String>,
    reported_at: Timestamp,
}

impl ToldRow {
    fn told(self) -> ((CourseId, ReportId), Told) {
        let Self { course_id, report_id, reporter_id, reason, text, reported_at } = self;
        ((course_id, report_id), Told { reporter_id, reason: reason.0, text, reported_at })
    }
}

pub(crate) async fn reports(db: &Db, keys: &[(CourseId, ReportId)]) -> Result<Vec<Report>, DbError> {
    let (sql, keys) = (db.sql(&REPORTS), Pairs::new(keys.iter().copied()));
    let rows: Vec<ReportRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Report::from).collect())
}

/// The rows of a page of a course's queue as a moderator finds it, the oldest first, as they were read. Those about posts of
/// her own are among them only if she is `alone`.
pub(crate) async fn queue(
    db: &Db,
    (course, state): (CourseId, ReportState),
    (reader, alone): (AccountId, bool),
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Report>, DbError> {
    let sql = db.sql(if request.is_forward() { &QUEUE_FORWARD } else { &QUEUE_BACKWARD });
    let (time, id) = request.start(true);
    let rows: Vec<ReportRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(course).bind(Text(state)).bind(time).bind(id).bind(request.fetch()).bind(reader).bind(alone).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Report::from).collect())
}

/// A report, which nobody else changes until the transaction ends.
pub(crate) async fn hold(tx: &mut Tx, course: CourseId, report: ReportId) -> Result<Option<Report>, DbError> {
    let sql = tx.sql(&HOLD);
    let row: Option<ReportRow> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).bind(report).fetch_optional(c).await)?;
    Ok(row.map(Report::from))
}

/// The report about a post that waits, if there is one.
pub(crate) async fn open_of_post(tx: &mut Tx, course: CourseId, post: PostId) -> Result<Option<ReportId>, DbError> {
    let sql = tx.sql(&OPEN_OF_POST);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(post).fetch_optional(c).await)?)
}

/// Opens a report about a post; `false` if there is one that waits.
pub(crate) async fn open(
    tx: &mut Tx,
    (course, id): (CourseId, ReportId),
    (post, author): (PostId, AccountId),
    at: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&OPEN);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(post).bind(author).bind(at)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Keeps what somebody reports; `false` if she has done so.
pub(crate) async fn tell(
    tx: &mut Tx,
    (course, report): (CourseId, ReportId),
    reporter: AccountId,
    new: &NewReport,
    at: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&TELL);
    Ok(
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(report).bind(reporter).bind(Text(new.reason)).bind(&new.text).bind(at)
        .execute(c).await.map(|done| done.rows_affected() > 0))?,
    )
}

/// Counts one more who has reported a post.
pub(crate) async fn count_reporter(tx: &mut Tx, course: CourseId, report: ReportId) -> Result<(), DbError> {
    let sql = tx.sql(&COUNT_REPORTER);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(report).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// What was reported, the first first; at most so many of each.
pub(crate) async fn told(
    db: &Db,
    reports: &[(CourseId, ReportId)],
    most: i64,
) -> Result<Vec<((CourseId, ReportId), Told)>, DbError> {
    let (sql, keys) = (db.sql(&TOLD), Pairs::new(reports.iter().copied()));
    let rows: Vec<ToldRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(i64::MIN).bind(uuid::Uuid::nil()).bind(most).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ToldRow::told).collect())
}

/// What somebody reported.
pub(crate) async fn told_by(
    db: &Db,
    reports: &[(CourseId, ReportId)],
    reporter: AccountId,
) -> Result<Vec<((CourseId, ReportId), Told)>, DbError> {
    let (sql, keys) = (db.sql(&TOLD_BY), Pairs::new(reports.iter().copied()));
    let rows: Vec<ToldRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(reporter).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ToldRow::told).collect())
}

/// A report, a reason, and how often it was given.
pub(crate) type Counted = ((CourseId, ReportId), (ReportReason, i64));

/// How often each reason was given, the commonest first.
pub(crate) async fn reasons(db: &Db, reports: &[(CourseId, ReportId)]) -> Result<Vec<Counted>, DbError> {
    let (sql, keys) = (db.sql(&REASONS), Pairs::new(reports.iter().copied()));
    let rows: Vec<(CourseId, ReportId, Text<ReportReason>, i64)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(course, report, reason, count)| ((course, report), (reason.0, count))).collect())
}

/// Who has reported.
pub(crate) async fn reporters(tx: &mut Tx, course: CourseId, report: ReportId) -> Result<Vec<AccountId>, DbError> {
    let sql = tx.sql(&REPORTERS);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(report).fetch_all(c).await)?)
}

/// How many posts somebody has reported in a course since an instant; counted up to `most`.
pub(crate) async fn lately(
    tx: &mut Tx,
    course: CourseId,
    reporter: AccountId,
    (since, most): (Timestamp, i64),
) -> Result<i64, DbError> {
    let sql = tx.sql(&LATELY);
    Ok(
        on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(reporter).bind(since).bind(most).fetch_one(c).await)?,
    )
}

/// Notes a decision; `false` if there is one.
pub(crate) async fn decide(
    tx: &mut Tx,
    (course, report): (CourseId, ReportId),
    decided: &Decided,
) -> Result<bool, DbError> {
    let sql = tx.sql(&DECIDE);
    Ok(
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(report).bind(Text(decided.decision)).bind(&decided.reason)
        .bind(decided.by).bind(decided.at).execute(c).await.map(|done| done.rows_affected() > 0))?,
    )
}
