//! Talking about a course.

use serde_json::{Value, json};
use stoa_testkit::story;

const FORUM: &str = "{ course(slug: \"living-soil\") { forum { categories { name }
    threads(first: 9) { nodes { title kind postCount author { name } category { name }
        posts(first: 9) { nodes { body author { name } replyTo { body } replies(first: 9) { nodes { body } } } } } } } } }";

story! {
    async fn omar_reads_the_forum_of_his_course(school) {
        let data = school.person("omar").await.data(FORUM).await;
        let forum = &data["course"]["forum"];
        assert_eq!(forum["categories"], json!([{ "name": "Questions" }, { "name": "General" }]));
        let thread = &forum["threads"]["nodes"][0];
        assert_eq!((&thread["title"], &thread["kind"], &thread["postCount"]), (&json!("Are two worms enough?"), &json!("QUESTION"), &json!(3)));
        let posts = thread["posts"]["nodes"].as_array().unwrap();
        let authors: Vec<_> = posts.iter().map(|post| post["author"]["name"].as_str().unwrap()).collect();
        assert_eq!(authors, ["Omar Said", "Bo Lindgren", "Omar Said"]);
        assert_eq!(posts[0]["replies"]["nodes"][0]["body"], posts[1]["body"]);
        assert_eq!(posts[2]["replyTo"]["body"], posts[1]["body"]);
        assert_eq!(posts[2]["replies"]["nodes"], json!([]));
    }

    async fn zoe_who_does_not_take_the_course_learns_nothing_of_its_forum(school) {
        let zoe = school.person("zoe").await;
        let answer = zoe.ask(FORUM).await;
        assert_eq!(answer["data"]["course"]["forum"], Value::Null);
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "Course.forum");
        assert_eq!(answer.get("errors"), None);
        for id in [school.thread("soil", "t1"), school.post("soil", "p1"), school.thread("soil", "there is none")] {
            let data = zoe.data_with("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(data["node"], Value::Null, "what is hidden looks like what is not there");
        }
    }

    async fn an_open_forum_is_for_everybody_who_has_signed_in(school) {
        let query = "{ course(slug: \"compost-step-by-step\") { forum { threads(first: 1) { nodes { title } } } } }";
        assert_eq!(school.anybody().ask(query).await["data"]["course"]["forum"], Value::Null);
        let data = school.person("zoe").await.data(query).await;
        assert_eq!(data["course"]["forum"]["threads"]["nodes"], json!([]));
    }

    async fn mei_begins_a_thread_and_ana_answers(school) {
        let mei = school.person("mei").await;
        let begin = "mutation($course: ID!) { createThread(courseId: $course, input: { kind: QUESTION, title: \" Eggshells? \", body: \"May they go in?\" }) {
            thread { id title kind postCount category { name } author { name } posts(first: 2) { nodes { id body } } } userErrors { code } } }";
        let data = mei.data_with(begin, json!({ "course": school.course("compost") })).await;
        let thread = &data["createThread"]["thread"];
        assert_eq!((&thread["title"], &thread["kind"], &thread["postCount"]), (&json!("Eggshells?"), &json!("QUESTION"), &json!(1)));
        assert_eq!(thread["category"]["name"], "General", "a forum begins with one category");

        school.clock.advance(60);
        let answer = "mutation($thread: ID!, $post: ID!) { createPost(threadId: $thread, input: { body: \"Crushed, yes.\", replyTo: $post }) {
            post { body author { name } createdAt replyTo { id } thread { postCount } } userErrors { code } } }";
        let variables = json!({ "thread": thread["id"], "post": thread["posts"]["nodes"][0]["id"] });
        let data = school.person("ana").await.data_with(answer, variables.clone()).await;
        assert_eq!(data["createPost"]["post"], json!({
            "body": "Crushed, yes.", "author": { "name": "Ana Pereira" }, "createdAt": "2026-03-02T09:01:00Z",
            "replyTo": { "id": variables["post"] }, "thread": { "postCount": 2 },
        }));
    }

    async fn what_can_be_mended_in_a_post_is_named(school) {
        let omar = school.person("omar").await;
        let post = "mutation($thread: ID!, $input: CreatePostInput!) { createPost(threadId: $thread, input: $input) { post { id } userErrors { code path } } }";
        let thread = school.thread("soil", "t1");
        let elsewhere = school.post("soil", "p4");
        for (thread, input, code, path) in [
            (&thread, json!({ "body": "  " }), "LENGTH", json!(["input", "body"])),
            (&thread, json!({ "body": "x".repeat(50_001) }), "LENGTH", json!(["input", "body"])),
            (&thread, json!({ "body": "yes", "replyTo": elsewhere }), "NOT_FOUND", json!(["input", "replyTo"])),
            (&school.thread("soil", "none"), json!({ "body": "yes" }), "NOT_FOUND", json!(["threadId"])),
            (&school.thread("sol", "t1"), json!({ "body": "yes" }), "NOT_FOUND", json!(["threadId"])),
        ] {
            let data = omar.data_with(post, json!({ "thread": thread, "input": input })).await;
            assert_eq!(data["createPost"], json!({ "post": null, "userErrors": [{ "code": code, "path": path }] }));
        }
        let begin = "mutation($course: ID!, $title: String!) { createThread(courseId: $course, input: { title: $title, body: \"?\" }) { userErrors { code path } } }";
        let data = omar.data_with(begin, json!({ "course": school.course("soil"), "title": "x".repeat(301) })).await;
        assert_eq!(data["createThread"]["userErrors"], json!([{ "code": "LENGTH", "path": ["input", "title"] }]));
        let data = omar.data_with(begin, json!({ "course": school.course("sol"), "title": "Bonjour" })).await;
        assert_eq!(data["createThread"]["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["courseId"] }]));
    }

    async fn threads_and_posts_page_both_ways(school) {
        let omar = school.person("omar").await;
        let query = "query($id: ID!, $cursor: String) { node(id: $id) { ... on Thread {
            forth: posts(first: 2) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }
            after: posts(first: 2, after: $cursor) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }
            back: posts(last: 2) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }
            before: posts(last: 2, before: $cursor) { nodes { id } } } } }";
        let id = school.thread("soil", "t1");
        let first = omar.data_with(query, json!({ "id": id })).await;
        let cursor = &first["node"]["forth"]["edges"][1]["cursor"];
        let data = omar.data_with(query, json!({ "id": id, "cursor": cursor })).await;
        let posts: Vec<_> = ["p1", "p2", "p3"].into_iter().map(|key| json!({ "id": school.post("soil", key) })).collect();
        let node = &data["node"];
        assert_eq!(node["forth"]["pageInfo"], json!({ "hasNextPage": true, "hasPreviousPage": false }));
        assert_eq!(node["after"]["nodes"], json!([posts[2]]));
        assert_eq!(node["after"]["pageInfo"], json!({ "hasNextPage": false, "hasPreviousPage": true }));
        assert_eq!(node["back"]["nodes"], json!([posts[1], posts[2]]));
        assert_eq!(node["before"]["nodes"], json!([posts[0]]));
    }
}
