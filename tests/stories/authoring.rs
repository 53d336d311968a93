//! What authors do: from a draft to a published course, and what learners find of it meanwhile.

use serde_json::{Value, json};
use stoa_api::accounts::model::SystemRole;
use stoa_testkit::{Client, School, story};

const COURSE: &str =
    "course { id slug title status version contentVersion lessonCount seconds publishedAt topics { slug } }";
const MODULE: &str = "module { id title status version lessons { id title status } }";
const LESSON: &str = "lesson { id title status version contentVersion completion completionShare content { version text url } draft { title text } }";

/// Does something at the authors' desk: `createCourse` takes a `CreateCourseInput`, and so on.
pub(crate) async fn desk(client: &Client, field: &str, input: Value) -> Value {
    let (of, version) = [("Course", COURSE), ("Module", MODULE), ("Lesson", LESSON)]
        .into_iter()
        .find(|(of, _)| field.contains(of))
        .unwrap_or(("Course", COURSE));
    let selection = match field {
        "reorderModules" | "setCoursePrerequisites" => COURSE,
        "reorderLessons" | "setModulePrerequisites" => MODULE,
        _ => version,
    };
    let with_version =
        ["publish", "archive", "restore", "retire", "discard"].iter().any(|verb| field.starts_with(verb));
    let input_type = match field {
        "publishModule" => "PublishModuleInput".to_owned(),
        _ if with_version => format!("{of}VersionInput"),
        _ => format!("{}{}Input", field[..1].to_uppercase(), &field[1..]),
    };
    let query = format!(
        "mutation($input: {input_type}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code message path }} }} }}"
    );
    client.data_with(&query, json!({ "input": input })).await[field].take()
}

/// The same, which must go well: the thing.
pub(crate) async fn done(client: &Client, field: &str, input: Value) -> Value {
    let mut payload = desk(client, field, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{field}");
    let object = payload.as_object_mut().unwrap();
    let (_, thing) = object.iter_mut().find(|(name, _)| *name != "userErrors").unwrap();
    thing.take()
}

/// The same, which must be refused: the code, and where it is in the input.
pub(crate) async fn refused(client: &Client, field: &str, input: Value) -> (String, String) {
    let payload = desk(client, field, input).await;
    let error = &payload["userErrors"][0];
    let path: Vec<_> = error["path"].as_array().into_iter().flatten().skip(1).filter_map(Value::as_str).collect();
    (error["code"].as_str().unwrap_or_default().to_owned(), path.join("."))
}

/// What there is of a thing now.
pub(crate) async fn node(client: &Client, id: &Value, selection: &str) -> Value {
    client.data_with(&format!("query($id: ID!) {{ node(id: $id) {{ {selection} }} }}"), json!({ "id": id })).await
        ["node"]
        .take()
}

pub(crate) async fn version_of(client: &Client, id: &Value) -> Value {
    let selection = "... on Course { version } ... on Module { version } ... on Lesson { version }";
    node(client, id, selection).await["version"].take()
}

/// A course of Ana's with a published module and reading in it, a draft still.
pub(crate) async fn herbs(ana: &Client) -> (Value, Value, Value) {
    let course =
        done(ana, "createCourse", json!({ "title": "Herbs", "summary": "What smells.", "language": "en" })).await;
    let module = done(ana, "createModule", json!({ "courseId": course["id"], "title": "Mint" })).await;
    let reading = json!({ "moduleId": module["id"], "title": "Peppermint", "kind": "READING", "text": "It *grows*.", "seconds": 60 });
    let lesson = done(ana, "createLesson", reading).await;
    done(ana, "publishModule", json!({ "moduleId": module["id"], "version": module["version"] })).await;
    (course["id"].clone(), module["id"].clone(), lesson["id"].clone())
}

async fn take(client: &Client, course: &Value) {
    let query = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code } } }";
    client.data_with(query, json!({ "course": course })).await;
}

