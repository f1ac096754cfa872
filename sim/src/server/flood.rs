//! Floods: what benches of ingest run on. Every session gets events as fast as its socket takes them.

use serde::Deserialize;
use serde_json::{Value, json};
use shardkeep_core::Instant;

use crate::World;
use crate::world::flood::Pool;

/// A connection with more than this waiting gets nothing until its socket took some of it, in bytes.
const ENOUGH_WAITING_BYTES: usize = 1 << 20;

/// Events sent on one connection before the next one has its turn.
const TURN_EVENTS: u64 = 64;

/// Events made beforehand over all sessions: more than fit into any compression window, and not all of the memory.
const POOL_EVENTS: usize = 32_768;

/// A flood, as `POST /sim/flood` takes it.
///
/// ```
/// use shardkeep_sim::server::FloodRequest;
///
/// let flood: FloodRequest = serde_json::from_str(r#"{"events": 100000, "then": "done"}"#).unwrap();
/// assert_eq!(flood.bytes, 900);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloodRequest {
    /// How many events every session gets.
    pub events: u64,
    /// Content of the MESSAGE_CREATE that follows them.
    pub then: String,
    /// Mean size of a message in bytes, before compression. The traffic's natural size is the least there is.
    #[serde(default = "default_bytes")]
    pub bytes: usize,
}

const fn default_bytes() -> usize {
    900
}

/// What is left of the flood for one session.
#[derive(Debug)]
struct Stream {
    pool: Pool,
    sent: u64,
    events: u64,
    then: String,
}

/// Every stream that is running.
#[derive(Debug, Default)]
pub(super) struct Flood {
    streams: Vec<Stream>,
    turn: usize,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Events went into the world: hand its outputs on.
    Poured,
    /// Every connection has enough waiting, or there is nothing left to send.
    Full,
}

impl Flood {
    pub(super) const fn is_running(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Begins a flood on every session that is connected and ready.
    pub(super) fn start(&mut self, now: Instant, flood: &FloodRequest, world: &mut World) -> Value {
        let sessions = usize::try_from(world.counters().sessions_open)
            .unwrap_or(usize::MAX)
            .max(1);
        let count = (POOL_EVENTS / sessions).clamp(128, 2_048);
        let pools = world.flood_pools(now, count, flood.bytes);
        if pools.is_empty() {
            return json!({ "error": "no session is connected that may hear any of the events" });
        }
        let mean_bytes = pools.iter().map(Pool::mean_bytes).sum::<usize>() / pools.len();
        let blind = pools.iter().filter(|pool| !pool.sees_content).count();
        let answer = json!({
            "sessions": pools.len(),
            "events": flood.events,
            "mean_bytes": mean_bytes,
            "without_message_content": blind,
        });
        self.streams.extend(pools.into_iter().map(|pool| Stream {
            pool,
            sent: 0,
            events: flood.events,
            then: flood.then.clone(),
        }));
        answer
    }

    /// Gives the next connection that has room its turn. `waiting` tells how many bytes wait for a connection.
    pub(super) fn step(
        &mut self,
        now: Instant,
        world: &mut World,
        waiting: impl Fn(u64) -> Option<usize>,
    ) -> Step {
        for _ in 0..self.streams.len() {
            self.turn = (self.turn + 1) % self.streams.len();
            let stream = &mut self.streams[self.turn];
            let room = match waiting(stream.pool.connection) {
                Some(bytes) => bytes < ENOUGH_WAITING_BYTES,
                None => {
                    // The connection is gone: what comes after a resume is no measure of speed.
                    self.streams.swap_remove(self.turn);
                    return Step::Poured;
                }
            };
            if room {
                let left = stream.events - stream.sent;
                let count = left.min(TURN_EVENTS);
                let there = world.pour(now, &stream.pool, stream.sent, count);
                stream.sent += count;
                if count == left && there {
                    world.pour_last(now, &stream.pool, &stream.then);
                }
                if count == left || !there {
                    self.streams.swap_remove(self.turn);
                }
                return Step::Poured;
            }
        }
        Step::Full
    }
}
