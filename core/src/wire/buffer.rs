//! Bytes with room to spare that is zeroed once, so that an inflater is handed a slice and not a fresh allocation.

use alloc::vec::Vec;

/// A growing row of bytes whose spare room is always initialised.
///
/// Growing a `Vec` to make room for each message zeroes that room each time, which costs more than inflating into it.
/// Here the room is zeroed when it is allocated and only overwritten afterwards.
///
/// ```
/// use shardkeep_core::wire::Buffer;
///
/// let mut buffer = Buffer::new();
/// buffer.spare(5)[..5].copy_from_slice(b"hello");
/// buffer.advance(5);
/// assert_eq!(buffer.filled(), b"hello");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    room: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// An empty buffer that has allocated nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            room: Vec::new(),
            len: 0,
        }
    }

    /// The bytes that were put in.
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        &self.room[..self.len]
    }

    /// How many bytes were put in.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was put in.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes fit without growing, filled ones included.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.room.len()
    }

    /// The room behind the filled bytes, at least `at_least` bytes of it. What it holds is unspecified.
    /// Grows by doubling.
    #[must_use]
    pub fn spare(&mut self, at_least: usize) -> &mut [u8] {
        let wanted = self.len.saturating_add(at_least);
        if wanted > self.room.len() {
            let doubled = wanted.max(self.room.len().saturating_mul(2));
            // Nothing but the filled bytes is worth copying to the new place.
            let mut room = Vec::with_capacity(doubled);
            room.extend_from_slice(self.filled());
            room.resize(doubled, 0);
            self.room = room;
        }
        &mut self.room[self.len..]
    }

    /// Counts the first `n` bytes of [`Buffer::spare`] as filled. More than there are counts as all of them.
    pub fn advance(&mut self, n: usize) {
        self.len = self.len.saturating_add(n).min(self.room.len());
    }

    /// Appends `bytes`.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.spare(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Forgets the filled bytes and keeps the room.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Forgets the filled bytes after the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Forgets the first `n` filled bytes and moves the rest to the front.
    pub fn drain_front(&mut self, n: usize) {
        let n = n.min(self.len);
        self.room.copy_within(n..self.len, 0);
        self.len -= n;
    }

    /// Gives back room beyond `capacity` bytes; filled bytes stay.
    pub fn shrink_to(&mut self, capacity: usize) {
        let capacity = capacity.max(self.len);
        if capacity < self.room.len() {
            self.room.truncate(capacity);
            self.room.shrink_to_fit();
        }
    }
}
