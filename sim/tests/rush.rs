//! The scheduler never sends what it was told not to, whatever the seed draws; and the same seed is the same run.

use shardkeep_sim::rush::{Plan, Theme, run};

/// As many runs as the suite has time for. `cargo xtask sim-rest --seeds 10000` runs them all.
const SEEDS: u64 = 300;

#[test]
fn no_request_over_an_announced_limit_and_every_request_ends_once() {
    let (mut delivered, mut limited, mut hidden, mut races) = (0, 0, 0, Vec::new());
    for seed in 1..=SEEDS {
        let report = run(Plan::new(seed));
        assert_eq!(report.faults_found, Vec::<String>::new(), "seed {seed}");
        delivered += report.delivered;
        limited += report.counters.unannounced;
        hidden += report.counters.hidden;
        races.extend(report.throughput);
    }
    // The seeds drew enough to mean something.
    assert!(delivered > 100_000, "{delivered}");
    assert!(limited > 20 && hidden > 50, "{limited} {hidden}");
    races.sort_by(f64::total_cmp);
    let (worst, median) = (races[0], races[races.len() / 2]);
    assert!(
        races.iter().all(|&race| race <= 1.0),
        "nothing is faster than possible: {races:?}"
    );
    assert!(worst >= 0.95 && median >= 0.99, "{worst} {median}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [4, 9] {
        let [first, second] = [run(Plan::new(seed)), run(Plan::new(seed))];
        assert_eq!(first.counters, second.counters);
        assert_eq!(first.longest, second.longest);
        assert_eq!(first.throughput, second.throughput);
    }
}

/// Races that were once too slow: a bucket that needed every window was seen too late, places were kept for nothing,
/// what was still counted was taken for somebody else's, scouts found out nothing.
#[test]
fn races_that_were_slow() {
    for seed in [
        42, 1683, 1761, 2631, 3699, 3894, 4383, 4791, 5604, 5631, 5967, 7347, 9654,
    ] {
        let report = run(Plan::new(seed));
        let throughput = report.throughput.expect("a race that takes time");
        assert!(throughput >= 0.95, "{report}");
    }
}

/// Seeds that once showed a mistake: an early loss forgotten by its window, answers that overtake each other taken for
/// a new window, an alternate hash taken for an empty bucket, a window of one channel measured by another's answers,
/// the last answer of several taken for the last to be counted.
#[test]
fn seeds_that_found_something() {
    for seed in [
        7, 325, 449, 482, 1624, 1921, 1977, 2836, 2864, 3620, 3691, 3785, 6319, 6434, 8365, 9962,
        37186, 37707,
    ] {
        let report = run(Plan::new(seed));
        assert!(report.is_good(), "{report}");
        assert_eq!(
            report.throughput.is_some(),
            report.plan.theme == Theme::Race
        );
    }
}
