//! What bots tell proxies: which of Discord's resources gateway events have changed, so that no cache keeps them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use shardkeep_core::wire::EventKind;
use tokio::sync::Notify;

use super::gate::Gate;
use crate::Bot;
use crate::bus::{BusError, Delivery, EventBus};
use crate::events::Entry;

/// The topic on which changes are published: paths below the API's version, one a line.
pub const CHANGES: &str = "rest.changed";

/// How long changes wait for others to go with. A busy channel is then told once, not with every message.
const TOGETHER: Duration = Duration::from_millis(20);

/// How many paths wait at most; beyond it, everything counts as changed.
const WAITING_MAX: usize = 4_096;

/// The ids of a dispatch.
#[derive(Default, Deserialize)]
struct Ids<'a> {
    #[serde(borrow, default)]
    id: Option<&'a str>,
    #[serde(borrow, default)]
    guild_id: Option<&'a str>,
    #[serde(borrow, default)]
    channel_id: Option<&'a str>,
}

/// What a dispatch changes, by the part of the path that says what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The guild whose id is the event's own.
    Guild,
    /// Something in a guild.
    InGuild,
    /// A channel or thread, and its guild's lists.
    Channel,
    /// Messages of a channel.
    Messages,
    /// The bot's own user.
    Me,
}

/// The dispatches that change what `GET`s answer.
const CHANGING: &[(EventKind, What)] = &[
    (EventKind::GuildUpdate, What::Guild),
    (EventKind::GuildDelete, What::Guild),
    (EventKind::GuildRoleCreate, What::InGuild),
    (EventKind::GuildRoleUpdate, What::InGuild),
    (EventKind::GuildRoleDelete, What::InGuild),
    (EventKind::GuildMemberAdd, What::InGuild),
    (EventKind::GuildMemberUpdate, What::InGuild),
    (EventKind::GuildMemberRemove, What::InGuild),
    (EventKind::GuildBanAdd, What::InGuild),
    (EventKind::GuildBanRemove, What::InGuild),
    (EventKind::GuildEmojisUpdate, What::InGuild),
    (EventKind::GuildStickersUpdate, What::InGuild),
    (EventKind::GuildScheduledEventCreate, What::InGuild),
    (EventKind::GuildScheduledEventUpdate, What::InGuild),
    (EventKind::GuildScheduledEventDelete, What::InGuild),
    (EventKind::ChannelCreate, What::Channel),
    (EventKind::ChannelUpdate, What::Channel),
    (EventKind::ChannelDelete, What::Channel),
    (EventKind::ThreadCreate, What::Channel),
    (EventKind::ThreadUpdate, What::Channel),
    (EventKind::ThreadDelete, What::Channel),
    (EventKind::MessageCreate, What::Messages),
    (EventKind::MessageUpdate, What::Messages),
    (EventKind::MessageDelete, What::Messages),
    (EventKind::MessageDeleteBulk, What::Messages),
    (EventKind::MessageReactionAdd, What::Messages),
    (EventKind::MessageReactionRemove, What::Messages),
    (EventKind::MessageReactionRemoveAll, What::Messages),
    (EventKind::MessageReactionRemoveEmoji, What::Messages),
    (EventKind::UserUpdate, What::Me),
];

/// The paths whose answers a dispatch changes.
fn changed(what: What, d: &[u8]) -> Vec<String> {
    let ids: Ids<'_> = serde_json::from_slice(d).unwrap_or_default();
    let guild = |id: Option<&str>| id.map(|id| format!("/guilds/{id}"));
    let channel = |id: Option<&str>| id.map(|id| format!("/channels/{id}"));
    let paths = match what {
        What::Guild => [guild(ids.id), None],
        What::InGuild => [guild(ids.guild_id), None],
        What::Channel => [channel(ids.id), guild(ids.guild_id)],
        What::Messages => [channel(ids.channel_id), None],
        What::Me => [Some("/users/@me".to_owned()), None],
    };
    paths.into_iter().flatten().collect()
}

/// Changes that are not published yet.
#[derive(Debug, Default)]
struct Waiting {
    paths: Mutex<BTreeSet<String>>,
    came: Notify,
}

