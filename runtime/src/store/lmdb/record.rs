//! What lies in the map: keys of entities, records with their versions, and the order in which they end.

use crate::store::{StoreError, VERSION_GRACE, Version};

use super::super::memory::millis;
use super::super::remote::check_key;

/// The longest key that LMDB takes, without what the order of ends puts before it.
const KEY_LEN_MAX: usize = 511 - 8;

/// Records end in steps of this: a value that is written again and again moves seldom in the order of ends.
const END_STEP_MS: u64 = 60_000;

const HEADER_LEN: usize = 25;
const HAS_VALUE: u8 = 1;
const HAS_VERSION: u8 = 2;

/// The key of an entity: its namespace, NUL, its id. All of a namespace lie side by side.
pub(super) fn key(namespace: &str, id: &str) -> Result<Vec<u8>, StoreError> {
    check_key(namespace, id)?;
    let mut key = prefix(namespace);
    key.extend_from_slice(id.as_bytes());
    if key.len() > KEY_LEN_MAX {
        return Err(StoreError::Key {
            reason: "together they have more than 502 bytes",
        });
    }
    Ok(key)
}

/// What the keys of a namespace begin with, and no others.
pub(super) fn prefix(namespace: &str) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(namespace.len() + 24);
    prefix.extend_from_slice(namespace.as_bytes());
    prefix.push(0);
    prefix
}

/// A record, read where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) version: Option<Version>,
    /// When the value ends; `u64::MAX` for never.
    pub(super) ends_ms: u64,
    pub(super) value: Option<&'a [u8]>,
}

impl<'a> Record<'a> {
    /// Reads a record. `None` if it is none: the file has been written by something else.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, text) = bytes.split_at_checked(HEADER_LEN)?;
        let number = |at: usize| {
            let bytes = header.get(at..at + 8)?;
            Some(u64::from_be_bytes(bytes.try_into().ok()?))
        };
        let flags = header[0];
        let (ends_ms, epoch, seq) = (number(1)?, number(9)?, number(17)?);
        Some(Self {
            version: (flags & HAS_VERSION != 0).then_some(Version { epoch, seq }),
            ends_ms,
            value: (flags & HAS_VALUE != 0).then_some(text),
        })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let text = self.value.unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER_LEN + text.len());
        let version = self.version.unwrap_or_default();
        let mut flags = 0;
        flags |= if self.value.is_some() { HAS_VALUE } else { 0 };
        flags |= if self.version.is_some() {
            HAS_VERSION
        } else {
            0
        };
        bytes.push(flags);
        for number in [self.ends_ms, version.epoch, version.seq] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(text);
        bytes
    }

    /// The value, unless its time is over.
    pub(super) fn value_at(&self, now_ms: u64) -> Option<&'a [u8]> {
        self.value.filter(|_| now_ms < self.ends_ms)
    }

    /// When the record itself goes, version and all; `None` for never.
    pub(super) fn goes_ms(&self) -> Option<u64> {
        if self.ends_ms == u64::MAX {
            return None;
        }
        let at = self.ends_ms.saturating_add(millis(VERSION_GRACE));
        Some(at.div_ceil(END_STEP_MS).saturating_mul(END_STEP_MS))
    }
}

/// The place of a record in the order of ends.
pub(super) fn end_key(goes_ms: u64, key: &[u8]) -> Vec<u8> {
    let mut end = Vec::with_capacity(8 + key.len());
    end.extend_from_slice(&goes_ms.to_be_bytes());
    end.extend_from_slice(key);
    end
}

/// What [`end_key`] put together.
pub(super) fn read_end_key(end: &[u8]) -> Option<(u64, &[u8])> {
    let (goes_ms, key) = end.split_at_checked(8)?;
    Some((u64::from_be_bytes(goes_ms.try_into().ok()?), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        for version in [None, Some(Version::new(7, u64::MAX))] {
            for value in [None, Some(&b""[..]), Some(b"{\"id\":\"1\"}")] {
                let record = Record {
                    version,
                    ends_ms: 1_234_567,
                    value,
                };
                let bytes = record.write();
                assert_eq!(Record::read(&bytes), Some(record));
                assert_eq!(Record::read(&bytes[..HEADER_LEN - 1]), None);
            }
        }
    }

    #[test]
    fn namespaces_do_not_reach_into_each_other() {
        let key = |namespace, id| key(namespace, id).unwrap();
        assert!(key("member:1", "2").starts_with(&prefix("member:1")));
        assert!(!key("member:12", "2").starts_with(&prefix("member:1")));
        assert_ne!(key("a:b", "c"), key("a", "b:c"));
        assert!(super::key("a\0b", "c").is_err() && super::key("", "c").is_err());
        assert!(super::key("n", &"i".repeat(501)).is_ok());
        assert!(super::key("n", &"i".repeat(502)).is_err());
    }

    #[test]
    fn a_value_ends_to_the_millisecond_and_its_record_a_while_later() {
        let record = Record {
            version: None,
            ends_ms: 100,
            value: Some(b"1"),
        };
        assert_eq!(record.value_at(99), Some(&b"1"[..]));
        assert_eq!(record.value_at(100), None);
        assert_eq!(record.goes_ms(), Some(120_000));
        let end = end_key(120_000, b"n\0i");
        assert_eq!(read_end_key(&end), Some((120_000, &b"n\0i"[..])));
        assert!(end_key(1, b"z") < end_key(256, b"a"));
        let for_ever = Record {
            ends_ms: u64::MAX,
            ..record
        };
        assert_eq!(for_ever.goes_ms(), None);
    }
}
