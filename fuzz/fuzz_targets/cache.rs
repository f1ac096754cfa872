//! Any dispatches, questions and answers at any times into a cache with hardly any room: no panic, every bound holds,
//! every question is answered exactly once, a store that is away is left alone, and the same comes out again.

#![no_main]

#[path = "cache/made.rs"]
mod made;

use std::collections::BTreeSet;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use made::{HOME, Json, Object, Setup, Step, config, written};
use shardkeep_core::cache::{
    BatchId, Cache, FlightId, Input, Key, Output, RequestId, Version, Written,
};
use shardkeep_core::record::{Record, cache_output, handle_cache_input};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Machine};

/// The cache, and what it waits for.
struct Drive {
    cache: Cache,
    now: Instant,
    sequence: u64,
    is_up: bool,
    /// What an empty cache holds.
    least: usize,
    /// Whether any numbers were written into records: then nobody knows who waits.
    is_wild: bool,
    waiting: BTreeSet<RequestId>,
    reads: Vec<FlightId>,
    asks: Vec<FlightId>,
    batches: Vec<BatchId>,
    /// Everything that came out.
    outputs: Vec<Output>,
}

/// One of these, which is taken out.
fn pick<T>(from: &mut Vec<T>, at: u8) -> Option<T> {
    (!from.is_empty()).then(|| from.swap_remove(usize::from(at) % from.len()))
}

impl Drive {
    fn new(setup: &Setup) -> Self {
        let cache = Cache::new(config(setup));
        Self {
            least: cache.hot_bytes(),
            cache,
            now: Instant::ZERO,
            sequence: 0,
            is_up: setup.has_store,
            is_wild: false,
            waiting: BTreeSet::new(),
            reads: Vec::new(),
            asks: Vec::new(),
            batches: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Wait(ms) => self.wait_until(self.now + Duration::from_millis((*ms).into())),
            Step::WaitForDeadline => {
                let at = self
                    .cache
                    .poll_timeout()
                    .map_or(self.now, |timeout| timeout.at);
                self.wait_until(at);
            }
            Step::Dispatch {
                event,
                ids,
                more,
                epoch,
            } => self.dispatch(*event, *ids, more, *epoch),
            Step::Fetch(id, named, patience) => {
                self.fetch(RequestId((*id).into()), named.key(), *patience)
            }
            Step::Cancel(id) => {
                let id = RequestId((*id).into());
                // Its time may end with this call.
                self.wait_until(self.now);
                self.waiting.remove(&id);
                self.feed(Input::Cancel { id });
            }
            Step::StoreDown => {
                self.is_up = false;
                (self.reads.clear(), self.batches.clear());
                self.feed(Input::StoreDown);
            }
            Step::StoreUp(lost, epoch) => {
                self.is_up = self.cache.config().has_store;
                self.feed(Input::StoreUp {
                    lost: *lost,
                    epoch: *epoch,
                });
            }
            Step::ForgetGuild(named) => self.feed(Input::ForgetGuild {
                guild: named.key().scope,
            }),
            Step::Invalidated(named, digest) => {
                let (key, digest) = (named.key(), *digest);
                self.feed(Input::Invalidated { key, digest });
            }
            Step::Forget(named) => self.feed(Input::Forget { key: named.key() }),
            Step::Record {
                kind,
                id,
                value,
                text,
                data,
            } => self.record(Record {
                kind: (*kind % 16).into(),
                id: *id,
                value: *value,
                text,
                data,
                ..Record::default()
            }),
            answer => self.answer(answer),
        }
        self.check();
    }

    fn dispatch(&mut self, event: u8, ids: Option<[u8; 4]>, more: &Json<'_>, epoch: u8) {
        let event = EventKind::ALL[usize::from(event) % EventKind::ALL.len()];
        let more = written(more);
        let d = match ids.map(|ids| ids.map(|id| id % 6)) {
            Some([guild, channel, id, user]) => {
                let mut d = format!(
                    "{{\"guild_id\":\"{guild}\",\"channel_id\":\"{channel}\",\"id\":\"{id}\",\"message_id\":\"{id}\",\
                     \"user_id\":\"{user}\",\"user\":{{\"id\":\"{user}\",\"username\":\"u\"}}"
                );
                // The members of an object go on; anything else is cut off.
                d.push(if more.len() > 2 && more[0] == b'{' {
                    ','
                } else {
                    '}'
                });
                let rest = more
                    .get(1..)
                    .filter(|_| d.ends_with(','))
                    .unwrap_or_default();
                [d.as_bytes(), rest].concat()
            }
            None => more,
        };
        self.tell(event, &d, epoch);
    }

    fn tell(&mut self, event: EventKind, d: &[u8], epoch: u8) {
        self.sequence += 1;
        self.feed(Input::Dispatch {
            event,
            d,
            version: Version::new((epoch % 4).into(), self.sequence),
            wall_ms: self.now.as_micros() / 1_000,
        });
    }

    fn fetch(&mut self, id: RequestId, key: Key, patience: Option<u8>) {
        let deadline = patience.map(|ms| self.now + Duration::from_millis(ms.into()));
        self.wait_until(self.now);
        let is_new = self.waiting.insert(id);
        let result = self
            .cache
            .handle_input(self.now, Input::Fetch { id, key, deadline });
        assert!(self.is_wild || result.is_ok() == is_new, "{id}: {result:?}");
        self.drain();
    }

