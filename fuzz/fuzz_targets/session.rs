//! Any inputs at any times into a session: no panic, no endless output, the outbound budget kept, and the same again.

#![no_main]

use std::collections::VecDeque;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shardkeep_core::gateway::{Config, Event, Input, Output, Session};
use shardkeep_core::wire::{CloseCode, Command, Compression, Intents, Miniz};
use shardkeep_core::{Instant, Machine, ShardId, Snowflake, Token};

/// Discord's limit: messages in 60 s on one connection.
const BUDGET: usize = 120;
const WINDOW_MICROS: u64 = 60_000_000;

#[derive(Arbitrary, Debug)]
enum Step {
    /// Time goes on by so many milliseconds.
    Wait(u16),
    /// Time goes on to the next deadline.
    WaitForDeadline,
    Connected,
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Hello {
        interval_ms: u16,
    },
    Ready {
        guilds: u8,
    },
    Dispatch {
        sequence: u16,
    },
    Resumed,
    Opcode(u8),
    Disconnected(Option<u16>),
    Granted,
    Send {
        guild: u64,
    },
    Reconnect,
    Heartbeat,
    Shutdown {
        resumable: bool,
    },
}

struct Drive {
    session: Session,
    now: Instant,
    /// When each message of this connection went out.
    sent: VecDeque<Instant>,
    /// What happened, for comparison.
    log: Vec<String>,
}

impl Drive {
    fn new(compression: Compression, seed: u64) -> Self {
        let token = Token::new("not.a.token").expect("a token");
        let url = "wss://gateway.discord.gg";
        let mut config = Config::new(ShardId::SINGLE, token, Intents::GUILDS, url);
        config.compression = compression;
        config.seed = seed;
        let now = Instant::ZERO;
        let session = Session::new(config, Box::new(Miniz::new()), now).expect("a valid config");
        Self {
            session,
            now,
            sent: VecDeque::new(),
            log: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Wait(ms) => self.wait_until(Instant::from_micros(
                self.now.as_micros() + u64::from(*ms) * 1_000,
            )),
            Step::WaitForDeadline => {
                if let Some(timeout) = self.session.poll_timeout() {
                    self.wait_until(timeout.at.max(self.now));
                }
            }
            Step::Connected => self.feed(Input::Connected),
            Step::Text(bytes) => self.feed(Input::Text(bytes)),
            Step::Binary(bytes) => self.feed(Input::Binary(bytes)),
            Step::Hello { interval_ms } => {
                self.text(&format!(
                    r#"{{"op":10,"d":{{"heartbeat_interval":{interval_ms}}}}}"#
                ));
            }
            Step::Ready { guilds } => self.text(&ready(*guilds)),
            Step::Dispatch { sequence } => {
                self.text(&format!(
                    r#"{{"op":0,"s":{sequence},"t":"TYPING_START","d":{{}}}}"#
                ));
            }
            Step::Resumed => self.text(r#"{"op":0,"s":9,"t":"RESUMED","d":{}}"#),
            Step::Opcode(op) => self.text(&format!(r#"{{"op":{op},"d":true}}"#)),
            Step::Disconnected(code) => self.feed(Input::Disconnected {
                code: code.map(CloseCode),
            }),
            Step::Granted => self.feed(Input::IdentifyGranted),
            Step::Send { guild } => {
                let command = Command::update_voice_state(Snowflake(*guild), None, false, false);
                self.feed(Input::Send {
                    id: *guild,
                    command: &command,
                });
            }
            Step::Reconnect => self.feed(Input::Reconnect),
            Step::Heartbeat => self.feed(Input::Heartbeat),
            Step::Shutdown { resumable } => self.feed(Input::Shutdown {
                resumable: *resumable,
            }),
        }
    }

    fn wait_until(&mut self, at: Instant) {
        self.now = at;
        self.session.handle_timeout(at);
        self.drain();
    }

    fn text(&mut self, text: &str) {
        self.feed(Input::Text(text.as_bytes()));
    }

    fn feed(&mut self, input: Input<'_>) {
        if let Err(misuse) = self.session.handle_input(self.now, input) {
            self.log.push(format!("{misuse:?}"));
        }
        self.drain();
    }

    fn drain(&mut self) {
        let before = self.log.len();
        while let Some(output) = self.session.poll_output() {
            self.log.push(format!("{output:?}"));
            match output {
                Output::Connect { .. } => self.sent.clear(),
                Output::Send(_) => self.sent.push_back(self.now),
                Output::Event(Event::Closed { .. }) => self.sent.clear(),
                _ => {}
            }
            let window = self.now.as_micros().saturating_sub(WINDOW_MICROS);
            while self.sent.front().is_some_and(|at| at.as_micros() < window) {
                self.sent.pop_front();
            }
            assert!(
                self.sent.len() <= BUDGET,
                "{} messages within 60 s",
                self.sent.len()
            );
            assert!(self.log.len() - before < 100_000, "outputs without end");
        }
    }
}

fn ready(guilds: u8) -> String {
    let guilds: Vec<String> = (0..guilds)
        .map(|id| format!(r#"{{"id":"{id}","unavailable":true}}"#))
        .collect();
    format!(
        r#"{{"op":0,"s":1,"t":"READY","d":{{"v":10,"session_id":"a","resume_gateway_url":"wss://b.discord.gg","guilds":[{}]}}}}"#,
        guilds.join(",")
    )
}

fuzz_target!(|input: (u8, u64, Vec<Step>)| {
    let (compression, seed, steps) = input;
    let offered = [
        Compression::None,
        Compression::Payload,
        Compression::ZlibStream,
    ];
    let compression = offered[usize::from(compression) % offered.len()];
    let run = || {
        let mut drive = Drive::new(compression, seed);
        for step in &steps {
            drive.step(step);
        }
        drive.log
    };
    assert_eq!(run(), run(), "the same inputs gave other outputs");
});
