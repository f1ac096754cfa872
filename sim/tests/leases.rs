//! Many processes that are one bot, around the register's own script: never two holders of a shard, whatever happens.
//!
//! `SHARDKEEP_SEED=7` runs one seed and prints all that happens; `SHARDKEEP_SEEDS=2000` runs as many.

mod lease_world;
mod lua_ledger;

use lease_world::World;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_shard_ever_has_two_holders_and_calm_brings_even_shares() {
    let seeds = match number("SHARDKEEP_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SHARDKEEP_SEEDS").unwrap_or(64),
    };
    let (mut exchanges, mut takes, mut identifies) = (0, 0, 0);
    let mut wrong = Vec::new();
    for seed in seeds {
        let world = World::run(seed);
        exchanges += world.exchanges;
        takes += world.takes;
        identifies += world.discord.identifies;
        if !world.faults.is_empty() {
            wrong.push(format!("seed {seed}: {:?}", world.faults));
        }
    }
    eprintln!("{exchanges} exchanges, {takes} leases, {identifies} identifies");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