    fn answer(&mut self, step: &Step<'_>) {
        match step {
            Step::Held(at, json, version) => {
                let json = json.as_ref().map(Object::written);
                let version = version.map(|(epoch, seq)| Version::new(epoch.into(), seq));
                if let Some(flight) = pick(&mut self.reads, *at) {
                    self.feed(Input::Held {
                        flight,
                        json: json.as_deref(),
                        version,
                    });
                }
            }
            Step::ReadFailed(at) => {
                if let Some(flight) = pick(&mut self.reads, *at) {
                    self.feed(Input::ReadFailed { flight });
                }
            }
            Step::Written(at, outcomes) => {
                let outcome = |outcome: &Option<Option<u16>>| match outcome {
                    None => Written::Failed,
                    Some(None) => Written::Done,
                    Some(Some(by)) => Written::Superseded(Version::new((*by).into(), (*by).into())),
                };
                let outcomes: Vec<Written> = outcomes.iter().map(outcome).collect();
                if let Some(batch) = pick(&mut self.batches, *at) {
                    self.feed(Input::Written {
                        batch,
                        outcomes: &outcomes,
                    });
                }
            }
            Step::Answered(at, json) => {
                if let Some(flight) = pick(&mut self.asks, *at) {
                    self.feed(Input::Answered {
                        flight,
                        json: &json.written(),
                    });
                }
            }
            Step::NotFound(at) => {
                if let Some(flight) = pick(&mut self.asks, *at) {
                    self.feed(Input::NotFound { flight });
                }
            }
            Step::AskFailed(at) => {
                if let Some(flight) = pick(&mut self.asks, *at) {
                    self.feed(Input::AskFailed { flight });
                }
            }
            other => unreachable!("{other:?} is no answer"),
        }
    }

    fn record(&mut self, record: Record<'_>) {
        self.is_wild = true;
        // Neither a store that comes nor one that goes: the rest of the run counts on knowing whether it is there.
        if !matches!(record.kind, 10 | 11) {
            // A record that breaks a rule is the caller's fault and changes nothing.
            let _ = handle_cache_input(&mut self.cache, self.now, record);
            self.drain();
        }
    }

    fn wait_until(&mut self, at: Instant) {
        self.now = self.now.max(at);
        self.cache.handle_timeout(self.now);
        self.drain();
    }

    fn feed(&mut self, input: Input<'_>) {
        self.cache
            .handle_input(self.now, input)
            .expect("no request's number is used twice");
        self.drain();
    }

    fn drain(&mut self) {
        let mut text = String::new();
        for _ in 0..100_000 {
            let Some(output) = self.cache.poll_output() else {
                return;
            };
            let record = cache_output(&output, &mut text);
            match &output {
                Output::Write { batch, writes } => {
                    assert!(self.is_up, "a store that is away was asked to write");
                    assert_eq!(
                        record.data.split(|byte| *byte == b'\n').count(),
                        writes.len(),
                        "a line for each"
                    );
                    self.batches.push(*batch);
                }
                Output::Read { keys } => {
                    assert!(self.is_up, "a store that is away was asked to read");
                    self.reads.extend(keys.iter().map(|(flight, _)| *flight));
                }
                Output::Ask { flight, .. } => self.asks.push(*flight),
                Output::Deliver { id, .. } => {
                    assert!(
                        self.waiting.remove(id) || self.is_wild,
                        "{id} was not waiting"
                    );
                }
                _ => {}
            }
            self.outputs.push(output);
        }
        panic!("outputs without end");
    }

    fn check(&self) {
        let (config, stats) = (self.cache.config(), self.cache.stats());
        let held = self.cache.hot_bytes();
        assert!(
            held <= config.hot.budget_bytes.max(self.least),
            "{held} bytes are hot"
        );
        assert!(
            stats.flights <= config.flights_max,
            "{} questions",
            stats.flights
        );
        assert!(
            stats.pending_bytes <= config.pending_bytes_max,
            "{} bytes wait",
            stats.pending_bytes
        );
    }

    /// Everything is answered, and nobody waits any more.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if let Some(flight) = self.asks.pop() {
                self.feed(Input::NotFound { flight });
            } else if let Some(flight) = self.reads.pop() {
                self.feed(Input::Held {
                    flight,
                    json: None,
                    version: None,
                });
            } else if let Some(timeout) = self.cache.poll_timeout() {
                // Batches, which nobody answers, are made again for ever: those who wait do not depend on them.
                if self.waiting.is_empty() {
                    return;
                }
                self.wait_until(timeout.at);
            } else {
                break;
            }
        }
        assert!(
            self.is_wild || self.waiting.is_empty(),
            "{:?} got no answer",
            self.waiting
        );
    }
}

fn run(setup: &Setup, steps: &[Step<'_>]) -> Vec<Output> {
    let mut drive = Drive::new(setup);
    if setup.is_home {
        drive.tell(EventKind::Ready, br#"{"user":{"id":"1"},"guilds":[]}"#, 0);
        drive.tell(EventKind::GuildCreate, HOME.as_bytes(), 0);
    }
    for step in steps {
        drive.step(step);
    }
    drive.settle();
    drive.outputs
}

fuzz_target!(|input: (Setup, Vec<Step<'_>>)| {
    let (setup, steps) = input;
    let outputs = run(&setup, &steps);
    assert!(
        outputs == run(&setup, &steps),
        "the same calls gave other outputs"
    );
});
