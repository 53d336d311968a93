//! What staff, support, analysts and administrators see, and on which paths.

use serde_json::{Value, json};
use stoa_api::accounts::model::SystemRole;
use stoa_testkit::{Client, School, story};

const CLASS: &str = "query($slug: String!) { course(slug: $slug) { learners(first: 50) { nodes {
    learner { name email } enrolledAt leftAt progress completedAt seconds lastActiveAt modules { progress seconds } } } } }";

async fn class(client: &Client, slug: &str) -> Value {
    client.ask_with(CLASS, json!({ "slug": slug })).await
}

/// A class by name, with one field of each learner.
fn by_name(answer: &Value, field: &str) -> Vec<(String, Value)> {
    let nodes = answer["data"]["course"]["learners"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    let name = |node: &Value| node["learner"]["name"].as_str().unwrap_or("?").to_owned();
    nodes.iter().map(|node| (name(node), node[field].clone())).collect()
}

fn redacted(answer: &Value) -> Vec<(String, String, u64)> {
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let list = answer["extensions"]["redactions"].as_array().cloned().unwrap_or_default();
    list.iter().map(|entry| (text(entry, "field"), text(entry, "reason"), entry["places"].as_u64().unwrap())).collect()
}

async fn leave(school: &School, who: &str, course: &str) {
    let query =
        "mutation($course: ID!) { leaveCourse(courseId: $course) { enrolment { leftAt } userErrors { code } } }";
    let data = school.person(who).await.data_with(query, json!({ "course": school.course(course) })).await;
    assert_eq!(data["leaveCourse"]["userErrors"], json!([]), "{data}");
}

async fn enroll(school: &School, who: &str, course: &str) {
    let query = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code } } }";
    school.person(who).await.data_with(query, json!({ "course": school.course(course) })).await;
}

const EVERYTHING_OF_ENROLMENT: &str = "query($id: ID!) { node(id: $id) { ... on Enrolment { progress seconds } } }";

