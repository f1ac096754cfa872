//! What the network and the edge do to a request, drawn by the seed.

use core::time::Duration;

use shardkeep_core::Rng;

use super::config::{FaultRate, Latency, RestConfig, RestFault};
use super::route::{Path, Template};

/// What happens to one request on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// How long the request travels.
    pub there: Duration,
    /// How long the answer travels, slowness by a fault included.
    pub back: Duration,
    /// What goes wrong, if anything. [`RestFault::Slow`] is in `back` already.
    pub fault: Option<RestFault>,
}

#[derive(Debug)]
pub(crate) struct Fates {
    rng: Rng,
    latency: Latency,
    faults: Vec<(FaultRate, Option<Template>)>,
}

impl Fates {
    pub(crate) fn new(config: &RestConfig, seed: u64) -> Self {
        let faults = config.faults.iter().map(|rate| {
            let path = rate.path.as_deref().and_then(Template::parse);
            (rate.clone(), path)
        });
        Self {
            rng: Rng::new(seed),
            latency: config.latency,
            faults: faults.collect(),
        }
    }

    /// Draws what happens to a request; `age_us` is the age of the configuration.
    pub(crate) fn draw(&mut self, age_us: u64, path: &str) -> Fate {
        let there = between(&mut self.rng, self.latency.there_ms);
        let mut back = between(&mut self.rng, self.latency.back_ms);
        let mut fault = None;
        if !self.faults.is_empty() {
            let (path, age_ms) = (Path::parse(path), age_us / 1_000);
            for (rate, template) in &self.faults {
                let since = age_ms.checked_sub(rate.from_ms);
                let is_time =
                    since.is_some_and(|since| rate.for_ms.is_none_or(|length| since < length));
                let is_there = template
                    .as_ref()
                    .is_none_or(|template| template.fits(&path));
                // One draw for every fault, so that a fault's path or time does not shift the draws of others.
                let hits = self.rng.below(1_000_000) < u64::from(rate.per_million);
                if hits && is_time && is_there && fault.is_none() {
                    fault = Some(rate.fault.clone());
                }
            }
        }
        if let Some(RestFault::Slow { delay_ms }) = fault {
            back += Duration::from_millis(delay_ms);
        }
        Fate { there, back, fault }
    }
}

fn between(rng: &mut Rng, [low, high]: [u64; 2]) -> Duration {
    let (low, high) = (Duration::from_millis(low), Duration::from_millis(high));
    if low >= high {
        low
    } else {
        rng.duration_between(low, high)
    }
}
