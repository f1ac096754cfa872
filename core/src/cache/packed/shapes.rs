//! The table of keys and key orders that records share, and how it learns them. It is bounded and only grows.

use alloc::string::String;
use alloc::vec::Vec;

use super::ids::Ids;
use super::index::{Index, NONE};
use super::plan::{Branch, EVERYTHING, Level, Plan, Rule};
use super::tag;

/// Bounds of a [`Shapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Members that the table knows, each once for every order of keys that leads to it. Default 32,768; 65,534 at
    /// most. What is not known costs its key in every record.
    pub members_max: u16,
    /// Bytes of all keys together. Default 1 MiB.
    pub key_bytes_max: u32,
    /// Ids in arrays, such as roles, that have short codes; 20 bytes each, 4,194,304 at most. Default 262,144.
    pub ids_max: u32,
    /// The longest text that is packed. Default 64 MiB, 1 GiB at most.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members_max: 32_768,
            key_bytes_max: 1 << 20,
            ids_max: 262_144,
            text_bytes_max: 64 << 20,
        }
    }
}

/// A [`Plan`] that a table knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(pub(super) u16);

impl PlanId {
    /// Everything is kept. Every table knows it.
    pub const EVERYTHING: Self = Self(EVERYTHING);
}

/// Keys that are longer stay in the records.
const KEY_MAX: usize = 200;
/// Objects with more members than this, or more than [`TAIL_MAX`] new ones at once, are maps rather than shapes.
const COUNT_MAX: usize = 1_024;
const TAIL_MAX: usize = 256;
/// Runs that a shape may consist of.
pub(super) const RUNS_MAX: usize = 8;
/// Orders of keys of which it is remembered that they came once, at a time.
const SEEN: usize = 1_024;

/// One member of a shape: a key behind all keys before it. A shape is the node of its last member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Of the key.
    pub(super) hash: u32,
    /// Where the key is: a comma, the key in quotes, a colon.
    key: u32,
    key_length: u8,
    /// The tag that is not written.
    pub(super) expected: u8,
    /// The member before; of a root, itself.
    parent: u16,
    /// The first of the nodes that follow each other up to this one.
    run: u16,
    /// How many members lead here, this one included. A root has none.
    pub(super) count: u16,
}

/// What packing remembers about a node. Reading does without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    /// The member that came next, the last time.
    pub(super) next: u16,
    /// The first member of the object in this member, the last time.
    pub(super) nested: u16,
    pub(super) rule: Rule,
}

impl Hint {
    const fn new(rule: Rule) -> Self {
        Self {
            next: NONE,
            nested: NONE,
            rule,
        }
    }
}

/// Keys, their orders, and ids that many records name: what records of one process have in common.
///
/// A record is read with the table that it was packed with, or a clone of it, and means nothing elsewhere. An order of
/// keys is learned when it comes for the second time. Beyond its [`Limits`] the table learns no more, and records hold
/// what it does not know: they grow, the table does not.
#[derive(Clone, Debug)]
pub struct Shapes {
    nodes: Vec<Node>,
    pub(super) hints: Vec<Hint>,
    /// Texts of keys as [`Node::key`] has them.
    keys: String,
    /// Nodes by parent and key.
    children: Index,
    /// One node for each key.
    texts: Index,
    seen: Vec<u32>,
    pub(super) levels: Vec<Level>,
    pub(super) ids: Ids,
    pub(super) limits: Limits,
}

