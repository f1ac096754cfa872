//! `cargo xtask test`: every suite, or those that are named, and a table of how they went.

use anyhow::{Result, bail};

use crate::args::Args;
use crate::report::Report;
use crate::setup;
use crate::suites::{Machine, SUITES};
use crate::workspace;

pub(crate) fn run(mut args: Args) -> Result<()> {
    let list = args.flag("--list");
    let names = args.names()?;
    if let Some(name) = names
        .iter()
        .find(|name| SUITES.iter().all(|suite| suite.name != **name))
    {
        bail!("there is no suite `{name}`; `cargo xtask test --list` shows them");
    }
    if list {
        for suite in SUITES {
            println!("{:<14}{}", suite.name, suite.about);
        }
        return Ok(());
    }
    println!("== setup");
    let machine = Machine {
        tools: setup::prepare(),
        in_ci: workspace::in_ci(),
    };
    let chosen: Vec<_> = SUITES
        .iter()
        .filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name))
        .collect();
    let mut report = Report::default();
    for (index, suite) in chosen.iter().enumerate() {
        println!(
            "\n== {} of {}: {} ({})",
            index + 1,
            chosen.len(),
            suite.name,
            suite.about
        );
        report.run(suite.name, || (suite.run)(&machine));
    }
    report.print();
    let failed: Vec<_> = report.failed();
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{} failed", failed.join(", "))
}
