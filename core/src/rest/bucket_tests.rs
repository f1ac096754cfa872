//! Windows: fixed and sliding, answers out of order, answers that never come.

use alloc::vec::Vec;

use super::*;

const MARGIN: Duration = Duration::from_millis(5);

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn sample(sent: u64, received: u64, limit: u32, remaining: u32, reset_after: u64) -> Sample {
    Sample {
        sent: ms(sent),
        received: ms(received),
        limit,
        remaining,
        reset_after: Duration::from_millis(reset_after),
    }
}

/// A window and its profile after these answers.
fn taught(samples: &[Sample]) -> (Window, Profile) {
    let (mut window, mut profile) = (Window::default(), Profile::new(samples[0].limit));
    for &sample in samples {
        window.learn(&mut profile, sample, 0, MARGIN);
    }
    (window, profile)
}

#[test]
fn a_window_gives_what_the_last_answer_left_less_what_is_in_flight() {
    let (window, profile) = taught(&[sample(0, 20, 5, 4, 5_000)]);
    assert_eq!(window.room(&profile, ms(20), 0, MARGIN), Room::Now(4));
    assert_eq!(window.room(&profile, ms(20), 3, MARGIN), Room::Now(1));
    assert_eq!(
        window.room(&profile, ms(20), 4, MARGIN),
        Room::At(ms(5_025))
    );
    assert_eq!(window.room(&profile, ms(5_025), 1, MARGIN), Room::Now(4));
}

#[test]
fn the_least_that_was_left_counts_in_whatever_order_answers_come() {
    let (window, profile) = taught(&[
        sample(0, 20, 5, 4, 5_000),
        sample(20, 40, 5, 0, 4_980),
        sample(20, 60, 5, 3, 4_980),
    ]);
    assert_eq!(
        window.room(&profile, ms(60), 0, MARGIN),
        Room::At(ms(5_045))
    );
}

#[test]
fn an_answer_of_the_next_window_replaces_those_of_the_last() {
    let (window, profile) = taught(&[
        sample(0, 20, 5, 0, 1_000),
        sample(1_030, 1_050, 5, 4, 1_000),
        // This one was counted in the first window and took long.
        sample(10, 1_060, 5, 1, 900),
    ]);
    // The late answer could be of either window: the worse one is believed.
    assert!(matches!(
        window.room(&profile, ms(1_060), 0, MARGIN),
        Room::Now(1..=4)
    ));
}

#[test]
fn a_sliding_window_is_told_from_ends_that_move_in_proportion() {
    // Five in five seconds, one back every second; the first alone, the rest at once.
    let (window, profile) = taught(&[
        sample(0, 20, 5, 4, 1_000),
        sample(20, 40, 5, 3, 1_980),
        sample(20, 40, 5, 2, 2_980),
    ]);
    assert_eq!(
        profile.kind,
        Kind::Sliding {
            period: Duration::from_millis(999)
        }
    );
    // It is full again 3.02 s after the epoch, so two are free now and one more from 1.027 on.
    assert_eq!(window.room(&profile, ms(40), 0, MARGIN), Room::Now(2));
    assert_eq!(
        window.room(&profile, ms(40), 2, MARGIN),
        Room::At(ms(1_027))
    );
    assert_eq!(window.room(&profile, ms(1_027), 0, MARGIN), Room::Now(3));
}

#[test]
fn a_fixed_window_is_never_taken_for_sliding() {
    let mut samples = Vec::new();
    for window in 0..20 {
        let start = window * 1_100;
        for index in 0..5_u32 {
            let sent = start + u64::from(index) * 3;
            let reset = 1_000 - u64::from(index) * 3;
            samples.push(sample(
                sent,
                sent + 20 + u64::from(index % 3) * 7,
                5,
                4 - index,
                reset,
            ));
        }
    }
    assert_eq!(taught(&samples).1.kind, Kind::Fixed);
}

