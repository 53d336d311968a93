//! Keeping order in a forum: threads, posts, categories, and the log.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

/// Does something that gives `userErrors`, and answers with its payload.
async fn does(client: &Client, mutation: &str, variables: Value) -> Value {
    let data = client.data_with(mutation, variables).await;
    data.as_object().unwrap().values().next().unwrap().clone()
}

/// The codes of the errors of a payload.
fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

const LOCK: &str = "mutation($id: ID!, $reason: String!, $v: Int!) { lockThread(threadId: $id, input: { reason: $reason, version: $v }) {
    thread { version lockedAt lockReason } userErrors { code message path } } }";
const UNLOCK: &str = "mutation($id: ID!, $v: Int!) { unlockThread(threadId: $id, input: { version: $v }) {
    thread { version lockedAt lockReason } userErrors { code path } } }";
const PIN: &str = "mutation($id: ID!) { pinThread(threadId: $id) { thread { pinnedAt } userErrors { code } } }";
const RENAME: &str = "mutation($id: ID!, $title: String!, $v: Int!) { renameThread(threadId: $id, input: { title: $title, version: $v }) {
    thread { title version formerTitles { title renamedAs } } userErrors { code path } } }";
const MOVE: &str =
    "mutation($id: ID!, $to: ID!, $v: Int!) { moveThread(threadId: $id, input: { categoryId: $to, version: $v }) {
    thread { category { name } } userErrors { code message path } } }";
const MERGE: &str = "mutation($id: ID!, $into: ID!, $v: Int!) { mergeThreads(threadId: $id, input: { intoId: $into, version: $v, reason: \"The same again.\" }) {
    thread { id postCount posts(first: 20) { nodes { id body } } } userErrors { code path } } }";
const REMOVE: &str = "mutation($id: ID!, $reason: String!) { removePost(postId: $id, input: { reason: $reason }) {
    post { id } userErrors { code path } } }";
const RESTORE: &str =
    "mutation($id: ID!) { restorePost(postId: $id, input: {}) { post { body } userErrors { code } } }";
const POST: &str = "mutation($id: ID!, $body: String!) { createPost(threadId: $id, input: { body: $body }) { post { id } userErrors { code message path } } }";
const BEGIN: &str = "mutation($course: ID!, $category: ID, $title: String!, $kind: ThreadKind!) {
    createThread(courseId: $course, input: { categoryId: $category, title: $title, body: \"…\", kind: $kind }) {
    thread { id category { name } posts(first: 1) { nodes { id } } } userErrors { code message path } } }";
const LOG: &str = "{ course(slug: \"living-soil\") { forum { moderationLog(first: 50) { nodes {
    act moderator { name } thread { id } post { id } category { name } reason before after } } } } }";

