//! What a bot's application has finished, and where that is stored.

use shardkeep_core::ShardId;

use super::{Bot, lock};
use crate::sessions::SessionsStatus;

impl Bot {
    /// Says that the application has finished an event, by what the event says of itself: for programs that keep no
    /// [`Event`](crate::Event) or [`Batch`](crate::Batch). `false` if nobody waits for that.
    ///
    /// With a `session_store`, what is not finished when a process dies is replayed to the next one that starts while
    /// Discord remembers: at least once. See `acknowledge` in the configuration.
    pub fn acknowledge(&self, shard: ShardId, session: u32, sequence: u64) -> bool {
        let sessions = self.inner.sessions.as_ref();
        sessions.is_some_and(|sessions| sessions.finished(shard, session, sequence))
    }

    /// What has become of stored sessions; `None` without a `session_store`.
    #[must_use]
    pub fn sessions_status(&self) -> Option<SessionsStatus> {
        let sessions = self.inner.sessions.as_ref();
        sessions.map(|sessions| sessions.status())
    }

    /// Stores what has changed, within `shutdown_timeout_ms`.
    pub(super) async fn store_sessions(&self) {
        let has_runtime = lock(&self.inner.life).runtime.is_some();
        let Some(sessions) = self.inner.sessions.as_ref().filter(|_| has_runtime) else {
            return;
        };
        if !sessions.flush(self.shutdown_timeout()).await {
            tracing::warn!(
                "sessions were not stored in time: a restart may repeat events, or identify"
            );
        }
    }
}
