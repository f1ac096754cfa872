//! Bytes from the network, cut and mangled.

use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush};
use shardkeep_core::gateway::{Input, Output, Session, StateName};
use shardkeep_core::wire::{Compression, Miniz};
use shardkeep_core::{Instant, Machine};

const HELLO: &str = r#"{"op":10,"d":{"heartbeat_interval":41250}}"#;
const READY: &str = r#"{"op":0,"s":1,"t":"READY","d":{"session_id":"abc","guilds":[]}}"#;

/// Each text as a piece of one zlib stream, flushed.
fn compressed(texts: &[String]) -> Vec<Vec<u8>> {
    let mut compressor = CompressorOxide::default();
    compressor.set_format_and_level(DataFormat::Zlib, 6);
    let piece = |text: &String| {
        let mut out = vec![0; text.len() + 100];
        let result = deflate(&mut compressor, text.as_bytes(), &mut out, MZFlush::Sync);
        out.truncate(result.bytes_written);
        out
    };
    texts.iter().map(piece).collect()
}

fn session(compression: Compression) -> Session {
    let mut config = super::config(1);
    config.compression = compression;
    let mut session =
        Session::new(config, Box::new(Miniz::new()), Instant::ZERO).expect("a valid config");
    open(&mut session, Instant::ZERO);
    session
}

fn open(session: &mut Session, now: Instant) {
    session.handle_timeout(now);
    session
        .handle_input(now, Input::Connected)
        .expect("a connection was asked for");
    while session.poll_output().is_some() {}
}

/// What a session hands on of a zlib stream that is cut into frames of these sizes, over and over. With `looks` the
/// clock is looked at after every frame.
pub(crate) fn streamed(cuts: &[usize], looks: bool) -> Vec<(u64, Vec<u8>)> {
    let event = |s: usize| {
        format!(
            r#"{{"op":0,"s":{s},"t":"MESSAGE_CREATE","d":{{"text":"{}"}}}}"#,
            "word ".repeat(s % 37)
        )
    };
    let mut texts = vec![String::from(HELLO), String::from(READY)];
    texts.extend((2..40).map(event));
    let pieces = compressed(&texts);
    let now = Instant::ZERO;
    let mut session = session(Compression::ZlibStream);
    session
        .handle_input(now, Input::Binary(&pieces[0]))
        .expect("a socket");
    session
        .handle_input(now, Input::IdentifyGranted)
        .expect("always taken");
    let stream = pieces[1..].concat();
    let (mut rest, mut cuts, mut dispatches) = (&stream[..], cuts.iter().cycle(), Vec::new());
    while !rest.is_empty() {
        let (frame, after) = rest.split_at(rest.len().min(*cuts.next().expect("a cycle")));
        rest = after;
        session
            .handle_input(now, Input::Binary(frame))
            .expect("a socket");
        if looks {
            session.handle_timeout(now);
        }
        while let Some(output) = session.poll_output() {
            if let Output::Dispatch(dispatch) = output {
                dispatches.push((dispatch.sequence, dispatch.data.to_vec()));
            }
        }
    }
    assert_eq!(dispatches.len(), 39);
    dispatches
}

/// Feeds any bytes, reconnecting whenever the session hangs up over them.
pub(crate) fn feed_bytes(compression: usize, frames: &[(bool, Vec<u8>)]) {
    let mut session = session(Compression::ALL[compression]);
    let mut now = Instant::ZERO;
    for (index, (binary, bytes)) in frames.iter().enumerate() {
        if index % 2 == 0 && session.state() == StateName::Hello {
            session
                .handle_input(now, Input::Text(HELLO.as_bytes()))
                .expect("a socket");
            session
                .handle_input(now, Input::IdentifyGranted)
                .expect("always taken");
        }
        let input = if *binary {
            Input::Binary(bytes)
        } else {
            Input::Text(bytes)
        };
        session.handle_input(now, input).expect("a socket");
        while session.poll_output().is_some() {}
        if session.state() == StateName::Closing {
            session
                .handle_input(now, Input::Disconnected { code: None })
                .expect("a socket");
            now = session.poll_timeout().expect("the next attempt").at;
            open(&mut session, now);
        }
    }
}
