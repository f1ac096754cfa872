//! The bound against brute force, on cases small enough to try every way of sending.

use std::collections::BTreeSet;

use shardkeep_core::Rng;

use super::*;
use crate::rest::window::Window;

fn below(rng: &mut Rng, bound: u64) -> u64 {
    rng.below(bound)
}

/// The earliest end over every choice of how many to send at each moment.
fn brute(spec: Spec, releases: &[u64]) -> u64 {
    let last = *releases.last().unwrap();
    let mut states = BTreeSet::from([(0_usize, Window::new(spec.kind))]);
    for now in 0.. {
        let there = releases.iter().filter(|&&release| release <= now).count();
        let mut next = BTreeSet::new();
        for (mut sent, mut window) in states {
            window.roll(spec, now);
            next.insert((sent, window.clone()));
            while sent < there && window.fits(spec, now) {
                window.take(spec, now);
                sent += 1;
                next.insert((sent, window.clone()));
            }
        }
        if next.iter().any(|(sent, _)| *sent == releases.len()) {
            assert!(now >= last);
            return now;
        }
        states = next;
    }
    unreachable!("time does not end")
}

#[test]
fn a_buckets_bound_is_exact() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let kind =
            [Kind::Fixed, Kind::Leaky, Kind::Log][usize::try_from(below(&mut rng, 3)).unwrap()];
        let spec = Spec {
            kind,
            limit: 1 + below(&mut rng, 3),
            window_us: 2 + below(&mut rng, 6),
        };
        let mut releases: Vec<u64> = (0..=below(&mut rng, 7))
            .map(|_| below(&mut rng, 16))
            .collect();
        releases.sort_unstable();
        let times = earliest(spec, &releases);
        assert!(times.is_sorted());
        for count in 1..=releases.len() {
            let best = brute(spec, &releases[..count]);
            assert_eq!(
                times[count - 1],
                best,
                "seed {seed}: {spec:?} {:?}",
                &releases[..count]
            );
        }
    }
}

#[test]
fn a_request_that_waits_may_be_better_for_a_fixed_window() {
    let spec = Spec {
        kind: Kind::Fixed,
        limit: 5,
        window_us: 100,
    };
    let releases = [&[0, 105][..], &[190; 10]].concat();
    // As early as possible: windows from 0, 105, 205 and 305. With the first held back: from 6, 190 and 290.
    assert_eq!(earliest(spec, &releases).last(), Some(&290));
}

#[test]
fn new_counters_begin_empty() {
    let spec = Spec {
        kind: Kind::Fixed,
        limit: 2,
        window_us: 100,
    };
    assert_eq!(
        earliest_with_changes(spec, &[0; 6], &[50]),
        [0, 0, 50, 50, 150, 150]
    );
}
