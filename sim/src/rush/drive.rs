//! The scheduler, the network and a user, in one virtual time.

use std::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use shardkeep_core::rest::{
    Auth, Config, Failure, Input, Output, Priority, RequestId, Scheduler, Submit,
};
use shardkeep_core::wire::rate_limit::RateLimit;
use shardkeep_core::{Instant, Machine};

use super::check::{Ending, Report};
use super::{Plan, Scene, Wanted};
use crate::rest::{Delivery, Network, Request};

/// The credentials of every request.
const AUTH: Auth = Auth(1);

/// How long a run may take: what is not finished by then never will be.
const PATIENCE: Duration = Duration::from_secs(3 * 3_600);

/// How long everything rests after the scouts, so that every window is full again.
const REST: Duration = Duration::from_secs(30);

/// One run.
pub(super) struct Drive<'a> {
    scene: &'a Scene,
    plan: Plan,
    scheduler: Scheduler,
    network: Network,
    now: Instant,
    /// What the user does, in order of time: submit or cancel.
    agenda: BTreeSet<(Instant, bool, u64)>,
    requests: BTreeMap<u64, &'a Wanted>,
    /// Numbers on the wire: each sending has its own.
    flying: BTreeMap<u64, RequestId>,
    sendings: u64,
    started: Instant,
    endings: Vec<Ending>,
    open: BTreeMap<u64, Instant>,
    sent_first: BTreeMap<u64, Instant>,
    faults: Vec<String>,
    longest_interaction: Duration,
}

impl<'a> Drive<'a> {
    pub(super) fn new(scene: &'a Scene, plan: Plan) -> Self {
        let mut config = Config::default();
        config.global_limit = scene.global;
        config.max_in_flight = 384;
        config.reserved_in_flight = 128;
        config.queue_size = 5_000;
        config.seed = plan.seed;
        Self {
            scene,
            plan,
            scheduler: Scheduler::new(config, Instant::ZERO),
            network: Network::new(scene.config.clone(), plan.seed),
            now: Instant::ZERO,
            agenda: BTreeSet::new(),
            requests: BTreeMap::new(),
            flying: BTreeMap::new(),
            sendings: 0,
            started: Instant::ZERO,
            endings: Vec::new(),
            open: BTreeMap::new(),
            sent_first: BTreeMap::new(),
            faults: Vec::new(),
            longest_interaction: Duration::ZERO,
        }
    }

    pub(super) fn finish(mut self) -> Report {
        let scene = self.scene;
        if !scene.scouts.is_empty() {
            self.plan_for(&scene.scouts, 0);
            self.work();
            self.started = self.now + REST;
        }
        let first = u64::try_from(scene.scouts.len()).unwrap_or(u64::MAX);
        self.plan_for(&scene.wanted, first);
        self.work();
        for id in self.open.keys() {
            let explanation = self.scheduler.explain(RequestId(*id));
            self.faults
                .push(format!("request {id} never ended: {explanation:?}"));
        }
        let since = self.started.as_micros();
        let best = self.best();
        Report::new(
            self.plan,
            &self.scheduler,
            self.network.limits(),
            self.endings,
            self.faults,
            self.longest_interaction,
            (since, best),
        )
    }

    /// When the last request of the race could have been let through at the earliest.
    fn best(&self) -> Instant {
        let requests: Vec<Request<'_>> = (0..)
            .zip(&self.scene.wanted)
            .map(|(id, wanted)| {
                let at = self.started + wanted.at;
                Request::new(id, wanted.method, &wanted.path, at)
            })
            .collect();
        self.network.limits().best_finish(&requests).finish
    }

    fn plan_for(&mut self, wanted: &'a [Wanted], first: u64) {
        for (id, wanted) in (first..).zip(wanted) {
            let at = self.started + wanted.at;
            self.agenda.insert((at, false, id));
            if let Some(after) = wanted.cancel_after {
                self.agenda.insert((at + after, true, id));
            }
            self.requests.insert(id, wanted);
        }
    }

