//! The machines without std and libc, under a C program that brings its own memory.

use anyhow::{Result, bail};

use super::{Place, WARNINGS};
use crate::step::Step;
use crate::workspace;

/// Builds the library, links the program with nothing else, and runs it.
pub(crate) fn run(place: &Place) -> Result<()> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("freestanding: the program speaks to the kernel of x86-64 Linux");
        return Ok(());
    }
    let target = std::path::absolute(workspace::target_dir().join("no-std"))?;
    Step::cargo(["rustc", "--package", "shardkeep-ffi", "--crate-type", "staticlib"])
        .args(["--no-default-features", "--features", "freestanding"])
        // Without std a panic cannot unwind.
        .args(["--config", "profile.dev.panic=\"abort\"", "--target-dir"])
        .args([&target])
        .run()?;
    let program = place.programs.join("freestanding");
    Step::new("cc")
        .args(["-std=c11", "-O1", "-ffreestanding", "-nostdlib", "-static", "-no-pie"])
        // Loops of ours that copy must not become calls of what they are in.
        .args(["-fno-stack-protector", "-fno-tree-loop-distribute-patterns"])
        .args(WARNINGS)
        .args(["-Iinclude", "ffi/tests/c/freestanding.c"])
        .args([target.join("debug/libshardkeep_ffi.a")])
        .args(["-Wl,--gc-sections", "-o"])
        .args([&program])
        .run()?;
    let needed = Step::new("readelf")
        .args(["-d"])
        .args([&program])
        .quiet_output()?;
    if needed.contains("NEEDED") {
        bail!("it needs a shared library: {needed}");
    }
    Step::new(&program).run()
}
