//! `shardkeep proxy`: in front of a simulator, told to stop, and asked for what it does not do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use shardkeep_sim::DEFAULT_TOKEN;

use crate::support::{Simulator, run, shardkeep, signal};

const KEY: &str = "correct-horse-battery-staple";

pub(crate) struct Proxy {
    child: Child,
    addresses: Value,
}

impl Proxy {
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = shardkeep(&["proxy", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut first)
            .unwrap();
        let addresses = serde_json::from_str(&first).unwrap();
        Self { child, addresses }
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> String {
        let api = self.addresses["api"].as_str().unwrap();
        let authority = api
            .strip_prefix("http://")
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        authority.to_owned()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.authority()).unwrap()
    }

    /// Asks for a path, with these header lines.
    fn get(&self, path: &str, headers: &str) -> String {
        let mut socket = self.connect();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Exit code and standard error, once it has ended.
    fn ended(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        (self.child.wait().unwrap().code(), text)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_serves_until_sigterm_and_never_says_a_secret() {
    let simulator = Simulator::start(&["--guilds", "2"]);
    let arguments = ["--api", simulator.api(), "--cache-ttl-ms", "60000"];
    let secrets = [
        ("SHARDKEEP_PROXY_KEY", KEY),
        ("DISCORD_TOKEN", DEFAULT_TOKEN),
    ];
    let proxy = Proxy::start(&arguments, &secrets);
    assert!(
        proxy.addresses["ops"]
            .as_str()
            .unwrap()
            .ends_with("/_shardkeep")
    );
    let key = format!("X-Shardkeep-Key: {KEY}\r\n");
    let answer = proxy.get("/api/v10/users/@me", &key);
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("sim-bot"),
        "{answer}"
    );
    assert!(
        proxy
            .get("/api/v10/users/@me", &key)
            .contains("x-shardkeep-cache: hit")
    );
    assert!(
        proxy
            .get("/api/v10/users/@me", "")
            .starts_with("HTTP/1.1 401")
    );
    assert!(proxy.get("/health", "").starts_with("HTTP/1.1 200"));
    assert!(
        proxy
            .get("/metrics", &key)
            .contains("shardkeep_proxy_cache_hits_total 1")
    );
    signal(&proxy.child, "TERM");
    let (code, said) = proxy.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 requests, 1 sendings to Discord"), "{said}");
    assert!(
        !said.contains(KEY) && !said.contains(DEFAULT_TOKEN),
        "{said}"
    );
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let simulator = Simulator::start(&["--guilds", "1", "--rest-latency-ms", "20000"]);
    let arguments = ["--api", simulator.api(), "--open", "--drain-s", "600"];
    let mut proxy = Proxy::start(&arguments, &[]);
    let mut waits = proxy.connect();
    write!(
        waits,
        "GET /api/v10/gateway HTTP/1.1\r\nhost: localhost\r\n\r\n"
    )
    .unwrap();
    while !proxy.get("/status", "").contains("\"active\":1") {
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&proxy.child, "TERM");
    let mut said = BufReader::new(proxy.child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.starts_with("stopping"), "{line}");
    signal(&proxy.child, "INT");
    line.clear();
    said.read_to_string(&mut line).unwrap();
    assert_eq!(line, "stopped at once\n");
    assert_eq!(proxy.child.wait().unwrap().code(), Some(0));
}

#[test]
fn mistakes_are_named() {
    let key = ("SHARDKEEP_PROXY_KEY", KEY);
    for (arguments, variables, said) in [
        (&["proxy"][..], &[][..], "SHARDKEEP_PROXY_KEY"),
        (
            &["proxy"],
            &[("SHARDKEEP_PROXY_KEY", "short")],
            "16 characters",
        ),
        (
            &["proxy", "--open", "--listen", "0.0.0.0:0"],
            &[],
            "127.0.0.1",
        ),
        (&["proxy", "--open", "--key-file", "x"], &[], "--key-file"),
        (
            &["proxy", "--key-file", "/nonexistent"],
            &[],
            "/nonexistent: cannot be read",
        ),
        (&["proxy", "--workers", "0"], &[key], "rest_config.workers"),
        (
            &["proxy", "--global-limit", "0"],
            &[key],
            "rest_config.global_limit",
        ),
        (&["proxy", "--api", "ftp://x"], &[key], "https://"),
        (&["proxy", "--tls-cert", "x"], &[key], "--tls-key"),
        (&["proxy", "--listen", "here"], &[key], "--listen"),
        (
            &["proxy"],
            &[key, ("DISCORD_TOKEN", "two words")],
            "copy it again",
        ),
    ] {
        let (code, out, err) = run(shardkeep(arguments).envs(variables.iter().copied()));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
        assert!(!err.contains(KEY), "{err}");
    }
}

#[test]
fn a_certificate_that_is_none_is_a_mistake_too() {
    let path = std::env::temp_dir().join(format!("shardkeep-proxy-{}.pem", std::process::id()));
    std::fs::write(&path, "no certificate").unwrap();
    let file = path.to_str().unwrap();
    let arguments = [
        "proxy",
        "--open",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        file,
        "--tls-key",
        file,
    ];
    let (code, _, err) = run(&mut shardkeep(&arguments));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("TLS cannot be set up"), "{err}");
}