    fn work(&mut self) {
        loop {
            self.listen();
            let next = [
                self.agenda.first().map(|&(at, ..)| at),
                self.network.poll_timeout(),
                self.scheduler.poll_timeout().map(|timeout| timeout.at),
            ];
            let is_done = self.agenda.is_empty() && self.open.is_empty() && self.flying.is_empty();
            let Some(at) = next.into_iter().flatten().min().filter(|_| !is_done) else {
                return;
            };
            if at.since(self.started) > PATIENCE {
                return;
            }
            self.now = self.now.max(at);
            self.step();
        }
    }

    fn step(&mut self) {
        self.network.handle_timeout(self.now);
        while let Some(delivery) = self.network.poll_output() {
            self.deliver(&delivery);
        }
        while let Some(&(at, is_cancel, id)) = self.agenda.first() {
            if at > self.now {
                break;
            }
            self.agenda.remove(&(at, is_cancel, id));
            if is_cancel {
                self.listen();
                // It may be finished already: that is no mistake of anybody's.
                let cancel = Input::Cancel { id: RequestId(id) };
                let _ = self.scheduler.handle_input(self.now, cancel);
            } else {
                self.submit(id);
            }
        }
        self.listen();
        let due = self.scheduler.poll_timeout();
        if due.is_some_and(|due| due.at <= self.now) {
            self.scheduler.handle_timeout(self.now);
            self.listen();
            let again = self.scheduler.poll_timeout();
            if again == due {
                self.faults.push(format!(
                    "a timeout that is never over: {again:?} at {}",
                    self.now
                ));
                self.open.clear();
                self.agenda.clear();
            }
        }
    }

    fn submit(&mut self, id: u64) {
        let wanted = self.requests[&id];
        let method = wanted
            .method
            .parse()
            .expect("the scene names methods that exist");
        let mut submit = Submit::new(RequestId(id), AUTH, method, &wanted.path);
        submit.priority = wanted.priority;
        submit.class = wanted.class;
        submit.deadline = wanted.deadline.map(|at| self.started + at);
        self.open.insert(id, self.now);
        // Nothing is asked for yet: of all that comes at one moment, those go first who should.
        if self
            .scheduler
            .handle_input(self.now, Input::Submit(submit))
            .is_err()
        {
            self.faults.push(format!("request {id} was no request"));
        }
    }

    fn deliver(&mut self, delivery: &Delivery) {
        let Some(id) = self.flying.remove(&delivery.id) else {
            return;
        };
        let fed = match &delivery.reply {
            None => self.scheduler.handle_input(
                self.now,
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
                self.scheduler.handle_input(
                    self.now,
                    Input::Response {
                        id,
                        status: reply.status,
                        limit,
                        body: &reply.body,
                    },
                )
            }
        };
        if fed.is_err() {
            self.faults.push(format!("{id} was not in flight"));
        }
    }

    /// Does what the scheduler says.
    fn listen(&mut self) {
        while let Some(output) = self.scheduler.poll_output() {
            match output {
                Output::Send { id, .. } => self.send(id),
                Output::Deliver { id } | Output::Share { id, .. } => self.end(id, None),
                Output::Refuse { id, why, .. } => self.end(id, Some(why)),
                _ => {}
            }
        }
    }

    fn send(&mut self, id: RequestId) {
        let wanted = self.requests[&id.0];
        if self.flying.values().any(|other| *other == id) {
            self.faults.push(format!("{id} was sent twice at once"));
        }
        self.sendings += 1;
        self.flying.insert(self.sendings, id);
        if !self.sent_first.contains_key(&id.0) {
            self.sent_first.insert(id.0, self.now);
            if wanted.priority == Priority::Interaction {
                let waited = self.now.since(self.open[&id.0]);
                self.longest_interaction = self.longest_interaction.max(waited);
            }
        }
        let mut request = Request::new(self.sendings, wanted.method, &wanted.path, self.now);
        request.body = wanted.body;
        self.network.send(self.now, &request);
    }

    fn end(&mut self, id: RequestId, refusal: Option<shardkeep_core::rest::Refusal>) {
        match self.open.remove(&id.0) {
            None => self.faults.push(format!("{id} ended twice")),
            Some(submitted) => self.endings.push(Ending {
                waited: self.now.since(submitted),
                refusal,
            }),
        }
    }
}
