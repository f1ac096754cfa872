//! What a bot's application has finished, and where that is stored.

use shardkeep_core::ShardId;

use super::Bot;
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
}
