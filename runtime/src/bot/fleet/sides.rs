//! The two sides of a step, where both are in this process: their parts, and which guilds they have.

use shardkeep_core::fleet::cutover::{Joining, Leaving};
use shardkeep_core::fleet::{Step, StepKind, reshard};
use shardkeep_core::{ShardId, Snowflake};

use super::Running;
use super::change::config;
use crate::shard::{Part, Switch, SwitchOrder};

impl Running {
    pub(super) fn begin_leaving(&mut self, shard: ShardId, cutover: u64) {
        let Some(change) = &self.change else {
            return;
        };
        let partners = change.machine.sides().1;
        let kind = change.machine.step().map(Step::kind);
        let side = Leaving::new(config(cutover, shard, &partners), []);
        let switch = Switch::new(Part::Leaving(Box::new(side)), partners);
        let switch = match kind {
            Some(StepKind::Rejoin) => switch.telling_guilds(),
            _ => switch,
        };
        self.order(shard, SwitchOrder::Begin(Box::new(switch)));
    }

    /// A session that runs takes back what an overlay had.
    pub(super) fn begin_joining_again(&mut self, shard: ShardId, cutover: u64) {
        let Some(change) = &self.change else {
            return;
        };
        let partners = change.machine.sides().0;
        let side = Joining::new(config(cutover, shard, &partners), []);
        let mut apart = self.apart(shard);
        apart.retain(|overlay| !partners.contains(overlay));
        let switch = Switch::new(Part::Joining(Box::new(side)), partners).back();
        self.order(shard, SwitchOrder::Begin(Box::new(switch)));
        self.order(shard, SwitchOrder::Apart(apart));
    }

    /// The overlays that handle some of a shard's guilds.
    pub(super) fn apart(&self, shard: ShardId) -> Vec<ShardId> {
        let serving = self.serving.iter();
        let overlays = serving.flat_map(|serving| serving.overlays().iter().copied());
        overlays
            .filter(|overlay| *overlay != shard && shard.meets(*overlay))
            .collect()
    }

    /// A session has said which guilds it has: the other side hears of them.
    pub(super) fn told_guilds(&mut self, from: ShardId, guilds: &[Snowflake]) {
        let Some(change) = &self.change else {
            return;
        };
        let (leave, join) = change.machine.sides();
        let is_rejoin = leave.contains(&from);
        for other in if is_rejoin { &join } else { &leave } {
            let common = guilds.iter().filter(|guild| other.carries(**guild));
            let common = common.copied().collect();
            self.order(*other, SwitchOrder::Include(common));
        }
        // Only now: a side that knows of no guild would be through at once.
        let ready = if is_rejoin { join } else { vec![from] };
        for shard in ready {
            self.steer(reshard::Input::Ready { shard });
        }
    }
}
