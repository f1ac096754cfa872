//! A change of shards, as the fleet's task drives it: core says what to do, the shards' parts talk to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use shardkeep_core::fleet::cutover::{self, Body, Joining, Ledger, Message};
use shardkeep_core::fleet::reshard::across::Steer;
use shardkeep_core::fleet::reshard::{self, Outcome, Output, Reshard, Side, Stage};
use shardkeep_core::fleet::{Facts, Input, Plan, Serving, Target, Topology};
use shardkeep_core::{Instant, Machine, ShardId};
use tokio::sync::watch;

use super::Running;
use crate::bot::reshard::{Request, ReshardError, ReshardReport, ReshardStatus, Resharding};
use crate::clock;
use crate::sessions::Sessions;
use crate::shard::{Control, Part, Switch, SwitchOrder, SwitchTold};

/// How long one try to store what serves may take, and the pause before the next.
const STORE_LIMIT: Duration = Duration::from_secs(5);
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// What stores what serves, until it is stored.
pub(super) type Storing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A change that is under way.
pub(super) struct Change {
    pub(super) machine: Reshard,
    /// Sessions that the present step starts, and the number of its cutover. Once it is committed they are like others.
    cutovers: BTreeMap<ShardId, u64>,
    /// Of each session that leaves in this step: how many guilds it has, and how many have switched.
    guilds: BTreeMap<ShardId, (usize, usize)>,
    /// Sessions that are closed for good: no part of what serves.
    dropped: BTreeSet<ShardId>,
    ledger: Ledger,
    began: Instant,
    granted: u64,
    status: watch::Sender<ReshardStatus>,
    report: watch::Sender<Option<Arc<ReshardReport>>>,
}

impl Change {
    /// Whether the shard's session is to be closed for good, not left to be resumed.
    pub(super) fn drops(&self, shard: ShardId) -> bool {
        let is_uncommitted = matches!(
            self.machine.progress().stage,
            Stage::Starting | Stage::Switching | Stage::RollingBack
        );
        self.dropped.contains(&shard) || (is_uncommitted && self.cutovers.contains_key(&shard))
    }

    /// The part of a session that is started for the change.
    pub(super) fn part(&self, shard: ShardId) -> Option<Switch> {
        let cutover = *self.cutovers.get(&shard)?;
        let partners = self.machine.sides().0;
        let side = Joining::new(config(cutover, shard, &partners), []);
        Some(Switch::new(Part::Joining(Box::new(side)), partners))
    }

    fn fill(&self, status: &mut ReshardStatus) {
        let progress = self.machine.progress();
        status.steps_taken = progress.taken;
        status.step = self
            .machine
            .step()
            .map_or_else(String::new, ToString::to_string);
        status.stage = progress.stage.name();
        status.guilds = self.guilds.values().map(|(guilds, _)| guilds).sum();
        status.guilds_switched = self.guilds.values().map(|(_, taken)| taken).sum();
        status.paused = progress.is_paused;
        status.outcome = progress.outcome.map(|outcome| outcome.to_string());
        status.elapsed_ms = millis(clock::now() - self.began);
    }
}

