//! The servers that are held against each other.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::{
    operations::Operation,
    processes::{Guarded, Taken, taken},
};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// Ours.
    Stoa,
    /// Mercurius 16 with its JIT.
    Mercurius,
    /// GraphQL Yoga 5.
    Yoga,
    /// Apollo Server 5.
    Apollo,
    /// `PostGraphile` 5.
    Postgraphile,
}

impl Kind {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stoa => "stoa",
            Self::Mercurius => "mercurius",
            Self::Yoga => "yoga",
            Self::Apollo => "apollo",
            Self::Postgraphile => "postgraphile",
        }
    }

    /// Whether it answers the operation here. `PostGraphile` has only the one that reads nothing but tables.
    pub(crate) fn answers(self, operation: Operation) -> bool {
        self != Self::Postgraphile || operation == Operation::Catalogue
    }
}

/// How servers are set up.
pub(crate) struct Setup<'a> {
    /// Where they write what they have to say.
    pub(crate) folder: &'a Path,
    /// The database.
    pub(crate) url: &'a str,
    /// Stoa's binary.
    pub(crate) stoa: &'a Path,
    /// The folder with the servers on Node, and their packages.
    pub(crate) node: &'a Path,
    /// How many connections to the database Stoa holds.
    pub(crate) stoa_connections: u32,
    /// What it is to keep in memory, as lines of its configuration.
    pub(crate) catalogue: &'a [String],
    /// How many connections each process of a peer holds.
    pub(crate) pool: u32,
    /// How many processes each peer has.
    pub(crate) processes: u32,
}

/// A server at work.
pub(crate) struct Server {
    /// Which.
    pub(crate) kind: Kind,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it had taken before the first request.
    pub(crate) at_rest: Taken,
    guarded: Guarded,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) async fn start(kind: Kind, setup: &Setup<'_>) -> anyhow::Result<Self> {
        // Whoever gets the port meanwhile makes the start fail; nobody does.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let command = if kind == Kind::Stoa { stoa(setup, address)? } else { peer(kind, setup, address)? };
        let log = setup.folder.join(format!("{}.log", kind.name()));
        let guarded = Guarded::start(&command, &log, "TERM", ":")?;
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if begun.elapsed() > Duration::from_mins(1) || taken(guarded.pid).is_err() {
                bail!("{} did not start: {}", kind.name(), fs::read_to_string(&log).unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // What is done after listening, such as opening connections, belongs to the rest.
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(Self { kind, address, at_rest: taken(guarded.pid)?, guarded })
    }

    /// What it has taken so far.
    pub(crate) fn taken(&self) -> anyhow::Result<Taken> {
        taken(self.guarded.pid)
    }
}

/// Limits that no load here meets, no training by itself, no log of requests.
fn configuration(setup: &Setup<'_>) -> String {
    format!(
        "connections = {}\nlog = \"warn\"\ntrain_every_hours = 0\n\n[limits]\nbudget = 1000000000\n\
         budget_per_second = 1000000000\nprogram_share = 100\nviewer_share = 100\n\n\
         [observe]\nslow_millis = 0\n\n[catalogue]\n{}\n",
        setup.stoa_connections,
        setup.catalogue.join("\n")
    )
}

/// A command of Stoa's on the database, configured as for the run.
pub(crate) fn stoa_command(setup: &Setup<'_>) -> anyhow::Result<Command> {
    let file = setup.folder.join("stoa.toml");
    fs::write(&file, configuration(setup))?;
    let mut command = Command::new(setup.stoa);
    command
        .arg("--config")
        .arg(file)
        .args(["--database-url", setup.url])
        .env("STOA_SECRET_KEY", "a key for nothing but comparing with peers");
    Ok(command)
}

fn stoa(setup: &Setup<'_>, address: SocketAddr) -> anyhow::Result<Command> {
    let mut command = stoa_command(setup)?;
    command.args(["serve", "--listen", &address.to_string()]);
    Ok(command)
}

fn peer(kind: Kind, setup: &Setup<'_>, address: SocketAddr) -> anyhow::Result<Command> {
    // The one that the lock file names for this machine, so that all run on the same.
    let interpreter = ["x64", "arm64"]
        .map(|machine| setup.node.join(format!("node_modules/node-linux-{machine}/bin/node")))
        .into_iter()
        .find(|path| path.is_file())
        .context("no Node: `npm ci` in benches/peers/node installs it")?;
    let mut command = Command::new(interpreter);
    command
        .current_dir(setup.node)
        .args(["serve.js", kind.name()])
        .env("NODE_ENV", "production")
        .env("PEERS_PORT", address.port().to_string())
        .env("PEERS_DATABASE_URL", setup.url)
        .env("PEERS_POOL", setup.pool.to_string())
        .env("PEERS_PROCESSES", setup.processes.to_string());
    Ok(command)
}
