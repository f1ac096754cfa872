//! `cargo xtask gen`: files that follow from tables in the code. A new one is a function listed in `GENERATORS`.

mod dispatches;
mod header;
mod records;
mod reference;
mod states;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::step::Step;

/// A checked-in file and what it must hold.
pub(crate) struct Generated {
    /// From the repository's root.
    pub(crate) path: &'static str,
    pub(crate) contents: String,
}

/// Every generated file, one function each.
const GENERATORS: &[fn() -> Result<Generated>] = &[
    dispatches::page,
    header::header,
    records::page,
    reference::close_codes,
    reference::events,
    reference::intents,
    reference::opcodes,
    states::module_docs,
    states::page,
];

/// What the head of a generated page says.
const NOTE: &str = "<!-- Written by `cargo xtask gen` from core's tables; edit those. -->";

pub(crate) fn run(mut args: Args) -> Result<()> {
    let verify = args.flag("--verify");
    args.finish()?;
    if verify {
        check()?;
        return TESTS.iter().try_for_each(|names| test(names).run());
    }
    write()?;
    // One after the other: some tests read what others write.
    let write = |names| {
        test(names)
            .args(["--test-threads", "1"])
            .env("SHARDKEEP_BLESS", "1")
    };
    TESTS.iter().try_for_each(|names| write(names).run())
}

/// Tests that compare what is checked in with what the code gives, or write it when asked to: the vectors, and the
/// pages on options and metrics.
const TESTS: &[&[&str]] = &[&["--test", "vectors"], &["--lib", "reference_pages"]];

/// Built with the features that the whole workspace needs, so that `cargo xtask test` does not build anything twice.
fn test(names: &[&str]) -> Step {
    Step::cargo(["test", "--quiet", "--workspace"])
        .args(names)
        .args(["--"])
}

fn write() -> Result<()> {
    for generate in GENERATORS {
        let Generated { path, contents } = generate()?;
        if std::fs::read_to_string(path).is_ok_and(|old| old == contents) {
            println!("fresh    {path}");
            continue;
        }
        if let Some(folder) = Path::new(path).parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, contents).with_context(|| String::from(path))?;
        println!("written  {path}");
    }
    Ok(())
}

/// Fails, naming every stale file, unless all are fresh. What tests compare is left to them.
pub(crate) fn check() -> Result<()> {
    let stale = stale()?;
    for Stale { path, line } in &stale {
        println!("{path}:{line}: differs from what `cargo xtask gen` writes");
    }
    println!(
        "{} generated files, {} stale",
        GENERATORS.len(),
        stale.len()
    );
    if stale.is_empty() {
        return Ok(());
    }
    bail!("run `cargo xtask gen` and commit what it writes")
}

/// A file that is not what its generator writes.
pub(crate) struct Stale {
    pub(crate) path: &'static str,
    /// The first line that differs.
    pub(crate) line: usize,
}

/// The generated files that are stale or absent.
pub(crate) fn stale() -> Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for generate in GENERATORS {
        let Generated { path, contents } = generate()?;
        let found = std::fs::read_to_string(path).unwrap_or_default();
        if let Some(line) = first_difference(&found, &contents) {
            stale.push(Stale { path, line });
        }
    }
    Ok(stale)
}

/// The number of the first line that differs, from 1.
fn first_difference(found: &str, wanted: &str) -> Option<usize> {
    if found == wanted {
        return None;
    }
    let same = found
        .lines()
        .zip(wanted.lines())
        .take_while(|(a, b)| a == b)
        .count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("", "a\n"), Some(1));
    }

    #[test]
    fn no_two_generators_write_the_same_file() {
        let mut paths: Vec<_> = GENERATORS.iter().map(|make| make().unwrap().path).collect();
        paths.sort_unstable();
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]), "{paths:?}");
    }
}
