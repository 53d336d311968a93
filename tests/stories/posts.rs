//! Posts: what may stand in them, how they change, and what is thought of them.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

const POST: &str = "mutation($thread: ID!, $input: CreatePostInput!) { createPost(threadId: $thread, input: $input) {
    post { id body bodyHtml depth thread { postCount } } userErrors { code path message } } }";

async fn post(who: &Client, thread: &str, input: Value) -> Value {
    who.data_with(POST, json!({ "thread": thread, "input": input })).await["createPost"].clone()
}

/// A file with so many posts, each a reply to the one before.
fn chain(posts: u32) -> String {
    let mut file = String::from("key,thread,course,title,author,at,body,reply_to\n");
    for number in 0..posts {
        let above = if number == 0 { String::new() } else { format!("c{}", number - 1) };
        file += &format!("c{number},chain,soil,On and on,omar,2026-02-03T08:00:00Z,And then?,{above}\n");
    }
    file
}

/// What is refused, with its code.
fn code(outcome: &Value) -> &str {
    assert!(outcome["post"].is_null(), "{outcome}");
    outcome["userErrors"][0]["code"].as_str().unwrap_or_else(|| panic!("not refused: {outcome}"))
}

/// Does something with a post.
async fn act(who: &Client, what: &str, id: &str, fields: &str) -> Value {
    let query = format!("mutation($id: ID!) {{ {what}(postId: $id) {{ post {{ {fields} }} userErrors {{ code }} }} }}");
    who.data_with(&query, json!({ "id": id })).await[what].clone()
}

async fn edit(who: &Client, id: &str, input: Value) -> Value {
    let query = "mutation($id: ID!, $input: EditPostInput!) { editPost(postId: $id, input: $input) { post { version body editedAt } userErrors { code } } }";
    who.data_with(query, json!({ "id": id, "input": input })).await["editPost"].clone()
}

async fn bodies(school: &School, who: &Client) -> Vec<Value> {
    let query = "query($id: ID!) { node(id: $id) { ... on Thread { posts(first: 9) { nodes { body bodyHtml removedAs revisions(first: 5) { nodes { body } } replies(first: 5) { nodes { id } } } } } } }";
    let data = who.data_with(query, json!({ "id": school.thread("soil", "t1") })).await;
    data["node"]["posts"]["nodes"].as_array().unwrap().clone()
}

