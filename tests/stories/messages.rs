//! Private messages between a learner and staff of a course.

use serde_json::{Value, json};
use stoa_api::accounts::model::SystemRole;
use stoa_testkit::{Client, School, Server, story};

const START: &str = "mutation($input: StartConversationInput!) { startConversation(input: $input) {
    conversation { id subject unreadCount participants { person { name } part seesAll canRead } messages(first: 9) { nodes { id body } } }
    userErrors { code path } } }";
const SEND: &str = "mutation($id: ID!, $body: String!, $key: String) { sendMessage(input: { conversationId: $id, body: $body, idempotencyKey: $key }) {
    message { id body } userErrors { code path } } }";
const READ: &str = "query($id: ID!) { node(id: $id) { ... on Conversation { subject unreadCount muted course { slug }
    participants { person { name } part seesAll canRead }
    messages(first: 100) { nodes { id body bodyHtml author { name } editedAt deletedAt } } } } }";
const INBOX: &str = "{ me { conversations(first: 9) { nodes { id subject unreadCount } } } }";
const ADD: &str =
    "mutation($id: ID!, $person: ID!) { addToConversation(input: { conversationId: $id, personId: $person }) {
    conversation { id } userErrors { code path } } }";
const MARK: &str = "mutation($id: ID!, $upTo: ID) { markConversationRead(input: { conversationId: $id, upTo: $upTo }) {
    conversation { unreadCount } userErrors { code path } } }";
const MUTE: &str =
    "mutation($id: ID!, $muted: Boolean!) { muteConversation(input: { conversationId: $id, muted: $muted }) {
    conversation { muted } userErrors { code path } } }";
const EDIT: &str = "mutation($id: ID!, $body: String!) { editMessage(input: { messageId: $id, body: $body }) {
    message { body editedAt } userErrors { code path } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { message { body deletedAt } userErrors { code path } } }";

fn input(school: &School, course: &str, recipients: &[&str], body: &str) -> Value {
    let recipients: Vec<_> = recipients.iter().map(|key| school.person_node(key)).collect();
    json!({ "courseId": school.course(course), "recipients": recipients, "subject": "My pots", "body": body })
}

async fn start(client: &Client, input: Value) -> Value {
    client.data_with(START, json!({ "input": input })).await["startConversation"].take()
}

