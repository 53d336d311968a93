//! The one PostgreSQL of all servers, thrown away with the run.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::processes::{Guarded, Taken, taken};

/// What the server is told. What it has acknowledged is on the disk.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "shared_buffers=512MB",
    "fsync=on",
    "synchronous_commit=on",
    "max_connections=200",
    "max_wal_size=4GB",
    // A count of rows here and there in the middle of a round would be somebody's bad luck.
    "autovacuum=off",
];

/// The server.
pub(crate) struct Postgres {
    guarded: Guarded,
    binaries: PathBuf,
    folder: PathBuf,
}

impl Postgres {
    /// Makes an empty server in a new folder, which it takes along when it ends. It is told `more`, too.
    pub(crate) fn start(folder: PathBuf, more: &[String]) -> anyhow::Result<Self> {
        let binaries = binaries().context("there is no PostgreSQL here (Debian: apt-get install postgresql)")?;
        fs::create_dir_all(&folder)?;
        let user = other_user(&folder)?;
        // One program for both, so that its guardian takes the folder away whenever we are interrupted.
        let script = r#""$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C &&
            bin=$1 folder=$2 && shift 2 && exec "$bin/postgres" -D "$folder/data" -k "$folder" "$@""#;
        let mut server = as_user(user.as_deref(), Path::new("sh"));
        server.arg("-c").arg(script).arg("postgres").arg(&binaries).arg(&folder).current_dir(&folder);
        for setting in SETTINGS.iter().copied().chain(more.iter().map(String::as_str)) {
            server.arg("-c").arg(setting);
        }
        let log = folder.join("log");
        // PostgreSQL ends at once when told to quit: nothing of it is wanted any more. The shell before it takes no notice of that.
        let guarded = Guarded::start(&server, &log, "QUIT TERM", &format!("rm -rf '{}'", folder.display()))?;
        let postgres = Self { guarded, binaries, folder };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            let mut ready = Command::new(postgres.binaries.join("pg_isready"));
            if ready.arg("-q").arg("-h").arg(&postgres.folder).status()?.success() {
                succeed(
                    postgres
                        .psql("postgres")
                        .args(["-c", "CREATE DATABASE stoa TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"]),
                )?;
                return Ok(postgres);
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("PostgreSQL did not start: {}", fs::read_to_string(log).unwrap_or_default())
    }

    /// The database as Stoa names it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@localhost/stoa?host={}", self.folder.display())
    }

    /// What it has taken so far.
    pub(crate) fn taken(&self) -> anyhow::Result<Taken> {
        taken(self.guarded.pid)
    }

    /// Runs a script.
    pub(crate) fn run(&self, sql: &str) -> anyhow::Result<()> {
        succeed(self.psql("stoa").args(["-c", sql])).map(|_| ())
    }

    /// Runs a script from a file.
    pub(crate) fn run_file(&self, path: &Path) -> anyhow::Result<()> {
        succeed(self.psql("stoa").arg("-f").arg(path)).map(|_| ())
    }

    /// The rows of a query; no value may hold a tab.
    pub(crate) fn rows(&self, sql: &str) -> anyhow::Result<Vec<Vec<String>>> {
        let text = succeed(self.psql("stoa").args(["-At", "-F", "\t", "-c", sql]))?;
        Ok(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }

    /// The one number of a query.
    pub(crate) fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let rows = self.rows(sql)?;
        rows.first().and_then(|row| row.first()).context("no row")?.parse().context("no number")
    }

    fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"]).arg(&self.folder);
        psql
    }
}

/// Runs a command to its end and answers with what it printed.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{} was not started", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The newest installed PostgreSQL where Debian puts it, or the one on the path.
fn binaries() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = folders.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file()))
}

/// PostgreSQL refuses to run as root: then it runs as `postgres`, who is given the folder.
fn other_user(folder: &Path) -> anyhow::Result<Option<String>> {
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:")).context("there is no user postgres")?;
    let mut ids = line.split(':').skip(2).map(str::parse);
    let (user, group) = (ids.next().context("a user id")??, ids.next().context("a group id")??);
    chown(folder, Some(user), Some(group))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(Some("postgres".to_owned()))
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups"]).arg(program);
    command
}