story! {
    async fn what_is_posted_is_shown_as_html_that_does_nothing(school) {
        let omar = school.person("omar").await;
        let thread = school.thread("soil", "t1");
        let body = "# Worms\n\n*Two*, see [here](https://worms.example \"t\") & `a < b`\n\n```html\n<script>alert(1)</script>\n```\n\n[no](file:///etc) <b>x</b>";
        let made = post(&omar, &thread, json!({ "body": body })).await;
        assert_eq!(made["post"]["body"], body);
        assert_eq!(
            made["post"]["bodyHtml"],
            "<h1>Worms</h1>\n<p><em>Two</em>, see <a href=\"https://worms.example\" title=\"t\" rel=\"nofollow noopener ugc\">here</a> &amp; <code>a &lt; b</code></p>\n\
             <pre><code class=\"language-html\">&lt;script&gt;alert(1)&lt;/script&gt;\n</code></pre>\n<p>no &lt;b&gt;x&lt;/b&gt;</p>\n"
        );
        for harmful in ["<script>alert(1)</script>", "x <img src=x onerror=alert(1)>", "[x](java&Tab;script:alert(1))", "<svg/onload=alert(1)>"] {
            let refused = post(&omar, &thread, json!({ "body": harmful })).await;
            assert_eq!(code(&refused), "UNSAFE_CONTENT", "{harmful}");
            assert_eq!(refused["userErrors"][0]["path"], json!(["input", "body"]));
            let begin = "mutation($course: ID!, $body: String!) { createThread(courseId: $course, input: { title: \"t\", body: $body }) { thread { id } userErrors { code } } }";
            let data = omar.data_with(begin, json!({ "course": school.course("soil"), "body": harmful })).await;
            assert_eq!(data["createThread"], json!({ "thread": null, "userErrors": [{ "code": "UNSAFE_CONTENT" }] }));
            let edited = edit(&omar, &school.post("soil", "p1"), json!({ "body": harmful, "version": 1 })).await;
            assert_eq!(code(&edited), "UNSAFE_CONTENT");
        }
        // What came from outside was never checked.
        school.execute("UPDATE posts SET body = '<script>alert(1)</script><img src=x onerror=alert(1)>' WHERE id = {post:p1}").await;
        assert_eq!(bodies(&school, &omar).await[0]["bodyHtml"], "<p>&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;</p>\n");
    }

    async fn sending_it_again_does_not_post_it_again(school) {
        let omar = school.person("omar").await;
        let thread = school.thread("soil", "t1");
        let input = json!({ "body": "Once.", "idempotencyKey": "k1" });
        let first = post(&omar, &thread, input.clone()).await;
        school.clock.advance(5);
        let again = post(&omar, &thread, input.clone()).await;
        assert_eq!(first, again);
        assert_eq!(first["post"]["thread"]["postCount"], 4);
        assert_eq!(code(&post(&omar, &thread, json!({ "body": "Twice.", "idempotencyKey": "k1" })).await), "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(code(&post(&omar, &thread, json!({ "body": "Once.", "idempotencyKey": "k1", "anonymity": "CLASSMATES" })).await), "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(code(&post(&omar, &thread, json!({ "body": "Once.", "idempotencyKey": "" })).await), "LENGTH");
        let other = post(&school.person("mei").await, &thread, input.clone()).await;
        assert_ne!(other["post"]["id"], first["post"]["id"], "the key of somebody else is another");

        // At the same time, too.
        let input = json!({ "body": "At once.", "idempotencyKey": "k2" });
        let all = futures_util::future::join_all((0..8).map(|_| post(&omar, &thread, input.clone()))).await;
        assert!(all.iter().all(|made| made["post"]["id"] == all[0]["post"]["id"]), "{all:?}");
        let begin = "mutation($course: ID!) { createThread(courseId: $course, input: { title: \"t\", body: \"b\", idempotencyKey: \"k3\" }) { thread { id } userErrors { code } } }";
        let course = json!({ "course": school.course("soil") });
        assert_eq!(omar.data_with(begin, course.clone()).await, omar.data_with(begin, course).await);
        // A refused request does not use its key up.
        assert_eq!(code(&post(&omar, &thread, json!({ "body": "<script>", "idempotencyKey": "k4" })).await), "UNSAFE_CONTENT");
        assert_eq!(post(&omar, &thread, json!({ "body": "Better.", "idempotencyKey": "k4" })).await["userErrors"], json!([]));
    }

    async fn replies_go_only_so_deep(school) {
        let omar = school.person("omar").await;
        let thread = school.thread("soil", "t1");
        let mut above = school.post("soil", "p3");
        let mut depth = 2;
        loop {
            let made = post(&omar, &thread, json!({ "body": "And then?", "replyTo": above })).await;
            if made["post"].is_null() {
                assert_eq!(code(&made), "TOO_DEEP");
                assert_eq!(made["userErrors"][0]["path"], json!(["input", "replyTo"]));
                break;
            }
            depth += 1;
            assert_eq!(made["post"]["depth"], depth);
            assert!(depth <= 32);
            made["post"]["id"].as_str().unwrap().clone_into(&mut above);
        }
        assert_eq!(depth, 32);
        let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on Post {{ {} id {} }} }} }}", "replyTo { ".repeat(40), "}".repeat(40));
        let answer = omar.ask_with(&query, json!({ "id": above })).await;
        assert!(answer["errors"][0]["message"].is_string(), "nor can they be read in one question");
    }

    async fn a_chain_of_ten_thousand_replies_does_not_come_in_from_outside_either(school) {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(School::fixture()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        let file = folder.path().join("threads.csv");
        std::fs::write(&file, chain(10_000)).unwrap();
        let report = school.import(folder.path()).await.to_string();
        assert!(report.contains("replies are nested at most 32 deep"), "{report}");
        let query = "query($id: ID!, $post: ID!) { node(id: $id) { ... on Thread { postCount } } last: node(id: $post) { ... on Post { depth } } }";
        let variables = json!({ "id": school.thread("soil", "chain"), "post": school.post("soil", "c32") });
        let omar = school.person("omar").await;
        assert_eq!(omar.data_with(query, variables.clone()).await, json!({ "node": null, "last": null }), "nothing of it came in");
        std::fs::write(&file, chain(33)).unwrap();
        assert!(school.import(folder.path()).await.complete());
        assert_eq!(omar.data_with(query, variables).await, json!({ "node": { "postCount": 33 }, "last": { "depth": 32 } }));
    }

    async fn nobody_replies_where_there_is_nothing_to_reply_to(school) {
        let (omar, mei) = (school.person("omar").await, school.person("mei").await);
        let (thread, first) = (school.thread("soil", "t1"), school.post("soil", "p1"));
        school.execute("UPDATE threads SET locked_at = 5, lock_reason = 'It got heated.' WHERE id = {thread:t1}").await;
        let refused = post(&mei, &thread, json!({ "body": "But!" })).await;
        assert_eq!(code(&refused), "LOCKED");
        assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("It got heated."));
        assert_eq!(code(&post(&mei, &thread, json!({ "body": "But!", "replyTo": first })).await), "LOCKED");
        assert_eq!(code(&edit(&omar, &first, json!({ "body": "But!", "version": 1 })).await), "LOCKED");
        let ana = school.person("ana").await;
        assert_eq!(edit(&ana, &first, json!({ "body": "…", "version": 1, "reason": "Rude." })).await["userErrors"], json!([]));

        school.execute("UPDATE threads SET locked_at = NULL, lock_reason = NULL, merged_into = {thread:t2} WHERE id = {thread:t1}").await;
        let refused = post(&mei, &thread, json!({ "body": "But!" })).await;
        assert_eq!(code(&refused), "CONFLICT");
        assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains(&school.thread("soil", "t2")), "it says where to");

        school.execute("UPDATE threads SET merged_into = NULL WHERE id = {thread:t1}").await;
        assert_eq!(act(&omar, "deletePost", &first, "removedAs").await["post"]["removedAs"], "AUTHOR");
        assert_eq!(code(&post(&mei, &thread, json!({ "body": "But!", "replyTo": first })).await), "CONFLICT");
        assert_eq!(post(&mei, &thread, json!({ "body": "So." })).await["userErrors"], json!([]));
        let zoe = school.person("zoe").await;
        assert_eq!(code(&post(&zoe, &thread, json!({ "body": "I am not in this course." })).await), "NOT_FOUND");
        assert_eq!(code(&act(&zoe, "votePost", &school.post("soil", "p2"), "id").await), "NOT_FOUND");
    }

    async fn posts_of_a_heated_thread_are_edited_and_taken_away(school) {
        let (omar, mei, ana, bo) =
            (school.person("omar").await, school.person("mei").await, school.person("ana").await, school.person("bo").await);
        let first = school.post("soil", "p1");
        assert_eq!(edit(&omar, &first, json!({ "body": "Only two worms!", "version": 1 })).await["post"]["version"], 2);
        assert_eq!(code(&edit(&omar, &first, json!({ "body": "One worm!", "version": 1 })).await), "STALE_VERSION");
        assert_eq!(code(&edit(&mei, &first, json!({ "body": "No worms!", "version": 2 })).await), "NOT_ALLOWED");
        assert_eq!(code(&edit(&bo, &first, json!({ "body": "No worms!", "version": 2 })).await), "NOT_ALLOWED", "assistants are no moderators");
        assert_eq!(code(&edit(&ana, &first, json!({ "body": "Two worms.", "version": 2 })).await), "LENGTH", "a moderator says why");
        assert_eq!(code(&edit(&ana, &first, json!({ "body": " ", "version": 2, "reason": "x" })).await), "LENGTH");
        school.clock.advance(60);
        assert_eq!(edit(&ana, &first, json!({ "body": "Two worms.", "version": 2, "reason": "Calm down." })).await["post"]["version"], 3);
        let history: Vec<_> = ["Only two worms!", "I counted **two** in a spade of soil.\n\nIs that too few?"].map(|body| json!({ "body": body })).into();
        assert_eq!(bodies(&school, &mei).await[0]["revisions"]["nodes"], json!(history), "the history is for all who read");

        // Taken away: the place stays, and what stood there is for her and the moderators.
        assert_eq!(act(&mei, "deletePost", &first, "id").await, json!({ "post": null, "userErrors": [{ "code": "NOT_ALLOWED" }] }));
        for _ in 0..2 {
            assert_eq!(act(&omar, "deletePost", &first, "removedAs").await, json!({ "post": { "removedAs": "AUTHOR" }, "userErrors": [] }));
        }
        for (who, may) in [(&mei, false), (&bo, false), (&ana, true), (&omar, true)] {
            let posts = bodies(&school, who).await;
            assert_eq!(posts[0]["body"].is_string(), may);
            assert_eq!(posts[0]["bodyHtml"].is_string(), may);
            assert_eq!(posts[0]["revisions"]["nodes"].is_array(), may);
            assert_eq!(posts[0]["replies"]["nodes"][0]["id"], school.post("soil", "p2"));
            assert_eq!(posts.len(), 3);
        }
        let answer = mei.ask_with("query($id: ID!) { node(id: $id) { ... on Post { body removalReason } } }", json!({ "id": first })).await;
        let named: Vec<_> = answer["extensions"]["redactions"].as_array().unwrap().iter().map(|entry| (&entry["field"], &entry["category"])).collect();
        assert_eq!(named, [(&json!("Post.body"), &json!("MODERATION")), (&json!("Post.removalReason"), &json!("MODERATION"))]);
        assert_eq!(code(&edit(&omar, &first, json!({ "body": "Back.", "version": 4 })).await), "CONFLICT");
    }

    async fn one_votes_once_and_never_for_oneself(school) {
        let (omar, mei, bo) = (school.person("omar").await, school.person("mei").await, school.person("bo").await);
        let (first, second, third) = (school.post("soil", "p1"), school.post("soil", "p2"), school.post("soil", "p3"));
        assert_eq!(act(&mei, "votePost", &second, "votes viewerHasVoted").await["post"], json!({ "votes": 1, "viewerHasVoted": true }));
        assert_eq!(code(&act(&mei, "votePost", &second, "id").await), "ALREADY_VOTED");
        assert_eq!(code(&act(&bo, "votePost", &second, "id").await), "NOT_ALLOWED");
        assert_eq!(code(&act(&bo, "unvotePost", &third, "id").await), "CONFLICT");
        act(&omar, "votePost", &second, "id").await;
        act(&mei, "votePost", &third, "id").await;
        let query = "query($id: ID!, $n: Int!, $after: String) { node(id: $id) { ... on Thread { posts(first: $n, after: $after, orderBy: VOTES) {
            edges { cursor node { id votes viewerHasVoted } } pageInfo { hasNextPage } } old: posts(first: 1) { edges { cursor } } } } }";
        let thread = school.thread("soil", "t1");
        let data = omar.data_with(query, json!({ "id": thread, "n": 2 })).await;
        let edges = &data["node"]["posts"]["edges"];
        assert_eq!(edges[0]["node"], json!({ "id": second, "votes": 2, "viewerHasVoted": true }));
        assert_eq!(edges[1]["node"], json!({ "id": third, "votes": 1, "viewerHasVoted": false }), "her vote is hers");
        assert_eq!(data["node"]["posts"]["pageInfo"]["hasNextPage"], true);
        let rest = omar.data_with(query, json!({ "id": thread, "n": 2, "after": edges[1]["cursor"] })).await;
        assert_eq!(rest["node"]["posts"]["edges"][0]["node"]["id"], first);
        let wrong = omar.ask_with(query, json!({ "id": thread, "n": 2, "after": data["node"]["old"]["edges"][0]["cursor"] })).await;
        assert_eq!(wrong["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "a cursor belongs to its order");

        assert_eq!(act(&mei, "unvotePost", &second, "votes viewerHasVoted").await["post"], json!({ "votes": 1, "viewerHasVoted": false }));
        // All at once: one of them counts.
        let all = futures_util::future::join_all((0..8).map(|_| act(&mei, "votePost", &second, "id"))).await;
        assert_eq!(all.iter().filter(|vote| vote["userErrors"] == json!([])).count(), 1);
        assert_eq!(act(&mei, "unvotePost", &second, "votes").await["post"]["votes"], 1);
    }

    async fn the_asker_or_staff_accepts_an_answer_and_staff_stands_behind_some(school) {
        let (omar, mei, ana, bo) =
            (school.person("omar").await, school.person("mei").await, school.person("ana").await, school.person("bo").await);
        let (first, second, third) = (school.post("soil", "p1"), school.post("soil", "p2"), school.post("soil", "p3"));
        let fields = "isAnswer isEndorsed thread { isAnswered answer { id } }";
        assert_eq!(code(&act(&mei, "acceptAnswer", &second, "id").await), "NOT_ALLOWED");
        assert_eq!(code(&act(&omar, "acceptAnswer", &first, "id").await), "NOT_ALLOWED", "the question is no answer");
        assert_eq!(code(&act(&ana, "acceptAnswer", &school.post("soil", "p5"), "id").await), "NOT_ALLOWED", "nothing was asked there");
        let answered = |id: &str| json!({ "isAnswer": true, "isEndorsed": false, "thread": { "isAnswered": true, "answer": { "id": id } } });
        for _ in 0..2 {
            assert_eq!(act(&omar, "acceptAnswer", &second, fields).await["post"], answered(&second));
        }
        assert_eq!(act(&bo, "acceptAnswer", &third, fields).await["post"], answered(&third));
        assert_eq!(code(&act(&omar, "unacceptAnswer", &second, "id").await), "CONFLICT");

        assert_eq!(code(&act(&omar, "endorsePost", &second, "id").await), "NOT_ALLOWED");
        assert_eq!(code(&act(&bo, "endorsePost", &second, "id").await), "NOT_ALLOWED", "nobody stands behind herself");
        assert_eq!(act(&bo, "endorsePost", &third, "isEndorsed").await["post"]["isEndorsed"], true);
        assert_eq!(act(&ana, "unendorsePost", &third, "isEndorsed").await["post"]["isEndorsed"], false);
        assert_eq!(act(&ana, "endorsePost", &third, "isEndorsed").await["post"]["isEndorsed"], true);

        // An answer that is taken away is none any more.
        let gone = act(&omar, "deletePost", &third, fields).await;
        assert_eq!(gone["post"], json!({ "isAnswer": false, "isEndorsed": false, "thread": { "isAnswered": false, "answer": null } }));
        assert_eq!(code(&act(&bo, "acceptAnswer", &third, "id").await), "CONFLICT");
        assert_eq!(code(&act(&ana, "endorsePost", &third, "id").await), "CONFLICT");
        assert_eq!(act(&ana, "acceptAnswer", &second, fields).await["post"], answered(&second));
        assert_eq!(act(&omar, "unacceptAnswer", &second, "isAnswer").await["post"]["isAnswer"], false);
    }
}
