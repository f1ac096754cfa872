//! What became of events that two sessions had: in a change of shards each is one handler's, not nobody's nor two's.

use std::collections::BTreeMap;

use super::truth::Truth;
use crate::{Entry, SessionEnd, SessionLedger};

/// What tells an event from others, in whatever session it comes.
type Key<'a> = (&'a str, u64, u64);

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    /// How often it came to one session at most: so often it happened.
    happened: u64,
    /// The same, of sessions that nothing took from the bot.
    due: u64,
    /// How often a handler has finished it, over all sessions; replays aside.
    finished: u64,
    /// How often a handler had it, and died with its process.
    died: u64,
}

/// How all of them add up.
#[derive(Clone, Debug, Default)]
pub(super) struct Across {
    /// No handler has finished them, though no session was lost that they came on.
    pub(super) lost: u64,
    /// Which these are.
    pub(super) which: Vec<String>,
    /// A handler of each session has finished them; events that happen only once.
    pub(super) twice: u64,
}

/// Events that every session has for itself, or begins with.
const OWN: [&str; 7] = [
    "READY",
    "RESUMED",
    "GUILD_CREATE",
    "GUILD_DELETE",
    "GUILD_MEMBERS_CHUNK",
    "VOICE_SERVER_UPDATE",
    "USER_UPDATE",
];

/// Events that no other is like.
const ONCE: [&str; 2] = ["MESSAGE_CREATE", "INTERACTION_CREATE"];

impl Truth {
    /// Counts each event over all sessions.
    pub(super) fn across<'a>(&self, ledgers: impl Iterator<Item = &'a SessionLedger>) -> Across {
        let mut all: BTreeMap<Key<'_>, Times> = BTreeMap::new();
        for ledger in ledgers {
            let is_due = matches!(ledger.end, None | Some(SessionEnd::ClosedByClient));
            let mut here: BTreeMap<Key<'_>, u64> = BTreeMap::new();
            let shared = |entry: &&Entry| !OWN.contains(&&*entry.t);
            for entry in ledger.entries.iter().filter(shared) {
                let key = (&*entry.t, entry.id, entry.digest);
                *here.entry(key).or_default() += 1;
                let (session, seq) = (&ledger.session, entry.seq);
                let is_finished = self.is_finished(session, seq);
                let has_died = !is_finished && self.died_with_it(session, seq);
                let times = all.entry(key).or_default();
                times.finished += u64::from(is_finished);
                times.died += u64::from(has_died);
            }
            for (key, times) in here {
                let known = all.entry(key).or_default();
                known.happened = known.happened.max(times);
                if is_due {
                    known.due = known.due.max(times);
                }
            }
        }
        let mut across = Across::default();
        for (key, times) in &all {
            let lost = times.due.saturating_sub(times.finished + times.died);
            across.lost += lost;
            if lost > 0 {
                across.which.push(format!("{key:?}: {times:?}"));
            }
            // What may be said again in the same words is no duplicate.
            if ONCE.contains(&key.0) {
                across.twice += times.finished.saturating_sub(times.happened);
            }
        }
        across
    }
}
