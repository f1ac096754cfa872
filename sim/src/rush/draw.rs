//! What a seed draws: limits, network and workload.

use core::time::Duration;
use std::collections::BTreeMap;

use shardkeep_core::Rng;
use shardkeep_core::rest::Priority;

use super::{Plan, Scene, Theme, Wanted};
use crate::rest::{FaultRate, Kind, Latency, Major, RestConfig, RestFault, Rule, Scope, Sublimit};

/// How an interaction's token starts; the rest is its number.
const INTERACTION: &str = "aW50ZXJhY3Rpb246";

pub(super) fn scene(plan: Plan) -> Scene {
    let mut rng = Rng::new(plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let is_storm = plan.theme == Theme::Storm;
    let global = 20 + between(&mut rng, 0, 180);
    let mut config = RestConfig::unlimited();
    config.global.limit = global;
    config.global.limit_per_address = global;
    config.rules = rules(&mut rng, is_storm);
    config.latency = latency(&mut rng, is_storm);
    if is_storm && rng.below(2) == 0 {
        config.faults = faults(&mut rng);
    }
    let resources = Resources::draw(&mut rng);
    let count = 100 + below(&mut rng, if is_storm { 700 } else { 1_500 });
    // The best possible finish of what comes bit by bit takes knowing the future: a race begins with everything there.
    let span = if !is_storm || rng.below(3) == 0 {
        0
    } else {
        rng.below(20_000)
    };
    let wanted = (0..count).map(|_| wanted(&mut rng, &resources, span, is_storm));
    let wanted: Vec<Wanted> = wanted.collect();
    let scouts = if is_storm {
        Vec::new()
    } else {
        scouts(&wanted)
    };
    Scene {
        config,
        global,
        scouts,
        wanted,
    }
}

fn below(rng: &mut Rng, bound: u64) -> usize {
    usize::try_from(rng.below(bound)).unwrap_or(0)
}

fn between(rng: &mut Rng, low: u32, high: u32) -> u32 {
    low + u32::try_from(rng.below(u64::from(high - low) + 1)).unwrap_or(0)
}

fn chance(rng: &mut Rng, percent: u64) -> bool {
    rng.below(100) < percent
}

fn latency(rng: &mut Rng, is_storm: bool) -> Latency {
    let shortest = 1 + rng.below(10);
    let longest = shortest + rng.below(if is_storm { 200 } else { 10 });
    Latency {
        there_ms: [shortest, longest],
        back_ms: [shortest, longest],
    }
}

fn faults(rng: &mut Rng) -> Vec<FaultRate> {
    let kinds = [
        RestFault::Fail {
            status: 502,
            headers: false,
            executed: false,
        },
        RestFault::Fail {
            status: 500,
            headers: true,
            executed: true,
        },
        RestFault::DropBefore,
        RestFault::DropAfter,
        RestFault::Slow { delay_ms: 1_500 },
    ];
    let rates = kinds.into_iter().map(|fault| FaultRate {
        fault,
        per_million: u32::try_from(rng.below(20_000)).unwrap_or(0),
        from_ms: 0,
        for_ms: None,
        path: None,
    });
    rates.collect()
}

/// How many requests find out what kind of window a route has.
const SCOUTS: usize = 5;

/// How long the first of each resource take at most: 361 of them, at 20 a second.
const FIRST: Duration = Duration::from_secs(20);

/// From one scout of a route to the next: longer than the network takes, so that each finds out what the one before it
/// did, and shorter than the shortest period of a window that leaks, so that it finds out at all.
const STEP: Duration = Duration::from_millis(60);

/// From one route's scouts to those of the next: the global limit, at 20 a second, must not draw them apart.
const TURN: Duration = Duration::from_secs(2);

/// The routes of a workload, with limits of every kind.
const ROUTES: [(&str, &str, &str); 7] = [
    ("POST", "/channels/{channel_id}/messages", "messages"),
    (
        "PUT DELETE",
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
        "reactions",
    ),
    ("PATCH", "/channels/{channel_id}", "channel-edit"),
    ("GET", "/channels/{channel_id}", "channel"),
    ("GET", "/guilds/{guild_id}/members/{user_id}", "member"),
    ("GET", "/users/{user_id}", "user"),
    ("POST", "/webhooks/{webhook_id}/{webhook_token}", "webhook"),
];

fn rules(rng: &mut Rng, is_storm: bool) -> Vec<Rule> {
    let mut rules: Vec<Rule> = ROUTES
        .iter()
        .map(|&(methods, path, hash)| rule(rng, methods, path, hash, is_storm))
        .collect();
    // Some routes have no bucket at all.
    if chance(rng, 30) {
        let without = below(rng, 7);
        rules.remove(without);
    }
    if is_storm && chance(rng, 30) {
        let hash = rules[0].hash.clone();
        let limit = (rules[0].limit, rules[0].window_ms, rules[0].kind);
        if let Some(other) = rules
            .iter_mut()
            .find(|rule| rule.path == "/channels/{channel_id}")
        {
            (other.limit, other.window_ms, other.kind) = limit;
            other.hash = hash;
            other.alternate = None;
            other.hash_changes.clear();
            rules[0].alternate = None;
            rules[0].hash_changes.clear();
        }
    }
    rules
}

fn rule(rng: &mut Rng, methods: &str, path: &str, hash: &str, is_storm: bool) -> Rule {
    let kind = [Kind::Fixed, Kind::Leaky, Kind::Log][below(rng, 3)];
    let windows: &[u64] = if is_storm {
        &[250, 500, 1_000, 2_000, 5_000]
    } else {
        &[1_000, 2_000, 5_000]
    };
    let window_ms = windows[below(rng, windows.len() as u64)];
    let mut rule = Rule::new(methods, path, hash, between(rng, 1, 10), window_ms).kind(kind);
    if !is_storm {
        return rule;
    }
    if chance(rng, 15) {
        rule = rule.changes_to(rng.below(20_000), &format!("{hash}.new"));
    }
    // Which hash a route shares with another while both alternate is more than any client can know.
    if chance(rng, 8) && !methods.contains(' ') {
        rule = rule.alternates_with(&format!("{hash}.other"));
    }
    if chance(rng, 15) && path.starts_with("/channels/{channel_id}")
        || hash == "webhook" && chance(rng, 15)
    {
        let scope = if chance(rng, 50) {
            Scope::User
        } else {
            Scope::Shared
        };
        rule = rule.sublimit(Sublimit {
            name: format!("{hash}.hidden"),
            limit: between(rng, 2, 20),
            window_ms: [5_000, 10_000, 30_000, 60_000][below(rng, 4)],
            scope,
            kind: [Kind::Fixed, Kind::Log][below(rng, 2)],
            per: if hash == "webhook" {
                Major::WebhookToken
            } else {
                Major::Channel
            },
            fields: Vec::new(),
        });
    }
    rule
}

/// The ids that a workload calls on.
struct Resources {
    channels: u64,
    guilds: u64,
    hot: bool,
}

impl Resources {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            channels: 1 + rng.below(60),
            guilds: 1 + rng.below(60),
            hot: chance(rng, 50),
        }
    }

    fn channel(&self, rng: &mut Rng) -> u64 {
        let at = if self.hot && chance(rng, 20) {
            0
        } else {
            rng.below(self.channels)
        };
        (1_000 + at) << 22
    }
}

