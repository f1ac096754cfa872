//! An entry as it lies in the store, and how old it is.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::store::{Held, Version};

/// The text of an entry: `{"fresh_until_ms": …, "guild_epoch": …, "value": …}`.
#[derive(Deserialize, Serialize)]
pub(super) struct Entry {
    /// Until when it needs no loading, in milliseconds since 1970.
    fresh_until_ms: u64,
    /// How often its guild had been invalidated when it was loaded.
    #[serde(default)]
    guild_epoch: u64,
    value: Box<RawValue>,
}

impl Entry {
    pub(super) fn text(
        value: &str,
        fresh_until_ms: u64,
        guild_epoch: u64,
    ) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Self {
            fresh_until_ms,
            guild_epoch,
            value: RawValue::from_string(value.to_owned())?,
        })
    }
}

/// What the store holds of a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// How new that is, or its removal.
    pub(super) version: Version,
    /// How often its guild was invalidated.
    pub(super) guild_epoch: u64,
    /// The value, and until when it is fresh.
    pub(super) value: Option<(String, u64)>,
}

impl Found {
    /// Puts together what the store holds of a key, and of its guild.
    pub(super) fn new(held: Held, guild: &Held) -> Self {
        let guild_epoch = guild.version.map_or(0, |version| version.epoch);
        // What is no entry of ours counts as nothing, and is replaced.
        let entry = held.value.and_then(|text| serde_json::from_str(&text).ok());
        let entry = entry.filter(|entry: &Entry| entry.guild_epoch >= guild_epoch);
        Self {
            version: held.version.unwrap_or_default(),
            guild_epoch,
            value: entry.map(|entry| (String::from(entry.value.get()), entry.fresh_until_ms)),
        }
    }

    pub(super) fn fresh(&self, now_ms: u64) -> Option<(&str, u64)> {
        let (text, until) = self.value.as_ref()?;
        (now_ms < *until).then_some((text.as_str(), *until))
    }

    /// The version of a value that is loaded from here on: an invalidation in the meantime is newer.
    pub(super) fn loaded(&self) -> Version {
        Version::new(self.version.epoch, self.version.seq.saturating_add(1))
    }

    /// The version of an invalidation, or of a value that the program itself sets: newer than whatever is being loaded
    /// now. The clock stands in for a version that the store has lost.
    pub(super) fn decided(version: Version, now_ms: u64) -> Version {
        Version::new(version.epoch.saturating_add(1).max(now_ms), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(value: Option<&str>, version: Option<Version>) -> Held {
        Held {
            value: value.map(str::to_owned),
            version,
        }
    }

    #[test]
    fn an_entry_is_fresh_until_its_time_and_its_guild_says_otherwise() {
        let text = Entry::text(r#"{"a": 1}"#, 100, 5).unwrap();
        let guild = |epoch| held(None, Some(Version::new(epoch, 0)));
        let found = Found::new(held(Some(&text), None), &guild(5));
        assert_eq!(found.fresh(99), Some((r#"{"a": 1}"#, 100)));
        assert_eq!(found.fresh(100), None);
        assert!(found.value.is_some(), "stale, but there");
        assert!(
            Found::new(held(Some(&text), None), &guild(6))
                .value
                .is_none()
        );
        for other in ["", "{}", "[1]", "\"x\""] {
            assert!(
                Found::new(held(Some(other), None), &guild(0))
                    .value
                    .is_none()
            );
        }
        assert!(Entry::text("{", 1, 0).is_err());
    }

    #[test]
    fn an_invalidation_is_newer_than_what_is_being_loaded() {
        for version in [
            None,
            Some(Version::new(7, 9)),
            Some(Version::new(u64::MAX - 1, 0)),
        ] {
            let found = Found::new(held(None, version), &Held::default());
            assert!(Found::decided(found.version, 1_000) > found.loaded());
            assert!(found.loaded() > found.version);
        }
    }
}
