//! The scheduler behind records, and its settings under the names of the configuration.

use core::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shardkeep_core::record::{self, Status};
use shardkeep_core::rest::pool::PoolConfig;
use shardkeep_core::rest::{Config, Refusal, Retry, Scheduler};
use shardkeep_core::{Instant, Machine};

use crate::model::{Next, Rec};
use crate::under::{Under, named, next, numbered};

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
    seed: u64,
    /// How long before the start the snapshot was taken.
    elapsed_ms: u64,
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn set_ms(place: &mut Duration, ms: Option<u64>) {
    set(place, ms.map(Duration::from_millis));
}

fn settings(settings: &Value) -> (Config, Duration) {
    let from: Settings = serde_json::from_value(settings.clone()).expect("settings of a scheduler");
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
    config.pool = from.pool.map(|name| PoolConfig::new(name, 7));
    config.seed = from.seed;
    (config, Duration::from_millis(from.elapsed_ms))
}

impl Under for Scheduler {
    const NAME: &'static str = "scheduler";

    fn start(config: &Value, snapshot: Option<&Value>) -> Result<Self, String> {
        let (config, elapsed) = settings(config);
        Ok(match snapshot {
            None => Self::new(config, Instant::ZERO),
            Some(snapshot) => {
                let snapshot = serde_json::from_value(snapshot.clone()).expect("a snapshot");
                Self::restore(config, &snapshot, Instant::ZERO, elapsed)
            }
        })
    }

    fn input(&mut self, at_us: u64, input: &Rec) -> Status {
        let record = numbered(record::REST_INPUTS, input);
        match record::handle_rest_input(self, Instant::from_micros(at_us), record) {
            Ok(()) => Status::Ok,
            Err(status) => status,
        }
    }

    fn timeout(&mut self, at_us: u64) {
        self.handle_timeout(Instant::from_micros(at_us));
    }

    fn output(&mut self) -> Option<Rec> {
        let output = self.poll_output()?;
        let mut text = String::new();
        let record = record::rest_output(&output, &mut text);
        Some(named(record::REST_OUTPUTS, &record))
    }

    fn next(&self) -> Option<Next> {
        let timeout = self.poll_timeout().map(record::rest_timeout);
        next(record::REST_TIMEOUTS, timeout)
    }

    fn state(&self) -> Option<String> {
        None
    }

    fn stat(&self, name: &str) -> u64 {
        let stats = self.stats();
        let size = |count: usize| u64::try_from(count).expect("a small number");
        match name {
            "queued" => size(self.queued()),
            "in_flight" => size(self.in_flight()),
            "buckets" => size(self.buckets()),
            "submitted" => stats.submitted,
            "sent" => stats.sent,
            "answered" => stats.answered,
            "failed" => stats.failed,
            "delivered" => stats.delivered,
            "shared" => stats.shared,
            "replaced" => stats.replaced,
            "limited" => stats.limited,
            "limited_user" => stats.limited_by_scope[0],
            "limited_global" => stats.limited_by_scope[1],
            "limited_shared" => stats.limited_by_scope[2],
            "invalid" => stats.invalid,
            "quarantines" => stats.quarantines,
            "bans" => stats.bans,
            "discovered" => stats.discovered,
            "rehashed" => stats.rehashed,
            "merged" => stats.merged,
            "sublimits" => stats.sublimits,
            "refused" => Refusal::ALL.iter().map(|&why| stats.refused_for(why)).sum(),
            "retried" => Retry::ALL.iter().map(|&why| stats.retried_for(why)).sum(),
            _ => panic!("{name} is no counter of a scheduler"),
        }
    }

    fn snapshot(&self) -> Value {
        serde_json::to_value(Machine::snapshot(self)).expect("a snapshot is always JSON")
    }

    fn edges_taken(&self) -> u64 {
        0
    }
}
