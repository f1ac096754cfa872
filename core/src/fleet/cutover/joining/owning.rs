//! From the cut on: which held events are released, and which of those that come are duplicates.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::fleet::cutover::align::{Basis, Times, View, align};
use crate::fleet::cutover::event::{Event, Suppressed, Verdict};
use crate::fleet::cutover::fingerprint::Fingerprint;
use crate::fleet::cutover::messages::{Body, Cut, Lost, Message};
use crate::id::Snowflake;
use crate::time::Instant;

use super::asking::Seen;
use super::holding::Settled;
use super::{Asked, Expecting, Joining, Phase, Watch};

impl Joining {
    /// A message of the old side. What is of another cutover, or out of bounds, is ignored and counted.
    pub fn message(&mut self, now: Instant, message: &Message) {
        let is_ours = message.cutover == self.config.cutover && message.check().is_ok();
        if !is_ours || !self.guilds.contains_key(&message.guild) {
            self.ignored += 1;
            return;
        }
        let (id, number) = (message.guild, message.number);
        if self.owns(id) && matches!(message.body, Body::Cut(_) | Body::Lost(_)) {
            // The old side has not heard that it was taken.
            self.confirming.entry(id).or_insert(self.version);
            return;
        }
        match &message.body {
            Body::Cut(cut) => self.was_cut(now, id, number, cut),
            Body::Lost(lost) => self.was_lost(now, id, lost),
            Body::Kept => self.was_kept(now, id, number),
            Body::Ask(_) | Body::Withdraw | Body::Taken => self.ignored += 1,
        }
    }

