//! The bot's own log of what it was handed, and its comparison with the simulator's ledger.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;
use shardkeep::core::ShardId;
use shardkeep::core::wire::EventKind;
use shardkeep::events::Entry;
use shardkeep::{Lifecycle, Topic};
use shardkeep_sim::digest;

/// How many events the screen shows.
const RECENT: usize = 5;

/// Everything the bot was handed, by session.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Dispatches, RESUMED not among them: it belongs to a connection, not to a session, and is never replayed.
    pub(super) dispatched: u64,
    pub(super) replayed: u64,
    pub(super) guilds: u64,
    /// Shards whose session is established.
    pub(super) up: BTreeSet<ShardId>,
    pub(super) resumed: u64,
    pub(super) recent: VecDeque<String>,
    /// Dispatches that came before any READY of their shard: impossible, therefore counted.
    pub(super) homeless: u64,
    current: BTreeMap<ShardId, String>,
    sessions: BTreeMap<String, BTreeMap<u64, Seen>>,
}

/// One sequence of one session as the bot saw it.
#[derive(Debug)]
struct Seen {
    times: u64,
    digest: u64,
}

#[derive(Deserialize)]
struct Ready {
    session_id: String,
}

impl Tally {
    /// Logs one event.
    pub(super) fn log(&mut self, entry: &Entry<'_>) -> Option<Lifecycle> {
        if entry.topic != Topic::Dispatch {
            let lifecycle = Lifecycle::read(*entry);
            match &lifecycle {
                Some(Lifecycle::ShardConnect(_)) => self.up.insert(entry.shard),
                Some(Lifecycle::ShardResume(_)) => {
                    self.resumed += 1;
                    self.up.insert(entry.shard)
                }
                Some(Lifecycle::ShardDisconnect(_)) => self.up.remove(&entry.shard),
                _ => false,
            };
            return lifecycle;
        }
        self.remember(entry);
        self.dispatch(entry.shard, entry.kind, entry.sequence, entry.data);
        self.replayed += u64::from(entry.replayed);
        None
    }

    fn dispatch(&mut self, shard: ShardId, kind: EventKind, sequence: u64, data: &[u8]) {
        match kind {
            EventKind::Resumed => return,
            EventKind::Ready => {
                if let Ok(ready) = serde_json::from_slice::<Ready>(data) {
                    self.current.insert(shard, ready.session_id);
                }
            }
            EventKind::GuildCreate => self.guilds += 1,
            _ => {}
        }
        self.dispatched += 1;
        match self.current.get(&shard) {
            None => self.homeless += 1,
            Some(session) => {
                let session = self.sessions.entry(session.clone()).or_default();
                let first = || Seen {
                    times: 0,
                    digest: digest(data),
                };
                session.entry(sequence).or_insert_with(first).times += 1;
            }
        }
    }

    fn remember(&mut self, entry: &Entry<'_>) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        let replayed = if entry.replayed { "  replayed" } else { "" };
        let name = entry.name;
        self.recent.push_back(format!(
            "shard {:>5}  #{:<6} {name:<24} {:>6} bytes{replayed}",
            entry.shard.to_string(),
            entry.sequence,
            entry.data.len()
        ));
    }

    /// Whether the bot has seen the last event of every session.
    pub(super) fn has_caught_up(&self, sent: &[Session]) -> bool {
        sent.iter()
            .filter(|session| session.end.is_none())
            .all(|session| {
                let seen = self.sessions.get(&session.session);
                seen.map_or(0, BTreeMap::len) as u64 >= session.dispatches
            })
    }

    /// Compares with what was sent, sequence by sequence.
    pub(super) fn compare(&self, sent: &[Ledger]) -> Comparison {
        let mut found = Comparison {
            unknown: self.homeless,
            ..Comparison::default()
        };
        for ledger in sent {
            let none = BTreeMap::new();
            let seen = self.sessions.get(&ledger.session.session).unwrap_or(&none);
            found.sent += ledger.entries.len() as u64;
            found.truncated |= ledger.session.truncated;
            for entry in &ledger.entries {
                match seen.get(&entry.seq) {
                    None => found.lost += 1,
                    Some(seen) => {
                        found.duplicated += seen.times - 1;
                        found.altered += u64::from(seen.digest != entry.digest);
                    }
                }
            }
            let known = |seq| {
                ledger
                    .entries
                    .binary_search_by_key(&seq, |entry| entry.seq)
                    .is_ok()
            };
            found.unknown += seen.keys().filter(|&&seq| !known(seq)).count() as u64;
        }
        found
    }
}

