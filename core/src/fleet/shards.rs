//! How a user says which shards to run: auto, a count, ranges, pairs, or the name of a pod.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::ShardId;

use super::error::TopologyError;
use super::topology::Topology;

/// The largest total, and the most shards in one topology: far above any bot there is, and small enough that a typing
/// error cannot exhaust memory.
pub const SHARDS_MAX: u32 = 65_535;

/// Which shards to run, as a user writes it.
///
/// | written | means |
/// |---|---|
/// | `auto` | as many as `/gateway/bot` recommends, all in this process |
/// | `16` | all of 0 to 15 of 16 |
/// | `0-7/16` | 0 to 7 of 16; another process runs the rest |
/// | `0,3,5-7/16` | a list of indices and ranges |
/// | `0-15/16;0-31/32` | different totals side by side; white space separates as well |
/// | `[[2,4],[3,4]]` | pairs of index and total, as identify sends them; one pair `[2,4]` is enough |
///
/// Whether a total suits the bot is Discord's to say: a shard of more than 2,500 guilds is refused with 4011, and the
/// total of a very large bot must be a multiple of the number that Discord assigned to it, or 4010 follows.
///
/// ```
/// use shardkeep_core::fleet::Shards;
///
/// let shards: Shards = "0, 3, 5-7/16".parse()?;
/// assert_eq!(shards.to_string(), "0,3,5-7/16");
/// assert_eq!(shards.resolve(9).len(), 5);
/// assert_eq!(Shards::Auto.resolve(9).to_string(), "9");
///
/// let wrong = "16/16".parse::<Shards>().unwrap_err();
/// assert!(wrong.to_string().contains("0 to 15"));
/// # Ok::<(), shardkeep_core::fleet::TopologyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shards {
    /// As many as Discord recommends, all of them here.
    #[default]
    Auto,
    /// These.
    Fixed(Topology),
}

impl Shards {
    /// Shards 0 to `total - 1` of `total`.
    ///
    /// # Errors
    ///
    /// [`TopologyError`] if `total` is 0 or above [`SHARDS_MAX`].
    pub fn count(total: u32) -> Result<Self, TopologyError> {
        Topology::whole(total).map(Self::Fixed)
    }

    /// Pairs of index and total, as identify sends them: `[[2, 4], [3, 4]]`.
    ///
    /// # Errors
    ///
    /// [`TopologyError`] if there is no pair, one twice, or one whose index is not below its total.
    pub fn pairs(pairs: impl IntoIterator<Item = [u32; 2]>) -> Result<Self, TopologyError> {
        let mut list = Vec::new();
        for [index, total] in pairs {
            push(
                &mut list,
                index.into(),
                index.into(),
                checked_total(total.into())?,
            )?;
        }
        Topology::new(list).map(Self::Fixed)
    }

