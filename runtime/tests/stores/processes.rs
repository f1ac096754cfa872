//! Four processes over one store: one copy of each user, and what one writes the others read at once.

use std::ffi::OsStr;
use std::io::BufRead as _;

use shardkeep::store::{
    LmdbSettings, LmdbStore, RedisStore, RedisStoreSettings, RemoteStore, Written,
};
use tokio::runtime::Runtime;

use crate::another::Other;
use crate::redis_support::{Server, connect};
use crate::{Folder, needs_redis, put};

const PROCESSES: usize = 4;

/// What another process of these tests does, if it is one of theirs: it writes and reads as it is told.
pub(crate) fn play(role: &str, place: &str, runtime: &Runtime) {
    if role == "shares" {
        runtime.block_on(share(&*open(place)));
    }
}

fn open(place: &str) -> Box<dyn RemoteStore> {
    if place.starts_with("redis") {
        let store = RedisStore::new(connect(place), RedisStoreSettings::default());
        return Box::new(store.expect("a prefix"));
    }
    let mut settings = LmdbSettings::default();
    settings.map_bytes = 16 << 20;
    Box::new(LmdbStore::open(place, settings).expect("opened"))
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn share(store: &dyn RemoteStore) {
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("text");
        match line.split_once(' ') {
            Some(("write", seq)) => {
                let write = put("user", "1", (1, seq.parse().expect("a number")), seq);
                let written = store.write(&[write]).await.remove(0);
                println!("wrote {}", written.expect("written") == Written::Done);
            }
            _ => {
                let value = store.get_entity("user", "1").await.expect("reads");
                println!("found {}", value.unwrap_or_default());
            }
        }
    }
}

/// Each in its turn changes the user, and all others see it. On the way one of them is killed.
fn all_see_the_same(place: impl AsRef<OsStr> + Clone) {
    let mut others: Vec<Other> = (0..PROCESSES)
        .map(|_| Other::start("shares", place.clone()))
        .collect();
    for other in &mut others {
        other.said("ready");
    }
    for seq in 1..=40_u64 {
        if seq == 20 {
            others.swap_remove(1).signal("-KILL");
        }
        let text = seq.to_string();
        let count = others.len();
        let writer = usize::try_from(seq).expect("small") % count;
        others[writer].say(&format!("write {text}"));
        assert_eq!(others[writer].said("wrote"), "true");
        for other in &mut others {
            other.say("read");
            assert_eq!(other.said("found"), text);
        }
        // Somebody comes late with something old.
        let late = &mut others[(writer + 1) % count];
        late.say(&format!("write {}", seq - 1));
        assert_eq!(late.said("wrote"), "false");
    }
}

#[test]
fn four_processes_share_lmdb() {
    let folder = Folder::new();
    all_see_the_same(folder.path());
    let mut settings = LmdbSettings::default();
    settings.map_bytes = 16 << 20;
    let store = LmdbStore::open(folder.path(), settings).expect("opened");
    assert_eq!(store.size().expect("reads").records, 1);
}

#[test]
fn four_processes_share_redis() {
    needs_redis!();
    let server = Server::start();
    all_see_the_same(server.url());
    // The user, its version and the index of users.
    assert_eq!(server.cli(&["dbsize"]).trim(), "3");
}
