//! What responses say about limits: the rate-limit headers, and the bodies of errors. Nothing is allocated.

use core::time::Duration;

use super::json;
use super::scan::{Cursor, Fault};
use super::seconds;

/// The longest name of a bucket that is taken. Discord's have 32 characters; each is kept as a key.
const BUCKET_MAX: usize = 128;

/// The headers of a response that tell of limits.
///
/// What is absent is `None`. A value that cannot be meant is left out and counted in [`RateLimit::malformed`]; no value
/// is guessed. `X-RateLimit-Reset` is not read: it is a moment of Discord's wall clock, and the difference to ours is
/// unknown and moves, while `X-RateLimit-Reset-After` says the same as a duration.
///
/// ```
/// use core::time::Duration;
/// use shardkeep_core::wire::RateLimit;
///
/// let headers = [
///     ("x-ratelimit-limit", &b"5"[..]),
///     ("X-RateLimit-Remaining", b"4"),
///     ("X-RateLimit-Reset-After", b"0.479"),
///     ("X-RateLimit-Bucket", b"41f9cd5d28af77da04563bcb1d67fdfd"),
/// ];
/// let limits = RateLimit::from_headers(headers);
/// assert_eq!((limits.limit, limits.remaining), (Some(5), Some(4)));
/// assert_eq!(limits.reset_after, Some(Duration::from_millis(479)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit<'a> {
    /// `X-RateLimit-Limit`: how many requests the bucket holds.
    pub limit: Option<u32>,
    /// `X-RateLimit-Remaining`: how many of them are left. Responses arrive out of order: the last one read need not
    /// be the last one counted.
    pub remaining: Option<u32>,
    /// `X-RateLimit-Reset-After`: until the bucket is full again, rounded up to microseconds, 30 days at most.
    pub reset_after: Option<Duration>,
    /// `X-RateLimit-Bucket`: Discord's name for the limit, without major parameters. Visible ASCII, 128 characters at
    /// most.
    pub bucket: Option<&'a str>,
    /// `X-RateLimit-Scope`: whose limit a 429 met.
    pub scope: Option<Scope>,
    /// `X-RateLimit-Global`: a 429 met the global limit.
    pub global: bool,
    /// `Retry-After`, in seconds: until the next try after a 429, 30 days at most. Its other form, a date, counts as
    /// malformed, for the reason that `X-RateLimit-Reset` is not read.
    pub retry_after: Option<Duration>,
    /// Whether there is a `Via` header. Discord's own responses have one; those that Cloudflare makes up do not.
    pub via: bool,
    /// How many values were left out because they cannot be meant: no number, a scope that is not listed, a name of a
    /// bucket that is none, a second value that differs from the first.
    pub malformed: u32,
}

/// Whose limit a 429 met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// `user`: the bot's own in this bucket, or a hidden one behind it.
    User = 1,
    /// `global`: the bot's own over all routes.
    Global = 2,
    /// `shared`: the resource's, whoever used it up. It is not an invalid request.
    Shared = 3,
}

impl Scope {
    /// Every scope, by number.
    pub const ALL: &'static [Self] = &[Self::User, Self::Global, Self::Shared];

    /// As the header has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }

    /// The number in records and bindings: stable, never reused.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    fn read(value: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| value.eq_ignore_ascii_case(scope.as_str().as_bytes()))
    }
}

impl<'a> RateLimit<'a> {
    /// Reads a response's headers, in any order and of any names: what does not concern limits is passed over. Names
    /// may be in any case.
    pub fn from_headers<'n>(headers: impl IntoIterator<Item = (&'n str, &'a [u8])>) -> Self {
        let mut limits = Self::default();
        let mut global = None;
        for (name, value) in headers {
            limits.read(name, value.trim_ascii(), &mut global);
        }
        limits.global = global.unwrap_or(false);
        limits
    }

    fn read(&mut self, name: &str, value: &'a [u8], global: &mut Option<bool>) {
        let malformed = &mut self.malformed;
        match Header::of(name) {
            Some(Header::Limit) => set(&mut self.limit, count(value), malformed),
            Some(Header::Remaining) => set(&mut self.remaining, count(value), malformed),
            Some(Header::ResetAfter) => set(&mut self.reset_after, seconds::read(value), malformed),
            Some(Header::Bucket) => set(&mut self.bucket, bucket(value), malformed),
            Some(Header::Scope) => set(&mut self.scope, Scope::read(value), malformed),
            Some(Header::Global) => set(global, boolean(value), malformed),
            Some(Header::RetryAfter) => set(&mut self.retry_after, seconds::read(value), malformed),
            Some(Header::Via) => self.via = true,
            None => {}
        }
    }
}

