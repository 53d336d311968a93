//! A course that changes while people take it.

use serde_json::{Value, json};
use stoa_api::ids::CourseId;
use stoa_testkit::{Client, SCHOOL, School, story};

/// What the author's transaction writes: a new version of the content, with these lessons added and removed.
async fn publish(school: &School, version: i64, count: i64, added: &[&str], removed: &[&str]) {
    let ids = |keys: &[&str]| {
        let ids: Vec<_> = keys.iter().map(|key| lesson_id(key)).collect();
        json!(ids).to_string()
    };
    for removed in removed {
        school.execute(&format!("UPDATE lessons SET status = 'RETIRED' WHERE id = {}", literal(school, removed))).await;
    }
    for (at, added) in added.iter().enumerate() {
        let id = literal(school, added);
        school
            .execute(&format!(
                "INSERT INTO lessons (id, course_id, module_id, position, title, kind)
                   SELECT {id}, course_id, module_id, {}, 'New: {added}', 'LINK' FROM lessons WHERE id = {{lesson:soil-4}}
                 ON CONFLICT (id) DO UPDATE SET status = 'PUBLISHED'",
                10 + at
            ))
            .await;
    }
    let now = school.clock.now().0;
    school
        .execute(&format!(
            "UPDATE courses SET content_version = {version}, lesson_count = {count} WHERE id = {{course:soil}};
             INSERT INTO course_contents (course_id, version, published_at, lesson_count, added, removed)
               VALUES ({{course:soil}}, {version}, {now}, {count}, '{}', '{}')",
            // Where an id would be put in, braces stand; a list of ids has none.
            ids(added),
            ids(removed)
        ))
        .await;
    school.app.learning.settle(CourseId::imported(SCHOOL, "soil")).await.unwrap();
}

fn lesson_id(key: &str) -> stoa_api::ids::LessonId {
    stoa_api::ids::LessonId::imported(SCHOOL, key)
}

fn literal(_school: &School, key: &str) -> String {
    format!("{{lesson:{key}}}")
}

async fn record(school: &School, client: &Client, lesson: &str, input: Value) -> Value {
    let query =
        "mutation($lesson: ID!, $input: RecordActivityInput!) { recordActivity(lessonId: $lesson, input: $input) {
        enrolment { progress seconds completedAt } userErrors { code } } }";
    client.data_with(query, json!({ "lesson": school.lesson(lesson), "input": input })).await["recordActivity"].clone()
}

async fn enroll(school: &School, client: &Client) {
    let query = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code } } }";
    client.data_with(query, json!({ "course": school.course("soil") })).await;
}

const MINE: &str = "{ course(slug: \"living-soil\") { myEnrolment { progress completedAt newLessonsSinceCompletion
    changedBecause { kind version lessonsAdded lessonsRemoved progressBefore progressNow message }
    modules { lessons { contentVersion } } } } }";

async fn mine(client: &Client) -> Value {
    client.data(MINE).await["course"]["myEnrolment"].clone()
}

async fn acknowledge(school: &School, client: &Client, version: i64) -> Value {
    let query = "mutation($input: AcknowledgeChangesInput!) { acknowledgeChanges(input: $input) {
        enrolment { changedBecause { version } } userErrors { code path } } }";
    let input = json!({ "courseId": school.course("soil"), "version": version });
    client.data_with(query, json!({ "input": input })).await["acknowledgeChanges"].clone()
}

