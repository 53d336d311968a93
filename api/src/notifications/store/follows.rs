//! Who follows what, and who may hear of it.

use crate::{
    db::{Db, DbError, Pairs, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

statements! {
    FOLLOW {
        "INSERT INTO thread_follows (course_id, thread_id, person_id, followed_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (course_id, thread_id, person_id) DO NOTHING"
    }
    UNFOLLOW { "DELETE FROM thread_follows WHERE course_id = $1 AND thread_id = $2 AND person_id = $3" }
    FOLLOW_FORUM {
        "INSERT INTO forum_follows (course_id, person_id, followed_at) VALUES ($1, $2, $3)
         ON CONFLICT (course_id, person_id) DO NOTHING"
    }
    UNFOLLOW_FORUM { "DELETE FROM forum_follows WHERE course_id = $1 AND person_id = $2" }
    FOLLOWED {
        "SELECT f.course_id, f.thread_id FROM " [pairs 1] " k
         JOIN thread_follows f ON f.course_id = k.owner AND f.thread_id = k.key AND f.person_id = $2"
    }
    FOLLOWED_FORUMS { "SELECT course_id FROM forum_follows WHERE course_id " [any_uuid 1] " AND person_id = $2" }
    FOLLOWERS {
        "SELECT person_id FROM thread_follows WHERE course_id = $1 AND thread_id = $2 AND person_id > $3
         ORDER BY person_id LIMIT $4"
    }
    FORUM_FOLLOWERS {
        "SELECT person_id FROM forum_follows WHERE course_id = $1 AND person_id > $2 ORDER BY person_id LIMIT $3"
    }
    /// Those who follow one thread (2) follow another (3), too.
    FOLLOW_ALONG {
        "INSERT INTO thread_follows (course_id, thread_id, person_id, followed_at)
         SELECT course_id, $3, person_id, followed_at FROM thread_follows WHERE course_id = $1 AND thread_id = $2
         ON CONFLICT (course_id, thread_id, person_id) DO NOTHING"
    }
    /// Those who take a course; a draft is for nobody.
    LEARNERS {
        "SELECT learner_id FROM enrolments WHERE course_id = $1 AND left_at IS NULL AND learner_id > $2
           AND EXISTS (SELECT 1 FROM courses WHERE id = $1 AND status <> 'DRAFT')
         ORDER BY learner_id LIMIT $3"
    }
    EVERYBODY { "SELECT learner_id FROM enrolments WHERE course_id = $1 AND learner_id > $2 ORDER BY learner_id LIMIT $3" }
    /// Who of the people (1) takes the course (2), if it is no draft, or is of its staff.
    MEMBERS {
        "SELECT learner_id FROM enrolments WHERE learner_id " [any_uuid 1] " AND course_id = $2 AND left_at IS NULL
           AND EXISTS (SELECT 1 FROM courses WHERE id = $2 AND status <> 'DRAFT')
         UNION SELECT account_id FROM course_staff WHERE course_id = $2 AND account_id " [any_uuid 1]
    }
    /// Those, and everybody else if the forum is open.
    READERS {
        "SELECT learner_id FROM enrolments WHERE learner_id " [any_uuid 1] " AND course_id = $2 AND left_at IS NULL
           AND EXISTS (SELECT 1 FROM courses WHERE id = $2 AND status <> 'DRAFT')
         UNION SELECT account_id FROM course_staff WHERE course_id = $2 AND account_id " [any_uuid 1] "
         UNION SELECT id FROM accounts WHERE id " [any_uuid 1] "
           AND EXISTS (SELECT 1 FROM courses WHERE id = $2 AND status <> 'DRAFT' AND open_forum)"
    }
    /// Whether a post is the only one of its thread.
    OPENS { "SELECT NOT EXISTS (SELECT 1 FROM posts WHERE course_id = $1 AND thread_id = $2 AND id <> $3)" }
    /// Names of those who take a course and did not complete it before an instant (2): of so many (3) at most, the latest.
    NAMES_OF_LEARNERS {
        "SELECT a.id, a.name FROM (SELECT learner_id FROM enrolments WHERE course_id = $1 AND left_at IS NULL
           AND (completed_at IS NULL OR completed_at > $2) ORDER BY enrolled_at DESC, learner_id DESC LIMIT $3) e
         JOIN accounts a ON a.id = e.learner_id"
    }
    NAMES_OF_STAFF { "SELECT a.id, a.name FROM course_staff s JOIN accounts a ON a.id = s.account_id WHERE s.course_id = $1" }
}

pub(in super::super) async fn follow(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    person: AccountId,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&FOLLOW);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(thread).bind(person).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(in super::super) async fn unfollow(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    person: AccountId,
) -> Result<(), DbError> {
    let sql = tx.sql(&UNFOLLOW);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(thread).bind(person).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Follows a forum since an instant, or with `None` not any more.
pub(in super::super) async fn follow_forum(
    tx: &mut Tx,
    course: CourseId,
    person: AccountId,
    now: Option<Timestamp>,
) -> Result<(), DbError> {
    if let Some(now) = now {
        let sql = tx.sql(&FOLLOW_FORUM);
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(person).bind(now).execute(c).await.map(|_| ()))?;
    } else {
        let sql = tx.sql(&UNFOLLOW_FORUM);
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(person).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

/// Which of these threads somebody follows.
pub(in super::super) async fn followed(
    db: &Db,
    threads: &[(CourseId, ThreadId)],
    person: AccountId,
) -> Result<Vec<(CourseId, ThreadId)>, DbError> {
    let (sql, threads) = (db.sql(&FOLLOWED), Pairs::new(threads.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(threads).bind(person).fetch_all(c).await)?)
}

/// Of which of these courses somebody follows the whole forum.
pub(in super::super) async fn followed_forums(
    db: &Db,
    courses: &[CourseId],
    person: AccountId,
) -> Result<Vec<CourseId>, DbError> {
    let (sql, courses) = (db.sql(&FOLLOWED_FORUMS), Uuids::new(courses.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(courses).bind(person).fetch_all(c).await)?)
}

pub(in super::super) async fn followers(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    after: AccountId,
    most: i64,
) -> Result<Vec<AccountId>, DbError> {
    let sql = tx.sql(&FOLLOWERS);
    Ok(
        on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(thread).bind(after).bind(most).fetch_all(c).await)?,
    )
}

pub(in super::super) async fn forum_followers(
    tx: &mut Tx,
    course: CourseId,
    after: AccountId,
    most: i64,
) -> Result<Vec<AccountId>, DbError> {
    let sql = tx.sql(&FORUM_FOLLOWERS);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(after).bind(most).fetch_all(c).await)?)
}

