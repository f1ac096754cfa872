//! `sim` and `bench ingest` together: every dispatch is counted, and the message ends the count.

use std::process::Stdio;

use crate::support::{Simulator, run, shardkeep};
use serde_json::{Value, json};

#[test]
fn every_dispatch_is_counted_until_each_shard_has_seen_the_message() {
    for compress in ["none", "zlib", "zstd"] {
        let simulator = Simulator::start(&["--guilds", "8", "--members", "10"]);
        let bench = shardkeep(&[
            "bench",
            "ingest",
            "--api",
            simulator.api(),
            "--shards",
            "2",
            "--json",
        ])
        .args(["--compress", compress, "--until", "the end of it"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        let ready = || {
            simulator.control("counters", None)["dispatches"]
                .as_u64()
                .unwrap()
                >= 2 + 8
        };
        while !ready() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let flood = json!({ "events": 500, "then": "the end of it" });
        let answer = simulator.control("flood", Some(&flood.to_string()));
        assert!(answer.get("error").is_none(), "{answer}");
        let output = bench.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let events = report["events"].as_u64().unwrap();
        assert!(events >= 2 * 501 + 8 + 2, "{report}");
        for key in ["wall_s", "cpu_s", "events_per_s", "rss_peak_mb"] {
            assert!(
                report[key].as_f64().is_some_and(|value| value > 0.0),
                "{key}: {report}"
            );
        }
    }
}

#[test]
fn a_bench_that_never_sees_the_message_gives_up() {
    let simulator = Simulator::start(&["--guilds", "2", "--members", "5"]);
    let arguments = [
        "bench",
        "ingest",
        "--api",
        simulator.api(),
        "--until",
        "x",
        "--timeout-s",
        "1",
    ];
    let (code, out, err) = run(&mut shardkeep(&arguments));
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("0 of 1 shards have seen the message"), "{err}");
}

#[test]
fn an_api_that_is_not_there_is_named() {
    let arguments = [
        "bench",
        "ingest",
        "--api",
        "http://127.0.0.1:9",
        "--until",
        "x",
        "--timeout-s",
        "1",
    ];
    let (code, _, err) = run(&mut shardkeep(&arguments));
    assert_eq!(code, 1, "{err}");
}
