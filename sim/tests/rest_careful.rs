//! A slow and careful client: whatever the network does, no 429 that it gets may count as its fault.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use core::time::Duration;
use std::collections::BTreeMap;

use shardkeep_core::Rng;
use shardkeep_sim::Instant;
use shardkeep_sim::rest::{
    Delivery, FaultRate, Kind, Latency, Network, Reply, Request, RestConfig, RestFault, Rule,
    Scope, Sublimit,
};

/// Routes by method and template; `{}` is the channel.
const ROUTES: [(&str, &str, &str); 3] = [
    (
        "POST",
        "/channels/{}/messages",
        "/channels/{channel_id}/messages",
    ),
    (
        "PUT",
        "/channels/{}/pins/77",
        "/channels/{channel_id}/pins/{message_id}",
    ),
    ("GET", "/channels/{}", "/channels/{channel_id}"),
];

/// A request: which route, which channel.
type Job = (usize, u64);

/// What the client believes of a bucket: its hash (or its route, while the hash is not known) and its channel.
#[derive(Default)]
struct Belief {
    is_busy: bool,
    free_at: Instant,
}

struct Careful {
    network: Network,
    now: Instant,
    hashes: BTreeMap<usize, String>,
    beliefs: BTreeMap<(String, u64), Belief>,
    held: BTreeMap<Job, Instant>,
    /// When a request stops counting towards the global limit; `None` while it is under way.
    recent: BTreeMap<u64, Option<Instant>>,
    under_way: BTreeMap<u64, (Job, (String, u64))>,
    queue: Vec<Job>,
    global: usize,
    next: u64,
}

impl Careful {
    /// One request per bucket at a time, and one per route while its hash is not known.
    fn key(&self, (route, channel): Job) -> (String, u64) {
        match self.hashes.get(&route) {
            Some(hash) => (hash.clone(), channel),
            None => (format!("route {route}"), 0),
        }
    }

    fn send_what_may_go(&mut self) {
        let now = self.now;
        self.recent
            .retain(|_, until| until.is_none_or(|until| until > now));
        let mut at = 0;
        while at < self.queue.len() && self.recent.len() < self.global {
            let job = self.queue[at];
            let key = self.key(job);
            // What was told of a route and channel holds although its hash changes.
            let is_held = self.held.get(&job).is_some_and(|&until| until > now)
                || self.under_way.values().any(|(there, _)| *there == job);
            let belief = self.beliefs.entry(key.clone()).or_default();
            if is_held || belief.is_busy || belief.free_at > now {
                at += 1;
                continue;
            }
            belief.is_busy = true;
            self.queue.remove(at);
            self.next += 1;
            let (method, path, _) = ROUTES[job.0];
            let path = path.replace("{}", &job.1.to_string());
            self.network
                .send(now, &Request::new(self.next, method, &path, now));
            self.recent.insert(self.next, None);
            self.under_way.insert(self.next, (job, key));
        }
    }

    fn hear(&mut self, heard: &Delivery) {
        let now = self.now;
        self.recent
            .insert(heard.id, Some(now + Duration::from_secs(1)));
        let (job, key) = self.under_way.remove(&heard.id).unwrap();
        self.beliefs.get_mut(&key).unwrap().is_busy = false;
        let Some(reply) = &heard.reply else {
            return self.queue.push(job);
        };
        if let Some(hash) = reply.header("x-ratelimit-bucket") {
            self.hashes.insert(job.0, hash.to_owned());
            let belief = self.beliefs.entry((hash.to_owned(), job.1)).or_default();
            if reply.header("x-ratelimit-remaining") == Some("0") {
                let until = now + seconds(reply, "x-ratelimit-reset-after");
                belief.free_at = belief.free_at.max(until);
                self.held.insert(job, until);
            }
        }
        if reply.status == 429 {
            let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            let wait = Duration::from_secs_f64(body["retry_after"].as_f64().unwrap() + 0.001);
            let held = self.held.entry(job).or_default();
            *held = (*held).max(now + wait);
        }
        if reply.status != 200 && reply.status != 204 {
            self.queue.push(job);
        }
    }

