//! Programs that end when we do, however we end, and what they take of the machine.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};

/// A program, and whoever ends it.
pub(crate) struct Guarded {
    guardian: Child,
    /// The program's process.
    pub(crate) pid: u32,
}

impl Guarded {
    /// Starts a program whose output goes to a file. It gets these signals when this is dropped, or when we are gone: its guardian
    /// waits for the end of a pipe that we hold, so nothing of ours has to run for that. Then `afterwards` is done.
    pub(crate) fn start(command: &Command, log: &Path, signals: &str, afterwards: &str) -> anyhow::Result<Self> {
        let script = format!(
            "\"$@\" >>'{log}' 2>&1 </dev/null & pid=$!; echo $pid; exec >/dev/null; cat; \
             for signal in {signals}; do kill -$signal $pid; done; wait $pid; {afterwards}",
            log = log.display()
        );
        let mut guardian = Command::new("sh");
        guardian.arg("-c").arg(script).arg("guardian").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            guardian.env(name, value.unwrap_or(OsStr::new("")));
        }
        if let Some(folder) = command.get_current_dir() {
            guardian.current_dir(folder);
        }
        // A group of its own: Ctrl-C on us leaves the guardian alive to clean up.
        guardian.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut guardian =
            guardian.spawn().with_context(|| format!("{} was not started", command.get_program().display()))?;
        let mut line = String::new();
        BufReader::new(guardian.stdout.take().context("the guardian has an output")?).read_line(&mut line)?;
        let pid = line.trim().parse().with_context(|| format!("the guardian said {line:?}"))?;
        Ok(Self { guardian, pid })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// What a program and its descendants have taken so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    /// Time on processors; of processes that have ended, too, once their parent knows.
    pub(crate) cpu: Duration,
    /// Memory that is resident now, in bytes: a sum, so what processes share counts for each.
    pub(crate) resident: u64,
}

/// Ticks of the clock in a second, and bytes in a page: Linux has shown these to programs for twenty years.
const TICKS: u64 = 100;
const PAGE: u64 = 4096;

struct Stat {
    parent: u32,
    ticks: u64,
    pages: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and brackets: what counts comes after it.
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // Its own, and those of children that have ended and were waited for.
    let ticks = (11..=14).filter_map(number).sum();
    Some(Stat { parent: number(1)? as u32, ticks, pages: number(21)? })
}

/// What the program with this process has taken so far.
pub(crate) fn taken(pid: u32) -> anyhow::Result<Taken> {
    let all: HashMap<u32, Stat> = fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect();
    if !all.contains_key(&pid) {
        bail!("process {pid} has ended");
    }
    let belongs = |mut of: u32| {
        loop {
            if of == pid {
                return true;
            }
            match all.get(&of) {
                Some(stat) if stat.parent > 1 => of = stat.parent,
                _ => return false,
            }
        }
    };
    let (mut ticks, mut pages) = (0, 0);
    for (_, stat) in all.iter().filter(|(of, _)| belongs(**of)) {
        ticks += stat.ticks;
        pages += stat.pages;
    }
    Ok(Taken { cpu: Duration::from_micros(ticks * 1_000_000 / TICKS), resident: pages * PAGE })
}

/// The processor time of this process alone: the servers are its descendants.
pub(crate) fn own_cpu() -> Duration {
    stat(std::process::id()).map_or(Duration::ZERO, |stat| Duration::from_micros(stat.ticks * 1_000_000 / TICKS))
}
