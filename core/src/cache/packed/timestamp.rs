//! ISO 8601 timestamps as Discord writes them, in five to seven bytes.

use alloc::vec::Vec;

use super::decimal::pair;

/// How many bytes each form takes: whole seconds, milliseconds and microseconds since 1970, behind them `+00:00`; then
/// the same with `Z`.
pub(super) const LENGTHS: [u8; 6] = [5, 6, 7, 5, 6, 7];

/// Units of each form in a second.
const PER_SECOND: [u64; 6] = [1, 1_000, 1_000_000, 1, 1_000, 1_000_000];

/// Years that are read. The last one is far below what seven bytes hold.
const YEARS: core::ops::Range<u64> = 1_970..4_000;

/// `2021-01-01T00:00:00`
const TO_SECONDS: usize = 19;

/// Which form, the number in its units, and where in the text the closing quote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) form: u8,
    pub(super) units: u64,
    pub(super) end: usize,
}

/// Reads the timestamp that starts at `at` and ends with a quote. `None` for anything that [`write`] would not give
/// back as it was.
#[inline]
pub(super) fn read(text: &[u8], at: usize) -> Option<Found> {
    let rest = text.get(at..)?;
    let seconds = seconds(rest.first_chunk::<TO_SECONDS>()?)?;
    let (precision, fraction, zone_at) = match rest.get(TO_SECONDS)? {
        b'.' => fraction(rest)?,
        _ => (0, 0, TO_SECONDS),
    };
    let zone = &rest[zone_at..];
    let (form, length) = match zone.first()? {
        b'+' if zone.starts_with(b"+00:00\"") => (precision, 6),
        b'Z' if zone.get(1) == Some(&b'"') => (precision + 3, 1),
        _ => return None,
    };
    Some(Found {
        form,
        units: seconds * PER_SECOND[usize::from(form)] + fraction,
        end: at + zone_at + length,
    })
}

/// Three digits or six behind the point: the form's number, what they say, and where they end.
fn fraction(rest: &[u8]) -> Option<(u8, u64, usize)> {
    let mut number = 0;
    let mut at = TO_SECONDS + 1;
    while let Some(digit @ b'0'..=b'9') = rest.get(at) {
        if at > TO_SECONDS + 6 {
            return None;
        }
        number = number * 10 + u64::from(digit - b'0');
        at += 1;
    }
    match at - TO_SECONDS - 1 {
        3 => Some((1, number, at)),
        6 => Some((2, number, at)),
        _ => None,
    }
}

