//! A row of events: their JSON one behind the other in one arena, and a fixed-size entry for each.

use std::fmt;

use shardkeep_core::ShardId;
use shardkeep_core::wire::EventKind;

use super::before::{Before, Befores};
use super::topic::Topic;

/// An event as it lies in a batch: everything about it, nothing copied or decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// The shard that it arrived on. Events of the whole bot name the shard that completed them.
    pub shard: ShardId,
    /// The envelope's `s`: increasing within one session. For a lifecycle event the last sequence seen before it, or 0.
    pub sequence: u64,
    /// What it is about.
    pub topic: Topic,
    /// Which dispatch; [`EventKind::Unknown`] for lifecycle events, and for names that this version does not list.
    pub kind: EventKind,
    /// Discord's name of the dispatch, such as `MESSAGE_CREATE`, or the topic's name.
    pub name: &'a str,
    /// The JSON of the envelope's `d`, as it came; for lifecycle events an object with the fields of their struct in
    /// [`Lifecycle`](super::Lifecycle).
    pub data: &'a [u8],
    /// Whether it was missed while disconnected and replayed by a resume.
    pub replayed: bool,
    /// Which session of the shard it came in, with a `session_store`; else 0. Shard, session and sequence name it to
    /// [`Bot::acknowledge`](crate::Bot::acknowledge).
    pub session: u32,
    pub(super) before: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The record that it changed or removed, as it was before: with a cache, for events that `cache.before` names, and
    /// only what was in memory. Where it changed several, the first.
    #[must_use]
    pub fn before(&self) -> Option<Before<'a>> {
        self.befores().next()
    }

    /// All records that it changed or removed, as they were before.
    #[must_use]
    pub const fn befores(&self) -> Befores<'a> {
        Befores(self.before)
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("shard", &self.shard.to_string())
            .field("sequence", &self.sequence)
            .field("name", &self.name)
            .field("bytes", &self.data.len())
            .field("replayed", &self.replayed)
            .finish_non_exhaustive()
    }
}

/// What an entry says besides its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) shard: ShardId,
    pub(crate) sequence: u64,
    pub(crate) topic: Topic,
    pub(crate) kind: EventKind,
    pub(crate) replayed: bool,
    pub(crate) session: u32,
}

/// Where an entry's bytes lie: its name, if it is not in the table of kinds, then its data, then what was before it.
#[derive(Clone, Copy, Debug)]
struct Slot {
    head: Head,
    name_len: u16,
    start: u32,
    len: u32,
    before_len: u32,
}

/// The arena is kept below what a `u32` can address; a single message is smaller by the session's own limit.
const ARENA_MAX: usize = u32::MAX as usize;

/// A row of events in one arena.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

impl Chunk {
    /// An empty chunk with room for as much as `other` holds.
    pub(crate) fn as_large_as(other: &Self) -> Self {
        Self {
            bytes: Vec::with_capacity(other.bytes.len()),
            slots: Vec::with_capacity(other.slots.len()),
        }
    }

    /// Appends an event. `false` if the arena cannot address it: nothing was appended then.
    pub(crate) fn push(&mut self, head: Head, name: &str, data: &[u8]) -> bool {
        self.push_with(head, name, data, &[])
    }

    /// The same with what [`before::write`](super::before::write) wrote.
    pub(crate) fn push_with(&mut self, head: Head, name: &str, data: &[u8], before: &[u8]) -> bool {
        let listed = head.topic != Topic::Dispatch || head.kind != EventKind::Unknown;
        let name = if listed { "" } else { name };
        // Discord's names are short; one that is not is left out rather than cut.
        let name = if name.len() > usize::from(u16::MAX) {
            ""
        } else {
            name
        };
        let start = self.bytes.len();
        if start + name.len() + data.len() + before.len() > ARENA_MAX {
            return false;
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(data);
        self.bytes.extend_from_slice(before);
        self.slots.push(Slot {
            head,
            name_len: u16::try_from(name.len()).unwrap_or(u16::MAX),
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u32::try_from(data.len()).unwrap_or(u32::MAX),
            before_len: u32::try_from(before.len()).unwrap_or(u32::MAX),
        });
        true
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many bytes the events have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// What the chunk holds on to, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.slots.capacity() * size_of::<Slot>()
    }

    /// Adds the dispatches to `counts`, each at the number of its kind.
    pub(crate) fn count_kinds(&self, counts: &mut [u64; 256]) {
        for slot in &self.slots {
            if slot.head.topic == Topic::Dispatch {
                counts[usize::from(slot.head.kind.number())] += 1;
            }
        }
    }

    /// What its dispatches say besides their bytes.
    pub(crate) fn dispatches(&self) -> impl Iterator<Item = Head> {
        let heads = self.slots.iter().map(|slot| slot.head);
        heads.filter(|head| head.topic == Topic::Dispatch)
    }

    /// Forgets the events and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.slots.clear();
    }

