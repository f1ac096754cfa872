//! What a cache takes for guilds and their members, beside other libraries' caches, and whether a small budget is held
//! while ten times as much flows through.
//!
//! `cargo xtask bench members`. Every cache is filled in a process of its own, from the same file of GUILD_CREATEs that
//! the simulator's catalog makes. Options: `--guilds N` (1000), `--members N` of each on average (1000), `--fill` and
//! `--flow` for one half alone, and `--docs`, which puts tables and pictures into `docs`. The other words are how it
//! starts its own processes.

mod compare;
mod fill;
mod flow;
mod report;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shardkeep_benches::payloads::Sizes;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a process is to take in, as one JSON object on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Job {
    path: PathBuf,
    sizes: Sizes,
    /// For a store that has one.
    folder: PathBuf,
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["fill", who] => print(&fill::run(who, &job()?)?),
        ["flow", store] => print(&flow::run(store, &job()?)?),
        _ => compare::run(&words),
    }
}

fn job() -> Outcome<Job> {
    Ok(serde_json::from_reader(std::io::stdin())?)
}

fn print<T: Serialize>(found: &T) -> Outcome<()> {
    Ok(writeln!(stdout(), "{}", serde_json::to_string(found)?)?)
}
