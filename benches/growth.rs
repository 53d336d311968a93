//! What a request costs in a school of 1,000 learners and in one of 100,000, with the same courses: so with classes, forums and
//! records that are a hundred times as long.
//!
//! `cargo bench -p stoa-benches --bench growth`; `-- 20000` for another number of learners in the larger one. Both schools are
//! generated campuses on the same kind of database; both then get beats of activity, in proportion, by one statement. The
//! schools take turns within each round, so that a busy moment of the machine hits both; the figures are medians of one run.
//! Nothing is made in a timed part. On PostgreSQL both schools are databases of the tests' own server, whose cache (64 MB) is
//! far smaller than the larger one.

use std::{
    env,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stoa_api::intake::{
    Intake,
    campus::{CAMPUS_UNTIL, Campus, CampusSize},
};
use stoa_testkit::{Client, Database, School};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COURSES: u32 = 60;
const SMALL: u32 = 1_000;
const LARGE: u32 = 100_000;
/// Beats of each learner on average, on SQLite and on PostgreSQL: up to ten millions there.
const BEATS: [u32; 2] = [20, 100];
const ROUNDS: usize = 101;
/// A request in the larger school may cost so many times what it costs in the smaller one.
const GOAL: f64 = 1.5;

/// 20 courses with their modules and lessons; threads of a forum with their posts and authors, as many as the smaller school has, 20
/// at most. Asked for by a learner.
const CATALOGUE: &str = "query($slug: String!, $threads: Int!) {
    courses(first: 20) { nodes { id title level modules { id title lessons { id title kind seconds } } } }
    course(slug: $slug) { forum { threads(first: $threads) { nodes { id title createdAt author { id name }
        posts(first: 10) { nodes { id body createdAt author { id name } } } } } } } }";

/// What she has taken, and how far she is.
const HOME: &str = "{ me { enrolments(first: 10) { nodes { progress seconds course { title }
    modules { progress module { title } } } } } }";

/// What is new in a forum: at most the 1,500 latest threads are looked at, which the smaller school does not have.
const UNREAD: &str = "query($slug: String!) { course(slug: $slug) { forum { unreadThreads(first: 20) { nodes { id title unreadCount } } } } }";

/// 50 learners of a class, as its instructor sees them.
const CLASS: &str = "query($slug: String!) { course(slug: $slug) { learners(first: 50) { nodes {
    progress seconds completedAt lastActiveAt learner { id name email education timeZone }
    modules { progress seconds lessons { score } } } } } }";

/// A school, a learner and an instructor in it.
struct Ready {
    school: School,
    ada: Client,
    instructor: Client,
}

/// Fills a school. The courses of a learner are the same in both: the larger campus holds the smaller one.
async fn fill(database: Database, learners: u32) -> School {
    let begun = Instant::now();
    let school = School::for_load(database).await;
    let app = &school.app;
    let intake = Intake::new(app.db.clone(), app.clock.clone(), app.accounts.clone());
    let size = CampusSize { learners, courses: COURSES, seed: 1, until: CAMPUS_UNTIL };
    let report = intake.take(&Campus::new(size), &mut |_, _, _| {}).await.expect("a campus");
    assert!(report.complete(), "{report}");
    let taken = begun.elapsed();
    let kind = usize::from(!school.database.is_sqlite());
    school.execute(&beats(school.database.is_sqlite(), learners * BEATS[kind])).await;
    app.db.analyze().await.expect("statistics");
    let (all, beats) = (begun.elapsed().as_secs(), begun.elapsed().saturating_sub(taken).as_secs());
    println!(
        "{}: {learners} learners in {all} s, of which beats and statistics {beats} s; {}",
        app.db.kind(),
        rows(&school).await
    );
    school
}

