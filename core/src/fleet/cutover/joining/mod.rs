//! The side that joins: it watches a guild, asks for it, holds its events meanwhile, and goes on from the cut.

mod asking;
mod holding;
mod owning;
mod session;
mod snapshot;
mod speaking;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use crate::id::Snowflake;
use crate::time::Instant;
use crate::wire::EventKind;

use super::align::Times;
use super::config::Config;
use super::event::{Event, SHARED, Scope, Suppressed, Verdict};
use super::fingerprint::Fingerprint;
use super::ledger::Counts;
use super::pulse::Pulse;
use super::seen::{Place, Seen};
use holding::HeldEvent;

pub use asking::Refusal;
pub use holding::Settled;
pub use snapshot::JoiningSnapshot;

/// The new session's side of a cutover. The [module](super) tells how the two sides work together.
#[derive(Clone, Debug)]
pub struct Joining {
    config: Config,
    guilds: BTreeMap<Snowflake, Guild>,
    seen: Seen,
    /// Guilds that are asked for.
    asked: BTreeSet<Snowflake>,
    /// Guilds that may be asked for when they are ready, round after round.
    last_looked: Snowflake,
    next_number: u64,
    /// Guilds to say "ask" or "withdraw" about.
    saying: BTreeSet<Snowflake>,
    /// Guilds to confirm, and from which stored version on.
    confirming: BTreeMap<Snowflake, u64>,
    settled: VecDeque<Settled>,
    held_bytes: usize,
    /// When expected duplicates of a guild are no longer waited for; the soonest first.
    expiring: VecDeque<(Instant, Snowflake)>,
    pulse: Pulse,
    owned: usize,
    version: u64,
    stored: u64,
    ignored: u64,
    inherited: Counts,
}

#[derive(Clone, Debug, Default)]
struct Guild {
    phase: Phase,
    /// Whether what every new session begins a guild with has come.
    is_created: bool,
    /// Its held events that are settled and have not been taken yet: what comes meanwhile queues behind them.
    untaken: u32,
    watch: Watch,
    counts: Counts,
}

/// What was seen of a guild that the old side dispatches.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    newest: Place,
    since: Instant,
    /// When its last event came.
    last: Instant,
    /// When an event came that comes once only.
    once: Option<Instant>,
    /// The middle of the last silence that is long enough, and how many events came after it.
    silence: Option<(Instant, u32)>,
    /// All events since the watch began.
    events: u64,
}

#[derive(Clone, Debug, Default)]
enum Phase {
    /// Its GUILD_CREATE has not come on this session.
    #[default]
    Unseen,
    Watched,
    Asked(Box<Asked>),
    /// Dispatched here; with duplicates to expect for a while.
    Owned(Option<Box<Expecting>>),
}

#[derive(Clone, Debug)]
struct Asked {
    number: u64,
    seen: Vec<Fingerprint>,
    unlisted: u64,
    silence: Option<(Instant, u32)>,
    /// Which of `seen` were alone of their kind, and when they came.
    lone: Vec<(u32, Instant)>,
    asked_at: Instant,
    said_at: Instant,
    held: VecDeque<HeldEvent>,
    /// The session was lost since: the ask is to be withdrawn, and something is missing between what was held before
    /// and what comes now.
    is_broken: bool,
}

#[derive(Clone, Debug, Default)]
struct Expecting {
    expected: Vec<Times>,
    doubtful: Vec<Times>,
    /// How many there are in both lists together.
    left: u64,
    /// Until then, nobody knows of anything that comes whether the old side dispatched it.
    blind_until: Option<Instant>,
}

/// How much is known of what the old side dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// All that matters.
    Clear,
    /// Of what is held, nothing that has no key.
    Doubtful,
    /// Nothing.
    Blind,
}

impl Joining {
    /// The side of a session that will deliver these guilds. What has no guild is added.
    #[must_use]
    pub fn new(config: Config, guilds: impl IntoIterator<Item = Snowflake>) -> Self {
        let seen = Seen::new(config.seen_max, config.horizon);
        let mut guilds: BTreeMap<_, _> = guilds
            .into_iter()
            .map(|guild| (guild, Guild::default()))
            .collect();
        if config.takes_shared {
            guilds.entry(SHARED).or_default();
        }
        Self {
            config,
            guilds,
            seen,
            asked: BTreeSet::new(),
            last_looked: SHARED,
            next_number: 1,
            saying: BTreeSet::new(),
            confirming: BTreeMap::new(),
            settled: VecDeque::new(),
            held_bytes: 0,
            expiring: VecDeque::new(),
            pulse: Pulse::default(),
            owned: 0,
            version: 0,
            stored: 0,
            ignored: 0,
            inherited: Counts::default(),
        }
    }

    /// These guilds are this session's too: its READY names them. What is known already is passed over.
    pub fn include(&mut self, guilds: impl IntoIterator<Item = Snowflake>) {
        for guild in guilds {
            self.guilds.entry(guild).or_default();
        }
    }

