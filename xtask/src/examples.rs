//! The examples under `examples/`, each run against a simulator until it ends or is interrupted.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::report::{Outcome, Tally};
use crate::step::Step;
use crate::workspace;

/// The token that `shardkeep sim` accepts unless told otherwise.
pub(crate) const TOKEN: &str = "simulated-bot.token.for-tests-only";
/// How long an example may run before it is interrupted, as a user would with Ctrl-C.
pub(crate) const PATIENCE: Duration = Duration::from_secs(6);
/// How long it may take to end then.
pub(crate) const GRACE: Duration = Duration::from_secs(20);

/// Builds and runs every example. `shardkeep` is the command that holds the simulator.
pub(crate) fn run(shardkeep: &Path) -> Result<Outcome> {
    let names = names()?;
    if names.is_empty() {
        bail!("there is no example to run");
    }
    let build = Step::cargo(["build", "--workspace"]);
    names
        .iter()
        .fold(build, |build, name| build.args(["--example", name]))
        .run()?;
    let simulator = Simulator::start(shardkeep, 0)?;
    let mut tally = Tally::default();
    for name in &names {
        match run_one(name, &simulator) {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                println!("example {name}: {error:#}");
                tally.failed += 1;
            }
        }
    }
    Ok(Outcome::Ran(tally))
}

/// The examples whose source lies under `examples/`, whichever crate they belong to.
fn names() -> Result<Vec<String>> {
    let members = workspace::members()?;
    let targets = members.into_iter().flat_map(|member| member.targets);
    let ours =
        targets.filter(|target| target.kind == "example" && target.source.starts_with("examples/"));
    Ok(ours.map(|target| target.name).collect())
}

fn run_one(name: &str, simulator: &Simulator) -> Result<()> {
    let program = std::path::absolute(workspace::target_dir().join("debug/examples").join(name))?;
    let mut lines = 0;
    Step::new(program)
        .env("DISCORD_API_BASE", &simulator.api)
        .env("DISCORD_TOKEN", TOKEN)
        .interrupt_after(PATIENCE)
        .limit(PATIENCE + GRACE)
        .run_seeing(|_| lines += 1)?;
    if lines == 0 {
        bail!("it printed nothing");
    }
    Ok(())
}

/// A running `shardkeep sim`, stopped when dropped.
pub(crate) struct Simulator {
    child: Child,
    pub(crate) api: String,
    pub(crate) gateway: String,
}

impl Simulator {
    /// With so many events a second.
    pub(crate) fn start(shardkeep: &Path, rate: u32) -> Result<Self> {
        let mut child = Command::new(shardkeep)
            .args([
                "sim",
                "--listen",
                "127.0.0.1:0",
                "--guilds",
                "20",
                "--members",
                "20",
                "--seed",
                "1",
                "--rate",
                &rate.to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the simulator")?;
        let stdout = child.stdout.take().context("stdout was asked for")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let mut simulator = Self {
            child,
            api: String::new(),
            gateway: String::new(),
        };
        let addresses: Value =
            serde_json::from_str(&line).with_context(|| format!("the simulator said: {line}"))?;
        let address = |name: &str| {
            let address = addresses[name].as_str().map(String::from);
            address.with_context(|| format!("the simulator names no `{name}`"))
        };
        (simulator.api, simulator.gateway) = (address("api")?, address("gateway")?);
        Ok(simulator)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself, which is as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
