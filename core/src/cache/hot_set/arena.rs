//! Where entries lie: queues of segments, each entry behind the one before. What is freed in the middle is a gap until
//! its segment is compacted or its turn comes.

use alloc::vec::Vec;

use super::entry::{self, ALIGN, Lies, Shape};

/// Bits of a place that tell where in its segment it is, in steps of [`ALIGN`].
const OFFSET_BITS: u32 = 14;

/// The longest segment that holds several entries.
pub(super) const SEGMENT_MAX: usize = ALIGN << OFFSET_BITS;

/// The shortest one.
const SEGMENT_MIN: usize = 4 << 10;

/// How many segments can be told apart; number 0 is none.
const SEGMENTS: usize = 1 << (32 - OFFSET_BITS);

/// No segment.
const NONE: u32 = 0;

/// Where an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At(pub(super) u32);

impl At {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    const fn new(segment: u32, offset: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "an offset in a segment")]
        let offset = (offset / ALIGN) as u32;
        Self(segment << OFFSET_BITS | offset)
    }

    const fn segment(self) -> u32 {
        self.0 >> OFFSET_BITS
    }

    const fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize * ALIGN
    }
}

/// Which queue a segment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// What came a while ago at most.
    Young,
    /// What was asked for since.
    Main,
}

#[derive(Debug)]
struct Segment {
    bytes: Vec<u8>,
    /// Bytes that are not gaps.
    live: usize,
    queue: Queue,
    /// Its neighbours in the queue; of a free segment, `newer` is the next free one.
    older: u32,
    newer: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    oldest: u32,
    /// The one that is being filled.
    newest: u32,
    /// Where in the oldest segment the first entry can be.
    cursor: usize,
    live: usize,
}

/// All segments.
#[derive(Debug)]
pub(super) struct Arena {
    segments: Vec<Segment>,
    free: u32,
    ends: [Ends; 2],
    /// Bytes of all segments together.
    capacity: usize,
    /// How long a new segment is.
    segment: usize,
    /// Segments with many gaps.
    sparse: Vec<u32>,
    /// Where the search for gaps goes on.
    hand: usize,
}

/// Room for a list's next items: an eighth more, so that growing needs little at once.
fn more<T>(list: &Vec<T>) -> usize {
    if list.len() < list.capacity() {
        0
    } else {
        list.len() / 8 + 8
    }
}

impl Arena {
    pub(super) fn new(budget: usize) -> Self {
        let mut arena = Self {
            segments: Vec::new(),
            free: NONE,
            ends: [Ends::default(); 2],
            capacity: 0,
            segment: SEGMENT_MIN,
            sparse: Vec::new(),
            hand: 0,
        };
        arena.set_budget(budget);
        arena.add_number();
        arena
    }

    /// Chooses how long new segments are, so that one of them is little beside the budget.
    pub(super) fn set_budget(&mut self, budget: usize) {
        self.segment = (budget / 512)
            .next_power_of_two()
            .clamp(SEGMENT_MIN, SEGMENT_MAX);
    }

    /// Bytes that it holds.
    pub(super) fn held(&self) -> usize {
        self.capacity
            + self.segments.capacity() * size_of::<Segment>()
            + self.sparse.capacity() * size_of::<u32>()
    }

    /// Bytes that hold no entry: gaps, and what is not filled yet.
    pub(super) const fn gaps(&self) -> usize {
        self.capacity - self.ends[0].live - self.ends[1].live
    }

    /// How long a new segment is.
    pub(super) const fn segment_bytes(&self) -> usize {
        self.segment
    }

    /// Bytes of a queue that are not gaps.
    pub(super) const fn live(&self, queue: Queue) -> usize {
        self.ends[queue as usize].live
    }

    /// Whether entries of this size get a segment of their own.
    const fn is_large(&self, size: usize) -> bool {
        size > self.segment / 8
    }

    /// Whether the segment that is being filled has room.
    fn has_room(&self, queue: Queue, size: usize) -> bool {
        let newest = &self.segments[self.ends[queue as usize].newest as usize];
        newest.bytes.len() + size <= newest.bytes.capacity().min(SEGMENT_MAX)
    }

