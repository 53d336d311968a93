//! Reports to a forum's moderators, from the first to the decision.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

const REPORT: &str = "mutation($id: ID!, $reason: ReportReason!, $text: String) { reportPost(postId: $id, input: { reason: $reason, text: $text }) {
    report { id state mine { reason text } outcome } userErrors { code message path } } }";
const DECIDE: &str = "mutation($id: ID!, $decision: ModerationDecision!, $reason: String, $v: Int!) { decideReport(reportId: $id, input: { decision: $decision, reason: $reason, version: $v }) {
    report { state version decision { decision reason decidedBy { name } } } userErrors { code message path } } }";
const QUEUE: &str = "query($state: ReportState!) { course(slug: \"living-soil\") { forum { moderationQueue(first: 9, state: $state) { nodes {
    id state version reportedAt reporterCount reasons { reason count } reports { reporter { name } reason text } post { id } decision { decision } } } } } }";
const NODE: &str = "query($id: ID!) { node(id: $id) { ... on Report { id state outcome mine { text } reporterCount reportedAt version reasons { count } reports { text } decision { decision } } } }";

async fn does(client: &Client, mutation: &str, variables: Value) -> Value {
    let data = client.data_with(mutation, variables).await;
    data.as_object().unwrap().values().next().unwrap().clone()
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

async fn queue(client: &Client, state: &str) -> Vec<Value> {
    let data = client.data_with(QUEUE, json!({ "state": state })).await;
    data["course"]["forum"]["moderationQueue"]["nodes"].as_array().unwrap().clone()
}

/// Omar writes something in the course's Welcome thread that he should not; the id of his post.
async fn heated(school: &School) -> String {
    let post = "mutation($id: ID!) { createPost(threadId: $id, input: { body: \"Only fools garden in pots.\" }) { post { id } } }";
    let data = school.person("omar").await.data_with(post, json!({ "id": school.thread("soil", "t2") })).await;
    data["createPost"]["post"]["id"].as_str().unwrap().to_owned()
}

/// How many notifications of a kind somebody has.
async fn notified(school: &School, who: &str, kind: &str) -> i64 {
    let sql = school
        .written(&format!("SELECT COUNT(*) FROM notifications WHERE person_id = {{person:{who}}} AND kind = '{kind}'"));
    let sql = sqlx::AssertSqlSafe(sql);
    if school.database.is_sqlite() {
        let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    } else {
        let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    }
}

/// Bo becomes a second instructor of *Living Soil*, and so a moderator.
async fn two_moderators(school: &School) {
    school.execute("UPDATE course_staff SET role = 'INSTRUCTOR' WHERE course_id = {course:soil}").await;
}

story! {
    async fn a_heated_thread_is_moderated_from_report_to_decision(school) {
        let (ana, mei, omar, bo) = (school.person("ana").await, school.person("mei").await, school.person("omar").await, school.person("bo").await);
        let post = heated(&school).await;
        let told = does(&mei, REPORT, json!({ "id": post, "reason": "HARASSMENT", "text": " He means me. " })).await;
        assert_eq!(told["userErrors"], json!([]));
        assert_eq!(told["report"]["mine"], json!({ "reason": "HARASSMENT", "text": "He means me." }));
        school.clock.advance(60);
        let second = does(&bo, REPORT, json!({ "id": post, "reason": "OFF_TOPIC" })).await;
        assert_eq!(second["report"]["id"], told["report"]["id"], "reports of a post are one");

        let waiting = queue(&ana, "OPEN").await;
        assert_eq!(waiting, [json!({
            "id": told["report"]["id"], "state": "OPEN", "version": 2, "reportedAt": "2026-03-02T09:00:00Z", "reporterCount": 2,
            "reasons": [{ "reason": "HARASSMENT", "count": 1 }, { "reason": "OFF_TOPIC", "count": 1 }],
            "reports": [
                { "reporter": { "name": "Mei Tanaka" }, "reason": "HARASSMENT", "text": "He means me." },
                { "reporter": { "name": "Bo Lindgren" }, "reason": "OFF_TOPIC", "text": null },
            ],
            "post": { "id": post }, "decision": null,
        })]);

        let id = &told["report"]["id"];
        assert_eq!(code(&does(&ana, DECIDE, json!({ "id": id, "decision": "REMOVE_POST", "v": 2 })).await), "LENGTH", "she must say why");
        let decided = does(&ana, DECIDE, json!({ "id": id, "decision": "REMOVE_POST", "reason": "We are kind to each other.", "v": 2 })).await;
        assert_eq!(decided["report"]["decision"], json!({ "decision": "REMOVE_POST", "reason": "We are kind to each other.", "decidedBy": { "name": "Ana Pereira" } }));
        assert!(queue(&ana, "OPEN").await.is_empty());
        assert_eq!(queue(&ana, "DECIDED").await.len(), 1);
        let log = ana.data("{ course(slug: \"living-soil\") { forum { moderationLog(first: 9) { nodes { act reason post { id } } } } } }").await;
        assert_eq!(log["course"]["forum"]["moderationLog"]["nodes"], json!([{ "act": "REMOVE_POST", "reason": "We are kind to each other.", "post": { "id": post } }]));

        // Who reported it learns that something was done, its author that it was moderated; nobody else anything.
        assert_eq!((notified(&school, "mei", "REPORT_DECIDED").await, notified(&school, "bo", "REPORT_DECIDED").await), (1, 1));
        assert_eq!((notified(&school, "omar", "MODERATED").await, notified(&school, "omar", "REPORT_DECIDED").await), (1, 0));
        let hers = mei.ask_with(NODE, json!({ "id": id })).await["data"]["node"].clone();
        assert_eq!(hers, json!({ "id": id, "state": "DECIDED", "outcome": "ACTED", "mine": { "text": "He means me." }, "reporterCount": null,
            "reportedAt": null, "version": null, "reasons": null, "reports": null, "decision": null }));
        assert_eq!(omar.data_with(NODE, json!({ "id": id })).await["node"], Value::Null, "the author");
        assert_eq!(school.person("zoe").await.data_with(NODE, json!({ "id": id })).await["node"], Value::Null);
    }

    async fn a_post_is_reported_once_by_each_and_not_by_its_author(school) {
        let (mei, omar, zoe) = (school.person("mei").await, school.person("omar").await, school.person("zoe").await);
        let post = heated(&school).await;
        for (who, variables, expected) in [
            (&omar, json!({ "id": post, "reason": "SPAM" }), "NOT_ALLOWED"),
            (&zoe, json!({ "id": post, "reason": "SPAM" }), "NOT_FOUND"),
            (&mei, json!({ "id": school.post("soil", "none"), "reason": "SPAM" }), "NOT_FOUND"),
            (&mei, json!({ "id": post, "reason": "OTHER" }), "LENGTH"),
            (&mei, json!({ "id": post, "reason": "OTHER", "text": "x".repeat(1_001) }), "LENGTH"),
            (&mei, json!({ "id": post, "reason": "SPAM" }), ""),
            (&mei, json!({ "id": post, "reason": "HARASSMENT" }), "ALREADY_REPORTED"),
        ] {
            assert_eq!(code(&does(who, REPORT, variables.clone()).await), expected, "{variables}");
        }
        let ana = school.person("ana").await;
        let report = queue(&ana, "OPEN").await.pop().unwrap();
        assert_eq!((&report["reporterCount"], &report["version"]), (&json!(1), &json!(1)));
        assert_eq!(code(&does(&ana, DECIDE, json!({ "id": report["id"], "decision": "DISMISS", "v": 1 })).await), "");
        assert_eq!(notified(&school, "omar", "MODERATED").await, 0, "nothing was done to him");
        let outcome = mei.ask_with(NODE, json!({ "id": report["id"] })).await["data"]["node"]["outcome"].clone();
        assert_eq!(outcome, "DISMISSED");
        // Once decided, it may be reported again: that is another report.
        assert_eq!(code(&does(&mei, REPORT, json!({ "id": post, "reason": "SPAM" })).await), "");
        assert_ne!(queue(&ana, "OPEN").await[0]["id"], report["id"]);
    }

    async fn nobody_floods_the_queue(school) {
        let (omar, mei) = (school.person("omar").await, school.person("mei").await);
        let mut last = String::new();
        for index in 0..21 {
            let post = heated(&school).await;
            let expected = if index < 20 { "" } else { "TOO_MANY_REQUESTS" };
            assert_eq!(code(&does(&mei, REPORT, json!({ "id": post, "reason": "SPAM" })).await), expected, "{index}");
            last = post;
        }
        drop(omar);
        school.clock.advance(24 * 3_600);
        assert_eq!(code(&does(&mei, REPORT, json!({ "id": last, "reason": "SPAM" })).await), "");
        // The queue pages, the oldest first.
        let ana = school.person("ana").await;
        let query = "query($after: String) { course(slug: \"living-soil\") { forum { moderationQueue(first: 15, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } } } }";
        let first = ana.data(query).await["course"]["forum"]["moderationQueue"].clone();
        let rest = ana.data_with(query, json!({ "after": first["pageInfo"]["endCursor"] })).await["course"]["forum"]["moderationQueue"].clone();
        assert_eq!((first["nodes"].as_array().unwrap().len(), rest["nodes"].as_array().unwrap().len()), (15, 6));
        assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    }

    async fn of_two_moderators_at_once_the_second_is_told_what_the_first_did(school) {
        two_moderators(&school).await;
        let (ana, bo, mei) = (school.person("ana").await, school.person("bo").await, school.person("mei").await);
        let post = heated(&school).await;
        let report = does(&mei, REPORT, json!({ "id": post, "reason": "HARASSMENT" })).await["report"]["id"].clone();
        let lock = json!({ "id": report, "decision": "LOCK_THREAD", "reason": "Calm down.", "v": 1 });
        let warn = json!({ "id": report, "decision": "WARN", "reason": "Be kind.", "v": 1 });
        let (one, other) = tokio::join!(does(&ana, DECIDE, lock.clone()), does(&bo, DECIDE, warn.clone()));
        let (won, lost) = if code(&one).is_empty() { (&one, &other) } else { (&other, &one) };
        assert_eq!((code(won), code(lost)), ("", "CONFLICT"));
        assert_eq!(lost["report"]["decision"], won["report"]["decision"], "the second learns who did what");
        // The same again by the same moderator is no error, and does nothing again.
        let (who, again) = if code(&one).is_empty() { (&ana, lock) } else { (&bo, warn) };
        assert_eq!(code(&does(who, DECIDE, again).await), "");
        assert_eq!(notified(&school, "mei", "REPORT_DECIDED").await, 1);
        assert_eq!(notified(&school, "omar", "MODERATED").await, 1);
        let log = ana.data("{ course(slug: \"living-soil\") { forum { moderationLog(first: 9) { nodes { act } } } } }").await;
        assert_eq!(log["course"]["forum"]["moderationLog"]["nodes"].as_array().unwrap().len(), 1);
    }

    async fn whoever_decides_has_read_every_report(school) {
        let (ana, mei, bo) = (school.person("ana").await, school.person("mei").await, school.person("bo").await);
        let post = heated(&school).await;
        let report = does(&mei, REPORT, json!({ "id": post, "reason": "SPAM" })).await["report"]["id"].clone();
        does(&bo, REPORT, json!({ "id": post, "reason": "PERSONAL_DATA" })).await;
        let stale = does(&ana, DECIDE, json!({ "id": report, "decision": "DISMISS", "v": 1 })).await;
        assert_eq!((code(&stale), &stale["report"]["version"]), ("STALE_VERSION", &json!(2)));
        assert_eq!(code(&does(&ana, DECIDE, json!({ "id": report, "decision": "DISMISS", "v": 2 })).await), "");
    }

    async fn a_warning_is_for_the_author_and_the_moderators(school) {
        let (ana, mei, omar) = (school.person("ana").await, school.person("mei").await, school.person("omar").await);
        let post = heated(&school).await;
        let report = does(&mei, REPORT, json!({ "id": post, "reason": "HARASSMENT" })).await["report"]["id"].clone();
        does(&ana, DECIDE, json!({ "id": report, "decision": "WARN", "reason": "Be kind.", "v": 1 })).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Post { body warning { text } } } }";
        for (who, expected) in [("omar", json!({ "text": "Be kind." })), ("ana", json!({ "text": "Be kind." })), ("mei", Value::Null), ("bo", Value::Null)] {
            let answer = school.person(who).await.ask_with(query, json!({ "id": post })).await;
            assert_eq!(answer["data"]["node"]["warning"], expected, "{who}");
            assert_eq!(answer["data"]["node"]["body"], "Only fools garden in pots.");
        }
        drop(omar);
    }

    async fn a_moderator_does_not_decide_on_her_own_post_unless_there_is_no_other(school) {
        let (ana, mei, p4) = (school.person("ana").await, school.person("mei").await, school.post("soil", "p4"));
        let report = does(&mei, REPORT, json!({ "id": p4, "reason": "OFF_TOPIC", "text": "Not again." })).await["report"]["id"].clone();
        // Alone she has to; she does not learn who it was.
        let alone = queue(&ana, "OPEN").await;
        assert_eq!((&alone[0]["reporterCount"], &alone[0]["reports"]), (&json!(1), &json!([])));
        two_moderators(&school).await;
        assert!(queue(&ana, "OPEN").await.is_empty());
        assert_eq!(ana.data_with(NODE, json!({ "id": report })).await["node"], Value::Null);
        let refused = does(&ana, DECIDE, json!({ "id": report, "decision": "DISMISS", "v": 1 })).await;
        assert_eq!((code(&refused), &refused["report"]), ("NOT_ALLOWED", &Value::Null));
        let bo = school.person("bo").await;
        assert_eq!(queue(&bo, "OPEN").await[0]["reports"][0]["text"], "Not again.");
        assert_eq!(code(&does(&bo, DECIDE, json!({ "id": report, "decision": "DISMISS", "v": 1 })).await), "");
        // That it was dismissed is not in the log as she reads it.
        let log = "{ course(slug: \"living-soil\") { forum { moderationLog(first: 9) { nodes { act } } } } }";
        assert_eq!(ana.data(log).await["course"]["forum"]["moderationLog"]["nodes"], json!([]));
        assert_eq!(bo.data(log).await["course"]["forum"]["moderationLog"]["nodes"], json!([{ "act": "DISMISS_REPORT" }]));
    }

    async fn removing_a_post_decides_what_was_reported_of_it(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let post = heated(&school).await;
        does(&mei, REPORT, json!({ "id": post, "reason": "SPAM" })).await;
        let remove = "mutation($id: ID!) { removePost(postId: $id, input: { reason: \"Unkind.\" }) { userErrors { code } } }";
        assert_eq!(does(&ana, remove, json!({ "id": post })).await["userErrors"], json!([]));
        assert!(queue(&ana, "OPEN").await.is_empty());
        assert_eq!(queue(&ana, "DECIDED").await[0]["decision"]["decision"], "REMOVE_POST");
        assert_eq!(notified(&school, "mei", "REPORT_DECIDED").await, 1);
        assert_eq!(code(&does(&mei, REPORT, json!({ "id": post, "reason": "SPAM" })).await), "CONFLICT", "there is nothing left to report");
    }

    async fn the_queue_is_for_moderators_only_by_whatever_path(school) {
        let post = heated(&school).await;
        let report = does(&school.person("mei").await, REPORT, json!({ "id": post, "reason": "SPAM" })).await["report"]["id"].clone();
        let paths = "query($thread: ID!, $post: ID!) {
            a: course(slug: \"living-soil\") { forum { moderationQueue(first: 5) { nodes { id } } moderationLog(first: 5) { nodes { act } } } }
            b: node(id: $thread) { ... on Thread { course { forum { moderationQueue(first: 5) { nodes { id } } moderationLog(first: 5) { nodes { act } } } } } }
            c: node(id: $post) { ... on Post { thread { course { forum { moderationQueue(first: 5, state: DECIDED) { nodes { id } } moderationLog(first: 5) { nodes { act } } } } } } } }";
        let nothing = json!({ "moderationQueue": null, "moderationLog": null });
        for who in ["mei", "omar", "bo"] {
            let client = school.person(who).await;
            let answer = client.ask_with(paths, json!({ "thread": school.thread("soil", "t2"), "post": post })).await;
            let data = &answer["data"];
            assert_eq!((&data["a"]["forum"], &data["b"]["course"]["forum"], &data["c"]["thread"]["course"]["forum"]), (&nothing, &nothing, &nothing), "{who}");
            let decided = does(&client, DECIDE, json!({ "id": report, "decision": "DISMISS", "v": 1 })).await;
            assert_eq!(code(&decided), "NOT_ALLOWED", "{who}");
        }
        let nobody = school.anybody().ask_with(NODE, json!({ "id": report })).await;
        assert_eq!(nobody["data"]["node"], Value::Null);
    }
}
