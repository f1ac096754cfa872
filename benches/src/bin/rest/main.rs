//! REST clients side by side, limits and all: how long a crowd of requests takes each of them, what Discord would have
//! refused, and what a request costs where no limit binds.
//!
//! `cargo xtask bench rest`. The simulator with its strict limits and every client are processes of their own. Options:
//! `--rounds N` (1), `--only NAME`, `--crowd`, `--unlimited`, and `--docs`, which puts tables and pictures into `docs`.
//! The other words are how it starts its own processes.

mod clients;
mod compare;
mod report;
mod sim;

use std::error::Error;
use std::io::{Write as _, stdout};

use serde::{Deserialize, Serialize};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a client is to do, as one JSON object on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Job {
    /// The API's base, with its version.
    base: String,
    token: String,
    /// Requests a second over all routes, for clients that can be told.
    global_limit: u32,
    /// How many requests to have asked for at once.
    in_flight: usize,
    /// How many of the requests come before the clock runs.
    warm_up: usize,
    /// Methods and paths below the base.
    requests: Vec<(String, String)>,
}

/// What it came to: a client prints this.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Run {
    /// From the first request to the last answer.
    makespan_s: f64,
    /// Requests without an answer of 2xx.
    failures: usize,
    /// Processor time of the whole process, user and system, meanwhile.
    cpu_s: f64,
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => sim::serve(),
        ["client", name] => {
            let job: Job = serde_json::from_reader(std::io::stdin())?;
            let run = clients::run(name, &job)?;
            Ok(writeln!(stdout(), "{}", serde_json::to_string(&run)?)?)
        }
        _ => compare::run(&words),
    }
}
