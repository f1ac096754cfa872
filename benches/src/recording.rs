//! What Discord would send on one connection, recorded from the simulated one: the same messages every time.

use shardkeep_core::Machine as _;
use shardkeep_core::wire::{Compression, Intents};
use shardkeep_sim::{
    Control, DEFAULT_TOKEN, Input, Instant, LedgerDetail, Output, World, WorldConfig,
};

/// The connection's number in the world.
const CONNECTION: u64 = 1;

/// What is drawn between two looks at the world: this many events of all kinds ...
const CHATTER: u32 = 40;
/// ... and this many messages in guilds, so that the mean size is that of a bot that hears everything said.
const MESSAGES: u32 = 60;

/// Discord asks for a heartbeat every 41 s. Here no heartbeat falls into a run, for an answer would have to be
/// compressed in its midst.
const HEARTBEAT_MS: u64 = 3_600_000;

/// Messages, one after the other in one row of bytes.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Messages {
    fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }

    /// How many messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes all of them have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The mean size of a message in bytes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
    pub fn mean_bytes(&self) -> f64 {
        self.bytes.len() as f64 / self.ends.len().max(1) as f64
    }

    /// One message after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.bytes[start..end])
    }
}

/// One connection: how it began, and a long row of events.
#[derive(Clone, Debug)]
pub struct Recording {
    /// How the messages are compressed: with one context over all of them, flushed after each.
    pub compression: Compression,
    /// The first message.
    pub hello: Messages,
    /// The answer to Identify: READY, and a GUILD_CREATE for every guild.
    pub ready: Messages,
    /// What happened then.
    pub events: Messages,
}

impl Recording {
    /// Records `events` events of a world that is the same every time.
    ///
    /// Zlib is compressed at level 6. Zstd is at level 3, with a window of 256 KiB as Discord's frames declare.
    ///
    /// # Panics
    ///
    /// If the simulated Discord refuses the connection: nothing could be measured then.
    #[must_use]
    pub fn new(compression: Compression, events: usize) -> Self {
        let mut recorder = Recorder::new();
        let query = compression.query().map(|name| format!("&compress={name}"));
        let path_and_query = format!("/?v=10&encoding=json{}", query.unwrap_or_default());
        recorder.feed(Input::Open {
            connection: CONNECTION,
            path_and_query: &path_and_query,
        });
        let hello = recorder.take();
        recorder.identify(compression == Compression::Payload);
        while !recorder.is_idle() {
            recorder.step();
        }
        let ready = recorder.take();
        assert!(
            hello.len() == 1 && ready.len() > 1,
            "the simulated Discord let nobody in"
        );
        while recorder.messages.len() < events {
            recorder.traffic();
        }
        let mut all = recorder.take();
        all.ends.truncate(events);
        all.bytes
            .truncate(all.ends.last().copied().unwrap_or_default());
        Self {
            compression,
            hello,
            ready,
            events: all,
        }
    }
}

/// A world, the time in it, and what it said since anyone asked.
struct Recorder {
    world: World,
    now: Instant,
    messages: Messages,
}

impl Recorder {
    fn new() -> Self {
        let config = WorldConfig {
            seed: 7,
            guilds: 40,
            members_per_guild: 300,
            heartbeat_interval_ms: HEARTBEAT_MS,
            zlib_level: 6,
            zstd_level: 3,
            ledger: LedgerDetail::Counts,
            pending_bytes: usize::MAX,
            ..WorldConfig::default()
        };
        let now = Instant::ZERO;
        Self {
            world: World::new(config, now),
            now,
            messages: Messages::default(),
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        self.world
            .handle_input(self.now, input)
            .expect("every connection is opened once");
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.world.poll_output() {
            match output {
                Output::Text { bytes, .. } | Output::Binary { bytes, .. } => {
                    self.messages.push(bytes);
                }
                other => panic!("the simulated Discord hung up: {other:?}"),
            }
        }
    }

    fn identify(&mut self, compress: bool) {
        let intents = Intents::ALL.bits();
        let compress = if compress { r#""compress":true,"# } else { "" };
        let identify = format!(
            r#"{{"op":2,"d":{{"token":"{DEFAULT_TOKEN}","intents":{intents},{compress}"properties":{{}}}}}}"#
        );
        self.feed(Input::Text {
            connection: CONNECTION,
            bytes: identify.as_bytes(),
        });
    }

    /// Whether nothing is due soon: the guilds are sent.
    fn is_idle(&self) -> bool {
        self.world.poll_timeout().is_none_or(|next| {
            next.at > self.now + core::time::Duration::from_millis(HEARTBEAT_MS / 2)
        })
    }

    fn step(&mut self) {
        if let Some(next) = self.world.poll_timeout() {
            self.now = next.at;
            self.world.handle_timeout(self.now);
            self.drain();
        }
    }

    /// A few events of all kinds, then a few messages.
    fn traffic(&mut self) {
        self.feed(Input::Control(Control::Chatter { per_s: 1_000_000 }));
        for _ in 0..CHATTER {
            self.step();
        }
        self.feed(Input::Control(Control::Chatter { per_s: 0 }));
        self.feed(Input::Control(Control::Burst { events: MESSAGES }));
    }

    fn take(&mut self) -> Messages {
        std::mem::take(&mut self.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressions_carry_the_same_events() {
        let plain = Recording::new(Compression::None, 1_000);
        assert_eq!(plain.events.len(), 1_000);
        let mean = plain.events.mean_bytes();
        assert!((850.0..1_000.0).contains(&mean), "{mean} bytes");
        for compression in [Compression::ZlibStream, Compression::ZstdStream] {
            let packed = Recording::new(compression, 1_000);
            assert!(packed.events.bytes() * 2 < plain.events.bytes());
        }
    }
}