/// Mei writes to Ana; the conversation's id.
async fn mei_writes_to_ana(school: &School) -> String {
    let mei = school.person("mei").await;
    let started = start(&mei, input(school, "soil", &["ana"], "May worms live in **pots**?")).await;
    started["conversation"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned()
}

async fn send(client: &Client, id: &str, body: &str) -> Value {
    client.data_with(SEND, json!({ "id": id, "body": body })).await["sendMessage"].take()
}

async fn bodies(client: &Client, id: &str) -> Vec<String> {
    let data = client.data_with(READ, json!({ "id": id })).await;
    let nodes = data["node"]["messages"]["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().map(|node| node["body"].as_str().unwrap_or("-").to_owned()).collect()
}

async fn is_nothing(client: &Client, id: &str) {
    let data = client
        .data_with("query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }", json!({ "id": id }))
        .await;
    assert_eq!(data, json!({ "node": null, "nodes": [null] }));
}

async fn count(school: &School, sql: &str) -> i64 {
    let text = sqlx::AssertSqlSafe(school.written(sql));
    if school.database.is_sqlite() {
        let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(text).fetch_one(&pool).await.unwrap()
    } else {
        let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(text).fetch_one(&pool).await.unwrap()
    }
}

story! {
    async fn mei_writes_to_her_instructor_and_they_talk(school) {
        let (mei, ana) = (school.person("mei").await, school.person("ana").await);
        let started = start(&mei, input(&school, "soil", &["ana"], "May worms live in **pots**?")).await;
        assert_eq!(started["userErrors"], json!([]));
        let conversation = &started["conversation"];
        assert_eq!(conversation["participants"], json!([
            { "person": { "name": "Mei Tanaka" }, "part": "LEARNER", "seesAll": true, "canRead": true },
            { "person": { "name": "Ana Pereira" }, "part": "STAFF", "seesAll": true, "canRead": true },
        ]));
        let id = conversation["id"].as_str().unwrap();
        assert_eq!(ana.data(INBOX).await["me"]["conversations"]["nodes"], json!([{ "id": id, "subject": "My pots", "unreadCount": 1 }]));

        school.clock.advance(60);
        let sent = send(&ana, id, "They may. <script>alert(1)</script>").await;
        assert_eq!(sent["userErrors"], json!([]));
        let data = mei.data_with(READ, json!({ "id": id })).await;
        let node = &data["node"];
        assert_eq!((&node["unreadCount"], &node["course"]["slug"]), (&json!(1), &json!("living-soil")));
        let messages = node["messages"]["nodes"].as_array().unwrap();
        assert_eq!(messages[0]["bodyHtml"], "<p>May worms live in <strong>pots</strong>?</p>\n");
        assert_eq!((&messages[1]["author"]["name"], &messages[1]["editedAt"]), (&json!("Ana Pereira"), &Value::Null));
        assert!(!messages[1]["bodyHtml"].as_str().unwrap().contains("<script"), "{messages:?}");
        assert_eq!(ana.data_with(READ, json!({ "id": id })).await["node"]["unreadCount"], 1, "her own is read, Mei's is not");

        let data = mei.data_with(MARK, json!({ "id": id })).await;
        assert_eq!(data["markConversationRead"], json!({ "conversation": { "unreadCount": 0 }, "userErrors": [] }));
        let data = ana.data_with(MARK, json!({ "id": id, "upTo": messages[0]["id"] })).await;
        assert_eq!(data["markConversationRead"]["conversation"]["unreadCount"], 0);
    }

    async fn an_instructor_writes_to_a_learner_and_takes_a_colleague_along(school) {
        let ana = school.person("ana").await;
        let started = start(&ana, input(&school, "soil", &["omar", "bo"], "How are the worms?")).await;
        assert_eq!(started["conversation"]["participants"].as_array().unwrap().len(), 3, "{started}");
        let id = started["conversation"]["id"].as_str().unwrap();
        for reader in ["omar", "bo"] {
            assert_eq!(bodies(&school.person(reader).await, id).await, ["How are the worms?"]);
        }
        is_nothing(&school.person("mei").await, id).await;
    }

    async fn nobody_else_finds_anything_of_it_from_any_path(school) {
        let id = mei_writes_to_ana(&school).await;
        let mei = school.person("mei").await;
        let message = mei.data_with(READ, json!({ "id": id })).await["node"]["messages"]["nodes"][0]["id"].as_str().unwrap().to_owned();
        for role in [SystemRole::Support, SystemRole::Administrator, SystemRole::Analyst] {
            school.grant("zoe", role).await;
        }
        // Another of the course's staff; a classmate; whoever helps people and runs the system; nobody.
        let others = [school.person("bo").await, school.person("omar").await, school.person("zoe").await, school.anybody().clone()];
        for other in &others {
            is_nothing(other, &id).await;
            is_nothing(other, &message).await;
            let query = "query($p: ID!, $q: ID!) { node(id: $p) { ... on Person { conversations(first: 9) { nodes { id } } } }
                search: searchForums(text: \"worms pots\", first: 9) { nodes { place } } mine: node(id: $q) { ... on Person { conversations(first: 9) { nodes { id } } } } }";
            let answer = other.ask_with(query, json!({ "p": school.person_node("mei"), "q": school.person_node("ana") })).await;
            assert!(answer["data"]["node"].is_null() || answer["data"]["node"]["conversations"].is_null(), "{answer}");
            assert!(answer["data"]["mine"].is_null() || answer["data"]["mine"]["conversations"].is_null(), "{answer}");
            assert_eq!(answer["data"]["search"]["nodes"], json!([]));
        }
        for other in &others[..3] {
            assert_eq!(other.data(INBOX).await["me"]["conversations"]["nodes"], json!([]));
            let refused = |path: &str| json!([{ "code": "NOT_FOUND", "path": ["input", path] }]);
            assert_eq!(send(other, &id, "Hello").await, json!({ "message": null, "userErrors": refused("conversationId") }));
            let data = other.data_with(MARK, json!({ "id": id })).await;
            assert_eq!(data["markConversationRead"]["userErrors"], refused("conversationId"));
            let data = other.data_with(MUTE, json!({ "id": id, "muted": true })).await;
            assert_eq!(data["muteConversation"]["userErrors"], refused("conversationId"));
            let data = other.data_with(ADD, json!({ "id": id, "person": school.person_node("bo") })).await;
            assert_eq!(data["addToConversation"]["userErrors"], refused("conversationId"));
            let data = other.data_with(EDIT, json!({ "id": message, "body": "No." })).await;
            assert_eq!(data["editMessage"]["userErrors"], refused("messageId"));
            let data = other.data_with(DELETE, json!({ "id": message })).await;
            assert_eq!(data["deleteMessage"]["userErrors"], refused("messageId"));
        }
        assert_eq!(bodies(&mei, &id).await.len(), 1);
        // With her instructor's eyes Mei sees none of her conversations.
        let seen = mei.with_header("stoa-seen-as", &format!("STAFF {}", school.course("soil")));
        is_nothing(&seen, &id).await;
        assert_eq!(count(&school, "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM notifications WHERE kind = 'MESSAGE' AND person_id <> {person:ana}").await, 0);
        assert_eq!(count(&school, "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM notifications WHERE kind = 'MESSAGE' AND person_id = {person:ana}").await, 1);
    }

    async fn staff_that_is_removed_from_the_course_loses_it_at_once(school) {
        let id = mei_writes_to_ana(&school).await;
        let (mei, ana) = (school.person("mei").await, school.person("ana").await);
        assert_eq!(bodies(&ana, &id).await.len(), 1);
        school.execute("DELETE FROM course_staff WHERE account_id = {person:ana} AND course_id = {course:soil}").await;
        is_nothing(&ana, &id).await;
        assert_eq!(ana.data(INBOX).await["me"]["conversations"]["nodes"], json!([]));
        assert_eq!(send(&ana, &id, "Still here").await["userErrors"][0]["code"], "NOT_FOUND");
        let told = "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM notifications WHERE kind = 'MESSAGE' AND person_id = {person:ana}";
        let before = count(&school, told).await;
        assert_eq!(send(&mei, &id, "Are you there?").await["userErrors"], json!([]));
        assert_eq!(count(&school, told).await, before, "she is not told of it any more");
        let data = mei.data_with(READ, json!({ "id": id })).await;
        assert_eq!(data["node"]["participants"][1]["canRead"], false, "Mei can see that");
    }

    async fn whoever_is_added_sees_what_is_said_from_then_on(school) {
        let id = mei_writes_to_ana(&school).await;
        let (mei, ana, bo) = (school.person("mei").await, school.person("ana").await, school.person("bo").await);
        let first = mei.data_with(READ, json!({ "id": id })).await["node"]["messages"]["nodes"][0]["id"].as_str().unwrap().to_owned();
        let add = |client: Client, person: &str| {
            let variables = json!({ "id": id, "person": school.person_node(person) });
            async move { client.data_with(ADD, variables).await["addToConversation"].take() }
        };
        let refused = json!([{ "code": "NOT_ALLOWED", "path": ["input", "personId"] }]);
        assert_eq!(add(mei.clone(), "bo").await["userErrors"], refused, "a learner adds nobody");
        assert_eq!(add(ana.clone(), "omar").await["userErrors"], refused, "only staff is added");
        assert_eq!(add(ana.clone(), "mei").await["userErrors"], refused);
        school.clock.advance(60);
        assert_eq!(add(ana.clone(), "bo").await["userErrors"], json!([]));
        assert_eq!(add(ana.clone(), "bo").await["userErrors"], json!([]), "again changes nothing");
        assert_eq!(count(&school, "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM notifications WHERE kind = 'MESSAGE' AND person_id = {person:mei}").await, 1);
        school.clock.advance(60);
        send(&ana, &id, "Bo knows more.").await;
        assert_eq!(bodies(&bo, &id).await, ["Bo knows more."]);
        is_nothing(&bo, &first).await;
        assert_eq!(bo.data_with(READ, json!({ "id": id })).await["node"]["unreadCount"], 1);
        let data = bo.data_with(MARK, json!({ "id": id, "upTo": first })).await;
        assert_eq!(data["markConversationRead"]["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["input", "upTo"] }]));
        let data = mei.data_with(READ, json!({ "id": id })).await;
        assert_eq!(data["node"]["participants"][2], json!({ "person": { "name": "Bo Lindgren" }, "part": "STAFF", "seesAll": false, "canRead": true }));
        assert_eq!(data["node"]["messages"]["nodes"].as_array().unwrap().len(), 2);
    }

    async fn sent_again_with_the_same_key_it_is_sent_once(school) {
        let (mei, ana) = (school.person("mei").await, school.person("ana").await);
        let mut new = input(&school, "soil", &["ana"], "Once.");
        new["idempotencyKey"] = json!("k1");
        let first = start(&mei, new.clone()).await;
        assert_eq!(start(&mei, new.clone()).await, first);
        assert_eq!(ana.data(INBOX).await["me"]["conversations"]["nodes"].as_array().unwrap().len(), 1);
        new["body"] = json!("Twice.");
        assert_eq!(start(&mei, new).await["userErrors"], json!([{ "code": "IDEMPOTENCY_KEY_REUSED", "path": ["input", "idempotencyKey"] }]));
        let id = &first["conversation"]["id"];
        let sends = (0..6).map(|_| mei.data_with(SEND, json!({ "id": id, "body": "Hello", "key": "k2" })));
        let sent: Vec<_> = futures_util::future::join_all(sends).await.into_iter().map(|data| data["sendMessage"]["message"]["id"].clone()).collect();
        assert!(sent.iter().all(|message| *message == sent[0] && message.is_string()), "{sent:?}");
        assert_eq!(bodies(&ana, id.as_str().unwrap()).await, ["Once.", "Hello"]);
        assert_eq!(count(&school, "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM notifications WHERE kind = 'MESSAGE' AND person_id = {person:ana}").await, 2);
    }

    async fn a_message_arrives_at_whoever_takes_part_and_nobody_else_may_listen(school) {
        const LISTEN: &str = "subscription($id: ID!) { messageAdded(conversationId: $id) { missed message { body author { name } } } }";
        let id = mei_writes_to_ana(&school).await;
        let server = Server::start(&school.app).await;
        let mut ana = server.socket_as(&school.person("ana").await).await;
        ana.subscribe("inbox", LISTEN, json!({ "id": id })).await;
        let mut omar = server.socket_as(&school.person("omar").await).await;
        omar.subscribe("inbox", LISTEN, json!({ "id": id })).await;
        assert_eq!(omar.error("inbox").await[0]["extensions"]["code"], "NOT_FOUND");
        server.has_subscriptions(1).await;
        send(&school.person("mei").await, &id, "And in a box?").await;
        let answer = ana.answer("inbox").await;
        assert_eq!(answer["data"]["messageAdded"],
            json!({ "missed": false, "message": { "body": "And in a box?", "author": { "name": "Mei Tanaka" } } }));
    }

    async fn too_many_messages_within_an_hour_are_refused(school) {
        let id = mei_writes_to_ana(&school).await;
        let mei = school.person("mei").await;
        for _ in 0..59 {
            assert_eq!(send(&mei, &id, "Hello?").await["userErrors"], json!([]));
        }
        let query = "mutation($id: ID!) { sendMessage(input: { conversationId: $id, body: \"Hello?\" }) { userErrors { code message path } } }";
        let data = mei.data_with(query, json!({ "id": id })).await;
        let error = &data["sendMessage"]["userErrors"][0];
        assert_eq!((&error["code"], &error["path"]), (&json!("TOO_MANY_REQUESTS"), &json!(["input"])));
        assert!(error["message"].as_str().unwrap().contains("in 61 minutes") || error["message"].as_str().unwrap().contains("in 60 minutes"), "{error}");
        assert_eq!(start(&mei, input(&school, "soil", &["bo"], "?")).await["userErrors"][0]["code"], "TOO_MANY_REQUESTS");
        assert_eq!(send(&school.person("ana").await, &id, "Yes.").await["userErrors"], json!([]), "others may write");
        assert_eq!(bodies(&mei, &id).await.len(), 61);
        school.clock.advance(3_600);
        assert_eq!(send(&mei, &id, "Hello!").await["userErrors"], json!([]));
    }

    async fn a_message_is_changed_for_a_while_and_deleted_for_both(school) {
        let id = mei_writes_to_ana(&school).await;
        let (mei, ana) = (school.person("mei").await, school.person("ana").await);
        let message = mei.data_with(READ, json!({ "id": id })).await["node"]["messages"]["nodes"][0]["id"].clone();
        school.clock.advance(14 * 60);
        let data = mei.data_with(EDIT, json!({ "id": message, "body": "May they?" })).await;
        assert_eq!(data["editMessage"], json!({ "message": { "body": "May they?", "editedAt": "2026-03-02T09:14:00Z" }, "userErrors": [] }));
        let data = ana.data_with(EDIT, json!({ "id": message, "body": "No." })).await;
        assert_eq!(data["editMessage"]["userErrors"], json!([{ "code": "NOT_ALLOWED", "path": ["input", "messageId"] }]));
        school.clock.advance(2 * 60);
        let data = mei.data_with(EDIT, json!({ "id": message, "body": "Or not?" })).await;
        assert_eq!(data["editMessage"]["userErrors"], json!([{ "code": "TOO_LATE", "path": ["input", "messageId"] }]));
        assert_eq!(bodies(&ana, &id).await, ["May they?"]);

        let data = ana.data_with(DELETE, json!({ "id": message })).await;
        assert_eq!(data["deleteMessage"]["userErrors"][0]["code"], "NOT_ALLOWED");
        let deleted = json!({ "message": { "body": null, "deletedAt": "2026-03-02T09:16:00Z" }, "userErrors": [] });
        assert_eq!(mei.data_with(DELETE, json!({ "id": message })).await["deleteMessage"], deleted);
        school.clock.advance(60);
        assert_eq!(mei.data_with(DELETE, json!({ "id": message })).await["deleteMessage"], deleted, "again changes nothing");
        assert_eq!(bodies(&ana, &id).await, ["-"], "its place stays");
        assert_eq!(ana.data_with(READ, json!({ "id": id })).await["node"]["unreadCount"], 0);
        assert_eq!(count(&school, "SELECT COUNT(*) FROM message_bodies").await, 0, "its text is erased");
    }

    async fn a_learner_who_left_reads_for_ever_and_writes_for_a_month(school) {
        let id = mei_writes_to_ana(&school).await;
        let (mei, ana) = (school.person("mei").await, school.person("ana").await);
        // On the second of March, at nine.
        school.execute("UPDATE enrolments SET left_at = 1772442000000000 WHERE learner_id = {person:mei} AND course_id = {course:soil}").await;
        school.clock.advance(29 * 86_400);
        assert_eq!(send(&mei, &id, "One more thing.").await["userErrors"], json!([]));
        assert_eq!(start(&mei, input(&school, "soil", &["ana"], "?")).await["userErrors"][0]["code"], "NOT_ENROLLED");
        school.clock.advance(2 * 86_400);
        let closed = json!([{ "code": "NOT_ENROLLED", "path": ["input", "conversationId"] }]);
        assert_eq!(send(&mei, &id, "And another.").await["userErrors"], closed);
        assert_eq!(send(&ana, &id, "Yes?").await["userErrors"], closed);
        assert_eq!(bodies(&mei, &id).await.len(), 2);
        assert_eq!(bodies(&ana, &id).await.len(), 2);
    }

    async fn whoever_does_not_want_to_hear_of_it_is_not_notified(school) {
        let id = mei_writes_to_ana(&school).await;
        let (mei, ana) = (school.person("mei").await, school.person("ana").await);
        let told = "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM notifications WHERE kind = 'MESSAGE' AND person_id = {person:mei}";
        let data = mei.data_with(MUTE, json!({ "id": id, "muted": true })).await;
        assert_eq!(data["muteConversation"], json!({ "conversation": { "muted": true }, "userErrors": [] }));
        send(&ana, &id, "Listen!").await;
        assert_eq!(count(&school, told).await, 0);
        assert_eq!(bodies(&mei, &id).await.len(), 2, "she can read it");
        let data = ana.data_with(READ, json!({ "id": id })).await;
        assert_eq!(data["node"]["muted"], false, "Ana is not told of it");
        mei.data_with(MUTE, json!({ "id": id, "muted": false })).await;
        send(&ana, &id, "Please.").await;
        assert_eq!(count(&school, told).await, 1);
    }

    async fn what_can_be_mended_is_named(school) {
        let (mei, ana, zoe) = (school.person("mei").await, school.person("ana").await, school.person("zoe").await);
        let ask = |client: Client, input: Value| async move {
            let started = start(&client, input).await;
            assert_eq!(started["conversation"], Value::Null, "{started}");
            (started["userErrors"][0]["code"].as_str().unwrap().to_owned(), started["userErrors"][0]["path"][1].as_str().unwrap().to_owned())
        };
        let is = |code: &str, path: &str| (code.to_owned(), path.to_owned());
        assert_eq!(ask(mei.clone(), input(&school, "soil", &["omar"], "Hi")).await, is("NOT_ALLOWED", "recipients"));
        assert_eq!(ask(mei.clone(), input(&school, "soil", &["ana", "omar"], "Hi")).await, is("NOT_ALLOWED", "recipients"));
        assert_eq!(ask(mei.clone(), input(&school, "soil", &["zoe"], "Hi")).await, is("NOT_ALLOWED", "recipients"));
        assert_eq!(ask(mei.clone(), input(&school, "soil", &[], "Hi")).await, is("OUT_OF_RANGE", "recipients"));
        assert_eq!(ask(mei.clone(), input(&school, "soil", &["mei"], "Hi")).await, is("OUT_OF_RANGE", "recipients"));
        assert_eq!(ask(zoe.clone(), input(&school, "soil", &["ana"], "Hi")).await, is("NOT_ENROLLED", "courseId"));
        assert_eq!(ask(zoe.clone(), input(&school, "there is none", &["ana"], "Hi")).await, is("NOT_ENROLLED", "courseId"));
        assert_eq!(ask(ana.clone(), input(&school, "soil", &["zoe"], "Hi")).await, is("NOT_ALLOWED", "recipients"));
        assert_eq!(ask(ana.clone(), input(&school, "soil", &["bo"], "Hi")).await, is("NOT_ALLOWED", "recipients"));
        assert_eq!(ask(ana.clone(), input(&school, "soil", &["mei", "omar"], "Hi")).await, is("NOT_ALLOWED", "recipients"));
        assert_eq!(ask(mei.clone(), input(&school, "soil", &["ana"], " ")).await, is("LENGTH", "body"));
        assert_eq!(ask(mei.clone(), input(&school, "soil", &["ana"], &"x".repeat(20_001))).await, is("LENGTH", "body"));
        let mut long = input(&school, "soil", &["ana"], "Hi");
        long["subject"] = json!("x".repeat(201));
        assert_eq!(ask(mei.clone(), long).await, is("LENGTH", "subject"));
        let mut keyed = input(&school, "soil", &["ana"], "Hi");
        keyed["idempotencyKey"] = json!("");
        assert_eq!(ask(mei.clone(), keyed).await, is("LENGTH", "idempotencyKey"));
        let answer = school.anybody().ask_with(START, json!({ "input": input(&school, "soil", &["ana"], "Hi") })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    async fn conversations_and_messages_page_both_ways(school) {
        let (mei, ana) = (school.person("mei").await, school.person("ana").await);
        let mut ids = Vec::new();
        for course in ["soil", "compost", "soil"] {
            school.clock.advance(60);
            ids.push(start(&mei, input(&school, course, &["ana"], "?")).await["conversation"]["id"].as_str().unwrap().to_owned());
        }
        school.clock.advance(60);
        send(&ana, &ids[0], "!").await;
        let query = "query($first: Int, $after: String, $last: Int, $before: String) { me { conversations(first: $first, after: $after, last: $last, before: $before) {
            nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
        let first = mei.data_with(query, json!({ "first": 2 })).await;
        let list = &first["me"]["conversations"];
        assert_eq!(list["nodes"], json!([{ "id": ids[0] }, { "id": ids[2] }]), "the one with the latest message first");
        let rest = mei.data_with(query, json!({ "first": 2, "after": list["pageInfo"]["endCursor"] })).await;
        assert_eq!(rest["me"]["conversations"]["nodes"], json!([{ "id": ids[1] }]));
        let back = mei.data_with(query, json!({ "last": 1, "before": rest["me"]["conversations"]["pageInfo"]["startCursor"] })).await;
        assert_eq!(back["me"]["conversations"]["nodes"], json!([{ "id": ids[2] }]));

        let messages = "query($id: ID!, $after: String) { node(id: $id) { ... on Conversation { one: messages(first: 1, after: $after) {
            nodes { body } pageInfo { hasNextPage endCursor } } last: messages(last: 1) { nodes { body } pageInfo { hasPreviousPage } } } } }";
        let data = mei.data_with(messages, json!({ "id": ids[0] })).await;
        assert_eq!(data["node"]["last"], json!({ "nodes": [{ "body": "!" }], "pageInfo": { "hasPreviousPage": true } }));
        let cursor = &data["node"]["one"]["pageInfo"]["endCursor"];
        let data = mei.data_with(messages, json!({ "id": ids[0], "after": cursor })).await;
        assert_eq!(data["node"]["one"]["nodes"], json!([{ "body": "!" }]));
    }

    async fn a_token_that_is_not_made_for_people_reads_no_learners_conversation(school) {
        let id = mei_writes_to_ana(&school).await;
        let query = "mutation { createToken(input: { label: \"narrow\", scopes: [READ, WRITE], days: 1 }) { secret } }";
        let data = school.person("ana").await.data(query).await;
        let narrow = school.anybody().with_token(data["createToken"]["secret"].as_str().unwrap());
        is_nothing(&narrow, &id).await;
        assert_eq!(narrow.data(INBOX).await["me"]["conversations"]["nodes"], json!([]));
        assert_eq!(send(&narrow, &id, "Hello").await["userErrors"][0]["code"], "NOT_FOUND");
    }
}
