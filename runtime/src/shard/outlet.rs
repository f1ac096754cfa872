//! Where a session's outputs go: dispatches to the queue, frames to the socket, notices to the fleet.

#[cfg(test)]
mod held_tests;
mod keep;
mod part;
mod switch;
mod told;
mod track;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::task::Context;

use shardkeep_core::gateway::{Dispatch, Event, Output, Session};
use shardkeep_core::wire::{CloseCode, EventFilter};
use shardkeep_core::{Instant, Machine, ShardId, fleet};
use tokio::sync::{mpsc, oneshot};

use super::{CommandFailed, Notice, ShardCell, Sorting};
use crate::cache::Feed;
use crate::clock;
use crate::events::{CHUNK_BYTES, Chunk, Head, Queue, ShardErrorKind, Topic};
use crate::sessions::Tracked;
use crate::transport::{Gone, Opcode, write_frame};
pub(crate) use part::{Order as SwitchOrder, Part, Switch, Told as SwitchTold, joining_filter};
use track::Track;

/// A turn ends when it has brought so many bytes of events: about a millisecond.
const TURN_BYTES: usize = 1 << 20;

/// How an identify begins, as core writes it.
const IDENTIFY: &[u8] = br#"{"op":2,"#;

/// The way out of one shard.
pub(super) struct Outlet {
    shard: ShardId,
    /// Events of this round. The memory is lent by the thread.
    staged: Chunk,
    /// Frames for the socket.
    out: Vec<u8>,
    connect: Option<String>,
    close: Option<CloseCode>,
    queue: Arc<Queue>,
    cell: Arc<ShardCell>,
    notices: mpsc::UnboundedSender<Notice>,
    cache: Option<Feed>,
    track: Track,
    commands: BTreeMap<u64, oneshot::Sender<Result<(), CommandFailed>>>,
    /// An identify went out and was not answered yet.
    identifying: bool,
    paused_since: Option<Instant>,
    /// Why the last connection did not open or broke, as far as the session cannot know.
    detail: Option<String>,
    sequence: u64,
    /// When the session was last known to live, in milliseconds of Unix time.
    heard_ms: u64,
    /// Bytes put into the queue in this turn.
    put: usize,
    /// Dispatches that were for the cache, or for a change of shards, alone.
    unwanted: u64,
    /// What the shard does in a change of shards.
    switch: Option<Box<Switch>>,
    /// Overlays that handle some of the session's guilds.
    apart: Vec<ShardId>,
    /// What the user wants to hear of, if the session lets more through and there is no cache to take it.
    sieve: Option<EventFilter>,
}

impl Outlet {
    pub(super) fn new(
        shard: ShardId,
        queue: Arc<Queue>,
        cell: Arc<ShardCell>,
        notices: mpsc::UnboundedSender<Notice>,
        cache: Option<Feed>,
        tracked: Option<Arc<Tracked>>,
        sorting: Sorting,
    ) -> Self {
        let track = Track::new(tracked);
        let heard_ms = track.saved_at_ms().unwrap_or_else(clock::unix_ms);
        Self {
            shard,
            staged: Chunk::default(),
            out: Vec::new(),
            connect: None,
            close: None,
            queue,
            cell,
            notices,
            cache,
            track,
            commands: BTreeMap::new(),
            identifying: false,
            paused_since: None,
            detail: None,
            sequence: 0,
            heard_ms,
            put: 0,
            unwanted: 0,
            switch: sorting.switch.map(Box::new),
            apart: sorting.apart,
            sieve: sorting.sieve,
        }
    }

    pub(super) const fn staged(&mut self) -> &mut Chunk {
        &mut self.staged
    }

    pub(super) const fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    pub(super) const fn take_close(&mut self) -> Option<CloseCode> {
        self.close.take()
    }

    pub(super) const fn take_connect(&mut self) -> Option<String> {
        self.connect.take()
    }

    /// Whether the session has given up the socket that is being read.
    pub(super) const fn wants_other_socket(&self) -> bool {
        self.close.is_some() || self.connect.is_some()
    }

    pub(super) fn notify(&self, notice: Notice) {
        // The fleet outlives its shards, except when the whole bot is being torn down.
        let _torn_down = self.notices.send(notice);
    }

    fn tell_fleet(&self, input: fleet::Input) {
        self.notify(Notice::Fleet(input));
    }

    pub(super) fn expect_command(
        &mut self,
        id: u64,
        done: oneshot::Sender<Result<(), CommandFailed>>,
    ) {
        self.commands.insert(id, done);
    }

    fn command_done(&mut self, id: u64, outcome: Result<(), CommandFailed>) {
        if let Some(done) = self.commands.remove(&id) {
            // The user may have stopped waiting.
            let _unheard = done.send(outcome);
        }
    }

