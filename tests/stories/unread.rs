//! What there is to read in forums, of many at once.

use std::{fmt::Write as _, fs};

use serde_json::{Value, json};
use stoa_api::{
    app::{App, Settings},
    courses::CatalogueSettings,
};
use stoa_testkit::{Client, School, story};

const LIST: &str =
    "query($first: Int, $after: String, $last: Int, $before: String) { course(slug: \"living-soil\") { forum {
    unreadThreads(first: $first, after: $after, last: $last, before: $before) {
        nodes { id unreadCount viewerReadUpTo } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }";
pub(crate) const READ: &str = "mutation($thread: ID!, $upTo: ID) { markThreadRead(input: { threadId: $thread, upTo: $upTo }) { userErrors { code } } }";

/// Takes in the school at a server once more, with more rows in these of its files.
pub(crate) async fn take_in(school: &School, app: &App, more: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(School::fixture()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    for (file, more) in more {
        let file = folder.path().join(file);
        let before = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{}\n{more}", before.trim_end())).unwrap();
    }
    let report = school.import_at(app, folder.path()).await;
    assert!(report.complete(), "{report}");
}

/// Two threads for each hour, with one to four posts of Bo, Mei and Omar.
pub(crate) fn threads(course: &str, many: usize) -> String {
    let mut rows = String::new();
    for thread in 0..many {
        for post in 0..=thread / 2 % 4 {
            let author = ["bo", "mei", "omar"][(thread + post) % 3];
            let (day, hour) = (10 + thread / 40, thread / 2 % 20);
            writeln!(
                rows,
                "{course}-{thread}-{post},{course}-{thread},{course},Thread {thread},{author},\
                 2026-02-{day}T{hour:02}:0{post}:00Z,Text,General,discussion,"
            )
            .unwrap();
        }
    }
    rows
}

async fn page(client: &Client, paging: Value) -> (Vec<Value>, Value) {
    let mut data = client.data_with(LIST, paging).await;
    let mut list = data["course"]["forum"]["unreadThreads"].take();
    let Value::Array(nodes) = list["nodes"].take() else { panic!("no list") };
    (nodes, list["pageInfo"].take())
}

/// Everything unread, which must be what the threads themselves say.
async fn all_of_it(client: &Client, threads: &[String]) -> Vec<Value> {
    let (listed, _) = page(client, json!({ "first": 100 })).await;
    let mut said = Vec::new();
    for thread in threads {
        let query = "query($id: ID!) { node(id: $id) { ... on Thread { id unreadCount viewerReadUpTo } } }";
        let mut data = client.data_with(query, json!({ "id": thread })).await;
        if data["node"]["unreadCount"] != 0 {
            said.push(data["node"].take());
        }
    }
    let sorted = |nodes: &[Value]| {
        let mut texts: Vec<_> = nodes.iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    assert_eq!(sorted(&listed), sorted(&said));
    listed
}

/// The pages of the list both ways, which must be the list.
async fn page_through(client: &Client, all: &[Value]) {
    let (mut forward, mut after) = (Vec::new(), Value::Null);
    loop {
        let (nodes, info) = page(client, json!({ "first": 7, "after": after })).await;
        forward.extend(nodes);
        if info["hasNextPage"] == false {
            break;
        }
        after = info["endCursor"].clone();
    }
    assert_eq!(forward, all);
    let (mut backward, mut before) = (Vec::new(), Value::Null);
    loop {
        let (nodes, info) = page(client, json!({ "last": 7, "before": before })).await;
        backward.splice(0..0, nodes);
        if info["hasPreviousPage"] == false {
            break;
        }
        before = info["startCursor"].clone();
    }
    assert_eq!(backward, all);
}

story! {
    async fn the_list_says_of_threads_what_they_say_themselves(school) {
        let school = school.unmetered().await;
        take_in(&school, &school.app, &[("threads.csv", &threads("soil", 50))]).await;
        let omar = school.person("omar").await;
        let ids: Vec<_> = (0..50).map(|thread| school.thread("soil", &format!("soil-{thread}"))).collect();
        let ids: Vec<_> = ids.into_iter().chain(["t1", "t2"].map(|thread| school.thread("soil", thread))).collect();
        for thread in (0..50).filter(|thread| thread % 3 == 0 || [10, 20].contains(thread)) {
            omar.data_with(READ, json!({ "thread": ids[thread] })).await;
        }
        for thread in (0..50).filter(|thread| thread % 5 == 1) {
            let first = school.post("soil", &format!("soil-{thread}-0"));
            omar.data_with(READ, json!({ "thread": ids[thread], "upTo": first })).await;
        }
        // 10 was read, and so was 12 of those that are merged into it, but not 13; of 20 and 21 all was read.
        school.execute(
            "UPDATE posts SET thread_id = {thread:soil-10} WHERE thread_id IN ({thread:soil-12}, {thread:soil-13});
             UPDATE threads SET merged_into = {thread:soil-10}, post_count = 0 WHERE id IN ({thread:soil-12}, {thread:soil-13});
             UPDATE posts SET thread_id = {thread:soil-21} WHERE thread_id = {thread:soil-20};
             UPDATE threads SET merged_into = {thread:soil-21}, post_count = 0 WHERE id = {thread:soil-20};
             UPDATE posts SET removed_at = 5, removed_as = 'AUTHOR' WHERE thread_id = {thread:soil-5} OR id = {post:soil-7-0}",
        ).await;
        let all = all_of_it(&omar, &ids).await;
        assert!((20..40).contains(&all.len()), "{all:?}");
        page_through(&omar, &all).await;

        // Who has looked into very many threads is asked for them some at a time. It is the same list.
        let others: Vec<_> = (0..501).map(|number| format!("({{person:omar}}, {{course:soil}}, {{new:{number}}}, 5, {{new:1}})")).collect();
        let looked = format!("INSERT INTO thread_reads (learner_id, course_id, thread_id, read_at, post_id) VALUES {}", others.join(", "));
        school.execute(&looked).await;
        assert_eq!(all_of_it(&omar, &ids).await, all);
        page_through(&omar, &all).await;

        // So it is with all of the forum read up to the middle of it.
        let middle = "INSERT INTO forum_reads (learner_id, course_id, read_at)
            SELECT {person:omar}, {course:soil}, last_post_at FROM threads WHERE id = {thread:soil-22}";
        school.execute(middle).await;
        let late = all_of_it(&omar, &ids).await;
        assert!(!late.is_empty() && late.len() < all.len(), "{late:?}");
        page_through(&omar, &late).await;
        school.execute("DELETE FROM thread_reads WHERE read_at = 5").await;
        assert_eq!(all_of_it(&omar, &ids).await, late);
        page_through(&omar, &late).await;
    }

    async fn ten_forums_cost_no_more_statements_than_one(school) {
        // Each of them is walked through: what is kept would hide what that costs.
        let catalogue = CatalogueSettings { forum_memory_bytes: 0, ..CatalogueSettings::default() };
        let school = school.under(Settings { catalogue, ..Settings::default() }).await;
        let (mut courses, mut posts) = (String::new(), String::new());
        for number in 0..10 {
            writeln!(courses, "c{number},Course {number},About it.,en,beginner,Gardening,,ana,,2025-09-01,yes").unwrap();
            posts += &threads(&format!("c{number}"), 12);
        }
        take_in(&school, &school.app, &[("courses.csv", &courses), ("threads.csv", &posts)]).await;
        let omar = school.person("omar").await;
        omar.data_with(READ, json!({ "thread": school.thread("c3", "c3-11") })).await;
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Course {
            forum { unreadThreads(first: 3) { nodes { id title unreadCount viewerReadUpTo } pageInfo { hasNextPage } } } } } }";
        let ids: Vec<_> = (0..10).map(|number| school.course(&format!("c{number}"))).collect();
        let mut costs = Vec::new();
        for many in [1, 10] {
            // That a token is used is written down behind an answer, once in a while.
            omar.data("{ __typename }").await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let before = school.app.db.statements();
            let data = omar.data_with(query, json!({ "ids": ids[..many] })).await;
            costs.push(school.app.db.statements() - before);
            for (course, node) in data["nodes"].as_array().unwrap().iter().enumerate() {
                let list = &node["forum"]["unreadThreads"];
                let titles: Vec<_> = list["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap()).collect();
                // The last two have their last posts at the same time; 8 is Omar's own.
                if course == 3 {
                    assert_eq!(titles[..2], ["Thread 10", "Thread 9"]);
                } else {
                    assert!(titles[..2].contains(&"Thread 10") && titles[..2].contains(&"Thread 11"), "{titles:?}");
                    assert_eq!(titles[2..], ["Thread 9"]);
                }
                assert_eq!(list["pageInfo"]["hasNextPage"], true);
            }
        }
        // Whose token it is, the courses, what he is to them, what he has read, the unread threads with their counts, and the threads.
        assert_eq!(costs[0], costs[1]);
        assert!(costs[1] <= 6, "{costs:?} statements");
    }
}
