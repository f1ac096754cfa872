//! Whole bots under faults: an hour of many shards in virtual time, and whether the bot's log agrees with the truth.

mod bot;
mod check;
pub(crate) mod network;
mod shard;

use core::time::Duration;

pub use check::Report;
use shardkeep_core::fleet::SessionStartLimit;
use shardkeep_core::wire::CloseCode;
use shardkeep_core::{Instant, Machine, Rng};

use crate::{Control, Fault, Input, LedgerDetail, Output, WeightedFault, World, WorldConfig};
use bot::Bot;
use network::{Network, Parcel};

/// What to simulate. Everything random follows from the seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names the run: the same seed gives the same run.
    pub seed: u64,
    /// How many shards the bot has.
    pub shards: u32,
    /// How long the weather lasts, in virtual time.
    pub duration: Duration,
    /// Events per second over all guilds.
    pub events_per_s: u32,
    /// The mean time between two faults.
    pub fault_every: Duration,
}

impl Plan {
    /// One hour of 64 shards: 10 events a second, a fault every 5 seconds.
    #[must_use]
    pub const fn hour(seed: u64) -> Self {
        Self {
            seed,
            shards: 64,
            duration: Duration::from_secs(3_600),
            events_per_s: 10,
            fault_every: Duration::from_secs(5),
        }
    }
}

/// After the weather: events stop, then everyone has this long to come back and catch up.
const SETTLE: Duration = Duration::from_secs(300);

/// How often the user does something odd.
const WHIM_EVERY: Duration = Duration::from_secs(20);

/// Runs a plan and compares the bot's log with the world's ledger.
///
/// ```
/// use core::time::Duration;
/// use shardkeep_sim::hours::{Plan, run};
///
/// let plan = Plan { shards: 4, duration: Duration::from_secs(120), ..Plan::hour(7) };
/// let report = run(&plan);
/// assert_eq!(report.faults_found, Vec::<String>::new());
/// assert_eq!(report.lost, 0);
/// ```
#[must_use]
pub fn run(plan: &Plan) -> Report {
    let mut rng = Rng::new(plan.seed);
    let mut world = World::new(world_config(plan, &mut rng), Instant::ZERO);
    let latency = (
        Duration::from_millis(2),
        Duration::from_millis(10 + rng.below(80)),
    );
    let mut network = Network::new(Rng::new(rng.next_u64()), latency);
    let mut bot = Bot::new(plan, Rng::new(rng.next_u64()));

    world.control(
        Instant::ZERO,
        Control::Chatter {
            per_s: plan.events_per_s,
        },
    );
    let faults = weather();
    let every_ms = u64::try_from(plan.fault_every.as_millis()).unwrap_or(u64::MAX);
    let calm_at = Instant::ZERO + plan.duration;
    let end_at = calm_at + SETTLE;
    let mut storm_at = Some(Instant::from_secs(60));
    let mut calmed = false;
    let mut whim_at = Instant::ZERO + WHIM_EVERY;
    let mut now = Instant::ZERO;
    loop {
        bot.on_time(now, limits(&world), &mut network);
        while let Some((connection, parcel)) = network.arrive(now) {
            deliver(now, connection, &parcel, &mut world, &mut bot, &mut network);
        }
        world.handle_timeout(now);
        listen(now, &mut world, &mut network);
        if storm_at.take_if(|at| *at <= now).is_some() {
            let for_ms = None;
            world.control(
                now,
                Control::Weather {
                    every_ms,
                    faults: faults.clone(),
                    for_ms,
                },
            );
        }
        if now >= whim_at && !calmed {
            bot.whim(now, &mut network);
            whim_at = now + rng.duration_below(WHIM_EVERY * 2);
        }
        if now >= calm_at && !calmed {
            calmed = true;
            world.control(now, Control::Calm);
        }
        if now >= end_at {
            break;
        }
        let world_at = world.poll_timeout().map(|timeout| timeout.at);
        let user_at = [
            storm_at,
            (!calmed).then_some(whim_at.min(calm_at)),
            Some(end_at),
        ];
        let next = [world_at, bot.next_at(), network.next_at()]
            .into_iter()
            .chain(user_at)
            .flatten()
            .min();
        now = next.map_or(end_at, |next| next.max(now));
    }
    check::compare(plan, &world, &bot)
}

