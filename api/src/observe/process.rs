//! What the operating system says of this process, where it says so in files (Linux).

use std::fs;

/// What is known of this process; `None` where the system does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    pub(super) resident: Option<i64>,
    pub(super) open_files: Option<i64>,
    pub(super) max_files: Option<i64>,
    /// Seconds.
    pub(super) processor: Option<f64>,
}

impl Process {
    pub(super) fn now() -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).ok();
        Self {
            resident: read("status").and_then(|text| resident(&text)),
            open_files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as i64),
            max_files: read("limits").and_then(|text| max_files(&text)),
            processor: read("stat").and_then(|text| processor(&text)),
        }
    }
}

fn resident(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<i64>().ok()? * 1_024)
}

fn max_files(limits: &str) -> Option<i64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The fields after the program's name, which may hold anything. Linux counts in hundredths of a second here.
fn processor(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11).map(str::parse::<f64>);
    Some((fields.next()?.ok()? + fields.next()?.ok()?) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_understood() {
        assert_eq!(resident("Name:\tstoa\nVmRSS:\t   46212 kB\nRssAnon: 1 kB\n"), Some(47_321_088));
        assert_eq!(max_files("Limit  Soft  Hard\nMax open files            1024      4096   files\n"), Some(1_024));
        let stat = "12 (a) b) S 1 12 12 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 100 1 2 3";
        assert_eq!(processor(stat), Some(3.0));
        assert_eq!(processor("nonsense"), None);
    }
}
