//! The suites of `cargo xtask test`, in the order in which they run: what fails fast comes first.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::report::{Outcome, Tally};
use crate::setup::{Tool, Tools};
use crate::step::Step;
use crate::{c, docs, examples, fuzz, generate, tidy, workspace};

/// What the suites find on this machine.
pub(crate) struct Machine {
    pub(crate) tools: Tools,
    /// A missing tool is a failure and not a reason to skip.
    pub(crate) in_ci: bool,
}

impl Machine {
    /// What to answer when a tool is missing.
    fn without(&self, why: &str) -> Result<Outcome> {
        if self.in_ci {
            bail!("{why} (CI is set, so this is a failure)");
        }
        Ok(Outcome::Skipped(String::from(why)))
    }
}

/// One suite.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Machine) -> Result<Outcome>,
}

pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "fmt",
        about: "every Rust file is formatted",
        run: fmt,
    },
    Suite {
        name: "tidy",
        about: "the house rules",
        run: |_| one(tidy::check()),
    },
    Suite {
        name: "gen",
        about: "generated files are fresh",
        run: |_| one(generate::check()),
    },
    Suite {
        name: "clippy",
        about: "every crate and target, warnings being errors",
        run: clippy,
    },
    Suite {
        name: "cargo-test",
        about: "unit, integration and doc tests of every crate",
        run: cargo_test,
    },
    Suite {
        name: "no-std",
        about: "core linked without std, driving a session",
        run: no_std,
    },
    Suite {
        name: "fuzz",
        about: "the fuzz targets compile, where nightly is installed",
        run: fuzz_targets,
    },
    Suite {
        name: "discord.py",
        about: "a Python client against the simulator",
        run: discord_py,
    },
    Suite {
        name: "discord.js",
        about: "a Node client against the simulator",
        run: discord_js,
    },
    Suite {
        name: "C",
        about: "the C library, installed: vectors, misuse, threads, examples; also sanitized, and under valgrind",
        run: |machine| c::run(&machine.tools, &shardkeep()?),
    },
    Suite {
        name: "demo",
        about: "`shardkeep demo` loses nothing and resumes",
        run: demo,
    },
    Suite {
        name: "examples",
        about: "every example runs to its end",
        run: |_| examples::run(&shardkeep()?),
    },
    Suite {
        name: "docs",
        about: "the API documentation builds without a warning",
        run: |_| one(docs::build(false)),
    },
];

/// A suite that counts as one test.
fn one(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Ran(Tally::ONE))
}

/// Workspaces of their own, which `--workspace` does not reach.
const APART: &[&str] = &["core/no-std/Cargo.toml", "fuzz/Cargo.toml"];

fn fmt(_: &Machine) -> Result<Outcome> {
    Step::cargo(["fmt", "--all", "--check"]).run()?;
    for manifest in APART.iter().filter(|manifest| Path::new(manifest).exists()) {
        Step::cargo(["fmt", "--check", "--manifest-path", manifest]).run()?;
    }
    Ok(Outcome::Ran(Tally::ONE))
}

fn clippy(_: &Machine) -> Result<Outcome> {
    one(Step::cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
    .run())
}

fn cargo_test(_: &Machine) -> Result<Outcome> {
    let mut tally = Tally::default();
    let step = Step::cargo(["test", "--workspace", "--no-fail-fast"]);
    let ended = step.run_seeing(|line| tally.add_cargo_line(line));
    match ended {
        // Without a failed test, what failed is compiling, or a test program that died.
        Err(error) if tally.failed == 0 => Err(error),
        Ok(()) if tally.passed == 0 => bail!("no test ran"),
        _ => Ok(Outcome::Ran(tally)),
    }
}

fn no_std(machine: &Machine) -> Result<Outcome> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return machine.without("the program speaks to the kernel of x86-64 Linux");
    }
    let target = workspace::target_dir().join("no-std");
    let cargo = |verb: &str| {
        Step::cargo([
            verb,
            "--manifest-path",
            "core/no-std/Cargo.toml",
            "--target-dir",
        ])
        .args([&target])
    };
    cargo("clippy").args(["--", "-D", "warnings"]).run()?;
    one(cargo("run").run())
}

