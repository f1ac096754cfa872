//! Stored sessions in numbers, for the metrics and the status of a bot.

use std::fmt::Error;

use serde::Serialize;

use crate::ops::metrics::Page;

/// What has become of stored sessions, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionsStatus {
    /// Sessions that a start found.
    pub loaded: u64,
    /// Stored sessions that could not be read: damaged, or of another version. Their shards identify.
    pub refused: u64,
    /// Sessions written, each time that one had changed.
    pub saved: u64,
    /// Sessions removed because Discord had ended them.
    pub removed: u64,
    /// Writes that another process had overtaken: it holds the shard now.
    pub superseded: u64,
    /// Writes that failed. What they held is written with the next.
    pub failed: u64,
    /// Dispatches that were handed out and are not finished.
    pub outstanding: u64,
    /// Dispatches that are not waited for any more, because more than a million others came after them.
    pub abandoned: u64,
}

impl SessionsStatus {
    /// Writes them on a page of metrics.
    pub(crate) fn encode(&self, page: &mut Page<'_>) -> Result<(), Error> {
        page.gauge(
            "stored_sessions_outstanding",
            "Dispatches that were handed out and are not finished: a crash now would repeat them.",
            Some(self.outstanding),
        )?;
        let counters = [
            ("loaded", "Sessions that a start found.", self.loaded),
            (
                "refused",
                "Stored sessions that could not be read.",
                self.refused,
            ),
            (
                "saved",
                "Sessions written, each time that one had changed.",
                self.saved,
            ),
            (
                "removed",
                "Sessions removed because Discord had ended them.",
                self.removed,
            ),
            (
                "superseded",
                "Writes that another process had overtaken.",
                self.superseded,
            ),
            (
                "failed",
                "Writes that failed and are tried again.",
                self.failed,
            ),
            (
                "abandoned",
                "Dispatches too far behind to be waited for: a crash now would lose them.",
                self.abandoned,
            ),
        ];
        counters.into_iter().try_for_each(|(name, help, value)| {
            page.counter(&format!("stored_sessions_{name}"), help, value)
        })
    }
}
