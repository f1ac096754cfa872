//! Two views of one guild, laid side by side: what the old side dispatched, and what the new side saw before it asked.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::time::Instant;

use super::fingerprint::Fingerprint;

/// How far before the place that both agree on events may have come in another order.
const REORDERED_MAX: usize = 64;

/// What the two sides agree by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// An event that Discord sends once, which both have seen.
    Key,
    /// A silence of the guild on the new side, longer than events or messages are under way.
    Silence,
    /// An event that may come again, but did not, for longer than events or messages are under way.
    Lone,
    /// Nothing: what repeats cannot be told apart.
    Nothing,
}

/// A fingerprint, and how many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times(pub Fingerprint, pub u32);

/// What the new side saw of a guild before it asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// Oldest first.
    pub(super) seen: &'a [Fingerprint],
    /// How many more there were, not listed.
    pub(super) unlisted: u64,
    /// How many of `seen` came after the silence, and its middle by the old side's clock.
    pub(super) silence: Option<(usize, Instant)>,
    /// Which of `seen` may be alone of their kind, and between which moments the old side dispatched them.
    pub(super) lone: &'a [(usize, Instant, Instant)],
}

/// What follows from the two views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alignment {
    pub(super) basis: Basis,
    /// How many events the new side saw that the old side has not dispatched, as far as can be said.
    pub(super) missing: u64,
    /// What the old side has dispatched and the new side had not seen: it will come there, exactly once each.
    pub(super) expected: Vec<Times>,
    /// What may come to the new side though the old side has dispatched it, or may be new.
    pub(super) doubtful: Vec<Times>,
}

impl Alignment {
    /// Whether a cut now loses nothing and doubles nothing.
    pub(super) fn is_aligned(&self) -> bool {
        self.basis != Basis::Nothing && self.missing == 0
    }
}

/// Lays `old`, what the old side has dispatched (oldest first, nothing left out between), beside what the new side saw.
///
/// Within a guild both sides deliver in the same order. So from a place that both know, what the one has dispatched and
/// what the other has seen are two beginnings of the same sequence; their difference is exact, also for payloads that
/// are all alike. Events that came in another order near the place are found if they have keys.
pub(super) fn align(old: &[(Fingerprint, Instant)], view: &View<'_>) -> Alignment {
    let once_old = sorted(old.iter().map(|entry| entry.0).filter(|p| p.is_once()));
    let once_new = sorted(view.seen.iter().copied().filter(|p| p.is_once()));
    let common = |print: &Fingerprint| print.is_once() && once_old.binary_search(print).is_ok();
    let (basis, new_from, old_from) = if let Some(index) = view.seen.iter().rposition(common) {
        let place = old.iter().rposition(|entry| entry.0 == view.seen[index]);
        (Basis::Key, index + 1, place.map_or(0, |place| place + 1))
    } else if let Some((after, middle)) = view.silence {
        let place = old.partition_point(|entry| entry.1 <= middle);
        (Basis::Silence, view.seen.len().saturating_sub(after), place)
    } else if let Some((index, place)) = lone(old, view) {
        (Basis::Lone, index + 1, place + 1)
    } else {
        return unaligned(old, view, &once_old, &once_new);
    };
    let first = view.seen.iter().position(common);
    // Before the first place that both know, the old side's memory may not reach as far.
    let new_back = first.unwrap_or(new_from).min(new_from);
    let late = view.seen[new_back..new_from]
        .iter()
        .filter(|print| print.is_once() && !common(print));
    let mut new_tail = sorted(view.seen[new_from..].iter().copied());
    new_tail.retain(|print| !common(print));
    let mut old_tail = sorted(old[old_from..].iter().map(|entry| entry.0));
    old_tail.retain(|print| !print.is_once() || once_new.binary_search(print).is_err());
    let missing = less(&new_tail, &old_tail);
    let mut expected = less(&old_tail, &new_tail);
    let old_first = first.and_then(|index| {
        let print = view.seen[index];
        old.iter().rposition(|entry| entry.0 == print)
    });
    let back = old_from.saturating_sub(REORDERED_MAX);
    let back = back.max(old_first.unwrap_or(old_from)).min(old_from);
    let early = old[back..old_from].iter().map(|entry| entry.0);
    expected.extend(
        early
            .filter(|print| print.is_once() && once_new.binary_search(print).is_err())
            .map(|print| Times(print, 1)),
    );
    expected.sort_unstable_by_key(|times| times.0);
    let missing: u64 = missing.iter().map(|times| u64::from(times.1)).sum();
    Alignment {
        basis,
        missing: missing + late.count() as u64,
        expected,
        doubtful: Vec::new(),
    }
}

/// An event of which the old side dispatched one, and only one, when it must have dispatched what the new side saw.
fn lone(old: &[(Fingerprint, Instant)], view: &View<'_>) -> Option<(usize, usize)> {
    view.lone.iter().find_map(|&(index, from, to)| {
        let print = *view.seen.get(index)?;
        // Memory that begins later may have lost the other one.
        if old.first()?.1 > from {
            return None;
        }
        let start = old.partition_point(|entry| entry.1 < from);
        let end = old.partition_point(|entry| entry.1 <= to);
        let within = old.get(start..end)?;
        let mut alike = within
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.0 == print);
        let (place, _) = alike.next()?;
        alike.next().is_none().then_some((index, start + place))
    })
}

/// Without a place that both know: keys say what they can, all else is in doubt. What is in doubt is dispatched,
/// because twice is better than never.
fn unaligned(
    old: &[(Fingerprint, Instant)],
    view: &View<'_>,
    once_old: &[Fingerprint],
    once_new: &[Fingerprint],
) -> Alignment {
    let repeating = view.seen.iter().filter(|print| !print.is_once()).count() as u64;
    let doubtful = sorted(old.iter().map(|entry| entry.0).filter(|p| !p.is_once()));
    Alignment {
        basis: Basis::Nothing,
        missing: view.unlisted + repeating + once_new.len() as u64,
        expected: less(once_old, once_new),
        doubtful: less(&doubtful, &[]),
    }
}

fn sorted(prints: impl Iterator<Item = Fingerprint>) -> Vec<Fingerprint> {
    let mut prints: Vec<_> = prints.collect();
    prints.sort_unstable();
    prints
}

/// What `from` has more of than `what`. Both ascend, and so does the result.
fn less(from: &[Fingerprint], what: &[Fingerprint]) -> Vec<Times> {
    let mut rest = what.iter().copied().peekable();
    let mut left: Vec<Times> = Vec::new();
    for &print in from {
        while rest.next_if(|other| *other < print).is_some() {}
        if rest.next_if_eq(&print).is_some() {
            continue;
        }
        match left.last_mut() {
            Some(last) if last.0 == print => last.1 += 1,
            _ => left.push(Times(print, 1)),
        }
    }
    left
}
