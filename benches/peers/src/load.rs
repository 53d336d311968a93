//! Load on one server, and what it takes.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::bail;
use tokio::task::LocalSet;

use crate::{compare::Prepared, http::Connection, postgres::Postgres, processes::own_cpu, servers::Server};

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Requests answered in a second.
    pub(crate) throughput: f64,
    /// The median of the time to the whole answer, in milliseconds.
    pub(crate) p50: f64,
    /// The same, of which one in a hundred is longer.
    pub(crate) p99: f64,
    /// The most memory of the server's processes, in bytes.
    pub(crate) resident: u64,
    /// Processor time of the server for a request, in milliseconds.
    pub(crate) server_cpu: f64,
    /// The same of PostgreSQL.
    pub(crate) postgres_cpu: f64,
    /// The share of one processor that the load itself took.
    pub(crate) load_cpu: f64,
}

struct Shared {
    next: Cell<usize>,
    done: Cell<u64>,
    is_measured: Cell<bool>,
    is_over: Cell<bool>,
    micros: RefCell<Vec<u32>>,
}

/// Measures a server at so many connections, each of which asks again as soon as it is answered. The requests are taken in turn.
pub(crate) async fn measure(
    server: &Server,
    postgres: &Postgres,
    requests: &[Prepared],
    connections: usize,
    (warm_up, time): (Duration, Duration),
) -> anyhow::Result<Sample> {
    let shared = Shared {
        next: Cell::new(0),
        done: Cell::new(0),
        is_measured: Cell::new(false),
        is_over: Cell::new(false),
        micros: RefCell::new(Vec::with_capacity(1 << 16)),
    };
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(server.address).await?);
    }
    let shared = Rc::new(shared);
    let requests: Rc<[Prepared]> = requests.into();
    LocalSet::new()
        .run_until(async {
            let clients: Vec<_> = open
                .into_iter()
                .map(|connection| tokio::task::spawn_local(ask(connection, Rc::clone(&shared), Rc::clone(&requests))))
                .collect();
            tokio::time::sleep(warm_up).await;
            let taken = || anyhow::Ok((server.taken()?, postgres.taken()?, own_cpu()));
            let ((server_before, postgres_before, load_before), begun) = (taken()?, Instant::now());
            let done_before = shared.done.get();
            shared.is_measured.set(true);
            let mut resident = server_before.resident;
            while begun.elapsed() < time && !clients.iter().any(tokio::task::JoinHandle::is_finished) {
                tokio::time::sleep(time.saturating_sub(begun.elapsed()).min(Duration::from_millis(500))).await;
                resident = resident.max(server.taken()?.resident);
            }
            let (elapsed, done) = (begun.elapsed(), shared.done.get() - done_before);
            shared.is_measured.set(false);
            let (server_after, postgres_after, load_after) = taken()?;
            shared.is_over.set(true);
            for client in clients {
                client.await??;
            }
            let mut micros = shared.micros.take();
            micros.sort_unstable();
            if micros.is_empty() {
                bail!("{} answered nothing in time", server.kind.name());
            }
            let quantile = |share: f64| f64::from(micros[((micros.len() - 1) as f64 * share) as usize]) / 1_000.0;
            let each =
                |after: Duration, before: Duration| after.saturating_sub(before).as_secs_f64() * 1_000.0 / done as f64;
            Ok(Sample {
                throughput: done as f64 / elapsed.as_secs_f64(),
                p50: quantile(0.5),
                p99: quantile(0.99),
                resident,
                server_cpu: each(server_after.cpu, server_before.cpu),
                postgres_cpu: each(postgres_after.cpu, postgres_before.cpu),
                load_cpu: load_after.saturating_sub(load_before).as_secs_f64() / elapsed.as_secs_f64(),
            })
        })
        .await
}

async fn ask(mut connection: Connection, shared: Rc<Shared>, requests: Rc<[Prepared]>) -> anyhow::Result<()> {
    while !shared.is_over.get() {
        let at = shared.next.get();
        shared.next.set((at + 1) % requests.len());
        let Prepared { request, length } = &requests[at];
        let begun = Instant::now();
        let status = connection.ask(request).await?;
        if status != 200 || connection.body.len() != *length {
            bail!(
                "under load the answer had status {status} and {} bytes instead of {length}: {}",
                connection.body.len(),
                String::from_utf8_lossy(&connection.body[..connection.body.len().min(400)])
            );
        }
        shared.done.set(shared.done.get() + 1);
        if shared.is_measured.get() {
            shared.micros.borrow_mut().push(begun.elapsed().as_micros() as u32);
        }
    }
    Ok(())
}
