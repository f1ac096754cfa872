//! A change of shards over all processes: this one's sessions in it, and leading it, if this is the one that does.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;

use shardkeep_core::fleet::reshard::Stage;
use shardkeep_core::fleet::reshard::across::{Course, Do, Leader, Letter, Parts, Steer, To};
use shardkeep_core::fleet::{Serving, Topology};
use shardkeep_core::{Instant, ShardId};

use super::Running;
use super::follow::Follow;
use super::mail::Mail;
use crate::bot::reshard::Request;
use crate::clock;
use crate::sessions::StoredPart;
use crate::shard::SwitchOrder;

/// How often the leader looks at who holds which lease, while it waits for some to end.
const LOOK: Duration = Duration::from_millis(500);

/// This process in a change of shards over all.
pub(super) struct Across {
    pub(super) parts: Parts,
    pub(super) leader: Option<Leader>,
    mail: Option<Mail>,
    /// Sides that were found with sessions that were taken.
    pub(super) stored: BTreeMap<ShardId, StoredPart>,
    /// Sessions that are closed for good.
    pub(super) dropped: BTreeSet<ShardId>,
    /// Who wants a plan, or a change, and waits for a look at the fleet.
    pub(super) requests: Vec<Request>,
    /// Nobody leads: this process will, after a look at the fleet.
    pub(super) wants_to_lead: bool,
    /// Discord was asked how many identifies are left, for those requests.
    pub(super) asks_limits: bool,
    /// It is time to look at the bot's growth.
    pub(super) is_growing: bool,
    look_at: Instant,
    pub(super) follow: Option<Follow>,
}

impl Across {
    pub(super) fn new(me: &str) -> Self {
        Self {
            parts: Parts::new(me),
            leader: None,
            mail: None,
            stored: BTreeMap::new(),
            dropped: BTreeSet::new(),
            requests: Vec::new(),
            wants_to_lead: false,
            asks_limits: false,
            is_growing: false,
            look_at: Instant::ZERO,
            follow: None,
        }
    }

    /// The course of a change that is under way.
    pub(super) fn course(&self) -> Option<&Course> {
        self.parts.known().filter(|course| course.is_open())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let look = self.waits_for_leases().then_some(self.look_at);
        [self.parts.poll_timeout(), look]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) async fn next_letter(&mut self) -> Option<Letter> {
        match &mut self.mail {
            Some(mail) => mail.next().await,
            None => pending().await,
        }
    }

    /// Letters that were dropped here, so far in this change.
    pub(super) fn letters_dropped(&self) -> u64 {
        self.mail.as_ref().map_or(0, Mail::dropped)
    }

    fn waits_for_leases(&self) -> bool {
        let stage = self.leader.as_ref().map(|leader| leader.course().stage);
        matches!(stage, Some(Stage::Stopping | Stage::RollingBack))
    }
}

impl Running {
    pub(super) fn across(&mut self) -> Option<&mut Across> {
        self.crew.as_mut().map(|crew| &mut crew.across)
    }

    /// What the register leases out, and what it says of a change.
    pub(super) fn know_sessions(&mut self, topology: &Topology, course: Option<&str>) {
        let read = course.and_then(Course::read);
        if course.is_some() && read.is_none() {
            tracing::warn!(
                "the course of a change of shards cannot be read: is another version running?"
            );
        }
        let serving = match read.as_ref().filter(|course| course.is_open()) {
            Some(course) => Some(course.serving.clone()),
            None => Serving::of_sessions(topology).ok(),
        };
        tracing::info!(sessions = %topology, "the fleet's sessions");
        self.driver.shared.set_serving(serving.clone());
        self.serving = serving;
        let Some(crew) = &mut self.crew else {
            return;
        };
        let held = crew.holder.shards().map(|(shard, _)| shard);
        let gone: Vec<_> = held.filter(|shard| !topology.contains(*shard)).collect();
        // What serves no more is not to be resumed by anybody.
        crew.across.dropped.extend(&gone);
        let is_mine = |leader: &Leader| match &read {
            Some(course) => course.leader == leader.course().leader,
            None => true,
        };
        crew.across.leader.take_if(|leader| !is_mine(leader));
        if read.as_ref().is_none_or(|course| !course.is_open()) {
            crew.across.stored.clear();
            self.forget_parts();
        }
        let Some(crew) = &mut self.crew else {
            return;
        };
        crew.across.parts.course(read);
        gone.into_iter().for_each(|shard| self.let_go(shard));
        self.followed();
    }

