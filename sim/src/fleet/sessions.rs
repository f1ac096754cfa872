//! Sessions: what they say is done, and what comes on their connections is given to them.

use core::time::Duration;

use shardkeep_core::fleet::Input;
use shardkeep_core::gateway::{self, Cause, Event, Output};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Machine, ShardId};

use super::cutover::Dispatched;
use super::happening::Happening;
use super::stage::Stage;
use crate::digest;
use crate::hours::network::Parcel;

/// How an identify begins.
const IDENTIFY: &[u8] = br#"{"op":2,"#;

/// What a session says, without what it borrows.
enum Said {
    Connect(String),
    Send(Vec<u8>),
    Close(u16),
    Want,
    Cancel,
    Unused,
    Dispatch {
        sequence: u64,
        digest: u64,
        /// All of it, for a part in a change of shards.
        event: Option<Dispatched>,
    },
    Acked(Duration),
    Ready(String),
    Resumed(u64),
    Down(Cause),
    Lost(Cause),
    Closed,
    Other,
}

impl Said {
    fn of(output: Output<'_>, is_whole: bool) -> Self {
        match output {
            Output::Connect { url } => Self::Connect(path(url)),
            Output::Send(bytes) => Self::Send(bytes.to_vec()),
            Output::Close { code, .. } => Self::Close(code.0),
            Output::WantIdentify => Self::Want,
            Output::CancelIdentify => Self::Cancel,
            Output::IdentifyUnused => Self::Unused,
            // It belongs to its connection, and is nothing for a handler.
            Output::Dispatch(dispatch) if dispatch.kind == EventKind::Resumed => Self::Other,
            Output::Dispatch(dispatch) => Self::Dispatch {
                sequence: dispatch.sequence,
                digest: digest(dispatch.data),
                event: is_whole.then(|| Dispatched {
                    kind: dispatch.kind,
                    name: dispatch.name.to_owned(),
                    data: dispatch.data.to_vec(),
                }),
            },
            Output::Event(Event::HeartbeatAcked { latency }) => Self::Acked(latency),
            Output::Event(Event::Ready { session_id, .. }) => Self::Ready(session_id.to_owned()),
            Output::Event(Event::Resumed { replayed, .. }) => Self::Resumed(replayed),
            Output::Event(Event::Disconnected { cause, .. }) => Self::Down(cause),
            Output::Event(Event::SessionLost { cause, .. }) => Self::Lost(cause),
            Output::Event(Event::Closed { .. }) => Self::Closed,
            _ => Self::Other,
        }
    }
}

