//! `run`: events as lines of JSON, a stop that keeps sessions, an end that says why.

use std::io::Read;
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::support::{PATIENCE, Simulator, lines, run, shardkeep, signal};
use serde_json::Value;

fn start(simulator: &Simulator, arguments: &[&str]) -> Child {
    shardkeep(&["run", "--api", simulator.api(), "--ndjson"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn events_are_lines_of_json_and_sigterm_keeps_the_sessions() {
    let simulator = Simulator::start(&["--guilds", "6", "--members", "10", "--rate", "200"]);
    let mut bot = start(&simulator, &["--shards", "2", "--events", "MESSAGE_CREATE"]);
    let lines = lines(bot.stdout.take().unwrap());
    for _ in 0..20 {
        let line: Value = serde_json::from_str(&lines.recv_timeout(PATIENCE).unwrap()).unwrap();
        assert_eq!(line["t"], "MESSAGE_CREATE");
        assert!(
            line["s"].as_u64().unwrap() > 1 && line["d"]["id"].is_string(),
            "{line}"
        );
        assert_eq!(line["shard"][1], 2);
    }
    signal(&bot, "TERM");
    assert!(bot.wait().unwrap().success());
    let told = stderr(&mut bot);
    assert!(
        told.contains("connected") && told.contains("keeps the session"),
        "{told}"
    );
    let counters = simulator.control("counters", None);
    assert_eq!(
        (&counters["sessions_open"], &counters["closed_final"]),
        (&2.into(), &0.into())
    );
    assert_eq!(counters["violations"], 0);
}

#[test]
fn a_bot_that_is_killed_midway_leaves_sessions_that_can_be_resumed() {
    let simulator = Simulator::start(&["--guilds", "6", "--members", "10", "--rate", "200"]);
    let mut bot = start(&simulator, &["--shards", "1"]);
    let lines = lines(bot.stdout.take().unwrap());
    lines.recv_timeout(PATIENCE).unwrap();
    bot.kill().unwrap();
    bot.wait().unwrap();
    // What was printed before is whole lines, but for the last.
    let rest: Vec<_> = lines.iter().collect();
    for line in rest.iter().rev().skip(1) {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert_eq!(simulator.control("counters", None)["sessions_open"], 1);
}

#[test]
fn a_closed_output_is_a_stop() {
    let simulator = Simulator::start(&["--guilds", "6", "--members", "10", "--rate", "200"]);
    let mut bot = start(&simulator, &["--shards", "1"]);
    let mut first = [0; 64];
    bot.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert!(bot.wait().unwrap().success(), "{}", stderr(&mut bot));
}

#[test]
fn a_stop_does_not_wait_for_a_reader_that_reads_nothing() {
    let simulator = Simulator::start(&["--guilds", "20", "--members", "60", "--rate", "200"]);
    let mut bot = shardkeep(&["run", "--api", simulator.api(), "--ndjson", "--shards", "1"])
        .env("SHARDKEEP_SHUTDOWN_TIMEOUT_MS", "300")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The guilds alone are far more than a pipe holds.
    while simulator.control("counters", None)["dispatches"]
        .as_u64()
        .unwrap()
        < 21
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    signal(&bot, "TERM");
    assert!(bot.wait().unwrap().success());
    let told = stderr(&mut bot);
    assert!(told.contains("nobody reads standard output"), "{told}");
}

#[test]
fn logs_are_lines_of_json_on_request_and_never_hold_the_token() {
    let secret = "MTAwMDAwMDAwMDAwMDAwMDAwMA.Gabcde.simulated";
    let simulator = Simulator::start(&["--guilds", "3", "--rate", "50", "--token", secret]);
    let mut bot = shardkeep(&["run", "--api", simulator.api(), "--ndjson", "--shards", "1"])
        .env("DISCORD_TOKEN", secret)
        .env("SHARDKEEP_LOG_LEVEL", "trace")
        .env("SHARDKEEP_LOG_FORMAT", "json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines(bot.stdout.take().unwrap());
    lines.recv_timeout(PATIENCE).unwrap();
    // A resume sends the token once more.
    let fault = r#"{"target":"all","fault":{"kind":"reconnect"}}"#;
    simulator.control("faults", Some(fault));
    while simulator.control("counters", None)["resumes"] == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    signal(&bot, "TERM");
    let told = stderr(&mut bot);
    assert!(bot.wait().unwrap().success());
    let (logged, said): (Vec<_>, Vec<_>) = told.lines().partition(|line| line.starts_with('{'));
    assert!(logged.len() > 2 && said.len() == 1, "{told}");
    for line in logged {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert!(
        !told.contains("simulated") && !lines.iter().any(|line| line.contains(secret)),
        "{told}"
    );
}

#[test]
fn a_refused_token_ends_the_bot_with_a_sentence() {
    let simulator = Simulator::start(&["--token", "another.one"]);
    let (code, out, err) =
        run(shardkeep(&["run", "--api", simulator.api()]).env("DISCORD_TOKEN", "wrong.one"));
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(
        err.lines().last().unwrap().starts_with("shardkeep: ") && err.contains("token"),
        "{err}"
    );
    assert!(!err.contains("wrong.one"), "{err}");
}

#[test]
fn on_shutdown_close_ends_the_sessions() {
    let simulator = Simulator::start(&["--guilds", "3", "--members", "10", "--rate", "50"]);
    let mut bot = shardkeep(&["run", "--ndjson", "--shards", "1"])
        .env("DISCORD_API_BASE", simulator.api())
        .env("SHARDKEEP_ON_SHUTDOWN", "close")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    lines(bot.stdout.take().unwrap())
        .recv_timeout(PATIENCE)
        .unwrap();
    signal(&bot, "INT");
    assert!(bot.wait().unwrap().success());
    let counters = simulator.control("counters", None);
    assert_eq!(
        (&counters["sessions_open"], &counters["closed_final"]),
        (&0.into(), &1.into())
    );
}

#[test]
fn the_ops_endpoint_answers_beside_the_bot() {
    let simulator = Simulator::start(&["--guilds", "3", "--members", "10", "--rate", "50"]);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("127.0.0.1:{port}");
    let mut bot = start(&simulator, &["--shards", "2", "--ops", &address]);
    lines(bot.stdout.take().unwrap())
        .recv_timeout(PATIENCE)
        .unwrap();
    let get = |path: &str| {
        use std::io::Write;
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("/health").starts_with("HTTP/1.1 200"));
    let metrics = get("/metrics");
    assert!(
        metrics.contains("shardkeep_identify_remaining 99"),
        "{metrics}"
    );
    assert!(get("/status").contains("\"shard_count\":2"));
    signal(&bot, "TERM");
    assert!(bot.wait().unwrap().success());
}
