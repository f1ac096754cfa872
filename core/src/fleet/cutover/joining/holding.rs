//! Events that wait for the cut, and those that it releases.

use alloc::boxed::Box;

use crate::fleet::cutover::event::{Event, Verdict};
use crate::fleet::cutover::fingerprint::Fingerprint;
use crate::id::Snowflake;
use crate::wire::EventKind;

use super::{Joining, Phase};

/// What a held event costs beside its bytes.
const OVERHEAD: usize = 96;

#[derive(Clone, Debug)]
pub(super) struct HeldEvent {
    pub(super) print: Fingerprint,
    pub(super) sequence: u64,
    pub(super) kind: EventKind,
    /// Empty where the kind says it.
    pub(super) name: Box<str>,
    pub(super) data: Box<[u8]>,
}

impl HeldEvent {
    pub(super) fn new(event: &Event<'_>, print: Fingerprint) -> Self {
        let name = if event.kind == EventKind::Unknown {
            event.name
        } else {
            ""
        };
        Self {
            print,
            sequence: event.sequence,
            kind: event.kind,
            name: name.into(),
            data: event.data.into(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.data.len() + self.name.len() + OVERHEAD
    }
}

/// What became of an event that was held. It comes out once, in the order of the session.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Whose it is.
    pub guild: Snowflake,
    /// Whether to hand it on. Either way it can be acknowledged, once its handler is done.
    pub verdict: Verdict,
    event: HeldEvent,
}

impl Settled {
    pub(super) const fn new(guild: Snowflake, verdict: Verdict, event: HeldEvent) -> Self {
        Self {
            guild,
            verdict,
            event,
        }
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        let event = &self.event;
        Event {
            sequence: event.sequence,
            kind: event.kind,
            name: if event.kind == EventKind::Unknown {
                &event.name
            } else {
                event.kind.name()
            },
            data: &event.data,
        }
    }
}

impl Joining {
    pub(super) fn hold(&mut self, id: Snowflake, event: &Event<'_>) -> Verdict {
        let held = HeldEvent::new(event, event.fingerprint());
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.counts.held += 1;
            self.held_bytes += held.bytes();
            if let Phase::Asked(asked) = &mut guild.phase {
                asked.held.push_back(held);
            } else {
                guild.counts.released += 1;
                guild.untaken += 1;
                let settled = Settled::new(id, Verdict::Dispatch, held);
                self.settled.push_back(settled);
            }
        }
        Verdict::Held
    }

    /// The next event that was held and is settled. Call until `None` after every message, before the next event.
    pub fn poll_settled(&mut self) -> Option<Settled> {
        let settled = self.settled.pop_front()?;
        self.held_bytes -= settled.event.bytes();
        if let Some(guild) = self.guilds.get_mut(&settled.guild) {
            guild.untaken -= 1;
        }
        Some(settled)
    }
}
