//! Progress that cannot lie: what learners report, when it counts, and what becomes of it.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

const RECORD: &str = "mutation($lesson: ID!, $input: RecordActivityInput!) {
    recordActivity(lessonId: $lesson, input: $input) {
        enrolment { progress seconds completedAt cappedSeconds lastActiveAt definitionVersion
            modules { lessons { progress seconds position completedAt } } }
        recorded { counted capped reason replayed }
        userErrors { code message path } } }";

async fn record(school: &School, client: &Client, lesson: &str, input: Value) -> Value {
    let data = client.data_with(RECORD, json!({ "lesson": school.lesson(lesson), "input": input })).await;
    data["recordActivity"].clone()
}

const RECORD_MANY: &str = "mutation($input: RecordActivitiesInput!) { recordActivities(input: $input) {
    results { recorded { counted capped reason replayed } userErrors { code path } }
    enrolments { progress seconds completedAt course { slug } } userErrors { code message path } } }";

async fn record_many(school: &School, client: &Client, beats: &[(&str, Value)]) -> Value {
    let activities: Vec<_> = beats
        .iter()
        .map(|(lesson, activity)| json!({ "lessonId": school.lesson(lesson), "activity": activity }))
        .collect();
    client.data_with(RECORD_MANY, json!({ "input": { "activities": activities } })).await["recordActivities"].clone()
}

async fn enroll(school: &School, client: &Client, course: &str) {
    let query = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code } } }";
    client.data_with(query, json!({ "course": school.course(course) })).await;
}

fn code(payload: &Value) -> &Value {
    &payload["userErrors"][0]["code"]
}

/// The lesson at a place, counted over the modules.
fn lesson(payload: &Value, at: usize) -> Value {
    let modules = payload["enrolment"]["modules"].as_array().unwrap().iter();
    modules.flat_map(|module| module["lessons"].as_array().unwrap().clone()).nth(at).unwrap()
}

