//! Timestamps as Discord writes them.

/// 2015-01-01T00:00:00Z, the epoch of snowflakes, in milliseconds since 1970.
pub(crate) const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;

/// `2026-11-22T10:30:00.123000+00:00` for milliseconds since 1970.
pub(crate) fn iso8601(unix_ms: u64) -> String {
    let (secs, millis) = (unix_ms / 1_000, unix_ms % 1_000);
    let (year, month, day) = civil(secs / 86_400);
    let (hour, minute, second) = (secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}000+00:00")
}

/// The moment in a snowflake, as [`iso8601`].
pub(crate) fn created_at(id: u64) -> String {
    iso8601((id >> 22) + DISCORD_EPOCH_MS)
}

/// Year, month and day of a day since 1970: the Gregorian calendar in eras of 400 years that begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (
        era * 400 + year_of_era + u64::from(month <= 2),
        month,
        day_of_year - (153 * shifted + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(iso8601(951_782_400_007), "2000-02-29T00:00:00.007000+00:00");
        assert_eq!(
            iso8601(1_795_305_599_999),
            "2026-11-21T23:59:59.999000+00:00"
        );
        assert_eq!(created_at(0), "2015-01-01T00:00:00.000000+00:00");
    }
}
