//! What learners say of the courses that are recommended to them.

use serde_json::{Value, json};
use stoa_recommender::Settings;
use stoa_testkit::{Client, School, story};

/// Eight courses, one after the other, and two dozen learners who went part of the way, so that there is something to
/// learn from; and a model of it.
pub(crate) async fn busy(school: &School) {
    let folder = tempfile::tempdir().unwrap();
    let mut courses = String::from(
        "key,title,summary,language,level,topics,prerequisites,instructors,assistants,published_at,open_forum\n",
    );
    let mut lessons = String::from("key,course,module,title,kind,seconds\n");
    let mut learners = String::from("key,name,email\n");
    let mut activity = String::from("learner,lesson,started_at,seconds,progress\n");
    for n in 0..8 {
        let topic = ["Beans", "Herbs"][n % 2];
        courses +=
            &format!("c{n},Course {n},What number {n} is about.,en,beginner,{topic},,bo,,2025-11-{:02},no\n", n + 1);
        lessons += &format!("c{n}-1,c{n},Begin,The lesson of {n},video,600\n");
    }
    for n in 0..24 {
        learners += &format!("l{n},Learner {n},l{n}@school.example\n");
        for step in 0..3 {
            let (course, day) = ((n + step) % 8, n + 1);
            activity += &format!("l{n},c{course}-1,2026-01-{day:02}T{:02}:00:00Z,600,1\n", 10 + 2 * step);
        }
    }
    for (name, text) in [("courses", courses), ("lessons", lessons), ("learners", learners), ("activity", activity)] {
        std::fs::write(folder.path().join(format!("{name}.csv")), text).unwrap();
    }
    let report = school.import(folder.path()).await;
    assert!(report.complete(), "{report}");
    school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
    assert!(school.app.feed.refresh().await.unwrap());
}

/// The slugs of a learner's list.
pub(crate) async fn list(client: &Client) -> Vec<String> {
    let data = client.data("{ me { nextCourses(first: 50) { items { course { slug } } } } }").await;
    let items = data["me"]["nextCourses"]["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["course"]["slug"].as_str().unwrap().to_owned()).collect()
}

/// Says something of a course, and answers with the payload, in which the list is as it is then.
pub(crate) async fn say(school: &School, client: &Client, course: &str, kind: &str) -> Value {
    let query = "mutation($input: GiveRecommendationFeedbackInput!) { giveRecommendationFeedback(input: $input) {
        person { recommendationFeedback(first: 9) { nodes { kind course { slug } } } nextCourses(first: 50) { dataUsed items { course { slug } } } }
        userErrors { code path message } } }";
    let input = json!({ "courseId": school.course(course), "kind": kind });
    client.data_with(query, json!({ "input": input })).await["giveRecommendationFeedback"].clone()
}

async fn why_not(school: &School, client: &Client, course: &str) -> Value {
    let query = "query($c: ID!) { me { whyNot(courseId: $c) { kind sentence place course { slug } missing { slug } reasons { kind } } } }";
    client.data_with(query, json!({ "c": school.course(course) })).await["me"]["whyNot"].clone()
}

fn slugs(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["course"]["slug"].as_str().unwrap()).collect()
}

