//! Sixty-four bytes at once: which of them are quotes, backslashes, opening and closing brackets.

use wide::u8x16;

/// How many bytes one block holds.
pub(super) const BLOCK: usize = 64;
/// How many bytes one instruction compares.
pub(super) const LANE: usize = 16;

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
        let (lanes, _) = bytes.as_chunks::<LANE>();
        let plain = [0, 1, 2, 3].map(|index| u8x16::new(lanes[index]));
        // Brackets and braces differ in one bit, and no other byte becomes either by setting it.
        let folded = plain.map(|lane| lane | u8x16::splat(0x20));
        let backslashes = equal(&plain, b'\\');
        // Most blocks have none, and one look at all four lanes together says so.
        let [first, second, third, fourth] = backslashes;
        let any = (first | second | third | fourth).to_bitmask() != 0;
        Self {
            quotes: bits(equal(&plain, b'"')),
            backslashes: if any { bits(backslashes) } else { 0 },
            opens: bits(equal(&folded, b'{')),
            closes: bits(equal(&folded, b'}')),
        }
    }

    /// Classifies what follows `at` in `bytes`, which is less than a block. Bits past the end are zero.
    #[inline]
    pub(super) fn rest(bytes: &[u8], at: usize) -> Self {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some(last) = bytes.last_chunk::<BLOCK>().filter(|_| !rest.is_empty()) {
            // Reading the last bytes again and shifting them out is quicker than copying the rest.
            let seen = BLOCK - rest.len();
            let Self {
                quotes,
                backslashes,
                opens,
                closes,
            } = Self::new(last);
            return Self {
                quotes: quotes >> seen,
                backslashes: backslashes >> seen,
                opens: opens >> seen,
                closes: closes >> seen,
            };
        }
        let mut padded = [b' '; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        Self::new(&padded)
    }
}

/// One bit for each byte of a lane that is a quote or a backslash.
#[inline]
pub(super) fn quotes_and_backslashes(lane: &[u8; LANE]) -> u32 {
    let lane = u8x16::new(*lane);
    (lane.simd_eq(u8x16::splat(b'"')) | lane.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
}

#[inline]
fn equal(lanes: &[u8x16; 4], byte: u8) -> [u8x16; 4] {
    lanes.map(|lane| lane.simd_eq(u8x16::splat(byte)))
}

#[inline]
fn bits(lanes: [u8x16; 4]) -> u64 {
    let [first, second, third, fourth] = lanes.map(|lane| u64::from(lane.to_bitmask()));
    first | second << 16 | third << 32 | fourth << 48
}
