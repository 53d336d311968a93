//! What is hidden from a viewer makes no difference to her.
//!
//! There are two schools that differ in nothing but what is hidden from somebody. Whatever she asks, both give her the same
//! answer, byte for byte. The questions are random ones over the whole schema, so that a field or an argument which somebody
//! adds is asked for at once. What is hidden stands in [`HIDDEN`]: add to it what you add to the tables.

use std::{cell::RefCell, collections::BTreeSet, env};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::Value;
use stoa_testkit::{Answer, Client, Pool, Queries, Query, Schema, School, story};
use tokio::{runtime::Handle, task::block_in_place};

mod hidden;
mod seen;

use hidden::HIDDEN;
use seen::SEEN;

/// Slugs, words and languages to ask with.
const TEXTS: &[&str] = &[
    "living-soil",
    "compost-step-by-step",
    "le-sol-vivant",
    "hidden-harvest",
    "another-harvest",
    "une-idee",
    "biology",
    "gardening",
    "orchards",
    "pomology",
    "soil",
    "harvest pears",
    "worms",
    "sand",
    "two -rain",
    "\"too much\"",
    "vers",
    "so* -worms",
    "en",
    "fr",
    "",
];

/// How many questions are asked after each change, and after all of them; on PostgreSQL a part of them, since the policy is the
/// same there. With `STOA_PROPTEST_CASES` it is that number each time.
const AFTER_EACH: u32 = 2;
const AFTER_ALL: u32 = 40;
/// Of so many questions those that ask for the field in which something shows are asked, until it is noticed.
const UNTIL_NOTICED: u32 = 60_000;

/// A school with all kinds of people: those who left, those who only help, and courses that are not published.
async fn enlarge(school: &School) {
    let folder = School::fixture().with_file_name("evening");
    let report = school.import(&folder).await;
    assert!(report.complete(), "{report}");
    school
        .execute(
            "UPDATE courses SET status = 'DRAFT' WHERE id IN ({course:plan}, {course:idee});
             INSERT INTO course_prerequisites (course_id, required_course_id) VALUES ({course:compost}, {course:plan});
             UPDATE enrolments SET left_at = 1714521600000000 WHERE learner_id = {person:ida};
             UPDATE enrolments SET left_at = 1771545600000000 WHERE learner_id = {person:tom};
             UPDATE threads SET anonymity = 'CLASSMATES' WHERE id = {thread:t4};
             UPDATE posts SET anonymity = 'CLASSMATES', alias = 1 WHERE id = {post:p8};
             UPDATE threads SET anonymity = 'ALL_BUT_MODERATORS' WHERE id = {thread:t5};
             UPDATE posts SET anonymity = 'ALL_BUT_MODERATORS', alias = 1 WHERE id = {post:p10};
             UPDATE posts SET votes = 1 WHERE id = {post:p2};
             INSERT INTO post_votes (course_id, post_id, voter_id, voted_at) VALUES ({course:soil}, {post:p2}, {person:mei}, 5);
             UPDATE posts SET removed_at = 6, removed_as = 'AUTHOR', removal_reason = 'Sorry.' WHERE id = {post:p11};
             INSERT INTO post_revisions (course_id, post_id, id, version, body, edited_at, edited_as, editor_id, reason)
               VALUES ({course:soil}, {post:p2}, {new:41}, 1, 'Two is few.', 5, 'MODERATOR', {person:ana}, 'How.'),
                 ({course:soil}, {post:p11}, {new:42}, 1, 'So had we.', 5, 'AUTHOR', {person:ida}, NULL);
             INSERT INTO cohorts (course_id, id, name, created_at) VALUES ({course:compost}, {new:21}, 'Spring', 5), ({course:soil}, {new:22}, 'Autumn', 5);
             INSERT INTO course_reviews (course_id, id, author_id, rating, body, shows_name, created_at) VALUES
               ({course:soil}, {new:23}, {person:mei}, 4, 'Dig.', FALSE, 1771000000000000), ({course:soil}, {new:24}, {person:lin}, 3, 'Worms.', TRUE, 1771100000000000);
             INSERT INTO lesson_versions (lesson_id, version, title, body, completion, published_at) VALUES
               ({lesson:compost-2}, 1, 'Heaps', 'Sand.', 'VIEW', 5), ({lesson:compost-2}, 2, 'A place for the heap', 'In the shade.', 'VIEW', 1760000000000000);
             UPDATE lessons SET content_version = 2 WHERE id = {lesson:compost-2};
             INSERT INTO lesson_drafts (lesson_id, title, body, completion, is_preview, updated_at) VALUES ({lesson:compost-2}, 'Heaps, once more', 'In the sun.', 'VIEW', FALSE, 5);
             INSERT INTO account_roles (account_id, role, granted_at) VALUES ({person:kim}, 'SUPPORT', 1), ({person:raj}, 'ANALYST', 1), ({person:noor}, 'ADMINISTRATOR', 1)",
        )
        .await;
    school.person("mei").await;
}

