//! Whoever leads a change: its steps, as values for the register.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::fleet::cutover::{Account, Counts};
use crate::fleet::lease::View;
use crate::fleet::plan::{Plan, Step};
use crate::fleet::reshard::Reshard;
use crate::fleet::reshard::io::{Input, Outcome, Output, Stage};
use crate::fleet::topology::Topology;
use crate::id::ShardId;

use super::course::{Course, Ended, Role};
use super::letter::{Report, Steer};

/// What the register is to hold from now on, if it has not changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retarget {
    /// The revision that it must have.
    pub expected: u64,
    /// The sessions that are leased.
    pub sessions: Topology,
    /// The course, as [`Course::write`] gives it.
    pub course: String,
}

/// The process that leads a change. The [module](super) tells what it does.
#[derive(Clone, Debug)]
pub struct Leader {
    reshard: Reshard,
    /// The course as it is to be.
    course: Course,
    /// The register's revision.
    revision: u64,
    /// How many permits to identify it has given, as far as is known.
    permits: u64,
    /// Whether the register is to be told, and whether it is being told now.
    is_due: bool,
    is_asked: bool,
    /// What the register is being told: the first time that a step's end is.
    is_committing: bool,
    reports: BTreeMap<ShardId, Report>,
    /// Of each part in each cutover, what became of its events.
    counts: BTreeMap<(u64, ShardId), (Role, Counts)>,
}

impl Leader {
    /// Begins a change. Each step's cutover has a number of its own, from `cutover` on: none that was used before, such
    /// as microseconds of Unix time. `me` is this process's instance in the register.
    #[must_use]
    pub fn begin(me: &str, plan: &Plan, cutover: u64, view: &View, unix_ms: u64) -> Self {
        let course = Course {
            leader: me.to_owned(),
            target: plan.target(),
            from: plan.before().to_string(),
            serving: plan.before().clone(),
            stage: Stage::Between,
            step: None,
            cutover,
            is_prepared: false,
            may_ask: false,
            is_paused: false,
            is_aborted: false,
            steps: plan.steps().len(),
            taken: 0,
            began_ms: unix_ms,
            permits: view.permits,
            ended: None,
        };
        Self::with(Reshard::new(plan, cutover), course, view, unix_ms)
    }

    /// Leads on where another process stopped. `left` are the steps after the present one: those of a new plan from
    /// what will serve then to the course's target, none if there is no such plan any more.
    #[must_use]
    pub fn take_over(
        me: &str,
        mut course: Course,
        left: Vec<Step>,
        view: &View,
        unix_ms: u64,
    ) -> Self {
        me.clone_into(&mut course.leader);
        let reshard = Reshard::go_on(&course, left);
        let mut leader = Self::with(reshard, course, view, unix_ms);
        leader.is_due = true;
        leader
    }

    fn with(reshard: Reshard, course: Course, view: &View, unix_ms: u64) -> Self {
        let mut leader = Self {
            reshard,
            course,
            revision: view.revision,
            permits: view.permits,
            is_due: false,
            is_asked: false,
            is_committing: false,
            reports: BTreeMap::new(),
            counts: BTreeMap::new(),
        };
        leader.follow(unix_ms);
        leader
    }

    /// The course as it is to be.
    #[must_use]
    pub const fn course(&self) -> &Course {
        &self.course
    }

