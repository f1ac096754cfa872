//! How an entry lies in the arena: a word, the id, links within its scope, the end of its life, the value.

use crate::Snowflake;

use super::Kind;
use super::arena::At;

/// What every entry begins with: a word and the id.
const HEAD: usize = 12;

/// Scope's group, the entry before and the entry after in it.
const LINKS: usize = 12;

/// When the entry's life ends.
const EXPIRY: usize = 4;

/// Entries begin at multiples of it.
pub(super) const ALIGN: usize = 4;

/// Bits of the word that tell a length: of the value, or of the gap if the entry is dead.
const LENGTH_BITS: u32 = 21;
const LENGTH: u32 = (1 << LENGTH_BITS) - 1;
const LINKED: u32 = 1 << 26;
const EXPIRES: u32 = 1 << 27;
const DEAD: u32 = 1 << 28;

/// The longest value that an entry can have.
pub(super) const VALUE_MAX: usize = 1 << 20;

/// What an entry's word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The value's length.
    pub(super) length: u32,
    pub(super) kind: Kind,
    /// Whether it belongs to a group.
    pub(super) is_linked: bool,
    pub(super) expires: bool,
}

/// What lies at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    Entry(Shape),
    /// Nothing, for so many bytes.
    Gap(usize),
}

const fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGN)
}

impl Shape {
    /// Where the value begins.
    pub(super) const fn value_at(self) -> usize {
        self.expiry_at() + if self.expires { EXPIRY } else { 0 }
    }

    const fn expiry_at(self) -> usize {
        HEAD + if self.is_linked { LINKS } else { 0 }
    }

    /// Bytes that the entry takes.
    pub(super) const fn size(self) -> usize {
        aligned(self.value_at() + self.length as usize)
    }

    pub(super) fn write(self, entry: &mut [u8], id: Snowflake) {
        let mut word = self.length | u32::from(self.kind.number()) << LENGTH_BITS;
        if self.is_linked {
            word |= LINKED;
        }
        if self.expires {
            word |= EXPIRES;
        }
        put(entry, 0, word);
        entry[4..HEAD].copy_from_slice(&id.0.to_le_bytes());
    }

    /// The moment that ends the entry's life, in ticks.
    pub(super) fn expiry(self, entry: &[u8]) -> Option<u32> {
        self.expires.then(|| word(entry, self.expiry_at()))
    }

    pub(super) fn set_expiry(self, entry: &mut [u8], tick: u32) {
        if self.expires {
            put(entry, self.expiry_at(), tick);
        }
    }
}

/// What the bytes at a place begin with.
pub(super) fn read(entry: &[u8]) -> Lies {
    let word = word(entry, 0);
    let length = word & LENGTH;
    if word & DEAD != 0 {
        return Lies::Gap(length as usize);
    }
    let kind = (word >> LENGTH_BITS).to_le_bytes()[0] & Kind::MASK;
    Lies::Entry(Shape {
        length,
        kind: Kind(kind),
        is_linked: word & LINKED != 0,
        expires: word & EXPIRES != 0,
    })
}

/// Makes `size` bytes a gap.
pub(super) fn bury(entry: &mut [u8], size: usize) {
    // A gap is at most as long as the longest entry, which fits.
    let size = u32::try_from(size).unwrap_or(LENGTH) & LENGTH;
    put(entry, 0, DEAD | size);
}

/// The entry's id.
pub(super) fn id(entry: &[u8]) -> Snowflake {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&entry[4..HEAD]);
    Snowflake(u64::from_le_bytes(bytes))
}

/// Group of a linked entry.
pub(super) fn group(entry: &[u8]) -> u32 {
    word(entry, HEAD)
}

pub(super) fn set_group(entry: &mut [u8], group: u32) {
    put(entry, HEAD, group);
}

/// The neighbour that was added later.
pub(super) fn newer(entry: &[u8]) -> At {
    At(word(entry, HEAD + 4))
}

pub(super) fn set_newer(entry: &mut [u8], at: At) {
    put(entry, HEAD + 4, at.0);
}

/// The neighbour that was added earlier.
pub(super) fn older(entry: &[u8]) -> At {
    At(word(entry, HEAD + 8))
}

pub(super) fn set_older(entry: &mut [u8], at: At) {
    put(entry, HEAD + 8, at.0);
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn put(bytes: &mut [u8], at: usize, word: u32) {
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
}
