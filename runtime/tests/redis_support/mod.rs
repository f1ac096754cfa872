//! Real Redis servers for tests: started on free ports, killed, paused, started again, and always cleaned up.
#![allow(dead_code, reason = "every test file uses its own part")]

pub(crate) mod authority;
pub(crate) mod cluster;
pub(crate) mod proxy;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use shardkeep::redis::{Redis, RedisSettings};

/// Starts Redis, and kills it when whoever started the shell is gone: its end of the pipe closes, however it ended.
const SHELL: &str =
    r#"redis-server "$@" >/dev/null 2>&1 & echo $!; read line; kill -9 $! 2>/dev/null"#;

/// Cluster nodes speak to each other on their port and 10,000.
const PORT_MAX: u16 = 55_000;

/// Whether there are servers to test with. Says why not; with `CI` set, their absence is a failure.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn is_there() -> bool {
    let is_there = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if is_there {
        return true;
    }
    let why = "no `redis-server` in PATH: `cargo xtask setup` installs it";
    assert!(
        std::env::var_os("CI").is_none(),
        "{why} (CI is set, so this is a failure)"
    );
    println!("skipped: {why}");
    false
}

/// Leaves the test where there are no servers.
#[macro_export]
macro_rules! needs_redis {
    () => {
        if !$crate::redis_support::is_there() {
            return;
        }
    };
}

/// A server. Dropping it kills it.
pub(crate) struct Server {
    shell: Option<Child>,
    pid: String,
    pub(crate) port: u16,
    folder: PathBuf,
    options: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A server with options of its command line.
    pub(crate) fn with(options: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("shardkeep-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut server = Self {
            shell: None,
            pid: String::new(),
            port: 0,
            folder,
            options: options.iter().map(ToString::to_string).collect(),
        };
        // Between finding a port and using it, somebody else may take it.
        for _ in 0..10 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection with a limit that suits tests.
    pub(crate) fn redis(&self) -> Redis {
        connect(&self.url())
    }

    fn launch(&mut self) -> bool {
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh"])
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let out = shell.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a pid");
        self.pid = line.trim().to_owned();
        self.shell = Some(shell);
        for _ in 0..200 {
            if self.is_up() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(25));
            if !signal("-0", &self.pid) {
                break;
            }
        }
        self.kill();
        false
    }

    /// Whether it answers, with or without a password.
    fn is_up(&self) -> bool {
        let told = self.cli(&["ping"]);
        told.contains("PONG") || told.contains("NOAUTH")
    }

    /// What `redis-cli` says to a command.
    pub(crate) fn cli(&self, args: &[&str]) -> String {
        cli(self.port, args)
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            signal("-9", &self.pid);
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }

    /// Stops it without ending it: connections stay open, and nobody answers.
    pub(crate) fn pause(&self) {
        assert!(signal("-STOP", &self.pid), "a running server");
    }

    pub(crate) fn go_on(&self) {
        assert!(signal("-CONT", &self.pid), "a stopped server");
    }

    /// Starts it again on the same port, empty.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!(
            (0..20).any(|_| self.launch()),
            "redis-server does not start again"
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A connection with a limit that suits tests.
pub(crate) fn connect(url: &str) -> Redis {
    let mut settings = RedisSettings::default();
    settings.limit = LIMIT;
    settings.connect_limit = LIMIT;
    Redis::connect_with(url, &settings).expect("a URL")
}

/// The limit of [`connect`].
pub(crate) const LIMIT: Duration = Duration::from_millis(1_000);

/// What `redis-cli` says to a command.
pub(crate) fn cli(port: u16, args: &[&str]) -> String {
    let told = Command::new("redis-cli")
        .args(["-p", &port.to_string()])
        .args(args)
        .output()
        .expect("redis-cli comes with redis-server");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    text + &String::from_utf8_lossy(&told.stderr)
}

fn signal(signal: &str, pid: &str) -> bool {
    Command::new("kill")
        .args([signal, pid])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub(crate) fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        if port < PORT_MAX {
            return port;
        }
    }
}

/// Asks again until it holds, for at most `limit`.
pub(crate) async fn until<F>(what: &str, limit: Duration, mut holds: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let deadline = tokio::time::Instant::now() + limit;
    while !holds().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not within {limit:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