    /// Carries out everything that the session has to say.
    pub(super) fn drain(&mut self, session: &mut Session) {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Dispatch(dispatch) => self.dispatch(&dispatch),
                other => self.carry_out(other),
            }
        }
    }

    pub(super) fn dispatch(&mut self, dispatch: &Dispatch<'_>) {
        self.sequence = dispatch.sequence;
        if self.switch.is_none() && self.apart.is_empty() {
            self.hand_on(dispatch, true);
        } else {
            self.sort(dispatch);
        }
    }

    /// To the user, and to the cache first, if it is news to it.
    fn hand_on(&mut self, dispatch: &Dispatch<'_>, is_news: bool) {
        let session = self.track.epoch();
        if self.hand_on_of(dispatch, is_news, session) {
            self.track.handed(dispatch.sequence);
        }
        if self.staged.bytes() >= CHUNK_BYTES {
            // A chunk's worth: compressed streams bring many of them in one round.
            self.put();
        }
    }

    /// The same, of whichever session it was. Whether it was handed on.
    fn hand_on_of(&mut self, dispatch: &Dispatch<'_>, is_news: bool, session: u32) -> bool {
        let Dispatch {
            kind,
            sequence,
            data,
            ..
        } = *dispatch;
        if self.sieve.is_some_and(|wanted| !wanted.lets_through(kind)) {
            self.unwanted += 1;
            return false;
        }
        let mut before: &[u8] = &[];
        if let Some(cache) = &mut self.cache {
            let told = match is_news {
                true => cache.take(kind, sequence, data),
                false => cache.pass(kind),
            };
            let Some(told) = told else {
                self.unwanted += 1;
                return false;
            };
            before = told;
        }
        let head = Head {
            shard: self.shard,
            sequence: dispatch.sequence,
            topic: Topic::Dispatch,
            kind: dispatch.kind,
            replayed: dispatch.replayed,
            session,
        };
        if !self.staged.push_with(head, dispatch.name, data, before) {
            self.dropped(dispatch);
            return false;
        }
        true
    }

    /// Puts this round's events into the queue. The user is woken at the end of the turn.
    pub(super) fn put(&mut self) {
        self.put += self.staged.bytes();
        self.track.note();
        self.queue.put(&mut self.staged);
    }

    /// Whether this turn brought so much that other shards should have theirs.
    pub(super) const fn had_enough(&self) -> bool {
        self.put >= TURN_BYTES
    }

    fn dropped(&mut self, dispatch: &Dispatch<'_>) {
        self.cell.update(|report| report.dropped += 1);
        let reason = format!("{} is too large to hand on: it was dropped", dispatch.name);
        self.error(ShardErrorKind::EventDropped, None, reason, false);
    }

    #[cold]
    fn carry_out(&mut self, output: Output<'_>) {
        let shard = self.shard;
        match output {
            Output::Connect { url } => self.connect = Some(url.to_owned()),
            Output::Send(payload) => {
                if payload.starts_with(IDENTIFY) {
                    self.identifying = true;
                    self.tell_fleet(fleet::Input::IdentifySent { shard });
                }
                write_frame(&mut self.out, Opcode::Text, payload);
            }
            Output::Close { code, cause } => {
                tracing::debug!(%shard, %code, %cause, "hanging up");
                self.close = Some(code);
            }
            Output::WantIdentify if !self.may_identify() => {}
            Output::WantIdentify => self.tell_fleet(fleet::Input::WantIdentify { shard }),
            Output::CancelIdentify => self.tell_fleet(fleet::Input::CancelIdentify { shard }),
            Output::IdentifyUnused => self.tell_fleet(fleet::Input::IdentifyUnused { shard }),
            Output::Event(event) => self.event(event),
            _ => {
                tracing::warn!(%shard, "an output that this version does not know was passed over")
            }
        }
    }

    /// A socket did not open.
    pub(super) fn connect_failed(&mut self, error: &dyn fmt::Display) {
        self.detail = Some(error.to_string());
    }

    /// A socket ended without the session's doing.
    pub(super) fn disconnected(&mut self, gone: &Gone) {
        self.detail = Some(gone.to_string());
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.paused_since.is_some()
    }

    /// Whether to read on. A shard pauses only while its session is established: before that, and during a replay, the
    /// session's own time limits count on being read to.
    pub(super) fn poll_room(&mut self, cx: &Context<'_>, may_pause: bool) -> bool {
        let has_room =
            !may_pause || (self.queue.poll_room(cx).is_ready() && !self.switch_is_full());
        match (has_room, self.paused_since) {
            (true, Some(since)) => {
                self.paused_since = None;
                let pause = clock::now() - since;
                self.cell.update(|report| report.paused_for += pause);
                self.switch_resumed();
                tracing::debug!(shard = %self.shard, ?pause, "reading on");
            }
            (false, None) => {
                self.paused_since = Some(clock::now());
                self.cell.update(|report| report.pauses += 1);
                tracing::debug!(shard = %self.shard, "not reading: the queue is full");
            }
            _ => {}
        }
        has_room
    }

    /// Like [`Outlet::drain`], after an acknowledgement that Discord did not send: it says nothing about latency.
    pub(super) fn drain_assumed(&mut self, session: &mut Session) {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Event(Event::HeartbeatAcked { .. }) => {
                    self.cell.update(|report| report.acks_assumed += 1);
                }
                Output::Dispatch(dispatch) => self.dispatch(&dispatch),
                other => self.carry_out(other),
            }
        }
    }

    /// Hands this round's numbers to whoever asks, then its events to the user: who holds an event finds it counted.
    pub(super) fn publish(&mut self, session: &Session) {
        let (paused_since, unwanted) = (self.paused_since, self.unwanted);
        self.cell.update(|report| {
            report.state = session.state();
            report.stats = session.stats();
            report.established_at = session.established_at();
            report.paused_since = paused_since;
            // For the user, these were held back.
            report.stats.delivered -= unwanted;
            report.stats.filtered += unwanted;
        });
        self.track.note();
        self.track.reached(session);
        if self.put > 0 || !self.staged.is_empty() {
            self.put = 0;
            self.queue.publish(&mut self.staged);
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet")
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}