#[test]
fn a_log_is_told_from_ends_that_are_always_a_window_away() {
    let samples: Vec<_> = (0..5_u32)
        .map(|index| {
            let sent = u64::from(index) * 100;
            sample(sent, sent + 20, 5, 4 - index, 1_000)
        })
        .collect();
    let (window, profile) = taught(&samples);
    assert_eq!(profile.kind, Kind::Log);
    assert_eq!(
        window.room(&profile, ms(420), 0, MARGIN),
        Room::At(ms(1_025))
    );
}

#[test]
fn what_may_still_have_been_counted_is_not_taken_for_somebody_elses() {
    let mut samples: Vec<_> = (0..2_u32)
        .map(|index| {
            let sent = u64::from(index) * 100;
            sample(sent, sent + 20, 2, 1 - index, 1_000)
        })
        .collect();
    // Sent as soon as the first of them has surely left, and counted while the second was still there.
    samples.push(sample(1_027, 1_140, 2, 0, 1_000));
    let (window, profile) = taught(&samples);
    assert_eq!(profile.kind, Kind::Log);
    // Only the third counts by now: had another been made up, none could go before 2.145 s.
    assert_eq!(window.room(&profile, ms(1_140), 0, MARGIN), Room::Now(1));
}

#[test]
fn a_lost_request_may_have_been_counted() {
    let (mut window, profile) = taught(&[sample(0, 20, 5, 4, 5_000)]);
    window.lose(&profile, ms(100));
    assert_eq!(window.room(&profile, ms(100), 0, MARGIN), Room::Now(3));
    let mut fresh = Window::default();
    fresh.lose(&profile, ms(100));
    assert_eq!(fresh.room(&profile, ms(100), 0, MARGIN), Room::Now(4));
}

#[test]
fn another_limit_makes_a_profile_start_anew() {
    let (_, mut profile) = taught(&[
        sample(0, 20, 5, 4, 1_000),
        sample(20, 40, 5, 3, 1_980),
        sample(20, 40, 5, 2, 2_980),
    ]);
    let mut window = Window::default();
    window.learn(&mut profile, sample(9_000, 9_020, 3, 2, 4_000), 0, MARGIN);
    assert_eq!((profile.limit, profile.kind), (3, Kind::Fixed));
    assert_eq!(window.room(&profile, ms(9_020), 0, MARGIN), Room::Now(2));
}

#[test]
fn what_discord_says_to_wait_is_waited() {
    let (mut window, profile) = taught(&[sample(0, 20, 5, 4, 1_000)]);
    window.hold(ms(9_000));
    assert_eq!(
        window.room(&profile, ms(100), 0, MARGIN),
        Room::At(ms(9_000))
    );
    assert_eq!(window.room(&profile, ms(9_000), 0, MARGIN), Room::Now(5));
}

#[test]
fn a_forecast_counts_windows() {
    let (window, profile) = taught(&[sample(0, 20, 5, 0, 1_000)]);
    let at = |ahead| window.forecast(&profile, ms(20), 0, ahead, MARGIN);
    assert_eq!(at(0), ms(1_025));
    assert_eq!(at(4), ms(1_025));
    assert!(at(5) > ms(1_025));
}

#[test]
fn what_others_took_of_a_log_is_told_by_the_least_that_was_left() {
    let proof: Vec<_> = (0..5_u32)
        .map(|index| {
            let sent = u64::from(index) * 100;
            sample(sent, sent + 20, 5, 4 - index, 1_000)
        })
        .collect();
    let (_, mut profile) = taught(&proof);
    // Another bucket of the same hash: two go at once, somebody else has taken one, and one answer overtakes the other.
    let mut window = Window::default();
    window.learn(&mut profile, sample(5_000, 5_010, 5, 2, 1_000), 1, MARGIN);
    window.learn(&mut profile, sample(5_000, 5_011, 5, 3, 1_000), 0, MARGIN);
    assert_eq!(window.room(&profile, ms(5_012), 0, MARGIN), Room::Now(2));
}
