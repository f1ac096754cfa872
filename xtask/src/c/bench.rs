//! `cargo xtask bench ffi`: what a call costs, and how large the libraries are.

use std::path::Path;

use anyhow::{Context, Result};

use crate::step::Step;
use crate::workspace;

/// How the library is built: what to call it, and what cargo is told.
const BUILDS: &[(&str, &[&str])] = &[
    ("with the Bot layer", &[]),
    (
        "machines alone",
        &["--no-default-features", "--features", "std"],
    ),
];

pub(crate) fn run() -> Result<()> {
    Step::cargo(["bench", "--package", "shardkeep-ffi", "--bench", "verbs"]).run()?;
    println!("\n| library, stripped | shared, KiB | static, KiB |\n|---|--:|--:|");
    for (name, features) in BUILDS {
        // What is shipped: see `profile.dist`.
        let target = std::path::absolute(workspace::target_dir().join("size"))?;
        Step::cargo([
            "build",
            "--quiet",
            "--package",
            "shardkeep-ffi",
            "--profile",
            "dist",
        ])
        .args(*features)
        .args(["--target-dir"])
        .args([&target])
        .run()?;
        let folder = target.join("dist");
        let shared = stripped(&folder.join("libshardkeep_ffi.so"), "--strip-unneeded")?;
        let archive = stripped(&folder.join("libshardkeep_ffi.a"), "--strip-debug")?;
        println!("| {name} | {shared} | {archive} |");
    }
    Ok(())
}

/// The size in KiB of what is left when what no program needs is gone.
fn stripped(library: &Path, how: &str) -> Result<u64> {
    let copy = library.with_extension("stripped");
    Step::new("strip")
        .args([how, "-o"])
        .args([&copy])
        .args([library])
        .quiet_output()?;
    let size = std::fs::metadata(&copy).with_context(|| copy.display().to_string())?;
    Ok(size.len().div_ceil(1024))
}
