//! What the bot did with each session's events, to be compared with what Discord sent.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Instant, SessionLedger};

/// One process's time with a session.
#[derive(Clone, Debug)]
pub(super) struct Attachment {
    pub(super) by: usize,
    /// The sequence it went on from.
    from: u64,
    /// Sequence and digest of what was handed to handlers, in order.
    log: Vec<(u64, u64)>,
}

impl Attachment {
    fn has(&self, sequence: u64) -> bool {
        let found = self.log.binary_search_by_key(&sequence, |&(seen, _)| seen);
        found.is_ok()
    }
}

/// What became of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionTruth {
    attachments: Vec<Attachment>,
    /// When a handler was through with an event for the first time.
    finished: BTreeMap<u64, Instant>,
    /// What the store was told to be finished, and when.
    acknowledged: Vec<(Instant, u64)>,
    /// Events that no handler is given, for the other session of a cutover has them.
    pub(super) left_out: BTreeMap<u64, Instant>,
}

/// What became of all sessions.
#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) sessions: BTreeMap<String, SessionTruth>,
    /// Processes that died, with what their handlers had in hands.
    crashed: BTreeSet<usize>,
}

/// What a comparison adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) sent: u64,
    pub(super) handed: u64,
    pub(super) again: u64,
    /// Of sessions that are gone.
    pub(super) lost: u64,
}

impl Truth {
    fn of(&mut self, session: &str) -> &mut SessionTruth {
        if !self.sessions.contains_key(session) {
            let truth = SessionTruth::default();
            self.sessions.insert(session.to_owned(), truth);
        }
        self.sessions
            .get_mut(session)
            .expect("it was inserted just now")
    }

    /// A process goes on with a session, or opens it.
    pub(super) fn attach(&mut self, session: &str, by: usize, from: u64) {
        let log = Vec::new();
        let attachment = Attachment { by, from, log };
        self.of(session).attachments.push(attachment);
    }

    /// An event is handed to a handler, or kept by one of the sides of a cutover. `None` if nobody is attached.
    pub(super) fn dispatched(&mut self, session: &str, by: usize, event: (u64, u64)) -> Option<()> {
        let truth = self.of(session);
        let mut attachments = truth.attachments.iter_mut().rev();
        let attachment = attachments.find(|attachment| attachment.by == by)?;
        attachment.log.push(event);
        Some(())
    }

    /// A handler is through with an event.
    pub(super) fn finished(&mut self, session: &str, sequence: u64, now: Instant) {
        self.of(session).finished.entry(sequence).or_insert(now);
    }

    /// No handler is given the event.
    pub(super) fn left_out(&mut self, session: &str, sequence: u64, now: Instant) {
        self.of(session).left_out.entry(sequence).or_insert(now);
    }

    /// The store says how far the session is finished.
    pub(super) fn acknowledged(&mut self, session: &str, sequence: u64, now: Instant) {
        let list = &mut self.of(session).acknowledged;
        if list.last().is_none_or(|&(_, known)| known < sequence) {
            list.push((now, sequence));
        }
    }

    /// How often a process went on with a session that another had before.
    pub(super) fn taken_over(&self) -> u64 {
        let pairs = self
            .sessions
            .values()
            .flat_map(|truth| truth.attachments.windows(2));
        pairs.filter(|pair| pair[0].by != pair[1].by).count() as u64
    }
    pub(super) fn crashed(&mut self, by: usize) {
        self.crashed.insert(by);
    }

    pub(super) fn has_crashes(&self) -> bool {
        !self.crashed.is_empty()
    }

    /// Whether a handler had the event, and died with its process.
    pub(super) fn died_with_it(&self, session: &str, sequence: u64) -> bool {
        let Some(truth) = self.sessions.get(session) else {
            return false;
        };
        let is_out = truth.left_out.contains_key(&sequence);
        let crashed = |one: &&Attachment| self.crashed.contains(&one.by);
        !is_out
            && truth
                .attachments
                .iter()
                .filter(crashed)
                .any(|one| one.has(sequence))
    }