/// The acts in the log of *Living Soil*, the latest first, as Ana reads them.
async fn acts(school: &School) -> Vec<String> {
    let data = school.person("ana").await.data(LOG).await;
    let nodes = data["course"]["forum"]["moderationLog"]["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|node| node["act"].as_str().unwrap().to_owned()).collect()
}

async fn begin(client: &Client, course: &str, title: &str, kind: &str) -> String {
    let payload = does(client, BEGIN, json!({ "course": course, "title": title, "kind": kind })).await;
    payload["thread"]["id"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

async fn categories(client: &Client, school: &School) -> Vec<Value> {
    let query = "query($id: ID!) { node(id: $id) { ... on Course { forum { categories { id name version staffOnly description position } } } } }";
    let data = client.data_with(query, json!({ "id": school.course("soil") })).await;
    data["node"]["forum"]["categories"].as_array().unwrap().clone()
}

story! {
    async fn a_locked_thread_takes_no_posts_until_it_is_opened(school) {
        let (ana, omar) = (school.person("ana").await, school.person("omar").await);
        let t1 = school.thread("soil", "t1");
        let locked = does(&ana, LOCK, json!({ "id": t1, "reason": " Count again in spring. ", "v": 1 })).await;
        assert_eq!(locked["thread"], json!({ "version": 2, "lockedAt": "2026-03-02T09:00:00Z", "lockReason": "Count again in spring." }));
        let refused = does(&omar, POST, json!({ "id": t1, "body": "But why?" })).await;
        assert_eq!(codes(&refused), ["LOCKED"]);
        assert_eq!(refused["post"], Value::Null);

        // A second moderator who has not seen that is told.
        let stale = does(&ana, LOCK, json!({ "id": t1, "reason": "Enough.", "v": 1 })).await;
        assert_eq!(codes(&stale), ["STALE_VERSION"]);
        let open = does(&ana, UNLOCK, json!({ "id": t1, "v": 2 })).await;
        assert_eq!(open["thread"], json!({ "version": 3, "lockedAt": null, "lockReason": null }));
        assert_eq!(codes(&does(&omar, POST, json!({ "id": t1, "body": "Thank you." })).await), Vec::<&str>::new());
        assert_eq!(acts(&school).await, ["UNLOCK_THREAD", "LOCK_THREAD"]);
    }

    async fn what_can_be_mended_when_order_is_kept_is_named(school) {
        let (ana, t1) = (school.person("ana").await, school.thread("soil", "t1"));
        for (mutation, variables, code, path) in [
            (LOCK, json!({ "id": t1, "reason": " ", "v": 1 }), "LENGTH", json!(["input", "reason"])),
            (LOCK, json!({ "id": t1, "reason": "x".repeat(501), "v": 1 }), "LENGTH", json!(["input", "reason"])),
            (LOCK, json!({ "id": school.thread("soil", "none"), "reason": "x", "v": 1 }), "NOT_FOUND", json!(["threadId"])),
            (LOCK, json!({ "id": school.thread("sol", "t3"), "reason": "x", "v": 1 }), "NOT_FOUND", json!(["threadId"])),
            (RENAME, json!({ "id": t1, "title": "", "v": 1 }), "LENGTH", json!(["input", "title"])),
            (RENAME, json!({ "id": t1, "title": "Worms", "v": 9 }), "STALE_VERSION", json!(["input", "version"])),
            (MERGE, json!({ "id": t1, "into": t1, "v": 1 }), "CONFLICT", json!(["input", "intoId"])),
            (MERGE, json!({ "id": school.thread("soil", "t2"), "into": t1, "v": 1 }), "CONFLICT", json!(["input", "intoId"])),
            (MERGE, json!({ "id": t1, "into": school.thread("sol", "t3"), "v": 1 }), "NOT_ALLOWED", json!(["input"])),
            (REMOVE, json!({ "id": school.post("soil", "p3"), "reason": "" }), "LENGTH", json!(["input", "reason"])),
            (REMOVE, json!({ "id": school.post("soil", "none"), "reason": "x" }), "NOT_FOUND", json!(["postId"])),
        ] {
            let payload = does(&ana, mutation, variables).await;
            assert_eq!(payload["userErrors"][0]["code"], code, "{mutation} {payload}");
            assert_eq!(payload["userErrors"][0]["path"], path, "{mutation}");
        }
        assert!(acts(&school).await.is_empty(), "nothing was done");
    }

    async fn an_assistant_and_a_learner_keep_no_order(school) {
        let (t2, p5, mei) = (school.thread("soil", "t2"), school.post("soil", "p5"), school.person("mei").await);
        for who in [&school.person("bo").await, &mei] {
            for (mutation, variables) in [
                (PIN, json!({ "id": t2 })),
                (LOCK, json!({ "id": t2, "reason": "x", "v": 1 })),
                (UNLOCK, json!({ "id": t2, "v": 1 })),
                (RENAME, json!({ "id": t2, "title": "x", "v": 1 })),
                (MERGE, json!({ "id": school.thread("soil", "t1"), "into": t2, "v": 1 })),
                (REMOVE, json!({ "id": p5, "reason": "x" })),
                (RESTORE, json!({ "id": p5 })),
            ] {
                assert_eq!(codes(&does(who, mutation, variables).await), ["NOT_ALLOWED"], "{mutation}");
            }
            let answer = who.ask(LOG).await;
            assert_eq!(answer["data"]["course"]["forum"]["moderationLog"], Value::Null);
            assert_eq!(answer["extensions"]["redactions"][0]["field"], "Forum.moderationLog");
        }
        // Whoever does not take part learns nothing of what is there.
        assert_eq!(codes(&does(&school.person("zoe").await, PIN, json!({ "id": t2 })).await), ["NOT_FOUND"]);
        assert!(acts(&school).await.is_empty());
    }

    async fn pinned_threads_stand_beside_the_list_which_pages_as_before(school) {
        let (ana, omar) = (school.person("ana").await, school.person("omar").await);
        let soil = school.course("soil");
        assert_eq!(does(&ana, PIN, json!({ "id": school.thread("soil", "t2") })).await["thread"]["pinnedAt"], "2026-03-02T09:00:00Z");
        let list = "query($id: ID!) { node(id: $id) { ... on Course { forum { pinned { title } threads(first: 5) { nodes { title } } categories { name pinned { title } } } } } }";
        let forum = omar.data_with(list, json!({ "id": soil })).await["node"]["forum"].clone();
        assert_eq!(forum["pinned"], json!([{ "title": "Welcome" }]));
        assert_eq!(forum["threads"]["nodes"], json!([{ "title": "Are two worms enough?" }, { "title": "Welcome" }]));
        assert_eq!(forum["categories"], json!([{ "name": "Questions", "pinned": [] }, { "name": "General", "pinned": [{ "title": "Welcome" }] }]));
        // Again changes nothing; eleven are too many.
        does(&ana, PIN, json!({ "id": school.thread("soil", "t2") })).await;
        assert_eq!(acts(&school).await, ["PIN_THREAD"]);
        for index in 0..9 {
            let id = begin(&omar, &soil, &format!("{index}"), "DISCUSSION").await;
            assert_eq!(codes(&does(&ana, PIN, json!({ "id": id })).await), Vec::<&str>::new());
        }
        let id = begin(&omar, &soil, "one too many", "DISCUSSION").await;
        assert_eq!(codes(&does(&ana, PIN, json!({ "id": id })).await), ["TOO_MANY"]);
        let unpin = "mutation($id: ID!) { unpinThread(threadId: $id) { thread { pinnedAt } userErrors { code } } }";
        assert_eq!(does(&ana, unpin, json!({ "id": school.thread("soil", "t2") })).await["thread"]["pinnedAt"], Value::Null);
        assert_eq!(codes(&does(&ana, PIN, json!({ "id": id })).await), Vec::<&str>::new());
    }

    async fn a_title_changes_by_its_author_or_a_moderator_and_the_old_ones_are_kept(school) {
        let (ana, omar, t1) = (school.person("ana").await, school.person("omar").await, school.thread("soil", "t1"));
        let renamed = does(&omar, RENAME, json!({ "id": t1, "title": "Two worms", "v": 1 })).await;
        assert_eq!(renamed["thread"]["title"], "Two worms");
        assert!(acts(&school).await.is_empty(), "what she does with her own thread is no moderation");
        school.clock.advance(60);
        let renamed = does(&ana, RENAME, json!({ "id": t1, "title": "How many worms?", "v": 2 })).await;
        assert_eq!(renamed["thread"]["formerTitles"], json!([
            { "title": "Two worms", "renamedAs": "MODERATOR" }, { "title": "Are two worms enough?", "renamedAs": "AUTHOR" },
        ]));
        let log = ana.data(LOG).await["course"]["forum"]["moderationLog"]["nodes"].clone();
        assert_eq!(log, json!([{ "act": "RENAME_THREAD", "moderator": { "name": "Ana Pereira" }, "thread": { "id": t1 }, "post": null,
            "category": null, "reason": null, "before": "Two worms", "after": "How many worms?" }]));
        assert_eq!(codes(&does(&school.person("mei").await, RENAME, json!({ "id": t1, "title": "Mine", "v": 3 })).await), ["NOT_ALLOWED"]);
    }

    async fn a_thread_moves_within_its_course_and_not_beyond(school) {
        let (ana, t1) = (school.person("ana").await, school.thread("soil", "t1"));
        let of_soil = categories(&ana, &school).await;
        let general = of_soil.iter().find(|category| category["name"] == "General").unwrap()["id"].clone();
        let moved = does(&ana, MOVE, json!({ "id": t1, "to": general, "v": 1 })).await;
        assert_eq!(moved["thread"]["category"]["name"], "General");
        assert_eq!(codes(&does(&ana, MOVE, json!({ "id": t1, "to": general, "v": 2 })).await), ["CONFLICT"]);
        let compost = does(&ana, BEGIN, json!({ "course": school.course("compost"), "title": "Hello", "kind": "DISCUSSION" })).await;
        let id = compost["thread"]["id"].clone();
        let refused = does(&ana, MOVE, json!({ "id": id, "to": general, "v": 1 })).await;
        assert_eq!(codes(&refused), ["NOT_ALLOWED"]);
        let message = refused["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains("stays in its course"), "{message}");
        assert_eq!(acts(&school).await, ["MOVE_THREAD"]);
    }

    async fn merged_threads_stand_in_the_order_of_time_and_the_old_id_leads_there(school) {
        let (ana, omar, mei) = (school.person("ana").await, school.person("omar").await, school.person("mei").await);
        let soil = school.course("soil");
        let t1 = school.thread("soil", "t1");
        let again = begin(&mei, &soil, "How many worms?", "QUESTION").await;
        school.clock.advance(60);
        let between = does(&omar, POST, json!({ "id": t1, "body": "Still nine." })).await["post"]["id"].clone();
        school.clock.advance(60);
        let last = does(&omar, POST, json!({ "id": again, "body": "Nine, see above." })).await["post"]["id"].clone();
        let merged = does(&ana, MERGE, json!({ "id": again, "into": t1, "v": 1 })).await;
        assert_eq!(merged["userErrors"], json!([]));
        let bodies: Vec<_> = merged["thread"]["posts"]["nodes"].as_array().unwrap().iter().map(|post| post["id"].clone()).collect();
        assert_eq!(merged["thread"]["postCount"], 6);
        assert_eq!(bodies.len(), 6);
        assert_eq!((&bodies[4], &bodies[5]), (&between, &last), "by the time at which they were written");
        assert_eq!(bodies[0], json!(school.post("soil", "p1")));

        // The old id leads there, and the thread is in no list.
        let query = "query($id: ID!) { node(id: $id) { ... on Thread { postCount posts(first: 5) { nodes { id } } mergedInto { id } course { forum { threads(first: 9) { nodes { id } } } } } } }";
        let node = omar.data_with(query, json!({ "id": again })).await["node"].clone();
        assert_eq!((&node["postCount"], &node["posts"]["nodes"], &node["mergedInto"]["id"]), (&json!(0), &json!([]), &json!(t1)));
        assert!(!node["course"]["forum"]["threads"]["nodes"].as_array().unwrap().contains(&json!({ "id": again })));
        let refused = does(&omar, POST, json!({ "id": again, "body": "Hello?" })).await;
        assert_eq!(codes(&refused), ["CONFLICT"]);
        for (mutation, variables) in [
            (LOCK, json!({ "id": again, "reason": "x", "v": 2 })),
            (MERGE, json!({ "id": again, "into": t1, "v": 2 })),
            (PIN, json!({ "id": again })),
        ] {
            assert_eq!(codes(&does(&ana, mutation, variables).await), ["CONFLICT"], "{mutation}");
        }

        // Merged once more, both old ids lead to the last one.
        let v = ana.data_with("query($id: ID!) { node(id: $id) { ... on Thread { version } } }", json!({ "id": t1 })).await["node"]["version"].clone();
        let t2 = school.thread("soil", "t2");
        let merged = does(&ana, MERGE, json!({ "id": t1, "into": t2, "v": v })).await;
        assert_eq!(merged["thread"]["postCount"], 8, "{merged}");
        for id in [&json!(t1), &json!(again)] {
            let node = omar.data_with(query, json!({ "id": id })).await["node"].clone();
            assert_eq!(node["mergedInto"]["id"], t2);
        }
        let answered = omar.data_with("query($id: ID!) { node(id: $id) { ... on Post { thread { id } replyTo { id } } } }", json!({ "id": school.post("soil", "p2") })).await;
        assert_eq!(answered["node"], json!({ "thread": { "id": t2 }, "replyTo": { "id": school.post("soil", "p1") } }));
    }

    async fn a_removed_post_keeps_its_place_and_can_be_put_back(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let p5 = school.post("soil", "p5");
        assert_eq!(codes(&does(&ana, REMOVE, json!({ "id": p5, "reason": "It names her street." })).await), Vec::<&str>::new());
        assert_eq!(codes(&does(&ana, REMOVE, json!({ "id": p5, "reason": "Again." })).await), ["CONFLICT"]);
        let count = "query($id: ID!) { node(id: $id) { ... on Thread { postCount posts(first: 9) { nodes { id } } } } }";
        let node = mei.data_with(count, json!({ "id": school.thread("soil", "t2") })).await["node"].clone();
        assert_eq!((&node["postCount"], node["posts"]["nodes"].as_array().unwrap().len()), (&json!(2), 2));
        assert_eq!(does(&ana, RESTORE, json!({ "id": p5 })).await["post"]["body"], "In pots, on a balcony.");
        assert_eq!(codes(&does(&ana, RESTORE, json!({ "id": p5 })).await), ["CONFLICT"]);
        assert_eq!(acts(&school).await, ["RESTORE_POST", "REMOVE_POST"]);
        // What its author took back is hers.
        school.execute("UPDATE posts SET removed_at = 5, removed_as = 'AUTHOR' WHERE id = {post:p5}").await;
        assert_eq!(codes(&does(&ana, RESTORE, json!({ "id": p5 })).await), ["CONFLICT"]);
    }

    async fn ana_arranges_the_categories_of_her_course(school) {
        let (ana, omar, soil) = (school.person("ana").await, school.person("omar").await, school.course("soil"));
        let create = "mutation($course: ID!, $name: String!, $staff: Boolean!) { createForumCategory(courseId: $course, input: { name: $name, description: \"Read this first.\", staffOnly: $staff }) {
            category { id name description staffOnly position version } userErrors { code path } } }";
        let made = does(&ana, create, json!({ "course": soil, "name": "News", "staff": true })).await;
        let news = made["category"].clone();
        assert_eq!((&news["staffOnly"], &news["position"], &news["version"]), (&json!(true), &json!(2), &json!(1)));
        assert_eq!(codes(&does(&ana, create, json!({ "course": soil, "name": "News", "staff": false })).await), ["CONFLICT"]);
        assert_eq!(codes(&does(&ana, create, json!({ "course": soil, "name": " ", "staff": false })).await), ["LENGTH"]);
        assert_eq!(codes(&does(&omar, create, json!({ "course": soil, "name": "Mine", "staff": false })).await), ["NOT_ALLOWED"]);

        // Staff begin threads there; everybody may answer.
        let refused = does(&omar, BEGIN, json!({ "course": soil, "category": news["id"], "title": "Mine", "kind": "DISCUSSION" })).await;
        assert_eq!(codes(&refused), ["NOT_ALLOWED"]);
        let thread = does(&school.person("bo").await, BEGIN, json!({ "course": soil, "category": news["id"], "title": "Moved", "kind": "DISCUSSION" })).await;
        let id = thread["thread"]["id"].clone();
        assert_eq!(codes(&does(&omar, POST, json!({ "id": id, "body": "When?" })).await), Vec::<&str>::new());

        // In another order, all of them.
        let there = categories(&ana, &school).await;
        let ids: Vec<_> = there.iter().map(|category| category["id"].clone()).collect();
        let reorder = "mutation($course: ID!, $ids: [ID!]!) { reorderForumCategories(courseId: $course, categoryIds: $ids) { categories { name } userErrors { code } } }";
        assert_eq!(codes(&does(&ana, reorder, json!({ "course": soil, "ids": [ids[0], ids[1]] })).await), ["CONFLICT"]);
        assert_eq!(codes(&does(&ana, reorder, json!({ "course": soil, "ids": [ids[0], ids[1], ids[1]] })).await), ["CONFLICT"]);
        let ordered = does(&ana, reorder, json!({ "course": soil, "ids": [ids[2], ids[0], ids[1]] })).await;
        assert_eq!(ordered["categories"], json!([{ "name": "News" }, { "name": "Questions" }, { "name": "General" }]));
        assert_eq!(does(&omar, BEGIN, json!({ "course": soil, "title": "Anywhere", "kind": "DISCUSSION" })).await["thread"]["category"]["name"], "Questions");

        // With a version that is not the present one nothing is changed.
        let change = "mutation($id: ID!, $name: String!, $staff: Boolean!, $v: Int!) { changeForumCategory(categoryId: $id, input: { name: $name, staffOnly: $staff, version: $v }) {
            category { name description version } userErrors { code } } }";
        assert_eq!(codes(&does(&ana, change, json!({ "id": news["id"], "name": "Notices", "staff": true, "v": 7 })).await), ["STALE_VERSION"]);
        let changed = does(&ana, change, json!({ "id": news["id"], "name": "Notices", "staff": true, "v": 2 })).await;
        assert_eq!(changed["category"], json!({ "name": "Notices", "description": null, "version": 3 }));

        // Archived: its threads go where she says; the last one that is everybody's can't go.
        let archive = "mutation($id: ID!, $to: ID, $v: Int!) { archiveForumCategory(categoryId: $id, input: { categoryId: $to, version: $v }) {
            category { archivedAt threads(first: 5) { nodes { id } } } userErrors { code } } }";
        let now = categories(&ana, &school).await;
        let of = |name: &str| now.iter().find(|category| category["name"] == name).unwrap().clone();
        let (questions, general) = (of("Questions"), of("General"));
        let archived = does(&ana, archive, json!({ "id": questions["id"], "to": general["id"], "v": questions["version"] })).await;
        assert_eq!(archived["category"]["archivedAt"], "2026-03-02T09:00:00Z");
        assert_eq!(archived["category"]["threads"]["nodes"], json!([]));
        let refused = does(&omar, BEGIN, json!({ "course": soil, "category": questions["id"], "title": "Late", "kind": "DISCUSSION" })).await;
        assert_eq!(codes(&refused), ["NOT_ALLOWED"]);
        assert_eq!(codes(&does(&ana, archive, json!({ "id": general["id"], "v": general["version"] })).await), ["NOT_ALLOWED"]);
        assert_eq!(codes(&does(&ana, change, json!({ "id": general["id"], "name": "General", "staff": true, "v": general["version"] })).await), ["NOT_ALLOWED"]);
        let names: Vec<_> = categories(&omar, &school).await.iter().map(|category| category["name"].clone()).collect();
        assert_eq!(names, ["Notices", "General"]);
        let all = omar.data("{ course(slug: \"living-soil\") { forum { categories(archived: true) { name } } } }").await;
        assert_eq!(all["course"]["forum"]["categories"].as_array().unwrap().len(), 3);
        assert_eq!(acts(&school).await, ["ARCHIVE_CATEGORY", "CHANGE_CATEGORY", "REORDER_CATEGORIES", "CREATE_CATEGORY"]);
    }

    async fn an_anonymous_question_stays_anonymous_when_it_is_merged(school) {
        let (ana, omar, mei) = (school.person("ana").await, school.person("omar").await, school.person("mei").await);
        let begin = "mutation($course: ID!) { createThread(courseId: $course, input: { kind: QUESTION, title: \"Is it dead?\", body: \"My soil.\", anonymity: CLASSMATES }) { thread { id } } }";
        let hide = "mutation($id: ID!) { createPost(threadId: $id, input: { body: \"Mine, too.\", anonymity: CLASSMATES }) { post { id pseudonym } userErrors { code } } }";
        let soil = json!({ "course": school.course("soil") });
        let into = does(&omar, begin, soil.clone()).await["thread"]["id"].clone();
        school.clock.advance(60);
        assert_eq!(does(&mei, hide, json!({ "id": into })).await["post"]["pseudonym"], "Anonymous 2");
        school.clock.advance(60);
        let from = does(&mei, begin, soil).await["thread"]["id"].clone();
        school.clock.advance(60);
        does(&ana, MERGE, json!({ "id": from, "into": into, "v": 1 })).await;
        // Her question is a third one's now: nobody can tell that she is the second one, nor that she is the first one of the
        // thread that is gone.
        let again = does(&mei, hide, json!({ "id": into })).await;
        assert_eq!(again["post"]["pseudonym"], "Anonymous 2", "she goes on as who she was there");
        let query = "query($id: ID!) { node(id: $id) { ... on Thread { pseudonym author { name } posts(first: 9) { nodes { pseudonym author { name } } } } } }";
        for (who, sees) in [("omar", false), ("bo", true), ("ana", true)] {
            let answer = school.person(who).await.ask_with(query, json!({ "id": into })).await;
            let node = &answer["data"]["node"];
            let posts = node["posts"]["nodes"].as_array().unwrap();
            let names: Vec<_> = posts.iter().map(|post| post["pseudonym"].as_str().unwrap()).collect();
            assert_eq!(names, ["Anonymous 1", "Anonymous 2", "Anonymous 3", "Anonymous 2"], "{who}");
            for post in &posts[1..] {
                let expected = if sees { json!({ "name": "Mei Tanaka" }) } else { Value::Null };
                assert_eq!(post["author"], expected, "{who}");
            }
        }
    }
}
