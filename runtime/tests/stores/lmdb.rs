//! LMDB: shared by processes, full, killed while it writes, and stopped while it holds the lock.

use std::path::Path;
use std::time::Duration;

use shardkeep::store::{LmdbSettings, LmdbStore, RemoteStore, StoreError, Version, Written};
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout};

use crate::another::{Other, wait_for_the_end};
use crate::{Folder, put, removal};

fn settings(map_bytes: usize) -> LmdbSettings {
    let mut settings = LmdbSettings::default();
    settings.map_bytes = map_bytes;
    settings.limit = Duration::from_secs(2);
    settings
}

fn open(folder: &Folder, map_bytes: usize) -> LmdbStore {
    LmdbStore::open(folder.path(), settings(map_bytes)).expect("opened")
}

/// What another process of these tests does, if it is one of theirs.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn play(role: &str, folder: &str, runtime: &Runtime) {
    match role {
        "holds the lock" => {
            let options = shardkeep_lmdb::Options {
                map_bytes: 16 << 20,
                readers_max: 2_048,
                databases_max: 2,
                durability: shardkeep_lmdb::Durability::Machine,
            };
            let env = shardkeep_lmdb::open(Path::new(folder), options).expect("opened");
            let _txn = env.write_txn().expect("the lock");
            println!("locked");
            wait_for_the_end();
        }
        "writes" => runtime.block_on(async {
            let store = LmdbStore::open(folder, settings(16 << 20)).expect("opened");
            store
                .set_entity("from", "child", "\"hello\"", None)
                .await
                .expect("set");
            let seen = store.get_entity("from", "parent").await.expect("reads");
            println!("seen {}", seen.unwrap_or_default());
            wait_for_the_end();
        }),
        "writes without end" => runtime.block_on(async {
            let store = LmdbStore::open(folder, settings(16 << 20)).expect("opened");
            println!("begun");
            for seq in 0.. {
                let value = format!("{{\"seq\":{seq}}}{}", "x".repeat(500));
                let batch: Vec<_> = (0..50_u64)
                    .map(|id| put("load", &id.to_string(), (1, seq), &value))
                    .collect();
                for outcome in store.write(&batch).await {
                    outcome.expect("written");
                }
                if seq % 10 == 0 {
                    println!("confirmed {seq}");
                }
            }
        }),
        "fills the disk" => runtime.block_on(async {
            let store = LmdbStore::open(folder, settings(64 << 20)).expect("opened");
            let value = "x".repeat(10_000);
            let mut outcome = Ok(());
            for id in 0..1_000 {
                outcome = store.set_entity("n", &id.to_string(), &value, None).await;
                if outcome.is_err() {
                    break;
                }
            }
            let first = store.get_entity("n", "0").await.expect("reads");
            println!(
                "ended {outcome:?} and {}",
                first.map_or(0, |value| value.len())
            );
        }),
        _ => {}
    }
}

#[tokio::test]
async fn processes_share_one_copy() {
    let folder = Folder::new();
    let store = open(&folder, 16 << 20);
    store
        .set_entity("from", "parent", "\"hi\"", None)
        .await
        .expect("set");
    let mut other = Other::start("writes", folder.path());
    assert_eq!(other.said("seen"), "\"hi\"");
    let found = store.get_entity("from", "child").await.expect("reads");
    assert_eq!(found.as_deref(), Some("\"hello\""));
    let len = |id| store.read_with("from", id, |value| value.map(str::len));
    assert_eq!(len("child").expect("reads"), Some(7));
    assert_eq!(len("nobody").expect("reads"), None);
}

#[tokio::test]
async fn a_process_killed_with_the_lock_leaves_it_to_the_others() {
    let folder = Folder::new();
    let store = open(&folder, 16 << 20);
    store
        .set_entity("n", "1", "before", None)
        .await
        .expect("set");
    let mut other = Other::start("holds the lock", folder.path());
    other.said("locked");
    other.signal("-KILL");
    let begun = Instant::now();
    store
        .set_entity("n", "1", "after", None)
        .await
        .expect("set");
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let found = store.get_entity("n", "1").await.expect("reads");
    assert_eq!(found.as_deref(), Some("after"));
}

#[tokio::test]
async fn a_process_stopped_with_the_lock_delays_writes_and_blocks_nobody() {
    let folder = Folder::new();
    let store = open(&folder, 16 << 20);
    store
        .set_entity("n", "1", "before", None)
        .await
        .expect("set");
    let mut other = Other::start("holds the lock", folder.path());
    other.said("locked");
    other.signal("-STOP");
    let batch = [put("n", "1", (1, 1), "late")];
    let late = timeout(Duration::from_secs(5), store.write(&batch));
    let late = late.await.expect("within the limit").remove(0).unwrap_err();
    assert!(matches!(late, StoreError::Uncertain { .. }), "{late}");
    assert!(late.may_have_written() && late.is_passing());
    // Reading needs no lock.
    let begun = Instant::now();
    let found = store.get_entity("n", "1").await.expect("reads");
    assert_eq!(found.as_deref(), Some("before"));
    assert!(begun.elapsed() < Duration::from_millis(500));
    // When the lock is free, what waited is written, in its place.
    drop(other);
    let written = store.write(&[put("n", "1", (1, 2), "later")]).await;
    assert!(matches!(written[0], Ok(Written::Done)), "{written:?}");
    let held = store.read("n", &["1"]).await.expect("reads");
    assert_eq!(held[0].value.as_deref(), Some("later"));
    assert_eq!(held[0].version, Some(Version::new(1, 2)));
}

