//! The no_std inflater: any split gives the same bytes, a bomb stops at its limit, and what is not zlib says so.

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush};
use proptest::prelude::*;
use shardkeep_core::wire::{Buffer, Compression, Inflate, InflateError, Miniz, scan};

/// One zlib stream over all of its messages, as Discord keeps one for each connection.
struct Stream(CompressorOxide);

impl Stream {
    fn new() -> Self {
        let flags = create_comp_flags_from_zip_params(6, DataFormat::Zlib.to_window_bits(), 0);
        let mut compressor = CompressorOxide::new(flags);
        compressor.set_format_and_level(DataFormat::Zlib, 6);
        Self(compressor)
    }

    fn message(&mut self, text: &[u8]) -> Vec<u8> {
        self.write(text, MZFlush::Sync)
    }

    fn write(&mut self, text: &[u8], flush: MZFlush) -> Vec<u8> {
        let mut out = vec![0; text.len() * 2 + 1_000];
        let result = deflate(&mut self.0, text, &mut out, flush);
        assert_eq!(result.bytes_consumed, text.len());
        out.truncate(result.bytes_written);
        out
    }
}

const NO_LIMIT: usize = usize::MAX;

#[test]
fn messages_come_out_one_by_one() {
    let (mut stream, mut inflater) = (Stream::new(), Miniz::new());
    let mut output = Buffer::new();
    for text in [
        "{\"op\":10}",
        "",
        "{\"op\":11}",
        &"{\"op\":0}".repeat(9_000),
    ] {
        let compressed = stream.message(text.as_bytes());
        assert!(compressed.ends_with(&[0, 0, 0xff, 0xff]));
        output.clear();
        inflater
            .inflate(&compressed, &mut output, NO_LIMIT)
            .unwrap();
        assert_eq!(output.filled(), text.as_bytes());
    }
}

#[test]
fn an_empty_input_is_nothing() {
    let mut output = Buffer::new();
    assert_eq!(Miniz::new().inflate(&[], &mut output, NO_LIMIT), Ok(()));
    assert_eq!(Miniz::new().inflate(&[], &mut output, 0), Ok(()));
    assert!(output.is_empty());
}

#[test]
fn a_bomb_stops_at_its_limit() {
    let bomb = Stream::new().message(&vec![b' '; 8 << 20]);
    assert!(bomb.len() < 10_000);
    for limit in [0, 1, 63, 64, 65, 32_768, 1 << 20, (8 << 20) - 1] {
        let mut output = Buffer::new();
        assert_eq!(
            Miniz::new().inflate(&bomb, &mut output, limit),
            Err(InflateError::TooLarge),
            "{limit}"
        );
        assert_eq!(output.len(), limit);
        assert!(
            output.capacity() <= 2 * limit + 64,
            "{} bytes for {limit}",
            output.capacity()
        );
    }
    let mut output = Buffer::new();
    assert_eq!(
        Miniz::new().inflate(&bomb, &mut output, 8 << 20),
        Ok(()),
        "a limit that is met is kept"
    );
    assert_eq!(output.len(), 8 << 20);
}

#[test]
fn the_limit_counts_what_was_there_before() {
    let compressed = Stream::new().message(b"0123456789");
    let mut output = Buffer::new();
    output.extend_from_slice(b"abc");
    assert_eq!(
        Miniz::new().inflate(&compressed, &mut output, 12),
        Err(InflateError::TooLarge)
    );
    assert_eq!(output.filled(), b"abc012345678");
    output.truncate(3);
    assert_eq!(Miniz::new().inflate(&compressed, &mut output, 13), Ok(()));
    assert_eq!(output.filled(), b"abc0123456789");
    assert_eq!(
        Miniz::new().inflate(&compressed, &mut output, 5),
        Err(InflateError::TooLarge),
        "already past it"
    );
    assert_eq!(output.len(), 13);
}

#[test]
fn corrupt_bytes_are_corrupt_until_reset() {
    let mut inflater = Miniz::new();
    let mut output = Buffer::new();
    assert_eq!(
        inflater.inflate(b"{\"op\":10}", &mut output, NO_LIMIT),
        Err(InflateError::Corrupt)
    );
    let good = Stream::new().message(b"{}");
    assert_eq!(
        inflater.inflate(&good, &mut output, NO_LIMIT),
        Err(InflateError::Corrupt)
    );
    inflater.reset();
    assert_eq!(inflater.inflate(&good, &mut output, NO_LIMIT), Ok(()));
    assert_eq!(output.filled(), b"{}");
}

#[test]
fn a_stream_that_ends_lets_nothing_follow() {
    let mut stream = Stream::new();
    let first = stream.message(b"first");
    let last = stream.write(b"last", MZFlush::Finish);
    let mut inflater = Miniz::new();
    let mut output = Buffer::new();
    assert_eq!(inflater.inflate(&first, &mut output, NO_LIMIT), Ok(()));
    assert_eq!(inflater.inflate(&last, &mut output, NO_LIMIT), Ok(()));
    assert_eq!(output.filled(), b"firstlast");
    assert_eq!(
        inflater.inflate(b"x", &mut output, NO_LIMIT),
        Err(InflateError::Ended)
    );
    assert_eq!(
        inflater.inflate(b"x", &mut output, 9),
        Err(InflateError::Ended),
        "also at the limit"
    );
}

