//! What to take next, and why.

use serde_json::{Value, json};
use stoa_recommender::Settings;
use stoa_testkit::{School, story};

const NEXT: &str = "{ me { recommendations(first: 5) { score course { slug } reasons { kind sentence courses { slug } topics { slug } } } } }";

/// Twelve learners took soil and then compost, so that there is something to learn from.
pub(crate) async fn busy(school: &School) {
    let folder = tempfile::tempdir().unwrap();
    let mut learners = String::from("key,name\n");
    let mut activity = String::from("learner,lesson,started_at,seconds,progress\n");
    for n in 0..12 {
        learners += &format!("l{n},Learner {n}\n");
        activity += &format!("l{n},soil-1,2026-02-{:02}T10:00:00Z,400,1\n", n + 1);
        activity += &format!("l{n},compost-1,2026-02-{:02}T12:00:00Z,300,0.9\n", n + 1);
    }
    std::fs::write(folder.path().join("learners.csv"), learners).unwrap();
    std::fs::write(folder.path().join("activity.csv"), activity).unwrap();
    let report = school.import(folder.path()).await;
    assert!(report.complete(), "{report}");
}

story! {
    async fn without_a_model_there_is_an_empty_list_and_no_error(school) {
        let data = school.person("zoe").await.data(NEXT).await;
        assert_eq!(data["me"]["recommendations"], json!([]));
    }

    async fn zoe_is_told_what_to_take_next_with_reasons(school) {
        busy(&school).await;
        school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        assert!(school.app.feed.refresh().await.unwrap());
        let zoe = school.person("zoe").await;
        let list = zoe.data(NEXT).await["me"]["recommendations"].clone();
        let slugs: Vec<_> = list.as_array().unwrap().iter().map(|item| item["course"]["slug"].as_str().unwrap()).collect();
        assert!(slugs.contains(&"living-soil") && slugs.contains(&"compost-step-by-step"), "{slugs:?}");
        assert!(!slugs.contains(&"le-sol-vivant"), "she takes that already");
        let reasons = list[0]["reasons"].as_array().unwrap();
        assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason["sentence"].as_str().unwrap().ends_with('.')), "{list:#}");
        assert_eq!(zoe.data(NEXT).await["me"]["recommendations"], list, "the same list again");
    }

    async fn taking_a_course_changes_the_list_at_once(school) {
        busy(&school).await;
        school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        school.app.feed.refresh().await.unwrap();
        let zoe = school.person("zoe").await;
        let before = zoe.data(NEXT).await;
        let first = before["me"]["recommendations"][0]["course"]["slug"].as_str().unwrap().to_owned();
        let key = if first == "living-soil" { "soil" } else { "compost" };
        school.clock.advance(1);
        zoe.data_with("mutation($c: ID!) { enroll(courseId: $c) { enrolment { id } } }", json!({ "c": school.course(key) })).await;
        let after = zoe.data(NEXT).await;
        let slugs: Vec<_> = after["me"]["recommendations"].as_array().unwrap().iter().map(|item| item["course"]["slug"].clone()).collect();
        assert!(!slugs.contains(&Value::from(first)), "{slugs:?}");
    }

    async fn a_newer_model_is_taken_up_without_a_restart(school) {
        busy(&school).await;
        let first = school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        school.app.feed.refresh().await.unwrap();
        let second = school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        assert_ne!(first.id, second.id);
        school.app.feed.refresh().await.unwrap();
        assert_eq!(school.app.feed.current().await.unwrap(), Some(second.id));
        assert_eq!(school.app.feed.models().await.unwrap().len(), 2, "the one before can be gone back to");
    }

    async fn a_model_that_is_damaged_is_named_and_the_one_in_use_stays(school) {
        busy(&school).await;
        school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        school.app.feed.refresh().await.unwrap();
        let damaged = school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        damage(&school).await;
        let error = school.app.feed.refresh().await.unwrap_err().to_string();
        assert!(error.contains(&damaged.id.0.to_string()) && error.contains("stoa train"), "{error}");
        assert!(school.app.feed.is_serving());
        let data = school.person("zoe").await.data(NEXT).await;
        assert!(!data["me"]["recommendations"].as_array().unwrap().is_empty());
    }

    async fn somebody_elses_list_is_not_shown(school) {
        let query = "query($id: ID!) { node(id: $id) { ... on Person { recommendations { score } } } }";
        let answer = school.person("ana").await.ask_with(query, json!({ "id": school.person_node("mei") })).await;
        assert_eq!(answer["data"]["node"]["recommendations"], Value::Null);
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "Person.recommendations");
    }
}

/// Cuts the latest model short.
async fn damage(school: &School) {
    const SQL: &str = "UPDATE models SET payload = substr(payload, 1, 100)
        WHERE trained_at = (SELECT MAX(trained_at) FROM models)
          AND CAST(id AS TEXT) = (SELECT MAX(CAST(id AS TEXT)) FROM models)";
    const SQLITE: &str = "UPDATE models SET payload = substr(payload, 1, 100) WHERE id = (SELECT MAX(id) FROM models)";
    if school.database.url.starts_with("sqlite") {
        let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
        sqlx::query(SQLITE).execute(&pool).await.unwrap();
        pool.close().await;
    } else {
        let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
        sqlx::query(SQL).execute(&pool).await.unwrap();
        pool.close().await;
    }
}
