//! Partial updates on records, without going through the JSON of the whole.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::error::{PackError, PackErrorKind};
use super::members::{Member, Members};
use super::open::{Open, begin_counted, end_counted};
use super::pack::Left;
use super::plan::{EVERYTHING, Rule};
use super::shapes::{PlanId, Shapes};
use super::{DEPTH_MAX, NOT_AN_OBJECT, tag};

/// The memory for updates that is kept from one to the next.
const SCRATCH_MAX: usize = 64 << 10;

/// Objects with more members are searched by a tree: the time for a merge stays in proportion to what is merged.
const SCAN_MAX: usize = 64;

/// What happens to an object inside a record when the update has another in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nested {
    /// The new one takes its place.
    #[default]
    Replace,
    /// They are merged too.
    Merge,
}

impl Shapes {
    /// Appends to `out` what `record` becomes by an update, which is the JSON of an object. Members that the update
    /// names are replaced where they stand, arrays as a whole; new ones follow in their order. Of a key that the update
    /// has twice, the first counts. Keys are the same if they are spelt the same.
    ///
    /// `plan` is that of the record. `left` is told what the update has for references.
    ///
    /// ```
    /// use shardkeep_core::cache::packed::{Nested, PlanId, Shapes};
    ///
    /// let (mut shapes, plan) = (Shapes::default(), PlanId::EVERYTHING);
    /// let (mut old, mut new) = (Vec::new(), Vec::new());
    /// shapes.pack(plan, br#"{"nick":null,"roles":["1"],"deaf":false}"#, &mut old).unwrap();
    /// let update = br#"{"roles":["1","2"],"flags":1}"#;
    /// shapes.merge(plan, &old, update, Nested::Replace, &mut new, &mut |_| {}).unwrap();
    /// let json = shapes.record(&new).to_json().unwrap();
    /// assert_eq!(json, br#"{"nick":null,"roles":["1","2"],"deaf":false,"flags":1}"#);
    /// ```
    ///
    /// # Errors
    ///
    /// [`PackError`] if the update is not a JSON object, or the record was not packed with this table or is none of an
    /// object; `out` is as it was.
    pub fn merge(
        &mut self,
        plan: PlanId,
        record: &[u8],
        update: &[u8],
        nested: Nested,
        out: &mut Vec<u8>,
        left: &mut dyn FnMut(Left<'_>),
    ) -> Result<(), PackError> {
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        let start = out.len();
        let mut merged = self.pack_with(plan, update, &mut scratch, left);
        if merged.is_ok() {
            merged = self.merge_packed(self.level_of(plan), record, &scratch, nested, out);
        }
        if merged.is_err() {
            out.truncate(start);
        }
        if scratch.capacity() <= SCRATCH_MAX {
            self.scratch = scratch;
        }
        merged
    }

    fn merge_packed(
        &mut self,
        level: u16,
        record: &[u8],
        update: &[u8],
        nested: Nested,
        out: &mut Vec<u8>,
    ) -> Result<(), PackError> {
        let refuse = |kind| Err(PackError { kind, at: 0 });
        if !is_object(update) {
            return refuse(PackErrorKind::NotAnObject);
        }
        let shapes = &*self;
        let merge = Merge { shapes, nested };
        let open = if is_object(record) {
            merge.object(level, record, update, out, 1)
        } else {
            None
        };
        let Some(open) = open else {
            return refuse(PackErrorKind::BadRecord);
        };
        open.close(self, out);
        Ok(())
    }
}

fn is_object(record: &[u8]) -> bool {
    record.len() >= 2 && !record.starts_with(&NOT_AN_OBJECT.to_le_bytes())
}

struct Merge<'a> {
    shapes: &'a Shapes,
    nested: Nested,
}

