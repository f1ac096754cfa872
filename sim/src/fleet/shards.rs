//! Processes and their shards: what the fleet says is done, and the fleet hears what comes of it.

use core::time::Duration;

use shardkeep_core::fleet::lease::{Holder, LeaseConfig};
use shardkeep_core::fleet::{self, Event, Fleet, Here, Input, Output, Shards, Topology, reshard};
use shardkeep_core::gateway::{self, Session};
use shardkeep_core::wire::{Intents, Miniz};
use shardkeep_core::{Machine, ShardId, Token};

use super::clock::Clock;
use super::crew::Crew;
use super::cutover::Switch;
use super::happening::Happening;
use super::process::{Process, Shard};
use super::stage::Stage;
use crate::Instant;
use crate::hours::network::Parcel;

/// How long a single process waits for the store, and the pause before it tries again.
const LOAD_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

/// What the fleet says, without what it borrows.
enum Said {
    Fetch,
    Start(ShardId),
    Grant(ShardId),
    Stop(ShardId),
    Released(ShardId),
    AllReady,
    Other(Option<String>),
}

impl Said {
    fn of(output: &Output<'_>, is_told: bool) -> Self {
        match *output {
            Output::FetchLimits => Self::Fetch,
            Output::Start { shard } => Self::Start(shard),
            Output::GrantIdentify { shard } => Self::Grant(shard),
            Output::Stop { shard } => Self::Stop(shard),
            Output::Event(Event::Released { shard }) => Self::Released(shard),
            Output::Event(Event::AllReady) => Self::AllReady,
            ref other => Self::Other(is_told.then(|| format!("{other:?}"))),
        }
    }
}

