//! Whether the bot's log agrees with the world's ledger.

use std::collections::BTreeMap;

use super::Plan;
use super::bot::Bot;
use super::shard::Resumed;
use crate::{SessionLedger, World};

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The run's seed.
    pub seed: u64,
    /// Everything that must not be. Empty in a good run.
    pub faults_found: Vec<String>,
    /// Sessions that Discord opened.
    pub sessions: u64,
    /// Dispatches that Discord sent, or put by for a resume.
    pub sent: u64,
    /// Dispatches that the bot handed to its user.
    pub dispatched: u64,
    /// Dispatches of sessions that could still be resumed at the end, and that the bot never saw.
    pub lost: u64,
    /// Dispatches that were gone with sessions that Discord ended.
    pub lost_with_session: u64,
    /// Dispatches handed to the user more than once.
    pub duplicated: u64,
    /// Identifies that the bot sent.
    pub identified: u64,
    /// Sessions that were resumed.
    pub resumed: u64,
    /// Dispatches replayed by resumes.
    pub replayed: u64,
    /// Connections that were found dead.
    pub zombies: u64,
    /// Faults that the weather brought.
    pub faults: u64,
    /// Folds everything that happened: equal for equal seeds.
    pub hash: u64,
}

pub(super) fn compare(plan: &Plan, world: &World, bot: &Bot) -> Report {
    let counters = world.counters();
    let mut report = Report {
        seed: plan.seed,
        sent: counters.dispatches,
        faults: counters.faults,
        hash: bot.log().hash,
        ..Report::default()
    };
    for stats in bot.stats() {
        report.identified += stats.identifies;
        report.resumed += stats.resumed;
        report.replayed += stats.replayed;
        report.zombies += stats.zombies;
        if stats.duplicates + stats.out_of_order > 0 {
            let (duplicates, out_of_order) = (stats.duplicates, stats.out_of_order);
            report.find(format!(
                "a session saw {duplicates} duplicates, {out_of_order} out of order"
            ));
        }
    }
    let ledgers: BTreeMap<&str, &SessionLedger> = world
        .ledger()
        .map(|ledger| (ledger.session.as_str(), ledger))
        .collect();
    for ledger in ledgers.values() {
        let log = bot
            .log()
            .sessions
            .get(&ledger.session)
            .map_or(&[][..], Vec::as_slice);
        report.compare_session(ledger, log);
    }
    for session in bot
        .log()
        .sessions
        .keys()
        .filter(|session| !ledgers.contains_key(session.as_str()))
    {
        report.find(format!("session {session:?} is unknown to Discord"));
    }
    for resumed in &bot.log().resumes {
        report.compare_resume(ledgers.get(resumed.session.as_str()).copied(), resumed);
    }
    for violation in world.violations() {
        report.find(format!("rule broken: {violation:?}"));
    }
    if bot.not_ready() > 0 {
        report.find(format!(
            "{} shards are not back at the end",
            bot.not_ready()
        ));
    }
    report
}

impl Report {
    fn find(&mut self, what: String) {
        self.faults_found.push(what);
    }

    /// A session that still lives was dispatched whole; one that ended, up to some point. Always in order, always once.
    fn compare_session(&mut self, ledger: &SessionLedger, log: &[(u64, u64)]) {
        self.sessions += 1;
        self.dispatched += log.len() as u64;
        let name = &ledger.session;
        if ledger.truncated {
            self.find(format!("the ledger of session {name} is not complete"));
        }
        self.duplicated += log.windows(2).filter(|pair| pair[0].0 >= pair[1].0).count() as u64;
        let sent = ledger.entries.iter().map(|entry| (entry.seq, entry.digest));
        if let Some(at) = sent.clone().zip(log).position(|(sent, &seen)| sent != seen) {
            let (sent, seen) = (&ledger.entries[at], log[at]);
            self.find(format!(
                "session {name}: entry {at} is {sent:?}, dispatched was {seen:?}"
            ));
        }
        let missing = ledger.entries.len().saturating_sub(log.len()) as u64;
        if log.len() > ledger.entries.len() {
            self.find(format!("session {name}: more was dispatched than sent"));
        } else if ledger.end.is_some() {
            self.lost_with_session += missing;
        } else if missing > 0 {
            self.lost += missing;
            let shard = ledger.shard;
            let from = ledger.entries[log.len()].seq;
            self.find(format!(
                "session {name} of shard {shard:?} can be resumed, yet {missing} events are missing from {from} on"
            ));
        }
    }

    /// A resume replays what lies between the sequence it named and the one of RESUMED.
    fn compare_resume(&mut self, ledger: Option<&SessionLedger>, resumed: &Resumed) {
        let Resumed {
            session,
            from,
            to,
            replayed,
        } = resumed;
        let Some(ledger) = ledger else { return };
        let due = ledger
            .entries
            .iter()
            .filter(|entry| entry.seq > *from && entry.seq < *to)
            .count() as u64;
        if due != *replayed {
            self.find(format!(
                "session {session}: resumed from {from} to {to}, {replayed} of {due} replayed"
            ));
        }
    }
}
