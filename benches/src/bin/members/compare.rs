//! Starts everybody, one after the other, and collects what they say.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use shardkeep_benches::{document, payloads};

use super::fill::Filled;
use super::flow::Flowed;
use super::{Job, Outcome, report};

/// Who is filled: the name that starts it, and what it is called in tables.
const CACHES: [(&str, &str); 3] = [
    ("shardkeep", "Shardkeep"),
    ("twilight", "twilight-cache-inmemory"),
    ("discord.js", "discord.js"),
];

/// What lies under the cache that everything flows through.
const STORES: [(&str, &str); 3] = [
    ("none", "no store"),
    ("memory", "store `memory`"),
    ("lmdb", "store `lmdb`"),
];

/// What makes glibc give freed memory back to the system: without it, resident memory remembers what was needed for a
/// moment.
const GIVE_BACK: [(&str, &str); 2] = [
    ("MALLOC_TRIM_THRESHOLD_", "4096"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
];

/// V8 gives up early unless it is told how much there is.
const NODE_MIB: u32 = 16_384;

struct Options {
    guilds: u32,
    members: u32,
    fill: bool,
    flow: bool,
    docs: bool,
}

/// One cache, filled.
pub(super) struct Full {
    pub(super) what: &'static str,
    pub(super) filled: Filled,
    /// The same with freed memory given back, where that can be asked for.
    pub(super) given_back: Option<Filled>,
}

/// Everybody with the same payloads.
pub(super) struct Round {
    pub(super) name: &'static str,
    pub(super) sizes: payloads::Sizes,
    pub(super) full: Vec<Full>,
}

fn parse(words: &[&str]) -> Outcome<Options> {
    let mut options = Options {
        guilds: 1_000,
        members: 1_000,
        fill: true,
        flow: true,
        docs: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a number"));
        match *word {
            "--guilds" => options.guilds = value()?.parse()?,
            "--members" => options.members = value()?.parse()?,
            "--fill" => options.flow = false,
            "--flow" => options.fill = false,
            "--docs" => options.docs = true,
            _ => {
                let known = "--guilds N, --members N, --fill, --flow, --docs";
                return Err(format!("there is no {word}; there are {known}").into());
            }
        }
    }
    Ok(options)
}

/// A folder that goes with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let name = format!("members-{}", std::process::id());
        let path = document::root().join("target/tmp").join(name);
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is no more than a file in target.
        let _left = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(words: &[&str]) -> Outcome<()> {
    let options = parse(words)?;
    let folder = Folder::new()?;
    let mut rounds = Vec::new();
    for (name, presences) in [("without presences", false), ("with presences", true)] {
        if !options.fill && presences {
            continue;
        }
        let path = folder.0.join("guilds");
        let sizes = payloads::write(&path, options.guilds, options.members, presences)?;
        eprintln!("{name}: {sizes:?}");
        let job = Job {
            path,
            sizes,
            folder: folder.0.join("lmdb"),
        };
        if options.fill {
            let full = fill(&job)?;
            rounds.push(Round { name, sizes, full });
        }
        if options.flow && !presences {
            report::flowed(&job, &flow(&job)?, options.docs)?;
        }
    }
    if rounds.is_empty() {
        return Ok(());
    }
    report::filled(&rounds, options.docs)
}

fn fill(job: &Job) -> Outcome<Vec<Full>> {
    let mut all = Vec::new();
    for (name, what) in CACHES {
        let (filled, given_back): (Filled, _) = if name == "discord.js" {
            if std::env::var_os("NODE_PATH").is_none() {
                eprintln!("{what} is left out: NODE_PATH names no node_modules that has it");
                continue;
            }
            let script = document::root().join("benches/peers/discord_js_cache.mjs");
            let mut node = Command::new("node");
            node.args(["--expose-gc", &format!("--max-old-space-size={NODE_MIB}")]);
            (one(node.arg(script), job)?, None)
        } else {
            let filled = one(&mut own(&["fill", name])?, job)?;
            let mut again = own(&["fill", name])?;
            (filled, Some(one(again.envs(GIVE_BACK), job)?))
        };
        eprintln!("{what}: {filled:?} {given_back:?}");
        all.push(Full {
            what,
            filled,
            given_back,
        });
    }
    Ok(all)
}

fn flow(job: &Job) -> Outcome<Vec<(&'static str, Flowed)>> {
    let mut all = Vec::new();
    for (name, what) in STORES {
        let flowed: Flowed = one(&mut own(&["flow", name])?, job)?;
        let last = flowed.samples.last().copied().unwrap_or_default();
        eprintln!("{what}: {last:?}, {} samples", flowed.samples.len());
        all.push((what, flowed));
    }
    Ok(all)
}

fn own(words: &[&str]) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words);
    Ok(command)
}

fn one<T: DeserializeOwned>(command: &mut Command, job: &Job) -> Outcome<T> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("standard input was asked for")?;
    input.write_all(&serde_json::to_vec(job)?)?;
    drop(input);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    forget(&job.folder);
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn forget(folder: &Path) {
    // There is one only after a store that has files.
    let _none = fs::remove_dir_all(folder);
}
