//! The latest threads of forums are kept in memory, and nobody notices but by the time that it takes.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};
use stoa_api::{
    app::{App, Settings},
    courses::CatalogueSettings,
    db::FORUM_BOUND,
};
use stoa_testkit::{Client, Database, School, story, unmetered};

use crate::{
    kept_everywhere::plans,
    unread::{READ, take_in, threads},
};

const LIST: &str = "query($first: Int, $after: String) { course(slug: \"living-soil\") { forum {
    unreadThreads(first: $first, after: $after) {
        nodes { id title postCount unreadCount viewerReadUpTo pinnedAt lockReason } pageInfo { hasNextPage endCursor } } } } }";
const POST: &str = "mutation($thread: ID!) { createPost(threadId: $thread, input: { body: \"One more.\" }) { post { id } userErrors { code } } }";
const BEGIN: &str =
    "mutation($course: ID!) { createThread(courseId: $course, input: { title: \"Another\", body: \"…\" }) {
    thread { id } userErrors { code } } }";
const DELETE: &str = "mutation($post: ID!) { deletePost(postId: $post) { userErrors { code } } }";
const READ_ALL: &str = "mutation($course: ID!) { markForumRead(input: { courseId: $course }) { userErrors { code } } }";
const VERSION: &str = "query($id: ID!) { node(id: $id) { ... on Thread { version } } }";
const RENAME: &str = "mutation($id: ID!, $v: Int!, $title: String!) { renameThread(threadId: $id, input: { title: $title, version: $v }) { userErrors { code } } }";
const PIN: &str = "mutation($id: ID!) { pinThread(threadId: $id) { userErrors { code } } }";
const LOCK: &str = "mutation($id: ID!, $v: Int!) { lockThread(threadId: $id, input: { reason: \"Enough.\", version: $v }) { userErrors { code } } }";
const MERGE: &str = "mutation($id: ID!, $v: Int!, $into: ID!) { mergeThreads(threadId: $id, input: { intoId: $into, version: $v }) { userErrors { code } } }";

/// The same services on the same database, which keep nothing of forums: they walk through them for each reader.
async fn walking(school: &School) -> App {
    let catalogue = CatalogueSettings { forum_memory_bytes: 0, ..CatalogueSettings::default() };
    school.replica_under(Settings { catalogue, ..unmetered() }).await
}

async fn list(client: &Client, first: usize, after: Value) -> Value {
    client.data_with(LIST, json!({ "first": first, "after": after })).await["course"]["forum"]["unreadThreads"].take()
}

/// Two short pages, and all of it.
async fn lists(client: &Client) -> [Value; 3] {
    let first = list(client, 3, Value::Null).await;
    let second = list(client, 3, first["pageInfo"]["endCursor"].clone()).await;
    [first, second, list(client, 100, Value::Null).await]
}

/// The fewest statements that asking costs; between two looks at a forum's version it is not looked at.
async fn least_cost(app: &App, client: &Client) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..12 {
        let before = app.db.statements();
        list(client, 3, Value::Null).await;
        least = least.min(app.db.statements() - before);
    }
    least
}

story! {
    async fn a_forum_that_is_asked_for_often_is_not_walked_through(school) {
        let school = school.unmetered().await;
        take_in(&school, &school.app, "", &threads("soil", 40)).await;
        let omar = school.person("omar").await;
        omar.data_with(READ, json!({ "thread": school.thread("soil", "soil-39") })).await;
        let walking = walking(&school).await;
        let there = school.anybody_at(&walking).with_token(omar.token().unwrap());
        let expected = lists(&there).await;
        for _ in 0..3 {
            assert_eq!(lists(&omar).await, expected);
        }
        let (kept, walked) = (least_cost(&school.app, &omar).await, least_cost(&walking, &there).await);
        assert!(kept < walked, "{kept} statements where it is kept, {walked} where it is not");
    }

    async fn what_is_not_kept_is_still_told(school) {
        let school = school.unmetered().await;
        // More threads than are kept of a forum, and more posts than are kept of a thread, of which Omar has read the first.
        let mut posts = threads("soil", 70);
        for post in 0..130 {
            writeln!(posts, "long-{post},long,soil,Long,bo,2026-02-20T{:02}:{:02}:00Z,Text,General,discussion,", post / 60, post % 60).unwrap();
        }
        take_in(&school, &school.app, "", &posts).await;
        let there = walking(&school).await;
        let bo = school.person("bo").await;
        bo.data_with(READ_ALL, json!({ "course": school.course("soil") })).await;
        for name in ["omar", "mei", "bo"] {
            let here = school.person(name).await;
            let expected = lists(&school.anybody_at(&there).with_token(here.token().unwrap())).await;
            for _ in 0..3 {
                assert_eq!(lists(&here).await, expected, "{name}");
            }
        }
        let omar = school.person("omar").await;
        let first = school.post("soil", "long-0");
        omar.data_with(READ, json!({ "thread": school.thread("soil", "long"), "upTo": first })).await;
        assert_eq!(list(&omar, 1, Value::Null).await["nodes"][0]["unreadCount"], 100, "more are shown as this");
        let late = school.post("soil", "long-120");
        omar.data_with(READ, json!({ "thread": school.thread("soil", "long"), "upTo": late })).await;
        assert_eq!(list(&omar, 1, Value::Null).await["nodes"][0]["unreadCount"], 9);
    }

    async fn what_is_imported_elsewhere_shows_within_the_bound(school) {
        let school = school.unmetered().await;
        let omar = school.person("omar").await;
        for _ in 0..3 {
            assert_eq!(list(&omar, 1, Value::Null).await["nodes"][0]["title"], "Are two worms enough?");
        }
        // By another connection, as `stoa data import` has it: nobody tells this server.
        let other = school.replica().await;
        take_in(&school, &other, "", &threads("soil", 4)).await;
        tokio::time::sleep(FORUM_BOUND).await;
        let titles = list(&omar, 9, Value::Null).await;
        assert!(titles.to_string().contains("Thread 3"), "{titles}");
    }
}

