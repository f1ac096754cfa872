//! The members, the ledger, the network and their users, in one virtual time.

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use shardkeep_core::rest::{Failure, Input, Output, RequestId, Submit};
use shardkeep_core::wire::rate_limit::RateLimit;
use shardkeep_core::{Instant, Machine, Rng};

use super::draw::CrewPlan;
use super::member::{AUTH, Member};
use super::post::Words;
use super::{CrewReport, Ledger, Mishap};
use crate::rest::{Delivery, Network, Request};

/// How long a run may take: what is not finished by then never will be.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What happens at a moment, beside network and timeouts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    Submit(u64),
    Cancel(u64),
    /// A mishap begins, by its place in the plan, or ends.
    Begins(usize),
    Ends(usize),
    /// The words of a member's exchange reach the ledger.
    Asked(u64),
    Answered(u64),
    TimedOut(u64),
}

/// Where a request stands in the plan.
fn place(id: u64) -> usize {
    usize::try_from(id).expect("requests are numbered by their places")
}

pub(super) struct World<'a> {
    pub(super) plan: &'a CrewPlan,
    pub(super) ledger: &'a mut dyn Ledger,
    pub(super) members: Vec<Member>,
    network: Network,
    pub(super) now: Instant,
    agenda: BTreeSet<(Instant, u64, Happening)>,
    pub(super) serial: u64,
    pub(super) words: BTreeMap<u64, Words>,
    /// Who sent what is on the wire.
    senders: BTreeMap<u64, usize>,
    pub(super) rng: Rng,
    pub(super) report: CrewReport,
}

impl<'a> World<'a> {
    pub(super) fn new(plan: &'a CrewPlan, ledger: &'a mut dyn Ledger) -> Self {
        let members = (0..plan.members)
            .map(|at| Member::new(at, plan.scene.global, plan.seed + at as u64, Instant::ZERO))
            .collect();
        let mut world = Self {
            plan,
            ledger,
            members,
            network: Network::new(plan.scene.config.clone(), plan.seed),
            now: Instant::ZERO,
            agenda: BTreeSet::new(),
            serial: 0,
            words: BTreeMap::new(),
            senders: BTreeMap::new(),
            rng: Rng::new(plan.seed ^ 0xbeef),
            report: CrewReport {
                seed: plan.seed,
                members: plan.members,
                ..CrewReport::default()
            },
        };
        for (id, wanted) in (0..).zip(&plan.scene.wanted) {
            let at = Instant::ZERO + wanted.at;
            world.plan_for(at, Happening::Submit(id));
            if let Some(after) = wanted.cancel_after {
                world.plan_for(at + after, Happening::Cancel(id));
            }
        }
        for (index, &(at, _)) in plan.mishaps.iter().enumerate() {
            world.plan_for(Instant::ZERO + at, Happening::Begins(index));
        }
        world
    }

    pub(super) fn plan_for(&mut self, at: Instant, what: Happening) {
        self.serial += 1;
        self.agenda.insert((at, self.serial, what));
    }

    pub(super) fn finish(mut self) -> CrewReport {
        let mut steps = 0_u64;
        loop {
            for at in 0..self.members.len() {
                self.listen(at);
            }
            let is_work = self.members.iter().any(|member| !member.open.is_empty());
            let is_planned = self
                .agenda
                .iter()
                .any(|(.., what)| matches!(what, Happening::Submit(_) | Happening::Begins(_)));
            let next = [
                self.agenda.first().map(|&(at, ..)| at),
                self.network.poll_timeout(),
                self.members.iter().filter_map(Member::next).min(),
            ];
            let next = next.into_iter().flatten().min();
            let Some(at) = next.filter(|_| is_work || is_planned) else {
                break;
            };
            steps += 1;
            if at.since(Instant::ZERO) > PATIENCE || steps > 400_000 {
                break;
            }
            self.now = self.now.max(at);
            self.step();
        }
        self.conclude()
    }

    fn conclude(mut self) -> CrewReport {
        for (at, member) in self.members.iter_mut().enumerate() {
            for id in member.open.keys() {
                let explanation = member.scheduler.explain(RequestId(*id));
                self.report.faults_found.push(format!(
                    "request {id} of member {at} never ended: {explanation:?}"
                ));
            }
            member.crash();
            self.report.on_share += member.past.on_share;
            self.report.exchanges += member.past.exchanges;
            self.report.aways += member.past.aways;
            self.report.rejoined += member.past.rejoined;
        }
        self.report.judge(self.network.limits());
        self.report
    }

