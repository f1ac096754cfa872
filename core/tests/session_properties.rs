//! Whatever arrives, in whatever order and at whatever time: what a session never does.

mod session_chaos;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use session_chaos::{Chaos, Event, Sent, Step, steps};
use shardkeep_core::Instant;

/// Discord's own limits, without the margins that the session adds.
const SENDS: (usize, Duration) = (120, Duration::from_secs(60));
const PRESENCES: (usize, Duration) = (5, Duration::from_secs(20));
const WHOLE_LISTS: (usize, Duration) = (1, Duration::from_secs(30));
const PAYLOAD_BYTES: usize = 4_096;

/// Whether any `window` holds more than `most` of the times, which ascend.
fn within(times: &[Instant], (most, window): (usize, Duration)) -> bool {
    times
        .windows(most + 1)
        .all(|run| run[most] - run[0] >= window)
}

fn run(seed: u64, steps: &[Step]) -> Chaos {
    let mut chaos = Chaos::new(seed);
    for step in steps {
        chaos.step(step);
    }
    chaos
}

fn times<'a>(sent: impl Iterator<Item = &'a Sent>) -> Vec<Instant> {
    sent.map(|sent| sent.at).collect()
}

fn check_limits(chaos: &Chaos) -> Result<(), TestCaseError> {
    for connection in chaos.connections() {
        prop_assert!(
            within(&times(connection.iter()), SENDS),
            "120 in 60 s: {connection:?}"
        );
        for sent in connection.iter().filter(|sent| sent.is_command()) {
            prop_assert!(sent.bytes <= PAYLOAD_BYTES, "{sent:?}");
        }
    }
    let presences = chaos.sent().filter(|sent| sent.op == 3);
    prop_assert!(within(&times(presences), PRESENCES), "5 presences in 20 s");
    let mut lists: BTreeMap<u64, Vec<Instant>> = BTreeMap::new();
    for sent in chaos.sent() {
        if let Some(guild) = sent.whole_guild {
            lists.entry(guild).or_default().push(sent.at);
        }
    }
    for (guild, times) in lists {
        prop_assert!(
            within(&times, WHOLE_LISTS),
            "guild {guild} twice in 30 s: {times:?}"
        );
    }
    Ok(())
}

/// Each connection: nothing but heartbeats before identify or resume, one of those at most, commands only once READY or
/// RESUMED came.
fn check_order(chaos: &Chaos) -> Result<(), TestCaseError> {
    for connection in chaos.connections() {
        let openings = connection.iter().filter(|sent| matches!(sent.op, 2 | 6));
        prop_assert!(openings.count() <= 1, "identified twice: {connection:?}");
        let first_command = connection.iter().position(Sent::is_command);
        let opening = connection.iter().position(|sent| matches!(sent.op, 2 | 6));
        prop_assert!(
            first_command.is_none() || opening < first_command,
            "{connection:?}"
        );
        for sent in connection.iter().filter(|sent| sent.is_command()) {
            prop_assert!(sent.was_established, "before READY: {sent:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Nothing panics, and no limit of Discord's is passed, on any schedule.
    #[test]
    fn limits_hold_on_any_schedule(seed in any::<u64>(), steps in steps(150)) {
        let chaos = run(seed, &steps);
        check_limits(&chaos)?;
        check_order(&chaos)?;
    }

    /// Scheduled heartbeats leave on time, however many commands wait.
    #[test]
    fn heartbeats_are_never_late(seed in any::<u64>(), steps in steps(150)) {
        let chaos = run(seed, &steps);
        for (due, sent) in chaos.beats() {
            prop_assert_eq!(due, sent);
        }
    }

    /// The token goes out in identify and resume and nowhere else, and only to hosts that may have it.
    #[test]
    fn the_token_goes_nowhere_else(seed in any::<u64>(), steps in steps(100)) {
        let chaos = run(seed, &steps);
        for event in chaos.events() {
            match event {
                Event::Sent { op: 2 | 6, host, .. } => prop_assert!(session_chaos::is_discords(host), "{}", host),
                Event::Sent { holds_token, .. } | Event::Told { holds_token } => prop_assert!(!holds_token),
            }
        }
    }

    /// The same inputs give the same outputs.
    #[test]
    fn the_same_inputs_give_the_same_outputs(seed in any::<u64>(), steps in steps(80)) {
        let (first, second) = (run(seed, &steps), run(seed, &steps));
        prop_assert_eq!(first.transcript(), second.transcript());
    }

    /// However messages are cut into frames and however often the clock is looked at, the same dispatches come out.
    #[test]
    fn frames_may_be_cut_anywhere(cuts in prop::collection::vec(1usize..40, 1..60), looks in any::<bool>()) {
        prop_assert_eq!(session_chaos::streamed(&cuts, looks), session_chaos::streamed(&[usize::MAX], false));
    }

    /// Any bytes at all, as text and as binary, under any compression.
    #[test]
    fn any_bytes_are_survived(
        frames in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), 0..20),
        compression in 0usize..3,
    ) {
        session_chaos::feed_bytes(compression, &frames);
    }
}
