//! Questions that wait for a course's staff.

use serde_json::{Value, json};
use stoa_testkit::{Client, School, story};

const DAY: i64 = 86_400;
const LISTS: &str = "{ course(slug: \"living-soil\") { forum {
    unreplied: unanswered(first: 9, by: NO_REPLY) { nodes { title } } unanswered(first: 9) { nodes { title } } stuck(first: 9) { nodes { title } } } } }";

/// The titles on each of the lists: unreplied, unanswered, stuck.
async fn lists(school: &School, who: &str) -> [Vec<String>; 3] {
    let data = school.person(who).await.data(LISTS).await;
    ["unreplied", "unanswered", "stuck"].map(|list| {
        let nodes = data["course"]["forum"][list]["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
    })
}

async fn ask(client: &Client, school: &School, title: &str) -> String {
    let begin = "mutation($course: ID!, $title: String!) { createThread(courseId: $course, input: { kind: QUESTION, title: $title, body: \"?\" }) { thread { id } } }";
    let data = client.data_with(begin, json!({ "course": school.course("soil"), "title": title })).await;
    data["createThread"]["thread"]["id"].as_str().unwrap().to_owned()
}

async fn post(client: &Client, thread: &str) -> String {
    let post =
        "mutation($id: ID!) { createPost(threadId: $id, input: { body: \"…\" }) { post { id } userErrors { code } } }";
    let data = client.data_with(post, json!({ "id": thread })).await;
    data["createPost"]["post"]["id"].as_str().unwrap_or_else(|| panic!("{data}")).to_owned()
}

const WORMS: &str = "Are two worms enough?";

story! {
    async fn a_question_waits_until_it_is_answered(school) {
        let (omar, bo, mei) = (school.person("omar").await, school.person("bo").await, school.person("mei").await);
        // Omar's question of February has no accepted answer, and he has posted last.
        assert_eq!(lists(&school, "bo").await, [vec![], vec![WORMS.to_owned()], vec![WORMS.to_owned()]]);
        let sand = ask(&mei, &school, "Sand?").await;
        let titles = |titles: &[&str]| titles.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(lists(&school, "ana").await, [titles(&["Sand?"]), titles(&[WORMS, "Sand?"]), titles(&[WORMS])]);
        // Her asking again is no reply.
        school.clock.advance(3_600);
        post(&mei, &sand).await;
        school.clock.advance(5 * DAY);
        assert_eq!(lists(&school, "ana").await, [titles(&["Sand?"]), titles(&[WORMS, "Sand?"]), titles(&[WORMS])], "nobody has replied, so it is not stuck");
        post(&omar, &sand).await;
        assert_eq!(lists(&school, "ana").await, [titles(&[]), titles(&[WORMS, "Sand?"]), titles(&[WORMS])]);

        // She asks back and waits: after a day it is stuck, whether she posts again or not.
        school.clock.advance(60);
        post(&mei, &sand).await;
        school.clock.advance(DAY / 2);
        post(&mei, &sand).await;
        school.clock.advance(DAY / 2 - 1);
        assert_eq!(lists(&school, "ana").await[2], titles(&[WORMS]));
        school.clock.advance(1);
        assert_eq!(lists(&school, "ana").await[2], titles(&[WORMS, "Sand?"]));
        post(&bo, &sand).await;
        assert_eq!(lists(&school, "ana").await[2], titles(&[WORMS]));

        // With a third reply it is much talk without an answer: it was asked more than three days ago.
        let third = post(&omar, &sand).await;
        assert_eq!(lists(&school, "ana").await[2], titles(&[WORMS, "Sand?"]));
        // Removed, it does not count.
        let remove = "mutation($id: ID!) { removePost(postId: $id, input: { reason: \"No.\" }) { userErrors { code } } }";
        school.person("ana").await.data_with(remove, json!({ "id": third })).await;
        assert_eq!(lists(&school, "ana").await[2], titles(&[WORMS]));
        let restore = "mutation($id: ID!) { restorePost(postId: $id, input: {}) { userErrors { code } } }";
        school.person("ana").await.data_with(restore, json!({ "id": third })).await;
        assert_eq!(lists(&school, "ana").await[2], titles(&[WORMS, "Sand?"]));

        // A locked thread waits for nothing.
        let lock = "mutation($id: ID!, $v: Int!) { lockThread(threadId: $id, input: { reason: \"Answered in the lesson.\", version: $v }) { userErrors { code } } }";
        school.person("ana").await.data_with(lock, json!({ "id": sand, "v": 1 })).await;
        assert_eq!(lists(&school, "ana").await, [titles(&[]), titles(&[WORMS]), titles(&[WORMS])]);
    }

    async fn the_lists_are_for_staff_and_page(school) {
        let mei = school.person("mei").await;
        for who in ["mei", "omar"] {
            let answer = school.person(who).await.ask(LISTS).await;
            let forum = &answer["data"]["course"]["forum"];
            assert_eq!(*forum, json!({ "unreplied": null, "unanswered": null, "stuck": null }), "{who}");
            let fields: Vec<_> = answer["extensions"]["redactions"].as_array().unwrap().iter().map(|entry| entry["field"].clone()).collect();
            assert_eq!(fields, ["Forum.stuck", "Forum.unanswered"]);
        }
        for index in 0..5 {
            ask(&mei, &school, &format!("{index}")).await;
            school.clock.advance(60);
        }
        let query = "query($after: String, $before: String) { course(slug: \"living-soil\") { forum {
            forth: unanswered(first: 2, after: $after, by: NO_REPLY) { nodes { title } pageInfo { endCursor hasNextPage } }
            back: unanswered(last: 2, before: $before, by: NO_REPLY) { nodes { title } pageInfo { startCursor hasPreviousPage } } } } }";
        let bo = school.person("bo").await;
        let first = bo.data(query).await["course"]["forum"].clone();
        let titles = |page: &Value| page["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((titles(&first["forth"]), titles(&first["back"])), (vec!["0".to_owned(), "1".to_owned()], vec!["3".to_owned(), "4".to_owned()]));
        let cursors = json!({ "after": first["forth"]["pageInfo"]["endCursor"], "before": first["back"]["pageInfo"]["startCursor"] });
        let next = bo.data_with(query, cursors.clone()).await["course"]["forum"].clone();
        assert_eq!((titles(&next["forth"]), titles(&next["back"])), (vec!["2".to_owned(), "3".to_owned()], vec!["1".to_owned(), "2".to_owned()]));
        // A cursor of one list is none of another.
        let other = "query($after: String) { course(slug: \"living-soil\") { forum { stuck(first: 2, after: $after) { nodes { title } } } } }";
        let answer = bo.ask_with(other, json!({ "after": cursors["after"] })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }

    async fn a_merged_question_waits_where_its_posts_are(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let again = ask(&mei, &school, "How many worms?").await;
        let merge = "mutation($id: ID!, $into: ID!) { mergeThreads(threadId: $id, input: { intoId: $into, version: 1 }) { userErrors { code } } }";
        ana.data_with(merge, json!({ "id": again, "into": school.thread("soil", "t1") })).await;
        let [unreplied, unanswered, stuck] = lists(&school, "bo").await;
        // Mei's post is a reply to Omar now, so he does not wait any more.
        assert_eq!((unreplied, unanswered, stuck), (vec![], vec![WORMS.to_owned()], vec![]));
    }

    async fn the_lists_tell_nobody_who_asked_anonymously(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let begin = "mutation($course: ID!, $title: String!) { createThread(courseId: $course, input: { kind: QUESTION, title: $title, body: \"?\", anonymity: ALL_BUT_MODERATORS }) { thread { id } } }";
        let mut threads = Vec::new();
        for title in ["Hers", "His"] {
            let data = mei.data_with(begin, json!({ "course": school.course("soil"), "title": title })).await;
            threads.push(data["createThread"]["thread"]["id"].as_str().unwrap().to_owned());
        }
        // What she posts under her own name counts as what anybody else does.
        post(&mei, &threads[0]).await;
        post(&omar, &threads[1]).await;
        assert_eq!(lists(&school, "bo").await[0], Vec::<String>::new());
        // Under her number she is the asker, who waits.
        let hide = "mutation($id: ID!) { createPost(threadId: $id, input: { body: \"Nobody?\", anonymity: ALL_BUT_MODERATORS }) { post { id } } }";
        school.clock.advance(60);
        for thread in &threads {
            mei.data_with(hide, json!({ "id": thread })).await;
        }
        school.clock.advance(DAY);
        assert_eq!(lists(&school, "bo").await[2], [WORMS, "Hers", "His"]);
    }

    async fn an_accepted_or_endorsed_answer_ends_the_waiting(school) {
        let (omar, bo) = (school.person("omar").await, school.person("bo").await);
        assert_eq!(lists(&school, "bo").await[1], [WORMS]);
        let accept = "mutation($id: ID!) { acceptAnswer(postId: $id) { userErrors { code } } }";
        omar.data_with(accept, json!({ "id": school.post("soil", "p2") })).await;
        assert_eq!(lists(&school, "bo").await, [vec![], vec![], Vec::<String>::new()]);
        let back = "mutation($id: ID!) { unacceptAnswer(postId: $id) { userErrors { code } } }";
        omar.data_with(back, json!({ "id": school.post("soil", "p2") })).await;
        assert_eq!(lists(&school, "bo").await[1], [WORMS]);
        let endorse = "mutation($id: ID!) { endorsePost(postId: $id) { userErrors { code } } }";
        bo.data_with(endorse, json!({ "id": school.post("soil", "p3") })).await;
        assert_eq!(lists(&school, "bo").await[1], Vec::<String>::new());
    }
}
