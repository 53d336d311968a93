//! Holds Stoa against GraphQL servers on Node: one PostgreSQL, one campus, the same operations with the same answers, one load.
//! See the README beside this.

mod compare;
mod http;
mod load;
mod operations;
mod postgres;
mod processes;
mod report;
mod servers;
mod statements;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;

use compare::{Prepared, compare};
use operations::Operation;
use postgres::{Postgres, succeed};
use report::Measured;
use servers::{Kind, Server, Setup, stoa_command};

/// Stoa and its peers side by side.
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
struct Arguments {
    /// Stoa's binary
    #[arg(long, default_value = "target/release/stoa")]
    stoa: PathBuf,
    /// The folder with the servers on Node, and what they need in the database
    #[arg(long, default_value = "benches/peers")]
    peers: PathBuf,
    /// Only these servers
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Kind::Stoa, Kind::Mercurius, Kind::Yoga, Kind::Apollo, Kind::Postgraphile])]
    only: Vec<Kind>,
    /// Only these operations: catalogue (a), home (b), class (c)
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Operation::Catalogue, Operation::Home, Operation::Class])]
    operations: Vec<Operation>,
    /// At so many connections
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    connections: Vec<usize>,
    /// How often each is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long, each time
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How long there is load before that
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// How many viewers ask at most
    #[arg(long, default_value_t = 48)]
    viewers: usize,
    /// How many processes each peer has
    #[arg(long, default_value_t = 2)]
    processes: u32,
    /// How many connections to the database each process of a peer holds
    #[arg(long, default_value_t = 4)]
    pool: u32,
    /// How many connections to the database Stoa holds
    #[arg(long, default_value_t = 8)]
    stoa_connections: u32,
    /// A line of `[catalogue]` in what Stoa is configured by, such as `record_memory_bytes = 0`
    #[arg(long, value_name = "NAME = VALUE")]
    catalogue: Vec<String>,
    /// How many learners the campus has
    #[arg(long, default_value_t = 2_000)]
    learners: u32,
    /// How many courses
    #[arg(long, default_value_t = 60)]
    courses: u32,
    /// Compare the answers, and measure nothing
    #[arg(long)]
    compare_only: bool,
    /// Another setting of PostgreSQL, for all servers alike
    #[arg(long, value_name = "NAME=VALUE")]
    setting: Vec<String>,
    /// Tell which statements a request costs, and measure nothing
    #[arg(long)]
    statements: bool,
}

