//! Asking without being known.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

/// All that there is of a thread and its posts, by every path.
const ALL: &str = "query($thread: ID!, $ids: [ID!]!) {
    node(id: $thread) { ...thread }
    nodes(ids: $ids) { ... on Post { ...post thread { ...names } replyTo { ...post } } }
    course(slug: \"living-soil\") { forum { threads(first: 9) { nodes { ...thread } }
        categories { threads(last: 6) { nodes { ...thread } } } } } }
    fragment thread on Thread { ...names answer { ...post } posts(first: 9) { edges { cursor node { ...post replies(first: 5) { nodes { ...post } } } } }
        best: posts(first: 9, orderBy: VOTES) { nodes { ...post } } }
    fragment names on Thread { id anonymity pseudonym isMine author { id name } }
    fragment post on Post { id body anonymity pseudonym isMine isByAsker author { id name } votes viewerHasVoted isAnswer
        revisions(first: 5) { nodes { body editedAs reason } } }";

const ASK: &str = "mutation($course: ID!, $body: String!, $anonymity: Anonymity!) {
    createThread(courseId: $course, input: { kind: QUESTION, title: \"Is it my fault?\", body: $body, anonymity: $anonymity }) {
        thread { id author { name } pseudonym isMine posts(first: 1) { nodes { id author { name } isMine } } } userErrors { code path message } } }";

const ANSWER: &str = "mutation($thread: ID!, $body: String!, $anonymity: Anonymity!, $replyTo: ID) {
    createPost(threadId: $thread, input: { body: $body, anonymity: $anonymity, replyTo: $replyTo }) {
        post { id pseudonym isByAsker author { name } } userErrors { code path message } } }";

/// Asks something in *Living Soil*; the ids of the thread and its first post.
async fn ask(school: &School, who: &Client, anonymity: &str) -> (Value, Value) {
    let variables = json!({ "course": school.course("soil"), "body": "My worms died.", "anonymity": anonymity });
    let data = who.data_with(ASK, variables).await;
    assert_eq!(data["createThread"]["userErrors"], json!([]));
    let thread = &data["createThread"]["thread"];
    assert_eq!((&thread["isMine"], &thread["posts"]["nodes"][0]["isMine"]), (&json!(true), &json!(true)));
    assert!(
        thread["author"]["name"].is_string() && thread["posts"]["nodes"][0]["author"]["name"].is_string(),
        "she sees herself"
    );
    school.clock.advance(60);
    (thread["id"].clone(), thread["posts"]["nodes"][0]["id"].clone())
}

async fn answer(school: &School, who: &Client, thread: &Value, anonymity: &str, reply_to: Option<&Value>) -> Value {
    let variables =
        json!({ "thread": thread, "body": "It was the frost.", "anonymity": anonymity, "replyTo": reply_to });
    let data = who.data_with(ANSWER, variables).await;
    assert_eq!(data["createPost"]["userErrors"], json!([]));
    school.clock.advance(60);
    data["createPost"]["post"].clone()
}

/// Whether somebody finds anything of a person on any path; with what is held back named.
async fn finds(school: &School, who: &Client, person: &str, thread: &Value, posts: &[&Value]) -> bool {
    let ids: Vec<_> = posts.iter().chain([&thread]).collect();
    let found = who.ask_with(ALL, json!({ "thread": thread, "ids": ids })).await;
    assert_eq!(found.get("errors"), None, "{found:#}");
    let mut data = found["data"].clone();
    // Her other posts, which are not anonymous.
    data["course"]["forum"]["threads"]["nodes"].as_array_mut().unwrap().retain(|other| other["id"] == *thread);
    for category in data["course"]["forum"]["categories"].as_array_mut().unwrap() {
        category["threads"]["nodes"].as_array_mut().unwrap().retain(|other| other["id"] == *thread);
    }
    let (text, id) = (data.to_string(), school.person_node(person));
    let name = if person == "mei" { "Mei Tanaka" } else { "Omar Said" };
    assert_eq!(text.contains(name), text.contains(&id), "{data:#}");
    text.contains(&id)
}

