//! One method fitted and judged on a split: prints one line of JSON with seconds, NDCG@10, HR@10 and the
//! peak of memory. See `run.sh` beside this file.

use std::time::Instant;

use discorec::RecommenderBuilder;
use stoa_recommender::{
    Content, EngineSettings, Settings,
    engine::{Registry, TrainingData, Values},
    evaluate::{MIX, Part, Split, evaluate_split},
};

struct Found {
    method: &'static str,
    fit_seconds: f64,
    ndcg_10: f64,
    hr_10: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let method = arguments.next().ok_or("which method? hybrid, rules, slist or discorec")?;
    let split = Split::read(arguments.next().ok_or("which split?")?)?;
    let found = match &*method {
        "hybrid" => stoa("Stoa, whole hybrid", MIX, &split, &Settings::default())?,
        "rules" => alone("Stoa, sequential rules", "rules", &split)?,
        "slist" => alone("Stoa, SLIST", "slist", &split)?,
        "discorec" => discorec(&split),
        _ => return Err(format!("there is no method {method}").into()),
    };
    let Found { method, fit_seconds, ndcg_10, hr_10 } = found;
    let line = serde_json::json!({
        "method": method, "fit_seconds": fit_seconds, "ndcg_10": ndcg_10, "hr_10": hr_10, "peak_mb": peak_mb(),
    });
    println!("{line}");
    Ok(())
}

/// One engine with its defaults: its own fit, without a ranker and a completion model around it.
fn alone(method: &'static str, engine: &str, split: &Split) -> Result<Found, Box<dyn std::error::Error>> {
    let settings = EngineSettings::new(engine);
    let registry = Registry::standard();
    let registered = registry.find(engine).ok_or("there is no such engine")?;
    let built = (registered.build)(&Values::check(engine, registered.parameters, &settings.parameters)?);
    let content = Content::new(&split.catalogue);
    let data = TrainingData {
        content: &content,
        histories: split.trainval.iter().map(|(_, history)| history).collect(),
        now: split.trainval.last_at().unwrap_or(0),
        clock: split.trainval.has_clock(),
    };
    let start = Instant::now();
    let fitted = built.fit(&data)?;
    let fit_seconds = start.elapsed().as_secs_f64();
    drop(fitted);
    let settings = Settings { engines: vec![settings], choices: 0, tune: false, ..Settings::default() };
    Ok(Found { fit_seconds, ..stoa(method, engine, split, &settings)? })
}

fn stoa(
    method: &'static str,
    name: &str,
    split: &Split,
    settings: &Settings,
) -> Result<Found, Box<dyn std::error::Error>> {
    let report = evaluate_split(split, Part::Test, settings, &mut |_| ())?;
    let found = report.method(name).ok_or("it has no ground in this data")?;
    Ok(Found { method, fit_seconds: report.fit_seconds, ndcg_10: found.ndcg_10, hr_10: found.hr_10 })
}

/// As many factors and rounds as the implicit library has here, and its weights.
fn discorec(split: &Split) -> Found {
    let rows =
        split.trainval.iter().flat_map(|(learner, history)| history.iter().map(move |row| (learner, row.course)));
    let rows: Vec<(u64, u32, f32)> = rows.map(|(learner, course)| (learner, course, 1.0)).collect();
    let mut builder = RecommenderBuilder::new();
    builder.factors(128).iterations(15).regularization(10.0).alpha(5.0).seed(42);
    let start = Instant::now();
    let model = builder.fit_implicit(&rows);
    let fit_seconds = start.elapsed().as_secs_f64();
    let (mut gains, mut hits) = (0.0, 0.0);
    for target in &split.test {
        let had = split.trainval.of(target.learner);
        let own = model.predict(&target.learner, &target.course);
        let (mut above, mut equal) = (0_u32, 0_u32);
        for course in 0..split.catalogue.len() as u32 {
            if course == target.course || had.iter().any(|row| row.course == course) {
                continue;
            }
            let score = model.predict(&target.learner, &course);
            above += u32::from(score > own);
            equal += u32::from(score.total_cmp(&own).is_eq());
        }
        let rank = 1.0 + f64::from(above) + f64::from(equal) / 2.0;
        gains += if rank <= 10.0 { 1.0 / (1.0 + rank).log2() } else { 0.0 };
        hits += f64::from(u8::from(rank <= 10.0));
    }
    let asked = split.test.len().max(1) as f64;
    Found { method: "discorec ALS (Rust)", fit_seconds, ndcg_10: gains / asked, hr_10: hits / asked }
}

/// The most memory that this process has had, in MB; 0 where the system doesn't say.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
