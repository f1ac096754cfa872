//! The limits over everything: requests per second, and invalid requests per ten minutes.

use std::collections::{BTreeMap, VecDeque};

use super::config::{GlobalLimit, Guard};

/// The global limit: a log of arrivals per identity.
#[derive(Debug, Default)]
pub(crate) struct Globals {
    logs: BTreeMap<u32, VecDeque<u64>>,
}

impl Globals {
    /// Counts an arrival, or says in how many microseconds one would be taken.
    pub(crate) fn take(
        &mut self,
        limit: u32,
        rule: &GlobalLimit,
        identity: u32,
        now: u64,
    ) -> Result<(), u64> {
        if limit == 0 {
            return Ok(());
        }
        let span = rule.window_ms.saturating_mul(1_000);
        let log = self.logs.entry(identity).or_default();
        while log
            .front()
            .is_some_and(|&at| at.saturating_add(span) <= now)
        {
            log.pop_front();
        }
        match log.front() {
            Some(&oldest) if log.len() >= usize::try_from(limit).unwrap_or(usize::MAX) => {
                Err(oldest.saturating_add(span) - now)
            }
            _ => {
                log.push_back(now);
                Ok(())
            }
        }
    }
}

/// Invalid requests per address, and bans.
#[derive(Debug, Default)]
pub(crate) struct Invalid {
    logs: BTreeMap<u64, VecDeque<u64>>,
    bans: BTreeMap<u64, u64>,
}

impl Invalid {
    /// How long an address is still banned, in microseconds.
    pub(crate) fn banned(&mut self, address: u64, now: u64) -> Option<u64> {
        let until = *self.bans.get(&address)?;
        if until > now {
            return Some(until - now);
        }
        self.bans.remove(&address);
        None
    }

    /// Counts an invalid request; `true` if it was one too many.
    pub(crate) fn count(&mut self, guard: &Guard, address: u64, now: u64) -> bool {
        if guard.limit == 0 {
            return false;
        }
        let span = guard.window_ms.saturating_mul(1_000);
        let log = self.logs.entry(address).or_default();
        while log
            .front()
            .is_some_and(|&at| at.saturating_add(span) <= now)
        {
            log.pop_front();
        }
        log.push_back(now);
        let over = log.len() > usize::try_from(guard.limit).unwrap_or(usize::MAX);
        if over {
            log.clear();
            self.bans.insert(
                address,
                now.saturating_add(guard.ban_ms.saturating_mul(1_000)),
            );
        }
        over
    }
}