impl<'a> Merge<'a> {
    /// Writes the members of both objects. `None`, and anything may have been written, if one makes no sense.
    fn object(
        &self,
        level: u16,
        old: &'a [u8],
        new: &'a [u8],
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Option<Open> {
        if depth > DEPTH_MAX {
            return None;
        }
        let shapes = self.shapes;
        let root = shapes.levels.get(usize::from(level))?.root;
        let mut open = Open::new(out, level, root);
        let olds = Keyed::new(shapes, old)?;
        let updates = Keyed::new(shapes, new)?;
        let mut members = Members::new(shapes, old);
        while let Some(member) = members.step() {
            match updates.find(&member) {
                Some(update) => self.replace(&mut open, out, &member, &update, depth)?,
                None => self.put(&mut open, out, &member)?,
            }
        }
        let mut members = Members::new(shapes, new);
        while let Some(member) = members.step() {
            let first = updates.find(&member);
            let is_first = first.is_some_and(|first| first.index == member.index);
            if is_first && olds.find(&member).is_none() {
                self.put(&mut open, out, &member)?;
            }
        }
        Some(open)
    }

    /// Writes what becomes of a member that both objects have.
    fn replace(
        &self,
        open: &mut Open,
        out: &mut Vec<u8>,
        old: &Member<'a>,
        new: &Member<'a>,
        depth: usize,
    ) -> Option<()> {
        if self.nested == Nested::Replace || old.tag != tag::OBJECT {
            return self.put(open, out, new);
        }
        match new.tag {
            tag::EMPTY_OBJECT => self.put(open, out, old),
            tag::OBJECT => {
                let rule = self.shapes.levels[usize::from(open.level)].rule(old.key(self.shapes));
                let level = match rule {
                    Rule::Keep(level) => level,
                    _ => EVERYTHING,
                };
                let has_tag = self.begin(open, out, old, tag::OBJECT)?;
                let start = begin_counted(out);
                let inner = self.object(level, old.body, new.body, out, depth + 1)?;
                inner.seal(out);
                end_counted(out, start);
                open.end(out, has_tag);
                Some(())
            }
            _ => self.put(open, out, new),
        }
    }

    /// Writes a member as it is.
    fn put(&self, open: &mut Open, out: &mut Vec<u8>, member: &Member<'a>) -> Option<()> {
        let has_tag = self.begin(open, out, member, member.tag)?;
        if tag::is_counted(member.tag) {
            let (bytes, length) = tag::count_bytes(member.body.len());
            out.extend_from_slice(&bytes[..length]);
        }
        out.extend_from_slice(member.body);
        open.end(out, has_tag);
        Some(())
    }

    /// Writes a key and a tag, as far as the shape leaves them open. Answers whether the tag was written.
    fn begin(
        &self,
        open: &mut Open,
        out: &mut Vec<u8>,
        member: &Member<'a>,
        tag: u8,
    ) -> Option<bool> {
        let shapes = self.shapes;
        let known = match member.node {
            _ if open.is_tail() => None,
            Some(node) if node.parent == open.node => Some(member.id),
            _ => shapes.child(open.node, member.hash(), member.key(shapes)),
        };
        let expected = match known {
            Some(id) => {
                open.step(out, id);
                shapes.node(id)?.expected
            }
            None => {
                open.begin_tail(out, member.key(shapes), member.hash());
                tag::NONE
            }
        };
        if expected == tag {
            return Some(false);
        }
        out.push(tag);
        Some(true)
    }
}

/// The members of an object by their keys.
struct Keyed<'a> {
    shapes: &'a Shapes,
    body: &'a [u8],
    /// Only if there are many.
    tree: Option<BTreeMap<&'a [u8], Member<'a>>>,
}

impl<'a> Keyed<'a> {
    /// `None` if the object makes no sense.
    fn new(shapes: &'a Shapes, body: &'a [u8]) -> Option<Self> {
        let mut members = Members::new(shapes, body);
        let count = core::iter::from_fn(|| members.step()).count();
        if !members.is_done() {
            return None;
        }
        let tree = (count > SCAN_MAX).then(|| {
            let mut tree = BTreeMap::new();
            let mut members = Members::new(shapes, body);
            while let Some(member) = members.step() {
                tree.entry(member.key(shapes)).or_insert(member);
            }
            tree
        });
        Some(Self { shapes, body, tree })
    }

    /// The first member whose key is spelt like that of `wanted`.
    fn find(&self, wanted: &Member<'a>) -> Option<Member<'a>> {
        let (hash, key) = (wanted.hash(), wanted.key(self.shapes));
        if let Some(tree) = &self.tree {
            return tree.get(key).copied();
        }
        let mut members = Members::new(self.shapes, self.body);
        core::iter::from_fn(|| members.step())
            .find(|member| member.hash() == hash && member.key(self.shapes) == key)
    }
}
