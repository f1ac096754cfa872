//! Ways to read the stream in memory: a whole session, and the parts that it cannot do without.

use std::hint::black_box;

use serde::Deserialize;
use serde_json::value::RawValue;
use shardkeep::inflate;
use shardkeep_core::gateway::{Config, Input, Output, Session};
use shardkeep_core::wire::{Buffer, Compression, Inflate, Intents, Miniz, scan};
use shardkeep_core::{Instant, Machine as _, ShardId, Token};

use crate::recording::{Messages, Recording};

/// Who inflates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// What core has without std.
    Core,
    /// What the runtime plugs in.
    Runtime,
}

impl Backend {
    /// An inflater for `compression`.
    #[must_use]
    pub fn inflater(self, compression: Compression) -> Box<dyn Inflate> {
        match self {
            Self::Core => Box::new(Miniz::new()),
            Self::Runtime => inflate::for_compression(compression, inflate::WINDOW_LOG_MAX),
        }
    }
}

/// Larger than any message of the stream.
const LIMIT: usize = 64 << 20;

/// A session that was let in and has seen the guilds.
pub struct Ready {
    session: Session,
    binary: bool,
}

impl Ready {
    /// Plays the beginning of the recording to a new session.
    ///
    /// # Panics
    ///
    /// If the session does not reach READY.
    #[must_use]
    pub fn new(recording: &Recording, backend: Backend) -> Self {
        let token = Token::new("not.a.token").expect("a token of three parts");
        let mut config = Config::new(
            ShardId::SINGLE,
            token,
            Intents::ALL,
            "wss://gateway.discord.gg",
        );
        config.compression = recording.compression;
        let inflater = backend.inflater(recording.compression);
        let session = Session::new(config, inflater, Instant::ZERO).expect("a valid config");
        let mut ready = Self {
            session,
            binary: recording.compression != Compression::None,
        };
        ready.session.handle_timeout(Instant::ZERO);
        assert_eq!(ready.drain(), 0);
        ready.feed(Input::Connected);
        ready.play(&recording.hello);
        ready.feed(Input::IdentifyGranted);
        assert_eq!(
            ready.play(&recording.ready),
            recording.ready.len(),
            "READY and guilds"
        );
        ready
    }

    fn feed(&mut self, input: Input<'_>) -> usize {
        self.session
            .handle_input(Instant::ZERO, input)
            .expect("the session is connected");
        self.drain()
    }

    fn drain(&mut self) -> usize {
        let mut dispatches = 0;
        while let Some(output) = self.session.poll_output() {
            if let Output::Dispatch(dispatch) = output {
                black_box(&dispatch);
                dispatches += 1;
            }
        }
        dispatches
    }

    /// Feeds every message; answers how many dispatches came out.
    #[inline(never)]
    pub fn play(&mut self, messages: &Messages) -> usize {
        let mut dispatches = 0;
        for message in messages.iter() {
            let input = if self.binary {
                Input::Binary(message)
            } else {
                Input::Text(message)
            };
            dispatches += self.feed(input);
        }
        dispatches
    }
}

/// An inflater that has seen the beginning, and the room it inflates into.
pub struct Alone {
    inflater: Box<dyn Inflate>,
    room: Buffer,
}

impl Alone {
    /// Plays the beginning of the recording to a new inflater.
    #[must_use]
    pub fn new(recording: &Recording, backend: Backend) -> Self {
        let inflater = backend.inflater(recording.compression);
        let mut alone = Self {
            inflater,
            room: Buffer::new(),
        };
        alone.play(&recording.hello);
        alone.play(&recording.ready);
        alone
    }

    /// Inflates every message and forgets it; answers how many bytes came out.
    ///
    /// # Panics
    ///
    /// If the stream is corrupt.
    #[inline(never)]
    pub fn play(&mut self, messages: &Messages) -> usize {
        let mut bytes = 0;
        for message in messages.iter() {
            self.room.clear();
            self.inflater
                .inflate(message, &mut self.room, LIMIT)
                .expect("a sound stream");
            bytes += black_box(self.room.filled()).len();
        }
        bytes
    }
}

/// Scans the envelope of every message; answers the sum of the sequences.
///
/// # Panics
///
/// If a message is no envelope.
#[inline(never)]
#[must_use]
pub fn scan_all(messages: &Messages) -> u64 {
    let one = |message| {
        black_box(scan(message).expect("an envelope"))
            .sequence
            .unwrap_or(0)
    };
    messages.iter().map(one).sum()
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    t: Option<&'a str>,
    s: Option<u64>,
    op: u64,
    #[serde(borrow)]
    d: &'a RawValue,
}

/// Reads the envelope of every message with serde_json; answers the sum of the sequences.
///
/// # Panics
///
/// If a message is no envelope.
#[inline(never)]
#[must_use]
pub fn serde_all(messages: &Messages) -> u64 {
    let one = |message| {
        let envelope: Envelope<'_> = serde_json::from_slice(message).expect("an envelope");
        black_box((envelope.t, envelope.op, envelope.d));
        envelope.s.unwrap_or(0)
    };
    messages.iter().map(one).sum()
}
