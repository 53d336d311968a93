//! What posts said before they were edited.

use crate::{
    db::{
        Db, DbError, Pairs, Text, Tx, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    forum::model::{Post, RemovedAs, Revision},
    ids::{AccountId, CourseId, PostId, RevisionId},
    time::Timestamp,
};

statements! {
    INSERT_REVISION {
        "INSERT INTO post_revisions (course_id, post_id, id, version, body, edited_at, edited_as, editor_id, reason)
         SELECT course_id, id, $3, version, body, $4, $5, $6, $7 FROM posts WHERE course_id = $1 AND id = $2"
    }
    REVISIONS_FORWARD {
        [page (pairs) "t.course_id, t.post_id, t.id, t.version, t.body, t.edited_at, t.edited_as, t.reason"
         from "post_revisions" owned "t.course_id = k.owner AND t.post_id = k.key"
         where "i.course_id = k.owner AND i.post_id = k.key" by "edited_at" "id" ("<" "DESC")]
    }
    REVISIONS_BACKWARD {
        [page (pairs) "t.course_id, t.post_id, t.id, t.version, t.body, t.edited_at, t.edited_as, t.reason"
         from "post_revisions" owned "t.course_id = k.owner AND t.post_id = k.key"
         where "i.course_id = k.owner AND i.post_id = k.key" by "edited_at" "id" (">" "ASC")]
    }
}

#[derive(sqlx::FromRow)]
struct RevisionRow {
    course_id: CourseId,
    post_id: PostId,
    id: RevisionId,
    version: i64,
    body: String,
    edited_at: Timestamp,
    edited_as: Text<RemovedAs>,
    reason: Option<String>,
}

impl From<RevisionRow> for Revision {
    fn from(row: RevisionRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            post_id: row.post_id,
            version: row.version,
            body: row.body.into(),
            edited_at: row.edited_at,
            edited_as: row.edited_as.0,
            reason: row.reason.into(),
        }
    }
}

/// For each post the rows of a page of its history, the latest first, as they were read.
pub(crate) async fn pages(
    db: &Db,
    posts: &[(CourseId, PostId)],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Revision>, DbError> {
    let sql = db.sql(if request.is_forward() { &REVISIONS_FORWARD } else { &REVISIONS_BACKWARD });
    let (time, id) = request.start(false);
    let keys = Pairs::new(posts.iter().copied());
    let rows: Vec<RevisionRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(time).bind(id).bind(request.fetch()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Revision::from).collect())
}

/// Keeps what a post says now, before it is edited.
pub(crate) async fn keep(
    tx: &mut Tx,
    post: &Post,
    id: RevisionId,
    (editor, as_what): (AccountId, RemovedAs),
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_REVISION);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(post.course_id).bind(post.id).bind(id).bind(now).bind(Text(as_what)).bind(editor).bind(reason)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}
