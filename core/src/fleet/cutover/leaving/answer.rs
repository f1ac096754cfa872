//! What the old side says, and when it looks at the clock.

use alloc::vec::Vec;

use crate::fleet::cutover::messages::{Body, Cut, Lost, Message, VERSION};
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Done, Leaving, State};

impl Leaving {
    /// The next message to the new side, to be sent now. A cut is said only after it was [`stored`](Self::stored):
    /// otherwise a process that crashed in between would dispatch the guild again, and so would the new side.
    pub fn poll_message(&mut self, now: Instant) -> Option<Message> {
        let ready = |version: &u64| *version <= self.stored;
        let id = *self.replies.iter().find(|(_, version)| ready(version))?.0;
        self.replies.remove(&id);
        let is_unconfirmed = matches!(
            self.guilds.get(&id).map(|guild| &guild.state),
            Some(State::Cut(done)) if !done.is_taken
        );
        if is_unconfirmed {
            self.unconfirmed.insert(id, now);
        }
        let guild = self.guilds.get(&id)?;
        let (number, body) = match &guild.state {
            State::Live | State::Asked(_) => (guild.withdrawn, Body::Kept),
            State::Cut(done) if done.was_lost => {
                (done.number, Body::Lost(self.last_words(now, id)))
            }
            State::Cut(done) => (done.number, Body::Cut(words(now, done))),
        };
        Some(Message {
            version: VERSION,
            cutover: self.config.cutover,
            guild: id,
            number,
            body,
        })
    }

    fn last_words(&self, now: Instant, id: Snowflake) -> Lost {
        let ago = |at: Instant| now.as_millis().saturating_sub(at.as_millis());
        let dispatched = self.dispatched(id).into_iter();
        Lost {
            dispatched: dispatched.map(|(print, at)| (print, ago(at))).collect(),
            alive_ms: ago(self.alive_at),
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout): when the first ask has waited long enough, or a cut that
    /// was not confirmed is said again.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let since = self
            .asked
            .iter()
            .filter_map(|id| match &self.guilds.get(id)?.state {
                // One that waits for a sign of life is looked at when that comes.
                State::Asked(pending) => Some(pending.since).filter(|at| self.pulse.solid() >= *at),
                State::Live | State::Cut(_) => None,
            });
        let patience = since.min().map(|since| since + self.config.patience);
        let said = self.unconfirmed.values().min();
        let again = said.map(|said| *said + self.config.say_again);
        [patience, again].into_iter().flatten().min()
    }

    /// The clock reached `now`. Early, late and repeated calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let is_due = |said: &Instant| now >= *said + self.config.say_again;
        let late = self.unconfirmed.iter().filter(|(_, said)| is_due(said));
        let late: Vec<_> = late.map(|(id, _)| *id).collect();
        for id in late {
            self.unconfirmed.remove(&id);
            self.reply(id);
        }
        let asked: Vec<_> = self.asked.iter().copied().collect();
        for id in asked {
            let is_due = matches!(
                self.guilds.get(&id).map(|guild| &guild.state),
                Some(State::Asked(pending)) if self.is_over(now, pending)
            );
            if is_due {
                self.try_cut(now, id);
            }
        }
    }
}

fn words(now: Instant, done: &Done) -> Cut {
    Cut {
        basis: done.basis,
        missing: done.missing,
        expected: done.expected.clone(),
        doubtful: done.doubtful.clone(),
        asked_ms: done
            .asked_at
            .map(|asked| now.as_millis().saturating_sub(asked.as_millis())),
    }
}
