//! One process's side of the register: what it holds, until when, and what it says next.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString as _};

use crate::fleet::Topology;
use crate::id::ShardId;
use crate::time::Instant;

use super::desk::{Desk, Said};
use super::view::View;
use super::words::Retarget;
use super::{LeaseConfig, Step};

/// How long a name or a label may be, and how long what a member says of itself, in bytes.
const NAME_MAX: usize = 256;
const STATUS_MAX: usize = 1_024;

/// Where a lease is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The shard is to run.
    Running,
    /// It is to be closed and given back.
    Releasing,
    /// The lease is over, and its session is not closed yet.
    Lost,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) token: u64,
    pub(super) until: Instant,
    pub(super) held: Held,
}

/// An exchange that is not answered yet.
#[derive(Clone, Debug)]
pub(super) struct UnderWay {
    pub(super) seq: u64,
    pub(super) sent: Instant,
    /// The leases it stated.
    pub(super) stated: BTreeMap<ShardId, u64>,
    pub(super) said: Said,
    pub(super) retarget: Option<Retarget>,
    pub(super) has_left: bool,
}

/// What happened between a process and its register. Counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HolderStats {
    /// Exchanges that were answered.
    pub exchanges: u64,
    /// Exchanges that were not, or with what makes no sense.
    pub failed: u64,
    /// Leases taken.
    pub taken: u64,
    /// Leases that ended without having been given back.
    pub lost: u64,
    /// Permits to identify.
    pub permits: u64,
    /// How often a register was lost and another one met.
    pub registers: u64,
}

/// One process's leases. The [module](super) tells how they work.
///
/// A driver repeats four steps: [`handle_timeout`](Self::handle_timeout); [`poll_step`](Self::poll_step) until `None`;
/// [`exchange`](Self::exchange), and if there is one, running [`REGISTER`](super::REGISTER) with it and telling the
/// answer to [`answered`](Self::answered); waiting until [`poll_timeout`](Self::poll_timeout).
///
/// ```
/// use shardkeep_core::Instant;
/// use shardkeep_core::fleet::lease::{Holder, LeaseConfig, Step};
///
/// let mut config = LeaseConfig::new("bot-0".into(), 0x5eed, 16);
/// config.propose = Some("4".parse::<shardkeep_core::fleet::Shards>()?.resolve(4));
/// let mut holder = Holder::new(config);
///
/// let now = Instant::ZERO;
/// let exchange = holder.exchange(now).unwrap();
/// assert_eq!(exchange.keys, ["leases"]);
/// assert!(holder.exchange(now).is_none()); // one at a time
///
/// // The store ran the script. The whole bot is this one process: it gets a shard.
/// let answer = br#"{"seq": 1, "state": "ok", "inc": "1", "serial": 1, "now": 1, "revision": 1,
///     "topology": "4", "lost": [], "take": [["3/4", "1764582220123456"]], "give": [],
///     "permits": [], "ask": false, "hurry": false}"#;
/// holder.answered(now, Some(answer))?;
/// assert!(matches!(holder.poll_step(), Some(Step::Topology { revision: 1, .. })));
/// let Some(Step::Take { shard, token }) = holder.poll_step() else { panic!() };
/// assert_eq!((shard.to_string().as_str(), token), ("3/4", 1_764_582_220_123_456));
///
/// // The lease is good for the term less the margin from when the exchange was sent.
/// assert!(holder.may_run(Instant::from_millis(8_499), shard));
/// assert!(!holder.may_run(Instant::from_millis(8_500), shard));
/// holder.handle_timeout(Instant::from_millis(8_500));
/// assert_eq!(holder.poll_step(), Some(Step::Lose { shard }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Holder {
    pub(super) config: LeaseConfig,
    pub(super) instance: String,
    pub(super) status: String,
    /// The register's name, and the greatest serial of its answers.
    pub(super) inc: String,
    pub(super) heard: u64,
    pub(super) seq: u64,
    /// The greatest token ever heard of.
    pub(super) top: u64,
    pub(super) topology: Option<Topology>,
    pub(super) revision: u64,
    pub(super) course: Option<String>,
    pub(super) retarget: Option<Retarget>,
    pub(super) leases: BTreeMap<ShardId, Lease>,
    pub(super) desk: Desk,
    pub(super) steps: VecDeque<Step>,
    pub(super) under_way: Option<UnderWay>,
    pub(super) last_sent: Option<Instant>,
    pub(super) not_before: Instant,
    pub(super) failures: u32,
    pub(super) is_hasty: bool,
    pub(super) is_hurried: bool,
    pub(super) in_touch_until: Option<Instant>,
    pub(super) is_leaving: bool,
    pub(super) has_left: bool,
    pub(super) wants_view: bool,
    pub(super) view: Option<View>,
    pub(super) stats: HolderStats,
}

