//! Leading a change of shards over several processes: from the operator's wish, or from where another process stopped.

use shardkeep_core::fleet::lease::{MemberView, View};
use shardkeep_core::fleet::reshard::across::{Course, Leader};
use shardkeep_core::fleet::{Facts, Plan, PlanError, SessionStartLimit, Step, Target};

use super::process::Process;
use super::stage::Stage;

impl Stage<'_> {
    /// The operator's wish, once it is known who holds what.
    pub(super) fn answer_operator(&mut self, by: usize, view: &View) {
        let Some(total) = self.crew(by).and_then(|crew| crew.wanted.take()) else {
            return;
        };
        let open = view.course.as_deref().and_then(Course::read);
        let is_busy = open.is_some_and(|course| course.is_open());
        let process = &self.processes[by];
        let Some(serving) = process.serving.clone() else {
            return;
        };
        let is_served = serving.topology().shards().iter().all(|&shard| {
            let mut there = self.processes.iter();
            there.any(|process| process.is_established(shard))
        });
        if self.wanted != Some(total) || is_busy || !is_served {
            return;
        }
        match self
            .facts(view)
            .map(|facts| Plan::new(serving.topology(), Target::Shards(total), &facts))
        {
            // Who cannot know what is left of the day does not get his plan. Where nobody identifies, nobody asks.
            None if self.is_calm => self.wanted = None,
            None => {}
            Some(Ok(plan)) => self.lead(by, view, &plan),
            Some(Err(error)) => {
                self.tell(|_| format!("{by} does not change to {total} shards: {error}"));
                self.wanted = None;
            }
        }
    }

    fn facts(&self, view: &View) -> Option<Facts> {
        let account = view.account?;
        let mut facts = Facts::new(SessionStartLimit {
            total: account.total,
            remaining: account.remaining,
            reset_after_ms: account.resets_in_ms,
            max_concurrency: account.max_concurrency,
        });
        facts.reserve = self.scene.reserve;
        facts.guilds = Some(u64::from(self.scene.guilds));
        facts.recommended = Some(self.scene.shards);
        Some(facts)
    }

    fn lead(&mut self, by: usize, view: &View, plan: &Plan) {
        self.tell(|_| format!("{by} changes from {} to {}", plan.before(), plan.after()));
        self.wanted = None;
        self.report.changes += 1;
        let runs = |process: &&Process| {
            process.is_alive && process.slots.values().any(|slot| slot.shard.is_some())
        };
        self.report.changes_across += u64::from(self.processes.iter().filter(runs).count() > 1);
        let unix_ms = self.unix_ms();
        let process = &mut self.processes[by];
        if let (Some(crew), Some(holder)) = (&mut process.crew, &process.holder) {
            // Microseconds of Unix time: a number that no cutover had.
            let cutover = unix_ms * 1_000;
            let leader = Leader::begin(holder.instance(), plan, cutover, view, unix_ms);
            crew.leader = Some(leader);
        }
    }

    /// Leads on where another process stopped, if nobody does.
    pub(super) fn lead_on(&mut self, by: usize, view: &View) {
        let Some(crew) = self.crew(by) else {
            return;
        };
        if !std::mem::take(&mut crew.wants_to_lead) || crew.leader.is_some() {
            return;
        }
        let course = view.course.as_deref().and_then(Course::read);
        let Some(course) = course.filter(Course::is_open) else {
            return;
        };
        let is_there = |member: &MemberView| member.instance == course.leader && !member.is_leaving;
        if view.members.iter().any(is_there) {
            return;
        }
        let left = self.steps_left(view, &course);
        self.tell(|_| format!("{by} leads on: {} steps are left", left.len()));
        self.report.led_on += 1;
        let unix_ms = self.unix_ms();
        let process = &mut self.processes[by];
        if let (Some(crew), Some(holder)) = (&mut process.crew, &process.holder) {
            let leader = Leader::take_over(holder.instance(), course, left, view, unix_ms);
            crew.leader = Some(leader);
        }
    }

    /// What is left of a change after its present step.
    fn steps_left(&self, view: &View, course: &Course) -> Vec<Step> {
        let after = course.step.as_ref();
        let after = after.and_then(|step| course.serving.after(step).ok());
        let after = after.unwrap_or_else(|| course.serving.clone());
        let plan = self.facts(view).map(|mut facts| {
            facts.overlays = after.overlays().to_vec();
            Plan::new(after.topology(), course.target, &facts)
        });
        plan.and_then(Result::<Plan, PlanError>::ok)
            .map_or_else(Vec::new, |plan| plan.steps().to_vec())
    }
}
