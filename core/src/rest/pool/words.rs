//! What goes to the ledger and what comes back, as JSON. The other side is `ledger.lua`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// What a member tells the ledger. Durations in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    pub(super) name: &'a str,
    /// In hexadecimal, for JSON has no numbers of this size.
    pub(super) instance: String,
    /// Names a ledger that this exchange opens.
    pub(super) nonce: String,
    /// The ledger the member knows; empty if none.
    pub(super) inc: &'a str,
    pub(super) seq: u64,
    /// By the ledger's clock, when it gave the last answer that arrived; -1 if none did.
    pub(super) heard: i64,
    pub(super) bye: bool,
    pub(super) peers: &'a [String],
    pub(super) revision: i64,
    pub(super) grant: u64,
    pub(super) arrival: u64,
    pub(super) silent: u64,
    pub(super) away: u64,
    pub(super) settle: u64,
    /// What became known of routes: ("h", from, into) for two names of one bucket, ("r", field, value) otherwise.
    pub(super) notes: &'a [[String; 3]],
    pub(super) items: Vec<Item>,
}

/// One limit.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    pub(super) kind: &'static str,
    /// The bucket's name, hashed; empty if it has none.
    pub(super) hash: String,
    /// The field of the route whose bucket is not known; empty otherwise.
    pub(super) route: String,
    /// Which of the keys, counted from one, are buckets that this one took over from.
    pub(super) from: Vec<usize>,
    /// Which of the keys is where the routes of the bucket's resource are found out, and what is held of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) beside: Option<usize>,
    pub(super) beside_held: u32,
    pub(super) limit: u32,
    pub(super) window: u64,
    pub(super) grant: u64,
    /// How many more are wanted, and how many are held: not used, or in flight.
    pub(super) want: u32,
    pub(super) held: u32,
    pub(super) share: u32,
    /// Limit, remaining, and the interval of the end by the ledger's clock.
    pub(super) seen: Vec<[i64; 4]>,
    /// In how long, and how many.
    pub(super) gone: Vec<[u64; 2]>,
    pub(super) lost: u32,
    pub(super) hold: u64,
}

/// What the ledger answers.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// By its own clock.
    pub(super) now: i64,
    pub(super) inc: String,
    pub(super) state: State,
    /// For how long nothing is given out, because members of a ledger that was lost are not here yet.
    pub(super) closed: u64,
    pub(super) revision: i64,
    pub(super) peers: Vec<String>,
    /// Fields and values, in turn.
    pub(super) notes: Vec<String>,
    /// Got, microseconds until there is more or -1, parts, limit, window, and the bucket it is now.
    pub(super) items: Vec<(u32, i64, u32, u32, u64, String)>,
}

/// How the ledger takes a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As one of its members.
    Open,
    /// The member comes from a ledger that was lost, and others of it are not here yet: it stays on its share.
    Stay,
    /// All of them are here: the member gives its share up and joins.
    Join,
    /// Another process has this name.
    Taken,
    /// A later exchange was faster.
    Late,
}
