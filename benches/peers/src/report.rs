//! The table.

use std::collections::BTreeMap;

use crate::{load::Sample, operations::Operation, servers::Kind};

/// What was measured: by operation, connections and server, a sample of each round.
pub(crate) type Measured = BTreeMap<(Operation, usize, Kind), Vec<Sample>>;

/// What Stoa should reach against the fastest peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// Its throughput as a multiple of the peer's, at least.
    pub(crate) throughput: f64,
    /// Its 99th percentile as a multiple of the peer's, at most.
    pub(crate) p99: f64,
}

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

/// The table as Markdown, and below it how Stoa stands to each peer and to the goal. `rest` is each server's memory at rest.
pub(crate) fn report(measured: &Measured, rest: &BTreeMap<Kind, u64>, goal: Goal) -> String {
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
    text + "\n" + &goals(measured, goal)
}

/// How Stoa stands to the fastest peer, operation by operation.
fn goals(measured: &Measured, goal: Goal) -> String {
    let mut text = format!(
        "Goals: at least {:.2} times the requests of the fastest peer, at most {:.2} times its p99.\n",
        goal.throughput, goal.p99
    );
    for ((operation, connections, _), stoa) in measured.iter().filter(|((.., kind), _)| *kind == Kind::Stoa) {
        let peers =
            measured.iter().filter(|((of, at, kind), _)| (of, at) == (operation, connections) && *kind != Kind::Stoa);
        let throughput = |samples: &[Sample]| spread(samples, |sample| sample.throughput).median;
        let fastest = peers.max_by(|(_, one), (_, other)| throughput(one).total_cmp(&throughput(other)));
        let Some(((.., peer), samples)) = fastest else { continue };
        let p99 = |samples: &[Sample]| spread(samples, |sample| sample.p99).median;
        let (more, longer) = (throughput(stoa) / throughput(samples), p99(stoa) / p99(samples));
        let is_met = |met| if met { "met" } else { "MISSED" };
        text += &format!(
            "  {} at {connections}: {more:.2} of {}'s requests ({}), {longer:.2} of its p99 ({})\n",
            operation.name(),
            peer.name(),
            is_met(more >= goal.throughput),
            is_met(longer <= goal.p99),
        );
    }
    text
}
