//! Identifies, which Discord counts for the whole bot: permits of the register, and what Discord says is left.

use shardkeep_core::fleet::{Input, SessionStartLimit};
use shardkeep_core::{Instant, ShardId};

use super::{Crew, Running};
use crate::shard::Control;

impl Crew {
    pub(in crate::bot::fleet) fn note_activity(&mut self, shard: ShardId, events: u64) {
        self.holder.activity(shard, events);
    }
}

impl Running {
    /// The fleet's machine grants an identify; over all processes the register has to.
    pub(in crate::bot::fleet) fn granted(&mut self, shard: ShardId) {
        if let Some(crew) = &mut self.crew {
            crew.holder.want_permit(shard);
        } else if !self.granted_by_purse(shard) {
            self.control(shard, Control::Granted);
        }
    }

    /// The register permits it. A permit that came too late is asked for again: the session waits.
    pub(super) fn permitted(&mut self, now: Instant, shard: ShardId) {
        let Some(crew) = &mut self.crew else {
            return;
        };
        if crew.holder.may_identify(now, shard) {
            self.control(shard, Control::Granted);
        } else if crew.holder.may_run(now, shard) {
            crew.holder.permit_unused(shard);
            crew.holder.want_permit(shard);
        }
    }

    /// What a shard told the fleet's machine, as far as it concerns permits.
    pub(in crate::bot::fleet) fn note_permit(&mut self, input: Input) {
        let Some(crew) = &mut self.crew else {
            return;
        };
        match input {
            Input::IdentifySent { shard } => crew.holder.permit_sent(shard),
            Input::IdentifyUnused { shard } => crew.holder.permit_unused(shard),
            Input::CancelIdentify { shard } | Input::Down { shard } => {
                crew.holder.cancel_permit(shard);
            }
            _ => {}
        }
    }

    /// `/gateway/bot` answered, or failed: who waits for a plan has waited long enough.
    pub(in crate::bot::fleet) fn limits_answered(&mut self) {
        if let Some(crew) = &mut self.crew
            && crew.across.asks_limits
        {
            crew.holder.ask_for_view();
        }
    }

    /// `/gateway/bot` answered.
    pub(in crate::bot::fleet) fn note_limits(&mut self, limit: SessionStartLimit) {
        let topology = self.fleet.topology().cloned();
        if let Some(crew) = &mut self.crew {
            crew.holder.limits(crew.asked_at, limit);
            if let Some(topology) = topology {
                crew.holder.propose(topology);
            }
        }
    }
}
