//! Figures, traces, the log of what was slow, and `stoa doctor`, of the program as it is started.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
};

use crate::process::{Running, imported, stoa_does, text, token};

/// An OpenTelemetry collector that keeps what it is sent.
struct Collector {
    address: String,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let taken: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || while answer(&stream, &kept).is_some() {});
            }
        });
        Self { address, taken }
    }

    fn has(&self, bytes: &[u8]) -> bool {
        self.taken.lock().unwrap().windows(bytes.len()).any(|window| window == bytes)
    }
}

fn answer(stream: &TcpStream, kept: &Mutex<Vec<u8>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    assert!(line.starts_with("POST /v1/traces "), "{line}");
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    kept.lock().unwrap().extend(body);
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
    (&mut &*stream).write_all(answer.as_bytes()).ok()
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Sends a request as it stands, and gives the whole answer.
fn sent(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn asked(address: &str, token: &str, body: &str, headers: &str) -> String {
    let length = body.len();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: stoa\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    sent(address, &request)
}

fn configure(folder: &Path, text: &str) {
    std::fs::write(folder.join("stoa.toml"), text).unwrap();
}

const QUERY: &str = r#"{"query":"query Shelf($slug: String!) { course(slug: $slug) { title } search: courses(first: 7, filter: { text: \"a word in secret\" }) { nodes { title } } courses(first: 7) { nodes { title modules { title lessons { title } } } } }","variables":{"slug":"living-soil-variable"}}"#;

#[cfg(unix)]
#[test]
fn a_trace_goes_down_to_statements_and_holds_no_values() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let token = token(folder.path(), "mei@school.example");
    let collector = Collector::start();
    configure(
        folder.path(),
        &format!(
            "[observe]\notlp_endpoint = \"http://{}\"\notlp_ratio = 1.0\nservice_name = \"school-stoa\"\n",
            collector.address
        ),
    );
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let parent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\n";
    let answer = asked(&server.address, &token, QUERY, parent);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.end("-TERM"), Some(0));
    // What was left was sent at the end.
    for name in [
        "POST /graphql",
        "query Shelf",
        "db.query.summary",
        "keys",
        "courses.",
        "school-stoa",
        "service.version",
        "sqlite",
    ] {
        assert!(collector.has(name.as_bytes()), "{name}");
    }
    // It is part of the caller's trace.
    let trace: [u8; 16] = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
    assert!(collector.has(&trace) && collector.has(&0xb7ad_6b71_6920_3331_u64.to_be_bytes()));
    for value in ["living-soil-variable", "a word in secret", &*token, "mei@", "SELECT"] {
        assert!(!collector.has(value.as_bytes()), "{value}");
    }
}

#[cfg(unix)]
#[test]
fn a_stranger_does_not_decide_what_is_traced_and_a_trusted_gateway_does() {
    for (trusted, traced) in [(false, false), (true, true)] {
        let folder = tempfile::tempdir().unwrap();
        imported(folder.path());
        let collector = Collector::start();
        configure(
            folder.path(),
            &format!(
                "[observe]\notlp_endpoint = \"http://{}\"\notlp_ratio = 0.0\ntrust_traceparent = {trusted}\n",
                collector.address
            ),
        );
        let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
        let parent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
        let answer = asked(&server.address, "", r#"{"query":"query Shelf { __typename }"}"#, parent);
        assert!(answer.contains(' '), "{answer}");
        assert_eq!(server.end("-TERM"), Some(0));
        assert_eq!(collector.has(b"POST /graphql"), traced, "trusted: {trusted}");
    }
}

#[cfg(unix)]
#[test]
fn a_collector_that_is_away_is_no_matter_to_those_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let token = token(folder.path(), "mei@school.example");
    configure(folder.path(), &format!("[observe]\notlp_endpoint = \"http://{}\"\notlp_ratio = 1.0\n", free_address()));
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    for _ in 0..3 {
        assert!(asked(&server.address, &token, QUERY, "").starts_with("HTTP/1.1 200"));
    }
    let log = Arc::clone(&server.log);
    assert_eq!(server.end("-TERM"), Some(0));
    let told = log.lock().unwrap().matches("traces were not taken by the collector").count();
    assert!(told <= 1, "{}", log.lock().unwrap());
}

