//! Taking courses.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

const RECORD: &str = "mutation($lesson: ID!, $input: RecordActivityInput!) {
    recordActivity(lessonId: $lesson, input: $input) {
        enrolment { progress seconds completedAt modules { progress seconds lessons { progress seconds position completedAt } } }
        userErrors { code message path } } }";

async fn record(school: &School, client: &Client, lesson: &str, input: Value) -> Value {
    let data = client.data_with(RECORD, json!({ "lesson": school.lesson(lesson), "input": input })).await;
    data["recordActivity"].clone()
}

async fn enroll(school: &School, client: &Client, course: &str) -> Value {
    let query = "mutation($course: ID!) { enroll(courseId: $course) { enrolment { enrolledAt progress } userErrors { code path } } }";
    client.data_with(query, json!({ "course": school.course(course) })).await["enroll"].clone()
}

story! {
    async fn zoe_enrols_and_enrolling_again_changes_nothing(school) {
        let zoe = school.person("zoe").await;
        let first = enroll(&school, &zoe, "soil").await;
        assert_eq!(first, json!({ "enrolment": { "enrolledAt": "2026-03-02T09:00:00Z", "progress": 0.0 }, "userErrors": [] }));
        school.clock.advance(60);
        assert_eq!(enroll(&school, &zoe, "soil").await, first);
        let data = school.anybody().data("{ course(slug: \"living-soil\") { learnerCount } }").await;
        assert_eq!(data["course"]["learnerCount"], 3, "she is counted once");
    }

    async fn zoe_takes_a_course_from_the_first_lesson_to_the_last(school) {
        let zoe = school.person("zoe").await;
        enroll(&school, &zoe, "soil").await;
        school.clock.advance(200);
        let half = record(&school, &zoe, "soil-1", json!({ "seconds": 200, "position": 210 })).await;
        assert_eq!(half["enrolment"]["modules"][0]["lessons"][0], json!({ "progress": 0.5, "seconds": 200, "position": 210, "completedAt": null }));
        assert_eq!(half["enrolment"]["modules"][0]["progress"], 0.25);
        assert_eq!(half["enrolment"]["progress"], 0.125);

        school.clock.advance(10);
        let back = record(&school, &zoe, "soil-1", json!({ "seconds": 10, "position": 30 })).await;
        assert_eq!(back["enrolment"]["modules"][0]["lessons"][0], json!({ "progress": 0.5, "seconds": 210, "position": 30, "completedAt": null }),
            "going back loses nothing");

        school.clock.advance(220);
        let end = record(&school, &zoe, "soil-1", json!({ "seconds": 220, "position": 420 })).await;
        assert_eq!(end["enrolment"]["modules"][0]["lessons"][0]["completedAt"], "2026-03-02T09:07:10Z", "she has reached its end");
        school.clock.advance(5);
        let again = record(&school, &zoe, "soil-1", json!({ "seconds": 5, "position": 0 })).await;
        assert_eq!(again["enrolment"]["modules"][0]["lessons"][0]["progress"], 1.0, "what is completed stays so");

        for lesson in ["soil-2", "soil-3"] {
            school.clock.advance(60);
            let payload = record(&school, &zoe, lesson, json!({ "seconds": 60, "completed": true })).await;
            assert_eq!(payload["enrolment"]["completedAt"], Value::Null);
        }
        school.clock.advance(3_600);
        let last = record(&school, &zoe, "soil-4", json!({ "seconds": 60, "completed": true })).await;
        assert_eq!(last["enrolment"]["progress"], 1.0);
        assert_eq!(last["enrolment"]["completedAt"], "2026-03-02T10:09:15Z");
        assert_eq!(last["enrolment"]["seconds"], 615);
    }

    async fn each_of_two_reports_in_one_request_is_answered_with_what_came_of_it(school) {
        let mei = school.person("mei").await;
        let report = |name: &str, seconds: i64| {
            let lesson = school.lesson("compost-2");
            format!(
                "{name}: recordActivity(lessonId: \"{lesson}\", input: {{ seconds: {seconds} }}) {{
                   enrolment {{ seconds modules {{ seconds }} }} }}"
            )
        };
        let data = mei.data(&format!("mutation {{ {} {} }}", report("first", 5), report("second", 7))).await;
        let spent = |name: &str| (data[name]["enrolment"]["seconds"].clone(), data[name]["enrolment"]["modules"][0]["seconds"].clone());
        assert_eq!(spent("first"), (json!(185), json!(185)));
        assert_eq!(spent("second"), (json!(187), json!(187)), "nothing read for the first answer is left in the second; the same 5 seconds count once");
    }

    async fn progress_is_the_same_number_from_every_path(school) {
        let mei = school.person("mei").await;
        record(&school, &mei, "compost-2", json!({ "seconds": 80, "position": 80 })).await;
        let query = "query($enrolment: ID!) {
            course(slug: \"compost-step-by-step\") { myEnrolment { ...p } }
            node(id: $enrolment) { ...p }
            me { enrolments(first: 9) { nodes { course { slug } ...p } } } }
            fragment p on Enrolment { progress seconds modules { progress lessons { progress } } }";
        let data = mei.data_with(query, json!({ "enrolment": school.enrolment("mei", "compost") })).await;
        let mine = &data["course"]["myEnrolment"];
        // Half of the first lesson, a third of the second, nothing of the other two.
        assert_eq!(mine["progress"], 0.208_333);
        assert_eq!(mine["seconds"], 260);
        assert_eq!(mine["modules"][0]["progress"], 0.416_666);
        assert_eq!(&data["node"], mine);
        let listed = data["me"]["enrolments"]["nodes"].as_array().unwrap();
        let listed = listed.iter().find(|node| node["course"]["slug"] == "compost-step-by-step").unwrap();
        for field in ["progress", "seconds", "modules"] {
            assert_eq!(listed[field], mine[field], "{field}");
        }
    }

    async fn time_per_topic_counts_a_course_for_each_of_its_topics(school) {
        let data = school.person("mei").await.data("{ me { timePerTopic { topic { slug } seconds } } }").await;
        assert_eq!(data["me"]["timePerTopic"], json!([
            { "topic": { "slug": "gardening" }, "seconds": 3660 },
            { "topic": { "slug": "biology" }, "seconds": 3480 },
        ]));
    }

    async fn nothing_is_recorded_for_a_course_one_does_not_take(school) {
        let payload = record(&school, &school.person("zoe").await, "soil-1", json!({ "seconds": 5 })).await;
        assert_eq!(payload["enrolment"], Value::Null);
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ENROLLED");
        assert_eq!(payload["userErrors"][0]["path"], json!(["lessonId"]));
    }

    async fn impossible_numbers_are_named_and_change_nothing(school) {
        let mei = school.person("mei").await;
        let before = mei.data("{ me { timePerTopic { seconds } } }").await;
        for (input, path) in [
            (json!({ "seconds": -5 }), json!(["input", "seconds"])),
            (json!({ "seconds": 86_401 }), json!(["input", "seconds"])),
            (json!({ "seconds": 5, "position": -1 }), json!(["input", "position"])),
        ] {
            let payload = record(&school, &mei, "compost-1", input).await;
            assert_eq!(payload["userErrors"][0]["code"], "OUT_OF_RANGE");
            assert_eq!(payload["userErrors"][0]["path"], path);
        }
        assert_eq!(mei.data("{ me { timePerTopic { seconds } } }").await, before);
    }

    async fn writing_needs_somebody_and_something(school) {
        let query = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code path } } }";
        let answer = school.anybody().ask_with(query, json!({ "course": school.course("soil") })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        let zoe = school.person("zoe").await;
        assert_eq!(enroll(&school, &zoe, "nowhere").await["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["courseId"] }]));
        let answer = zoe.ask_with(query, json!({ "course": school.lesson("soil-1") })).await;
        assert_eq!(answer["errors"][0]["message"], "this is the id of a Lesson; the id of a Course is wanted");
    }
}
