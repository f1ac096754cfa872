//! What a hit costs: processor time, everybody in turn.

use std::hint::black_box;

use shardkeep_benches::document::table;
use shardkeep_benches::holders::{BURST, SIZES, VALUE, everybody, keys, order};
use shardkeep_benches::usage::cpu_ns;
use shardkeep_core::Rng;

/// Turns of each.
const ROUNDS: usize = 41;

/// The table.
pub(crate) fn measure() -> String {
    let mut rows = vec![vec![String::from("ns a hit")]];
    rows[0].extend(SIZES.map(|size| format!("{size} entries")));
    for size in SIZES {
        let keys = keys(size);
        let mut everybody = everybody(&keys);
        let mut rng = Rng::new(7);
        let mut times = vec![Vec::new(); everybody.len()];
        for _ in 0..ROUNDS {
            let asked = order(&keys, &mut rng);
            for ((_, ask), times) in everybody.iter_mut().zip(&mut times) {
                let before = cpu_ns();
                black_box(ask(&asked));
                times.push((cpu_ns() - before) as f64 / BURST as f64);
            }
        }
        for (at, ((name, _), mut times)) in everybody.into_iter().zip(times).enumerate() {
            if rows.len() <= at + 1 {
                rows.push(vec![name.to_owned()]);
            }
            times.sort_unstable_by(f64::total_cmp);
            rows[at + 1].push(format!("{:.0}", times[ROUNDS / 2]));
        }
    }
    format!(
        "Values of {VALUE} bytes, random keys that are held, one thread; medians of {ROUNDS} rounds in turn.\n\n{}",
        table(&rows)
    )
}
