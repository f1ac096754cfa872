//! A change of shards over all processes: this one's sessions in it, and leading it, if this is the one that does.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;

use shardkeep_core::fleet::reshard::Stage;
use shardkeep_core::fleet::reshard::across::{Course, Do, Leader, Letter, Parts, Role, Steer, To};
use shardkeep_core::fleet::{Serving, Topology};
use shardkeep_core::{Instant, ShardId, Snowflake};

use super::Running;
use super::follow::Follow;
use super::mail::Mail;
use crate::bot::reshard::Request;
use crate::clock;
use crate::sessions::{PartMemory, PartSide, StoredPart};
use crate::shard::{Control, Part, Switch, SwitchOrder, SwitchTold};

use super::super::change::config;
use shardkeep_core::fleet::cutover::{Joining, Leaving};

/// How often the leader looks at who holds which lease, while it waits for some to end.
const LOOK: Duration = Duration::from_millis(500);

/// This process in a change of shards over all.
pub(super) struct Across {
    pub(super) parts: Parts,
    pub(super) leader: Option<Leader>,
    mail: Option<Mail>,
    /// Sides that were found with sessions that were taken.
    stored: BTreeMap<ShardId, StoredPart>,
    /// Sessions that are closed for good.
    dropped: BTreeSet<ShardId>,
    /// Who wants a plan, or a change, and waits for a look at the fleet.
    pub(super) requests: Vec<Request>,
    /// Nobody leads: this process will, after a look at the fleet.
    pub(super) wants_to_lead: bool,
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
    fn across(&mut self) -> Option<&mut Across> {
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

    /// A change is over: what was stored of the sessions that joined is of no use any more.
    fn forget_parts(&self) {
        let (Some(crew), Some(sessions)) = (&self.crew, &self.driver.sessions) else {
            return;
        };
        for shard in crew.across.parts.over_here() {
            if let Some(tracked) = sessions.of(shard) {
                let _nobody_waits = tracked.keep_part(None);
            }
        }
    }

    /// A session was taken, and this was stored beside it. `false` if the session is of no use.
    pub(super) fn found_part(&mut self, shard: ShardId, part: Option<StoredPart>) -> bool {
        let Some(across) = self.across() else {
            return true;
        };
        let role = across.parts.role(shard);
        match (&part, role) {
            (None, Some((Role::Joining, _))) => {
                // Its guilds were in READY, which does not come again.
                tracing::info!(%shard, "a new session was left before its guilds were stored: it begins anew");
                return false;
            }
            (None, _) => {}
            (Some(_), _) => {
                across.stored.extend(part.map(|part| (shard, part)));
            }
        }
        true
    }

    /// The part with which a session of this process begins.
    pub(in crate::bot::fleet) fn part_across(&mut self, shard: ShardId) -> Option<Switch> {
        let is_kept = self
            .driver
            .sessions
            .as_ref()
            .is_some_and(|all| all.is_shared());
        let crew = self.crew.as_mut()?;
        let token = crew.token(shard);
        let across = &mut crew.across;
        let role = across.parts.role(shard);
        let stored = across.stored.remove(&shard);
        let stored = stored.filter(|stored| goes_on(stored, role));
        let mut partners = Vec::new();
        let (part, role, guilds) = match (stored, role) {
            (Some(stored), _) => restored(shard, stored.memory, &mut partners),
            (None, Some(role)) => {
                let course = across.parts.known();
                partners = course.map_or_else(Vec::new, |course| course.partners(role.0));
                (begun(shard, role, &partners), role, None)
            }
            (None, None) => return None,
        };
        let mut switch = Switch::new(part, partners);
        if guilds.is_some() {
            switch = switch.going_on();
        }
        across.parts.begun(shard, role, token, guilds);
        Some(if is_kept { switch.kept() } else { switch })
    }

    /// The session's task has begun.
    pub(in crate::bot::fleet) fn runs_across(&mut self, shard: ShardId) {
        if let Some(crew) = &mut self.crew {
            let token = crew.token(shard);
            crew.across.parts.running(shard, token);
        }
    }

    /// The session does not run here any more.
    pub(in crate::bot::fleet) fn gone_across(&mut self, shard: ShardId) {
        if let Some(across) = self.across() {
            across.parts.gone(shard);
            across.dropped.remove(&shard);
        }
    }

    /// Whether the session is to be closed for good.
    pub(in crate::bot::fleet) fn drops_across(&self, shard: ShardId) -> bool {
        let crew = self.crew.as_ref();
        crew.is_some_and(|crew| crew.across.dropped.contains(&shard))
    }

    /// Discord refuses a session. `true` if the change is undone for it.
    pub(in crate::bot::fleet) fn refused_across(&mut self, shard: ShardId) -> bool {
        let Some(across) = self.across() else {
            return false;
        };
        let is_new = matches!(across.parts.role(shard), Some((Role::Joining, _)));
        if is_new {
            across.parts.refused(shard);
        }
        is_new
    }

    /// What a session's part has to say. `None` if that went on from here.
    pub(in crate::bot::fleet) fn switched_across(
        &mut self,
        shard: ShardId,
        told: SwitchTold,
    ) -> Option<SwitchTold> {
        let Some(across) = self.across() else {
            return Some(told);
        };
        let parts = &mut across.parts;
        match told {
            SwitchTold::Guilds(guilds) => parts.ready(shard, guilds),
            SwitchTold::Message(message) => parts.say(shard, message),
            SwitchTold::Progress {
                guilds,
                taken,
                counts,
            } => parts.progress(shard, guilds, taken, *counts),
            SwitchTold::Left => parts.left(shard),
            SwitchTold::Settled => parts.settled(shard),
            SwitchTold::Over(part) => parts.over(shard, part.counts()),
        }
        None
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

    fn order_part(&mut self, shard: ShardId, order: SwitchOrder) {
        self.control(shard, Control::Switch(Box::new(order)));
    }

    /// A session that runs already gets its part.
    fn begin_part(&mut self, shard: ShardId, role: (Role, u64)) {
        let is_kept = self
            .driver
            .sessions
            .as_ref()
            .is_some_and(|all| all.is_shared());
        let Some(crew) = &mut self.crew else {
            return;
        };
        let token = crew.token(shard);
        let across = &mut crew.across;
        across.parts.begun(shard, role, token, None);
        let course = across.parts.known();
        let partners = course.map_or_else(Vec::new, |course| course.partners(role.0));
        let is_teller = course.is_some_and(|course| course.tellers().0.contains(&shard));
        let mut switch = Switch::new(begun(shard, role, &partners), partners.clone());
        if is_kept {
            switch = switch.kept();
        }
        let mut apart = self.apart(shard);
        match role.0 {
            Role::Joining => {
                switch = switch.back();
                apart.retain(|overlay| !partners.contains(overlay));
            }
            Role::Leaving if is_teller => switch = switch.telling_guilds(),
            Role::Leaving => {}
        }
        self.order_part(shard, SwitchOrder::Begin(Box::new(switch)));
        self.order_part(shard, SwitchOrder::Apart(apart));
    }

    /// The overlay whose guilds the session takes back.
    pub(in crate::bot::fleet) fn taken_back_across(&self, shard: ShardId) -> Vec<ShardId> {
        let parts = self.crew.as_ref().map(|crew| &crew.across.parts);
        let Some((Role::Joining, _)) = parts.and_then(|parts| parts.role(shard)) else {
            return Vec::new();
        };
        let course = parts.and_then(Parts::known);
        course.map_or_else(Vec::new, |course| course.partners(Role::Joining))
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

/// Whether a stored side is still of use to the session.
fn goes_on(stored: &StoredPart, role: Option<(Role, u64)>) -> bool {
    match &stored.memory.side {
        PartSide::Leaving(side) => role == Some((Role::Leaving, side.cutover)),
        // It may still expect what the session before it dispatched. One that leaves now has joined before.
        PartSide::Joining(side) => match role {
            Some((Role::Leaving, _)) => false,
            Some((Role::Joining, cutover)) => cutover == side.cutover,
            None => true,
        },
    }
}

fn restored(
    shard: ShardId,
    memory: PartMemory,
    partners: &mut Vec<ShardId>,
) -> (Part, (Role, u64), Option<Vec<Snowflake>>) {
    let (now, guilds) = (clock::now(), memory.guilds);
    *partners = memory.partners;
    match memory.side {
        PartSide::Leaving(side) => {
            let cutover = side.cutover;
            let known = guilds.iter().copied();
            let part = Leaving::restore(now, config(cutover, shard, partners), known, &side);
            (
                Part::Leaving(Box::new(part)),
                (Role::Leaving, cutover),
                Some(guilds),
            )
        }
        PartSide::Joining(side) => {
            let cutover = side.cutover;
            let known = guilds.iter().copied();
            let config = config(cutover, shard, partners);
            let mut part = Joining::restore(now, config, known, &side);
            for guild in &guilds {
                part.watch(now, *guild);
            }
            (
                Part::Joining(Box::new(part)),
                (Role::Joining, cutover),
                Some(guilds),
            )
        }
    }
}

fn begun(shard: ShardId, (role, cutover): (Role, u64), partners: &[ShardId]) -> Part {
    let config = config(cutover, shard, partners);
    match role {
        Role::Leaving => Part::Leaving(Box::new(Leaving::new(config, []))),
        Role::Joining => Part::Joining(Box::new(Joining::new(config, []))),
    }
}
