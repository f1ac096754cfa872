//! A bot's log agrees with the truth, whatever the weather; and the same seed is the same run.

use std::time::Duration;

use shardkeep_sim::hours::{Plan, Report, run};

/// As many runs as the suite has time for. `cargo xtask sim-hours --seeds 1000` runs whole hours of 64 shards.
const SEEDS: u64 = 24;

fn plan(seed: u64) -> Plan {
    let fault_every = Duration::from_secs(2);
    Plan {
        shards: 16,
        duration: Duration::from_secs(900),
        fault_every,
        ..Plan::hour(seed)
    }
}

#[test]
fn every_event_of_a_resumable_session_is_dispatched_once_and_in_order() {
    let mut total = Report::default();
    for seed in 1..=SEEDS {
        let report = run(&plan(seed));
        assert_eq!(report.faults_found, Vec::<String>::new(), "seed {seed}");
        assert_eq!((report.lost, report.duplicated), (0, 0), "seed {seed}");
        total.faults += report.faults;
        total.resumed += report.resumed;
        total.replayed += report.replayed;
        total.zombies += report.zombies;
        total.identified += report.identified - u64::from(plan(seed).shards);
    }
    // The weather was bad enough to mean something.
    assert!(total.faults > 1_000, "{total:?}");
    assert!(total.resumed > 500, "{total:?}");
    assert!(total.replayed > 500, "{total:?}");
    assert!(total.zombies > 50, "{total:?}");
    assert!(total.identified > 50, "{total:?}");
}

/// Hours that went wrong once. 415: a command crossed the op 9 that ended its session.
const ONCE_WRONG: &[u64] = &[415];

#[test]
fn hours_that_went_wrong_once_go_well() {
    for &seed in ONCE_WRONG {
        let report = run(&Plan::hour(seed));
        assert_eq!(report.faults_found, Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    assert_eq!(run(&plan(5)), run(&plan(5)));
    assert_ne!(run(&plan(5)).hash, run(&plan(6)).hash);
}
