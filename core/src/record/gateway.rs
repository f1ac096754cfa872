//! The records of a session: what goes in, what comes out.

use super::table::table;
use super::{Record, Status};
use crate::gateway::{ClosedReason, Event, Input, Output, Reason, Session};
use crate::machine::{Machine, Timeout};
use crate::time::{Instant, micros};
use crate::wire::{CloseCode, Command};

table! {
    /// What a session takes.
    SESSION_INPUTS {
        1 "connected" "The WebSocket that `connect` asked for is open." {}
        2 "text" "A WebSocket text message arrived." { data: "the message" }
        3 "binary" "A WebSocket binary message arrived." { data: "the message" }
        4 "disconnected" "The WebSocket is gone, or never opened." { code: "the close frame's code, 0 without one" }
        5 "identify_granted" "The identify slot that `want_identify` asked for is there." {}
        6 "send" "A command of the user's." { code: "its opcode", id: "the caller's number for it", data: "the JSON of its `d`" }
        7 "reconnect" "Reconnect and resume." {}
        8 "shutdown" "Stop for good." { value: "1 if Discord is to keep the session" }
        9 "heartbeat" "Send a heartbeat now, to know whether the session lives." {}
    }
}

table! {
    /// What a session gives.
    SESSION_OUTPUTS {
        1 "connect" "Open a WebSocket; it replaces any there was." { text: "the URL" }
        2 "send" "Send one text message." { data: "the JSON; may hold the token" }
        3 "close" "Send a close frame and drop the socket." { code: "the close code", value: "the cause's number", text: "the cause" }
        4 "want_identify" "Ask for an identify slot." {}
        5 "cancel_identify" "The slot is not wanted any more." {}
        6 "identify_unused" "A slot came that nobody waited for." {}
        7 "dispatch" "An event from Discord." { code: "the event kind's number", id: "1 if replayed by a resume", value: "its sequence", text: "its name", data: "the JSON of its `d`" }
        20 "ready" "A new session is established." { value: "how many guilds", text: "the session id" }
        21 "resumed" "The session goes on." { id: "the last sequence", value: "how many dispatches were replayed", text: "the session id" }
        22 "disconnected_resumable" "The connection ended; the next one resumes." { code: "Discord's close code, 0 without one", id: "the cause's number", value: "microseconds until the next attempt", text: "the cause" }
        23 "disconnected" "The connection ended; the next one identifies." { code: "Discord's close code, 0 without one", id: "the cause's number", value: "microseconds until the next attempt", text: "the cause" }
        24 "session_lost" "The session cannot be resumed." { code: "the cause's number", value: "the last sequence", text: "the cause" }
        25 "heartbeat_acked" "Discord acknowledged a heartbeat." { value: "microseconds it took" }
        26 "rate_limited" "Discord dropped a command." { code: "its opcode", id: "the guild's id, 0 if unknown", value: "microseconds to wait" }
        27 "rate_limited_resent" "Discord dropped a command; the session sends it again." { code: "its opcode", id: "the guild's id, 0 if unknown", value: "microseconds until then" }
        28 "command_sent" "A command went out." { id: "the caller's number" }
        29 "command_refused" "A command will not be sent." { code: "the reason's number", id: "the caller's number", text: "the reason" }
        30 "command_blamed" "Discord closed the connection over a command, probably this one." { code: "the close code", id: "the caller's number", value: "the command's opcode", text: "what the close code means" }
        31 "escalated" "The same complaint closed the connection several times in a row." { code: "the close code", value: "how many times", text: "what the close code means" }
        32 "ignored" "A message was passed by." { value: "its opcode" }
        33 "url_refused" "Discord named a resume URL that the token must not go to." {}
        34 "closed_fatal" "The session ended: connecting again cannot help." { code: "the close code", text: "what to do" }
        35 "closed" "The session ended as asked." { value: "1 if Discord keeps it" }
    }
}

table! {
    /// Why a session waits.
    SESSION_TIMEOUTS {
        1 "reconnect" "The next attempt to connect is due." { value: "when" }
        2 "connect" "The socket should open before." { value: "when" }
        3 "hello" "Hello should come before." { value: "when" }
        4 "ready" "READY, or the next replayed event, should come before." { value: "when" }
        5 "heartbeat" "The next heartbeat is due." { value: "when" }
        6 "requested_heartbeat" "A heartbeat that Discord asked for waits for room in the outbound budget." { value: "when" }
        7 "command" "A queued command waits for a limit." { value: "when" }
        8 "close" "The socket should be gone before." { value: "when" }
    }
}