story! {
    async fn a_dismissed_course_goes_at_once_and_comes_back_when_that_is_taken_back(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        let before = list(&mei).await;
        assert!(before.contains(&"course-3".to_owned()), "{before:?}");

        let payload = say(&school, &mei, "c3", "DISMISS").await;
        assert_eq!(payload["userErrors"], json!([]));
        assert!(!slugs(&payload["person"]["nextCourses"]).contains(&"course-3"), "the answer has the new list: {payload:#}");
        assert!(payload["person"]["nextCourses"]["dataUsed"].as_array().unwrap().contains(&json!("FEEDBACK")));
        assert!(!list(&mei).await.contains(&"course-3".to_owned()));
        let why = why_not(&school, &mei, "c3").await;
        assert_eq!((&why["kind"], &why["sentence"]), (&json!("DISMISSED"), &json!("You dismissed it.")));

        let undo = "mutation($c: ID!) { undoRecommendationFeedback(courseId: $c) {
            person { recommendationFeedback(first: 9) { nodes { kind } } nextCourses(first: 50) { items { course { slug } } } } userErrors { code } } }";
        let payload = mei.data_with(undo, json!({ "c": school.course("c3") })).await["undoRecommendationFeedback"].clone();
        assert!(slugs(&payload["person"]["nextCourses"]).contains(&"course-3"));
        assert_eq!(payload["person"]["recommendationFeedback"]["nodes"], json!([]));
        assert_eq!(list(&mei).await.len(), before.len());
        let again = mei.data_with(undo, json!({ "c": school.course("c3") })).await;
        assert_eq!(again["undoRecommendationFeedback"]["userErrors"], json!([]), "where nothing was said, nothing changes");
    }

    async fn the_latest_word_on_a_course_counts(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        for kind in ["DISMISS", "ALREADY_KNOW", "LESS_LIKE_THIS"] {
            let payload = say(&school, &mei, "c2", kind).await;
            assert!(!slugs(&payload["person"]["nextCourses"]).contains(&"course-2"), "{kind}");
        }
        let payload = say(&school, &mei, "c2", "LIKE").await;
        assert_eq!(payload["person"]["recommendationFeedback"]["nodes"], json!([{ "kind": "LIKE", "course": { "slug": "course-2" } }]));
        assert!(slugs(&payload["person"]["nextCourses"]).contains(&"course-2"));
    }

    async fn the_same_word_from_many_requests_at_once_is_one_word(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        let said = (0..8).map(|n| say(&school, &mei, "c4", if n % 2 == 0 { "DISMISS" } else { "ALREADY_KNOW" }));
        for payload in futures_util::future::join_all(said).await {
            assert_eq!(payload["userErrors"], json!([]));
        }
        let data = mei.data("{ me { recommendationFeedback(first: 9) { nodes { course { slug } } } } }").await;
        assert_eq!(data["me"]["recommendationFeedback"]["nodes"], json!([{ "course": { "slug": "course-4" } }]));
        assert!(!list(&mei).await.contains(&"course-4".to_owned()));
    }

    async fn what_was_said_is_listed_the_latest_first_page_by_page(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        for (course, kind) in [("c1", "LIKE"), ("c2", "DISMISS"), ("c3", "ALREADY_KNOW")] {
            say(&school, &mei, course, kind).await;
            school.clock.advance(60);
        }
        let query = "query($after: String) { me { recommendationFeedback(first: 2, after: $after) {
            nodes { kind at course { slug } } pageInfo { hasNextPage endCursor } } } }";
        let page = mei.data_with(query, json!({ "after": null })).await["me"]["recommendationFeedback"].clone();
        assert_eq!(page["nodes"][0], json!({ "kind": "ALREADY_KNOW", "at": "2026-03-02T09:02:00Z", "course": { "slug": "course-3" } }));
        assert_eq!(page["pageInfo"]["hasNextPage"], true);
        let rest = mei.data_with(query, json!({ "after": page["pageInfo"]["endCursor"] })).await["me"]["recommendationFeedback"].clone();
        assert_eq!(rest["nodes"], json!([{ "kind": "LIKE", "at": "2026-03-02T09:00:00Z", "course": { "slug": "course-1" } }]));
    }

    async fn the_list_tells_what_it_was_made_of_and_is_the_same_in_the_old_field(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        let query = "{ me { recommendations(first: 3) { course { slug } score }
            nextCourses(first: 3) { id personalised dataUsed engine instead: insteadOf model experiment { name }
              items { course { slug } score explored completionProbability path { slug } } } } }";
        let data = mei.data(query).await["me"].clone();
        let list = &data["nextCourses"];
        assert_eq!((&list["personalised"], &list["engine"], &list["instead"]), (&json!(true), &json!("hybrid"), &Value::Null));
        assert_eq!(list["model"], json!(school.app.feed.current().await.unwrap().unwrap().0.to_string()));
        assert!(list["dataUsed"].as_array().unwrap().contains(&json!("HISTORY")) && list["id"].is_string(), "{list:#}");
        let courses = |items: &Value| items.as_array().unwrap().iter().map(|item| item["course"]["slug"].clone()).collect::<Vec<_>>();
        assert_eq!(courses(&data["recommendations"]), courses(&list["items"]));
        assert_eq!(mei.data(query).await["me"], data, "the same list under the same id");
    }

    async fn why_a_course_is_not_in_the_list_is_told(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        assert_eq!(why_not(&school, &mei, "soil").await["kind"], "TAKEN");
        let listed = why_not(&school, &mei, "c5").await;
        let place = list(&mei).await.iter().position(|slug| slug == "course-5").unwrap() + 1;
        assert_eq!((&listed["kind"], &listed["place"]), (&json!("LISTED"), &json!(place)));
        assert_eq!(listed["sentence"], json!(format!("It is in your list, in place {place}.")));
        school.execute("UPDATE courses SET status = 'ARCHIVED', updated_at = updated_at + 1 WHERE id = {course:c5}").await;
        school.app.feed.refresh().await.unwrap();
        school.clock.advance(3_600);
        assert_eq!(why_not(&school, &mei, "c5").await["kind"], "CLOSED");
        school.execute("UPDATE courses SET status = 'DRAFT' WHERE id = {course:c5}").await;
        assert_eq!(why_not(&school, &mei, "c5").await, Value::Null, "a draft is not there");
    }

    async fn without_a_model_there_is_an_empty_list_that_says_so(school) {
        let mei = school.person("mei").await;
        let data = mei.data("{ me { nextCourses { id personalised dataUsed engine model items { score } } } }").await;
        assert_eq!(data["me"]["nextCourses"], json!({ "id": null, "personalised": false, "dataUsed": [], "engine": null, "model": null, "items": [] }));
        assert_eq!(why_not(&school, &mei, "sol").await["kind"], "NOT_WEIGHED");
    }

    async fn nobody_else_sees_what_she_said(school) {
        busy(&school).await;
        say(&school, &school.person("mei").await, "c3", "DISMISS").await;
        school.grant("zoe", stoa_api::accounts::model::SystemRole::Administrator).await;
        let query = "query($mei: ID!, $c: ID!) { node(id: $mei) { ... on Person { recommendationFeedback(first: 1) { nodes { kind } }
            whyNot(courseId: $c) { kind } nextCourses { personalised } consents { granted } } } }";
        for who in ["ana", "bo", "omar", "zoe"] {
            let variables = json!({ "mei": school.person_node("mei"), "c": school.course("c3") });
            let answer = school.person(who).await.ask_with(query, variables).await;
            for field in ["recommendationFeedback", "whyNot", "nextCourses", "consents"] {
                assert_eq!(answer["data"]["node"][field], Value::Null, "{who} {field}");
                let names: Vec<_> = answer["extensions"]["redactions"].as_array().unwrap().iter().map(|entry| entry["field"].clone()).collect();
                assert!(names.contains(&json!(format!("Person.{field}"))), "{who} {field}: {names:?}");
            }
        }
    }

    async fn a_word_on_what_is_not_there_is_named_and_writing_needs_somebody(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        let payload = say(&school, &mei, "nowhere", "LIKE").await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(payload["userErrors"][0]["path"], json!(["input", "courseId"]));
        assert_eq!(payload["person"], Value::Null);
        school.execute("UPDATE courses SET status = 'DRAFT' WHERE id = {course:c1}").await;
        assert_eq!(say(&school, &mei, "c1", "LIKE").await["userErrors"][0]["code"], "NOT_FOUND", "a draft is not there");
        let query = "mutation($c: ID!) { giveRecommendationFeedback(input: { courseId: $c, kind: LIKE }) { userErrors { code } } }";
        let answer = school.anybody().ask_with(query, json!({ "c": school.course("c2") })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}