async fn redacted(who: &Client, post: &Value) -> Value {
    let found = who
        .ask_with("query($id: ID!) { node(id: $id) { ... on Post { author { name } } } }", json!({ "id": post }))
        .await;
    assert_eq!(found["data"]["node"]["author"], Value::Null);
    let entry = &found["extensions"]["redactions"][0];
    json!([entry["field"], entry["category"], entry["reason"], entry["seenBy"], entry["places"]])
}

story! {
    async fn an_anonymous_question_stays_anonymous_all_its_life(school) {
        let (mei, omar, ana, bo) =
            (school.person("mei").await, school.person("omar").await, school.person("ana").await, school.person("bo").await);
        let (thread, question) = ask(&school, &mei, "ALL_BUT_MODERATORS").await;
        let hidden = async |posts: &[&Value]| {
            for (who, may) in [(&omar, false), (&bo, false), (&ana, true), (&mei, true)] {
                assert_eq!(finds(&school, who, "mei", &thread, posts).await, may);
            }
        };
        hidden(&[&question]).await;
        assert_eq!(
            redacted(&omar, &question).await,
            json!(["Post.author", "HIDDEN_AUTHORSHIP", "NOT_IN_AUDIENCE", ["ONESELF", "MODERATOR"], 1])
        );
        assert_eq!(redacted(&bo, &question).await, redacted(&omar, &question).await);

        // Answered, by somebody who hides from his classmates only.
        let frost = answer(&school, &omar, &thread, "CLASSMATES", Some(&question)).await;
        assert_eq!((&frost["pseudonym"], &frost["isByAsker"]), (&json!("Anonymous 2"), &json!(false)));
        for (who, may) in [(&mei, false), (&bo, true), (&ana, true), (&omar, true)] {
            assert_eq!(finds(&school, who, "omar", &thread, &[&frost["id"]]).await, may);
        }

        // Edited, by her and by a moderator; voted for; accepted.
        let edit = "mutation($id: ID!, $version: Int!, $reason: String) { editPost(postId: $id, input: { body: \"My worms died.\\n\\n*All of them.*\", version: $version, reason: $reason }) {
            post { version bodyHtml revisions(first: 9) { nodes { body editedAs reason } } } userErrors { code } } }";
        let data = mei.data_with(edit, json!({ "id": question, "version": 1, "reason": "More exact." })).await;
        assert_eq!(data["editPost"]["post"]["bodyHtml"], "<p>My worms died.</p>\n<p><em>All of them.</em></p>\n");
        assert_eq!(data["editPost"]["post"]["revisions"]["nodes"], json!([{ "body": "My worms died.", "editedAs": "AUTHOR", "reason": "More exact." }]));
        school.clock.advance(60);
        let data = ana.data_with(edit, json!({ "id": question, "version": 2, "reason": "Emphasis." })).await;
        assert_eq!(data["editPost"]["post"]["version"], 3);
        assert_eq!(data["editPost"]["post"]["revisions"]["nodes"][0]["editedAs"], "MODERATOR");
        hidden(&[&question, &frost["id"]]).await;
        let vote = "mutation($id: ID!) { votePost(postId: $id) { post { votes viewerHasVoted author { name } } userErrors { code } } }";
        let data = omar.data_with(vote, json!({ "id": question })).await;
        assert_eq!(data["votePost"], json!({ "post": { "votes": 1, "viewerHasVoted": true, "author": null }, "userErrors": [] }));
        let data = mei.data_with(vote, json!({ "id": frost["id"] })).await;
        assert_eq!(data["votePost"], json!({ "post": { "votes": 1, "viewerHasVoted": true, "author": null }, "userErrors": [] }));
        let accept = "mutation($id: ID!) { acceptAnswer(postId: $id) { post { isAnswer thread { isAnswered answer { id author { name } } } } userErrors { code } } }";
        let data = mei.data_with(accept, json!({ "id": frost["id"] })).await;
        assert_eq!(data["acceptAnswer"]["post"], json!({ "isAnswer": true, "thread": { "isAnswered": true, "answer": { "id": frost["id"], "author": null } } }));
        hidden(&[&question, &frost["id"]]).await;

        // She sees who looked behind it, and nobody else does.
        let log = mei.data("{ me { accessLog(first: 50) { nodes { event actorName relation category course { slug } } } } }").await;
        let looks: Vec<_> = log["me"]["accessLog"]["nodes"].as_array().unwrap().iter().filter(|look| look["category"] == "HIDDEN_AUTHORSHIP").collect();
        assert!(!looks.is_empty() && looks.iter().all(|look| **look == json!({ "event": "READ", "actorName": "Ana Pereira", "relation": "MODERATOR",
            "category": "HIDDEN_AUTHORSHIP", "course": { "slug": "living-soil" } })), "{looks:?}");
        let log = omar.data("{ me { accessLog(first: 50) { nodes { actorName category } } } }").await;
        assert!(log["me"]["accessLog"]["nodes"].as_array().unwrap().contains(&json!({ "actorName": "Bo Lindgren", "category": "AUTHORSHIP" })));

        // She leaves the course, and becomes an assistant in it later.
        school.execute("UPDATE enrolments SET left_at = 1772440000000000 WHERE learner_id = {person:mei} AND course_id = {course:soil}").await;
        for (who, may) in [(&omar, false), (&bo, false), (&ana, true)] {
            assert_eq!(finds(&school, who, "mei", &thread, &[&question]).await, may);
        }
        assert_eq!(redacted(&bo, &question).await, redacted(&omar, &question).await, "that she has left does not show by the reason");
        school.execute("INSERT INTO course_staff (course_id, account_id, role, position) VALUES ({course:soil}, {person:mei}, 'ASSISTANT', 7)").await;
        hidden(&[&question, &frost["id"]]).await;
        let stranger = school.person("zoe").await;
        let data = stranger.data_with("query($id: ID!) { node(id: $id) { id } }", json!({ "id": question })).await;
        assert_eq!(data["node"], Value::Null);
    }

    async fn the_author_who_hides_from_classmates_is_known_to_staff_for_as_long_as_her_record_is(school) {
        let (mei, bo, ana) = (school.person("mei").await, school.person("bo").await, school.person("ana").await);
        let (thread, question) = ask(&school, &mei, "CLASSMATES").await;
        assert!(finds(&school, &bo, "mei", &thread, &[&question]).await);
        assert!(!finds(&school, &school.person("omar").await, "mei", &thread, &[&question]).await);
        school.execute("UPDATE enrolments SET left_at = 1740000000000000 WHERE learner_id = {person:mei} AND course_id = {course:soil}").await;
        assert!(!finds(&school, &bo, "mei", &thread, &[&question]).await, "she left more than a year ago");
        let data = ana.data_with("query($id: ID!) { node(id: $id) { ... on Post { author { id } } } }", json!({ "id": question })).await;
        assert_eq!(data["node"]["author"]["id"], school.person_node("mei"), "whoever keeps order must be able to");
    }

    async fn a_learner_is_told_who_will_see_her_name_before_she_posts(school) {
        let query = "query($slug: String!) { course(slug: $slug) { forum {
            named: postingAudience { anonymity allowed readBy nameSeenBy readers }
            classmates: postingAudience(anonymity: CLASSMATES) { allowed nameSeenBy namedTo whyNot }
            hidden: postingAudience(anonymity: ALL_BUT_MODERATORS) { allowed nameSeenBy namedTo whyNot } } } }";
        let mei = school.person("mei").await;
        let data = mei.data_with(query, json!({ "slug": "living-soil" })).await;
        let forum = &data["course"]["forum"];
        assert_eq!(forum["named"], json!({ "anonymity": "NONE", "allowed": true, "readBy": ["STAFF", "CLASSMATE"], "nameSeenBy": ["STAFF", "CLASSMATE"],
            "readers": "those who take this course and its staff, now and later" }));
        assert_eq!(forum["classmates"]["nameSeenBy"], json!(["ONESELF", "STAFF", "FORMER_STAFF", "MODERATOR"]));
        assert_eq!(forum["hidden"]["nameSeenBy"], json!(["ONESELF", "MODERATOR"]));
        assert!(forum["hidden"]["namedTo"].as_str().unwrap().contains("access log"));
        let open = mei.data_with(query, json!({ "slug": "compost-step-by-step" })).await;
        assert_eq!(open["course"]["forum"]["named"]["readers"], "everybody who has signed in");
        let staff = school.person("bo").await.data_with(query, json!({ "slug": "living-soil" })).await;
        let hidden = &staff["course"]["forum"]["hidden"];
        assert_eq!((&hidden["allowed"], hidden["whyNot"].is_string()), (&json!(false), true));
    }

    async fn staff_speaks_under_its_name(school) {
        for who in ["ana", "bo"] {
            let variables = json!({ "course": school.course("soil"), "body": "?", "anonymity": "CLASSMATES" });
            let data = school.person(who).await.data_with(ASK, variables).await;
            assert_eq!(data["createThread"]["thread"], Value::Null);
            let error = &data["createThread"]["userErrors"][0];
            assert_eq!((&error["code"], &error["path"]), (&json!("NOT_ALLOWED"), &json!(["input", "anonymity"])));
        }
    }

    async fn a_number_stands_for_somebody_in_one_thread_and_in_one_way(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let (first, question) = ask(&school, &mei, "CLASSMATES").await;
        let by_omar = answer(&school, &omar, &first, "CLASSMATES", None).await;
        let again = answer(&school, &mei, &first, "CLASSMATES", None).await;
        let otherwise = answer(&school, &mei, &first, "ALL_BUT_MODERATORS", None).await;
        let named = answer(&school, &mei, &first, "NONE", None).await;
        let of = |post: &Value| (post["pseudonym"].clone(), post["isByAsker"].clone());
        assert_eq!(of(&by_omar), (json!("Anonymous 2"), json!(false)));
        assert_eq!(of(&again), (json!("Anonymous 1"), json!(true)));
        // Assistants see who number 1 is, so it must not lead them to what she hides from them.
        assert_eq!(of(&otherwise), (json!("Anonymous 3"), json!(false)));
        assert_eq!(of(&named), (Value::Null, json!(false)), "her name must not lead to what she asked");
        let (second, _) = ask(&school, &omar, "CLASSMATES").await;
        assert_eq!(of(&answer(&school, &mei, &second, "CLASSMATES", None).await).0, json!("Anonymous 2"), "elsewhere she is another");

        // She shows herself: all that stands under the number, and nothing else.
        let reveal = "mutation($id: ID!) { revealPost(postId: $id) { post { anonymity pseudonym author { name } thread { anonymity author { name } } } userErrors { code } } }";
        let data = omar.data_with(reveal, json!({ "id": question })).await;
        assert_eq!(data["revealPost"], json!({ "post": null, "userErrors": [{ "code": "NOT_ALLOWED" }] }));
        let data = mei.data_with(reveal, json!({ "id": again["id"] })).await;
        let shown = json!({ "name": "Mei Tanaka" });
        assert_eq!(data["revealPost"]["post"], json!({ "anonymity": "NONE", "pseudonym": null, "author": shown, "thread": { "anonymity": "NONE", "author": shown } }));
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Post { author { name } isByAsker } } }";
        let ids = json!({ "ids": [question, again["id"], otherwise["id"]] });
        let data = omar.data_with(query, ids).await;
        assert_eq!(data["nodes"], json!([{ "author": shown, "isByAsker": true }, { "author": shown, "isByAsker": true }, { "author": null, "isByAsker": false }]));
        let data = mei.data_with(reveal, json!({ "id": again["id"] })).await;
        assert_eq!(data["revealPost"]["userErrors"], json!([{ "code": "CONFLICT" }]));
        assert_eq!(of(&answer(&school, &mei, &first, "CLASSMATES", None).await).0, json!("Anonymous 4"), "who hides again is somebody new");
    }

    async fn with_another_s_eyes_one_does_not_find_oneself(school) {
        let mei = school.person("mei").await;
        let (_, question) = ask(&school, &mei, "CLASSMATES").await;
        let query = "query($id: ID!) { node(id: $id) { ... on Post { isMine author { name } } } }";
        for (eyes, author) in [("CLASSMATE", Value::Null), ("STAFF", json!({ "name": "Mei Tanaka" }))] {
            let seen = mei.with_header("stoa-seen-as", &format!("{eyes} {}", school.course("soil")));
            let answer = seen.ask_with(query, json!({ "id": question })).await;
            assert_eq!(answer["data"]["node"], json!({ "isMine": false, "author": author }), "{eyes}: {answer}");
        }
    }
}
