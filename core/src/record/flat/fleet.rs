//! A fleet in flat form.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use serde::Deserialize;

use super::{Counter, Flat, Start, StartError, json_text, set, set_ms, settings, snapshot};
use crate::fleet::{Config, Fleet, Here, Shards};
use crate::machine::Machine;
use crate::record::{
    FLEET_INPUTS, FLEET_OUTPUTS, FLEET_TIMEOUTS, Record, Row, Status, fleet_output, fleet_timeout,
    handle_fleet_input,
};
use crate::time::Instant;

/// What differs from the defaults.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    shards: Shards,
    /// `told`: only those that `run` names.
    here: Option<String>,
    margin_ms: Option<u64>,
    reserve: Option<u32>,
    limits_max_age_ms: Option<u64>,
    start_rounds: Option<u32>,
    start_patience_ms: Option<u64>,
    healthy_after_ms: Option<u64>,
    damping_base_ms: Option<u64>,
    damping_cap_ms: Option<u64>,
    waste_percent: Option<u32>,
    fleet_min: Option<u32>,
    seed: u64,
    /// How long before the start the snapshot was taken.
    elapsed_ms: u64,
}

/// The settings as the machine takes them, and how old its snapshot is.
fn config(from: Settings) -> Result<(Config, Duration), StartError> {
    let mut config = Config::new(from.shards);
    match from.here.as_deref() {
        None | Some("all") => {}
        Some("told") => config.here = Here::Told,
        Some(other) => {
            let why = format!("here: `{other}` is neither all nor told");
            return Err(StartError::Settings(why));
        }
    }
    set_ms(&mut config.margin, from.margin_ms);
    set(&mut config.reserve, from.reserve);
    set_ms(&mut config.limits_max_age, from.limits_max_age_ms);
    set(&mut config.start_rounds, from.start_rounds);
    set_ms(&mut config.start_patience, from.start_patience_ms);
    set_ms(&mut config.damping.healthy_after, from.healthy_after_ms);
    set_ms(&mut config.damping.base, from.damping_base_ms);
    set_ms(&mut config.damping.cap, from.damping_cap_ms);
    set(&mut config.damping.waste_percent, from.waste_percent);
    set(&mut config.damping.fleet_min, from.fleet_min);
    config.seed = from.seed;
    Ok((config, Duration::from_millis(from.elapsed_ms)))
}

impl Flat for Fleet {
    const NAME: &'static str = "fleet";
    const INPUTS: &'static [Row] = FLEET_INPUTS;
    const OUTPUTS: &'static [Row] = FLEET_OUTPUTS;
    const TIMEOUTS: &'static [Row] = FLEET_TIMEOUTS;
    const COUNTERS: &'static [Counter<Self>] = &[
        ("shards", |of| of.status().shards.into()),
        ("ready", |of| of.status().ready.into()),
        ("waiting", |of| of.status().waiting.into()),
        ("parked", |of| of.status().parked.into()),
        ("closed", |of| of.status().closed.into()),
        ("sick", |of| of.status().sick.into()),
        ("max_concurrency", |of| of.status().max_concurrency.into()),
        ("total", |of| of.status().total.unwrap_or_default().into()),
        ("remaining", |of| {
            of.status().remaining.unwrap_or_default().into()
        }),
        ("reserve", |of| of.status().reserve.into()),
        ("granted_today", |of| of.status().granted_today.into()),
        ("wasted_today", |of| of.status().wasted_today.into()),
        ("started", |of| of.status().counters.started),
        ("wanted", |of| of.status().counters.wanted),
        ("cancelled", |of| of.status().counters.cancelled),
        ("granted", |of| of.status().counters.granted),
        ("unused", |of| of.status().counters.unused),
        ("rejected", |of| of.status().counters.rejected),
        ("wasted", |of| of.status().counters.wasted),
        ("limits_fetched", |of| of.status().counters.limits_fetched),
        ("limits_failed", |of| of.status().counters.limits_failed),
    ];

    type Scratch = ();

    fn start(start: Start<'_>) -> Result<Self, StartError> {
        let (config, elapsed) = config(settings(start.settings)?)?;
        Ok(match snapshot(start.snapshot)? {
            None => Self::new(config),
            Some(snapshot) => Self::restore(config, &snapshot, start.now, elapsed),
        })
    }

    fn feed(&mut self, now: Instant, record: Record<'_>) -> Result<(), Status> {
        handle_fleet_input(self, now, record)
    }

    fn next_output<'a>(&'a mut self, (): &'a mut ()) -> Option<Record<'a>> {
        self.poll_output().map(|output| fleet_output(&output))
    }

    fn next_timeout(&self) -> Option<Record<'static>> {
        self.poll_timeout().map(fleet_timeout)
    }

    fn snapshot_text(&self) -> String {
        json_text(&self.snapshot())
    }
}