#[test]
fn what_was_slow_is_logged_without_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let token = token(folder.path(), "mei@school.example");
    let metrics = free_address();
    configure(folder.path(), &format!("[observe]\nslow_millis = 1\nmetrics_listen = \"{metrics}\"\n"));
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let caller = "apollographql-client-name: class-dashboard\r\nX-Request-Id: of-the-slow-one\r\n";
    // One of them takes a millisecond.
    for _ in 0..20 {
        assert!(asked(&server.address, &token, QUERY, caller).starts_with("HTTP/1.1 200"));
    }
    let log = || server.log.lock().unwrap().clone();
    for _ in 0..250 {
        if log().contains("slow operation") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let log = log();
    let line = log.lines().find(|line| line.contains("slow operation")).unwrap_or_else(|| panic!("{log}"));
    for part in [
        "WARN",
        "id=of-the-slow-one",
        "operation=\"Shelf\"",
        "kind=\"query\"",
        "caller=\"class-dashboard\"",
        "statements=",
        "batches=",
        "course(slug:$slug)",
        "first:0",
        "hash=",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    for part in ["living-soil-variable", "a word in secret", &*token, "first:7"] {
        assert!(!log.contains(part), "{part}: {log}");
    }
    // The figures are on an address of their own, and nowhere else.
    let read = |address: &str| sent(address, "GET /metrics HTTP/1.1\r\nHost: stoa\r\nConnection: close\r\n\r\n");
    let figures = read(&metrics);
    assert!(figures.contains("content-type: text/plain; version=0.0.4"), "{figures}");
    assert!(figures.contains("stoa_graphql_operations_slow_total"), "{figures}");
    assert!(!read(&server.address).contains("stoa_graphql_operations"));
    let accept =
        "GET /metrics HTTP/1.1\r\nHost: stoa\r\nAccept: application/openmetrics-text\r\nConnection: close\r\n\r\n";
    let figures = sent(&metrics, accept);
    assert!(figures.contains("content-type: application/openmetrics-text; version=1.0.0"), "{figures}");
    assert!(figures.contains("# EOF"), "{figures}");
}

/// What the doctor says: its exit code, and each finding as `level check`.
fn doctor(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = stoa_does(folder, &[&["doctor"], arguments].concat());
    (output.status.code(), text(&output))
}

fn says(said: &str, level: &str, check: &str, words: &str) -> bool {
    said.lines().any(|line| line.contains(&format!("{level:<4}  {check}")) && line.contains(words))
}

#[test]
fn the_doctor_finds_a_good_installation_good_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    assert!(stoa_does(folder.path(), &["train"]).status.success());
    configure(folder.path(), &format!("listen = \"{}\"\n", free_address()));
    let (code, said) = doctor(folder.path(), &[]);
    assert_eq!(code, Some(0), "{said}");
    for (check, words) in [
        ("configuration", "read from stoa.toml"),
        ("secret key", "for its owner only"),
        ("listen", "is free"),
        ("database", "SQLite"),
        ("migrations", "all are applied"),
        ("model", "fits the catalogue"),
        ("access log", "are as they were written"),
        ("clock", "202"),
    ] {
        assert!(says(&said, "ok", check, words), "{check}: {said}");
    }
    assert!(says(&said, "warn", "mail", "no transport"), "{said}");
    let (code, said) = doctor(folder.path(), &["--json"]);
    let begin = said.find("\n{").map_or(0, |at| at + 1);
    let end = said.rfind("\n}").unwrap() + 2;
    let findings: serde_json::Value = serde_json::from_str(&said[begin..end]).unwrap();
    assert_eq!((code, findings["findings"][0]["level"].as_str()), (Some(0), Some("ok")));
}

