//! What the recommender costs on one thread: lists, and fits.
//!
//! `cargo bench -p stoa-benches --bench recommender`. Compare inside a run: four times the courses should
//! cost at most five times the latency.

mod campus;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use stoa_recommender::{EngineSettings, Interaction, Model, Query, RankerKind, Settings};

use campus::campus;

/// Three learners for each course, as in a school whose catalogue grows with it.
const LEARNERS_PER_COURSE: u64 = 3;

/// Without a search and with the quicker ranker: what is measured here is answering.
fn quick() -> Settings {
    Settings { tune: false, choices: 1500, ranker: RankerKind::Listwise, ..Settings::default() }
}

/// Ten courses with reasons, for one learner after the other.
fn lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("top 10 with reasons");
    for courses in [2_000, 8_000] {
        let (catalogue, rows) = campus(u64::from(courses) * LEARNERS_PER_COURSE, courses);
        let model = Model::fit(&catalogue, &rows, &quick(), &mut |_| ()).expect("fits");
        let recommender = model.bind(&catalogue).expect("its own catalogue");
        let now = rows.last_at().unwrap_or(0) + 600;
        let histories: Vec<Vec<Interaction>> = rows.iter().take(500).map(|(_, history)| history.to_vec()).collect();
        let mut next = histories.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(courses), |bench| {
            bench.iter(|| {
                let history = next.next().expect("a cycle has no end");
                let query = Query { history, now, limit: 10, ..Query::default() };
                black_box(recommender.recommend(&query))
            });
        });
    }
    group.finish();
}

/// An interaction that arrives, counted without a fit.
fn arrivals(criterion: &mut Criterion) {
    let (catalogue, rows) = campus(24_000, 8_000);
    let model = Model::fit(&catalogue, &rows, &quick(), &mut |_| ()).expect("fits");
    let recommender = model.bind(&catalogue).expect("its own catalogue");
    let steps: Vec<_> = rows.iter().take(500).filter_map(|(_, history)| history.split_last()).collect();
    // The first one copies the engines.
    let (row, history) = steps.first().expect("somebody did something");
    recommender.absorb(history, row);
    let mut next = steps.iter().cycle();
    criterion.bench_function("an interaction arrives", |bench| {
        bench.iter(|| {
            let (row, history) = next.next().expect("a cycle has no end");
            black_box(recommender.absorb(history, row))
        });
    });
}

/// Two engines alone, and the whole hybrid with its search, on a small school.
fn fits(criterion: &mut Criterion) {
    let (catalogue, rows) = campus(2_000, 400);
    let alone = |engine: &str| Settings {
        engines: vec![EngineSettings::new(engine)],
        choices: 0,
        tune: false,
        ..Settings::default()
    };
    let all = [
        ("model of rules alone", alone("rules")),
        ("model of slist alone", alone("slist")),
        ("whole hybrid", Settings::default()),
    ];
    let mut group = criterion.benchmark_group("fit, 2,000 learners, 400 courses");
    group.sample_size(10);
    for (name, settings) in all {
        group.bench_function(name, |bench| {
            bench.iter(|| Model::fit(&catalogue, &rows, &settings, &mut |_| ()).expect("fits"));
        });
    }
    group.finish();
}

criterion_group!(benches, lists, arrivals, fits);
criterion_main!(benches);
