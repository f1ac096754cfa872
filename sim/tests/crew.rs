//! Several schedulers that share limits through the ledger: the model sees one bot, and no request too many.

mod lua_ledger;

use lua_ledger::LuaLedger;
use shardkeep_core::rest::pool::LEDGER;
use shardkeep_sim::rush::crew;

/// Seeds that once sent a request over an announced bucket, each for a reason of its own.
const MENDED: [u64; 10] = [25, 97, 128, 496, 763, 868, 1_023, 1_157, 1_387, 1_958];

#[test]
fn what_was_mended_stays_so() {
    for seed in MENDED {
        let report = crew::run(seed, &mut LuaLedger::new(LEDGER));
        assert!(report.is_good(), "{report}");
    }
}

#[test]
fn a_crew_never_sends_more_than_was_announced() {
    for seed in 1..=32 {
        let report = crew::run(seed, &mut LuaLedger::new(LEDGER));
        assert!(report.is_good(), "{report}");
    }
}
