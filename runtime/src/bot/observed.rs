//! The bot as the endpoint for operators sees it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shardkeep_core::Instant;
use shardkeep_core::gateway::{Cause, StateName};

use super::shared::Shared;
use super::status::Status;
use crate::cache::Cache;
use crate::clock;
use crate::ops::{Numbers, Observed, Pulse, ShardNumbers};
use crate::rest::RestNumbers;

/// How long the IO threads may take for a round before something is wrong with the process.
const IO_BOUND: Duration = Duration::from_secs(15);

fn idle(pulse: &AtomicU64) -> Option<Duration> {
    let at = pulse.load(Ordering::Relaxed);
    (at > 0).then(|| clock::now() - Instant::from_micros(at))
}

impl Observed for Shared {
    fn pulses(&self) -> Vec<Pulse> {
        let io = idle(&self.io_pulse);
        io.map(|idle| Pulse {
            name: "io".to_owned(),
            idle,
            bound: IO_BOUND,
        })
        .into_iter()
        .collect()
    }

    fn status_json(&self) -> String {
        serde_json::to_string(&Status::read(self))
            .expect("plain structs of numbers and strings always serialize")
    }

    fn numbers(&self) -> Numbers {
        let (fleet, _) = self.fleet();
        let mut numbers = Numbers {
            events: self.queue.kinds(),
            identify_remaining: fleet.remaining,
            queue: self.queue.status(),
            shards_expected: (fleet.shards > 0).then_some(fleet.shards),
            cache: self.cache.as_ref().map(Cache::numbers),
            stored_sessions: self.sessions().map(|sessions| sessions.status()),
            rest: Some(RestNumbers::of(self.rest.client())),
            ..Numbers::default()
        };
        let mut all = self.retired();
        for handle in self.shards() {
            let report = handle.cell.report();
            let stats = report.stats;
            numbers.shards.push(ShardNumbers {
                shard: handle.cell.shard(),
                established: report.state == StateName::Ready,
                state: report.state.as_str(),
                latency: report.latency,
                guilds: stats.guilds,
            });
            all.absorb(&report);
        }
        let stats = all.stats;
        numbers.delivered = stats.delivered;
        numbers.filtered = stats.filtered;
        numbers.replayed = stats.replayed;
        numbers.duplicates = stats.duplicates;
        numbers.missed = stats.missed;
        numbers.bytes_received = stats.bytes_received;
        numbers.identifies = stats.identifies;
        numbers.resumed = stats.resumed;
        numbers.sessions_lost = stats.sessions_lost;
        numbers.commands_sent = stats.commands_sent;
        numbers.commands_refused = stats.commands_refused;
        let ended: BTreeMap<Cause, u64> = all.ended_by().collect();
        numbers.reconnects = ended.into_iter().collect();
        numbers
    }
}
