//! What instructors say to all who take a course.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

use crate::notifications::{counted, crowd, found, kinds};

const ALL: &str = "{ course(slug: \"living-soil\") { announcements(first: 9) { nodes { id title state version author { name } publishAt editedAt bodyHtml } }
    plannedAnnouncements { id title state } } }";

async fn announce(client: &Client, school: &School, input: Value) -> Value {
    let query = "mutation($course: ID!, $input: CreateAnnouncementInput!) { createAnnouncement(courseId: $course, input: $input) {
        announcement { id state version publishAt } userErrors { code path } } }";
    client.data_with(query, json!({ "course": school.course("soil"), "input": input })).await["createAnnouncement"]
        .take()
}

async fn change(client: &Client, id: &Value, input: Value) -> Value {
    let query = "mutation($id: ID!, $input: UpdateAnnouncementInput!) { updateAnnouncement(announcementId: $id, input: $input) {
        announcement { title state version editedAt } userErrors { code path } } }";
    client.data_with(query, json!({ "id": id, "input": input })).await["updateAnnouncement"].take()
}

/// `publish` or `retract`.
async fn do_with(client: &Client, what: &str, id: &Value, version: i64) -> Value {
    let query = format!("mutation($id: ID!, $version: Int!) {{ {what}Announcement(announcementId: $id, input: {{ version: $version }}) {{
        announcement {{ state version }} userErrors {{ code path }} }} }}");
    client.data_with(&query, json!({ "id": id, "version": version })).await[format!("{what}Announcement")].take()
}