    fn run(&mut self) {
        loop {
            self.send_what_may_go();
            let timers = self.beliefs.values().map(|belief| belief.free_at);
            let timers = timers.chain(self.held.values().copied());
            let timers = timers.chain(self.recent.values().filter_map(|until| *until));
            let next = timers
                .filter(|&at| at > self.now)
                .chain(self.network.poll_timeout())
                .min();
            let Some(next) = next.filter(|_| !self.queue.is_empty() || !self.under_way.is_empty())
            else {
                return;
            };
            self.now = self.now.max(next);
            self.network.handle_timeout(self.now);
            while let Some(heard) = self.network.poll_output() {
                self.hear(&heard);
            }
        }
    }
}

fn seconds(reply: &Reply, name: &str) -> Duration {
    Duration::from_secs_f64(reply.header(name).unwrap().parse().unwrap())
}

fn rule(rng: &mut Rng, at: usize, first: Option<&Rule>) -> Rule {
    let mut some = |bound: u64| rng.below(bound);
    let (method, _, path) = ROUTES[at];
    let kind = [Kind::Fixed, Kind::Leaky, Kind::Log][usize::try_from(some(3)).unwrap()];
    let limit = 1 + u32::try_from(some(6)).unwrap();
    let rule = Rule::new(method, path, &format!("h{at}"), limit, 200 + some(3_000)).kind(kind);
    match (some(5), first) {
        (0, _) => rule.changes_to(some(10_000), &format!("n{at}")),
        (1, _) => rule.alternates_with(&format!("a{at}")),
        (2, _) => rule.sublimit(Sublimit {
            name: format!("s{at}"),
            limit: 6,
            window_ms: 8_000,
            scope: if some(2) == 0 {
                Scope::User
            } else {
                Scope::Shared
            },
            ..Sublimit::default()
        }),
        (3, Some(first)) if first.hash_changes.is_empty() && first.alternate.is_none() => Rule {
            methods: rule.methods,
            path: rule.path,
            sublimits: Vec::new(),
            ..first.clone()
        },
        _ => rule,
    }
}

fn config(rng: &mut Rng) -> RestConfig {
    let mut rules: Vec<Rule> = Vec::new();
    for at in 0..ROUTES.len() {
        rules.push(rule(rng, at, rules.first()));
    }
    let mut some = |bound: u64| rng.below(bound);
    let fault = |fault, per_million| FaultRate {
        fault,
        per_million,
        from_ms: 0,
        for_ms: None,
        path: None,
    };
    let fail = |status, headers| RestFault::Fail {
        status,
        headers,
        executed: headers,
    };
    let latency = Latency {
        there_ms: [1, 1 + some(150)],
        back_ms: [1, 1 + some(150)],
    };
    let mut config = RestConfig {
        rules,
        latency,
        faults: vec![
            fault(RestFault::DropBefore, 20_000),
            fault(RestFault::DropAfter, 20_000),
            fault(fail(502, false), 10_000),
            fault(fail(500, true), 10_000),
            fault(RestFault::Slow { delay_ms: 900 }, 10_000),
        ],
        ..RestConfig::unlimited()
    };
    config.global.limit = 5 + u32::try_from(some(40)).unwrap();
    config
}

#[test]
fn who_keeps_to_what_was_told_is_never_at_fault() {
    let mut discoveries = 0;
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let config = config(&mut rng);
        config.check().unwrap();
        let channels = 1 + rng.below(8);
        let queue = (0..150).map(|_| {
            (
                usize::try_from(rng.below(3)).unwrap(),
                1 + rng.below(channels),
            )
        });
        let mut client = Careful {
            queue: queue.collect(),
            now: Instant::ZERO,
            hashes: BTreeMap::new(),
            beliefs: BTreeMap::new(),
            held: BTreeMap::new(),
            recent: BTreeMap::new(),
            under_way: BTreeMap::new(),
            global: usize::try_from(config.global.limit).unwrap(),
            next: 0,
            network: Network::new(config, seed),
        };
        client.run();
        let limits = client.network.limits();
        let counters = limits.counters();
        assert_eq!(counters.faults(), 0, "seed {seed}: {counters:?}");
        assert!(client.queue.is_empty() && counters.accepted >= 150);
        let so_far = limits.so_far();
        let has_changes = limits
            .config()
            .rules
            .iter()
            .any(|rule| !rule.hash_changes.is_empty());
        assert!(
            has_changes || so_far.last_us >= so_far.best_us,
            "seed {seed}: {so_far:?}"
        );
        discoveries += counters.unannounced + counters.hidden;
    }
    assert!(discoveries > 100, "{discoveries}");
}
