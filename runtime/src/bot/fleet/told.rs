//! What the user hears of the fleet: lifecycle events and log lines.

use shardkeep_core::fleet::Event;
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, ShardId};

use super::Running;
use crate::bot::shared::Stage;
use crate::clock;
use crate::events::{Chunk, Head, Lifecycle, Ready, ShardError, ShardErrorKind};

impl Running {
    pub(super) fn tell(&mut self, told: Told) {
        match told {
            Told::AllReady => {
                let shards = self.driver.shared.shards();
                let guild_count = shards
                    .iter()
                    .map(|s| u64::from(s.cell.report().stats.guilds))
                    .sum();
                let shard_count = u32::try_from(shards.len()).unwrap_or(u32::MAX);
                tracing::info!(shard_count, guild_count, "every shard is connected");
                self.publish(&Lifecycle::Ready(Ready {
                    shard_count,
                    guild_count,
                }));
                self.driver.shared.stage.send_replace(Stage::Ready);
                self.go_on_resharding();
            }
            Told::Held(reason) => self.error(ShardErrorKind::IdentifyHeld, None, reason, false),
            Told::Foreign(shard) => {
                self.driver.snapshots.remove(&shard);
                self.capsules.remove(&shard);
                tracing::warn!(%shard, "a session to go on from is of a shard that this bot does not run");
            }
            Told::Quiet(text) => tracing::debug!("{text}"),
        }
    }

    pub(super) fn error(
        &self,
        error: ShardErrorKind,
        code: Option<u16>,
        reason: String,
        fatal: bool,
    ) {
        tracing::warn!("{reason}");
        self.publish(&Lifecycle::ShardError(ShardError {
            error,
            code,
            reason,
            fatal,
            lost: None,
        }));
    }

    pub(super) fn publish(&self, event: &Lifecycle) {
        let shards = self.driver.shared.shards();
        let shard = shards
            .last()
            .map_or(ShardId::SINGLE, |handle| handle.cell.shard());
        let (topic, kind) = (event.topic(), EventKind::Unknown);
        let mut staged = Chunk::default();
        staged.push(
            Head {
                shard,
                sequence: 0,
                topic,
                kind,
                replayed: false,
                session: 0,
            },
            "",
            &event.to_json(),
        );
        self.driver.shared.queue.publish(&mut staged);
    }
}

/// What of the fleet's events the user hears.
pub(super) enum Told {
    AllReady,
    Held(String),
    Foreign(ShardId),
    Quiet(String),
}

impl From<&Event<'_>> for Told {
    fn from(event: &Event<'_>) -> Self {
        let seconds = |until: Instant| (until - clock::now()).as_secs();
        match *event {
            Event::AllReady => Self::AllReady,
            Event::SessionForeign { shard } => Self::Foreign(shard),
            Event::BudgetExhausted { until, reserve } => Self::Held(format!(
                "only the reserve of {reserve} identifies is left today: shards wait {} s for the next day",
                seconds(until)
            )),
            Event::Damped {
                shard,
                until,
                wasted_in_a_row,
            } => Self::Held(format!(
                "shard {shard} wasted {wasted_in_a_row} identifies in a row: it waits {} s for the next",
                seconds(until)
            )),
            Event::FleetDamped { sick, until, .. } => Self::Held(format!(
                "{sick} shards waste their identifies: the next one of any shard is in {} s",
                seconds(until)
            )),
            Event::StartAbandoned { shard } => Self::Held(format!(
                "Discord refused shard {shard}: shards that never had a session are not started any more"
            )),
            other => Self::Quiet(format!("{other:?}")),
        }
    }
}
