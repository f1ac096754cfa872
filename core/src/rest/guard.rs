//! The guard: how many invalid requests the IP address has made, who causes them, and what must not be called again.
//!
//! Discord bans an address for 10,000 answers of 401, 403 or 429 (but not of scope shared) in ten minutes. The guard
//! counts them over all identities and pauses the one who causes them before everybody has to stop.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::fmt;
use core::time::Duration;

use crate::id::Snowflake;
use crate::time::Instant;

use super::config::Config;
use super::io::Auth;
use super::route::{Major, Method, Route, Template};

/// Discord's span for counting invalid requests.
pub(super) const SPAN: Duration = Duration::from_secs(600);

/// Invalid requests are counted by the second.
const TICK: Duration = Duration::from_secs(1);

/// How many offenders are remembered; beyond that the one that was quiet longest is forgotten.
const OFFENDERS_MAX: usize = 4_096;

/// How many webhooks that no longer exist are remembered.
const GONE_MAX: usize = 16_384;

/// The first pause of an offender; each further one doubles it.
const PAUSE_BASE: Duration = Duration::from_secs(30);

/// The longest pause of an offender: after it Discord has forgotten.
const PAUSE_CAP: Duration = SPAN;

/// Who causes invalid requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Offender {
    /// One route on one guild, channel or webhook.
    Route {
        /// The identity.
        auth: Auth,
        /// The method.
        method: Method,
        /// The path's template.
        template: Template,
        /// The resource.
        major: Major,
    },
    /// Everything in one guild.
    Guild(Auth, Snowflake),
    /// Everything on one webhook.
    Webhook(Snowflake),
}

impl fmt::Display for Offender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route {
                method,
                template,
                major,
                ..
            } => write!(f, "{} {template} on {major}", method.as_str()),
            Self::Guild(_, guild) => write!(f, "guild {guild}"),
            Self::Webhook(webhook) => write!(f, "webhook {webhook}"),
        }
    }
}

/// What one offender has done.
#[derive(Clone, Copy, Debug, Default)]
struct Offence {
    /// Invalid answers, halved every span.
    invalid: u32,
    in_a_row: u32,
    pauses: u32,
    until: Option<Instant>,
    last: Instant,
    since: Instant,
}

/// What the guard has to say about an invalid answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// A threshold was passed: spent, and in how long the budget would be.
    pub(super) threshold: Option<(u32, Option<Duration>)>,
    /// Somebody was paused: who, until when, for how many.
    pub(super) quarantined: Option<(Offender, Instant, u32)>,
}

/// What must be kept from Discord's sight.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    budget: u32,
    stop: u32,
    in_a_row_max: u32,
    /// (second, how many), oldest first.
    ticks: VecDeque<(Instant, u32)>,
    spent: u32,
    /// The highest threshold that was reported, in quarters of the budget; the last one is the stop.
    reported: u32,
    offenders: BTreeMap<Offender, Offence>,
    gone: BTreeSet<(Snowflake, Option<u64>)>,
    banned: Option<Instant>,
}

impl Guard {
    pub(super) fn new(config: &Config) -> Self {
        let stop = u64::from(config.invalid_budget)
            * u64::from(config.invalid_stop_percent.min(100))
            / 100;
        Self {
            budget: config.invalid_budget,
            stop: u32::try_from(stop).unwrap_or(u32::MAX),
            in_a_row_max: config.quarantine_after.max(1),
            ticks: VecDeque::new(),
            spent: 0,
            reported: 0,
            offenders: BTreeMap::new(),
            gone: BTreeSet::new(),
            banned: None,
        }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(&(tick, count)) = self.ticks.front() {
            if tick + SPAN + TICK > now {
                break;
            }
            self.spent -= count;
            self.ticks.pop_front();
        }
        let quarter = self.quarter();
        self.reported = self.reported.min(quarter);
    }

    fn quarter(&self) -> u32 {
        if self.spent >= self.stop {
            return 4;
        }
        let quarters = u64::from(self.spent) * 4 / u64::from(self.budget.max(1));
        u32::try_from(quarters.min(3)).unwrap_or(3)
    }

    /// How many are tolerated in ten minutes before everything stops.
    pub(super) const fn stop(&self) -> u32 {
        self.stop
    }

    pub(super) const fn spent(&self) -> u32 {
        self.spent
    }

    /// When the oldest invalid answers are forgotten, if the budget is spent.
    pub(super) fn spent_until(&self) -> Option<Instant> {
        if self.spent < self.stop {
            return None;
        }
        self.ticks.front().map(|&(tick, _)| tick + SPAN + TICK)
    }

    /// Discord counted an invalid request.
    pub(super) fn invalid(&mut self, now: Instant, who: [Option<Offender>; 3]) -> Verdict {
        self.spent += 1;
        match self.ticks.back_mut() {
            Some((tick, count)) if *tick + TICK > now => *count += 1,
            _ => self.ticks.push_back((now, 1)),
        }
        let mut verdict = Verdict::default();
        let forecast = self.exhausted_in(now);
        for (place, offender) in who.into_iter().flatten().enumerate() {
            let paused = self.blame(now, offender, place == 0, forecast.is_some());
            verdict.quarantined = verdict.quarantined.or(paused);
        }
        let quarter = self.quarter();
        if quarter > self.reported {
            self.reported = quarter;
            verdict.threshold = Some((self.spent, forecast));
        }
        verdict
    }

