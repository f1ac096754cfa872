//! The number of shards grows with the bot.

use std::future::pending;

use shardkeep_core::Instant;
use shardkeep_core::fleet::{Growth, Plan, Target};
use tokio::time::sleep_until;

use super::Running;
use crate::bot::reshard::{AutoReshardStatus, ReshardError};
use crate::clock;
use crate::config::AutoReshard;

/// Looks at how many guilds there are on a shard, now and then.
pub(super) struct Auto {
    config: AutoReshard,
    growth: Growth,
    next: Instant,
}

impl Auto {
    /// `None` if it is not wanted.
    pub(super) fn new(config: AutoReshard) -> Option<Self> {
        let next = clock::now() + std::time::Duration::from_millis(config.check_interval_ms);
        (config.max_guilds_per_shard > 0).then(|| Self {
            config,
            growth: Growth::new(config.max_guilds_per_shard),
            next,
        })
    }
}

/// Returns when it is time to look.
pub(super) async fn due(auto: Option<&Auto>) {
    match auto {
        Some(auto) => sleep_until(clock::to_tokio(auto.next)).await,
        None => pending().await,
    }
}

impl Running {
    pub(super) fn set_auto(&mut self, config: Option<AutoReshard>) {
        self.auto = config.and_then(Auto::new);
        let shared = &self.driver.shared;
        shared.set_auto(self.auto.as_ref().map(|auto| AutoReshardStatus {
            max_guilds_per_shard: auto.config.max_guilds_per_shard,
            dry_run: auto.config.dry_run,
            ..AutoReshardStatus::default()
        }));
    }

    pub(super) fn look_at_growth(&mut self) {
        if let Some(auto) = &mut self.auto {
            let every = std::time::Duration::from_millis(auto.config.check_interval_ms);
            auto.next = clock::now() + every;
        }
        if self.look_at_growth_across() {
            return;
        }
        let guilds = self.driver.shared.guilds();
        let serving = self.serving.as_ref();
        let shards = serving.map_or(0, |serving| serving.topology().len());
        let shards = u32::try_from(shards).unwrap_or(u32::MAX);
        // A change that is under way has two sessions for a guild, and an outage none: neither is growth.
        let is_whole = self.change.is_none() && self.can_reshard().is_ok();
        let wanted = if is_whole {
            self.outgrown(guilds, shards)
        } else {
            None
        };
        let decision = match wanted {
            None if self.change.is_some() => "a change of shards is under way".to_owned(),
            None if !is_whole => "not every shard is connected: looking again later".to_owned(),
            None => "nothing to do".to_owned(),
            Some((total, dry_run)) => self.grow(total, dry_run),
        };
        self.decided(guilds, shards, decision);
    }

    /// How many shards there are to be, if so many guilds on so many shards are too many; and whether that is only to
    /// be said.
    pub(super) fn outgrown(&mut self, guilds: u64, shards: u32) -> Option<(u32, bool)> {
        let auto = self.auto.as_mut()?;
        let total = auto.growth.check(guilds, shards)?;
        Some((total, auto.config.dry_run))
    }

    /// What looking came to.
    pub(super) fn decided(&self, guilds: u64, shards: u32, decision: String) {
        let Some(auto) = &self.auto else {
            return;
        };
        self.driver.shared.set_auto(Some(AutoReshardStatus {
            max_guilds_per_shard: auto.config.max_guilds_per_shard,
            dry_run: auto.config.dry_run,
            guilds,
            shards,
            decision,
        }));
    }

    fn grow(&mut self, total: u32, dry_run: bool) -> String {
        let planned = self.plan(Target::Shards(total));
        if let (Ok(plan), false) = (&planned, dry_run) {
            let _under_way = self.reshard(plan);
        }
        in_words(total, dry_run, &planned)
    }
}

/// What is done about a bot that has outgrown its shards.
pub(super) fn in_words(total: u32, dry_run: bool, planned: &Result<Plan, ReshardError>) -> String {
    match planned {
        Ok(plan) if dry_run => {
            tracing::info!(%plan, "the bot has outgrown its shards; a dry run changes nothing");
            format!("would go {plan}")
        }
        Ok(plan) => {
            tracing::info!(%plan, "the bot has outgrown its shards");
            format!("goes {plan}")
        }
        Err(error) => {
            tracing::warn!(%error, total, "the bot has outgrown its shards, and cannot change them");
            format!("cannot go to {total} shards: {error}")
        }
    }
}
