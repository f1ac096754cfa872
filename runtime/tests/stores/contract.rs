//! What every store does, whichever it is: the same questions to all of them.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::store::{Held, RemoteStore, StoreError, Version, Write, Written};

use crate::redis_support::until;
use crate::{put, removal};

/// A small generator, so that an order that fails can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let high = usize::try_from(self.0 >> 33).expect("31 bits");
        high % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

pub(crate) async fn all_of_it(store: Arc<dyn RemoteStore>) {
    the_five(&*store).await;
    values_end(&*store).await;
    newer_wins(&*store).await;
    any_order_ends_with_the_newest(&*store).await;
    keys_are_refused(&*store).await;
    locks(&*store).await;
}

async fn locks(store: &dyn RemoteStore) {
    let second = Duration::from_secs(1);
    let take = |token: &'static str, ttl| store.try_lock("load:user:1", token, ttl);
    assert!(take("a", second).await.expect("answers"));
    assert!(!take("b", second).await.expect("answers"));
    store.unlock("load:user:1", "b").await.expect("not his");
    assert!(!take("b", second).await.expect("answers"));
    store.unlock("load:user:1", "a").await.expect("his");
    assert!(
        take("b", Duration::from_millis(200))
            .await
            .expect("answers")
    );
    until(
        "the lock ends by itself",
        Duration::from_secs(3),
        || async { take("c", second).await.expect("answers") },
    )
    .await;
    // Who comes back late does not take it from the next.
    store
        .unlock("load:user:1", "b")
        .await
        .expect("not his any more");
    assert!(!take("d", second).await.expect("answers"));
}