impl Stage<'_> {
    /// Whether a single process waits for the store before it starts, and plans that.
    fn waits_for_store(&mut self, name: &str, capacity: u32) -> bool {
        if self.scene.is_leased || self.now >= self.store.away_until {
            self.start_by = None;
            return false;
        }
        let until = *self.start_by.get_or_insert(self.now + LOAD_LIMIT);
        let waits = self.now < until;
        if waits {
            let again = Happening::Start(name.to_owned(), capacity);
            self.plan_in(PAUSE, again);
        }
        waits
    }

    /// A process starts.
    pub(super) fn start_process(&mut self, name: String, capacity: u32) {
        if self.waits_for_store(&name, capacity) {
            return;
        }
        let by = self.processes.len();
        let clock = Clock {
            offset: self.rng.below(1_000_000_000_000),
            rate: 990_000 + self.rng.below(20_001),
        };
        let seed = self.rng.next_u64();
        let local = clock.local(self.now);
        let holder = self.scene.is_leased.then(|| self.holder(&name, capacity));
        let crew = holder.as_ref().map(|holder| Crew::new(holder.instance()));
        let mut fleet = self.fleet(seed, local);
        fleet.handle_timeout(local);
        self.processes.push(Process {
            name,
            capacity,
            clock,
            fleet,
            holder,
            slots: std::collections::BTreeMap::new(),
            is_alive: true,
            is_leaving: false,
            paused_until: None,
            register_cut_until: Instant::ZERO,
            discord_cut_until: Instant::ZERO,
            store_cut_until: Instant::ZERO,
            wake: 0,
            is_saving: false,
            last_save: 0,
            granted: 0,
            serving: None,
            change: None,
            unfinished: None,
            is_shape_new: false,
            is_committing: false,
            crew,
            bus_cut_until: Instant::ZERO,
            is_ticking: false,
            is_save_wanted: false,
        });
        self.report.processes += 1;
        self.tell(|stage| format!("{by} starts as {}", stage.processes[by].name));
        if !self.scene.is_leased {
            self.take_all(by);
        }
        let wait = self.rng.duration_below(self.scene.save_every);
        self.plan_in(wait, Happening::Save(by));
        self.settle(by);
        self.wake_up(by);
    }

    fn holder(&mut self, name: &str, capacity: u32) -> Holder {
        let mut config = LeaseConfig::new(name.to_owned(), self.rng.next_u64(), capacity);
        config.handover = self.scene.handover;
        config.reserve = self.scene.reserve;
        config.propose = Topology::whole(self.scene.shards).ok();
        Holder::new(config)
    }

    /// A process that has all shards goes on with the account that its predecessor stored.
    fn fleet(&self, seed: u64, local: Instant) -> Fleet {
        let shards = match &self.store.shape {
            Some(shape) => Shards::Fixed(shape.serving.clone()),
            None => Shards::count(self.scene.shards).expect("a scene has a valid number"),
        };

        let here = match self.scene.is_leased {
            true => Here::Told,
            false => Here::All,
        };
        let config = fleet::Config {
            here,
            reserve: self.scene.reserve,
            seed,
            ..fleet::Config::new(shards)
        };
        match self
            .store
            .account
            .as_ref()
            .filter(|_| !self.scene.is_leased)
        {
            Some((at, account)) => Fleet::restore(config, account, local, self.now.since(*at)),
            None => Fleet::new(config),
        }
    }

    pub(super) fn tell_fleet(&mut self, by: usize, input: Input) {
        let local = self.local(by);
        let outcome = self.processes[by].fleet.handle_input(local, input);
        if let Err(misuse) = outcome {
            self.fault(format!("{by} broke a rule of its fleet: {misuse}"));
        }
    }

    /// Does what fleet and leases say until they say nothing more.
    pub(super) fn settle(&mut self, by: usize) {
        loop {
            let mut is_busy = self.heed_leases(by);
            is_busy |= self.drive_across(by);
            let is_told = self.is_told();
            while let Some(said) = {
                let output = self.processes[by].fleet.poll_output();
                output.map(|output| Said::of(&output, is_told))
            } {
                is_busy = true;
                self.obey(by, said);
            }
            if !is_busy || !self.processes[by].is_alive {
                break;
            }
        }
        if self.processes[by].is_alive {
            self.speak(by);
            self.save_wanted(by);
            self.store_account(by);
        }
    }

    fn obey(&mut self, by: usize, said: Said) {
        match said {
            Said::Fetch => self.fetch_limits(by, true),
            Said::Start(shard) => self.start(by, shard),
            Said::Grant(shard) => self.grant(by, shard),
            Said::Stop(shard) => self.stop(by, shard),
            Said::Released(shard) => self.released(by, shard),
            Said::AllReady => self.go_on_changing(by),
            Said::Other(None) => {}
            Said::Other(Some(what)) => self.tell(|_| format!("{by} {what}")),
        }
    }

    fn start(&mut self, by: usize, shard: ShardId) {
        let local = self.local(by);
        let config = session_config(shard, self.rng.next_u64());
        if !self.processes[by].slots.contains_key(&shard) {
            // Its lease was over while it waited for its turn: the fleet takes it back in the next word.
            return;
        }
        let change = self.processes[by].change.as_ref();
        let part = change.and_then(|change| change.part(shard));
        let switch = part
            .map(Switch::new)
            .or_else(|| self.part_across(by, shard));
        let Some(slot) = self.processes[by].slots.get_mut(&shard) else {
            // Its lease was over while it waited for its turn: the fleet takes it back in the next word.
            return;
        };
        let inflate = Box::new(Miniz::new());
        let session = match &slot.capsule {
            Some(capsule) => Session::restore(config, inflate, capsule.snapshot(), local),
            None => Session::new(config, inflate, local),
        };
        let mut session = session.expect("the config is valid, and the capsule is the shard's");
        session.handle_timeout(local);
        let known = slot.capsule.as_ref();
        let attached = known.map(|capsule| (capsule.session_id.clone(), capsule.acknowledged));
        let mut started = Shard::new(session, known);
        started.switch = switch;
        slot.shard = Some(started);
        if let Some((name, from)) = attached {
            self.tell(|_| format!("{by} {shard} goes on with {name} from {from}"));
            self.truth.attach(&name, by, from);
        }
        self.runs_across(by, shard);
        self.drain(by, shard);
    }

    /// The fleet lets the shard identify: the register has to agree, if there is one.
    fn grant(&mut self, by: usize, shard: ShardId) {
        let process = &mut self.processes[by];
        let Some(holder) = &mut process.holder else {
            return self.granted(by, shard);
        };
        let slot = process.slots.get_mut(&shard);
        if let Some(waiting) = slot.and_then(|slot| slot.shard.as_mut()) {
            waiting.awaits_permit = true;
            holder.want_permit(shard);
        }
    }

    pub(super) fn granted(&mut self, by: usize, shard: ShardId) {
        let local = self.local(by);
        if let Some(granted) = self.processes[by].shard_mut(shard) {
            let outcome = granted
                .session
                .handle_input(local, gateway::Input::IdentifyGranted);
            debug_assert_eq!(outcome, Ok(()));
            self.drain(by, shard);
        }
    }

    fn stop(&mut self, by: usize, shard: ShardId) {
        let local = self.local(by);
        let change = self.processes[by].change.as_ref();
        let crew = self.processes[by].crew.as_ref();
        let is_dropped = change.is_some_and(|change| change.drops(shard))
            || crew.is_some_and(|crew| crew.dropped.contains(&shard));
        let resumable = !is_dropped;
        let Some(stopped) = self.processes[by].shard_mut(shard) else {
            return self.tell_fleet(
                by,
                Input::Closed {
                    shard,
                    fatal: false,
                },
            );
        };
        stopped.is_known &= resumable;
        let stop = gateway::Input::Shutdown { resumable };
        let outcome = stopped.session.handle_input(local, stop);
        debug_assert_eq!(outcome, Ok(()));
        self.drain(by, shard);
    }

    /// A shard has ended: its session is stored once more, and then it may run elsewhere. Some wait for their handlers.
    fn released(&mut self, by: usize, shard: ShardId) {
        self.gone_across(by, shard);
        let Some(slot) = self.processes[by].slots.get_mut(&shard) else {
            return;
        };
        slot.ending = Some(0);
        let (token, wait) = (slot.token, Duration::from_millis(self.rng.below(500)));
        self.plan_in(wait, Happening::Ending(by, shard, token));
        self.steer(by, reshard::Input::Ended { shard });
    }

    /// A connection is given up by this side.
    pub(super) fn hang_up(&mut self, connection: u64, code: Option<u16>) {
        let now = self.now;
        self.network.forget(connection);
        self.network.send(now, connection, Parcel::Closed(code));
    }

    pub(super) fn shard_wakes(&mut self, by: usize, shard: ShardId, wake: u64) {
        let local = self.local(by);
        if let Some(woken) = self.processes[by].shard_mut(shard)
            && woken.wake == wake
        {
            woken.wake_at = None;
            woken.session.handle_timeout(local);
            self.drain(by, shard);
        }
    }
}

fn session_config(shard: ShardId, seed: u64) -> gateway::Config {
    let token = Token::new(crate::DEFAULT_TOKEN).expect("the world's token is a token");
    let intents = Intents::ALL
        .without(Intents::GUILD_PRESENCES)
        .without(Intents::GUILD_MEMBERS);
    let mut config = gateway::Config::new(shard, token, intents, "ws://gateway.sim.invalid");
    config.custom_base = true;
    config.seed = seed;
    config
}
