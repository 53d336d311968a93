//! What people say of themselves.

use serde_json::{Value, json};
use stoa_recommender::Settings;
use stoa_testkit::{Client, story};

const UPDATE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
    person { name picture education timeZone language goals { slug } preferences { language playbackSpeed } }
    userErrors { code path } } }";

async fn update(client: &Client, input: Value) -> Value {
    client.data_with(UPDATE, json!({ "input": input })).await["updateProfile"].clone()
}

story! {
    async fn mei_fills_in_her_profile_and_what_she_leaves_out_stays(school) {
        let mei = school.person("mei").await;
        let topics = mei.data("{ me { goals { id slug } } }").await["me"]["goals"].clone();
        let filled = update(&mei, json!({
            "name": " Mei T. ", "picture": "https://example.org/mei.png", "education": "Two terms of botany", "timeZone": "asia/tokyo",
            "language": "JA", "goals": [topics[0]["id"], topics[0]["id"]], "preferences": { "language": "en-gb", "playbackSpeed": 1.25 },
        })).await;
        assert_eq!(filled, json!({ "userErrors": [], "person": {
            "name": "Mei T.", "picture": "https://example.org/mei.png", "education": "Two terms of botany", "timeZone": "Asia/Tokyo",
            "language": "ja", "goals": [{ "slug": topics[0]["slug"] }], "preferences": { "language": "en-GB", "playbackSpeed": 1.25 },
        } }));
        let cleared = update(&mei, json!({ "education": null, "goals": null, "preferences": { "language": null } })).await;
        assert_eq!(cleared["person"], json!({
            "name": "Mei T.", "picture": "https://example.org/mei.png", "education": null, "timeZone": "Asia/Tokyo",
            "language": "ja", "goals": [], "preferences": { "language": null, "playbackSpeed": 1.25 },
        }));
        let nothing = update(&mei, json!({})).await;
        assert_eq!(nothing["person"], cleared["person"]);
    }

    async fn one_slip_and_nothing_is_changed(school) {
        let mei = school.person("mei").await;
        let answer = update(&mei, json!({
            "name": null, "picture": "http://example.org/mei.png", "education": "x".repeat(501), "timeZone": "Atlantis",
            "language": "Japanese!", "goals": [school_topic(&mei).await, no_topic()], "preferences": { "playbackSpeed": 9.0 },
        })).await;
        let mut errors: Vec<_> = answer["userErrors"].as_array().unwrap().iter()
            .map(|error| format!("{} {}", error["code"].as_str().unwrap(), error["path"])).collect();
        errors.sort();
        assert_eq!(errors, [
            r#"LENGTH ["input","education"]"#, r#"LENGTH ["input","name"]"#, r#"MALFORMED ["input","language"]"#,
            r#"MALFORMED ["input","picture"]"#, r#"MALFORMED ["input","timeZone"]"#, r#"NOT_FOUND ["input","goals","1"]"#,
            r#"OUT_OF_RANGE ["input","preferences","playbackSpeed"]"#,
        ]);
        update(&mei, json!({ "education": "Botany", "language": "?" })).await;
        let me = mei.data("{ me { name education } }").await["me"].clone();
        assert_eq!(me, json!({ "name": "Mei Tanaka", "education": null }));
    }

    async fn classmates_see_the_picture_and_nothing_else_of_the_profile(school) {
        update(&school.person("mei").await, json!({ "picture": "https://example.org/mei.png", "education": "Botany", "timeZone": "Asia/Tokyo" })).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Person { picture education timeZone language preferences { language } leftOff { at } roles } } }";
        let data = school.person("omar").await.data_with(query, json!({ "id": school.person_node("mei") })).await;
        assert_eq!(data["node"], json!({
            "picture": "https://example.org/mei.png", "education": null, "timeZone": null, "language": null, "preferences": null,
            "leftOff": null, "roles": null,
        }));
    }

    async fn mei_goes_on_where_she_left_off(school) {
        let query = "{ me { leftOff { lesson { title } course { slug } position at } } }";
        let mei = school.person("mei").await;
        let data = mei.data(query).await;
        assert_eq!(data["me"]["leftOff"]["course"]["slug"], "compost-step-by-step");
        school.clock.advance(60);
        let record = "mutation($l: ID!) { recordActivity(lessonId: $l, input: { seconds: 20, position: 15 }) { userErrors { code } } }";
        mei.data_with(record, json!({ "l": school.lesson("soil-3") })).await;
        assert_eq!(mei.data(query).await["me"]["leftOff"], json!({
            "lesson": { "title": "Worms and other workers" }, "course": { "slug": "living-soil" }, "position": 15, "at": "2026-03-02T09:01:00Z",
        }));
        // A course that was only just taken has nothing to go on with.
        school.clock.advance(60);
        mei.data_with("mutation($c: ID!) { enroll(courseId: $c) { userErrors { code } } }", json!({ "c": school.course("sol") })).await;
        assert_eq!(mei.data(query).await["me"]["leftOff"]["position"], 15);
        assert_eq!(school.person("ana").await.data(query).await["me"]["leftOff"], Value::Null);
    }

    async fn new_goals_make_a_new_list_of_next_courses(school) {
        school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        school.app.feed.refresh().await.unwrap();
        let zoe = school.person("zoe").await;
        let next = "{ me { recommendations { course { slug } score reasons { kind } } } }";
        zoe.data(next).await;
        school.clock.advance(1);
        update(&zoe, json!({ "goals": [school_topic(&school.person("mei").await).await] })).await;
        let data = zoe.data(next).await;
        assert!(data.to_string().contains("GOAL"), "{data:#}");
    }

    async fn whoever_has_not_signed_in_has_no_profile(school) {
        let answer = school.anybody().ask_with(UPDATE, json!({ "input": { "name": "X" } })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}

/// One of Mei's goals.
async fn school_topic(mei: &Client) -> Value {
    mei.data("{ me { goals { id } } }").await["me"]["goals"][0]["id"].clone()
}

/// The id of a topic that is not there.
fn no_topic() -> String {
    use stoa_api::ids::TopicId;
    stoa_api::graphql::global_id::topic(TopicId::imported("nowhere", "nothing"))
}