/// What somebody does in a forum: with which of its threads, and who.
#[derive(Clone, Copy, Debug)]
enum Act {
    Post,
    Begin,
    Delete,
    Rename,
    Pin,
    Lock,
    Merge,
    Read,
    ReadAll,
}

/// At which of the servers, with which thread, by whom.
type Step = (Act, usize, usize, usize);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        5 => Just(Act::Post),
        2 => Just(Act::Begin),
        2 => Just(Act::Delete),
        1 => Just(Act::Rename),
        1 => Just(Act::Pin),
        1 => Just(Act::Lock),
        2 => Just(Act::Merge),
        3 => Just(Act::Read),
        1 => Just(Act::ReadAll),
    ];
    prop::collection::vec((act, 0_usize..2, 0_usize..100, 0_usize..3), 12..20)
}

/// The people of a server, and what there is to act on.
struct Forum {
    course: String,
    threads: Vec<String>,
    posts: Vec<(usize, String)>,
}

impl Forum {
    async fn act(&mut self, (act, _, number, who): Step, people: &[Client], ana: &Client) {
        let thread = self.threads[number % self.threads.len()].clone();
        let version = async || ana.data_with(VERSION, json!({ "id": thread })).await["node"]["version"].clone();
        let person = &people[who];
        // What is refused is refused: a locked thread takes no posts, and no thread goes into a newer one.
        match act {
            Act::Post => {
                let data = person.data_with(POST, json!({ "thread": thread })).await;
                let post = data["createPost"]["post"]["id"].as_str();
                self.posts.extend(post.map(|post| (who, post.to_owned())));
            }
            Act::Begin => {
                let data = person.data_with(BEGIN, json!({ "course": self.course })).await;
                self.threads.push(data["createThread"]["thread"]["id"].as_str().unwrap().to_owned());
            }
            Act::Delete => {
                if let Some((author, post)) = self.posts.pop() {
                    people[author].data_with(DELETE, json!({ "post": post })).await;
                }
            }
            Act::Rename => {
                let input = json!({ "id": thread, "v": version().await, "title": format!("Renamed {number}") });
                ana.data_with(RENAME, input).await;
            }
            Act::Pin => {
                ana.data_with(PIN, json!({ "id": thread })).await;
            }
            Act::Lock => {
                ana.data_with(LOCK, json!({ "id": thread, "v": version().await })).await;
            }
            Act::Merge => {
                let into = self.threads[(number / 3) % self.threads.len()].clone();
                ana.data_with(MERGE, json!({ "id": thread, "v": version().await, "into": into })).await;
            }
            Act::Read => {
                person.data_with(READ, json!({ "thread": thread })).await;
            }
            Act::ReadAll => {
                person.data_with(READ_ALL, json!({ "course": self.course })).await;
            }
        }
    }
}

/// Whatever is done at either of two servers, the one that did it tells each reader what a walk would find, at once; the other does so
/// within the bound.
async fn what_is_kept_is_what_is_there(database: Database) {
    let school = School::open(database).await.unmetered().await;
    take_in(&school, &school.app, "", &threads("soil", 12)).await;
    let other = school.replica_for_load().await;
    let walked = school.anybody_at(&walking(&school).await);
    let names = ["bo", "mei", "omar"];
    let mut tokens = Vec::new();
    for name in names.iter().chain(&["ana"]) {
        tokens.push(school.person(name).await.token().unwrap().to_owned());
    }
    let clients_at = |anybody: &Client| tokens.iter().map(|token| anybody.with_token(token)).collect::<Vec<_>>();
    let servers = [clients_at(school.anybody()), clients_at(&school.anybody_at(&other))];
    let truth = clients_at(&walked);
    let course = school.course("soil");
    let threads = (0..12).map(|number| school.thread("soil", &format!("soil-{number}"))).collect();
    let mut forum = Forum { course, threads, posts: Vec::new() };
    for plan in plans(&steps(), 2) {
        let mut latest = None;
        for step in &plan {
            let (act, server, _, _) = *step;
            school.clock.advance(1);
            if latest.replace(server).is_some_and(|latest| latest != server) {
                tokio::time::sleep(FORUM_BOUND).await;
            }
            let people = &servers[server];
            forum.act(*step, people, &people[3]).await;
            for reader in 0..3 {
                let expected = lists(&truth[reader]).await;
                assert_eq!(lists(&people[reader]).await, expected, "{act:?} for {} in {plan:?}", names[reader]);
            }
            // So there is something to forget at the other one, too.
            lists(&servers[1 - server][1]).await;
        }
        tokio::time::sleep(FORUM_BOUND).await;
        for (people, reader) in servers.iter().flat_map(|people| [(people, 0), (people, 1), (people, 2)]) {
            assert_eq!(lists(&people[reader]).await, lists(&truth[reader]).await, "in the end of {plan:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_what_is_there_on_sqlite() {
    what_is_kept_is_what_is_there(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_what_is_there_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    what_is_kept_is_what_is_there(database).await;
}