// One thread: the load is to leave the processors to the servers.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if arguments.statements {
        arguments.setting.extend(statements::SETTINGS.iter().map(|setting| (*setting).to_owned()));
    }
    arguments.only.sort_unstable();
    arguments.operations.sort_unstable();
    // Servers are started in other folders.
    arguments.stoa = arguments.stoa.canonicalize().with_context(|| format!("no {}", arguments.stoa.display()))?;
    arguments.peers = arguments.peers.canonicalize().with_context(|| format!("no {}", arguments.peers.display()))?;
    // The guardian of PostgreSQL removes the folder.
    let folder = std::env::temp_dir().join(format!("stoa-peers-{}", std::process::id()));
    let postgres = Postgres::start(folder.clone(), &arguments.setting)?;
    let setup = Setup {
        folder: &folder,
        url: &postgres.url(),
        stoa: &arguments.stoa,
        node: &arguments.peers.join("node"),
        stoa_connections: arguments.stoa_connections,
        catalogue: &arguments.catalogue,
        pool: arguments.pool,
        processes: arguments.processes,
    };
    seed(&arguments, &setup, &postgres)?;

    // Stoa makes the lists of next courses that the others read, so it is there whether it is measured or not.
    let mut servers = vec![Server::start(Kind::Stoa, &setup).await?];
    for kind in arguments.only.iter().filter(|kind| **kind != Kind::Stoa) {
        servers.push(Server::start(*kind, &setup).await?);
    }
    let prepared = compare_all(&arguments, &servers, &postgres).await?;
    eprintln!("the answers are the same");
    if arguments.compare_only {
        return Ok(());
    }

    if arguments.statements {
        for (operation, server) in arguments.operations.iter().flat_map(|of| servers.iter().map(move |by| (of, by))) {
            if arguments.only.contains(&server.kind) && server.kind.answers(*operation) {
                let requests = &prepared[operation][&server.kind];
                print!("{}", statements::statements(server, *operation, requests, &postgres).await?);
            }
        }
        return Ok(());
    }

    let mut measured = Measured::new();
    for round in 1..=arguments.rounds {
        keep_lists(&postgres)?;
        for operation in &arguments.operations {
            for connections in &arguments.connections {
                let mut turn: Vec<&Server> = servers
                    .iter()
                    .filter(|server| arguments.only.contains(&server.kind) && server.kind.answers(*operation))
                    .collect();
                // Each is first once.
                let places = turn.len();
                turn.rotate_left(round % places.max(1));
                for server in turn {
                    let requests = &prepared[operation][&server.kind];
                    let times =
                        (Duration::from_secs_f64(arguments.warm_up), Duration::from_secs_f64(arguments.seconds));
                    let sample = load::measure(server, &postgres, requests, *connections, times).await?;
                    eprintln!(
                        "round {round} of {}: {} at {connections}, {}: {:.0} requests/s, p99 {:.1} ms; the load took {:.0} % of a core",
                        arguments.rounds,
                        operation.name(),
                        server.kind.name(),
                        sample.throughput,
                        sample.p99,
                        sample.load_cpu * 100.0
                    );
                    measured.entry((*operation, *connections, server.kind)).or_default().push(sample);
                }
            }
        }
    }
    compare_all(&arguments, &servers, &postgres).await?;
    eprintln!("the answers are the same still");
    let rest: BTreeMap<_, _> = servers.iter().map(|server| (server.kind, server.at_rest.resident)).collect();
    print!("{}", report::report(&measured, &rest));
    Ok(())
}

/// Fills the database with the campus, a model, and a token for everybody.
fn seed(arguments: &Arguments, setup: &Setup<'_>, postgres: &Postgres) -> anyhow::Result<()> {
    let (learners, courses) = (arguments.learners.to_string(), arguments.courses.to_string());
    let commands: [&[&str]; 3] =
        [&["migrate"], &["seed", "--learners", &learners, "--courses", &courses, "--seed", "1"], &["train"]];
    for command in commands {
        eprintln!("stoa {}", command.join(" "));
        succeed(stoa_command(setup)?.args(command))?;
    }
    postgres.run_file(&arguments.peers.join("peers.sql"))?;
    if arguments.only.contains(&Kind::Postgraphile) {
        postgres.run_file(&arguments.peers.join("postgraphile.sql"))?;
    }
    operations::give_tokens(postgres)?;
    postgres.run("VACUUM ANALYZE")?;
    postgres.run("CHECKPOINT")
}

type AllPrepared = HashMap<Operation, HashMap<Kind, Vec<Prepared>>>;

async fn compare_all(arguments: &Arguments, servers: &[Server], postgres: &Postgres) -> anyhow::Result<AllPrepared> {
    let mut prepared = HashMap::new();
    for operation in &arguments.operations {
        let asked = operation.requests(postgres, arguments.viewers)?;
        if *operation == Operation::Home {
            // The first time Stoa makes each viewer's list and keeps it behind the answer.
            compare(&servers[..1], *operation, &asked, postgres).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            keep_lists(postgres)?;
        }
        prepared.insert(*operation, compare(servers, *operation, &asked, postgres).await?);
    }
    Ok(prepared)
}

/// Lists of next courses are good for a quarter of an hour, for Stoa and for its peers: they are as of now again.
fn keep_lists(postgres: &Postgres) -> anyhow::Result<()> {
    postgres.run("UPDATE recommendation_lists SET computed_at = (extract(epoch FROM now()) * 1000000)::bigint")
}
