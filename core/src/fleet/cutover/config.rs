//! What a cutover may hold in memory, how long it remembers, and how long it waits.

use core::time::Duration;

/// The settings of both sides. They should be the same on both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which cutover this is: messages of another one are ignored. Take something that is never used again, such as a
    /// fencing token. The way back after an abort is a cutover of its own.
    pub cutover: u64,
    /// How long fingerprints are remembered and expected duplicates are waited for. Default 30 s: sessions lie less
    /// than a second apart in quiet times, and some ten seconds when one of them is resuming.
    pub horizon: Duration,
    /// How far apart the two sides may deliver the same event (one half of it), and messages between them be under way
    /// (the other half), for silence to be a proof. Default 5 s. A guild needs twice as much silence. Keys of Discord's
    /// own need no such bound.
    pub lag_max: Duration,
    /// How long the old side waits until it has dispatched what the new side saw, while its session shows that it
    /// lives. Default 10 s: what is not there then is not coming, and every second of waiting is a second of held
    /// events. A session that hangs is waited for until it is resumed or lost.
    pub patience: Duration,
    /// How long the new side waits for an answer before it says the same again. Default 1 s.
    pub say_again: Duration,
    /// How many fingerprints a side remembers, over all guilds. Default 131,072, which is 3 MiB: 30 s of a session with
    /// 4,000 events a second.
    pub seen_max: usize,
    /// How many fingerprints of a guild a message lists. Default 512, at most [`LISTED_MAX`](super::LISTED_MAX).
    pub listed_max: usize,
    /// How many bytes of held events the new side keeps before it asks the driver to stop reading. Default 16 MiB.
    pub hold_bytes_max: usize,
    /// How many guilds are asked for at a time. Default 64: each holds its events for about the time of two messages.
    pub asks_max: usize,
    /// Whether this new session takes what has no guild, and the old one gives it up. Of the new sessions of one old
    /// session, one does; where none does, the old one dispatches it to its end.
    pub takes_shared: bool,
}

impl Config {
    /// The defaults, for this cutover.
    #[must_use]
    pub const fn new(cutover: u64) -> Self {
        Self {
            cutover,
            horizon: Duration::from_secs(30),
            lag_max: Duration::from_secs(5),
            patience: Duration::from_secs(10),
            say_again: Duration::from_secs(1),
            seen_max: 131_072,
            listed_max: 512,
            hold_bytes_max: 16 << 20,
            asks_max: 64,
            takes_shared: true,
        }
    }

    /// How long the old side remembers: what the new side lists may have been dispatched here somewhat earlier.
    pub(super) fn memory(&self) -> Duration {
        self.horizon.saturating_add(self.silence())
    }

    /// How much silence is proof.
    pub(super) fn silence(&self) -> Duration {
        self.lag_max.saturating_mul(2)
    }

    pub(super) fn listed(&self) -> usize {
        self.listed_max.clamp(1, super::LISTED_MAX)
    }
}