async fn spend(client: &Client, lesson: &Value, completed: bool) -> Value {
    let query = "mutation($lesson: ID!, $done: Boolean!) { recordActivity(lessonId: $lesson, input: { seconds: 5, completed: $done }) {
        userErrors { code } } }";
    client.data_with(query, json!({ "lesson": lesson, "done": completed })).await["recordActivity"]["userErrors"].take()
}

story! {
    async fn an_authors_day_from_a_draft_to_a_course_that_zoe_takes(school) {
        let (ana, zoe) = (school.person("ana").await, school.person("zoe").await);
        let new = json!({ "title": "Herbs on a Balcony", "language": "EN-gb", "level": "BEGINNER", "topics": ["Gardening", "Herbs", "herbs"] });
        let course = done(&ana, "createCourse", new).await;
        assert_eq!(course["slug"], "herbs-on-a-balcony");
        assert_eq!((&course["status"], &course["lessonCount"], &course["version"]), (&json!("DRAFT"), &json!(0), &json!(1)));
        assert_eq!(course["topics"], json!([{ "slug": "gardening" }, { "slug": "herbs" }]));
        let at = |version: &Value| json!({ "courseId": course["id"], "version": version });
        assert_eq!(refused(&ana, "publishCourse", at(&json!(1))).await.0, "NO_LESSON");

        let module = done(&ana, "createModule", json!({ "courseId": course["id"], "title": "Mint" })).await;
        let lesson = async |input: Value| {
            let mut input = input;
            input["moduleId"] = module["id"].clone();
            done(&ana, "createLesson", input).await
        };
        let reading = lesson(json!({ "title": "Peppermint", "kind": "READING", "text": "It *grows*. <script>alert(1)</script>", "seconds": 60 })).await;
        let video = lesson(json!({ "title": "Cutting it", "kind": "VIDEO", "url": "https://video.example/cut", "isPreview": true,
            "transcript": "Take scissors.", "completion": "TIME", "completionShare": 0.8, "seconds": 240 })).await;
        assert_eq!((&video["completion"], &video["completionShare"]), (&json!("TIME"), &json!(0.8)));
        let link = lesson(json!({ "title": "The herb society", "kind": "LINK" })).await;
        lesson(json!({ "title": "Plant one", "kind": "EXERCISE", "text": "Plant it.", "completion": "HAND" })).await;
        let show = json!({ "moduleId": module["id"], "version": module["version"] });
        assert_eq!(refused(&ana, "publishModule", show.clone()).await, ("CONTENT_MISSING".to_owned(), "url".to_owned()), "the link goes nowhere");
        done(&ana, "updateLesson", json!({ "lessonId": link["id"], "version": link["version"], "url": "https://herbs.example" })).await;

        let hidden = zoe.data("{ course(slug: \"herbs-on-a-balcony\") { title } topics { slug } }").await;
        assert_eq!(hidden, json!({ "course": null, "topics": [{ "slug": "biology" }, { "slug": "gardening" }] }));
        assert_eq!(node(&zoe, &reading["id"], "id").await, Value::Null);

        let shown = done(&ana, "publishModule", show).await;
        assert!(shown["lessons"].as_array().unwrap().iter().all(|lesson| lesson["status"] == "PUBLISHED"));
        assert_eq!(refused(&ana, "publishCourse", at(&json!(1))).await, ("CONTENT_MISSING".to_owned(), "summary".to_owned()));
        let told = done(&ana, "updateCourse", json!({ "courseId": course["id"], "version": 1, "summary": "What smells." })).await;
        school.clock.advance(3_600);
        let published = done(&ana, "publishCourse", at(&told["version"])).await;
        assert_eq!((&published["status"], &published["lessonCount"], &published["seconds"]), (&json!("PUBLISHED"), &json!(4), &json!(300)));
        assert_eq!((&published["publishedAt"], &published["contentVersion"]), (&json!("2026-03-02T10:00:00Z"), &json!(1)));

        // What she finds, and what others do.
        let content = "... on Lesson { contentState content { version html url transcript } }";
        assert_eq!(node(&zoe, &reading["id"], content).await, json!({ "contentState": "ENROLMENT_NEEDED", "content": null }));
        assert_eq!(node(school.anybody(), &reading["id"], content).await["contentState"], "SIGN_IN_NEEDED");
        let preview = node(school.anybody(), &video["id"], content).await;
        assert_eq!((&preview["content"]["url"], &preview["content"]["transcript"]), (&json!("https://video.example/cut"), &json!("Take scissors.")));
        take(&zoe, &course["id"]).await;
        let read = node(&zoe, &reading["id"], content).await;
        assert_eq!(read["contentState"], "READABLE");
        let html = read["content"]["html"].as_str().unwrap();
        assert!(html.contains("<em>grows</em>") && !html.contains("<script"), "{html}");
        let data = zoe.data("{ courses(first: 9, filter: { text: \"smells\" }) { nodes { title version } } topics { slug } }").await;
        assert_eq!(data["courses"]["nodes"], json!([{ "title": "Herbs on a Balcony", "version": null }]), "its version is for its staff");
        assert_eq!(data["topics"].as_array().unwrap().len(), 3);

        // Out of the catalogue, and in again.
        let archived = done(&ana, "archiveCourse", at(&published["version"])).await;
        assert_eq!(archived["status"], "ARCHIVED");
        assert_eq!(refused(&ana, "publishCourse", at(&archived["version"])).await.0, "WRONG_STATE");
        assert_eq!(node(&zoe, &reading["id"], content).await["contentState"], "READABLE", "she still takes it");
        let restored = done(&ana, "restoreCourse", at(&archived["version"])).await;
        assert_eq!((&restored["status"], &restored["publishedAt"]), (&json!("PUBLISHED"), &published["publishedAt"]));
    }

    async fn who_may_begin_a_course_and_who_may_not(school) {
        let new = json!({ "title": "A course", "language": "en" });
        for key in ["mei", "zoe"] {
            assert_eq!(refused(&school.person(key).await, "createCourse", new.clone()).await.0, "NOT_AN_AUTHOR", "{key}");
        }
        school.grant("zoe", SystemRole::Administrator).await;
        let made = done(&school.person("zoe").await, "createCourse", new.clone()).await;
        assert_eq!(made["slug"], "a-course");
        let other = done(&school.person("bo").await, "createCourse", new).await;
        assert!(other["slug"].as_str().unwrap().starts_with("a-course-"), "he is an instructor of a published course: {other}");
        let answer = school.anybody().ask("mutation { createCourse(input: { title: \"t\", language: \"en\" }) { course { id } } }").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    async fn what_is_sent_twice_is_made_once(school) {
        let ana = school.person("ana").await;
        let new = json!({ "title": "Herbs", "language": "en", "idempotencyKey": "k1" });
        let first = done(&ana, "createCourse", new.clone()).await;
        assert_eq!(done(&ana, "createCourse", new).await["id"], first["id"]);
        let other = json!({ "title": "Trees", "language": "en", "idempotencyKey": "k1" });
        assert_eq!(refused(&ana, "createCourse", other).await, ("IDEMPOTENCY_KEY_REUSED".to_owned(), "idempotencyKey".to_owned()));
        let module = json!({ "courseId": first["id"], "title": "Mint", "idempotencyKey": "k2" });
        let (a, b) = tokio::join!(done(&ana, "createModule", module.clone()), done(&ana, "createModule", module.clone()));
        assert_eq!(a["id"], b["id"]);
        let lesson = json!({ "moduleId": a["id"], "title": "Mint", "kind": "READING", "idempotencyKey": "k3" });
        assert_eq!(done(&ana, "createLesson", lesson.clone()).await["id"], done(&ana, "createLesson", lesson).await["id"]);
        let empty = json!({ "courseId": first["id"], "title": "Mint", "idempotencyKey": "" });
        assert_eq!(refused(&ana, "createModule", empty).await, ("LENGTH".to_owned(), "idempotencyKey".to_owned()));
    }

    async fn two_authors_edit_at_once_and_the_second_is_told(school) {
        let (ana, bo) = (school.person("ana").await, school.person("bo").await);
        let course = json!(school.course("soil"));
        let version = version_of(&ana, &course).await;
        let change = |title: &str| json!({ "courseId": course, "version": version, "title": title });
        let (first, second) = tokio::join!(
            desk(&ana, "updateCourse", change("Soil that lives")),
            desk(&bo, "updateCourse", change("Soil alive")),
        );
        let codes: Vec<_> = [&first, &second].into_iter().filter_map(|payload| payload["userErrors"][0]["code"].as_str()).collect();
        assert_eq!(codes, ["STALE_VERSION"], "{first} {second}");

        let lesson = json!(school.lesson("soil-1"));
        let read = version_of(&ana, &lesson).await;
        done(&ana, "updateLesson", json!({ "lessonId": lesson, "version": read, "title": "Two handfuls" })).await;
        let late = json!({ "lessonId": lesson, "version": read, "title": "Three handfuls" });
        assert_eq!(refused(&bo, "updateLesson", late).await, ("STALE_VERSION".to_owned(), "version".to_owned()));
        let again = json!({ "lessonId": lesson, "version": version_of(&bo, &lesson).await, "title": "Three handfuls" });
        assert_eq!(done(&bo, "updateLesson", again).await["draft"]["title"], "Three handfuls");
    }

    async fn an_assistant_writes_and_an_instructor_publishes(school) {
        let (ana, bo) = (school.person("ana").await, school.person("bo").await);
        let (course, soil) = (json!(school.course("soil")), "course(slug: \"living-soil\")");
        let module = ana.data(&format!("{{ {soil} {{ modules {{ id version }} }} }}")).await["course"]["modules"][0].take();
        let reading = json!({ "moduleId": module["id"], "title": "Clay", "kind": "READING", "text": "It is heavy." });
        let lesson = done(&bo, "createLesson", reading).await;
        let at = json!({ "lessonId": lesson["id"], "version": lesson["version"] });
        assert_eq!(refused(&bo, "publishLesson", at.clone()).await.0, "INSTRUCTOR_ONLY");
        assert_eq!(refused(&bo, "publishModule", json!({ "moduleId": module["id"], "version": module["version"] })).await.0, "INSTRUCTOR_ONLY");
        let version = version_of(&bo, &course).await;
        assert_eq!(refused(&bo, "archiveCourse", json!({ "courseId": course, "version": version })).await.0, "INSTRUCTOR_ONLY");
        let sand = json!(school.lesson("soil-2"));
        let sand = json!({ "lessonId": sand, "version": version_of(&bo, &sand).await });
        assert_eq!(refused(&bo, "retireLesson", sand).await.0, "INSTRUCTOR_ONLY");
        assert_eq!(done(&ana, "publishLesson", at).await["status"], "PUBLISHED");
        // Whoever is none of them is told as much as she may know.
        let change = json!({ "courseId": course, "version": version, "title": "Mine" });
        assert_eq!(refused(&school.person("omar").await, "updateCourse", change).await.0, "STAFF_ONLY");
        let (herbs, module, _) = herbs(&ana).await;
        let change = json!({ "courseId": herbs, "version": 1, "title": "Mine" });
        assert_eq!(refused(&bo, "updateCourse", change).await, ("NOT_FOUND".to_owned(), "courseId".to_owned()));
        let change = json!({ "moduleId": module, "version": 1, "title": "Mine" });
        assert_eq!(refused(&bo, "updateModule", change).await, ("NOT_FOUND".to_owned(), "moduleId".to_owned()));
    }

    async fn a_draft_lesson_is_not_found_by_a_learner_from_any_path(school) {
        let (ana, omar) = (school.person("ana").await, school.person("omar").await);
        let everything = "query($soil: ID!, $enrolment: ID!) {
            course: node(id: $soil) { ... on Course { lessonCount seconds contentVersion modules { id title position isOpen lessons { id title position seconds } } } }
            enrolment: node(id: $enrolment) { ... on Enrolment { progress modules { module { title lessons { title } } progress lessons { lesson { title position } } } } }
            me { leftOff { lesson { title } } } }";
        let ids = json!({ "soil": school.course("soil"), "enrolment": school.enrolment("omar", "soil") });
        let before = omar.data_with(everything, ids.clone()).await;
        let first = before["course"]["modules"][0]["id"].clone();
        let draft = done(&ana, "createLesson", json!({ "moduleId": first, "title": "Clay", "kind": "READING", "seconds": 99, "text": "Heavy." })).await;
        let module = done(&ana, "createModule", json!({ "courseId": school.course("soil"), "title": "Clay" })).await;
        // In front of all others, so that a gap would show.
        let moved = json!({ "lessonId": draft["id"], "version": draft["version"], "moduleId": first, "position": 0 });
        done(&ana, "moveLesson", moved).await;
        let modules: Vec<_> = before["course"]["modules"].as_array().unwrap().iter().map(|module| module["id"].clone()).collect();
        let order: Vec<_> = [module["id"].clone()].into_iter().chain(modules).collect();
        let at = json!({ "courseId": school.course("soil"), "version": version_of(&ana, &json!(school.course("soil"))).await, "order": order });
        done(&ana, "reorderModules", at).await;
        done(&ana, "setModulePrerequisites", json!({ "moduleId": first, "version": version_of(&ana, &first).await, "prerequisites": [module["id"]] })).await;
        done(&ana, "updateLesson", json!({ "lessonId": school.lesson("soil-2"), "version": 1, "title": "Gravel", "seconds": 7 })).await;

        assert_eq!(omar.data_with(everything, ids.clone()).await, before, "for him nothing has changed");
        for id in [&draft["id"], &module["id"]] {
            assert_eq!(node(&omar, id, "id").await, Value::Null);
            assert_eq!(node(&school.person("mei").await, id, "id").await, Value::Null);
        }
        assert_eq!(spend(&omar, &draft["id"], false).await, json!([{ "code": "NOT_FOUND" }]));
        let open = "... on Module { prerequisites { title } lessons { id } } ... on Lesson { draft { title } versions { title } version }";
        let seen = node(&omar, &first, open).await;
        assert_eq!(seen["prerequisites"], json!([]));
        assert_eq!(node(&omar, &json!(school.lesson("soil-2")), open).await, json!({ "draft": null, "versions": null, "version": null }));

        let hers = ana.data_with(everything, ids).await;
        assert_eq!(hers["course"]["modules"][0]["title"], "Clay", "she teaches it");
        assert_eq!(hers["course"]["modules"][1]["lessons"][0]["title"], "Clay");
        let progress = |answer: &Value| {
            let modules = answer["enrolment"]["modules"].as_array().unwrap().iter();
            modules.map(|module| (module["progress"].clone(), module["lessons"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(progress(&hers), progress(&before), "his progress is of what he finds");
        assert_eq!(node(&ana, &json!(school.lesson("soil-2")), open).await["draft"]["title"], "Gravel");
    }

    async fn a_learner_reads_the_version_that_she_saw(school) {
        let (ana, omar, zoe) = (school.person("ana").await, school.person("omar").await, school.person("zoe").await);
        let lesson = json!(school.lesson("soil-1"));
        let say = async |text: &str| {
            let change = json!({ "lessonId": lesson, "version": version_of(&ana, &lesson).await, "text": text, "url": "https://video.example/soil" });
            let version = done(&ana, "updateLesson", change).await["version"].take();
            school.clock.advance(60);
            done(&ana, "publishLesson", json!({ "lessonId": lesson, "version": version })).await
        };
        assert_eq!(say("One.").await["contentVersion"], 2, "the first was imported");
        take(&zoe, &json!(school.course("soil"))).await;
        school.clock.advance(60);
        spend(&zoe, &lesson, false).await;
        let third = say("Two.").await;
        assert_eq!((&third["contentVersion"], &third["content"]["text"]), (&json!(3), &json!("Two.")));
        let read = async |client: &Client, version: i64| {
            let selection = format!("... on Lesson {{ content(version: {version}) {{ version title text }} }}");
            node(client, &lesson, &selection).await["content"].take()
        };
        assert_eq!(read(&zoe, 2).await, json!({ "version": 2, "title": "A handful of soil", "text": "One." }));
        assert_eq!(read(&zoe, 3).await["text"], "Two.");
        assert_eq!(read(&zoe, 1).await, Value::Null, "it was over before she came");
        assert_eq!(read(&omar, 1).await, json!({ "version": 1, "title": "A handful of soil", "text": null }), "he was there");
        assert_eq!(read(&omar, 9).await, Value::Null);
        for client in [&school.person("bo").await, &ana] {
            assert_eq!(read(client, 1).await["version"], 1, "of the staff");
        }
        let versions = node(&ana, &lesson, "... on Lesson { versions { version text } }").await;
        assert_eq!(versions["versions"], json!([{ "version": 3, "text": "Two." }, { "version": 2, "text": "One." }, { "version": 1, "text": null }]));
        let same = json!({ "lessonId": lesson, "version": third["version"] });
        assert_eq!(refused(&ana, "publishLesson", same.clone()).await.0, "NOTHING_CHANGED");
        assert_eq!(refused(&ana, "discardLessonDraft", same).await.0, "WRONG_STATE");
    }

    async fn what_is_retired_stays_for_those_who_saw_it(school) {
        let (ana, mei, zoe) = (school.person("ana").await, school.person("mei").await, school.person("zoe").await);
        let (course, lesson) = (json!(school.course("soil")), json!(school.lesson("soil-4")));
        take(&zoe, &course).await;
        let at = json!({ "lessonId": lesson, "version": version_of(&ana, &lesson).await });
        let retired = done(&ana, "retireLesson", at).await;
        assert_eq!(retired["status"], "RETIRED");
        let left = node(&zoe, &course, "... on Course { lessonCount seconds contentVersion modules { lessons { title } } }").await;
        assert_eq!((&left["lessonCount"], &left["seconds"], &left["contentVersion"]), (&json!(3), &json!(1260), &json!(2)));
        assert_eq!(left["modules"][1]["lessons"], json!([{ "title": "Worms and other workers" }]));
        assert_eq!(node(&mei, &lesson, "... on Lesson { title status }").await, json!({ "title": "Count your worms", "status": "RETIRED" }));
        assert_eq!(node(&zoe, &lesson, "id").await, Value::Null);
        assert_eq!(node(&ana, &course, "... on Course { modules { lessons { id } } }").await["modules"][1]["lessons"].as_array().unwrap().len(), 1);

        // It comes back as it was.
        let back = done(&ana, "publishLesson", json!({ "lessonId": lesson, "version": retired["version"] })).await;
        assert_eq!((&back["status"], &back["contentVersion"]), (&json!("PUBLISHED"), &json!(1)));
        assert_eq!(node(&zoe, &course, "... on Course { lessonCount contentVersion }").await, json!({ "lessonCount": 4, "contentVersion": 3 }));

        // Never the last one.
        let modules = node(&ana, &course, "... on Course { modules { id version } }").await;
        let module = |at: usize| json!({ "moduleId": modules["modules"][at]["id"], "version": modules["modules"][at]["version"] });
        assert_eq!(done(&ana, "retireModule", module(0)).await["status"], "RETIRED");
        assert_eq!(refused(&ana, "retireModule", module(1)).await.0, "LAST_LESSON");
        assert_eq!(node(&mei, &modules["modules"][0]["id"], "... on Module { title }").await["title"], "What soil is");
        assert_eq!(node(&zoe, &modules["modules"][0]["id"], "id").await, Value::Null);
    }

    async fn an_import_after_an_authors_day_leaves_her_drafts_alone(school) {
        let (ana, omar) = (school.person("ana").await, school.person("omar").await);
        let module = ana.data("{ course(slug: \"living-soil\") { modules { id } } }").await["course"]["modules"][0]["id"].take();
        let draft = done(&ana, "createLesson", json!({ "moduleId": module, "title": "Clay", "kind": "READING", "seconds": 99 })).await;
        let report = school.import(&School::fixture()).await;
        assert!(report.complete(), "{report}");
        let soil = "{ course(slug: \"living-soil\") { lessonCount seconds modules { lessons { id } } } }";
        let theirs = omar.data(soil).await;
        assert_eq!((&theirs["course"]["lessonCount"], &theirs["course"]["seconds"]), (&json!(4), &json!(3060)));
        assert_eq!(node(&ana, &draft["id"], "... on Lesson { status }").await["status"], "DRAFT");
    }

    async fn lessons_and_modules_stand_in_the_order_that_the_staff_gives_them(school) {
        let ana = school.person("ana").await;
        let course = json!(school.course("compost"));
        let parts = "... on Course { modules { id version title lessons { id title position } } }";
        let before = node(&ana, &course, parts).await;
        let id = |module: usize, lesson: usize| before["modules"][module]["lessons"][lesson]["id"].clone();
        let module = |at: usize| before["modules"][at]["id"].clone();
        let order = |version: Value, order: Value| json!({ "moduleId": module(0), "version": version, "order": order });
        assert_eq!(refused(&ana, "reorderLessons", order(json!(1), json!([id(0, 1)]))).await, ("CONFLICT".to_owned(), "order".to_owned()));
        assert_eq!(refused(&ana, "reorderLessons", order(json!(1), json!([id(0, 1), id(0, 1)]))).await.0, "CONFLICT");
        assert_eq!(refused(&ana, "reorderLessons", order(json!(1), json!([id(0, 0), id(0, 1), id(1, 0)]))).await.0, "CONFLICT");
        done(&ana, "reorderLessons", order(json!(1), json!([id(0, 1), id(0, 0)]))).await;
        assert_eq!(refused(&ana, "reorderLessons", order(json!(1), json!([id(0, 0), id(0, 1)]))).await.0, "STALE_VERSION");
        let far = json!({ "lessonId": id(1, 1), "version": 1, "moduleId": module(0), "position": 3 });
        assert_eq!(refused(&ana, "moveLesson", far).await, ("OUT_OF_RANGE".to_owned(), "position".to_owned()));
        done(&ana, "moveLesson", json!({ "lessonId": id(1, 1), "version": 1, "moduleId": module(0), "position": 1 })).await;
        let draft = done(&ana, "createModule", json!({ "courseId": course, "title": "Later" })).await;
        let away = json!({ "lessonId": id(1, 0), "version": 1, "moduleId": draft["id"], "position": 0 });
        assert_eq!(refused(&ana, "moveLesson", away).await.0, "MODULE_NOT_PUBLISHED");
        let turned = json!({ "courseId": course, "version": version_of(&ana, &course).await, "order": [draft["id"], module(1), module(0)] });
        done(&ana, "reorderModules", turned).await;
        let after = node(&school.person("omar").await, &course, "... on Course { contentVersion modules { title position lessons { title position } } }").await;
        assert_eq!(after, json!({ "contentVersion": 1, "modules": [
            { "title": "The season", "position": 0, "lessons": [{ "title": "Turn it and wait", "position": 0 }] },
            { "title": "Before you start", "position": 1, "lessons": [
                { "title": "A place for the heap", "position": 0 }, { "title": "The local composting guide", "position": 1 }, { "title": "What goes in", "position": 2 } ] },
        ] }));
    }
}
