//! The table.

use std::collections::BTreeMap;

use crate::{load::Sample, operations::Operation, servers::Kind};

/// What was measured: by operation, connections and server, a sample of each round.
pub(crate) type Measured = BTreeMap<(Operation, usize, Kind), Vec<Sample>>;

/// How many times a peer's requests Stoa is to answer: the figures that we have set ourselves, and are measured by.
const fn goal(operation: Operation, connections: usize, peer: Kind) -> f64 {
    match (peer, connections, operation) {
        (Kind::Postgraphile, ..) => 15.0,
        (_, 1, _) => 1.2,
        (.., Operation::Catalogue) => 2.5,
        (.., Operation::Home | Operation::Class) => 2.0,
    }
}

/// Of the memory of a peer's processes under load Stoa is to take at most this share.
const MEMORY_GOAL: f64 = 0.2;

/// Least, median and greatest of a figure.
struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

fn spread(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> Spread {
    let mut all: Vec<f64> = samples.iter().map(figure).collect();
    all.sort_unstable_by(f64::total_cmp);
    let middle = all.len() / 2;
    let median = if all.len() % 2 == 1 { all[middle] } else { f64::midpoint(all[middle - 1], all[middle]) };
    Spread { least: all[0], median, greatest: all[all.len() - 1] }
}

const MEGABYTE: f64 = 1_048_576.0;

/// The table as Markdown, and below it how Stoa stands to each peer and to the goals. `rest` is each server's memory at rest.
pub(crate) fn report(measured: &Measured, rest: &BTreeMap<Kind, u64>) -> String {
    let mut text = String::from(
        "| operation | connections | server | requests/s (min..max) | p50 ms | p99 ms (min..max) | MB at rest / under load \
         | CPU ms a request: server | PostgreSQL | together | Stoa/peer: requests/s | p99 |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for ((operation, connections, kind), samples) in measured {
        let throughput = spread(samples, |sample| sample.throughput);
        let p99 = spread(samples, |sample| sample.p99);
        let p50 = spread(samples, |sample| sample.p50).median;
        let resident = spread(samples, |sample| sample.resident as f64).greatest / MEGABYTE;
        let server = spread(samples, |sample| sample.server_cpu).median;
        let postgres = spread(samples, |sample| sample.postgres_cpu).median;
        let at_rest = rest.get(kind).copied().unwrap_or(0) as f64 / MEGABYTE;
        let stoa = measured.get(&(*operation, *connections, Kind::Stoa)).filter(|_| *kind != Kind::Stoa);
        let [ratio, p99_ratio] = match stoa {
            None => [String::new(), String::new()],
            Some(stoa) => [
                format!("{:.2}", spread(stoa, |sample| sample.throughput).median / throughput.median),
                format!("{:.2}", spread(stoa, |sample| sample.p99).median / p99.median),
            ],
        };
        text += &format!(
            "| {} | {connections} | {} | {:.0} ({:.0}..{:.0}) | {p50:.1} | {:.1} ({:.1}..{:.1}) | {at_rest:.0} / {resident:.0} \
             | {server:.2} | {postgres:.2} | {:.2} | {ratio} | {p99_ratio} |\n",
            operation.name(),
            kind.name(),
            throughput.median,
            throughput.least,
            throughput.greatest,
            p99.median,
            p99.least,
            p99.greatest,
            server + postgres,
        );
    }
    text + "\n" + &goals(measured)
}

/// How Stoa stands to each peer, operation by operation.
fn goals(measured: &Measured) -> String {
    let mut text = String::from("Goals (Stoa/peer; p99 is to be lower than each peer's, memory at most a fifth):\n");
    let is_met = |met| if met { "met" } else { "MISSED" };
    for ((operation, connections, peer), samples) in measured.iter().filter(|((.., kind), _)| *kind != Kind::Stoa) {
        let Some(stoa) = measured.get(&(*operation, *connections, Kind::Stoa)) else { continue };
        let ratio = |figure: fn(&Sample) -> f64| spread(stoa, figure).median / spread(samples, figure).median;
        let (more, longer) = (ratio(|sample| sample.throughput), ratio(|sample| sample.p99));
        let memory = ratio(|sample| sample.resident as f64);
        let goal = goal(*operation, *connections, *peer);
        text += &format!(
            "  {} at {connections}, {}: {more:.2} of the requests, goal {goal:.1} ({}); {longer:.2} of the p99 ({}); {memory:.2} of the memory ({})\n",
            operation.name(),
            peer.name(),
            is_met(more >= goal),
            is_met(longer < 1.0),
            is_met(memory <= MEMORY_GOAL),
        );
    }
    text
}
