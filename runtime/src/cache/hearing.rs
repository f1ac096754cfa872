//! What processes tell each other about their caches: hints on what has changed, and what somebody wants forgotten.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use shardkeep_core::Snowflake;
use shardkeep_core::cache::{Input, Key, Kind};

use super::shared::Shared;
use crate::bus::{BusError, Delivery, EventBus};

/// The topic on which changes are told: kind, scope, id and digest, one record a line.
pub const CHANGED: &str = "cache.changed";

/// The topic on which records and guilds are named that are not to be believed: `record kind scope id` or `guild id`.
pub const FORGET: &str = "cache.forget";

/// How long to wait before a bus is listened to again.
const AGAIN: Duration = Duration::from_secs(1);

/// What is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forget {
    Record(Key),
    Guild(Snowflake),
}

impl Forget {
    pub(super) const fn input(self) -> Input<'static> {
        match self {
            Self::Record(key) => Input::Forget { key },
            Self::Guild(guild) => Input::ForgetGuild { guild },
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(guild) = text.strip_prefix("guild ") {
            return Some(Self::Guild(Snowflake(guild.parse().ok()?)));
        }
        let (key, rest) = key(text.strip_prefix("record ")?)?;
        rest.is_empty().then_some(Self::Record(key))
    }
}

impl fmt::Display for Forget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(key) => write!(f, "record {} {} {}", key.kind, key.scope, key.id),
            Self::Guild(guild) => write!(f, "guild {guild}"),
        }
    }
}

/// A key, and what follows it.
fn key(text: &str) -> Option<(Key, &str)> {
    let mut parts = text.splitn(4, ' ');
    let name = parts.next()?;
    let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == name)?;
    let mut id = || Some(Snowflake(parts.next()?.parse().ok()?));
    let key = Key::new(kind, id()?, id()?);
    Some((key, parts.next().unwrap_or_default()))
}

fn changed(line: &str) -> Option<Input<'static>> {
    let (key, digest) = key(line)?;
    let digest = u64::from_str_radix(digest, 16).ok()?;
    Some(Input::Invalidated { key, digest })
}

/// Listens until the cache is gone.
pub(super) async fn listen(bus: Arc<dyn EventBus>, shared: Weak<Shared>) {
    while shared.strong_count() > 0 {
        if let Err(error) = hear(&*bus, &shared).await {
            tracing::warn!(%error, "what other processes change is not heard: trying again");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn hear(bus: &dyn EventBus, shared: &Weak<Shared>) -> Result<(), BusError> {
    let mut listening = bus.subscribe("cache.*").await?;
    while let Some(delivery) = listening.next().await {
        let Some(shared) = shared.upgrade() else {
            return Ok(());
        };
        // A gap is nothing to act on: what is hot is told by Discord, what is not has a version.
        let Delivery::Event(event) = delivery else {
            continue;
        };
        let text = String::from_utf8_lossy(&event.payload);
        let inputs: Vec<Input<'_>> = match event.topic.as_str() {
            CHANGED => text.lines().filter_map(changed).collect(),
            FORGET => text
                .lines()
                .filter_map(|line| Forget::parse(line).map(Forget::input))
                .collect(),
            _ => Vec::new(),
        };
        for input in inputs {
            shared.feed(input);
        }
        // A bus that keeps events gives this one to nobody else.
        let _unheard = event.acknowledge().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard_and_what_is_not_understood_is_passed_over() {
        let member = Key::member(Snowflake(1), Snowflake(2));
        for forget in [Forget::Record(member), Forget::Guild(Snowflake(7))] {
            assert_eq!(Forget::parse(&forget.to_string()), Some(forget));
        }
        for wrong in [
            "",
            "guild",
            "guild x",
            "record member 1",
            "record cow 1 2",
            "record member 1 2 3",
        ] {
            assert_eq!(Forget::parse(wrong), None, "{wrong}");
        }
        let heard = changed("user 0 5 ff");
        let key = Key::user(Snowflake(5));
        assert!(matches!(heard, Some(Input::Invalidated { key: at, digest: 255 }) if at == key));
        assert!(changed("user 0 5").is_none());
    }
}
