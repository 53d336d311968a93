//! Mentioning people in posts.

use serde_json::json;
use stoa_testkit::{Client, story};

use crate::notifications::{kinds, post};

async fn offered(client: &Client, course: &str, prefix: &str) -> Vec<String> {
    let query = "query($slug: String!, $prefix: String!) { course(slug: $slug) { forum { mentionable(prefix: $prefix) { name } } } }";
    let data = client.data_with(query, json!({ "slug": course, "prefix": prefix })).await;
    let people = data["course"]["forum"]["mentionable"].as_array().unwrap().clone();
    people.iter().map(|person| person["name"].as_str().unwrap().to_owned()).collect()
}

story! {
    async fn who_is_mentioned_is_told_wherever_she_is_in_the_text_but_not_in_code(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let thread = school.thread("soil", "t1");
        let mei_is = school.person_node("mei");
        post(&omar, &thread, None, &format!("This is how: `@[Mei](person:{mei_is})`\n\n    @[Mei](person:{mei_is})\n")).await;
        assert_eq!(kinds(&mei).await, Vec::<String>::new());
        post(&omar, &thread, None, &format!("> Two.\n\n*Well*, @[whoever](person:{mei_is})!")).await;
        assert_eq!(kinds(&mei).await, ["MENTION"], "by her id, whatever she is called");
        post(&mei, &thread, None, &format!("I, @[Mei](person:{mei_is})?")).await;
        assert_eq!(kinds(&mei).await, ["MENTION"], "nobody calls herself");
        let begin = "mutation($course: ID!, $body: String!) { createThread(courseId: $course, input: { title: \"Pots\", body: $body }) { userErrors { code } } }";
        omar.data_with(begin, json!({ "course": school.course("soil"), "body": format!("@[Mei](person:{mei_is})") })).await;
        assert_eq!(kinds(&mei).await.len(), 2);
    }

    async fn who_takes_no_part_is_not_called_and_nobody_learns_whether_she_is_there(school) {
        let (zoe, omar) = (school.person("zoe").await, school.person("omar").await);
        let create = "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { body } userErrors { code } } }";
        let nobody = school.app.accounts.imported("school", "nobody at all");
        for id in [school.person_node("zoe"), school.person_node_of(nobody)] {
            let body = format!("@[Zoe](person:{id})");
            let data = omar.data_with(create, json!({ "thread": school.thread("soil", "t1"), "body": body })).await;
            assert_eq!(data["createPost"], json!({ "post": { "body": body }, "userErrors": [] }));
        }
        // An open forum is for her to read, but she is none of the class.
        let data = omar.data_with(
            "mutation($course: ID!, $body: String!) { createThread(courseId: $course, input: { title: \"?\", body: $body }) { userErrors { code } } }",
            json!({ "course": school.course("compost"), "body": format!("@[Zoe](person:{})", school.person_node("zoe")) }),
        ).await;
        assert_eq!(data["createThread"]["userErrors"], json!([]));
        assert_eq!(kinds(&zoe).await, Vec::<String>::new());
    }

    async fn the_editor_is_offered_whom_the_viewer_sees(school) {
        let (ana, omar, zoe) = (school.person("ana").await, school.person("omar").await, school.person("zoe").await);
        assert_eq!(offered(&omar, "living-soil", "m").await, ["Mei Tanaka"]);
        assert_eq!(offered(&omar, "living-soil", "TAN").await, ["Mei Tanaka"], "by any part of the name");
        assert_eq!(offered(&omar, "living-soil", "an").await, ["Ana Pereira"]);
        assert_eq!(offered(&ana, "living-soil", "").await, ["Ana Pereira", "Bo Lindgren", "Mei Tanaka", "Omar Said"]);
        assert_eq!(offered(&ana, "living-soil", "zoe").await, Vec::<String>::new());
        // The forum is open, the class is not.
        assert_eq!(offered(&zoe, "compost-step-by-step", "").await, ["Ana Pereira"]);
        school.execute("UPDATE enrolments SET left_at = 1772400000000000 WHERE learner_id = {person:mei}").await;
        assert_eq!(offered(&omar, "living-soil", "m").await, Vec::<String>::new());
    }
}
