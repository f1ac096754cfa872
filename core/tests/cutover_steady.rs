//! In steady state neither side of a cutover allocates: not for a guild that is watched or dispatched, nor for one that
//! is cut, whatever the payload.

use allocation_counter::measure;
use shardkeep_core::fleet::cutover::{Config, Event, Joining, Leaving, Verdict, fingerprint};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Snowflake};

const GUILDS: u64 = 50;
const COUNTED: u64 = 5_000;

fn config() -> Config {
    let mut config = Config::new(1);
    // So that memory has reached its size, and turns over.
    config.seen_max = 1_000;
    config
}

fn payload(number: u64) -> (EventKind, String) {
    let guild = number % GUILDS + 1;
    match number % 4 {
        0 => (
            EventKind::MessageCreate,
            format!(r#"{{"id":"{number}","content":"a \" b","guild_id":"{guild}"}}"#),
        ),
        1 => (
            EventKind::PresenceUpdate,
            format!(
                r#"{{"user":{{"id":"{}"}},"activities":[{{"name":"x","state":[1,{{}}]}}],"guild_id":"{guild}"}}"#,
                number % 3
            ),
        ),
        2 => (
            EventKind::GuildRoleCreate,
            format!(r#"{{"role":{{"id":"{number}"}},"guild_id":"{guild}"}}"#),
        ),
        _ => (
            EventKind::GuildUpdate,
            format!(r#"{{"id":"{guild}","name":"n","roles":[]}}"#),
        ),
    }
}

fn feed(side: &mut dyn FnMut(&Event<'_>), payloads: &[(EventKind, String)]) {
    for (sequence, (kind, data)) in payloads.iter().enumerate() {
        side(&Event {
            sequence: sequence as u64,
            kind: *kind,
            name: kind.name(),
            data: data.as_bytes(),
        });
    }
}

fn payloads(from: u64) -> Vec<(EventKind, String)> {
    (from..from + COUNTED).map(payload).collect()
}

#[test]
fn fingerprints_allocate_nothing() {
    let payloads = payloads(0);
    let allocations = measure(|| {
        for (kind, data) in &payloads {
            let _ = fingerprint(*kind, "", data.as_bytes());
        }
    });
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
}

#[test]
fn the_side_that_leaves_allocates_nothing() {
    let mut side = Leaving::new(config(), (1..=GUILDS).map(Snowflake));
    let now = Instant::from_secs(100);
    let (warm, counted) = (payloads(0), payloads(COUNTED));
    let mut seen = 0;
    feed(
        &mut |event| seen += u32::from(side.event(now, event) == Verdict::Dispatch),
        &warm,
    );
    let allocations = measure(|| {
        feed(
            &mut |event| seen += u32::from(side.event(now, event) == Verdict::Dispatch),
            &counted,
        );
    });
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
    assert_eq!(u64::from(seen), 2 * COUNTED);
    side.lost();
    let allocations = measure(|| {
        feed(
            &mut |event| seen += u32::from(side.event(now, event) == Verdict::Dispatch),
            &counted,
        );
    });
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
    assert_eq!(
        u64::from(seen),
        2 * COUNTED,
        "what is cut is not dispatched"
    );
}

#[test]
fn the_side_that_joins_allocates_nothing() {
    let mut side = Joining::new(config(), (1..=GUILDS).map(Snowflake));
    let now = Instant::from_secs(100);
    for guild in 1..=GUILDS {
        side.watch(now, Snowflake(guild));
    }
    let (warm, counted) = (payloads(0), payloads(COUNTED));
    let mut seen = 0;
    feed(
        &mut |event| seen += u32::from(side.event(now, event) == Verdict::Dispatch),
        &warm,
    );
    let allocations = measure(|| {
        feed(
            &mut |event| seen += u32::from(side.event(now, event) == Verdict::Dispatch),
            &counted,
        );
    });
    assert_eq!(allocations.count_total, 0, "watched: {allocations:?}");
    assert_eq!(seen, 0, "what is watched is not dispatched");
    for guild in 1..=GUILDS {
        side.take_over(now, Snowflake(guild), now);
    }
    let later = Instant::from_secs(200);
    side.handle_timeout(later);
    let allocations = measure(|| {
        feed(
            &mut |event| seen += u32::from(side.event(later, event) == Verdict::Dispatch),
            &counted,
        );
    });
    assert_eq!(allocations.count_total, 0, "owned: {allocations:?}");
    assert_eq!(u64::from(seen), COUNTED);
}
