//! The bus between the processes of a fleet: letters are lost, late, and come twice.

use shardkeep_core::fleet::reshard::across::{Letter, Steer, To};

use super::draw::Mishap;
use super::happening::Happening;
use super::reshard::AGAIN;
use super::stage::Stage;

impl Stage<'_> {
    /// A letter sets out.
    pub(super) fn post(&mut self, from: usize, to: &To, letter: &Letter) {
        if self.now < self.processes[from].bus_cut_until {
            return;
        }
        let read = Letter::read(&letter.write());
        if read.as_ref() != Some(letter) {
            self.fault(format!("{letter:?} was read as {read:?}"));
        }
        for by in 0..self.processes.len() {
            let process = &self.processes[by];
            let holder = process.holder.as_ref();
            let is_for = match to {
                To::All => true,
                To::Process(name) => holder.is_some_and(|holder| holder.instance() == name),
            };
            if !is_for || !process.is_alive || self.goes_wrong(15) {
                continue;
            }
            if self.goes_wrong(30) {
                let way = self.way();
                self.plan_in(way, Happening::Letter(by, letter.clone()));
            }
            let way = self.way();
            self.plan_in(way, Happening::Letter(by, letter.clone()));
        }
    }

    /// A letter is there. Who knows of no change does not listen.
    pub(super) fn letter(&mut self, by: usize, letter: Letter) {
        let unix_ms = self.unix_ms();
        if self.now < self.processes[by].bus_cut_until {
            return;
        }
        let process = &mut self.processes[by];
        let (Some(crew), Some(holder)) = (&mut process.crew, &mut process.holder) else {
            return;
        };
        if !crew.is_changing() {
            return;
        }
        self.report.letters += 1;
        match (&letter, &mut crew.leader) {
            (Letter::Report(report), Some(leader)) => leader.report(report, unix_ms),
            (Letter::Steer(steer), Some(leader)) => leader.steer(*steer, unix_ms),
            (Letter::News { revision }, _) => {
                let known = holder.topology().map_or(0, |(known, _)| known);
                if *revision > known {
                    holder.look();
                }
            }
            _ => {}
        }
        crew.parts.letter(letter);
    }

    /// The operator wants another number of shards of a fleet, and asks one of its processes until he may.
    pub(super) fn reshard_fleet(&mut self, total: u32) {
        self.wanted = Some(total);
        self.has_asked = true;
        let again = Mishap::Reshard { total };
        self.plan_in(AGAIN, Happening::Mishap(again));
        let Some(by) = self.anybody() else {
            return;
        };
        let process = &mut self.processes[by];
        if let (Some(crew), Some(holder)) = (&mut process.crew, &mut process.holder) {
            crew.wanted = Some(total);
            holder.ask_for_view();
        }
        self.settle(by);
        self.wake_up(by);
    }

    /// The operator pauses, resumes or aborts it: where it is led, or by a letter.
    pub(super) fn steer_fleet(&mut self, steer: Steer) {
        let unix_ms = self.unix_ms();
        let Some(by) = self.anybody() else {
            return;
        };
        let Some(crew) = self.crew(by) else {
            return;
        };
        if let Some(leader) = &mut crew.leader {
            leader.steer(steer, unix_ms);
        } else if let Some(course) = crew.course() {
            let to = To::Process(course.leader.clone());
            self.post(by, &to, &Letter::Steer(steer));
        }
        self.settle(by);
        self.wake_up(by);
    }

    /// An operator whose word to go on was lost says it again.
    pub(super) fn resume_held(&mut self) {
        let mut crews = self
            .processes
            .iter()
            .filter_map(|process| process.crew.as_ref());
        if crews.any(|crew| crew.course().is_some_and(|course| course.is_paused)) {
            self.steer_fleet(Steer::Resume);
        }
    }

    /// A process that could be asked something.
    fn anybody(&mut self) -> Option<usize> {
        let now = self.now;
        let there = |&by: &usize| {
            let process = &self.processes[by];
            process.is_alive && !process.is_leaving && !process.is_paused(now)
        };
        let there: Vec<_> = (0..self.processes.len()).filter(there).collect();
        let nth = super::draw::below(&mut self.rng, there.len().max(1) as u64);
        there.get(nth).copied()
    }
}
