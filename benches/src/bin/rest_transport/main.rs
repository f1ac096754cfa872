//! HTTP clients side by side: requests a second and processor time of each, with many requests in flight and no limits.
//!
//! `cargo xtask bench rest_transport`. Server and client are processes of their own. Options: `--requests N` (5,000),
//! `--in-flight N` (32), `--rounds N` (5), and `--docs`, which puts the table into `docs/benchmarks.md`.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use shardkeep_benches::child::Serving;
use shardkeep_benches::document::{self, table};
use shardkeep_benches::usage;

mod clients;
mod server;

/// Who is measured: the word that a child process is started with, and what it is.
const CLIENTS: [(&str, &str); 8] = [
    ("floor", "sockets alone, nothing understood"),
    ("ureq", "ureq, a thread for each request in flight"),
    ("ureq-10", "ureq, 10 threads"),
    ("legacy", "hyper-util's pool, a task for each connection"),
    ("conn", "hyper's connections, polled by one task"),
    ("twilight", "twilight-http without its limiter"),
    (
        "task",
        "Shardkeep, scheduler and all, in the caller's runtime",
    ),
    ("thread", "Shardkeep, scheduler and all, on its own thread"),
];

/// Requests before the clock runs: connections are open then.
const WARM_UP: usize = 200;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Clone, Copy)]
struct Load {
    requests: usize,
    in_flight: usize,
}

/// What one client came to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Run {
    requests: usize,
    wall_ns: u64,
    cpu_ns: u64,
}

/// Measures what `go` does for as many requests as it is told.
struct Meter {
    wall: u64,
    cpu: u64,
}

impl Meter {
    fn start() -> Self {
        Self {
            wall: usage::wall_ns(),
            cpu: usage::cpu_ns(),
        }
    }

    fn stop(&self, requests: usize) -> Run {
        let (wall, cpu) = (usage::wall_ns(), usage::cpu_ns());
        Run {
            requests,
            wall_ns: wall - self.wall,
            cpu_ns: cpu - self.cpu,
        }
    }
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => server::serve(),
        ["client", name, base, requests, in_flight] => {
            let load = Load {
                requests: requests.parse()?,
                in_flight: in_flight.parse()?,
            };
            let run = clients::run(name, base, load)?;
            Ok(writeln!(stdout(), "{}", serde_json::to_string(&run)?)?)
        }
        _ => compare(&words),
    }
}

struct Options {
    load: Load,
    rounds: usize,
    docs: bool,
}

fn parse(words: &[&str]) -> Outcome<Options> {
    let load = Load {
        requests: 5_000,
        in_flight: 32,
    };
    let mut options = Options {
        load,
        rounds: 5,
        docs: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Outcome<usize> {
            let number = words
                .next()
                .ok_or_else(|| format!("{word} wants a number"))?;
            Ok(number.parse()?)
        };
        match *word {
            "--requests" => options.load.requests = number()?,
            "--in-flight" => options.load.in_flight = number()?,
            "--rounds" => options.rounds = number()?,
            "--docs" => options.docs = true,
            _ => {
                let known = "--requests N, --in-flight N, --rounds N, --docs";
                return Err(format!("there is no {word}; there are {known}").into());
            }
        }
    }
    Ok(options)
}

fn compare(words: &[&str]) -> Outcome<()> {
    let Options { load, rounds, docs } = parse(words)?;
    let this = std::env::current_exe()?;
    let (_server, base) = Serving::start(Command::new(&this).arg("serve"))?;
    let mut found = vec![Vec::new(); CLIENTS.len()];
    // Round by round, so that a noisy minute hits everyone.
    for _ in 0..rounds {
        for ((name, _), runs) in CLIENTS.iter().zip(&mut found) {
            let (requests, in_flight) = (load.requests.to_string(), load.in_flight.to_string());
            let child = Command::new(&this)
                .args(["client", name, &base, &requests, &in_flight])
                .stderr(Stdio::inherit())
                .output()?;
            if !child.status.success() {
                return Err(format!("{name} failed: {}", child.status).into());
            }
            runs.push(serde_json::from_slice::<Run>(&child.stdout)?);
        }
    }
    let mut rows = vec![
        ["client", "requests a second", "CPU µs a request"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for ((_, what), runs) in CLIENTS.iter().zip(&found) {
        let each = |ns: u64, run: &Run| ns as f64 / run.requests as f64;
        let rate = median(runs.iter().map(|run| 1e9 / each(run.wall_ns, run)));
        let cpu = median(runs.iter().map(|run| each(run.cpu_ns, run) / 1e3));
        rows.push(vec![
            (*what).to_owned(),
            format!("{rate:.0}"),
            format!("{cpu:.1}"),
        ]);
    }
    let Load {
        requests,
        in_flight,
    } = load;
    let text = format!(
        "{requests} GETs, {in_flight} in flight, median of {rounds}.\n\n{}",
        table(&rows)
    );
    writeln!(stdout(), "{text}")?;
    if docs {
        document::put("rest_transport", &text)?;
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
