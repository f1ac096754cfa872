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
use super::{Asked, Expecting, Joining, Phase, Sight, Watch};

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
                self.own(now, id, expected, doubtful, Sight::Doubtful);
                return;
            }
        };
        // The ask was when this side says. The other puts it later, by what both messages took.
        let asked_ms = now.since(asked.asked_at).as_millis();
        let under_way = cut
            .asked_ms
            .map(|reckoned| asked_ms.saturating_sub(reckoned.into()));
        let sight = match cut.basis {
            Basis::Key => Sight::Clear,
            Basis::Nothing => Sight::Doubtful,
            // The old side took a later moment for the place, and does not list what it dispatched before.
            Basis::Silence | Basis::Lone => under_way.map_or(Sight::Blind, |ms| {
                if ms > self.config.lag_max.as_millis() / 2 {
                    Sight::Blind
                } else {
                    Sight::Clear
                }
            }),
        };
        if asked.is_broken {
            guild.counts.gaps += 1;
        }
        let (expected, doubtful) = (cut.expected.clone(), cut.doubtful.clone());
        self.own(now, id, expected, doubtful, sight);
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
                    lone: Vec::new(),
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
                // What a session that is gone would have dispatched is not known.
                lone: &[],
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
        let sight = if found.basis == Basis::Nothing {
            Sight::Blind
        } else {
            Sight::Clear
        };
        self.own(now, id, found.expected, found.doubtful, sight);
    }

    /// The old side's process is dead, its lease is over, and nobody resumes its session. `last_sign` is when it was
    /// last known to have finished its events. All that is held is released; some of it the old side may have
    /// dispatched.
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
        self.own(now, id, Vec::new(), Vec::new(), Sight::Blind);
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
        sight: Sight,
    ) {
        // What comes late is what was sent before the old side stopped.
        let is_behind = self.wants_pause() || self.pulse.burst_until > now;
        let blind = if is_behind {
            self.config.horizon
        } else {
            self.config.lag_max
        };
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        let mut expecting = Expecting {
            expected,
            doubtful,
            left: 0,
            blind_until: (sight == Sight::Blind).then(|| now + blind),
        };
        expecting.sort();
        let held = match core::mem::take(&mut guild.phase) {
            Phase::Asked(asked) => {
                let Asked { held, .. } = *asked;
                held
            }
            _ => alloc::collections::VecDeque::new(),
        };
        for event in held {
            let verdict = if expecting.take_expected(event.print) {
                guild.counts.duplicates += 1;
                Verdict::Suppress(Suppressed::Duplicate)
            } else {
                let is_doubtful = expecting.take_doubtful(event.print);
                guild.counts.possibly_duplicated += u64::from(is_doubtful || sight != Sight::Clear);
                guild.counts.released += 1;
                Verdict::Dispatch
            };
            guild.untaken += 1;
            self.settled.push_back(Settled::new(id, verdict, event));
        }
        let waits = !expecting.is_over(now);
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
    pub(super) fn owned_event(
        &mut self,
        now: Instant,
        id: Snowflake,
        event: &Event<'_>,
    ) -> Verdict {
        let print = event.fingerprint();
        let Some(guild) = self.guilds.get_mut(&id) else {
            return Verdict::Dispatch;
        };
        if let Phase::Owned(Some(expecting)) = &mut guild.phase {
            if expecting.take_expected(print) {
                guild.counts.duplicates += 1;
                if expecting.is_over(now) {
                    guild.phase = Phase::Owned(None);
                }
                return Verdict::Suppress(Suppressed::Duplicate);
            }
            let is_doubtful = expecting.take_doubtful(print);
            let is_blind = expecting.blind_until.is_some_and(|until| now < until);
            guild.counts.possibly_duplicated += u64::from(is_doubtful || is_blind);
            if expecting.is_over(now) {
                guild.phase = Phase::Owned(None);
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
        if self.owned == self.guilds.len() && !self.expiring.is_empty() {
            // Who has met all of them is not waited for, once that is all that is waited for.
            let guilds = &self.guilds;
            self.expiring.retain(|(_, id)| {
                let phase = guilds.get(id).map(|guild| &guild.phase);
                matches!(phase, Some(Phase::Owned(Some(_))))
            });
        }
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
    /// Brings the lists into order, whoever wrote them: a fingerprint stands in a list once.
    fn sort(&mut self) {
        self.expected.sort_unstable_by_key(|times| times.0);
        self.doubtful.sort_unstable_by_key(|times| times.0);
        let merge = |later: &mut Times, first: &mut Times| {
            let is_same = later.0 == first.0;
            if is_same {
                first.1 = first.1.saturating_add(later.1);
            }
            is_same
        };
        self.expected.dedup_by(merge);
        self.doubtful.dedup_by(merge);
        let both = self.expected.iter().chain(&self.doubtful);
        self.left = both.map(|times| u64::from(times.1)).sum();
    }

    /// Takes an expected duplicate, if this is one.
    fn take_expected(&mut self, print: Fingerprint) -> bool {
        let found = take(&mut self.expected, print);
        self.left -= u64::from(found);
        found
    }

    fn take_doubtful(&mut self, print: Fingerprint) -> bool {
        let found = take(&mut self.doubtful, print);
        self.left -= u64::from(found);
        found
    }

    fn is_over(&self, now: Instant) -> bool {
        self.left == 0 && self.blind_until.is_none_or(|until| now >= until)
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