    /// Bytes that an entry of this size would ask for, if any.
    pub(super) fn growth(&self, queue: Queue, size: usize) -> usize {
        let has_number = self.free != NONE || self.segments.len() < SEGMENTS;
        match (self.is_large(size), has_number) {
            (false, _) if self.has_room(queue, size) => 0,
            (_, false) => usize::MAX / 2,
            (is_large, _) => {
                let numbers = match self.free {
                    NONE => more(&self.segments) * size_of::<Segment>(),
                    _ => 0,
                };
                numbers + if is_large { size } else { self.segment }
            }
        }
    }

    fn add_number(&mut self) {
        let more = more(&self.segments);
        self.segments.reserve_exact(more);
        self.segments.push(Segment {
            bytes: Vec::new(),
            live: 0,
            queue: Queue::Young,
            older: NONE,
            newer: NONE,
        });
    }

    /// A new segment, in no queue yet.
    fn open(&mut self, queue: Queue, capacity: usize) -> u32 {
        let number = match self.free {
            NONE => {
                self.add_number();
                u32::try_from(self.segments.len() - 1).expect("segments are counted before")
            }
            free => {
                self.free = self.segments[free as usize].newer;
                free
            }
        };
        let segment = &mut self.segments[number as usize];
        segment.queue = queue;
        segment.bytes.reserve_exact(capacity);
        self.capacity += segment.bytes.capacity();
        number
    }

    /// Puts a segment into its queue, after `older`.
    fn enqueue(&mut self, number: u32, older: u32) {
        let queue = self.segments[number as usize].queue as usize;
        let newer = match older {
            NONE => core::mem::replace(&mut self.ends[queue].oldest, number),
            older => core::mem::replace(&mut self.segments[older as usize].newer, number),
        };
        if older == NONE {
            self.ends[queue].cursor = 0;
        }
        match newer {
            NONE => self.ends[queue].newest = number,
            newer => self.segments[newer as usize].older = number,
        }
        let segment = &mut self.segments[number as usize];
        (segment.older, segment.newer) = (older, newer);
    }

    /// Takes a segment out of its queue and gives its memory back.
    fn close(&mut self, number: u32) {
        let free = self.free;
        let segment = &mut self.segments[number as usize];
        let (older, newer) = (segment.older, segment.newer);
        self.capacity -= segment.bytes.capacity();
        segment.bytes = Vec::new();
        segment.newer = free;
        self.free = number;
        let ends = &mut self.ends[segment.queue as usize];
        match older {
            NONE => (ends.oldest, ends.cursor) = (newer, 0),
            older => self.segments[older as usize].newer = newer,
        }
        match newer {
            NONE => ends.newest = older,
            newer => self.segments[newer as usize].older = older,
        }
    }

    /// Room for an entry at the new end of a queue, all zero.
    pub(super) fn take(&mut self, queue: Queue, size: usize) -> At {
        let newest = self.ends[queue as usize].newest;
        let number = if self.is_large(size) {
            // Behind the one that is being filled, which goes on being filled.
            let number = self.open(queue, size);
            let older = self.segments[newest as usize].older;
            self.enqueue(number, if newest == NONE { NONE } else { older });
            number
        } else if self.has_room(queue, size) {
            newest
        } else {
            self.trim(newest);
            let number = self.open(queue, self.segment);
            self.enqueue(number, newest);
            number
        };
        self.append(number, size)
    }

    /// Gives back what a segment has not filled, if it is worth it.
    fn trim(&mut self, number: u32) {
        let bytes = &mut self.segments[number as usize].bytes;
        if bytes.capacity() - bytes.len() > self.segment / 32 {
            self.capacity -= bytes.capacity();
            bytes.shrink_to_fit();
            self.capacity += bytes.capacity();
        }
    }

    fn append(&mut self, number: u32, size: usize) -> At {
        let segment = &mut self.segments[number as usize];
        let offset = segment.bytes.len();
        segment.bytes.resize(offset + size, 0);
        segment.live += size;
        self.ends[segment.queue as usize].live += size;
        At::new(number, offset)
    }

    /// The entry and what lies behind it.
    pub(super) fn entry(&self, at: At) -> &[u8] {
        &self.segments[at.segment() as usize].bytes[at.offset()..]
    }

    pub(super) fn entry_mut(&mut self, at: At) -> &mut [u8] {
        &mut self.segments[at.segment() as usize].bytes[at.offset()..]
    }

    /// What the entry's word says.
    pub(super) fn shape(&self, at: At) -> Option<Shape> {
        match entry::read(self.entry(at)) {
            Lies::Entry(shape) => Some(shape),
            Lies::Gap(_) => None,
        }
    }

