//! When to beat, whether the last beat was answered, and how long the answer took.

use core::time::Duration;

use crate::time::Instant;

/// Discord names an interval in Hello (41.25 s as seen). A shorter one than this would eat the outbound budget of 120
/// messages per 60 s; a longer one is surely wrong. Values outside are taken as the nearest bound.
const INTERVAL_MIN: Duration = Duration::from_millis(600);
const INTERVAL_MAX: Duration = Duration::from_secs(600);

/// The heartbeat of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    /// The earliest beat that waits for its acknowledgement.
    unanswered_since: Option<Instant>,
    /// The last beat that was due by the schedule, not by request.
    scheduled_at: Option<Instant>,
    /// When anything last arrived.
    heard_at: Instant,
    latency: Option<Duration>,
}

impl Heartbeat {
    pub(super) const fn new() -> Self {
        Self {
            interval: INTERVAL_MAX,
            unanswered_since: None,
            scheduled_at: None,
            heard_at: Instant::ZERO,
            latency: None,
        }
    }

    /// A new connection named its interval.
    pub(super) fn start(&mut self, interval: Duration, now: Instant) {
        self.interval = interval.clamp(INTERVAL_MIN, INTERVAL_MAX);
        self.unanswered_since = None;
        self.scheduled_at = None;
        self.heard_at = now;
    }

    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Time from the last answered beat to its acknowledgement.
    pub(super) const fn latency(&self) -> Option<Duration> {
        self.latency
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.unanswered_since.get_or_insert(now);
    }

    /// Whether a beat waits for its acknowledgement.
    pub(super) const fn is_unanswered(&self) -> bool {
        self.unanswered_since.is_some()
    }

    /// A beat is due by the schedule.
    pub(super) const fn scheduled(&mut self, now: Instant) {
        self.scheduled_at = Some(now);
    }

    /// An acknowledgement arrived: the latency, unless nothing was waiting for one.
    pub(super) fn acknowledged(&mut self, now: Instant) -> Option<Duration> {
        let latency = now - self.unanswered_since.take()?;
        self.latency = Some(latency);
        Some(latency)
    }

    /// Whether the connection is dead: a beat is due and none since the one before has an answer. A beat that Discord
    /// asked for in between may have left a moment ago: it has the whole of the next interval to be answered.
    pub(super) fn is_zombied(&self, any_message_counts: bool) -> bool {
        match (self.unanswered_since, self.scheduled_at) {
            (Some(since), Some(scheduled_at)) if since <= scheduled_at => {
                !any_message_counts || self.heard_at < since
            }
            _ => false,
        }
    }

    /// How many beats can fall into `window`, at most.
    pub(super) fn beats_within(&self, window: Duration) -> usize {
        usize::try_from(window.as_micros().div_ceil(self.interval.as_micros()))
            .unwrap_or(usize::MAX)
    }
}
