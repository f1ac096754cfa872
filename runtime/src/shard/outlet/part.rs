//! A shard's part in a change of shards: which side it is, what it is told, what it tells.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shardkeep_core::fleet::cutover::{Counts, Joining, Leaving, Message, SHARED};
use shardkeep_core::wire::{EventFilter, EventKind};
use shardkeep_core::{Instant, ShardId, Snowflake};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::keep::Keep;

/// How often a part looks at the clock.
const TICK: Duration = Duration::from_millis(50);

/// The dispatches that a session that joins must see, whoever else wants them.
pub(crate) const BEGINNINGS: [EventKind; 3] = [
    EventKind::Ready,
    EventKind::GuildCreate,
    EventKind::GuildDelete,
];

/// How often a session is to show that it lives, while guilds switch. Scheduled heartbeats are some 40 s apart, and a
/// silent guild would wait as long for each side.
pub(super) const BEAT: Duration = Duration::from_millis(2_500);

/// What a shard does in a change of shards.
#[derive(Debug)]
pub(crate) enum Part {
    /// It hands its guilds over.
    Leaving(Box<Leaving>),
    /// It takes guilds over.
    Joining(Box<Joining>),
}

/// What the fleet's task wants of a part.
#[derive(Debug)]
pub(crate) enum Order {
    /// It begins.
    Begin(Box<Switch>),
    /// The session has these guilds, which the other side told.
    Include(Vec<Snowflake>),
    /// The guilds of these overlays are handled there: their events on this session are passed over.
    Apart(Vec<ShardId>),
    /// Whether guilds may be asked for.
    Ask(bool),
    /// From the other side.
    Message(Message),
    /// It is over: the session has its guilds to itself.
    Stay,
}

/// What a part tells the fleet's task.
#[derive(Debug)]
pub(crate) enum Told {
    /// The session has these: READY named them, or it was asked.
    Guilds(Vec<Snowflake>),
    /// For the other side.
    Message(Message),
    /// So many guilds there are, so many are handed over, and what became of their events.
    Progress {
        guilds: usize,
        taken: usize,
        counts: Box<Counts>,
    },
    /// Every guild is handed over.
    Left,
    /// Every guild is taken over, and what was to be waited for has come.
    Settled,
    /// It is over, and this is its account.
    Over(Part),
}

/// A part, and what it needs.
#[derive(Debug)]
pub(crate) struct Switch {
    pub(super) part: Part,
    /// The sessions on the other side: guilds that none of them has are not touched.
    pub(super) partners: Vec<ShardId>,
    /// The session was open before, and takes an overlay's guilds back.
    pub(super) is_back: bool,
    /// The session is to say which guilds it has.
    pub(super) tells_guilds: bool,
    /// The part knows its guilds, as far as it has to: before, nobody could go on with it.
    pub(super) knows_guilds: bool,
    /// Whether guilds may be asked for, and whether they ever might.
    pub(super) may_ask: bool,
    pub(super) has_begun: bool,
    pub(super) is_told: bool,
    /// What was said last of how many guilds are handed over.
    pub(super) said: (usize, usize),
    /// Dispatches that were suppressed because the other side has them: not finished before the change is. A process
    /// that dies is sent them again.
    pub(super) suppressed: Vec<u64>,
    /// Sequences that are held, and those of sessions that are gone, with each one's number.
    pub(super) held: BTreeSet<u64>,
    pub(super) held_of_lost: BTreeMap<u64, u32>,
    /// The session was lost after guilds could be handed over: it is not opened again.
    pub(super) is_lost: bool,
    /// When the session was last to show that it lives: silence counts as far as that is proven.
    pub(super) asked_at: Option<Instant>,
    /// The other side may lie in another process: what must outlive this one is stored before it is told.
    pub(super) keep: Option<Keep>,
    pub(super) tick: Interval,
}

impl Switch {
    /// A part whose other side are these sessions.
    pub(crate) fn new(part: Part, partners: Vec<ShardId>) -> Self {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            partners,
            is_back: false,
            tells_guilds: false,
            knows_guilds: matches!(part, Part::Leaving(_)),
            may_ask: false,
            has_begun: false,
            is_told: false,
            said: (0, 0),
            suppressed: Vec::new(),
            held: BTreeSet::new(),
            held_of_lost: BTreeMap::new(),
            is_lost: false,
            asked_at: None,
            keep: None,
            tick,
            part,
        }
    }

    /// The same, of a side that goes on where another process stopped: one that joins knows all its guilds.
    pub(crate) fn going_on(mut self) -> Self {
        self.has_begun = self.is_joining();
        self.knows_guilds = true;
        self
    }

    /// Whether it takes guilds over.
    pub(crate) const fn is_joining(&self) -> bool {
        matches!(self.part, Part::Joining(_))
    }

    /// The same, of a session that runs already and takes an overlay's guilds back.
    pub(crate) fn back(mut self) -> Self {
        self.is_back = true;
        self
    }

    /// The same, of an overlay that leaves: it says which guilds it has.
    pub(crate) fn telling_guilds(mut self) -> Self {
        self.tells_guilds = true;
        self.knows_guilds = false;
        self
    }

    /// Whether the guild is one of those that move. What has no guild is the part's to decide.
    pub(super) fn concerns(&self, guild: Snowflake) -> bool {
        let partners = &self.partners;
        // A session that was open before has what has no guild, and keeps it.
        (guild == SHARED && !self.is_back)
            || partners.is_empty()
            || partners.iter().any(|partner| partner.carries(guild))
    }

    /// The same, stored as it goes on.
    pub(crate) fn kept(mut self) -> Self {
        self.keep = Some(Keep::default());
        self
    }
}

impl Part {
    /// What became of all events.
    pub(crate) fn counts(&self) -> Counts {
        match self {
            Self::Leaving(side) => side.total(),
            Self::Joining(side) => side.total(),
        }
    }
}

/// What the user wants to hear of, where the session must let more through.
pub(crate) fn joining_filter(wanted: EventFilter) -> EventFilter {
    BEGINNINGS.into_iter().fold(wanted, EventFilter::with)
}
