//! Four processes, each a bot with a quarter of the shards, over one store and one bus.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::Bot;
use shardkeep::config::Config;
use shardkeep::core::Snowflake;
use shardkeep::core::cache::Key;
use shardkeep::store::{LmdbSettings, LmdbStore, RedisStore, RedisStoreSettings, RemoteStore};
use shardkeep_sim::server::Server;
use shardkeep_sim::{DEFAULT_TOKEN, WorldConfig};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::another::Other;
use super::redis_support::{self, connect, until};
use super::support::{Log, serve, world};
use super::{Folder, inject, make, members, of, rename, value};
use crate::needs_redis;

const PROCESSES: usize = 4;
const MAP: usize = 64 << 20;

/// Within this, docs/cache.md says, a change in one process is seen by the others while store and bus are there. What
/// is measured is some milliseconds; other tests run beside this one.
const SEEN: Duration = Duration::from_secs(1);

/// What another process is: a bot that answers questions.
pub(crate) fn play(role: &str, place: &str) {
    if role == "a bot" {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(be_a_bot(place));
    }
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn be_a_bot(place: &str) {
    let place: Value = serde_json::from_str(place).expect("JSON");
    let mut config = Config::builder()
        .token(DEFAULT_TOKEN)
        .api_base(place["api"].as_str().expect("a URL"))
        .set("intents", "all");
    for (name, value) in place["set"].as_object().expect("options") {
        config = config.set(name, value.clone());
    }
    let bot = Arc::new(make(config).build().expect("a store that opens"));
    let mut log = Log::default();
    let (mut ready, mut guilds) = (false, 0);
    log.until(&bot, |event| {
        ready |= event.topic() == shardkeep::Topic::Ready;
        guilds += u64::from(event.name() == "GUILD_CREATE");
        ready && guilds == bot.status().guild_count
    })
    .await;
    let all: Vec<[Snowflake; 2]> = members(&log)
        .iter()
        .map(|key| [key.scope, key.id])
        .collect();
    println!("members {}", json!(all));
    let events = Arc::new(AtomicU64::new(0));
    let (counter, taker) = (Arc::clone(&events), Arc::clone(&bot));
    tokio::spawn(async move {
        while taker.next_event().await.is_some() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let (asks, mut asked) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = asks.send(line);
        }
    });
    while let Some(line) = asked.recv().await {
        println!("answer {}", answer(&bot, &events, &line).await);
    }
}

async fn answer(bot: &Bot, events: &AtomicU64, line: &str) -> Value {
    let words: Vec<&str> = line.split(' ').collect();
    let id = |at: usize| Snowflake(words[at].parse().expect("an id"));
    let key = match words[0] {
        "member" => Key::member(id(1), id(2)),
        "user" => Key::user(id(1)),
        "settle" => {
            until("all is written", Duration::from_secs(20), || async {
                of(bot).stats().open == 0
            })
            .await;
            return json!(of(bot).stats().written);
        }
        _ => {
            let numbers = of(bot).numbers();
            let (stats, store) = (numbers.stats, numbers.store.unwrap_or_default());
            let ended = stats.written + stats.superseded + stats.coalesced + stats.withdrawn;
            return json!({
                "events": events.load(Ordering::SeqCst),
                "full": store.full,
                "store": format!("{store:?}"),
                "open": stats.open,
                "dropped": stats.dropped,
                "lost": stats.made.wrapping_sub(ended + stats.dropped + stats.open),
            });
        }
    };
    let found = of(bot).fetch_within(key, Duration::from_secs(2)).await;
    found.map_or(Value::Null, value)
}

fn bot(server: &Server, set: &Value, wrapper: &[&str]) -> Other {
    let place = json!({ "api": server.api_base(), "set": set }).to_string();
    Other::wrapped("a bot", place, wrapper)
}

fn ask(other: &mut Other, line: &str) -> Value {
    other.say(line);
    serde_json::from_str(&other.said("answer ")).expect("JSON")
}

fn listed(other: &mut Other) -> Vec<Key> {
    let all: Vec<[Snowflake; 2]> = serde_json::from_str(&other.said("members ")).expect("JSON");
    all.iter()
        .map(|[guild, id]| Key::member(*guild, *id))
        .collect()
}

/// Asks again until it is so. How long that took.
fn seen(other: &mut Other, line: &str, field: &str, wanted: &str, since: Instant) -> Duration {
    loop {
        let found = ask(other, line);
        let elapsed = since.elapsed();
        if found[field] == wanted {
            return elapsed;
        }
        assert!(
            elapsed < 5 * SEEN,
            "{line}: {wanted} is not seen after {elapsed:?}, but {found}"
        );
    }
}

