//! One event that can be kept, sent to another thread and read at leisure.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use shardkeep_core::wire::{EventKind, json};
use shardkeep_core::{ShardId, Snowflake};

use super::batch::Batch;
use super::before::{Before, Befores};
use super::chunk::Entry;
use super::lifecycle::Lifecycle;
use super::topic::Topic;

/// One event: a dispatch from Discord, or something in a shard's life. Nothing is decoded until it is asked for.
///
/// Cloning is cheap: events of a batch share its memory.
///
/// ```no_run
/// # #[derive(serde::Deserialize)] struct Message { content: String }
/// # async fn f(bot: shardkeep::Bot) -> Result<(), Box<dyn std::error::Error>> {
/// use shardkeep::core::wire::EventKind;
///
/// while let Some(event) = bot.next_event().await {
///     if event.kind() == EventKind::MessageCreate {
///         let message: Message = event.parse()?;
///         println!("{:?}: {}", event.guild_id(), message.content);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Event {
    batch: Arc<Batch>,
    index: usize,
}

impl Event {
    /// `index` is below the batch's length.
    pub(super) const fn new(batch: Arc<Batch>, index: usize) -> Self {
        Self { batch, index }
    }

    /// Everything at once, borrowed.
    ///
    /// # Panics
    ///
    /// Never: an event is only made where its batch has an entry for it.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        self.batch
            .get(self.index)
            .expect("an event is only made where its batch has an entry")
    }

    /// The shard that it arrived on.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.entry().shard
    }

    /// The envelope's `s`: increasing within one session.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.entry().sequence
    }

    /// What it is about.
    #[must_use]
    pub fn topic(&self) -> Topic {
        self.entry().topic
    }

    /// Which dispatch; [`EventKind::Unknown`] for lifecycle events and for names that this version does not list.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.entry().kind
    }

    /// Discord's name of the dispatch, such as `MESSAGE_CREATE`, or the topic's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.entry().name
    }

    /// The JSON of `d`, the bytes as they came.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.entry().data
    }

    /// The JSON of `d` as text. Borrowed, unless Discord sent bytes that are not UTF-8: those show as U+FFFD.
    #[must_use]
    pub fn json(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.data())
    }

    /// Whether it was missed while disconnected and replayed by a resume.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.entry().replayed
    }

    /// The record that it changed or removed, as it was before: see [`Entry::before`].
    ///
    /// ```no_run
    /// # fn f(event: &shardkeep::Event) {
    /// if let Some(before) = event.before() {
    ///     println!("{} was {}", before.key, String::from_utf8_lossy(before.json));
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn before(&self) -> Option<Before<'_>> {
        self.entry().before()
    }

    /// All records that it changed or removed, as they were before.
    #[must_use]
    pub fn befores(&self) -> Befores<'_> {
        self.entry().befores()
    }

    /// Decodes `d`.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if the JSON does not fit `T`. Fields that `T` does not have are passed over.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ParseError> {
        let entry = self.entry();
        serde_json::from_slice(entry.data).map_err(|source| ParseError {
            name: entry.name.to_owned(),
            source,
        })
    }

    /// What happened to the shard; none for dispatches.
    #[must_use]
    pub fn lifecycle(&self) -> Option<Lifecycle> {
        Lifecycle::read(self.entry())
    }

    /// The guild that a dispatch belongs to, found in its JSON; none where it belongs to none. Guild events themselves
    /// name it `id`.
    #[must_use]
    pub fn guild_id(&self) -> Option<Snowflake> {
        let entry = self.entry();
        if entry.topic != Topic::Dispatch {
            return None;
        }
        let key = match entry.kind {
            EventKind::GuildCreate | EventKind::GuildUpdate | EventKind::GuildDelete => "id",
            _ => "guild_id",
        };
        json::snowflake(json::field(entry.data, key)?)
    }

    /// Says that the application has finished this event: with a `session_store`, what is not finished when the process
    /// dies is replayed to the next. `false` if nobody waits for that: it was said before, or its session is over.
    ///
    /// Not needed where `acknowledge` is `auto`: it is said once all handlers of an event have returned, or once all
    /// events of a batch are dropped.
    pub fn acknowledge(&self) -> bool {
        self.batch.acknowledge_one(self.index)
    }

    /// The same event with memory of its own, no longer holding on to its batch. For events that are kept for long.
    /// What is kept alone does not keep it from counting as finished.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self {
            batch: Arc::new(self.batch.alone(self.index)),
            index: 0,
        }
    }

    /// The dispatch as twilight's model of it. Decodes all of it; [`Event::parse`] decodes only what is asked for.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if it is a lifecycle event, if twilight does not know its name, or if the JSON does not fit.
    #[cfg(feature = "twilight-model")]
    pub fn twilight(&self) -> Result<twilight_model::gateway::event::DispatchEvent, ParseError> {
        use serde::de::{DeserializeSeed, Error as _};
        use twilight_model::gateway::event::DispatchEventWithTypeDeserializer;

        let entry = self.entry();
        let failed = |source| ParseError {
            name: entry.name.to_owned(),
            source,
        };
        if entry.topic != Topic::Dispatch {
            return Err(failed(serde_json::Error::custom(
                "a lifecycle event is not one of Discord's",
            )));
        }
        let mut json = serde_json::Deserializer::from_slice(entry.data);
        DispatchEventWithTypeDeserializer::new(entry.name)
            .deserialize(&mut json)
            .map_err(failed)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.entry(), f)
    }
}

/// JSON that did not fit the type it was decoded to.
#[derive(Debug, thiserror::Error)]
#[error("{name} does not fit the type it was decoded to: {source}")]
pub struct ParseError {
    name: String,
    source: serde_json::Error,
}
