//! What can happen to a session, as steps that proptest makes up.

use std::time::Duration;

use proptest::prelude::*;
use shardkeep_core::gateway::{Input, StateName};
use shardkeep_core::wire::Command;

use super::Chaos;

/// Where READY says that the session can be resumed: two of these may have the token.
const URLS: &[&str] = &[
    "wss://gateway-us-east1-b.discord.gg",
    "wss://gateway.discord.gg:443/?x=y",
    "wss://example.com",
    "ws://gateway.discord.gg",
    "wss://gateway.discord.gg@example.com",
    "wss://gateway.discord.gg.example.com/",
    "wss://example.com/?.discord.gg",
    "wss://example.com\\\\.discord.gg",
    "wss://evildiscord.gg",
    "",
];

/// Codes that matter, and some that do not.
const CODES: &[u16] = &[
    0, 0, 1000, 1001, 1006, 3000, 4000, 4001, 4002, 4003, 4005, 4006, 4007, 4008, 4009, 4900,
];

const NAMES: &[&str] = &[
    "MESSAGE_CREATE",
    "TYPING_START",
    "SOMETHING_NEW",
    "GUILD_CREATE",
];

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Time passes, every deadline kept.
    Advance(u64),
    /// Time passes and nobody looks at the clock.
    Stall(u64),
    /// Whatever leads to an established session.
    Establish {
        url: usize,
        interval: u64,
    },
    /// Only up to identify or resume.
    Open,
    Connected,
    Lost(usize),
    Fatal,
    Granted,
    Hello(u64),
    Ready(usize),
    Resumed,
    Ack,
    Beat,
    ReconnectAsked,
    Invalid(bool),
    Dispatch {
        ahead: u64,
        name: usize,
    },
    RateLimited {
        guild: u64,
        retry_ms: u64,
    },
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Presence {
        bytes: usize,
        count: usize,
    },
    Members {
        guild: u64,
    },
    Voices(usize),
    Know,
    Recycle,
    Stop(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u64..3_000).prop_map(Step::Advance),
        4 => (0u64..90_000).prop_map(Step::Advance),
        1 => (0u64..200_000).prop_map(Step::Stall),
        8 => (0..URLS.len(), prop_oneof![Just(41_250), 0u64..60_000])
            .prop_map(|(url, interval)| Step::Establish { url, interval }),
        3 => Just(Step::Open),
        1 => Just(Step::Connected),
        3 => (0..CODES.len()).prop_map(Step::Lost),
        1 => prop::bool::weighted(0.05).prop_map(|fatal| if fatal { Step::Fatal } else { Step::Ack }),
        2 => Just(Step::Granted),
        1 => (0u64..60_000).prop_map(Step::Hello),
        1 => (0..URLS.len()).prop_map(Step::Ready),
        1 => Just(Step::Resumed),
        6 => Just(Step::Ack),
        2 => Just(Step::Beat),
        1 => Just(Step::ReconnectAsked),
        1 => any::<bool>().prop_map(Step::Invalid),
        4 => (0u64..3, 0..NAMES.len()).prop_map(|(ahead, name)| Step::Dispatch { ahead, name }),
        2 => (0u64..3, 0u64..40_000).prop_map(|(guild, retry_ms)| Step::RateLimited { guild, retry_ms }),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Step::Text),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Step::Binary),
        6 => (prop_oneof![Just(0), 3_980usize..4_000], 1usize..8)
            .prop_map(|(bytes, count)| Step::Presence { bytes, count }),
        4 => (0u64..3).prop_map(|guild| Step::Members { guild }),
        5 => (1usize..150).prop_map(Step::Voices),
        2 => Just(Step::Know),
        1 => Just(Step::Recycle),
        1 => prop::bool::weighted(0.02).prop_map(|stops| if stops { Step::Stop(true) } else { Step::Recycle }),
    ]
}

/// A schedule of `most` steps at most.
pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..most)
}

