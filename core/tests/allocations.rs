//! In steady state a session allocates nothing: not for a message, not for a dispatch, whatever the compression.

use allocation_counter::measure;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush};
use shardkeep_core::gateway::{Config, Input, Output, Session};
use shardkeep_core::wire::{Compression, Intents, Miniz};
use shardkeep_core::{Instant, Machine, ShardId, Token};

/// Messages until memory has reached its size, and messages that are counted.
const WARM: usize = 200;
const COUNTED: usize = 2_000;

const HELLO: &str = r#"{"op":10,"d":{"heartbeat_interval":41250}}"#;
const READY: &str = concat!(
    r#"{"t":"READY","s":1,"op":0,"d":{"v":10,"session_id":"steady","guilds":[{"id":"1"}],"#,
    r#""resume_gateway_url":"wss://gateway-us-east1-b.discord.gg","user":{"id":"2"}}}"#
);

/// Of changing kind and size, one of them unknown, some about a guild that comes and goes.
fn event(sequence: usize) -> String {
    let words = "said something ".repeat(20 + sequence * 7 % 60);
    let (name, data) = match sequence % 8 {
        0 => (
            "TYPING_START",
            r#"{"user_id":"3","channel_id":"4"}"#.to_owned(),
        ),
        1 => ("NOT_LISTED_YET", r#"{"content":"a quote: \" "}"#.to_owned()),
        2 => ("GUILD_CREATE", r#"{"id":"1","name":"one"}"#.to_owned()),
        3 => (
            "GUILD_DELETE",
            r#"{"id":"1","unavailable":true}"#.to_owned(),
        ),
        _ => (
            "MESSAGE_CREATE",
            format!(r#"{{"content":"{words}","id":"{sequence}"}}"#),
        ),
    };
    format!(r#"{{"t":"{name}","s":{sequence},"op":0,"d":{data}}}"#)
}

/// Turns the gateway's messages into what arrives.
enum Sender {
    Plain,
    Stream(Box<CompressorOxide>),
    Payload,
}

impl Sender {
    fn new(compression: Compression) -> Self {
        match compression {
            Compression::ZlibStream => {
                let mut compressor = Box::<CompressorOxide>::default();
                compressor.set_format_and_level(DataFormat::Zlib, 6);
                Self::Stream(compressor)
            }
            Compression::Payload => Self::Payload,
            _ => Self::Plain,
        }
    }

    fn encode(&mut self, message: &str) -> Vec<u8> {
        match self {
            Self::Plain => message.as_bytes().to_vec(),
            Self::Payload => compress_to_vec_zlib(message.as_bytes(), 6),
            Self::Stream(compressor) => {
                let mut out = vec![0; message.len() + 1_024];
                let result = deflate(compressor, message.as_bytes(), &mut out, MZFlush::Sync);
                out.truncate(result.bytes_written);
                out
            }
        }
    }
}

struct Client {
    session: Session,
    binary: bool,
    /// Whether dispatches are taken where they lie.
    in_place: bool,
    dispatches: usize,
    bytes: usize,
}

impl Client {
    fn new(compression: Compression, in_place: bool) -> Self {
        let token = Token::new("not.a.token").expect("a token");
        let base = "wss://gateway.discord.gg";
        let mut config = Config::new(ShardId::SINGLE, token, Intents::ALL, base);
        config.compression = compression;
        let session =
            Session::new(config, Box::new(Miniz::new()), Instant::ZERO).expect("a valid config");
        let binary = compression != Compression::None;
        Self {
            session,
            binary,
            in_place,
            dispatches: 0,
            bytes: 0,
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        let fed = if self.in_place {
            self.session
                .handle_input_with(Instant::ZERO, input, &mut |dispatch| {
                    self.dispatches += 1;
                    self.bytes += dispatch.data.len() + dispatch.name.len();
                })
        } else {
            self.session.handle_input(Instant::ZERO, input)
        };
        fed.expect("an input in place");
        while let Some(output) = self.session.poll_output() {
            if let Output::Dispatch(dispatch) = output {
                self.dispatches += 1;
                self.bytes += dispatch.data.len() + dispatch.name.len();
            }
        }
    }

    fn receive(&mut self, message: &[u8]) {
        self.feed(if self.binary {
            Input::Binary(message)
        } else {
            Input::Text(message)
        });
    }
}

fn steady(compression: Compression) {
    steady_by(compression, false);
    steady_by(compression, true);
}

fn steady_by(compression: Compression, in_place: bool) {
    let mut sender = Sender::new(compression);
    let mut client = Client::new(compression, in_place);
    client.session.handle_timeout(Instant::ZERO);
    while client.session.poll_output().is_some() {}
    client.feed(Input::Connected);
    client.receive(&sender.encode(HELLO));
    client.feed(Input::IdentifyGranted);
    client.receive(&sender.encode(READY));
    let messages: Vec<Vec<u8>> = (2..2 + WARM + COUNTED)
        .map(|sequence| sender.encode(&event(sequence)))
        .collect();
    let (warm, counted) = messages.split_at(WARM);
    warm.iter().for_each(|message| client.receive(message));
    let allocations = measure(|| counted.iter().for_each(|message| client.receive(message)));
    assert_eq!(allocations.count_total, 0, "{compression}: {allocations:?}");
    assert_eq!(client.dispatches, 1 + WARM + COUNTED, "{compression}");
    assert_eq!(client.session.stats().bad_messages, 0, "{compression}");
    let all: usize = (2..2 + WARM + COUNTED)
        .map(|sequence| event(sequence).len())
        .sum();
    assert!(
        client.bytes > all / 2,
        "{compression}: {} bytes",
        client.bytes
    );
}

#[test]
fn plain_text_allocates_nothing() {
    steady(Compression::None);
}

#[test]
fn a_zlib_stream_allocates_nothing() {
    steady(Compression::ZlibStream);
}

#[test]
fn zlib_payloads_allocate_nothing() {
    steady(Compression::Payload);
}
