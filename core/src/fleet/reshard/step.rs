//! One step while it is taken: what it waits for, and what follows.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::fleet::plan::{Step, StepKind};
use crate::fleet::serving::Serving;
use crate::id::ShardId;

use super::Reshard;
use super::io::{Outcome, Output, Stage};

/// A step that is being taken.
#[derive(Clone, Debug)]
pub(super) struct Taking {
    pub(super) step: Step,
    /// What serves after it.
    after: Serving,
    /// Whose guilds move, and where to.
    pub(super) leave: Vec<ShardId>,
    pub(super) join: Vec<ShardId>,
    pub(super) phase: Phase,
    /// Of those who leave, who ended by themselves.
    gone: BTreeSet<ShardId>,
    /// Of those who join, who expect nothing any more.
    settled: BTreeSet<ShardId>,
}

/// What a step waits for.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Until these know their guilds.
    Starting(BTreeSet<ShardId>),
    /// Until these have left.
    Switching(BTreeSet<ShardId>),
    /// Until it is stored.
    Committing,
    /// The end of these.
    Stopping(BTreeSet<ShardId>),
    /// The same, and then the end of all.
    RollingBack(BTreeSet<ShardId>, Outcome),
}

/// Whose guilds the step moves, and where to.
pub(super) fn sides(serving: &Serving, step: &Step) -> (Vec<ShardId>, Vec<ShardId>) {
    let home = |overlay: &[ShardId]| {
        let home = overlay
            .first()
            .and_then(|&it| serving.topology().home_of(it));
        home.into_iter().collect::<Vec<_>>()
    };
    match step.kind() {
        StepKind::Overlay => (home(step.start()), step.start().to_vec()),
        StepKind::Rejoin => (step.stop().to_vec(), home(step.stop())),
        StepKind::Split | StepKind::Merge | StepKind::Generation => {
            (step.stop().to_vec(), step.start().to_vec())
        }
    }
}

impl Taking {
    fn new(serving: &Serving, step: Step, after: Serving) -> Self {
        let (leave, join) = sides(serving, &step);
        Self {
            phase: Phase::Starting(join.iter().copied().collect()),
            step,
            after,
            leave,
            join,
            gone: BTreeSet::new(),
            settled: BTreeSet::new(),
        }
    }

    /// A step that another process was taking, as far as it had come; `None` if it fits nothing that serves.
    pub(super) fn at(serving: &Serving, step: Step, stage: Stage) -> Option<Self> {
        let after = match stage {
            Stage::Stopping => serving.clone(),
            _ => serving.after(&step).ok()?,
        };
        let mut taking = Self::new(serving, step, after);
        taking.phase = match stage {
            Stage::Starting => return Some(taking),
            Stage::Switching => Phase::Switching(taking.leave.iter().copied().collect()),
            Stage::Stopping => Phase::Stopping(taking.step.stop().iter().copied().collect()),
            Stage::RollingBack => {
                let started = taking.step.start().iter().copied().collect();
                Phase::RollingBack(started, Outcome::Aborted)
            }
            Stage::Committing | Stage::Between | Stage::Ended => return None,
        };
        Some(taking)
    }

    fn stays(&self) -> impl Iterator<Item = ShardId> {
        let stop = self.step.stop();
        let stays = self.leave.iter().filter(|shard| !stop.contains(shard));
        stays.copied()
    }
}

impl Reshard {
    /// Takes the next step, or ends, as far as nothing is waited for.
    pub(super) fn advance(&mut self) {
        while self.outcome.is_none() {
            match &self.taking {
                None if !self.settling.is_empty() && (self.is_aborted || self.left.is_empty()) => {
                    return;
                }
                None if self.is_aborted => self.end(Outcome::Aborted),
                None if self.left.is_empty() => self.end(Outcome::Done),
                None if self.is_paused || self.must_settle() => return,
                None => self.begin(),
                Some(taking) => {
                    let is_waiting = match &taking.phase {
                        Phase::Starting(waiting)
                        | Phase::Switching(waiting)
                        | Phase::Stopping(waiting)
                        | Phase::RollingBack(waiting, _) => !waiting.is_empty(),
                        Phase::Committing => true,
                    };
                    if is_waiting {
                        return;
                    }
                    self.next_phase();
                }
            }
        }
    }

    /// Whether the next step moves guilds of a session that still expects duplicates: it cannot be cut itself before.
    fn must_settle(&self) -> bool {
        let Some(step) = self.left.front() else {
            return false;
        };
        let is_touched = |shard: &ShardId| {
            let mut moved = step.stop().iter().chain(step.start());
            moved.any(|moved| moved.meets(*shard))
        };
        self.settling.iter().any(is_touched)
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.push(Output::Ended(outcome));
    }

