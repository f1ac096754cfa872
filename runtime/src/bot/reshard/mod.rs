//! Changing how many shards a running bot has.

mod status;

use std::fmt;
use std::sync::Arc;

use shardkeep_core::fleet::reshard::across::Steer;
use shardkeep_core::fleet::{Plan, PlanError, Target, TransferError, transfer};
use shardkeep_core::{ShardId, Snowflake};
use tokio::sync::{mpsc, oneshot, watch};

pub use status::{AutoReshardStatus, ReshardReport, ReshardStatus, ReshardTotals};

use super::fleet::Order;
use super::{Bot, lock};
use crate::config::AutoReshard;

/// Why a change of shards does not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReshardError {
    /// There is no plan that leads there. The text says what is possible.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The guild cannot come to that shard. The text says what is possible.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// This process runs some of the bot's shards only.
    #[error(
        "this process runs shards {0} only: a change of shards needs all of them in one process"
    )]
    Partial(String),
    /// Discord has not said yet how many identifies are left, or `auto` is not resolved.
    #[error(
        "Discord has not said yet how many identifies are left: try again once the bot is ready"
    )]
    TooEarly,
    /// Not every shard has a session.
    #[error("{0} of the shards have no session at the moment: try again when all are connected")]
    Disconnected(u32),
    /// The bot's processes cannot hold so many sessions at once.
    #[error(
        "at most {needed} sessions are open at a time, and the bot's processes have room for {room}: start more of \
         them, or raise `fleet.capacity`"
    )]
    Capacity {
        /// Sessions that are open at a time.
        needed: u64,
        /// How many the processes can hold together.
        room: u64,
    },
    /// Nothing is known of what serves, or it is no exact cover.
    #[error("the register does not say what serves: {0}")]
    Unserved(String),
    /// Another change is under way.
    #[error("a change of shards is under way already: wait for it, or abort it")]
    Busy,
    /// The bot was not started, or has stopped.
    #[error("the bot does not run")]
    NotRunning,
}

/// What the bot is asked for.
pub(super) struct Request {
    pub(super) target: Target,
    /// Only what it would cost.
    pub(super) dry_run: bool,
    pub(super) answer: oneshot::Sender<Result<(Plan, Option<Resharding>), ReshardError>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("target", &self.target)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// A change of shards that is under way. Dropping it changes nothing: the change goes on.
#[derive(Clone)]
pub struct Resharding {
    plan: Arc<Plan>,
    status: watch::Receiver<ReshardStatus>,
    report: watch::Receiver<Option<Arc<ReshardReport>>>,
    orders: mpsc::WeakUnboundedSender<Order>,
}

impl Resharding {
    pub(super) const fn new(
        plan: Arc<Plan>,
        status: watch::Receiver<ReshardStatus>,
        report: watch::Receiver<Option<Arc<ReshardReport>>>,
        orders: mpsc::WeakUnboundedSender<Order>,
    ) -> Self {
        Self {
            plan,
            status,
            report,
            orders,
        }
    }

    /// The steps, and what they cost.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How far it has come.
    #[must_use]
    pub fn status(&self) -> ReshardStatus {
        self.status.borrow().clone()
    }

    /// Returns when something has changed since it was last called; `false` once it has ended.
    pub async fn changed(&mut self) -> bool {
        self.status.changed().await.is_ok()
    }

    /// Asks for no more guilds and takes no further step. What is under way ends.
    pub fn pause(&self) {
        self.steer(Steer::Pause);
    }

    /// Goes on after [`Resharding::pause`].
    pub fn resume(&self) {
        self.steer(Steer::Resume);
    }

    /// Ends as soon as possible: at once if no guild has switched in the present step, else after that step. The shards
    /// that serve then have every guild once.
    pub fn abort(&self) {
        self.steer(Steer::Abort);
    }

    fn steer(&self, steer: Steer) {
        if let Some(orders) = self.orders.upgrade() {
            // A bot that has stopped has nothing to steer.
            let _stopped = orders.send(Order::Steer(steer));
        }
    }

