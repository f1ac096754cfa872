//! Where records are: what they are called in stores, and by which route Discord is asked for them.

use shardkeep_core::cache::{Key, Kind, Version, Write, Written};

use crate::store;

/// The namespace of a record: `user`, or `member:41771983423143937` where the kind has a scope.
pub(super) fn namespace(key: Key) -> String {
    if key.kind.scope().is_empty() {
        key.kind.name().to_owned()
    } else {
        format!("{}:{}", key.kind, key.scope)
    }
}

/// The path that answers with a record; `None` if Discord has none.
pub(super) fn path(key: Key) -> Option<String> {
    let Key { kind, scope, id } = key;
    Some(match kind {
        Kind::Guild => format!("/guilds/{id}"),
        Kind::Channel | Kind::Thread => format!("/channels/{id}"),
        Kind::ThreadMember => format!("/channels/{scope}/thread-members/{id}"),
        Kind::Role => format!("/guilds/{scope}/roles/{id}"),
        Kind::Emoji => format!("/guilds/{scope}/emojis/{id}"),
        Kind::Sticker => format!("/guilds/{scope}/stickers/{id}"),
        Kind::SoundboardSound => format!("/guilds/{scope}/soundboard-sounds/{id}"),
        Kind::Member => format!("/guilds/{scope}/members/{id}"),
        Kind::User => format!("/users/{id}"),
        Kind::VoiceState => format!("/guilds/{scope}/voice-states/{id}"),
        Kind::ScheduledEvent => format!("/guilds/{scope}/scheduled-events/{id}"),
        Kind::Message => format!("/channels/{scope}/messages/{id}"),
        _ => return None,
    })
}

/// A write as a store takes it.
pub(super) fn write(write: Write) -> store::Write {
    store::Write {
        namespace: namespace(write.key),
        id: write.key.id.to_string(),
        version: store::Version::new(write.version.epoch, write.version.seq),
        value: write.json.map(text),
        ttl: None,
    }
}

/// JSON from Discord is UTF-8; what is not shows as U+FFFD.
fn text(json: Vec<u8>) -> String {
    String::from_utf8(json)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A version as the cache knows it.
pub(super) const fn version(version: store::Version) -> Version {
    Version::new(version.epoch, version.seq)
}

/// What became of a write.
pub(super) const fn written(outcome: &Result<store::Written, store::StoreError>) -> Written {
    match outcome {
        Ok(store::Written::Done) => Written::Done,
        Ok(store::Written::Superseded { by }) => Written::Superseded(version(*by)),
        Err(_) => Written::Failed,
    }
}

#[cfg(test)]
mod tests {
    use shardkeep_core::Snowflake;
    use shardkeep_core::rest::route::{Method, Route};

    use super::*;

    #[test]
    fn every_kind_that_is_fetched_has_a_route_of_discords() {
        let config = super::super::CacheSettings::new(1 << 20, 1).machine;
        for &kind in Kind::ALL {
            let key = Key::new(kind, Snowflake(7), Snowflake(9));
            let path = path(key);
            if config.fetched.contains(kind) {
                let path = path.expect("a path");
                Route::parse(Method::Get, &path).expect("a route");
            }
        }
    }

    #[test]
    fn namespaces_are_those_of_the_documents() {
        assert_eq!(namespace(Key::user(Snowflake(1))), "user");
        assert_eq!(
            namespace(Key::member(Snowflake(1), Snowflake(2))),
            "member:1"
        );
        assert_eq!(namespace(Key::guild(Snowflake(1))), "guild");
    }
}
