//! The register of leases for fleets in virtual time.

use shardkeep_core::fleet::lease::REGISTER;

use crate::lua_ledger::LuaLedger;

/// Packed values stay in Lua: JSON takes three times as long.
const PACK: &str = include_str!("../lua_ledger/quick_pack.lua");

/// A register that knows nothing.
pub(crate) fn register() -> LuaLedger {
    let ledger = LuaLedger::new(REGISTER);
    ledger.lua.load(PACK).exec().expect("it compiles");
    ledger
}
