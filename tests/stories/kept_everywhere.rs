//! Authors write and learners read at once, on two servers: nobody reads what was before an acknowledged write on the server that
//! acknowledged it, and on the other one nobody does so later than the bound.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRng, TestRunner},
};
use serde_json::{Value, json};
use stoa_api::db::BOUND;
use stoa_testkit::{Client, Database, School};

use crate::authoring::{done, herbs, version_of};

/// What an author does.
#[derive(Clone, Copy, Debug)]
enum Act {
    Rename,
    SetTopics,
    RenameModule,
    AddLesson,
    RetireLesson,
    LeaveOrEnterCatalogue,
}

/// At which of the servers, and how many milliseconds after the one before.
type Step = (Act, usize, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        Just(Act::Rename),
        Just(Act::SetTopics),
        Just(Act::RenameModule),
        Just(Act::AddLesson),
        Just(Act::RetireLesson),
        Just(Act::LeaveOrEnterCatalogue),
    ];
    // Also long after the other server has last looked.
    let pause = prop_oneof![4 => 0_u64..50, 1 => 300_u64..900];
    prop::collection::vec((act, 0_usize..2, pause), 6..14)
}

/// What a course page shows, in parts that are read one after the other: title, topics, module, lessons, and the course in the list.
type Shown = [String; 5];

