//! One shard as a task: a session of core, its socket, its timer and its way to the user. Handlers never run here.

mod cell;
mod link;
mod outlet;

use std::cell::Cell as ThreadCell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use shardkeep_core::gateway::{self, Input, Session, StateName};
use shardkeep_core::wire::{Command, EventFilter};
use shardkeep_core::{Machine, ShardId, fleet};
use tokio::sync::{mpsc, oneshot};

pub(crate) use cell::{Report, ShardCell};
pub(crate) use outlet::{Part, Switch, SwitchOrder, SwitchTold, joining_filter};

use crate::bot::Lease;
use crate::cache::Feed;
use crate::clock;
use crate::drive::Deadline;
use crate::events::{Chunk, Queue};
use crate::sessions::Tracked;
use crate::transport::{Connector, Window};
use link::Link;
use outlet::Outlet;

/// How many rounds a task makes before it lets the others of its thread go on.
const ROUNDS: usize = 4;

/// What stands in for the acknowledgement that lies unread in the socket of a paused shard.
const ASSUMED_ACK: &[u8] = br#"{"op":11}"#;

/// What the rest of the bot asks of a shard.
#[derive(Debug)]
pub(crate) enum Control {
    /// The identify slot is there.
    Granted,
    /// Send a command and say how it went. Boxed, because a channel keeps room for 32 of these.
    Send(Box<Command>, oneshot::Sender<Result<(), CommandFailed>>),
    /// Something about the shard's part in a change of shards.
    Switch(Box<SwitchOrder>),
    /// The lease is over: look at it.
    Fenced,
    /// Reconnect and resume.
    Reconnect,
    /// Stop for good.
    Shutdown { resumable: bool },
}

/// What a shard tells the fleet.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Something that the fleet's machine wants to know.
    Fleet(fleet::Input),
    /// Something about the shard's part in a change of shards.
    Switch { shard: ShardId, told: SwitchTold },
    /// The shard has ended without a word to Discord, because its lease is over. Its session lives on.
    Fenced { shard: ShardId },
    /// The shard has ended. The snapshot is what another process can go on from.
    Ended {
        shard: ShardId,
        reason: gateway::ClosedReason,
        snapshot: gateway::Snapshot,
    },
}

/// Why a command did not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandFailed {
    /// The session refused it.
    #[error("the command was not sent: {0}")]
    Refused(gateway::Refusal),
    /// This bot does not run the shard, or not any more.
    #[error("the command was not sent: this bot does not run shard {0}")]
    NoShard(ShardId),
    /// The shard ended first.
    #[error("the command was not sent: its shard stopped")]
    Stopped,
}

/// Which dispatches are not handed on at once, or at all, from the beginning.
#[derive(Debug, Default)]
pub(crate) struct Sorting {
    /// The session's part in a change of shards.
    pub(crate) switch: Option<Switch>,
    /// What the user wants to hear of, if the session lets more through for its part and there is no cache to take it.
    pub(crate) sieve: Option<EventFilter>,
    /// Overlays that handle some of the session's guilds.
    pub(crate) apart: Vec<ShardId>,
}

/// Everything that a shard's task needs from outside.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) queue: Arc<Queue>,
    pub(crate) cell: Arc<ShardCell>,
    pub(crate) notices: mpsc::UnboundedSender<Notice>,
    pub(crate) controls: mpsc::UnboundedReceiver<Control>,
    pub(crate) connector: Connector,
    pub(crate) cache: Option<Feed>,
    pub(crate) tracked: Option<Arc<Tracked>>,
    /// What is not handed on at once, or at all.
    pub(crate) sorting: Sorting,
    /// Until when the shard may run, if it is leased.
    pub(crate) lease: Option<Arc<Lease>>,
}

/// What the shards of a thread share while one of them runs.
#[derive(Default)]
struct Scratch {
    window: Window,
    staged: Chunk,
}

thread_local! {
    static SCRATCH: ThreadCell<Scratch> = ThreadCell::default();
}

/// One shard's task. It ends when the session has ended for good.
#[derive(Debug)]
pub(crate) struct Shard {
    session: Session,
    outlet: Outlet,
    link: Link,
    deadline: Deadline,
    controls: mpsc::UnboundedReceiver<Control>,
    next_command: u64,
    lease: Option<Arc<Lease>>,
}

