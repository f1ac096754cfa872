//! Why there is no plan, and what is possible instead.

use core::fmt;
use core::time::Duration;

use crate::fleet::cover::CoverError;
use crate::fleet::error::TopologyError;
use crate::fleet::serving::StepError;
use crate::id::{ShardId, Snowflake};

use super::rules::{GUILDS_PER_SHARD_MAX, LARGE_BOT_GUILDS};

/// Why there is no plan, and what is possible instead. Nothing was started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// What serves now does not serve every guild exactly once: there is nothing to start from.
    NotACover(CoverError),
    /// The total is none, or too large.
    BadTotal(TopologyError),
    /// That is how it is already.
    NothingToDo,
    /// The shard, or overlay, does not serve.
    UnknownShard(ShardId),
    /// The shard cannot be merged with another one: its total cannot be halved.
    OddTotal(ShardId),
    /// The shard that would be merged with it does not serve.
    PartnerMissing {
        /// The shard.
        shard: ShardId,
        /// Who has the other half.
        partner: ShardId,
    },
    /// The bot is very large, and the total is not a multiple of what Discord assigned: 4010 would follow.
    NotAMultiple {
        /// The total.
        total: u32,
        /// What it should be a multiple of.
        unit: u32,
        /// Whether that is the assigned number; if not, it is one whose multiples are sure to be right.
        assigned: bool,
        /// The next multiple below, if there is one.
        below: Option<u32>,
        /// The next multiple above.
        above: Option<u32>,
    },
    /// Shards would have more guilds than Discord allows: 4011 would follow.
    TooManyGuilds {
        /// The total.
        total: u32,
        /// How many guilds a shard would have on average, rounded up.
        on_each: u64,
        /// The least total that is enough on average.
        least: u64,
    },
    /// No overlay can be a part of the guild's shard: a multiple of its total would be too large, or would meet other
    /// overlays.
    CannotIsolate {
        /// The guild.
        guild: Snowflake,
        /// Its shard.
        shard: ShardId,
    },
    /// An overlay has the guild already.
    AlreadyIsolated {
        /// The guild.
        guild: Snowflake,
        /// The overlay.
        overlay: ShardId,
    },
    /// Today's identifies do not carry it.
    Budget(Shortfall),
    /// A step could not be proven. That is a mistake of ours: please report it.
    Unproven {
        /// Which step, from 0.
        step: usize,
        /// What is wrong with it.
        error: StepError,
    },
}

/// What today's identifies lack, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shortfall {
    /// How many identifies the plan takes.
    pub needed: u32,
    /// How many may be spent today, the reserve not among them.
    pub spendable: u32,
    /// How long until all of the day's identifies are left again.
    pub resets_in: Duration,
    /// How many of its steps could be taken today.
    pub steps_that_fit: u32,
    /// How many steps it has.
    pub steps: u32,
    /// On how many days, today included, all of it could be done, as many steps a day as fit. `None` if a step takes
    /// more than a whole day has.
    pub days: Option<u32>,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            needed,
            spendable,
            steps_that_fit,
            steps,
            ..
        } = self;
        let resets = Span(self.resets_in);
        write!(
            f,
            "it takes {needed} identifies, and {spendable} may be spent until the day ends in {resets}: "
        )?;
        match (self.days, steps_that_fit) {
            (None, _) => {
                f.write_str("no day has enough for one of its steps; split shards instead")
            }
            (Some(..=2), 0) => f.write_str("wait until then"),
            (Some(days), 0) => write!(f, "wait until then; all of it takes {} days more", days - 1),
            (Some(days), _) => write!(
                f,
                "take the first {steps_that_fit} of its {steps} steps today, and all of it in {days} days"
            ),
        }
    }
}

/// A duration for people, rounded up to seconds: hours and minutes, or minutes and seconds.
///
/// ```
/// use core::time::Duration;
/// use shardkeep_core::fleet::plan::Span;
///
/// assert_eq!(Span(Duration::from_millis(131_250)).to_string(), "2 min 12 s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_millis().div_ceil(1_000);
        match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => write!(f, "{seconds} s"),
            (0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACover(error) => write!(f, "{error}; put that right first"),
            Self::BadTotal(error) => error.fmt(f),
            Self::NothingToDo => f.write_str("nothing to do: these shards serve already"),
            Self::UnknownShard(shard) => write!(f, "{shard} does not serve: name one that does"),
            Self::OddTotal(shard) => write!(
                f,
                "{shard} is no half of anything: {} is odd; give the total that you want",
                shard.total()
            ),
            Self::PartnerMissing { shard, partner } => write!(
                f,
                "{shard} can only be merged with {partner}, which does not serve: merge its parts first"
            ),
            Self::NotAMultiple { .. } => self.multiple(f),
            Self::TooManyGuilds {
                total,
                on_each,
                least,
            } => write!(
                f,
                "a total of {total} puts {on_each} guilds on a shard, and Discord refuses more than \
                 {GUILDS_PER_SHARD_MAX} (4011): {least} shards are the least"
            ),
            Self::CannotIsolate { guild, shard } => write!(
                f,
                "no overlay can take guild {guild} over from {shard}: a multiple of {} is too large, or meets another \
                 overlay",
                shard.total()
            ),
            Self::AlreadyIsolated { guild, overlay } => {
                write!(f, "guild {guild} has overlay {overlay} already")
            }
            Self::Budget(shortfall) => shortfall.fmt(f),
            Self::Unproven { step, error } => write!(
                f,
                "step {step} is not proven ({error}): that is a mistake of Shardkeep, please report it"
            ),
        }
    }
}

impl PlanError {
    /// The name of what is wrong, the same in every language.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotACover(_) => "not_a_cover",
            Self::BadTotal(_) => "bad_total",
            Self::NothingToDo => "nothing_to_do",
            Self::UnknownShard(_) => "unknown_shard",
            Self::OddTotal(_) => "odd_total",
            Self::PartnerMissing { .. } => "partner_missing",
            Self::NotAMultiple { .. } => "not_a_multiple",
            Self::TooManyGuilds { .. } => "too_many_guilds",
            Self::CannotIsolate { .. } => "cannot_isolate",
            Self::AlreadyIsolated { .. } => "already_isolated",
            Self::Budget(_) => "budget",
            Self::Unproven { .. } => "unproven",
        }
    }

    fn multiple(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NotAMultiple {
            total,
            unit,
            assigned,
            below,
            above,
        } = self
        else {
            return Ok(());
        };
        write!(f, "above {LARGE_BOT_GUILDS} guilds Discord takes ")?;
        if *assigned {
            write!(f, "multiples of {unit} only (4010), and {total} is none")?;
        } else {
            write!(
                f,
                "multiples of a number that it assigned only (4010); multiples of {unit} are sure to be right, \
                 and {total} is none"
            )?;
        }
        match (below, above) {
            (Some(below), Some(above)) => write!(f, ": {below} or {above} would do"),
            (None, Some(above)) => write!(f, ": {above} would do"),
            (Some(below), None) => write!(f, ": {below} would do"),
            (None, None) => Ok(()),
        }
    }
}

impl core::error::Error for PlanError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NotACover(error) => Some(error),
            Self::BadTotal(error) => Some(error),
            Self::Unproven { error, .. } => Some(error),
            _ => None,
        }
    }
}
