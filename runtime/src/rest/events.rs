//! What happens to the limits, for logs and for whoever listens.

use shardkeep_core::Instant;
use shardkeep_core::rest::Event;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::clock;

/// The events of a [`Client`](super::Client) since this was made, in order.
#[derive(Debug)]
pub struct Events {
    receiver: Receiver<Event>,
    missed: u64,
}

impl Events {
    pub(super) const fn new(receiver: Receiver<Event>) -> Self {
        Self {
            receiver,
            missed: 0,
        }
    }

    /// The next event; `None` when the client is gone.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.receiver.recv().await {
                Ok(event) => return Some(event),
                Err(RecvError::Lagged(missed)) => self.missed += missed,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// How many events this reader lost because it was slow: 1,024 are kept.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }
}

/// Says in the log what an operator should know.
pub(super) fn log(event: &Event) {
    let now = clock::now();
    match *event {
        Event::GlobalLimited { auth, until } => {
            let (identity, wait_ms) = (auth.0, until.since(now).as_millis());
            tracing::warn!(identity, wait_ms, "Discord's global limit was reached");
        }
        Event::GlobalLearned { auth, limit } => {
            tracing::info!(identity = auth.0, limit, "the global limit in use changed");
        }
        Event::TokenStopped { auth } => {
            let advice = "Discord refuses the token (401): set the current one";
            tracing::error!(identity = auth.0, "{advice}");
        }
        Event::WebhookGone { id } => {
            tracing::warn!(webhook = %id, "the webhook is gone: it is not called again");
        }
        Event::Banned { until } => {
            let for_ms = until.since(now).as_millis();
            tracing::error!(
                for_ms,
                "Cloudflare refuses this IP address: nothing is sent"
            );
        }
        Event::BanEnded => tracing::info!("requests are sent again"),
        _ => log_limits(event, now),
    }
}

/// What concerns single routes, and invalid requests.
fn log_limits(event: &Event, now: Instant) {
    match *event {
        Event::RateLimited {
            id,
            route,
            scope,
            retry_after,
            is_hidden,
        } => {
            let retry_after_ms = retry_after.as_millis();
            tracing::info!(%id, %route, ?scope, retry_after_ms, is_hidden, "Discord answered 429");
        }
        Event::SublimitLearned {
            route,
            limit,
            window,
        } => {
            let window_ms = window.as_millis();
            tracing::info!(%route, limit, window_ms, "a hidden limit was learned");
        }
        Event::InvalidBudget {
            spent,
            budget,
            exhausted_in,
        } => {
            let exhausted_in_s = exhausted_in.map(|left| left.as_secs());
            let what = "invalid requests (401, 403, 429) add up to a ban";
            tracing::warn!(spent, budget, exhausted_in_s, "{what}");
        }
        Event::Quarantined {
            offender,
            until,
            invalid,
        } => {
            let for_ms = until.since(now).as_millis();
            let what = "requests that were mostly invalid are refused for a while";
            tracing::warn!(?offender, invalid, for_ms, "{what}");
        }
        Event::PoolAway => {
            let what =
                "the ledger of shared limits is away: this process lives on its share of them";
            tracing::warn!("{what}");
        }
        Event::PoolInTouch => tracing::info!("limits are shared: the ledger answers"),
        Event::PoolNameTaken => {
            let what = "another process has this one's name in the pool (rest_pool.name): nothing is granted here";
            tracing::error!("{what}");
        }
        ref other => tracing::info!(event = ?other, "limits changed"),
    }
}
