//! What survives a disconnect: session id, sequence, resume URL. And how often using it failed.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// What resuming needs. Discord keeps the other half for a few minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// Discord's name for the session.
    pub session_id: String,
    /// The last sequence seen: Discord replays what came after it.
    pub sequence: u64,
    /// Where to resume, if Discord named a place that the token may go to.
    pub resume_gateway_url: Option<String>,
}

/// The session that a connection belongs to, if there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Resume {
    session: Option<Resumption>,
    /// Resumes in a row that ended without progress.
    failures: u32,
    /// The resume URL did not open last time: the configured one is tried in its place, with the same session, because
    /// that costs no identify.
    avoid_url: bool,
}

/// What a dispatch's sequence says about those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The next one.
    Next,
    /// So many before it never arrived.
    Gap(u64),
    /// It is not above the last one seen.
    NotAbove,
}

impl Resume {
    pub(super) fn restored(session: Option<Resumption>) -> Self {
        Self {
            session,
            ..Self::default()
        }
    }

    pub(super) fn begin(&mut self, session: Resumption) {
        *self = Self::restored(Some(session));
    }

    pub(super) const fn session(&self) -> Option<&Resumption> {
        self.session.as_ref()
    }

    pub(super) fn session_id(&self) -> &str {
        self.session
            .as_ref()
            .map_or("", |session| &session.session_id)
    }

    /// The last sequence seen in this session; `None` without a session.
    pub(super) fn sequence(&self) -> Option<u64> {
        self.session.as_ref().map(|session| session.sequence)
    }

    /// The URL to resume at, unless it failed last time.
    pub(super) fn url(&self) -> Option<&str> {
        let url = self.session.as_ref()?.resume_gateway_url.as_deref();
        url.filter(|_| !self.avoid_url)
    }

    /// Takes note of a dispatch's sequence. The stored one never goes back.
    pub(super) fn saw(&mut self, sequence: u64) -> Order {
        let Some(session) = &mut self.session else {
            return Order::Next;
        };
        if sequence <= session.sequence {
            return Order::NotAbove;
        }
        let gap = sequence - session.sequence - 1;
        session.sequence = sequence;
        if gap == 0 {
            Order::Next
        } else {
            Order::Gap(gap)
        }
    }

    pub(super) fn connect_failed(&mut self) {
        self.avoid_url = !self.avoid_url;
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.avoid_url = false;
    }

    /// A resume ended before RESUMED. One that replayed something is no failure: the next has less to do.
    pub(super) fn failed(&mut self, progress: bool) -> u32 {
        self.failures = if progress { 0 } else { self.failures + 1 };
        self.failures
    }

    /// Gives the session up: the sequence it had reached.
    pub(super) fn drop_session(&mut self) -> Option<u64> {
        let session = self.session.take();
        *self = Self::default();
        session.map(|session| session.sequence)
    }
}
