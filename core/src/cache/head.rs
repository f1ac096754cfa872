//! What stands before a packed record in the hot set: when it was put, and what it goes with.

use alloc::vec::Vec;

use super::{Key, Kind};
use crate::id::Snowflake;

/// What goes before the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The dispatch that put it.
    pub(super) stamp: u32,
    /// The guild that it goes with.
    pub(super) guild: Snowflake,
    /// The channel or thread that it goes with.
    pub(super) under: Snowflake,
}

/// Whether the scope is not the guild, which therefore stands in the head.
const fn has_guild(kind: Kind) -> bool {
    matches!(kind, Kind::Message | Kind::ThreadMember)
}

/// Whether the channel stands in the head.
const fn has_channel(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Thread | Kind::VoiceState | Kind::StageInstance | Kind::ScheduledEvent
    )
}

impl Head {
    pub(super) fn write(&self, kind: Kind, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.stamp.to_le_bytes());
        if has_guild(kind) {
            out.extend_from_slice(&self.guild.0.to_le_bytes());
        }
        if has_channel(kind) {
            out.extend_from_slice(&self.under.0.to_le_bytes());
        }
    }

    /// The head and the record behind it.
    pub(super) fn read(key: Key, value: &[u8]) -> (Self, &[u8]) {
        let (stamp, mut rest) = value.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let mut id = || match rest.split_first_chunk() {
            Some((id, after)) => {
                rest = after;
                Snowflake(u64::from_le_bytes(*id))
            }
            None => Snowflake(0),
        };
        let guild = match key.kind {
            kind if has_guild(kind) => id(),
            Kind::Guild => key.id,
            _ => key.scope,
        };
        let under = match key.kind {
            kind if has_channel(kind) => id(),
            kind if has_guild(kind) => key.scope,
            _ => Snowflake(0),
        };
        let head = Self {
            stamp: u32::from_le_bytes(*stamp),
            guild,
            under,
        };
        (head, rest)
    }
}
