//! `cargo xtask tidy`: the house rules, each a scanner of its own. Every finding is `path:line: message`.

mod captions;
mod imports;
mod lengths;
mod mask;
mod msrv;
mod paths;
mod payloads;
mod words;

use anyhow::{Result, bail};

use crate::args::Args;
use crate::{generate, workspace};

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: String::from(path),
            line,
            message: message.into(),
        }
    }
}

/// Whether a file holds nothing but tests: `tests.rs`, `…_tests.rs`, or anything in a folder `tests`.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/")
}

pub(crate) fn run(args: Args) -> Result<()> {
    args.finish()?;
    check()
}

/// Prints every finding and a summary; fails if there is a finding.
pub(crate) fn check() -> Result<()> {
    let files = workspace::files()?;
    let mut findings = Vec::new();
    for file in &files {
        lengths::check(file, &mut findings);
        captions::check(file, &mut findings);
        words::check(file, &mut findings);
        imports::check(file, &mut findings);
        paths::check(file, &files, &mut findings);
    }
    imports::check_members(&workspace::members()?, &mut findings);
    msrv::check(&workspace::packages()?, &mut findings);
    payloads::check(&files, &mut findings);
    for stale in generate::stale()? {
        let message = "stale: run `cargo xtask gen` and commit what it writes";
        findings.push(Finding::new(stale.path, stale.line, message));
    }
    findings.sort();
    for Finding {
        path,
        line,
        message,
    } in &findings
    {
        println!("{path}:{line}: {message}");
    }
    println!("tidy: {} files, {} findings", files.len(), findings.len());
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} findings, printed above", findings.len())
}