impl Chaos {
    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::Advance(ms) => self.advance(Duration::from_millis(*ms)),
            Step::Stall(ms) => self.stall(Duration::from_millis(*ms)),
            Step::Establish { url, interval } => self.establish(*url, *interval),
            Step::Open => self.open(41_250),
            Step::Connected => self.input(Input::Connected),
            Step::Lost(code) => self.lost(CODES[*code]),
            Step::Fatal => self.lost(4004),
            Step::Granted => self.input(Input::IdentifyGranted),
            Step::Hello(interval) => self.hello(*interval),
            Step::Ready(url) => self.ready(*url),
            Step::Resumed => self.dispatch(1, "RESUMED", "{}"),
            Step::Ack => self.text(br#"{"op":11}"#),
            Step::Beat => self.text(br#"{"op":1,"d":null}"#),
            Step::ReconnectAsked => self.text(br#"{"op":7,"d":null}"#),
            Step::Invalid(resumable) => {
                self.text(format!(r#"{{"op":9,"d":{resumable}}}"#).as_bytes())
            }
            Step::Dispatch { ahead, name } => self.dispatch(*ahead, NAMES[*name], r#"{"id":"1"}"#),
            Step::RateLimited { guild, retry_ms } => self.rate_limited(*guild, *retry_ms),
            Step::Text(bytes) => self.text(bytes),
            Step::Binary(bytes) => self.input(Input::Binary(bytes)),
            Step::Presence { bytes, count } => (0..*count).for_each(|_| self.presence(*bytes)),
            Step::Members { guild } => self.members(*guild),
            Step::Voices(count) => (0..*count).for_each(|_| {
                self.command(4, r#"{"guild_id":"1","channel_id":null}"#);
            }),
            Step::Know => self.input(Input::Heartbeat),
            Step::Recycle => self.input(Input::Reconnect),
            Step::Stop(resumable) => {
                let resumable = *resumable;
                self.input(Input::Shutdown { resumable });
            }
        }
    }

    fn text(&mut self, bytes: &[u8]) {
        self.input(Input::Text(bytes));
    }

    fn hello(&mut self, interval: u64) {
        // What the session makes of it: within 600 ms and 10 min, and 0 is none.
        if self.state() == StateName::Hello && interval > 0 {
            self.interval = Duration::from_millis(interval.clamp(600, 600_000));
        }
        self.text(format!(r#"{{"op":10,"d":{{"heartbeat_interval":{interval}}}}}"#).as_bytes());
    }

    fn ready(&mut self, url: usize) {
        self.sequence = 0;
        let url = URLS[url];
        let d = format!(
            r#"{{"session_id":"abc","resume_gateway_url":"{url}","guilds":[{{"id":"1"}}]}}"#
        );
        self.dispatch(1, "READY", &d);
    }

    fn dispatch(&mut self, ahead: u64, name: &str, d: &str) {
        self.sequence += ahead;
        let sequence = self.sequence;
        self.text(format!(r#"{{"op":0,"s":{sequence},"t":"{name}","d":{d}}}"#).as_bytes());
    }

    fn rate_limited(&mut self, guild: u64, retry_ms: u64) {
        let seconds = retry_ms / 1_000;
        let d =
            format!(r#"{{"opcode":8,"retry_after":{seconds}.5,"meta":{{"guild_id":"{guild}"}}}}"#);
        self.dispatch(1, "RATE_LIMITED", &d);
    }

    fn establish(&mut self, url: usize, interval: u64) {
        self.open(interval);
        match self.state() {
            StateName::Identifying => self.ready(url),
            StateName::Resuming => self.dispatch(1, "RESUMED", "{}"),
            _ => {}
        }
    }

    fn open(&mut self, interval: u64) {
        if self.state() == StateName::Disconnected
            && let Some(next) = self.session_timeout()
        {
            self.advance(next.since(self.now));
        }
        if self.state() == StateName::Connecting {
            self.input(Input::Connected);
        }
        if self.state() == StateName::Hello {
            self.hello(interval);
        }
        if self.state() == StateName::AwaitingIdentify {
            self.input(Input::IdentifyGranted);
        }
    }

    fn command(&mut self, op: u64, d: &str) {
        let command = Command::from_json(op, d.as_bytes()).expect("a command");
        self.next_id += 1;
        let id = self.next_id;
        self.input(Input::Send {
            id,
            command: &command,
        });
    }

    fn presence(&mut self, bytes: usize) {
        let state = "x".repeat(bytes);
        let d = format!(r#"{{"activities":[{{"name":"n","type":4,"state":"{state}"}}]}}"#);
        self.command(3, &d);
    }

    fn members(&mut self, guild: u64) {
        self.command(
            8,
            &format!(r#"{{"guild_id":"{guild}","query":"","limit":0}}"#),
        );
    }

    fn session_timeout(&self) -> Option<shardkeep_core::Instant> {
        use shardkeep_core::Machine;
        self.session.poll_timeout().map(|next| next.at)
    }
}
