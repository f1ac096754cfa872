//! What the program decides, a value or that there is none any more, and how other processes hear of it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::counts::Count;
use super::entry::{Entry, Found};
use super::flight::spread;
use super::{CacheError, GUILDS, GUILDS_TTL, INVALIDATIONS, OwnKey, Shared};
use crate::bus::{Delivery, EventBus};
use crate::clock;
use crate::store::{StoreError, Write, Written, millis};

/// Times that a decision is written again, because something newer came in between.
const DECISIONS_MAX: u32 = 8;

impl Shared {
    /// Writes what the program decided: a value, or that there is none.
    pub(super) async fn decide(
        &self,
        key: &OwnKey,
        value: Option<(&str, Duration)>,
    ) -> Result<(), CacheError> {
        let found = self.fetch(key).await.map_err(CacheError::Store)?;
        let mut version = found.version;
        self.local.invalidate(&key.kind, &key.id);
        for _ in 0..DECISIONS_MAX {
            let now = clock::unix_ms();
            let text = value.map(|(text, ttl)| {
                let until = now.saturating_add(millis(spread(ttl)));
                Entry::text(text, until, found.guild_epoch)
            });
            let text = text.transpose();
            let write = Write {
                namespace: key.namespace(),
                id: key.id.clone(),
                version: Found::decided(version, now),
                value: text.map_err(|error| CacheError::Json(error.to_string()))?,
                ttl: value.map(|(_, ttl)| ttl),
            };
            match self.write(write).await? {
                Written::Done => break,
                Written::Superseded { by } => version = by,
            }
        }
        self.local.invalidate(&key.kind, &key.id);
        let told = serde_json::json!({ "kind": key.kind, "id": key.id });
        self.tell(&told).await
    }

    pub(super) async fn invalidate_guild(&self, guild: &str) -> Result<(), CacheError> {
        let held = self.store.read(GUILDS, &[guild]).await;
        let mut held = held.map_err(CacheError::Store)?;
        let mut version = held.pop().unwrap_or_default().version.unwrap_or_default();
        for _ in 0..DECISIONS_MAX {
            let write = Write {
                namespace: GUILDS.to_owned(),
                id: guild.to_owned(),
                version: Found::decided(version, clock::unix_ms()),
                value: Some(String::from("{}")),
                ttl: Some(GUILDS_TTL),
            };
            match self.write(write).await? {
                Written::Done => break,
                Written::Superseded { by } => version = by,
            }
        }
        self.local.invalidate_guild(guild);
        self.tell(&serde_json::json!({ "guild": guild })).await
    }

    async fn write(&self, write: Write) -> Result<Written, CacheError> {
        let outcome = self.store.write(&[write]).await.pop();
        let missing = || StoreError::Wrong {
            reason: String::from("no outcome for a write"),
        };
        let outcome = outcome.unwrap_or_else(|| Err(missing()));
        if outcome.is_err() {
            self.counters.add(Count::StoreFailure);
        }
        outcome.map_err(CacheError::Store)
    }

    async fn tell(&self, what: &serde_json::Value) -> Result<(), CacheError> {
        let payload = what.to_string();
        let told = self.bus.publish(INVALIDATIONS, payload.as_bytes()).await;
        told.map_err(CacheError::Bus)
    }

    /// An invalidation from the bus. What cannot be read drops everything: it meant something.
    fn hear(&self, payload: &[u8]) {
        self.counters.add(Count::Heard);
        let told: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
        let text = |name: &str| told.get(name).and_then(serde_json::Value::as_str);
        match (text("kind"), text("id"), text("guild")) {
            (Some(kind), Some(id), _) => self.local.invalidate(kind, id),
            (_, _, Some(guild)) => self.local.invalidate_guild(guild),
            _ => self.clear(),
        }
    }

    fn clear(&self) {
        self.counters.add(Count::Cleared);
        self.local.clear();
    }
}

/// Hears of invalidations for as long as the cache lives. While the bus is away, copies end by themselves.
pub(super) async fn listen(bus: Arc<dyn EventBus>, shared: Weak<Shared>) {
    let mut pause = Duration::from_millis(100);
    loop {
        let listening = bus.subscribe(INVALIDATIONS).await;
        if let Ok(mut listening) = listening {
            // A copy from before may have missed what was said.
            match shared.upgrade() {
                Some(shared) if shared.local.len() > 0 => shared.clear(),
                Some(_) => {}
                None => return,
            }
            while let Some(delivery) = listening.next().await {
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                match delivery {
                    Delivery::Event(event) => {
                        shared.hear(&event.payload);
                        // On a bus that keeps events it would come again.
                        let _ = event.acknowledge().await;
                    }
                    Delivery::Gap => shared.clear(),
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
