//! Any order of events into the fleet: no panic, 5 s between two identifies of a key, and never the last one of the
//! day.

#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shardkeep_core::fleet::{Config, Fleet, Input, Output, SessionStartLimit, Shards};
use shardkeep_core::{Instant, Machine, ShardId};

const DAY: Duration = Duration::from_secs(86_400);
const SPACING: Duration = Duration::from_secs(5);

#[derive(Arbitrary, Debug)]
enum Step {
    /// Time goes on by so many milliseconds.
    Wait(u32),
    /// Time goes on to the next deadline.
    WaitForDeadline,
    Limits,
    LimitsFailed(Option<u16>),
    Resumable(u8),
    WantIdentify(u8),
    CancelIdentify(u8),
    IdentifySent(u8),
    IdentifyRejected(u8),
    Ready(u8),
    Resumed(u8),
    Down(u8),
    Closed {
        shard: u8,
        fatal: bool,
    },
    /// From here on, whether sessions hand their grants back unused.
    HandBack(bool),
    Run {
        shard: u8,
        resumable: bool,
    },
    Release(u8),
    Activity(u8, u32),
    Shutdown,
}

#[derive(Arbitrary, Debug)]
struct Bot {
    shards: u8,
    max_concurrency: u8,
    total: u16,
    seed: u64,
}

/// The fleet, and what Discord counts.
struct Drive {
    fleet: Fleet,
    now: Instant,
    shards: u32,
    max_concurrency: u32,
    total: u32,
    used: u32,
    day_ends: Instant,
    /// When each key identified last.
    last: BTreeMap<u32, Instant>,
    hands_back: bool,
}

impl Drive {
    fn new(bot: &Bot) -> Self {
        let shards = u32::from(bot.shards % 64) + 1;
        let total = u32::from(bot.total % 2_000) + 1;
        let mut config = Config::new(Shards::count(shards).expect("64 shards are few"));
        config.seed = bot.seed;
        Self {
            fleet: Fleet::new(config),
            now: Instant::ZERO,
            shards,
            max_concurrency: u32::from(bot.max_concurrency % 16) + 1,
            total,
            used: 0,
            day_ends: Instant::ZERO + DAY,
            last: BTreeMap::new(),
            hands_back: false,
        }
    }

    fn step(&mut self, step: &Step) {
        let input = match *step {
            Step::Wait(ms) => {
                return self.wait_until(self.now + Duration::from_millis(u64::from(ms)));
            }
            Step::WaitForDeadline => {
                let at = self
                    .fleet
                    .poll_timeout()
                    .map_or(self.now, |timeout| timeout.at);
                return self.wait_until(at);
            }
            Step::HandBack(hands_back) => {
                self.hands_back = hands_back;
                return;
            }
            Step::Limits => self.limits(),
            _ => self.input_of(step),
        };
        self.feed(input);
    }

    /// The input that a step is, if it is one.
    fn input_of(&self, step: &Step) -> Input {
        let shard = |index: u8| {
            ShardId::new(u32::from(index) % self.shards, self.shards).expect("a remainder")
        };
        match *step {
            Step::LimitsFailed(retry_after) => Input::LimitsFailed {
                retry_after: retry_after.map(|ms| Duration::from_millis(u64::from(ms))),
            },
            Step::Resumable(index) => Input::Resumable {
                shard: shard(index),
            },
            Step::WantIdentify(index) => Input::WantIdentify {
                shard: shard(index),
            },
            Step::CancelIdentify(index) => Input::CancelIdentify {
                shard: shard(index),
            },
            Step::IdentifySent(index) => Input::IdentifySent {
                shard: shard(index),
            },
            Step::IdentifyRejected(index) => Input::IdentifyRejected {
                shard: shard(index),
            },
            Step::Ready(index) => Input::Ready {
                shard: shard(index),
            },
            Step::Resumed(index) => Input::Resumed {
                shard: shard(index),
            },
            Step::Down(index) => Input::Down {
                shard: shard(index),
            },
            Step::Closed {
                shard: index,
                fatal,
            } => Input::Closed {
                shard: shard(index),
                fatal,
            },
            Step::Run {
                shard: index,
                resumable,
            } => Input::Run {
                shard: shard(index),
                resumable,
            },
            Step::Release(index) => Input::Release {
                shard: shard(index),
            },
            Step::Activity(index, events) => Input::Activity {
                shard: shard(index),
                events: events.into(),
            },
            Step::Shutdown
            | Step::Wait(_)
            | Step::WaitForDeadline
            | Step::HandBack(_)
            | Step::Limits => Input::Shutdown,
        }
    }

    /// What `GET /gateway/bot` answers now.
    fn limits(&self) -> Input {
        let reset_after = self.day_ends.since(self.now).as_millis();
        let limit = SessionStartLimit {
            total: self.total,
            remaining: self.total - self.used,
            reset_after_ms: u64::try_from(reset_after).expect("within a day"),
            max_concurrency: self.max_concurrency,
        };
        Input::Limits {
            shards: self.shards,
            limit,
        }
    }

    fn wait_until(&mut self, at: Instant) {
        self.now = self.now.max(at);
        while self.now >= self.day_ends {
            self.day_ends += DAY;
            self.used = 0;
        }
        self.fleet.handle_timeout(self.now);
        self.drain();
    }

    fn feed(&mut self, input: Input) {
        // A step that is out of place is the caller's fault and changes nothing.
        let _ = self.fleet.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            let Some(output) = self.fleet.poll_output() else {
                return;
            };
            if let Output::GrantIdentify { shard } = output {
                self.granted(shard);
            }
        }
        panic!("outputs without end");
    }

    fn granted(&mut self, shard: ShardId) {
        if self.hands_back {
            let input = Input::IdentifyUnused { shard };
            self.fleet
                .handle_input(self.now, input)
                .expect("a grant can be handed back");
            return;
        }
        let key = shard.rate_limit_key(self.max_concurrency);
        if let Some(last) = self.last.insert(key, self.now) {
            assert!(
                self.now.since(last) >= SPACING,
                "key {key} again after {:?}",
                self.now.since(last)
            );
        }
        self.used += 1;
        assert!(
            self.used < self.total || self.total == 1,
            "the last of {} identifies was spent",
            self.total
        );
    }
}

fuzz_target!(|input: (Bot, Vec<Step>)| {
    let (bot, steps) = input;
    let mut drive = Drive::new(&bot);
    for step in &steps {
        drive.step(step);
    }
});
