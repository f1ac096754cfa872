//! One sequence: dispatches, questions and faults, and a look at everything after each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};
use shardkeep_core::cache::hot_set;
use shardkeep_core::cache::{Cache, Found, Input, Key, Kind, Output, RequestId, Version};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Machine, Rng, Snowflake};

use crate::cache_model::world::World;
use crate::cache_model::{Model, write};
use crate::history::{History, uncounted};
use crate::limits;
use crate::outside::{Later, Store, at_discord, chance};
use crate::sum;

pub(crate) struct Run {
    seed: u64,
    pub(crate) rng: Rng,
    world: World,
    model: Model,
    history: History,
    pub(crate) cache: Cache,
    pub(crate) store: Store,
    is_up: bool,
    /// Whether somebody has told the cache to forget something.
    has_meddled: bool,
    pub(crate) later: Vec<Later>,
    pub(crate) now: Instant,
    epoch: u64,
    sequence: u64,
    pub(crate) step: u64,
    next_request: u64,
    waiting: BTreeMap<RequestId, Key>,
    /// What readers got: records, that there is none, that nobody knows.
    pub(crate) delivered: [u64; 3],
    pub(crate) hot_seen: u64,
    /// How bad the weather is: one in so many things fails.
    pub(crate) fault: u64,
}

