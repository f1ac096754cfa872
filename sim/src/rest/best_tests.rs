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

/// The earliest end of two buckets behind a global limit, over every choice.
fn brute_of_two(specs: [Spec; 2], global: Spec, counts: [u64; 2]) -> u64 {
    let fresh = [specs[0], specs[1], global].map(|spec| Window::new(spec.kind));
    let mut states = BTreeSet::from([([0_u64; 2], fresh)]);
    for now in 0.. {
        let mut open: Vec<_> = states
            .into_iter()
            .map(|(sent, [mut a, mut b, mut all])| {
                a.roll(specs[0], now);
                b.roll(specs[1], now);
                all.roll(global, now);
                (sent, [a, b, all])
            })
            .collect();
        states = BTreeSet::new();
        while let Some((sent, windows)) = open.pop() {
            if sent == counts {
                return now;
            }
            for which in 0..2 {
                let fits = windows[which].fits(specs[which], now) && windows[2].fits(global, now);
                if sent[which] < counts[which] && fits {
                    let (mut sent, mut windows) = (sent, windows.clone());
                    sent[which] += 1;
                    windows[which].take(specs[which], now);
                    windows[2].take(global, now);
                    open.push((sent, windows));
                }
            }
            states.insert((sent, windows));
        }
    }
    unreachable!("time does not end")
}

#[test]
fn buckets_and_the_global_limit_together_are_a_lower_bound() {
    let mut exact = 0;
    for seed in 0..800 {
        let mut rng = Rng::new(seed);
        let mut spec = || Spec {
            kind: [Kind::Fixed, Kind::Leaky, Kind::Log][usize::try_from(rng.below(3)).unwrap()],
            limit: 1 + rng.below(2),
            window_us: 2 + rng.below(5),
        };
        let specs = [spec(), spec()];
        let global = Spec {
            kind: Kind::Log,
            limit: 1 + rng.below(3),
            window_us: 2 + rng.below(3),
        };
        let counts = [1 + rng.below(4), 1 + rng.below(4)];
        let mut all: Vec<u64> = (0..2)
            .flat_map(|at| earliest(specs[at], &vec![0; usize::try_from(counts[at]).unwrap()]))
            .collect();
        all.sort_unstable();
        let through = earliest_log(global.limit, global.window_us, &all);
        let bound = all.iter().chain(&through).copied().max().unwrap();
        let best = brute_of_two(specs, global, counts);
        assert!(
            bound <= best,
            "seed {seed}: {bound} above {best}: {specs:?} {global:?} {counts:?}"
        );
        exact += u32::from(bound == best);
    }
    assert!(exact > 750, "the bound is reached in {exact} cases of 800");
}
