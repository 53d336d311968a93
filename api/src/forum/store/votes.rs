//! Who voted for what.

use crate::{
    db::{Db, DbError, Pairs, Tx, on, statements},
    ids::{AccountId, CourseId, PostId},
    time::Timestamp,
};

statements! {
    VOTED_FOR {
        "SELECT v.course_id, v.post_id FROM " [pairs 1] " k
         JOIN post_votes v ON v.course_id = k.owner AND v.post_id = k.key AND v.voter_id = $2"
    }
    INSERT_VOTE {
        "INSERT INTO post_votes (course_id, post_id, voter_id, voted_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (course_id, post_id, voter_id) DO NOTHING"
    }
    DELETE_VOTE { "DELETE FROM post_votes WHERE course_id = $1 AND post_id = $2 AND voter_id = $3" }
}

/// Those of the posts that somebody has voted for.
pub(crate) async fn voted_for(
    db: &Db,
    voter: AccountId,
    posts: &[(CourseId, PostId)],
) -> Result<Vec<(CourseId, PostId)>, DbError> {
    let (sql, keys) = (db.sql(&VOTED_FOR), Pairs::new(posts.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(keys).bind(voter).fetch_all(c).await)?)
}

/// Whether she had not voted for it.
pub(crate) async fn insert(
    tx: &mut Tx,
    (course, post): (CourseId, PostId),
    voter: AccountId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let sql = tx.sql(&INSERT_VOTE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(post).bind(voter).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

/// Whether she had voted for it.
pub(crate) async fn delete(tx: &mut Tx, (course, post): (CourseId, PostId), voter: AccountId) -> Result<bool, DbError> {
    let sql = tx.sql(&DELETE_VOTE);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(post).bind(voter)
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}