    fn begin(&mut self) {
        let Some(step) = self.left.pop_front() else {
            return;
        };
        let after = match self.serving.after(&step) {
            Ok(after) => after,
            Err(error) => return self.end(Outcome::Unproven(error)),
        };
        let taking = Taking::new(&self.serving, step, after);
        let cutover = self.next;
        self.next += 1;
        for &shard in &taking.leave {
            self.outbox.push_back(Output::Leave { shard, cutover });
        }
        for &shard in &taking.join {
            let output = match taking.step.start().contains(&shard) {
                true => Output::Start { shard, cutover },
                false => Output::Join { shard, cutover },
            };
            self.outbox.push_back(output);
        }
        self.taking = Some(taking);
    }

    /// What was waited for is there.
    fn next_phase(&mut self) {
        let Some(mut taking) = self.taking.take() else {
            return;
        };
        taking.phase = match taking.phase {
            Phase::Starting(_) => {
                if !self.is_paused {
                    self.push(Output::Ask { is_on: true });
                }
                let is_there = |shard: &&ShardId| !taking.gone.contains(shard);
                Phase::Switching(taking.leave.iter().filter(is_there).copied().collect())
            }
            Phase::Switching(_) => {
                let join = taking.join.iter().copied();
                let settling = join.filter(|shard| !taking.settled.contains(shard));
                self.settling.extend(settling);
                self.serving = taking.after.clone();
                self.push(Output::Commit);
                Phase::Committing
            }
            Phase::Committing => {
                for shard in taking.stays() {
                    self.outbox.push_back(Output::Stay { shard });
                }
                let stop: BTreeSet<_> = taking.step.stop().iter().copied().collect();
                for &shard in &stop {
                    self.outbox.push_back(Output::Stop { shard });
                }
                Phase::Stopping(stop)
            }
            Phase::Stopping(_) => {
                self.taken += 1;
                return;
            }
            Phase::RollingBack(_, outcome) => return self.end(outcome),
        };
        self.taking = Some(taking);
    }

    pub(super) fn ready(&mut self, shard: ShardId) {
        if let Some(Phase::Starting(waiting)) = self.taking.as_mut().map(|taking| &mut taking.phase)
        {
            waiting.remove(&shard);
        }
    }

    pub(super) fn left(&mut self, shard: ShardId) {
        if let Some(Phase::Switching(waiting)) =
            self.taking.as_mut().map(|taking| &mut taking.phase)
        {
            waiting.remove(&shard);
        }
    }

    /// It may be known before the last guild is said to have left.
    pub(super) fn settled(&mut self, shard: ShardId) {
        self.settling.remove(&shard);
        if let Some(taking) = &mut self.taking {
            taking.settled.insert(shard);
        }
    }

    pub(super) fn committed(&mut self) {
        if matches!(
            self.taking.as_ref().map(|taking| &taking.phase),
            Some(Phase::Committing)
        ) {
            self.next_phase();
        }
    }

    pub(super) fn ended(&mut self, shard: ShardId) {
        self.settling.remove(&shard);
        let Some(taking) = &mut self.taking else {
            return;
        };
        let is_new = taking.step.start().contains(&shard);
        if !is_new {
            taking.gone.insert(shard);
        }
        match &mut taking.phase {
            Phase::Starting(_) | Phase::Switching(_) if is_new => {
                self.roll_back(Outcome::Refused(shard));
            }
            Phase::Switching(waiting)
            | Phase::Stopping(waiting)
            | Phase::RollingBack(waiting, _) => {
                waiting.remove(&shard);
            }
            Phase::Starting(_) | Phase::Committing => {}
        }
    }

    /// The old sessions serve on, the new ones are closed.
    pub(super) fn roll_back(&mut self, why: Outcome) {
        let Some(mut taking) = self.taking.take() else {
            return;
        };
        let is_new = |shard: &&ShardId| taking.step.start().contains(shard);
        let stay = taking.join.iter().filter(|shard| !is_new(shard));
        for &shard in taking.leave.iter().chain(stay) {
            self.push(Output::Stay { shard });
        }
        for &shard in taking.step.start() {
            self.push(Output::Stop { shard });
        }
        let started = taking.step.start().iter().copied().collect();
        taking.phase = Phase::RollingBack(started, why);
        self.taking = Some(taking);
    }
}
