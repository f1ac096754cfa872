//! Compressed streams over real sockets, inflated by decoders other than the ones the simulator is built on.

#![cfg(feature = "server")]

mod common_server;

use std::io::Read;

use common_server::{Client, Heard, identify, server, world};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};
use serde_json::{Value, json};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, DEFAULT_TOKEN, Fault, Target};

/// One `zlib-stream`, inflated message by message.
struct Zlib {
    waiting: Vec<u8>,
    state: Box<InflateState>,
}

impl Zlib {
    fn new() -> Self {
        Self {
            waiting: Vec::new(),
            state: InflateState::new_boxed(DataFormat::Zlib),
        }
    }

    /// Takes a frame; answers a message's JSON once its last four bytes are there.
    fn push(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.waiting.extend_from_slice(bytes);
        if !self.waiting.ends_with(&[0, 0, 0xff, 0xff]) {
            return None;
        }
        let (mut message, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
        let mut input = self.waiting.as_slice();
        loop {
            let result = inflate(&mut self.state, input, &mut chunk, MZFlush::Sync);
            message.extend_from_slice(&chunk[..result.bytes_written]);
            input = &input[result.bytes_consumed..];
            if result.bytes_written < chunk.len() {
                assert!(input.is_empty(), "{:?}", result.status);
                break;
            }
        }
        self.waiting.clear();
        Some(message)
    }

    /// The next message of a client whose stream this is.
    async fn message(&mut self, client: &mut Client) -> Value {
        loop {
            let Heard::Bytes(bytes) = client.hear().await else {
                panic!("a binary frame is expected")
            };
            if let Some(message) = self.push(&bytes) {
                return serde_json::from_slice(&message).expect("a message is JSON");
            }
        }
    }

    async fn until(&mut self, client: &mut Client, t: &str) -> Value {
        loop {
            let message = self.message(client).await;
            if message["t"] == t {
                return message;
            }
        }
    }
}

async fn say(server: &Server, content: &str) {
    let content = content.to_owned();
    server
        .control(Control::Say {
            guild: None,
            channel: None,
            content,
        })
        .await;
}

async fn fault(server: &Server, fault: Fault) {
    server
        .control(Control::Fault {
            target: Target::All,
            fault,
        })
        .await;
}

const ZLIB: &str = "v=10&encoding=json&compress=zlib-stream";

#[tokio::test]
async fn zlib_stream_survives_split_and_merged_frames_and_starts_anew_on_resume() {
    let server = server(world()).await;
    let (mut client, mut zlib) = (Client::connect(&server, ZLIB).await, Zlib::new());
    assert_eq!(zlib.message(&mut client).await["op"], 10);
    client.send(2, identify([0, 1])).await;
    let ready = zlib.until(&mut client, "READY").await["d"].clone();
    let mut seq = 0;
    for _ in 0..6 {
        seq = zlib.until(&mut client, "GUILD_CREATE").await["s"]
            .as_u64()
            .unwrap();
    }

    fault(
        &server,
        Fault::SplitFrames {
            messages: 2,
            pieces: 5,
        },
    )
    .await;
    say(&server, "in pieces").await;
    say(&server, "again").await;
    assert_eq!(zlib.message(&mut client).await["d"]["content"], "in pieces");
    assert_eq!(zlib.message(&mut client).await["d"]["content"], "again");

    fault(&server, Fault::MergeFrames { messages: 2 }).await;
    say(&server, "first").await;
    say(&server, "second").await;
    let Heard::Bytes(bytes) = client.hear().await else {
        panic!("one frame")
    };
    let both = zlib.push(&bytes).unwrap();
    let both: Vec<Value> = serde_json::Deserializer::from_slice(&both)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        (both.len(), &both[1]["d"]["content"]),
        (2, &json!("second"))
    );

    fault(&server, Fault::Drop).await;
    say(&server, "missed").await;
    let (mut client, mut zlib) = (Client::connect(&server, ZLIB).await, Zlib::new());
    assert_eq!(zlib.message(&mut client).await["op"], 10);
    let session = &ready["session_id"];
    let resume = json!({ "token": DEFAULT_TOKEN, "session_id": session, "seq": seq + 4 });
    client.send(6, resume).await;
    assert_eq!(zlib.message(&mut client).await["d"]["content"], "missed");
    assert_eq!(zlib.message(&mut client).await["t"], "RESUMED");
}

#[tokio::test]
async fn zstd_stream_is_one_frame_that_is_flushed_after_every_message() {
    let server = server(world()).await;
    let mut client = Client::connect(&server, "v=10&encoding=json&compress=zstd-stream").await;
    let mut stream = Vec::new();
    let mut frames = 0;
    let mut hear = async |client: &mut Client, count: usize, stream: &mut Vec<u8>| {
        for _ in 0..count {
            let Heard::Bytes(bytes) = client.hear().await else {
                panic!("a binary frame is expected")
            };
            stream.extend_from_slice(&bytes);
            frames += 1;
        }
    };
    hear(&mut client, 1, &mut stream).await;
    client.send(2, identify([0, 1])).await;
    hear(&mut client, 1 + 6, &mut stream).await;
    for number in 0..20 {
        say(&server, &format!("message {number}")).await;
        hear(&mut client, 1, &mut stream).await;
    }
    assert_eq!(
        stream[..6],
        [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x40],
        "a window of 256 KiB, as at Discord"
    );

    // The frame never ends, and this decoder holds bytes back until it does: an empty last block ends it.
    stream.extend_from_slice(&[1, 0, 0]);
    let mut text = Vec::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(stream.as_slice()).unwrap();
    decoder.read_to_end(&mut text).unwrap();
    let messages: Vec<Value> = serde_json::Deserializer::from_slice(&text)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(messages.len(), frames);
    assert_eq!(messages[1]["t"], "READY");
    assert_eq!(messages.last().unwrap()["d"]["content"], "message 19");
}

#[tokio::test]
async fn payload_compression_makes_each_large_message_a_stream_of_its_own() {
    let server = server(world()).await;
    let mut client = Client::connect(&server, "v=10&encoding=json").await;
    client.message().await;
    let mut d = identify([0, 1]);
    d["compress"] = json!(true);
    client.send(2, d).await;
    let mut guilds = 0;
    while guilds < 6 {
        let message = match client.hear().await {
            Heard::Message(message) => message,
            Heard::Bytes(bytes) => {
                let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(&bytes).unwrap();
                serde_json::from_slice::<Value>(&bytes).unwrap()
            }
            other => panic!("{other:?}"),
        };
        guilds += usize::from(message["t"] == "GUILD_CREATE");
    }
    say(&server, "short").await;
    let message = client.hear().await;
    assert!(
        matches!(message, Heard::Message(_)),
        "a small message stays as it is"
    );
}
