//! Any text as a list of shards: no panic, and what is read is written and read again as the same shards.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shardkeep_core::fleet::Shards;

fuzz_target!(|text: &str| {
    let Ok(shards) = text.parse::<Shards>() else {
        return;
    };
    let written = shards.to_string();
    let again = written.parse::<Shards>();
    assert_eq!(again.as_ref(), Ok(&shards), "{written}");
    let topology = shards.resolve(16);
    assert!(
        topology
            .shards()
            .iter()
            .all(|shard| shard.index() < shard.total())
    );
});