/// Of both sides; what has no guild comes to index 0 of each total, and is handed over where both sides have it.
pub(super) fn config(cutover: u64, shard: ShardId, partners: &[ShardId]) -> cutover::Config {
    let mut config = cutover::Config::new(cutover);
    config.takes_shared = shard.index() == 0 && partners.iter().any(|other| other.index() == 0);
    config
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Running {
    /// What serves, once it is known and if this process runs all of it.
    pub(super) fn know_serving(&mut self) {
        if self.crew.is_some() {
            // The register says.
            return;
        }
        let Some(topology) = self.fleet.topology() else {
            return;
        };
        let serving = Serving::of_sessions(topology).ok();
        self.driver.shared.set_serving(serving.clone());
        self.serving = serving;
    }

    pub(super) fn asked_to_reshard(&mut self, request: Request) {
        let Some(request) = self.asked_across(request) else {
            return;
        };
        let planned = self.plan(request.target);
        let answer = match planned {
            Err(error) => Err(error),
            Ok(plan) if request.dry_run => Ok((plan, None)),
            Ok(plan) => self.can_reshard().map(|()| {
                let change = self.reshard(&plan);
                (plan, Some(change))
            }),
        };
        // Who asked may have gone; what has begun goes on.
        let _unheard = request.answer.send(answer);
    }

    pub(super) fn plan(&self, target: Target) -> Result<Plan, ReshardError> {
        let Some(topology) = self.fleet.topology() else {
            return Err(ReshardError::TooEarly);
        };
        let Some(serving) = &self.serving else {
            return Err(ReshardError::Partial(topology.to_string()));
        };
        let facts = Facts::from_snapshot(&self.fleet.snapshot());
        let mut facts = facts.ok_or(ReshardError::TooEarly)?;
        let config = &self.driver.config.identify;
        facts.reserve = config.reserve;
        facts.margin = Duration::from_millis(config.margin_ms);
        facts.guilds = Some(self.driver.shared.guilds());
        facts.recommended = self.recommended;
        facts.overlays = serving.overlays().to_vec();
        Ok(Plan::new(serving.topology(), target, &facts)?)
    }

    pub(super) fn can_reshard(&self) -> Result<(), ReshardError> {
        if self.change.is_some() {
            return Err(ReshardError::Busy);
        }
        let status = self.fleet.status();
        match status.shards - status.ready {
            0 => Ok(()),
            disconnected => Err(ReshardError::Disconnected(disconnected)),
        }
    }

    pub(super) fn reshard(&mut self, plan: &Plan) -> Resharding {
        tracing::info!(%plan, "changing shards");
        let status = ReshardStatus {
            from: plan.before().to_string(),
            to: plan.after().to_string(),
            steps: plan.steps().len(),
            ..ReshardStatus::default()
        };
        let (status, statuses) = watch::channel(status);
        let (report, reports) = watch::channel(None);
        // Microseconds of Unix time: a number that no cutover had.
        let cutover = clock::unix_ms().saturating_mul(1_000);
        self.change = Some(Box::new(Change {
            machine: Reshard::new(plan, cutover),
            cutovers: BTreeMap::new(),
            guilds: BTreeMap::new(),
            dropped: BTreeSet::new(),
            ledger: Ledger::default(),
            began: clock::now(),
            granted: self.fleet.status().counters.granted,
            status,
            report,
        }));
        self.driver.shared.set_resharding(Some(statuses.clone()));
        self.store_shape(Some(plan.target()));
        self.drive();
        let plan = Arc::new(plan.clone());
        Resharding::new(plan, statuses, reports, self.orders.clone())
    }

    /// A predecessor died in the middle of a change: it begins again with what is left of it.
    pub(super) fn go_on_resharding(&mut self) {
        let Some(total) = self.unfinished.filter(|_| self.change.is_none()) else {
            return;
        };
        match self.plan(Target::Shards(total)) {
            Ok(plan) => {
                tracing::info!(total, "going on with an earlier change of shards");
                self.reshard(&plan);
            }
            Err(error) => {
                tracing::warn!(total, %error, "an earlier change of shards is not gone on with");
                self.unfinished = None;
                self.store_shape(None);
            }
        }
    }

    /// The user pauses, resumes or aborts it.
    pub(super) fn steered(&mut self, steer: Steer) {
        if self.crew.is_some() {
            return self.steer_across(steer);
        }
        self.steer(match steer {
            Steer::Pause => reshard::Input::Pause,
            Steer::Resume => reshard::Input::Resume,
            Steer::Abort => reshard::Input::Abort,
        });
    }

    /// Something happened that a change of shards may wait for.
    pub(super) fn steer(&mut self, input: reshard::Input) {
        if let Some(change) = &mut self.change {
            change.machine.handle_input(input);
            self.drive();
        }
    }

    fn drive(&mut self) {
        while let Some(output) = self
            .change
            .as_mut()
            .and_then(|change| change.machine.poll_output())
        {
            self.carry_out(output);
        }
        if let Some(change) = &self.change {
            change.status.send_modify(|status| change.fill(status));
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Leave { shard, cutover } => self.begin_leaving(shard, cutover),
            Output::Start { shard, cutover } => {
                if let Some(change) = &mut self.change {
                    change.cutovers.insert(shard, cutover);
                }
                self.feed(Input::Run {
                    shard,
                    resumable: false,
                });
            }
            Output::Ask { is_on } => {
                let change = self.change.iter();
                let sides = change.map(|change| change.machine.sides());
                let parts: Vec<_> = sides
                    .flat_map(|(leave, join)| leave.into_iter().chain(join))
                    .collect();
                for shard in parts {
                    self.order(shard, SwitchOrder::Ask(is_on));
                }
            }
            Output::Commit => self.commit(),
            Output::Stop { shard } => {
                if let Some(change) = &mut self.change {
                    change.dropped.insert(shard);
                    change.guilds.remove(&shard);
                }
                self.feed(Input::Release { shard });
            }
            Output::Stay { shard } => {
                let apart = self.apart(shard);
                self.order(shard, SwitchOrder::Apart(apart));
                self.order(shard, SwitchOrder::Stay);
            }
            Output::Join { shard, cutover } => self.begin_joining_again(shard, cutover),
            Output::Ended(outcome) => self.changed(outcome),
        }
    }

    pub(super) fn order(&mut self, shard: ShardId, order: SwitchOrder) {
        self.control(shard, Control::Switch(Box::new(order)));
    }

    /// What serves from here on is stored, as often as it takes, before anything that served is closed.
    fn commit(&mut self) {
        let Some(change) = &mut self.change else {
            return;
        };
        change.cutovers.clear();
        let serving = change.machine.serving().clone();
        tracing::info!(%serving, "every guild of the step has switched");
        self.driver.shared.set_serving(Some(serving.clone()));
        self.serving = Some(serving);
        self.store_shape(None);
        let sessions = self.driver.sessions.clone();
        self.storing = Some(Box::pin(store(sessions)));
    }

    /// Leaves word of what serves, and of what it is to become; with `None` that stays as it is.
    fn store_shape(&mut self, target: Option<Target>) {
        let (Some(sessions), Some(serving)) = (&self.driver.sessions, &self.serving) else {
            return;
        };
        if let Some(Target::Shards(total) | Target::Generation(total)) = target {
            self.unfinished = Some(total);
        }
        let configured = self.driver.config.shards.to_string();
        let all = serving.topology().shards().iter();
        let all = all.chain(serving.overlays()).copied();
        let Ok(serving) = Topology::new(all).map(|all| all.to_string()) else {
            return;
        };
        sessions.shape(configured, serving, self.unfinished);
    }

    fn changed(&mut self, outcome: Outcome) {
        self.unfinished = None;
        self.store_shape(None);
        let Some(change) = self.change.take() else {
            return;
        };
        let granted = self.fleet.status().counters.granted - change.granted;
        let serving = change.machine.serving().to_string();
        tracing::info!(%serving, %outcome, identifies = granted, "the change of shards has ended");
        change.status.send_modify(|status| change.fill(status));
        let duration = clock::now() - change.began;
        let report = ReshardReport::new(outcome, serving, change.ledger, granted, duration);
        change.report.send_replace(Some(Arc::new(report)));
        self.driver.shared.set_resharding(None);
    }

    /// What a shard's part has to say.
    pub(super) fn on_switch(&mut self, shard: ShardId, told: SwitchTold) {
        let Some(told) = self.switched_across(shard, told) else {
            return;
        };
        match told {
            SwitchTold::Message(message) => self.pass_on(message),
            SwitchTold::Guilds(guilds) => self.told_guilds(shard, &guilds),
            SwitchTold::Progress { guilds, taken, .. } => {
                if let Some(change) = &mut self.change {
                    change.guilds.insert(shard, (guilds, taken));
                    change.status.send_modify(|status| change.fill(status));
                }
            }
            SwitchTold::Left => self.steer(reshard::Input::Left { shard }),
            SwitchTold::Settled => self.steer(reshard::Input::Settled { shard }),
            SwitchTold::Over(part) => {
                if let Some(change) = &mut self.change {
                    match part {
                        Part::Leaving(side) => change.ledger.add_leaving(&side),
                        Part::Joining(side) => change.ledger.add_joining(&side),
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, message: Message) {
        let to = match message.body {
            Body::Ask(_) | Body::Withdraw | Body::Taken => Side::Leaving,
            Body::Cut(_) | Body::Kept | Body::Lost(_) => Side::Joining,
        };
        let change = self.change.as_ref();
        let partner = change.and_then(|change| change.machine.partner(message.guild, to));
        if let Some(partner) = partner {
            self.order(partner, SwitchOrder::Message(message));
        }
    }
}

/// Returns when it is stored.
async fn store(sessions: Option<Arc<Sessions>>) {
    let Some(sessions) = sessions else {
        return;
    };
    while !sessions.flush(STORE_LIMIT).await {
        tracing::warn!("what serves cannot be stored: the old shards stay open until it can");
        tokio::time::sleep(STORE_PAUSE).await;
    }
}
