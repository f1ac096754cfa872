//! Inflaters: any split of the input, every limit, resets, broken streams, no allocation once warm.

use shardkeep_core::wire::{Buffer, Compression, Inflate, InflateError};
use zlib_rs::{Deflate, DeflateFlush};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::*;

const PLENTY: usize = 1 << 24;

fn messages() -> Vec<Vec<u8>> {
    let message = |n: usize| {
        let words = "the quick brown fox jumps over the lazy dog ".repeat(n % 40 + 1);
        format!(
            r#"{{"op":0,"s":{n},"t":"MESSAGE_CREATE","d":{{"id":"{}","content":"{words}"}}}}"#,
            n * 7919
        )
    };
    (0..60).map(|n| message(n).into_bytes()).collect()
}

/// Every message flushed by itself, all of one stream.
fn compress(compression: Compression, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    match compression {
        Compression::ZlibStream => {
            let mut stream = Deflate::new(6, true, 15);
            let one = |message: &Vec<u8>| {
                let mut room = vec![0; message.len() * 2 + 64];
                let before = stream.total_out();
                stream
                    .compress(message, &mut room, DeflateFlush::SyncFlush)
                    .expect("room enough");
                room.truncate(usize::try_from(stream.total_out() - before).expect("small"));
                room
            };
            messages.iter().map(one).collect()
        }
        _ => {
            let mut stream = CCtx::create();
            stream
                .set_parameter(CParameter::WindowLog(18))
                .expect("a valid window");
            let one = |message: &Vec<u8>| {
                let mut room = vec![0; message.len() * 2 + 1024];
                let len = {
                    let mut out = OutBuffer::around(&mut room[..]);
                    let mut input = InBuffer::around(message);
                    stream
                        .compress_stream(&mut out, &mut input)
                        .expect("it compresses");
                    assert_eq!(stream.flush_stream(&mut out).expect("it flushes"), 0);
                    out.pos()
                };
                room.truncate(len);
                room
            };
            messages.iter().map(one).collect()
        }
    }
}

const STREAMS: [Compression; 2] = [Compression::ZlibStream, Compression::ZstdStream];

#[test]
fn every_message_comes_out_as_soon_as_it_is_in() {
    let messages = messages();
    for compression in STREAMS {
        let mut inflate = for_compression(compression, WINDOW_LOG_MAX);
        let mut output = Buffer::new();
        for (plain, packed) in messages.iter().zip(compress(compression, &messages)) {
            output.clear();
            inflate.inflate(&packed, &mut output, PLENTY).unwrap();
            assert_eq!(output.filled(), plain, "{compression}");
        }
    }
}

#[test]
fn input_may_be_split_anywhere() {
    let messages = messages();
    for compression in STREAMS {
        let packed = compress(compression, &messages).concat();
        for piece in [1, 2, 3, 7, 64, 1_000] {
            let mut inflate = for_compression(compression, WINDOW_LOG_MAX);
            let mut output = Buffer::new();
            for part in packed.chunks(piece) {
                inflate.inflate(part, &mut output, PLENTY).unwrap();
            }
            assert_eq!(
                output.filled(),
                messages.concat(),
                "{compression} by {piece}"
            );
        }
    }
}

#[test]
fn output_stops_at_the_limit_and_not_before() {
    let message = vec![vec![b'x'; 1 << 20]];
    for compression in STREAMS {
        let packed = compress(compression, &message).concat();
        for (limit, expected) in [
            (1 << 20, Ok(())),
            ((1 << 20) - 1, Err(InflateError::TooLarge)),
            (1, Err(InflateError::TooLarge)),
            (0, Err(InflateError::TooLarge)),
        ] {
            let mut inflate = for_compression(compression, WINDOW_LOG_MAX);
            let mut output = Buffer::new();
            assert_eq!(
                inflate.inflate(&packed, &mut output, limit),
                expected,
                "{compression} {limit}"
            );
            assert!(output.len() <= limit);
        }
    }
}

#[test]
fn a_reset_begins_a_new_stream_even_after_an_error() {
    let messages = messages();
    for compression in STREAMS {
        let packed = compress(compression, &messages);
        let mut inflate = for_compression(compression, WINDOW_LOG_MAX);
        let mut output = Buffer::new();
        assert!(
            inflate
                .inflate(b"not compressed at all", &mut output, PLENTY)
                .is_err()
        );
        for _ in 0..3 {
            inflate.reset();
            output.clear();
            inflate
                .inflate(&packed.concat(), &mut output, PLENTY)
                .unwrap();
            assert_eq!(output.filled(), messages.concat(), "{compression}");
        }
    }
}

#[test]
fn damaged_streams_are_errors_and_never_more() {
    let messages = messages();
    for compression in STREAMS {
        let packed = compress(compression, &messages).concat();
        let mut broken = 0;
        for at in (0..packed.len()).step_by(13) {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x55;
            let mut output = Buffer::new();
            let outcome = for_compression(compression, WINDOW_LOG_MAX).inflate(
                &damaged,
                &mut output,
                1 << 20,
            );
            broken += usize::from(outcome.is_err() || output.filled() != messages.concat());
        }
        assert!(broken > 0, "{compression}");
    }
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let mut stream = CCtx::create();
    let mut room = vec![0; 256];
    let len = stream.compress2(&mut room[..], b"{}").unwrap();
    let mut inflate = ZstdSafe::default();
    let mut output = Buffer::new();
    inflate.inflate(&room[..len], &mut output, PLENTY).unwrap();
    assert_eq!(output.filled(), b"{}");
    assert_eq!(
        inflate.inflate(b"x", &mut output, PLENTY),
        Err(InflateError::Ended)
    );

    let whole = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];
    let mut inflate = ZlibRs::new();
    inflate.inflate(&whole, &mut output, PLENTY).unwrap();
    assert_eq!(
        inflate.inflate(b"x", &mut output, PLENTY),
        Err(InflateError::Ended)
    );
}

#[test]
fn a_window_beyond_the_limit_is_refused() {
    let packed = compress(Compression::ZstdStream, &messages()).concat();
    let mut output = Buffer::new();
    let refused = ZstdSafe::new(17).inflate(&packed, &mut output, PLENTY);
    assert_eq!(refused, Err(InflateError::OutOfMemory));
    assert_eq!(
        ZstdSafe::new(18).inflate(&packed, &mut output, PLENTY),
        Ok(())
    );
}

#[test]
fn nothing_is_allocated_for_a_message_once_warm() {
    let messages = messages();
    for compression in STREAMS {
        let packed = compress(compression, &messages);
        let mut inflate = for_compression(compression, WINDOW_LOG_MAX);
        let mut output = Buffer::new();
        let (warm, measured) = packed.split_at(40);
        for part in warm {
            output.clear();
            inflate.inflate(part, &mut output, PLENTY).unwrap();
        }
        let counted = allocation_counter::measure(|| {
            for part in measured {
                output.clear();
                inflate.inflate(part, &mut output, PLENTY).unwrap();
            }
        });
        assert_eq!(counted.count_total, 0, "{compression}");
    }
}
