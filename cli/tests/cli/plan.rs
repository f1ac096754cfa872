//! `plan`: what it prints, where its limits come from, and what it refuses. It starts nothing.

use serde_json::{Value, json};

use crate::support::{Simulator, run, shardkeep};

fn plan(arguments: &[&str]) -> (i32, String, String) {
    run(shardkeep(&["plan"]).args(arguments))
}

fn planned(arguments: &[&str]) -> String {
    let (code, out, err) = plan(arguments);
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    out
}

fn answer(arguments: &[&str]) -> Value {
    let (_, out, err) = plan(&[arguments, &["--json"]].concat());
    assert_eq!(out.lines().count(), 1, "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn mitosis_is_shown_folded_with_its_price() {
    let out = planned(&["16", "32"]);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "16 -> 32",
            "",
            "     1  split 0/16: start 0,16/32, and when they serve its guilds, stop 0/16",
            "     2  split 1/16: start 1,17/32, and when they serve its guilds, stop 1/16",
            "   ...  13 more like these",
            "    16  split 15/16: start 15,31/32, and when they serve its guilds, stop 15/16",
        ]
    );
    for part in [
        "32 of 950 that may be spent until the day ends in 24 h 0 min; 918 are left",
        "limits      assumed; set DISCORD_TOKEN",
        "4 min 4 s: 1 identify every 5250 ms, 10 s of overlap in each step",
        "16 now, 33 at most at once (1.032 x), 32 afterwards",
        "guilds are held 1.063 x at most",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    // Ranges of the same shards are the same shards.
    assert_eq!(planned(&["0-15/16", "32"]), out);
}

#[test]
fn json_is_what_every_language_gets() {
    let found = answer(&[
        "2",
        "4",
        "--remaining",
        "500",
        "--max-concurrency",
        "2",
        "--guilds",
        "999",
    ]);
    let wanted = json!({
        "limits": "given",
        "total": 1_000,
        "remaining": 500,
        "max_concurrency": 2,
        "reserve": 50,
        "before": "2",
        "after": "4",
        "steps": [
            {"kind": "split", "start": "0,2/4", "stop": "0/2"},
            {"kind": "split", "start": "1,3/4", "stop": "1/2"},
        ],
        "figures": {
            "identifies": 4,
            "duration_ms": 2 * 15_250,
            "sessions_before": 2,
            "sessions_after": 4,
            "peak_sessions": 5,
            "peak_sessions_per_mille": 1_250,
            "peak_guilds_per_mille": 1_500,
            "budget_left": 446,
            "resets_in_ms": 86_400_000,
            "guilds_per_shard": 250,
        },
    });
    assert_eq!(found, wanted);
}

#[test]
fn every_kind_of_target() {
    for (arguments, said) in [
        (&["16", "24"][..], "second generation: start 24"),
        (&["16", "32", "--generation"], "second generation: start 32"),
        (&["32", "16"], "merge 0,16/32: start 0/16"),
        (&["16", "--split", "3/16"], "start 3,19/32"),
        (&["16", "--merge", "3/16"], "merge 3,11/16: start 3/8"),
        (
            &["4", "--rejoin", "6/40", "--overlay", "6/40"],
            "identifies  0 of 950",
        ),
        (
            &["16", "32", "--steps", "4"],
            "12 more, left for another day",
        ),
        (
            &["4", "--isolate", "197038439483310086", "--guilds", "3000"],
            "1.000 others are to be expected on the overlay",
        ),
    ] {
        let out = planned(arguments);
        assert!(out.contains(said), "{arguments:?}: {out}");
    }
}

#[test]
fn a_refusal_says_what_is_possible() {
    for (arguments, said) in [
        (
            &["16", "32", "--remaining", "70"][..],
            "and all of it in 2 days (--steps 10 plans those of today)",
        ),
        (&["0-14/16", "32"], "start shard 15/16"),
        (&["16", "8", "--guilds", "30000"], "12 shards are the least"),
        (
            &[
                "160",
                "250",
                "--guilds",
                "200000",
                "--large-bot-shards",
                "16",
            ],
            "240 or 256 would do",
        ),
        (&["16", "16"], "nothing to do"),
    ] {
        let (code, out, err) = plan(arguments);
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
    let found = answer(&["16", "32", "--remaining", "70"]);
    assert_eq!(found["refused"]["why"], "budget");
    assert_eq!(found["refused"]["steps_that_fit"], 10);
    assert_eq!(found["refused"]["days"], 2);
}

#[test]
fn mistakes_are_told_apart_from_refusals() {
    for (arguments, said) in [
        (&["16"][..], "required"),
        (&["16", "32", "--split", "3/16"], "cannot be used with"),
        (&["auto", "32"], "name the shards that serve now"),
        (&["16/16", "32"], "0 to 15"),
        (&["16", "--split", "0-3/16"], "name one shard"),
        (&["16", "--isolate", "my-guild"], "--isolate"),
        (
            &["16", "--split", "3/16", "--generation"],
            "cannot be used with",
        ),
    ] {
        let (code, out, err) = plan(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
}

#[test]
fn discord_is_asked_for_its_limits_and_nothing_is_started() {
    let simulator = Simulator::start(&["--guilds", "6"]);
    let out = planned(&["4", "8", "--api", simulator.api()]);
    assert!(out.contains("limits      as Discord says now"), "{out}");
    let found = answer(&["4", "8", "--api", simulator.api()]);
    assert_eq!(found["limits"], "asked");
    assert_eq!(found["figures"]["identifies"], 8);
    assert_eq!(simulator.control("counters", None)["identifies"], 0);
    // Numbers that are given are not asked for.
    let found = answer(&[
        "4",
        "8",
        "--api",
        "http://127.0.0.1:1/api",
        "--remaining",
        "99",
    ]);
    assert_eq!(
        (&found["limits"], &found["remaining"]),
        (&json!("given"), &json!(99))
    );
    let refused = Simulator::start(&["--token", "another.one"]);
    let (code, out, err) =
        run(shardkeep(&["plan", "4", "8", "--api", refused.api()])
            .env("DISCORD_TOKEN", "wrong.one"));
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(
        err.contains("Discord refuses the token") && !err.contains("wrong.one"),
        "{err}"
    );
}
