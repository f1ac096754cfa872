//! The number of shards grows with the bot.

use std::future::pending;

use shardkeep_core::Instant;
use shardkeep_core::fleet::{Growth, Target};
use tokio::time::sleep_until;

use super::Running;
use crate::bot::reshard::AutoReshardStatus;
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
        let (guilds, shards) = (self.driver.shared.guilds(), self.fleet.status().shards);
        let Some(auto) = &mut self.auto else {
            return;
        };
        let every = std::time::Duration::from_millis(auto.config.check_interval_ms);
        auto.next = clock::now() + every;
        let config = auto.config;
        // A change that is under way has two sessions for a guild, and an outage none: neither is growth.
        let is_whole = self.change.is_none() && self.can_reshard().is_ok();
        let wanted = match &mut self.auto {
            Some(auto) if is_whole => auto.growth.check(guilds, shards),
            _ => None,
        };
        let decision = match wanted {
            None if self.change.is_some() => "a change of shards is under way".to_owned(),
            None if !is_whole => "not every shard is connected: looking again later".to_owned(),
            None => "nothing to do".to_owned(),
            Some(total) => self.grow(total, config.dry_run),
        };
        self.driver.shared.set_auto(Some(AutoReshardStatus {
            max_guilds_per_shard: config.max_guilds_per_shard,
            dry_run: config.dry_run,
            guilds,
            shards,
            decision,
        }));
    }

    fn grow(&mut self, total: u32, dry_run: bool) -> String {
        match self.plan(Target::Shards(total)) {
            Ok(plan) if dry_run => {
                tracing::info!(%plan, "the bot has outgrown its shards; a dry run changes nothing");
                format!("would go {plan}")
            }
            Ok(plan) => {
                tracing::info!(%plan, "the bot has outgrown its shards");
                let _under_way = self.reshard(&plan);
                format!("goes {plan}")
            }
            Err(error) => {
                tracing::warn!(%error, total, "the bot has outgrown its shards, and cannot change them");
                format!("cannot go to {total} shards: {error}")
            }
        }
    }
}
