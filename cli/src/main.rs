//! The `shardkeep` command.

mod args;
mod bench;
mod connect;
mod demo;
mod failure;
mod fleet;
mod plan;
mod proxy;
mod run;
mod shard_of;
mod signals;
mod sim;

use std::io::{Write, stderr};
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to do where standard error is closed.
            let _ = writeln!(stderr(), "shardkeep: {failure}");
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => block_on(demo::run(arguments)),
        Command::Run(arguments) => block_on(run::run(arguments)),
        Command::Proxy(arguments) => block_on(proxy::run(*arguments)),
        Command::Sim(arguments) => block_on(sim::run(arguments)),
        Command::ShardOf(arguments) => shard_of::run(&arguments),
        Command::Plan(arguments) => block_on(plan::run(*arguments)),
        Command::Fleet { fleet } => block_on(fleet::run(fleet)),
        Command::Bench { bench } => block_on(bench::run(bench)),
    }
}

/// Runs a command that waits for sockets.
fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("no threads could be started: {error}")))?;
    let outcome = runtime.block_on(command);
    // A thread may still wait for somebody to read standard output: it must not hold up the end.
    runtime.shutdown_background();
    outcome
}
