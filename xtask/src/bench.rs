//! `cargo xtask bench`: criterion benches and comparison programs of the `benches` crate, all of them or one.

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::step::Step;
use crate::workspace::{self, Member, Target};

/// The folder of the benches crate.
const MANIFEST: &str = "benches/Cargo.toml";

pub(crate) fn run(mut args: Args) -> Result<()> {
    let list = args.flag("--list");
    let names = args.names()?;
    let members = workspace::members()?;
    let benches = members.iter().find(|member| member.manifest == MANIFEST);
    let benches = benches.with_context(|| format!("the workspace has no {MANIFEST}"))?;
    let known: Vec<&Target> = benches
        .targets
        .iter()
        .filter(|target| is_runnable(target))
        .collect();
    if let Some(name) = names
        .iter()
        .find(|name| known.iter().all(|target| target.name != **name))
    {
        let known: Vec<&str> = known.iter().map(|target| target.name.as_str()).collect();
        bail!(
            "there is no bench `{name}`; there are: {}",
            known.join(", ")
        );
    }
    for target in known {
        if list {
            println!("{:<8}{}", target.kind, target.name);
        } else if names.is_empty() || names.contains(&target.name) {
            run_one(benches, target)?;
        }
    }
    Ok(())
}

fn is_runnable(target: &Target) -> bool {
    matches!(target.kind.as_str(), "bench" | "bin")
}

fn run_one(benches: &Member, target: &Target) -> Result<()> {
    let step = if target.kind == "bench" {
        Step::cargo(["bench", "--package", &benches.name, "--bench", &target.name])
    } else {
        Step::cargo([
            "run",
            "--release",
            "--package",
            &benches.name,
            "--bin",
            &target.name,
        ])
    };
    step.run()
}
