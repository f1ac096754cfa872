//! Who was given up lately: two bytes for each, so that what comes back soon is known to be wanted.

use alloc::vec::Vec;

/// How many are remembered in a row; the latest stands first.
const ROW: usize = 16;

/// Fingerprints of entries that are gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Ghost {
    rows: Vec<[u16; ROW]>,
    /// How many rows there will be from the first entry on.
    wanted: usize,
}

impl Ghost {
    /// Sets how many entries are remembered, and forgets all if that changed.
    pub(super) fn resize(&mut self, entries: usize) {
        let wanted = entries.div_ceil(ROW);
        if self.wanted != wanted {
            self.wanted = wanted;
            self.rows = Vec::new();
        }
    }

    /// Bytes that it holds.
    pub(super) const fn held(&self) -> usize {
        self.rows.len() * size_of::<[u16; ROW]>()
    }

    /// Bytes that it will hold as well.
    pub(super) const fn growth(&self) -> usize {
        (self.wanted - self.rows.len()) * size_of::<[u16; ROW]>()
    }

    /// Where a hash is remembered, and as what.
    fn split(&self, hash: u64) -> Option<(usize, u16)> {
        let [.., a, b] = hash.to_le_bytes();
        let rows = self.rows.len() as u64;
        let row = ((hash & 0xffff_ffff) * rows) >> 32;
        // 0 is nobody.
        (rows > 0).then(|| (row as usize, u16::from_le_bytes([a, b]).max(1)))
    }

    /// Remembers somebody.
    pub(super) fn insert(&mut self, hash: u64) {
        if self.rows.is_empty() {
            self.rows.reserve_exact(self.wanted);
            self.rows.resize(self.wanted, [0; ROW]);
        }
        if let Some((row, print)) = self.split(hash) {
            let row = &mut self.rows[row];
            row.copy_within(..ROW - 1, 1);
            row[0] = print;
        }
    }

    /// Whether somebody is remembered; they are forgotten.
    pub(super) fn take(&mut self, hash: u64) -> bool {
        let Some((row, print)) = self.split(hash) else {
            return false;
        };
        let row = &mut self.rows[row];
        let Some(place) = row.iter().position(|&other| other == print) else {
            return false;
        };
        row.copy_within(place + 1.., place);
        row[ROW - 1] = 0;
        true
    }

    /// Whether somebody is remembered.
    pub(super) fn knows(&self, hash: u64) -> bool {
        self.split(hash)
            .is_some_and(|(row, print)| self.rows[row].contains(&print))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn the_latest_are_remembered_once() {
        let mut ghost = Ghost::default();
        ghost.resize(4_096);
        let mut rng = Rng::new(5);
        let hashes: Vec<u64> = (0..10_000).map(|_| rng.next_u64()).collect();
        hashes.iter().for_each(|&hash| ghost.insert(hash));
        let known = |range: &[u64]| range.iter().filter(|&&hash| ghost.knows(hash)).count();
        assert_eq!(known(&hashes[9_000..]), 1_000);
        assert!(known(&hashes[..4_000]) < 200, "the oldest are forgotten");
        assert!(known(&[1 << 40, 2 << 40, 3 << 40]) == 0);
        let last = hashes[9_999];
        assert!(ghost.take(last) && !ghost.take(last));
        assert_eq!(ghost.held(), 4_096 * 2);
    }
}
