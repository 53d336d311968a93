//! The configuration, and what of it lies on this machine.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    path::Path,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::Findings;
use crate::{accounts::secret::SecretKey, cli::config::Config, time::Clock};

/// So long something on the network may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// With fewer different characters than this, a key was typed and not drawn.
const FEWEST_CHARACTERS: usize = 10;
/// Before this program was written nobody runs it: 2026-01-01.
const EARLIEST: i64 = 1_767_225_600;

pub(super) fn configuration(config: &Config, findings: &mut Findings) {
    const CHECK: &str = "configuration";
    let from = config.file.as_ref().map_or_else(
        || "no file: defaults and the environment".to_owned(),
        |file| format!("read from {}", file.display()),
    );
    let wrong = config.settings().map(|_| ()).and_then(|()| config.schedule().map(|_| ()));
    match wrong {
        Ok(()) => findings.ok(CHECK, from),
        Err(error) => findings.fail(CHECK, format!("{error:#}"), "mend it: docs/CONFIGURATION.md lists every setting"),
    }
    if let Some(file) = &config.file
        && config.has_secrets_in_file()
        && let Some(mode) = open_to_others(file)
    {
        findings.warn(
            CHECK,
            format!("{} has secrets in it, and others may read it (mode {mode:o})", file.display()),
            format!("chmod 600 {}, or put them into the environment", file.display()),
        );
    }
}

pub(super) fn secret_key(config: &Config, findings: &mut Findings) {
    const CHECK: &str = "secret key";
    if let Some(text) = &config.secret_key {
        return match SecretKey::from_text(text) {
            Err(error) => findings.fail(CHECK, error.to_string(), "make one with `openssl rand -hex 32`"),
            Ok(_) if is_weak(text) => findings.warn(
                CHECK,
                "it has few different characters, so it can be guessed",
                "a new installation should use `openssl rand -hex 32`; a database keeps the key it was set up with",
            ),
            Ok(_) => findings.ok(CHECK, "given in the configuration"),
        };
    }
    let file = config.secret_key_path();
    match std::fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => findings.warn(
            CHECK,
            format!("there is no file {}", file.display()),
            "the first start makes one; if this database was set up before, bring its key back",
        ),
        Err(error) => findings.fail(
            CHECK,
            format!("{} can't be read: {error}", file.display()),
            "let the user that runs Stoa read it",
        ),
        Ok(text) => match SecretKey::from_text(&text) {
            Err(error) => findings.fail(CHECK, format!("{}: {error}", file.display()), "bring the key back"),
            Ok(_) => match open_to_others(&file) {
                Some(mode) => findings.warn(
                    CHECK,
                    format!("others may read {} (mode {mode:o})", file.display()),
                    format!("chmod 600 {}", file.display()),
                ),
                None if is_weak(&text) => findings.warn(
                    CHECK,
                    format!("the key in {} has few different characters, so it can be guessed", file.display()),
                    "a new installation should let Stoa make the file",
                ),
                None => findings.ok(CHECK, format!("in {}, for its owner only", file.display())),
            },
        },
    }
}

fn is_weak(key: &str) -> bool {
    key.trim().chars().collect::<std::collections::BTreeSet<_>>().len() < FEWEST_CHARACTERS
}

/// The mode of a file that more than its owner may read.
#[cfg(unix)]
fn open_to_others(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}

