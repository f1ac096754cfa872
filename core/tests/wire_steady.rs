//! In steady state, inflating, scanning and looking fields up allocate nothing.

use allocation_counter::measure;
use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush};
use shardkeep_core::wire::{Buffer, EventKind, Inflate, Miniz, json, scan, write_heartbeat};

/// The compressed and the plain size of each of `count` different messages in one stream, and the stream.
fn stream(count: usize) -> (Vec<u8>, Vec<usize>) {
    let mut compressor = CompressorOxide::default();
    compressor.set_format_and_level(DataFormat::Zlib, 6);
    let mut all = Vec::new();
    let mut ends = Vec::new();
    for sequence in 0..count {
        let words = "said something ".repeat(20 + sequence % 40);
        let text = format!(
            r#"{{"t":"MESSAGE_CREATE","s":{sequence},"op":0,"d":{{"content":"{words}\"{}\"","#,
            sequence * 7_919
        ) + r#""guild_id":"1125899906842624"}}"#;
        let mut out = vec![0; 4_096];
        let result = deflate(&mut compressor, text.as_bytes(), &mut out, MZFlush::Sync);
        all.extend_from_slice(&out[..result.bytes_written]);
        ends.push(all.len());
    }
    (all, ends)
}

#[test]
fn a_thousand_messages_allocate_nothing() {
    let (compressed, ends) = stream(1_100);
    let mut inflater = Miniz::new();
    let mut output = Buffer::new();
    let mut heartbeat = Vec::new();
    let mut start = 0;
    let mut take = |end: usize| {
        output.clear();
        inflater
            .inflate(&compressed[start..end], &mut output, 1 << 20)
            .unwrap();
        start = end;
        let envelope = scan(output.filled()).unwrap();
        assert_eq!(envelope.end, output.len());
        assert_eq!(envelope.kind(output.filled()), EventKind::MessageCreate);
        let data = envelope.data(output.filled());
        let guild = json::field(data, "guild_id").and_then(json::snowflake);
        assert_eq!(guild.map(|guild| guild.0), Some(1 << 50));
        heartbeat.clear();
        write_heartbeat(&mut heartbeat, envelope.sequence);
    };
    ends[..100].iter().for_each(|&end| take(end));
    let counted = measure(|| ends[100..].iter().for_each(|&end| take(end)));
    assert_eq!(
        counted.count_total, 0,
        "{} allocations",
        counted.count_total
    );
    assert_eq!(heartbeat, br#"{"op":1,"d":1099}"#);
}

#[test]
fn escaped_names_allocate_nothing() {
    let bytes = br#"{"\u006fp":0,"t":"TYPING\u005fSTART","d":{}}"#;
    let counted = measure(|| {
        let envelope = scan(bytes).unwrap();
        assert_eq!(envelope.kind(bytes), EventKind::TypingStart);
    });
    assert_eq!(counted.count_total, 0);
}
