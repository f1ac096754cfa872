//! A bot that is told something all the time, and readers that remember what they were told: whatever a store does
//! meanwhile, dispatches go on, nothing comes back older, and every write is accounted for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::cache::{Cache, Record};
use shardkeep::core::cache::{Key, Stats};
use shardkeep::{Bot, Topic};
use shardkeep_sim::rest::Denial;
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, RestSet};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::support::Log;
use super::{members, of, rename};

/// The time between two dispatches.
const PACE: Duration = Duration::from_millis(4);

/// No dispatch may take longer than this to arrive at its handler, however long a store takes: stores have limits of
/// two seconds and more, and other tests run beside this one.
const PROMPT: Duration = Duration::from_millis(1_500);

/// How long a reader waits for one answer.
const READ: Duration = Duration::from_millis(400);

/// The number of the newest nickname of each member that a handler has heard of.
type Known = Arc<Mutex<BTreeMap<Key, u64>>>;

/// A bot, and what it has been told.
pub(super) struct Steady {
    pub(super) server: Arc<Server>,
    pub(super) bot: Bot,
    /// Who is renamed again and again.
    pub(super) some: Vec<Key>,
    pub(super) known: Known,
    number: u64,
}

/// What happened while something was wrong.
#[derive(Debug, Default)]
pub(super) struct Going {
    pub(super) events: u32,
    pub(super) slowest: Duration,
}

impl Steady {
    /// Takes a bot that has not been started, waits for its guilds, and for its store to have them.
    pub(super) async fn start(server: Arc<Server>, bot: Bot, every: usize) -> Self {
        discord_knows_no_members(&server).await;
        let mut log = Log::default();
        let (mut ready, mut guilds) = (false, 0);
        log.until(&bot, |event| {
            ready |= event.topic() == Topic::Ready;
            guilds += u64::from(event.name() == "GUILD_CREATE");
            ready && guilds == bot.status().guild_count
        })
        .await;
        let some = members(&log).into_iter().step_by(every).collect();
        Self {
            server,
            bot,
            some,
            known: Known::default(),
            number: 0,
        }
    }

    pub(super) fn stats(&self) -> Stats {
        of(&self.bot).stats()
    }

    /// Renames one after the other for a while. Each dispatch is waited for, and is in the cache before its handler
    /// hears of it.
    pub(super) async fn go_on(&mut self, time: Duration) -> Going {
        let begun = Instant::now();
        let mut going = Going::default();
        while begun.elapsed() < time {
            let sent = Instant::now();
            self.rename_next().await;
            going.slowest = going.slowest.max(sent.elapsed());
            going.events += 1;
            sleep(PACE).await;
        }
        going
    }

    /// The same, with the demand that the fault is felt nowhere.
    pub(super) async fn goes_on(&mut self, time: Duration) {
        let going = self.go_on(time).await;
        let least = u32::try_from(time.as_millis() / 50).expect("short");
        assert!(
            going.events >= least && going.slowest < PROMPT,
            "dispatches were held up: {going:?} in {time:?}"
        );
        self.account();
    }

    async fn rename_next(&mut self) {
        self.number += 1;
        let at = usize::try_from(self.number).expect("small") % self.some.len();
        let (member, number) = (self.some[at], self.number);
        let nick = format!("n-{number}");
        rename(&self.server, member, &nick).await;
        let heard = timeout(Duration::from_secs(20), self.hear(&nick)).await;
        heard.expect("the dispatch arrives");
        let here = number_of(of(&self.bot).get(member));
        assert!(
            here.is_none_or(|here| here == number),
            "{member} is n-{number}, not {here:?}"
        );
        self.known
            .lock()
            .expect("unpoisoned")
            .insert(member, number);
    }

    async fn hear(&self, nick: &str) {
        let quoted = format!("\"nick\":{}", json!(nick));
        loop {
            let event = self.bot.next_event().await.expect("the bot runs");
            if event.name() == "GUILD_MEMBER_UPDATE" && event.json().contains(&quoted) {
                return;
            }
        }
    }

    /// Every write that was made is confirmed, given up, or open: none is in two of them.
    pub(super) fn account(&self) {
        let stats = self.stats();
        let ended = stats.written + stats.superseded + stats.coalesced + stats.withdrawn;
        assert_eq!(stats.made, ended + stats.dropped + stats.open, "{stats:?}");
    }