pub(super) async fn addresses(config: &Config, findings: &mut Findings) {
    const LISTEN: &str = "listen";
    match config.listen.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()) {
        None => findings.fail(
            LISTEN,
            format!("{:?} is no address of this machine", config.listen),
            "use an address and a port, such as 127.0.0.1:8000",
        ),
        Some(address) => {
            free(LISTEN, address, findings).await;
            // Cookies are `Secure`, and tokens would be read on the way.
            if !address.ip().is_loopback() && config.trusted_proxies.is_empty() {
                findings.warn(
                    LISTEN,
                    format!("{address} is reached from elsewhere, without TLS and without a proxy in trusted_proxies"),
                    "put a proxy with TLS before it, and name it in trusted_proxies",
                );
            }
        }
    }
    for proxy in &config.trusted_proxies {
        if proxy.ends_with("/0") {
            findings.warn(
                "proxies",
                format!("trusted_proxies has {proxy}, so anybody may say where she comes from"),
                "name your proxies alone",
            );
        }
    }
    let metrics = &config.observe.metrics_listen;
    if !metrics.is_empty() {
        match metrics.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()) {
            None => findings.fail("metrics", format!("{metrics:?} is no address"), "use one such as 127.0.0.1:9464"),
            Some(address) => {
                free("metrics", address, findings).await;
                if !address.ip().is_loopback() {
                    findings.warn(
                        "metrics",
                        format!("{address} is reached from elsewhere, and has no password"),
                        "let only Prometheus reach it",
                    );
                }
            }
        }
    }
    let otlp = &config.observe.otlp_endpoint;
    if !otlp.is_empty() {
        match reached(otlp).await {
            Ok(()) => findings.ok("traces", format!("the collector at {otlp} can be reached")),
            Err(error) => findings.warn(
                "traces",
                format!("the collector at {otlp} can't be reached ({error})"),
                "start it, or set observe.otlp_endpoint to where it is; until then traces are lost",
            ),
        }
    }
}

/// Whether an address can be listened on, or a server of ours listens there already.
async fn free(check: &'static str, address: SocketAddr, findings: &mut Findings) {
    match TcpListener::bind(address).await {
        Ok(_) => findings.ok(check, format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            if is_stoa(address).await {
                findings.ok(check, format!("a Stoa server answers at {address}"));
            } else {
                findings.fail(check, format!("another program has {address}"), "end it, or choose another address");
            }
        }
        Err(error) => findings.fail(check, format!("{address} can't be used: {error}"), "choose another address"),
    }
}

async fn is_stoa(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        // One of the two is there at each of our addresses.
        let request = "GET /healthz HTTP/1.1\r\nHost: stoa\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.take(4_096).read_to_string(&mut answer).await.ok()?;
        Some(answer.ends_with("alive\n"))
    };
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten().unwrap_or(false)
}

/// Whether somebody listens at a URL's host.
async fn reached(url: &str) -> Result<(), String> {
    let url: url::Url = url.parse().map_err(|_| "no address".to_owned())?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err("no address".to_owned());
    };
    match tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// The database's file, and how many files may be open.
pub(super) fn files(config: &Config, findings: &mut Findings) {
    if let Some(path) = config.database_url.strip_prefix("sqlite:") {
        let file = Path::new(path.strip_prefix("//").unwrap_or(path));
        if let Some(mode) = open_to_others(file) {
            findings.warn(
                "database",
                format!("others may read {} (mode {mode:o}), and addresses are in it", file.display()),
                format!("chmod 600 {}", file.display()),
            );
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        disk(folder, findings);
    }
    if let Some(most) = crate::observe::most_files() {
        let wanted = config.live.connections as i64 + i64::from(config.connections) + 100;
        if most < wanted {
            findings.warn(
                "open files",
                format!("this process may have {most} files open, and live.connections is {}", config.live.connections),
                format!(
                    "raise the limit to {wanted} (LimitNOFILE in systemd, or ulimit -n), or lower live.connections"
                ),
            );
        } else {
            findings.ok("open files", format!("up to {most}"));
        }
    }
}

#[cfg(unix)]
fn disk(folder: &Path, findings: &mut Findings) {
    const CHECK: &str = "disk";
    const MIB: u64 = 1 << 20;
    let Ok(disk) = rustix::fs::statvfs(folder) else { return };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} MiB are free at {}", free / MIB, folder.display());
    if free < 100 * MIB {
        findings.fail(CHECK, text, "make room: without it nothing can be written");
    } else if free < 1_024 * MIB {
        findings.warn(CHECK, text, "make room before it is full");
    } else {
        findings.ok(CHECK, text);
    }
}

#[cfg(not(unix))]
fn disk(_: &Path, _: &mut Findings) {}

pub(super) fn clock(findings: &mut Findings) {
    let now = Clock::system().now();
    if now.seconds() < EARLIEST {
        findings.fail("clock", format!("this machine's clock says {now}"), "set it, and keep it right by NTP");
    } else {
        findings.ok("clock", format!("{now}"));
    }
}
