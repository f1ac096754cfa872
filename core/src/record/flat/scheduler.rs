//! A scheduler in flat form.

use alloc::string::{String, ToString};
use core::time::Duration;

use serde::Deserialize;

use super::{Counter, Flat, Start, StartError, json_text, set, set_ms, settings, size, snapshot};
use crate::machine::Machine;
use crate::record::{
    REST_INPUTS, REST_OUTPUTS, REST_TIMEOUTS, Record, Row, Status, handle_rest_input, rest_output,
    rest_timeout,
};
use crate::rest::pool::PoolConfig;
use crate::rest::{Config, Refusal, Retry, Scheduler};
use crate::time::Instant;

/// What differs from the defaults.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    queue_size: Option<usize>,
    max_in_flight: Option<usize>,
    reserved_in_flight: Option<usize>,
    global_limit: Option<u32>,
    global_window_ms: Option<u64>,
    arrival_bound_ms: Option<u64>,
    reset_margin_ms: Option<u64>,
    age_after_ms: Option<u64>,
    retries: Option<u32>,
    limited_retries: Option<u32>,
    backoff_base_ms: Option<u64>,
    backoff_cap_ms: Option<u64>,
    invalid_budget: Option<u32>,
    invalid_stop_percent: Option<u32>,
    quarantine_after: Option<u32>,
    assumed_ban_ms: Option<u64>,
    forget_after_ms: Option<u64>,
    /// The member's name in the pool, if it is in one.
    pool: Option<String>,
    /// Tells the member from its predecessor under the same name.
    pool_instance: Option<u64>,
    seed: u64,
    /// How long before the start the snapshot was taken.
    elapsed_ms: u64,
}

/// The member's instance, where nothing else is said.
const INSTANCE: u64 = 7;

/// The settings as the machine takes them, and how old its snapshot is.
fn config(from: Settings) -> (Config, Duration) {
    let mut config = Config::default();
    set(&mut config.queue_size, from.queue_size);
    set(&mut config.max_in_flight, from.max_in_flight);
    set(&mut config.reserved_in_flight, from.reserved_in_flight);
    set(&mut config.global_limit, from.global_limit);
    set_ms(&mut config.global_window, from.global_window_ms);
    set_ms(&mut config.arrival_bound, from.arrival_bound_ms);
    set_ms(&mut config.reset_margin, from.reset_margin_ms);
    set_ms(&mut config.age_after, from.age_after_ms);
    set(&mut config.retries, from.retries);
    set(&mut config.limited_retries, from.limited_retries);
    set_ms(&mut config.backoff_base, from.backoff_base_ms);
    set_ms(&mut config.backoff_cap, from.backoff_cap_ms);
    set(&mut config.invalid_budget, from.invalid_budget);
    set(&mut config.invalid_stop_percent, from.invalid_stop_percent);
    set(&mut config.quarantine_after, from.quarantine_after);
    set_ms(&mut config.assumed_ban, from.assumed_ban_ms);
    set_ms(&mut config.forget_after, from.forget_after_ms);
    let instance = from.pool_instance.unwrap_or(INSTANCE);
    config.pool = from.pool.map(|name| PoolConfig::new(name, instance));
    config.seed = from.seed;
    (config, Duration::from_millis(from.elapsed_ms))
}

/// The exchange that an output `exchange` spoke of, as JSON: the `keys` and the `body` of the ledger's script. `None`
/// if none waits.
pub fn scheduler_exchange(scheduler: &mut Scheduler) -> Option<String> {
    let exchange = scheduler.exchange()?;
    let value = serde_json::json!({"keys": exchange.keys, "body": exchange.body});
    Some(value.to_string())
}

impl Flat for Scheduler {
    const NAME: &'static str = "scheduler";
    const INPUTS: &'static [Row] = REST_INPUTS;
    const OUTPUTS: &'static [Row] = REST_OUTPUTS;
    const TIMEOUTS: &'static [Row] = REST_TIMEOUTS;
    const COUNTERS: &'static [Counter<Self>] = &[
        ("queued", |of| size(of.queued())),
        ("in_flight", |of| size(of.in_flight())),
        ("buckets", |of| size(of.buckets())),
        ("submitted", |of| of.stats().submitted),
        ("sent", |of| of.stats().sent),
        ("answered", |of| of.stats().answered),
        ("failed", |of| of.stats().failed),
        ("delivered", |of| of.stats().delivered),
        ("shared", |of| of.stats().shared),
        ("replaced", |of| of.stats().replaced),
        ("limited", |of| of.stats().limited),
        ("limited_user", |of| of.stats().limited_by_scope[0]),
        ("limited_global", |of| of.stats().limited_by_scope[1]),
        ("limited_shared", |of| of.stats().limited_by_scope[2]),
        ("invalid", |of| of.stats().invalid),
        ("quarantines", |of| of.stats().quarantines),
        ("bans", |of| of.stats().bans),
        ("discovered", |of| of.stats().discovered),
        ("rehashed", |of| of.stats().rehashed),
        ("merged", |of| of.stats().merged),
        ("sublimits", |of| of.stats().sublimits),
        ("refused", |of| {
            Refusal::ALL
                .iter()
                .map(|&why| of.stats().refused_for(why))
                .sum()
        }),
        ("retried", |of| {
            Retry::ALL
                .iter()
                .map(|&why| of.stats().retried_for(why))
                .sum()
        }),
    ];

    type Scratch = String;

    fn start(start: Start<'_>) -> Result<Self, StartError> {
        let (config, elapsed) = config(settings(start.settings)?);
        Ok(match snapshot(start.snapshot)? {
            None => Self::new(config, start.now),
            Some(snapshot) => Self::restore(config, &snapshot, start.now, elapsed),
        })
    }

    fn feed(&mut self, now: Instant, record: Record<'_>) -> Result<(), Status> {
        handle_rest_input(self, now, record)
    }

    fn next_output<'a>(&'a mut self, scratch: &'a mut String) -> Option<Record<'a>> {
        self.poll_output()
            .map(|output| rest_output(&output, scratch))
    }

    fn next_timeout(&self) -> Option<Record<'static>> {
        self.poll_timeout().map(rest_timeout)
    }

    fn snapshot_text(&self) -> String {
        json_text(&self.snapshot())
    }
}