    /// Event number `index`.
    pub(crate) fn get(&self, index: usize) -> Option<Entry<'_>> {
        let Slot {
            head,
            name_len,
            start,
            len,
            before_len,
        } = *self.slots.get(index)?;
        let data = start as usize + usize::from(name_len);
        let before = data + len as usize;
        let name = match (head.topic, head.kind) {
            (Topic::Dispatch, EventKind::Unknown) => {
                std::str::from_utf8(&self.bytes[start as usize..data]).unwrap_or_default()
            }
            (Topic::Dispatch, kind) => kind.name(),
            (topic, _) => topic.name(),
        };
        Some(Entry {
            shard: head.shard,
            sequence: head.sequence,
            topic: head.topic,
            kind: head.kind,
            name,
            data: &self.bytes[data..before],
            replayed: head.replayed,
            session: head.session,
            before: &self.bytes[before..before + before_len as usize],
        })
    }

    /// Appends `count` events of `other`, from number `from` on. `false` if the arena cannot address them all: nothing
    /// was appended then.
    pub(crate) fn append(&mut self, other: &Self, from: usize, count: usize) -> bool {
        let slots = &other.slots[from..from + count];
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
            return true;
        };
        let begin = first.start as usize;
        let end = last.start as usize
            + usize::from(last.name_len)
            + last.len as usize
            + last.before_len as usize;
        if self.bytes.len() + (end - begin) > ARENA_MAX {
            return false;
        }
        let to = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&other.bytes[begin..end]);
        self.slots.extend(slots.iter().map(|slot| Slot {
            start: slot.start - first.start + to,
            ..*slot
        }));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(sequence: u64, kind: EventKind) -> Head {
        Head {
            shard: ShardId::SINGLE,
            sequence,
            topic: Topic::Dispatch,
            kind,
            replayed: false,
            session: 0,
        }
    }

    #[test]
    fn names_come_from_the_table_or_from_the_arena() {
        let mut chunk = Chunk::default();
        assert!(chunk.push(head(1, EventKind::MessageCreate), "MESSAGE_CREATE", b"{}"));
        assert!(chunk.push(head(2, EventKind::Unknown), "NEW_THING", b"[1]"));
        assert_eq!(chunk.bytes(), 2 + 9 + 3);
        let seen: Vec<_> = (0..chunk.len()).filter_map(|n| chunk.get(n)).collect();
        assert_eq!((seen[0].name, seen[0].data), ("MESSAGE_CREATE", &b"{}"[..]));
        assert_eq!((seen[1].name, seen[1].data), ("NEW_THING", &b"[1]"[..]));
        assert_eq!(chunk.get(2), None);
    }

    #[test]
    fn a_part_of_a_chunk_can_be_appended_to_another() {
        let mut from = Chunk::default();
        for n in 0..5u8 {
            from.push(head(n.into(), EventKind::Unknown), "X", &[b'0' + n]);
        }
        let mut to = Chunk::default();
        to.push(head(9, EventKind::TypingStart), "", b"first");
        assert!(to.append(&from, 1, 3));
        assert!(to.append(&from, 0, 0));
        let seen: Vec<_> = (0..to.len())
            .filter_map(|n| to.get(n))
            .map(|e| (e.sequence, e.data.to_vec()))
            .collect();
        let expected =
            [(9, "first"), (1, "1"), (2, "2"), (3, "3")].map(|(n, d)| (n, d.as_bytes().to_vec()));
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_entry_takes_forty_bytes() {
        assert_eq!(size_of::<Slot>(), 40);
    }
}
