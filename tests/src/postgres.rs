//! The PostgreSQL server of the tests: the one at `STOA_TEST_POSTGRES_URL`, or a throw-away one from installed
//! binaries, which ends with the tests however they end.
//!
//! Without either, a test says so on standard error and passes, unless `CI` is set: there it fails.

use std::{
    env, fs,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock, Once, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A server of our own, as long as this process lives.
struct Server {
    /// The URL of its `postgres` database.
    url: String,
    // The guardian ends the server when its standard input is closed, so also when we are killed.
    _guardian: Option<Child>,
}

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
static SAID: Once = Once::new();
/// Tells this run's databases from those that another left on a server that stays.
static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Makes an empty database and answers with its URL.
///
/// # Panics
/// In CI, if there is no server.
pub(crate) async fn new_database() -> Option<String> {
    let server = match tokio::task::block_in_place(|| SERVER.get_or_init(start)) {
        Ok(server) => server,
        Err(why) => {
            missing(why);
            return None;
        }
    };
    let name = format!("stoa_{:x}_{}", *RUN, COUNT.fetch_add(1, Ordering::Relaxed));
    let mut conn = PgConnection::connect(&server.url).await.expect("the test server answers");
    // The other stories of the process make theirs at the same time, and PostgreSQL copies one at a time.
    let sql = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"));
    sqlx::raw_sql(sql).execute(&mut conn).await.expect("a database is made");
    let _ = conn.close().await;
    Some(with_database(&server.url, &name))
}

fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let host =
        base.rfind('/').filter(|at| *at > base.find("://").map_or(0, |at| at + 2)).map_or(base, |at| &base[..at]);
    match query {
        Some(query) => format!("{host}/{name}?{query}"),
        None => format!("{host}/{name}"),
    }
}

fn start() -> Result<Server, String> {
    if let Ok(url) = env::var("STOA_TEST_POSTGRES_URL") {
        return Ok(Server { url, _guardian: None });
    }
    let folder = env::temp_dir().join(format!("stoa-postgres-{}", std::process::id()));
    let place = Place::make(folder)?;
    // The data is thrown away, so nothing waits for the disk.
    let guardian = place.launch(
        "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB",
        "INT",
        &format!("rm -rf '{}'", place.folder.display()),
    )?;
    Ok(Server { url: place.url(), _guardian: Some(guardian) })
}

/// A server of one story, which it may stop and start. What it has acknowledged is on the disk, and ended without a warning
/// it loses nothing of it.
pub struct OwnPostgres {
    place: Place,
    guardian: Option<Child>,
}

impl OwnPostgres {
    /// Starts it; `None` where there is no PostgreSQL and there need not be one (see [`crate::Database::postgres`]).
    ///
    /// # Panics
    /// In CI, if there is none.
    pub fn start() -> Option<Self> {
        let folder = env::temp_dir().join(format!(
            "stoa-own-postgres-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        match Place::make(folder) {
            Ok(place) => {
                let mut server = Self { place, guardian: None };
                server.start_again();
                Some(server)
            }
            Err(why) => {
                missing(&why);
                None
            }
        }
    }

    /// Ends it at once, as a crash does.
    ///
    /// # Panics
    /// If it can't be waited for.
    pub fn stop(&mut self) {
        if let Some(mut guardian) = self.guardian.take() {
            drop(guardian.stdin.take());
            guardian.wait().expect("the server ends");
        }
    }

    /// Starts it again on the same data.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        let settings = "-c fsync=on -c synchronous_commit=on -c max_connections=60 -c shared_buffers=32MB";
        self.guardian = Some(self.place.launch(settings, "QUIT", ":").expect("a server"));
    }

    /// The URL of its one database.
    pub fn url(&self) -> String {
        self.place.url()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.place.folder);
    }
}

/// Where a server's data is, and who runs it.
struct Place {
    binaries: PathBuf,
    folder: PathBuf,
    user: Option<String>,
}

impl Place {
    fn make(folder: PathBuf) -> Result<Self, String> {
        let binaries = binaries().ok_or(
            "there is no PostgreSQL here: install it (Debian: apt-get install postgresql), or set STOA_TEST_POSTGRES_URL",
        )?;
        fs::create_dir_all(&folder).map_err(|error| format!("no folder for PostgreSQL: {error}"))?;
        let user = other_user(&folder)?;
        let initialised = as_user(user.as_deref(), &binaries.join("initdb"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
            .current_dir(&folder)
            .output()
            .map_err(|error| format!("initdb: {error}"))?;
        if !initialised.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&initialised.stderr)));
        }
        Ok(Self { binaries, folder, user })
    }

    fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.display())
    }

    /// Starts the server with these settings, and waits until it answers. It gets the signal, and then something is done, when
    /// the standard input of the guardian is closed.
    fn launch(&self, settings: &str, signal: &str, afterwards: &str) -> Result<Child, String> {
        let (folder, log) = (&self.folder, self.folder.join("log"));
        let server = as_user(self.user.as_deref(), &self.binaries.join("postgres"));
        let parts = std::iter::once(server.get_program()).chain(server.get_args());
        let line: Vec<_> = parts.map(|part| format!("'{}'", part.display())).collect();
        // A socket in our own folder: no port that somebody else may have.
        let script = format!(
            "{line} -D '{data}' -k '{folder}' -c listen_addresses='' {settings} >'{log}' 2>&1 </dev/null & server=$!; \
             cat >/dev/null; kill -{signal} $server; wait $server; {afterwards}",
            line = line.join(" "),
            data = folder.join("data").display(),
            folder = folder.display(),
            log = log.display(),
        );
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(folder);
        // A group of its own: Ctrl-C on the tests leaves the guardian alive to clean up.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let guardian = command.spawn().map_err(|error| format!("PostgreSQL was not started: {error}"))?;

        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            let ready = Command::new(self.binaries.join("pg_isready")).arg("-q").arg("-h").arg(folder).status();
            if ready.is_ok_and(|status| status.success()) {
                return Ok(guardian);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("PostgreSQL did not start: {}", fs::read_to_string(&log).unwrap_or_default()))
    }
}

/// Says once that there is no server.
fn missing(why: &str) {
    assert!(env::var_os("CI").is_none(), "the PostgreSQL tests need a server in CI: {why}");
    SAID.call_once(|| {
        // Past the test harness, which would hide it.
        let _ = writeln!(std::io::stderr(), "\nNOT TESTED ON POSTGRESQL: {why}\n");
    });
}

/// The newest installed PostgreSQL: on the path, or where Debian puts it.
fn binaries() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort_by_key(|folder| {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        std::cmp::Reverse(version.and_then(|version| version.parse::<u32>().ok()))
    });
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders
        .into_iter()
        .find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file()))
}

/// PostgreSQL refuses to run as root: then it runs as somebody else, who is given the folder.
fn other_user(folder: &Path) -> Result<Option<String>, String> {
    let failed = |error: std::io::Error| format!("the folder for PostgreSQL: {error}");
    if fs::metadata(folder).map_err(failed)?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| {
            let mut fields = users.lines().find(|line| line.starts_with(&format!("{name}:")))?.split(':').skip(2);
            Some((name.to_owned(), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .ok_or("there is no user but root to run PostgreSQL as")?;
    std::os::unix::fs::chown(folder, Some(user.1), Some(user.2)).map_err(failed)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    Ok(Some(user.0))
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--regid", group(user), "--clear-groups"]).arg(program);
            command
        }
    }
}

fn group(user: &str) -> &str {
    if user == "nobody" { "nogroup" } else { user }
}
