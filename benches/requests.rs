//! What requests cost through the server's own routes, on both databases in one run: compare within a run.
//!
//! `cargo bench -p stoa-benches`; `-- catalogue` runs what has it in its name. PostgreSQL is found as the
//! tests find it. The data is the generated campus with a fixed seed; nothing of it is made in a timed part.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use stoa_api::{
    intake::{
        Intake,
        campus::{CAMPUS_UNTIL, Campus, CampusSize},
    },
    recommendations::model::MAX_LIST,
};
use stoa_recommender::Settings;
use stoa_testkit::{Client, Database, School};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: CampusSize = CampusSize { learners: 1_000, courses: 60, seed: 1, until: CAMPUS_UNTIL };

/// 20 courses with their modules and lessons; 20 threads with their posts and authors.
const NESTED: &str = "query($slug: String!) {
    courses(first: 20) { nodes { id title level modules { id title lessons { id title kind seconds } } } }
    course(slug: $slug) { forum { threads(first: 20) { nodes { id title createdAt author { id name }
        posts(first: 10) { nodes { id body createdAt author { id name } } } } } } } }";

const CATALOGUE: &str =
    "{ courses(first: 20) { nodes { id title level modules { id title lessons { id title kind seconds } } } } }";

const HOME: &str = "{ me { enrolments(first: 10) { nodes { progress seconds course { title }
    modules { progress module { title } } } } } }";

const NEXT: &str = "{ me { recommendations(first: 10) { score course { title } reasons { kind sentence } } } }";

const RECORD: &str = "mutation($lesson: ID!) { recordActivity(lessonId: $lesson, input: { seconds: 1, position: 1 }) {
    enrolment { seconds } userErrors { code } } }";

/// A campus on a database, and Ada in it.
struct Ready {
    school: School,
    ada: Client,
    /// A course of hers whose forum has the most threads, by slug.
    slug: String,
    /// A lesson of hers.
    lesson: Value,
}

async fn ready(database: Database) -> Ready {
    let school = School::for_load(database).await;
    let app = &school.app;
    let intake = Intake::new(app.db.clone(), app.clock.clone(), app.accounts.clone());
    let report = intake.take(&Campus::new(SIZE), &mut |_, _, _| {}).await.expect("a campus");
    assert!(report.complete(), "{report}");
    app.db.analyze().await.expect("statistics");
    app.feed.train(Settings::default(), |_| {}).await.expect("a model");
    app.feed.refresh().await.expect("a model in use");
    let id = app.accounts.find_by_email("ada@campus.example").await.expect("an answer").expect("Ada");
    let token = app.accounts.issue_token(id, "bench", None).await.expect("a token");
    let ada = school.anybody().with_token(token.secret_text());
    let mine = ada
        .data(
            "{ me { enrolments(first: 50) { nodes { course { slug forum { threads(first: 20) { nodes { id } } }
               modules { lessons { id } } } } } } }",
        )
        .await;
    let courses = mine["me"]["enrolments"]["nodes"].as_array().expect("her courses").iter().map(|node| &node["course"]);
    let threads = |course: &&Value| course["forum"]["threads"]["nodes"].as_array().map_or(0, Vec::len);
    let course = courses.max_by_key(threads).expect("a course").clone();
    Ready {
        slug: course["slug"].as_str().expect("a slug").to_owned(),
        lesson: course["modules"][0]["lessons"][0]["id"].clone(),
        ada,
        school,
    }
}

fn requests(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut databases = vec![("sqlite", runtime.block_on(ready(Database::sqlite())))];
    if let Some(database) = runtime.block_on(async { Database::postgres().await }) {
        databases.push(("postgres", runtime.block_on(ready(database))));
    }
    for (name, query) in [("nested", NESTED), ("catalogue", CATALOGUE), ("home", HOME), ("next, kept", NEXT)] {
        let mut group = criterion.benchmark_group(name);
        for (database, ready) in &databases {
            group.bench_function(BenchmarkId::from_parameter(database), |bencher| {
                bencher.iter(|| runtime.block_on(ready.ada.data_with(query, json!({ "slug": ready.slug }))));
            });
        }
        group.finish();
    }
    let mut group = criterion.benchmark_group("next, computed");
    for (database, ready) in &databases {
        group.bench_function(BenchmarkId::new(*database, MAX_LIST), |bencher| {
            // A new sitting each time: the list that was kept is too old.
            bencher.iter(|| {
                ready.school.clock.advance(3_600);
                runtime.block_on(ready.ada.data(NEXT))
            });
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("record activity, one commit each");
    for (database, ready) in &databases {
        group.bench_function(BenchmarkId::from_parameter(database), |bencher| {
            bencher.iter(|| runtime.block_on(ready.ada.data_with(RECORD, json!({ "lesson": ready.lesson }))));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = requests
}
criterion_main!(benches);
