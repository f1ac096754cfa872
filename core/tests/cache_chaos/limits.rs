//! Any limits.

use std::time::Duration;

use shardkeep_core::Rng;
use shardkeep_core::cache::hot_set::Limits;
use shardkeep_core::cache::{Config, Kind, Kinds};

/// A configuration: now generous, now so tight that hardly anything is kept.
pub(crate) fn config(rng: &mut Rng, seed: u64) -> Config {
    let budget = [24, 40, 64, 256, 4_096][rng.below(5) as usize] << 10;
    let mut config = Config::new(budget, seed);
    config.has_store = rng.below(4) > 0;
    config.stored = match rng.below(3) {
        0 => Kinds::ALL,
        1 => config.stored,
        _ => pick(rng),
    };
    for kind in Kind::ALL {
        let limits = &mut config.hot.limits[usize::from(kind.number())];
        match rng.below(12) {
            0 => *limits = Limits::OFF,
            1 | 2 => limits.count = Some(1 + rng.below(6) as u32),
            3 => limits.count_per_scope = Some(1 + rng.below(4) as u32),
            4 if rng.below(3) == 0 => limits.ttl = Some(Duration::from_secs(1 + rng.below(20))),
            _ => {}
        }
    }
    let small = |rng: &mut Rng, usual: usize| match rng.below(4) {
        0 => 0,
        1 => rng.below(5) as usize,
        _ => usual,
    };
    config.pending_bytes_max = [0, 600, 3_000, 1 << 20][rng.below(4) as usize];
    config.marks_max = small(rng, 65_536);
    config.scopes_max = small(rng, 65_536);
    config.negatives_max = small(rng, 65_536);
    config.patch_bytes_max = [0, 300, 1 << 20][rng.below(3) as usize];
    config.flights_max = 1 + small(rng, 100);
    config.batch_max = 1 + rng.below(20) as usize;
    config.batches_max = 1 + rng.below(3) as usize;
    config
}

fn pick(rng: &mut Rng) -> Kinds {
    let some = Kind::ALL.iter().filter(|_| rng.below(2) == 0);
    some.fold(Kinds::NONE, |kinds, &kind| kinds.with(kind))
}
