//! The clients that frontends use, for real: each folder of `tests/clients` is a small program on packages of the field,
//! and is run here against a server with the school behind it.
//!
//! A folder with a `package.json` is installed by `npm ci` and run by `npm test`; one with a `requirements.txt` gets an
//! environment of its own and is run by `python test.py`. Each finds in its environment where the server is (`STOA_URL`), and
//! tokens of three of the school's people: `STOA_TOKEN_MEI` and `STOA_TOKEN_OMAR`, who learn, and `STOA_TOKEN_ANA`, who
//! instructs. It says that something is wrong by its exit code.
//!
//! What they need may be missing: Node, Python, or the registries of their packages. Then they are left out, which is said;
//! with `STOA_CLIENTS=required` it is a failure.

use std::{
    collections::BTreeSet,
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use stoa_testkit::{Database, School, Server};
use tokio::{process::Command, task::block_in_place, time::timeout};

/// Declares the folders of `tests/clients`. The block makes of the school what the folder's program needs: with other
/// settings `school.under(settings).await`, otherwise `school`.
macro_rules! clients {
    ($($(#[$meta:meta])* async fn $name:ident($school:ident) $body:block)+) => {
        const LISTED: &[&str] = &[$(stringify!($name)),+];
        $(
            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(ready) = Ready::of(stringify!($name)).await else { return };
                let $school = School::open(Database::sqlite()).await;
                let school: School = $body;
                ready.run(&school).await;
            }
        )+
    };
}

clients! {
    async fn apollo(school) { school }
    async fn python(school) { school }
    async fn relay(school) { school }
    async fn transports(school) { school }
    async fn typescript(school) { school }
    async fn urql(school) { school }
}

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(5);
/// The same, for what comes over a network.
const INSTALLATION: Duration = Duration::from_mins(9);

/// What a folder's program is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Node,
    Python,
}

/// A folder whose packages are installed.
struct Ready {
    kind: Kind,
    folder: PathBuf,
    /// Nobody installs into it or runs it meanwhile.
    _alone: fs::File,
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

impl Kind {
    fn of(folder: &Path) -> Option<Self> {
        if folder.join("package.json").is_file() {
            Some(Self::Node)
        } else {
            folder.join("requirements.txt").is_file().then_some(Self::Python)
        }
    }

    /// The program that must be there, and the version it needs.
    const fn needs(self) -> (&'static str, &'static str, [u32; 2]) {
        match self {
            Self::Node => ("node", "Node", [20, 0]),
            Self::Python => ("python3", "Python", [3, 10]),
        }
    }

    /// What tells which packages are wanted.
    const fn lock(self) -> &'static str {
        match self {
            Self::Node => "package-lock.json",
            Self::Python => "requirements.txt",
        }
    }

    /// Where they are installed.
    const fn installed(self) -> &'static str {
        match self {
            Self::Node => "node_modules",
            Self::Python => ".venv",
        }
    }
}

impl Ready {
    /// Installs what a folder needs, unless it is there. `None` where that can't be, and need not be.
    async fn of(name: &str) -> Option<Self> {
        let folder = clients().join(name);
        let kind = Kind::of(&folder).unwrap_or_else(|| panic!("nothing can be run in tests/clients/{name}"));
        if let Err(why) = there_is(kind).await {
            return left_out(name, &why);
        }
        // Tests run at once, as threads or as processes, and perhaps twice.
        let lock = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("client-{name}.lock"));
        let alone = fs::File::create(lock).expect("a file to lock");
        block_in_place(|| alone.lock()).expect("a lock");
        let ready = Self { kind, folder, _alone: alone };
        match ready.install().await {
            Ok(()) => Some(ready),
            Err(output) if is_of_the_network(&output) => {
                left_out(name, &format!("its packages can't be fetched:\n{output}"))
            }
            Err(output) => panic!("the packages of tests/clients/{name} can't be installed:\n{output}"),
        }
    }

    /// What is installed notes the lock that it came from, at the end: what was broken off is begun anew.
    async fn install(&self) -> Result<(), String> {
        let wanted = fs::read(self.folder.join(self.kind.lock())).expect("a lock of the packages");
        let installed = self.folder.join(self.kind.installed());
        let note = installed.join("installed-from");
        if fs::read(&note).is_ok_and(|from| from == wanted) {
            return Ok(());
        }
        match self.kind {
            Kind::Node => {
                let npm = self.command("npm", &["ci", "--no-audit", "--no-fund", "--no-update-notifier"]);
                succeeds(npm, INSTALLATION).await?;
            }
            Kind::Python => {
                let venv = self.command("python3", &["-m", "venv", "--clear", ".venv"]);
                succeeds(venv, INSTALLATION).await?;
                let arguments =
                    ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
                succeeds(self.command(".venv/bin/python", &arguments), INSTALLATION).await?;
            }
        }
        fs::write(note, wanted).expect("a note of what is installed");
        Ok(())
    }

    /// Runs the program against a server of its own.
    async fn run(&self, school: &School) {
        let server = Server::start(&school.app).await;
        let mut command = match self.kind {
            Kind::Node => self.command("npm", &["test", "--no-update-notifier"]),
            Kind::Python => self.command(".venv/bin/python", &["test.py"]),
        };
        command.env("STOA_URL", format!("http://{}/graphql", server.address));
        for person in ["mei", "omar", "ana"] {
            let token = school.app.accounts.issue_token(school.id_of(person), "client", None).await.expect("a token");
            command.env(format!("STOA_TOKEN_{}", person.to_uppercase()), token.secret_text());
        }
        match succeeds(command, PATIENCE).await {
            Ok(()) => {}
            Err(output) => panic!("{} failed:\n{output}", self.folder.display()),
        }
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        // A relative path would be looked for in this process's folder.
        let path = if program.contains('/') { self.folder.join(program) } else { program.into() };
        let mut command = Command::new(path);
        command.args(arguments).current_dir(&self.folder).kill_on_drop(true).stdin(std::process::Stdio::null());
        // The server is on this machine, whatever lies between it and the registries.
        command.env("NO_PROXY", "127.0.0.1").env("PYTHONUNBUFFERED", "1").env("NO_COLOR", "1");
        command
    }
}