impl Shard {
    pub(crate) fn new(session: Session, around: Surroundings) -> Self {
        let (shard, link) = (session.shard(), Link::new(around.connector));
        let outlet = Outlet::new(
            shard,
            around.queue,
            around.cell,
            around.notices,
            around.cache,
            around.tracked,
            around.sorting,
        );
        Self {
            session,
            outlet,
            link,
            deadline: Deadline::default(),
            controls: around.controls,
            next_command: 0,
            lease: around.lease,
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        if let Err(misuse) = self.session.handle_input(clock::now(), input) {
            tracing::debug!(shard = %self.session.shard(), %misuse, "the session did not expect this");
        }
        self.outlet.drain(&mut self.session);
    }

    /// Follows the session's clock. Whether anything was done.
    fn tick(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(now) = self.deadline.poll(cx, &self.session) else {
            return false;
        };
        if self.outlet.is_paused() {
            // The acknowledgement may lie in the socket that is not read: the connection must not pass for dead. If it
            // is, the first heartbeat after the pause finds out.
            if let Err(misuse) = self.session.handle_input(now, Input::Text(ASSUMED_ACK)) {
                tracing::debug!(shard = %self.session.shard(), %misuse, "no acknowledgement was expected");
            }
            self.outlet.drain_assumed(&mut self.session);
        }
        self.session.handle_timeout(now);
        self.outlet.drain(&mut self.session);
        true
    }

    fn obey(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        while let Poll::Ready(Some(control)) = self.controls.poll_recv(cx) {
            busy = true;
            match control {
                Control::Granted => self.feed(Input::IdentifyGranted),
                Control::Fenced => {}
                Control::Switch(order) => {
                    self.outlet.obey_switch(*order);
                    self.outlet.tell_guilds(&self.session);
                }
                Control::Reconnect => self.feed(Input::Reconnect),
                Control::Shutdown { resumable } => self.feed(Input::Shutdown { resumable }),
                Control::Send(command, done) => {
                    self.next_command += 1;
                    let id = self.next_command;
                    self.outlet.expect_command(id, done);
                    self.feed(Input::Send {
                        id,
                        command: &command,
                    });
                }
            }
        }
        busy
    }

    /// Does what the session asked of its socket.
    fn carry_out(&mut self, cx: &mut Context<'_>) {
        if let Some(code) = self.outlet.take_close()
            && self.link.hang_up(cx, &mut self.outlet, code)
        {
            self.feed(Input::Disconnected { code: None });
        }
        if let Some(url) = self.outlet.take_connect() {
            self.link.open(url);
        }
    }

    /// Moves bytes. Whether anything was done.
    fn converse(&mut self, cx: &mut Context<'_>, window: &mut Window) -> bool {
        let may_pause = self.session.state() == StateName::Ready;
        if !self.outlet.poll_room(cx, may_pause) {
            return self
                .link
                .write_only(cx, &mut self.outlet, &mut self.session);
        }
        let busy = self
            .link
            .converse(cx, window, &mut self.outlet, &mut self.session);
        self.outlet.put();
        busy
    }

    fn turn(&mut self, cx: &mut Context<'_>, window: &mut Window) -> Poll<()> {
        for _ in 0..ROUNDS {
            if self
                .lease
                .as_ref()
                .is_some_and(|lease| lease.is_over(clock::now()))
            {
                return Poll::Ready(());
            }
            let mut busy = self.tick(cx);
            busy |= self.obey(cx);
            if self.outlet.poll_switch(cx) {
                busy = true;
                if self.outlet.wants_heartbeat() {
                    self.feed(Input::Heartbeat);
                }
            }
            self.carry_out(cx);
            busy |= self.converse(cx, window);
            self.carry_out(cx);
            if self.session.closed().is_some() && !self.link.is_lingering(cx, window) {
                return Poll::Ready(());
            }
            if !busy {
                let _still_closing = self.link.is_lingering(cx, window);
                return Poll::Pending;
            }
            if self.outlet.had_enough() {
                break;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn end(&mut self) {
        let shard = self.session.shard();
        if self.session.closed().is_none() {
            return self.outlet.notify(Notice::Fenced { shard });
        }
        if let Some(reason) = self.session.closed() {
            let mut snapshot = self.session.snapshot();
            if let (Some(pinned), Some(resumption)) =
                (self.outlet.pinned(), &mut snapshot.resumption)
            {
                resumption.sequence = resumption.sequence.min(pinned);
            }
            let goes_on = matches!(reason, gateway::ClosedReason::Shutdown { resumable: true });
            if !(goes_on && self.outlet.leave_part()) {
                self.outlet.end_switch();
            }
            self.outlet.notify(Notice::Ended {
                shard,
                reason,
                snapshot,
            });
        }
    }
}

impl Future for Shard {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shard = self.get_mut();
        // Borrowed for as long as this runs; whoever runs next on this thread finds it empty and with its memory.
        let mut scratch = SCRATCH.take();
        mem::swap(&mut scratch.staged, shard.outlet.staged());
        let outcome = shard.turn(cx, &mut scratch.window);
        shard.outlet.publish(&shard.session);
        mem::swap(&mut scratch.staged, shard.outlet.staged());
        SCRATCH.set(scratch);
        if outcome.is_ready() {
            shard.end();
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
