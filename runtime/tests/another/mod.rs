//! This test program again, as another process.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

const ROLE: &str = "SHARDKEEP_TEST_ROLE";
const WHERE: &str = "SHARDKEEP_TEST_PLACE";

/// This test program again, as another process. Dropping it kills it.
pub(crate) struct Other {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Other {
    pub(crate) fn start(role: &str, place: impl AsRef<OsStr>) -> Self {
        Self::wrapped(role, place, &[])
    }

    /// Started by another program, which sets limits.
    pub(crate) fn wrapped(role: &str, place: impl AsRef<OsStr>, wrapper: &[&str]) -> Self {
        let own = std::env::current_exe().expect("a test program");
        let own = own.to_str().expect("UTF-8");
        let mut words = wrapper.to_vec();
        words.extend([own, "--exact", "as_another_process", "--nocapture"]);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .env(ROLE, role)
            .env(WHERE, place.as_ref())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("another process");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, out }
    }

    /// Waits for a line that begins with `word`, and gives what follows.
    pub(crate) fn said(&mut self, word: &str) -> String {
        let mut line = String::new();
        while self.out.read_line(&mut line).expect("readable") > 0 {
            // The test harness writes on the same lines.
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
            line.clear();
        }
        panic!("the other process never said {word}");
    }

    /// Says a line to it.
    pub(crate) fn say(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("piped");
        writeln!(input, "{line}").expect("it listens");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.expect("kill").success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What this process is to be, and where, if it is another one. A test named `as_another_process` at the root of each
/// program asks, and in a usual run of the tests does nothing.
pub(crate) fn role() -> Option<(String, String)> {
    Some((std::env::var(ROLE).ok()?, std::env::var(WHERE).ok()?))
}

/// Until the parent closes its end, or kills us.
pub(crate) fn wait_for_the_end() {
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
}
