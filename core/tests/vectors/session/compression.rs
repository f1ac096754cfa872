//! Protocol 2: compression. The streams were made once with zlib; zstd is the runtime's.

use serde_json::json;

use super::super::model::Vector;
use super::{Shard, play};

/// A zlib stream of four messages: Hello, READY, and two dispatches with sequences 2 and 3.
const STREAM: [&str; 4] = [
    "78daaa562a51b2ca2bcdc9d1512a8631f20b94ac0c0d74945294acaa953252138b4a9252134be233f34a528bca\
     127394ac4c0c8d4c0d6a6b01000000ffff",
    "aa06e9550a7275748954026b3784e885692d4e2d2ececccf8bcf04f294129392818ad24b337352802aa3636b6b01000000ffff",
    "8268f7750d0e7674778d77069a13e20a31c708d59c3cb048496a05487d7e596a9142625e8a020a43a9b616000000ffff",
    "c26d9c318671c6848d03000000ffff",
];

/// READY and the dispatch with sequence 2 in one flush, after Hello.
const TWO: &str = "\
    aa06e9550a7275748954026b3784e885692d4e2d2ececccf8bcf04f294129392818ad24b337352802aa36361da7d5d83831d\
    dd5de39d81e684b842cc314235270f2c52925a01529f5f965aa4909897a280c250aaad05000000ffff";

/// A message of 200,000 bytes in 253, after Hello.
const BOMB: &str = "\
    ecccb10980401044d15e3636103b3864b9c8c43317eb107b17b703f3f7e2997fd772aee7327da1d8728cd6f35cf76c474635\
    e202000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    007e8be7050000ffff";

/// READY as a payload of its own.
const PAYLOAD: &str = "\
    78daab562a51b2520a7275748954d2512a56b232d451ca2f50b232d0514a51b2aa562a4e2d2ececccf8bcf04f29412939281\
    8ad24b337352802aa3636b6b0128f912b3";

/// The same 200,000 bytes as a payload of its own.
const PAYLOAD_BOMB: &str = "\
    78daedc8210e83400004c0bfac3e4190e708b9a06aa09e90e0db045cc3dfe10bf533727ef97c53bb9223b52f3953f36acb32\
    4c6d1de736bc5b4af62737000000000000000000000000000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    00000000000000000000000000e06fb96e39ed2139";

/// A payload whose JSON ends early.
const PAYLOAD_CUT: &str = "78daab56ca2f50b232d0512a56b232020019e50358";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = zlib_stream();
    vectors.extend(zlib_stream_trouble());
    vectors.extend(payload());
    vectors.extend(plain());
    vectors
}

fn streamed(name: &str, rule: &str) -> Shard {
    play(name, rule)
        .config(json!({"compress": "zlib-stream", "message_bytes_max": 65_536}))
        .awaiting_hello()
}

/// One hex text, cut into pieces of so many bytes.
fn cut(hex: &str, bytes: usize) -> Vec<&str> {
    (0..hex.len())
        .step_by(bytes * 2)
        .map(|at| &hex[at..hex.len().min(at + bytes * 2)])
        .collect()
}

fn in_pieces() -> Vector {
    let mut shard = streamed(
        "zlib_message_over_frames",
        "2.3 one message may span frames: nothing until the four bytes of the flush",
    );
    for piece in cut(STREAM[0], 17) {
        shard = shard.is("hello").binary(piece);
    }
    shard.is("awaiting_identify").end()
}

fn cut_suffix() -> Vector {
    let mut shard = streamed(
        "zlib_suffix_over_frames",
        "2.3 the flush's four bytes may themselves be split over frames",
    )
    .binary(STREAM[0])
    .granted();
    let (most, suffix) = STREAM[1].split_at(STREAM[1].len() - 8);
    for piece in [most].into_iter().chain(cut(suffix, 1)) {
        shard = shard.is("identifying").binary(piece);
    }
    shard.is("ready").gives(&["ready", "dispatch"]).end()
}

