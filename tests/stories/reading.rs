//! What was read in forums.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

const STATE: &str = "query($id: ID!) { node(id: $id) { ... on Thread { unreadCount viewerReadUpTo } } }";
const UNREAD: &str =
    "query($slug: String!, $first: Int, $after: String, $last: Int, $before: String) { course(slug: $slug) { forum {
    unreadThreads(first: $first, after: $after, last: $last, before: $before) {
        nodes { title unreadCount } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }";
const READ: &str = "mutation($thread: ID!, $upTo: ID) { markThreadRead(input: { threadId: $thread, upTo: $upTo }) {
    thread { unreadCount viewerReadUpTo } userErrors { code path } } }";
const READ_ALL: &str = "mutation($course: ID!) { markForumRead(input: { courseId: $course }) { course { slug } userErrors { code path } } }";
const POST: &str = "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { id } userErrors { code } } }";

async fn state(client: &Client, thread: &str) -> (Value, Value) {
    let data = client.data_with(STATE, json!({ "id": thread })).await;
    (data["node"]["unreadCount"].clone(), data["node"]["viewerReadUpTo"].clone())
}

async fn unread(client: &Client, slug: &str) -> Vec<String> {
    let data = client.data_with(UNREAD, json!({ "slug": slug, "first": 9 })).await;
    titles(&data)
}