    /// Waits for the end and its account.
    ///
    /// # Errors
    ///
    /// [`ReshardError::NotRunning`] if the bot stops first. With a `session_store`, the next process serves what
    /// served last, and begins the change again.
    pub async fn finished(&mut self) -> Result<Arc<ReshardReport>, ReshardError> {
        let report = self.report.wait_for(Option::is_some).await;
        let report = report.ok().and_then(|report| report.clone());
        report.ok_or(ReshardError::NotRunning)
    }
}

impl fmt::Debug for Resharding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resharding")
            .field("plan", &self.plan.to_string())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Bot {
    /// Changes the number of shards while events flow, and returns when the change has begun.
    ///
    /// New sessions open beside the old ones. Both deliver every event; each is handed on once. Guild by guild, where
    /// both streams are seen to agree, the new session takes over; an old one closes when it has no guild left. Where
    /// the totals divide each other this goes one shard at a time. The guide's page on resharding says what it costs,
    /// and what can be lost.
    ///
    /// ```no_run
    /// # async fn f(bot: shardkeep::Bot) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut change = bot.reshard_to(32).await?;
    /// println!("{}", change.plan());
    /// let report = change.finished().await?;
    /// println!("{}: {} possibly lost", report.outcome, report.totals.possibly_lost);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReshardError`], with what is possible instead. Nothing was done.
    pub async fn reshard_to(&self, shards: u32) -> Result<Resharding, ReshardError> {
        self.reshard(Target::Shards(shards)).await
    }

    /// The same to any [`Target`] that changes shards: a total, one shard split or merged, a second generation.
    ///
    /// # Errors
    ///
    /// [`ReshardError`], with what is possible instead. Nothing was done.
    pub async fn reshard(&self, target: Target) -> Result<Resharding, ReshardError> {
        let (_, change) = self.request(target, false).await?;
        change.ok_or(ReshardError::NotRunning)
    }

    /// Brings a guild from one shard to another, by the change of shards that does it: a split or a merge of its shard,
    /// or the end of its overlay. Discord's rule says on which shards a guild can be; for a session of its own, ask
    /// [`Bot::reshard`] for [`Target::Isolate`].
    ///
    /// ```no_run
    /// # async fn f(bot: shardkeep::Bot) -> Result<(), Box<dyn std::error::Error>> {
    /// use shardkeep::core::{ShardId, Snowflake};
    ///
    /// let guild = Snowflake(41_771_983_423_143_937);
    /// let from = bot.shard_of(guild).ok_or("not known yet")?;
    /// let to = ShardId::of_guild(guild, from.total() * 2).ok_or("no such shard")?;
    /// bot.transfer_guild(guild, from, to).await?.finished().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReshardError::Transfer`], with what is possible instead, or another [`ReshardError`]. Nothing was done.
    pub async fn transfer_guild(
        &self,
        guild: Snowflake,
        from: ShardId,
        to: ShardId,
    ) -> Result<Resharding, ReshardError> {
        let serving = self.inner.shared.serving().ok_or(ReshardError::TooEarly)?;
        let target = transfer(&serving, guild, from, to)?;
        self.reshard(target).await
    }

    /// What [`Bot::reshard_to`] would do and what it would cost, as things are now. Does nothing.
    ///
    /// # Errors
    ///
    /// [`ReshardError`], with what is possible instead.
    pub async fn plan(&self, target: Target) -> Result<Plan, ReshardError> {
        self.request(target, true).await.map(|(plan, _)| plan)
    }

    /// From now on looks at how many guilds there are on a shard, and doubles the number of shards where there are too
    /// many twice in a row, as [`Bot::reshard_to`] would. What it finds, does or cannot do is in
    /// [`Bot::status`](Bot::status) and in the log. `auto_reshard` in the configuration does the same from the start.
    ///
    /// ```no_run
    /// # fn f(bot: &shardkeep::Bot) -> Result<(), shardkeep::ReshardError> {
    /// use shardkeep::config::AutoReshard;
    ///
    /// // 1,000 guilds on a shard, every five minutes; and only say what would be done.
    /// bot.enable_auto_reshard(AutoReshard { dry_run: true, ..AutoReshard::default() })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReshardError::NotRunning`] if the bot was not started, or has stopped.
    pub fn enable_auto_reshard(&self, when: AutoReshard) -> Result<(), ReshardError> {
        self.set_auto_reshard(Some(when))
    }

    /// Looks at growth no more. A change that is under way goes on.
    ///
    /// # Errors
    ///
    /// [`ReshardError::NotRunning`] if the bot was not started, or has stopped.
    pub fn disable_auto_reshard(&self) -> Result<(), ReshardError> {
        self.set_auto_reshard(None)
    }

    fn set_auto_reshard(&self, when: Option<AutoReshard>) -> Result<(), ReshardError> {
        let orders = lock(&self.inner.life).orders.clone();
        let sent = orders.map(|orders| orders.send(Order::Auto(when)));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(ReshardError::NotRunning),
        }
    }

    async fn request(
        &self,
        target: Target,
        dry_run: bool,
    ) -> Result<(Plan, Option<Resharding>), ReshardError> {
        let orders = lock(&self.inner.life).orders.clone();
        let orders = orders.ok_or(ReshardError::NotRunning)?;
        let (answer, answered) = oneshot::channel();
        let request = Request {
            target,
            dry_run,
            answer,
        };
        orders
            .send(Order::Reshard(Box::new(request)))
            .map_err(|_| ReshardError::NotRunning)?;
        answered.await.map_err(|_| ReshardError::NotRunning)?
    }
}