    /// What the values of `SHARD_ID` and `TOTAL_SHARDS` ask for; `None` if both are absent.
    ///
    /// * `TOTAL_SHARDS` alone is what [`Shards`] reads: a count, or `auto`.
    /// * `SHARD_ID` is a number, or the name of a pod of a Kubernetes StatefulSet, whose last part is the pod's
    ///   ordinal: `discord-bot-3`.
    /// * With `shards_per_pod` (`k`, else 1) the pod runs the shards `k * SHARD_ID` to `k * SHARD_ID + k - 1`; the
    ///   last pod runs what is left below the total.
    ///
    /// ```
    /// use shardkeep_core::fleet::Shards;
    ///
    /// let shards = Shards::from_env(Some("discord-bot-3"), Some("16"), Some(4))?.unwrap();
    /// assert_eq!(shards.to_string(), "12-15/16");
    ///
    /// // The pods of a Deployment have no ordinal: guessing one would run a shard twice and others never.
    /// assert!(Shards::from_env(Some("discord-bot-7d9f8b6c5-x2k4q"), Some("16"), None).is_err());
    /// # Ok::<(), shardkeep_core::fleet::TopologyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TopologyError`] if one of the values is empty or cannot be read, if there is no total, or if the pod has no
    /// shard below the total.
    pub fn from_env(
        shard_id: Option<&str>,
        total_shards: Option<&str>,
        shards_per_pod: Option<u32>,
    ) -> Result<Option<Self>, TopologyError> {
        let (id, total) = match (shard_id, total_shards) {
            (None, None) => return Ok(None),
            (None, Some(total)) => return total.parse().map(Some),
            (Some(_), None) => return Err(TopologyError::NoTotal),
            (Some(id), Some(total)) => (id.trim(), total.trim()),
        };
        let per_pod = match shards_per_pod {
            Some(0) => return Err(TopologyError::ZeroPerPod),
            Some(k) => u64::from(k),
            None => 1,
        };
        let total = checked_total(number(total)?)?;
        let ordinal = pod_ordinal(id)?;
        let first = ordinal.saturating_mul(per_pod);
        if first >= u64::from(total) {
            let pods = u64::from(total).div_ceil(per_pod);
            return Err(TopologyError::NoShardForPod {
                ordinal,
                total,
                pods,
            });
        }
        let last = (first + per_pod - 1).min(u64::from(total) - 1);
        let mut list = Vec::new();
        push(&mut list, first, last, total)?;
        Topology::new(list).map(|topology| Some(Self::Fixed(topology)))
    }

    /// The shards to run, given the count that `/gateway/bot` recommends. `Auto` takes it as it is, within 1 to
    /// [`SHARDS_MAX`]; everything else ignores it.
    #[must_use]
    pub fn resolve(&self, recommended: u32) -> Topology {
        match self {
            Self::Fixed(topology) => topology.clone(),
            Self::Auto => Topology::whole(recommended.clamp(1, SHARDS_MAX))
                .expect("1 to SHARDS_MAX is a valid total"),
        }
    }
}

impl FromStr for Shards {
    type Err = TopologyError;

    fn from_str(text: &str) -> Result<Self, TopologyError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        if text.starts_with('[') {
            return pairs_of_json(text).and_then(Self::pairs);
        }
        let parts = parts_of(text);
        if let [only] = parts.as_slice()
            && !only.contains(['/', ',', '-'])
        {
            return Topology::whole(checked_total(number(only)?)?).map(Self::Fixed);
        }
        let mut list = Vec::new();
        for part in &parts {
            let Some((indices, total)) = part.split_once('/') else {
                return Err(TopologyError::TotalMissing { text: quote(part) });
            };
            let total = checked_total(number(total)?)?;
            for item in indices.split(',') {
                let (first, last) = match item.split_once('-') {
                    Some((first, last)) => (number(first)?, number(last)?),
                    None => number(item).map(|index| (index, index))?,
                };
                push(&mut list, first, last, total)?;
            }
        }
        Topology::new(list).map(Self::Fixed)
    }
}

impl fmt::Display for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(topology) => topology.fmt(f),
        }
    }
}

