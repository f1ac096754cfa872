//! What this process has used of the machine, as Linux tells it under /proc.

use std::fs;
use std::path::PathBuf;

/// Linux counts processor time in hundredths of a second towards programs, whatever the kernel ticks at.
const TICKS_PER_S: f64 = 100.0;

/// Processor time of this process so far, user and system, in seconds. `None` where there is no /proc.
///
/// The count for the whole process is coarse; that of the threads is exact, and misses those that have ended. Neither
/// is ever too high, so the higher one is the better one.
pub(super) fn cpu_s() -> Option<f64> {
    let process = cpu_of(&fs::read_to_string("/proc/self/stat").ok()?)?;
    Some(process.max(threads_cpu_s().unwrap_or(0.0)))
}

/// What the scheduler says of every thread that lives, in nanoseconds, where the kernel keeps count of it.
fn threads_cpu_s() -> Option<f64> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let one = |path: PathBuf| -> Option<f64> {
        let text = fs::read_to_string(path.join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let ns: f64 = threads
        .flatten()
        .filter_map(|thread| one(thread.path()))
        .sum();
    Some(ns / 1e9)
}

/// The most memory this process has held, in megabytes of 1,000,000 bytes. `None` where there is no /proc.
pub(super) fn rss_peak_mb() -> Option<f64> {
    peak_of(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Fields 14 and 15 of /proc/self/stat. The second field, the name in parentheses, may hold anything.
fn cpu_of(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_S)
}

fn peak_of(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_process_cannot_mislead() {
        let stat = "7 (a ) b 1 2) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 999 1 2";
        assert_eq!(cpu_of(stat), Some(3.0));
        assert_eq!(cpu_of("nonsense"), None);
    }

    #[test]
    fn the_peak_is_in_megabytes() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t    1000 kB\n"), Some(1.024));
        assert_eq!(peak_of("Name:\tx\n"), None);
    }
}
