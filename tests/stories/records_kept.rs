//! What learners did in lessons is kept in memory for a minute, by the number of its enrolment, and nobody notices but by the time that
//! it takes.

use proptest::prelude::*;
use serde_json::{Value, json};
use stoa_api::{
    app::{App, Settings},
    courses::CatalogueSettings,
};
use stoa_testkit::{Client, Database, School, story, unmetered};

use crate::{forums_kept::least_cost, kept_everywhere::plans, unread::take_in};

const CLASS: &str =
    "{ course(slug: \"living-soil\") { learners(first: 9) { nodes { ...record } } } } fragment record on Enrolment {
    progress seconds modules { progress seconds lessons { progress seconds position completedAt score } } }";
const MINE: &str = "{ courses(first: 9) { nodes { modules { isOpen } myEnrolment { ...record } } } } fragment record on Enrolment {
    progress seconds newLessonsSinceCompletion modules { progress seconds lessons { progress seconds position completedAt score } } }";
const RECORD: &str = "mutation($lesson: ID!, $input: RecordActivityInput!) { recordActivity(lessonId: $lesson, input: $input) { userErrors { code } } }";
const SCORE: &str = "mutation($learner: ID!, $lesson: ID!, $score: Float!) {
    recordScore(input: { learnerId: $learner, lessonId: $lesson, score: $score }) { userErrors { code } } }";
const LEAVE: &str = "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code } } }";
const ENROLL: &str = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code } } }";

/// The same services on the same database, which keep no records.
async fn reading(school: &School) -> App {
    let catalogue = CatalogueSettings { record_memory_bytes: 0, ..CatalogueSettings::default() };
    school.replica_under(Settings { catalogue, ..unmetered() }).await
}

story! {
    async fn what_was_just_read_of_a_class_is_not_read_again(school) {
        let school = school.unmetered().await;
        let (ana, reading) = (school.person("ana").await, reading(&school).await);
        let there = school.anybody_at(&reading).with_token(ana.token().unwrap());
        assert_eq!(ana.data(CLASS).await, there.data(CLASS).await);
        assert_eq!(least_cost(&school.app, &ana, CLASS).await + 1, least_cost(&reading, &there, CLASS).await);
    }

    async fn what_is_kept_for_those_who_may_see_it_is_not_there_for_who_may_not(school) {
        let school = school.unmetered().await;
        let of_omar = "query($id: ID!) { node(id: $id) { ... on Enrolment { modules { lessons { progress position } } } } }";
        let id = json!({ "id": school.enrolment("omar", "soil") });
        for _ in 0..2 {
            let seen = async |name: &str| school.person(name).await.data_with(of_omar, id.clone()).await["node"].take();
            let first = |enrolment: &Value| enrolment["modules"][0]["lessons"][0].clone();
            for name in ["omar", "ana"] {
                assert_eq!(first(&seen(name).await), json!({ "progress": 1.0, "position": 420 }), "{name}");
            }
            assert_eq!(seen("mei").await, Value::Null);
        }
    }
}

/// What is done to a learner's record.
#[derive(Clone, Copy, Debug)]
enum Act {
    Beat,
    Complete,
    Score,
    Import,
    Leave,
    Enroll,
}

/// At which of the servers, by whom, in which lesson.
type Step = (Act, usize, usize, usize);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        4 => Just(Act::Beat),
        2 => Just(Act::Complete),
        2 => Just(Act::Score),
        2 => Just(Act::Import),
        1 => Just(Act::Leave),
        2 => Just(Act::Enroll),
    ];
    prop::collection::vec((act, 0_usize..2, 0_usize..3, 1_usize..5), 16..24)
}

const NAMES: [&str; 3] = ["mei", "omar", "zoe"];

/// One server, as each of the learners and their instructor use it.
struct Desk {
    app: App,
    learners: Vec<Client>,
    ana: Client,
}

impl Desk {
    async fn at(school: &School, app: App) -> Self {
        let anybody = school.anybody_at(&app);
        let mut clients = Vec::new();
        for name in NAMES.iter().chain(&["ana"]) {
            clients.push(anybody.with_token(school.person(name).await.token().unwrap()));
        }
        let ana = clients.pop().unwrap();
        Self { app, learners: clients, ana }
    }

    async fn act(&self, school: &School, (act, _, who, lesson): Step, number: usize) {
        let (learner, course) = (&self.learners[who], json!({ "course": school.course("soil") }));
        let lesson_id = school.lesson(&format!("soil-{lesson}"));
        // What is refused is refused: nobody records anything where she has left.
        match act {
            Act::Beat => {
                let input = json!({ "seconds": 20, "position": 10 * number });
                learner.data_with(RECORD, json!({ "lesson": lesson_id, "input": input })).await;
            }
            Act::Complete => {
                let input = json!({ "seconds": 5, "completed": true });
                learner.data_with(RECORD, json!({ "lesson": lesson_id, "input": input })).await;
            }
            Act::Score => {
                let (learner, score) = (school.person_node(NAMES[who]), number as f64 / 100.0);
                self.ana.data_with(SCORE, json!({ "learner": learner, "lesson": lesson_id, "score": score })).await;
            }
            Act::Import => {
                let row = format!(
                    "{},soil-{lesson},2026-02-20T10:00:00Z,2026-02-20T10:20:00Z,{},,,",
                    NAMES[who],
                    500 + number
                );
                take_in(school, &self.app, &[("activity.csv", &row)]).await;
            }
            Act::Leave => {
                learner.data_with(LEAVE, course).await;
            }
            Act::Enroll => {
                learner.data_with(ENROLL, course).await;
            }
        }
    }

    /// The class as its instructor sees it, and what each learner sees of hers.
    async fn shown(&self) -> [Value; 4] {
        let [mei, omar, zoe] = &self.learners[..] else { unreachable!("three learners") };
        [self.ana.data(CLASS).await, mei.data(MINE).await, omar.data(MINE).await, zoe.data(MINE).await]
    }
}

/// Whatever is written at either of two servers, both show it at once, as one does that keeps nothing.
async fn what_is_kept_is_what_is_there(database: Database) {
    let school = School::open(database).await.unmetered().await;
    let servers =
        [Desk::at(&school, school.app.clone()).await, Desk::at(&school, school.replica_for_load().await).await];
    let truth = Desk::at(&school, reading(&school).await).await;
    servers[0].learners[2].data_with(ENROLL, json!({ "course": school.course("soil") })).await;
    let mut number = 0;
    for plan in plans(&steps(), 2) {
        for step in &plan {
            number += 1;
            school.clock.advance(30);
            let before = truth.shown().await;
            servers[step.1].act(&school, *step, number).await;
            let expected = truth.shown().await;
            for (at, server) in servers.iter().enumerate() {
                assert_eq!(
                    server.shown().await,
                    expected,
                    "server {at} after {step:?} in {plan:?}, before which it was {before:?}"
                );
            }
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
