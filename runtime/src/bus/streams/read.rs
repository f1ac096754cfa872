//! Reading a stream: what is new, and what others left.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::super::listening::Receipt;
use super::super::{BusEvent, add};
use super::{Ack, Shared};
use crate::redis::{Command, Redis, RedisError, Reply, wrong};
use crate::store::millis;

/// How long the server waits for something new before it answers that there is nothing.
const BLOCK: Duration = Duration::from_secs(1);

/// Where claiming begins, and what says that it has come to the end.
const FIRST: &str = "0-0";

/// How long a member has done nothing before its name is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);

/// The wait after a failure. It doubles up to sixteen times as much.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Reader {
    shared: Arc<Shared>,
    /// Waiting for news blocks a connection: this is one of its own.
    blocking: Redis,
    /// What was given to this very consumer before a restart comes first.
    has_own: bool,
    claim_at: Instant,
    /// Where claiming goes on among what is not acknowledged.
    cursor: String,
    forget_at: Instant,
}

/// An entry of the stream. What has been cut away meanwhile has no fields.
struct Entry {
    id: String,
    fields: Option<(String, Bytes)>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let blocking = shared.redis.apart(BLOCK + shared.redis.limit());
        Self {
            shared,
            blocking,
            has_own: true,
            claim_at: Instant::now(),
            cursor: String::from(FIRST),
            forget_at: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut pause = PAUSE;
        // Without listeners there is nobody to read for; the next one starts a reader again.
        while !self.shared.outlets().is_empty() {
            match self.turn().await {
                Ok(()) => pause = PAUSE,
                Err(error) => {
                    if error.code() == Some("NOGROUP") {
                        self.start_again().await;
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE * 16);
                }
            }
        }
    }

    /// The stream is gone, or was replaced: whatever was in it is lost.
    async fn start_again(&mut self) {
        if self.shared.create_group().await.is_ok() {
            self.gap();
        }
    }

    async fn turn(&mut self) -> Result<(), RedisError> {
        if self.has_own {
            let own = self.read_group("0").await?;
            // It stays this consumer's until it is acknowledged: reading it again would bring it again.
            self.has_own = false;
            self.hand_on(own, true).await?;
        }
        if Instant::now() >= self.claim_at {
            let left = self.claim().await?;
            self.hand_on(left, true).await?;
            if self.cursor == FIRST {
                self.claim_at = Instant::now() + self.shared.settings.claim_after / 2;
            }
        }
        if Instant::now() >= self.forget_at {
            self.forget().await?;
            self.forget_at = Instant::now() + FORGET_AFTER;
        }
        let news = self.read_group(">").await?;
        self.hand_on(news, false).await
    }

    /// `>` is what nobody in the group was given; `0` what this consumer was given and has not acknowledged.
    async fn read_group(&self, from: &str) -> Result<Vec<Entry>, RedisError> {
        let settings = &self.shared.settings;
        let command = Command::new("XREADGROUP")
            .arg("GROUP")
            .arg(&settings.group)
            .arg(&settings.consumer)
            .arg("COUNT")
            .arg(settings.buffer.max(1).to_string())
            .arg("BLOCK")
            .arg(BLOCK.as_millis().to_string())
            .arg("STREAMS")
            .key(&settings.stream)
            .arg(from);
        let streams = match self.blocking.run(&command).await? {
            Reply::Nil => return Ok(Vec::new()),
            streams => streams.into_list()?,
        };
        let mut entries = Vec::new();
        for stream in streams {
            let mut parts = stream.into_list()?.into_iter();
            let list = parts.nth(1).ok_or_else(|| wrong("a stream", "less"))?;
            for entry in list.into_list()? {
                entries.extend(read_entry(entry)?);
            }
        }
        Ok(entries)
    }

