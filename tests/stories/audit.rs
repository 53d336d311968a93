//! Who looked at whom: what is logged, who reads it, and what comes of tampering with it.

use serde_json::{Value, json};
use stoa_api::{
    access::{Category, CategorySet, Client, Credential, Look, Relation, TokenScope, Viewer},
    audit::{
        model::{Event, EventKind, Flaw, Report, Told},
        reads,
    },
};
use stoa_testkit::{School, story};

const LOG: &str = "{ me { accessLog(first: 9) { nodes { event actorName relation category course { slug } client } pageInfo { hasNextPage } } } }";

/// Two batches change their rows, by way of a third.
const SWAP: &str = "UPDATE access_log SET batch = 9 WHERE batch = 2; UPDATE access_log SET batch = 2 WHERE batch = 3;
    UPDATE access_log SET batch = 3 WHERE batch = 9";

/// Ana's looks at three people.
fn looks(school: &School) -> Vec<Event> {
    let credential = Credential {
        client: Client::Token,
        id: None,
        scopes: vec![TokenScope::People],
        two_factor: false,
        network: None,
    };
    let looks = ["mei", "omar", "zoe"].map(|person| Look {
        person: school.id_of(person),
        categories: CategorySet::only(Category::LearningRecord),
        relation: Relation::Staff,
        course: None,
        case: None,
    });
    reads(&Viewer::new(school.id_of("ana"), credential), Some("a-request"), looks.to_vec())
}

/// Ana's look at Mei's data of some kinds, as staff of *Living Soil* or under a case.
fn look(school: &School, categories: &[Category], relation: Relation) -> Event {
    let viewer = Viewer::new(
        school.id_of("ana"),
        Credential {
            client: Client::Session,
            id: None,
            scopes: vec![],
            two_factor: false,
            network: Some("203.0.113.0/24".to_owned()),
        },
    );
    let (person, categories) = (school.id_of("mei"), categories.iter().copied().collect());
    Event::look(Look { person, categories, relation, course: None, case: None }, &viewer)
}

/// A page of Mei's log: category and cursor of each entry, and whether there is more in the direction of reading.
async fn page(mei: &stoa_testkit::Client, forward: bool, many: usize, from: &Value) -> (Vec<(Value, Value)>, bool) {
    let query =
        "query($f: Int, $a: String, $l: Int, $b: String) { me { accessLog(first: $f, after: $a, last: $l, before: $b) {
        edges { cursor node { category } } pageInfo { hasNextPage hasPreviousPage } } } }";
    let asked = if forward { json!({ "f": many, "a": from }) } else { json!({ "l": many, "b": from }) };
    let log = mei.data_with(query, asked).await["me"]["accessLog"].clone();
    let entry = |edge: &Value| (edge["node"]["category"].clone(), edge["cursor"].clone());
    let more = &log["pageInfo"][if forward { "hasNextPage" } else { "hasPreviousPage" }];
    (log["edges"].as_array().unwrap().iter().map(entry).collect(), more.as_bool().unwrap())
}

/// Reads Mei's log in pages of every length, from both ends and from each entry; all of them must be parts of the whole.
async fn pages_are_exact(school: &School) -> Vec<Value> {
    let mei = school.person("mei").await;
    let (all, more) = page(&mei, true, 100, &Value::Null).await;
    assert!(!more);
    for many in 1..=all.len() + 1 {
        for begin in 0..=all.len() {
            let from = begin.checked_sub(1).map_or(Value::Null, |at| all[at].1.clone());
            let end = all.len().min(begin + many);
            assert_eq!(
                page(&mei, true, many, &from).await,
                (all[begin..end].to_vec(), end < all.len()),
                "{many} from {begin}"
            );
            let before = all.get(begin).map_or(Value::Null, |entry| entry.1.clone());
            let first = begin.saturating_sub(many);
            assert_eq!(
                page(&mei, false, many, &before).await,
                (all[first..begin].to_vec(), first > 0),
                "{many} before {begin}"
            );
        }
    }
    all.into_iter().map(|entry| entry.0).collect()
}