#[test]
fn the_doctor_makes_neither_a_database_nor_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = doctor(folder.path(), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(says(&said, "fail", "database", "there is no database"), "{said}");
    assert!(says(&said, "warn", "secret key", "there is no file"), "{said}");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn the_doctor_names_what_is_wrong_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for (configuration, words) in [
        ("lisen = \"x\"\n", "lisen"),
        ("[observe]\notlp_ratio = 2.0\n", "observe.otlp_ratio"),
        ("session_days = 0\n", "session_days"),
    ] {
        configure(folder.path(), configuration);
        let (code, said) = doctor(folder.path(), &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(says(&said, "fail", "configuration", words), "{words}: {said}");
    }
    configure(
        folder.path(),
        "listen = \"0.0.0.0:0\"\ntrusted_proxies = [\"0.0.0.0/0\"]\nsecret_key = \"short-and-secret\"\n",
    );
    let (code, said) = doctor(folder.path(), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(says(&said, "fail", "secret key", "32") && !said.contains("short-and-secret"), "{said}");
    assert!(says(&said, "warn", "proxies", "0.0.0.0/0"), "{said}");
    configure(folder.path(), "listen = \"0.0.0.0:0\"\nsecret_key = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n");
    let (_, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "warn", "secret key", "guessed"), "{said}");
    assert!(says(&said, "warn", "listen", "without TLS"), "{said}");
}

#[cfg(unix)]
#[test]
fn the_doctor_sees_who_may_read_the_secrets() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    for file in ["data/stoa.key", "data/stoa.db"] {
        std::fs::set_permissions(folder.path().join(file), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    configure(
        folder.path(),
        "[mail]\ntransport = \"smtp\"\nurl = \"smtp://stoa:mailword@127.0.0.1:1\"\nfrom = \"s@x.example\"\nbase_url = \"https://x.example\"\n",
    );
    std::fs::set_permissions(folder.path().join("stoa.toml"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "warn", "secret key", "mode 644"), "{said}");
    assert!(says(&said, "warn", "database", "mode 644"), "{said}");
    assert!(says(&said, "warn", "configuration", "has secrets in it"), "{said}");
    assert!(says(&said, "fail", "mail", "can't be reached"), "{said}");
    assert!(code == Some(1) && !said.contains("mailword"), "{said}");
}

#[test]
fn the_doctor_looks_at_what_is_beside_the_server() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let (taken, mails) = (TcpListener::bind("127.0.0.1:0").unwrap(), folder.path().join("mails"));
    std::thread::spawn({
        let taken = taken.try_clone().unwrap();
        // Takes connections, and says nothing.
        move || taken.incoming().for_each(drop)
    });
    let away = free_address();
    configure(
        folder.path(),
        &format!(
            "[observe]\nmetrics_listen = \"{}\"\notlp_endpoint = \"http://{away}\"\n\
             [engines.outside]\nkind = \"http\"\nurl = \"http://{away}\"\n\
             [oidc]\nissuer = \"http://{away}\"\nclient_id = \"stoa\"\nlabel = \"School\"\nredirect_url = \"http://{away}/auth/oidc/callback\"\n\
             [mail]\ntransport = \"file\"\nfolder = {:?}\nbase_url = \"https://x.example\"\n",
            taken.local_addr().unwrap(),
            mails.to_str().unwrap(),
        ),
    );
    let (code, said) = doctor(folder.path(), &["--send-to", "admin@school.example"]);
    assert!(says(&said, "fail", "metrics", "another program has"), "{said}");
    assert!(says(&said, "warn", "traces", "can't be reached"), "{said}");
    assert!(says(&said, "warn", "engine", "outside"), "{said}");
    assert!(says(&said, "fail", "provider", &away), "{said}");
    assert!(says(&said, "warn", "model", "stoa train"), "{said}");
    assert!(says(&said, "ok", "mail", "was sent"), "{said}");
    assert_eq!(std::fs::read_dir(&mails).unwrap().count(), 1);
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn the_doctor_finds_a_database_that_is_not_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    configure(folder.path(), &format!("listen = \"{}\"\n", free_address()));
    let file = folder.path().join("data/stoa.db");
    let change = async |sql: &'static str| {
        let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        sqlx::query(sql).execute(&pool).await.unwrap();
        pool.close().await;
    };
    // Somebody has changed the log.
    let (_, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "ok", "access log", ""), "{said}");
    change("UPDATE access_log_head SET hash = randomblob(32)").await;
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "fail", "access log", "") && code == Some(1), "{said}");
    // The key is another one.
    std::fs::rename(folder.path().join("data/stoa.key"), folder.path().join("data/old.key")).unwrap();
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "warn", "secret key", "there is no file") && code == Some(0), "{said}");
    assert!(says(&said, "warn", "services", "were not looked at"), "{said}");
    std::fs::write(folder.path().join("data/stoa.key"), "another key, which is long enough for one").unwrap();
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "fail", "secret key", "another secret key") && code == Some(1), "{said}");
    // A migration is missing, then one too many is there.
    change("DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)").await;
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "fail", "migrations", "stoa migrate") && code == Some(1), "{said}");
    change("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "fail", "migrations", "newer program") && code == Some(1), "{said}");
    // No database at all.
    std::fs::write(&file, "this is no database, but it is long enough to look like a file that somebody wanted")
        .unwrap();
    for rest in ["data/stoa.db-wal", "data/stoa.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(rest));
    }
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "fail", "database", "") && code == Some(1), "{said}");
}

/// The same against PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_asks_postgres_about_itself() {
    let Some(database) = stoa_testkit::Database::postgres().await else { return };
    let school = stoa_testkit::School::open(database).await;
    let folder = tempfile::tempdir().unwrap();
    configure(
        folder.path(),
        &format!(
            "listen = \"{}\"\ndatabase_url = {:?}\nsecret_key = \"a secret key for nothing but tests\"\n",
            free_address(),
            school.database.url
        ),
    );
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "ok", "database", "encoding UTF8"), "{said}");
    assert!(said.contains("connections") && said.contains("this server takes up to"), "{said}");
    assert!(said.contains("clock and this machine's"), "{said}");
    assert_eq!(code, Some(0), "{said}");
    configure(
        folder.path(),
        &format!(
            "connections = 100000\ndatabase_url = {:?}\nsecret_key = \"a secret key for nothing but tests\"\n",
            school.database.url
        ),
    );
    let (code, said) = doctor(folder.path(), &[]);
    assert!(says(&said, "fail", "connections", "this server takes up to 100001") && code == Some(1), "{said}");
}
