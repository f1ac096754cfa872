//! The best possible finish of a workload: no client can be done earlier, whatever it knows.
//!
//! For one bucket, requests go in order of release (two of them can always be exchanged). Let `r` be the releases in
//! ascending order, `L` the limit, `W` the window.
//!
//! * `Log`: `s[k] = max(r[k], s[k - L] + W)`. As early as possible is best: what was sent earlier leaves earlier.
//! * `Leaky`: the earliest moment at which the level leaves room for one, one request after the other. As early as
//!   possible is best for the same reason: the level after an earlier request is never higher.
//! * `Fixed`: as early as possible is not always best, for a request that waits a little may let its window reach over
//!   a later crowd. A window takes up to `L` consecutive requests `a..=b`, and opens at
//!   `o = max(r[a], o' + W, r[b] - W + 1 µs)`, where `o'` is when the one before it opened. The least `o` for every `b`
//!   over all `a` (in all `n x L` steps) gives the earliest acceptance of each request: `s[b] = max(o, r[b])`.
//!
//! Each `s[k]` is the earliest moment at which `k` requests of the bucket can have been taken. The global limit sees
//! all buckets: with every `s` of all of them in ascending order, `g[i] = max(s[i], g[i - G] + W)` bounds the `i`-th
//! acceptance overall. The bound is the largest of all `s` and `g`. Each bucket's is exact, and so is the global one
//! alone; together they are a lower bound, since one order of sending must serve both.

use std::collections::BTreeMap;

use serde::Serialize;
use shardkeep_core::Instant;

use super::bucket::BucketKey;
use super::config::GlobalLimit;
use super::limits::{Limits, Request};
use super::route::Path;
use super::rule::Kind;
use super::rules::Hit;
use super::window::{Spec, Window};

/// The earliest possible end of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// When the last request could have been taken at the earliest. Add the way there and back for what a client sees.
    pub finish: Instant,
    /// What decides: `global limit`, or the bucket's hash or hidden limit and its major parameter.
    pub by: String,
}

/// The earliest moments at which 1, 2, ... requests can have been taken; `releases` ascending.
pub(crate) fn earliest(spec: Spec, releases: &[u64]) -> Vec<u64> {
    match spec.kind {
        Kind::Fixed => earliest_fixed(spec, releases),
        Kind::Leaky => {
            let mut window = Window::new(Kind::Leaky);
            let mut clock = 0;
            releases
                .iter()
                .map(|&release| {
                    clock = clock.max(release);
                    clock = clock.saturating_add(window.room(spec, clock).retry_after_us);
                    window.take(spec, clock);
                    clock
                })
                .collect()
        }
        Kind::Log => earliest_log(spec.limit, spec.window_us, releases),
    }
}

fn earliest_log(limit: u64, window_us: u64, releases: &[u64]) -> Vec<u64> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut times: Vec<u64> = Vec::with_capacity(releases.len());
    for (k, &release) in releases.iter().enumerate() {
        let freed = k
            .checked_sub(limit)
            .map_or(0, |before| times[before].saturating_add(window_us));
        times.push(release.max(freed));
    }
    times
}

fn earliest_fixed(spec: Spec, releases: &[u64]) -> Vec<u64> {
    let limit = usize::try_from(spec.limit).unwrap_or(usize::MAX);
    let window = spec.window_us;
    if releases.first() == releases.last() {
        // All at once: one full window after the other.
        return earliest_log(spec.limit, window, releases);
    }
    // opens[b]: the earliest opening of the window that takes request b as its last.
    let mut opens: Vec<u64> = Vec::with_capacity(releases.len());
    for (last, &release) in releases.iter().enumerate() {
        let in_reach = (release + 1).saturating_sub(window);
        let first = last.saturating_sub(limit - 1);
        let open = (first..=last)
            .map(|opener| {
                let after = opener
                    .checked_sub(1)
                    .map_or(0, |before| opens[before].saturating_add(window));
                releases[opener].max(after).max(in_reach)
            })
            .min();
        opens.push(open.unwrap_or(release));
    }
    opens
        .iter()
        .zip(releases)
        .map(|(&open, &release)| open.max(release))
        .collect()
}