    /// Waits until the store has everything, and sees that the counts agree with that.
    pub(super) async fn settles(&self) {
        super::redis_support::until("all is written", Duration::from_secs(30), || async {
            self.stats().open == 0
        })
        .await;
        self.account();
        let store = of(&self.bot).numbers().store.expect("a store");
        let stats = self.stats();
        assert!(stats.pending == 0 && stats.pending_bytes == 0, "{stats:?}");
        // What the store did and could not say in time is made again: it counts more.
        assert!(
            store.written + store.superseded >= stats.written + stats.superseded,
            "{store:?} {stats:?}"
        );
    }

    /// Every member in the store is as the last dispatch left it, read past the cache by `read`.
    pub(super) async fn is_stored(&self, read: impl AsyncFn(&str, &str) -> Option<String>) {
        let known = self.known.lock().expect("unpoisoned").clone();
        assert!(!known.is_empty());
        for (member, number) in known {
            let namespace = format!("member:{}", member.scope);
            let stored = read(&namespace, &member.id.to_string()).await;
            let stored = stored.expect("it is in the store");
            let stored: Value = serde_json::from_str(&stored).expect("plain JSON");
            assert_eq!(stored["nick"], format!("n-{number}"), "{member}");
        }
    }

    /// A reader over a cache, its own or another process's, until it is stopped.
    pub(super) fn reader(&self, cache: &Cache) -> Reader {
        let reader = Reading {
            cache: cache.clone(),
            some: self.some.clone(),
            // What a handler here has heard of, another process may not know yet.
            known: std::ptr::eq(cache, of(&self.bot)).then(|| Arc::clone(&self.known)),
            seen: BTreeMap::new(),
            stop: Arc::default(),
            answers: Arc::default(),
        };
        Reader {
            stop: Arc::clone(&reader.stop),
            answers: Arc::clone(&reader.answers),
            task: tokio::spawn(reader.run()),
        }
    }
}

/// Somebody who asks for members again and again, and is served nothing that is older than what was known before.
pub(super) struct Reader {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Reader {
    /// How many records it has been given until now.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::SeqCst)
    }

    /// Stops it. Whatever it found wrong fails the test here.
    pub(super) async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("it was served nothing old");
        self.answers.load(Ordering::SeqCst)
    }
}

struct Reading {
    cache: Cache,
    some: Vec<Key>,
    known: Option<Known>,
    seen: BTreeMap<Key, u64>,
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
}

impl Reading {
    async fn run(mut self) {
        let mut turn = 0;
        while !self.stop.load(Ordering::SeqCst) {
            // Another order than that in which they are renamed.
            turn = (turn + 7) % self.some.len();
            let member = self.some[turn];
            let heard = self.known.as_ref().and_then(|known| {
                let known = known.lock().expect("unpoisoned");
                known.get(&member).copied()
            });
            let least = heard.max(self.seen.get(&member).copied());
            if let Ok(Some(record)) = self.cache.fetch_within(member, READ).await {
                let found = number_of(Some(record));
                assert!(
                    found >= least,
                    "{member} was n-{least:?}, and is n-{found:?} again"
                );
                self.seen.extend(found.map(|found| (member, found)));
                self.answers.fetch_add(1, Ordering::SeqCst);
            }
            sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The number in a member's nickname.
fn number_of(record: Option<Record>) -> Option<u64> {
    let record: Value = record?.parse().expect("JSON");
    record["nick"].as_str()?.strip_prefix("n-")?.parse().ok()
}

/// The simulated Discord knows nothing of these nicknames: asked for a member, it shall rather fail.
async fn discord_knows_no_members(server: &Server) {
    let denied = Denial {
        path: "/guilds/{guild_id}/members/{user_id}".to_owned(),
        placeholder: String::new(),
        ids: Vec::new(),
        remainder: None,
        status: 503,
        code: 0,
    };
    let set = RestSet {
        denied: Some(vec![denied]),
        ..RestSet::default()
    };
    let answer = server.control(Control::RestSet(Box::new(set))).await;
    assert_eq!(answer.get("error"), None, "{answer}");
}
