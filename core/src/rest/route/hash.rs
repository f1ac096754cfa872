//! The two hashes of routes: of templates, which are public, and of tokens, whose text must not be kept.

use super::segments::Segment;

/// FNV-1a over `bytes`, going on from `state`. For templates: short texts, a well-known function, and any program can
/// compute the same number.
pub(super) const fn fnv1a(mut state: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        state = (state ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    state
}

/// What FNV-1a starts from.
pub(super) const FNV1A_START: u64 = 0xcbf2_9ce4_8422_2325;

/// A token's hash: eight bytes at a time, each folded in by a multiplication to 128 bits. An interaction's token has
/// some 200 bytes, for which FNV-1a takes as long as all the rest of reading a route. The result is the same on every
/// machine, because processes that share limits name a webhook by it. 64 bits out of a token's several hundred cannot
/// be turned back. Two tokens of the same webhook, or of two interactions, that met would share a bucket: they would
/// wait for each other, and no limit would be broken.
#[derive(Clone, Copy, Debug)]
struct TokenHash {
    state: u64,
    word: u64,
    /// Bits of `word` that are filled.
    filled: u32,
    len: u64,
}

/// The digits of pi behind its point, made odd: numbers with nothing up their sleeve.
const START: u64 = 0x243f_6a88_85a3_08d3;
const FACTOR: u64 = 0x1319_8a2e_0370_7345;

impl TokenHash {
    const NEW: Self = Self {
        state: START,
        word: 0,
        filled: 0,
        len: 0,
    };

    fn word(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(FACTOR);
        self.state = fold(product) ^ START.rotate_left(17);
        self.len += 8;
    }

    fn byte(&mut self, byte: u8) {
        self.word |= u64::from(byte) << self.filled;
        self.filled += 8;
        if self.filled == 64 {
            let word = self.word;
            self.word(word);
            self.word = 0;
            self.filled = 0;
        }
    }

    fn finish(mut self) -> u64 {
        let len = self.len + u64::from(self.filled / 8);
        if self.filled > 0 {
            self.word(self.word);
        }
        fold(u128::from(self.state ^ len) * u128::from(FACTOR))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves are what is wanted"
)]
const fn fold(product: u128) -> u64 {
    (product >> 64) as u64 ^ product as u64
}

/// The hash of the decoded text of `segment`.
pub(super) fn token(segment: &Segment<'_>) -> u64 {
    let mut hash = TokenHash::NEW;
    match segment.plain() {
        Some(raw) => {
            let (words, rest) = raw.as_chunks::<8>();
            words
                .iter()
                .for_each(|word| hash.word(u64::from_le_bytes(*word)));
            rest.iter().for_each(|&byte| hash.byte(byte));
        }
        None => segment.bytes().for_each(|byte| hash.byte(byte)),
    }
    hash.finish()
}
