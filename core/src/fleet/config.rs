//! What a user can set: shards, margins, reserve, damping.

use core::time::Duration;

use super::shards::Shards;

/// The settings of a [`Fleet`](super::Fleet). [`Config::new`] gives the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which shards the bot has.
    pub shards: Shards,
    /// Which of them run here.
    pub here: Here,
    /// Added to the 5 s that Discord asks for between two identifies of one key. Default 250 ms.
    ///
    /// Discord measures on arrival, the fleet on departure: the second identify arrives too early if it travels
    /// faster than the first did by more than the margin. Such a difference comes from a retransmitted packet (200 ms
    /// at least on Linux) or a busy process, hence 250 ms. An identify that arrives too early costs one of the day's
    /// and a few seconds; the margin costs 5 % of the time a large bot takes to start. Discord.js adds up to 1.5 s,
    /// twilight none.
    pub margin: Duration,
    /// How many of the day's identifies are never spent. Default 50. At most half of the total is kept back, so that
    /// a small total cannot lock a bot out.
    ///
    /// Spending the last one ends every session of the bot and resets its token. The reserve is for what this fleet
    /// cannot see: other processes with the same token that identify between two answers of `/gateway/bot`.
    pub reserve: u32,
    /// How old an answer of `/gateway/bot` may be before an identify: then it is asked for anew. Default 10 minutes.
    pub limits_max_age: Duration,
    /// How many rounds of identifies ahead of their slot shards are started: `max_concurrency` times this many wait
    /// with an open connection. Default 2; 0 counts as 1.
    pub start_rounds: u32,
    /// How long a started shard may take to ask for its slot before the next one is started in its place. Default 30
    /// s.
    pub start_patience: Duration,
    /// What happens to shards whose sessions die young.
    pub damping: Damping,
    /// The seed of the jitter: equal seeds and inputs give equal outputs. Different processes should have different
    /// ones.
    pub seed: u64,
}

impl Config {
    /// The defaults, for these shards.
    #[must_use]
    pub fn new(shards: Shards) -> Self {
        Self {
            shards,
            here: Here::All,
            margin: Duration::from_millis(250),
            reserve: 50,
            limits_max_age: Duration::from_secs(600),
            start_rounds: 2,
            start_patience: Duration::from_secs(30),
            damping: Damping::default(),
            seed: 0,
        }
    }
}

/// Which of a bot's shards run in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Here {
    /// All of [`Config::shards`].
    #[default]
    All,
    /// Those that [`Input::Run`](super::Input::Run) names, until [`Input::Release`](super::Input::Release): none at
    /// first. For processes that lease their shards.
    Told,
}

/// How identifies that lead nowhere slow the next ones down: see the module's documentation for the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damping {
    /// How long a session must live to count as healthy. Default 60 s. An identify whose session did not is wasted.
    pub healthy_after: Duration,
    /// The pause after the first wasted identify of a shard; each further one in a row doubles it. Default 5 s.
    pub base: Duration,
    /// The longest pause of a shard. Default 15 minutes.
    pub cap: Duration,
    /// How much of the day's total may be wasted before wasteful shards share a trickle. In percent, default 20.
    pub waste_percent: u32,
    /// How many shards must waste at the same time before the whole fleet can be slowed. Default 5.
    pub fleet_min: u32,
}

impl Default for Damping {
    fn default() -> Self {
        Self {
            healthy_after: Duration::from_secs(60),
            base: Duration::from_secs(5),
            cap: Duration::from_secs(900),
            waste_percent: 20,
            fleet_min: 5,
        }
    }
}