const PAGE: &str =
    "query($id: ID!) { node(id: $id) { ... on Course { title topics { name } modules { title lessons { title } } } }
    courses(first: 9, filter: { text: \"smells\" }) { nodes { title } } }";

async fn shown(client: &Client, course: &Value) -> Shown {
    let data = client.data_with(PAGE, json!({ "id": course })).await;
    let names = |list: &Value, name: &str| {
        list.as_array().into_iter().flatten().filter_map(|one| one[name].as_str()).collect::<Vec<_>>().join(", ")
    };
    let page = &data["node"];
    [
        names(&json!([page]), "title"),
        names(&page["topics"], "name"),
        names(&page["modules"], "title"),
        names(&page["modules"][0]["lessons"], "title"),
        names(&data["courses"]["nodes"], "title"),
    ]
}

/// How the course is after a write.
#[derive(Clone, Debug)]
struct Stage {
    shown: Shown,
    /// The server that was told to.
    server: usize,
    acknowledged: Option<Instant>,
}

/// The stages that a read on a server may find, which began then: from the last one that it must know of.
fn first_allowed(stages: &[Stage], server: usize, begun: Instant) -> usize {
    let must_know = |stage: &Stage| {
        stage.acknowledged.is_some_and(|at| {
            let since = if stage.server == server { at } else { at + BOUND };
            since < begun
        })
    };
    stages.iter().rposition(must_know).unwrap_or(0)
}

/// The course as its author knows it.
struct Course {
    id: Value,
    module: Value,
    lessons: Vec<(Value, String)>,
    is_listed: bool,
    number: usize,
}

impl Course {
    async fn new(ana: &Client) -> (Self, Shown) {
        let (id, module, lesson) = herbs(ana).await;
        done(ana, "publishCourse", json!({ "courseId": id, "version": version_of(ana, &id).await })).await;
        let lessons = vec![(lesson, "Peppermint".to_owned())];
        let shown = ["Herbs", "", "Mint", "Peppermint", "Herbs"].map(str::to_owned);
        (Self { id, module, lessons, is_listed: true, number: 0 }, shown)
    }

    /// Does something, and notes before what will be shown, and then that it was acknowledged. `latest` is a client of the server
    /// that wrote last, which knows every version.
    async fn write(&mut self, (act, server): (Act, usize), ana: &Client, latest: &Client, stages: &Mutex<Vec<Stage>>) {
        self.number += 1;
        let n = self.number;
        let mut shown = stages.lock().unwrap().last().unwrap().shown.clone();
        let version = async |id: &Value| version_of(latest, id).await;
        let (field, input) = match act {
            Act::Rename => {
                shown[0] = format!("Herbs {n}");
                ("updateCourse", json!({ "courseId": self.id, "version": version(&self.id).await, "title": shown[0] }))
            }
            Act::SetTopics => {
                shown[1] = format!("Topic {n}");
                (
                    "updateCourse",
                    json!({ "courseId": self.id, "version": version(&self.id).await, "topics": [shown[1]] }),
                )
            }
            Act::RenameModule => {
                shown[2] = format!("Mint {n}");
                (
                    "updateModule",
                    json!({ "moduleId": self.module, "version": version(&self.module).await, "title": shown[2] }),
                )
            }
            Act::RetireLesson if self.lessons.len() > 1 => {
                let (lesson, _) = self.lessons.remove(0);
                ("retireLesson", json!({ "lessonId": lesson, "version": version(&lesson).await }))
            }
            Act::AddLesson | Act::RetireLesson => {
                let title = format!("Lesson {n}");
                let reading = json!({ "moduleId": self.module, "title": title, "kind": "READING", "text": "It grows.", "seconds": 60 });
                let lesson = done(ana, "createLesson", reading).await;
                self.lessons.push((lesson["id"].clone(), title));
                ("publishLesson", json!({ "lessonId": lesson["id"], "version": lesson["version"] }))
            }
            Act::LeaveOrEnterCatalogue => {
                self.is_listed = !self.is_listed;
                let field = if self.is_listed { "restoreCourse" } else { "archiveCourse" };
                (field, json!({ "courseId": self.id, "version": version(&self.id).await }))
            }
        };
        shown[3] = self.lessons.iter().map(|(_, title)| title.as_str()).collect::<Vec<_>>().join(", ");
        shown[4] = if self.is_listed { shown[0].clone() } else { String::new() };
        stages.lock().unwrap().push(Stage { shown, server, acknowledged: None });
        done(ana, field, input).await;
        stages.lock().unwrap().last_mut().unwrap().acknowledged = Some(Instant::now());
    }
}

/// Reads until it is told to stop, and keeps what it should not have found.
async fn read(
    (server, client): (usize, Client),
    course: Value,
    stages: Arc<Mutex<Vec<Stage>>>,
    (stop, reads): (Arc<AtomicBool>, Arc<AtomicUsize>),
) -> Option<String> {
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let found = shown(&client, &course).await;
        reads.fetch_add(1, Ordering::Relaxed);
        let stages = stages.lock().unwrap().clone();
        let first = first_allowed(&stages, server, begun);
        for (part, value) in found.iter().enumerate() {
            if !stages[first..].iter().any(|stage| stage.shown[part] == *value) {
                let allowed: Vec<_> = stages[first..].iter().map(|stage| &stage.shown[part]).collect();
                return Some(format!("server {server} showed {value:?}, and these were allowed: {allowed:?}"));
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}

/// So many plans, the same each time; with `STOA_PROPTEST_CASES` that number of others, up to 50.
pub(crate) fn plans<S: Strategy>(strategy: &S, usual: usize) -> Vec<S::Value> {
    let asked = std::env::var("STOA_PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config.clone(), TestRng::deterministic_rng(config.rng_algorithm)),
    };
    (0..asked.unwrap_or(usual).min(50)).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

async fn nobody_reads_what_was_before(database: Database) {
    let school = School::open(database).await.unmetered().await;
    let other = school.replica_for_load().await;
    let readers = [school.anybody().clone(), school.anybody_at(&other)];
    let token = school.person("ana").await.token().unwrap().to_owned();
    let authors = readers.clone().map(|client| client.with_token(&token));
    for plan in plans(&steps(), 3) {
        let (mut course, first) = Course::new(&authors[0]).await;
        let begun = Stage { shown: first, server: 0, acknowledged: Some(Instant::now()) };
        let stages = Arc::new(Mutex::new(vec![begun]));
        let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        // The other server must have heard of the course, or it would show none.
        tokio::time::sleep(BOUND).await;
        let reading: Vec<_> = [0, 0, 1, 1]
            .map(|server| {
                let who = (server, readers[server].clone());
                tokio::spawn(read(who, course.id.clone(), Arc::clone(&stages), (Arc::clone(&stop), Arc::clone(&reads))))
            })
            .into();
        let mut latest = 0;
        for (act, server, pause) in &plan {
            tokio::time::sleep(Duration::from_millis(*pause)).await;
            course.write((*act, *server), &authors[*server], &authors[latest], &stages).await;
            // Whoever was told that it is done looks at once, on a slow machine too.
            let expected = stages.lock().unwrap().last().unwrap().shown.clone();
            assert_eq!(shown(&readers[*server], &course.id).await, expected, "{act:?} in {plan:?}");
            latest = *server;
        }
        // Until the other server must know of the last one, too.
        tokio::time::sleep(BOUND + Duration::from_millis(200)).await;
        stop.store(true, Ordering::Relaxed);
        for task in reading {
            let wrong = task.await.unwrap();
            assert_eq!(wrong, None, "{plan:?}\n{:#?}", stages.lock().unwrap());
        }
        assert!(reads.load(Ordering::Relaxed) > 10, "hardly anything was read");
        // It was no empty show: what they read is kept.
        for (app, client) in [&school.app, &other].into_iter().zip(&readers) {
            shown(client, &course.id).await;
            let before = app.db.statements();
            assert_eq!(shown(client, &course.id).await, stages.lock().unwrap().last().unwrap().shown);
            assert_eq!(app.db.statements(), before);
        }
        // Out of the list of the next case.
        if course.is_listed {
            let archive = json!({ "courseId": course.id, "version": version_of(&authors[latest], &course.id).await });
            done(&authors[latest], "archiveCourse", archive).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_what_was_before_on_sqlite() {
    nobody_reads_what_was_before(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_what_was_before_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    nobody_reads_what_was_before(database).await;
}
