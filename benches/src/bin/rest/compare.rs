//! Runs every client in turn, each in a process of its own.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use shardkeep_benches::document;

use super::sim::{Judged, Sim};
use super::{Job, Outcome, Run, report};

/// Left out of the crowd: where requests wait for limits, it does not matter whose thread they wait on.
const IN_TASK: &str = "shardkeep-task";

/// Who is measured, in the order of the tables: the word for `--only`, and what it is.
pub(super) const CLIENTS: [(&str, &str); 5] = [
    ("shardkeep", "Shardkeep"),
    (IN_TASK, "Shardkeep in the caller's runtime"),
    ("twilight", "twilight-http"),
    ("discord.js", "@discordjs/rest"),
    ("discord.py", "discord.py"),
];

/// What the words after `cargo xtask bench rest` choose.
#[derive(Default)]
struct Options {
    rounds: usize,
    only: Option<String>,
    crowd: bool,
    unlimited: bool,
    docs: bool,
}

impl Options {
    fn parse(words: &[&str]) -> Outcome<Self> {
        let mut options = Self {
            rounds: 1,
            ..Self::default()
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match *word {
                "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
                "--only" => options.only = Some((*value()?).to_owned()),
                "--crowd" => options.crowd = true,
                "--unlimited" => options.unlimited = true,
                "--docs" => options.docs = true,
                _ => {
                    let known = "--rounds N, --only NAME, --crowd, --unlimited, --docs";
                    return Err(format!("there is no {word}; there are {known}").into());
                }
            }
        }
        if !options.crowd && !options.unlimited {
            (options.crowd, options.unlimited) = (true, true);
        }
        if options.docs && options.only.is_some() {
            return Err("--docs writes whole tables: leave out --only".into());
        }
        Ok(options)
    }
}

/// A client that is there, and how it is started.
struct Peer {
    name: &'static str,
    what: &'static str,
    program: PathBuf,
    words: Vec<String>,
}

/// All runs of one client, and what the simulator said of each.
pub(super) struct Found {
    pub(super) what: &'static str,
    pub(super) runs: Vec<(Run, Judged)>,
}

pub(super) fn run(words: &[&str]) -> Outcome<()> {
    let options = Options::parse(words)?;
    let peers = peers(options.only.as_deref())?;
    let sim = Sim::start()?;
    if options.unlimited {
        let peers: Vec<&Peer> = peers.iter().collect();
        let job = sim.unlimited();
        let found = measure(&sim, &peers, "unlimited", &job, options.rounds)?;
        report::unlimited(&job, options.rounds, &found, options.docs)?;
    }
    if options.crowd {
        let peers: Vec<&Peer> = peers.iter().filter(|peer| peer.name != IN_TASK).collect();
        if peers.is_empty() {
            return Ok(());
        }
        let (job, bound) = sim.crowd()?;
        let found = measure(&sim, &peers, "bench", &job, options.rounds)?;
        report::crowd(&job, bound, options.rounds, &found, options.docs)?;
    }
    Ok(())
}

/// Those that are chosen and installed. Where a language's packages are, `cargo xtask bench` says in the environment.
fn peers(only: Option<&str>) -> Outcome<Vec<Peer>> {
    let script = |name: &str| document::root().join("benches/peers").join(name);
    let mut peers = Vec::new();
    for (name, what) in CLIENTS {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let (program, words) = match name {
            "discord.py" => {
                let Some(python) = std::env::var_os("SHARDKEEP_PEERS_PYTHON") else {
                    eprintln!(
                        "{what} is left out: SHARDKEEP_PEERS_PYTHON names no Python that has it"
                    );
                    continue;
                };
                let script = script("discord_py_rest.py");
                (python.into(), vec![script.display().to_string()])
            }
            "discord.js" => {
                if std::env::var_os("NODE_PATH").is_none() {
                    eprintln!("{what} is left out: NODE_PATH names no node_modules that has it");
                    continue;
                }
                let script = script("discord_js_rest.mjs");
                ("node".into(), vec![script.display().to_string()])
            }
            _ => {
                let words = ["client", name].map(str::to_owned).to_vec();
                (std::env::current_exe()?, words)
            }
        };
        peers.push(Peer {
            name,
            what,
            program,
            words,
        });
    }
    if peers.is_empty() {
        let names = CLIENTS.map(|(name, _)| name).join(", ");
        return Err(format!("nobody is left to measure; --only takes one of {names}").into());
    }
    Ok(peers)
}

/// Round by round, so that a noisy minute hits everyone.
fn measure(
    sim: &Sim,
    peers: &[&Peer],
    preset: &str,
    job: &Job,
    rounds: usize,
) -> Outcome<Vec<Found>> {
    let nothing = |peer: &&Peer| Found {
        what: peer.what,
        runs: Vec::new(),
    };
    let mut found: Vec<Found> = peers.iter().map(nothing).collect();
    for round in 0..rounds {
        for (peer, found) in peers.iter().zip(&mut found) {
            sim.reset(preset)?;
            let run = one(peer, job)?;
            let judged = sim.judged()?;
            eprintln!(
                "{preset}, round {}: {}: {run:?} {judged:?}",
                round + 1,
                peer.what
            );
            let answered = job.requests.len().saturating_sub(run.failures);
            if usize::try_from(judged.accepted)? < answered {
                // A client that shares or keeps answers does not do the work that is measured.
                let (what, arrived) = (peer.what, judged.accepted);
                return Err(format!("{what} had {answered} answers to {arrived} requests").into());
            }
            found.runs.push((run, judged));
            // Windows of the global limit belong to one client.
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    Ok(found)
}

fn one(peer: &Peer, job: &Job) -> Outcome<Run> {
    let mut command = Command::new(&peer.program);
    command
        .args(&peer.words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut input = child.stdin.take().ok_or("standard input was asked for")?;
    input.write_all(&serde_json::to_vec(job)?)?;
    drop(input);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
