//! An object that is being written.
//!
//! The shape comes first, in two bytes. Then the members that it knows, in groups of eight: a byte with a bit for each
//! that has a tag of its own, which then stands before it; the others have the tag that their shape expects. What is
//! left until the object's end are members that the shape does not know: length of the key, key, tag, value.

use alloc::vec::Vec;

use super::hash::mix;
use super::shapes::Shapes;
use super::tag;

/// Where the parts of the object are in the output.
#[derive(Debug)]
pub(super) struct Open {
    /// The shape so far.
    pub(super) node: u16,
    /// The level whose rules hold, which is also where the shape starts.
    pub(super) level: u16,
    start: usize,
    /// The bits of the present group.
    bits_at: usize,
    count: u32,
    /// Where members without a shape start, and the hash of their keys.
    tail: Option<(usize, u32)>,
}

impl Open {
    #[inline]
    pub(super) fn new(out: &mut Vec<u8>, level: u16, root: u16) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0, 0]);
        Self {
            node: root,
            level,
            start,
            bits_at: start,
            count: 0,
            tail: None,
        }
    }

    /// Whether the members that follow have no shape.
    #[inline]
    pub(super) const fn is_tail(&self) -> bool {
        self.tail.is_some()
    }

    /// Begins the member of `node`, which follows that before it.
    #[inline]
    pub(super) fn step(&mut self, out: &mut Vec<u8>, node: u16) {
        if self.count.is_multiple_of(8) {
            self.bits_at = out.len();
            out.push(0);
        }
        self.node = node;
    }

    /// Ends the member that [`Open::step`] began.
    #[inline]
    pub(super) fn stepped(&mut self, out: &mut [u8], has_tag: bool) {
        if has_tag {
            out[self.bits_at] |= 1 << (self.count % 8);
        }
        self.count += 1;
    }

    /// Begins a member that the shape does not know. Its tag must follow.
    pub(super) fn begin_tail(&mut self, out: &mut Vec<u8>, key: &[u8], hash: u32) {
        let (start, before) = self
            .tail
            .unwrap_or_else(|| (out.len(), u32::from(self.node)));
        self.tail = Some((start, mix(before, hash)));
        let (bytes, length) = tag::count_bytes(key.len());
        out.extend_from_slice(&bytes[..length]);
        out.extend_from_slice(key);
    }

    /// Ends the member that [`Open::step`] or [`Open::begin_tail`] began.
    #[inline]
    pub(super) fn end(&mut self, out: &mut [u8], has_tag: bool) {
        if self.tail.is_none() {
            self.stepped(out, has_tag);
        }
    }

    /// Ends the object.
    #[inline]
    pub(super) fn seal(&self, out: &mut [u8]) {
        out[self.start..self.start + 2].copy_from_slice(&self.node.to_le_bytes());
    }

    /// Ends the object. What it had that was new may be learned.
    #[inline]
    pub(super) fn close(self, shapes: &mut Shapes, out: &mut [u8]) {
        self.seal(out);
        if let Some((start, hash)) = self.tail {
            shapes.learn(self.node, self.level, hash, &out[start..]);
        }
    }
}

/// Reserves the length of what will follow.
#[inline]
pub(super) fn begin_counted(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Fills the length in. What needs more than the byte that was reserved moves aside.
#[inline]
pub(super) fn end_counted(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    match u8::try_from(length) {
        Ok(byte @ 0..0x80) => out[start - 1] = byte,
        _ => insert_count(out, start, length),
    }
}

/// Puts `count` before what starts at `start`, over the byte there.
#[cold]
pub(super) fn insert_count(out: &mut Vec<u8>, start: usize, count: usize) {
    let (bytes, taken) = tag::count_bytes(count);
    let end = out.len();
    out.extend_from_slice(&bytes[..taken - 1]);
    out.copy_within(start..end, start + taken - 1);
    out[start - 1..start - 1 + taken].copy_from_slice(&bytes[..taken]);
}
