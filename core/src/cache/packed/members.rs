//! The members of an object: one after the other, or one by its key.

use core::slice;

use super::hash::hash;
use super::index::NONE;
use super::shapes::{Node, Runs, Shapes};
use super::tag;
use super::value::Value;
use crate::wire::json;

/// The members of an object, keys as they stand in JSON, their escapes unresolved.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    shapes: &'a Shapes,
    runs: Runs,
    nodes: slice::Iter<'a, Node>,
    /// The bits of the present group, the next member's the lowest.
    bits: u8,
    count: u32,
    /// The next node.
    id: u16,
    rest: &'a [u8],
}

/// One member on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    /// None of one that the shape does not know.
    pub(super) node: Option<&'a Node>,
    /// The node's.
    pub(super) id: u16,
    /// How many members are before it.
    pub(super) index: u32,
    /// The key of one that the shape does not know.
    tail_key: &'a [u8],
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

impl<'a> Member<'a> {
    /// The key as it stands in JSON.
    #[inline]
    pub(super) fn key(&self, shapes: &'a Shapes) -> &'a [u8] {
        match self.node {
            Some(node) => shapes.key(node).as_bytes(),
            None => self.tail_key,
        }
    }

    #[inline]
    pub(super) fn hash(&self) -> u32 {
        match self.node {
            Some(node) => node.hash,
            None => hash(self.tail_key),
        }
    }
}

impl<'a> Members<'a> {
    #[inline]
    pub(super) fn new(shapes: &'a Shapes, body: &'a [u8]) -> Self {
        let shape = body.split_first_chunk::<2>();
        let found = shape.and_then(|(shape, rest)| {
            let runs = shapes.runs(u16::from_le_bytes(*shape))?;
            Some((runs, rest))
        });
        let (runs, rest) = found.unwrap_or_default();
        Self {
            shapes,
            runs,
            nodes: [].iter(),
            bits: 0,
            count: 0,
            id: 0,
            rest,
        }
    }

    /// The members in a tail.
    fn tail(shapes: &'a Shapes, rest: &'a [u8]) -> Self {
        Self {
            rest,
            ..Self::new(shapes, &[])
        }
    }

    /// The next member. `None` at the end, and where the bytes make no sense: [`Members::is_done`] tells which.
    #[inline]
    pub(super) fn step(&mut self) -> Option<Member<'a>> {
        loop {
            if let Some(node) = self.nodes.next() {
                return self.known(node);
            }
            let Some((first, last)) = self.runs.pop() else {
                return self.unknown();
            };
            self.nodes = self.shapes.nodes(first, last).iter();
            self.id = first;
        }
    }

    #[inline]
    fn known(&mut self, node: &'a Node) -> Option<Member<'a>> {
        let mut rest = self.rest;
        if self.count.is_multiple_of(8) {
            let (&bits, after) = rest.split_first()?;
            (self.bits, rest) = (bits, after);
        }
        let mut tag = node.expected;
        if self.bits & 1 == 1 {
            let (&own, after) = rest.split_first()?;
            (tag, rest) = (own, after);
        }
        let (body, rest) = tag::split(tag, rest)?;
        self.bits >>= 1;
        self.rest = rest;
        self.id = self.id.wrapping_add(1);
        self.count += 1;
        Some(Member {
            node: Some(node),
            id: self.id.wrapping_sub(1),
            index: self.count - 1,
            tail_key: &[],
            tag,
            body,
        })
    }

    fn unknown(&mut self) -> Option<Member<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (length, rest) = tag::read_count(self.rest)?;
        let (tail_key, rest) = rest.split_at_checked(length)?;
        let (&tag, rest) = rest.split_first()?;
        let (body, rest) = tag::split(tag, rest)?;
        self.rest = rest;
        self.count += 1;
        Some(Member {
            node: None,
            id: NONE,
            index: self.count - 1,
            tail_key,
            tag,
            body,
        })
    }

    /// Whether everything was read.
    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn key(&self, member: &Member<'a>) -> Option<&'a str> {
        match member.node {
            Some(node) => Some(self.shapes.key(node)),
            None => core::str::from_utf8(member.tail_key).ok(),
        }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.step()?;
        let value = Value {
            shapes: self.shapes,
            tag: member.tag,
            body: member.body,
        };
        Some((self.key(&member)?, value))
    }
}

/// The first member with this key.
#[inline]
pub(super) fn find<'a>(shapes: &'a Shapes, body: &'a [u8], key: &str) -> Option<Value<'a>> {
    let wanted = hash(key.as_bytes());
    let (shape, mut rest) = body.split_first_chunk::<2>()?;
    let mut runs = shapes.runs(u16::from_le_bytes(*shape))?;
    let (mut bits, mut count) = (0, 0_u32);
    // The steps of `Members`, with nothing in memory between them.
    while let Some((first, last)) = runs.pop() {
        for node in shapes.nodes(first, last) {
            if count.is_multiple_of(8) {
                (bits, rest) = (*rest.first()?, &rest[1..]);
            }
            let mut tag = node.expected;
            if bits & 1 == 1 {
                (tag, rest) = (*rest.first()?, &rest[1..]);
            }
            let (body, after) = tag::split(tag, rest)?;
            if node.hash == wanted && shapes.key(node) == key {
                return Some(Value { shapes, tag, body });
            }
            rest = after;
            bits >>= 1;
            count += 1;
        }
    }
    if rest.is_empty() {
        return None;
    }
    let mut tail = Members::tail(shapes, rest);
    loop {
        let Member {
            tail_key,
            tag,
            body,
            ..
        } = tail.unknown()?;
        if is_spelt(tail_key, key.as_bytes()) {
            return Some(Value { shapes, tag, body });
        }
    }
}

/// Whether a key with the escapes of JSON stands for `text`.
pub(super) fn is_spelt(key: &[u8], text: &[u8]) -> bool {
    json::is_spelt(key, key.contains(&b'\\'), text)
}