    pub(super) fn on_letter(&mut self, letter: Option<Letter>) {
        let unix_ms = clock::unix_ms();
        let Some(crew) = &mut self.crew else {
            return;
        };
        let Some(letter) = letter else {
            // It is opened again if it is needed.
            crew.across.mail = None;
            return;
        };
        match (&letter, &mut crew.across.leader) {
            (Letter::Report(report), Some(leader)) => leader.report(report, unix_ms),
            (Letter::Steer(steer), Some(leader)) => leader.steer(*steer, unix_ms),
            (Letter::News { revision }, _) => {
                let known = crew.holder.topology().map_or(0, |(known, _)| known);
                if *revision > known {
                    crew.holder.look();
                }
            }
            _ => {}
        }
        crew.across.parts.letter(letter);
    }

    /// Pause, resume, abort: here, or where the change is led.
    pub(in crate::bot::fleet) fn steer_across(&mut self, steer: Steer) {
        let unix_ms = clock::unix_ms();
        let Some(across) = self.across() else {
            return;
        };
        if let Some(leader) = &mut across.leader {
            leader.steer(steer, unix_ms);
        } else if let (Some(mail), Some(course)) = (&across.mail, across.course()) {
            let to = To::Process(course.leader.clone());
            mail.send(&to, &Letter::Steer(steer));
        }
    }

    /// Everything that a change of shards asks for now.
    pub(super) fn drive_across(&mut self, now: Instant) {
        let Some(crew) = &mut self.crew else {
            return;
        };
        let across = &mut crew.across;
        let is_needed = across.course().is_some() || across.leader.is_some();
        if !is_needed {
            across.mail = None;
        } else if across.mail.is_none() {
            across.mail = Some(Mail::over(crew.register.bus(), crew.holder.instance()));
        }
        across.parts.handle_timeout(now);
        while let Some(item) = self.across().and_then(|across| across.parts.poll_do()) {
            self.carry_out_across(item);
        }
        let Some(crew) = &mut self.crew else {
            return;
        };
        if let Some(leader) = &mut crew.across.leader
            && let Some(retarget) = leader.poll_retarget()
        {
            tracing::debug!(%retarget, "telling the register of the change of shards");
            let (expected, sessions) = (retarget.expected, &retarget.sessions);
            crew.holder
                .retarget(expected, sessions, Some(retarget.course));
        }
        if crew.across.waits_for_leases() && crew.across.look_at <= now {
            crew.across.look_at = now + LOOK;
            crew.holder.ask_for_view();
        }
    }

    fn carry_out_across(&mut self, item: Do) {
        match item {
            Do::Begin {
                shard,
                role,
                cutover,
            } => self.begin_part(shard, (role, cutover)),
            Do::Include { shard, guilds } => self.order_part(shard, SwitchOrder::Include(guilds)),
            Do::Ask { shard, is_on } => self.order_part(shard, SwitchOrder::Ask(is_on)),
            Do::Message { shard, message } => {
                self.order_part(shard, SwitchOrder::Message(message));
            }
            Do::Stay { shard } => {
                let apart = self.apart(shard);
                self.order_part(shard, SwitchOrder::Apart(apart));
                self.order_part(shard, SwitchOrder::Stay);
            }
            Do::Send { to, letter } => {
                let Some(across) = self.across() else {
                    return;
                };
                if let (Letter::Report(report), Some(leader)) = (&letter, &mut across.leader) {
                    leader.report(report, clock::unix_ms());
                }
                if let Some(mail) = &across.mail {
                    mail.send(&to, &letter);
                }
            }
        }
    }

    pub(super) fn retargeted(&mut self, is_done: bool) {
        let unix_ms = clock::unix_ms();
        let Some(crew) = &mut self.crew else {
            return;
        };
        let revision = crew.holder.topology().map_or(0, |(revision, _)| revision);
        let Some(leader) = &mut crew.across.leader else {
            return;
        };
        leader.retargeted(is_done, revision, unix_ms);
        if is_done && let Some(mail) = &crew.across.mail {
            mail.send(&To::All, &Letter::News { revision });
        }
    }

    /// The change that is under way has no leader.
    pub(super) fn wants_to_lead(&mut self) {
        if let Some(crew) = &mut self.crew
            && crew.across.leader.is_none()
            && !crew.across.wants_to_lead
        {
            crew.across.wants_to_lead = true;
            crew.holder.ask_for_view();
        }
    }

    /// The register has said who holds what.
    pub(super) fn looked_at_fleet(&mut self) {
        let unix_ms = clock::unix_ms();
        let Some(crew) = &mut self.crew else {
            return;
        };
        let Some(view) = crew.holder.view().cloned() else {
            return;
        };
        if let Some(leader) = &mut crew.across.leader {
            leader.look_at(&view, unix_ms);
        }
        self.answer_requests(&view);
        self.lead_on(&view);
        self.look_at_growth_of(&view);
        self.followed();
    }
}