/// The same for counters that begin anew at certain moments, when a hash changes.
fn earliest_with_changes(spec: Spec, releases: &[u64], changes: &[u64]) -> Vec<u64> {
    let mut rest = releases.to_vec();
    let mut times = Vec::with_capacity(releases.len());
    for &change in changes {
        let before = earliest(spec, &rest);
        let done = before.iter().take_while(|&&at| at < change).count();
        times.extend_from_slice(&before[..done]);
        rest.drain(..done);
        for release in &mut rest {
            *release = (*release).max(change);
        }
    }
    times.extend(earliest(spec, &rest));
    times
}

/// The latest moment so far, and what it comes from.
struct Latest {
    at: u64,
    by: String,
}

impl Latest {
    fn raise(&mut self, at: Option<&u64>, by: &str) {
        if let Some(&at) = at
            && at > self.at
        {
            (self.at, self.by) = (at, by.to_owned());
        }
    }
}

/// The requests of one bucket or hidden limit.
struct Line {
    spec: Spec,
    name: String,
    releases: Vec<u64>,
    changes: Vec<u64>,
}

/// Requests sorted by what limits them.
#[derive(Default)]
struct Workload {
    /// By counters, major parameter, identity (`None` if no global limit counts them).
    buckets: BTreeMap<(u32, u64, u64, bool), Line>,
    hidden: BTreeMap<(u32, u64, u64), Line>,
    /// The global limit of each identity, and when its requests can be taken at the earliest.
    globals: BTreeMap<u64, (u32, Vec<u64>)>,
}

impl Workload {
    fn add(&mut self, limits: &Limits, request: &Request<'_>) {
        let (path, release) = (Path::parse(request.path), request.sent_at.as_micros());
        let (who, limit) = match request.authorization {
            Some(text) => (crate::digest(text.as_bytes()), limits.config.global.limit),
            None => (request.address, limits.config.global.limit_per_address),
        };
        let exempt = path.is_interaction();
        if !exempt {
            self.globals
                .entry(who)
                .or_insert_with(|| (limit, Vec::new()));
        }
        let Some(hit) = limits.find_at(request, &path) else {
            if let Some((_, times)) = self.globals.get_mut(&who).filter(|_| !exempt) {
                times.push(release);
            }
            return;
        };
        let rule = limits.rules.get(hit.rule);
        let line = self
            .buckets
            .entry((hit.counter, hit.major, who, exempt))
            .or_insert_with(|| Line {
                spec: rule.spec,
                name: format!("{} (major {})", hit.hash, hit.major),
                releases: Vec::new(),
                changes: rule
                    .changes_us()
                    .map(|at| limits.since.as_micros() + at)
                    .collect(),
            });
        line.releases.push(release);
        for (limit, (shared, number, major)) in limits.rules.hidden(&hit, &path, 0, request.body) {
            let who = if shared == 0 { who } else { 0 };
            let line = self
                .hidden
                .entry((number, major, who))
                .or_insert_with(|| Line {
                    spec: limit.spec,
                    name: format!("{} (by {major})", limit.name),
                    releases: Vec::new(),
                    changes: Vec::new(),
                });
            line.releases.push(release);
        }
    }

    fn bound(mut self, global: &GlobalLimit, best: &mut Latest) {
        for ((_, _, who, exempt), mut line) in self.buckets {
            line.releases.sort_unstable();
            let times = earliest_with_changes(line.spec, &line.releases, &line.changes);
            best.raise(times.last(), &line.name);
            if let Some((_, all)) = self.globals.get_mut(&who).filter(|_| !exempt) {
                all.extend(times);
            }
        }
        for mut line in self.hidden.into_values() {
            line.releases.sort_unstable();
            best.raise(earliest(line.spec, &line.releases).last(), &line.name);
        }
        for (limit, mut all) in self.globals.into_values() {
            all.sort_unstable();
            best.raise(over_all(global, limit, &all).last(), "global limit");
        }
    }
}

fn over_all(rule: &GlobalLimit, limit: u32, ascending: &[u64]) -> Vec<u64> {
    if limit == 0 {
        return ascending.to_vec();
    }
    earliest_log(
        limit.into(),
        rule.window_ms.saturating_mul(1_000),
        ascending,
    )
}

