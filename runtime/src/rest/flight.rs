//! One exchange under way, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use shardkeep_core::rest::RequestId;

use super::transport::{Answer, Exchange, Outgoing, TransportError};

/// A request under way.
pub(super) struct Flight {
    pub(super) id: RequestId,
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) exchange: Exchange,
}

/// How an exchange ended.
pub(super) enum Landing {
    Answered(Answer),
    Failed(TransportError),
    TimedOut,
}

/// Ends an exchange after `limit` without an answer and without sending on.
pub(super) async fn fly(flight: Flight, limit: Duration) -> (RequestId, Arc<Outgoing>, Landing) {
    let Flight {
        id,
        outgoing,
        mut exchange,
    } = flight;
    loop {
        let handed_on = outgoing.body.handed_on();
        match tokio::time::timeout(limit, &mut exchange).await {
            Ok(Ok(answer)) => return (id, outgoing, Landing::Answered(answer)),
            Ok(Err(error)) => return (id, outgoing, Landing::Failed(error)),
            // A large upload may take longer, as long as it goes on.
            Err(_) if outgoing.body.handed_on() > handed_on => {}
            Err(_) => return (id, outgoing, Landing::TimedOut),
        }
    }
}
