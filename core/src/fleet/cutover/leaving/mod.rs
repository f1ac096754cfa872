//! The side that leaves: it dispatches a guild until it is cut, and says where it stopped.

mod answer;
mod asks;
mod snapshot;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::id::Snowflake;
use crate::time::Instant;
use crate::wire::EventKind;

use super::align::{Basis, Times};
use super::config::Config;
use super::event::{Event, SHARED, Scope, Suppressed, Verdict};
use super::fingerprint::Fingerprint;
use super::ledger::Counts;
use super::messages::{Lone, Silence};
use super::pulse::Pulse;
use super::seen::{Place, Seen};

pub use snapshot::{LeavingSnapshot, Stopped};

/// The old session's side of a cutover. The [module](super) tells how the two sides work together.
#[derive(Clone, Debug)]
pub struct Leaving {
    config: Config,
    guilds: BTreeMap<Snowflake, Guild>,
    seen: Seen,
    /// Guilds that were asked for and are not cut.
    asked: BTreeSet<Snowflake>,
    /// Guilds that are cut and were not confirmed, and when that was said last: it is said again.
    unconfirmed: BTreeMap<Snowflake, Instant>,
    /// Guilds to say something about, and from which stored version on it may be said.
    replies: BTreeMap<Snowflake, u64>,
    /// The newest sequence that was seen.
    sequence: u64,
    /// What a snapshot must hold has changed so many times.
    version: u64,
    stored: u64,
    /// When the session was last resumed: what was dispatched shortly before and after came late.
    resumed_at: Option<Instant>,
    /// Up to when everything that Discord sent has come: a session that hangs gives nothing up.
    pulse: Pulse,
    /// When the session last showed that it lives.
    alive_at: Instant,
    is_lost: bool,
    cut: usize,
    taken: usize,
    ignored: u64,
    /// What the snapshot that this went on from had counted.
    inherited: Counts,
}

#[derive(Clone, Debug, Default)]
struct Guild {
    newest: Place,
    state: State,
    /// Asks up to this number lead to nothing any more.
    withdrawn: u64,
    counts: Counts,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Live,
    Asked(Box<Pending>),
    Cut(Box<Done>),
}

/// An ask that waits until both sides are aligned.
#[derive(Clone, Debug)]
struct Pending {
    number: u64,
    seen: Vec<Fingerprint>,
    /// The same, in ascending order.
    sorted: Vec<Fingerprint>,
    unlisted: u64,
    silence: Option<Silence>,
    lone: Vec<Lone>,
    /// When the ask was made, by this side's clock: the earliest that any copy of it gave, because a message can only
    /// make it seem later.
    asked_at: Option<Instant>,
    since: Instant,
}

/// A guild that is cut.
#[derive(Clone, Debug)]
struct Done {
    number: u64,
    /// The last sequence of this session that was dispatched for the guild, or might have been.
    sequence: u64,
    basis: Basis,
    missing: u64,
    expected: Vec<Times>,
    doubtful: Vec<Times>,
    asked_at: Option<Instant>,
    /// Whether nobody asked: the session was lost, and the new side must see what is missing.
    was_lost: bool,
    is_taken: bool,
}

