//! Any calls on both sides of a cutover, in any order, with messages that are carried, lost, repeated, or made up: no
//! panic, bounds hold, every held event comes out once, and what goes on from a snapshot owns what it owned.

#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shardkeep_core::fleet::cutover::{
    Ask, Basis, Body, Config, Cut, Event, Fingerprint, Joining, Leaving, Lone, Lost, Message,
    Silence, Times, VERSION, Verdict,
};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Snowflake};

const GUILDS: u64 = 4;

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Wait(u16),
    /// The same event on the old side, the new one, or both.
    Event {
        kind: u8,
        guild: u8,
        number: u8,
        sides: u8,
    },
    /// A payload that may be no JSON.
    Raw {
        kind: u8,
        data: &'a [u8],
        sides: u8,
    },
    Ask(u8),
    AskNext,
    /// What a side says is carried, lost, or carried twice.
    Carry {
        from_new: bool,
        times: u8,
    },
    Read(&'a [u8]),
    Hostile {
        to_new: bool,
        guild: u8,
        number: u8,
        body: HostileBody,
    },
    Store(bool),
    Restart(bool),
    Ready,
    Resumed(bool),
    Acknowledged(u16),
    Lost,
    TakeOver {
        guild: u8,
        ago: u16,
    },
    Watch(u8),
}

#[derive(Arbitrary, Debug)]
enum HostileBody {
    Ask {
        seen: Vec<u64>,
        unlisted: u64,
        asked_ms: u64,
        silence: Option<(u32, u64)>,
        lone: Vec<(u32, u64)>,
    },
    Withdraw,
    Taken,
    Cut {
        basis: u8,
        missing: u32,
        expected: Vec<(u64, u32)>,
        doubtful: Vec<(u64, u32)>,
        asked_ms: Option<u64>,
    },
    Kept,
    Lost {
        dispatched: Vec<(u64, u64)>,
        alive_ms: u64,
    },
}

/// A fingerprint can only be read: nobody makes one up but by writing a message.
fn print(number: u64) -> Fingerprint {
    serde_json::from_value(number.into()).expect("a number is a fingerprint")
}

fn times(list: &[(u64, u32)]) -> Vec<Times> {
    list.iter().map(|(p, n)| Times(print(*p), *n)).collect()
}

impl HostileBody {
    fn body(&self) -> Body {
        match self {
            Self::Ask {
                seen,
                unlisted,
                asked_ms,
                silence,
                lone,
            } => Body::Ask(Ask {
                seen: seen.iter().map(|p| print(*p)).collect(),
                unlisted: u64::from(*unlisted as u32),
                asked_ms: *asked_ms,
                silence: silence.map(|(after, before_ms)| Silence { after, before_ms }),
                lone: lone
                    .iter()
                    .map(|&(index, before_ms)| Lone { index, before_ms })
                    .collect(),
            }),
            Self::Withdraw => Body::Withdraw,
            Self::Taken => Body::Taken,
            Self::Cut {
                basis,
                missing,
                expected,
                doubtful,
                asked_ms,
            } => Body::Cut(Cut {
                basis: [Basis::Key, Basis::Silence, Basis::Lone, Basis::Nothing]
                    [usize::from(basis % 4)],
                missing: u64::from(*missing),
                expected: times(expected),
                doubtful: times(doubtful),
                asked_ms: *asked_ms,
            }),
            Self::Kept => Body::Kept,
            Self::Lost {
                dispatched,
                alive_ms,
            } => Body::Lost(Lost {
                dispatched: dispatched.iter().map(|(p, ms)| (print(*p), *ms)).collect(),
                alive_ms: *alive_ms,
            }),
        }
    }
}

struct Drive {
    config: Config,
    old: Leaving,
    new: Joining,
    now: Instant,
    sequence: u64,
    held: BTreeSet<u64>,
    old_stored: shardkeep_core::fleet::cutover::LeavingSnapshot,
    new_stored: shardkeep_core::fleet::cutover::JoiningSnapshot,
}

fn guilds() -> impl Iterator<Item = Snowflake> {
    (1..=GUILDS).map(Snowflake)
}

fn guild(number: u8) -> Snowflake {
    Snowflake(u64::from(number) % (GUILDS + 2))
}

impl Drive {
    fn new() -> Self {
        let mut config = Config::new(1);
        config.seen_max = 64;
        config.listed_max = 16;
        config.hold_bytes_max = 4_000;
        config.asks_max = 2;
        Self {
            old: Leaving::new(config.clone(), guilds()),
            new: Joining::new(config.clone(), guilds()),
            config,
            now: Instant::from_secs(50),
            sequence: 0,
            held: BTreeSet::new(),
            old_stored: Default::default(),
            new_stored: Default::default(),
        }
    }

