//! `cargo xtask bench`: the benches and comparison programs of the `benches` crate, all of them or one.

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::step::Step;
use crate::workspace::{self, Member, Target};

/// Their crate.
const MANIFEST: &str = "benches/Cargo.toml";

pub(crate) fn run(mut args: Args) -> Result<()> {
    let list = args.flag("--list");
    let mut words = args.rest().into_iter();
    let name = words.next();
    let passed_on: Vec<String> = words.collect();
    let members = workspace::members()?;
    let benches = members.iter().find(|member| member.manifest == MANIFEST);
    let benches = benches.with_context(|| format!("the workspace has no {MANIFEST}"))?;
    let known = || benches.targets.iter().filter(|target| is_runnable(target));
    if list {
        for target in known() {
            println!("{}", target.name);
        }
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
        .try_for_each(|target| run_one(benches, target, &passed_on))
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
    step.args(passed_on).run()
}
