//! What a dispatch costs a shard's thread on its way into a bot's cache, while the store under the cache is well, and
//! while it is paused, killed, slow, wrong or full.
//!
//! `cargo xtask bench store_faults`. Every case runs in a process of its own, in turn, several rounds; what is printed
//! are medians over the rounds. Options: `--rounds N` (3), `--seconds N` of each fault (10), and `--docs`, which puts
//! the table into `docs/benchmarks.md`. The other words are how it starts its own processes. Needs `redis-server`.

mod case;
mod proxy;
mod redis;
mod report;
mod traffic;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::process::Command;

use case::{CASES, Measured};
use shardkeep_benches::document;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["case", name, seconds] = words[..] {
        let measured = case::run(name, seconds.parse()?)?;
        return Ok(writeln!(stdout(), "{}", serde_json::to_string(&measured)?)?);
    }
    let number = |name: &str, usual: u64| -> Outcome<u64> {
        let at = words.iter().position(|word| *word == name);
        let given = at.and_then(|at| words.get(at + 1));
        given.map_or(Ok(usual), |text| Ok(text.parse()?))
    };
    let (rounds, seconds) = (number("--rounds", 3)?, number("--seconds", 10)?);
    let mut all = Vec::new();
    for round in 0..rounds {
        for name in CASES {
            let measured = one(name, seconds)?;
            for phase in &measured {
                writeln!(stdout(), "round {}: {}", round + 1, phase.line())?;
            }
            all.extend(measured);
        }
    }
    let text = report::report(&all, seconds);
    writeln!(stdout(), "\n{text}")?;
    if words.contains(&"--docs") {
        document::put("store_faults", &text)?;
    }
    Ok(())
}

/// Runs a case in a process of its own.
fn one(name: &str, seconds: u64) -> Outcome<Vec<Measured>> {
    let own = std::env::current_exe()?;
    let output = Command::new(own)
        .args(["case", name, &seconds.to_string()])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{name}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