    /// Whether the change has ended, and the register knows.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.course.ended.is_some() && !self.is_due && !self.is_asked
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.reshard.progress().outcome
    }

    /// How far a part is.
    pub fn report(&mut self, report: &Report, unix_ms: u64) {
        self.counts
            .insert((report.cutover, report.shard), (report.role, report.counts));
        let known = self.reports.get(&report.shard);
        let is_old = known
            .is_some_and(|known| (known.cutover, known.fencing) > (report.cutover, report.fencing));
        if is_old {
            return;
        }
        self.reports.insert(report.shard, report.clone());
        self.look(unix_ms);
    }

    /// Who holds which lease.
    pub fn look_at(&mut self, view: &View, unix_ms: u64) {
        self.permits = self.permits.max(view.permits);
        if self.is_due || self.is_asked || view.revision < self.revision {
            return;
        }
        let Some(step) = self.reshard.step().cloned() else {
            return;
        };
        let going = match self.reshard.progress().stage {
            Stage::Stopping => step.stop(),
            Stage::RollingBack => step.start(),
            _ => return,
        };
        let is_leased = |shard: ShardId| view.leases.iter().any(|lease| lease.shard == shard);
        for &shard in going.iter().filter(|shard| !is_leased(**shard)) {
            self.reshard.handle_input(Input::Ended { shard });
        }
        self.follow(unix_ms);
    }

    /// Somebody wants it paused, resumed or aborted.
    pub fn steer(&mut self, steer: Steer, unix_ms: u64) {
        self.reshard.handle_input(match steer {
            Steer::Pause => Input::Pause,
            Steer::Resume => Input::Resume,
            Steer::Abort => Input::Abort,
        });
        self.follow(unix_ms);
    }

    /// What the register is to be told now.
    pub fn poll_retarget(&mut self) -> Option<Retarget> {
        if !self.is_due || self.is_asked {
            return None;
        }
        self.is_due = false;
        self.is_asked = true;
        self.is_committing = self.reshard.progress().stage == Stage::Committing;
        Some(Retarget {
            expected: self.revision,
            sessions: self.course.sessions(),
            course: self.course.write(),
        })
    }

    /// What came of it, and which revision the register has now. If it was not done, and nobody else leads, it is said
    /// again.
    pub fn retargeted(&mut self, is_done: bool, revision: u64, unix_ms: u64) {
        self.is_asked = false;
        self.revision = revision;
        if !is_done {
            self.is_due = true;
        } else if core::mem::take(&mut self.is_committing) {
            self.reshard.handle_input(Input::Committed);
        }
        self.follow(unix_ms);
        self.look(unix_ms);
    }

    /// What the reports say of the present step.
    fn look(&mut self, unix_ms: u64) {
        let (leave, join) = self.course.sides();
        let cutover = self.course.cutover;
        let of = |shard: &ShardId| {
            let report = self.reports.get(shard);
            report.filter(|report| report.cutover == cutover)
        };
        let mut inputs = Vec::new();
        let (tellers, listeners) = self.course.tellers();
        let knows = |listener: &ShardId, teller: &ShardId| {
            let is_told = of(listener).is_some_and(|report| report.included.contains(teller));
            is_told || !listener.meets(*teller)
        };
        for &shard in &join {
            let Some(report) = of(&shard) else {
                continue;
            };
            let is_known = match tellers.contains(&shard) {
                true => report.is_ready && listeners.iter().all(|it| knows(it, &shard)),
                false => tellers.iter().all(|teller| knows(&shard, teller)),
            };
            if report.is_refused {
                inputs.push(Input::Ended { shard });
            } else if is_known {
                inputs.push(Input::Ready { shard });
            }
        }
        for &shard in &leave {
            if of(&shard).is_some_and(|report| report.has_left) {
                inputs.push(Input::Left { shard });
            }
        }
        // Those of earlier steps, too.
        let settled = self.reports.values().filter(|report| report.is_settled);
        inputs.extend(settled.map(|report| Input::Settled {
            shard: report.shard,
        }));
        for input in inputs {
            self.reshard.handle_input(input);
        }
        self.follow(unix_ms);
    }

    /// The course after what has happened.
    fn follow(&mut self, unix_ms: u64) {
        if self.course.ended.is_some() {
            // Whoever steers it now comes too late.
            return;
        }
        let mut next = self.course.clone();
        while let Some(output) = self.reshard.poll_output() {
            match output {
                Output::Leave { cutover, .. }
                | Output::Start { cutover, .. }
                | Output::Join { cutover, .. } => {
                    next.is_prepared &= next.cutover == cutover;
                    next.cutover = cutover;
                }
                // The rest is in the progress, and what follows from it every process does for itself.
                Output::Ask { .. }
                | Output::Commit
                | Output::Stop { .. }
                | Output::Stay { .. }
                | Output::Ended(_) => {}
            }
        }
        let progress = self.reshard.progress();
        next.stage = match progress.stage {
            // That the new sessions serve and that the old ones are closed is one change of the register.
            Stage::Committing => Stage::Stopping,
            stage => stage,
        };
        next.serving = self.reshard.serving().clone();
        next.step = self.reshard.step().cloned();
        if progress.stage == Stage::Starting {
            next.is_prepared |= self.is_prepared(&next);
        }
        next.may_ask = progress.stage == Stage::Switching && !progress.is_paused;
        (next.is_paused, next.is_aborted) = (progress.is_paused, progress.is_aborted);
        (next.steps, next.taken) = (progress.steps, progress.taken);
        if let Some(outcome) = progress.outcome
            && next.ended.is_none()
        {
            next.ended = Some(Ended {
                outcome: outcome.to_string(),
                is_done: outcome == Outcome::Done,
                account: self.account(),
                identifies: self.permits.saturating_sub(next.permits),
                took_ms: unix_ms.saturating_sub(next.began_ms),
            });
        }
        if next != self.course {
            self.course = next;
            self.is_due = true;
        }
    }

    /// Whether every session that leaves has its part.
    fn is_prepared(&self, course: &Course) -> bool {
        let (leave, _) = course.sides();
        leave.iter().all(|shard| {
            let report = self.reports.get(shard);
            report.is_some_and(|report| report.cutover == course.cutover)
        })
    }

    /// Both sides' accounts, over all guilds, as far as reports came.
    #[must_use]
    pub fn account(&self) -> Account {
        let mut account = Account::default();
        for (role, counts) in self.counts.values() {
            match role {
                Role::Leaving => account.old += *counts,
                Role::Joining => account.new += *counts,
            }
        }
        account
    }

    /// Guilds that the present step moves, and how many of them have switched, as far as reports came.
    #[must_use]
    pub fn guilds(&self) -> (usize, usize) {
        let (leave, _) = self.course.sides();
        let reports = leave.iter().filter_map(|shard| self.reports.get(shard));
        let of_step = reports.filter(|report| report.cutover == self.course.cutover);
        of_step.fold((0, 0), |(guilds, switched), report| {
            (guilds + report.guilds, switched + report.switched)
        })
    }
}

/// For messages.
impl core::fmt::Display for Retarget {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let kept: String = self.sessions.to_string();
        write!(f, "sessions {kept} after revision {}", self.expected)
    }
}
