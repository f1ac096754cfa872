//! Cuts a path into segments and percent-decodes them where that matters. Nothing is allocated.

use memchr::{memchr, memchr2};

use super::error::RouteError;

/// The longest path that is taken, in bytes, its query apart. The longest real one has some 450: a follow-up's.
pub const PATH_MAX: usize = 8_192;

/// What is decoded is kept up to here: longer than any literal of the API, and than any id.
pub(super) const SHORT: usize = 32;

/// The segments of a path. Empty ones are passed over, so doubled and trailing slashes do not matter.
#[derive(Clone, Debug)]
pub(super) struct Segments<'a> {
    rest: &'a [u8],
    /// Whether any segment has a percent sign.
    encoded: bool,
}

impl<'a> Segments<'a> {
    /// Checks `path`, drops query and fragment, and passes over `/api`, `/v10` and `/api/v10`.
    #[inline]
    pub(super) fn of(path: &'a str) -> Result<Self, RouteError> {
        let bytes = path.as_bytes();
        let path = &bytes[..memchr2(b'?', b'#', bytes).unwrap_or(bytes.len())];
        match path.first() {
            Some(b'/') => {}
            Some(_) => return Err(RouteError::NoLeadingSlash),
            None => return Err(RouteError::Empty),
        }
        if path.len() > PATH_MAX {
            return Err(RouteError::TooLong { bytes: path.len() });
        }
        // No early exit: so the compiler looks at many bytes at a time.
        if path.iter().fold(false, |bad, &byte| bad | is_bad(byte)) {
            return Err(first_bad(path));
        }
        let encoded = memchr(b'%', path).is_some();
        let mut segments = Self {
            rest: path,
            encoded,
        };
        if encoded || memchr(b'.', path).is_some() {
            let mut all = segments.clone();
            if all.any(|segment| matches!(segment.text(), b"." | b"..")) {
                return Err(RouteError::DotSegment);
            }
        }
        segments.skip_prefix();
        if segments.clone().next().is_none() {
            return Err(RouteError::Empty);
        }
        Ok(segments)
    }

    fn skip_prefix(&mut self) {
        let mut after = self.clone();
        let mut first = after.next();
        if first.is_some_and(|segment| segment.text() == b"api") {
            *self = after.clone();
            first = after.next();
        }
        if first.is_some_and(|segment| is_version(segment.text())) {
            *self = after;
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    #[inline]
    fn next(&mut self) -> Option<Segment<'a>> {
        while let [b'/', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr(b'/', self.rest).unwrap_or(self.rest.len());
        let (raw, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Segment::new(raw, self.encoded))
    }
}

/// One segment: as it stands in the path, and decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    raw: &'a [u8],
    /// The decoded text with its length, if decoding changes it and it is short.
    decoded: Option<([u8; SHORT], usize)>,
}

impl<'a> Segment<'a> {
    #[inline]
    fn new(raw: &'a [u8], encoded: bool) -> Self {
        let decoded = if encoded && memchr(b'%', raw).is_some() {
            decode(raw)
        } else {
            None
        };
        Self { raw, decoded }
    }

    /// The decoded text. One that is too long to be anything but a token or a name is given as it stands: it still
    /// holds a percent sign then, so it equals no literal and is no number.
    #[inline]
    pub(super) fn text(&self) -> &[u8] {
        match &self.decoded {
            Some((bytes, len)) => &bytes[..*len],
            None => self.raw,
        }
    }

    /// Every decoded byte, however long the segment.
    pub(super) fn bytes(&self) -> Decoded<'a> {
        Decoded(self.raw)
    }

    /// The segment as it stands, if decoding does not change it.
    #[inline]
    pub(super) fn plain(&self) -> Option<&'a [u8]> {
        let is_plain = self.decoded.is_none() && memchr(b'%', self.raw).is_none();
        is_plain.then_some(self.raw)
    }

    /// The number, if the segment is digits and nothing else, and fits. Zeros in front of it do not matter, while the
    /// segment is short.
    #[inline]
    pub(super) fn number(&self) -> Option<u64> {
        let text = self.text();
        if !(1..=SHORT).contains(&text.len()) || !is_digits(text) {
            return None;
        }
        text.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit & 0x0f))
        })
    }
}

/// A segment's bytes, escapes resolved. A percent sign without two hexadecimal digits stands for itself.
#[derive(Clone, Debug)]
pub(super) struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, rest @ ..] = self.0
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            self.0 = rest;
            return Some(high << 4 | low);
        }
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }
}

fn decode(raw: &[u8]) -> Option<([u8; SHORT], usize)> {
    let mut bytes = [0; SHORT];
    let mut len = 0;
    for byte in Decoded(raw) {
        *bytes.get_mut(len)? = byte;
        len += 1;
    }
    Some((bytes, len))
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[inline]
pub(super) fn is_digits(text: &[u8]) -> bool {
    text.iter()
        .fold(true, |all, byte| all & byte.is_ascii_digit())
}

fn is_version(text: &[u8]) -> bool {
    matches!(text, [b'v', digits @ ..] if (1..=3).contains(&digits.len()) && is_digits(digits))
}

/// What splits a request line, what parsers take for a slash, and what a template leaves behind.
#[inline]
const fn is_bad(byte: u8) -> bool {
    (byte <= b' ') | (byte == 0x7f) | (byte == b'\\') | (byte == b'{') | (byte == b'}')
}

#[cold]
fn first_bad(path: &[u8]) -> RouteError {
    let at = path.iter().position(|&byte| is_bad(byte)).unwrap_or(0);
    match &path[at..] {
        [b'{', ..] => RouteError::Placeholder { at },
        [byte, ..] => RouteError::BadCharacter { byte: *byte, at },
        [] => RouteError::Empty,
    }
}
