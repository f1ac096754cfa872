//! What one client reports: counted from the first event after the guilds to the last.

use serde::{Deserialize, Serialize};

use crate::usage;

/// One run of one client.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Events, those of the beginning left out.
    pub events: u64,
    /// Bytes of what the client was handed.
    pub bytes: u64,
    /// Events that the client could not read.
    pub errors: u64,
    /// Processor time of all its threads, user and system.
    pub cpu_ns: u64,
    /// Of it in user mode, in hundredths of a second.
    pub user_ticks: u64,
    /// Of it in the kernel, in hundredths of a second.
    pub kernel_ticks: u64,
    /// Time that passed.
    pub wall_ns: u64,
    /// The most memory it held.
    pub rss_peak_kib: u64,
}

/// Counts what a client is handed.
#[derive(Debug)]
pub struct Meter {
    skip: u64,
    events: u64,
    counted: u64,
    bytes: u64,
    errors: u64,
    ticks_start: (u64, u64),
    cpu_start_ns: u64,
    wall_start_ns: u64,
}

impl Meter {
    /// Passes `skip` events by: READY and the guilds. Then counts `events`.
    #[must_use]
    pub const fn new(skip: u64, events: u64) -> Self {
        Self {
            skip,
            events,
            counted: 0,
            bytes: 0,
            errors: 0,
            ticks_start: (0, 0),
            cpu_start_ns: 0,
            wall_start_ns: 0,
        }
    }

    /// Counts events of so many bytes together. `true` once all were counted.
    pub fn count(&mut self, events: u64, bytes: usize) -> bool {
        let before = self.counted;
        self.counted += events;
        if before < self.skip && self.counted >= self.skip {
            self.ticks_start = usage::user_and_kernel_ticks();
            self.cpu_start_ns = usage::cpu_ns();
            self.wall_start_ns = usage::wall_ns();
        } else if before >= self.skip {
            self.bytes += bytes as u64;
        }
        self.counted >= self.skip + self.events
    }

    /// Counts an event that could not be read.
    pub fn error(&mut self) -> bool {
        self.errors += 1;
        self.count(1, 0)
    }

    /// What was counted until now.
    #[must_use]
    pub fn run(&self) -> Run {
        let (user, kernel) = usage::user_and_kernel_ticks();
        Run {
            user_ticks: user - self.ticks_start.0,
            kernel_ticks: kernel - self.ticks_start.1,
            events: self.counted.saturating_sub(self.skip),
            bytes: self.bytes,
            errors: self.errors,
            cpu_ns: usage::cpu_ns() - self.cpu_start_ns,
            wall_ns: usage::wall_ns() - self.wall_start_ns,
            rss_peak_kib: usage::rss_peak_kib(),
        }
    }

    /// Writes [`Meter::run`] to stdout as one line of JSON.
    ///
    /// # Errors
    ///
    /// If nobody reads stdout.
    pub fn report(&self) -> std::io::Result<()> {
        use std::io::Write as _;
        let line = serde_json::to_string(&self.run()).map_err(std::io::Error::other)?;
        writeln!(std::io::stdout(), "{line}")
    }
}