impl Default for Shapes {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Shapes {
    /// An empty table.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let mut shapes = Self {
            nodes: Vec::new(),
            hints: Vec::new(),
            keys: String::new(),
            children: Index::default(),
            texts: Index::default(),
            seen: alloc::vec![0; SEEN],
            levels: Vec::new(),
            ids: Ids::new(limits.ids_max),
            limits,
        };
        let root = shapes.root();
        shapes.levels.push(Level {
            root,
            others: Rule::Keep(EVERYTHING),
            named: Vec::new(),
        });
        shapes
    }

    /// Makes a plan known. `None` if the table is full.
    pub fn plan(&mut self, plan: &Plan) -> Option<PlanId> {
        self.level(&plan.tree()).map(PlanId)
    }

    fn level(&mut self, branch: &Branch) -> Option<u16> {
        let id = u16::try_from(self.levels.len()).ok()?;
        if self.nodes.len() >= usize::from(self.limits.members_max.min(NONE - 1)) {
            return None;
        }
        let root = self.root();
        self.levels.push(Level {
            root,
            others: if branch.keeps_others {
                Rule::Keep(EVERYTHING)
            } else {
                Rule::Drop
            },
            named: Vec::new(),
        });
        for (name, child) in &branch.children {
            let rule = match child.refer {
                Some(true) => Rule::ReferById,
                Some(false) => Rule::Refer,
                None if child.keeps_everything() => Rule::Keep(EVERYTHING),
                None => Rule::Keep(self.level(child)?),
            };
            self.levels[usize::from(id)]
                .named
                .push((name.clone(), rule));
        }
        Some(id)
    }

    /// The bytes of the allocator's that the table holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.hints.capacity() * size_of::<Hint>()
            + self.keys.capacity()
            + self.children.bytes()
            + self.texts.bytes()
            + self.seen.capacity() * size_of::<u32>()
            + self.levels.capacity() * size_of::<Level>()
            + self.levels.iter().map(Level::bytes).sum::<usize>()
            + self.ids.bytes()
    }

    /// How many members the table knows: [`Limits::members_max`] bounds them.
    #[must_use]
    pub const fn member_count(&self) -> usize {
        self.nodes.len()
    }

    /// How many ids have codes: [`Limits::ids_max`] bounds them.
    #[must_use]
    pub const fn id_count(&self) -> usize {
        self.ids.len()
    }

    fn root(&mut self) -> u16 {
        let id = u16::try_from(self.nodes.len()).unwrap_or(NONE);
        self.nodes.push(Node {
            hash: 0,
            key: 0,
            key_length: 0,
            expected: tag::NONE,
            parent: id,
            run: id,
            count: 0,
        });
        self.hints.push(Hint::new(Rule::Keep(EVERYTHING)));
        id
    }

    /// The level of a plan; that of one which another table knows may be any.
    pub(super) fn level_of(&self, plan: PlanId) -> u16 {
        if usize::from(plan.0) < self.levels.len() {
            plan.0
        } else {
            EVERYTHING
        }
    }

    #[inline]
    pub(super) fn node(&self, id: u16) -> Option<&Node> {
        self.nodes.get(usize::from(id))
    }

    #[inline]
    pub(super) fn nodes(&self, first: u16, last: u16) -> &[Node] {
        self.nodes
            .get(usize::from(first)..=usize::from(last))
            .unwrap_or_default()
    }

    /// A comma, the key in quotes, a colon.
    #[inline]
    pub(super) fn spelling(&self, node: &Node) -> &str {
        let start = node.key as usize;
        let end = start + usize::from(node.key_length) + 4;
        self.keys.get(start..end).unwrap_or(",\"\":")
    }

    #[inline]
    pub(super) fn key(&self, node: &Node) -> &str {
        let spelling = self.spelling(node);
        &spelling[2..spelling.len() - 2]
    }

    /// The members of a shape, as runs of nodes, the last run first. `None` if there is no such shape.
    #[inline]
    pub(super) fn runs(&self, shape: u16) -> Option<Runs> {
        let mut runs = Runs::default();
        let mut last = shape;
        loop {
            let node = self.node(last)?;
            if node.count == 0 {
                return Some(runs);
            }
            *runs.runs.get_mut(runs.count)? = (node.run, last);
            runs.count += 1;
            last = self.node(node.run)?.parent;
        }
    }

    /// The member `key` behind those of `parent`.
    #[inline]
    pub(super) fn child(&self, parent: u16, hash: u32, key: &[u8]) -> Option<u16> {
        self.children
            .candidates(child_hash(parent, hash))
            .find(|&id| {
                let node = &self.nodes[usize::from(id)];
                node.parent == parent && node.hash == hash && self.key(node).as_bytes() == key
            })
    }

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
            && (self.runs(node)?.count < RUNS_MAX);
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

/// The runs of one shape.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Runs {
    runs: [(u16, u16); RUNS_MAX],
    count: usize,
}

impl Runs {
    /// Takes the run that comes first in the object.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u16, u16)> {
        self.count = self.count.checked_sub(1)?;
        Some(self.runs[self.count])
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

/// The hash of a key. What is in the middle of a long one does not count.
#[inline]
pub(super) fn hash(key: &[u8]) -> u32 {
    let (head, rest) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(last)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*last)),
        _ => short(key),
    };
    let length = key.len() as u64;
    let mixed = (head ^ rest.rotate_left(29) ^ length).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    upper(mixed ^ mixed >> 29)
}

/// Fewer than eight bytes, as two words that may overlap.
#[inline]
fn short(key: &[u8]) -> (u64, u64) {
    match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        (Some(head), Some(last)) => (
            u64::from(u32::from_le_bytes(*head)),
            u64::from(u32::from_le_bytes(*last)),
        ),
        _ => key
            .iter()
            .fold((0, 0), |(word, _), &byte| (word << 8 | u64::from(byte), 0)),
    }
}

#[inline]
pub(super) const fn child_hash(parent: u16, hash: u32) -> u32 {
    mix(hash, parent as u32)
}

/// Two hashes in one.
#[inline]
pub(super) const fn mix(one: u32, other: u32) -> u32 {
    let both = (one as u64) << 32 | other as u64;
    let mixed = (both ^ both >> 31).wrapping_mul(0xd6e8_feb8_6659_fd93);
    upper(mixed ^ mixed >> 32)
}

#[inline]
const fn upper(mixed: u64) -> u32 {
    (mixed >> 32) as u32
}
