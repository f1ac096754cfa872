//! What of an object is kept: all of it, named members, or with references in place of what is kept elsewhere.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// What happens to one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Kept, and objects in it are packed by this level.
    Keep(u16),
    /// Left out.
    Drop,
    /// Replaced by a reference, if it is an object.
    Refer,
    /// Replaced by a reference with the object's `id`, if it is one that has an id.
    ReferById,
}

/// The rules of one depth: which members have rules of their own, by name, and what becomes of the others.
#[derive(Clone, Debug)]
pub(super) struct Level {
    /// The shape of an object without members.
    pub(super) root: u16,
    pub(super) others: Rule,
    /// Sorted by name.
    pub(super) named: Vec<(Box<str>, Rule)>,
}

/// The level that keeps everything.
pub(super) const EVERYTHING: u16 = 0;

impl Level {
    #[inline]
    pub(super) fn rule(&self, key: &[u8]) -> Rule {
        if self.named.is_empty() {
            return self.others;
        }
        self.named
            .binary_search_by(|(name, _)| name.as_bytes().cmp(key))
            .map_or(self.others, |found| self.named[found].1)
    }

    pub(super) fn bytes(&self) -> usize {
        let names: usize = self.named.iter().map(|(name, _)| name.len()).sum();
        self.named.capacity() * size_of::<(Box<str>, Rule)>() + names
    }
}

/// What of a kind of object is kept when it is packed.
///
/// Paths are names of members, and names of members in them behind a dot; a path leads through arrays as if they were
/// not there. Names are compared as they stand in the text: one with an escape in it is nobody's.
///
/// ```
/// use shardkeep_core::cache::packed::{Plan, Shapes};
///
/// let mut shapes = Shapes::default();
/// let plan = shapes.plan(&Plan::only(["nick", "user.id"])).unwrap();
/// let mut record = Vec::new();
/// let json = br#"{"user": {"id": "7", "bot": true}, "nick": null, "deaf": false}"#;
/// shapes.pack(plan, json, &mut record).unwrap();
/// assert_eq!(shapes.record(&record).to_json().unwrap(), br#"{"user":{"id":"7"},"nick":null}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    only: Vec<String>,
    without: Vec<String>,
    refer: Vec<(String, bool)>,
}

impl Plan {
    /// Everything is kept.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            only: Vec::new(),
            without: Vec::new(),
            refer: Vec::new(),
        }
    }

    /// Only what these paths name is kept. None at all keeps everything.
    #[must_use]
    pub fn only<S: Into<String>>(paths: impl IntoIterator<Item = S>) -> Self {
        Self {
            only: paths.into_iter().map(Into::into).collect(),
            without: Vec::new(),
            refer: Vec::new(),
        }
    }

    /// The object at `path` is left out and its place kept: the record holds a reference, and whoever rebuilds the
    /// JSON says what stands there. A value there that is no object is kept.
    #[must_use]
    pub fn refer(mut self, path: impl Into<String>) -> Self {
        self.refer.push((path.into(), false));
        self
    }

    /// The member that the path names is left out, whatever else is kept.
    #[must_use]
    pub fn without(mut self, path: impl Into<String>) -> Self {
        self.without.push(path.into());
        self
    }

    /// Like [`Plan::refer`], and the reference keeps the object's `id`. An object without an id is kept.
    #[must_use]
    pub fn refer_by_id(mut self, path: impl Into<String>) -> Self {
        self.refer.push((path.into(), true));
        self
    }

    /// The rules as a tree.
    pub(super) fn tree(&self) -> Branch {
        let mut tree = Branch {
            keeps_others: self.only.is_empty(),
            ..Branch::default()
        };
        for path in &self.only {
            tree.descend(path, |_| false).keeps_others = true;
        }
        for (path, by_id) in &self.refer {
            // What leads to a reference is kept as what it stands in is.
            tree.descend(path, |parent| parent.keeps_others).refer = Some(*by_id);
        }
        for path in &self.without {
            tree.descend(path, |parent| parent.keeps_others).is_left_out = true;
        }
        tree
    }
}

/// The rules for the objects at one path.
#[derive(Clone, Debug, Default)]
pub(super) struct Branch {
    /// Whether members without a rule are kept.
    pub(super) keeps_others: bool,
    /// A reference is put in its place; with its id or without.
    pub(super) refer: Option<bool>,
    pub(super) is_left_out: bool,
    /// By name, sorted.
    pub(super) children: Vec<(Box<str>, Self)>,
}

impl Branch {
    /// Whether nothing at all is left out of it.
    pub(super) fn keeps_everything(&self) -> bool {
        let is_plain =
            |child: &Self| child.refer.is_none() && !child.is_left_out && child.keeps_everything();
        self.keeps_others && self.children.iter().all(|(_, child)| is_plain(child))
    }

    fn descend(&mut self, path: &str, keeps_others: impl Fn(&Self) -> bool) -> &mut Self {
        let mut branch = self;
        for name in path.split('.') {
            let new = Self {
                keeps_others: keeps_others(branch),
                ..Self::default()
            };
            let place = branch
                .children
                .binary_search_by(|(known, _)| (**known).cmp(name));
            let place = place.unwrap_or_else(|place| {
                branch.children.insert(place, (name.into(), new));
                place
            });
            branch = &mut branch.children[place].1;
        }
        branch
    }
}
