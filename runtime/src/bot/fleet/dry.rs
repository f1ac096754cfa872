//! Shards whose heartbeats are acknowledged and whose events have dried up.

use std::collections::BTreeSet;
use std::future::pending;
use std::time::Duration;

use shardkeep_core::fleet::{Cure, Finding, Grey, GreyConfig, Input, Sample};
use shardkeep_core::gateway::StateName;
use shardkeep_core::{Instant, ShardId};
use tokio::time::sleep_until;

use super::Running;
use crate::clock;
use crate::config::{DryAction, DryConfig};
use crate::events::ShardErrorKind;
use crate::shard::Control;

/// Counts every shard's events now and then.
pub(super) struct Dry {
    config: DryConfig,
    grey: Grey,
    next: Instant,
    /// Shards that are stopped in order to begin anew.
    pub(super) renewing: BTreeSet<ShardId>,
}

impl Dry {
    /// `None` if nobody is to look.
    pub(super) fn new(config: DryConfig) -> Option<Self> {
        (config.action > DryAction::Off).then(|| Self {
            next: clock::now() + Duration::from_millis(config.check_interval_ms),
            config,
            grey: Grey::new(GreyConfig::default()),
            renewing: BTreeSet::new(),
        })
    }
}

/// Returns when it is time to look.
pub(super) async fn due(dry: Option<&Dry>) {
    match dry {
        Some(dry) => sleep_until(clock::to_tokio(dry.next)).await,
        None => pending().await,
    }
}

impl Running {
    pub(super) fn look_for_dry_shards(&mut self) {
        let now = clock::now();
        let status = self.fleet.status();
        let handles = self.driver.shared.shards();
        let is_changing =
            self.change.is_some() || (self.crew.as_ref()).is_some_and(|crew| crew.is_changing());
        let Some(dry) = &mut self.dry else {
            return;
        };
        dry.next = now + Duration::from_millis(dry.config.check_interval_ms);
        let samples: Vec<_> = handles
            .iter()
            .map(|handle| {
                let report = handle.cell.report();
                Sample {
                    shard: handle.cell.shard(),
                    session: report.stats.ready,
                    // One that is not read is known to be silent.
                    is_ready: report.state == StateName::Ready && report.paused_since.is_none(),
                    dispatches: report.stats.dispatches,
                }
            })
            .collect();
        let spendable = status
            .remaining
            .map_or(0, |left| left.saturating_sub(status.reserve));
        // A change of shards has its own reasons for silence.
        let may_renew = dry.config.action == DryAction::Renew && spendable > 0 && !is_changing;
        for finding in dry.grey.look(now, &samples, may_renew) {
            self.is_dry(finding);
        }
    }

    fn is_dry(&mut self, found: Finding) {
        let Finding {
            shard,
            seen,
            expected,
            cure,
        } = found;
        let action = self
            .dry
            .as_ref()
            .map_or(DryAction::Off, |dry| dry.config.action);
        let done = match cure {
            _ if action == DryAction::Report => "nothing is done about it: see `dry.action`",
            Cure::Resume => {
                self.control(shard, Control::Reconnect);
                "it reconnects and resumes"
            }
            Cure::Renew => {
                if let Some(dry) = &mut self.dry {
                    dry.renewing.insert(shard);
                }
                self.feed(Input::Release { shard });
                "resuming did not help: it begins a new session"
            }
            Cure::GiveUp => {
                "nothing more is done about it: see `dry.action`, and restart it if need be"
            }
        };
        let reason = format!(
            "shard {shard} is connected and its heartbeats are acknowledged, but {seen} events came where \
             {expected} were to be expected: {done}"
        );
        self.error(ShardErrorKind::DriedUp, None, reason, false);
    }

    /// Whether the shard is stopped in order to begin anew, and not to be resumed.
    pub(super) fn renews(&self, shard: ShardId) -> bool {
        self.dry
            .as_ref()
            .is_some_and(|dry| dry.renewing.contains(&shard))
    }

    /// A shard has ended. `true` if it begins anew.
    pub(super) fn begin_anew(&mut self, shard: ShardId) -> bool {
        let renewing = self.dry.as_mut().map(|dry| dry.renewing.remove(&shard));
        let is_wanted_here = self.crew.as_ref().is_none_or(|crew| crew.runs(shard));
        if renewing != Some(true) || !is_wanted_here {
            return false;
        }
        self.feed(Input::Run {
            shard,
            resumable: false,
        });
        self.fleet.shard(shard).is_some()
    }
}
