//! What dispatches do to records, against the naive model; and the table that says so.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cache_model;

use std::collections::BTreeSet;

use cache_model::plain::Plain;
use cache_model::world::World;
use cache_model::{Model, write};
use serde_json::Value;
use shardkeep_core::cache::entity::{Change, Effect, TABLE, changes, effect, row};
use shardkeep_core::cache::{Key, Kind};
use shardkeep_core::wire::{self, EventKind};
use shardkeep_core::{Rng, Snowflake};

/// A key of the model, in core's words.
fn key_of(&(kind, scope, id): &cache_model::Key) -> Key {
    let kind = Kind::ALL.iter().copied().find(|known| known.name() == kind);
    Key::new(kind.unwrap(), Snowflake(scope), Snowflake(id))
}

/// The first difference between the two, if any.
fn difference(model: &Model, plain: &Plain) -> Option<String> {
    for (key, record) in &model.records {
        let Some(text) = plain.records.get(&key_of(key)) else {
            return Some(format!("{key:?} is missing, but is {record:?}"));
        };
        let value: Value = match serde_json::from_slice(&text.json) {
            Ok(value) => value,
            Err(error) => return Some(format!("{key:?} is no JSON: {error}")),
        };
        if value.as_object() != Some(&record.value) {
            return Some(format!(
                "{key:?} is {value}, but should be {:?}",
                record.value
            ));
        }
        if (text.guild.0, text.under.0) != (record.guild, record.under) {
            return Some(format!("{key:?} is elsewhere: {text:?}, {record:?}"));
        }
    }
    let names: BTreeSet<Key> = model.records.keys().map(key_of).collect();
    let extra = plain.records.keys().find(|key| !names.contains(key));
    extra.map(|key| format!("{key} should not be there"))
}

/// Plays one world against the model.
fn play(seed: u64, steps: u32, junk_percent: u64, plain: &mut Plain) {
    let mut rng = Rng::new(seed);
    let mut world = World::new(seed, junk_percent);
    let mut model = Model::new(plain.messages_per_channel);
    for step in 0..steps {
        let (event, d, is_junk) = world.next();
        let text = write(&d, &mut rng);
        let before = plain.malformed;
        plain.dispatch(event, &text);
        model.dispatch(event.name(), &d);
        if let Some(difference) = difference(&model, plain) {
            panic!("seed {seed}, step {step}, {event} {d}: {difference}");
        }
        if junk_percent == 0 {
            assert_eq!(
                plain.malformed, before,
                "seed {seed}, step {step}, {event} {d} {is_junk}"
            );
        }
    }
}

#[test]
fn any_sequence_comes_to_what_the_model_has() {
    for seed in 0..100 {
        let junk_percent = [0, 0, 10, 40][(seed % 4) as usize];
        play(
            seed,
            120,
            junk_percent,
            &mut Plain::new(1 + (seed % 5) as usize),
        );
    }
}

#[test]
fn the_table_has_every_dispatch_and_what_it_does() {
    let listed: Vec<EventKind> = TABLE.iter().map(|row| row.event).collect();
    assert_eq!(listed, EventKind::ALL, "every event, once, by number");
    let told: BTreeSet<(EventKind, Kind, Effect)> = TABLE
        .iter()
        .flat_map(|row| {
            row.touches
                .iter()
                .map(|&(kind, effect)| (row.event, kind, effect))
        })
        .collect();
    for row in TABLE {
        assert!(row.touches.is_sorted(), "{}", row.event);
        assert!(
            !row.touches.is_empty() || !row.note.is_empty(),
            "{} has no reason",
            row.event
        );
    }
    let mut plain = Plain::new(3);
    for seed in 0..600 {
        let mut rng = Rng::new(seed);
        let mut world = World::new(seed, 0);
        for _ in 0..80 {
            let (event, d, _) = world.next();
            plain.dispatch(event, &write(&d, &mut rng));
        }
    }
    let seen = plain.seen;
    let missing: Vec<_> = seen.difference(&told).collect();
    assert!(missing.is_empty(), "the table lacks {missing:?}");
    let idle: Vec<_> = told.difference(&seen).collect();
    assert!(idle.is_empty(), "nothing does {idle:?}");
}

/// Bytes that are no JSON, or too little of it.
#[test]
fn no_bytes_make_it_panic() {
    let mut rng = Rng::new(5);
    let mut world = World::new(5, 0);
    let mut plain = Plain::new(3);
    for _ in 0..6_000 {
        let (event, d, _) = world.next();
        let mut text = write(&d, &mut rng);
        for _ in 0..1 + rng.below(3) {
            let at = usize::try_from(rng.below(text.len() as u64)).unwrap();
            match rng.below(3) {
                0 => text.truncate(at + 1),
                1 => text[at] = b"{}[]\",:\\x0"[usize::try_from(rng.below(10)).unwrap()],
                _ => {
                    text.remove(at);
                }
            }
            if text.is_empty() {
                break;
            }
        }
        plain.dispatch(event, &text);
    }
    assert!(plain.malformed > 1_000, "{}", plain.malformed);
}

/// Discord's own examples, where they are at hand: nothing in them is malformed, and the table tells what they do.
#[test]
fn the_sample_payloads_are_understood() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/protocol/payloads"
    );
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: there is no {folder}");
        return;
    };
    let mut count = 0;
    for file in files.map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("dispatch.") {
            continue;
        }
        let text = std::fs::read(&file).unwrap();
        let envelope = wire::scan(&text).unwrap();
        let event = envelope.kind(&text);
        let told = row(event)
            .unwrap_or_else(|| panic!("{name} is not in the table"))
            .touches;
        let mut sink = |change: Change<'_>| {
            let touch = effect(&change);
            assert!(
                touch.is_none_or(|touch| told.contains(&touch)),
                "{name}: {touch:?}"
            );
        };
        let malformed = changes(event, envelope.data(&text), Snowflake(1), &mut sink);
        assert_eq!(malformed, 0, "{name}");
        count += 1;
    }
    assert!(count > 80, "{count} samples");
}
