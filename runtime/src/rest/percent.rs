//! Percent-encoding, as much as paths, queries and audit-log reasons need.

use std::fmt::Write as _;

/// What stays as it is in a segment of a path.
pub(super) const SEGMENT: &[u8] = b"-._~@!$'()*,;:";

/// What stays as it is in a query.
pub(super) const QUERY: &[u8] = b"-._~@!$'()*,;:/?";

/// What stays as it is in a reason.
pub(super) const REASON: &[u8] = b"-._~ !'()*,;:/?@";

/// Appends `text` to `out`; all but letters, digits and `kept` as `%XX` of their UTF-8.
pub(super) fn encode(out: &mut String, text: &str, kept: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_of_its_own_is_encoded() {
        let encoded = |text, kept| {
            let mut out = String::new();
            encode(&mut out, text, kept);
            out
        };
        assert_eq!(encoded("👍", SEGMENT), "%F0%9F%91%8D");
        assert_eq!(encoded("blob:123/..?", SEGMENT), "blob:123%2F..%3F");
        assert_eq!(
            encoded("a b&c=d+e%#é", QUERY),
            "a%20b%26c%3Dd%2Be%25%23%C3%A9"
        );
        assert_eq!(
            encoded("spam, 3×\r\nX: y", REASON),
            "spam, 3%C3%97%0D%0AX: y"
        );
    }
}