async fn titles(client: &Client) -> Vec<String> {
    let data = client.data(ALL).await;
    let nodes = data["course"]["announcements"]["nodes"].as_array().unwrap_or_else(|| panic!("{data:#}")).clone();
    nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

story! {
    async fn ana_announces_and_those_who_take_the_course_are_told(school) {
        let (ana, mei, zoe) = (school.person("ana").await, school.person("mei").await, school.person("zoe").await);
        let made = announce(&ana, &school, json!({ "title": " Rain ", "body": "**No** spades <script>alert(1)</script>tomorrow." })).await;
        assert_eq!(made["announcement"]["state"], "PUBLISHED");
        let data = mei.data(ALL).await;
        let node = &data["course"]["announcements"]["nodes"][0];
        assert_eq!((&node["title"], &node["author"]["name"]), (&json!("Rain"), &json!("Ana Pereira")));
        let html = node["bodyHtml"].as_str().unwrap();
        assert!(html.contains("<strong>No</strong>") && !html.contains("<script"), "{html}");
        assert_eq!(data["course"]["plannedAnnouncements"], Value::Null);
        let of_mei = found(&mei).await;
        assert_eq!((&of_mei[0]["kind"], &of_mei[0]["announcement"]["title"]), (&json!("ANNOUNCEMENT"), &json!("Rain")));
        assert_eq!((kinds(&ana).await.len(), kinds(&zoe).await.len()), (0, 0));
        let answer = zoe.ask(ALL).await;
        assert_eq!(answer["data"]["course"]["announcements"], Value::Null);
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "Course.announcements");
        for other in [&zoe, school.anybody()] {
            let data = other.data_with("query($id: ID!) { node(id: $id) { id } }", json!({ "id": node["id"] })).await;
            assert_eq!(data["node"], Value::Null);
        }
    }

    async fn an_open_forum_opens_no_announcements(school) {
        let query = "{ course(slug: \"compost-step-by-step\") { forum { categories { name } } announcements(first: 1) { nodes { id } } } }";
        let answer = school.person("zoe").await.ask(query).await;
        assert_ne!(answer["data"]["course"]["forum"], Value::Null);
        assert_eq!(answer["data"]["course"]["announcements"], Value::Null);
    }

    async fn only_instructors_announce_and_what_can_be_mended_is_named(school) {
        let (ana, bo, mei, zoe) = (school.person("ana").await, school.person("bo").await, school.person("mei").await, school.person("zoe").await);
        let good = json!({ "title": "Rain", "body": "Tomorrow." });
        for (client, input, code, path) in [
            (&bo, good.clone(), "NOT_ALLOWED", json!([])),
            (&mei, good.clone(), "NOT_ALLOWED", json!([])),
            (&zoe, good.clone(), "NOT_ALLOWED", json!([])),
            (&ana, json!({ "title": " ", "body": "x" }), "LENGTH", json!(["input", "title"])),
            (&ana, json!({ "title": "x".repeat(301), "body": "x" }), "LENGTH", json!(["input", "title"])),
            (&ana, json!({ "title": "x", "body": "" }), "LENGTH", json!(["input", "body"])),
            (&ana, json!({ "title": "x", "body": "x", "publishAt": "2026-03-02T09:00:00Z" }), "OUT_OF_RANGE", json!(["input", "publishAt"])),
            (&ana, json!({ "title": "x", "body": "x", "draft": true, "publishAt": "2026-04-02T09:00:00Z" }), "CONFLICT", json!(["input", "draft"])),
            (&ana, json!({ "title": "x", "body": "x", "idempotencyKey": "" }), "LENGTH", json!(["input", "idempotencyKey"])),
        ] {
            let made = announce(client, &school, input).await;
            assert_eq!(made, json!({ "announcement": null, "userErrors": [{ "code": code, "path": path }] }));
        }
        let made = announce(&ana, &school, good).await;
        let id = &made["announcement"]["id"];
        for (client, code) in [(&bo, "NOT_ALLOWED"), (&mei, "NOT_ALLOWED"), (&zoe, "NOT_FOUND")] {
            assert_eq!(do_with(client, "retract", id, 1).await["userErrors"][0]["code"], code);
        }
        assert_eq!(titles(&mei).await, ["Rain"]);
    }

    async fn an_announcement_that_is_sent_twice_is_made_once(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let input = json!({ "title": "Rain", "body": "Tomorrow.", "idempotencyKey": "k1" });
        let first = announce(&ana, &school, input.clone()).await;
        school.clock.advance(60);
        let again = announce(&ana, &school, input).await;
        assert_eq!(first["announcement"]["id"], again["announcement"]["id"]);
        assert_eq!((titles(&mei).await.len(), kinds(&mei).await.len()), (1, 1));
        let other = announce(&ana, &school, json!({ "title": "Snow", "body": "Tomorrow.", "idempotencyKey": "k1" })).await;
        assert_eq!(other["userErrors"], json!([{ "code": "IDEMPOTENCY_KEY_REUSED", "path": ["input", "idempotencyKey"] }]));
    }

    async fn a_draft_is_seen_by_staff_only_until_it_is_published(school) {
        let (ana, bo, mei) = (school.person("ana").await, school.person("bo").await, school.person("mei").await);
        let draft = announce(&ana, &school, json!({ "title": "Rain", "body": "Perhaps.", "draft": true })).await;
        let id = &draft["announcement"]["id"];
        assert_eq!(draft["announcement"]["state"], "DRAFT");
        for client in [&ana, &bo] {
            assert_eq!(client.data(ALL).await["course"]["plannedAnnouncements"], json!([{ "id": id, "title": "Rain", "state": "DRAFT" }]));
        }
        assert_eq!((titles(&mei).await.len(), kinds(&mei).await.len()), (0, 0));
        let data = mei.data_with("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(data["node"], Value::Null);
        assert_eq!(change(&mei, id, json!({ "version": 1, "title": "Sun" })).await["userErrors"][0]["code"], "NOT_FOUND");
        let changed = change(&ana, id, json!({ "version": 1, "title": "Much rain" })).await;
        assert_eq!(changed["announcement"], json!({ "title": "Much rain", "state": "DRAFT", "version": 2, "editedAt": null }));
        let stale = json!({ "announcement": null, "userErrors": [{ "code": "STALE_VERSION", "path": ["input", "version"] }] });
        assert_eq!(change(&ana, id, json!({ "version": 1, "title": "Sun" })).await, stale);
        assert_eq!(do_with(&ana, "publish", id, 1).await, stale);
        assert_eq!(do_with(&ana, "publish", id, 2).await["announcement"], json!({ "state": "PUBLISHED", "version": 3 }));
        assert_eq!((titles(&mei).await, kinds(&mei).await), (vec!["Much rain".to_owned()], vec!["ANNOUNCEMENT".to_owned()]));
        assert_eq!(do_with(&ana, "publish", id, 3).await["userErrors"][0]["code"], "CONFLICT");
        let edited = change(&ana, id, json!({ "version": 3, "body": "Rather." })).await;
        assert_eq!(edited["announcement"]["editedAt"], "2026-03-02T09:00:00Z");
        assert_eq!(kinds(&mei).await.len(), 1, "nobody is told of an edit");
    }

    async fn a_scheduled_one_is_there_at_its_time_and_its_learners_are_told_once(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let made = announce(&ana, &school, json!({ "title": "Rain", "body": "Now.", "publishAt": "2026-03-02T10:00:00Z" })).await;
        assert_eq!(made["announcement"]["state"], "SCHEDULED");
        school.clock.advance(3_599);
        assert_eq!(school.app.announcements.publish_due().await.unwrap(), 0);
        assert_eq!((titles(&mei).await.len(), kinds(&mei).await.len()), (0, 0));
        school.clock.advance(1);
        assert_eq!(titles(&mei).await, ["Rain"], "to the second, whatever the servers do");
        let (one, other) = (school.app.announcements.clone(), school.app.announcements.clone());
        let (one, other) = tokio::join!(one.publish_due(), other.publish_due());
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        assert_eq!(kinds(&mei).await, ["ANNOUNCEMENT"]);
        assert_eq!(ana.data(ALL).await["course"]["plannedAnnouncements"], json!([]));
    }

    async fn a_retracted_one_vanishes_with_its_notifications(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let made = announce(&ana, &school, json!({ "title": "Rain", "body": "Tomorrow." })).await;
        let id = &made["announcement"]["id"];
        assert_eq!(kinds(&mei).await.len(), 1);
        assert_eq!(do_with(&ana, "retract", id, 1).await["announcement"], json!({ "state": "RETRACTED", "version": 2 }));
        assert_eq!((titles(&mei).await.len(), kinds(&mei).await.len()), (0, 0));
        let data = mei.data_with("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(data["node"], Value::Null);
        assert_eq!(do_with(&ana, "retract", id, 2).await["userErrors"][0]["code"], "CONFLICT");
        assert_eq!(change(&ana, id, json!({ "version": 2, "title": "Sun" })).await["userErrors"][0]["code"], "CONFLICT");
        // One that nobody was told of yet is never told of.
        let made = announce(&ana, &school, json!({ "title": "Snow", "body": "Soon.", "publishAt": "2026-03-02T10:00:00Z" })).await;
        do_with(&ana, "retract", &made["announcement"]["id"], 1).await;
        school.clock.advance(7_200);
        assert_eq!(school.app.announcements.publish_due().await.unwrap(), 0);
        assert_eq!((titles(&mei).await.len(), kinds(&mei).await.len()), (0, 0));
    }

    async fn a_large_course_is_told_in_parts_and_what_is_retracted_meanwhile_is_taken_back(school) {
        crowd(&school, 1_200).await;
        let ana = school.person("ana").await;
        let told = "SELECT COUNT(*) FROM notifications WHERE kind = 'ANNOUNCEMENT'";
        let made = announce(&ana, &school, json!({ "title": "Rain", "body": "Tomorrow." })).await;
        assert_eq!(counted(&school, told).await, 500);
        while school.app.notifications.go_on().await.unwrap() > 0 {}
        assert_eq!(counted(&school, told).await, 1_202, "and Mei and Omar");
        do_with(&ana, "retract", &made["announcement"]["id"], 1).await;
        while school.app.notifications.go_on().await.unwrap() > 0 {}
        assert_eq!(counted(&school, told).await, 0);
        // Retracted before everybody was told: nobody is told any more.
        let made = announce(&ana, &school, json!({ "title": "Snow", "body": "Tomorrow." })).await;
        do_with(&ana, "retract", &made["announcement"]["id"], 1).await;
        while school.app.notifications.go_on().await.unwrap() > 0 {}
        assert_eq!(counted(&school, told).await, 0);
    }
}
