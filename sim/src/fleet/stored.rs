//! What outlives a process: sessions are stored, and read by whoever has their shard next.

use core::time::Duration;

use shardkeep_core::fleet::Input;
use shardkeep_core::gateway::Capsule;
use shardkeep_core::{Machine, ShardId};

use super::happening::Happening;
use super::process::Slot;
use super::stage::Stage;
use super::store::{Batch, Found, Line, Mark, PartLine};

/// How long the store is waited for, before a shard identifies without knowing what is stored.
const LOAD_LIMIT: Duration = Duration::from_secs(10);

/// How long an answer is waited for, and the pause before the next attempt.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(300);

/// How often a shard that ends is tried to be stored.
const LAST_ATTEMPTS: u32 = 3;

impl Stage<'_> {
    pub(super) fn reaches_store(&self, by: usize) -> bool {
        self.now >= self.processes[by].store_cut_until && self.now >= self.store.away_until
    }

    /// How long the store takes, one way.
    fn store_way(&mut self) -> Duration {
        match self.now < self.store.slow_until {
            true => self.between(100, 4_000),
            false => self.way().min(Duration::from_secs(2)),
        }
    }

    /// Asks for what is stored of a shard.
    pub(super) fn load(&mut self, by: usize, shard: ShardId, token: u64) {
        let way = self.store_way();
        self.plan_in(way, Happening::StoreReads(by, shard, token));
    }

    pub(super) fn store_reads(&mut self, by: usize, shard: ShardId, token: u64) {
        let (wait, answer) = match self.reaches_store(by) {
            true => (self.store_way(), Some(self.store.find(shard))),
            false => (PATIENCE, None),
        };
        self.plan_in(wait, Happening::Loaded(by, shard, token, answer));
    }

    /// The store has answered: the shard may start.
    pub(super) fn loaded(&mut self, by: usize, shard: ShardId, token: u64, answer: Option<Found>) {
        let now = self.now;
        let slot = self.processes[by].slots.get(&shard);
        if slot.is_none_or(|slot| slot.token != token || slot.is_told) {
            return;
        }
        let found = answer.as_ref().map(|found| found.part.as_deref());
        let is_of_use = found.is_none_or(|part| self.found_part(by, shard, part));
        let is_changing = self.processes[by].is_changing();
        let crew = self.processes[by].crew.as_ref();
        let has_role = crew.is_some_and(|crew| crew.parts.role(shard).is_some());
        let Some(slot) = self.processes[by].slots.get_mut(&shard) else {
            return;
        };
        match answer {
            // Without its side, one that takes part would wait for guilds that the other side has, and not end.
            None if now < slot.since + LOAD_LIMIT || has_role => {
                self.plan_in(PAUSE, Happening::Load(by, shard, token));
                return;
            }
            None => {
                slot.is_blind = true;
                self.is_ledger_lost |= is_changing;
            }
            Some(found) => {
                let session = found.session.as_deref().filter(|_| is_of_use);
                slot.capsule = opened(session);
            }
        }
        slot.is_told = true;
        let resumable = slot.capsule.is_some();
        self.tell_fleet(by, Input::Run { shard, resumable });
    }

    /// A process that has all shards reads all that is stored.
    pub(super) fn take_all(&mut self, by: usize) {
        let is_blind = !self.reaches_store(by);
        self.know_serving(by);
        self.processes[by].unfinished = self.store.shape.as_ref().and_then(|shape| shape.target);
        let shards: Vec<ShardId> = match self.processes[by].fleet.topology() {
            Some(topology) => topology.shards().to_vec(),
            None => Vec::new(),
        };
        for shard in shards {
            let mut slot = Slot::new(0, self.now);
            slot.is_told = true;
            slot.is_blind = is_blind;
            if !is_blind {
                slot.capsule = opened(self.store.read(shard).as_deref());
            }
            let is_resumable = slot.capsule.is_some();
            self.processes[by].slots.insert(shard, slot);
            if is_resumable {
                self.tell_fleet(by, Input::Resumable { shard });
            }
        }
    }

    /// Stores what has changed since it was stored last.
    pub(super) fn save_all(&mut self, by: usize) {
        let every = self.scene.save_every;
        self.plan_in(every, Happening::Save(by));
        self.save_now(by);
    }

    /// Something is to be stored at once.
    pub(super) fn save_soon(&mut self, by: usize) {
        self.processes[by].is_save_wanted = true;
    }

    pub(super) fn save_wanted(&mut self, by: usize) {
        let process = &mut self.processes[by];
        if !process.is_saving && std::mem::take(&mut process.is_save_wanted) {
            self.save_now(by);
        }
    }

    fn save_now(&mut self, by: usize) {
        if self.processes[by].is_saving {
            return;
        }
        let changed = |(&shard, slot): (&ShardId, &Slot)| {
            let mark = slot.mark()?;
            (slot.stored.as_ref() != Some(&mark)).then_some(shard)
        };
        let changed: Vec<_> = self.processes[by]
            .slots
            .iter()
            .filter_map(changed)
            .collect();
        let lines: Vec<_> = changed
            .into_iter()
            .filter_map(|shard| self.line(by, shard))
            .collect();
        let slots = self.processes[by].slots.iter();
        let given: Vec<_> = slots
            .filter(|(_, slot)| slot.keeping.is_new())
            .map(|it| *it.0)
            .collect();
        let parts: Vec<_> = given
            .into_iter()
            .filter_map(|shard| self.part_line(by, shard))
            .collect();
        let shape = self.shape(by);
        if !lines.is_empty() || !parts.is_empty() || shape.is_some() {
            self.processes[by].is_saving = true;
            self.processes[by].is_shape_new = false;
            let batch = Batch {
                lines,
                parts,
                shape,
            };
            self.save(by, batch, None);
        }
    }

    fn part_line(&mut self, by: usize, shard: ShardId) -> Option<PartLine> {
        let at = self.stamp(by);
        let slot = self.processes[by].slots.get_mut(&shard)?;
        slot.keeping.line(shard, (slot.token, at))
    }

    /// What is written now counts as written at this moment.
    fn stamp(&mut self, by: usize) -> u64 {
        let now = self.now.as_millis();
        let process = &mut self.processes[by];
        process.last_save = now.max(process.last_save + 1);
        process.last_save
    }

    fn line(&mut self, by: usize, shard: ShardId) -> Option<Line> {
        let at = self.stamp(by);
        let slot = self.processes[by].slots.get(&shard)?;
        let mark = slot.mark()?;
        let capsule = slot.capsule_now(at);
        let text = capsule.map(|capsule| capsule.seal().expect("a capsule of the model is sound"));
        Some(Line {
            shard,
            version: (slot.token, at),
            text,
            mark,
        })
    }

    fn save(&mut self, by: usize, batch: Batch, ends: Option<ShardId>) {
        let way = self.store_way();
        // Some answers are lost after what was asked is done.
        let is_heard = self.is_calm || self.rng.below(50) > 0;
        self.plan_in(way, Happening::StoreWrites(by, batch, ends, is_heard));
    }

    pub(super) fn store_writes(
        &mut self,
        by: usize,
        batch: Batch,
        ends: Option<ShardId>,
        is_heard: bool,
    ) {
        let now = self.now;
        let is_there = self.reaches_store(by);
        if is_there && batch.shape.is_some() {
            self.store.shape.clone_from(&batch.shape);
        }
        for part in batch.parts.iter().filter(|_| is_there) {
            self.store.write_part(part);
        }
        for line in batch.lines.iter().filter(|_| is_there) {
            if self.store.write(line)
                && let Some(Mark {
                    session,
                    acknowledged,
                    ..
                }) = &line.mark
            {
                self.truth.acknowledged(session, *acknowledged, now);
            }
        }
        let is_stored = is_there && is_heard;
        let wait = match is_stored {
            true => self.store_way(),
            false => PATIENCE,
        };
        self.plan_in(wait, Happening::Saved(by, batch, is_stored, ends));
    }

    pub(super) fn saved(
        &mut self,
        by: usize,
        batch: &Batch,
        is_stored: bool,
        ends: Option<ShardId>,
    ) {
        if ends.is_none() {
            self.processes[by].is_saving = false;
        }
        if batch.shape.is_some() {
            self.shape_saved(by, is_stored);
        }
        for line in &batch.lines {
            if let Some(slot) = self.processes[by].slots.get_mut(&line.shard)
                && slot.token == line.version.0
            {
                slot.stored = is_stored.then(|| line.mark.clone());
            }
        }
        for part in &batch.parts {
            if let Some(slot) = self.processes[by].slots.get_mut(&part.shard)
                && slot.token == part.version.0
            {
                slot.keeping.answered(part.number, is_stored);
            }
        }
        let Some(shard) = ends else {
            return;
        };
        let token = batch.lines.first().map_or(0, |line| line.version.0);
        let slot = self.processes[by].slots.get_mut(&shard);
        let Some(slot) = slot.filter(|slot| slot.token == token) else {
            return;
        };
        let attempts = slot.ending.map_or(0, |attempts| attempts + 1);
        slot.ending = Some(attempts);
        if is_stored || attempts >= LAST_ATTEMPTS {
            self.gone(by, shard);
        } else {
            self.plan_in(PAUSE, Happening::Ending(by, shard, token));
        }
    }

    /// A shard that has closed is stored once more.
    pub(super) fn save_last(&mut self, by: usize, shard: ShardId, token: u64) {
        let slot = self.processes[by].slots.get(&shard);
        if slot.is_none_or(|slot| slot.token != token) {
            return;
        }
        match self.line(by, shard) {
            Some(line) => {
                let parts = self.part_line(by, shard).into_iter().collect();
                let (lines, shape) = (vec![line], None);
                let batch = Batch {
                    lines,
                    parts,
                    shape,
                };
                self.save(by, batch, Some(shard));
            }
            None => self.gone(by, shard),
        }
    }

    /// The shard is stored and closed.
    fn gone(&mut self, by: usize, shard: ShardId) {
        self.tell(|_| format!("{by} {shard} is given back"));
        self.processes[by].slots.remove(&shard);
        self.free(by, shard);
    }

    /// The identify account, for whoever comes after.
    pub(super) fn store_account(&mut self, by: usize) {
        if self.scene.is_leased || !self.reaches_store(by) {
            return;
        }
        let process = &mut self.processes[by];
        let granted = process.fleet.status().counters.granted;
        if granted > process.granted {
            process.granted = granted;
            self.store.account = Some((self.now, process.fleet.snapshot()));
        }
    }
}

fn opened(line: Option<&str>) -> Option<Capsule> {
    line.and_then(|line| Capsule::open(line.as_bytes()).ok())
}
