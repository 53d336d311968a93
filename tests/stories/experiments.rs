//! Learners are split between engines, and what becomes of their lists is counted.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stoa_api::{
    app::Settings,
    recommendations::experiments::{ArmSettings, ExperimentSettings},
};
use stoa_testkit::{Client, School, story};

use crate::feedback::{busy, say};

/// What a statement counts; ids are written as `School::execute` takes them.
pub(crate) async fn count(school: &School, sql: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(school.written(sql));
    if school.database.is_sqlite() {
        let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
        let found = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        pool.close().await;
        found
    } else {
        let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
        let found = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        pool.close().await;
        found
    }
}

/// A learner's list: its id and the global ids of its courses.
async fn list(client: &Client) -> (String, Vec<String>) {
    let data = client.data("{ me { nextCourses(first: 50) { id items { course { id } } } } }").await;
    let list = &data["me"]["nextCourses"];
    let courses =
        list["items"].as_array().unwrap().iter().map(|item| item["course"]["id"].as_str().unwrap().to_owned());
    (list["id"].as_str().unwrap().to_owned(), courses.collect())
}

async fn report(client: &Client, list: &str, events: &[(&str, &str)]) -> Value {
    let query = "mutation($input: RecordRecommendationEventsInput!) { recordRecommendationEvents(input: $input) {
        recorded userErrors { code path message } } }";
    let events: Vec<_> = events.iter().map(|(kind, course)| json!({ "kind": kind, "courseId": course })).collect();
    let input = json!({ "listId": list, "events": events });
    client.data_with(query, json!({ "input": input })).await["recordRecommendationEvents"].clone()
}

/// Reports that the first courses of a learner's list were shown. Answers with the list and those courses.
pub(crate) async fn report_shown(_school: &School, client: &Client, first: usize) -> (String, Vec<String>) {
    let (id, mut courses) = list(client).await;
    courses.truncate(first);
    let events: Vec<_> = courses.iter().map(|course| ("IMPRESSION", course.as_str())).collect();
    let payload = report(client, &id, &events).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    (id, courses)
}

async fn enroll(client: &Client, course: &str) {
    client
        .data_with("mutation($c: ID!) { enroll(courseId: $c) { userErrors { code } } }", json!({ "c": course }))
        .await;
}

fn experiment(arms: &[(&str, Option<&str>)]) -> Settings {
    let arms = arms
        .iter()
        .map(|(name, engine)| ArmSettings { name: (*name).to_owned(), weight: 1.0, engine: engine.map(str::to_owned) })
        .collect();
    let experiment = ExperimentSettings { name: "rules-against-mix".to_owned(), arms, ..ExperimentSettings::default() };
    Settings { experiment, ..Settings::default() }
}

async fn under(school: School, settings: Settings) -> School {
    let school = school.under(settings).await;
    school.app.feed.refresh().await.unwrap();
    school
}

async fn arm_of(client: &Client) -> (String, String) {
    let data = client.data("{ me { nextCourses { engine experiment { name arm } } } }").await;
    let list = &data["me"]["nextCourses"];
    assert_eq!(list["experiment"]["name"], "rules-against-mix");
    (list["experiment"]["arm"].as_str().unwrap().to_owned(), list["engine"].as_str().unwrap().to_owned())
}

const EVENTS: &str = "SELECT COUNT(*) FROM recommendation_events WHERE learner_id = {person:mei}";
const SHOWN: &str = "SELECT COUNT(*) FROM recommendation_impressions WHERE learner_id = {person:mei}";

