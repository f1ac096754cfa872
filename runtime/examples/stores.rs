//! How fast the stores are: `cargo run --release -p shardkeep --example stores [REDIS-URL]`.
//!
//! Values of 500 bytes under 20,000 keys: versioned writes in batches of 1,000, reads of 100 at once, reads one after
//! the other, writes one after the other, and listing all. Without a URL Redis is left out.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::time::Duration;

use shardkeep::clock;
use shardkeep::redis::Redis;
use shardkeep::store::{
    Durability, LmdbSettings, LmdbStore, MemorySettings, MemoryStore, RedisStore,
    RedisStoreSettings, RemoteStore, Version, Write,
};

const KEYS: u64 = 20_000;
const ONE_BY_ONE: u64 = 500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut out = stdout();
    let columns = [
        "store",
        "versioned write, batches of 1,000",
        "read, 100 at once",
        "read, one by one",
        "write, one by one",
        "all of them",
    ];
    writeln!(out, "| {} |", columns.join(" | "))?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
    measure("memory", &MemoryStore::new(MemorySettings::default())).await?;
    for (name, durability) in [
        ("lmdb", Durability::Machine),
        ("lmdb, `Durability::Process`", Durability::Process),
    ] {
        let folder = std::env::temp_dir().join(format!("shardkeep-stores-{}", std::process::id()));
        let mut settings = LmdbSettings::default();
        settings.durability = durability;
        measure(name, &LmdbStore::open(&folder, settings)?).await?;
        std::fs::remove_dir_all(folder)?;
    }
    if let Some(url) = std::env::args().nth(1) {
        let redis = Redis::connect(&url)?;
        let name = if redis.is_cluster() {
            "redis cluster"
        } else {
            "redis"
        };
        let mut settings = RedisStoreSettings::default();
        settings.prefix = format!("shardkeep-bench-{}:", clock::unix_ms());
        settings.ttl = Some(Duration::from_secs(300));
        measure(name, &RedisStore::new(redis, settings)?).await?;
    }
    Ok(())
}

async fn measure(name: &str, store: &dyn RemoteStore) -> Result<(), Box<dyn Error>> {
    let value = format!("{{\"id\":\"1\",\"bio\":\"{}\"}}", "x".repeat(475));
    let ids: Vec<String> = (0..KEYS).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();

    let begun = clock::now();
    for chunk in ids.chunks(1_000) {
        let batch: Vec<Write> = chunk
            .iter()
            .map(|id| Write {
                namespace: String::from("user"),
                id: (*id).to_owned(),
                version: Version::new(1, 1),
                value: Some(value.clone()),
                ttl: None,
            })
            .collect();
        for outcome in store.write(&batch).await {
            outcome?;
        }
    }
    let batched = each(begun, KEYS);

    let begun = clock::now();
    for chunk in ids.chunks(100) {
        let found = store.get_entities("user", chunk).await?;
        if found.iter().any(Option::is_none) {
            return Err("a value is missing".into());
        }
    }
    let together = each(begun, KEYS);

    let begun = clock::now();
    for id in ids.iter().take(usize::try_from(ONE_BY_ONE)?) {
        store.get_entity("user", id).await?;
    }
    let alone = each(begun, ONE_BY_ONE);

    let begun = clock::now();
    for id in ids.iter().take(usize::try_from(ONE_BY_ONE)?) {
        store.set_entity("user", id, &value, None).await?;
    }
    let set = each(begun, ONE_BY_ONE);

    let begun = clock::now();
    if store.get_all_entities("user").await?.len() != ids.len() {
        return Err("values are missing".into());
    }
    let all = each(begun, KEYS);
    writeln!(
        stdout(),
        "| {name} | {batched} | {together} | {alone} | {set} | {all} |"
    )?;
    Ok(())
}

/// Microseconds for each of `count`.
fn each(begun: shardkeep::core::Instant, count: u64) -> String {
    let us = clock::now().since(begun).as_micros();
    let tenths = us * 10 / u128::from(count);
    format!("{}.{} us", tenths / 10, tenths % 10)
}