/// Seconds since 1970.
fn seconds(text: &[u8; TO_SECONDS]) -> Option<u64> {
    let marks = [text[4], text[7], text[10], text[13], text[16]];
    if marks != *b"--T::" {
        return None;
    }
    let year = two(text, 0)? * 100 + two(text, 2)?;
    let (month, day) = (two(text, 5)?, two(text, 8)?);
    let (hour, minute, second) = (two(text, 11)?, two(text, 14)?, two(text, 17)?);
    let is_day = YEARS.contains(&year) && (1..=12).contains(&month) && day >= 1;
    if !is_day || day > month_days(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(((days_before(year, month) + day - 1) * 24 + hour) * 3_600 + minute * 60 + second)
}

/// Two digits as a number.
fn two(text: &[u8; TO_SECONDS], at: usize) -> Option<u64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u64::from(tens * 10 + ones))
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn month_days(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of a common year before each month.
const BEFORE_MONTH: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Days from 1970 to the first of the month.
fn days_before(year: u64, month: u64) -> u64 {
    let month = usize::try_from(month).map_or(0, |month| month - 1);
    let leap_day = u64::from(month > 1 && is_leap(year));
    days_before_year(year) + BEFORE_MONTH[month] + leap_day
}

/// Days from 1970 to the first of January.
const fn days_before_year(year: u64) -> u64 {
    const fn leap_days(year: u64) -> u64 {
        let before = year - 1;
        before / 4 - before / 100 + before / 400
    }
    (year - 1_970) * 365 + leap_days(year) - leap_days(1_970)
}

/// Microseconds since 1970; `None` if there is no such form.
pub(super) fn micros(form: u8, units: u64) -> Option<u64> {
    let per_second = PER_SECOND.get(usize::from(form))?;
    units.checked_mul(1_000_000 / per_second)
}

/// Appends the text of a timestamp. `None`, and nothing is appended, for what [`read`] cannot have given.
pub(super) fn write(out: &mut Vec<u8>, form: u8, units: u64) -> Option<()> {
    let per_second = *PER_SECOND.get(usize::from(form))?;
    let (seconds, fraction) = (units / per_second, units % per_second);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1_970 + days / 366;
    while days >= days_before_year(year + 1) {
        year += 1;
        if !YEARS.contains(&year) {
            return None;
        }
    }
    let mut month = 1 + (days - days_before_year(year)) / 31;
    while month < 12 && days >= days_before(year, month + 1) {
        month += 1;
    }
    let day = days - days_before(year, month) + 1;
    let mut text = *b"0000-00-00T00:00:00.000000";
    let pairs = [
        (0, year / 100),
        (2, year % 100),
        (5, month),
        (8, day),
        (11, second / 3_600),
        (14, second / 60 % 60),
        (17, second % 60),
    ];
    for (at, number) in pairs {
        text[at..at + 2].copy_from_slice(&pair(number));
    }
    let length = match per_second {
        1 => TO_SECONDS,
        1_000 => {
            text[20..22].copy_from_slice(&pair(fraction / 10));
            text[22] = pair(fraction % 10)[1];
            TO_SECONDS + 4
        }
        _ => {
            text[20..22].copy_from_slice(&pair(fraction / 10_000));
            text[22..24].copy_from_slice(&pair(fraction / 100));
            text[24..26].copy_from_slice(&pair(fraction));
            TO_SECONDS + 7
        }
    };
    out.extend_from_slice(&text[..length]);
    out.extend_from_slice(if form < 3 { b"+00:00" } else { b"Z" });
    Some(())
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn found(text: &str) -> Option<(u8, u64)> {
        let quoted = [text.as_bytes(), b"\""].concat();
        let found = read(&quoted, 0)?;
        assert_eq!(found.end, text.len());
        let mut again = Vec::new();
        write(&mut again, found.form, found.units).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), text);
        Some((found.form, micros(found.form, found.units).unwrap()))
    }

    #[test]
    fn the_forms_of_discord_are_read_and_written() {
        let second = 1_609_459_200_000_000;
        for (text, form, micros) in [
            ("2021-01-01T00:00:00+00:00", 0, second),
            ("2021-01-01T00:00:00.000+00:00", 1, second),
            ("2021-01-01T00:00:00.000001+00:00", 2, second + 1),
            ("2021-01-01T00:00:00Z", 3, second),
            ("2021-01-01T00:00:00.045Z", 4, second + 45_000),
            ("2021-01-01T00:00:00.123456Z", 5, second + 123_456),
            ("1970-01-01T00:00:00Z", 3, 0),
            ("2000-02-29T23:59:59Z", 3, 951_868_799_000_000),
        ] {
            assert_eq!(found(text), Some((form, micros)), "{text}");
        }
    }

    #[test]
    fn every_day_comes_back() {
        let mut text = Vec::new();
        for day in 0..days_before_year(3_999) + 365 {
            text.clear();
            write(&mut text, 3, day * 86_400 + day % 86_400).unwrap();
            text.push(b'"');
            let found = read(&text, 0).unwrap();
            assert_eq!(found.units, day * 86_400 + day % 86_400);
        }
        assert_eq!(write(&mut text, 3, days_before_year(4_000) * 86_400), None);
        assert_eq!(write(&mut text, 5, u64::MAX), None);
        assert_eq!(write(&mut text, 6, 0), None);
    }

    #[test]
    fn other_texts_are_no_timestamps() {
        for text in [
            "2021-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2021-13-01T00:00:00Z",
            "2021-00-01T00:00:00Z",
            "2021-01-00T00:00:00Z",
            "2021-01-01T24:00:00Z",
            "2021-01-01T00:60:00Z",
            "2021-01-01T00:00:60Z",
            "2021-01-01 00:00:00Z",
            "2021-01-01T00:00:00.Z",
            "2021-01-01T00:00:00.00Z",
            "2021-01-01T00:00:00.0000000Z",
            "2021-01-01T00:00:00.000000+01:00",
            "2021-01-01T00:00:00.000000-00:00",
            "2021-01-01T00:00:00",
            "2021-01-01T00:00:00Z ",
            "2021-01-01T0:00:00Z",
            "1969-12-31T23:59:59Z",
            "4000-01-01T00:00:00Z",
            "2021-01-01",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
