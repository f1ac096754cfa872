//! Stored sessions: any bytes are refused or read without a panic, and what is read is written as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shardkeep_core::gateway::{Capsule, CapsuleError};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(capsule) = Capsule::open(bytes) {
        assert!(capsule.shard().is_some() && capsule.acknowledged <= capsule.received);
        // One that left members out may have been shorter.
        match capsule.seal() {
            Ok(line) => assert_eq!(Capsule::open(line.as_bytes()), Ok(capsule)),
            Err(error) => assert!(matches!(error, CapsuleError::TooLarge { .. }), "{error}"),
        }
    }
    // What is not a capsule may be the session in one.
    if let Ok(capsule) = serde_json::from_slice::<Capsule>(bytes)
        && let Ok(line) = capsule.seal()
    {
        assert_eq!(Capsule::open(line.as_bytes()), Ok(capsule));
    }
});