impl Leaving {
    /// The side of a session that delivers these guilds. Make it before the new sessions start, so that it remembers
    /// what they see first. What has no guild is added, if one of the new sessions takes it.
    #[must_use]
    pub fn new(config: Config, guilds: impl IntoIterator<Item = Snowflake>) -> Self {
        let seen = Seen::new(config.seen_max, config.memory());
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
            unconfirmed: BTreeMap::new(),
            replies: BTreeMap::new(),
            sequence: 0,
            version: 0,
            stored: 0,
            resumed_at: None,
            pulse: Pulse::default(),
            alive_at: Instant::ZERO,
            is_lost: false,
            cut: 0,
            taken: 0,
            ignored: 0,
            inherited: Counts::default(),
        }
    }

    /// These guilds are this session's too: a new session's READY names them. What is known already is passed over.
    pub fn include(&mut self, guilds: impl IntoIterator<Item = Snowflake>) {
        if self.is_lost {
            return;
        }
        for guild in guilds {
            self.guilds.entry(guild).or_default();
        }
    }

    /// What to do with a dispatch of this session. A replay counts as well: what was dispatched before the cut is
    /// dispatched again, because only what its handler did not finish is replayed; what came after it is not.
    pub fn event(&mut self, now: Instant, event: &Event<'_>) -> Verdict {
        if event.kind == EventKind::Ready {
            self.begun_anew(now);
        }
        self.sequence = self.sequence.max(event.sequence);
        self.pulse.event(now, &self.config);
        self.alive_at = now;
        let Scope::Guild(id) = event.scope() else {
            return Verdict::Dispatch;
        };
        if id == SHARED && !self.config.takes_shared {
            return Verdict::Dispatch;
        }
        let guild = self.guilds.entry(id).or_default();
        if let State::Cut(done) = &guild.state {
            if event.sequence > done.sequence || done.was_lost {
                guild.counts.after_cut += 1;
                return Verdict::Suppress(Suppressed::AfterCut);
            }
            guild.counts.dispatched += 1;
            guild.counts.possibly_duplicated += 1;
            return Verdict::Dispatch;
        }
        if self.is_lost {
            // Not one of the class when the session was lost: another session's, or the driver's mistake.
            guild.counts.after_cut += 1;
            return Verdict::Suppress(Suppressed::AfterCut);
        }
        guild.counts.dispatched += 1;
        let print = event.fingerprint();
        self.seen.push(now, print, &mut guild.newest);
        if let State::Asked(pending) = &guild.state
            && pending.sorted.binary_search(&print).is_ok()
        {
            self.try_cut(now, id);
        }
        Verdict::Dispatch
    }
    /// READY: the session was lost, and is another one, which counts from one. Between the two nobody dispatched.
    fn begun_anew(&mut self, now: Instant) {
        if self.sequence > 0 {
            for guild in self.guilds.values_mut() {
                match &mut guild.state {
                    State::Cut(done) => done.sequence = 0,
                    State::Live | State::Asked(_) => guild.counts.gaps += 1,
                }
            }
        }
        self.sequence = 0;
        self.resumed_at = Some(now);
        self.pulse.burst_until = now + self.config.lag_max;
    }

    /// The session is alive: a heartbeat was acknowledged. Every event says so, too.
    pub fn alive(&mut self, now: Instant) {
        self.pulse.solid = self.pulse.solid.max(now);
        self.alive_at = now;
    }

    /// The session was resumed, and its replay has ended. What was replayed came late, so silence proves nothing about
    /// the time before.
    pub fn resumed(&mut self, now: Instant) {
        self.pulse.solid = self.pulse.solid.max(now);
        self.pulse.burst_until = now + self.config.lag_max;
        self.resumed_at = Some(now);
    }

    /// The session is gone for good. Every guild that is not cut is cut here, wherever that is.
    pub fn lost(&mut self) {
        self.is_lost = true;
        let open: Vec<_> = self
            .guilds
            .iter()
            .filter(|(_, guild)| !matches!(guild.state, State::Cut(_)))
            .map(|(id, _)| *id)
            .collect();
        for id in open {
            self.cut_lost(id);
        }
    }

    /// What must be kept over a crash was stored, up to the snapshot with this version. No cut is told before.
    pub fn stored(&mut self, version: u64) {
        self.stored = self.stored.max(version.min(self.version));
    }

    /// The version of the snapshot that has to be stored next; `None` if there is nothing new.
    #[must_use]
    pub fn wants_store(&self) -> Option<u64> {
        (self.stored < self.version).then_some(self.version)
    }

    /// Whether every guild is cut and the new side has confirmed it: then the session may be closed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.taken == self.guilds.len()
    }

    /// Whether the guild is cut.
    #[must_use]
    pub fn is_cut(&self, guild: Snowflake) -> bool {
        matches!(
            self.guilds.get(&guild).map(|guild| &guild.state),
            Some(State::Cut(_))
        )
    }

    /// How many guilds there are, how many of them are cut, and how many of those the new side has confirmed.
    #[must_use]
    pub fn progress(&self) -> (usize, usize, usize) {
        (self.guilds.len(), self.cut, self.taken)
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

    /// How many fingerprints were forgotten early because there were too many. What is forgotten makes a cut less
    /// sure, and that is counted there.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.seen.forgotten
    }

    /// How many messages were of another cutover, about nothing that is known, or without bounds.
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }
}