/// So many beats, spread over what learners have opened.
fn beats(is_sqlite: bool, count: u32) -> String {
    let each = "(SELECT 1 + %count% / (SELECT COUNT(*) FROM lesson_progress))".replace("%count%", &count.to_string());
    let columns = "INSERT INTO activity_beats (learner_id, id, course_id, lesson_id, session_id, at, not_before, seconds, capped)";
    if is_sqlite {
        format!(
            "{columns} WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {each})
             SELECT learner_id, randomblob(16), course_id, lesson_id, zeroblob(16), started_at + n * 30000000, started_at, 30, 0
             FROM lesson_progress CROSS JOIN numbers LIMIT {count};"
        )
    } else {
        // The keys of what was just read need no second look.
        format!(
            "SET session_replication_role = replica;
             {columns} SELECT learner_id, gen_random_uuid(), course_id, lesson_id, '00000000-0000-0000-0000-000000000000',
               started_at + n * 30000000, started_at, 30, 0
             FROM lesson_progress CROSS JOIN generate_series(1, {each}) n LIMIT {count};"
        )
    }
}

/// How much there is.
async fn rows(school: &School) -> String {
    let mut said = Vec::new();
    for table in ["enrolments", "lesson_progress", "activity_beats", "threads", "posts"] {
        said.push(format!("{} {table}", school.count(table).await));
    }
    said.join(", ")
}

async fn ready(school: School, taught: &str) -> Ready {
    let accounts = &school.app.accounts;
    let id = accounts.find_by_email("ada@campus.example").await.expect("an answer").expect("Ada");
    let token = accounts.issue_token(id, "bench", None).await.expect("a token");
    let ada = school.anybody().with_token(token.secret_text());
    let instructor = school.instructor(taught).await;
    Ready { school, ada, instructor }
}

/// The slug of Ada's course with the most threads, and how many it has.
async fn of_ada(ready: &Ready) -> (String, usize) {
    let query =
        "{ me { enrolments(first: 50) { nodes { course { slug forum { threads(first: 100) { nodes { id } } } } } } } }";
    let mine = ready.ada.data(query).await;
    let courses = mine["me"]["enrolments"]["nodes"].as_array().expect("her courses").iter().map(|node| &node["course"]);
    let threads = |course: &&Value| course["forum"]["threads"]["nodes"].as_array().map_or(0, Vec::len);
    let course = courses.max_by_key(threads).expect("a course");
    (course["slug"].as_str().expect("a slug").to_owned(), threads(&course))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn compare(small: School, large: School) {
    let (_, taught) = large.largest_class().await;
    let schools = [ready(small, &taught).await, ready(large, &taught).await];
    let (taken, threads) = of_ada(&schools[0]).await;
    let operations = [
        ("catalogue and forum", CATALOGUE, json!({ "slug": taken, "threads": threads.min(20) }), false, true),
        ("a learner's home", HOME, json!({}), false, true),
        ("50 of a class", CLASS, json!({ "slug": taught }), true, true),
        ("unread threads", UNREAD, json!({ "slug": taken }), false, false),
    ];
    let mut times = [const { [const { Vec::new() }; 2] }; 4];
    for round in 0..=ROUNDS {
        for (at, (_, query, variables, teaches, _)) in operations.iter().enumerate() {
            for (of, ready) in schools.iter().enumerate() {
                let client = if *teaches { &ready.instructor } else { &ready.ada };
                let begun = Instant::now();
                client.data_with(query, variables.clone()).await;
                // The first round warms the caches.
                if round > 0 {
                    times[at][of].push(begun.elapsed());
                }
            }
        }
    }
    let kind = schools[0].school.app.db.kind();
    for ((name, .., has_goal), [mut small, mut large]) in operations.into_iter().zip(times) {
        let (small, large) = (median(&mut small).as_secs_f64() * 1e3, median(&mut large).as_secs_f64() * 1e3);
        let goal = if !has_goal {
            "no goal"
        } else if large <= small * GOAL {
            "reached"
        } else {
            "MISSED"
        };
        println!("{kind:<9} {name:<20} {small:>8.2} ms {large:>8.2} ms   {:>5.2} x   {goal}", large / small);
    }
    for ready in schools {
        ready.school.app.db.close().await;
    }
}

#[tokio::main]
async fn main() {
    let learners = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(LARGE);
    println!(
        "{SMALL} and {learners} learners in {COURSES} courses; medians of {ROUNDS} rounds; goal: at most {GOAL} x"
    );
    compare(fill(Database::sqlite(), SMALL).await, fill(Database::sqlite(), learners).await).await;
    if let (Some(small), Some(large)) = (Database::postgres().await, Database::postgres().await) {
        compare(fill(small, SMALL).await, fill(large, learners).await).await;
    }
}
