//! Whose turn it is: queues from their old end.

use super::{Arena, At, NONE, Queue};
use crate::cache::hot_set::entry::{self, Lies, Shape};

impl Arena {
    /// The entry that has been in its queue for longest.
    pub(in super::super) fn oldest(&mut self, queue: Queue) -> Option<(At, Shape)> {
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

    /// Hands the entries that have been in their queue for longest to `visit`, up to `count`, and stays where it is.
    pub(in super::super) fn look(
        &self,
        queue: Queue,
        count: usize,
        visit: &mut dyn FnMut(At, Shape),
    ) {
        let ends = &self.ends[queue as usize];
        let (mut number, mut from, mut left) = (ends.oldest, ends.cursor, count);
        while number != NONE && left > 0 {
            let segment = &self.segments[number as usize];
            if from >= segment.bytes.len() {
                (number, from) = (segment.newer, 0);
                continue;
            }
            match entry::read(&segment.bytes[from..]) {
                Lies::Gap(size) => from += size,
                Lies::Entry(shape) => {
                    visit(At::new(number, from), shape);
                    from += shape.size();
                    left -= 1;
                }
            }
        }
    }

    /// Makes the oldest segment of new entries the newest of the main queue, as it is, unless it is in use.
    pub(in super::super) fn adopt(&mut self) {
        let young = &mut self.ends[Queue::Young as usize];
        let number = young.oldest;
        if number == NONE || number == young.open || young.cursor > 0 {
            return;
        }
        let segment = &mut self.segments[number as usize];
        young.oldest = segment.newer;
        young.live -= segment.live;
        match segment.newer {
            NONE => young.newest = NONE,
            newer => self.segments[newer as usize].older = NONE,
        }
        let segment = &mut self.segments[number as usize];
        segment.queue = Queue::Main;
        self.ends[Queue::Main as usize].live += segment.live;
        self.enqueue(number);
    }
}
