//! Two databases that are one to the rest.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr as _, SqlStr};
use stoa_api::db::{Db, DbError, Options};
use stoa_testkit::{Database, School, story};

/// Every statement is understood by both databases, and gives the same columns.
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_means_the_same_on_both_databases() {
    let Some(postgres) = Database::postgres().await else { return };
    let (lite, pg) = (School::empty(Database::sqlite()).await, School::empty(postgres).await);
    let lite = sqlx::SqlitePool::connect(&lite.database.url).await.unwrap();
    let pg = sqlx::PgPool::connect(&pg.database.url).await.unwrap();
    let mut count = 0;
    for (area, statements) in stoa_api::app::statements() {
        for sql in statements {
            let on_lite =
                columns(&lite, sql.lite).await.unwrap_or_else(|error| panic!("{area} {} on SQLite: {error}", sql.name));
            let on_pg =
                columns(&pg, sql.pg).await.unwrap_or_else(|error| panic!("{area} {} on PostgreSQL: {error}", sql.name));
            assert_eq!(on_lite.len(), on_pg.len(), "{area} {}", sql.name);
            let named = |column: &String| !column.starts_with('?') && !column.contains(['(', ' ']);
            for (lite, pg) in on_lite.iter().zip(&on_pg).filter(|(lite, _)| named(lite)) {
                assert_eq!(lite, pg, "{area} {}", sql.name);
            }
            count += 1;
        }
    }
    assert!(count > 60, "only {count} statements were looked at");
}

async fn columns<D>(pool: &sqlx::Pool<D>, sql: &'static str) -> Result<Vec<String>, sqlx::Error>
where
    D: sqlx::Database,
    for<'c> &'c sqlx::Pool<D>: sqlx::Executor<'c, Database = D>,
{
    use sqlx::{Column as _, Executor as _, Statement as _};
    let text: SqlStr = sql.into_sql_str();
    let prepared = pool.prepare(text).await?;
    Ok(prepared.columns().iter().map(|column| column.name().to_owned()).collect())
}

/// The two schemas have the same tables with the same columns of the same kind.
#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_tables_and_columns() {
    let Some(postgres) = Database::postgres().await else { return };
    let (lite, pg) = (School::empty(Database::sqlite()).await, School::empty(postgres).await);
    let pool = sqlx::SqlitePool::connect(&lite.database.url).await.unwrap();
    let mut on_lite = BTreeMap::new();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_%' ESCAPE '\\'")
            .fetch_all(&pool).await.unwrap();
    // What is searched has two forms: an index of SQLite's own, and on PostgreSQL columns that are made of others.
    for table in tables.into_iter().filter(|table| !table.starts_with("forum_words")) {
        let sql = AssertSqlSafe(format!("SELECT name, type, \"notnull\" FROM pragma_table_info('{table}')"));
        for row in sqlx::query(sql).fetch_all(&pool).await.unwrap() {
            let kind: String = row.get("type");
            on_lite.insert((table.clone(), row.get::<String, _>("name")), (kind, row.get::<i64, _>("notnull") == 1));
        }
    }
    let pool = sqlx::PgPool::connect(&pg.database.url).await.unwrap();
    let mut on_pg = BTreeMap::new();
    let rows = sqlx::query(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'NO' AS required FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'",
    );
    for row in rows.fetch_all(&pool).await.unwrap() {
        if row.get::<&str, _>("data_type") == "tsvector" {
            assert!(["title_words", "body_words"].contains(&row.get::<&str, _>(1)), "one more column of words");
            continue;
        }
        let kind = match row.get::<&str, _>("data_type") {
            "uuid" | "bytea" => "BLOB",
            "bigint" | "boolean" => "INTEGER",
            "text" | "jsonb" => "TEXT",
            other => panic!("no twin for {other}"),
        };
        on_pg.insert(
            (row.get::<String, _>(0), row.get::<String, _>(1)),
            (kind.to_owned(), row.get::<bool, _>("required")),
        );
    }
    assert!(on_lite.len() > 100);
    assert_eq!(on_lite, on_pg);
}

