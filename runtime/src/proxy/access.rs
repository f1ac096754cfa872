//! Who may use the proxy: everybody on this machine, or whoever has the key.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// A key shorter than this could be guessed.
const KEY_CHARS_MIN: usize = 16;

/// The secret that clients of the proxy show. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Takes a key of at least 16 visible ASCII characters. White space around it is removed.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is shorter, or holds something else.
    ///
    /// ```
    /// use shardkeep::proxy::Key;
    ///
    /// assert!(Key::new("a-key-of-some-length").is_ok());
    /// assert!(Key::new("short").is_err());
    /// ```
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.len() < KEY_CHARS_MIN {
            return Err(KeyError::Short);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Malformed);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

/// Why a text cannot be a key. It never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has fewer than 16 characters.
    #[error("the proxy's key has at least 16 characters: `openssl rand -hex 32` makes a good one")]
    Short,
    /// It holds what a header cannot carry.
    #[error(
        "the proxy's key holds a character that no key has: letters, digits and ASCII signs only"
    )]
    Malformed,
}

/// Who may use the proxy.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who reaches it. Only on a loopback address.
    Open,
    /// Whoever shows this key.
    Key(Key),
}

/// Turns secrets into numbers that say nothing about them: two keyed SipHashes, their keys drawn when this is made.
///
/// Comparing such numbers takes the same time wherever the secrets differ, because nobody outside can tell which number
/// a secret becomes. Tables of tokens hold these numbers instead of tokens.
#[derive(Clone, Default)]
pub(super) struct Fingerprints([RandomState; 2]);

/// What a secret became.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u128);

impl Fingerprints {
    pub(super) fn of(&self, secret: &[u8]) -> Fingerprint {
        let [high, low] = &self.0;
        Fingerprint(u128::from(high.hash_one(secret)) << 64 | u128::from(low.hash_one(secret)))
    }
}

/// The check of keys.
pub(super) struct Guard {
    fingerprints: Fingerprints,
    expected: Option<Fingerprint>,
}

impl Guard {
    pub(super) fn new(access: &Access) -> Self {
        let fingerprints = Fingerprints::default();
        let expected = match access {
            Access::Open => None,
            Access::Key(key) => Some(fingerprints.of(key.0.as_bytes())),
        };
        Self {
            fingerprints,
            expected,
        }
    }

    /// Whether no key is asked for.
    pub(super) fn is_open(&self) -> bool {
        self.expected.is_none()
    }

    /// Whether one of the keys that were shown is right, or none is needed. All are looked at.
    pub(super) fn admits<'a>(&self, shown: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let Some(expected) = self.expected else {
            return true;
        };
        shown.into_iter().fold(false, |admitted, key| {
            admitted | (self.fingerprints.of(key).0 ^ expected.0 == 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_opens_and_it_is_never_shown() {
        let key = Key::new(" correct-horse-battery ").unwrap();
        assert!(!format!("{:?} {:?}", key, Access::Key(key.clone())).contains("horse"));
        let guard = Guard::new(&Access::Key(key));
        assert!(guard.admits([&b"correct-horse-battery"[..]]));
        assert!(guard.admits([&b"wrong"[..], b"correct-horse-battery"]));
        for wrong in [
            &b""[..],
            b"correct-horse-batterz",
            b"correct-horse-battery ",
        ] {
            assert!(!guard.admits([wrong]));
        }
        assert!(!guard.admits([]));
        assert!(Guard::new(&Access::Open).admits([]));
    }

    #[test]
    fn keys_that_can_be_guessed_or_not_be_sent_are_refused() {
        assert_eq!(Key::new("fifteen-letters"), Err(KeyError::Short));
        assert_eq!(
            Key::new("sixteen letters and more"),
            Err(KeyError::Malformed)
        );
        assert_eq!(
            Key::new("sixteen\nletters-and-more"),
            Err(KeyError::Malformed)
        );
    }

    #[test]
    fn fingerprints_tell_apart_and_differ_from_process_to_process() {
        let prints = Fingerprints::default();
        assert_eq!(prints.of(b"Bot a"), prints.of(b"Bot a"));
        assert_ne!(prints.of(b"Bot a"), prints.of(b"Bot b"));
        assert_ne!(prints.of(b"Bot a"), Fingerprints::default().of(b"Bot a"));
    }
}
