//! What goes to the register and what comes back, as JSON. The other side is `register.lua`.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fleet::SHARDS_MAX;
use crate::id::ShardId;

use super::view::ViewWords;

/// The longest answer that is read, in bytes.
pub(super) const ANSWER_MAX: usize = 16 << 20;

/// Numbers from here on are not exact in Lua.
const INEXACT: u64 = 1 << 53;

/// What a member says. Durations and moments in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Statement<'a> {
    pub(super) name: &'a str,
    /// In hexadecimal, for JSON has no numbers of this size.
    pub(super) instance: &'a str,
    pub(super) label: &'a str,
    pub(super) status: &'a str,
    pub(super) capacity: u32,
    pub(super) standby: bool,
    pub(super) leaving: bool,
    pub(super) seq: u64,
    /// The register the member knows, empty if none, and the greatest serial of its answers.
    pub(super) inc: &'a str,
    pub(super) heard: u64,
    /// The greatest token that the member ever heard of.
    pub(super) top: Token,
    pub(super) term: u64,
    pub(super) stride: u64,
    pub(super) handover: u32,
    pub(super) revision: u64,
    /// What the register is to serve if it knows nothing newer; empty if the member does not know either.
    pub(super) topology: String,
    /// The change of shards that is under way, or was the last, as far as the member knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) course: Option<&'a str>,
    /// For each label, the shards that prefer it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) prefer: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retarget: Option<Retarget>,
    /// Every lease it has. What is not among them is free.
    pub(super) held: BTreeMap<Shard, Token>,
    /// What it cannot take: sessions without a lease that are not closed yet.
    pub(super) busy: Vec<Shard>,
    pub(super) wants: Vec<Shard>,
    /// Of those that want to identify, how busy they are, by powers of two.
    #[serde(rename = "weights", skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) wants_busy: BTreeMap<Shard, u8>,
    pub(super) hand: Vec<Cow<'a, str>>,
    pub(super) sent: Vec<Cow<'a, str>>,
    #[serde(rename = "use")]
    pub(super) permit: u64,
    pub(super) spacing: u64,
    pub(super) reserve: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<Limits>,
    pub(super) view: bool,
}

/// Another topology, if the register's is still of this revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Retarget {
    pub(super) expected: u64,
    pub(super) topology: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) course: Option<String>,
}

/// What `/gateway/bot` said.
#[derive(Debug, Serialize)]
pub(super) struct Limits {
    pub(super) inc: String,
    /// Not later than it was asked, by the register's clock.
    pub(super) asked: u64,
    pub(super) total: u32,
    pub(super) remaining: u32,
    pub(super) reset_after: u64,
    pub(super) max_concurrency: u32,
}

/// What the register says to an exchange of this number.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) state: State,
}

/// How the register takes an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    /// A later exchange was faster, or this one came twice.
    Late,
}

/// The rest of an answer, if its state is [`State::Ok`].
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) inc: String,
    pub(super) serial: u64,
    pub(super) now: u64,
    pub(super) revision: u64,
    /// Told if it is another than the member said.
    pub(super) topology: Option<String>,
    /// Told with the topology.
    #[serde(default)]
    pub(super) course: Option<String>,
    /// Whether a change of shards that is under way is led by somebody.
    #[serde(default = "is_led")]
    pub(super) led: bool,
    pub(super) retargeted: Option<bool>,
    pub(super) lost: Vec<Shard>,
    pub(super) take: Vec<(Shard, Token)>,
    pub(super) give: Vec<Shard>,
    /// The third is the permit's number, or how long to wait in milliseconds.
    pub(super) permits: Vec<(Shard, Outcome, u64)>,
    /// Discord is to be asked for limits.
    pub(super) ask: bool,
    /// Shards are on their way to this member.
    pub(super) hurry: bool,
    pub(super) view: Option<ViewWords>,
}

const fn is_led() -> bool {
    true
}

/// What became of a wish to identify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Granted,
    Wait,
    Spent,
}

/// A shard as text: `3/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shard(pub(super) ShardId);

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shard = ShardId::deserialize(deserializer)?;
        Some(shard)
            .filter(|shard| shard.total() <= SHARDS_MAX)
            .map(Self)
            .ok_or_else(|| D::Error::custom("not a shard"))
    }
}

/// A fencing token as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token(pub(super) u64);

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let token = text.parse().ok().filter(|&token| token < INEXACT);
        token
            .map(Self)
            .ok_or_else(|| D::Error::custom("not a token"))
    }
}

/// A permit's number as the register's tables name it.
pub(super) fn serial(number: u64) -> Cow<'static, str> {
    Cow::Owned(number.to_string())
}