impl Limits {
    /// The earliest moment at which all these requests can have been let through, with `sent_at` as the moment from
    /// which on each may be sent. What was counted before does not matter, nor do faults and denials.
    ///
    /// ```
    /// use shardkeep_sim::Instant;
    /// use shardkeep_sim::rest::{Limits, Request, RestConfig};
    ///
    /// let limits = Limits::new(RestConfig::bench(), 1, Instant::ZERO, 0);
    /// let post = |id| Request::new(id, "POST", "/channels/1/messages", Instant::ZERO);
    /// let posts: Vec<Request<'_>> = (0..100).map(post).collect();
    /// assert_eq!(limits.best_finish(&posts).finish, Instant::from_millis(9_500));
    /// ```
    #[must_use]
    pub fn best_finish(&self, requests: &[Request<'_>]) -> Bound {
        let (mut best, mut workload) = (
            Latest {
                at: 0,
                by: "release".to_owned(),
            },
            Workload::default(),
        );
        for request in requests {
            best.raise(Some(&request.sent_at.as_micros()), "release");
            workload.add(self, request);
        }
        workload.bound(&self.config.global, &mut best);
        Bound {
            finish: Instant::from_micros(best.at),
            by: best.by,
        }
    }

    fn find_at(&self, request: &Request<'_>, path: &Path<'_>) -> Option<Hit> {
        let unix_us = self
            .epoch_unix_us
            .saturating_add(request.sent_at.as_micros());
        self.rules.find(request.method, path, 0, unix_us)
    }

    /// What was let through so far, and when all of it could have been if it had all been there with the first request.
    #[must_use]
    pub fn so_far(&self) -> SoFar {
        let tally = &self.tally;
        let begin = tally.first_us.unwrap_or(0);
        let mut best = Latest {
            at: begin,
            by: "release".to_owned(),
        };
        let mut globals: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for (&identity, count) in &tally.unlimited {
            let times = vec![begin; usize::try_from(*count).unwrap_or(0)];
            globals.insert(identity, times);
        }
        for (&(identity, counter, major), &(spec, count, exempt)) in &tally.buckets {
            let releases = vec![begin; usize::try_from(count).unwrap_or(0)];
            let times = earliest(spec, &releases);
            let name = self.rules.name(counter);
            best.raise(times.last(), &format!("{name} (major {major})"));
            if !exempt {
                globals.entry(identity).or_default().extend(times);
            }
        }
        for mut all in globals.into_values() {
            all.sort_unstable();
            let rule = &self.config.global;
            best.raise(over_all(rule, rule.limit, &all).last(), "global limit");
        }
        SoFar {
            accepted: self.arrivals.counters.accepted,
            first_us: begin,
            last_us: tally.last_us,
            best_us: best.at,
            by: best.by,
        }
    }
}

/// What was let through since the beginning or the last reset, beside the best that was possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoFar {
    /// Requests let through.
    pub accepted: u64,
    /// When the first of them arrived, in microseconds.
    pub first_us: u64,
    /// When the last of them arrived, in microseconds.
    pub last_us: u64,
    /// When all of them could have been let through, had all been there with the first, in microseconds.
    pub best_us: u64,
    /// What decides that.
    pub by: String,
}

/// What was let through, by bucket.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    first_us: Option<u64>,
    last_us: u64,
    buckets: BTreeMap<BucketKey, (Spec, u64, bool)>,
    /// Requests that are in no bucket and count towards the global limit.
    unlimited: BTreeMap<u32, u64>,
}

impl Tally {
    /// A request of this identity was let through: in a bucket, or in none.
    pub(crate) fn accepted(
        &mut self,
        now: u64,
        identity: u32,
        bucket: Option<(BucketKey, Spec)>,
        exempt: bool,
    ) {
        self.first_us.get_or_insert(now);
        self.last_us = now;
        match bucket {
            Some((key, spec)) => self.buckets.entry(key).or_insert((spec, 0, exempt)).1 += 1,
            None if exempt => {}
            None => *self.unlimited.entry(identity).or_default() += 1,
        }
    }
}

#[cfg(test)]
#[path = "best_tests.rs"]
mod tests;
