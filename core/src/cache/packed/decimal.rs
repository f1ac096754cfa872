//! Decimal digits to numbers and back, eight and two at a time.

use alloc::vec::Vec;

const ONES: u64 = 0x0101_0101_0101_0101;

/// The most digits that 64 bits can need.
const DIGITS_MAX: usize = 20;

/// Reads the digits at `at`: the number, and where they end. `None` if there is none, if a zero leads others, or if
/// the number needs more than 64 bits.
#[inline]
pub(super) fn read(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut end = at;
    let mut number = 0_u64;
    while let Some(eight) = text.get(end..).and_then(<[u8]>::first_chunk::<8>)
        && end - at < 16
        && let Some(part) = eight_digits(u64::from_le_bytes(*eight))
    {
        number = number * 100_000_000 + part;
        end += 8;
    }
    while let Some(digit @ b'0'..=b'9') = text.get(end) {
        number = number
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))?;
        end += 1;
        if end - at > DIGITS_MAX {
            return None;
        }
    }
    let is_led_by_zero = end - at > 1 && text[at] == b'0';
    (end > at && !is_led_by_zero).then_some((number, end))
}

/// The number that eight digits stand for, the first in the lowest byte.
#[inline]
const fn eight_digits(text: u64) -> Option<u64> {
    let high = ONES * 0xf0;
    if text & high != ONES * 0x30 || text.wrapping_add(ONES * 6) & high != ONES * 0x30 {
        return None;
    }
    let digits = text & (ONES * 0x0f);
    // Neighbours join: pairs, then fours, then all.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

/// The two digits of each number below a hundred.
static PAIRS: [[u8; 2]; 100] = pairs();

#[expect(clippy::cast_possible_truncation, reason = "numbers below a hundred")]
const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
}

/// The two digits of a number below a hundred.
#[inline]
pub(super) fn pair(number: u64) -> [u8; 2] {
    PAIRS[(number % 100) as usize]
}

/// Appends `number` in decimal.
#[inline]
pub(super) fn write(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    let mut rest = number;
    while rest >= 10 {
        start -= 2;
        digits[start..start + 2].copy_from_slice(&pair(rest % 100));
        rest /= 100;
    }
    if rest > 0 || start == DIGITS_MAX {
        start -= 1;
        digits[start] = pair(rest)[1];
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::Rng;

    #[test]
    fn numbers_are_read_and_written_as_the_standard_library_does() {
        let mut rng = Rng::new(3);
        for _ in 0..50_000 {
            let number = rng.next_u64() >> rng.below(64);
            let power = u32::try_from(rng.below(20)).unwrap();
            for number in [number, 10_u64.pow(power) - rng.below(2)] {
                let mut text = Vec::new();
                write(&mut text, number);
                assert_eq!(text, format!("{number}").into_bytes());
                let digits = text.len();
                assert_eq!(read(&text, 0), Some((number, digits)));
                text.extend_from_slice(b"\"xxxxxxxxxxxxxxxx");
                assert_eq!(read(&text, 0), Some((number, digits)));
            }
        }
    }

    #[test]
    fn what_is_no_number_of_64_bits_is_not_read() {
        for text in [
            "",
            "x",
            "01",
            "00",
            "18446744073709551616",
            "184467440737095516150",
        ] {
            assert_eq!(read(text.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(read(b"18446744073709551615", 0), Some((u64::MAX, 20)));
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut text = *b"12345678";
                text[place] = byte;
                let end = if byte.is_ascii_digit() { 8 } else { place };
                let is_zero_led = text[0] == b'0';
                let found = read(&text, 0).map(|(_, end)| end);
                let expected = (end > 0 && !(is_zero_led && end > 1)).then_some(end);
                assert_eq!(found, expected, "{byte:#x} at {place}");
            }
        }
    }
}
