//! Forums are kept in memory, page by page and by their latest threads, and nobody notices but by the time that it takes.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};
use stoa_api::{
    app::{App, Settings},
    courses::CatalogueSettings,
    db::FORUM_BOUND,
};
use stoa_testkit::{Client, Database, School, Server, story, unmetered};

use crate::{
    kept_everywhere::plans,
    unread::{READ, take_in, threads},
};

const LIST: &str = "query($first: Int, $after: String) { course(slug: \"living-soil\") { forum {
    unreadThreads(first: $first, after: $after) {
        nodes { id title postCount unreadCount viewerReadUpTo pinnedAt lockReason } pageInfo { hasNextPage endCursor } } } } }";
const PAGE: &str = "query($first: Int) { course(slug: \"living-soil\") { forum { threads(first: $first) {
    nodes { title postCount isAnswered author { name } posts(first: 3) { nodes { ...post replies(first: 2) { nodes { ...post } } } }
        best: posts(first: 2, orderBy: VOTES) { nodes { ...post } } latest: posts(last: 2) { nodes { ...post } } }
    pageInfo { hasNextPage endCursor } }
  categories { threads(first: 2) { nodes { id } } } } } }
fragment post on Post { id body votes isMine viewerHasVoted isEndorsed editedAt removedAt author { name } }";
const POST: &str = "mutation($thread: ID!) { createPost(threadId: $thread, input: { body: \"One more.\" }) { post { id } userErrors { code } } }";
const BEGIN: &str =
    "mutation($course: ID!) { createThread(courseId: $course, input: { title: \"Another\", body: \"…\" }) {
    thread { id } userErrors { code } } }";
const DELETE: &str = "mutation($post: ID!) { deletePost(postId: $post) { userErrors { code } } }";
const REPLY: &str = "mutation($thread: ID!, $to: ID!) { createPost(threadId: $thread, input: { body: \"To that.\", replyTo: $to }) { post { id } userErrors { code } } }";
const FIRST: &str = "query($id: ID!) { node(id: $id) { ... on Thread { posts(first: 1) { nodes { id } } } } }";
const EDIT: &str = "mutation($post: ID!, $v: Int!, $body: String!) { editPost(postId: $post, input: { body: $body, version: $v }) { userErrors { code } } }";
const VOTE: &str = "mutation($post: ID!) { votePost(postId: $post) { userErrors { code } } }";
const ENDORSE: &str = "mutation($post: ID!) { endorsePost(postId: $post) { userErrors { code } } }";
const READ_ALL: &str = "mutation($course: ID!) { markForumRead(input: { courseId: $course }) { userErrors { code } } }";
const VERSION: &str = "query($id: ID!) { node(id: $id) { ... on Thread { version } ... on Post { version } } }";
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

/// Two short pages of what is unread, all of it, and the forum as it is shown.
async fn lists(client: &Client) -> [Value; 4] {
    let first = list(client, 3, Value::Null).await;
    let second = list(client, 3, first["pageInfo"]["endCursor"].clone()).await;
    let shown = client.data_with(PAGE, json!({ "first": 20 })).await;
    [first, second, list(client, 100, Value::Null).await, shown]
}

/// The fewest statements that asking costs: now and then something else is looked at, too, such as a forum's version.
pub(crate) async fn least_cost(app: &App, client: &Client, query: &str) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..12 {
        let before = app.db.statements();
        client.data_with(query, json!({ "first": 3 })).await;
        least = least.min(app.db.statements() - before);
    }
    least
}