async fn the_five(store: &dyn RemoteStore) {
    let get = |id: &'static str| store.get_entity("user", id);
    assert_eq!(get("1").await.expect("reads"), None);
    for (id, value) in [
        ("1", r#"{"id":"1","name":"Ada"}"#),
        ("2", "[2]"),
        ("3", "not json ü"),
    ] {
        store
            .set_entity("user", id, value, None)
            .await
            .expect("set");
    }
    store
        .set_entity("user:1", "9", "another namespace", None)
        .await
        .expect("set");
    assert_eq!(
        get("3").await.expect("reads").as_deref(),
        Some("not json ü")
    );
    let several = store.get_entities("user", &["2", "x", "1"]).await;
    let expected = [Some("[2]"), None, Some(r#"{"id":"1","name":"Ada"}"#)];
    assert_eq!(
        several.expect("reads"),
        expected.map(|value| value.map(str::to_owned))
    );
    assert_eq!(
        store.get_entities("user", &[]).await.expect("reads").len(),
        0
    );
    store.remove_entity("user", "2").await.expect("removed");
    store.remove_entity("user", "2").await.expect("again");
    assert_eq!(get("2").await.expect("reads"), None);
    let mut all = store.get_all_entities("user").await.expect("reads");
    all.sort();
    assert_eq!(all, ["not json ü", r#"{"id":"1","name":"Ada"}"#]);
    assert!(
        store
            .get_all_entities("nobody")
            .await
            .expect("reads")
            .is_empty()
    );
    let many: Vec<String> = (0..1_300).map(|n| n.to_string()).collect();
    for id in &many {
        store.set_entity("many", id, id, None).await.expect("set");
    }
    let ids: Vec<&str> = many.iter().map(String::as_str).collect();
    let found = store.get_entities("many", &ids).await.expect("reads");
    assert!(
        found
            .iter()
            .zip(&many)
            .all(|(found, id)| found.as_ref() == Some(id))
    );
    assert_eq!(
        store.get_all_entities("many").await.expect("reads").len(),
        1_300
    );
}

async fn values_end(store: &dyn RemoteStore) {
    let short = Some(Duration::from_millis(250));
    store
        .set_entity("short", "1", "soon over", short)
        .await
        .expect("set");
    let mut write = put("short", "2", (1, 1), "soon over");
    write.ttl = short;
    let outcomes = store.write(&[write]).await;
    assert!(matches!(outcomes[..], [Ok(Written::Done)]), "{outcomes:?}");
    assert!(
        store
            .get_entity("short", "1")
            .await
            .expect("reads")
            .is_some()
    );
    until("values end", Duration::from_secs(5), || async {
        let left = store.get_entities("short", &["1", "2"]).await;
        left.expect("reads").iter().all(Option::is_none)
    })
    .await;
    assert!(
        store
            .get_all_entities("short")
            .await
            .expect("reads")
            .is_empty()
    );
}

async fn one(store: &dyn RemoteStore, write: Write) -> Written {
    let mut outcomes = store.write(&[write]).await;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).expect("written")
}

async fn held(store: &dyn RemoteStore, id: &str) -> Held {
    let mut held = store.read("versioned", &[id]).await.expect("reads");
    assert_eq!(held.len(), 1);
    held.remove(0)
}

async fn newer_wins(store: &dyn RemoteStore) {
    let at = |version, value: &str| put("versioned", "1", version, value);
    let gone = |version| removal("versioned", "1", version);
    let superseded = |epoch, seq| Written::Superseded {
        by: Version::new(epoch, seq),
    };
    assert_eq!(held(store, "1").await, Held::default());
    assert_eq!(one(store, at((1, 5), "five")).await, Written::Done);
    assert_eq!(one(store, at((1, 4), "four")).await, superseded(1, 5));
    assert_eq!(
        one(store, at((1, 5), "five")).await,
        Written::Done,
        "a repetition"
    );
    assert_eq!(one(store, at((1, 15), "fifteen")).await, Written::Done);
    assert_eq!(
        held(store, "1").await,
        Held {
            value: Some(String::from("fifteen")),
            version: Some(Version::new(1, 15)),
        }
    );
    // A removal sticks against all that is older, and is seen to be one.
    assert_eq!(one(store, gone((1, 16))).await, Written::Done);
    assert_eq!(one(store, at((1, 15), "fifteen")).await, superseded(1, 16));
    assert_eq!(one(store, gone((1, 2))).await, superseded(1, 16));
    assert_eq!(
        held(store, "1").await,
        Held {
            value: None,
            version: Some(Version::new(1, 16)),
        }
    );
    let all = store.get_all_entities("versioned").await.expect("reads");
    assert!(all.is_empty(), "{all:?}");
    // A new epoch beats every sequence of the one before.
    assert_eq!(one(store, at((2, 0), "two")).await, Written::Done);
    assert_eq!(
        one(store, at((1, u64::MAX), "late")).await,
        superseded(2, 0)
    );
    assert_eq!(held(store, "1").await.value.as_deref(), Some("two"));
    // Writing and removing without a version changes the value, and no version.
    store
        .set_entity("versioned", "1", "plain", None)
        .await
        .expect("set");
    assert_eq!(held(store, "1").await.value.as_deref(), Some("plain"));
    store
        .remove_entity("versioned", "1")
        .await
        .expect("removed");
    assert_eq!(one(store, at((1, 99), "late")).await, superseded(2, 0));
    assert_eq!(held(store, "1").await.value, None);
}

async fn any_order_ends_with_the_newest(store: &dyn RemoteStore) {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let namespace = format!("order{seed}");
        let mut writes = Vec::new();
        for id in ["a", "b", "c"] {
            for seq in 1..=8 {
                let epoch = u64::from(seq > 5);
                let value = format!("{id}{seq}");
                writes.push(match dice.below(4) {
                    0 => removal(&namespace, id, (epoch, seq)),
                    _ => put(&namespace, id, (epoch, seq), &value),
                });
            }
        }
        let mut newest = std::collections::BTreeMap::new();
        for write in &writes {
            let best = newest
                .entry(write.id.clone())
                .or_insert_with(|| write.clone());
            if write.version > best.version {
                *best = write.clone();
            }
        }
        dice.shuffle(&mut writes);
        for batch in writes.chunks(5) {
            for outcome in store.write(batch).await {
                outcome.expect("written");
            }
        }
        let held = store
            .read(&namespace, &["a", "b", "c"])
            .await
            .expect("reads");
        for (write, held) in newest.into_values().zip(held) {
            assert_eq!(held.value, write.value, "seed {seed}");
            assert_eq!(held.version, Some(write.version), "seed {seed}");
        }
    }
}

async fn keys_are_refused(store: &dyn RemoteStore) {
    for (namespace, id) in [
        ("", "1"),
        ("a", ""),
        ("a{b}", "1"),
        ("a", "}"),
        ("a\0", "1"),
    ] {
        let set = store.set_entity(namespace, id, "x", None).await;
        assert!(
            matches!(set, Err(StoreError::Key { .. })),
            "{namespace:?} {id:?}"
        );
        let batch = [
            put(namespace, id, (1, 1), "x"),
            put("good", "1", (1, 1), "x"),
        ];
        let written = store.write(&batch).await;
        assert!(matches!(written[0], Err(StoreError::Key { .. })));
        assert!(matches!(written[1], Ok(Written::Done)));
    }
}
