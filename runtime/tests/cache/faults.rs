//! Stores that hang, fail and lie: dispatches go on, nothing old is served, and every write is accounted for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use shardkeep::core::cache::Key;
use shardkeep::store::{
    Answer, Held, Life, MemorySettings, MemoryStore, RemoteStore, StoreError, Version, Write,
    Written,
};

use super::support::{Log, say};
use super::tiers::settle;
use super::{cached, make, members, of, one_shard, rename, renamed, value};

/// What a store does now.
const FINE: u8 = 0;
const AWAY: u8 = 1;
const HANGS: u8 = 2;
const LIES: u8 = 3;

/// A store in memory that does as it is told. While it lies, it acknowledges writes that it does not make.
#[derive(Debug)]
struct Moody {
    store: MemoryStore,
    mood: AtomicU8,
    life: AtomicU64,
}

impl Moody {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(MemorySettings::default()),
            mood: AtomicU8::new(FINE),
            life: AtomicU64::new(1),
        })
    }

    fn set(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }

    async fn admit(&self) -> Result<(), StoreError> {
        match self.mood.load(Ordering::SeqCst) {
            AWAY => Err(StoreError::Away {
                reason: "told to".to_owned(),
            }),
            HANGS => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

impl RemoteStore for Moody {
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            self.admit().await?;
            self.store.get_entity(namespace, id).await
        })
    }

    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>> {
        self.store.get_entities(namespace, ids)
    }

    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>> {
        self.store.get_all_entities(namespace)
    }

    fn set_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
    ) -> Answer<'a, Result<(), StoreError>> {
        self.store.set_entity(namespace, id, value, ttl)
    }

    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        self.store.remove_entity(namespace, id)
    }

    fn write<'a>(&'a self, batch: &'a [Write]) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async move {
            if let Err(error) = self.admit().await {
                return batch.iter().map(|_| Err(error.clone())).collect();
            }
            if self.mood.load(Ordering::SeqCst) == LIES {
                return batch.iter().map(|_| Ok(Written::Done)).collect();
            }
            self.store.write(batch).await
        })
    }

    fn read<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Held>, StoreError>> {
        Box::pin(async move {
            self.admit().await?;
            self.store.read(namespace, ids).await
        })
    }

    fn life<'a>(&'a self) -> Answer<'a, Result<Option<Life>, StoreError>> {
        Box::pin(async move {
            self.admit().await?;
            let number = self.life.load(Ordering::SeqCst);
            Ok(Some(Life {
                name: number.to_string(),
                epoch: shardkeep::clock::unix_ms() / 60_000 * 60_000 + number * 120_000,
            }))
        })
    }

    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        before: Version,
    ) -> Answer<'a, Result<(), StoreError>> {
        self.store.clear(namespace, before)
    }
}

/// Renames a member again and again under each of these moods; whoever looks always finds the newest name.
async fn newest_under(moods: &[u8]) {
    let server = one_shard().await;
    let store = Moody::new();
    // Too little memory for all: most members are in the store alone.
    let bot = make(cached(&server, 96 << 10)).store(Arc::clone(&store) as Arc<dyn RemoteStore>);
    let bot = bot.build().expect("the store is open");
    let mut log = Log::default();
    log.until_connected(&bot).await;
    let all = members(&log);
    settle(&bot).await;
    for (round, &mood) in moods.iter().enumerate() {
        store.set(mood);
        let some: Vec<Key> = all.iter().copied().skip(round * 7).step_by(97).collect();
        for &member in &some {
            let nick = format!("{} in {round}", member.id);
            rename(&server, member, &nick).await;
            renamed(&bot, &mut log, &nick).await;
            let limit = Duration::from_secs(8);
            match of(&bot).fetch_within(member, limit).await {
                // Discord, as it is simulated, does not know of the name: what it answers comes after.
                Ok(Some(record)) if of(&bot).stats().fetched == 0 => {
                    assert_eq!(value(Some(record))["nick"], nick.as_str(), "{mood}");
                }
                Ok(_) | Err(_) => {}
            }
        }
        let said = format!("round {round}");
        say(&server, &said).await;
        log.until_said(&bot, &said, 1).await;
        if mood == LIES {
            // It comes back as another: what it said it had is not believed.
            store.set(AWAY);
            tokio::time::sleep(Duration::from_millis(100)).await;
            store.life.fetch_add(1, Ordering::SeqCst);
        }
        store.set(FINE);
        settle(&bot).await;
    }
    let stats = of(&bot).stats();
    assert_eq!(stats.pending, 0);
    assert!(stats.written > 0, "{stats:?}");
    bot.shutdown(false).await;
}

#[tokio::test]
async fn a_store_that_goes_away_and_comes_back_serves_nothing_old() {
    newest_under(&[FINE, AWAY, FINE, AWAY]).await;
}

#[tokio::test]
async fn a_store_that_hangs_holds_nobody_up() {
    newest_under(&[HANGS, FINE]).await;
}

#[tokio::test]
async fn a_store_that_lost_what_it_had_acknowledged_is_not_believed() {
    newest_under(&[LIES, FINE]).await;
}

#[tokio::test]
async fn dispatches_do_not_wait_for_a_store_that_hangs() {
    let server = one_shard().await;
    let store = Moody::new();
    store.set(HANGS);
    let bot = make(cached(&server, 16 << 20)).store(Arc::clone(&store) as Arc<dyn RemoteStore>);
    let bot = bot.build().expect("the store is open");
    let mut log = Log::default();
    log.until_connected(&bot).await;
    server
        .control(shardkeep_sim::Control::Burst { events: 2_000 })
        .await;
    let mut left = 2_000;
    log.until(&bot, |event| {
        left -= u32::from(event.name() == "MESSAGE_CREATE");
        left == 0
    })
    .await;
    let stats = of(&bot).stats();
    assert!(stats.pending > 0 && stats.written == 0, "{stats:?}");
    let stopped = tokio::time::timeout(Duration::from_secs(15), bot.shutdown(false)).await;
    assert!(stopped.is_ok(), "a stop has its limit");
}
