//! Every chore of the project as one command: `cargo xtask <chore>`.

#![allow(clippy::print_stdout, reason = "this program talks to a terminal")]

mod args;
mod bench;
mod c;
mod demo;
mod docs;
mod examples;
mod fuzz;
mod generate;
mod report;
mod setup;
mod sim_cache;
mod sim_crew;
mod sim_fleet;
mod sim_hours;
mod sim_rest;
mod step;
mod suites;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use crate::args::Args;

/// One subcommand.
struct Chore {
    name: &'static str,
    args: &'static str,
    about: &'static str,
    run: fn(Args) -> anyhow::Result<()>,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "setup",
        args: "",
        about: "install what the tests need and is missing; says what it does, asks nothing",
        run: setup::run,
    },
    Chore {
        name: "test",
        args: "[SUITE...] [--list]",
        about: "setup, then every suite (or those named); what continuous integration runs",
        run: test::run,
    },
    Chore {
        name: "demo",
        args: "[ARGS...]",
        about: "build and run `shardkeep demo`: a sharded bot against the simulator; --json for a report",
        run: demo::run,
    },
    Chore {
        name: "bench",
        args: "[NAME [ARGS...]] [--list]",
        about: "the benches and comparisons with other libraries, or the one named",
        run: bench::run,
    },
    Chore {
        name: "gen",
        args: "[--verify]",
        about: "write the generated files, or with --verify fail if one is stale",
        run: generate::run,
    },
    Chore {
        name: "tidy",
        args: "",
        about: "the house rules: lengths, captions, imports, words, paths named in the docs",
        run: tidy::run,
    },
    Chore {
        name: "fuzz",
        args: "[TARGET...] [--seconds N]",
        about: "the fuzz targets, each for N seconds (60); wants nightly and cargo-fuzz",
        run: fuzz::run,
    },
    Chore {
        name: "sim-hours",
        args: "[--seeds N] [--seed N] [...]",
        about: "simulated hours of a 64-shard bot under faults; names each seed that went wrong",
        run: sim_hours::run,
    },
    Chore {
        name: "sim-cache",
        args: "[--seeds N] [--seed N]",
        about: "the cache against the naive model under any limits and faults; names each seed that went wrong",
        run: sim_cache::run,
    },
    Chore {
        name: "sim-rest",
        args: "[--seeds N] [--seed N] [--from N]",
        about: "the REST scheduler against the strict model; names each seed that went wrong",
        run: sim_rest::run,
    },
    Chore {
        name: "sim-crew",
        args: "[--seeds N] [--seed N] [--from N]",
        about: "schedulers that share limits, crashes and lost ledgers included; names each seed that went wrong",
        run: sim_crew::run,
    },
    Chore {
        name: "sim-fleet",
        args: "[--seeds N] [--seed N] [--from N] [--big]",
        about: "fleets of processes under crashes, partitions, storms and changes of shards; or a million guilds",
        run: sim_fleet::run,
    },
    Chore {
        name: "install",
        args: "--prefix P",
        about: "the C library: header, shared and static library, pkg-config file, CMake config",
        run: c::install::run,
    },
    Chore {
        name: "docs",
        args: "[--open]",
        about: "the API documentation of every crate, and the guide where mdBook is installed",
        run: docs::run,
    },
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(name) = words.next() else {
        print_chores();
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print_chores();
        return ExitCode::SUCCESS;
    }
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        print_chores();
        eprintln!("\nerror: there is no chore called `{name}`");
        return ExitCode::from(2);
    };
    let outcome = workspace::enter_root().and_then(|()| (chore.run)(Args::new(words.collect())));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {}: {error:#}", chore.name);
            ExitCode::FAILURE
        }
    }
}

fn print_chores() {
    println!("cargo xtask CHORE\n");
    for Chore {
        name, args, about, ..
    } in CHORES
    {
        println!("  {:<40}{about}", format!("{name} {args}"));
    }
}
