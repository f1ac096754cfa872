//! Sixty-four bytes at once: which of them are quotes, backslashes, opening and closing brackets.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x16, u8x64};

/// How many bytes one block holds.
pub(super) const BLOCK: usize = 64;
/// How many bytes one instruction compares.
pub(crate) const LANE: usize = 16;

/// One bit for each byte of a block, the first byte's in the lowest bit.
pub(super) struct Block {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[`.
    pub(super) opens: u64,
    /// `}` and `]`.
    pub(super) closes: u64,
}

/// The best instructions that the processor is known to have.
#[inline]
pub(super) fn level() -> Level {
    Level::try_detect().unwrap_or(const { Level::baseline() })
}

impl Block {
    /// Classifies the bytes.
    #[inline(always)]
    pub(super) fn new<S: Simd>(simd: S, bytes: &[u8; BLOCK]) -> Self {
        let plain = u8x64::from_slice(simd, bytes);
        // Brackets and braces differ in one bit, and no other byte becomes either by setting it.
        let folded = plain | u8x64::splat(simd, 0x20);
        let equal = |bytes: u8x64<S>, byte| bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask();
        Self {
            quotes: equal(plain, b'"'),
            backslashes: equal(plain, b'\\'),
            opens: equal(folded, b'{'),
            closes: equal(folded, b'}'),
        }
    }

    /// Classifies what follows `at` in `bytes`, which is less than a block. Bits past the end are zero.
    #[inline(always)]
    pub(super) fn rest<S: Simd>(simd: S, bytes: &[u8], at: usize) -> Self {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some(last) = bytes.last_chunk::<BLOCK>().filter(|_| !rest.is_empty()) {
            // Reading the last bytes again and shifting them out is quicker than copying the rest.
            let seen = BLOCK - rest.len();
            let Self {
                quotes,
                backslashes,
                opens,
                closes,
            } = Self::new(simd, last);
            return Self {
                quotes: quotes >> seen,
                backslashes: backslashes >> seen,
                opens: opens >> seen,
                closes: closes >> seen,
            };
        }
        let mut padded = [b' '; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        Self::new(simd, &padded)
    }
}

/// One bit for each byte of a lane that is a quote or a backslash.
#[inline]
pub(super) fn quotes_and_backslashes(lane: &[u8; LANE]) -> u64 {
    // Too little to do for asking what the processor can.
    dispatch!(const { Level::baseline() }, simd => either(simd, lane, b'"', b'\\'))
}

/// One bit for each byte of a lane at which plain text of a string ends, being a quote, a backslash or a control
/// character; and one for each byte that is not ASCII.
#[inline]
pub(crate) fn text_ends(lane: &[u8; LANE]) -> (u64, u64) {
    dispatch!(const { Level::baseline() }, simd => ends(simd, lane))
}

#[inline(always)]
fn ends<S: Simd>(simd: S, lane: &[u8; LANE]) -> (u64, u64) {
    let lane = u8x16::from_slice(simd, lane);
    let is = |byte| lane.simd_eq(u8x16::splat(simd, byte));
    let controls = lane.simd_lt(u8x16::splat(simd, 0x20));
    let high = lane.simd_ge(u8x16::splat(simd, 0x80));
    let stops = is(b'"') | is(b'\\') | controls;
    (stops.to_bitmask(), high.to_bitmask())
}

#[inline(always)]
fn either<S: Simd>(simd: S, lane: &[u8; LANE], one: u8, other: u8) -> u64 {
    let lane = u8x16::from_slice(simd, lane);
    let found = lane.simd_eq(u8x16::splat(simd, one)) | lane.simd_eq(u8x16::splat(simd, other));
    found.to_bitmask()
}