/// Runs to the end, and shows what it printed where that was no success.
async fn succeeds(mut command: Command, patience: Duration) -> Result<(), String> {
    let shown = format!("{:?}", command.as_std());
    match timeout(patience, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            // Shown with `--nocapture`, such as the report of an audit.
            println!("{}", printed(&output));
            Ok(())
        }
        Ok(Ok(output)) => Err(format!("{shown}: {}\n{}", output.status, printed(&output))),
        Ok(Err(error)) => Err(format!("{shown}: {error}")),
        Err(_) => Err(format!("{shown} did not end within {} s", patience.as_secs())),
    }
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether the program is there in a version that is new enough; otherwise why not.
async fn there_is(kind: Kind) -> Result<(), String> {
    let (program, name, [major, minor]) = kind.needs();
    let least = if minor == 0 { format!("{name} {major}") } else { format!("{name} {major}.{minor}") };
    let output = Command::new(program).arg("--version").output().await;
    let found = output.ok().filter(|output| output.status.success()).map(|output| printed(&output));
    let found = found.ok_or(format!("there is no {least} here"))?;
    match version(&found) {
        Some(version) if version >= [major, minor] => Ok(()),
        _ => Err(format!("there is no {least} here, but {}", found.trim())),
    }
}

/// The first two numbers, of `v20.19.2` or `Python 3.11.7`.
fn version(text: &str) -> Option<[u32; 2]> {
    let mut numbers = text.trim().trim_start_matches("Python ").trim_start_matches('v').split('.').map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

/// Whether a package manager failed since it could not reach its registry. Its exit code does not tell.
fn is_of_the_network(output: &str) -> bool {
    const SIGNS: [&str; 10] = [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "NewConnectionError",
        "ConnectTimeoutError",
        "NameResolutionError",
    ];
    SIGNS.iter().any(|sign| output.contains(sign))
}

/// Says that a folder is left out, if it may be.
fn left_out<T>(name: &str, why: &str) -> Option<T> {
    let required = env::var("STOA_CLIENTS").is_ok_and(|value| value == "required");
    assert!(!required, "STOA_CLIENTS is `required`, and tests/clients/{name} can't be run: {why}");
    // Past the test harness, which would hide it.
    let _ = writeln!(std::io::stderr(), "\nNOT TESTED WITH CLIENTS: {why} (tests/clients/{name})\n");
    None
}

/// The names of the folders.
fn folders() -> BTreeSet<String> {
    let entries = fs::read_dir(clients()).expect("tests/clients").map(|entry| entry.expect("an entry").path());
    let folders = entries.filter(|path| path.is_dir());
    folders.map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect()
}

/// A folder that nobody runs would test nothing.
#[test]
fn each_folder_of_clients_is_run() {
    assert_eq!(folders(), LISTED.iter().map(|name| (*name).to_owned()).collect());
}

/// What is installed is the same everywhere and at any time, from whichever registry is set up.
#[test]
fn clients_name_exact_versions_and_no_registry() {
    let read = |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let is_exact = |version: &str| version.starts_with(|first: char| first.is_ascii_digit());
    for name in folders() {
        let folder = clients().join(&name);
        if Kind::of(&folder) == Some(Kind::Python) {
            for line in read(folder.join("requirements.txt")).lines().map(str::trim) {
                let is_fine = line.is_empty() || line.starts_with('#');
                let version = line.split_once("==").map(|(_, version)| version);
                assert!(is_fine || version.is_some_and(is_exact), "{name}: {line}");
            }
            continue;
        }
        let package: serde_json::Value = serde_json::from_str(&read(folder.join("package.json"))).expect("JSON");
        assert_eq!((&package["private"], &package["license"]), (&true.into(), &"MIT OR Apache-2.0".into()), "{name}");
        for kind in ["dependencies", "devDependencies"] {
            for (dependency, version) in package[kind].as_object().into_iter().flatten() {
                assert!(version.as_str().is_some_and(is_exact), "{name}: {dependency} {version}");
            }
        }
        let lock = read(folder.join("package-lock.json"));
        assert!(
            !lock.contains("\"resolved\"") && !lock.contains("https://registry"),
            "{name}: its lock names a registry"
        );
    }
}

#[test]
fn versions_are_read_as_they_are_printed() {
    assert_eq!(version("v20.19.2\n"), Some([20, 19]));
    assert_eq!(version("Python 3.11.7\n"), Some([3, 11]));
    assert_eq!(version("command not found"), None);
}
