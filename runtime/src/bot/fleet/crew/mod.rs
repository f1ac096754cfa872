//! A process that shares the bot's shards with others: leases taken, given back and lost; identifies asked for.

mod change;
mod follow;
mod grow;
mod lease;
mod mail;
mod observe;
mod part;
mod permits;
mod register;
mod shards;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending};
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use shardkeep_core::fleet::Shards;
use shardkeep_core::fleet::lease::{Held, Holder, LeaseConfig, Step, View};
use shardkeep_core::fleet::reshard::across::Letter;
use shardkeep_core::{Instant, ShardId};
use tokio::sync::oneshot;
use tokio::time::sleep_until;

use super::Running;
use crate::clock;
use crate::config::Config;
use crate::sessions::Loaded;
use crate::store::StoreError;

pub(crate) use lease::Lease;
pub use observe::fleet_view;
pub(in crate::bot) use register::{Register, open};
pub use status::FleetStatus;

use change::Across;
use register::Answering;

/// How often it is looked whether the handlers of a shard that goes elsewhere have ended.
const LOOK: Duration = Duration::from_millis(20);

/// How long storing what they have finished may take.
const STORE_LIMIT: Duration = Duration::from_secs(2);

/// What was loaded for shards that were taken, or what was stored of shards that are given back.
pub(super) type Working = Pin<Box<dyn Future<Output = Worked> + Send>>;

/// What has come of it.
pub(super) enum Worked {
    Loaded(Vec<ShardId>, Box<Result<Loaded, StoreError>>),
    Stored(Vec<ShardId>),
}

/// What woke a crew.
pub(super) enum Stirred {
    Answered(Option<Vec<u8>>),
    Worked(Worked),
    Letter(Option<Letter>),
    Due,
}

/// This process's place in the fleet.
pub(super) struct Crew {
    holder: Holder,
    register: Arc<dyn Register>,
    answering: Option<Answering>,
    name: String,
    drain: Duration,
    /// Shards that were taken, and wait until it is known whether there is a session to go on with.
    taken: BTreeSet<ShardId>,
    loading: Option<Working>,
    leases: BTreeMap<ShardId, Arc<Lease>>,
    /// Shards whose sessions are closed and whose handlers may still be at work, and until when they are waited for.
    draining: BTreeMap<ShardId, Instant>,
    storing: Option<Working>,
    /// This process's part in a change of shards.
    across: Across,
    /// Who wants to know what all processes do, and whether the register has been asked since.
    viewers: Vec<(oneshot::Sender<View>, bool)>,
    /// When `/gateway/bot` was asked last.
    pub(super) asked_at: Instant,
    /// What to do once everything is given back.
    pub(super) is_leaving: bool,
}

impl Crew {
    pub(super) fn new(config: &Config, register: Arc<dyn Register>) -> Self {
        let instance = RandomState::new().hash_one(std::process::id());
        let from = &config.fleet;
        let name = from.name.clone().unwrap_or_else(default_name);
        let mut lease = LeaseConfig::new(name.clone(), instance, from.capacity);
        lease.label = from.label.clone().unwrap_or_default();
        if let Some(Shards::Fixed(prefer)) = &from.prefer {
            lease.prefer.insert(lease.label.clone(), prefer.clone());
        }
        lease.is_standby = from.standby;
        lease.term = from.term();
        lease.margin = lease.term * 3 / 20;
        lease.every = (lease.term / 10).min(Duration::from_secs(1));
        lease.handover = from.handover;
        lease.spacing = Duration::from_millis(5_000 + config.identify.margin_ms);
        lease.reserve = config.identify.reserve;
        if let Shards::Fixed(topology) = &config.shards {
            lease.propose = Some(topology.clone());
        }
        let holder = Holder::new(lease);
        Self {
            across: Across::new(holder.instance()),
            holder,
            register,
            answering: None,
            name,
            drain: from.drain(),
            taken: BTreeSet::new(),
            loading: None,
            leases: BTreeMap::new(),
            draining: BTreeMap::new(),
            storing: None,
            viewers: Vec::new(),
            asked_at: clock::now(),
            is_leaving: false,
        }
    }