async fn verified(school: &School, expect: Option<&str>) -> (Report, Vec<Flaw>) {
    let mut flaws = Vec::new();
    let expect = expect.map(|head| head.parse().unwrap());
    let report = school
        .app
        .audit
        .verify(expect, &mut |told| {
            if let Told::Flaw(flaw) = told {
                flaws.push(flaw);
            }
        })
        .await
        .unwrap();
    assert_eq!(report.is_whole(), flaws.is_empty());
    (report, flaws)
}

story! {
    async fn mei_reads_who_looked_at_her_record(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let read = "query($id: ID!) { node(id: $id) { ... on Enrolment { progress again: progress seconds } } }";
        ana.data_with(read, json!({ "id": school.enrolment("mei", "soil") })).await;
        let log = mei.data(LOG).await;
        let entry = |category: &str| json!({
            "event": "READ", "actorName": "Ana Pereira", "relation": "STAFF", "category": category,
            "course": { "slug": "living-soil" }, "client": "TOKEN",
        });
        assert_eq!(log["me"]["accessLog"]["nodes"], json!([entry("ENGAGEMENT"), entry("LEARNING_RECORD")]), "each kind once");
        mei.data_with(read, json!({ "id": school.enrolment("mei", "soil") })).await;
        school.person("omar").await.ask_with(read, json!({ "id": school.enrolment("mei", "soil") })).await;
        assert_eq!(mei.data(LOG).await, log, "what she reads herself, and what nobody saw, is not in it");
    }

    async fn nobody_else_reads_meis_log(school) {
        let query = "query($id: ID!) { node(id: $id) { ... on Person { accessLog(first: 1) { nodes { event } } cases(first: 1) { nodes { reason } } } } }";
        for other in ["ana", "omar"] {
            let answer = school.person(other).await.ask_with(query, json!({ "id": school.person_node("mei") })).await;
            assert_eq!(answer["data"]["node"], json!({ "accessLog": null, "cases": null }), "{other}");
            assert_eq!(answer["extensions"]["redactions"][0]["category"], "OVERSIGHT");
        }
    }

    async fn the_log_is_read_in_pages_from_both_ends(school) {
        for _ in 0..3 {
            school.app.audit.record(looks(&school)).await.unwrap();
        }
        let mei = school.person("mei").await;
        let query = "query($f: Int, $a: String, $l: Int, $b: String) { me { accessLog(first: $f, after: $a, last: $l, before: $b) {
            edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } } }";
        let all = mei.data_with(query, json!({ "f": 9 })).await["me"]["accessLog"]["edges"].clone();
        assert_eq!(all.as_array().unwrap().len(), 3);
        let first = mei.data_with(query, json!({ "f": 2 })).await["me"]["accessLog"].clone();
        assert_eq!((&first["edges"][1], &first["pageInfo"]["hasNextPage"]), (&all[1], &json!(true)));
        let next = mei.data_with(query, json!({ "f": 2, "a": first["pageInfo"]["endCursor"] })).await["me"]["accessLog"].clone();
        assert_eq!((&next["edges"], &next["pageInfo"]["hasNextPage"]), (&json!([all[2]]), &json!(false)));
        let back = mei.data_with(query, json!({ "l": 1, "b": all[2]["cursor"] })).await["me"]["accessLog"].clone();
        assert_eq!((&back["edges"], &back["pageInfo"]["hasPreviousPage"]), (&json!([all[1]]), &json!(true)));
    }

    async fn a_look_at_a_class_is_a_row_for_each_learner_and_course_and_one_statement_for_all_rows(school) {
        let ana = school.person("ana").await;
        let class = "{ course(slug: \"living-soil\") { learners(first: 9) { nodes { learner { name } progress seconds } } } }";
        let learners = ana.data(class).await["course"]["learners"]["nodes"].as_array().unwrap().len() as i64;
        let (report, flaws) = verified(&school, None).await;
        assert_eq!((report.rows, report.batches, flaws), (learners, 1, vec![]), "her name stands with the course");
        let log = school.person("mei").await.data(LOG).await["me"]["accessLog"]["nodes"].clone();
        let entries: Vec<_> = log.as_array().unwrap().iter().map(|entry| (entry["category"].as_str().unwrap(), entry["course"]["slug"].as_str())).collect();
        let soil = Some("living-soil");
        assert_eq!(entries, [("ENGAGEMENT", soil), ("LEARNING_RECORD", soil), ("IDENTITY", soil)], "and she reads an entry for each kind");
        // SQLite reads the head, and needs a statement for each table; PostgreSQL still has the head, and needs one.
        let cost = if school.database.is_sqlite() { 4 } else { 1 };
        for many in [1, 50, 1_000] {
            let events = vec![look(&school, &[Category::Identity, Category::Engagement], Relation::Staff); many];
            let before = school.app.db.statements();
            school.app.audit.record(events).await.unwrap();
            assert_eq!(school.app.db.statements() - before, cost, "{many} rows");
        }
        let (report, flaws) = verified(&school, None).await;
        assert_eq!((report.rows, report.batches, flaws), (learners + 1_051, 4, vec![]));
    }

    async fn a_batch_follows_the_chain_also_where_somebody_else_has_lengthened_it(school) {
        let reads = || vec![look(&school, &[Category::Identity], Relation::Staff)];
        school.app.audit.record(reads()).await.unwrap();
        // A fact of this server, and a look on another one.
        let mut tx = school.app.db.begin().await.unwrap();
        school.app.audit.append(&mut tx, &[Event::by_command(EventKind::Command, school.id_of("mei"))]).await.unwrap();
        tx.commit().await.unwrap();
        school.app.audit.record(reads()).await.unwrap();
        let other = school.replica().await;
        other.audit.record(reads()).await.unwrap();
        school.app.audit.record(reads()).await.unwrap();
        let (report, flaws) = verified(&school, None).await;
        assert_eq!((report.rows, report.batches, flaws), (5, 5, vec![]));
    }

    async fn pages_are_exact_where_a_row_is_several_entries(school) {
        use Category::{Account, Assessment, Contact, Engagement, Identity, LearningRecord};
        let school = school.unmetered().await;
        let staff = [Identity, LearningRecord, Engagement, Assessment];
        let batches = [
            vec![look(&school, &staff, Relation::Staff), look(&school, &[Contact], Relation::Support)],
            vec![Event::by_command(EventKind::Command, school.id_of("mei"))],
            vec![look(&school, &[Contact, Account], Relation::Administrator)],
            vec![look(&school, &staff[1..], Relation::Staff), look(&school, &staff[..1], Relation::CaseHolder)],
        ];
        for events in batches {
            // Others are between hers.
            school.app.audit.record([looks(&school)[1..].to_vec(), events].concat()).await.unwrap();
        }
        assert_eq!(pages_are_exact(&school).await, json!([
            "IDENTITY", "ASSESSMENT", "ENGAGEMENT", "LEARNING_RECORD", "ACCOUNT", "CONTACT", null,
            "CONTACT", "ASSESSMENT", "ENGAGEMENT", "LEARNING_RECORD", "IDENTITY",
        ]).as_array().unwrap().clone());
    }

    async fn rows_of_one_kind_as_they_once_were_are_as_good_as_new_ones(school) {
        let school = school.unmetered().await;
        let kinds = [Category::LearningRecord, Category::Engagement];
        // Once a look was a row for each kind.
        let once = kinds.map(|kind| look(&school, &[kind], Relation::Staff)).to_vec();
        school.app.audit.record(once).await.unwrap();
        school.app.audit.record(vec![look(&school, &kinds, Relation::Staff)]).await.unwrap();
        let (report, flaws) = verified(&school, None).await;
        assert_eq!((report.rows, report.batches, flaws), (3, 2, vec![]));
        let categories = pages_are_exact(&school).await;
        assert_eq!(categories[..2], categories[2..], "she reads both alike");
        let log = school.person("mei").await.data(LOG).await["me"]["accessLog"]["nodes"].clone();
        assert_eq!((&log[0], &log[1]), (&log[2], &log[3]));
    }

    async fn one_category_of_a_row_can_neither_be_added_nor_changed_nor_taken_out_unnoticed(school) {
        let kinds = [Category::LearningRecord, Category::Engagement];
        school.app.audit.record(vec![look(&school, &kinds, Relation::Staff); 2]).await.unwrap();
        for category in ["LEARNING_RECORD", "LEARNING_RECORD,ENGAGEMENT,IDENTITY", "LEARNING_RECORD,CONTACT", "ENGAGEMENT,LEARNING_RECORD", ""] {
            school.execute(&format!("UPDATE access_log SET category = '{category}' WHERE position = 1")).await;
            assert_eq!(verified(&school, None).await.1, [Flaw::Changed((1, 1))], "{category}");
        }
        let log = school.person("mei").await.ask(LOG).await;
        assert_eq!(log["data"]["me"]["accessLog"], Value::Null, "what nobody wrote is not read as no look: {log}");
        school.execute("UPDATE access_log SET category = 'LEARNING_RECORD,ENGAGEMENT' WHERE position = 1").await;
        assert_eq!(verified(&school, None).await.1, []);
    }

    async fn an_answer_that_cannot_be_logged_does_not_leave(school) {
        let ana = school.person("ana").await;
        let query = "query($id: ID!) { node(id: $id) { ... on Enrolment { progress } } }";
        let variables = json!({ "id": school.enrolment("mei", "soil") });
        ana.data_with(query, variables.clone()).await;
        school.execute("DELETE FROM access_log_head").await;
        let answer = ana.ask_with(query, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
        assert_eq!(answer.get("data"), None);
        assert_eq!(verified(&school, None).await.1, [Flaw::HeadMissing]);
        assert_ne!(ana.data("{ me { name } }").await["me"]["name"], Value::Null, "what needs no log is answered");
    }

    async fn requests_that_come_together_share_commits_and_none_is_lost(school) {
        let school = std::sync::Arc::new(school);
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let school = std::sync::Arc::clone(&school);
            requests.spawn(async move { school.app.audit.record(looks(&school)).await.unwrap() });
        }
        // Somebody goes away; the others don't notice.
        let (audit, events) = (school.app.audit.clone(), looks(&school));
        let gone = tokio::spawn(async move { audit.record(events).await });
        gone.abort();
        assert_eq!(requests.join_all().await.len(), 32);
        let _ = gone.await;
        school.app.audit.record(looks(&school)).await.unwrap();
        let (report, flaws) = verified(&school, None).await;
        assert_eq!(flaws, []);
        assert!(report.rows == 33 * 3 || report.rows == 34 * 3, "{report:?}");
        assert!(report.batches < 32, "{report:?}");
    }

    async fn whatever_somebody_does_to_the_log_is_found_and_named(school) {
        for _ in 0..4 {
            school.app.audit.record(looks(&school)).await.unwrap();
        }
        let noted = school.app.audit.head().await.unwrap().unwrap().to_string();
        let (report, flaws) = verified(&school, Some(&noted)).await;
        assert_eq!((report.batches, report.rows, flaws), (4, 12, vec![]));
        // What she does, how it is undone, and what is found.
        let tampering: [(&str, &str, &[Flaw]); 9] = [
            (
                "UPDATE access_log SET relation = 'SUPPORT' WHERE batch = 2 AND position = 1",
                "UPDATE access_log SET relation = 'STAFF' WHERE batch = 2 AND position = 1",
                &[Flaw::Changed((2, 1))],
            ),
            (
                "UPDATE access_log SET position = 1 - position WHERE batch = 2 AND position < 2",
                "UPDATE access_log SET position = 1 - position WHERE batch = 2 AND position < 2",
                &[Flaw::Changed((2, 0)), Flaw::Changed((2, 1)), Flaw::BatchChanged(2)],
            ),
            (
                "INSERT INTO access_log (person_id, batch, position, at, event, row_hash)
                 SELECT person_id, batch, 50, at, event, row_hash FROM access_log WHERE batch = 2 AND position = 0",
                "DELETE FROM access_log WHERE position = 50",
                &[Flaw::Added((2, 50))],
            ),
            (
                "INSERT INTO access_log (person_id, batch, position, at, event, row_hash)
                 SELECT person_id, 9223372036854775807, 7, at, event, row_hash FROM access_log WHERE batch = 2 AND position = 0",
                "DELETE FROM access_log WHERE position = 7",
                &[Flaw::Added((i64::MAX, 7))],
            ),
            (
                "UPDATE access_log_batches SET at = at + 1 WHERE number = 2",
                "UPDATE access_log_batches SET at = at - 1 WHERE number = 2",
                &[Flaw::BatchChanged(2)],
            ),
            (
                SWAP,
                SWAP,
                &[
                    Flaw::Changed((2, 0)), Flaw::Changed((2, 1)), Flaw::Changed((2, 2)), Flaw::BatchChanged(2),
                    Flaw::Changed((3, 0)), Flaw::Changed((3, 1)), Flaw::Changed((3, 2)), Flaw::BatchChanged(3),
                ],
            ),
            (
                "UPDATE access_log_head SET number = 6",
                "UPDATE access_log_head SET number = 4",
                &[Flaw::BatchesMissing(5, 6)],
            ),
            (
                "UPDATE access_log_head SET number = 3",
                "UPDATE access_log_head SET number = 4",
                &[Flaw::Behind { head: 3, last: 4 }],
            ),
            (
                "UPDATE access_log_head SET hash = (SELECT hash FROM access_log_batches WHERE number = 1)",
                "UPDATE access_log_head SET hash = (SELECT hash FROM access_log_batches WHERE number = 4)",
                &[Flaw::HeadChanged(4)],
            ),
        ];
        for (done, undone, found) in tampering {
            school.execute(done).await;
            assert_eq!(verified(&school, None).await.1, found, "{done}");
            school.execute(undone).await;
            assert_eq!(verified(&school, Some(&noted)).await.1, [], "{undone}");
        }
        // The tail is cut and the head put back: only who noted the head knows.
        school.execute("DELETE FROM access_log WHERE batch = 4").await;
        school.execute("DELETE FROM access_log_batches WHERE number = 4").await;
        assert_eq!(verified(&school, None).await.1, [Flaw::BatchesMissing(4, 4)]);
        school.execute("UPDATE access_log_head SET number = 3, hash = (SELECT hash FROM access_log_batches WHERE number = 3)").await;
        assert_eq!(verified(&school, None).await.1, []);
        assert_eq!(verified(&school, Some(&noted)).await.1, [Flaw::NotAsExpected(4)]);
        // A row, then a batch in the middle, then everything.
        school.execute("DELETE FROM access_log WHERE batch = 3 AND position = 1").await;
        assert_eq!(verified(&school, None).await.1, [Flaw::Missing { batch: 3, first: 1, last: 1 }]);
        school.execute("DELETE FROM access_log WHERE batch = 3").await;
        school.execute("DELETE FROM access_log_batches WHERE number = 2").await;
        let added = [Flaw::Added((2, 0)), Flaw::Added((2, 1)), Flaw::Added((2, 2))];
        let (_, flaws) = verified(&school, None).await;
        assert_eq!(flaws, [&[Flaw::BatchesMissing(2, 2)], &added[..], &[Flaw::Missing { batch: 3, first: 0, last: 2 }]].concat());
        school.execute("DELETE FROM access_log").await;
        school.execute("DELETE FROM access_log_batches").await;
        assert_eq!(verified(&school, None).await.1, [Flaw::BatchesMissing(1, 3)]);
    }
}

/// How quick the log is; not a test. `cargo test --release … how_quick_the_log_is -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn how_quick_the_log_is() {
    for database in [Some(stoa_testkit::Database::sqlite()), stoa_testkit::Database::postgres().await] {
        let Some(database) = database else { continue };
        let school = School::open(database).await;
        let class: Vec<_> = (0..300).flat_map(|_| looks(&school)).collect();
        let begun = std::time::Instant::now();
        for _ in 0..20 {
            school.app.audit.record(class.clone()).await.unwrap();
        }
        let rows = 20.0 * class.len() as f64 / begun.elapsed().as_secs_f64();
        let begun = std::time::Instant::now();
        let (report, _) = verified(&school, None).await;
        let verified = report.rows as f64 / begun.elapsed().as_secs_f64();
        println!("{}: {rows:.0} rows/s written, {verified:.0} rows/s verified", school.app.db.kind());
    }
}
