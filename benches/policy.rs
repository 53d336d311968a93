//! What the policy and the access log cost: a class page of 300 learners, as its instructor asks for it, against the
//! same query with everybody let at everything.
//!
//! `cargo bench -p stoa-benches --bench policy`. The variants take turns within each round, so that a busy moment of the
//! machine hits all of them; the figures are medians, and ratios of medians of one run. Each is asked some times at its turn, and the
//! last time counts: what one leaves behind is not the next one's to bear. After a commit, each of SQLite's connections forgets the
//! pages that it holds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stoa_api::{
    access::{Mode, set_mode},
    intake::{
        Intake,
        campus::{CAMPUS_UNTIL, Campus, CampusSize},
    },
};
use stoa_testkit::{Client, Database, School};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: CampusSize = CampusSize { learners: 3_000, courses: 20, seed: 1, until: CAMPUS_UNTIL };
const ROUNDS: usize = 60;
/// So often each is asked at its turn: more often than there are connections to read.
const TIMES: usize = 6;

/// What an instructor may see of each learner.
const ALLOWED: &str = "query($slug: String!) { course(slug: $slug) { learners(first: 300, state: ACTIVE) { nodes { id
    learner { id name } enrolledAt leftAt completedAt progress seconds lastActiveAt } } } }";

/// The same, with three fields that she may not see.
const DENIED: &str = "query($slug: String!) { course(slug: $slug) { learners(first: 300, state: ACTIVE) { nodes { id
    learner { id name email goals { slug } timePerTopic { seconds } } enrolledAt leftAt completedAt progress seconds lastActiveAt } } } }";

struct Ready {
    school: School,
    instructor: Client,
    slug: String,
}

async fn ready(database: Database) -> Ready {
    let school = School::for_load(database).await;
    let app = &school.app;
    let intake = Intake::new(app.db.clone(), app.clock.clone(), app.accounts.clone());
    let report = intake.take(&Campus::new(SIZE), &mut |_, _, _| {}).await.expect("a campus");
    assert!(report.complete(), "{report}");
    app.db.analyze().await.expect("statistics");
    let (instructor, slug) = school.largest_class().await;
    Ready { school, instructor, slug }
}

async fn ask(ready: &Ready, query: &str) -> (Duration, Value) {
    let begun = Instant::now();
    let answer = ready.instructor.ask_with(query, json!({ "slug": ready.slug })).await;
    (begun.elapsed(), answer)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn measure(name: &str, ready: &Ready) {
    let variants = [
        ("policy and access log", ALLOWED, Mode::Policy),
        ("the same, and denied fields", DENIED, Mode::Policy),
        ("policy, no log", ALLOWED, Mode::Unlogged),
        ("everything allowed, no log", ALLOWED, Mode::AllowAll),
    ];
    let mut times = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        for (at, (_, query, mode)) in variants.iter().enumerate() {
            set_mode(*mode);
            for _ in 1..TIMES {
                ask(ready, query).await;
            }
            let (took, answer) = ask(ready, query).await;
            let learners = answer["data"]["course"]["learners"]["nodes"].as_array().map_or(0, Vec::len);
            assert_eq!(learners, 300, "a class page of 300 learners: {answer:#}");
            // The first round warms the caches.
            if round > 0 {
                times[at].push(took);
            }
        }
    }
    set_mode(Mode::Policy);
    let medians = times.map(|mut times| median(&mut times));
    for ((variant, ..), time) in variants.iter().zip(medians) {
        let ratio = time.as_secs_f64() / medians[3].as_secs_f64();
        println!("{name:<9} {variant:<28} {:>9.3} ms   {ratio:.2} x", time.as_secs_f64() * 1_000.0);
    }
    ready.school.app.db.close().await;
}

#[tokio::main]
async fn main() {
    measure("sqlite", &ready(Database::sqlite()).await).await;
    if let Some(database) = Database::postgres().await {
        measure("postgres", &ready(database).await).await;
    }
}