fn zlib_stream() -> Vec<Vector> {
    vec![
        streamed(
            "zlib_stream",
            "2.3 one zlib stream for the connection, each message flushed",
        )
        .binary(STREAM[0])
        .gives(&["want_identify"])
        .granted()
        .binary(STREAM[1])
        .gives(&["ready text=abc", "dispatch text=READY"])
        .binary(STREAM[2])
        .gives(&["dispatch value=2 text=MESSAGE_CREATE data~over"])
        .binary(STREAM[3])
        .gives(&["dispatch value=3"])
        .end(),
        in_pieces(),
        cut_suffix(),
        streamed(
            "zlib_two_messages_in_a_frame",
            "2.3 a frame may hold more than one message",
        )
        .binary(STREAM[0])
        .granted()
        .binary(TWO)
        .gives(&[
            "ready",
            "dispatch text=READY",
            "dispatch value=2 text=MESSAGE_CREATE",
        ])
        .end(),
        streamed(
            "zlib_flush_inside_a_message",
            "2.3 the four bytes also occur where no message ends: wait for the rest",
        )
            .binary(STREAM[0])
            .granted()
            .binary(STREAM[1])
            // A dispatch in two stored blocks, each with a flush behind it.
            .binary("001700e8ff7b226f70223a302c2273223a322c2274223a224d455353000000ffff")
            .gives(&[])
            .is("ready")
            .binary("001300ecff4147455f435245415445222c2264223a7b7d7d000000ffff")
            .gives(&["dispatch value=2 text=MESSAGE_CREATE data={}"])
            .end(),
        streamed(
            "zlib_context_ends_with_the_connection",
            "2.3 a new connection, also a resume, has a new stream",
        )
        .binary(STREAM[0])
        .granted()
        .binary(STREAM[1])
        .lost(0)
        .due("reconnect")
        .gives(&["connect text~compress=zlib-stream"])
        .opened()
        .binary(STREAM[0])
        .gives(&["send data~\"op\":6"])
        .end(),
        streamed("zlib_beside_text", "2.3 a text frame is taken as it is")
            .text(super::HELLO)
            .gives(&["want_identify"])
            .end(),
    ]
}

fn zlib_stream_trouble() -> Vec<Vector> {
    vec![
        streamed(
            "zlib_corrupt",
            "2.3 bytes that are no zlib: close with a resumable code",
        )
        .binary(STREAM[0])
        .granted()
        .binary(STREAM[1])
        .binary("deadbeef0000ffff")
        .gives(&["disconnected_resumable", "close code=4000 value=13"])
        .counts(&[("bad_messages", 1)])
        .end(),
        streamed("zlib_not_a_stream", "2.3 JSON where a stream should be")
            .binary("7b226f70223a31307d")
            .gives(&["disconnected", "close code=4000 value=13"])
            .end(),
        streamed(
            "zlib_bomb",
            "2.3 a message beyond the configured size closes the connection with its reason",
        )
        .binary(STREAM[0])
        .binary(BOMB)
        .gives(&[
            "disconnected",
            "close code=4000 value=14",
            "cancel_identify",
        ])
        .counts(&[("bad_messages", 1)])
        .end(),
    ]
}

fn payload() -> Vec<Vector> {
    let start = |name, rule| {
        play(name, rule)
            .config(json!({"compress": "payload", "message_bytes_max": 65_536}))
            .due("reconnect")
            .gives(&["connect text=wss://gateway.discord.gg/?v=10&encoding=json"])
            .opened()
            .text(super::HELLO)
            .granted()
            .gives(&["send data~\"compress\":true"])
    };
    vec![
        start(
            "payload_compressed",
            "2.5 a binary frame is a zlib stream of its own; others stay text",
        )
        .binary(PAYLOAD)
        .gives(&["ready text=abc", "dispatch text=READY"])
        .text(&super::event(2, "MESSAGE_CREATE"))
        .gives(&["dispatch value=2"])
        .end(),
        start(
            "payload_context_is_per_frame",
            "2.5 no context is shared between frames",
        )
        .binary(PAYLOAD)
        .binary(PAYLOAD)
        .tells("dispatch text=READY")
        .counts(&[("ready", 2)])
        .end(),
        start(
            "payload_cut",
            "2.5 a payload that ends early cannot go on in the next frame",
        )
        .binary(PAYLOAD_CUT)
        .gives(&["disconnected", "close code=4000 value=12"])
        .end(),
        start("payload_bomb", "2.5 a payload beyond the configured size")
            .binary(PAYLOAD_BOMB)
            .gives(&["disconnected", "close code=4000 value=14"])
            .end(),
    ]
}

fn plain() -> Vec<Vector> {
    vec![
        play(
            "binary_without_compression",
            "2.1 JSON in a binary frame is read all the same",
        )
        .awaiting_hello()
        .binary(
            "7b226f70223a31302c2264223a7b226865617274626561745f696e74657276616c223a34313235307d7d",
        )
        .gives(&["want_identify"])
        .end(),
    ]
}
