//! Sixty-four bytes at once: which of them are quotes, backslashes, opening and closing brackets.

use wide::u8x16;

/// How many bytes one block holds.
pub(super) const BLOCK: usize = 64;

/// One bit for each byte of a block, the first byte's in the lowest bit.
pub(super) struct Block {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[`.
    pub(super) opens: u64,
    /// `}` and `]`.
    pub(super) closes: u64,
}

impl Block {
    /// Classifies the bytes.
    #[inline]
    pub(super) fn new(bytes: &[u8; BLOCK]) -> Self {
        let mut block = Self {
            quotes: 0,
            backslashes: 0,
            opens: 0,
            closes: 0,
        };
        let (lanes, _) = bytes.as_chunks::<16>();
        for (index, lane) in lanes.iter().enumerate() {
            let lane = u8x16::new(*lane);
            // Brackets and braces differ in one bit, and no other byte becomes either by setting it.
            let folded = lane | u8x16::splat(0x20);
            let shift = 16 * index;
            block.quotes |= mask(lane.simd_eq(u8x16::splat(b'"'))) << shift;
            block.backslashes |= mask(lane.simd_eq(u8x16::splat(b'\\'))) << shift;
            block.opens |= mask(folded.simd_eq(u8x16::splat(b'{'))) << shift;
            block.closes |= mask(folded.simd_eq(u8x16::splat(b'}'))) << shift;
        }
        block
    }
}

#[inline]
fn mask(lanes: u8x16) -> u64 {
    u64::from(lanes.to_bitmask())
}
