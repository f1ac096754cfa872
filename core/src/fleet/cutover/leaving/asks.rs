//! From an ask to the cut: when both sides are aligned, or at the end of patience.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::fleet::cutover::align::{Alignment, Basis, View, align};
use crate::fleet::cutover::fingerprint::Fingerprint;
use crate::fleet::cutover::messages::{Ask, Body, LISTED_MAX, Message};
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Done, Leaving, Pending, State};

impl Leaving {
    /// A message of the new side. What is of another cutover, or out of bounds, is ignored and counted.
    pub fn message(&mut self, now: Instant, message: &Message) {
        let is_ours = message.cutover == self.config.cutover && message.check().is_ok();
        if !is_ours || !self.guilds.contains_key(&message.guild) {
            self.ignored += 1;
            return;
        }
        match &message.body {
            Body::Ask(ask) => self.asked(now, message.guild, message.number, ask),
            Body::Withdraw => self.withdrawn(message.guild, message.number),
            Body::Taken => self.taken(message.guild),
            Body::Cut(_) | Body::Kept | Body::Lost(_) => self.ignored += 1,
        }
    }

    fn asked(&mut self, now: Instant, id: Snowflake, number: u64, ask: &Ask) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        let asked_at = before(now, ask.asked_ms);
        match &mut guild.state {
            State::Cut(_) => {
                self.reply(id);
                return;
            }
            State::Asked(pending) if pending.number == number => {
                // The same again: it was under way for another time.
                let both = pending.asked_at.zip(asked_at);
                pending.asked_at = both.map(|(one, other)| one.min(other));
            }
            State::Asked(pending) if pending.number > number => {
                self.ignored += 1;
                return;
            }
            _ if number <= guild.withdrawn => {
                // It was withdrawn, and a copy was late. The new side may still wait to hear that.
                self.ignored += 1;
                return;
            }
            State::Live
                if self.asked.len() >= self.config.asks_max.max(1)
                    || self.cut - self.taken >= self.config.asks_max.max(1) * 4 =>
            {
                // Lists that nobody confirms must not pile up. The new side asks again.
                self.ignored += 1;
                return;
            }
            _ => {
                let mut sorted = ask.seen.clone();
                sorted.sort_unstable();
                guild.state = State::Asked(Box::new(Pending {
                    number,
                    seen: ask.seen.clone(),
                    sorted,
                    unlisted: ask.unlisted,
                    silence: ask.silence,
                    lone: ask.lone.clone(),
                    asked_at,
                    since: now,
                }));
                self.asked.insert(id);
            }
        }
        self.try_cut(now, id);
    }

    fn withdrawn(&mut self, id: Snowflake, number: u64) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        if !matches!(guild.state, State::Cut(_)) {
            let is_it = matches!(&guild.state, State::Asked(ask) if ask.number <= number);
            if is_it {
                guild.state = State::Live;
                self.asked.remove(&id);
            }
            if number > guild.withdrawn {
                // What `Kept` promises must outlive a crash, or a late copy of the ask would break it.
                guild.withdrawn = number;
                self.version += 1;
            }
            self.reply(id);
            return;
        }
        self.reply(id);
    }

    fn taken(&mut self, id: Snowflake) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        match &mut guild.state {
            State::Cut(done) if !done.is_taken => {
                done.is_taken = true;
                done.expected = Vec::new();
                done.doubtful = Vec::new();
                self.taken += 1;
                self.version += 1;
                self.replies.remove(&id);
                self.unconfirmed.remove(&id);
            }
            State::Cut(_) => {}
            State::Live | State::Asked(_) => self.ignored += 1,
        }
    }

    /// The cut is said again. It was stored before it was said first, or waits for that.
    pub(super) fn reply(&mut self, id: Snowflake) {
        self.replies.entry(id).or_insert(self.version);
    }

    /// What a guild was told, oldest first.
    pub(super) fn dispatched(&self, id: Snowflake) -> Vec<(Fingerprint, Instant)> {
        let newest = self.guilds.get(&id).map_or(0, |guild| guild.newest);
        let mut entries: Vec<_> = self.seen.walk(newest).take(LISTED_MAX).collect();
        entries.reverse();
        entries
    }

    fn alignment(&self, now: Instant, id: Snowflake, pending: &Pending) -> Alignment {
        let lag = self.config.lag_max;
        // After a resume, what was dispatched says nothing about when it happened, until a while later.
        // And a session that hangs has not dispatched what Discord sent before.
        let is_sure = |moment: &Instant| {
            self.pulse.solid() >= *moment && self.resumed_at.is_none_or(|at| *moment > at + lag)
        };
        let moment = |before_ms| {
            let asked_at = pending.asked_at?;
            before(asked_at, before_ms).filter(is_sure)
        };
        let silence = pending
            .silence
            .and_then(|silence| Some((silence.after as usize, moment(silence.before_ms)?)));
        // By then what the new side saw was dispatched here, too.
        let lone = pending.lone.iter().filter_map(|lone| {
            let at = moment(lone.before_ms).filter(|at| *at + lag <= now)?;
            let from = before(at, u64::try_from(lag.as_millis()).ok()?).filter(is_sure)?;
            Some((lone.index as usize, from, at + lag))
        });
        let view = View {
            seen: &pending.seen,
            unlisted: pending.unlisted,
            silence,
            lone: &lone.collect::<Vec<_>>(),
        };
        align(&self.dispatched(id), &view)
    }

    /// Cuts the guild if the sides are aligned, or if its ask has waited long enough.
    pub(super) fn try_cut(&mut self, now: Instant, id: Snowflake) {
        let Some(State::Asked(pending)) = self.guilds.get(&id).map(|guild| &guild.state) else {
            return;
        };
        let alignment = self.alignment(now, id, pending);
        let is_over = self.is_over(now, pending);
        if alignment.is_aligned() || is_over {
            let (number, asked_at) = (pending.number, pending.asked_at);
            self.cut(id, number, asked_at, alignment);
        }
    }
    /// Whether an ask has waited long enough. While the session hangs, it does not wait in vain: either a resume brings
    /// what is missing, or the session is lost, and that is another matter.
    pub(super) fn is_over(&self, now: Instant, pending: &Pending) -> bool {
        now.since(pending.since) >= self.config.patience && self.pulse.solid() >= pending.since
    }

    fn cut(&mut self, id: Snowflake, number: u64, asked_at: Option<Instant>, found: Alignment) {
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.counts.possibly_lost += found.missing;
        }
        self.settle(
            id,
            Done {
                number,
                sequence: self.sequence,
                basis: found.basis,
                missing: found.missing,
                expected: found.expected,
                doubtful: found.doubtful,
                asked_at,
                was_lost: false,
                is_taken: false,
            },
        );
    }

    /// The session is gone. What it had dispatched is told; the new side knows what it saw since.
    pub(super) fn cut_lost(&mut self, id: Snowflake) {
        let number = match self.guilds.get(&id).map(|guild| &guild.state) {
            Some(State::Asked(pending)) => pending.number,
            _ => 0,
        };
        self.settle(
            id,
            Done {
                number,
                sequence: self.sequence,
                basis: Basis::Nothing,
                missing: 0,
                expected: Vec::new(),
                doubtful: Vec::new(),
                asked_at: None,
                was_lost: true,
                is_taken: false,
            },
        );
    }

    fn settle(&mut self, id: Snowflake, done: Done) {
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.state = State::Cut(Box::new(done));
            self.asked.remove(&id);
            self.cut += 1;
            self.version += 1;
            self.replies.insert(id, self.version);
        }
    }
}

/// A moment that lies so many milliseconds before another, unless that was before the clock began.
fn before(moment: Instant, ms: u64) -> Option<Instant> {
    let micros = ms.checked_mul(1_000)?;
    moment
        .as_micros()
        .checked_sub(micros)
        .map(Instant::from_micros)
}
