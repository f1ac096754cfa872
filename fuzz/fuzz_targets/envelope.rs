//! Any bytes into the envelope scanner: no panic, ranges inside the bytes, and agreement with serde_json.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shardkeep_core::wire::scan;

fuzz_target!(|bytes: &[u8]| {
    let Ok(envelope) = scan(bytes) else { return };
    assert!(envelope.end <= bytes.len());
    let data = envelope.data(bytes);
    let _ = envelope.kind(bytes);
    let _ = envelope.name_text(bytes);
    // The scanner delimits objects and does not validate them: only what is valid JSON can be compared.
    let Ok(document) = serde_json::from_slice::<Value>(&bytes[..envelope.end]) else {
        return;
    };
    assert_eq!(document["op"].as_u64(), Some(envelope.op));
    assert_eq!(document["s"].as_u64(), envelope.sequence);
    if !data.is_empty() {
        assert_eq!(
            serde_json::from_slice::<Value>(data).ok().as_ref(),
            document.get("d")
        );
    }
    if let Some(name) = document["t"].as_str() {
        assert_eq!(envelope.name_text(bytes).as_deref(), Some(name));
    }
});
