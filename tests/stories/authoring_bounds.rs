//! What comes before what, who teaches, and what authors can't write.

use serde_json::{Value, json};
use stoa_api::{
    access::{Relation, Rules},
    app::Settings,
};
use stoa_testkit::{Client, story};

use crate::authoring::{desk, done, herbs, node, refused, version_of};

async fn staff(client: &Client, field: &str, input: Value) -> Value {
    let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!(
        "mutation($input: {input_type}!) {{ {field}(input: $input) {{ course {{ staff {{ role person {{ name }} }} }} userErrors {{ code path }} }} }}"
    );
    client.data_with(&query, json!({ "input": input })).await[field].take()
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

async fn accept(client: &Client, course: &str) -> Value {
    let query =
        "mutation($course: ID!) { acceptStaffInvitation(courseId: $course) { course { title } userErrors { code } } }";
    client.data_with(query, json!({ "course": course })).await["acceptStaffInvitation"].take()
}

async fn require(client: &Client, course: &Value, required: &[&Value]) -> Value {
    // Who does not teach it does not know its version.
    let version = version_of(client, course).await.as_i64().unwrap_or(1);
    let input = json!({ "courseId": course, "version": version, "prerequisites": required });
    desk(client, "setCoursePrerequisites", input).await
}

story! {
    async fn courses_that_would_come_before_themselves_are_refused_by_name(school) {
        let (ana, bo) = (school.person("ana").await, school.person("bo").await);
        let (soil, compost, sol) = (json!(school.course("soil")), json!(school.course("compost")), json!(school.course("sol")));
        let refused = require(&ana, &soil, &[&compost]).await;
        assert_eq!(refused["userErrors"][0]["code"], "CYCLE");
        assert_eq!(refused["userErrors"][0]["message"], "this would make a circle: Living Soil → Compost, Step by Step → Living Soil");
        assert_eq!(require(&ana, &soil, &[&soil]).await["userErrors"][0]["message"], "this would make a circle: Living Soil → Living Soil");

        // By way of a draft of Bo's, which Ana does not know of.
        let draft = done(&bo, "createCourse", json!({ "title": "A secret plan", "language": "en" })).await["id"].take();
        assert_eq!(require(&ana, &compost, &[]).await["userErrors"], json!([]));
        assert_eq!(require(&bo, &draft, &[&compost]).await["userErrors"], json!([]));
        assert_eq!(require(&bo, &soil, &[&draft]).await["userErrors"], json!([]));
        assert_eq!(code(&require(&ana, &sol, &[&soil]).await), "STAFF_ONLY");
        assert_eq!(code(&require(&ana, &soil, &[&draft]).await), "NOT_FOUND", "she can't name what she can't know");
        assert_eq!(require(&ana, &soil, &[]).await["userErrors"], json!([]), "and can't take it out");
        let circle = require(&ana, &compost, &[&soil]).await["userErrors"][0]["message"].take();
        assert_eq!(circle, "this would make a circle: Compost, Step by Step → Living Soil → (a course that is not published) → Compost, Step by Step");
        assert_eq!(node(&ana, &soil, "... on Course { prerequisites { title } }").await["prerequisites"], json!([]));
    }

    async fn two_changes_at_once_make_no_circle(school) {
        let (ana, bo) = (school.person("ana").await, school.person("bo").await);
        let (soil, sol) = (json!(school.course("soil")), json!(school.course("sol")));
        let (before, after) = ([&sol], [&soil]);
        let (a, b) = tokio::join!(require(&ana, &soil, &before), require(&bo, &sol, &after));
        let codes: Vec<_> = [&a, &b].into_iter().map(code).filter(|code| !code.is_empty()).collect();
        assert_eq!(codes, ["CYCLE"], "{a} {b}");
    }

    async fn a_module_opens_when_those_before_it_are_completed(school) {
        let (ana, omar, zoe) = (school.person("ana").await, school.person("omar").await, school.person("zoe").await);
        let course = json!(school.course("compost"));
        let modules = node(&ana, &course, "... on Course { modules { id version lessons { id } } }").await["modules"].take();
        let (first, second) = (&modules[0]["id"], &modules[1]["id"]);
        let require = |module: &Value, version: i64, before: &[&Value]| json!({ "moduleId": module, "version": version, "prerequisites": before });
        done(&ana, "setModulePrerequisites", require(second, 1, &[first])).await;
        let circle = desk(&ana, "setModulePrerequisites", require(first, 1, &[second])).await;
        assert_eq!(circle["userErrors"][0]["message"], "this would make a circle: Before you start → The season → Before you start");
        let soil = node(&ana, &json!(school.course("soil")), "... on Course { modules { id } }").await["modules"][0]["id"].take();
        assert_eq!(refused(&ana, "setModulePrerequisites", require(first, 1, &[&soil])).await.0, "NOT_FOUND", "of another course");

        let lesson = json!(school.lesson("compost-3"));
        let change = json!({ "lessonId": lesson, "version": 1, "text": "Turn it." });
        let version = done(&ana, "updateLesson", change).await["version"].take();
        done(&ana, "publishLesson", json!({ "lessonId": lesson, "version": version })).await;
        let open = "... on Module { isOpen prerequisites { title } }";
        let state = "... on Lesson { contentState content { text } }";
        assert_eq!(node(&omar, second, open).await, json!({ "isOpen": false, "prerequisites": [{ "title": "Before you start" }] }));
        assert_eq!(node(&omar, first, open).await["isOpen"], true);
        assert_eq!(node(&omar, &lesson, state).await, json!({ "contentState": "MODULE_CLOSED", "content": null }));
        assert_eq!(node(&zoe, second, open).await["isOpen"], Value::Null, "she does not take it");
        assert_eq!(node(&ana, second, open).await["isOpen"], true);
        // He was in this one before.
        assert_eq!(node(&omar, &json!(school.lesson("compost-4")), state).await["contentState"], "EMPTY");
        for key in ["compost-1", "compost-2"] {
            let query = "mutation($lesson: ID!) { recordActivity(lessonId: $lesson, input: { seconds: 5, completed: true }) { userErrors { code } } }";
            omar.data_with(query, json!({ "lesson": school.lesson(key) })).await;
        }
        assert_eq!(node(&omar, second, open).await["isOpen"], true);
        assert_eq!(node(&omar, &lesson, state).await["content"]["text"], "Turn it.");
        assert_eq!(node(&school.person("mei").await, second, open).await["isOpen"], false, "what he has done is his");
    }

    async fn an_instructor_adds_whom_she_can_see_and_there_is_always_one(school) {
        let (ana, bo) = (school.person("ana").await, school.person("bo").await);
        let course = school.course("soil");
        let add = |key: &str, role: &str| json!({ "courseId": course, "who": { "personId": school.person_node(key) }, "role": role });
        let change = |key: &str, role: &str| json!({ "courseId": course, "personId": school.person_node(key), "role": role });
        let whom = |key: &str| json!({ "courseId": course, "personId": school.person_node(key) });
        assert_eq!(code(&staff(&bo, "addStaff", add("mei", "ASSISTANT")).await), "INSTRUCTOR_ONLY");
        assert_eq!(code(&staff(&ana, "addStaff", add("zoe", "ASSISTANT")).await), "NOT_FOUND", "she can't see Zoe");
        let added = staff(&ana, "addStaff", add("mei", "ASSISTANT")).await;
        assert_eq!(added["course"]["staff"][2], json!({ "role": "ASSISTANT", "person": { "name": "Mei Tanaka" } }));
        assert_eq!(code(&staff(&ana, "addStaff", add("mei", "ASSISTANT")).await), "CONFLICT");
        let mei = school.person("mei").await;
        let log = mei.data("{ me { accessLog(first: 9) { nodes { event detail actorName course { title } } } } }").await;
        let added = log["me"]["accessLog"]["nodes"].as_array().unwrap().iter().find(|entry| entry["event"] != "READ");
        assert_eq!(*added.unwrap(), json!({ "event": "STAFF_ADDED", "detail": "ASSISTANT", "actorName": "Ana Pereira", "course": { "title": "Living Soil" } }));

        assert_eq!(code(&staff(&ana, "removeStaff", whom("ana")).await), "LAST_INSTRUCTOR");
        assert_eq!(code(&staff(&ana, "changeStaffRole", change("ana", "ASSISTANT")).await), "LAST_INSTRUCTOR");
        assert_eq!(code(&staff(&ana, "changeStaffRole", change("omar", "ASSISTANT")).await), "NOT_FOUND");
        assert_eq!(staff(&ana, "changeStaffRole", change("bo", "INSTRUCTOR")).await["userErrors"], json!([]));
        // Two dismiss each other at once, and one is left.
        let (a, b) = tokio::join!(staff(&ana, "removeStaff", whom("bo")), staff(&bo, "removeStaff", whom("ana")));
        let codes = [code(&a), code(&b)];
        assert!(codes.contains(&"") && (codes.contains(&"STAFF_ONLY") || codes.contains(&"LAST_INSTRUCTOR")), "{a} {b}");
        assert_eq!(staff(&mei, "removeStaff", whom("mei")).await["userErrors"], json!([]), "who does not want to may go");
    }

    async fn an_invitation_to_an_address_does_not_tell_whether_anybody_has_it(school) {
        let (ana, omar) = (school.person("ana").await, school.person("omar").await);
        let course = school.course("soil");
        let invite = |email: &str| json!({ "courseId": course, "who": { "email": email }, "role": "INSTRUCTOR" });
        let known = staff(&ana, "addStaff", invite("omar@school.example")).await;
        assert_eq!(known, staff(&ana, "addStaff", invite("nobody@school.example")).await);
        assert_eq!(known["course"]["staff"].as_array().unwrap().len(), 2);
        assert_eq!(code(&staff(&ana, "addStaff", invite("nobody")).await), "EMAIL");
        for who in [json!({}), json!({ "email": "omar@school.example", "personId": school.person_node("omar") })] {
            let input = json!({ "input": { "courseId": course, "who": who, "role": "ASSISTANT" } });
            let answer = ana.ask_with("mutation($input: AddStaffInput!) { addStaff(input: $input) { userErrors { code } } }", input).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "exactly one: {answer}");
        }

        let mine = "{ myStaffInvitations { courseId courseTitle role until } }";
        assert_eq!(omar.data(mine).await["myStaffInvitations"], json!([]), "he has not shown that the address is his");
        assert_eq!(code(&accept(&omar, &course).await), "EMAIL_NOT_VERIFIED");
        school.execute("UPDATE accounts SET email_verified_at = 5 WHERE id IN ({person:omar}, {person:mei})").await;
        let invitation = json!({ "courseId": course, "courseTitle": "Living Soil", "role": "INSTRUCTOR", "until": "2026-04-01T09:00:00Z" });
        assert_eq!(omar.data(mine).await["myStaffInvitations"], json!([invitation]));
        assert_eq!(code(&accept(&school.person("mei").await, &course).await), "INVITATION_NEEDED");
        assert_eq!(accept(&omar, &course).await, json!({ "course": { "title": "Living Soil" }, "userErrors": [] }));
        assert_eq!(code(&accept(&omar, &course).await), "INVITATION_NEEDED", "it is used up");
        assert_eq!(omar.data(mine).await["myStaffInvitations"], json!([]));
        assert_eq!(code(&staff(&omar, "removeStaff", json!({ "courseId": course, "personId": school.person_node("ana") })).await), "");

        // What Ana promised does not count any more.
        for _ in 0..3 {
            staff(&omar, "addStaff", invite("mei@school.example")).await;
        }
        staff(&omar, "addStaff", json!({ "courseId": course, "who": { "personId": school.person_node("bo") }, "role": "INSTRUCTOR" })).await;
        staff(&omar, "changeStaffRole", json!({ "courseId": course, "personId": school.person_node("bo"), "role": "INSTRUCTOR" })).await;
        staff(&omar, "removeStaff", json!({ "courseId": course, "personId": school.person_node("omar") })).await;
        assert_eq!(code(&accept(&school.person("mei").await, &course).await), "INVITATION_NEEDED");
        let bo = school.person("bo").await;
        for _ in 0..2 {
            assert_eq!(code(&staff(&bo, "addStaff", invite("mei@school.example")).await), "");
        }
        assert_eq!(code(&staff(&bo, "addStaff", invite("mei@school.example")).await), "TOO_MANY_REQUESTS");
    }

    async fn what_an_author_comes_with_must_be_good_for_it(school) {
        let course = school.course("soil");
        let token = "mutation { createToken(input: { label: \"desk\", scopes: [READ, WRITE], days: 1 }) { secret } }";
        let secret = school.person("ana").await.data(token).await["createToken"]["secret"].take();
        let narrow = school.anybody().with_token(secret.as_str().unwrap());
        let begin = "mutation($course: ID!) { createModule(input: { courseId: $course, title: \"Clay\" }) { module { title } } }";
        let made = narrow.data_with(begin, json!({ "course": course })).await;
        assert_eq!(made["createModule"]["module"]["title"], "Clay", "what is taught is nobody's data");
        let add = "mutation($input: AddStaffInput!) { addStaff(input: $input) { userErrors { code } } }";
        let whom = json!({ "input": { "courseId": course, "who": { "email": "omar@school.example" }, "role": "ASSISTANT" } });
        assert_eq!(narrow.ask_with(add, whom).await["errors"][0]["extensions"]["code"], "SCOPE_NEEDED");

        let rules = Rules { two_factor_for: [Relation::Staff].into_iter().collect(), ..Rules::default() };
        let school = school.under(Settings { rules, ..Settings::default() }).await;
        let browser = school.in_browser("ana").await;
        let answer = browser.ask_with(begin, json!({ "course": course })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "she did not show her second factor");
    }

    async fn each_slip_of_an_author_has_a_name(school) {
        let ana = school.person("ana").await;
        let (course, module, lesson) = herbs(&ana).await;
        let long = "x".repeat(301);
        for (input, code, path) in [
            (json!({ "title": " " }), "LENGTH", "title"),
            (json!({ "title": long }), "LENGTH", "title"),
            (json!({ "title": "a\nb" }), "LENGTH", "title"),
            (json!({ "summary": "x".repeat(5_001) }), "LENGTH", "summary"),
            (json!({ "slug": "Not a slug" }), "MALFORMED", "slug"),
            (json!({ "slug": "living-soil" }), "SLUG_TAKEN", "slug"),
            (json!({ "language": "English!" }), "MALFORMED", "language"),
            (json!({ "topics": ["!?"] }), "MALFORMED", "topics"),
            (json!({ "topics": vec!["a"; 11] }), "TOO_MANY", "topics"),
            (json!({ "version": 7 }), "STALE_VERSION", "version"),
        ] {
            let mut change = json!({ "courseId": course, "version": 1 });
            change.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
            assert_eq!(refused(&ana, "updateCourse", change).await, (code.to_owned(), path.to_owned()), "{input}");
        }
        for (input, code, path) in [
            (json!({ "title": "" }), "LENGTH", "title"),
            (json!({ "seconds": 0 }), "OUT_OF_RANGE", "seconds"),
            (json!({ "seconds": 99_999_999 }), "OUT_OF_RANGE", "seconds"),
            (json!({ "text": " " }), "LENGTH", "text"),
            (json!({ "text": "x".repeat(100_001) }), "LENGTH", "text"),
            (json!({ "kind": "LINK", "url": "http://herbs.example" }), "MALFORMED", "url"),
            (json!({ "kind": "LINK", "url": "javascript:alert(1)" }), "MALFORMED", "url"),
            (json!({ "kind": "READING", "url": "https://herbs.example" }), "NOT_ALLOWED", "url"),
            (json!({ "kind": "READING", "transcript": "a" }), "NOT_ALLOWED", "transcript"),
            (json!({ "completion": "TIME" }), "NOT_ALLOWED", "completion"),
            (json!({ "completion": "SCORE" }), "NOT_ALLOWED", "completion"),
            (json!({ "completion": "HAND", "completionShare": 0.5 }), "NOT_ALLOWED", "completion"),
            (json!({ "completion": "TIME", "seconds": 9, "completionShare": 1.5 }), "OUT_OF_RANGE", "completionShare"),
        ] {
            let mut new = json!({ "moduleId": module, "title": "Sage", "kind": "READING" });
            new.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
            assert_eq!(refused(&ana, "createLesson", new).await, (code.to_owned(), path.to_owned()), "{input}");
        }
        let version = version_of(&ana, &lesson).await;
        let nothing = json!({ "lessonId": lesson, "version": version, "text": null });
        let changed = done(&ana, "updateLesson", nothing).await;
        let publish = json!({ "lessonId": lesson, "version": changed["version"] });
        assert_eq!(refused(&ana, "publishLesson", publish).await, ("CONTENT_MISSING".to_owned(), "text".to_owned()));
        let many: Vec<_> = (0..21).map(|_| json!(school.course("soil"))).collect();
        let required = json!({ "courseId": course, "version": version_of(&ana, &course).await, "prerequisites": many });
        assert_eq!(done(&ana, "setCoursePrerequisites", required).await["status"], "DRAFT", "one course, however often");
        let wrong = json!({ "courseId": school.lesson("soil-1"), "title": "t" });
        let query = "mutation($input: CreateModuleInput!) { createModule(input: $input) { module { id } } }";
        let answer = ana.ask_with(query, json!({ "input": wrong })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }

    async fn a_course_that_is_published_is_taken_up_by_the_recommender(school) {
        let (ana, zoe) = (school.person("ana").await, school.person("zoe").await);
        school.app.feed.train(stoa_recommender::Settings::default(), |_| {}).await.unwrap();
        school.app.feed.refresh().await.unwrap();
        let next = "{ me { nextCourses(first: 20) { items { course { title } } } } }";
        let titles = async || {
            let data = zoe.data(next).await.to_string();
            data.contains("\"Herbs\"")
        };
        let (course, ..) = herbs(&ana).await;
        school.app.feed.refresh().await.unwrap();
        assert!(!titles().await, "a draft is nobody's next course");
        let published = done(&ana, "publishCourse", json!({ "courseId": course, "version": version_of(&ana, &course).await })).await;
        school.app.feed.refresh().await.unwrap();
        school.clock.advance(3_600);
        assert!(titles().await, "it is in the catalogue");
        done(&ana, "archiveCourse", json!({ "courseId": course, "version": published["version"] })).await;
        school.app.feed.refresh().await.unwrap();
        school.clock.advance(3_600);
        assert!(!titles().await, "it is not any more");
    }
}
