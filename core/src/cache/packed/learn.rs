//! How the table learns keys and their orders: from the members of an object that no shape knew.

use super::hash::{child_hash, hash};
use super::index::NONE;
use super::shapes::{Hint, Node, RUNS_MAX, SEEN, Shapes};
use super::tag;

/// Keys that are longer stay in the records.
const KEY_MAX: usize = 200;
/// Objects with more members than this, or more than [`TAIL_MAX`] new ones at once, are maps rather than shapes.
const COUNT_MAX: usize = 1_024;
const TAIL_MAX: usize = 256;
impl Shapes {
    /// Learns the members of a tail behind `node`, if they came once before. `hash` is that of the whole tail.
    #[cold]
    pub(super) fn learn(&mut self, node: u16, level: u16, hash: u32, tail: &[u8]) {
        let seen = &mut self.seen[hash as usize % SEEN];
        if *seen != hash {
            *seen = hash;
            return;
        }
        if self.has_room(node, tail).is_none() {
            return;
        }
        let mut parent = node;
        let mut rest = tail;
        while let Some((key, tag, after)) = tail_member(rest) {
            let Some(id) = self.add(parent, level, key, tag) else {
                return;
            };
            rest = after;
            parent = id;
        }
    }

    /// Whether a tail may be learned. `None` if not.
    fn has_room(&self, node: u16, tail: &[u8]) -> Option<()> {
        let (mut count, mut bytes) = (0, 0);
        let mut rest = tail;
        while !rest.is_empty() {
            let (key, _, after) = tail_member(rest)?;
            count += 1;
            bytes += key.len() + 4;
            rest = after;
            if key.len() > KEY_MAX || key.contains(&b'\\') || count > TAIL_MAX {
                return None;
            }
        }
        let limits = &self.limits;
        let has_room = self.nodes.len() + count <= usize::from(limits.members_max.min(NONE - 1))
            && self.keys.len() + bytes <= limits.key_bytes_max as usize
            && usize::from(self.node(node)?.count) + count <= COUNT_MAX
            && self.runs(node)?.count < RUNS_MAX;
        has_room.then_some(())
    }

    fn add(&mut self, parent: u16, level: u16, key: &[u8], tag: u8) -> Option<u16> {
        let id = u16::try_from(self.nodes.len()).ok()?;
        let hash = hash(key);
        let before = *self.node(parent)?;
        let key_start = self.intern(id, hash, key)?;
        let continues = before.count > 0 && parent + 1 == id;
        let node = Node {
            hash,
            key: key_start,
            key_length: u8::try_from(key.len()).ok()?,
            expected: expectation(tag),
            parent,
            run: if continues { before.run } else { id },
            count: before.count + 1,
        };
        let nodes = &self.nodes;
        let hash_of = |id: u16| {
            let node = &nodes[usize::from(id)];
            child_hash(node.parent, node.hash)
        };
        if !self.children.enter(child_hash(parent, hash), id, hash_of) {
            return None;
        }
        self.nodes.push(node);
        self.hints
            .push(Hint::new(self.levels[usize::from(level)].rule(key)));
        self.hints[usize::from(parent)].next = id;
        Some(id)
    }

    /// Where the text of a key is. A new one belongs to the node `id`.
    fn intern(&mut self, id: u16, hash: u32, key: &[u8]) -> Option<u32> {
        let known = self.texts.candidates(hash).find_map(|known| {
            let node = self.node(known)?;
            (self.key(node).as_bytes() == key).then_some(node.key)
        });
        if known.is_some() {
            return known;
        }
        let start = u32::try_from(self.keys.len()).ok()?;
        let key = core::str::from_utf8(key).ok()?;
        self.keys.push_str(",\"");
        self.keys.push_str(key);
        self.keys.push_str("\":");
        let nodes = &self.nodes;
        // A key that finds no place here is stored again the next time.
        let _ = self.texts.enter(hash, id, |id| {
            nodes.get(usize::from(id)).map_or(0, |node| node.hash)
        });
        Some(start)
    }
}

/// Splits the first member off a tail: its key, its tag, and what follows its value.
fn tail_member(tail: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (length, rest) = tag::read_count(tail)?;
    let (key, rest) = rest.split_at_checked(length)?;
    let (&tag, rest) = rest.split_first()?;
    let (_, rest) = tag::split(tag, rest)?;
    Some((key, tag, rest))
}

/// The tag that is taken for granted where this one came first. Of texts and numbers the tag tells the length, which
/// will not come again; what came with one is often null.
const fn expectation(tag: u8) -> u8 {
    match tag {
        tag::NUMBER | tag::LONG_TEXT | tag::ESCAPED => tag::NULL,
        tag::TEXT..tag::IDS => tag::NULL,
        tag::IDS..=tag::IDS_LAST | tag::MANY_IDS | tag::ARRAY => tag::IDS,
        other => other,
    }
}