/// Feeds a record to a session.
///
/// # Errors
///
/// A [`Status`] of 100 or above; the session is unchanged then.
pub fn handle_session_input(
    session: &mut Session,
    now: Instant,
    record: Record<'_>,
) -> Result<(), Status> {
    let input = match record.kind {
        1 => Input::Connected,
        2 => Input::Text(record.data),
        3 => Input::Binary(record.data),
        4 => {
            let code = u16::try_from(record.code).map_err(|_| Status::BadCode)?;
            Input::Disconnected {
                code: Some(CloseCode(code)).filter(|code| code.0 != 0),
            }
        }
        5 => Input::IdentifyGranted,
        6 => {
            let command = Command::from_json(u64::from(record.code), record.data)?;
            return Ok(session.handle_input(
                now,
                Input::Send {
                    id: record.id,
                    command: &command,
                },
            )?);
        }
        9 => Input::Heartbeat,
        7 => Input::Reconnect,
        8 => Input::Shutdown {
            resumable: record.value != 0,
        },
        _ => return Err(Status::UnknownKind),
    };
    Ok(session.handle_input(now, input)?)
}

/// The record of a session's output.
#[must_use]
pub fn session_output<'a>(output: &Output<'a>) -> Record<'a> {
    match *output {
        Output::Connect { url } => Record::of(1).text(url),
        Output::Send(payload) => Record::of(2).data(payload),
        Output::Close { code, cause } => Record::of(3)
            .code(code.0.into())
            .value(cause.number())
            .text(cause.explain()),
        Output::WantIdentify => Record::of(4),
        Output::CancelIdentify => Record::of(5),
        Output::IdentifyUnused => Record::of(6),
        Output::Dispatch(dispatch) => Record::of(7)
            .code(dispatch.kind.number().into())
            .id(dispatch.replayed.into())
            .value(dispatch.sequence)
            .text(dispatch.name)
            .data(dispatch.data),
        Output::Event(event) => session_event(event),
    }
}

fn session_event(event: Event<'_>) -> Record<'_> {
    match event {
        Event::Ready { session_id, guilds } => Record::of(20).value(guilds).text(session_id),
        Event::Resumed {
            session_id,
            sequence,
            replayed,
        } => Record::of(21).id(sequence).value(replayed).text(session_id),
        Event::Disconnected {
            code,
            cause,
            resumable,
            retry_after,
        } => Record::of(if resumable { 22 } else { 23 })
            .code(code.map_or(0, |code| code.0.into()))
            .id(cause.number().into())
            .value(micros(retry_after))
            .text(cause.explain()),
        Event::SessionLost { cause, sequence } => Record::of(24)
            .code(cause.number().into())
            .value(sequence)
            .text(cause.explain()),
        Event::HeartbeatAcked { latency } => Record::of(25).value(micros(latency)),
        Event::RateLimited {
            opcode,
            retry_after,
            guild_id,
            resent,
        } => Record::of(if resent { 27 } else { 26 })
            .code(opcode.into())
            .id(guild_id.map_or(0, |guild| guild.0))
            .value(micros(retry_after)),
        Event::CommandSent { id } => Record::of(28).id(id),
        Event::CommandRefused { id, reason } => Record::of(29)
            .code(reason.number().into())
            .id(id)
            .text(reason.explain()),
        Event::CommandBlamed { id, opcode, code } => Record::of(30)
            .code(code.0.into())
            .id(id)
            .value(opcode)
            .text(code.explain()),
        Event::Escalated { code, times } => Record::of(31)
            .code(code.0.into())
            .value(times)
            .text(code.explain()),
        Event::Ignored { opcode } => Record::of(32).value(opcode),
        Event::UrlRefused => Record::of(33),
        Event::Closed { reason } => closed(reason),
    }
}

fn closed(reason: ClosedReason) -> Record<'static> {
    match reason {
        ClosedReason::Fatal(code) => Record::of(34).code(code.0.into()).text(code.explain()),
        ClosedReason::Shutdown { resumable } => Record::of(35).value(resumable),
    }
}

/// The record of a session's deadline.
#[must_use]
pub fn session_timeout(timeout: Timeout<Reason>) -> Record<'static> {
    let kind = match timeout.reason {
        Reason::Reconnect => 1,
        Reason::Connect => 2,
        Reason::Hello => 3,
        Reason::Ready => 4,
        Reason::Heartbeat => 5,
        Reason::RequestedHeartbeat => 6,
        Reason::Command => 7,
        Reason::Close => 8,
    };
    Record::of(kind).value(timeout.at.as_micros())
}
