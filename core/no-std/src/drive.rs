//! One session's life as core sees it: connect, HELLO, identify, READY, an event, a heartbeat.

use alloc::boxed::Box;

use shardkeep_core::gateway::{Config, Event, Input, Output, Reason, Session};
use shardkeep_core::wire::{Compression, EventKind, Intents, Miniz};
use shardkeep_core::{Instant, Machine, ShardId, Token};

use crate::stream;

/// What failed.
type Step = &'static str;

/// Runs every step; the error names the one that failed.
pub fn drive() -> Result<(), Step> {
    let now = Instant::ZERO;
    let mut session = start(now).ok_or("a session")?;
    connect(&mut session, now)?;
    identify(&mut session, now)?;
    receive(&mut session, now)?;
    beat(&mut session)?;
    let resumption = session
        .snapshot()
        .resumption
        .ok_or("a snapshot to resume from")?;
    if resumption.session_id == "proof" {
        Ok(())
    } else {
        Err("the snapshot's session")
    }
}

fn start(now: Instant) -> Option<Session> {
    let token = Token::new("not.a.token").ok()?;
    let mut config = Config::new(
        ShardId::SINGLE,
        token,
        Intents::GUILDS,
        "wss://gateway.discord.gg",
    );
    config.compression = Compression::ZlibStream;
    Session::new(config, Box::new(Miniz::new()), now).ok()
}

/// Hands `input` to the session.
fn feed(session: &mut Session, now: Instant, input: Input<'_>) -> Result<(), Step> {
    session
        .handle_input(now, input)
        .map_err(|_| "an input that is in place")
}

/// Whether one of the outputs that wait is `wanted`. Takes them all.
fn gives(session: &mut Session, wanted: impl Fn(&Output<'_>) -> bool) -> bool {
    let mut found = false;
    while let Some(output) = session.poll_output() {
        found |= wanted(&output);
    }
    found
}

fn connect(session: &mut Session, now: Instant) -> Result<(), Step> {
    session.handle_timeout(now);
    let is_wanted = |output: &Output<'_>| match output {
        Output::Connect { url } => url.ends_with("compress=zlib-stream"),
        _ => false,
    };
    if !gives(session, is_wanted) {
        return Err("connecting");
    }
    feed(session, now, Input::Connected)
}

fn identify(session: &mut Session, now: Instant) -> Result<(), Step> {
    feed(session, now, Input::Binary(&stream::HELLO))?;
    if !gives(session, |output| *output == Output::WantIdentify) {
        return Err("asking to identify after HELLO");
    }
    feed(session, now, Input::IdentifyGranted)?;
    let is_identify = |output: &Output<'_>| matches!(output, Output::Send(text) if text.starts_with(br#"{"op":2"#));
    if gives(session, is_identify) {
        Ok(())
    } else {
        Err("identifying")
    }
}

fn receive(session: &mut Session, now: Instant) -> Result<(), Step> {
    feed(session, now, Input::Binary(&stream::READY))?;
    let is_ready = |output: &Output<'_>| {
        matches!(
            output,
            Output::Event(Event::Ready {
                session_id: "proof",
                guilds: 1
            })
        )
    };
    if !gives(session, is_ready) {
        return Err("READY");
    }
    feed(session, now, Input::Binary(&stream::TYPING))?;
    let is_typing = |output: &Output<'_>| {
        let Output::Dispatch(dispatch) = output else {
            return false;
        };
        let is_whole =
            dispatch.data.starts_with(b"{\"channel_id\"") && dispatch.data.ends_with(b"}");
        dispatch.kind == EventKind::TypingStart && dispatch.sequence == 2 && is_whole
    };
    if gives(session, is_typing) {
        Ok(())
    } else {
        Err("dispatching an event")
    }
}

fn beat(session: &mut Session) -> Result<(), Step> {
    let timeout = session.poll_timeout().ok_or("a deadline")?;
    if timeout.reason != Reason::Heartbeat {
        return Err("waiting for the heartbeat");
    }
    session.handle_timeout(timeout.at);
    let is_beat = |output: &Output<'_>| *output == Output::Send(br#"{"op":1,"d":2}"#);
    if gives(session, is_beat) {
        Ok(())
    } else {
        Err("a heartbeat with the last sequence")
    }
}
