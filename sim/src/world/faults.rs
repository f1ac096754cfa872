//! What goes wrong, on demand and by the weather.

use core::time::Duration;

use shardkeep_core::wire::{AfterClose, CloseCode};
use shardkeep_core::{Instant, ShardId};

use super::World;
use super::alarm::Alarm;
use super::control::{Fault, Target, WeightedFault};
use super::dispatch::control_frame;
use super::ledger::SessionEnd;

/// How long the server waits after op 7 before it hangs up by itself.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// The largest bomb: what the world itself must hold in memory for a moment.
const LARGEST_BOMB: u64 = 256 << 20;

/// Lasting faults of the whole world, and random ones to come.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    pub(crate) no_hello_until: Option<Instant>,
    pub(crate) no_ready_until: Option<Instant>,
    pub(crate) refuse_until: Option<Instant>,
    weather: Option<Weather>,
}

#[derive(Debug)]
struct Weather {
    every: Duration,
    faults: Vec<WeightedFault>,
    until: Option<Instant>,
    next: Instant,
}

/// Whether a lasting fault still lasts.
pub(crate) fn lasts(until: Option<Instant>, now: Instant) -> bool {
    until.is_some_and(|until| until > now)
}

impl World {
    /// Causes a fault; answers how many connections it hit. Lasting faults of the whole world hit none at once.
    pub(super) fn cause(&mut self, target: &Target, fault: &Fault) -> usize {
        let until = |ms: u64| Some(self.now + Duration::from_millis(ms));
        match *fault {
            Fault::NoHello { for_ms } => self.trouble.no_hello_until = until(for_ms),
            Fault::NoReady { for_ms } => self.trouble.no_ready_until = until(for_ms),
            Fault::RefuseConnections { for_ms } => self.trouble.refuse_until = until(for_ms),
            _ => {
                let hit = self.targets(target);
                let hits = hit
                    .into_iter()
                    .filter(|&number| self.hit(number, fault))
                    .count();
                self.ledger.counters.faults += hits as u64;
                return hits;
            }
        }
        self.ledger.counters.faults += 1;
        0
    }

    /// The connections a target means.
    fn targets(&mut self, target: &Target) -> Vec<u64> {
        let carried = self
            .connections
            .values()
            .filter(|connection| connection.session.is_some() && !connection.closing);
        match target {
            Target::All => carried.map(|connection| connection.number).collect(),
            Target::Connection(number) => self
                .connections
                .contains_key(number)
                .then_some(*number)
                .into_iter()
                .collect(),
            Target::Session(id) => {
                let session = self.names.get(id).and_then(|key| self.sessions.get(key));
                session
                    .and_then(|session| session.connection)
                    .into_iter()
                    .collect()
            }
            Target::Shard([index, total]) => {
                let shard = ShardId::new(*index, *total);
                carried
                    .filter(|connection| shard.is_some() && connection.shard == shard)
                    .map(|connection| connection.number)
                    .collect()
            }
            Target::Any => {
                let all: Vec<u64> = carried.map(|connection| connection.number).collect();
                let chosen = usize::try_from(self.rng.below(all.len() as u64)).unwrap_or(0);
                all.get(chosen).copied().into_iter().collect()
            }
        }
    }