story! {
    async fn learners_in_two_arms_get_lists_from_two_engines_and_always_the_same(school) {
        busy(&school).await;
        let settings = experiment(&[("mix", None), ("rules", Some("rules"))]);
        let mut school = under(school, settings.clone()).await;
        let mut first = BTreeMap::new();
        for n in 0..16 {
            let place = arm_of(&school.person(&format!("l{n}")).await).await;
            assert!([("mix", "hybrid"), ("rules", "rules")].contains(&(&place.0, &place.1)), "{place:?}");
            first.insert(n, place);
        }
        let arms: std::collections::BTreeSet<_> = first.values().cloned().collect();
        assert_eq!(arms.len(), 2, "both arms have somebody: {first:?}");
        school.clock.advance(3_600);
        school = under(school, settings).await;
        for (n, place) in first {
            assert_eq!(arm_of(&school.person(&format!("l{n}")).await).await, place, "after a restart, in another sitting");
        }
    }

    async fn who_withdraws_consent_is_in_no_experiment(school) {
        busy(&school).await;
        let school = under(school, experiment(&[("rules", Some("rules"))])).await;
        let mei = school.person("mei").await;
        assert_eq!(arm_of(&mei).await, ("rules".to_owned(), "rules".to_owned()));
        mei.data("mutation { setConsent(input: { purpose: PERSONAL_RECOMMENDATIONS, granted: false }) { userErrors { code } } }").await;
        let data = mei.data("{ me { nextCourses { engine experiment { arm } } } }").await;
        assert_eq!(data["me"]["nextCourses"], json!({ "engine": "hybrid", "experiment": null }));
    }

    async fn an_engine_that_is_not_there_is_replaced_and_the_list_says_so(school) {
        busy(&school).await;
        let school = under(school, experiment(&[("outside", Some("nobody-there"))])).await;
        let data = school.person("mei").await.data("{ me { nextCourses { engine insteadOf experiment { arm } items { score } } } }").await;
        let list = &data["me"]["nextCourses"];
        assert_eq!((&list["engine"], &list["insteadOf"], &list["experiment"]["arm"]), (&json!("hybrid"), &json!("nobody-there"), &json!("outside")));
        assert!(!list["items"].as_array().unwrap().is_empty());
    }

    async fn another_experiment_makes_a_new_list_at_once(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        let before = list(&mei).await.0;
        let school = under(school, experiment(&[("rules", Some("rules"))])).await;
        let mei = school.person("mei").await;
        assert_eq!(arm_of(&mei).await.1, "rules");
        assert_ne!(list(&mei).await.0, before);
    }

    async fn the_same_event_twice_counts_once(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        let (id, courses) = list(&mei).await;
        let events = [("IMPRESSION", courses[0].as_str()), ("IMPRESSION", &courses[1]), ("CLICK", &courses[1]), ("CLICK", &courses[2])];
        assert_eq!(report(&mei, &id, &events).await["recorded"], 5, "what was opened was shown");
        assert_eq!(report(&mei, &id, &events).await["recorded"], 0);
        let once = [("CLICK", courses[3].as_str())];
        let reports = futures_util::future::join_all((0..6).map(|_| report(&mei, &id, &once))).await;
        let new: i64 = reports.iter().map(|payload| payload["recorded"].as_i64().unwrap()).sum();
        assert_eq!(new, 2, "at once, too");
        assert_eq!((count(&school, SHOWN).await, count(&school, EVENTS).await), (4, 3));
        let placed = "SELECT COUNT(*) FROM recommendation_impressions WHERE learner_id = {person:mei} AND position = 3 AND engine = 'hybrid'
            AND propensity BETWEEN 1 AND 1000000";
        assert_eq!(count(&school, placed).await, 1, "place and engine come from the list as it was given");
    }

    async fn what_is_no_event_of_hers_is_named_and_nothing_is_taken(school) {
        busy(&school).await;
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let (id, courses) = list(&mei).await;
        let unknown = "018f3c3e-7b1c-7000-8000-000000000000";
        for (client, list) in [(&omar, id.as_str()), (&mei, unknown), (&mei, "nonsense")] {
            let payload = report(client, list, &[("CLICK", &courses[0])]).await;
            assert_eq!(payload["recorded"], Value::Null);
            assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND");
            assert_eq!(payload["userErrors"][0]["path"], json!(["input", "listId"]));
        }
        let payload = report(&mei, &id, &[("CLICK", &courses[0]), ("CLICK", &school.course("soil"))]).await;
        assert_eq!(payload["userErrors"][0]["path"], json!(["input", "events", "1", "courseId"]));
        let many: Vec<_> = (0..101).map(|_| ("CLICK", courses[0].as_str())).collect();
        assert_eq!(report(&mei, &id, &many).await["userErrors"][0]["code"], "TOO_MANY");
        assert_eq!((count(&school, SHOWN).await, count(&school, EVENTS).await), (0, 0));

        let feedback = "mutation($input: GiveRecommendationFeedbackInput!) { giveRecommendationFeedback(input: $input) { userErrors { code path } } }";
        for (list, course, path) in [(unknown, courses[0].clone(), "listId"), (&id, school.course("soil"), "courseId")] {
            let input = json!({ "courseId": course, "kind": "LIKE", "listId": list });
            let data = mei.data_with(feedback, json!({ "input": input })).await;
            assert_eq!(data["giveRecommendationFeedback"]["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["input", path] }]));
        }
        school.clock.advance(8 * 86_400);
        let payload = report(&mei, &id, &[("CLICK", &courses[0])]).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "too long ago");
    }

    async fn a_course_taken_and_completed_because_of_a_list_is_counted_for_it_once(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        report_shown(&school, &mei, 50).await;
        school.clock.advance(29 * 86_400);
        for _ in 0..2 {
            enroll(&mei, &school.course("c4")).await;
        }
        let record = "mutation($l: ID!) { recordActivity(lessonId: $l, input: { seconds: 60, completed: true }) { enrolment { progress } userErrors { code } } }";
        for _ in 0..2 {
            school.clock.advance(86_400);
            mei.data_with(record, json!({ "l": school.lesson("c4-1") })).await;
        }
        for kind in ["ENROLMENT", "COMPLETION"] {
            let sql = format!("SELECT COUNT(*) FROM recommendation_events e JOIN recommendation_impressions i
                ON i.learner_id = e.learner_id AND i.list_id = e.list_id AND i.course_id = e.course_id AND i.model_id = e.model_id
                WHERE e.learner_id = {{person:mei}} AND e.course_id = {{course:c4}} AND e.kind = '{kind}' AND e.engine = 'hybrid'");
            assert_eq!(count(&school, &sql).await, 1, "{kind}");
        }
        school.clock.advance(86_400);
        enroll(&mei, &school.course("c5")).await;
        enroll(&school.person("omar").await, &school.course("c5")).await;
        let other = "SELECT COUNT(*) FROM recommendation_events WHERE course_id = {course:c5}";
        assert_eq!(count(&school, other).await, 0, "it was shown to her too long ago, and to him not at all");
    }

    async fn a_word_counts_for_the_list_that_showed_the_course_and_goes_when_it_is_taken_back(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        report_shown(&school, &mei, 50).await;
        say(&school, &mei, "c4", "LIKE").await;
        say(&school, &mei, "c4", "DISMISS").await;
        let words = "SELECT COUNT(*) FROM recommendation_events WHERE course_id = {course:c4} AND kind = ";
        assert_eq!(count(&school, &format!("{words}'DISMISS'")).await, 1);
        assert_eq!(count(&school, &format!("{words}'LIKE'")).await, 0, "the latest word counts");
        mei.data_with("mutation($c: ID!) { undoRecommendationFeedback(courseId: $c) { userErrors { code } } }", json!({ "c": school.course("c4") })).await;
        assert_eq!(count(&school, EVENTS).await, 0);
    }

    async fn the_report_has_rates_for_each_arm_and_is_silent_of_few_learners(school) {
        busy(&school).await;
        let school = under(school, experiment(&[("mix", None)])).await;
        for n in 0..24 {
            let learner = school.person(&format!("l{n}")).await;
            let (id, courses) = report_shown(&school, &learner, 4).await;
            if n < 12 {
                report(&learner, &id, &[("CLICK", &courses[0])]).await;
                enroll(&learner, &courses[0]).await;
            } else if n == 12 {
                say(&school, &learner, "c4", "LIKE").await;
            }
        }
        let found = serde_json::to_value(school.app.feed.report("rules-against-mix", 10).await.unwrap()).unwrap();
        let arm = &found["arms"][0];
        assert_eq!((&arm["name"], &arm["learners"], &arm["impressions"], &arm["share"]), (&json!("mix"), &json!(24), &json!(96), &json!(1.0)));
        let rate = |kind: &str| arm["rates"].as_array().unwrap().iter().find(|rate| rate["kind"] == kind).unwrap().clone();
        assert_eq!((&rate("CLICK")["learners"]["count"], &rate("CLICK")["learners"]["value"]), (&json!(12), &json!(0.5)));
        assert_eq!((&rate("ENROLMENT")["times"]["count"], &rate("ENROLMENT")["times"]["of"]), (&json!(12), &json!(96)));
        let low = rate("CLICK")["learners"]["low"].as_f64().unwrap();
        assert!((low - 0.314).abs() < 0.001, "Wilson's: {low}");
        for kind in ["LIKE", "COMPLETION"] {
            assert_eq!((&rate(kind)["learners"], &rate(kind)["times"]), (&Value::Null, &Value::Null), "{kind}: of few learners");
        }
        let silent = school.app.feed.report("rules-against-mix", 25).await.unwrap();
        assert!(silent.arms[0].learners.is_none() && silent.engines.is_empty());
        assert!(silent.to_string().contains("fewer than 25 learners"), "{silent}");
        assert_eq!(school.app.feed.report("another", 10).await.unwrap().arms, []);
    }

    async fn what_is_too_old_is_deleted(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        report_shown(&school, &mei, 50).await;
        enroll(&mei, &school.course("c4")).await;
        school.clock.advance(8 * 86_400);
        school.app.feed.prune().await.unwrap();
        assert_eq!(count(&school, "SELECT COUNT(*) FROM offered_lists").await, 0, "nothing is reported of it any more");
        assert!(count(&school, SHOWN).await > 0 && count(&school, EVENTS).await == 1);
        school.clock.advance(172 * 86_400);
        assert!(school.app.feed.prune().await.unwrap() > 0);
        assert_eq!((count(&school, SHOWN).await, count(&school, EVENTS).await), (0, 0));
    }
}

/// What a request does costs the same however many learners there are.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_reads_a_growing_table_from_end_to_end() {
    let school = School::open(stoa_testkit::Database::sqlite()).await;
    let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
    let off_the_path =
        ["INTERACTIONS", "COURSES", "COURSE_TOPICS", "TOPIC_NAMES", "PREREQUISITES", "CATALOGUE_STAMP", "MODELS"];
    let growing = ["accounts", "enrolments", "consents", "recommendation_", "offered_lists"];
    let mut looked_at = 0;
    for (area, statements) in stoa_api::app::statements() {
        if !area.starts_with("recommendations") || area.ends_with("outcome") {
            continue;
        }
        for sql in statements.iter().filter(|sql| !off_the_path.contains(&sql.name)) {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.lite));
            let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&pool).await.unwrap();
            for (.., step) in plan {
                let scans = growing.iter().any(|table| step.starts_with(&format!("SCAN {table}")))
                    || ["a", "e", "c", "l", "o", "i"].iter().any(|alias| step == format!("SCAN {alias}"));
                assert!(!scans, "{area} {}: {step}", sql.name);
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 25, "only {looked_at} statements were looked at");
}