story! {
    async fn ana_sees_how_her_class_does_and_nothing_of_it_that_she_does_not_need(school) {
        let answer = class(&school.person("ana").await, "living-soil").await;
        assert_eq!(by_name(&answer, "progress"), [("Omar Said".to_owned(), json!(0.25)), ("Mei Tanaka".to_owned(), json!(1.0))]);
        assert_eq!(by_name(&answer, "seconds"), [("Omar Said".to_owned(), json!(440)), ("Mei Tanaka".to_owned(), json!(3480))]);
        assert_eq!(redacted(&answer), [("Person.email".to_owned(), "NOT_IN_AUDIENCE".to_owned(), 2)]);
        assert_eq!(answer.get("errors"), None);
    }

    async fn a_class_is_for_those_who_teach_it(school) {
        for who in ["omar", "zoe", "mei"] {
            let answer = class(&school.person(who).await, "living-soil").await;
            assert_eq!(answer["data"]["course"]["learners"], Value::Null, "{who}");
            assert_eq!(redacted(&answer), [("Course.learners".to_owned(), "NOT_IN_AUDIENCE".to_owned(), 1)], "{who}");
        }
        let answer = class(school.anybody(), "living-soil").await;
        assert_eq!(redacted(&answer), [("Course.learners".to_owned(), "NOT_SIGNED_IN".to_owned(), 1)]);
    }

    async fn an_instructor_sees_her_own_courses_only(school) {
        enroll(&school, "mei", "sol").await;
        let ana = school.person("ana").await;
        assert_eq!(class(&ana, "le-sol-vivant").await["data"]["course"]["learners"], Value::Null);
        let there = |course| json!({ "id": school.enrolment("mei", course) });
        assert_eq!(ana.data_with(EVERYTHING_OF_ENROLMENT, there("soil")).await["node"]["progress"], 1.0);
        assert_eq!(ana.data_with(EVERYTHING_OF_ENROLMENT, there("sol")).await["node"], Value::Null);
        let whole = "query($id: ID!) { node(id: $id) { ... on Person { name enrolments(first: 9) { nodes { id } } timePerTopic { seconds } goals { slug } } } }";
        let answer = ana.ask_with(whole, json!({ "id": school.person_node("mei") })).await;
        assert_eq!(answer["data"]["node"], json!({ "name": "Mei Tanaka", "enrolments": null, "timePerTopic": null, "goals": null }));
    }

    async fn an_assistant_sees_what_the_instructor_sees(school) {
        let ana = class(&school.person("ana").await, "living-soil").await;
        assert_eq!(class(&school.person("bo").await, "living-soil").await, ana);
    }

    async fn the_staff_keep_what_grading_needs_of_who_has_left_and_then_nothing(school) {
        leave(&school, "omar", "soil").await;
        let ana = school.person("ana").await;
        let answer = class(&ana, "living-soil").await;
        assert_eq!(by_name(&answer, "progress")[0], ("Omar Said".to_owned(), json!(0.25)));
        assert_eq!(by_name(&answer, "seconds")[0], ("Omar Said".to_owned(), Value::Null));
        let ended = redacted(&answer).into_iter().filter(|(_, reason, _)| reason == "ENROLMENT_ENDED").map(|(field, ..)| field);
        assert_eq!(ended.collect::<Vec<_>>(), ["Enrolment.lastActiveAt", "Enrolment.seconds", "ModuleProgress.seconds"]);

        school.clock.advance(365 * 86_400 + 1);
        assert_eq!(by_name(&class(&ana, "living-soil").await, "progress"), [], "Mei completed it longer ago still");
        let node = ana.data_with(EVERYTHING_OF_ENROLMENT, json!({ "id": school.enrolment("omar", "soil") })).await;
        assert_eq!(node["node"], Value::Null);
        let own = school.person("omar").await.data_with(EVERYTHING_OF_ENROLMENT, json!({ "id": school.enrolment("omar", "soil") })).await;
        assert_eq!(own["node"]["seconds"], 440, "it stays his");
    }

    async fn omar_comes_back_to_what_he_had(school) {
        leave(&school, "omar", "soil").await;
        let again = school.person("omar").await.ask_with(
            "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code path } } }", json!({ "course": school.course("soil") })).await;
        assert_eq!(again["data"]["leaveCourse"]["userErrors"], json!([{ "code": "NOT_ENROLLED", "path": ["courseId"] }]));
        let forum = "{ course(slug: \"living-soil\") { forum { categories { name } } myEnrolment { progress leftAt } } }";
        let data = school.person("omar").await.data(forum).await;
        assert_eq!(data["course"]["forum"], Value::Null, "who has left does not read on");
        assert_eq!(data["course"]["myEnrolment"], json!({ "progress": 0.25, "leftAt": "2026-03-02T09:00:00Z" }));
        enroll(&school, "omar", "soil").await;
        let data = school.person("omar").await.data(forum).await;
        assert_eq!(data["course"]["myEnrolment"], json!({ "progress": 0.25, "leftAt": null }));
    }

    async fn the_class_is_not_ordered_by_what_is_not_shown(school) {
        leave(&school, "omar", "soil").await;
        let ana = school.person("ana").await;
        let ask = |arguments: &str| format!("{{ course(slug: \"living-soil\") {{ learners(first: 9{arguments}) {{ nodes {{ learner {{ name }} }} }} }} }}");
        let answer = ana.ask(&ask(", orderBy: LAST_ACTIVE_AT")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answer["data"]["course"]["learners"], Value::Null);
        let names = async |arguments: &str| {
            let data = ana.data(&ask(arguments)).await;
            let nodes = data["course"]["learners"]["nodes"].as_array().unwrap().clone();
            nodes.iter().map(|node| node["learner"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(", orderBy: LAST_ACTIVE_AT, state: COMPLETED").await, ["Mei Tanaka"]);
        assert_eq!(names(", orderBy: PROGRESS").await, ["Omar Said", "Mei Tanaka"]);
        assert_eq!(names(", state: LEFT").await, ["Omar Said"]);
        assert_eq!(names(", state: ACTIVE").await, Vec::<String>::new());
    }

    async fn a_class_is_read_page_by_page_both_ways(school) {
        let ana = school.person("ana").await;
        let query = "query($first: Int, $after: String, $last: Int, $before: String) { course(slug: \"living-soil\") {
            learners(first: $first, after: $after, last: $last, before: $before, orderBy: PROGRESS) {
            pageInfo { hasNextPage hasPreviousPage endCursor startCursor } nodes { progress } } } }";
        let page = async |variables| ana.data_with(query, variables).await["course"]["learners"].clone();
        let one = page(json!({ "first": 1 })).await;
        assert_eq!((&one["nodes"], &one["pageInfo"]["hasNextPage"]), (&json!([{ "progress": 0.25 }]), &json!(true)));
        let two = page(json!({ "first": 1, "after": one["pageInfo"]["endCursor"] })).await;
        assert_eq!((&two["nodes"], &two["pageInfo"]["hasNextPage"]), (&json!([{ "progress": 1.0 }]), &json!(false)));
        let back = page(json!({ "last": 1, "before": two["pageInfo"]["startCursor"] })).await;
        assert_eq!(back["nodes"], one["nodes"]);
        let other = ana.ask_with(&query.replace("orderBy: PROGRESS", "orderBy: ENROLLED_AT"), json!({ "first": 1, "after": one["pageInfo"]["endCursor"] })).await;
        assert_eq!(other["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "the cursor of another order");
    }

    async fn who_is_instructor_and_classmate_in_one_course_is_both(school) {
        enroll(&school, "bo", "soil").await;
        let answer = class(&school.person("bo").await, "living-soil").await;
        let emails: Vec<_> = answer["data"]["course"]["learners"]["nodes"].as_array().unwrap().iter().map(|node| node["learner"]["name"].clone()).collect();
        assert_eq!(emails, ["Bo Lindgren", "Omar Said", "Mei Tanaka"]);
        assert_eq!(by_name(&answer, "progress"), [
            ("Bo Lindgren".to_owned(), json!(0.0)), ("Omar Said".to_owned(), json!(0.25)), ("Mei Tanaka".to_owned(), json!(1.0)),
        ]);
        // And Ana sees him as a learner, not more of him.
        let ana = class(&school.person("ana").await, "living-soil").await;
        assert_eq!(by_name(&ana, "progress")[0], ("Bo Lindgren".to_owned(), json!(0.0)));
    }

    async fn a_learner_who_teaches_elsewhere_is_a_learner_here(school) {
        enroll(&school, "bo", "compost").await;
        let bo = school.person("bo").await;
        let node = bo.data_with(EVERYTHING_OF_ENROLMENT, json!({ "id": school.enrolment("omar", "compost") })).await;
        assert_eq!(node["node"], Value::Null);
        assert_eq!(class(&bo, "compost-step-by-step").await["data"]["course"]["learners"], Value::Null);
    }

    async fn an_instructor_who_is_removed_sees_nothing_from_the_next_request_on(school) {
        let ana = school.person("ana").await;
        assert_ne!(class(&ana, "living-soil").await["data"]["course"]["learners"], Value::Null);
        school.execute("DELETE FROM course_staff").await;
        assert_eq!(class(&ana, "living-soil").await["data"]["course"]["learners"], Value::Null);
        let node = ana.data_with(EVERYTHING_OF_ENROLMENT, json!({ "id": school.enrolment("mei", "soil") })).await;
        assert_eq!(node["node"], Value::Null);
    }

    async fn support_sees_an_account_and_no_learning_and_is_told_what_it_needs(school) {
        school.grant("zoe", SystemRole::Support).await;
        let zoe = school.person("zoe").await;
        let query = "query($id: ID!, $enrolment: ID!) { node(id: $id) { ... on Person { name email goals { slug } enrolments(first: 1) { nodes { id } } } }
            enrolment: node(id: $enrolment) { id } }";
        let answer = zoe.ask_with(query, json!({ "id": school.person_node("mei"), "enrolment": school.enrolment("mei", "soil") })).await;
        assert_eq!(answer["data"]["node"], json!({ "name": "Mei Tanaka", "email": "mei@school.example", "goals": null, "enrolments": null }));
        assert_eq!(answer["data"]["enrolment"], Value::Null);
        assert_eq!(redacted(&answer), [
            ("Person.enrolments".to_owned(), "CASE_NEEDED".to_owned(), 1), ("Person.goals".to_owned(), "CASE_NEEDED".to_owned(), 1),
        ]);
        assert_eq!(answer["extensions"]["redactions"][0]["needed"], "an open case about this person that names LEARNING_HISTORY");
    }

    async fn an_analyst_sees_nobody_and_no_sum_of_few(school) {
        school.grant("zoe", SystemRole::Analyst).await;
        let zoe = school.person("zoe").await;
        let query = "query($id: ID!) { node(id: $id) { id } course(slug: \"living-soil\") { statistics { learners completed smallestGroup } learners(first: 1) { nodes { id } } } }";
        let answer = zoe.ask_with(query, json!({ "id": school.person_node("mei") })).await;
        assert_eq!(answer["data"], json!({ "node": null, "course": { "statistics": { "learners": 2, "completed": null, "smallestGroup": 10 }, "learners": null } }));
        school.execute("UPDATE course_rollups SET learner_count = 30, completed_count = 12").await;
        assert_eq!(zoe.ask_with(query, json!({ "id": "x" })).await["data"]["course"]["statistics"]["completed"], 12);
        school.execute("UPDATE course_rollups SET completed_count = 21").await;
        let rest = zoe.ask_with(query, json!({ "id": "x" })).await;
        assert_eq!(rest["data"]["course"]["statistics"]["completed"], Value::Null, "nine others would be told by it");
        let mei = school.person("mei").await.ask("{ course(slug: \"living-soil\") { statistics { completed } } }").await;
        assert_eq!(mei["data"]["course"]["statistics"], Value::Null);
    }

    async fn mei_sees_what_her_instructor_sees_of_her(school) {
        let mei = school.person("mei").await;
        let as_staff = mei.with_header("stoa-seen-as", &format!("STAFF {}", school.course("soil")));
        let query = "{ me { name email goals { slug } enrolments(first: 9) { nodes { id } } }
            soil: course(slug: \"living-soil\") { myEnrolment { progress seconds } }
            compost: course(slug: \"compost-step-by-step\") { myEnrolment { progress } } }";
        let answer = as_staff.ask(query).await;
        assert_eq!(answer["data"], json!({
            "me": { "name": "Mei Tanaka", "email": null, "goals": null, "enrolments": null },
            "soil": { "myEnrolment": { "progress": 1.0, "seconds": 3480 } },
            "compost": { "myEnrolment": null },
        }));
        assert_eq!(answer["extensions"]["seenAs"], "STAFF");
        let as_classmate = mei.with_header("stoa-seen-as", &format!("CLASSMATE {}", school.course("soil")));
        let answer = as_classmate.ask(query).await;
        assert_eq!(answer["data"]["me"]["name"], "Mei Tanaka");
        assert_eq!(answer["data"]["soil"]["myEnrolment"], Value::Null);
        for (header, words) in [("ONESELF x", "STAFF"), ("STAFF", "STAFF"), ("STAFF nothing", "global id")] {
            let answer = mei.with_header("stoa-seen-as", header).ask("{ me { name } }").await;
            assert!(answer["errors"][0]["message"].as_str().unwrap().contains(words), "{answer}");
        }
        let write = "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code } } }";
        let answer = as_staff.ask_with(write, json!({ "course": school.course("soil") })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{answer}");
    }

    async fn seen_as_staff_nobody_but_oneself_is_seen_differently(school) {
        let plain = "query($omar: ID!) { node(id: $omar) { ... on Person { name email } } course(slug: \"living-soil\") { learners(first: 9) { nodes { id } } } }";
        let omar = json!({ "omar": school.person_node("omar") });
        let mei = school.person("mei").await;
        let before = mei.ask_with(plain, omar.clone()).await;
        let as_staff = mei.with_header("stoa-seen-as", &format!("STAFF {}", school.course("soil"))).ask_with(plain, omar).await;
        assert_eq!(as_staff["data"], before["data"]);
    }

    async fn a_client_that_prefers_errors_gets_them_at_their_places(school) {
        let ana = school.person("ana").await.with_header("stoa-denied-fields", "errors");
        let answer = ana.ask("{ course(slug: \"living-soil\") { learners(first: 2) { nodes { progress learner { email } } } } }").await;
        assert_eq!(answer["data"]["course"]["learners"]["nodes"][0], json!({ "progress": 0.25, "learner": { "email": null } }));
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0]["path"], json!(["course", "learners", "nodes", 0, "learner", "email"]));
        assert_eq!(errors[0]["extensions"]["code"], "FIELD_FORBIDDEN");
        assert_eq!(errors[0]["extensions"]["field"], "Person.email");
        assert_eq!(answer["extensions"].get("redactions"), None);
        let answer = ana.with_header("stoa-denied-fields", "loudly").ask("{ me { name } }").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }

    async fn ana_asks_what_she_may_see_of_mei_before_she_asks_for_it(school) {
        let query = "query($mei: ID!, $course: ID) { access(learner: $mei, course: $course) { field allowed relation reason needed } }";
        let ana = school.person("ana").await;
        let data = ana.data_with(query, json!({ "mei": school.person_node("mei"), "course": school.course("soil") })).await;
        let of = |name: &str| data["access"].as_array().unwrap().iter().find(|entry| entry["field"] == name).unwrap().clone();
        assert_eq!(of("Enrolment.progress"), json!({ "field": "Enrolment.progress", "allowed": true, "relation": "STAFF", "reason": null, "needed": null }));
        assert_eq!(of("Person.email")["reason"], "NOT_IN_AUDIENCE");
        assert_eq!(of("Person.name")["relation"], "STAFF");
        let whole = ana.data_with(query, json!({ "mei": school.person_node("mei") })).await;
        assert!(whole["access"].as_array().unwrap().iter().all(|entry| entry["field"] != "Enrolment.progress"));
        // Whether there is such a person does not show.
        let zoe = school.person("zoe").await;
        let mei = zoe.data_with(query, json!({ "mei": school.person_node("mei"), "course": school.course("soil") })).await;
        let nobody = zoe.data_with(query, json!({ "mei": school.person_node("nobody"), "course": school.course("soil") })).await;
        assert_eq!(mei, nobody);
    }

    async fn a_cursor_tells_nothing_and_is_not_made_up(school) {
        let ana = school.person("ana").await;
        let data = ana.data("{ course(slug: \"living-soil\") { learners(first: 1, orderBy: PROGRESS) { edges { cursor } pageInfo { endCursor } } } }").await;
        let cursor = data["course"]["learners"]["edges"][0]["cursor"].as_str().unwrap();
        assert_eq!(data["course"]["learners"]["pageInfo"]["endCursor"], cursor);
        let held = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, cursor).unwrap();
        assert!(!String::from_utf8_lossy(&held).contains("learners"), "a client can't read it");
        // What it would be if it were plain: she could ask behind which progress somebody is, and leave no row.
        let made_up = base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            format!("[\"learners/Progress/None\",[500000,\"{}\"]]", school.id_of("mei").0),
        );
        let query = "query($after: String) { course(slug: \"living-soil\") { learners(first: 0, after: $after, orderBy: PROGRESS) { pageInfo { hasNextPage } } } }";
        let answer = ana.ask_with(query, json!({ "after": made_up })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }

    async fn leaving_does_not_open_a_record_that_was_closed(school) {
        school.clock.advance(400 * 86_400);
        let ana = school.person("ana").await;
        let mei = json!({ "id": school.enrolment("mei", "soil") });
        assert_eq!(ana.data_with(EVERYTHING_OF_ENROLMENT, mei.clone()).await["node"], Value::Null);
        leave(&school, "mei", "soil").await;
        assert_eq!(ana.data_with(EVERYTHING_OF_ENROLMENT, mei).await["node"], Value::Null);
        assert!(by_name(&class(&ana, "living-soil").await, "progress").iter().all(|(name, _)| name != "Mei Tanaka"));
    }

    async fn a_token_that_was_made_to_write_reads_nothing_of_its_holder(school) {
        let create = "mutation { createToken(input: { label: \"tracker\", scopes: [WRITE], days: 1 }) { secret } }";
        let data = school.person("mei").await.data(create).await;
        let tracker = school.anybody().with_token(data["createToken"]["secret"].as_str().unwrap());
        let answer = tracker.ask("{ me { name email enrolments(first: 1) { nodes { id } } } course(slug: \"living-soil\") { myEnrolment { id } } }").await;
        assert_eq!(answer["data"]["me"], json!({ "name": null, "email": null, "enrolments": null }));
        assert_eq!(answer["data"]["course"]["myEnrolment"], Value::Null);
        assert!(redacted(&answer).iter().all(|(_, reason, _)| reason == "SCOPE_NEEDED"), "{answer:#}");
        let record = "mutation($lesson: ID!) { recordActivity(lessonId: $lesson, input: { seconds: 5 }) { userErrors { code } } }";
        let done = tracker.data_with(record, json!({ "lesson": school.lesson("compost-1") })).await;
        assert_eq!(done["recordActivity"]["userErrors"], json!([]));
        let narrow = tracker.ask("mutation { revokeOtherSessions { userErrors { code } } }").await;
        assert_eq!(narrow["errors"][0]["extensions"]["code"], "SCOPE_NEEDED");
    }

    async fn what_tells_that_somebody_is_there_is_in_her_log_and_what_she_sees_of_herself_is_not(school) {
        let mei = school.person("mei").await;
        let as_staff = mei.with_header("stoa-seen-as", &format!("STAFF {}", school.course("soil")));
        as_staff.data("{ me { name } course(slug: \"living-soil\") { myEnrolment { progress seconds } } }").await;
        let log = "{ me { accessLog(first: 9) { nodes { actorName relation category course { slug } } } } }";
        assert_eq!(mei.data(log).await["me"]["accessLog"]["nodes"], json!([]));
        let id = json!({ "id": school.enrolment("mei", "soil") });
        school.person("ana").await.data_with("query($id: ID!) { node(id: $id) { id } }", id).await;
        assert_eq!(mei.data(log).await["me"]["accessLog"]["nodes"], json!([
            { "actorName": "Ana Pereira", "relation": "STAFF", "category": "LEARNING_RECORD", "course": { "slug": "living-soil" } },
        ]));
    }

    async fn staff_of_a_course_she_never_took_see_nothing_of_her_and_so_she_sees_with_their_eyes(school) {
        let as_staff = school.person("mei").await.with_header("stoa-seen-as", &format!("STAFF {}", school.course("sol")));
        assert_eq!(as_staff.ask("{ me { name } }").await["data"]["me"]["name"], Value::Null);
    }

    async fn nobody_keeps_an_answer_for_others(school) {
        let request = poem::Request::builder().uri_str("/graphql?query=%7Bme%7Bname%7D%7D").finish();
        let answer = school.person("mei").await.send(request).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
    }

    async fn mei_shows_the_same_fields_by_every_path(school) {
        let fields = "fragment mei on Person { id name email goals { slug } timePerTopic { seconds } enrolments(first: 5) { nodes { progress } } recommendations { score } }";
        let query = format!("query($mei: ID!, $enrolment: ID!, $thread: ID!, $post: ID!) {{
            node(id: $mei) {{ ...mei }}
            nodes(ids: [$mei]) {{ ...mei }}
            enrolment: node(id: $enrolment) {{ ... on Enrolment {{ learner {{ ...mei }} }} }}
            class: course(slug: \"living-soil\") {{ learners(first: 9) {{ nodes {{ learner {{ ...mei }} }} }} }}
            edges: course(slug: \"compost-step-by-step\") {{ learners(last: 9) {{ edges {{ node {{ learner {{ ...mei }} }} }} }} }}
            thread: node(id: $thread) {{ ... on Thread {{ posts(first: 9) {{ nodes {{ author {{ ...mei }} }} }} }} }}
            post: node(id: $post) {{ ... on Post {{ author {{ ...mei }} thread {{ course {{ forum {{ threads(first: 9) {{ nodes {{ posts(first: 9) {{ nodes {{ author {{ ...mei }} }} }} }} }} }} }} }} }} }} }}
            {fields}");
        let variables = json!({
            "mei": school.person_node("mei"), "enrolment": school.enrolment("mei", "soil"),
            "thread": school.thread("soil", "t2"), "post": school.post("soil", "p5"),
        });
        school.grant("zoe", SystemRole::Support).await;
        for (who, least) in [("mei", 4), ("ana", 7), ("bo", 6), ("omar", 5), ("zoe", 2)] {
            let answer = school.person(who).await.ask_with(&query, variables.clone()).await;
            let mut found = Vec::new();
            people(&answer["data"], &school.person_node("mei"), &mut found);
            assert!(found.len() >= least, "{who} reached her {} times: {answer:#}", found.len());
            assert!(found.iter().all(|mei| mei == &found[0]), "{who}: {found:#?}");
        }
    }
}

/// Every object with this id, wherever it is in the answer.
fn people(value: &Value, id: &str, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            if fields.get("id").and_then(Value::as_str) == Some(id) {
                found.push(value.clone());
            }
            fields.values().for_each(|value| people(value, id, found));
        }
        Value::Array(items) => items.iter().for_each(|value| people(value, id, found)),
        _ => {}
    }
}
