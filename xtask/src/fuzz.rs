//! `cargo xtask fuzz`: runs the fuzz targets, where a nightly compiler and cargo-fuzz are installed.

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::step::{Step, is_installed};
use crate::workspace;

/// The targets, one file each.
const TARGETS: &str = "fuzz/fuzz_targets";

pub(crate) fn run(mut args: Args) -> Result<()> {
    let seconds = args.number("--seconds")?.unwrap_or(60);
    let names = args.names()?;
    let targets = targets()?;
    if let Some(name) = names.iter().find(|name| !targets.contains(name)) {
        bail!(
            "there is no fuzz target `{name}`; there are: {}",
            targets.join(", ")
        );
    }
    if !has_nightly() {
        bail!("no nightly compiler: `rustup toolchain install nightly` installs one");
    }
    if !is_installed("cargo-fuzz") {
        bail!("no cargo-fuzz: `cargo install cargo-fuzz --locked` installs it");
    }
    let target_dir = std::path::absolute(workspace::target_dir().join("fuzz"))?;
    for target in targets
        .iter()
        .filter(|target| names.is_empty() || names.contains(target))
    {
        Step::new("cargo")
            .args(["+nightly", "fuzz", "run", "--target-dir"])
            .args([&target_dir])
            .args([target, "--", &format!("-max_total_time={seconds}")])
            .run()?;
    }
    Ok(())
}

/// Whether there is a nightly compiler, which instrumenting needs.
pub(crate) fn has_nightly() -> bool {
    // Asking must not install it.
    let step = Step::new("cargo").args(["+nightly", "--version"]);
    step.env("RUSTUP_AUTO_INSTALL", "0").succeeds()
}

fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(TARGETS).context(TARGETS)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(String::from));
    }
    names.sort();
    Ok(names)
}
