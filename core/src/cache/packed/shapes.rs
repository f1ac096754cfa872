//! The table of keys and key orders that records share, and how it learns them. It is bounded and only grows.

use alloc::string::String;
use alloc::vec::Vec;

use super::hash::child_hash;
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

/// Runs that a shape may consist of.
pub(super) const RUNS_MAX: usize = 8;
/// Orders of keys of which it is remembered that they came once, at a time.
pub(super) const SEEN: usize = 1_024;

/// One member of a shape: a key behind all keys before it. A shape is the node of its last member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Of the key.
    pub(super) hash: u32,
    /// Where the key is: a comma, the key in quotes, a colon.
    pub(super) key: u32,
    pub(super) key_length: u8,
    /// The tag that is not written.
    pub(super) expected: u8,
    /// The member before; of a root, itself.
    pub(super) parent: u16,
    /// The first of the nodes that follow each other up to this one.
    pub(super) run: u16,
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
    pub(super) const fn new(rule: Rule) -> Self {
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
    pub(super) nodes: Vec<Node>,
    pub(super) hints: Vec<Hint>,
    /// Texts of keys as [`Node::key`] has them.
    pub(super) keys: String,
    /// Nodes by parent and key.
    pub(super) children: Index,
    /// One node for each key.
    pub(super) texts: Index,
    pub(super) seen: Vec<u32>,
    pub(super) levels: Vec<Level>,
    pub(super) ids: Ids,
    pub(super) limits: Limits,
    /// Where updates are packed before they are merged.
    pub(super) scratch: Vec<u8>,
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
            scratch: Vec::new(),
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
                _ if child.is_left_out => Rule::Drop,
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
            + self.scratch.capacity()
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
}

/// The runs of one shape.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Runs {
    runs: [(u16, u16); RUNS_MAX],
    pub(super) count: usize,
}

impl Runs {
    /// Takes the run that comes first in the object.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u16, u16)> {
        self.count = self.count.checked_sub(1)?;
        Some(self.runs[self.count])
    }
}
