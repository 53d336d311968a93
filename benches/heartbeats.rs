//! Accepted heartbeats per second with 64 clients, each answered after its commit: many in one commit against one commit for
//! each.
//!
//! `cargo bench -p stoa-benches --bench heartbeats`. Each client is a learner of her own who sends a beat, waits for the
//! answer, and sends the next, as the service of progress gets it from the graph. The variants take turns, so that a busy moment
//! of the machine hits both; the figures are medians, and ratios of medians of one run. SQLite is a file with `synchronous =
//! FULL`. On PostgreSQL beats that are committed one by one run on as many connections as the pool has; the server is the tests'
//! own, which does not wait for the disk (`fsync=off`), unless `STOA_TEST_POSTGRES_URL` names another.

use std::time::{Duration, Instant};

use stoa_api::{
    accounts::model::NewAccount,
    ids::{AccountId, LessonId},
    progress::{Learning, model::Activity},
};
use stoa_testkit::{Database, SCHOOL, School};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLIENTS: usize = 64;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(3);

async fn learners(school: &School) -> Vec<AccountId> {
    let course = stoa_api::ids::CourseId::imported(SCHOOL, "soil");
    let mut learners = Vec::with_capacity(CLIENTS);
    for number in 0..CLIENTS {
        let name = format!("Learner {number}");
        let account = NewAccount { name, email: format!("learner-{number}@school.example") };
        let id = school.app.accounts.create(account).await.expect("an account");
        school.app.enrolling.enroll(id, course).await.expect("an answer").expect("an enrolment");
        learners.push(id);
    }
    learners
}

/// Beats that were accepted in a second.
async fn measure(school: &School, learning: &Learning, learners: &[AccountId], round: usize) -> f64 {
    let (lesson, begun) = (LessonId::imported(SCHOOL, "soil-4"), Instant::now());
    let clients: Vec<_> = learners
        .iter()
        .map(|learner| {
            let (learner, learning, clock) = (*learner, learning.clone(), school.clock.clone());
            tokio::spawn(async move {
                let mut beat = 0;
                while begun.elapsed() < ROUND {
                    beat += 1;
                    let activity = Activity {
                        position: Some(beat % 1_700),
                        at: Some(clock.now()),
                        key: Some(format!("{round}-{beat}")),
                        ..Activity::now(lesson, 30)
                    };
                    learning.record(learner, &activity).await.expect("an answer").expect("accepted");
                }
                beat
            })
        })
        .collect();
    // The school's clock stands still unless it is moved: here half a minute passes in some milliseconds.
    let clock = school.clock.clone();
    let ticking = tokio::spawn(async move {
        while begun.elapsed() < ROUND {
            clock.advance(30);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut accepted = 0;
    for client in clients {
        accepted += client.await.expect("a client");
    }
    ticking.await.expect("the clock");
    accepted as f64 / begun.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn compare(name: &str, database: Database) {
    let school = School::open(database).await;
    let learners = learners(&school).await;
    let (together, alone) = (school.app.learning.clone(), school.app.learning.one_by_one());
    let mut figures = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (at, learning) in [&alone, &together].into_iter().enumerate() {
            let rate = measure(&school, learning, &learners, round * 2 + at).await;
            // The first round warms the caches.
            if round > 0 {
                figures[at].push(rate);
            }
        }
    }
    let [alone, together] = figures.map(|mut rates| {
        let (low, high) = (rates.iter().copied().fold(f64::MAX, f64::min), rates.iter().copied().fold(0.0, f64::max));
        (median(&mut rates), low, high)
    });
    for (variant, (rate, low, high)) in [("one commit for each beat", alone), ("many beats in one commit", together)] {
        println!("{name:<9} {variant:<26} {rate:>8.0} beats/s ({low:.0} to {high:.0})   {:.2} x", rate / alone.0);
    }
    school.app.db.close().await;
}

#[tokio::main]
async fn main() {
    println!("{CLIENTS} clients, each beat answered after its commit; medians of {ROUNDS} rounds of {ROUND:?}");
    compare("sqlite", Database::sqlite()).await;
    if let Some(database) = Database::postgres().await {
        compare("postgres", database).await;
    }
}
