//! Seconds in decimal notation as whole microseconds, without floating point.

use core::time::Duration;

/// What is longer becomes this. No limit of Discord's lasts longer than a day; a wait of years is a mistake somewhere,
/// and 30 days keep every sum of moments far from overflowing.
pub(super) const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// Microseconds in a second, as a power of ten.
const MICROS: i64 = 6;

/// Reads `text`, a decimal number of seconds of 0 or more, such as `1`, `0.479` or `1e-05` (Python and JSON write small
/// fractions so). A rest of a microsecond counts as one: waiting too short earns a 429. `None` if it is anything else.
pub(super) fn read(text: &[u8]) -> Option<Duration> {
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let mut digits = whole.iter().chain(fraction);
    if whole.is_empty() && fraction.is_empty() || !digits.clone().all(u8::is_ascii_digit) {
        return None;
    }
    let is_zero = digits.all(|&digit| digit == b'0');
    if is_zero {
        return Some(Duration::ZERO);
    }
    if is_negative {
        return None;
    }
    let places = i64::try_from(whole.len())
        .ok()?
        .checked_add(exponent + MICROS)?;
    Some(Duration::from_micros(micros(whole, fraction, places)))
}

/// The number whose first `places` digits stand before its point, rounded up; [`LONGEST`] at most. The digits are those
/// of `whole` and `fraction`, then zeros.
fn micros(whole: &[u8], fraction: &[u8], places: i64) -> u64 {
    let cap = crate::time::micros(LONGEST);
    let mut number = 0_u64;
    let mut left = places;
    for &digit in whole.iter().chain(fraction) {
        let digit = u64::from(digit - b'0');
        if left <= 0 {
            if digit > 0 {
                return (number + 1).min(cap);
            }
        } else {
            number = (number * 10 + digit).min(cap);
        }
        left -= 1;
    }
    // Zeros behind the last digit: two dozen of them bring any number to the cap.
    for _ in 0..left.clamp(0, 24) {
        number = (number * 10).min(cap);
    }
    number
}

/// The digits behind an `e`, with a sign or without. What does not fit becomes the nearest that does.
fn exponent(text: &[u8]) -> Option<i64> {
    const FAR: i64 = 1_000_000_000;
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0, |sum, digit| {
        (sum * 10 + i64::from(digit - b'0')).min(FAR)
    });
    Some(sign * magnitude)
}