story! {
    async fn an_author_adds_a_module_in_mid_term_and_nobodys_progress_falls_without_a_reason(school) {
        let (mei, omar, zoe) = (school.person("mei").await, school.person("omar").await, school.person("zoe").await);
        enroll(&school, &zoe).await;
        // Omar has one of four lessons, Mei all of them, Zoe has only just come.
        assert_eq!((mine(&mei).await["progress"].clone(), mine(&omar).await["progress"].clone()), (json!(1.0), json!(0.25)));
        school.clock.advance(86_400);
        publish(&school, 2, 6, &["soil-5", "soil-6"], &[]).await;

        let changed = mine(&omar).await;
        assert_eq!(changed["progress"], 0.166_666);
        assert_eq!(changed["changedBecause"], json!([{ "kind": "ADDED", "version": 2, "lessonsAdded": 2, "lessonsRemoved": 0,
            "progressBefore": 0.25, "progressNow": 0.166_666,
            "message": "2 lessons were added to this course, so your progress went from 25 % to 16 %. What you did still counts, and what you completed stays completed." }]));
        let done = mine(&mei).await;
        assert_eq!((&done["progress"], &done["newLessonsSinceCompletion"], &done["changedBecause"]), (&json!(1.0), &json!(2), &json!([])));
        assert_eq!(done["completedAt"], "2026-01-18T10:20:00Z");
        let new = mine(&zoe).await;
        assert_eq!((&new["progress"], &new["changedBecause"][0]["progressBefore"], &new["changedBecause"][0]["progressNow"]), (&json!(0.0), &json!(0.0), &json!(0.0)));

        // Her instructor sees the same number, and those who are done come last in the order of progress.
        let class = "{ course(slug: \"living-soil\") { learners(first: 9, orderBy: PROGRESS) { nodes { learner { name } progress } } } }";
        let class = school.person("ana").await.data(class).await;
        let shown: Vec<_> = class["course"]["learners"]["nodes"].as_array().unwrap().iter().map(|node| node["progress"].clone()).collect();
        assert_eq!(shown, [json!(0.0), json!(0.166_666), json!(1.0)]);

        // Mei does one of the new ones: it is done, and she was complete before.
        school.clock.advance(60);
        let more = record(&school, &mei, "soil-5", json!({ "seconds": 30 })).await;
        assert_eq!(more["enrolment"]["progress"], 1.0);
        assert_eq!(more["enrolment"]["completedAt"], "2026-01-18T10:20:00Z");
        assert_eq!(mine(&mei).await["newLessonsSinceCompletion"], 1);
        // Omar completes all six.
        for lesson in ["soil-2", "soil-3", "soil-4", "soil-5"] {
            school.clock.advance(60);
            assert_eq!(record(&school, &omar, lesson, json!({ "seconds": 60, "completed": true })).await["enrolment"]["completedAt"], Value::Null);
        }
        school.clock.advance(60);
        let whole = record(&school, &omar, "soil-6", json!({ "seconds": 60 })).await;
        assert_eq!((&whole["enrolment"]["progress"], &whole["enrolment"]["completedAt"]), (&json!(1.0), &json!("2026-03-03T09:06:00Z")));
    }

    async fn what_changed_is_told_until_she_takes_notice_through_several_changes_and_a_time_away(school) {
        let omar = school.person("omar").await;
        school.clock.advance(60);
        publish(&school, 2, 5, &["soil-5"], &[]).await;
        school.clock.advance(60);
        record(&school, &omar, "soil-2", json!({ "seconds": 60, "completed": true })).await;
        let leave = "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code } } }";
        omar.data_with(leave, json!({ "course": school.course("soil") })).await;
        school.clock.advance(60);
        // What he completed is taken out while he is away, and another comes.
        publish(&school, 3, 5, &["soil-6"], &["soil-1"]).await;
        school.clock.advance(60);
        enroll(&school, &omar).await;
        let told = mine(&omar).await;
        assert_eq!(told["progress"], 0.2);
        let numbers: Vec<_> = told["changedBecause"].as_array().unwrap().iter()
            .map(|change| (change["version"].clone(), change["kind"].clone(), change["progressBefore"].clone(), change["progressNow"].clone())).collect();
        assert_eq!(numbers, [
            (json!(3), json!("EXCHANGED"), json!(0.4), json!(0.2)),
            (json!(2), json!("ADDED"), json!(0.25), json!(0.2)),
        ]);
        // He takes notice of the first; the second stays to be told.
        assert_eq!(acknowledge(&school, &omar, 2).await["enrolment"]["changedBecause"], json!([{ "version": 3 }]));
        assert_eq!(acknowledge(&school, &omar, 3).await["enrolment"]["changedBecause"], json!([]));
        assert_eq!(acknowledge(&school, &omar, 2).await["enrolment"]["changedBecause"], json!([]), "notice is not taken back");
        assert_eq!(acknowledge(&school, &omar, 4).await["userErrors"], json!([{ "code": "OUT_OF_RANGE", "path": ["input", "version"] }]));
        let bo = acknowledge(&school, &school.person("bo").await, 2).await;
        assert_eq!(bo["userErrors"], json!([{ "code": "NOT_ENROLLED", "path": ["input", "courseId"] }]));
        // What was taken out comes back, and with it what he did there.
        school.clock.advance(60);
        publish(&school, 4, 6, &["soil-1"], &[]).await;
        assert_eq!(mine(&omar).await["progress"], 0.333_333);
        assert_eq!(mine(&omar).await["changedBecause"][0]["progressBefore"], 0.2);
    }

    async fn who_had_everything_but_what_was_taken_out_has_completed_the_course(school) {
        let (omar, ana) = (school.person("omar").await, school.person("ana").await);
        for lesson in ["soil-2", "soil-3"] {
            school.clock.advance(60);
            record(&school, &omar, lesson, json!({ "seconds": 60, "completed": true })).await;
        }
        // The last one is half done when it goes.
        record(&school, &omar, "soil-4", json!({ "seconds": 0, "position": 900 })).await;
        assert_eq!(mine(&omar).await["progress"], 0.875);
        school.clock.advance(60);
        publish(&school, 2, 3, &[], &["soil-4"]).await;
        let whole = mine(&omar).await;
        assert_eq!((&whole["progress"], &whole["completedAt"]), (&json!(1.0), &json!("2026-03-02T09:03:00Z")));
        assert_eq!(whole["changedBecause"][0]["progressNow"], 1.0);
        // What he had kept of it on his phone still comes in as time, and as nothing else.
        school.clock.advance(60);
        let late = record(&school, &omar, "soil-4", json!({ "seconds": 30, "at": "2026-03-02T09:02:30Z", "position": 1800 })).await;
        assert_eq!((&late["enrolment"]["progress"], &late["userErrors"]), (&json!(1.0), &json!([])));
        let seen = ana.data("{ course(slug: \"living-soil\") { statistics { learners } learners(first: 9) { nodes { progress } } } }").await;
        assert_eq!(seen["course"]["learners"]["nodes"], json!([{ "progress": 1.0 }, { "progress": 1.0 }]));
    }

    async fn a_record_keeps_the_version_of_the_content_that_its_learner_saw(school) {
        let omar = school.person("omar").await;
        school.execute("UPDATE lessons SET content_version = 3 WHERE id = {lesson:soil-2}").await;
        school.clock.advance(3_600);
        let version = async |omar: &Client| mine(omar).await["modules"][0]["lessons"][1]["contentVersion"].clone();
        assert_eq!(version(&omar).await, Value::Null);
        record(&school, &omar, "soil-2", json!({ "seconds": 30, "at": "2026-03-02T09:10:00Z", "contentVersion": 2 })).await;
        assert_eq!(version(&omar).await, 2, "his phone showed an older one");
        record(&school, &omar, "soil-2", json!({ "seconds": 30 })).await;
        assert_eq!(version(&omar).await, 3);
        record(&school, &omar, "soil-2", json!({ "seconds": 30, "at": "2026-03-02T09:20:00Z", "contentVersion": 1 })).await;
        assert_eq!(version(&omar).await, 3, "the latest that she saw, not the latest that came");
    }
}
