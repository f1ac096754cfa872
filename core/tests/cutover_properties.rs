//! Whatever the history: what is dispatched is what happened, or the ledger says what it may not be. A failing case
//! prints its seed and weather, with which `World::new` plays it again.

#![allow(clippy::panic, reason = "a broken property is a failed test")]

mod cutover_world;

use cutover_world::{Sum, Weather, World};
use proptest::prelude::*;
use shardkeep_core::fleet::cutover::{Fingerprint, Message, fingerprint};
use shardkeep_core::wire::EventKind;

fn play(seed: u64, weather: Weather) -> Sum {
    let mut sum = Sum::default();
    World::new(seed, weather).play().check(&mut sum);
    sum
}

fn weather() -> impl Strategy<Value = Weather> {
    any::<[bool; 6]>().prop_map(
        |[
            resumes,
            new_lost,
            old_lost,
            crashes,
            old_dies,
            slow_messages,
        ]| Weather {
            resumes,
            new_lost,
            old_lost,
            crashes,
            old_dies,
            slow_messages,
        },
    )
}

/// JSON whose members come in any order and with any white space.
fn written(order: &[usize], spaces: &[u8]) -> String {
    let members = [
        r#""user":{"id":"1"}"#,
        r#""status":"idle""#,
        r#""list":[1,{"a":1}]"#,
        r#""none":null"#,
    ];
    let space = |at: usize| " ".repeat(usize::from(spaces[at] % 3));
    let members: Vec<_> = order
        .iter()
        .map(|index| format!("{}{}{}", space(*index), members[*index], space(index + 1)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn print(kind: EventKind, data: &str) -> Fingerprint {
    fingerprint(kind, "", data.as_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn when_nothing_breaks_each_event_is_dispatched_once_and_in_order(seed: u64) {
        play(seed, Weather::default());
    }

    #[test]
    fn when_anything_breaks_nothing_is_lost_silently(seed: u64, weather in weather()) {
        play(seed, weather);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_members_are_written_does_not_matter(
        order in Just((0..4).collect::<Vec<usize>>()).prop_shuffle(),
        spaces: [u8; 5],
    ) {
        let kind = EventKind::PresenceUpdate;
        let plain = print(kind, &written(&[0, 1, 2, 3], &[0; 5]));
        prop_assert_eq!(print(kind, &written(&order, &spaces)), plain);
        prop_assert_ne!(print(kind, &written(&order[1..], &spaces)), plain);
    }

    #[test]
    fn any_bytes_have_a_fingerprint_and_are_read_or_refused(number: u8, bytes: Vec<u8>) {
        let kind = EventKind::from_number(number);
        let _ = fingerprint(kind, "ANY", &bytes);
        let _ = Message::read(&bytes);
    }
}
