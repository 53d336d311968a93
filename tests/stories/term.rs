//! A term, with all areas at work together: what an author does at her desk, a learner finds in her record.

use serde_json::{Value, json};
use stoa_testkit::{Client, story};

use crate::authoring::{done, version_of};

const MINE: &str =
    "{ course(slug: \"living-soil\") { lessonCount contentVersion modules { title } myEnrolment { progress
    changedBecause { kind lessonsAdded lessonsRemoved progressBefore progressNow } } } }";

async fn mine(client: &Client) -> Value {
    client.data(MINE).await["course"].take()
}

story! {
    async fn ana_adds_a_module_in_mid_term_takes_it_out_again_and_omar_is_told_why_each_time(school) {
        let (ana, omar) = (school.person("ana").await, school.person("omar").await);
        assert_eq!(mine(&omar).await["myEnrolment"]["progress"], 0.25, "one of four lessons");
        school.clock.advance(86_400);

        // While it is a draft, nothing shows and nothing changes.
        let module = done(&ana, "createModule", json!({ "courseId": school.course("soil"), "title": "Clay" })).await;
        let reading = json!({ "moduleId": module["id"], "title": "Heavy soil", "kind": "READING", "text": "It *sticks*.", "seconds": 60 });
        let lesson = done(&ana, "createLesson", reading).await;
        let before = mine(&omar).await;
        assert_eq!((&before["lessonCount"], &before["myEnrolment"]["progress"]), (&json!(4), &json!(0.25)));
        assert_eq!(before["modules"].as_array().unwrap().len(), 2);

        done(&ana, "publishModule", json!({ "moduleId": module["id"], "version": version_of(&ana, &module["id"]).await })).await;
        let after = mine(&omar).await;
        assert_eq!((&after["lessonCount"], &after["contentVersion"]), (&json!(5), &json!(2)));
        assert_eq!(after["modules"][2]["title"], "Clay");
        assert_eq!(after["myEnrolment"], json!({ "progress": 0.2, "changedBecause": [
            { "kind": "ADDED", "lessonsAdded": 1, "lessonsRemoved": 0, "progressBefore": 0.25, "progressNow": 0.2 }] }));

        // He does it: his record says which version he saw, and the instructor sees the same number.
        school.clock.advance(600);
        let query = "mutation($lesson: ID!) { recordActivity(lessonId: $lesson, input: { seconds: 60, position: 60, idempotencyKey: \"clay\" }) {
            recorded { counted replayed } enrolment { progress } userErrors { code } } }";
        let mut said = Vec::new();
        for _ in 0..2 {
            said.push(omar.data_with(query, json!({ "lesson": lesson["id"] })).await["recordActivity"].take());
        }
        assert_eq!(said[0], json!({ "recorded": { "counted": 60, "replayed": false }, "enrolment": { "progress": 0.4 }, "userErrors": [] }));
        assert_eq!(said[1]["recorded"], json!({ "counted": 60, "replayed": true }));
        let class = "{ course(slug: \"living-soil\") { learners(first: 9) { nodes { learner { name } progress } } } }";
        let class = ana.data(class).await;
        let nodes = class["course"]["learners"]["nodes"].as_array().unwrap();
        assert!(nodes.contains(&json!({ "learner": { "name": "Omar Said" }, "progress": 0.4 })), "{nodes:?}");

        // It goes again: what he did in it does not count any more, and he is told.
        school.clock.advance(600);
        let version = version_of(&ana, &lesson["id"]).await;
        done(&ana, "retireLesson", json!({ "lessonId": lesson["id"], "version": version })).await;
        let now = mine(&omar).await;
        assert_eq!((&now["lessonCount"], &now["myEnrolment"]["progress"]), (&json!(4), &json!(0.25)));
        let changes = now["myEnrolment"]["changedBecause"].as_array().unwrap();
        assert!(changes.iter().any(|change| change["kind"] == "REMOVED" && change["progressBefore"] == 0.4), "{changes:?}");
    }
}
