//! What must not be forgotten when the new side's process crashes: which guilds it dispatches, and which it asked for.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::fleet::cutover::config::Config;
use crate::fleet::cutover::ledger::Counts;
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Asked, Joining, Phase};

/// The new side's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JoiningSnapshot {
    /// Which cutover it is of.
    pub cutover: u64,
    /// Tell [`Joining::stored`] this number once it is stored.
    pub version: u64,
    /// The number of the next ask.
    pub next_number: u64,
    /// Guilds that are dispatched here.
    pub owned: Vec<Snowflake>,
    /// Guilds that were asked for, and the number of the ask.
    pub asked: Vec<(Snowflake, u64)>,
    /// What was counted, over all guilds.
    pub counts: Counts,
}

/// Numbers that a process may have used since its last snapshot: the next one begins beyond them.
const SPARE_NUMBERS: u64 = 1 << 32;

impl Joining {
    /// Enough to go on after a crash. Store it when [`wants_store`](Self::wants_store) says so, and then say
    /// [`stored`](Self::stored).
    #[must_use]
    pub fn snapshot(&self) -> JoiningSnapshot {
        let mut snapshot = JoiningSnapshot {
            cutover: self.config.cutover,
            version: self.version,
            next_number: self.next_number,
            counts: self.inherited,
            ..JoiningSnapshot::default()
        };
        for (&id, guild) in &self.guilds {
            snapshot.counts += guild.counts;
            match &guild.phase {
                Phase::Owned(_) => snapshot.owned.push(id),
                Phase::Asked(asked) => snapshot.asked.push((id, asked.number)),
                Phase::Unseen | Phase::Watched => {}
            }
        }
        snapshot
    }

    /// Goes on from a snapshot, with the guilds of the session. What was asked for is withdrawn; what was held then is
    /// lost unless the session is resumed, which replays it, because it was not acknowledged. After a resume,
    /// [`watch`](Self::watch) every guild whose GUILD_CREATE will not be replayed.
    #[must_use]
    pub fn restore(
        now: Instant,
        config: Config,
        guilds: impl IntoIterator<Item = Snowflake>,
        snapshot: &JoiningSnapshot,
    ) -> Self {
        let mut side = Self::new(config, guilds);
        side.inherited = snapshot.counts;
        side.version = snapshot.version;
        side.stored = snapshot.version;
        side.next_number = snapshot.next_number.saturating_add(SPARE_NUMBERS);
        side.resumed(now);
        for &id in &snapshot.owned {
            let guild = side.guilds.entry(id).or_default();
            if !matches!(guild.phase, Phase::Owned(_)) {
                guild.phase = Phase::Owned(None);
                side.owned += 1;
                // Whether it was confirmed is not known.
                side.confirming.insert(id, snapshot.version);
            }
        }
        for &(id, number) in &snapshot.asked {
            let guild = side.guilds.entry(id).or_default();
            if matches!(guild.phase, Phase::Unseen) {
                guild.phase = Phase::Asked(Box::new(Asked {
                    number,
                    seen: Vec::new(),
                    unlisted: 0,
                    silence: None,
                    lone: Vec::new(),
                    asked_at: now,
                    said_at: now,
                    held: VecDeque::new(),
                    is_broken: true,
                }));
                side.asked.insert(id);
                side.saying.insert(id);
            }
        }
        side
    }
}
