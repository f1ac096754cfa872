//! The one place that reads the clocks: microseconds since this process first asked, and wall time.

use std::sync::LazyLock;
use std::time::{Instant as StdInstant, SystemTime, UNIX_EPOCH};

use shardkeep_core::Instant;

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is handed the time of"
)]
static EPOCH: LazyLock<StdInstant> = LazyLock::new(StdInstant::now);

/// Now, on the clock that every machine of this process lives by.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is handed the time of"
)]
pub fn now() -> Instant {
    let epoch = *EPOCH;
    Instant::from_micros(
        u64::try_from(StdInstant::now().duration_since(epoch).as_micros()).unwrap_or(u64::MAX),
    )
}

/// The moment on tokio's clock that `at` stands for.
pub(crate) fn to_tokio(at: Instant) -> tokio::time::Instant {
    tokio::time::Instant::from_std(*EPOCH + at.since(Instant::ZERO))
}

/// Milliseconds since 1970, for deadlines that outlive the process.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is handed the time of"
)]
pub fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_go_back_and_converts_without_loss_of_order() {
        let (first, second) = (now(), now());
        assert!(first <= second);
        assert!(to_tokio(first) <= to_tokio(second));
        assert!(unix_ms() > 1_700_000_000_000);
    }
}