#[test]
fn payloads_are_streams_of_their_own() {
    let mut inflater = Miniz::new();
    let mut output = Buffer::new();
    for text in [&b"{\"op\":10}"[..], b"{\"op\":0,\"t\":\"READY\"}"] {
        let payload = miniz_oxide::deflate::compress_to_vec_zlib(text, 6);
        inflater.reset();
        output.clear();
        inflater.inflate(&payload, &mut output, NO_LIMIT).unwrap();
        assert_eq!(output.filled(), text);
    }
    let mut payload = miniz_oxide::deflate::compress_to_vec_zlib(b"checked", 6);
    *payload.last_mut().unwrap() ^= 1;
    inflater.reset();
    assert_eq!(
        inflater.inflate(&payload, &mut output, NO_LIMIT),
        Err(InflateError::Corrupt),
        "the checksum counts"
    );
}

#[test]
fn reset_forgets_the_window() {
    let text = b"secret of the last connection";
    let mut inflater = Miniz::new();
    let mut output = Buffer::new();
    let whole_window = Stream::new().message(&text.repeat(2_000));
    inflater
        .inflate(&whole_window, &mut output, NO_LIMIT)
        .unwrap();
    inflater.reset();
    output.clear();
    // A stream's second message alone, behind a header: its references lead back before the start.
    let mut stream = Stream::new();
    stream.message(text);
    let headless = [&[0x78, 0x9c][..], &stream.message(text)].concat();
    let _ = inflater.inflate(&headless, &mut output, NO_LIMIT);
    assert!(
        !output.filled().windows(6).any(|six| six == b"secret"),
        "{:?}",
        output.filled()
    );
}

#[test]
fn a_recorded_hello_is_read() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/protocol/payloads/wire.hello.zlib.hex"
    );
    let Ok(hex) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not there");
        return;
    };
    let hex = hex.trim();
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    let mut output = Buffer::new();
    Miniz::new().inflate(&bytes, &mut output, NO_LIMIT).unwrap();
    let envelope = scan(output.filled()).unwrap();
    assert_eq!(
        (envelope.op, envelope.sequence, envelope.end),
        (10, None, output.len())
    );
}

#[test]
fn compressions_have_names() {
    for &compression in Compression::ALL {
        assert_eq!(compression.to_string().parse(), Ok(compression));
    }
    assert_eq!("zlib".parse(), Ok(Compression::ZlibStream));
    assert_eq!("zstd".parse(), Ok(Compression::ZstdStream));
    assert!("gzip".parse::<Compression>().is_err());
    let queries = Compression::ALL
        .iter()
        .map(|compression| compression.query());
    assert!(queries.eq([None, None, Some("zlib-stream"), Some("zstd-stream")]));
}

#[test]
fn a_buffer_keeps_what_was_put_in() {
    let mut buffer = Buffer::new();
    assert_eq!(
        (buffer.len(), buffer.capacity(), buffer.is_empty()),
        (0, 0, true)
    );
    buffer.extend_from_slice(b"0123456789");
    assert!(buffer.spare(100).len() >= 100);
    assert_eq!(buffer.filled(), b"0123456789");
    buffer.drain_front(3);
    assert_eq!(buffer.filled(), b"3456789");
    buffer.truncate(5);
    buffer.truncate(50);
    assert_eq!(buffer.filled(), b"34567");
    buffer.shrink_to(2);
    assert_eq!((buffer.filled(), buffer.capacity()), (&b"34567"[..], 5));
    buffer.advance(1_000);
    assert_eq!(buffer.len(), 5, "there is no more room than there is");
    buffer.drain_front(1_000);
    assert!(buffer.is_empty());
    buffer.shrink_to(0);
    assert_eq!(buffer.capacity(), 0);
}

fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        "\\{\"op\":0,\"d\":\"[a-e ]{0,300}\"\\}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..500),
        (any::<u8>(), 0_usize..90_000).prop_map(|(byte, times)| vec![byte; times]),
    ];
    prop::collection::vec(text, 1..8)
}

proptest! {
    #[test]
    fn any_split_gives_the_same_bytes(
        messages in messages(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut stream = Stream::new();
        let compressed: Vec<u8> = messages.iter().flat_map(|text| stream.message(text)).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(compressed.len() + 1)).collect();
        cuts.extend([0, compressed.len()]);
        cuts.sort_unstable();
        let mut inflater = Miniz::new();
        let mut output = Buffer::new();
        for pair in cuts.windows(2) {
            inflater.inflate(&compressed[pair[0]..pair[1]], &mut output, NO_LIMIT).unwrap();
        }
        prop_assert_eq!(output.filled(), messages.concat());
    }

    #[test]
    fn each_message_comes_out_whole(messages in messages(), limit in 0_usize..100_000) {
        let (mut stream, mut inflater) = (Stream::new(), Miniz::new());
        let mut output = Buffer::new();
        for text in &messages {
            output.clear();
            let result = inflater.inflate(&stream.message(text), &mut output, limit);
            if text.len() > limit {
                prop_assert_eq!(result, Err(InflateError::TooLarge));
                prop_assert_eq!(output.filled(), &text[..limit]);
                return Ok(());
            }
            prop_assert_eq!(result, Ok(()));
            prop_assert_eq!(output.filled(), &text[..]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        header in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        limit in 0_usize..10_000,
    ) {
        let mut inflater = Miniz::new();
        let mut output = Buffer::new();
        let bytes = if header { [&[0x78, 0x9c][..], &bytes].concat() } else { bytes };
        for chunk in bytes.chunks(700) {
            let _ = inflater.inflate(chunk, &mut output, limit);
            prop_assert!(output.len() <= limit);
        }
    }
}