    /// Whether a handler has finished an event.
    pub(super) fn is_finished(&self, session: &str, sequence: u64) -> bool {
        let truth = self.sessions.get(session);
        truth.is_some_and(|truth| truth.finished.contains_key(&sequence))
    }

    /// What became of an event of a session, in words.
    pub(super) fn became(&self, session: &str, sequence: u64) -> String {
        let Some(truth) = self.sessions.get(session) else {
            return "unseen".to_owned();
        };
        let finished = truth.finished.get(&sequence);
        let left_out = truth.left_out.get(&sequence);
        match (finished, left_out) {
            (Some(at), _) => format!("finished at {at}"),
            (None, Some(at)) => format!("left out at {at}"),
            (None, None) => "not finished".to_owned(),
        }
    }

    /// Compares a session with what Discord sent on it. `is_current`: some process has it now.
    pub(super) fn compare(
        &self,
        ledger: &SessionLedger,
        is_current: bool,
        sums: &mut Sums,
        faults: &mut Vec<String>,
    ) {
        let nothing = SessionTruth::default();
        let truth = self.sessions.get(&ledger.session).unwrap_or(&nothing);
        let name = format!("session {} of {:?}", ledger.session, ledger.shard);
        sums.sent += ledger.entries.len() as u64;
        for attachment in &truth.attachments {
            sums.handed += attachment.log.len() as u64;
            let sent = ledger
                .entries
                .iter()
                .filter(|entry| entry.seq > attachment.from);
            let sent: Vec<_> = sent.map(|entry| (entry.seq, entry.digest)).collect();
            let pairs = sent.iter().zip(&attachment.log);
            let wrong = pairs.clone().position(|(sent, seen)| sent != seen);
            if let Some(at) = wrong {
                let (sent, seen) = (sent[at], attachment.log[at]);
                let Attachment { by, from, .. } = attachment;
                faults.push(format!(
                    "{name}: process {by} from {from} on was handed {seen:?} for {sent:?}"
                ));
            } else if attachment.log.len() > sent.len() {
                faults.push(format!("{name}: more was handed on than sent"));
            }
        }
        truth.compare_finished(ledger, &name, is_current, sums, faults);
    }
}

impl SessionTruth {
    /// What was acknowledged was finished; in a session that lives everything is.
    fn compare_finished(
        &self,
        ledger: &SessionLedger,
        name: &str,
        is_current: bool,
        sums: &mut Sums,
        faults: &mut Vec<String>,
    ) {
        let mut handed: BTreeMap<u64, u64> = BTreeMap::new();
        for (sequence, _) in self.attachments.iter().flat_map(|one| &one.log) {
            *handed.entry(*sequence).or_default() += 1;
        }
        sums.again += handed.values().map(|times| times - 1).sum::<u64>();
        let mut acknowledged = self.acknowledged.iter().peekable();
        for entry in &ledger.entries {
            while acknowledged.next_if(|ack| ack.1 < entry.seq).is_some() {}
            let finished = self.finished.get(&entry.seq);
            let finished = finished.or_else(|| self.left_out.get(&entry.seq));
            let (seq, t) = (entry.seq, &entry.t);
            match (finished, acknowledged.peek()) {
                (None, Some((at, ack))) => {
                    faults.push(format!(
                        "{name}: {ack} was stored at {at}, and {seq} ({t}) was never finished"
                    ));
                }
                (Some(finished), Some((at, ack))) if finished > at => {
                    faults.push(format!(
                        "{name}: {ack} was stored at {at}, and {seq} finished at {finished}"
                    ));
                }
                (None, None) if is_current => {
                    faults.push(format!(
                        "{name}: it lives, and {seq} ({t}) was never finished"
                    ));
                }
                (None, None) => sums.lost += 1,
                (Some(_), _) => {}
            }
        }
        if faults.len() > 20 {
            faults.truncate(20);
        }
    }
}
