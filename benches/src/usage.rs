//! What this process has used of the machine.

use rustix::time::{ClockId, clock_gettime};

fn read(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let ns = time
        .tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec);
    u64::try_from(ns).unwrap_or(0)
}

/// Processor time of all threads so far, user and system, in nanoseconds.
#[must_use]
pub fn cpu_ns() -> u64 {
    read(ClockId::ProcessCPUTime)
}

/// Time that passes by itself, in nanoseconds since some moment.
#[must_use]
pub fn wall_ns() -> u64 {
    read(ClockId::Monotonic)
}

/// Processor time so far in user mode and in the kernel, in ticks of a hundredth of a second: too coarse for one run,
/// good for the ratio over many. Zeros where there is no /proc.
#[must_use]
pub fn user_and_kernel_ticks() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&stat).unwrap_or_default()
}

/// Fields 14 and 15. The second field, the name in parentheses, may hold anything.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// A field of /proc/self/status, in KiB; 0 where there is no such file.
fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// The most memory that this process has held, in KiB.
#[must_use]
pub fn rss_peak_kib() -> u64 {
    status_kib("VmHWM:")
}

/// The memory that this process holds now, in KiB.
#[must_use]
pub fn rss_kib() -> u64 {
    status_kib("VmRSS:")
}

/// Of the memory that this process holds now, what is its own and no file's, in KiB.
#[must_use]
pub fn rss_own_kib() -> u64 {
    status_kib("RssAnon:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_process_cannot_mislead() {
        let stat = "7 (a ) b 1 2) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 999 1 2";
        assert_eq!(ticks(stat), Some((250, 50)));
        assert_eq!(ticks("nonsense"), None);
    }
}
