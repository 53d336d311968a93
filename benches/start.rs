//! From the start of `stoa serve` on a database that is ready to its first answer to a query.
//!
//! `cargo build --release`, then `cargo bench -p stoa-benches --bench start`. The program is `target/release/stoa`, or what
//! `STOA_PROGRAM` names. The database is the demo's campus with its model. Each start is a process of its own; the file cache is
//! warm. The clock runs from before the process is made until a client, who tries to connect every half millisecond, has her
//! answer.

use std::{
    env,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use stoa_testkit::Database;

const STARTS: usize = 21;
const GOAL: Duration = Duration::from_millis(300);

/// `stoa`, as it was built for releases.
fn program() -> PathBuf {
    if let Some(program) = env::var_os("STOA_PROGRAM") {
        return program.into();
    }
    // This one lies in `target/release/deps`.
    let beside = env::current_exe().ok().and_then(|this| Some(this.parent()?.parent()?.join("stoa")));
    beside
        .filter(|program| program.exists())
        .expect("the program: run `cargo build --release` first, or name it in STOA_PROGRAM")
}

fn command(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder).env("DATABASE_URL", url);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A server that ends when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The time of one start, and of the query after the first.
fn start(folder: &Path, url: &str) -> (Duration, Duration) {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let mut command = command(folder, url, &["serve", "--listen", &address.to_string()]);
    let begun = Instant::now();
    let mut running = Running(command.spawn().expect("a process"));
    while !is_answered(address) {
        assert!(running.0.try_wait().expect("a process").is_none(), "the server ended");
        assert!(begun.elapsed() < Duration::from_mins(1), "it does not answer");
        thread::sleep(Duration::from_micros(500));
    }
    let first = begun.elapsed();
    let begun = Instant::now();
    assert!(is_answered(address));
    (first, begun.elapsed())
}

fn is_answered(address: SocketAddr) -> bool {
    let body = r#"{"query":"{ courses(first: 3) { nodes { title modules { title } } } }"}"#;
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let head = "POST /graphql HTTP/1.1\r\nHost: stoa\r\nContent-Type: application/json\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"title\""), "{answer}");
    true
}

fn measure(url: &str, kind: &str) {
    let folder = env::temp_dir().join(format!("stoa-start-{}-{kind}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let prepared = command(&folder, url, &["demo", "--prepare-only"]).status().expect("a process");
    assert!(prepared.success(), "the demo's campus was not made");
    // The first start of all reads the program from the disk.
    start(&folder, url);
    let (mut first, mut second): (Vec<_>, Vec<_>) = (0..STARTS).map(|_| start(&folder, url)).unzip();
    first.sort();
    second.sort();
    let (median, worst) = (first[STARTS / 2], first[STARTS - 1]);
    let word = if worst <= GOAL { "reached" } else { "MISSED" };
    println!(
        "{kind:<9} median {median:>8.1?}, worst {worst:>8.1?}: {word}; the query after it {:.1?}",
        second[STARTS / 2]
    );
    let _ = std::fs::remove_dir_all(&folder);
}

fn main() {
    println!("{STARTS} starts, until the first answer; goal: {GOAL:?}");
    let sqlite = Database::sqlite();
    measure(&sqlite.url, "sqlite");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(postgres) = runtime.block_on(Database::postgres()) {
        measure(&postgres.url, "postgres");
    }
}