    /// Which queue an entry is in.
    pub(super) fn queue(&self, at: At) -> Queue {
        self.segments[at.segment() as usize].queue
    }

    /// Copies an entry over another of its size.
    pub(super) fn copy(&mut self, from: At, to: At, size: usize) {
        let (source, target) = (from.segment() as usize, to.segment() as usize);
        let (start, offset) = (from.offset(), to.offset());
        if source == target {
            let bytes = &mut self.segments[source].bytes;
            bytes.copy_within(start..start + size, offset);
        } else if let Ok([source, target]) = self.segments.get_disjoint_mut([source, target]) {
            target.bytes[offset..offset + size].copy_from_slice(&source.bytes[start..start + size]);
        }
    }

    /// Makes an entry a gap, and gives the segment's memory back if nothing else is in it.
    pub(super) fn free(&mut self, at: At, size: usize) {
        self.bury(at.segment(), at.offset(), size);
    }

    /// Frees what lies behind an entry that has become shorter.
    pub(super) fn cut(&mut self, at: At, from: usize, to: usize) {
        if to < from {
            self.bury(at.segment(), at.offset() + to, from - to);
        }
    }

    fn bury(&mut self, number: u32, offset: usize, size: usize) {
        let segment = &mut self.segments[number as usize];
        segment.live -= size;
        self.ends[segment.queue as usize].live -= size;
        if segment.live == 0 {
            self.close(number);
            return;
        }
        entry::bury(&mut segment.bytes[offset..], size);
        // Once, when it becomes so.
        let (gaps, quarter) = (segment.bytes.len() - segment.live, segment.bytes.len() / 4);
        if gaps >= quarter && gaps - size.min(gaps) < quarter {
            self.sparse.reserve_exact(more(&self.sparse));
            self.sparse.push(number);
        }
    }

    /// The entry that has been in its queue for longest.
    pub(super) fn oldest(&mut self, queue: Queue) -> Option<(At, Shape)> {
        let ends = &mut self.ends[queue as usize];
        let number = ends.oldest;
        if number == NONE {
            return None;
        }
        // A segment in a queue has an entry, and nothing but gaps lies before the cursor.
        let bytes = &self.segments[number as usize].bytes;
        loop {
            match entry::read(bytes.get(ends.cursor..).filter(|rest| !rest.is_empty())?) {
                Lies::Entry(shape) => return Some((At::new(number, ends.cursor), shape)),
                Lies::Gap(size) => ends.cursor += size,
            }
        }
    }

    /// Notes the next segment with gaps in an eighth of it; false if there is none.
    pub(super) fn note_gappy(&mut self) -> bool {
        let count = self.segments.len();
        for step in 1..=count {
            let number = (self.hand + step) % count;
            if self.is_gappy(number, 8) {
                self.hand = number;
                self.sparse.push(u32::try_from(number).unwrap_or(NONE));
                return true;
            }
        }
        false
    }

    /// Whether compacting a segment would give back a part of it.
    fn is_gappy(&self, number: usize, part: usize) -> bool {
        let segment = &self.segments[number];
        let ends = &self.ends[segment.queue as usize];
        let is_under_way = number == ends.oldest as usize && ends.cursor > 0;
        let gaps = segment.bytes.len() - segment.live;
        let is_open = number == ends.newest as usize;
        !is_under_way && !is_open && gaps > 0 && gaps * part >= segment.bytes.len()
    }

    /// A segment that should be compacted.
    pub(super) fn next_sparse(&mut self) -> Option<Compaction> {
        loop {
            let Some(number) = self.sparse.pop() else {
                self.sparse = Vec::new();
                return None;
            };
            let segment = &self.segments[number as usize];
            let length = segment.bytes.len();
            // It may have been freed since, and filled anew.
            if !self.is_gappy(number as usize, 8) {
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
    pub(super) fn compact(&mut self, work: &mut Compaction) -> Option<(At, At)> {
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
        if ends.newest != work.segment {
            self.trim(work.segment);
        }
    }
}

/// A compaction under way. Nothing else may change the arena's entries meanwhile.
#[derive(Debug)]
pub(super) struct Compaction {
    segment: u32,
    target: u32,
    from: usize,
    to: usize,
    end: usize,
}
