//! Numbered items in blocks of 64: growing never copies, and a block without items gives its memory back.

use alloc::vec::Vec;

const BLOCK: usize = 64;

#[derive(Clone, Debug)]
struct Block<T> {
    /// Which items are in use.
    used: u64,
    items: Vec<T>,
}

/// Items that keep their number.
#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    blocks: Vec<Block<T>>,
    /// Blocks before it are full.
    open: usize,
    filled: usize,
}

impl<T: Copy + Default> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            blocks: Vec::new(),
            open: 0,
            filled: 0,
        }
    }

    /// Bytes that it holds.
    pub(super) const fn held(&self) -> usize {
        self.blocks.capacity() * size_of::<Block<T>>() + self.filled * BLOCK * size_of::<T>()
    }

    /// Bytes that one more item would ask for, at most.
    pub(super) const fn growth(&self) -> usize {
        BLOCK * size_of::<T>() + (self.blocks.len() / 8 + 8) * size_of::<Block<T>>()
    }

    pub(super) fn insert(&mut self, item: T) -> u32 {
        while self
            .blocks
            .get(self.open)
            .is_some_and(|block| block.used == u64::MAX)
        {
            self.open += 1;
        }
        if self.open == self.blocks.len() {
            if self.blocks.len() == self.blocks.capacity() {
                self.blocks.reserve_exact(self.blocks.len() / 8 + 8);
            }
            self.blocks.push(Block {
                used: 0,
                items: Vec::new(),
            });
        }
        let block = &mut self.blocks[self.open];
        if block.used == 0 {
            block.items.reserve_exact(BLOCK);
            block.items.resize(BLOCK, T::default());
            self.filled += 1;
        }
        let place = block.used.trailing_ones() as usize;
        block.used |= 1 << place;
        block.items[place] = item;
        u32::try_from(self.open * BLOCK + place).expect("four billion items do not fit in memory")
    }

    pub(super) fn remove(&mut self, number: u32) {
        let (at, place) = split(number);
        let block = &mut self.blocks[at];
        block.used &= !(1 << place);
        if block.used == 0 {
            block.items = Vec::new();
            self.filled -= 1;
        }
        self.open = self.open.min(at);
        if self.filled == 0 {
            *self = Self::new();
        }
    }

    pub(super) fn get(&self, number: u32) -> &T {
        let (at, place) = split(number);
        &self.blocks[at].items[place]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        let (at, place) = split(number);
        &mut self.blocks[at].items[place]
    }

    /// Numbers in use.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        let blocks = self.blocks.iter().zip(0_u32..);
        blocks.flat_map(|(block, at)| {
            let used = block.used;
            let places = (0..64_u32).filter(move |place| used & 1 << place != 0);
            places.map(move |place| at * 64 + place)
        })
    }
}

const fn split(number: u32) -> (usize, usize) {
    let number = number as usize;
    (number / BLOCK, number % BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_memory_goes_back() {
        let mut slab = Slab::new();
        let numbers: Vec<u32> = (0..200_u64).map(|item| slab.insert(item)).collect();
        assert_eq!(slab.numbers().collect::<Vec<_>>(), numbers);
        let all = slab.held();
        (64..128).for_each(|number| slab.remove(number));
        assert!(slab.held() < all);
        assert_eq!(slab.insert(7), 64);
        assert_eq!((*slab.get(64), *slab.get(199)), (7, 199));
        slab.numbers()
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|number| slab.remove(number));
        assert_eq!(slab.held(), 0);
    }
}
