//! Who was given up lately, and how often they were asked for: two bytes for each, so that who comes back need not
//! begin anew.

use alloc::vec::Vec;

/// How many are remembered in a row; the latest stands first.
const ROW: usize = 16;

/// Bits of a memory that count touches; the others are bits of the hash, not all of them zero.
const HEAT_BITS: u32 = 4;
const HEAT: u16 = (1 << HEAT_BITS) - 1;

/// Fingerprints of entries that are gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Ghost {
    rows: Vec<[u16; ROW]>,
    /// How many rows there will be from the first entry on.
    wanted: usize,
    /// Where cooling goes on, and what is left of the last part of a row.
    hand: usize,
    cooled: usize,
}

impl Ghost {
    /// Sets how many entries are remembered, and forgets all if that changed.
    pub(super) fn resize(&mut self, entries: usize) {
        let wanted = entries.div_ceil(ROW);
        if self.wanted != wanted {
            *self = Self {
                wanted,
                ..Self::default()
            };
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
        let [a, b, ..] = hash.to_le_bytes();
        let rows = self.rows.len() as u64;
        // Other bits than those that choose the row.
        let row = ((hash & 0xffff_ffff) * rows) >> 32;
        let print = (u16::from_le_bytes([a, b]) >> HEAT_BITS).max(1);
        (rows > 0).then_some((row as usize, print))
    }

    /// Remembers somebody.
    pub(super) fn insert(&mut self, hash: u64, heat: u8) {
        if self.rows.is_empty() {
            self.rows.reserve_exact(self.wanted);
            self.rows.resize(self.wanted, [0; ROW]);
        }
        if let Some((row, print)) = self.split(hash) {
            let row = &mut self.rows[row];
            row.copy_within(..ROW - 1, 1);
            row[0] = print << HEAT_BITS | u16::from(heat) & HEAT;
        }
    }

    /// How often somebody was asked for who is remembered; they are forgotten.
    pub(super) fn take(&mut self, hash: u64) -> Option<u8> {
        let (row, print) = self.split(hash)?;
        let row = &mut self.rows[row];
        let place = row.iter().position(|&other| other >> HEAT_BITS == print)?;
        let [heat, _] = (row[place] & HEAT).to_le_bytes();
        row.copy_within(place + 1.., place);
        row[ROW - 1] = 0;
        Some(heat)
    }

    /// Halves the touches of the next ones: of all of them in `period` calls.
    pub(super) fn cool(&mut self, period: usize) {
        let count = self.rows.len();
        self.cooled += count;
        let due = self.cooled / period.max(1);
        self.cooled %= period.max(1);
        for _ in 0..due.min(count) {
            self.hand = (self.hand + 1) % count;
            for one in &mut self.rows[self.hand] {
                let heat = *one & HEAT;
                *one -= heat - heat / 2;
            }
        }
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
        for (&hash, heat) in hashes.iter().zip((0..16).cycle()) {
            ghost.insert(hash, heat);
        }
        assert_eq!(ghost.held(), 4_096 * 2);
        let known = |range: &[u64]| {
            let mut ghost = ghost.clone();
            range.iter().filter_map(|&hash| ghost.take(hash)).count()
        };
        assert!(known(&hashes[9_000..]) > 990);
        assert!(known(&hashes[..4_000]) < 200, "the oldest are forgotten");
        let last = hashes[9_999];
        assert_eq!(ghost.take(last), Some(15));
        assert_eq!(ghost.take(last), None);
    }

    #[test]
    fn touches_are_halved() {
        let mut ghost = Ghost::default();
        ghost.resize(160);
        ghost.insert(77, 15);
        (0..40).for_each(|_| ghost.cool(40));
        assert_eq!(ghost.take(77), Some(7));
    }
}
