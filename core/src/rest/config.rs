//! What a scheduler can be told: sizes, margins and limits.

use core::time::Duration;

use super::pool::PoolConfig;

/// The settings of a [`Scheduler`](super::Scheduler).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Requests that may wait, over all identities. One more is refused. Default 10,000.
    pub queue_size: usize,
    /// Requests that may be in flight at once, over all identities: as many as the driver can really send. Default 10.
    pub max_in_flight: usize,
    /// How many of [`max_in_flight`](Self::max_in_flight) only interactions may use. Default 2; at least one place is
    /// for everybody.
    pub reserved_in_flight: usize,
    /// Requests a second over all routes, for each identity. Discord's default is 50.
    pub global_limit: u32,
    /// The span of the global limit. Discord's is one second.
    pub global_window: Duration,
    /// How long an unanswered request can take to arrive at Discord. Until it is answered, or this has passed, it
    /// counts against the global limit as if it had not arrived yet. Default 1 s.
    pub arrival_bound: Duration,
    /// What is added to every reset that Discord announces, for clocks that drift and figures that are rounded.
    /// Default 5 ms.
    pub reset_margin: Duration,
    /// How long a request waits before it has a turn whatever its priority. One turn in eight is for such. Default 5 s.
    pub age_after: Duration,
    /// How often a request is sent again after a 5xx or a failed connection. Default 3.
    pub retries: u32,
    /// How often a request is sent again after a 429. Default 10.
    pub limited_retries: u32,
    /// The first pause after a failure; each further one doubles it. Jitter takes up to half of it. Default 500 ms.
    pub backoff_base: Duration,
    /// The longest pause after a failure. Default 16 s.
    pub backoff_cap: Duration,
    /// Invalid requests in ten minutes before Discord bans the IP address. Discord's figure is 10,000.
    pub invalid_budget: u32,
    /// Percent of [`invalid_budget`](Self::invalid_budget) after which nothing is sent until it recovers. Default 90.
    pub invalid_stop_percent: u32,
    /// Invalid answers in a row after which a route of one guild, channel or webhook pauses. Default 20.
    pub quarantine_after: u32,
    /// How long a ban is assumed to last if Cloudflare does not say. Default 1 h.
    pub assumed_ban: Duration,
    /// How long unused routes and buckets are remembered. Default 5 min.
    pub forget_after: Duration,
    /// Whether this process shares the limits with others, and how: see [`pool`](super::pool). Default: it does not.
    pub pool: Option<PoolConfig>,
    /// The seed of the jitter.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            queue_size: 10_000,
            max_in_flight: 10,
            reserved_in_flight: 2,
            global_limit: 50,
            global_window: Duration::from_secs(1),
            arrival_bound: Duration::from_secs(1),
            reset_margin: Duration::from_millis(5),
            age_after: Duration::from_secs(5),
            retries: 3,
            limited_retries: 10,
            backoff_base: Duration::from_millis(500),
            backoff_cap: Duration::from_secs(16),
            invalid_budget: 10_000,
            invalid_stop_percent: 90,
            quarantine_after: 20,
            assumed_ban: Duration::from_secs(3_600),
            forget_after: Duration::from_secs(300),
            pool: None,
            seed: 0,
        }
    }
}