    /// In how long the budget is spent if it goes on as in the last minute; `None` if it is not within ten minutes.
    pub(super) fn exhausted_in(&self, now: Instant) -> Option<Duration> {
        let minute = Duration::from_secs(60);
        let recent: u32 = self
            .ticks
            .iter()
            .rev()
            .take_while(|&&(tick, _)| tick + minute > now)
            .map(|&(_, count)| count)
            .sum();
        let left = self.stop.saturating_sub(self.spent);
        if recent == 0 {
            return None;
        }
        let span = minute.saturating_mul(left) / recent;
        (span < SPAN).then_some(span)
    }

    fn blame(
        &mut self,
        now: Instant,
        offender: Offender,
        is_narrow: bool,
        is_urgent: bool,
    ) -> Option<(Offender, Instant, u32)> {
        self.make_room(offender);
        let (spent, in_a_row_max) = (self.spent, self.in_a_row_max);
        let offence = self.offenders.entry(offender).or_default();
        if offence.since + SPAN <= now {
            offence.invalid /= 2;
            offence.since = now;
        }
        offence.invalid += 1;
        offence.in_a_row += 1;
        offence.last = now;
        // A route alone is paused for its row of failures; a whole guild or webhook only if the budget is in danger
        // and it causes most of it.
        let is_guilty = if is_narrow {
            offence.in_a_row >= in_a_row_max
        } else {
            is_urgent && offence.invalid >= in_a_row_max && offence.invalid > spent / 2
        };
        if !is_guilty || offence.until.is_some_and(|until| until > now) {
            return None;
        }
        let pause = PAUSE_BASE
            .saturating_mul(1 << offence.pauses.min(8))
            .min(PAUSE_CAP);
        offence.pauses += 1;
        // After the pause one request tries; if it fails as well, the next pause follows at once.
        offence.in_a_row = in_a_row_max - 1;
        let until = now + pause;
        offence.until = Some(until);
        Some((offender, until, offence.invalid))
    }

    fn make_room(&mut self, offender: Offender) {
        if self.offenders.len() < OFFENDERS_MAX || self.offenders.contains_key(&offender) {
            return;
        }
        let quietest = self
            .offenders
            .iter()
            .min_by_key(|(_, offence)| offence.last)
            .map(|(&offender, _)| offender);
        if let Some(offender) = quietest {
            self.offenders.remove(&offender);
        }
    }

    /// Discord accepted a request of these.
    pub(super) fn valid(&mut self, who: [Option<Offender>; 3]) {
        if self.offenders.is_empty() {
            return;
        }
        if let Some(narrow) = who[0] {
            self.offenders.remove(&narrow);
        }
    }

    pub(super) fn has_offenders(&self) -> bool {
        !self.offenders.is_empty()
    }

    /// Until when one of these is paused.
    pub(super) fn quarantined(&self, now: Instant, who: [Option<Offender>; 3]) -> Option<Instant> {
        if self.offenders.is_empty() {
            return None;
        }
        who.into_iter()
            .flatten()
            .filter_map(|offender| self.offenders.get(&offender)?.until)
            .filter(|&until| until > now)
            .max()
    }

    pub(super) fn forget(&mut self, now: Instant) {
        self.offenders.retain(|_, offence| {
            offence.last + SPAN > now || offence.until.is_some_and(|until| until > now)
        });
    }

    /// The webhook does not exist. `false` if that was known.
    pub(super) fn webhook_gone(&mut self, webhook: (Snowflake, Option<u64>)) -> bool {
        if self.gone.len() >= GONE_MAX {
            // Ids grow with time: the lowest was deleted longest ago, or nearly so.
            self.gone.pop_first();
        }
        self.gone.insert(webhook)
    }

    pub(super) fn is_gone(&self, webhook: (Snowflake, Option<u64>)) -> bool {
        self.gone.contains(&webhook)
    }

    pub(super) fn ban(&mut self, until: Instant) {
        self.banned = self.banned.max(Some(until));
    }

    pub(super) const fn banned(&self) -> Option<Instant> {
        self.banned
    }

    /// Whether a ban has just ended.
    pub(super) fn ban_ends(&mut self, now: Instant) -> bool {
        let is_over = self.banned.is_some_and(|until| until <= now);
        if is_over {
            self.banned = None;
        }
        is_over
    }
}

/// Who is to blame for a request, the narrowest first.
pub(super) fn suspects(
    auth: Auth,
    route: &Route,
    guild: Option<Snowflake>,
) -> [Option<Offender>; 3] {
    [
        Some(Offender::Route {
            auth,
            method: route.method(),
            template: route.template(),
            major: route.major(),
        }),
        route
            .guild()
            .or(guild)
            .map(|guild| Offender::Guild(auth, guild)),
        route.webhook().map(|(id, _)| Offender::Webhook(id)),
    ]
}