fn titles(data: &Value) -> Vec<String> {
    let nodes = data["course"]["forum"]["unreadThreads"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

async fn post(client: &Client, school: &School, thread: &str) -> String {
    school.clock.advance(60);
    let data = client.data_with(POST, json!({ "thread": thread, "body": "One more." })).await;
    data["createPost"]["post"]["id"].as_str().unwrap().to_owned()
}

story! {
    async fn omar_reads_over_a_day(school) {
        let (omar, bo, mei) = (school.person("omar").await, school.person("bo").await, school.person("mei").await);
        let thread = school.thread("soil", "t1");
        // Of three posts two are his own.
        assert_eq!(state(&omar, &thread).await, (json!(1), Value::Null));
        assert_eq!(state(&mei, &thread).await, (json!(3), Value::Null));
        assert_eq!(unread(&omar, "living-soil").await, ["Are two worms enough?", "Welcome"]);

        let data = omar.data_with(READ, json!({ "thread": thread })).await;
        assert_eq!(data["markThreadRead"], json!({ "thread": { "unreadCount": 0, "viewerReadUpTo": "2026-02-05T08:00:00Z" }, "userErrors": [] }));
        assert_eq!(unread(&omar, "living-soil").await, ["Welcome"]);
        assert_eq!(state(&mei, &thread).await, (json!(3), Value::Null), "what he has read is his alone");

        let first = post(&bo, &school, &thread).await;
        let second = post(&mei, &school, &thread).await;
        assert_eq!(state(&omar, &thread).await.0, 2);
        assert_eq!(unread(&omar, "living-soil").await, ["Are two worms enough?", "Welcome"]);
        let data = omar.data_with(READ, json!({ "thread": thread, "upTo": first })).await;
        assert_eq!(data["markThreadRead"]["thread"], json!({ "unreadCount": 1, "viewerReadUpTo": "2026-03-02T09:01:00Z" }));
        omar.data_with(READ, json!({ "thread": thread, "upTo": second })).await;
        let data = omar.data_with(READ, json!({ "thread": thread, "upTo": first })).await;
        assert_eq!(data["markThreadRead"]["thread"]["unreadCount"], 0, "what was read stays read");

        post(&omar, &school, &thread).await;
        assert_eq!(state(&omar, &thread).await.0, 0, "his own is read");
        assert_eq!(unread(&omar, "living-soil").await, ["Welcome"]);
    }

    async fn all_of_a_forum_is_read_at_once_and_what_comes_later_is_not(school) {
        let (omar, mei) = (school.person("omar").await, school.person("mei").await);
        let data = omar.data_with(READ_ALL, json!({ "course": school.course("soil") })).await;
        assert_eq!(data["markForumRead"], json!({ "course": { "slug": "living-soil" }, "userErrors": [] }));
        assert_eq!(unread(&omar, "living-soil").await, Vec::<String>::new());
        assert_eq!(state(&omar, &school.thread("soil", "t2")).await, (json!(0), json!("2026-03-02T09:00:00Z")));
        post(&mei, &school, &school.thread("soil", "t2")).await;
        assert_eq!(unread(&omar, "living-soil").await, ["Welcome"]);
        assert_eq!(state(&omar, &school.thread("soil", "t2")).await.0, 1);
    }

    async fn threads_with_something_unread_page_both_ways(school) {
        let mei = school.person("mei").await;
        let query = json!({ "slug": "living-soil", "first": 1 });
        let first = mei.data_with(UNREAD, query).await;
        let info = &first["course"]["forum"]["unreadThreads"]["pageInfo"];
        assert_eq!((titles(&first), &info["hasNextPage"]), (vec!["Are two worms enough?".to_owned()], &json!(true)));
        let second = mei.data_with(UNREAD, json!({ "slug": "living-soil", "first": 1, "after": info["endCursor"] })).await;
        assert_eq!(titles(&second), ["Welcome"]);
        let info = &second["course"]["forum"]["unreadThreads"]["pageInfo"];
        let back = mei.data_with(UNREAD, json!({ "slug": "living-soil", "last": 5, "before": info["startCursor"] })).await;
        assert_eq!(titles(&back), ["Are two worms enough?"]);
    }

    async fn what_was_merged_counts_as_read_only_if_all_of_it_was(school) {
        let omar = school.person("omar").await;
        let (from, to) = (school.thread("soil", "t2"), school.thread("soil", "t1"));
        omar.data_with(READ, json!({ "thread": to })).await;
        school.execute(
            "UPDATE posts SET thread_id = {thread:t1} WHERE thread_id = {thread:t2};
             UPDATE threads SET merged_into = {thread:t1}, post_count = 0 WHERE id = {thread:t2}",
        ).await;
        assert_eq!(state(&omar, &to).await.0, 3, "Welcome was not read");
        assert_eq!(state(&omar, &from).await.0, 0, "it is empty");
        assert_eq!(unread(&omar, "living-soil").await, ["Are two worms enough?"]);
        omar.data_with(READ, json!({ "thread": to })).await;
        assert_eq!(state(&omar, &to).await.0, 0);
        assert_eq!(unread(&omar, "living-soil").await, Vec::<String>::new());
    }

    async fn what_is_removed_is_not_waited_for_and_many_are_counted_up_to_a_hundred(school) {
        let (omar, mei) = (school.person("omar").await, school.person("mei").await);
        let thread = school.thread("soil", "t2");
        assert_eq!(state(&omar, &thread).await.0, 2);
        school.execute("UPDATE posts SET removed_at = 5, removed_as = 'AUTHOR' WHERE id = {post:p5}").await;
        assert_eq!(state(&omar, &thread).await.0, 1);
        for _ in 0..105 {
            post(&mei, &school, &thread).await;
        }
        assert_eq!(state(&omar, &thread).await.0, 100);
        assert_eq!(state(&mei, &thread).await.0, 1);
    }

    async fn what_can_be_mended_is_named(school) {
        let (zoe, omar) = (school.person("zoe").await, school.person("omar").await);
        let thread = school.thread("soil", "t1");
        let refused = |path: &str| json!([{ "code": "NOT_FOUND", "path": ["input", path] }]);
        let data = zoe.data_with(READ, json!({ "thread": thread })).await;
        assert_eq!(data["markThreadRead"], json!({ "thread": null, "userErrors": refused("threadId") }));
        let data = omar.data_with(READ, json!({ "thread": thread, "upTo": school.post("soil", "p5") })).await;
        assert_eq!(data["markThreadRead"]["userErrors"], refused("upTo"));
        let data = omar.data_with(READ, json!({ "thread": thread, "upTo": school.post("sol", "p1") })).await;
        assert_eq!(data["markThreadRead"]["userErrors"], refused("upTo"));
        let data = zoe.data_with(READ_ALL, json!({ "course": school.course("soil") })).await;
        assert_eq!(data["markForumRead"], json!({ "course": null, "userErrors": refused("courseId") }));
    }

    async fn with_somebody_elses_eyes_nobody_sees_what_mei_has_read(school) {
        let mei = school.person("mei").await;
        mei.data_with(READ, json!({ "thread": school.thread("soil", "t1") })).await;
        for relation in ["STAFF", "CLASSMATE"] {
            let seen = mei.with_header("stoa-seen-as", &format!("{relation} {}", school.course("soil")));
            let answer = seen.ask_with(STATE, json!({ "id": school.thread("soil", "t1") })).await;
            assert_eq!(answer["data"]["node"]["unreadCount"], Value::Null);
        }
    }
}
