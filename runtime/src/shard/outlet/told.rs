//! What the user hears of a session's own events: lifecycle events, log lines and counts.

use std::time::Duration;

use shardkeep_core::fleet;
use shardkeep_core::gateway::{Cause, ClosedReason, Event, StateName};
use shardkeep_core::wire::{CloseCode, EventKind};

use super::Outlet;
use crate::clock;
use crate::events::{
    Head, Lifecycle, Lost, RateLimited, ShardConnect, ShardDisconnect, ShardError, ShardErrorKind,
    ShardResume,
};
use crate::shard::CommandFailed;

impl Outlet {
    pub(super) fn event(&mut self, event: Event<'_>) {
        let shard = self.shard;
        match event {
            Event::Ready { session_id, guilds } => self.session_begun(session_id, guilds),
            Event::Resumed {
                session_id,
                sequence,
                replayed,
            } => {
                self.cell.update(|report| report.state = StateName::Ready);
                tracing::info!(%shard, sequence, replayed, "resumed");
                self.lifecycle(&Lifecycle::ShardResume(ShardResume {
                    session_id: session_id.to_owned(),
                    sequence,
                    replayed,
                }));
                self.switch_resumed();
                self.track.note();
                self.queue.publish(&mut self.staged);
                self.tell_fleet(fleet::Input::Resumed { shard });
            }
            Event::Disconnected {
                code,
                cause,
                resumable,
                retry_after,
            } => {
                self.session_disconnected(code, cause, resumable, retry_after);
            }
            Event::HeartbeatAcked { latency } => {
                self.cell.update(|report| report.latency = Some(latency));
                self.switch_alive(latency);
            }
            Event::RateLimited {
                opcode,
                retry_after,
                guild_id,
                resent,
            } => {
                tracing::warn!(%shard, opcode, ?retry_after, resent, "a command was rate limited");
                let retry_after_ms = millis(retry_after);
                self.lifecycle(&Lifecycle::RateLimited(RateLimited {
                    opcode,
                    retry_after_ms,
                    guild_id,
                    resent,
                }));
            }
            Event::CommandSent { id } => self.command_done(id, Ok(())),
            Event::CommandRefused { id, reason } => {
                self.command_done(id, Err(CommandFailed::Refused(reason)))
            }
            Event::Closed { reason } => self.session_closed(reason),
            Event::Ignored { opcode } => tracing::debug!(%shard, opcode, "a message was passed by"),
            other => self.complaint(&other),
        }
    }

    fn session_begun(&mut self, session_id: &str, guilds: u32) {
        let shard = self.shard;
        self.identifying = false;
        self.track.begin();
        self.cell.update(|report| {
            report.state = StateName::Ready;
            report.stats.guilds = guilds;
            report.session_since = Some(clock::now());
        });
        tracing::info!(%shard, guilds, "connected");
        self.lifecycle(&Lifecycle::ShardConnect(ShardConnect {
            session_id: session_id.to_owned(),
            guild_count: guilds,
        }));
        // The user hears of the last shard before the fleet says that it was the last.
        self.queue.publish(&mut self.staged);
        self.tell_fleet(fleet::Input::Ready { shard });
    }

    /// Events that are errors in the user's eyes.
    fn complaint(&mut self, event: &Event<'_>) {
        match *event {
            Event::SessionLost { cause, sequence } => {
                self.cell.update(|report| report.session_since = None);
                self.switch_lost();
                let after = self.track.lost().unwrap_or(sequence).min(sequence);
                let lost = Lost {
                    after_sequence: after,
                    received_sequence: sequence,
                    since_unix_ms: self.heard_ms,
                };
                self.complain(ShardError {
                    error: ShardErrorKind::SessionLost,
                    code: None,
                    reason: format!("{cause}: {lost}"),
                    fatal: false,
                    lost: Some(lost),
                });
            }
            Event::CommandBlamed { opcode, code, .. } => {
                let reason = format!(
                    "a command with opcode {opcode} cost the connection: {}",
                    code.explain()
                );
                self.error(ShardErrorKind::CommandBlamed, Some(code.0), reason, false);
            }
            Event::Escalated { code, times } => {
                let reason = format!("{times} times in a row: {}", code.explain());
                self.error(ShardErrorKind::Escalated, Some(code.0), reason, false);
            }
            Event::UrlRefused => {
                let reason = "Discord named a resume URL that is not one of its own; the configured one is used";
                self.error(ShardErrorKind::UrlRefused, None, reason.to_owned(), false);
            }
            _ => {
                tracing::debug!(shard = %self.shard, ?event, "an event that this version does not know")
            }
        }
    }

    fn session_disconnected(
        &mut self,
        code: Option<CloseCode>,
        cause: Cause,
        resumable: bool,
        retry_after: Duration,
    ) {
        let shard = self.shard;
        if resumable {
            self.heard_ms = clock::unix_ms();
        }
        if std::mem::take(&mut self.identifying) && cause == Cause::InvalidSession {
            self.tell_fleet(fleet::Input::IdentifyRejected { shard });
        }
        self.tell_fleet(fleet::Input::Down { shard });
        let words = match code {
            Some(code) => code.explain(),
            None => cause.explain(),
        };
        let reason = match self.detail.take() {
            Some(detail) if code.is_none() => format!("{words}: {detail}"),
            _ => words.to_owned(),
        };
        self.cell.update(|report| {
            report.count_end(cause);
            report.last_error = Some(reason.clone());
        });
        let retry_after_ms = millis(retry_after);
        tracing::info!(%shard, code = code.map(|code| code.0), resumable, retry_after_ms, "disconnected: {reason}");
        let code = code.map(|code| code.0);
        let cause = cause.number();
        let data = ShardDisconnect {
            code,
            cause,
            reason,
            resumable,
            retry_after_ms,
        };
        self.lifecycle(&Lifecycle::ShardDisconnect(data));
    }

    fn session_closed(&mut self, reason: ClosedReason) {
        let shard = self.shard;
        for (_, done) in std::mem::take(&mut self.commands) {
            let _unheard = done.send(Err(CommandFailed::Stopped));
        }
        match reason {
            ClosedReason::Fatal(code) => {
                tracing::error!(%shard, code = code.0, "stopped for good: {}", reason.explain());
                self.error(
                    ShardErrorKind::Fatal,
                    Some(code.0),
                    reason.explain().to_owned(),
                    true,
                );
            }
            _ => tracing::info!(%shard, "{}", reason.explain()),
        }
    }

    pub(super) fn error(
        &mut self,
        error: ShardErrorKind,
        code: Option<u16>,
        reason: String,
        fatal: bool,
    ) {
        self.complain(ShardError {
            error,
            code,
            reason,
            fatal,
            lost: None,
        });
    }

    fn complain(&mut self, error: ShardError) {
        tracing::warn!(shard = %self.shard, "{}", error.reason);
        let reason = error.reason.clone();
        self.cell.update(|report| report.last_error = Some(reason));
        self.lifecycle(&Lifecycle::ShardError(error));
    }

    fn lifecycle(&mut self, event: &Lifecycle) {
        let head = Head {
            shard: self.shard,
            sequence: self.sequence,
            topic: event.topic(),
            kind: EventKind::Unknown,
            replayed: false,
            session: 0,
        };
        if !self.staged.push(head, "", &event.to_json()) {
            self.cell.update(|report| report.dropped += 1);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
