//! Fit, answer and absorb times and memory on generated learners:
//! `cargo run --release -p stoa-recommender --example scale -- LEARNERS COURSES [RANKER]`.

use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stoa_recommender::{
    Catalogue, Course, Interaction, Interactions, InteractionsBuilder, Model, Query, RankerKind, Recommender, Settings,
};

/// Courses in series of ten, forty to a topic; learners walk along series of their topics, with jumps.
fn generate(learners: u64, courses: u32, rng: &mut ChaCha8Rng) -> Result<(Catalogue, Interactions), String> {
    let course = |at: u32| Course {
        key: at.to_string(),
        topics: vec![at / 40],
        level: u8::try_from(1 + at % 10 / 4).ok(),
        seconds: Some(600 + at % 7 * 300),
        ..Course::default()
    };
    let topics: Vec<String> = (0..courses.div_ceil(40)).map(|t| format!("Topic {t}")).collect();
    let catalogue = Catalogue::new(topics, (0..courses).map(course).collect()).map_err(|e| e.to_string())?;
    let mut rows = InteractionsBuilder::new(&catalogue);
    for learner in 0..learners {
        let mut at = rng.gen_range(1_600_000_000..1_700_000_000);
        // The least of two draws: learners come to the first topics more, as they do to popular ones.
        let mut course = rng.gen_range(0..courses).min(rng.gen_range(0..courses));
        for _ in 0..rng.gen_range(2..20) {
            let row = Interaction { completion: Some(rng.gen_range(0.0..1.0)), ..Interaction::new(course, at) };
            rows.push(learner, row).map_err(|e| e.to_string())?;
            course = match rng.gen_range(0..10) {
                0..6 => course + 1,
                6..9 => course / 40 * 40 + rng.gen_range(0..40),
                _ => rng.gen_range(0..courses),
            } % courses;
            at += if rng.gen_bool(0.7) { 600 } else { rng.gen_range(0..3_000_000) };
        }
    }
    Ok((catalogue, rows.build()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ranker = match std::env::args().nth(3).as_deref() {
        Some("listwise") => RankerKind::Listwise,
        Some("ftrl") => RankerKind::Ftrl,
        _ => RankerKind::default(),
    };
    let mut numbers = std::env::args().skip(1).take(2).map(|a| a.parse::<u32>());
    let learners = numbers.next().transpose()?.unwrap_or(24_000);
    let courses = numbers.next().transpose()?.unwrap_or(8_000);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (catalogue, rows) = generate(learners.into(), courses, &mut rng)?;
    println!("{learners} learners, {courses} courses, {} interactions kept", rows.len());
    println!("kept {:.4} of the learners; {}", rows.share(), memory());
    let start = Instant::now();
    let mut stage = ("", start);
    let model = Model::fit(&catalogue, &rows, &Settings { ranker, ..Settings::default() }, &mut |p| {
        if p.stage != stage.0 {
            println!("  {:>6.1} s  {}", start.elapsed().as_secs_f64(), p.stage);
            stage = (p.stage, Instant::now());
        }
    })?;
    println!("fit {:.1} s; {}", start.elapsed().as_secs_f64(), memory());
    println!("saved {} kB", model.to_bytes().len() / 1000);
    let recommender = model.bind(&catalogue)?;
    let now = rows.last_at().unwrap_or(0) + 600;
    answers(&recommender, &rows, now);
    absorbing(&recommender, &rows, now, courses, &mut rng);
    println!("after that, {}", memory());
    answers(&recommender, &rows, now);
    Ok(())
}

fn answers(recommender: &Recommender, rows: &Interactions, now: i64) {
    let mut micros: Vec<u128> = Vec::new();
    for (_, history) in rows.iter().take(2000) {
        let query = Query { history, now, limit: 10, ..Query::default() };
        let start = Instant::now();
        let list = recommender.recommend(&query);
        micros.push(start.elapsed().as_micros());
        assert_eq!(list.len(), 10);
    }
    println!("top 10 with reasons: {}", spread(micros));
}

/// A step of each of many learners, one after the other.
fn absorbing(recommender: &Recommender, rows: &Interactions, now: i64, courses: u32, rng: &mut ChaCha8Rng) {
    let mut micros: Vec<u128> = Vec::new();
    let mut first = None;
    for (_, history) in rows.iter().take(20_000) {
        let row = Interaction::new(rng.gen_range(0..courses), now + micros.len() as i64);
        let start = Instant::now();
        if recommender.absorb(history, &row) {
            let took = start.elapsed().as_micros();
            // The first one copies the engines.
            if first.replace(()).is_none() {
                println!("first row absorbed: {took} µs");
            } else {
                micros.push(took);
            }
        }
    }
    println!("a row absorbed: {}", spread(micros));
}

fn spread(mut micros: Vec<u128>) -> String {
    micros.sort_unstable();
    let at = |share: usize| micros.get(micros.len() * share / 100).copied().unwrap_or(0);
    format!("median {} µs, p99 {} µs, of {}", at(50), at(99), micros.len())
}

/// What the process holds and held at most, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?");
        line.trim().to_owned()
    };
    format!("memory {}, at most {}", of("VmRSS:"), of("VmHWM:"))
}
