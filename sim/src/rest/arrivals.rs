//! What arrived, what became of it, and whose fault a refusal was.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Why a request was answered with 429, and whether the client could have known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// Over a bucket of which the client had been told when it sent the request. Its fault.
    Announced,
    /// Over a bucket that the client did not know yet, or would not have been over it without requests that it could
    /// not know to be counted there: discovery.
    Unannounced,
    /// Over a hidden limit that had not shown itself for this key.
    Hidden,
    /// Over a hidden limit once more, after the time that the last 429 named.
    HiddenRepeat,
    /// Over a hidden limit, within the time that a 429 had named. Its fault.
    HiddenEarly,
    /// Over the global limit, which is known. Its fault.
    GlobalAnnounced,
    /// Over a global limit that nobody had told of ([`GlobalLimit::known`](super::GlobalLimit::known) is off).
    GlobalUnannounced,
    /// The address is banned for its invalid requests.
    Banned,
}

impl Refusal {
    /// Whether a client that keeps to what it was told would not have sent it.
    ///
    /// ```
    /// use shardkeep_sim::rest::Refusal;
    ///
    /// assert!(Refusal::Announced.is_fault() && !Refusal::Hidden.is_fault());
    /// ```
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::Announced | Self::HiddenEarly | Self::GlobalAnnounced | Self::Banned
        )
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Let through, and answered with this status.
    Accepted(u16),
    /// Answered with 429.
    Refused(Refusal),
    /// Answered with this 5xx before it reached any limit.
    Failed(u16),
    /// The connection broke before it was looked at.
    Dropped,
}

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arrival {
    /// When, in microseconds.
    pub at_us: u64,
    /// When the client sent it, in microseconds.
    pub sent_us: u64,
    /// The caller's number for it.
    pub id: u64,
    /// Which authorisation or address, by a number: tokens are not kept.
    pub identity: u32,
    /// Method and path without ids.
    #[serde(serialize_with = "text")]
    pub route: Arc<str>,
    /// The hash it was counted under, if there is a rule.
    #[serde(serialize_with = "maybe_text")]
    pub bucket: Option<Arc<str>>,
    /// The major parameter: an id, or the digest of what is none.
    #[serde(serialize_with = "id")]
    pub major: u64,
    /// What became of it.
    pub outcome: Outcome,
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn maybe_text<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

/// Snowflakes are strings in JSON: numbers lose digits in JavaScript.
fn id<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// Everything that is counted. Numbers only grow until they are reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RestCounters {
    /// Requests that arrived.
    pub arrivals: u64,
    /// Let through by every limit.
    pub accepted: u64,
    /// 429s, all classes.
    pub refused: u64,
    /// [`Refusal::Announced`].
    pub announced: u64,
    /// [`Refusal::Unannounced`].
    pub unannounced: u64,
    /// [`Refusal::Hidden`].
    pub hidden: u64,
    /// [`Refusal::HiddenRepeat`].
    pub hidden_repeat: u64,
    /// [`Refusal::HiddenEarly`].
    pub hidden_early: u64,
    /// [`Refusal::GlobalAnnounced`].
    pub global_announced: u64,
    /// [`Refusal::GlobalUnannounced`].
    pub global_unannounced: u64,
    /// [`Refusal::Banned`].
    pub banned: u64,
    /// Answers that count as invalid requests: 401, 403 and 429 but of a shared resource.
    pub invalid: u64,
    /// How often an address was banned.
    pub bans: u64,
    /// 5xx answers by a fault, counted by the limits or not.
    pub failed: u64,
    /// Connections broken before the request was looked at.
    pub dropped_before: u64,
    /// Answers that were lost with their connection.
    pub dropped_after: u64,
    /// Answers delayed by a fault.
    pub slow: u64,
}

impl RestCounters {
    /// How often a client did what it could know to be too much.
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.announced + self.hidden_early + self.global_announced + self.banned
    }

    fn refusal(&mut self, refusal: Refusal) {
        self.refused += 1;
        *match refusal {
            Refusal::Announced => &mut self.announced,
            Refusal::Unannounced => &mut self.unannounced,
            Refusal::Hidden => &mut self.hidden,
            Refusal::HiddenRepeat => &mut self.hidden_repeat,
            Refusal::HiddenEarly => &mut self.hidden_early,
            Refusal::GlobalAnnounced => &mut self.global_announced,
            Refusal::GlobalUnannounced => &mut self.global_unannounced,
            Refusal::Banned => &mut self.banned,
        } += 1;
    }
}

/// The last arrivals, and the counts of all.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    pub(crate) counters: RestCounters,
    last: VecDeque<Arrival>,
    keep: usize,
}

impl Arrivals {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, arrival: Arrival) {
        self.counters.arrivals += 1;
        match arrival.outcome {
            Outcome::Accepted(_) => self.counters.accepted += 1,
            Outcome::Refused(refusal) => self.counters.refusal(refusal),
            Outcome::Failed(_) => self.counters.failed += 1,
            Outcome::Dropped => self.counters.dropped_before += 1,
        }
        if self.keep == 0 {
            return;
        }
        if self.last.len() == self.keep {
            self.last.pop_front();
        }
        self.last.push_back(arrival);
    }

    pub(crate) fn last(&self) -> impl DoubleEndedIterator<Item = &Arrival> + ExactSizeIterator {
        self.last.iter()
    }
}