#[tokio::test]
async fn killing_a_writer_again_and_again_loses_nothing_that_was_confirmed() {
    let folder = Folder::new();
    for round in 0..4_u64 {
        let mut other = Other::start("writes without end", folder.path());
        other.said("begun");
        let mut confirmed = 0;
        for _ in 0..=round {
            confirmed = other.said("confirmed").parse().expect("a number");
        }
        drop(other);
        let store = open(&folder, 16 << 20);
        let ids: Vec<String> = (0..50).map(|id| id.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for held in store.read("load", &ids).await.expect("whole") {
            let version = held.version.expect("a version");
            assert!(version.seq >= confirmed, "{version} < {confirmed}");
            let value = held.value.expect("a value");
            assert!(value.starts_with(&format!("{{\"seq\":{}}}", version.seq)));
        }
        // The next one begins its sequence anew: what is there must go first.
        let gone: Vec<_> = ids
            .iter()
            .map(|id| put("load", id, (1, u64::MAX), ""))
            .collect();
        for outcome in store.write(&gone).await {
            outcome.expect("written");
        }
        drop(store);
        std::fs::remove_dir_all(folder.path()).expect("removed");
    }
}

#[tokio::test]
async fn a_full_map_is_an_error_and_removing_makes_room() {
    let folder = Folder::new();
    let store = open(&folder, 2 << 20);
    let value = "x".repeat(3_000);
    let batch: Vec<_> = (0..1_000)
        .map(|id| put("n", &id.to_string(), (1, 1), &value))
        .collect();
    let outcomes = store.write(&batch).await;
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let full = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(StoreError::Full { .. })))
        .count();
    assert_eq!(done + full, 1_000);
    assert!(done > 200 && full > 200, "{done} {full}");
    let size = store.size().expect("reads");
    assert!(size.used_bytes <= size.map_bytes, "{size:?}");
    let found = store.get_all_entities("n").await.expect("reads");
    assert_eq!(found.len(), done);

    // A removal that is remembered needs room of its own, and gets it: that is what the reserve is for.
    let gone: Vec<_> = (0..1_000)
        .map(|id| removal("n", &id.to_string(), (1, 2)))
        .collect();
    for outcome in store.write(&gone).await {
        outcome.expect("removed");
    }
    assert!(store.get_all_entities("n").await.expect("reads").is_empty());
    let again = store.write(&[put("n", "1", (1, 3), &value)]).await;
    assert!(matches!(again[0], Ok(Written::Done)), "{again:?}");
    let stale = store.write(&[put("n", "2", (1, 1), &value)]).await;
    assert!(
        matches!(stale[0], Ok(Written::Superseded { .. })),
        "{stale:?}"
    );
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_what_was_written_stays_readable() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder");
    // No file of this process may grow beyond a mebibyte: what the kernel says then, it says of a full disk too.
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$@\"";
    let mut other = Other::wrapped(
        "fills the disk",
        folder.path(),
        &["bash", "-c", script, "bash"],
    );
    let said = other.said("ended");
    assert!(said.contains("Full"), "{said}");
    assert!(said.ends_with("and 10000"), "{said}");
}

#[tokio::test]
async fn what_has_ended_is_forgotten() {
    let folder = Folder::new();
    let store = open(&folder, 2 << 20);
    let mut write = put("n", "1", (1, 1), "x");
    write.ttl = Some(Duration::from_millis(1));
    assert!(store.write(&[write]).await[0].is_ok());
    tokio::time::sleep(Duration::from_millis(5)).await;
    let held = store.read("n", &["1"]).await.expect("reads");
    assert_eq!(held[0].value, None);
    // The version outlives the value by a while: something older must not take its place at once.
    assert_eq!(held[0].version, Some(Version::new(1, 1)));
    let stale = store.write(&[put("n", "1", (1, 0), "old")]).await;
    assert!(
        matches!(stale[0], Ok(Written::Superseded { .. })),
        "{stale:?}"
    );
    assert_eq!(store.size().expect("reads").records, 1);
}

#[tokio::test]
async fn a_folder_that_holds_something_else_is_refused() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder");
    std::fs::write(folder.path().join("data.mdb"), "not a map".repeat(10_000)).expect("a file");
    let error = LmdbStore::open(folder.path(), settings(2 << 20)).unwrap_err();
    assert!(!error.is_passing(), "{error}");
    let blocked = folder.path().join("data.mdb").join("deeper");
    assert!(LmdbStore::open(blocked, settings(2 << 20)).is_err());
}