/// The same school once more.
async fn twin(school: &School) -> School {
    let twin = School::open(school.database.another().await.expect("a database as before")).await.unmetered().await;
    enlarge(&twin).await;
    twin
}

async fn viewer(school: &School, who: &str) -> Client {
    // What is left of a budget changes with time, for everybody.
    if who == "nobody" { school.anybody().clone() } else { school.person(who).await.with_header("stoa-cost", "omit") }
}

async fn pool(schools: [&School; 2]) -> Pool {
    let mut ids: Vec<_> = ["", "nonsense", "Q0NDQ0NDQ0NDQ0NDQ0NDQ0M"].map(|id| ("Nothing", id.to_owned())).into();
    for school in schools {
        ids.extend(school.global_ids().await);
    }
    Pool::new(ids, TEXTS)
}

/// How often two schools are asked a question before their answers count as different. Which of several errors cuts an answer
/// short depends on which resolver came first, so the same school may answer in more than one way.
const ROUNDS: usize = 8;

/// The two answers, if they differ: if one school always answers the same, and the other never so.
fn difference(clients: &[Client; 2], pool: &Pool, query: &Query) -> Option<[Answer; 2]> {
    block_in_place(|| {
        Handle::current().block_on(async {
            let mut answers = [Vec::new(), Vec::new()];
            for _ in 0..ROUNDS {
                for (client, answers) in clients.iter().zip(&mut answers) {
                    answers.push(comparable(client.ask_query(query).await));
                }
                let [ours, theirs] = &answers;
                if ours.iter().any(|answer| theirs.contains(answer)) {
                    pool.keep_cursors(query.cursors(&ours[0].json()));
                    return None;
                }
            }
            let [ours, _] = &answers;
            let is_steady = ours.iter().all(|answer| *answer == ours[0]);
            is_steady.then(|| answers.map(|mut answers| answers.swap_remove(0)))
        })
    })
}

/// An answer without what differs from request to request: its id, and the order of its errors.
fn comparable(mut answer: Answer) -> Answer {
    answer.request_id.clear();
    answer.headers.remove("x-request-id");
    let mut body = answer.json();
    if let Some(errors) = body["errors"].as_array_mut() {
        for extensions in errors.iter_mut().filter_map(|error| error["extensions"].as_object_mut()) {
            extensions.remove("requestId");
        }
        errors.sort_by_key(Value::to_string);
        answer.text = body.to_string();
    }
    answer
}

/// Asks so many random questions, until one is answered differently; and that one as small as it goes.
fn first_difference(
    schema: &Schema,
    clients: &[Client; 2],
    pool: &Pool,
    (cases, stream, shrink): (u32, u8, u32),
    wanted: Option<&str>,
) -> Option<(Query, [Answer; 2])> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
    let mut runner = match more_cases() {
        // Every run of the suite asks the same; whoever asks for more gets others each time.
        None => TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[stream; 32])),
        Some(cases) => TestRunner::new(Config { cases, ..config }),
    };
    let is_wanted = |query: &Query| wanted.is_none_or(|field| query.fields().iter().any(|asked| asked == field));
    let last = RefCell::new(None);
    let same = |query: Query| {
        // Asked twice: on a busy machine, chance alone may make the same answers look different once.
        let differs = || is_wanted(&query).then(|| difference(clients, pool, &query)).flatten();
        let Some(answers) = differs().and_then(|_| differs()) else { return Ok(()) };
        last.replace(Some(answers));
        Err(TestCaseError::fail("the answers differ"))
    };
    match runner.run(&Queries { schema, pool }, same) {
        Ok(()) => None,
        Err(TestError::Fail(_, query)) => last.take().map(|answers| (query, answers)),
        Err(error) => panic!("{error}"),
    }
}

