//! A change of shards over all processes, for whoever asks for it or watches it.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use shardkeep_core::fleet::lease::View;
use shardkeep_core::fleet::reshard::Outcome;
use shardkeep_core::fleet::reshard::across::{Course, Leader};
use shardkeep_core::fleet::{
    Facts, Plan, PlanError, Serving, SessionStartLimit, Shards, Step, Target,
};
use tokio::sync::watch;

use super::Running;
use crate::bot::reshard::{Request, ReshardError, ReshardReport, ReshardStatus, Resharding};
use crate::clock;

/// A change as this process's user sees it.
pub(super) struct Follow {
    /// Which change: when it began.
    began_ms: u64,
    status: watch::Sender<ReshardStatus>,
    report: watch::Sender<Option<Arc<ReshardReport>>>,
}

impl Follow {
    fn new(course: &Course) -> Self {
        Self {
            began_ms: course.began_ms,
            status: watch::Sender::new(ReshardStatus::default()),
            report: watch::Sender::new(None),
        }
    }
}

/// What a process says of itself, as far as a plan needs it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    pub(super) ready: u64,
    pub(super) guilds: u64,
}

/// Everybody's together.
pub(super) fn lines(view: &View) -> Line {
    let members = view.members.iter();
    let lines = members.filter_map(|member| serde_json::from_str::<Line>(&member.status).ok());
    lines.fold(Line::default(), |sum, line| Line {
        ready: sum.ready + line.ready,
        guilds: sum.guilds + line.guilds,
    })
}

fn fill(status: &mut ReshardStatus, course: &Course, leader: Option<&Leader>) {
    status.from.clone_from(&course.from);
    status.to = match course.target {
        Target::Shards(total) | Target::Generation(total) => total.to_string(),
        _ => course.sessions().to_string(),
    };
    (status.steps, status.steps_taken) = (course.steps, course.taken);
    let step = course.step.as_ref();
    status.step = step.map_or_else(String::new, ToString::to_string);
    status.stage = course.stage.name();
    (status.guilds, status.guilds_switched) = leader.map_or((0, 0), Leader::guilds);
    status.paused = course.is_paused;
    let ended = course.ended.as_ref();
    status.outcome = ended.map(|ended| ended.outcome.clone());
    let so_far = clock::unix_ms().saturating_sub(course.began_ms);
    status.elapsed_ms = ended.map_or(so_far, |ended| ended.took_ms);
}

impl Running {
    /// Whoever has a register of shards needs a look at the fleet first. `None` if the request waits for that.
    pub(in crate::bot::fleet) fn asked_across(&mut self, request: Request) -> Option<Request> {
        let Some(crew) = &mut self.crew else {
            return Some(request);
        };
        crew.across.requests.push(request);
        crew.holder.ask_for_view();
        None
    }

    pub(super) fn answer_requests(&mut self, view: &View) {
        let Some(crew) = &mut self.crew else {
            return;
        };
        let asks = &mut crew.across.asks_limits;
        let is_missing = view.account.is_none() && !crew.across.requests.is_empty();
        if is_missing && !std::mem::replace(asks, true) {
            // A fleet that only ever resumed has not asked Discord yet.
            return self.fetch_limits();
        }
        *asks = false;
        for request in std::mem::take(&mut crew.across.requests) {
            let answer = match self.plan_across(view, request.target) {
                Err(error) => Err(error),
                Ok(plan) if request.dry_run => Ok((plan, None)),
                Ok(plan) => self.may_change(view, &plan).map(|()| {
                    let change = self.lead(view, &plan);
                    (plan, change)
                }),
            };
            // Who asked may have gone; what has begun goes on.
            let _unheard = request.answer.send(answer);
        }
    }

    fn facts(&self, view: &View) -> Result<Facts, ReshardError> {
        let account = view.account.ok_or(ReshardError::TooEarly)?;
        let mut facts = Facts::new(SessionStartLimit {
            total: account.total,
            remaining: account.remaining,
            reset_after_ms: account.resets_in_ms,
            max_concurrency: account.max_concurrency,
        });
        let config = &self.driver.config.identify;
        facts.reserve = config.reserve;
        facts.margin = Duration::from_millis(config.margin_ms);
        facts.recommended = self.recommended;
        Ok(facts)
    }

    pub(super) fn plan_across(&self, view: &View, target: Target) -> Result<Plan, ReshardError> {
        let Ok(Shards::Fixed(sessions)) = view.topology.parse() else {
            return Err(ReshardError::TooEarly);
        };
        let open = view.course.as_deref().and_then(Course::read);
        if open.is_some_and(|course| course.is_open()) {
            return Err(ReshardError::Busy);
        }
        let serving = Serving::of_sessions(&sessions);
        let serving = serving.map_err(|error| ReshardError::Unserved(error.to_string()))?;
        let mut facts = self.facts(view)?;
        facts.guilds = Some(lines(view).guilds);
        facts.overlays = serving.overlays().to_vec();
        Ok(Plan::new(serving.topology(), target, &facts)?)
    }

