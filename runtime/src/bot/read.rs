//! What can be read of a bot at any time.

use shardkeep_core::fleet::lease::View;
use shardkeep_core::{ShardId, Snowflake};
use tokio::sync::oneshot;

use super::fleet::Order;
use super::{Bot, Failure, Status, lock};

impl Bot {
    /// The shards that Discord sends the guild's events to, of those that this bot runs: one for each total.
    #[must_use]
    pub fn shards_of(&self, guild: Snowflake) -> Vec<ShardId> {
        let shards = self
            .inner
            .shared
            .shards()
            .into_iter()
            .map(|handle| handle.cell.shard());
        shards
            .filter(|&shard| ShardId::of_guild(guild, shard.total()) == Some(shard))
            .collect()
    }

    /// The shard that hands the guild's events on: during a change of shards one of the two that have them. None before
    /// the shards are known, and in a process that runs some of the bot's shards only.
    #[must_use]
    pub fn shard_of(&self, guild: Snowflake) -> Option<ShardId> {
        self.inner.shared.shard_of(guild)
    }

    /// What all processes of the bot do, with `fleet.kind = redis`: who holds which shard, and what is left of the
    /// day's identifies. `None` if the process is alone, or the register does not answer.
    pub async fn fleet(&self) -> Option<View> {
        let orders = lock(&self.inner.life).orders.clone()?;
        let (answer, answered) = oneshot::channel();
        orders.send(Order::View(answer)).ok()?;
        answered.await.ok()
    }

    /// What the bot is doing, in numbers. Answers at once, from memory.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::read(&self.inner.shared)
    }

    /// Why the bot stopped by itself; none if it did not.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.inner.shared.failure()
    }
}