pub(in super::super) async fn follow_along(
    tx: &mut Tx,
    course: CourseId,
    from: ThreadId,
    into: ThreadId,
) -> Result<(), DbError> {
    let sql = tx.sql(&FOLLOW_ALONG);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(from).bind(into).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Those who take a course; with those who left it, if `with_former`.
pub(in super::super) async fn learners(
    tx: &mut Tx,
    course: CourseId,
    with_former: bool,
    (after, most): (AccountId, i64),
) -> Result<Vec<AccountId>, DbError> {
    let sql = tx.sql(if with_former { &EVERYBODY } else { &LEARNERS });
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(after).bind(most).fetch_all(c).await)?)
}

pub(in super::super) async fn members(
    tx: &mut Tx,
    people: &[AccountId],
    course: CourseId,
) -> Result<Vec<AccountId>, DbError> {
    let (sql, people) = (tx.sql(&MEMBERS), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(people).bind(course).fetch_all(c).await)?)
}

pub(in super::super) async fn readers(
    tx: &mut Tx,
    people: &[AccountId],
    course: CourseId,
) -> Result<Vec<AccountId>, DbError> {
    let (sql, people) = (tx.sql(&READERS), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(people).bind(course).fetch_all(c).await)?)
}

pub(in super::super) async fn opens_thread(
    tx: &mut Tx,
    (course, thread): (CourseId, ThreadId),
    post: PostId,
) -> Result<bool, DbError> {
    let sql = tx.sql(&OPENS);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(thread).bind(post).fetch_one(c).await)?)
}

/// Names of a course's learners, for whoever may see them.
pub(in super::super) async fn names_of_learners(
    db: &Db,
    course: CourseId,
    completed_since: Timestamp,
    most: i64,
) -> Result<Vec<(AccountId, String)>, DbError> {
    let sql = db.sql(&NAMES_OF_LEARNERS);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(course).bind(completed_since).bind(most).fetch_all(c).await)?)
}

pub(in super::super) async fn names_of_staff(db: &Db, course: CourseId) -> Result<Vec<(AccountId, String)>, DbError> {
    let sql = db.sql(&NAMES_OF_STAFF);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(course).fetch_all(c).await)?)
}