/// With STAT4 SQLite would parse and plan a statement anew for each other thing that is looked for. `.cargo/config.toml` leaves it out.
#[tokio::test]
async fn sqlite_plans_a_statement_once() {
    let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    let has = "SELECT sqlite_compileoption_used('ENABLE_STAT4')";
    assert_eq!(sqlx::query_scalar::<_, i64>(has).fetch_one(&pool).await.unwrap(), 0);
}

story! {
    async fn a_database_of_a_newer_program_is_left_alone(school) {
        let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, $1, 0)";
        if school.database.url.starts_with("sqlite") {
            let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
            sqlx::query(insert).bind(vec![0_u8; 4]).execute(&pool).await.unwrap();
        } else {
            let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
            sqlx::query(insert).bind(vec![0_u8; 4]).execute(&pool).await.unwrap();
        }
        for result in [school.app.db.migrate().await.map(|_| ()), school.app.db.require_current().await] {
            assert!(matches!(result, Err(DbError::Newer { found: 9999, .. })), "{result:?}");
        }
    }

    async fn migrating_again_does_nothing(school) {
        assert!(school.app.db.migrate().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_database_that_is_missing_empty_or_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/none.db", folder.path().display());
    let error = Db::open(&Options::existing(&url)).await.unwrap_err();
    assert!(error.to_string().contains("none.db") && error.to_string().contains("stoa migrate"), "{error}");

    let empty = Db::open(&Options::create(&url)).await.unwrap();
    let error = empty.require_current().await.unwrap_err();
    assert!(matches!(error, DbError::Outdated { found: 0, .. }), "{error}");

    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "this is not a database, but it is long enough to be taken for one at first sight".repeat(20),
    )
    .unwrap();
    let error = Db::open(&Options::existing(&format!("sqlite://{}", text.display()))).await.unwrap_err();
    assert!(error.to_string().contains("text.db"), "{error}");

    let error = Db::open(&Options::existing("mysql://root:secret@host/db")).await.unwrap_err();
    assert!(error.to_string().contains("mysql://root:***@host/db") && !error.to_string().contains("secret"), "{error}");

    let error = Db::open(&Options::existing("postgres://nobody@127.0.0.1:1/none")).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
}

/// A second program that holds SQLite's lock too long is named, and nothing is half-written.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_else_holds_is_named() {
    let school = School::open(Database::sqlite()).await;
    let other = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = school.app.db.begin().await.err().expect("the lock is held");
    assert!(matches!(error, DbError::Locked), "{error}");
    drop(held);
}

/// A disk that is full loses nothing that was there.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_and_loses_nothing() {
    let school = School::open(Database::sqlite()).await;
    let mei = school.person("mei").await;
    // The writing connection may not let the file grow, as on a disk without space.
    school.app.db.limit_size_for_tests(true).await.unwrap();
    let long = "x".repeat(40_000);
    let query = "mutation($c: ID!, $b: String!) { createThread(courseId: $c, input: { title: \"t\", body: $b }) { thread { id } } }";
    let mut codes = Vec::new();
    for _ in 0..20 {
        let answer = mei.ask_with(query, serde_json::json!({ "c": school.course("soil"), "b": long })).await;
        codes.push(answer["errors"][0]["extensions"]["code"].clone());
    }
    assert!(codes.contains(&serde_json::json!("UNAVAILABLE")), "{codes:?}");
    let acknowledged = codes.iter().filter(|code| code.is_null()).count();
    let read = "{ course(slug: \"living-soil\") { forum { threads(first: 50) { nodes { title postCount posts(first: 2) { nodes { id } } } } } } }";
    let data = mei.data(read).await;
    let threads = data["course"]["forum"]["threads"]["nodes"].as_array().unwrap().clone();
    let new: Vec<_> = threads.iter().filter(|thread| thread["title"] == "t").collect();
    assert_eq!(new.len(), acknowledged, "what was acknowledged is there, and nothing else");
    assert!(
        new.iter().all(|thread| thread["postCount"] == 1 && thread["posts"]["nodes"].as_array().unwrap().len() == 1)
    );
}
