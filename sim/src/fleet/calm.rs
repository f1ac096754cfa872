//! The calm after the mishaps: everything has to be well, and then the accounts have to agree.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use shardkeep_core::ShardId;

use super::across::Across;
use super::happening::Happening;
use super::process::Process;
use super::stage::Stage;
use super::truth::Sums;
use crate::{Control, Entry, Instant};

/// How often it is looked whether everything is well.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Nothing changes for so long when all is well; events flow once more in the first part of it.
const STILL: Duration = Duration::from_secs(60);
const FLOW: Duration = Duration::from_secs(20);

impl Stage<'_> {
    /// Nothing befalls anybody from here on. Whoever left for good is replaced.
    pub(super) fn calm(&mut self) {
        self.tell(|_| "calm".to_owned());
        let now = self.now;
        self.is_calm = true;
        self.world.control(now, Control::Calm);
        if self.wanted.is_some() || self.processes.iter().any(Process::is_changing) {
            // Events go on: a change of shards is about them.
            let per_s = self.scene.events_per_s;
            self.world.control(now, Control::Chatter { per_s });
        }
        self.register_away_until = now;
        self.store.away_until = now;
        self.store.slow_until = now;
        for process in &mut self.processes {
            process.register_cut_until = now;
            process.store_cut_until = now;
            process.bus_cut_until = now;
            process.discord_cut_until = now;
        }
        for member in self.scene.members.clone() {
            let there = self.processes.iter().filter(|process| process.is_alive);
            let is_there = there
                .filter(|process| !process.is_leaving)
                .any(|process| process.name.starts_with(&member.name));
            if !is_there && self.scene.is_leased {
                self.plan_in(LOOK_EVERY, Happening::Start(member.name, member.capacity));
            }
        }
        self.plan_in(LOOK_EVERY, Happening::Look);
    }

    /// Looks whether everything is well, and has been for a while.
    pub(super) fn look(&mut self) {
        let now = self.now;
        self.resume_held();
        let wrong = self.not_well();
        match (wrong, self.well_since) {
            (Some(_), _) if now < Instant::ZERO + self.scene.calm_from + self.scene.calm_limit => {
                self.well_since = None;
            }
            (Some(wrong), _) => return self.fault(format!("not well: {wrong}")),
            (None, None) => {
                self.tell(|_| "all is well".to_owned());
                self.well_since = Some(now);
                let per_s = self.scene.events_per_s;
                self.world.control(now, Control::Chatter { per_s });
            }
            (None, Some(since)) if now >= since + STILL => return self.end(),
            (None, Some(since)) if now >= since + FLOW => {
                self.world.control(now, Control::Chatter { per_s: 0 });
            }
            (None, Some(_)) => {}
        }
        self.plan_in(LOOK_EVERY, Happening::Look);
    }

    /// Each shard has one session in one process, and Discord has the same.
    fn not_well(&self) -> Option<String> {
        let processes = self.processes.iter().filter(|process| process.is_alive);
        if self.wanted.is_some() || processes.clone().any(Process::is_changing) {
            return Some(format!("shards are being changed: {:?}", self.parts()));
        }
        let mut open: BTreeMap<ShardId, Vec<&str>> = BTreeMap::new();
        for ledger in self.world.ledger().filter(|ledger| ledger.end.is_none()) {
            let [index, total] = ledger.shard;
            let shard = ShardId::new(index, total)?;
            open.entry(shard).or_default().push(&ledger.session);
        }
        let shards = self.serving();
        for &shard in &shards {
            let there: Vec<_> = (0..self.processes.len())
                .filter(|&by| self.processes[by].is_established(shard))
                .collect();
            let [by] = there[..] else {
                return Some(format!("{shard} is established in {there:?}"));
            };
            let name = self.processes[by].session(shard)?.session_id();
            let at_discord = open.remove(&shard).unwrap_or_default();
            if name.is_none_or(|name| at_discord != [name]) {
                return Some(format!("{shard} is {name:?}, at Discord {at_discord:?}"));
            }
        }
        open.first_key_value()
            .map(|(shard, _)| format!("Discord has a session of {shard}"))
    }

    /// The shards that are to be there.
    fn serving(&self) -> BTreeSet<ShardId> {
        let processes = self.processes.iter().filter(|process| process.is_alive);
        let mut serving = processes.filter_map(|process| process.serving.as_ref());
        if let Some(serving) = serving.next() {
            return serving.topology().shards().iter().copied().collect();
        }
        (0..self.scene.shards)
            .filter_map(|index| ShardId::new(index, self.scene.shards))
            .collect()
    }

    /// Compares, event by event, what handlers finished with what Discord sent.
    pub(super) fn compare(&mut self) {
        let mut sums = Sums::default();
        let mut faults = Vec::new();
        for ledger in self.world.ledger() {
            let is_current = ledger.end.is_none();
            self.truth
                .compare(ledger, is_current, &mut sums, &mut faults);
        }
        let report = &mut self.report;
        report.sent = sums.sent;
        report.handed = sums.handed;
        report.again = sums.again;
        report.lost = sums.lost;
        report.faults_found.append(&mut faults);
        self.compare_changes();
    }

    /// What a change of shards says of itself is no less than what happened.
    fn compare_changes(&mut self) {
        let across = self.truth.across(self.world.ledger());
        let sum = self.cutover_sum;
        let Across { lost, twice, which } = across;
        for which in which {
            self.tell(|stage| format!("lost: {which} {:?}", stage.where_is(&which)));
        }
        self.report.lost_in_changes += lost;
        self.report.twice_in_changes += twice;
        self.report.possibly_lost += sum.possibly_lost;
        self.report.possibly_twice += sum.possibly_duplicated;
        if !self.is_ledger_lost && sum.gaps == 0 && lost > sum.possibly_lost {
            self.fault(format!("{lost} events were lost in changes: {sum:?}"));
        }
        // A side that goes on elsewhere hands on what its handlers had not finished.
        let is_whole = !self.is_part_broken && !self.truth.has_crashes();
        let is_whole = match self.scene.is_leased {
            true => is_whole && !self.is_ledger_lost && self.report.identifies_blind == 0,
            false => self.processes.len() == 1,
        };
        if is_whole && twice > sum.possibly_duplicated {
            self.fault(format!("{twice} events were handled twice: {sum:?}"));
        }
    }

    /// Which sessions had an event, by the digest in its words, and what became of it there.
    fn where_is(&self, which: &str) -> Vec<String> {
        let mut found = Vec::new();
        for ledger in self.world.ledger() {
            let named = |entry: &&Entry| which.contains(&format!(", {})", entry.digest));
            for entry in ledger.entries.iter().filter(named) {
                let (index, total) = (ledger.shard[0], ledger.shard[1]);
                let became = self.truth.became(&ledger.session, entry.seq);
                found.push(format!("{index}/{total} {} {became}", entry.seq));
            }
        }
        found
    }

    pub(super) fn count(&mut self) {
        self.report.sessions = self.world.ledger().count() as u64;
        self.report.superseded = self.store.superseded;
        self.report.taken_over = self.truth.taken_over();
    }
}
