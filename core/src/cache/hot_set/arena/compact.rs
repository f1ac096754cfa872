//! Closing gaps: the entries of a segment move together, or into the segment before it.

use alloc::vec::Vec;

use super::{Arena, At, NONE};
use crate::cache::hot_set::entry::{self, Lies};

/// A compaction under way. Nothing else may change the arena's entries meanwhile.
#[derive(Debug)]
pub(in super::super) struct Compaction {
    segment: u32,
    target: u32,
    from: usize,
    to: usize,
    end: usize,
}

impl Arena {
    /// Notes the next segment with gaps in an eighth of it; false if there is none.
    pub(in super::super) fn note_gappy(&mut self) -> bool {
        let count = self.segments.len();
        for step in 1..=count {
            let number = (self.hand + step) % count;
            if self.is_gappy(number) {
                self.hand = number;
                self.sparse.push(u32::try_from(number).unwrap_or(NONE));
                return true;
            }
        }
        false
    }

    /// Whether compacting a segment would give back a part of it.
    fn is_gappy(&self, number: usize) -> bool {
        let segment = &self.segments[number];
        let ends = &self.ends[segment.queue as usize];
        let is_under_way = number == ends.oldest as usize && ends.cursor > 0;
        let gaps = segment.bytes.len() - segment.live;
        let is_open = number == ends.open as usize;
        !is_under_way && !is_open && gaps > 0 && gaps * 8 >= segment.bytes.len()
    }

    /// A segment that should be compacted.
    pub(in super::super) fn next_sparse(&mut self) -> Option<Compaction> {
        loop {
            let Some(number) = self.sparse.pop() else {
                self.sparse = Vec::new();
                return None;
            };
            let segment = &self.segments[number as usize];
            let length = segment.bytes.len();
            // It may have been freed since, and filled anew.
            if !self.is_gappy(number as usize) {
                continue;
            }
            let older = segment.older;
            let target = &self.segments[older as usize].bytes;
            let fits = older != NONE && target.len() + segment.live <= self.segment;
            return Some(Compaction {
                segment: number,
                target: if fits { older } else { number },
                from: 0,
                to: if fits { target.len() } else { 0 },
                end: length,
            });
        }
    }

    /// Copies the next entry of a compaction; the caller says so to whoever knew the old place.
    pub(in super::super) fn compact(&mut self, work: &mut Compaction) -> Option<(At, At)> {
        while work.from < work.end {
            let bytes = &self.segments[work.segment as usize].bytes;
            let shape = match entry::read(&bytes[work.from..]) {
                Lies::Gap(size) => {
                    work.from += size;
                    continue;
                }
                Lies::Entry(shape) => shape,
            };
            let (from, size) = (At::new(work.segment, work.from), shape.size());
            work.from += size;
            let to = if work.target == work.segment {
                At::new(work.segment, work.to)
            } else {
                self.widen(work.target, size);
                self.append(work.target, size)
            };
            work.to += size;
            if from != to {
                self.copy(from, to, size);
                return Some((from, to));
            }
        }
        self.end_compaction(work);
        None
    }

    fn widen(&mut self, number: u32, size: usize) {
        let standard = self.segment;
        let bytes = &mut self.segments[number as usize].bytes;
        if bytes.capacity() < bytes.len() + size {
            self.capacity -= bytes.capacity();
            bytes.reserve_exact(standard.max(bytes.len() + size) - bytes.len());
            self.capacity += bytes.capacity();
        }
    }

    fn end_compaction(&mut self, work: &Compaction) {
        let segment = &mut self.segments[work.segment as usize];
        let ends = &mut self.ends[segment.queue as usize];
        if work.target != work.segment {
            ends.live -= segment.live;
            segment.live = 0;
            self.close(work.segment);
            return;
        }
        segment.bytes.truncate(work.to);
        if ends.oldest == work.segment {
            ends.cursor = 0;
        }
        if ends.open != work.segment {
            self.trim(work.segment);
        }
    }
}
