//! Several schedulers that share limits through the ledger: the model sees one bot, and no request too many.

mod lua_ledger;

use lua_ledger::LuaLedger;
use shardkeep_sim::rush::crew;

#[test]
fn a_crew_never_sends_more_than_was_announced() {
    for seed in 1..=32 {
        let report = crew::run(seed, &mut LuaLedger::new());
        assert!(report.is_good(), "{report}");
    }
}