    /// Causes a fault on one connection. `false` if it makes no difference there.
    fn hit(&mut self, number: u64, fault: &Fault) -> bool {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&number) else {
            return false;
        };
        let zlib = connection.encoder.is_zlib();
        let ailments = &mut connection.ailments;
        match *fault {
            Fault::HalfOpen => ailments.half_open = true,
            Fault::Zombie => ailments.zombie = true,
            Fault::DryUp { resume_helps } => {
                let key = connection.session;
                let session = key.and_then(|key| self.sessions.get_mut(&key));
                let Some(session) = session else {
                    return false;
                };
                session.dry = Some(resume_helps);
            }
            Fault::LostAck { count } => ailments.acks_to_lose += count,
            Fault::Slow { delay_ms, for_ms } => {
                let until = for_ms.map(|ms| now + Duration::from_millis(ms));
                ailments.slow = Some((Duration::from_millis(delay_ms), until));
            }
            Fault::TruncatedFrame => ailments.truncate_next = true,
            Fault::CorruptFrame => ailments.corrupt_next = true,
            Fault::MergeFrames { messages } if zlib => ailments.merge = messages,
            Fault::SplitFrames { messages, pieces } if zlib => {
                ailments.split = Some((messages, pieces))
            }
            Fault::MergeFrames { .. } | Fault::SplitFrames { .. } => return false,
            Fault::Drop => self.drop_connection(number),
            Fault::SessionLoss => {
                self.end_session_of(number, SessionEnd::Fault);
                self.drop_connection(number);
            }
            Fault::RequestHeartbeat => self.send(number, &control_frame(1, "null")),
            Fault::Reconnect { count } => {
                for _ in 0..count {
                    self.send(number, &control_frame(7, "null"));
                }
                self.alarms
                    .set(now + RECONNECT_PATIENCE, Alarm::Hangup(number));
            }
            Fault::InvalidSession { resumable } => self.invalidate(number, resumable),
            Fault::Close { code } => self.close_with(number, CloseCode(code)),
            Fault::Bomb { bytes } => return self.bomb(number, bytes),
            Fault::NoHello { .. } | Fault::NoReady { .. } | Fault::RefuseConnections { .. } => {
                return false;
            }
        }
        true
    }

    fn end_session_of(&mut self, number: u64, end: SessionEnd) {
        if let Some(key) = self
            .connections
            .get(&number)
            .and_then(|connection| connection.session)
        {
            self.end_session(key, end);
        }
    }

    /// Op 9 out of the blue. The client may identify or resume on the same connection afterwards.
    fn invalidate(&mut self, number: u64, resumable: bool) {
        if !resumable {
            self.end_session_of(number, SessionEnd::Fault);
        }
        self.leave_session(number);
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.identified = false;
            connection.invalidated = true;
        }
        self.send(
            number,
            &control_frame(9, if resumable { "true" } else { "false" }),
        );
    }

    fn close_with(&mut self, number: u64, code: CloseCode) {
        if code.after() != AfterClose::Resume {
            self.end_session_of(number, SessionEnd::Fault);
        }
        self.close(number, code, "A fault was asked for.");
    }

    /// A message that is small on the wire and large once inflated. Only compression makes that possible.
    fn bomb(&mut self, number: u64, bytes: u64) -> bool {
        let Some(connection) = self.connections.get(&number) else {
            return false;
        };
        if connection.encoder.is_plain() && connection.payload_compression.is_none() {
            return false;
        }
        let size = usize::try_from(bytes.min(LARGEST_BOMB)).unwrap_or(0);
        let mut message = b"{\"t\":\"SIM_BOMB\",\"s\":null,\"op\":0,\"d\":\"".to_vec();
        message.resize(message.len() + size, b'a');
        message.extend_from_slice(b"\"}");
        self.send(number, &message);
        true
    }

    /// Hangs up on a client that did not follow op 7.
    pub(super) fn hang_up(&mut self, number: u64) {
        self.close(number, CloseCode::UNKNOWN_ERROR, "Reconnect was asked for.");
    }

    /// Changes the weather.
    pub(super) fn set_weather(
        &mut self,
        every: Duration,
        faults: Vec<WeightedFault>,
        lasting: Option<Duration>,
    ) {
        self.trouble.weather = None;
        if faults.iter().all(|fault| fault.weight == 0) || every.is_zero() {
            return;
        }
        let next = self.now + self.rng.duration_below(every * 2);
        let until = lasting.map(|lasting| self.now + lasting);
        self.trouble.weather = Some(Weather {
            every,
            faults,
            until,
            next,
        });
        self.alarms.set(next, Alarm::Weather);
    }

    /// The next random fault is due.
    pub(super) fn ring_weather(&mut self) {
        let Some(mut weather) = self
            .trouble
            .weather
            .take_if(|weather| weather.next <= self.now)
        else {
            return;
        };
        if weather.until.is_some_and(|until| until <= self.now) {
            return;
        }
        let total = weather
            .faults
            .iter()
            .map(|fault| u64::from(fault.weight))
            .sum();
        let mut drawn = self.rng.below(total);
        let chosen = weather.faults.iter().find(|fault| {
            let weight = u64::from(fault.weight);
            let here = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            here
        });
        if let Some(chosen) = chosen {
            let fault = chosen.fault.clone();
            self.cause(&Target::Any, &fault);
        }
        // Gaps from 0 to twice the mean: bursts and calms, without floating point.
        weather.next = self.now + self.rng.duration_below(weather.every * 2);
        self.alarms.set(weather.next, Alarm::Weather);
        self.trouble.weather = Some(weather);
    }

    /// Ends everything that goes wrong.
    pub(super) fn calm(&mut self) {
        self.trouble = Trouble::default();
        let mut half_open = Vec::new();
        for (&number, connection) in &mut self.connections {
            if connection.ailments.half_open {
                half_open.push(number);
            }
            connection.ailments = super::connection::Ailments::default();
        }
        // What a half-open connection swallowed is gone: to go on would be a stream with a hole, which TCP never is.
        for number in half_open {
            self.drop_connection(number);
        }
        let dark: Vec<u32> = self.dark.keys().copied().collect();
        for index in dark {
            self.guild_back(index);
        }
    }

    /// Makes a guild unavailable until a moment.
    pub(super) fn darken(&mut self, index: u32, until: Instant) {
        if self.left.contains(&index) {
            return;
        }
        if self.dark.insert(index, until).is_none() {
            let event = self.guild_delete(index, true);
            self.dispatch_guild(self.guild_of(index), event);
        }
        self.alarms.set(until, Alarm::GuildBack(index));
    }

    /// A guild's outage may be over.
    pub(super) fn ring_guild_back(&mut self, index: u32) {
        if self
            .dark
            .get(&index)
            .is_some_and(|&until| until <= self.now)
        {
            self.guild_back(index);
        }
    }

    fn guild_back(&mut self, index: u32) {
        self.dark.remove(&index);
        self.dispatch_guild_create(index, Some(false));
    }
}