    fn event(&mut self, kind: EventKind, data: &[u8], sides: u8) {
        self.sequence += 1;
        let event = Event {
            sequence: self.sequence,
            kind,
            name: kind.name(),
            data,
        };
        if sides % 3 != 1 {
            assert_ne!(self.old.event(self.now, &event), Verdict::Held);
        }
        if sides % 3 != 0 && self.new.event(self.now, &event) == Verdict::Held {
            assert!(self.held.insert(self.sequence));
        }
    }

    fn carry(&mut self, from_new: bool, times: u8) {
        loop {
            let message = if from_new {
                self.new.poll_message(self.now)
            } else {
                self.old.poll_message(self.now)
            };
            let Some(message) = message else { return };
            let read = Message::read(&message.write()).expect("what a side says can be read");
            assert_eq!(read, message);
            for _ in 0..times % 3 {
                if from_new {
                    self.old.message(self.now, &read);
                } else {
                    self.new.message(self.now, &read);
                }
            }
            self.settle();
        }
    }

    fn settle(&mut self) {
        while let Some(settled) = self.new.poll_settled() {
            assert!(
                self.held.remove(&settled.event().sequence),
                "comes out once, and only if it was held"
            );
        }
    }

    fn store(&mut self, new: bool) {
        if new {
            self.new_stored = self.new.snapshot();
            self.new.stored(self.new_stored.version);
        } else {
            self.old_stored = self.old.snapshot();
            self.old.stored(self.old_stored.version);
        }
    }

    fn restart(&mut self, new: bool) {
        if new {
            self.held.clear();
            self.new = Joining::restore(self.now, self.config.clone(), guilds(), &self.new_stored);
            for owned in &self.new_stored.owned {
                assert!(self.new.owns(*owned), "what was owned is owned");
            }
        } else {
            self.old = Leaving::restore(self.now, self.config.clone(), guilds(), &self.old_stored);
            for stopped in &self.old_stored.stopped {
                assert!(self.old.is_cut(stopped.guild), "what was cut is cut");
            }
        }
    }

    fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Wait(ms) => {
                self.now += Duration::from_millis(u64::from(*ms));
                self.old.handle_timeout(self.now);
                self.new.handle_timeout(self.now);
            }
            Step::Event {
                kind,
                guild: of,
                number,
                sides,
            } => {
                let data = format!(r#"{{"id":"{number}","guild_id":"{}"}}"#, guild(*of));
                self.event(EventKind::from_number(*kind), data.as_bytes(), *sides);
            }
            Step::Raw { kind, data, sides } => {
                self.event(EventKind::from_number(*kind), data, *sides);
            }
            Step::Ask(of) => drop(self.new.ask(self.now, guild(*of))),
            Step::AskNext => drop(self.new.ask_next(self.now)),
            Step::Carry { from_new, times } => self.carry(*from_new, *times),
            Step::Read(bytes) => {
                if let Ok(message) = Message::read(bytes) {
                    self.old.message(self.now, &message);
                    self.new.message(self.now, &message);
                }
            }
            Step::Hostile {
                to_new,
                guild: of,
                number,
                body,
            } => {
                let message = Message {
                    version: VERSION,
                    cutover: 1,
                    guild: guild(*of),
                    number: u64::from(*number),
                    body: body.body(),
                };
                if *to_new {
                    self.new.message(self.now, &message);
                } else {
                    self.old.message(self.now, &message);
                }
            }
            Step::Store(new) => self.store(*new),
            Step::Restart(new) => self.restart(*new),
            Step::Ready => self.new.ready(self.now),
            Step::Resumed(true) => self.new.resumed(self.now),
            Step::Resumed(false) => self.old.resumed(self.now),
            Step::Acknowledged(ago) => {
                let ms = self.now.as_millis() - u64::from(*ago % 40_000);
                self.new.acknowledged(Instant::from_millis(ms));
            }
            Step::Lost => self.old.lost(),
            Step::TakeOver { guild: of, ago } => {
                let ms = self.now.as_millis() - u64::from(*ago % 40_000);
                let sign = Instant::from_millis(ms);
                self.new.take_over(self.now, guild(*of), sign);
            }
            Step::Watch(of) => self.new.watch(self.now, guild(*of)),
        }
        self.settle();
        self.check();
    }

    fn check(&self) {
        let (all, cut, taken) = self.old.progress();
        assert!(taken <= cut && cut <= all);
        let (all, asked, owned) = self.new.progress();
        assert!(asked + owned <= all && asked <= self.config.asks_max.max(all));
        if asked == 0 {
            assert_eq!(self.new.held_bytes(), 0, "nothing is held for nobody");
            assert!(self.held.is_empty(), "every held event has come out");
        }
    }
}

fuzz_target!(|steps: Vec<Step<'_>>| {
    let mut drive = Drive::new();
    for step in &steps {
        drive.step(step);
    }
});
