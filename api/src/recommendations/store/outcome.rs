//! Sums over what became of lists, for the report on experiments. Read by a command, never by a request.

use futures_util::TryStreamExt as _;

use crate::db::{Db, DbError, on, statements};

statements! {
    /// By arm (2 is `ARM`) or by engine, of an experiment (1), or, with an empty name, of lists that were in none.
    SHOWN {
        "SELECT COALESCE(CASE WHEN $2 = 'ARM' THEN arm ELSE engine END, '') AS part,
           COUNT(*) AS shown, COUNT(DISTINCT learner_id) AS learners
         FROM recommendation_impressions WHERE COALESCE(experiment, '') = $1
         GROUP BY COALESCE(CASE WHEN $2 = 'ARM' THEN arm ELSE engine END, '')"
    }
    HAPPENED {
        "SELECT COALESCE(CASE WHEN $2 = 'ARM' THEN arm ELSE engine END, '') AS part, kind,
           COUNT(*) AS times, COUNT(DISTINCT learner_id) AS learners
         FROM recommendation_events WHERE COALESCE(experiment, '') = $1
         GROUP BY COALESCE(CASE WHEN $2 = 'ARM' THEN arm ELSE engine END, ''), kind"
    }
    /// Each course that was shown, in which place, how likely it was there, and whether it was taken because of it.
    LOGGED {
        "SELECT COALESCE(CASE WHEN $2 = 'ARM' THEN i.arm ELSE i.engine END, '') AS part, i.position, i.propensity, i.explored,
           e.kind IS NOT NULL AS taken
         FROM recommendation_impressions i LEFT JOIN recommendation_events e
           ON e.learner_id = i.learner_id AND e.list_id = i.list_id AND e.course_id = i.course_id AND e.kind = 'ENROLMENT'
         WHERE COALESCE(i.experiment, '') = $1"
    }
}

/// What was shown in a part of an experiment.
#[derive(sqlx::FromRow)]
pub(in crate::recommendations) struct PartShown {
    pub(in crate::recommendations) part: String,
    pub(in crate::recommendations) shown: i64,
    pub(in crate::recommendations) learners: i64,
}

/// What happened in it.
#[derive(sqlx::FromRow)]
pub(in crate::recommendations) struct PartHappened {
    pub(in crate::recommendations) part: String,
    pub(in crate::recommendations) kind: String,
    pub(in crate::recommendations) times: i64,
    pub(in crate::recommendations) learners: i64,
}

/// A course that was shown.
#[derive(sqlx::FromRow)]
pub(in crate::recommendations) struct LoggedRow {
    pub(in crate::recommendations) part: String,
    pub(in crate::recommendations) position: i64,
    pub(in crate::recommendations) propensity: i64,
    pub(in crate::recommendations) explored: bool,
    pub(in crate::recommendations) taken: bool,
}

pub(in crate::recommendations) async fn shown(db: &Db, experiment: &str, by: &str) -> Result<Vec<PartShown>, DbError> {
    let sql = db.sql(&SHOWN);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(experiment).bind(by).fetch_all(c).await)?)
}

pub(in crate::recommendations) async fn happened(
    db: &Db,
    experiment: &str,
    by: &str,
) -> Result<Vec<PartHappened>, DbError> {
    let sql = db.sql(&HAPPENED);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(experiment).bind(by).fetch_all(c).await)?)
}

/// Gives every course that was shown to `take`.
pub(in crate::recommendations) async fn each_logged(
    db: &Db,
    experiment: &str,
    by: &str,
    mut take: impl FnMut(LoggedRow),
) -> Result<(), DbError> {
    let sql = db.sql(&LOGGED);
    on!(db.reader(), c => {
        let mut rows = sqlx::query_as::<_, LoggedRow>(sql).bind(experiment).bind(by).fetch(c);
        while let Some(row) = rows.try_next().await? {
            take(row);
        }
    });
    Ok(())
}