/// What the comparison of the bot's log with the simulator's ledger shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Dispatches that the simulator sent, replays not counted again.
    pub(super) sent: u64,
    /// Of these, never handed to the bot.
    pub(super) lost: u64,
    /// Handed to the bot once more than sent.
    pub(super) duplicated: u64,
    /// Handed to the bot with other bytes.
    pub(super) altered: u64,
    /// Handed to the bot and never sent.
    pub(super) unknown: u64,
    /// The ledger is incomplete: nothing can be said.
    pub(super) truncated: bool,
}

/// A session as the simulator lists it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Session {
    pub(super) session: String,
    pub(super) dispatches: u64,
    pub(super) truncated: bool,
    pub(super) end: Option<String>,
}

/// A session's ledger.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Ledger {
    pub(super) session: Session,
    pub(super) entries: Vec<Sent>,
}

/// One dispatch as the simulator sent it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sent {
    pub(super) seq: u64,
    pub(super) digest: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &[u8] = br#"{"session_id":"one"}"#;

    fn bot(sequences: &[u64]) -> Tally {
        let mut tally = Tally::default();
        tally.dispatch(ShardId::SINGLE, EventKind::Ready, 1, READY);
        for &sequence in sequences {
            tally.dispatch(ShardId::SINGLE, EventKind::MessageCreate, sequence, b"{}");
        }
        tally
    }

    fn simulator(sequences: &[u64]) -> Vec<Ledger> {
        let entries = sequences.iter().map(|&seq| {
            let sent: &[u8] = if seq == 1 { READY } else { b"{}" };
            Sent {
                seq,
                digest: digest(sent),
            }
        });
        let entries: Vec<_> = entries.collect();
        let session = Session {
            session: "one".to_owned(),
            dispatches: entries.len() as u64,
            truncated: false,
            end: None,
        };
        vec![Ledger { session, entries }]
    }

    #[test]
    fn what_is_missing_doubled_changed_or_made_up_is_told_apart() {
        let sent = Comparison {
            sent: 4,
            ..Comparison::default()
        };
        assert_eq!(bot(&[2, 3, 4]).compare(&simulator(&[1, 2, 3, 4])), sent);
        let lost = Comparison { lost: 1, ..sent };
        assert_eq!(bot(&[2, 4]).compare(&simulator(&[1, 2, 3, 4])), lost);
        let duplicated = Comparison {
            duplicated: 2,
            ..sent
        };
        assert_eq!(
            bot(&[2, 3, 3, 3, 4]).compare(&simulator(&[1, 2, 3, 4])),
            duplicated
        );
        let unknown = Comparison { unknown: 1, ..sent };
        assert_eq!(
            bot(&[2, 3, 4, 9]).compare(&simulator(&[1, 2, 3, 4])),
            unknown
        );
        let mut changed = bot(&[2, 3]);
        changed.dispatch(ShardId::SINGLE, EventKind::MessageCreate, 4, b"{ }");
        let altered = Comparison { altered: 1, ..sent };
        assert_eq!(changed.compare(&simulator(&[1, 2, 3, 4])), altered);
    }

    #[test]
    fn a_session_that_the_bot_never_saw_is_lost_whole() {
        assert_eq!(Tally::default().compare(&simulator(&[1, 2])).lost, 2);
    }

    #[test]
    fn resumed_belongs_to_a_connection_and_is_not_counted() {
        let mut tally = bot(&[2]);
        tally.dispatch(ShardId::SINGLE, EventKind::Resumed, 3, b"{}");
        assert_eq!(tally.dispatched, 2);
        assert!(tally.has_caught_up(&[simulator(&[1, 2])[0].session.clone()]));
        assert!(!tally.has_caught_up(&[simulator(&[1, 2, 3])[0].session.clone()]));
    }

    #[test]
    fn events_before_any_ready_are_unknown() {
        let mut tally = Tally::default();
        tally.dispatch(ShardId::SINGLE, EventKind::MessageCreate, 2, b"{}");
        assert_eq!(tally.compare(&[]).unknown, 1);
    }
}
