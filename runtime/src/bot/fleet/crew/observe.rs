//! A look at the whole fleet from outside.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use shardkeep_core::fleet::lease::{Holder, LeaseConfig, View};

use super::Register;
use crate::clock;
use crate::config::Config;
use crate::store::StoreError;

/// How long the register is asked for an answer.
const LIMIT: Duration = Duration::from_secs(5);

/// The same for its leave. Who cannot say it is forgotten when its term is over.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);

const PAUSE: Duration = Duration::from_millis(10);

/// What all processes of a bot do, for a program that is none of them: who holds which shard, and what is left of the
/// day's identifies. The configuration names the bot by its token, and the register by `redis_config.url` and
/// `store.prefix`.
///
/// # Errors
///
/// [`StoreError`] if the register is not configured, or does not answer within 5 s.
pub async fn fleet_view(config: &Config) -> Result<View, StoreError> {
    let register = super::open(config)?;
    let instance = RandomState::new().hash_one(std::process::id());
    // It can run nothing, so nothing is given to it.
    let mut lease = LeaseConfig::new(format!("observer-{instance:x}"), instance, 0);
    lease.term = config.fleet.term();
    let mut holder = Holder::new(lease);
    holder.ask_for_view();
    speak(&mut holder, &*register, LIMIT, |holder| {
        holder.view().is_some()
    })
    .await;
    let view = holder.view().cloned().ok_or_else(|| StoreError::Away {
        reason: "the register of shards does not answer".to_owned(),
    });
    holder.leave(clock::now());
    speak(&mut holder, &*register, LEAVE_LIMIT, Holder::has_left).await;
    let mut view = view?;
    // Other observers are no more part of the fleet than this one.
    view.members.retain(|member| member.capacity > 0);
    Ok(view)
}

/// Speaks to the register until `enough`, or until the time is over.
async fn speak(
    holder: &mut Holder,
    register: &dyn Register,
    limit: Duration,
    enough: impl Fn(&Holder) -> bool,
) {
    let until = clock::now() + limit;
    while !enough(holder) && clock::now() < until {
        let now = clock::now();
        holder.handle_timeout(now);
        while holder.poll_step().is_some() {}
        match holder.exchange(now) {
            Some(exchange) => {
                let answer = register.run(exchange).await;
                if let Err(error) = holder.answered(clock::now(), answer.as_deref()) {
                    tracing::debug!(%error, "an answer of the register was not heeded");
                }
            }
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}