fn fuzz_targets(_: &Machine) -> Result<Outcome> {
    if !fuzz::has_nightly() {
        // Never a failure: the project must not need a nightly compiler.
        return Ok(Outcome::Skipped(String::from(
            "no nightly compiler (rustup toolchain install nightly)",
        )));
    }
    let target = workspace::target_dir().join("fuzz");
    let step = Step::new("cargo").args(["+nightly", "check", "--manifest-path", "fuzz/Cargo.toml"]);
    one(step.args(["--target-dir"]).args([target]).run())
}

/// The `shardkeep` command, with the profile and features that the tests have built its dependencies with already.
fn shardkeep() -> Result<PathBuf> {
    Step::cargo(["build", "--workspace", "--bin", "shardkeep"]).run()?;
    let path = workspace::target_dir().join("debug/shardkeep");
    std::path::absolute(&path).with_context(|| path.display().to_string())
}

fn discord_py(machine: &Machine) -> Result<Outcome> {
    peer(
        machine,
        &machine.tools.python,
        &[
            "sim/peers/discord_py/run.py",
            "sim/peers/discord_py/rest_proxy.py",
        ],
    )
}

fn discord_js(machine: &Machine) -> Result<Outcome> {
    let node = machine
        .tools
        .node_modules
        .as_ref()
        .map(|_| PathBuf::from("node"))
        .map_err(Clone::clone);
    peer(
        machine,
        &node,
        &[
            "sim/peers/discord_js/run.mjs",
            "sim/peers/discord_js/rest_proxy.mjs",
        ],
    )
}

/// Runs scripts that connect someone else's client to the simulator, and to the proxy before it.
fn peer(machine: &Machine, interpreter: &Tool, scripts: &[&str]) -> Result<Outcome> {
    let interpreter = match interpreter {
        Ok(path) => path,
        Err(why) => return machine.without(why),
    };
    let mut tally = Tally::default();
    for script in scripts {
        run_peer(machine, interpreter, script, &mut tally)?;
    }
    Ok(Outcome::Ran(tally))
}

/// Runs one script, and adds its checks to `tally`.
fn run_peer(machine: &Machine, interpreter: &Path, script: &str, tally: &mut Tally) -> Result<()> {
    let before = (tally.passed, tally.failed);
    let mut step = Step::new(interpreter)
        .args([script])
        .env("SHARDKEEP_BIN", shardkeep()?);
    if let Ok(modules) = &machine.tools.node_modules {
        step = step.env("NODE_PATH", std::path::absolute(modules)?);
    }
    let ended = step
        .limit(Duration::from_secs(300))
        .run_seeing(|line| tally.add_check_line(line));
    match ended {
        Err(error) if tally.failed == before.1 => Err(error),
        Ok(()) if tally.passed == before.0 => bail!("{script} checked nothing"),
        _ => Ok(()),
    }
}

fn demo(_: &Machine) -> Result<Outcome> {
    let mut last = String::new();
    Step::new(shardkeep()?)
        .args(["demo", "--json"])
        .limit(Duration::from_secs(180))
        .run_seeing(|line| last = String::from(line))?;
    judge_demo(&last)?;
    Ok(Outcome::Ran(Tally::ONE))
}

/// Whether the last line of `shardkeep demo --json` tells of a run in which nothing was lost.
fn judge_demo(line: &str) -> Result<()> {
    let report: Value =
        serde_json::from_str(line).with_context(|| format!("the last line is not JSON: {line}"))?;
    let figure = |name: &str| {
        report[name]
            .as_u64()
            .with_context(|| format!("the report has no `{name}`: {line}"))
    };
    if figure("lost")? != 0 {
        bail!("the demo lost {} events", figure("lost")?);
    }
    if figure("resumed")? == 0 {
        bail!("the demo resumed no session");
    }
    if figure("dispatched")? == 0 {
        bail!("the demo dispatched no event");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_that_loses_or_never_resumes_fails() {
        let report = |lost: u64, resumed: u64, dispatched: u64| {
            judge_demo(&format!(
                "{{\"lost\":{lost},\"resumed\":{resumed},\"dispatched\":{dispatched}}}"
            ))
        };
        assert!(report(0, 1, 5).is_ok());
        assert!(report(1, 1, 5).is_err());
        assert!(report(0, 0, 5).is_err());
        assert!(report(0, 1, 0).is_err());
        assert!(judge_demo("not json").is_err());
        assert!(judge_demo("{}").is_err());
    }

    #[test]
    fn suites_have_names_of_their_own() {
        let mut names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