    fn step(&mut self) {
        self.network.handle_timeout(self.now);
        while let Some(delivery) = self.network.poll_output() {
            self.deliver(&delivery);
        }
        while let Some((at, ..)) = self.agenda.first()
            && *at <= self.now
        {
            let Some((_, _, what)) = self.agenda.pop_first() else {
                break;
            };
            self.happen(what);
        }
        for member in &mut self.members {
            if member.next().is_some_and(|at| at <= self.now) {
                let now = member.local(self.now);
                member.scheduler.handle_timeout(now);
            }
        }
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Submit(id) => self.submit(id),
            Happening::Cancel(id) => {
                let member = &mut self.members[self.plan.assigned[place(id)]];
                // It may be finished already, or its process gone.
                let _ =
                    member.is_alive && member.feed(self.now, Input::Cancel { id: RequestId(id) });
            }
            Happening::Begins(index) => self.begin(index),
            Happening::Ends(index) => self.end_of(index),
            Happening::Asked(number) => self.ask(number),
            Happening::Answered(number) => {
                let answer = self
                    .words
                    .get(&number)
                    .and_then(|words| words.answer.clone());
                self.hear(number, answer.as_deref());
            }
            Happening::TimedOut(number) => {
                self.hear(number, None);
            }
        }
    }

    fn submit(&mut self, id: u64) {
        let wanted = &self.plan.scene.wanted[place(id)];
        let member = &mut self.members[self.plan.assigned[place(id)]];
        if !member.is_alive {
            self.report.lost += 1;
            return;
        }
        let method = wanted
            .method
            .parse()
            .expect("the scene names methods that exist");
        let mut submit = Submit::new(RequestId(id), AUTH, method, &wanted.path);
        submit.priority = wanted.priority;
        submit.class = wanted.class;
        submit.deadline = wanted.deadline.map(|at| member.local(Instant::ZERO + at));
        member.open.insert(id, self.now);
        if !member.feed(self.now, Input::Submit(submit)) {
            self.report
                .faults_found
                .push(format!("request {id} was no request"));
        }
    }

    fn begin(&mut self, index: usize) {
        let (_, mishap) = self.plan.mishaps[index];
        let lasts = match mishap {
            Mishap::Outage { lasts, .. } | Mishap::CutOff { lasts, .. } => lasts,
            Mishap::Crash {
                member, back_after, ..
            } => {
                self.report.lost += self.members[member].crash() as u64;
                back_after
            }
        };
        self.plan_for(self.now + lasts, Happening::Ends(index));
    }

    fn end_of(&mut self, index: usize) {
        match self.plan.mishaps[index].1 {
            Mishap::Outage { is_lost: true, .. } => self.ledger.lose(),
            Mishap::Crash {
                member,
                under_new_name,
                ..
            } if !self.members[member].is_alive => {
                let seed = self.rng.next_u64() >> 12;
                let global = self.plan.scene.global;
                self.members[member].start(member, global, seed, self.now, under_new_name);
            }
            _ => {}
        }
    }

    /// Does what a scheduler says.
    fn listen(&mut self, at: usize) {
        if !self.members[at].is_alive {
            return;
        }
        while let Some(output) = self.members[at].scheduler.poll_output() {
            match output {
                Output::Send { id, .. } => self.send(at, id),
                Output::Deliver { id } | Output::Share { id, .. } => self.end(at, id, false),
                Output::Refuse { id, .. } => self.end(at, id, true),
                Output::Exchange => self.exchange(at),
                _ => {}
            }
        }
    }

    fn send(&mut self, at: usize, id: RequestId) {
        let wanted = &self.plan.scene.wanted[place(id.0)];
        self.serial += 1;
        let sending = self.serial;
        self.members[at].flying.insert(sending, id);
        self.senders.insert(sending, at);
        let mut request = Request::new(sending, wanted.method, &wanted.path, self.now);
        request.body = wanted.body;
        self.network.send(self.now, &request);
    }

    fn end(&mut self, at: usize, id: RequestId, is_refused: bool) {
        match self.members[at].open.remove(&id.0) {
            None => self.report.faults_found.push(format!("{id} ended twice")),
            Some(_) if is_refused => self.report.refused += 1,
            Some(_) => self.report.delivered += 1,
        }
    }

    fn deliver(&mut self, delivery: &Delivery) {
        let Some(at) = self.senders.remove(&delivery.id) else {
            return;
        };
        // Its process may be gone by now.
        let Some(id) = self.members[at].flying.remove(&delivery.id) else {
            return;
        };
        let now = self.now;
        let is_expected = match &delivery.reply {
            None => self.members[at].feed(
                now,
                Input::Failed {
                    id,
                    failure: Failure::Unanswered,
                },
            ),
            Some(reply) => {
                let headers = reply
                    .headers
                    .iter()
                    .map(|(name, value)| (AsRef::<str>::as_ref(name), value.as_bytes()));
                let limit = RateLimit::from_headers(headers);
                let (status, body) = (reply.status, &reply.body[..]);
                self.members[at].feed(
                    now,
                    Input::Response {
                        id,
                        status,
                        limit,
                        body,
                    },
                )
            }
        };
        if !is_expected {
            self.report
                .faults_found
                .push(format!("{id} was not in flight"));
        }
    }
}
