//! The catalogue is kept in memory, and nobody notices but by the time that it takes.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::{Value, json};
use sqlx::Row as _;
use stoa_api::{
    app::{App, Settings},
    courses::CatalogueSettings,
    db::{BOUND, writes_catalogue, writes_forum},
};
use stoa_testkit::{Client, Database, School, story};

use crate::authoring::{done, herbs, version_of};

const PAGE: &str = "{ course(slug: \"compost-step-by-step\") { title summary topics { name } prerequisites { title }
    modules { title prerequisites { title } lessons { title seconds module { title } } } }
    courses(first: 2, filter: { language: \"en\" }) { nodes { title } } topics { name } }";

/// What a query gives, and how many statements it costs.
async fn asked(app: &App, client: &Client, query: &str) -> (Value, u64) {
    let before = app.db.statements();
    let data = client.data(query).await;
    (data, app.db.statements() - before)
}

async fn title(client: &Client) -> Value {
    client.data("{ course(slug: \"living-soil\") { title } }").await["course"]["title"].take()
}

/// Takes the school's files in anew, with another title of a course, at a server with these services.
async fn import_with_title(school: &School, app: &App, title: &str) {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(School::fixture()).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let courses = fs::read_to_string(folder.path().join("courses.csv")).unwrap();
    fs::write(folder.path().join("courses.csv"), courses.replace("Living Soil", title)).unwrap();
    assert!(school.import_at(app, folder.path()).await.complete());
}

story! {
    async fn a_course_page_that_was_read_a_moment_ago_costs_no_statement_for_the_catalogue(school) {
        let (first, cost) = asked(&school.app, school.anybody(), PAGE).await;
        assert!(cost >= 8, "{cost}: nothing was read before");
        let (second, cost) = asked(&school.app, school.anybody(), PAGE).await;
        assert_eq!((&second, cost), (&first, 0));
        // What is counted of a course, and who teaches it, is read each time.
        let counted = "{ course(slug: \"compost-step-by-step\") { title learnerCount staff { role } } }";
        assert_eq!(asked(&school.app, school.anybody(), counted).await.1, 2);
        // Somebody who has signed in: who she is, and what she is to the course.
        let mei = school.person("mei").await;
        asked(&school.app, &mei, PAGE).await;
        let (third, cost) = asked(&school.app, &mei, PAGE).await;
        assert_eq!(third, first);
        assert!(cost <= 3, "{cost} statements");
    }

    async fn what_an_author_changes_shows_in_the_next_answer(school) {
        let (ana, anybody) = (school.person("ana").await, school.anybody());
        let (course, module, lesson) = herbs(&ana).await;
        let page = "query($id: ID!) { node(id: $id) { ... on Course { title topics { name } prerequisites { title }
            modules { title prerequisites { title } lessons { title } } } }
            courses(first: 9, filter: { text: \"smells\" }) { nodes { title } } }";
        let read = async || anybody.data_with(page, json!({ "id": course })).await;
        assert_eq!(read().await, json!({ "node": null, "courses": { "nodes": [] } }));
        let version = async |id: &Value| version_of(&ana, id).await;
        done(&ana, "publishCourse", json!({ "courseId": course, "version": version(&course).await })).await;
        assert_eq!(read().await, json!({
            "node": { "title": "Herbs", "topics": [], "prerequisites": [],
                "modules": [{ "title": "Mint", "prerequisites": [], "lessons": [{ "title": "Peppermint" }] }] },
            "courses": { "nodes": [{ "title": "Herbs" }] },
        }));
        let update = json!({ "courseId": course, "version": version(&course).await, "title": "Weeds", "topics": ["Weeding"] });
        done(&ana, "updateCourse", update).await;
        let required = json!({ "courseId": course, "version": version(&course).await, "prerequisites": [school.course("soil")] });
        done(&ana, "setCoursePrerequisites", required).await;
        done(&ana, "updateModule", json!({ "moduleId": module, "version": version(&module).await, "title": "Nettles" })).await;
        let second = done(&ana, "createModule", json!({ "courseId": course, "title": "Thistles" })).await;
        let reading = json!({ "moduleId": second["id"], "title": "Thorns", "kind": "READING", "text": "Mind them.", "seconds": 60 });
        done(&ana, "createLesson", reading).await;
        let publish = json!({ "moduleId": second["id"], "version": version(&second["id"]).await });
        done(&ana, "publishModule", publish).await;
        let before = json!({ "moduleId": second["id"], "version": version(&second["id"]).await, "prerequisites": [module] });
        done(&ana, "setModulePrerequisites", before).await;
        assert_eq!(read().await, json!({
            "node": { "title": "Weeds", "topics": [{ "name": "Weeding" }], "prerequisites": [{ "title": "Living Soil" }], "modules": [
                { "title": "Nettles", "prerequisites": [], "lessons": [{ "title": "Peppermint" }] },
                { "title": "Thistles", "prerequisites": [{ "title": "Nettles" }], "lessons": [{ "title": "Thorns" }] },
            ] },
            "courses": { "nodes": [{ "title": "Weeds" }] },
        }));
        done(&ana, "retireLesson", json!({ "lessonId": lesson, "version": version(&lesson).await })).await;
        done(&ana, "archiveCourse", json!({ "courseId": course, "version": version(&course).await })).await;
        let after = read().await;
        assert_eq!(after["node"]["modules"][0]["lessons"], json!([]));
        assert_eq!(after["courses"]["nodes"], json!([]));
    }

    async fn what_is_imported_shows_at_once_here_and_within_the_bound_at_another_server(school) {
        let other = school.replica().await;
        let there = school.anybody_at(&other);
        for client in [school.anybody(), &there] {
            assert_eq!(title(client).await, "Living Soil");
        }
        // As `stoa import` does it, in a process of its own: this server hears nothing of it.
        import_with_title(&school, &other, "Soil Alive").await;
        assert_eq!(title(&there).await, "Soil Alive");
        tokio::time::sleep(BOUND).await;
        assert_eq!(title(school.anybody()).await, "Soil Alive");
        import_with_title(&school, &school.app, "Earth").await;
        assert_eq!(title(school.anybody()).await, "Earth");
    }

    async fn where_nobody_can_tell_whether_it_is_so_nothing_that_is_kept_is_shown(school) {
        assert_eq!(title(school.anybody()).await, "Living Soil");
        let text = sqlx::AssertSqlSafe(school.written(
            "ALTER TABLE catalogue_version RENAME TO former_version; UPDATE courses SET title = 'By Hand' WHERE id = {course:soil}",
        ));
        // Not by `School::execute`, which tells of what it does.
        if school.database.is_sqlite() {
            let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
            sqlx::raw_sql(text).execute(&pool).await.unwrap();
        } else {
            let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
            sqlx::raw_sql(text).execute(&pool).await.unwrap();
        }
        tokio::time::sleep(BOUND).await;
        assert_eq!(title(school.anybody()).await, "By Hand");
    }

    async fn a_server_may_keep_nothing(school) {
        let catalogue = CatalogueSettings { memory_bytes: 0, ..CatalogueSettings::default() };
        let school = school.under(Settings { catalogue, ..Settings::default() }).await;
        let (first, cost) = asked(&school.app, school.anybody(), PAGE).await;
        assert_eq!(asked(&school.app, school.anybody(), PAGE).await, (first, cost));
    }

    async fn what_is_kept_stays_within_its_memory(school) {
        let catalogue = CatalogueSettings { memory_bytes: 1_000, ..CatalogueSettings::default() };
        let school = school.under(Settings { catalogue, ..Settings::default() }).await;
        let (first, _) = asked(&school.app, school.anybody(), PAGE).await;
        let (second, cost) = asked(&school.app, school.anybody(), PAGE).await;
        assert_eq!(second, first);
        assert!(cost > 0, "all of it fits into nothing");
    }
}

/// A change of the catalogue that is broken off is no change.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_given_up_throws_nothing_away() {
    let school = School::open(Database::sqlite()).await;
    asked(&school.app, school.anybody(), PAGE).await;
    let ana = school.person("ana").await;
    let stale = json!({ "input": { "courseId": school.course("soil"), "version": 99, "title": "Never" } });
    ana.data_with(
        "mutation($input: UpdateCourseInput!) { updateCourse(input: $input) { userErrors { code } } }",
        stale,
    )
    .await;
    assert_eq!(asked(&school.app, school.anybody(), PAGE).await.1, 0);
}

/// What is read of the catalogue and kept; the rest of these areas is for staff, or about people.
fn is_kept(area: &str, name: &str) -> bool {
    match area {
        "courses" => !["STAFF", "MODULES_FOR_STAFF", "LESSONS_FOR_STAFF", "ROLLUPS"].contains(&name),
        "courses, links" => name == "REQUIRED_MODULES",
        _ => false,
    }
}

/// Those that read what is kept of forums: pages, and the latest threads.
fn is_kept_of_forums(area: &str, name: &str) -> bool {
    let is_page = name.ends_with("_FORWARD") || name.ends_with("_BACKWARD");
    match area {
        "forum, threads" | "forum, posts" => is_page,
        "forum, heads" => true,
        "forum, reading" => name == "MERGED_INTO",
        _ => false,
    }
}

fn throws_away(table: &str) -> bool {
    writes_catalogue(&format!("UPDATE {table} SET a = 1"))
}

fn is_of_forums(table: &str) -> bool {
    writes_forum(&format!("UPDATE {table} SET a = 1"))
}

/// SQLite itself says which tables a statement reads and writes: by the instructions it is turned into.
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_that_writes_what_is_kept_is_known_as_one() {
    let school = School::empty(Database::sqlite()).await;
    let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
    let roots: Vec<(i64, String)> = sqlx::query_as("SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0")
        .fetch_all(&pool)
        .await
        .unwrap();
    let (mut read, mut written, mut of_forums) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (area, statements) in stoa_api::app::statements() {
        for sql in statements {
            let steps =
                sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN {}", sql.lite))).fetch_all(&pool).await.unwrap();
            let mut tables = [("OpenRead", BTreeSet::new()), ("OpenWrite", BTreeSet::new())];
            for step in steps {
                let (opcode, root): (String, i64) = (step.get("opcode"), step.get("p2"));
                for (_, found) in tables.iter_mut().filter(|(name, _)| *name == opcode) {
                    found.extend(roots.iter().filter(|(page, _)| *page == root).map(|(_, table)| table.clone()));
                }
            }
            let [(_, reads), (_, writes)] = tables;
            let changes = writes.iter().any(|table| throws_away(table));
            let forums = writes.iter().any(|table| is_of_forums(table));
            for text in [sql.lite, sql.pg] {
                assert_eq!(writes_catalogue(text), changes, "{area} {} writes {writes:?}", sql.name);
                assert_eq!(writes_forum(text), forums, "{area} {} writes {writes:?}", sql.name);
            }
            if changes {
                written.extend(writes);
            }
            if is_kept(area, sql.name) {
                for table in &reads {
                    assert!(
                        throws_away(table),
                        "{area} {} is kept, and a change of {table} throws nothing away",
                        sql.name
                    );
                }
                read.extend(reads);
            } else if is_kept_of_forums(area, sql.name) {
                assert!(
                    reads.iter().all(|table| is_of_forums(table)),
                    "{area} {} is kept, and no version of a forum tells of a change of {reads:?}",
                    sql.name
                );
                of_forums += 1;
            }
        }
    }
    assert_eq!((read.len(), of_forums), (7, 13), "{read:?}");
    assert!(read.iter().all(|table| written.contains(table)), "{written:?}");
}

/// The texts of bulk writes are built as they run; what they begin with stands in the file.
#[test]
fn the_intakes_bulk_writes_are_known_too() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("api/src/intake/store.rs");
    let text = fs::read_to_string(file).unwrap();
    let mut known = BTreeSet::new();
    for literal in text.split('"').filter(|literal| literal.starts_with("INSERT INTO ")) {
        let table = literal.split(' ').nth(2).unwrap();
        assert_eq!(writes_catalogue(literal), throws_away(table), "{literal}");
        if writes_catalogue(literal) {
            known.insert(table);
        }
    }
    let all = ["course_prerequisites", "course_topics", "courses", "lessons", "modules", "topics"];
    assert_eq!(known.into_iter().collect::<Vec<_>>(), all);
    assert!(BOUND <= Duration::from_secs(2), "the documents say so");
}
