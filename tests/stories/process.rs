//! The program as it is started from a command line: what it prints, how it ends, what survives it.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use stoa_testkit::School;

/// The program itself: the other stories start this test binary again with this one story and arguments in
/// the environment, since a binary of another package has no known place.
#[test]
#[ignore = "is started by the other stories"]
fn stoa() {
    let Ok(arguments) = env::var("STOA_STORY_ARGUMENTS") else { return };
    let arguments = arguments.split('\n').filter(|argument| !argument.is_empty()).map(str::to_owned);
    let code = stoa_api::cli::run_with(std::iter::once("stoa".to_owned()).chain(arguments));
    std::process::exit(code.into());
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "process::stoa", "--ignored", "--nocapture", "--quiet"])
        .env("STOA_STORY_ARGUMENTS", arguments.join("\n"))
        .env_remove("DATABASE_URL")
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

pub(crate) fn stoa_does(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What it printed as JSON, after what the test's own binary prints of itself.
fn json(output: &Output) -> serde_json::Value {
    let out = String::from_utf8_lossy(&output.stdout);
    let begin = out.find("\n{").or_else(|| out.find("\n[")).unwrap_or_else(|| panic!("no JSON: {}", text(output)));
    serde_json::from_str(&out[begin..]).unwrap()
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// What it has written to standard error so far.
    pub(crate) log: Arc<Mutex<String>>,
}

impl Running {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = command(folder, arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut said) = (String::new(), String::new());
        let address = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended:\n{said}");
            said += &line;
            if let Some((_, rest)) = line.split_once("address=") {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
        };
        let written = Arc::new(Mutex::new(said));
        let kept = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut line = String::new();
            while log.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { child, address, log: written }
    }

    /// Sends a query and answers with the whole answer; `None` if the server is gone.
    pub(crate) fn post(&self, token: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        write!(
            stream,
            "POST /graphql HTTP/1.1\r\nHost: stoa\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    #[cfg(unix)]
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server did not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn imported(folder: &Path) {
    let fixture = School::fixture();
    let output = stoa_does(folder, &["import", fixture.to_str().unwrap(), "--source", "school"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("activity.csv: 9 rows taken"), "{}", text(&output));
}

pub(crate) fn token(folder: &Path, email: &str) -> String {
    let output = stoa_does(folder, &["token", "--email", email]);
    assert!(output.status.success(), "{}", text(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    printed.lines().find(|line| line.starts_with("stoa_")).unwrap().to_owned()
}

#[test]
fn an_operator_imports_trains_and_asks_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = stoa_does(folder.path(), &["migrate"]);
    assert!(output.status.success() && text(&output).contains("at version"), "{}", text(&output));
    imported(folder.path());
    let output = stoa_does(folder.path(), &["recommend", "school:mei"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("stoa train"), "{}", text(&output));
    let output = stoa_does(folder.path(), &["train"]);
    assert!(output.status.success(), "{}", text(&output));
    for learner in ["school:mei", "mei@school.example"] {
        let output = stoa_does(folder.path(), &["recommend", learner, "--limit", "3"]);
        assert!(output.status.success() && text(&output).contains("Le sol vivant"), "{}", text(&output));
    }
    let output = stoa_does(folder.path(), &["recommend", "nobody@school.example"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_exit_code_tells_what_kind_of_trouble_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["serve", "--listen", "127.0.0.1:0"], 1, "there is no database at data/stoa.db"),
        (&["serve", "--listen", "127.0.0.1:0", "--database-url", "mysql://x"], 1, "is not a database URL"),
        (&["import", "nowhere"], 1, "there is no folder nowhere"),
        (&["import", "."], 1, "has none of the files"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["seed", "--learners", "many"], 2, "invalid value"),
        (&["migrate", "--config", "none.toml"], 2, "there is no configuration file none.toml"),
        (&["evaluate", "--split", "nowhere"], 1, "nowhere"),
    ];
    for (arguments, code, words) in cases {
        let output = stoa_does(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(words), "{arguments:?}: {}", text(&output));
    }
    std::fs::write(folder.path().join("learners.csv"), "key,name\na,\n").unwrap();
    let output = stoa_does(folder.path(), &["import", "."]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("line 2, column name"), "{}", text(&output));
    std::fs::write(folder.path().join("stoa.toml"), "lisen = \"127.0.0.1:0\"\n").unwrap();
    let output = stoa_does(folder.path(), &["migrate"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("lisen"), "{}", text(&output));
}

#[test]
fn an_operator_asks_what_came_of_an_experiment() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let arms = |weight: &str| {
        format!("[experiment]\nname = \"two ways\"\n[[experiment.arms]]\nname = \"mix\"\nweight = {weight}\n")
    };
    std::fs::write(folder.path().join("stoa.toml"), arms("0.8")).unwrap();
    let report = stoa_does(folder.path(), &["experiments"]);
    assert!(
        report.status.success() && text(&report).contains("arm mix (100 % of the learners): fewer than 10 learners"),
        "{}",
        text(&report)
    );
    let report = stoa_does(folder.path(), &["experiments", "--json"]);
    assert!(text(&report).contains("\"experiment\": \"two ways\""), "{}", text(&report));
    let pruned = stoa_does(folder.path(), &["experiments", "--prune"]);
    assert!(text(&pruned).contains("0 rows were deleted"), "{}", text(&pruned));
    std::fs::write(folder.path().join("stoa.toml"), arms("0")).unwrap();
    let refused = stoa_does(folder.path(), &["experiments"]);
    assert!(!refused.status.success() && text(&refused).contains("must be a number above 0"), "{}", text(&refused));
}

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stoa.toml"), "database_url = \"sqlite://file.db\"\n").unwrap();
    assert!(stoa_does(folder.path(), &["migrate"]).status.success());
    assert!(folder.path().join("file.db").exists());
    let output = command(folder.path(), &["migrate"]).env("DATABASE_URL", "sqlite://env.db").output().unwrap();
    assert!(output.status.success() && folder.path().join("env.db").exists(), "{}", text(&output));
    let mut command = command(folder.path(), &["migrate", "--database-url", "sqlite://flag.db"]);
    let output = command.env("STOA_DATABASE_URL", "sqlite://env2.db").output().unwrap();
    assert!(output.status.success() && folder.path().join("flag.db").exists(), "{}", text(&output));
    assert!(!folder.path().join("env2.db").exists());
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(stoa_does(folder.path(), &["migrate"]).status.success());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = stoa_does(folder.path(), &["serve", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains(&address) && text(&output).contains("--listen"), "{}", text(&output));
}

#[test]
fn a_server_takes_up_a_model_that_another_process_trains() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let token = token(folder.path(), "mei@school.example");
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let next = "{\"query\":\"{ me { recommendations { course { slug } } } }\"}";
    let before = server.post(&token, next).unwrap();
    assert!(before.contains("\"recommendations\":[]"), "{before}");
    assert!(stoa_does(folder.path(), &["train"]).status.success());
    let begun = Instant::now();
    loop {
        let answer = server.post(&token, next).unwrap();
        if answer.contains("\"slug\":\"le-sol-vivant\"") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no list after half a minute: {answer}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[cfg(unix)]
#[test]
fn what_was_acknowledged_survives_a_kill_and_a_clean_end_leaves_no_log_behind() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let token = token(folder.path(), "omar@school.example");
    let lesson = stoa_api::graphql::global_id::lesson(stoa_api::ids::LessonId::imported("school", "soil-3"));
    // A second each, one after the other, an hour ago: on the clock a second counts once, however often it is reported.
    let hour_ago = stoa_api::time::Clock::system().now().seconds() - 3_600;
    let record = |number: i64| {
        let at = stoa_api::time::Timestamp::from_seconds(hour_ago + number);
        format!(
            "{{\"query\":\"mutation {{ recordActivity(lessonId: \\\"{lesson}\\\", input: {{ seconds: 1, at: \\\"{at}\\\", idempotencyKey: \\\"{number}\\\" }}) {{ enrolment {{ seconds }} }} }}\"}}"
        )
    };
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let mut acknowledged = 0;
    for number in 0..25 {
        let answer = server.post(&token, &record(number)).unwrap();
        assert!(answer.contains("\"seconds\":"), "{answer}");
        acknowledged += 1;
    }
    server.end("-KILL");

    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let read = "{\"query\":\"{ course(slug: \\\"living-soil\\\") { myEnrolment { seconds } } }\"}";
    let answer = server.post(&token, read).unwrap();
    assert!(answer.contains(&format!("\"seconds\":{}", 440 + acknowledged)), "{answer}");
    assert_eq!(server.end("-TERM"), Some(0));
    assert!(!folder.path().join("data/stoa.db-wal").exists(), "the log was folded into the database");
}

#[cfg(unix)]
#[test]
fn a_server_that_is_killed_amid_the_beats_of_many_clients_has_lost_none_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let token = token(folder.path(), "omar@school.example");
    let lesson = stoa_api::graphql::global_id::lesson(stoa_api::ids::LessonId::imported("school", "soil-3"));
    let begin = stoa_api::time::Clock::system().now().seconds() - 86_400;
    let record = |number: i64| {
        let at = stoa_api::time::Timestamp::from_seconds(begin + number);
        format!(
            "{{\"query\":\"mutation {{ recordActivity(lessonId: \\\"{lesson}\\\", input: {{ seconds: 1, at: \\\"{at}\\\", idempotencyKey: \\\"k{number}\\\" }}) {{ recorded {{ counted replayed }} }} }}\"}}"
        )
    };
    let mut server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let acknowledged = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for client in 0..8 {
            let (server, acknowledged, token, record) = (&server, &acknowledged, &token, &record);
            scope.spawn(move || {
                for beat in 0..10_000 {
                    let number = client * 10_000 + beat;
                    match server.post(token, &record(number)) {
                        Some(answer) if answer.contains("\"counted\":1,\"replayed\":false") => {
                            acknowledged.lock().unwrap().push(number);
                        }
                        _ => break,
                    }
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 200 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = server.child.id().to_string();
        assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
    });
    server.child.wait().unwrap();
    let acknowledged = acknowledged.into_inner().unwrap();

    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    for number in &acknowledged {
        let answer = server.post(&token, &record(*number)).unwrap();
        assert!(answer.contains("\"counted\":1,\"replayed\":true"), "beat {number}: {answer}");
    }
    // At most the one beat of each client that was under way is there as well.
    let read = "{\"query\":\"{ course(slug: \\\"living-soil\\\") { myEnrolment { seconds } } }\"}";
    let answer = server.post(&token, read).unwrap();
    let seconds = answer.split("\"seconds\":").nth(1).unwrap().split('}').next().unwrap().parse::<usize>().unwrap();
    let least = 440 + acknowledged.len();
    assert!((least..=least + 8).contains(&seconds), "{seconds}, of which {least} were acknowledged");
}

#[cfg(unix)]
#[test]
fn a_look_is_in_the_log_before_its_answer_leaves_and_an_operator_finds_what_was_tampered_with() {
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path());
    let token = token(folder.path(), "ana@school.example");
    let head = || {
        let output = stoa_does(folder.path(), &["audit", "head"]);
        let printed = String::from_utf8(output.stdout).unwrap();
        printed.lines().find(|line| line.contains(':') && line.len() > 64).unwrap().to_owned()
    };
    let before = head();
    let server = Running::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let read = "{\"query\":\"{ course(slug: \\\"living-soil\\\") { learners(first: 9) { nodes { progress } } } }\"}";
    let answer = server.post(&token, read).unwrap();
    assert!(answer.contains("\"progress\":"), "{answer}");
    server.end("-KILL");

    let output = stoa_does(folder.path(), &["audit", "verify", "--expect", &before]);
    assert!(output.status.success() && text(&output).contains("2 rows in 1 batches"), "{}", text(&output));
    let noted = head();
    let tamper = |sql: &'static str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("sqlite://{}", folder.path().join("data/stoa.db").display());
        runtime.block_on(async {
            sqlx::query(sql).execute(&sqlx::SqlitePool::connect(&url).await.unwrap()).await.unwrap()
        });
    };
    tamper("DELETE FROM access_log WHERE position = 1");
    let output = stoa_does(folder.path(), &["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("batch 1: rows 1 to 1 are missing"), "{}", text(&output));
    tamper("DELETE FROM access_log");
    tamper("DELETE FROM access_log_batches");
    tamper("UPDATE access_log_head SET number = 0, hash = zeroblob(32)");
    assert!(stoa_does(folder.path(), &["audit", "verify"]).status.success(), "an empty log is whole");
    let output = stoa_does(folder.path(), &["audit", "verify", "--expect", &noted]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("replaced by an older one"), "{}", text(&output));
}

#[test]
fn an_operator_judges_some_engines_on_a_folder_of_csv_files_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let school = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/school");
    let asked = ["evaluate", "--csv", school, "--engines", "popularity,rules", "--json", "--report", "report.html"];
    let output = stoa_does(folder.path(), &asked);
    assert!(output.status.success(), "{}", text(&output));
    let report: serde_json::Value = json(&output);
    let methods: Vec<_> = report["methods"].as_array().unwrap().iter().map(|method| method["name"].clone()).collect();
    assert_eq!(methods, ["popularity", "rules", "mix"]);
    assert_eq!(report["protocol"], "leave last out");
    assert!(report["methods"][0]["ndcg_10"].is_number() && report["courses"].as_u64() > Some(0));
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && !page.contains("<script"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["report.html"]);
    let output = stoa_does(folder.path(), &["evaluate", "--csv", school, "--protocol", "all", "--json"]);
    let reports: serde_json::Value = json(&output);
    let protocols: Vec<_> = reports.as_array().unwrap().iter().map(|report| report["protocol"].clone()).collect();
    assert_eq!(protocols, ["leave last out", "rolling", "first return"]);
    let output = stoa_does(folder.path(), &["evaluate", "--csv", school, "--engines", "gorse"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("there is no engine \"gorse\"; there are popularity"), "{}", text(&output));
}
