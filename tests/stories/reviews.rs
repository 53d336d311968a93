//! What learners say of courses, and what they want to find again.

use serde_json::{Value, json};
use stoa_api::accounts::model::SystemRole;
use stoa_testkit::{Client, School, story};

const REVIEW: &str = "mutation($input: ReviewCourseInput!) { reviewCourse(input: $input) {
    review { rating body showsName version review { id } } userErrors { code message path } } }";
const REVIEWS: &str = "{ course(slug: \"living-soil\") { rating { average count } myReview { rating version }
    reviews(first: 9) { nodes { id rating body author { name } writtenOn editedOn } } } }";

async fn review(school: &School, client: &Client, course: &str, mut input: Value) -> Value {
    input["courseId"] = json!(school.course(course));
    client.data_with(REVIEW, json!({ "input": input })).await["reviewCourse"].clone()
}

async fn bookmark(client: &Client, thing: String, note: Value) -> Value {
    let query = "mutation($input: AddBookmarkInput!) { addBookmark(input: $input) {
        bookmark { id note createdAt thing { __typename } } userErrors { code path } } }";
    client.data_with(query, json!({ "input": { "thingId": thing, "note": note } })).await["addBookmark"].clone()
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_else(|| panic!("{payload:#}"))
}

story! {
    async fn a_review_is_by_somebody_who_has_begun_the_course(school) {
        let zoe = school.person("zoe").await;
        let never = review(&school, &zoe, "soil", json!({ "rating": 1, "body": "Bad." })).await;
        assert_eq!((code(&never), &never["userErrors"][0]["path"]), ("NOT_ENROLLED", &json!(["input", "courseId"])));
        let enroll = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code } } }";
        zoe.data_with(enroll, json!({ "course": school.course("soil") })).await;
        assert_eq!(code(&review(&school, &zoe, "soil", json!({ "rating": 1, "body": "Bad." })).await), "NOT_ALLOWED", "she has seen nothing of it");
        let mei = school.person("mei").await;
        for (input, wanted, path) in [
            (json!({ "rating": 0 }), "OUT_OF_RANGE", "rating"),
            (json!({ "rating": 6 }), "OUT_OF_RANGE", "rating"),
            (json!({ "rating": 5, "body": "x".repeat(5_001) }), "LENGTH", "body"),
            (json!({ "rating": 5, "version": 1 }), "STALE_VERSION", "version"),
        ] {
            let payload = review(&school, &mei, "soil", input).await;
            assert_eq!((code(&payload), &payload["userErrors"][0]["path"][1]), (wanted, &json!(path)));
        }
        let nobody = school.anybody().ask_with(REVIEW, json!({ "input": { "courseId": school.course("soil"), "rating": 5 } })).await;
        assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(school.anybody().data(REVIEWS).await["course"]["reviews"]["nodes"], json!([]));
    }

    async fn a_review_is_written_changed_and_taken_back_and_the_sums_go_with_it(school) {
        let mei = school.person("mei").await;
        school.clock.advance(1_234);
        // Five stars came with the import.
        assert_eq!(mei.data(REVIEWS).await["course"]["rating"], json!({ "average": null, "count": 1 }));
        let payload = review(&school, &mei, "soil", json!({ "rating": 4, "body": "  Dig in.  ", "showsName": true })).await;
        let mine = &payload["review"];
        assert_eq!((&mine["rating"], &mine["body"], &mine["version"]), (&json!(4), &json!("Dig in."), &json!(1)));
        let data = mei.data(REVIEWS).await;
        assert_eq!(data["course"]["rating"]["count"], 1, "what came with the import was hers");
        assert_eq!(data["course"]["reviews"]["nodes"], json!([{
            "id": mine["review"]["id"], "rating": 4, "body": "Dig in.", "author": { "name": "Mei Tanaka" },
            "writtenOn": "2026-03-02T00:00:00Z", "editedOn": null,
        }]));
        assert_eq!(sums(&school).await, (1, 4, 1, 4, Some(4)));

        let same = json!({ "rating": 4, "body": "Dig in.", "showsName": true });
        assert_eq!(review(&school, &mei, "soil", same).await["review"]["version"], 1, "the same again changes nothing");
        assert_eq!(code(&review(&school, &mei, "soil", json!({ "rating": 2, "body": "No." })).await), "STALE_VERSION");
        school.clock.advance(86_400);
        let changed = review(&school, &mei, "soil", json!({ "rating": 3, "body": "Dig.", "version": 1 })).await;
        assert_eq!((&changed["review"]["version"], &changed["review"]["review"]["id"]), (&json!(2), &mine["review"]["id"]));
        assert_eq!(sums(&school).await, (1, 3, 1, 3, Some(3)));
        let node = &mei.data(REVIEWS).await["course"]["reviews"]["nodes"][0];
        assert_eq!((&node["author"], &node["editedOn"]), (&Value::Null, &json!("2026-03-03T00:00:00Z")));

        // Without a text it is a rating, which nobody reads.
        let quiet = review(&school, &mei, "soil", json!({ "rating": 2, "version": 2 })).await;
        assert_eq!((&quiet["review"]["review"], &quiet["review"]["body"]), (&Value::Null, &Value::Null));
        assert_eq!(sums(&school).await, (1, 2, 0, 0, Some(2)));
        assert_eq!(mei.data(REVIEWS).await["course"]["reviews"]["nodes"], json!([]));

        let delete = "mutation($course: ID!) { deleteReview(input: { courseId: $course }) { course { slug } userErrors { code } } }";
        let course = json!({ "course": school.course("soil") });
        assert_eq!(mei.data_with(delete, course.clone()).await["deleteReview"]["userErrors"], json!([]));
        assert_eq!(sums(&school).await, (0, 0, 0, 0, None));
        assert_eq!(mei.data_with(delete, course).await["deleteReview"]["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(mei.data(REVIEWS).await["course"]["myReview"], Value::Null);
    }

    async fn nobody_finds_out_who_wrote_an_anonymous_review(school) {
        let omar = school.person("omar").await;
        let payload = review(&school, &omar, "soil", json!({ "rating": 2, "body": "Too much to dig." })).await;
        let id = payload["review"]["review"]["id"].as_str().unwrap().to_owned();
        let account = school.id_of("omar").0;
        let bytes = base64_bytes(&id);
        assert!(!bytes.windows(16).any(|part| part == account.as_bytes()), "the id does not hold the account's");
        assert_eq!(bytes.len(), 33);
        school.grant("zoe", SystemRole::Administrator).await;
        let node = "query($id: ID!) { node(id: $id) { ... on Review { body rating author { id name } } } }";
        let name = omar.data("{ me { id } }").await["me"]["id"].as_str().unwrap().to_owned();
        for who in ["ana", "bo", "mei", "zoe"] {
            let client = school.person(who).await;
            let found = client.data_with(node, json!({ "id": id })).await;
            assert_eq!(found["node"], json!({ "body": "Too much to dig.", "rating": 2, "author": null }), "{who}");
            let listed = client.data(REVIEWS).await["course"].clone();
            assert_eq!(listed["reviews"]["nodes"][0]["author"], Value::Null, "{who}");
            assert_eq!(listed["myReview"], Value::Null, "{who}");
            let all = client.ask("{ course(slug: \"living-soil\") { reviews(first: 9) { edges { cursor node { id writtenOn author { id } } } pageInfo { startCursor } } } }").await;
            assert!(!all.to_string().contains(&name), "{who}");
        }
        let stranger = school.anybody().data_with(node, json!({ "id": id })).await;
        assert_eq!(stranger["node"]["body"], "Too much to dig.", "it is for everybody");
        assert_eq!(school.anybody().data(REVIEWS).await["course"]["reviews"]["nodes"][0]["rating"], 2);
        // With the eyes of her staff she does not find her own either.
        let as_staff = omar.with_header("stoa-seen-as", &format!("STAFF {}", school.course("soil")));
        let seen = as_staff.ask(REVIEWS).await;
        assert_eq!((&seen["data"]["course"]["myReview"], &seen["data"]["course"]["reviews"]["nodes"][0]["author"]), (&Value::Null, &Value::Null));
        // Reading it leaves no row in anybody's log.
        let log = omar.data("{ me { accessLog(first: 50) { nodes { category } } } }").await;
        assert!(!log.to_string().contains("REVIEW"), "{log}");
    }

    async fn a_name_shows_to_those_who_may_see_it_anyhow(school) {
        let omar = school.person("omar").await;
        review(&school, &omar, "soil", json!({ "rating": 4, "body": "Fine.", "showsName": true })).await;
        let author = async |client: &Client| client.ask(REVIEWS).await["data"]["course"]["reviews"]["nodes"][0]["author"].clone();
        assert_eq!(author(&school.person("mei").await).await, json!({ "name": "Omar Said" }), "a classmate");
        assert_eq!(author(&school.person("ana").await).await, json!({ "name": "Omar Said" }));
        assert_eq!(author(&school.person("zoe").await).await, Value::Null, "she does not know him");
        assert_eq!(author(school.anybody()).await, Value::Null);
    }

    async fn who_has_left_may_still_say_what_she_thinks(school) {
        let omar = school.person("omar").await;
        let leave = "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code } } }";
        omar.data_with(leave, json!({ "course": school.course("soil") })).await;
        assert_eq!(review(&school, &omar, "soil", json!({ "rating": 1, "body": "I left." })).await["userErrors"], json!([]));
        assert_eq!(sums(&school).await.0, 2);
    }

    async fn mei_bookmarks_what_she_wants_to_find_again(school) {
        let mei = school.person("mei").await;
        let first = bookmark(&mei, school.course("sol"), json!(null)).await;
        assert_eq!(first["bookmark"]["thing"]["__typename"], "Course");
        school.clock.advance(1);
        let lesson = bookmark(&mei, school.lesson("soil-1"), json!(" sand ")).await;
        assert_eq!(lesson["bookmark"]["note"], "sand");
        let again = bookmark(&mei, school.lesson("soil-1"), json!("other")).await;
        assert_eq!(again, lesson, "it is there already, with its note");
        school.clock.advance(1);
        let post = bookmark(&mei, school.post("soil", "p2"), json!(null)).await;
        bookmark(&mei, school.thread("soil", "t1"), json!(null)).await;

        let list = "{ me { bookmarks(first: 9) { nodes { id note thing { __typename ... on Lesson { title } ... on Post { body } ... on Thread { title } } } } } }";
        let nodes = mei.data(list).await["me"]["bookmarks"]["nodes"].clone();
        let kinds: Vec<_> = nodes.as_array().unwrap().iter().map(|node| node["thing"]["__typename"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["Thread", "Post", "Lesson", "Course"]);

        // When she leaves the course its forum is not hers any more: the bookmark stays, and leads nowhere.
        let leave = "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code } } }";
        mei.data_with(leave, json!({ "course": school.course("soil") })).await;
        let answer = mei.ask(list).await;
        assert_eq!(answer.get("errors"), None);
        let nodes = &answer["data"]["me"]["bookmarks"]["nodes"];
        assert_eq!((&nodes[1]["id"], &nodes[1]["thing"], &nodes[2]["note"]), (&post["bookmark"]["id"], &Value::Null, &json!("sand")));

        let note = "mutation($input: UpdateBookmarkInput!) { updateBookmark(input: $input) { bookmark { note } userErrors { code path } } }";
        let id = lesson["bookmark"]["id"].clone();
        let noted = mei.data_with(note, json!({ "input": { "bookmarkId": id, "note": "clay" } })).await;
        assert_eq!(noted["updateBookmark"]["bookmark"]["note"], "clay");
        let long = mei.data_with(note, json!({ "input": { "bookmarkId": id, "note": "x".repeat(2_001) } })).await;
        assert_eq!(long["updateBookmark"]["userErrors"], json!([{ "code": "LENGTH", "path": ["input", "note"] }]));

        // It is nobody else's.
        let node = "query($id: ID!) { node(id: $id) { ... on Bookmark { note } } }";
        for who in ["ana", "omar", "zoe"] {
            let other = school.person(who).await;
            assert_eq!(other.data_with(node, json!({ "id": id })).await["node"], Value::Null, "{who}");
            let taken = other.data_with(note, json!({ "input": { "bookmarkId": id, "note": "mine" } })).await;
            assert_eq!(taken["updateBookmark"]["userErrors"][0]["code"], "NOT_FOUND", "{who}");
        }
        let hers = "query($id: ID!) { node(id: $id) { ... on Person { bookmarks(first: 9) { nodes { id } } } } }";
        let answer = school.person("ana").await.ask_with(hers, json!({ "id": school.person_node("mei") })).await;
        assert_eq!((&answer["data"]["node"]["bookmarks"], &answer["extensions"]["redactions"][0]["field"]), (&Value::Null, &json!("Person.bookmarks")));

        let remove = "mutation($id: ID!) { removeBookmark(input: { bookmarkId: $id }) { removedId userErrors { code } } }";
        for _ in 0..2 {
            let gone = mei.data_with(remove, json!({ "id": id })).await;
            assert_eq!(gone["removeBookmark"], json!({ "removedId": id, "userErrors": [] }), "twice is once");
        }
        assert_eq!(mei.data_with(node, json!({ "id": id })).await["node"], Value::Null);
    }

    async fn what_is_not_for_one_is_not_bookmarked(school) {
        let zoe = school.person("zoe").await;
        assert_eq!(code(&bookmark(&zoe, school.post("soil", "p2"), json!(null)).await), "NOT_FOUND", "she does not read that forum");
        assert_eq!(code(&bookmark(&zoe, school.lesson("nowhere"), json!(null)).await), "NOT_FOUND");
        let query = "mutation($thing: ID!) { addBookmark(input: { thingId: $thing }) { userErrors { code } } }";
        let answer = zoe.ask_with(query, json!({ "thing": school.person_node("ana") })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}

/// The bytes of a global id.
fn base64_bytes(id: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for letter in id.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter).expect("a letter of an id");
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

/// Of *Living Soil*: how many ratings and their sum, how many that everybody reads and their sum, and what the recommender reads
/// of Mei.
async fn sums(school: &School) -> (i64, i64, i64, i64, Option<i64>) {
    let sql = school.written(
        "SELECT rating_count, rating_sum, review_count, review_sum,
           (SELECT rating FROM enrolments e WHERE e.course_id = r.course_id AND e.learner_id = {person:mei})
         FROM course_rollups r WHERE course_id = {course:soil}",
    );
    let sql = sqlx::AssertSqlSafe(sql);
    if school.database.is_sqlite() {
        let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
        sqlx::query_as(sql).fetch_one(&pool).await.unwrap()
    } else {
        let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
        sqlx::query_as(sql).fetch_one(&pool).await.unwrap()
    }
}