story! {
    async fn a_forum_that_is_asked_for_often_is_not_walked_through(school) {
        let school = school.unmetered().await;
        take_in(&school, &school.app, &[("threads.csv", &threads("soil", 40))]).await;
        let omar = school.person("omar").await;
        omar.data_with(READ, json!({ "thread": school.thread("soil", "soil-39") })).await;
        let walking = walking(&school).await;
        let there = school.anybody_at(&walking).with_token(omar.token().unwrap());
        let expected = lists(&there).await;
        for _ in 0..3 {
            assert_eq!(lists(&omar).await, expected);
        }
        let (kept, walked) = (least_cost(&school.app, &omar, LIST).await, least_cost(&walking, &there, LIST).await);
        assert!(kept < walked, "{kept} statements where it is kept, {walked} where it is not");
    }

    async fn a_page_of_a_forum_that_was_just_read_is_not_read_again(school) {
        let school = school.unmetered().await;
        take_in(&school, &school.app, &[("threads.csv", &threads("soil", 12))]).await;
        let (omar, walking) = (school.person("omar").await, walking(&school).await);
        let there = school.anybody_at(&walking).with_token(omar.token().unwrap());
        let (kept, read) = (least_cost(&school.app, &omar, PAGE).await, least_cost(&walking, &there, PAGE).await);
        // Threads of the course and of its categories, three pages of posts, and the replies.
        assert_eq!(kept + 6, read);
    }

    async fn what_is_kept_for_one_reader_shows_to_another_what_is_for_her(school) {
        let school = school.unmetered().await;
        let begin = "mutation($course: ID!) { createThread(courseId: $course, input: { title: \"I am lost\", body: \"Help.\", anonymity: CLASSMATES }) {
            thread { id } userErrors { code } } }";
        school.person("mei").await.data_with(begin, json!({ "course": school.course("soil") })).await;
        for _ in 0..2 {
            for (person, author, is_mine) in
                [("mei", json!("Mei Tanaka"), true), ("omar", Value::Null, false), ("ana", json!("Mei Tanaka"), false)]
            {
                let data = school.person(person).await.data_with(PAGE, json!({ "first": 1 })).await;
                let thread = &data["course"]["forum"]["threads"]["nodes"][0];
                assert_eq!(thread["author"]["name"], author, "{person}");
                assert_eq!(thread["posts"]["nodes"][0]["isMine"], is_mine, "{person}");
            }
            assert!(school.anybody().data_with(PAGE, json!({ "first": 1 })).await["course"]["forum"].is_null());
        }
    }

    async fn what_is_not_kept_is_still_told(school) {
        let school = school.unmetered().await;
        // More threads than are kept of a forum, and more posts than are kept of a thread, of which Omar has read the first.
        let mut posts = threads("soil", 70);
        for post in 0..130 {
            writeln!(posts, "long-{post},long,soil,Long,bo,2026-02-20T{:02}:{:02}:00Z,Text,General,discussion,", post / 60, post % 60).unwrap();
        }
        take_in(&school, &school.app, &[("threads.csv", &posts)]).await;
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
        // By another connection, as `stoa import` has it: nobody tells this server.
        let other = school.replica().await;
        take_in(&school, &other, &[("threads.csv", &threads("soil", 4))]).await;
        tokio::time::sleep(FORUM_BOUND).await;
        let titles = list(&omar, 9, Value::Null).await;
        assert!(titles.to_string().contains("Thread 3"), "{titles}");
    }
}

/// What somebody does in a forum: with which of its threads, and who.
#[derive(Clone, Copy, Debug)]
enum Act {
    Post,
    Reply,
    Begin,
    Edit,
    Vote,
    Endorse,
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
        2 => Just(Act::Reply),
        2 => Just(Act::Edit),
        2 => Just(Act::Vote),
        1 => Just(Act::Endorse),
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
            Act::Reply | Act::Vote | Act::Endorse => {
                let data = person.data_with(FIRST, json!({ "id": thread })).await;
                let post = data["node"]["posts"]["nodes"][0]["id"].clone();
                match act {
                    Act::Reply => person.data_with(REPLY, json!({ "thread": thread, "to": post })).await,
                    Act::Vote => person.data_with(VOTE, json!({ "post": post })).await,
                    _ => ana.data_with(ENDORSE, json!({ "post": post })).await,
                };
            }
            Act::Edit => {
                if let Some((author, post)) = self.posts.last() {
                    let version =
                        people[*author].data_with(VERSION, json!({ "id": post })).await["node"]["version"].clone();
                    let input = json!({ "post": post, "v": version, "body": format!("Edited {number}.") });
                    people[*author].data_with(EDIT, input).await;
                }
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
    take_in(&school, &school.app, &[("threads.csv", &threads("soil", 12))]).await;
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

/// Whoever is told of a post by another server finds it in the page that she had read just before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_elsewhere_is_there_when_it_is_told() {
    let Some(database) = Database::postgres().await else { return };
    let school = School::open(database).await.unmetered().await;
    let other = school.replica_for_load().await;
    let there = Server::start(&other).await;
    let mei = school.person("mei").await;
    let reader = school.anybody_at(&other).with_token(mei.token().unwrap());
    let mut socket = there.socket_as(&mei).await;
    let told = "subscription($thread: ID!) { postAdded(threadId: $thread) { post { id } thread { posts(last: 1) { nodes { id } } } } }";
    socket.subscribe("posts", told, json!({ "thread": school.thread("soil", "t1") })).await;
    there.has_subscriptions(1).await;
    let page = "query($id: ID!) { node(id: $id) { ... on Thread { posts(last: 1) { nodes { id } } } } }";
    for _ in 0..5 {
        reader.data_with(page, json!({ "id": school.thread("soil", "t1") })).await;
        let data = school.person("omar").await.data_with(POST, json!({ "thread": school.thread("soil", "t1") })).await;
        let post = &data["createPost"]["post"]["id"];
        let answer = socket.answer("posts").await;
        let added = &answer["data"]["postAdded"];
        assert_eq!((&added["post"]["id"], &added["thread"]["posts"]["nodes"][0]["id"]), (post, post), "{answer:#}");
    }
}