impl Stage<'_> {
    /// Something comes on a connection.
    pub(super) fn arrives(&mut self, by: usize, shard: ShardId, connection: u64, parcel: &Parcel) {
        let local = self.local(by);
        let Some(there) = self.processes[by]
            .shard_mut(shard)
            .filter(|shard| shard.connection == Some(connection))
        else {
            return;
        };
        let input = match parcel {
            Parcel::Connected => gateway::Input::Connected,
            Parcel::ToBot(bytes, true) => gateway::Input::Binary(bytes),
            Parcel::ToBot(bytes, false) => gateway::Input::Text(bytes),
            Parcel::Disconnected(code) => {
                there.connection = None;
                gateway::Input::Disconnected { code: *code }
            }
            Parcel::Open(_) | Parcel::ToWorld(_) | Parcel::Closed(_) => return,
        };
        let outcome = there.session.handle_input(local, input);
        debug_assert_eq!(outcome, Ok(()), "the driver broke a rule");
        self.drain(by, shard);
    }

    /// Does what a session says, and plans when to look at it again.
    pub(super) fn drain(&mut self, by: usize, shard: ShardId) {
        while let Some(said) = {
            let there = self.processes[by].shard_mut(shard);
            there.and_then(|there| {
                let is_whole = there.switch.is_some();
                let output = there.session.poll_output();
                output.map(|output| Said::of(output, is_whole))
            })
        } {
            self.hear(by, shard, said);
        }
        let clock = self.processes[by].clock;
        let wake = self.next_serial();
        let Some(there) = self.processes[by].shard_mut(shard) else {
            return;
        };
        if there.is_known
            && let Some(sequence) = there.session.stats().sequence
        {
            there.progress.received(sequence);
        }
        let at = there.session.poll_timeout().map(|timeout| timeout.at);
        if there.wake_at != at {
            there.wake_at = at;
            there.wake = wake;
            if let Some(at) = at {
                self.plan_at(clock.world(at), Happening::ShardWake(by, shard, wake));
            }
        }
    }

    fn hear(&mut self, by: usize, shard: ShardId, said: Said) {
        match said {
            Said::Connect(path) => self.connect(by, shard, path),
            Said::Send(bytes) => self.send(by, shard, bytes),
            Said::Close(code) => {
                let there = self.processes[by].shard_mut(shard);
                if let Some(connection) = there.and_then(|there| there.connection) {
                    let now = self.now;
                    self.hang_up(connection, Some(code));
                    self.network
                        .send(now, connection, Parcel::Disconnected(None));
                }
            }
            Said::Want => self.want(by, shard),
            Said::Cancel => self.cancel(by, shard),
            Said::Unused => {
                if let Some(holder) = &mut self.processes[by].holder {
                    holder.permit_unused(shard);
                }
                self.tell_fleet(by, Input::IdentifyUnused { shard });
            }
            Said::Dispatch {
                sequence,
                digest,
                event,
            } => self.dispatch(by, shard, (sequence, digest), event.as_ref()),
            Said::Acked(latency) => self.switch_alive(by, shard, latency),
            Said::Ready(session) => self.ready(by, shard, session),
            Said::Resumed(replayed) => {
                self.tell(|_| format!("{by} {shard} resumed, {replayed} replayed"));
                self.report.resumed += 1;
                self.switch_resumed(by, shard);
                self.established(by, shard);
                self.tell_fleet(by, Input::Resumed { shard });
            }
            Said::Down(cause) => self.down(by, shard, cause),
            Said::Lost(cause) => {
                self.tell(|_| format!("{by} {shard} has lost its session: {cause}"));
                if let Some(there) = self.processes[by].shard_mut(shard) {
                    there.is_known = false;
                    there.lost = Some(cause);
                }
                // What comes between it and the next one is that session's account, and no change's.
                self.is_ledger_lost |= self.processes[by].is_changing();
                self.switch_lost(by, shard);
            }
            Said::Closed => {
                if let Some(there) = self.processes[by].shard_mut(shard) {
                    there.connection = None;
                }
                self.leave_part(by, shard);
                self.end_switch(by, shard);
                let fatal = false;
                self.tell_fleet(by, Input::Closed { shard, fatal });
            }
            Said::Other => {}
        }
    }
    /// The session wants to identify; one whose guilds have gone elsewhere is not opened anew.
    fn want(&mut self, by: usize, shard: ShardId) {
        let there = self.processes[by].shard_mut(shard);
        let switch = there.and_then(|there| there.switch.as_ref());
        if switch.is_none_or(|switch| !switch.is_lost) {
            self.tell_fleet(by, Input::WantIdentify { shard });
        }
    }

    /// Opens a connection in place of another one. In a partition nothing comes of it.
    fn connect(&mut self, by: usize, shard: ShardId, path: String) {
        self.connections += 1;
        let (now, connection) = (self.now, self.connections);
        self.holders.insert(connection, (by, shard));
        let is_cut = now < self.processes[by].discord_cut_until;
        let Some(there) = self.processes[by].shard_mut(shard) else {
            return;
        };
        let old = there.connection.replace(connection);
        if let Some(old) = old {
            self.hang_up(old, None);
        }
        if !is_cut {
            self.network.send(now, connection, Parcel::Open(path));
        }
    }

    /// A frame for Discord: of all processes, one may send for a shard.
    fn send(&mut self, by: usize, shard: ShardId, bytes: Vec<u8>) {
        let now = self.now;
        if !self.processes[by].may_run(now, shard) {
            return self.fault(format!("{by} sends for {shard}, which is not its own"));
        }
        if let Some(other) = self
            .other_that_may_run(by, shard)
            .filter(|_| self.scene.is_leased)
        {
            self.fault(format!("{by} sends for {shard}, which {other} may run"));
        }
        let slot = self.processes[by].slots.get(&shard);
        let token = slot.map_or(0, |slot| slot.token);
        let last = self.speakers.insert(shard, token);
        if last.is_some_and(|last| last > token) {
            self.fault(format!("{by} sends for {shard} after its successor"));
        }
        if bytes.starts_with(IDENTIFY) {
            self.identifies(by, shard);
        }
        let there = self.processes[by].shard_mut(shard);
        if let Some(connection) = there.and_then(|there| there.connection) {
            self.network.send(now, connection, Parcel::ToWorld(bytes));
        }
    }

    /// An identify leaves: no session may be there that could be resumed.
    fn identifies(&mut self, by: usize, shard: ShardId) {
        self.report.identifies += 1;
        self.tell(|_| format!("{by} {shard} identifies"));
        if let Some(holder) = &mut self.processes[by].holder {
            holder.permit_sent(shard);
        }
        self.tell_fleet(by, Input::IdentifySent { shard });
        let stored = self.store.read(shard);
        let Some(slot) = self.processes[by].slots.get_mut(&shard) else {
            return;
        };
        let Some(there) = slot.shard.as_mut() else {
            return;
        };
        there.is_identifying = true;
        let cause = there.lost;
        let known = match there.name.is_empty() {
            false => Some(there.name.clone()),
            true => stored
                .and_then(|line| gateway::Capsule::open(line.as_bytes()).ok())
                .map(|capsule| capsule.session_id),
        };
        let is_blind = slot.is_blind && there.name.is_empty();
        // A session that takes guilds over has to see them begin.
        let joins = there.switch.is_some() && there.name.is_empty();
        let Some(known) = known.filter(|known| !joins && self.is_open(known)) else {
            return;
        };
        if is_blind {
            self.report.identifies_blind += 1;
        } else if matches!(cause, Some(Cause::ResumeLoop)) {
            self.report.identifies_given_up += 1;
        } else {
            self.fault(format!(
                "{by} identifies {shard}, though {known} could be resumed: {cause:?}"
            ));
        }
    }

    /// Whether Discord still has a session.
    pub(super) fn is_open(&self, session: &str) -> bool {
        let mut ledgers = self.world.ledger();
        ledgers.any(|ledger| ledger.session == session && ledger.end.is_none())
    }

    /// The session does not wait for its identify any more.
    fn cancel(&mut self, by: usize, shard: ShardId) {
        let there = self.processes[by].shard_mut(shard);
        let was_granted = there.is_some_and(|there| std::mem::take(&mut there.awaits_permit));
        if was_granted && let Some(holder) = &mut self.processes[by].holder {
            holder.cancel_permit(shard);
            return self.tell_fleet(by, Input::IdentifyUnused { shard });
        }
        self.tell_fleet(by, Input::CancelIdentify { shard });
    }

    fn ready(&mut self, by: usize, shard: ShardId, session: String) {
        self.tell(|_| format!("{by} {shard} is ready: {session}"));
        self.truth.attach(&session, by, 0);
        if let Some(there) = self.processes[by].shard_mut(shard) {
            there.is_identifying = false;
            there.is_known = true;
            there.lost = None;
            there.epoch = there.epoch.wrapping_add(1);
            there.progress = gateway::Progress::default();
            there.snapshot = Some(there.session.snapshot());
            there.name = session;
        }
        self.established(by, shard);
        self.tell_fleet(by, Input::Ready { shard });
    }

    /// Of a shard, one session is established.
    fn established(&mut self, by: usize, shard: ShardId) {
        let other = (0..self.processes.len()).find(|&at| {
            let process = &self.processes[at];
            at != by && process.is_established(shard) && process.may_run(self.now, shard)
        });
        if let Some(other) = other {
            self.fault(format!("{by} and {other} both have {shard}"));
        }
    }

    fn down(&mut self, by: usize, shard: ShardId, cause: Cause) {
        self.tell(|_| format!("{by} {shard} is down: {cause}"));
        let there = self.processes[by].shard_mut(shard);
        let was_identifying = there.is_some_and(|there| std::mem::take(&mut there.is_identifying));
        if was_identifying && cause == Cause::InvalidSession {
            self.tell_fleet(by, Input::IdentifyRejected { shard });
        }
        self.tell_fleet(by, Input::Down { shard });
    }
    /// An event is there.
    fn dispatch(
        &mut self,
        by: usize,
        shard: ShardId,
        (sequence, digest): (u64, u64),
        event: Option<&Dispatched>,
    ) {
        self.report.fold(digest ^ sequence);
        let Some(there) = self.processes[by].shard_mut(shard) else {
            return;
        };
        let name = there.name.clone();
        let is_attached = self.truth.dispatched(&name, by, (sequence, digest));
        if is_attached.is_none() {
            self.fault(format!("{by} has an event of {name}, and not the session"));
        }
        match event {
            Some(event) => self.sort(by, shard, sequence, event),
            None => self.hand_on(by, shard, sequence),
        }
    }

    /// An event goes to a handler, which takes its time.
    pub(super) fn hand_on(&mut self, by: usize, shard: ShardId, sequence: u64) {
        let wait = match self.rng.below(200) {
            0 => self.between(1_000, 15_000),
            1..=10 => self.between(100, 1_500),
            _ => self.rng.duration_below(Duration::from_millis(20)),
        };
        let Some(there) = self.processes[by].shard_mut(shard) else {
            return;
        };
        there.progress.handed(sequence);
        let (name, epoch) = (there.name.clone(), there.epoch);
        let finished = Happening::Finished(by, shard, name, epoch, sequence);
        self.plan_in(wait, finished);
    }

    /// A handler is through.
    pub(super) fn finished(
        &mut self,
        by: usize,
        shard: ShardId,
        session: &str,
        epoch: u32,
        sequence: u64,
    ) {
        self.truth.finished(session, sequence, self.now);
        if let Some(there) = self.processes[by].shard_mut(shard)
            && there.epoch == epoch
            && there.name == session
        {
            let _waited_for = there.progress.finished(sequence);
        }
    }
}

/// The request target of a WebSocket URL.
fn path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or_else(|| String::from("/"), |slash| String::from(&rest[slash..]))
}