    fn was_cut(&mut self, now: Instant, id: Snowflake, number: u64, cut: &Cut) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        let asked = match &guild.phase {
            Phase::Asked(asked) if asked.number == number => asked,
            _ => {
                // This side does not remember asking: it crashed. What it watched since was dispatched by nobody.
                guild.counts.gaps += 1;
                guild.counts.possibly_lost += guild.watch.events;
                let (expected, mut doubtful): (Vec<_>, Vec<_>) =
                    cut.expected.iter().partition(|times| times.0.is_once());
                doubtful.extend(&cut.doubtful);
                self.own(now, id, expected, doubtful, true);
                return;
            }
        };
        // The silence was where this side says. Where the other put it is later by what both messages took.
        let under_way = asked
            .silence
            .zip(cut.silence_age_ms)
            .map(|((middle, _), age)| now.since(middle).as_millis().saturating_sub(age.into()));
        let in_doubt = match cut.basis {
            Basis::Key => false,
            Basis::Silence => under_way.is_none_or(|ms| ms > self.config.lag_max.as_millis()),
            Basis::Nothing => true,
        };
        if asked.is_broken {
            guild.counts.gaps += 1;
        }
        self.own(
            now,
            id,
            cut.expected.clone(),
            cut.doubtful.clone(),
            in_doubt,
        );
    }

    fn was_lost(&mut self, now: Instant, id: Snowflake, lost: &Lost) {
        let Some(guild) = self.guilds.get(&id) else {
            return;
        };
        let watch = guild.watch;
        let (view, is_broken) = match &guild.phase {
            Phase::Asked(asked) => (
                Seen {
                    seen: asked.seen.clone(),
                    unlisted: asked.unlisted,
                    silence: asked.silence,
                },
                asked.is_broken,
            ),
            _ => (self.view(now, &watch), false),
        };
        let ago = |ms: u64| Instant::from_millis(now.as_millis().saturating_sub(ms));
        let old: Vec<_> = lost
            .dispatched
            .iter()
            .map(|&(print, ms)| (print, ago(ms)))
            .collect();
        let found = align(
            &old,
            &View {
                seen: &view.seen,
                unlisted: view.unlisted,
                silence: view.silence.map(|(middle, after)| (after as usize, middle)),
            },
        );
        // Between the old session's end and the beginning of this one, nobody looked.
        let is_covered = self.is_watching(id)
            && !is_broken
            && watch.since + self.config.lag_max <= ago(lost.alive_ms);
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.counts.possibly_lost += found.missing;
            guild.counts.gaps += u64::from(!is_covered);
        }
        let in_doubt = found.basis == Basis::Nothing;
        self.own(now, id, found.expected, found.doubtful, in_doubt);
    }

    /// The old side's process is dead, its lease is over, and nobody resumes its session. `last_sign` is when it was
    /// last known to live. All that is held is released; some of it the old side may have dispatched.
    pub fn take_over(&mut self, now: Instant, id: Snowflake, last_sign: Instant) {
        let Some(guild) = self.guilds.get(&id) else {
            return;
        };
        if self.owns(id) {
            return;
        }
        let watch = guild.watch;
        let is_recent = |entry: &(Fingerprint, Instant)| entry.1 + self.config.lag_max >= last_sign;
        let recent = self.seen.walk(watch.newest).take_while(is_recent).count() as u64;
        let all = self.seen.walk(watch.newest).count() as u64;
        // If memory ends before the last sign does, everything that was ever watched may have been lost.
        let lost = if recent == all { watch.events } else { recent };
        let is_broken = matches!(&guild.phase, Phase::Asked(asked) if asked.is_broken);
        let is_covered =
            self.is_watching(id) && !is_broken && watch.since + self.config.lag_max <= last_sign;
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.counts.possibly_lost += lost;
            guild.counts.gaps += u64::from(!is_covered);
        }
        self.own(now, id, Vec::new(), Vec::new(), true);
    }

    fn is_watching(&self, id: Snowflake) -> bool {
        matches!(
            self.guilds.get(&id).map(|guild| &guild.phase),
            Some(Phase::Watched | Phase::Asked(_))
        )
    }

    /// The old side goes on, and the ask is void: what was held is dispatched there.
    fn was_kept(&mut self, now: Instant, id: Snowflake, number: u64) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        let asked = match core::mem::take(&mut guild.phase) {
            Phase::Asked(asked) if asked.is_broken && asked.number <= number => asked,
            other => {
                guild.phase = other;
                self.ignored += 1;
                return;
            }
        };
        for event in asked.held {
            guild.counts.dropped += 1;
            guild.untaken += 1;
            let verdict = Verdict::Suppress(Suppressed::Watched);
            self.settled.push_back(Settled::new(id, verdict, event));
        }
        self.asked.remove(&id);
        self.saying.remove(&id);
        guild.watch = Watch::default();
        if guild.is_created {
            // What came since the guild began anew was not noted as seen: the watch begins here.
            guild.watch_from(now);
        }
    }

    /// The guild is dispatched here from now on.
    fn own(
        &mut self,
        now: Instant,
        id: Snowflake,
        expected: Vec<Times>,
        doubtful: Vec<Times>,
        in_doubt: bool,
    ) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        let mut expecting = Expecting { expected, doubtful };
        expecting.sort();
        let held = match core::mem::take(&mut guild.phase) {
            Phase::Asked(asked) => {
                let Asked { held, .. } = *asked;
                held
            }
            _ => alloc::collections::VecDeque::new(),
        };
        for event in held {
            let verdict = if take(&mut expecting.expected, event.print) {
                guild.counts.duplicates += 1;
                Verdict::Suppress(Suppressed::Duplicate)
            } else {
                let is_doubtful = take(&mut expecting.doubtful, event.print);
                guild.counts.possibly_duplicated += u64::from(is_doubtful || in_doubt);
                guild.counts.released += 1;
                Verdict::Dispatch
            };
            guild.untaken += 1;
            self.settled.push_back(Settled::new(id, verdict, event));
        }
        let waits = !(expecting.expected.is_empty() && expecting.doubtful.is_empty());
        guild.phase = Phase::Owned(waits.then(|| Box::new(expecting)));
        if waits {
            self.expiring.push_back((now + self.config.horizon, id));
        }
        self.asked.remove(&id);
        self.saying.remove(&id);
        self.owned += 1;
        self.version += 1;
        self.confirming.insert(id, self.version);
    }

    /// An event of a guild that is dispatched here, while duplicates are expected or settled events wait.
    pub(super) fn owned_event(&mut self, id: Snowflake, event: &Event<'_>) -> Verdict {
        let print = event.fingerprint();
        let Some(guild) = self.guilds.get_mut(&id) else {
            return Verdict::Dispatch;
        };
        if let Phase::Owned(Some(expecting)) = &mut guild.phase {
            if take(&mut expecting.expected, print) {
                guild.counts.duplicates += 1;
                if expecting.is_empty() {
                    guild.phase = Phase::Owned(None);
                }
                return Verdict::Suppress(Suppressed::Duplicate);
            }
            if take(&mut expecting.doubtful, print) {
                guild.counts.possibly_duplicated += 1;
            }
        }
        if guild.untaken > 0 {
            return self.hold(id, event);
        }
        guild.counts.dispatched += 1;
        Verdict::Dispatch
    }

    /// Duplicates that have not come by now are not waited for any more.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.expiring.front() {
            if at > now {
                return;
            }
            self.expiring.pop_front();
            let Some(guild) = self.guilds.get_mut(&id) else {
                continue;
            };
            if let Phase::Owned(Some(expecting)) = &guild.phase {
                let unmet = expecting.expected.iter().map(|times| u64::from(times.1));
                guild.counts.unmet += unmet.sum::<u64>();
                guild.phase = Phase::Owned(None);
            }
        }
    }
}

impl Expecting {
    fn sort(&mut self) {
        self.expected.sort_unstable_by_key(|times| times.0);
        self.doubtful.sort_unstable_by_key(|times| times.0);
    }

    fn is_empty(&self) -> bool {
        let is_spent = |list: &[Times]| list.iter().all(|times| times.1 == 0);
        is_spent(&self.expected) && is_spent(&self.doubtful)
    }
}

/// Takes one of a fingerprint out of a list that ascends, if it is there.
fn take(list: &mut [Times], print: Fingerprint) -> bool {
    let found = list.binary_search_by_key(&print, |times| times.0);
    let Some(times) = found.ok().and_then(|index| list.get_mut(index)) else {
        return false;
    };
    let there = times.1 > 0;
    times.1 = times.1.saturating_sub(1);
    there
}
