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
