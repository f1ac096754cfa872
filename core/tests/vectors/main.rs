//! The conformance vectors: replayed from their files, and made from the scenarios beside this file.
//!
//! `SHARDKEEP_BLESS=1 cargo test -p shardkeep-core --test vectors` writes the files; without it they are compared.

#![allow(clippy::panic, reason = "a failed vector is a failed test")]

mod cache;
mod capsule;
mod cutover;
mod envelope;
mod identify;
mod model;
mod plan;
mod play;
mod replay;
mod scheduler;
mod session;
mod under;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use model::{EnvelopeVector, File, PlanVector, Vector};
use serde::de::DeserializeOwned;
use shardkeep_core::cache::Cache;
use shardkeep_core::fleet::Fleet;
use shardkeep_core::gateway::{EDGES, Session};
use shardkeep_core::rest::Scheduler;
use under::Under;

/// A file: its name, what it is about, and its vectors.
type Source<V> = (&'static str, &'static str, Vec<V>);

fn session_files() -> Vec<Source<Vector>> {
    use session::{
        close_codes, commands, compression, dispatch, heartbeat, identify, limits, moves, resume,
        shutdown, state_table,
    };
    let mut closing = close_codes::vectors();
    closing.extend(close_codes::more());
    vec![
        (
            "close_codes",
            "What each close code leaves to do (protocol 1.11).",
            closing,
        ),
        (
            "state_table",
            "The state table, row by row (protocol 1.4).",
            state_table::vectors(),
        ),
        (
            "moves",
            "Every state with a socket, and everything that can end its connection (protocol 1.4).",
            moves::vectors(),
        ),
        (
            "heartbeat",
            "Heartbeats: jitter, schedule, requests, dead connections (protocol 1.5).",
            heartbeat::vectors(),
        ),
        (
            "identify",
            "Identify with every field, READY, refused configurations (protocol 1.6, 1.7).",
            identify::vectors(),
        ),
        (
            "resume",
            "Resuming, replay, sessions that cannot be resumed (protocol 1.8 to 1.10).",
            resume::vectors(),
        ),
        (
            "commands",
            "The commands of a user (protocol 1.13, 1.15).",
            commands::vectors(),
        ),
        (
            "limits",
            "The limits on what a connection may send (protocol 1.13).",
            limits::vectors(),
        ),
        (
            "dispatch",
            "Dispatches: handed on, filtered, passed by, unreadable (protocol 1.2).",
            dispatch::vectors(),
        ),
        (
            "compression",
            "Compressed messages (protocol 2).",
            compression::vectors(),
        ),
        (
            "shutdown",
            "Stopping for good, in every state and both ways (protocol 1.12).",
            shutdown::vectors(),
        ),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// Writes a file, or asserts that it is what its scenarios give.
fn settle(subfolder: &str, name: &str, text: &str) {
    let path = folder().join(subfolder).join(format!("{name}.json"));
    if std::env::var_os("SHARDKEEP_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the vectors");
        fs::write(&path, text).expect("a place for the vectors");
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let same = found
        .lines()
        .zip(text.lines())
        .take_while(|(a, b)| a == b)
        .count();
    assert!(
        found == text,
        "{}:{}: not what its scenarios give; read the difference, then bless it",
        path.display(),
        same + 1
    );
}

fn file<V>(about: &str, machine: &str, vectors: Vec<V>) -> File<V> {
    let (about, machine) = (String::from(about), String::from(machine));
    File {
        about,
        machine,
        vectors,
    }
}

#[test]
fn session_files_are_what_the_scenarios_give() {
    let files = session_files();
    play::assert_as_stated();
    for (name, about, vectors) in files {
        settle(
            "session",
            name,
            &write::machine_file(&file(about, "session", vectors)),
        );
    }
}

#[test]
fn identify_files_are_what_the_scenarios_give() {
    let files = identify::files();
    play::assert_as_stated();
    for (name, about, vectors) in files {
        let contents = file(about, Fleet::NAME, vectors);
        settle("identify", name, &write::machine_file(&contents));
    }
}

#[test]
fn scheduler_files_are_what_the_scenarios_give() {
    let files = scheduler::files();
    play::assert_as_stated();
    for (name, about, vectors) in files {
        let contents = file(about, Scheduler::NAME, vectors);
        settle("scheduler", name, &write::machine_file(&contents));
    }
}

#[test]
fn cache_files_are_what_the_scenarios_give() {
    let files = cache::files();
    play::assert_as_stated();
    for (name, about, vectors) in files {
        let contents = file(about, Cache::NAME, vectors);
        settle("cache", name, &write::machine_file(&contents));
    }
}

#[test]
fn plan_files_are_what_the_scenarios_give() {
    for (name, about, vectors) in plan::files() {
        let contents = file(about, plan::NAME, vectors);
        settle("plan", name, &write::plan_file(&contents));
    }
}

#[test]
fn envelope_files_are_what_the_scanner_gives() {
    for (name, about, vectors) in envelope::files() {
        settle(
            "envelope",
            name,
            &write::envelope_file(&file(about, "envelope", vectors)),
        );
    }
}

#[test]
fn cutover_files_are_what_the_scenarios_give() {
    for (name, about, vectors) in cutover::files() {
        settle("cutover", name, &cutover::write(about, vectors));
    }
}

#[test]
fn capsule_files_are_what_the_scenarios_give() {
    for (name, about, vectors) in capsule::files() {
        let contents = file(about, capsule::NAME, vectors);
        settle(capsule::NAME, name, &capsule::write(&contents));
    }
}

/// Every vector in the files of a folder.
fn read<V: DeserializeOwned>(name: &str, machine: &str) -> Vec<V> {
    let entries = fs::read_dir(folder().join(name)).expect("vectors");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let mut vectors = Vec::new();
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
    {
        let text = fs::read_to_string(path).expect("a vector file");
        let contents: File<V> = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(contents.machine, machine, "{}", path.display());
        assert!(!contents.about.is_empty(), "{}", path.display());
        vectors.extend(contents.vectors);
    }
    vectors
}

#[test]
fn session_vectors_replay_and_take_every_edge() {
    let vectors: Vec<Vector> = read("session", Session::NAME);
    let taken = vectors
        .iter()
        .map(replay::machine::<Session>)
        .fold(0, |all, edges| all | edges);
    let missing: Vec<_> = EDGES
        .iter()
        .enumerate()
        .filter(|(bit, _)| taken >> bit & 1 == 0)
        .collect();
    assert!(missing.is_empty(), "no vector takes {missing:#?}");
    assert!(EDGES.len() < 64, "an edge for every bit");
}

#[test]
fn identify_vectors_replay() {
    let vectors: Vec<Vector> = read("identify", Fleet::NAME);
    vectors.iter().for_each(|vector| {
        replay::machine::<Fleet>(vector);
    });
    assert!(vectors.len() >= 30, "{} identify vectors", vectors.len());
}

#[test]
fn scheduler_vectors_replay_and_show_every_output() {
    let vectors: Vec<Vector> = read("scheduler", Scheduler::NAME);
    vectors.iter().for_each(|vector| {
        replay::machine::<Scheduler>(vector);
    });
    assert!(vectors.len() >= 120, "{} scheduler vectors", vectors.len());
    let missing = scheduler::missing(&vectors);
    assert!(missing.is_empty(), "no vector gives {missing:#?}");
}

#[test]
fn cache_vectors_replay_and_show_every_dispatch_and_output() {
    let vectors: Vec<Vector> = read("cache", Cache::NAME);
    vectors.iter().for_each(|vector| {
        replay::machine::<Cache>(vector);
    });
    assert!(vectors.len() >= 150, "{} cache vectors", vectors.len());
    let missing = cache::missing(&vectors);
    assert!(missing.is_empty(), "no vector gives {missing:#?}");
}

#[test]
fn plan_vectors_replay_and_show_every_kind_and_refusal() {
    let vectors: Vec<PlanVector> = read("plan", plan::NAME);
    vectors.iter().for_each(replay::plan);
    assert!(vectors.len() >= 40, "{} plan vectors", vectors.len());
    let missing = plan::missing(&vectors);
    assert!(missing.is_empty(), "no vector shows {missing:?}");
    let mut names: Vec<_> = vectors.iter().map(|vector| &vector.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), vectors.len(), "a name twice");
}

#[test]
fn envelope_vectors_replay() {
    let vectors: Vec<EnvelopeVector> = read("envelope", "envelope");
    vectors.iter().for_each(replay::envelope);
    assert!(vectors.len() >= 45, "{} envelope vectors", vectors.len());
}

#[test]
fn cutover_vectors_replay() {
    let vectors: Vec<cutover::CutoverVector> = read("cutover", "cutover");
    vectors.iter().for_each(cutover::replay);
    assert!(vectors.len() >= 50, "{} cutover vectors", vectors.len());
    let mut names: Vec<_> = vectors.iter().map(|vector| &vector.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), vectors.len(), "a name twice");
}

