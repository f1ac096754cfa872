//! Hashes of keys, for tables that do not leave the process.

/// The hash of a key. What is in the middle of a long one does not count.
#[inline]
pub(super) fn hash(key: &[u8]) -> u32 {
    let (head, rest) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(last)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*last)),
        _ => short(key),
    };
    let length = key.len() as u64;
    let mixed = (head ^ rest.rotate_left(29) ^ length).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    upper(mixed ^ mixed >> 29)
}

/// Fewer than eight bytes, as two words that may overlap.
#[inline]
fn short(key: &[u8]) -> (u64, u64) {
    match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        (Some(head), Some(last)) => (
            u64::from(u32::from_le_bytes(*head)),
            u64::from(u32::from_le_bytes(*last)),
        ),
        _ => key
            .iter()
            .fold((0, 0), |(word, _), &byte| (word << 8 | u64::from(byte), 0)),
    }
}

#[inline]
pub(super) const fn child_hash(parent: u16, hash: u32) -> u32 {
    mix(hash, parent as u32)
}

/// Two hashes in one.
#[inline]
pub(super) const fn mix(one: u32, other: u32) -> u32 {
    let both = (one as u64) << 32 | other as u64;
    let mixed = (both ^ both >> 31).wrapping_mul(0xd6e8_feb8_6659_fd93);
    upper(mixed ^ mixed >> 32)
}

#[inline]
const fn upper(mixed: u64) -> u32 {
    (mixed >> 32) as u32
}