fn wanted(rng: &mut Rng, resources: &Resources, span_ms: u64, is_storm: bool) -> Wanted {
    let at = Duration::from_millis(rng.below(span_ms.max(1)));
    let channel = resources.channel(rng);
    let guild = (5_000 + rng.below(resources.guilds)) << 22;
    let user = (9_000 + rng.below(1_000)) << 22;
    let (method, path) = match rng.below(if is_storm { 12 } else { 10 }) {
        0..4 => ("POST", format!("/channels/{channel}/messages")),
        4 => (
            "PUT",
            format!("/channels/{channel}/messages/{user}/reactions/%F0%9F%94%A5/@me"),
        ),
        5 => ("PATCH", format!("/channels/{channel}")),
        6 => ("GET", format!("/channels/{channel}")),
        7 => ("GET", format!("/guilds/{guild}/members/{user}")),
        8 => ("GET", format!("/users/{user}")),
        9 => ("POST", format!("/webhooks/{channel}/token{}", channel % 7)),
        10 => (
            "POST",
            format!(
                "/interactions/{user}/{INTERACTION}{}/callback",
                rng.next_u32()
            ),
        ),
        _ => (
            "DELETE",
            format!("/channels/{channel}/messages/{user}/reactions/%F0%9F%94%A5/@me"),
        ),
    };
    let is_interaction = path.starts_with("/interactions/");
    let priority = match rng.below(4) {
        _ if is_interaction => Priority::Interaction,
        // Who is urgent goes first, whatever that costs the finish: a race is run among equals.
        _ if !is_storm => Priority::Normal,
        0 => Priority::UserFacing,
        1 | 2 => Priority::Normal,
        _ => Priority::Background,
    };
    let millis = |rng: &mut Rng, bound| Duration::from_millis(1 + rng.below(bound));
    Wanted {
        at,
        method,
        path,
        body: b"{}",
        class: 0,
        priority,
        deadline: (is_storm && !is_interaction && chance(rng, 5)).then(|| at + millis(rng, 20_000)),
        cancel_after: (is_storm && !is_interaction && chance(rng, 3)).then(|| millis(rng, 5_000)),
    }
}

/// One request for each resource of a route, and then a few, step by step, for the one that is called most: they find
/// out every limit and its kind, and then all rests. A race is run by who knows the limits, and this is how one comes
/// to know them: a window that leaks looks like a shorter, fixed one to whoever finds it full every time. Sent all at
/// once, the global limit could draw a route's scouts a second apart, and then they found out nothing.
fn scouts(wanted: &[Wanted]) -> Vec<Wanted> {
    let mut calls: BTreeMap<_, BTreeMap<&str, Vec<&Wanted>>> = BTreeMap::new();
    for request in wanted {
        let mut parts = request.path.split('/').skip(1);
        let first = parts.next().unwrap_or_default();
        let route = (request.method, first, request.path.matches('/').count());
        // A user is no resource with limits of its own.
        let resource = parts
            .next()
            .filter(|_| first != "users")
            .unwrap_or_default();
        calls
            .entry(route)
            .or_default()
            .entry(resource)
            .or_default()
            .push(request);
    }
    let scout = |request: &Wanted, at| Wanted {
        at,
        deadline: None,
        cancel_after: None,
        ..request.clone()
    };
    let mut scouts = Vec::new();
    let mut turn = FIRST;
    for resources in calls.into_values() {
        let first = resources.values().filter_map(|requests| requests.first());
        scouts.extend(first.map(|request| scout(request, Duration::ZERO)));
        let Some(most) = resources.into_values().max_by_key(Vec::len) else {
            continue;
        };
        let steps = (0..).zip(most).take(SCOUTS);
        scouts.extend(steps.map(|(step, request)| scout(request, turn + STEP * step)));
        turn += TURN;
    }
    scouts
}