impl Holder {
    /// A process that holds nothing yet.
    #[must_use]
    pub fn new(mut config: LeaseConfig) -> Self {
        truncate(&mut config.name, NAME_MAX);
        truncate(&mut config.label, NAME_MAX);
        Self {
            instance: format!("{:016x}", config.instance),
            config,
            status: String::new(),
            inc: String::new(),
            heard: 0,
            seq: 0,
            top: 0,
            topology: None,
            revision: 0,
            course: None,
            retarget: None,
            leases: BTreeMap::new(),
            desk: Desk::default(),
            steps: VecDeque::new(),
            under_way: None,
            last_sent: None,
            not_before: Instant::ZERO,
            failures: 0,
            is_hasty: true,
            is_hurried: false,
            in_touch_until: None,
            is_leaving: false,
            has_left: false,
            wants_view: false,
            view: None,
            stats: HolderStats::default(),
        }
    }

    /// What to do, in order, until `None`.
    pub fn poll_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) and [`exchange`](Self::exchange) want to be called next. `None`
    /// after everything was given back.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let leases = self
            .leases
            .values()
            .filter(|lease| lease.held != Held::Lost);
        let ends = leases.map(|lease| lease.until).min();
        let talk = match &self.under_way {
            Some(under_way) => Some(under_way.sent + self.config.patience),
            None => self.due(),
        };
        [talk, ends, self.desk.ends_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The clock reached `now`: leases that ran out are lost, and an exchange that nobody answers is given up. Calls
    /// that were not asked for are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        for (&shard, lease) in &mut self.leases {
            if lease.held != Held::Lost && lease.until <= now {
                lease.held = Held::Lost;
                self.stats.lost += 1;
                self.steps.push_back(Step::Lose { shard });
                self.desk.drop_want(shard);
                self.is_hasty = true;
            }
        }
        self.is_hasty |= self.desk.expire(now);
        let patience = self.config.patience;
        if (self.under_way.as_ref()).is_some_and(|under_way| under_way.sent + patience <= now) {
            self.failed(now);
        }
    }

    /// Whether the shard may run at this moment: to be asked before each frame.
    #[must_use]
    pub fn may_run(&self, now: Instant, shard: ShardId) -> bool {
        let lease = self.leases.get(&shard);
        lease.is_some_and(|lease| lease.held != Held::Lost && now < lease.until)
    }

    /// The fencing token of the shard's lease; `None` if it has none, or its lease is over.
    #[must_use]
    pub fn token(&self, shard: ShardId) -> Option<u64> {
        let lease = self.leases.get(&shard);
        lease
            .filter(|lease| lease.held != Held::Lost)
            .map(|lease| lease.token)
    }

    /// The shard's session is closed: what is left of its lease is given back, and it can be taken again. To be said
    /// after [`Step::Release`] and [`Step::Lose`], and whenever a session has ended for good. A permit that the shard
    /// has counts as used.
    pub fn freed(&mut self, shard: ShardId) {
        if self.leases.remove(&shard).is_some() {
            // Whether a permit that it had was used is not known.
            self.permit_sent(shard);
            self.desk.drop_want(shard);
            self.hasten();
        }
    }

    /// The process is to end: it takes no more, and each shard is to be given back. [`Step::Left`] tells the end; who
    /// cannot wait for it may end when there are no [`shards`](Self::shards) any more, and others wait a term.
    pub fn leave(&mut self, now: Instant) {
        self.handle_timeout(now);
        if self.is_leaving {
            return;
        }
        self.is_leaving = true;
        for (&shard, lease) in &mut self.leases {
            if lease.held == Held::Running {
                lease.held = Held::Releasing;
                self.steps.push_back(Step::Release { shard });
            }
        }
        self.hasten();
    }

    /// What is to be served if the register does not know yet, once this process knows: `auto` is Discord's to say.
    /// What was proposed before stays.
    pub fn propose(&mut self, topology: Topology) {
        self.config.propose.get_or_insert(topology);
        self.hasten();
    }

    /// Until when the shard may run, as far as is known now; `None` if it may not. What [`may_run`](Self::may_run)
    /// compares with, for whoever has to ask elsewhere.
    #[must_use]
    pub fn runs_until(&self, shard: ShardId) -> Option<Instant> {
        let lease = self.leases.get(&shard);
        lease
            .filter(|lease| lease.held != Held::Lost)
            .map(|lease| lease.until)
    }

    /// Another topology for the whole fleet, if its revision is still `expected`, and what is to be kept beside it: the
    /// [course](crate::fleet::reshard::across::Course) of a change of shards. [`Step::Retargeted`] tells what came of
    /// it; a later call replaces one that has not been answered.
    pub fn retarget(&mut self, expected: u64, topology: &Topology, course: Option<String>) {
        self.retarget = Some(Retarget {
            expected,
            topology: topology.to_string(),
            course,
        });
        self.hasten();
    }

    /// What this process says of itself in the [`View`]: at most 1,024 bytes, cut off there.
    pub fn set_status(&mut self, status: &str) {
        self.status = status.to_owned();
        truncate(&mut self.status, STATUS_MAX);
    }

    /// Speaks to the register at once: it is said to have something new.
    pub fn look(&mut self) {
        self.hasten();
    }

    /// This process, as others know it: its [`LeaseConfig::instance`] in hexadecimal.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Asks for the [`view`](Self::view) of the whole fleet, with an exchange at once.
    pub fn ask_for_view(&mut self) {
        self.wants_view = true;
        self.hasten();
    }

    /// The whole fleet, when it was [asked for](Self::ask_for_view) last and the register has answered.
    #[must_use]
    pub fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// Every shard with a lease, or whose lease is over and which is not [freed](Self::freed) yet.
    pub fn shards(&self) -> impl Iterator<Item = (ShardId, Held)> {
        self.leases
            .iter()
            .map(|(&shard, lease)| (shard, lease.held))
    }

    /// The fleet's topology and its revision, as far as this process knows.
    #[must_use]
    pub fn topology(&self) -> Option<(u64, &Topology)> {
        self.topology
            .as_ref()
            .map(|topology| (self.revision, topology))
    }

    /// Whether the register has answered lately: leases that were given now would run.
    #[must_use]
    pub fn is_in_touch(&self, now: Instant) -> bool {
        self.in_touch_until.is_some_and(|until| now < until)
    }

    /// Whether everything was given back after [`leave`](Self::leave).
    #[must_use]
    pub const fn has_left(&self) -> bool {
        self.has_left
    }

    /// What happened so far.
    #[must_use]
    pub const fn stats(&self) -> HolderStats {
        self.stats
    }
}

/// Cuts a text off, at the end of a character.
fn truncate(text: &mut String, most: usize) {
    let end = (0..=most.min(text.len())).rev();
    let end = end.into_iter().find(|&at| text.is_char_boundary(at));
    text.truncate(end.unwrap_or(0));
}