    /// What members were given and have not acknowledged for too long, this one included.
    async fn claim(&mut self) -> Result<Vec<Entry>, RedisError> {
        let settings = &self.shared.settings;
        let command = Command::new("XAUTOCLAIM")
            .key(&settings.stream)
            .arg(&settings.group)
            .arg(&settings.consumer)
            .arg(millis(settings.claim_after).to_string())
            .arg(&self.cursor)
            .arg("COUNT")
            .arg(settings.buffer.max(1).to_string());
        let mut parts = self
            .shared
            .redis
            .run(&command)
            .await?
            .into_list()?
            .into_iter();
        let (Some(cursor), Some(list)) = (parts.next(), parts.next()) else {
            return Err(wrong("claimed entries", "less"));
        };
        let mut entries = Vec::new();
        let mut is_cut = false;
        for entry in list.into_list()? {
            match read_entry(entry)? {
                Some(entry) => entries.push(entry),
                None => is_cut = true,
            }
        }
        // Redis 7 names what was cut away before anybody acknowledged it.
        let cut = parts.next().map(Reply::into_list).transpose()?;
        if is_cut || cut.is_some_and(|cut| !cut.is_empty()) {
            self.gap();
        }
        self.cursor = cursor.into_text()?;
        Ok(entries)
    }

    /// Members that died and whose events were taken over leave nothing behind but their names.
    async fn forget(&self) -> Result<(), RedisError> {
        let settings = &self.shared.settings;
        let keys = [settings.stream.as_bytes()];
        let idle = millis(FORGET_AFTER.max(settings.claim_after * 4)).to_string();
        let args = [settings.group.as_bytes(), idle.as_bytes()];
        let forgotten = self
            .shared
            .redis
            .run_script(&self.shared.forget, &keys, &args);
        forgotten.await?.into_int().map(drop)
    }

    fn gap(&self) {
        for (_, outlet) in self.shared.outlets() {
            outlet.gap();
        }
    }

    /// Hands entries to those who listen, waiting for room: what waits here stays in the stream for others.
    async fn hand_on(&self, entries: Vec<Entry>, is_replayed: bool) -> Result<(), RedisError> {
        let mut nobodys = Vec::new();
        for entry in entries {
            let Some((topic, payload)) = entry.fields else {
                self.gap();
                nobodys.push(entry.id);
                continue;
            };
            let mut outlets = self.shared.outlets();
            outlets.retain(|(pattern, _)| pattern.matches(&topic));
            if outlets.is_empty() {
                nobodys.push(entry.id);
                continue;
            }
            if is_replayed {
                add(&self.shared.counters.replayed);
            }
            let receipt: Arc<dyn Receipt> = Arc::new(Ack {
                shared: Arc::clone(&self.shared),
                id: entry.id,
                left: AtomicUsize::new(outlets.len()),
            });
            for (_, outlet) in outlets {
                let event = BusEvent {
                    topic: topic.clone(),
                    payload: payload.clone(),
                    is_replayed,
                    receipt: Some(Arc::clone(&receipt)),
                };
                // A listener that has gone leaves the event unacknowledged: it comes again.
                outlet.hand(event).await;
            }
        }
        self.acknowledge(&nobodys).await
    }

    /// Nobody here wants them, so nobody will acknowledge them.
    async fn acknowledge(&self, ids: &[String]) -> Result<(), RedisError> {
        if ids.is_empty() {
            return Ok(());
        }
        let settings = &self.shared.settings;
        let command = Command::new("XACK")
            .key(&settings.stream)
            .arg(&settings.group)
            .repeatable();
        let command = ids.iter().fold(command, Command::arg);
        self.shared.redis.run(&command).await.map(drop)
    }
}

fn read_entry(entry: Reply) -> Result<Option<Entry>, RedisError> {
    // Redis 6 names what it claimed and has cut away with nothing at all.
    if entry == Reply::Nil {
        return Ok(None);
    }
    let mut parts = entry.into_list()?.into_iter();
    let (Some(id), Some(fields)) = (parts.next(), parts.next()) else {
        return Err(wrong("an entry of a stream", "less"));
    };
    let id = id.into_text()?;
    if fields == Reply::Nil {
        return Ok(Some(Entry { id, fields: None }));
    }
    let (mut topic, mut payload) = (String::new(), Bytes::new());
    let mut fields = fields.into_list()?.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match name.into_bytes()?.as_slice() {
            b"topic" => topic = value.into_text()?,
            b"payload" => payload = Bytes::from(value.into_bytes()?),
            _ => {}
        }
    }
    Ok(Some(Entry {
        id,
        fields: Some((topic, payload)),
    }))
}
