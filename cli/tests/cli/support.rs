//! Runs the built command as a user would: arguments, environment, standard streams, signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes on a busy machine; only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The command without any of the variables it reads.
pub(crate) fn shardkeep(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardkeep"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("SHARDKEEP_") || name.starts_with("DISCORD_") {
            command.env_remove(name);
        }
    }
    command.env_remove("SHARD_ID").env_remove("TOTAL_SHARDS");
    command
}

/// Exit code, standard output, standard error.
pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A simulator in a process of its own, stopped when dropped.
pub(crate) struct Simulator {
    child: Child,
    addresses: Value,
}

impl Simulator {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = shardkeep(&["sim"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut first)
            .unwrap();
        let addresses = serde_json::from_str(&first).unwrap();
        Self { child, addresses }
    }

    pub(crate) fn api(&self) -> &str {
        self.addresses["api"].as_str().unwrap()
    }

    /// Asks the control API; `body` makes it a POST.
    pub(crate) fn control(&self, path: &str, body: Option<&str>) -> Value {
        let method = if body.is_some() { "POST" } else { "GET" };
        self.control_with(method, path, body.unwrap_or_default())
    }

    pub(crate) fn control_with(&self, method: &str, path: &str, body: &str) -> Value {
        let base = self.addresses["control"]
            .as_str()
            .unwrap()
            .strip_prefix("http://")
            .unwrap();
        let (authority, prefix) = base.split_once('/').unwrap();
        let mut stream = TcpStream::connect(authority).unwrap();
        write!(
            stream,
            "{method} /{prefix}/{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a child's output as they come.
pub(crate) fn lines(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Sends a signal by name, as a supervisor does.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}