    /// Whether every shard has a session, and there is room for those that are to come.
    pub(super) fn may_change(&self, view: &View, plan: &Plan) -> Result<(), ReshardError> {
        let crew = self.crew.as_ref();
        if crew.is_none_or(|crew| crew.across.leader.is_some()) {
            return Err(ReshardError::Busy);
        }
        let sessions = plan.before().sessions() as u64;
        let missing = sessions.saturating_sub(lines(view).ready);
        if missing > 0 {
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            return Err(ReshardError::Disconnected(missing));
        }
        let members = view.members.iter().filter(|member| !member.is_leaving);
        let room = members.map(|member| u64::from(member.capacity)).sum();
        let needed = u64::from(plan.estimate().peak_sessions);
        match needed > room {
            true => Err(ReshardError::Capacity { needed, room }),
            false => Ok(()),
        }
    }

    /// Begins a change, and leads it.
    pub(super) fn lead(&mut self, view: &View, plan: &Plan) -> Option<Resharding> {
        let crew = self.crew.as_mut()?;
        tracing::info!(%plan, "changing shards over all processes");
        let unix_ms = clock::unix_ms();
        // Microseconds of Unix time: a number that no cutover had.
        let cutover = unix_ms.saturating_mul(1_000);
        let leader = Leader::begin(crew.holder.instance(), plan, cutover, view, unix_ms);
        let follow = Follow::new(leader.course());
        let (status, report) = (follow.status.subscribe(), follow.report.subscribe());
        self.driver.shared.set_resharding(Some(status.clone()));
        crew.across.follow = Some(follow);
        crew.across.leader = Some(leader);
        self.followed();
        let plan = Arc::new(plan.clone());
        Some(Resharding::new(plan, status, report, self.orders.clone()))
    }

    /// Leads on where another process stopped, if nobody does.
    pub(super) fn lead_on(&mut self, view: &View) {
        let Some(crew) = &mut self.crew else {
            return;
        };
        if !std::mem::take(&mut crew.across.wants_to_lead) || crew.across.leader.is_some() {
            return;
        }
        let course = view.course.as_deref().and_then(Course::read);
        let Some(mut course) = course.filter(Course::is_open) else {
            return;
        };
        let is_there = |member: &shardkeep_core::fleet::lease::MemberView| {
            member.instance == course.leader && !member.is_leaving
        };
        if view.members.iter().any(is_there) {
            return;
        }
        let left = self.steps_left(view, &course);
        // What is taken back then, or taken to its end, is for the machine to say.
        course.is_aborted |= left.is_none();
        let left = left.unwrap_or_default();
        let Some(crew) = &mut self.crew else {
            return;
        };
        tracing::info!(
            steps = left.len(),
            "leading a change of shards whose leader has gone"
        );
        let me = crew.holder.instance();
        let leader = Leader::take_over(me, course, left, view, clock::unix_ms());
        crew.across.leader = Some(leader);
    }

    /// What is left of a change after its present step; `None` if there is no way any more.
    fn steps_left(&self, view: &View, course: &Course) -> Option<Vec<Step>> {
        let Target::Shards(_) = course.target else {
            return Some(Vec::new());
        };
        let after = match &course.step {
            Some(step) => course
                .serving
                .after(step)
                .unwrap_or_else(|_| course.serving.clone()),
            None => course.serving.clone(),
        };
        let plan = self.facts(view).and_then(|mut facts| {
            facts.overlays = after.overlays().to_vec();
            Ok(Plan::new(after.topology(), course.target, &facts)?)
        });
        match plan {
            Ok(plan) => Some(plan.steps().to_vec()),
            Err(ReshardError::Plan(PlanError::NothingToDo)) => Some(Vec::new()),
            Err(error) => {
                tracing::warn!(%error, "the change of shards ends with its present step");
                None
            }
        }
    }

    /// The user sees how far it has come.
    pub(super) fn followed(&mut self) {
        let Some(crew) = &mut self.crew else {
            return;
        };
        let across = &mut crew.across;
        let led = across.leader.as_ref().map(Leader::course);
        let Some(course) = led.or_else(|| across.parts.known()).cloned() else {
            return;
        };
        let is_followed = |follow: &Follow| follow.began_ms == course.began_ms;
        if !across.follow.as_ref().is_some_and(is_followed) {
            if !course.is_open() {
                return;
            }
            let follow = Follow::new(&course);
            let status = follow.status.subscribe();
            self.driver.shared.set_resharding(Some(status));
            across.follow = Some(follow);
        }
        let leader = across.leader.as_ref();
        if let Some(follow) = &across.follow {
            follow
                .status
                .send_modify(|status| fill(status, &course, leader));
        }
        let is_known = leader.is_none_or(Leader::is_over);
        let Some(ended) = course.ended.as_ref().filter(|_| is_known) else {
            return;
        };
        let outcome = leader
            .and_then(Leader::outcome)
            .unwrap_or(match ended.is_done {
                true => Outcome::Done,
                false => Outcome::Aborted,
            });
        tracing::info!(serving = %course.serving, %outcome, "the change of shards has ended");
        let report = ReshardReport::across(&course, ended, outcome);
        if let Some(follow) = across.follow.take() {
            follow.report.send_replace(Some(Arc::new(report)));
        }
        let dropped = across.letters_dropped();
        if dropped > 0 {
            tracing::info!(
                dropped,
                "letters of the change were dropped, and said again"
            );
        }
        across.leader = None;
        self.driver.shared.set_resharding(None);
    }
}
