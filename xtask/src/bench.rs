//! `cargo xtask bench`: the benches and comparison programs of the `benches` crate, all of them or one.

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::setup;
use crate::step::Step;
use crate::workspace::{self, Member, Target};

/// Their crate.
const MANIFEST: &str = "benches/Cargo.toml";

/// What the C interface costs, and how large the libraries are.
const FFI: &str = "ffi";

/// Those that also measure libraries of other languages.
const WITH_PEERS: [&str; 2] = ["members", "rest"];

pub(crate) fn run(mut args: Args) -> Result<()> {
    let list = args.flag("--list");
    let mut words = args.rest().into_iter();
    let name = words.next();
    let passed_on: Vec<String> = words.collect();
    let members = workspace::members()?;
    let benches = members.iter().find(|member| member.manifest == MANIFEST);
    let benches = benches.with_context(|| format!("the workspace has no {MANIFEST}"))?;
    if name.as_deref() == Some(FFI) {
        return crate::c::bench::run();
    }
    let known = || benches.targets.iter().filter(|target| is_runnable(target));
    if list {
        for target in known() {
            println!("{}", target.name);
        }
        println!("{FFI}");
        return Ok(());
    }
    let chosen: Vec<&Target> = known()
        .filter(|target| name.as_ref().is_none_or(|name| *name == target.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = known().map(|target| target.name.as_str()).collect();
        bail!(
            "there is no bench `{}`; there are: {}",
            name.unwrap_or_default(),
            names.join(", ")
        );
    }
    chosen
        .into_iter()
        .try_for_each(|target| run_one(benches, target, &passed_on))?;
    match name {
        None => crate::c::bench::run(),
        Some(_) => Ok(()),
    }
}

fn is_runnable(target: &Target) -> bool {
    matches!(target.kind.as_str(), "bench" | "bin")
}

fn run_one(benches: &Member, target: &Target, passed_on: &[String]) -> Result<()> {
    let step = if target.kind == "bench" {
        Step::cargo([
            "bench",
            "--package",
            &benches.name,
            "--bench",
            &target.name,
            "--",
        ])
    } else {
        Step::cargo([
            "run",
            "--release",
            "--package",
            &benches.name,
            "--bin",
            &target.name,
            "--",
        ])
    };
    let step = if WITH_PEERS.contains(&&target.name[..]) {
        with_peers(step)?
    } else {
        step
    };
    step.args(passed_on).run()
}

/// Installs the clients of other languages and says where they are. The bench leaves out what is missing, and says so.
fn with_peers(mut step: Step) -> Result<Step> {
    let tools = setup::prepare();
    if let Ok(python) = &tools.python {
        step = step.env("SHARDKEEP_PEERS_PYTHON", std::path::absolute(python)?);
    }
    if let Ok(modules) = &tools.node_modules {
        step = step.env("NODE_PATH", std::path::absolute(modules)?);
    }
    Ok(step)
}
