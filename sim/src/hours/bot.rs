//! A bot in virtual time: a fleet and its sessions, and a user with whims.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use shardkeep_core::fleet::{self, Fleet, SessionStartLimit, Shards};
use shardkeep_core::gateway::{Input, Stats};
use shardkeep_core::wire::Command;
use shardkeep_core::{Instant, Machine, Rng, ShardId};

use super::Plan;
use super::network::{Network, Parcel};
use super::shard::{Common, Log, Shard};

pub(super) struct Bot {
    plan: Plan,
    fleet: Fleet,
    shards: BTreeMap<ShardId, Shard>,
    common: Common,
    /// When `/gateway/bot` answers.
    limits_at: Option<Instant>,
    commands: u64,
    /// Counters of sessions that were replaced by a restart.
    past: Vec<Stats>,
}

impl Bot {
    pub(super) fn new(plan: &Plan, rng: Rng) -> Self {
        let shards = Shards::count(plan.shards).expect("a plan has a valid number of shards");
        let config = fleet::Config {
            seed: plan.seed,
            ..fleet::Config::new(shards)
        };
        let common = Common {
            log: Log::default(),
            rng,
            for_fleet: VecDeque::new(),
            holders: BTreeMap::new(),
            connections: 0,
        };
        Self {
            plan: plan.clone(),
            fleet: Fleet::new(config),
            shards: BTreeMap::new(),
            common,
            limits_at: None,
            commands: 0,
            past: Vec::new(),
        }
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        let due_at = |shard: &Shard| shard.session.poll_timeout().map(|timeout| timeout.at);
        let sessions = self.shards.values().filter_map(due_at).min();
        let fleet = self.fleet.poll_timeout().map(|timeout| timeout.at);
        [sessions, fleet, self.limits_at]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn on_time(
        &mut self,
        now: Instant,
        limit: SessionStartLimit,
        network: &mut Network,
    ) {
        if self.limits_at.take_if(|at| *at <= now).is_some() {
            // Some answers get lost, as HTTP answers do.
            self.common
                .for_fleet
                .push_back(match self.common.rng.below(10) {
                    0 => fleet::Input::LimitsFailed { retry_after: None },
                    _ => fleet::Input::Limits {
                        shards: self.plan.shards,
                        limit,
                    },
                });
        }
        self.fleet.handle_timeout(now);
        for shard in self.shards.values_mut() {
            if shard
                .session
                .poll_timeout()
                .is_some_and(|timeout| timeout.at <= now)
            {
                shard.session.handle_timeout(now);
                shard.drain(now, &mut self.common, network);
            }
        }
        self.serve_fleet(now, network);
    }

    pub(super) fn on_parcel(
        &mut self,
        now: Instant,
        connection: u64,
        parcel: &Parcel,
        network: &mut Network,
    ) {
        let holder = self
            .common
            .holders
            .get(&connection)
            .and_then(|id| self.shards.get_mut(id));
        let Some(shard) = holder.filter(|shard| shard.connection == Some(connection)) else {
            return;
        };
        match parcel {
            Parcel::Connected => shard.take(now, Input::Connected),
            Parcel::ToBot(bytes, true) => shard.take(now, Input::Binary(bytes)),
            Parcel::ToBot(bytes, false) => shard.take(now, Input::Text(bytes)),
            Parcel::Disconnected(code) => {
                shard.connection = None;
                shard.take(now, Input::Disconnected { code: *code });
            }
            Parcel::Open(_) | Parcel::ToWorld(_) | Parcel::Closed(_) => return,
        }
        shard.drain(now, &mut self.common, network);
        self.serve_fleet(now, network);
    }

    /// The user's whims: bursts of commands, reconnects, and processes that die and restore their sessions.
    pub(super) fn whim(&mut self, now: Instant, network: &mut Network) {
        let Self {
            shards,
            common,
            commands,
            past,
            plan,
            ..
        } = self;
        let index = usize::try_from(common.rng.below(shards.len() as u64)).unwrap_or(0);
        let Some(shard) = shards.values_mut().nth(index) else {
            return;
        };
        match common.rng.below(4) {
            0 => {
                let count = 1 + common.rng.below(200);
                command(now, shard, count, commands, &mut common.rng);
            }
            1 => shard.take(now, Input::Reconnect),
            2 if shard.session.session_id().is_some() => {
                past.push(shard.session.stats());
                shard.restart(plan, common.rng.next_u64(), now, network);
                common
                    .for_fleet
                    .push_back(fleet::Input::Down { shard: shard.id });
            }
            _ => command(now, shard, 1, commands, &mut common.rng),
        }
        shard.drain(now, common, network);
        self.serve_fleet(now, network);
    }

    fn serve_fleet(&mut self, now: Instant, network: &mut Network) {
        loop {
            while let Some(input) = self.common.for_fleet.pop_front() {
                let outcome = self.fleet.handle_input(now, input);
                debug_assert_eq!(outcome, Ok(()), "the driver broke a rule with {input:?}");
            }
            match self.fleet.poll_output() {
                None => return,
                Some(fleet::Output::FetchLimits) => {
                    self.limits_at = Some(now + Duration::from_millis(200))
                }
                Some(fleet::Output::Start { shard: id }) => {
                    let mut shard = Shard::start(&self.plan, id, self.common.rng.next_u64(), now);
                    shard.drain(now, &mut self.common, network);
                    self.shards.insert(id, shard);
                }
                Some(fleet::Output::GrantIdentify { shard: id }) => {
                    if let Some(shard) = self.shards.get_mut(&id) {
                        shard.take(now, Input::IdentifyGranted);
                        shard.drain(now, &mut self.common, network);
                    }
                }
                Some(_) => {}
            }
        }
    }

    pub(super) const fn log(&self) -> &Log {
        &self.common.log
    }

    /// The counters of every session there was.
    pub(super) fn stats(&self) -> impl Iterator<Item = Stats> + '_ {
        let present = self.shards.values().map(|shard| shard.session.stats());
        self.past.iter().copied().chain(present)
    }

    /// Shards whose session is not established.
    pub(super) fn not_ready(&self) -> u32 {
        let established = self
            .shards
            .values()
            .filter(|shard| shard.session.established_at().is_some());
        self.plan.shards - u32::try_from(established.count()).unwrap_or(0)
    }
}

/// Sends so many commands of any kind.
fn command(now: Instant, shard: &mut Shard, count: u64, sent: &mut u64, rng: &mut Rng) {
    for _ in 0..count {
        let guild = rng.below(50) << 22;
        let (op, d) = match rng.below(3) {
            0 => (
                3,
                String::from(r#"{"since":null,"activities":[],"status":"idle","afk":false}"#),
            ),
            1 => (
                8,
                format!(r#"{{"guild_id":"{guild}","query":"","limit":0}}"#),
            ),
            _ => {
                let leave = r#""channel_id":null,"self_mute":false,"self_deaf":false"#;
                (4, format!(r#"{{"guild_id":"{guild}",{leave}}}"#))
            }
        };
        let command = Command::from_json(op, d.as_bytes()).expect("these commands are valid");
        *sent += 1;
        shard.take(
            now,
            Input::Send {
                id: *sent,
                command: &command,
            },
        );
    }
}