/// The first value of a header counts. One that cannot be read, or says otherwise than the first, does not.
fn set<T: Copy + PartialEq>(place: &mut Option<T>, value: Option<T>, malformed: &mut u32) {
    match (*place, value) {
        (None, Some(_)) => *place = value,
        (Some(first), Some(second)) if first == second => {}
        _ => *malformed = malformed.saturating_add(1),
    }
}

#[derive(Clone, Copy)]
enum Header {
    Limit,
    Remaining,
    ResetAfter,
    Bucket,
    Scope,
    Global,
    RetryAfter,
    Via,
}

impl Header {
    const NAMES: [(&'static str, Self); 8] = [
        ("x-ratelimit-limit", Self::Limit),
        ("x-ratelimit-remaining", Self::Remaining),
        ("x-ratelimit-reset-after", Self::ResetAfter),
        ("x-ratelimit-bucket", Self::Bucket),
        ("x-ratelimit-scope", Self::Scope),
        ("x-ratelimit-global", Self::Global),
        ("retry-after", Self::RetryAfter),
        ("via", Self::Via),
    ];

    fn of(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(listed, _)| listed.eq_ignore_ascii_case(name))
            .map(|(_, header)| *header)
    }
}

fn count(value: &[u8]) -> Option<u32> {
    if value.iter().all(u8::is_ascii_digit) {
        core::str::from_utf8(value).ok()?.parse().ok()
    } else {
        None
    }
}

fn boolean(value: &[u8]) -> Option<bool> {
    if value.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if value.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

fn bucket(value: &[u8]) -> Option<&str> {
    let is_name = (1..=BUCKET_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    if is_name {
        core::str::from_utf8(value).ok()
    } else {
        None
    }
}

/// The JSON body of a 429. A 429 without one was not made by Discord: Cloudflare has banned the address.
///
/// ```
/// use core::time::Duration;
/// use shardkeep_core::wire::TooMany;
///
/// let body = br#"{"message": "Slow down.", "retry_after": 1.5, "global": false}"#;
/// let limit = TooMany::parse(body).unwrap();
/// assert_eq!(limit.retry_after, Some(Duration::from_millis(1_500)));
/// assert_eq!(TooMany::parse(b"error code: 1015"), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TooMany {
    /// `retry_after`, in seconds with a fraction: until the next try, rounded up to microseconds, 30 days at most.
    /// More exact than the header, which has whole seconds. `None` if it is absent or no number of 0 or more.
    pub retry_after: Option<Duration>,
    /// `global`: it was the global limit.
    pub global: bool,
    /// `code`, if it is present and fits: Discord's JSON error code, such as 20028 for a channel's write limit.
    pub code: Option<u32>,
}

impl TooMany {
    /// Reads the body of a 429. `None` if it is not one whole JSON object. Of members that repeat, the first counts.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        Self::walk(body).ok().flatten()
    }

    fn walk(body: &[u8]) -> Result<Option<Self>, Fault> {
        let mut cursor = Cursor::new(body, 0);
        cursor.skip_white();
        if cursor.peek() != Some(b'{') {
            return Ok(None);
        }
        cursor.at += 1;
        let mut members = [("retry_after", None), ("global", None), ("code", None)];
        let mut first = true;
        while let Some(member) = cursor.next_member(first)? {
            first = false;
            let key = &body[member.key];
            let value = cursor.value()?;
            for (name, found) in &mut members {
                if found.is_none() && json::unescapes_to(key, name.as_bytes()) {
                    *found = Some(&body[value.clone()]);
                }
            }
        }
        cursor.skip_white();
        if cursor.at != body.len() {
            return Ok(None);
        }
        let [(_, retry_after), (_, global), (_, code)] = members;
        Ok(Some(Self {
            retry_after: retry_after.and_then(seconds::read),
            global: global == Some(b"true"),
            code: code.and_then(small),
        }))
    }
}

/// `code` of an error's JSON body: Discord's own number for what went wrong, such as 10015 for an unknown webhook.
/// `None` if the body is no JSON object with one at its top level.
///
/// ```
/// use shardkeep_core::wire::error_code;
///
/// assert_eq!(error_code(br#"{"message": "Unknown Webhook", "code": 10015}"#), Some(10_015));
/// assert_eq!(error_code(b"<html>"), None);
/// ```
#[must_use]
pub fn error_code(body: &[u8]) -> Option<u32> {
    json::field(body, "code").and_then(small)
}

fn small(raw: &[u8]) -> Option<u32> {
    json::unsigned(raw)?.try_into().ok()
}