impl Waiting {
    fn add(&self, paths: Vec<String>) {
        let mut waiting = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(paths);
        if waiting.len() > WAITING_MAX {
            // Nobody is kept in the dark: an empty path is above all others.
            waiting.clear();
            waiting.insert(String::new());
        }
        drop(waiting);
        self.came.notify_one();
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.paths.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells proxies over a bus what a bot's events change. Clones share what waits.
#[derive(Clone, Debug)]
pub struct Changes {
    waiting: Arc<Waiting>,
}

impl Changes {
    /// Publishes over `bus` until the last clone is gone. Call it inside a tokio runtime.
    #[must_use]
    pub fn new(bus: Arc<dyn EventBus>) -> Self {
        let waiting = Arc::new(Waiting::default());
        let weak = Arc::downgrade(&waiting);
        tokio::spawn(async move {
            while let Some(waiting) = weak.upgrade() {
                let came = waiting.came.notified();
                if tokio::time::timeout(Duration::from_secs(1), came)
                    .await
                    .is_ok()
                {
                    tokio::time::sleep(TOGETHER).await;
                    publish(&*bus, &waiting).await;
                }
            }
        });
        Self { waiting }
    }

    /// Takes in an event: for those who read batches. [`publish_changes`] does it for those who have handlers.
    pub fn saw(&self, entry: &Entry<'_>) {
        let Some(&(_, what)) = CHANGING.iter().find(|(kind, _)| *kind == entry.kind) else {
            return;
        };
        self.waiting.add(changed(what, entry.data));
    }
}

/// Lets proxies know over `bus` what the events of a bot change. Call it before [`Bot::run`], which the handlers for it
/// need, and inside a tokio runtime. The bot then also receives the events that this needs, as far as its intents bring
/// them.
pub fn publish_changes(bot: &Bot, bus: Arc<dyn EventBus>) {
    let changes = Changes::new(bus);
    for &(kind, _) in CHANGING {
        let changes = changes.clone();
        bot.on(kind, move |event| {
            changes.saw(&event.entry());
            async {}
        });
    }
}

async fn publish(bus: &dyn EventBus, waiting: &Waiting) {
    let paths = waiting.take();
    let lines: Vec<&str> = paths.iter().map(String::as_str).collect();
    if let Err(error) = bus.publish(CHANGES, lines.join("\n").as_bytes()).await {
        // What was not told is told with the next change; until then, the proxy's own time limit holds.
        tracing::debug!(%error, "changes could not be published");
        waiting.add(paths.into_iter().collect());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Ends what the cache holds of everything that is told to have changed, for as long as the proxy runs.
pub(super) async fn follow(gate: Arc<Gate>, bus: Arc<dyn EventBus>) {
    loop {
        match listen(&gate, &*bus).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "changes are not heard: trying again"),
        }
        // What was missed is not known.
        gate.cache.invalidate("");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn listen(gate: &Gate, bus: &dyn EventBus) -> Result<(), BusError> {
    let mut listening = bus.subscribe(CHANGES).await?;
    while let Some(delivery) = listening.next().await {
        match delivery {
            Delivery::Gap => {
                gate.cache.invalidate("");
            }
            Delivery::Event(event) => {
                let text = String::from_utf8_lossy(&event.payload);
                for path in text.split('\n') {
                    gate.cache.invalidate(path);
                }
                // A bus that keeps events gives this one to nobody else.
                let _unheard = event.acknowledge().await;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_what_it_changes() {
        let d = br#"{"id":"5","guild_id":"7","name":"x"}"#;
        assert_eq!(changed(What::Channel, d), ["/channels/5", "/guilds/7"]);
        assert_eq!(changed(What::Guild, d), ["/guilds/5"]);
        assert_eq!(changed(What::InGuild, d), ["/guilds/7"]);
        let message = br#"{"id":"5","channel_id":"9"}"#;
        assert_eq!(changed(What::Messages, message), ["/channels/9"]);
        assert_eq!(changed(What::Me, b"{}"), ["/users/@me"]);
        assert!(changed(What::Channel, b"no json").is_empty());
    }

    #[test]
    fn too_many_changes_become_one_that_is_above_all() {
        let waiting = Waiting::default();
        for at in 0..=WAITING_MAX {
            waiting.add(vec![format!("/channels/{at}")]);
        }
        assert_eq!(waiting.take().into_iter().collect::<Vec<_>>(), [""]);
    }
}
