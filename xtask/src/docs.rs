//! `cargo xtask docs`: the API documentation, warnings being errors, and the guide where mdBook is installed.

use std::path::Path;

use anyhow::Result;

use crate::args::Args;
use crate::step::{Step, is_installed};
use crate::workspace;

pub(crate) fn run(mut args: Args) -> Result<()> {
    let open = args.flag("--open");
    args.finish()?;
    build(open)?;
    if !Path::new("docs/book.toml").exists() {
        return Ok(());
    }
    if is_installed("mdbook") {
        return Step::new("mdbook").args(["build", "docs"]).run();
    }
    println!("the guide was not built: mdBook is not installed; its pages are readable in docs/");
    Ok(())
}

/// The API documentation of every crate that has any.
pub(crate) fn build(open: bool) -> Result<()> {
    let mut step = Step::cargo(["doc", "--workspace", "--no-deps"]);
    for member in workspace::members()? {
        // A binary's documentation is its --help, and two targets of one name would overwrite each other. Benches are
        // for those who read their source.
        let is_library = member.targets.iter().any(|target| target.kind == "lib");
        if !is_library || member.manifest.starts_with("benches/") {
            step = step.args(["--exclude", &member.name]);
        }
    }
    if open {
        step = step.args(["--open"]);
    }
    step.env("RUSTDOCFLAGS", "-D warnings").run()
}
