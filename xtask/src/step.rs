//! Running other programs: each is printed before it runs, and named when it fails.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// One program to run.
pub(crate) struct Step {
    command: Command,
    shown: String,
    limit: Option<Duration>,
    interrupt_after: Option<Duration>,
}

impl Step {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let shown = program.as_ref().to_string_lossy().into_owned();
        Self {
            command: Command::new(program),
            shown,
            limit: None,
            interrupt_after: None,
        }
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo<I: IntoIterator<Item: AsRef<OsStr>>>(args: I) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self {
            command: Command::new(cargo),
            shown: String::from("cargo"),
            limit: None,
            interrupt_after: None,
        }
        .args(args)
    }

    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        for arg in args {
            let text = arg.as_ref().to_string_lossy();
            self.shown.push(' ');
            if text.contains([' ', '"', '\'']) || text.is_empty() {
                self.shown.push_str(&format!("{text:?}"));
            } else {
                self.shown.push_str(&text);
            }
            self.command.arg(arg.as_ref());
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        self.shown = format!("{name}={:?} {}", value.to_string_lossy(), self.shown);
        self.command.env(name, value);
        self
    }

    /// Kills the program and fails if it runs longer.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Interrupts the program, as Ctrl-C would, once it has run so long. It should then end well.
    pub(crate) fn interrupt_after(mut self, after: Duration) -> Self {
        self.interrupt_after = Some(after);
        self
    }

    /// Runs it with our own stdin, stdout and stderr.
    pub(crate) fn run(mut self) -> Result<()> {
        println!("$ {}", self.shown);
        let mut child = self.spawn()?;
        let status = self.wait(&mut child)?;
        self.judge(status)
    }

    /// Runs it, showing each line of its stdout and handing it to `see`.
    pub(crate) fn run_seeing(mut self, mut see: impl FnMut(&str)) -> Result<()> {
        println!("$ {}", self.shown);
        self.command.stdout(Stdio::piped());
        let mut child = self.spawn()?;
        let stdout = child.stdout.take().context("stdout was asked for")?;
        let (lines, shown) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                println!("{line}");
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let status = self.wait(&mut child)?;
        // A process that the program left behind may hold the pipe open for ever: what it says later is not awaited.
        while let Ok(line) = shown.recv_timeout(Duration::from_secs(5)) {
            see(&line);
        }
        self.judge(status)
    }

    /// What it writes to stdout; nothing is shown unless it fails.
    pub(crate) fn quiet_output(mut self) -> Result<String> {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .with_context(|| self.cannot())?;
        if !output.status.success() {
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
            self.judge(output.status)?;
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether it runs and succeeds; nothing is shown.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.command.status().is_ok_and(|status| status.success())
    }

    fn spawn(&mut self) -> Result<Child> {
        self.command.spawn().with_context(|| self.cannot())
    }

    fn cannot(&self) -> String {
        format!("cannot start `{}`", self.shown)
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus> {
        let tick = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        let mut interrupt_after = self.interrupt_after;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if interrupt_after.take_if(|after| waited >= *after).is_some() {
                interrupt(child)?;
            }
            if let Some(limit) = self.limit.filter(|limit| waited >= *limit) {
                child.kill()?;
                child.wait()?;
                bail!("`{}` was stopped after {} s", self.shown, limit.as_secs());
            }
            std::thread::sleep(tick);
            waited += tick;
        }
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        bail!("`{}` failed ({status})", self.shown)
    }
}

/// Sends SIGINT.
fn interrupt(child: &Child) -> Result<()> {
    let signal = format!("kill -INT {}", child.id());
    Command::new("sh")
        .args(["-c", &signal])
        .status()
        .context("cannot interrupt")?;
    Ok(())
}

/// Whether `program` can be found.
pub(crate) fn is_installed(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_is_named() {
        let error = Step::new("false")
            .args(["a b"])
            .run()
            .unwrap_err()
            .to_string();
        assert!(error.contains("`false \"a b\"` failed"), "{error}");
        assert!(Step::new("no-such-program-here").run().is_err());
        assert!(!is_installed("no-such-program-here"));
    }

    #[test]
    fn lines_are_seen_and_a_hanging_step_is_stopped() {
        let mut seen = Vec::new();
        let step = Step::new("sh").args(["-c", "echo one; echo two"]);
        step.run_seeing(|line| seen.push(line.to_owned())).unwrap();
        assert_eq!(seen, ["one", "two"]);
        let hanging = Step::new("sleep")
            .args(["60"])
            .limit(Duration::from_millis(40));
        assert!(
            hanging
                .run()
                .unwrap_err()
                .to_string()
                .contains("was stopped")
        );
    }

    #[test]
    fn a_program_that_ends_well_when_interrupted_passes() {
        let soon = Duration::from_millis(100);
        let step = |script: &str| {
            let step = Step::new("sh").args(["-c", script]);
            step.interrupt_after(soon)
                .limit(Duration::from_secs(20))
                .run()
        };
        step("trap 'exit 0' INT; while :; do sleep 0.01; done").unwrap();
        step("trap 'exit 3' INT; while :; do sleep 0.01; done").unwrap_err();
    }
}