/// The parts between `;` and white space. White space beside `,` `-` `/` separates nothing: `0, 3/16` is one part.
fn parts_of(text: &str) -> Vec<String> {
    const JOINERS: [char; 3] = [',', '-', '/'];
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        let ends = c == ';' || (gap && !JOINERS.contains(&c) && !part.ends_with(JOINERS));
        gap = false;
        if ends && !part.is_empty() {
            parts.push(core::mem::take(&mut part));
        }
        if c != ';' {
            part.push(c);
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// `[[2,4],[3,4]]`, or a single pair `[2,4]`.
fn pairs_of_json(text: &str) -> Result<Vec<[u32; 2]>, TopologyError> {
    serde_json::from_str::<Vec<[u32; 2]>>(text)
        .or_else(|_| serde_json::from_str::<[u32; 2]>(text).map(|pair| Vec::from([pair])))
        .map_err(|_| TopologyError::BadPairs { text: quote(text) })
}

fn number(text: &str) -> Result<u64, TopologyError> {
    let not_a_number = || TopologyError::NotANumber { text: quote(text) };
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(not_a_number()); // `parse` would take a leading `+`
    }
    text.parse().map_err(|_| not_a_number())
}

fn checked_total(total: u64) -> Result<u32, TopologyError> {
    match u32::try_from(total) {
        Ok(0) => Err(TopologyError::ZeroTotal),
        Ok(total @ 1..=SHARDS_MAX) => Ok(total),
        _ => Err(TopologyError::TotalTooLarge { total }),
    }
}

/// Appends shards `first` to `last` of a checked total.
fn push(list: &mut Vec<ShardId>, first: u64, last: u64, total: u32) -> Result<(), TopologyError> {
    if first > last {
        return Err(TopologyError::Reversed { first, last });
    }
    let shard = |index| {
        u32::try_from(index)
            .ok()
            .and_then(|index| ShardId::new(index, total))
    };
    if shard(last).is_none() {
        return Err(TopologyError::IndexNotBelowTotal { index: last, total });
    }
    if list.len() as u64 + (last - first) >= u64::from(SHARDS_MAX) {
        return Err(TopologyError::TooManyShards);
    }
    list.extend((first..=last).filter_map(shard));
    Ok(())
}

/// The number in `3`, or the ordinal in the StatefulSet pod name `discord-bot-3`.
fn pod_ordinal(id: &str) -> Result<u64, TopologyError> {
    if id.is_empty() {
        return Err(TopologyError::NoShardId);
    }
    if id.bytes().all(|b| b.is_ascii_digit()) {
        return number(id);
    }
    let not_ordinal = || TopologyError::NotAnOrdinal { name: quote(id) };
    let (name, ordinal) = id.rsplit_once('-').ok_or_else(not_ordinal)?;
    // Kubernetes writes ordinals without leading zeros, and names begin and end with a letter or digit. A name
    // without any letter is a list such as `0-3`, which SHARD_ID does not take.
    let is_ordinal = ordinal == "0" || !ordinal.starts_with('0');
    let is_name = name.bytes().any(|b| b.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        && !name.ends_with(['-', '.']);
    if !is_ordinal || !is_name || is_deployment(name, ordinal) {
        return Err(not_ordinal());
    }
    number(ordinal).map_err(|_| not_ordinal())
}

/// Whether a name whose last part happens to be all digits is that of a Deployment's pod: five random characters, of
/// an alphabet without 0, 1 and 3, behind the hash of the pod template, whose alphabet is smaller still.
fn is_deployment(name: &str, suffix: &str) -> bool {
    let hash = name.rsplit_once('-').map_or("", |(_, hash)| hash);
    suffix.len() == 5
        && suffix.bytes().all(|b| b"2456789".contains(&b))
        && (6..=10).contains(&hash.len())
        && hash.bytes().all(|b| b"456789bcdf".contains(&b))
}

/// At most the first 40 characters: an error message should not repeat a whole file.
fn quote(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Serialize for Shards {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shards {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Spec;
        impl<'de> Visitor<'de> for Spec {
            type Value = Shards;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"auto\", a count, ranges such as \"0-7/16\", or pairs such as [[0, 2], [1, 2]]")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Shards, E> {
                checked_total(count)
                    .and_then(Shards::count)
                    .map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Shards, E> {
                let count = u64::try_from(count)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(count), &self))?;
                self.visit_u64(count)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Shards, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shards, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = seq.next_element::<[u32; 2]>()? {
                    if pairs.len() >= SHARDS_MAX as usize {
                        return Err(de::Error::custom(TopologyError::TooManyShards));
                    }
                    pairs.push(pair);
                }
                Shards::pairs(pairs).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Spec)
    }
}
