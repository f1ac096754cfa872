//! Windows that slide, and those that must not be taken for it.

use super::super::model::Vector;
use super::{Scene, VIA, bucket, scene};

const POST: &str = "POST /channels/1/messages";

pub(crate) fn vectors() -> Vec<Vector> {
    vec![
        slides(),
        stays_fixed(),
        log_stays_fixed(),
        slides_with_room(),
        distrusted(),
    ]
}

/// Two answers of a bucket that leaks one request a second.
fn leaking(name: &str, rule: &str) -> Scene {
    scene(name, rule)
        .ask(1, POST)
        .at_ms(10)
        .ok(1, &bucket("a", 5, 4, "1"))
        .gives(&["deliver id=1"])
        .ask(2, POST)
        .at_ms(20)
        .ok(2, &bucket("a", 5, 3, "1.99"))
        .gives(&["deliver id=2"])
}

fn slides() -> Vector {
    leaking(
        "sliding_window_gives_back_one_by_one",
        "4.4: Reset-After that grows with what is spent is a sliding window: one comes back each period",
    )
    .at_ms(30)
    .taught(3, POST, &bucket("a", 5, 2, "2.98"))
    .taught(4, POST, &bucket("a", 5, 1, "3.98"))
    .taught(5, POST, &bucket("a", 5, 0, "4.98"))
    .ask(6, POST)
    .ask(7, POST)
    .gives(&[])
    .only_at(1_019, &["send id=6"])
    .only_at(2_018, &["send id=7"])
    .end()
}

fn stays_fixed() -> Vector {
    scene(
        "fixed_window_waits_for_its_end",
        "4.4: a Reset-After that runs down towards one moment is a fixed window",
    )
    .ask(1, POST)
    .at_ms(10)
    .ok(1, &bucket("a", 3, 2, "5"))
    .ask(2, POST)
    .at_ms(20)
    .ok(2, &bucket("a", 3, 1, "4.985"))
    .ask(3, POST)
    .at_ms(30)
    .ok(3, &bucket("a", 3, 0, "4.975"))
    .ask(4, POST)
    .gives(&[])
    .at_ms(5_000)
    .tick()
    .gives(&[])
    .at_ms(5_015)
    .tick()
    .gives(&["send id=4"])
    .end()
}

fn log_stays_fixed() -> Vector {
    scene(
        "window_that_starts_anew_is_not_taken_for_sliding",
        "4.4: a reset that moves but does not grow with what is spent is no leak: nothing comes back before its time",
    )
    .ask(1, POST)
    .at_ms(10)
    .ok(1, &bucket("a", 3, 2, "5"))
    .ask(2, POST)
    .at_ms(500)
    .ok(2, &bucket("a", 3, 1, "5"))
    .ask(3, POST)
    .at_ms(1_000)
    .ok(3, &bucket("a", 3, 0, "5"))
    .ask(4, POST)
    .gives(&[])
    .at_ms(5_009)
    .tick()
    .gives(&[])
    .at_ms(6_005)
    .tick()
    .counts(&[("sent", 4), ("in_flight", 1)])
    .end()
}

fn slides_with_room() -> Vector {
    leaking(
        "sliding_window_counts_what_is_in_flight",
        "4.4: requests in flight are spent in a sliding window too",
    )
    .ask(3, POST)
    .ask(4, POST)
    .ask(5, POST)
    .gives(&["send id=5"])
    .ask(6, POST)
    .gives(&[])
    .only_at(1_016, &["send id=6"])
    .end()
}

fn distrusted() -> Vector {
    leaking(
        "sliding_window_that_refuses_is_held_for_fixed",
        "4.4: if Discord refuses what a sliding window should have allowed, it is held for fixed again",
    )
    .at_ms(2_100)
    .ask(3, POST)
    .gives(&["send id=3"])
    .too_many(3, &bucket("a", 5, 0, "5").replace(VIA, ""), "5")
    .tells("retry code=1 id=3")
    .only_at(7_105, &["send id=3"])
    .ok(3, &bucket("a", 5, 0, "5"))
    .ask(4, POST)
    .only_at(12_110, &["send id=4"])
    .end()
}
