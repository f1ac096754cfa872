//! What the proxy counts beside the scheduler. Every label is one of a table: clients cannot make them grow.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use shardkeep_core::rest::route::Method;

use super::reason::Reason;

/// The counters of a proxy.
#[derive(Default)]
pub(super) struct Counters {
    by_method: [AtomicU64; Method::ALL.len()],
    by_status: [AtomicU64; 6],
    refused: [AtomicU64; Reason::ALL.len()],
    /// Connections that were accepted.
    pub(super) connections: AtomicU64,
    /// Connections that are open.
    pub(super) open: AtomicUsize,
    /// Requests to Discord that are not answered yet.
    pub(super) active: AtomicUsize,
    /// TLS handshakes that failed.
    pub(super) handshakes_failed: AtomicU64,
    /// Connections that were closed because the client did not read.
    pub(super) stalled: AtomicU64,
    /// Requests whose client went away before the answer.
    pub(super) abandoned: AtomicU64,
}

impl Counters {
    pub(super) fn asked(&self, method: Method) {
        let at = usize::from(method.number()) - 1;
        self.by_method[at].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn answered(&self, status: u16) {
        let at = usize::from(status / 100).min(self.by_status.len() - 1);
        self.by_status[at].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, reason: Reason) {
        self.refused[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = (Method, u64)> + '_ {
        let counts = self
            .by_method
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Method::ALL.iter().copied().zip(counts)
    }

    /// Answers by the first digit of their status: those of Discord, and the proxy's own to requests for Discord.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];
        let counts = self
            .by_status
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        CLASSES.into_iter().zip(counts)
    }

    pub(super) fn refusals(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        let counts = self
            .refused
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Reason::ALL.iter().copied().zip(counts)
    }
}

/// One request that is not answered yet.
pub(super) struct Active<'a> {
    counters: &'a Counters,
    is_answered: bool,
}

impl<'a> Active<'a> {
    pub(super) fn new(counters: &'a Counters) -> Self {
        counters.active.fetch_add(1, Ordering::Relaxed);
        Self {
            counters,
            is_answered: false,
        }
    }

    pub(super) fn answered(mut self, status: u16) {
        self.is_answered = true;
        self.counters.answered(status);
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.counters.active.fetch_sub(1, Ordering::Relaxed);
        if !self.is_answered {
            self.counters.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }
}