/// The number of questions that `STOA_PROPTEST_CASES` asks for.
fn more_cases() -> Option<u32> {
    env::var("STOA_PROPTEST_CASES").ok().map(|cases| cases.parse().expect("STOA_PROPTEST_CASES is a number"))
}

/// Nothing that is hidden from somebody makes a difference to her.
async fn what_is_hidden_makes_no_difference(school: &School, who: &str) {
    Box::pin(compare(school, who)).await;
}

async fn compare(school: &School, who: &str) {
    enlarge(school).await;
    let other = Box::pin(twin(school)).await;
    let schema = Schema::ask(school.anybody()).await;
    let clients = [viewer(school, who).await, viewer(&other, who).await];
    let hidden: Vec<_> = HIDDEN.iter().filter(|(from, ..)| from.split(' ').any(|name| name == who)).collect();
    let fewer = if school.database.is_sqlite() { 1 } else { 5 };
    let mut all = pool([school, &other]).await;
    for (index, (_, what, change)) in hidden.iter().enumerate() {
        other.execute(change).await;
        all = all.with_ids(other.global_ids().await);
        let is_last = index + 1 == hidden.len();
        let cases = if is_last { AFTER_ALL / fewer } else { (AFTER_EACH / fewer).max(1) };
        let Some((query, [a, b])) = first_difference(&schema, &clients, &all, (cases, index as u8, 500), None) else {
            continue;
        };
        let mut alone = Vec::new();
        for (_, what, change) in &hidden[..=index] {
            let other = Box::pin(twin(school)).await;
            other.execute(change).await;
            let clients = [clients[0].clone(), viewer(&other, who).await];
            if difference(&clients, &all, &query).is_some() {
                alone.push(*what);
            }
        }
        panic!(
            "{who} can tell what is hidden from her (the last change was {what:?}; alone it takes: {alone:?}) by asking\n\n{query}\n\n\
             which is answered with {}\n{}\n\nand with the change {}\n{}\n",
            a.status, a.text, b.status, b.text
        );
    }
}

story! {
    async fn what_is_hidden_makes_no_difference_to_whoever_has_not_signed_in(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "nobody").await;
    }

    async fn what_is_hidden_makes_no_difference_to_zoe_who_takes_other_courses(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "zoe").await;
    }

    async fn what_is_hidden_makes_no_difference_to_omar_who_is_a_classmate(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "omar").await;
    }

    async fn what_is_hidden_makes_no_difference_to_ana_who_teaches(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "ana").await;
    }

    async fn what_is_hidden_makes_no_difference_to_bo_who_teaches_elsewhere_too(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "bo").await;
    }

    async fn what_is_hidden_makes_no_difference_to_kim_who_helps_people(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "kim").await;
    }

    async fn what_is_hidden_makes_no_difference_to_raj_who_reads_sums(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "raj").await;
    }

    async fn what_is_hidden_makes_no_difference_to_noor_who_runs_the_system(school) {
        what_is_hidden_makes_no_difference(&school.unmetered().await, "noor").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_seen_is_noticed() {
    let school = School::open(stoa_testkit::Database::sqlite()).await.unmetered().await;
    enlarge(&school).await;
    let schema = Schema::ask(school.anybody()).await;
    for (index, (who, what, field, change)) in SEEN.iter().enumerate() {
        let other = Box::pin(twin(&school)).await;
        other.execute(change).await;
        let clients = [viewer(&school, who).await, viewer(&other, who).await];
        let pool = pool([&school, &other]).await;
        let found = first_difference(&schema, &clients, &pool, (UNTIL_NOTICED, index as u8, 0), Some(*field));
        assert!(found.is_some(), "{who} has not noticed {what}");
    }
}

#[tokio::test]
async fn every_field_of_the_schema_is_asked_for() {
    let school = School::open(stoa_testkit::Database::sqlite()).await.unmetered().await;
    let schema = Schema::ask(school.anybody()).await;
    let pool = pool([&school, &school]).await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[0; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let queries = Queries { schema: &schema, pool: &pool };
    let asked: BTreeSet<_> = (0..2_000).flat_map(|_| queries.draw(&mut runner).fields()).collect();
    let missing: Vec<_> = schema.reachable().into_iter().filter(|field| !asked.contains(field)).collect();
    assert!(missing.is_empty(), "never asked for: {missing:?}");
}