fn world_config(plan: &Plan, rng: &mut Rng) -> WorldConfig {
    WorldConfig {
        seed: rng.next_u64(),
        guilds: plan.shards * 4,
        members_per_guild: 8,
        max_concurrency: 16,
        identify_total: 100_000,
        identify_remaining: 100_000,
        recommended_shards: plan.shards,
        replay_capacity: 5_000,
        ledger: LedgerDetail::Entries(1_000_000),
        ledger_sessions: 1_000_000,
        ..WorldConfig::default()
    }
}

fn weather() -> Vec<WeightedFault> {
    let code = |code: CloseCode| Fault::Close { code: code.0 };
    [
        (8, Fault::Drop),
        (4, Fault::HalfOpen),
        (
            4,
            Fault::Slow {
                delay_ms: 4_000,
                for_ms: Some(20_000),
            },
        ),
        (4, Fault::Zombie),
        (2, Fault::LostAck { count: 1 }),
        (6, Fault::Reconnect { count: 1 }),
        (1, Fault::Reconnect { count: 5 }),
        (2, Fault::InvalidSession { resumable: true }),
        (2, Fault::InvalidSession { resumable: false }),
        (2, code(CloseCode::UNKNOWN_ERROR)),
        (1, code(CloseCode::GOING_AWAY)),
        (1, code(CloseCode::RATE_LIMITED)),
        (1, code(CloseCode::SESSION_TIMED_OUT)),
        (2, Fault::TruncatedFrame),
        (2, Fault::CorruptFrame),
        (2, Fault::SessionLoss),
        (2, Fault::RequestHeartbeat),
        (2, Fault::MergeFrames { messages: 4 }),
        (
            2,
            Fault::SplitFrames {
                messages: 4,
                pieces: 3,
            },
        ),
        (1, Fault::Bomb { bytes: 80 << 20 }),
        (1, Fault::NoHello { for_ms: 20_000 }),
        (1, Fault::NoReady { for_ms: 20_000 }),
        (1, Fault::RefuseConnections { for_ms: 10_000 }),
    ]
    .map(|(weight, fault)| WeightedFault { fault, weight })
    .to_vec()
}

fn limits(world: &World) -> SessionStartLimit {
    let config = world.config();
    SessionStartLimit {
        total: config.identify_total,
        remaining: world.counters().identify_remaining,
        reset_after_ms: config.identify_reset_after_ms,
        max_concurrency: config.max_concurrency,
    }
}

fn deliver(
    now: Instant,
    connection: u64,
    parcel: &Parcel,
    world: &mut World,
    bot: &mut Bot,
    network: &mut Network,
) {
    let input = match parcel {
        Parcel::Open(path) => {
            network.send(now, connection, Parcel::Connected);
            Input::Open {
                connection,
                path_and_query: path,
            }
        }
        Parcel::ToWorld(bytes) => Input::Text { connection, bytes },
        Parcel::Closed(code) => Input::Closed {
            connection,
            code: *code,
        },
        Parcel::Connected | Parcel::ToBot(..) | Parcel::Disconnected(_) => {
            return bot.on_parcel(now, connection, parcel, network);
        }
    };
    let outcome = world.handle_input(now, input);
    debug_assert_eq!(outcome, Ok(()), "every connection has its own number");
    listen(now, world, network);
}

/// Carries what the world says.
fn listen(now: Instant, world: &mut World, network: &mut Network) {
    while let Some(output) = world.poll_output() {
        match output {
            Output::Text { connection, bytes } => {
                network.send(now, connection, Parcel::ToBot(bytes.to_vec(), false));
            }
            Output::Binary { connection, bytes } => {
                network.send(now, connection, Parcel::ToBot(bytes.to_vec(), true));
            }
            Output::Close {
                connection, code, ..
            } => {
                network.send(now, connection, Parcel::Disconnected(Some(CloseCode(code))));
            }
            Output::Drop { connection } => network.sever(now, connection),
            Output::Respond { .. } | Output::Abandon { .. } => {}
        }
    }
}
