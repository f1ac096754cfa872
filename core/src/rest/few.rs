//! A few numbers, in place while they are few: most buckets have one lane or two.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;

/// How many lie in place.
const IN_PLACE: usize = 3;

/// Numbers in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Few {
    in_place: [u32; IN_PLACE],
    count: u32,
    /// All of them, once they were more than fit. Behind a pointer of its own: hardly any bucket has it.
    #[expect(clippy::box_collection, reason = "a third of a vector's size")]
    all: Option<Box<Vec<u32>>>,
}

impl Few {
    pub(super) fn push(&mut self, number: u32) {
        let count = self.count as usize;
        match &mut self.all {
            Some(all) => all.push(number),
            None if count < IN_PLACE => {
                self.in_place[count] = number;
                self.count += 1;
            }
            None => {
                let mut all = Vec::from(self.in_place);
                all.push(number);
                self.all = Some(Box::new(all));
                self.count = 0;
            }
        }
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Some(all) = &mut self.all {
            all.retain(|&other| other != number);
            if all.is_empty() {
                self.all = None;
            }
            return;
        }
        let kept = self.in_place;
        let kept = kept.iter().take(self.count as usize);
        self.count = 0;
        for &other in kept.filter(|&&other| other != number) {
            self.in_place[self.count as usize] = other;
            self.count += 1;
        }
    }
}

impl Deref for Few {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match &self.all {
            Some(all) => all,
            None => &self.in_place[..self.count as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_fit_keep_their_order() {
        let mut few = Few::default();
        for count in 0..6 {
            assert_eq!(*few, Vec::from_iter(0..count));
            few.push(count);
        }
        for gone in [4, 0, 5, 2, 1, 3] {
            few.remove(gone);
            assert!(!few.contains(&gone));
        }
        assert!(few.is_empty());
        few.push(9);
        few.push(8);
        few.remove(9);
        assert_eq!(*few, [8]);
    }
}