impl Run {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let config = limits::config(&mut rng, seed);
        Self {
            seed,
            world: World::new(seed, [0, 0, 5, 30][rng.below(4) as usize]),
            model: Model::new(usize::MAX),
            history: History::default(),
            cache: Cache::new(config),
            store: Store::default(),
            is_up: true,
            has_meddled: false,
            later: Vec::new(),
            now: Instant::from_millis(1_000),
            epoch: 1,
            sequence: 0,
            step: 0,
            next_request: 0,
            waiting: BTreeMap::new(),
            delivered: [0; 3],
            hot_seen: 0,
            fault: [3, 10, 100][rng.below(3) as usize],
            rng,
        }
    }

    pub(crate) fn play(mut self) -> Self {
        let steps = 40 + self.rng.below(80);
        for _ in 0..steps {
            self.step += 1;
            self.now += Duration::from_millis(self.rng.below(400));
            self.one_step();
            self.rest();
        }
        self.settle();
        self
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.cache.handle_input(self.now, input).unwrap();
    }

    fn one_step(&mut self) {
        match self.rng.below(20) {
            0..=11 => self.dispatch(),
            12..=15 => self.fetch(),
            16 => {
                let key = self.any_key();
                let digest = self.rng.next_u64();
                self.has_meddled = true;
                self.input(Input::Invalidated { key, digest });
            }
            17 => match self.rng.below(3) {
                0 => {
                    let key = self.any_key();
                    self.has_meddled = true;
                    self.input(Input::Forget { key });
                }
                1 => {
                    let id = self.waiting.keys().next().copied();
                    if let Some(id) = id {
                        // Its time may end just before.
                        self.cache.handle_timeout(self.now);
                        self.drain();
                        if self.waiting.remove(&id).is_some() {
                            self.input(Input::Cancel { id });
                        }
                    }
                }
                _ => self.cache.handle_timeout(self.now),
            },
            _ => self.weather(),
        }
        for _ in 0..self.rng.below(4) {
            self.answer_one();
        }
    }

    fn dispatch(&mut self) {
        let (event, d, _) = self.world.next();
        let text = write(&d, &mut self.rng);
        if event == EventKind::Ready {
            self.epoch += 1 + self.rng.below(1_000);
            self.sequence = 0;
        }
        self.sequence += 1;
        self.model.dispatch(event.name(), &d);
        self.history.note(&self.model);
        self.input(Input::Dispatch {
            event,
            d: &text,
            version: Version::new(self.epoch, self.sequence),
            wall_ms: self.now.as_micros() / 1_000,
        });
    }

    /// A key of something, or of nothing.
    fn any_key(&mut self) -> Key {
        let count = self.model.records.len() as u64;
        if count == 0 || chance(&mut self.rng, 12) {
            let kind = Kind::ALL[self.rng.below(Kind::ALL.len() as u64) as usize];
            return Key::new(kind, Snowflake(4_194_304_000), Snowflake(self.rng.below(5)));
        }
        let at = self.rng.below(count) as usize;
        self.key_of(*self.model.records.keys().nth(at).unwrap())
    }

    fn key_of(&self, (kind, scope, id): crate::cache_model::Key) -> Key {
        let kind = Kind::ALL.iter().find(|known| known.name() == kind);
        Key::new(*kind.unwrap(), Snowflake(scope), Snowflake(id))
    }

    fn fetch(&mut self) {
        let under_way = self.waiting.values().next().copied();
        let key = match under_way {
            Some(key) if chance(&mut self.rng, 4) => key,
            _ => self.any_key(),
        };
        let deadline =
            chance(&mut self.rng, 4).then(|| self.now + Duration::from_millis(self.rng.below(900)));
        self.ask(key, deadline);
    }

    fn ask(&mut self, key: Key, deadline: Option<Instant>) {
        self.next_request += 1;
        let id = RequestId(self.next_request);
        self.waiting.insert(id, key);
        self.input(Input::Fetch { id, key, deadline });
    }

    fn weather(&mut self) {
        if self.rng.below(3) == 0 {
            self.store.replicate();
        }
        if !chance(&mut self.rng, self.fault.min(10)) {
            return;
        }
        if self.is_up {
            self.is_up = false;
            // What was under way may have been done all the same.
            for later in std::mem::take(&mut self.later) {
                match later {
                    Later::Ask(..) => self.later.push(later),
                    Later::Write(_, writes) if chance(&mut self.rng, 2) => {
                        for write in &writes {
                            self.store.write(write);
                        }
                    }
                    _ => {}
                }
            }
            self.input(Input::StoreDown);
        } else {
            self.is_up = true;
            let lost = chance(&mut self.rng, 3);
            if lost {
                self.store.fail_over();
            }
            // Some share the store: they agree on an epoch that lies ahead of everything that was written.
            let ahead = self.epoch.max(self.now.as_micros() / 1_000) + 1;
            let epoch = if lost && chance(&mut self.rng, 2) {
                ahead
            } else {
                0
            };
            self.input(Input::StoreUp { lost, epoch });
        }
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.cache.poll_output() {
            match output {
                Output::Write { batch, writes } => {
                    assert!(self.is_up, "a store that is away was asked to write");
                    self.later.push(Later::Write(batch, writes));
                }
                Output::Read { keys } => {
                    assert!(self.is_up, "a store that is away was asked to read");
                    self.later.push(Later::Read(keys));
                }
                Output::Clear {
                    kind,
                    scope,
                    before,
                } => {
                    if self.is_up && !chance(&mut self.rng, self.fault) {
                        self.store.clear(kind, scope, before);
                    }
                }
                Output::Ask { flight, key } => {
                    self.later
                        .push(Later::Ask(flight, at_discord(&self.model, key)));
                }
                Output::Deliver { id, found } => self.delivered(id, found),
                Output::Before { .. } | Output::Invalidate { .. } => {}
                other => panic!("an output that this test does not know: {other:?}"),
            }
        }
    }

    fn delivered(&mut self, id: RequestId, found: Found) {
        let key = self.waiting.remove(&id);
        let key = key.unwrap_or_else(|| panic!("{}: {id} was not waiting", self.place()));
        let value = match found {
            Found::Record(json) => {
                self.delivered[0] += 1;
                Some(self.parse(key, &json))
            }
            Found::Absent => {
                self.delivered[1] += 1;
                None
            }
            Found::Failed(_) => {
                self.delivered[2] += 1;
                return;
            }
        };
        self.see(key, value.as_ref());
    }

    fn see(&mut self, key: Key, value: Option<&Map<String, Value>>) {
        let named = (key.kind.name(), key.scope.0, key.id.0);
        if let Err(wrong) = self.history.see(named, value) {
            panic!("{}: {wrong}", self.place());
        }
    }

    pub(crate) fn place(&self) -> String {
        format!("seed {}, step {}", self.seed, self.step)
    }

    /// A record as the model has it: the user in it is a reference.
    fn parse(&self, key: Key, json: &[u8]) -> Map<String, Value> {
        let value: Value = serde_json::from_slice(json).unwrap();
        let object = value.as_object().unwrap().clone();
        let field = match key.kind {
            Kind::Member => "user",
            Kind::Message => "author",
            _ => return object,
        };
        let mut referring = object.clone();
        if let Some(id) = object.get(field).and_then(|user| user.get("id")) {
            // `"007"` and 7 are the same id.
            let number = id.as_u64().or_else(|| id.as_str()?.parse().ok());
            let id = number.map_or_else(|| id.clone(), |id: u64| id.to_string().into());
            referring.insert(field.to_owned(), serde_json::json!({ "id": id }));
        }
        // A webhook's author is in the message itself.
        let named = (key.kind.name(), key.scope.0, key.id.0);
        if self.history.has(named, &referring) {
            referring
        } else {
            object
        }
    }

    /// Whether no member was ever given up or refused.
    fn has_all_members(&self) -> bool {
        let kind = hot_set::Kind::new(Kind::Member.number()).unwrap();
        let stats = self.cache.stats();
        let members = stats.hot.of(kind);
        members.evicted.iter().chain(&members.refused).sum::<u64>() == 0
            && stats.deferred == 0
            && !self.has_meddled
            && self.cache.config().hot.limits[usize::from(kind.number())] == hot_set::Limits::NONE
    }

    /// Everything that is hot is what the model has, and what waits is within its bound.
    pub(crate) fn look(&mut self) {
        let (stats, most) = (self.cache.stats(), self.cache.config().pending_bytes_max);
        assert!(stats.pending_bytes <= most, "{}", self.place());
        sum::account(&stats, || self.place());
        let mut hot = Vec::new();
        self.cache.visit(&mut |key, json| hot.push((key, json)));
        for (key, json) in hot {
            self.hot_seen += 1;
            let value: Value = serde_json::from_slice(&json).unwrap();
            let value = value.as_object().unwrap().clone();
            let named = (key.kind.name(), key.scope.0, key.id.0);
            let known = self
                .model
                .records
                .get(&named)
                .map(|record| record.value.clone());
            let is_same = match &known {
                Some(known) if key.kind == Kind::Guild && !self.has_all_members() => {
                    uncounted(named, known) == uncounted(named, &value)
                }
                known => known.as_ref() == Some(&value),
            };
            if !is_same {
                panic!(
                    "{}: {key} is {value:?}, but should be {known:?}",
                    self.place()
                );
            }
            self.see(key, Some(&value));
        }
    }

    /// The weather clears, everything is answered, and then everything is asked for: nothing that is not true now.
    fn settle(&mut self) {
        self.fault = u64::MAX;
        if !self.is_up {
            self.is_up = true;
            self.input(Input::StoreUp {
                lost: false,
                epoch: 0,
            });
        }
        self.quiet();
        assert!(
            self.waiting.is_empty(),
            "{}: {:?} got no answer",
            self.place(),
            self.waiting
        );
        let stats = self.cache.stats();
        let waiting = (stats.pending, stats.flights, stats.open);
        assert_eq!(waiting, (0, 0, 0), "{}", self.place());
        let stored: BTreeSet<Key> = self.store.records.keys().copied().collect();
        let known: BTreeSet<Key> = self
            .model
            .records
            .keys()
            .map(|key| self.key_of(*key))
            .collect();
        for key in stored.union(&known) {
            self.step += 1;
            self.ask(*key, None);
            self.drain();
            self.quiet();
        }
        self.look();
    }

    fn quiet(&mut self) {
        self.drain();
        for _ in 0..10_000 {
            while !self.later.is_empty() {
                self.answer_one();
            }
            match self.cache.poll_timeout() {
                Some(timeout) => {
                    self.now = self.now.max(timeout.at);
                    self.cache.handle_timeout(self.now);
                    self.drain();
                }
                None if self.later.is_empty() => return,
                None => {}
            }
        }
        panic!("{}: it never comes to rest", self.place());
    }
}