/// Starts them, has each change something, and sees that the others find it in time.
#[expect(clippy::print_stdout, reason = "what was measured")]
async fn four(kind: &str, set: impl Fn(usize) -> Value, store: impl Fn() -> Box<dyn RemoteStore>) {
    let server = serve(WorldConfig {
        guilds: 32,
        ..world()
    })
    .await;
    let mut others: Vec<Other> = (0..PROCESSES)
        .map(|at| bot(&server, &set(at), &[]))
        .collect();
    let all: Vec<Vec<Key>> = others.iter_mut().map(listed).collect();
    for other in &mut others {
        ask(other, "settle");
    }
    let users: BTreeSet<String> = all.iter().flatten().map(|key| key.id.to_string()).collect();
    let stored = store().get_all_entities("user").await.expect("a list");
    let ids = stored.iter().map(|user| {
        let user: Value = serde_json::from_str(user).expect("plain JSON");
        user["id"].as_str().expect("an id").to_owned()
    });
    let ids: Vec<String> = ids.collect();
    assert_eq!(ids.len(), users.len(), "one copy of each user");
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), users);
    assert!(
        all.iter().all(|some| some.len() < users.len()),
        "users are shared"
    );
    let (mut of_members, mut of_users) = (Vec::new(), Vec::new());
    for round in 0..24 {
        if round == 16 {
            // One of them dies, whatever it was about to do.
            others[3].signal("-KILL");
        }
        let living = if round < 16 { PROCESSES } else { 3 };
        let (teller, member) = (round % living, all[round % living][round]);
        let nick = format!("nick {round}");
        let since = Instant::now();
        rename(&server, member, &nick).await;
        let line = format!("member {} {}", member.scope, member.id);
        for (at, other) in others.iter_mut().enumerate().take(living) {
            let after = seen(other, &line, "nick", &nick, since);
            of_members.extend((at != teller).then_some(after));
        }
        let Some(shared) = shared_user(&all, teller, living) else {
            continue;
        };
        let name = format!("name {round}");
        let since = Instant::now();
        tell_name(&server, shared, &name).await;
        for (at, other) in others.iter_mut().enumerate().take(living) {
            let after = seen(
                other,
                &format!("user {}", shared.id),
                "username",
                &name,
                since,
            );
            of_users.extend((at != teller).then_some(after));
        }
    }
    let numbers = ask(&mut others[0], "numbers");
    assert_eq!(numbers["lost"], 0, "{numbers}");
    for (what, mut times) in [("members", of_members), ("users", of_users)] {
        times.sort();
        let (half, most) = (times[times.len() / 2], times[times.len() - 1]);
        println!("{kind}: {what} seen by the others after {half:?}, {most:?} at most");
        assert!(half < SEEN / 4 && most < SEEN, "{kind}: {what} {times:?}");
    }
}

/// A member whose user all living processes know, so that each holds a copy of its own.
fn shared_user(all: &[Vec<Key>], teller: usize, living: usize) -> Option<Key> {
    let knows = |at: usize, id| all[at].iter().any(|key| key.id == id);
    all[teller]
        .iter()
        .copied()
        .find(|key| (0..living).filter(|at| knows(*at, key.id)).count() > 1)
}

async fn tell_name(server: &Server, member: Key, name: &str) {
    let d = json!({
        "guild_id": member.scope.to_string(),
        "roles": [],
        "user": {"id": member.id.to_string(), "username": name, "discriminator": "0", "avatar": null},
    });
    inject(server, member.scope, "GUILD_MEMBER_UPDATE", d).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_share_one_lmdb_and_one_redis() {
    needs_redis!();
    let (folder, redis) = (Folder::new(), redis_support::Server::start());
    let set = |at: usize| {
        json!({
            "shards": format!("{at}/{PROCESSES}"),
            "cache.budget_bytes": 8 << 20,
            "store.kind": "lmdb",
            "store.path": folder.path(),
            "store.map_bytes": MAP,
            "redis_config.url": redis.url(),
        })
    };
    let store = || -> Box<dyn RemoteStore> {
        let mut settings = LmdbSettings::default();
        settings.map_bytes = MAP;
        Box::new(LmdbStore::open(folder.path(), settings).expect("opened"))
    };
    four("LMDB, told of over Redis", set, store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_share_one_redis() {
    needs_redis!();
    let redis = redis_support::Server::start();
    let set = |at: usize| {
        json!({
            "shards": format!("{at}/{PROCESSES}"),
            "cache.budget_bytes": 8 << 20,
            "store.kind": "redis",
            "redis_config.url": redis.url(),
        })
    };
    let store = || -> Box<dyn RemoteStore> {
        let store = RedisStore::new(connect(&redis.url()), RedisStoreSettings::default());
        Box::new(store.expect("a prefix"))
    };
    four("Redis", set, store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_lmdb_holds_nobody_up() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder");
    let server = super::one_shard().await;
    let set = json!({
        "cache.budget_bytes": 160 << 10,
        "cache.pending_bytes_max": 256 << 10,
        "store.kind": "lmdb",
        "store.path": folder.path(),
        "store.map_bytes": MAP,
    });
    // No file of this process may grow beyond half a mebibyte: what the kernel says then, it says of a full disk too.
    let script = "trap '' XFSZ; ulimit -f 512; exec \"$@\"";
    let mut other = bot(&server, &set, &["bash", "-c", script, "bash"]);
    let some: Vec<Key> = listed(&mut other).into_iter().step_by(16).collect();
    let begun = ask(&mut other, "numbers");
    let told = 400;
    for number in 0..told {
        let member = some[number % some.len()];
        let nick = format!("n-{number}");
        let since = Instant::now();
        rename(&server, member, &nick).await;
        let line = format!("member {} {}", member.scope, member.id);
        // Memory has it. No older one may come from anywhere: it is asked for until it is there.
        if number % 20 == 0 {
            let after = seen(&mut other, &line, "nick", &nick, since);
            assert!(after < Duration::from_millis(1_500), "{after:?}");
        }
    }
    let events = |numbers: &Value| numbers["events"].as_u64().expect("a number");
    let mut ended = Value::Null;
    for _ in 0..200 {
        ended = ask(&mut other, "numbers");
        let is_full = ended["full"].as_u64() > Some(0);
        if is_full && events(&ended) >= events(&begun) + told as u64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(events(&ended) >= events(&begun) + told as u64, "{ended}");
    assert_eq!(ended["lost"], 0, "{ended}");
    assert!(ended["full"].as_u64() > Some(0), "{ended}");
}