    /// Whether what every new session begins a guild with has come. For drivers whose users want no GUILD_CREATE: the
    /// first is this side's, and no other.
    #[must_use]
    pub fn has_begun(&self, guild: Snowflake) -> bool {
        self.guilds
            .get(&guild)
            .is_some_and(|guild| guild.is_created)
    }

    /// What to do with a dispatch of this session. What is held is copied. Take what was
    /// [settled](Self::poll_settled) before the next event.
    pub fn event(&mut self, now: Instant, event: &Event<'_>) -> Verdict {
        self.pulse.event(now, &self.config);
        let Scope::Guild(id) = event.scope() else {
            return Verdict::Dispatch;
        };
        if id == SHARED && !self.config.takes_shared {
            return Verdict::Suppress(Suppressed::Watched);
        }
        let guild = self.guilds.entry(id).or_default();
        let begins = matches!(event.kind, EventKind::GuildCreate | EventKind::GuildDelete);
        if begins && !guild.is_created {
            return self.begins(now, id);
        }
        match &guild.phase {
            Phase::Owned(None) if guild.untaken == 0 => {
                guild.counts.dispatched += 1;
                Verdict::Dispatch
            }
            Phase::Owned(_) => self.owned_event(now, id, event),
            Phase::Asked(_) => self.hold(id, event),
            Phase::Unseen => {
                guild.counts.watched += 1;
                Verdict::Suppress(Suppressed::Watched)
            }
            Phase::Watched => {
                guild.counts.watched += 1;
                let print = event.fingerprint();
                let solid = self.pulse.solid();
                guild.watch.event(now, print, solid, &self.config);
                self.seen.push(now, print, &mut guild.watch.newest);
                Verdict::Suppress(Suppressed::Watched)
            }
        }
    }

    /// The first GUILD_CREATE of a guild on this session, or the GUILD_DELETE that stands for it in an outage.
    fn begins(&mut self, now: Instant, id: Snowflake) -> Verdict {
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.counts.overlap += 1;
            guild.is_created = true;
            if matches!(guild.phase, Phase::Unseen) {
                guild.watch_from(now);
            }
        }
        Verdict::Suppress(Suppressed::Overlap)
    }

    /// What must be kept over a crash was stored, up to the snapshot with this version. Nothing is confirmed before.
    pub fn stored(&mut self, version: u64) {
        self.stored = self.stored.max(version.min(self.version));
    }

    /// The version of the snapshot that has to be stored next; `None` if there is nothing new.
    #[must_use]
    pub fn wants_store(&self) -> Option<u64> {
        (self.stored < self.version).then_some(self.version)
    }

    /// Whether the driver should read no more of this session for now, because as much is held as may be. What comes
    /// all the same is held too.
    #[must_use]
    pub fn wants_pause(&self) -> bool {
        self.held_bytes >= self.config.hold_bytes_max
    }

    /// Whether every guild is dispatched here, and no duplicate is expected any more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.owned == self.guilds.len()
            && self.expiring.is_empty()
            && self.settled.is_empty()
            && self.confirming.is_empty()
    }

    /// Whether the guild is dispatched here.
    #[must_use]
    pub fn owns(&self, guild: Snowflake) -> bool {
        matches!(
            self.guilds.get(&guild).map(|guild| &guild.phase),
            Some(Phase::Owned(_))
        )
    }

    /// How many guilds there are, how many are asked for, and how many are dispatched here.
    #[must_use]
    pub fn progress(&self) -> (usize, usize, usize) {
        (self.guilds.len(), self.asked.len(), self.owned)
    }

    /// How many bytes are held.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// What became of each guild's events here.
    pub fn counts(&self) -> impl Iterator<Item = (Snowflake, Counts)> + use<'_> {
        self.guilds.iter().map(|(id, guild)| (*id, guild.counts))
    }

    /// What became of all events, before a crash and since.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = self.inherited;
        self.counts().for_each(|(_, counts)| total += counts);
        total
    }

    /// What was counted before a crash, over all guilds.
    #[must_use]
    pub const fn inherited(&self) -> Counts {
        self.inherited
    }

    /// How many messages were of another cutover, about nothing that is known, or without bounds.
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }
}

impl Guild {
    fn watch_from(&mut self, now: Instant) {
        self.phase = Phase::Watched;
        self.watch = Watch {
            since: now,
            last: now,
            ..Watch::default()
        };
    }
}

impl Watch {
    /// An event came; `solid` is up to when everything that Discord sent before has come.
    fn event(&mut self, now: Instant, print: Fingerprint, solid: Instant, config: &Config) {
        self.silence = match self.silence_now(solid, config) {
            Some(middle) => Some((middle, 1)),
            None => self
                .silence
                .map(|(middle, after)| (middle, after.saturating_add(1))),
        };
        self.last = now;
        self.events += 1;
        if print.is_once() {
            self.once = Some(now);
        }
    }

    /// The middle of the silence since the last event, if it is long enough.
    fn silence_now(&self, solid: Instant, config: &Config) -> Option<Instant> {
        let silence = solid.since(self.last);
        (silence >= config.silence()).then(|| self.last + silence / 2)
    }
}
