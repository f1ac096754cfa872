//! zlib-stream, zstd-stream and payload compression, inflated with other decoders than the ones that made them.

#![expect(
    clippy::unwrap_used,
    reason = "what a test expects, its own functions expect too"
)]

mod script;

use serde_json::{Value, json};
use shardkeep_sim::{Fault, WorldConfig};
use zlib_rs::{Inflate, InflateFlush};
use zstd_safe::{DCtx, InBuffer, OutBuffer};

use script::{ALL_INTENTS, Heard, Script, identify};

fn world(compress: &str) -> Script {
    let config = WorldConfig {
        guilds: 8,
        members_per_guild: 20,
        chatter_per_s: 100,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    script.open_at(1, &format!("/?v=10&encoding=json&compress={compress}"));
    script
}

fn frames(script: &mut Script) -> Vec<Vec<u8>> {
    let heard = script.take().into_iter();
    heard
        .map(|heard| match heard {
            Heard::Binary(1, bytes) => bytes,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn inflate(context: &mut Inflate, mut bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let (before_in, before_out) = (context.total_in(), context.total_out());
        context
            .decompress(bytes, &mut buffer, InflateFlush::SyncFlush)
            .unwrap();
        bytes = &bytes[usize::try_from(context.total_in() - before_in).unwrap()..];
        let made = usize::try_from(context.total_out() - before_out).unwrap();
        out.extend_from_slice(&buffer[..made]);
        if bytes.is_empty() && made < buffer.len() {
            return out;
        }
    }
}

fn unzstd(context: &mut DCtx<'_>, bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut buffer) = (Vec::new(), vec![0; 1 << 17]);
    let mut input = InBuffer::around(bytes);
    loop {
        let mut output = OutBuffer::around(&mut buffer[..]);
        context.decompress_stream(&mut output, &mut input).unwrap();
        let made = output.pos();
        out.extend_from_slice(&buffer[..made]);
        if input.pos() == bytes.len() && made < buffer.len() {
            return out;
        }
    }
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

#[test]
fn zlib_stream_is_one_stream_flushed_after_every_message() {
    let mut script = world("zlib-stream");
    script.identify(1, [0, 1], ALL_INTENTS);
    script.wait_ms(1_000);
    let mut context = Inflate::new(true, 15);
    let frames = frames(&mut script);
    assert!(frames[0].starts_with(&[0x78]));
    for (at, frame) in frames.iter().enumerate() {
        assert!(frame.ends_with(&[0, 0, 0xff, 0xff]));
        let message = json_of(&inflate(&mut context, frame));
        match at {
            0 => assert_eq!(message["op"], 10),
            _ => assert_eq!(message["s"], at),
        }
    }
    assert!(frames.len() > 100);
}

#[test]
fn zstd_stream_is_one_frame_with_a_window_of_256_kib() {
    let mut script = world("zstd-stream");
    script.identify(1, [0, 1], ALL_INTENTS);
    script.wait_ms(1_000);
    let frames = frames(&mut script);
    // Magic, no content size, no checksum, no dictionary, not single-segment, window 2^18: as Discord's HELLO has it.
    assert_eq!(frames[0][..6], [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x40]);
    let mut context = DCtx::create();
    for (at, frame) in frames.iter().enumerate() {
        let message = json_of(&unzstd(&mut context, frame));
        match at {
            0 => assert_eq!(message["op"], 10),
            _ => assert_eq!(message["s"], at),
        }
    }
}

#[test]
fn payload_compression_makes_large_messages_binary() {
    let config = WorldConfig {
        guilds: 4,
        members_per_guild: 20,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    script.open(1);
    let mut message = identify([0, 1], ALL_INTENTS);
    message["d"]["compress"] = json!(true);
    script.say(1, &message);
    script.wait_ms(1_000);
    script.heartbeat(1, Some(5));
    let heard = script.take();
    let binary: Vec<_> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Binary(1, bytes) => Some(json_of(&inflate(&mut Inflate::new(true, 15), bytes))),
            _ => None,
        })
        .collect();
    assert!(
        binary
            .iter()
            .filter(|message| message["t"] == "GUILD_CREATE")
            .count()
            >= 4
    );
    assert!(matches!(heard.last(), Some(Heard::Message(1, ack)) if ack["op"] == 11));
}

#[test]
fn messages_are_split_and_merged_on_demand() {
    let mut script = world("zlib-stream");
    script.identify(1, [0, 1], ALL_INTENTS);
    script.wait_ms(1_000);
    let mut context = Inflate::new(true, 15);
    for frame in frames(&mut script) {
        inflate(&mut context, &frame);
    }
    script.control(json!({"do": "chatter", "per_s": 0}));
    script.fault(
        1,
        Fault::SplitFrames {
            messages: 1,
            pieces: 3,
        },
    );
    script.control(json!({"do": "say", "content": "in pieces"}));
    let pieces = frames(&mut script);
    assert_eq!(pieces.len(), 3);
    assert_eq!(
        json_of(&inflate(&mut context, &pieces.concat()))["d"]["content"],
        "in pieces"
    );
    script.fault(1, Fault::MergeFrames { messages: 3 });
    for _ in 0..2 {
        script.control(json!({"do": "say", "content": "together"}));
    }
    assert_eq!(frames(&mut script).len(), 0);
    // They wait for a third message no longer than this.
    script.wait_ms(100);
    let merged = frames(&mut script).remove(0);
    let text = inflate(&mut context, &merged);
    let messages: Vec<Value> = serde_json::Deserializer::from_slice(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(messages.len(), 2);
}

#[test]
fn a_corrupt_frame_is_an_error_to_any_decoder() {
    for compress in ["zlib-stream", "zstd-stream"] {
        let mut script = world(compress);
        script.identify(1, [0, 1], ALL_INTENTS);
        script.wait_ms(1_000);
        let good = frames(&mut script);
        script.fault(1, Fault::CorruptFrame);
        script.control(json!({"do": "say", "content": "damaged"}));
        let bad = frames(&mut script).remove(0);
        let mut out = vec![0; 1 << 16];
        if compress == "zlib-stream" {
            let mut context = Inflate::new(true, 15);
            good.iter()
                .for_each(|frame| drop(inflate(&mut context, frame)));
            assert!(
                context
                    .decompress(&bad, &mut out, InflateFlush::SyncFlush)
                    .is_err()
            );
        } else {
            let mut context = DCtx::create();
            good.iter()
                .for_each(|frame| drop(unzstd(&mut context, frame)));
            let mut output = OutBuffer::around(&mut out[..]);
            assert!(
                context
                    .decompress_stream(&mut output, &mut InBuffer::around(&bad))
                    .is_err()
            );
        }
    }
}

#[test]
fn a_bomb_is_small_on_the_wire() {
    for compress in ["zlib-stream", "zstd-stream"] {
        let mut script = world(compress);
        script.identify(1, [0, 1], ALL_INTENTS);
        script.wait_ms(1_000);
        script.take();
        assert_eq!(
            script.fault(1, Fault::Bomb { bytes: 16 << 20 }),
            json!({"hit": 1})
        );
        let bomb = frames(&mut script).remove(0);
        assert!(bomb.len() < 32 << 10, "{} bytes", bomb.len());
    }
    let (mut plain, bomb) = (
        Script::new(WorldConfig::default()),
        Fault::Bomb { bytes: 1 << 20 },
    );
    plain.start(1, [0, 1], 0);
    assert_eq!(plain.fault(1, bomb), json!({"hit": 0}));
}