#[test]
fn capsule_vectors_replay_and_show_every_refusal() {
    let vectors: Vec<capsule::CapsuleVector> = read(capsule::NAME, capsule::NAME);
    vectors.iter().for_each(capsule::replay);
    assert!(vectors.len() >= 25, "{} capsule vectors", vectors.len());
    let missing = capsule::missing(&vectors);
    assert!(missing.is_empty(), "no vector shows {missing:?}");
    let mut names: Vec<_> = vectors.iter().map(|vector| &vector.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), vectors.len(), "a name twice");
}

#[test]
fn every_row_of_the_protocols_tables_has_a_vector() {
    let vectors: Vec<Vector> = read("session", Session::NAME);
    assert!(vectors.len() >= 80, "{} session vectors", vectors.len());
    let codes = [0, 1000, 1001, 1006, 3000]
        .into_iter()
        .chain(4000..=4016)
        .filter(|code| {
            // 4000 to 4016 without a gap: 4006 was once documented, 4015 and 4016 are for other accounts.
            !vectors.iter().any(|vector| {
                let name = if *code == 0 {
                    String::from("none")
                } else {
                    code.to_string()
                };
                vector.rule.starts_with(&format!("1.11 {name}: "))
                    && vector.steps.iter().any(|step| {
                        step.input.as_ref().is_some_and(|input| {
                            input.kind == "disconnected" && input.code == *code
                        })
                    })
            })
        });
    let codes: Vec<u32> = codes.collect();
    assert!(codes.is_empty(), "close codes without a vector: {codes:?}");
    let rows = session::state_table::ROWS
        .iter()
        .filter(|row| !vectors.iter().any(|vector| vector.rule.starts_with(**row)));
    let rows: Vec<_> = rows.collect();
    assert!(rows.is_empty(), "rows of 1.4 without a vector: {rows:?}");
}

#[test]
fn no_two_vectors_of_a_folder_have_the_same_name() {
    for (folder, machine) in [
        ("session", Session::NAME),
        ("identify", Fleet::NAME),
        ("scheduler", Scheduler::NAME),
        ("cache", Cache::NAME),
    ] {
        let vectors: Vec<Vector> = read(folder, machine);
        let mut names: Vec<_> = vectors.iter().map(|vector| &vector.name).collect();
        names.sort();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