    /// Waits for whatever comes first.
    pub(super) async fn stirred(&mut self) -> Stirred {
        let draining = (!self.draining.is_empty()).then(|| clock::now() + LOOK);
        let due = [
            self.holder.poll_timeout(),
            draining,
            self.across.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min();
        let due = async {
            match due {
                Some(at) => sleep_until(clock::to_tokio(at)).await,
                None => pending().await,
            }
        };
        tokio::select! {
            answer = some(&mut self.answering) => Stirred::Answered(answer),
            worked = some(&mut self.loading) => Stirred::Worked(worked),
            worked = some(&mut self.storing) => Stirred::Worked(worked),
            letter = self.across.next_letter() => Stirred::Letter(letter),
            () = due => Stirred::Due,
        }
    }

    /// The end of a shard's lease, for its task.
    pub(super) fn lease(&mut self, shard: ShardId) -> Arc<Lease> {
        let until = self.holder.runs_until(shard).unwrap_or(Instant::ZERO);
        let lease = self
            .leases
            .entry(shard)
            .or_insert_with(|| Arc::new(Lease::until(until)));
        lease.renew(until);
        Arc::clone(lease)
    }

    /// Whether the shard is to run here, and not to be given back.
    pub(super) fn runs(&self, shard: ShardId) -> bool {
        let held = self.holder.shards().find(|(held, _)| *held == shard);
        matches!(held, Some((_, Held::Running)))
    }

    /// Whether a change of shards is under way.
    pub(super) fn is_changing(&self) -> bool {
        self.across.course().is_some()
    }

    pub(super) fn token(&self, shard: ShardId) -> u64 {
        self.holder.token(shard).unwrap_or_default()
    }

    /// Nothing of the shard is left here.
    fn freed(&mut self, shard: ShardId) {
        self.leases.remove(&shard);
        self.draining.remove(&shard);
        self.taken.remove(&shard);
        self.holder.freed(shard);
    }

    /// Whoever wanted to know what all processes do hears it.
    fn show(&mut self) {
        let Some(view) = self.holder.view() else {
            return;
        };
        let (asked, waiting) = std::mem::take(&mut self.viewers)
            .into_iter()
            .partition::<Vec<_>, _>(|viewer| viewer.1);
        self.viewers = waiting;
        for (viewer, _) in asked {
            // It may have stopped waiting.
            let _gone = viewer.send(view.clone());
        }
    }

    fn status(&self, now: Instant) -> FleetStatus {
        let stats = self.holder.stats();
        let topology = self.holder.topology();
        FleetStatus {
            name: self.name.clone(),
            in_touch: self.holder.is_in_touch(now),
            shards: topology.map_or_else(String::new, |(_, topology)| topology.to_string()),
            revision: topology.map_or(0, |(revision, _)| revision),
            held: self.holder.shards().count(),
            leaving: self.is_leaving,
            taken: stats.taken,
            lost: stats.lost,
            permits: stats.permits,
            exchanges: stats.exchanges,
            exchanges_failed: stats.failed,
        }
    }
}

async fn some<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    let Some(waiting) = future else {
        return pending().await;
    };
    let done = waiting.await;
    *future = None;
    done
}

fn default_name() -> String {
    let host = std::env::var("HOSTNAME")
        .ok()
        .filter(|host| !host.is_empty());
    let host = host.or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    let host = host.unwrap_or_else(|| "host".to_owned());
    format!("{}-{}", host.trim(), std::process::id())
}

impl Running {
    pub(super) fn on_stirred(&mut self, stirred: Stirred) {
        let now = clock::now();
        match stirred {
            Stirred::Due => {}
            Stirred::Letter(letter) => self.on_letter(letter),
            Stirred::Answered(answer) => {
                let Some(crew) = &mut self.crew else {
                    return;
                };
                match crew.holder.answered(now, answer.as_deref()) {
                    Ok(()) if answer.is_some() => {
                        crew.show();
                        self.looked_at_fleet();
                    }
                    Ok(()) => {}
                    Err(error) => {
                        tracing::debug!(%error, "an answer of the register was not heeded");
                    }
                }
            }
            Stirred::Worked(Worked::Loaded(shards, loaded)) => self.loaded(shards, *loaded),
            Stirred::Worked(Worked::Stored(shards)) => {
                for shard in shards {
                    if let Some(sessions) = &self.driver.sessions {
                        sessions.forget(shard);
                    }
                    if let Some(crew) = &mut self.crew {
                        crew.freed(shard);
                    }
                }
            }
        }
    }

    /// Does what the holder says, and speaks to the register when it is time. `true` once everything is given back.
    pub(super) fn drive_crew(&mut self) -> bool {
        let now = clock::now();
        let Some(crew) = &mut self.crew else {
            return false;
        };
        crew.holder.handle_timeout(now);
        for (shard, lease) in &crew.leases {
            lease.renew(crew.holder.runs_until(*shard).unwrap_or(Instant::ZERO));
        }
        let mut has_left = false;
        while let Some(step) = self.crew.as_mut().and_then(|crew| crew.holder.poll_step()) {
            has_left |= step == Step::Left;
            self.obey_step(now, step);
        }
        self.drive_across(now);
        self.load_taken();
        self.look_at_draining(now);
        self.speak(now);
        has_left
    }

    /// Says what there is to say, if it is time. Every shard is looked at for it, so not more often.
    fn speak(&mut self, now: Instant) {
        let status = self.fleet.status();
        let Some(crew) = &mut self.crew else {
            return;
        };
        let is_due = |at: Instant| at <= now;
        if crew.answering.is_some() || !crew.holder.poll_timeout().is_some_and(is_due) {
            return;
        }
        let line = status::line(&status, &self.driver.shared);
        crew.holder.set_status(&line);
        if let Some(exchange) = crew.holder.exchange(now) {
            crew.viewers.iter_mut().for_each(|viewer| viewer.1 = true);
            crew.answering = Some(crew.register.run(exchange));
        }
        self.driver.shared.set_crew(crew.status(now));
    }

    pub(super) fn asked_for_view(&mut self, answer: oneshot::Sender<View>) {
        // Who is alone drops it: that is the answer.
        if let Some(crew) = &mut self.crew {
            crew.viewers.push((answer, false));
            crew.holder.ask_for_view();
        }
    }

    /// Gives every shard back. `false` if there is no fleet to give them to.
    pub(super) fn leave_crew(&mut self) -> bool {
        let Some(crew) = &mut self.crew else {
            return false;
        };
        crew.is_leaving = true;
        crew.holder.leave(clock::now());
        true
    }
}
