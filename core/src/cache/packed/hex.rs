//! Thirty-two hexadecimal digits as sixteen bytes: Discord's hashes of images.

/// The digits of a hash.
pub(super) const DIGITS: usize = 32;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The sixteen bytes; `None` unless all of the digits are `0` to `9` or `a` to `f`.
#[inline]
pub(super) fn read(digits: &[u8; DIGITS]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let (chunks, _) = digits.as_chunks::<8>();
    let (halves, _) = bytes.as_chunks_mut::<4>();
    for (chunk, half) in chunks.iter().zip(halves) {
        *half = eight(u64::from_le_bytes(*chunk))?;
    }
    Some(bytes)
}

/// Eight digits at once.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the upper half is zero by then"
)]
const fn eight(text: u64) -> Option<[u8; 4]> {
    // One bit for each byte that is at least `least`. No byte has its highest bit, so no sum reaches the next byte.
    const fn at_least(text: u64, least: u8) -> u64 {
        (text + ONES * (0x80 - least) as u64) & HIGHS
    }
    if text & HIGHS != 0 {
        return None;
    }
    let is_digit = at_least(text, b'0') & !at_least(text, b'9' + 1);
    let is_letter = at_least(text, b'a') & !at_least(text, b'f' + 1);
    if is_digit | is_letter != HIGHS {
        return None;
    }
    let nibbles = (text & (ONES * 0x0f)) + (is_letter >> 7) * 9;
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some(((fours | fours >> 16) as u32).to_le_bytes())
}

/// The digits of sixteen bytes.
#[inline]
pub(super) fn write(bytes: &[u8; 16]) -> [u8; DIGITS] {
    let mut digits = [0; DIGITS];
    let (halves, _) = bytes.as_chunks::<4>();
    let (chunks, _) = digits.as_chunks_mut::<8>();
    for (half, chunk) in halves.iter().zip(chunks) {
        *chunk = spread(u32::from_le_bytes(*half));
    }
    digits
}

/// Eight digits at once.
#[inline]
const fn spread(bytes: u32) -> [u8; 8] {
    let fours = bytes as u64;
    let pairs = (fours | fours << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes >> 4 | bytes << 8) & (ONES * 0x0f);
    let is_letter = ((nibbles + ONES * 6) >> 4) & ONES;
    (nibbles + ONES * b'0' as u64 + is_letter * (b'a' - b'9' - 1) as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_bytes_and_digits_again() {
        let text = b"00112233445566778899aabbccddeeff";
        let bytes = read(text).unwrap();
        assert_eq!(bytes[..3], [0, 0x11, 0x22]);
        assert_eq!(bytes[15], 0xff);
        assert_eq!(&write(&bytes), text);
        let text = b"f64c482b807da4f539cff778d174971c";
        assert_eq!(&write(&read(text).unwrap()), text);
    }

    #[test]
    fn only_lower_case_digits_are_read() {
        for place in 0..DIGITS {
            for byte in 0..=u8::MAX {
                let mut text = *b"0123456789abcdef0123456789abcdef";
                text[place] = byte;
                let expected = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let found = read(&text);
                assert_eq!(found.is_some(), expected, "{byte:#x} at {place}");
                assert!(found.is_none_or(|bytes| write(&bytes) == text));
            }
        }
    }
}