story! {
    async fn zoe_learns_for_a_term_with_a_week_offline_and_completes_the_course(school) {
        let zoe = school.person("zoe").await;
        enroll(&school, &zoe, "soil").await;
        // Online: a beat each half minute.
        let mut last = Value::Null;
        for beat in 1..=4 {
            school.clock.advance(30);
            last = record(&school, &zoe, "soil-1", json!({ "seconds": 30, "position": beat * 30, "idempotencyKey": format!("on-{beat}") })).await;
        }
        assert_eq!(lesson(&last, 0), json!({ "progress": 0.285_714, "seconds": 120, "position": 120, "completedAt": null }));
        assert_eq!(last["enrolment"]["definitionVersion"], 2);

        // A week in the hills, where nothing can be sent. On Tuesday she sees the video to its end, on Wednesday she reads.
        school.clock.advance(7 * 86_400);
        let kept: Vec<(&str, Value)> = (1..=10)
            .map(|beat| ("soil-1", json!({ "seconds": 30, "position": 120 + beat * 30, "at": format!("2026-03-03T18:{beat:02}:00Z"),
                "idempotencyKey": format!("off-{beat}"), "session": "phone" })))
            .chain([("soil-2", json!({ "seconds": 240, "completed": true, "at": "2026-03-04T07:30:00Z", "idempotencyKey": "off-11", "session": "phone" }))])
            .collect();
        let sent = record_many(&school, &zoe, &kept).await;
        assert_eq!(sent["userErrors"], json!([]));
        assert_eq!(sent["enrolments"][0]["seconds"], 120 + 300 + 240);
        assert_eq!(sent["enrolments"][0]["progress"], 0.5);
        // No answer came, so the phone sends it again, in another order, with what came since.
        let mut again = kept.clone();
        again.reverse();
        again.push(("soil-3", json!({ "seconds": 540, "position": 540, "at": "2026-03-05T20:00:00Z", "idempotencyKey": "off-12", "session": "phone" })));
        let sent = record_many(&school, &zoe, &again).await;
        let replayed: Vec<_> = sent["results"].as_array().unwrap().iter().map(|result| result["recorded"]["replayed"] == true).collect();
        assert_eq!(replayed, [vec![true; 11], vec![false]].concat());
        assert_eq!((sent["enrolments"][0]["seconds"].clone(), sent["enrolments"][0]["progress"].clone()), (json!(1200), json!(0.75)));

        school.clock.advance(60);
        let end = record(&school, &zoe, "soil-4", json!({ "seconds": 60, "completed": true, "idempotencyKey": "on-5" })).await;
        assert_eq!(end["enrolment"]["progress"], 1.0);
        assert_eq!(end["enrolment"]["completedAt"], "2026-03-09T09:03:00Z");
        assert_eq!(lesson(&end, 0)["completedAt"], "2026-03-03T18:10:00Z", "when she came to its end, not when that was sent");
        // Her instructor sees the same number, and the class counts her.
        let query = "query($id: ID!) { node(id: $id) { ... on Enrolment { progress seconds completedAt cappedSeconds } } }";
        let seen = school.person("ana").await.data_with(query, json!({ "id": school.enrolment("zoe", "soil") })).await;
        assert_eq!(seen["node"], json!({ "progress": 1.0, "seconds": 1260, "completedAt": "2026-03-09T09:03:00Z", "cappedSeconds": 0 }));
    }

    async fn two_tabs_over_the_same_time_count_once_in_the_course_and_each_in_its_lesson(school) {
        let mei = school.person("mei").await;
        let mut last = Value::Null;
        for beat in 1..=3 {
            school.clock.advance(30);
            record(&school, &mei, "compost-1", json!({ "seconds": 30, "session": "left" })).await;
            last = record(&school, &mei, "compost-2", json!({ "seconds": 30, "session": "right", "position": beat })).await;
        }
        assert_eq!(last["enrolment"]["seconds"], 180 + 90);
        assert_eq!((lesson(&last, 0)["seconds"].clone(), lesson(&last, 1)["seconds"].clone()), (json!(270), json!(90)));
        assert_eq!(last["enrolment"]["cappedSeconds"], 0, "nothing of that was impossible");
        // The same tab twice is one.
        school.clock.advance(30);
        let input = json!({ "seconds": 30, "idempotencyKey": "k" });
        let first = record(&school, &mei, "compost-1", input.clone()).await;
        school.clock.advance(1);
        let again = record(&school, &mei, "compost-1", input).await;
        assert_eq!((again["recorded"]["replayed"].clone(), again["recorded"]["counted"].clone()), (json!(true), json!(30)));
        assert_eq!(again["enrolment"]["seconds"], first["enrolment"]["seconds"]);
    }

    async fn more_than_has_passed_is_capped_and_marked_for_her_and_her_instructor(school) {
        let zoe = school.person("zoe").await;
        enroll(&school, &zoe, "soil").await;
        school.clock.advance(30);
        let begin = record(&school, &zoe, "soil-1", json!({ "seconds": 300 })).await;
        assert_eq!(begin["recorded"], json!({ "counted": 30, "capped": 270, "reason": "SINCE_BEGIN", "replayed": false }));
        school.clock.advance(30);
        let since = record(&school, &zoe, "soil-2", json!({ "seconds": 86_400 })).await;
        assert_eq!(since["recorded"], json!({ "counted": 30, "capped": 86_370, "reason": "SINCE_LAST_BEAT", "replayed": false }));
        school.clock.advance(86_400 * 2);
        record(&school, &zoe, "soil-1", json!({ "seconds": 30 })).await;
        school.clock.advance(30);
        let since = record(&school, &zoe, "soil-2", json!({ "seconds": 300 })).await;
        assert_eq!(since["recorded"], json!({ "counted": 30, "capped": 270, "reason": "SINCE_LAST_BEAT", "replayed": false }));
        let session = json!({ "seconds": 600, "session": "new", "startedAt": "2026-03-04T09:01:00Z", "at": "2026-03-04T09:01:20Z" });
        let session = record(&school, &zoe, "soil-2", session).await;
        assert_eq!(session["recorded"], json!({ "counted": 20, "capped": 580, "reason": "SINCE_BEGIN", "replayed": false }));
        assert_eq!(session["enrolment"]["seconds"], 120, "the new session's seconds were the other's, too");
        // A clock that is two minutes ahead is put right; what it says has not happened yet does not count.
        school.clock.advance(60);
        let ahead = record(&school, &zoe, "soil-3", json!({ "seconds": 30, "at": "2026-03-04T09:04:30Z" })).await;
        assert_eq!(ahead["recorded"], json!({ "counted": 30, "capped": 0, "reason": "FUTURE", "replayed": false }));
        assert_eq!(ahead["enrolment"]["lastActiveAt"], "2026-03-04T09:02:30Z");

        let query = "query($id: ID!) { node(id: $id) { ... on Enrolment { cappedSeconds markedActivity { at lesson { title } seconds capped reason } } } }";
        let id = json!({ "id": school.enrolment("zoe", "soil") });
        let seen = zoe.data_with(query, id.clone()).await;
        assert_eq!(seen["node"]["cappedSeconds"], 270 + 86_370 + 270 + 580);
        assert_eq!(seen["node"]["markedActivity"].as_array().unwrap().len(), 5);
        assert_eq!(seen["node"]["markedActivity"][0], json!({ "at": "2026-03-04T09:02:30Z", "lesson": { "title": "Worms and other workers" }, "seconds": 30, "capped": 0, "reason": "FUTURE" }));
        assert_eq!(school.person("ana").await.data_with(query, id.clone()).await, seen);
        let mei = school.person("mei").await.ask_with(query, id).await;
        assert_eq!(mei["data"]["node"], Value::Null, "a classmate knows nothing of it");
    }

    async fn what_can_not_have_been_is_refused_by_name(school) {
        let zoe = school.person("zoe").await;
        school.clock.advance(60 * 86_400);
        enroll(&school, &zoe, "soil").await;
        school.clock.advance(40 * 86_400);
        for (input, expected, path) in [
            (json!({ "seconds": 5, "at": "2031-01-01T00:00:00Z" }), "CLOCK_AHEAD", "at"),
            (json!({ "seconds": 5, "at": "2026-05-10T00:00:00Z" }), "TOO_LATE", "at"),
            (json!({ "seconds": 5, "at": "1826-05-10T00:00:00Z" }), "TOO_LATE", "at"),
            (json!({ "seconds": 5, "at": "2026-06-10T00:00:00Z", "startedAt": "2026-06-10T00:00:01Z" }), "OUT_OF_RANGE", "startedAt"),
            (json!({ "seconds": 5, "idempotencyKey": "" }), "LENGTH", "idempotencyKey"),
            (json!({ "seconds": 5, "session": "x".repeat(101) }), "LENGTH", "session"),
            (json!({ "seconds": 5, "contentVersion": 2 }), "OUT_OF_RANGE", "contentVersion"),
        ] {
            let payload = record(&school, &zoe, "soil-1", input.clone()).await;
            assert_eq!((code(&payload), &payload["userErrors"][0]["path"]), (&json!(expected), &json!(["input", path])), "{input}");
            assert_eq!(payload["enrolment"], Value::Null);
        }
        let late = record(&school, &zoe, "soil-1", json!({ "seconds": 5, "at": "2031-01-01T00:00:00Z" })).await;
        assert!(late["userErrors"][0]["message"].as_str().unwrap().contains("the client's clock is ahead"), "{late}");
        // Enrolled on the first of May; she can't have been there before.
        enroll(&school, &zoe, "compost").await;
        let before = record(&school, &zoe, "compost-1", json!({ "seconds": 5, "at": "2026-06-09T00:00:00Z" })).await;
        assert_eq!(code(&before), "BEFORE_ENROLMENT");

        let good = json!({ "seconds": 5, "at": "2026-06-10T08:00:00Z", "idempotencyKey": "mine" });
        assert_eq!(record(&school, &zoe, "soil-1", good.clone()).await["userErrors"], json!([]));
        let mut other = good.clone();
        other["seconds"] = json!(6);
        assert_eq!(code(&record(&school, &zoe, "soil-1", other).await), "IDEMPOTENCY_KEY_REUSED");
        let payload = record(&school, &zoe, "soil-2", good.clone()).await;
        assert_eq!(code(&payload), "IDEMPOTENCY_KEY_REUSED");
        // Another learner may have chosen the same name.
        let omar = record(&school, &school.person("omar").await, "soil-2", good).await;
        assert_eq!(omar["recorded"]["replayed"], false);
    }

    async fn a_bad_report_among_others_is_named_by_its_place_and_is_no_matter_to_them(school) {
        let mei = school.person("mei").await;
        school.clock.advance(600);
        let at = |minute: i64| json!({ "seconds": 60, "at": format!("2026-03-02T09:0{minute}:00Z") });
        let sent = record_many(&school, &mei, &[
            ("compost-1", at(2)),
            ("compost-1", json!({ "seconds": -1 })),
            ("sol-1", at(3)),
            ("nowhere", at(3)),
            ("compost-2", json!({ "seconds": 5, "at": "2027-03-02T09:00:00Z" })),
            ("soil-1", at(4)),
        ]).await;
        let codes: Vec<_> = sent["results"].as_array().unwrap().iter().map(|result| result["userErrors"][0]["code"].as_str().unwrap_or("")).collect();
        assert_eq!(codes, ["", "OUT_OF_RANGE", "NOT_ENROLLED", "NOT_FOUND", "CLOCK_AHEAD", ""]);
        assert_eq!(sent["results"][1]["userErrors"][0]["path"], json!(["input", "activities", "1", "activity", "seconds"]));
        assert_eq!(sent["results"][2]["userErrors"][0]["path"], json!(["input", "activities", "2", "lessonId"]));
        assert_eq!(sent["enrolments"].as_array().unwrap().len(), 2);
        let none = record_many(&school, &mei, &[]).await;
        assert_eq!(none["userErrors"][0]["path"], json!(["input", "activities"]));
        let many = vec![("compost-1", json!({ "seconds": 1 })); 501];
        assert_eq!(code(&record_many(&school, &mei, &many).await), "OUT_OF_RANGE");
    }

    async fn a_lesson_is_completed_by_what_its_author_chose(school) {
        school.execute("UPDATE lessons SET completion = 'TIME', completion_share = 500000 WHERE id = {lesson:compost-2};
            UPDATE lessons SET completion = 'SCORE', completion_share = 700000 WHERE id = {lesson:compost-3};
            UPDATE lessons SET completion = 'HAND' WHERE id = {lesson:compost-1}").await;
        let mei = school.person("mei").await;
        school.clock.advance(30);
        // She had half of the first by its old rule, and keeps it; seeing it to its end does not complete it any more.
        let seen = record(&school, &mei, "compost-1", json!({ "seconds": 0, "position": 360 })).await;
        assert_eq!((lesson(&seen, 0)["progress"].clone(), lesson(&seen, 0)["completedAt"].clone()), (json!(0.5), Value::Null));
        let hand = record(&school, &mei, "compost-1", json!({ "seconds": 0, "completed": true })).await;
        assert_eq!(lesson(&hand, 0)["progress"], 1.0);
        // Her word does not make time pass.
        school.clock.advance(60);
        let half = record(&school, &mei, "compost-2", json!({ "seconds": 60, "position": 240, "completed": true })).await;
        assert_eq!((lesson(&half, 1)["progress"].clone(), lesson(&half, 1)["completedAt"].clone()), (json!(0.5), Value::Null));
        school.clock.advance(90);
        let time = record(&school, &mei, "compost-2", json!({ "seconds": 90 })).await;
        assert_eq!(lesson(&time, 1)["completedAt"], "2026-03-02T09:02:30Z", "half a minute before the report came");
        // A link is completed by opening it.
        let link = record(&school, &mei, "compost-4", json!({ "seconds": 1 })).await;
        assert_eq!(lesson(&link, 3)["progress"], 1.0);

        let score = "mutation($learner: ID!, $lesson: ID!, $score: Float!) { recordScore(input: { learnerId: $learner, lessonId: $lesson, score: $score }) {
            enrolment { progress completedAt modules { lessons { progress score completedAt } } } userErrors { code path } } }";
        let variables = |lesson: &str, score: f64| json!({ "learner": school.person_node("mei"), "lesson": school.lesson(lesson), "score": score });
        let hers = mei.ask_with(score, variables("compost-3", 1.0)).await;
        assert_eq!(hers["errors"][0]["extensions"]["code"], "FORBIDDEN", "nobody gives herself a score");
        let said = record(&school, &mei, "compost-3", json!({ "seconds": 1, "completed": true })).await;
        assert_eq!(lesson(&said, 2)["progress"], 0.0);
        let ana = school.person("ana").await;
        let low = ana.data_with(score, variables("compost-3", 0.35)).await;
        let third = &low["recordScore"]["enrolment"]["modules"][1]["lessons"][0];
        assert_eq!(third, &json!({ "progress": 0.5, "score": 0.35, "completedAt": null }));
        assert_eq!(low["recordScore"]["enrolment"]["completedAt"], Value::Null);
        let passed = ana.data_with(score, variables("compost-3", 0.7)).await;
        assert_eq!(passed["recordScore"]["enrolment"]["progress"], 1.0);
        assert_eq!(passed["recordScore"]["enrolment"]["completedAt"], "2026-03-02T09:03:00Z");
        for (lesson, value, expected) in [("compost-2", 1.0, "NOT_ALLOWED"), ("compost-3", 1.5, "OUT_OF_RANGE")] {
            let refused = ana.data_with(score, variables(lesson, value)).await;
            assert_eq!(code(&refused["recordScore"]), expected);
        }
        let other = json!({ "learner": school.person_node("zoe"), "lesson": school.lesson("compost-3"), "score": 1.0 });
        assert_eq!(code(&ana.data_with(score, other).await["recordScore"]), "NOT_ENROLLED");
        let bo = school.person("bo").await.ask_with(score, variables("compost-3", 0.1)).await;
        assert_eq!(bo["errors"][0]["extensions"]["code"], "FORBIDDEN", "he teaches another course");
    }

    async fn what_is_old_is_forgotten_and_comes_too_late_to_count_again(school) {
        let mei = school.person("mei").await;
        school.clock.advance(60);
        let beat = json!({ "seconds": 60, "at": "2026-03-02T09:01:00Z", "idempotencyKey": "old" });
        record(&school, &mei, "compost-1", beat.clone()).await;
        school.clock.advance(30 * 86_400);
        assert_eq!(school.app.learning.prune().await.unwrap(), 0);
        assert_eq!(record(&school, &mei, "compost-1", beat.clone()).await["recorded"]["replayed"], true);
        school.clock.advance(3 * 86_400);
        assert_eq!(school.app.learning.prune().await.unwrap(), 1);
        let again = record(&school, &mei, "compost-1", beat).await;
        assert_eq!(code(&again), "TOO_LATE");
        let data = mei.data("{ course(slug: \"compost-step-by-step\") { myEnrolment { seconds } } }").await;
        assert_eq!(data["course"]["myEnrolment"]["seconds"], 240);
    }

    async fn a_report_for_a_course_that_was_left_is_refused_until_she_comes_back(school) {
        let mei = school.person("mei").await;
        let leave = "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code } } }";
        mei.data_with(leave, json!({ "course": school.course("compost") })).await;
        school.clock.advance(60);
        let beat = json!({ "seconds": 30, "idempotencyKey": "a", "at": "2026-03-02T09:00:30Z" });
        assert_eq!(code(&record(&school, &mei, "compost-1", beat.clone()).await), "NOT_ENROLLED");
        enroll(&school, &mei, "compost").await;
        let back = record(&school, &mei, "compost-1", beat).await;
        assert_eq!(back["enrolment"]["seconds"], 210);
    }
}
