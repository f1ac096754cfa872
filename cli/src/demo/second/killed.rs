//! A process is killed in the middle of work, and the next one goes on from what it had stored.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shardkeep::clock;
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, digest};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{BEFORE, COMPARED, counter, sent, serve};
use crate::demo::screen::Screen;
use crate::failure::Failure;

/// How many messages the first process prints before it is killed.
const PRINTED: usize = 150;

/// How long nobody is there.
const GONE: Duration = Duration::from_millis(500);

/// How long what is under way may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// What both processes printed.
pub(super) struct Survived {
    messages: usize,
    lost: usize,
    again: usize,
    unmarked: usize,
    identifies: u64,
    resumes: u64,
}

/// A line of `shardkeep run --ndjson`.
#[derive(Deserialize)]
struct Line {
    shard: [u32; 2],
    s: u64,
    replayed: bool,
    d: Box<RawValue>,
}

/// How often a message was printed: not as a replay, and as one.
type Printed = BTreeMap<([u32; 2], u64, u64), (usize, usize)>;

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// A folder that goes with the demo.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _never_made = std::fs::remove_dir_all(&self.0);
    }
}

impl Process {
    fn start(server: &Server, folder: &Folder) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::Failed(format!("a process: {error}"));
        let own = std::env::current_exe().map_err(failed)?;
        let mut child = Command::new(own)
            .args(["run", "--ndjson", "--events", COMPARED])
            .args(["--api", &server.api_base(), "--shards", &BEFORE.to_string()])
            .env("SHARDKEEP_SESSION_STORE_KIND", "file")
            .env("SHARDKEEP_SESSION_STORE_PATH", &folder.0)
            .env("SHARDKEEP_SESSION_STORE_INTERVAL_MS", "200")
            // The simulator's token, whatever the environment has.
            .env("DISCORD_TOKEN", shardkeep_sim::DEFAULT_TOKEN)
            .env_remove("DISCORD_API_BASE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let out = child.stdout.take();
        let out = out.ok_or_else(|| Failure::Failed("a process without output".to_owned()))?;
        let lines = BufReader::new(out).lines();
        Ok(Self { child, lines })
    }

    /// Reads lines until `enough`, or until there are no more.
    async fn read(
        &mut self,
        printed: &mut Printed,
        mut enough: impl FnMut(&Printed) -> bool,
    ) -> Result<(), Failure> {
        let reading = async {
            while !enough(printed) {
                let Ok(Some(line)) = self.lines.next_line().await else {
                    return;
                };
                // The last line of a process that was killed may be cut short: it was never finished.
                let Ok(line) = serde_json::from_str::<Line>(&line) else {
                    continue;
                };
                let key = (line.shard, line.s, digest(line.d.get().as_bytes()));
                let times = printed.entry(key).or_default();
                match line.replayed {
                    false => times.0 += 1,
                    true => times.1 += 1,
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .map_err(|_| Failure::Failed("a process prints nothing more".to_owned()))
    }
}

pub(super) async fn tell(screen: &Arc<Screen>, seed: u64, rate: u32) -> Result<Survived, Failure> {
    let server = serve(seed, rate).await?;
    let name = format!("shardkeep-demo-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let start = clock::now();
    let say = |line: &str| {
        let at = clock::now().since(start).as_secs_f64();
        screen.say(&format!("{at:5.1} s  {line}"));
    };
    screen.say("");
    say(&format!(
        "a process of its own, {BEFORE} shards; it stores how far it has come"
    ));
    let mut printed = Printed::new();
    let mut first = Process::start(&server, &folder)?;
    first
        .read(&mut printed, |printed| printed.len() >= PRINTED)
        .await?;
    first
        .child
        .kill()
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    say(&format!(
        "kill -9 after {} messages; more come while nobody is there",
        printed.len()
    ));
    first.read(&mut printed, |_| false).await?;
    server.control(Control::Burst { events: 60 }).await;
    tokio::time::sleep(GONE).await;

    let mut second = Process::start(&server, &folder)?;
    let before = printed.len();
    second
        .read(&mut printed, |printed| printed.len() >= before + PRINTED)
        .await?;
    say("the next process resumed both sessions, without an identify");
    server.control(Control::Calm).await;
    let all = sent(&server).await?;
    let keys: Vec<_> = all
        .iter()
        .map(|(shard, sent)| (*shard, sent.sequence, sent.digest))
        .collect();
    second
        .read(&mut printed, |printed| {
            keys.iter().all(|key| printed.contains_key(key))
        })
        .await?;
    let survived = Survived {
        messages: keys.len(),
        lost: keys.iter().filter(|key| !printed.contains_key(key)).count(),
        again: printed
            .values()
            .map(|(first, again)| first + again - 1)
            .sum(),
        unmarked: printed.values().filter(|(first, _)| *first > 1).count(),
        identifies: counter(&server, "identifies").await?,
        resumes: counter(&server, "resumes").await?,
    };
    drop(second);
    server.shutdown().await;
    Ok(survived)
}

impl Survived {
    pub(super) fn table(&self) -> String {
        let rows = [
            ("messages", self.messages as u64, "lost", self.lost as u64),
            (
                "printed again",
                self.again as u64,
                "not marked as such",
                self.unmarked as u64,
            ),
            ("identified", self.identifies, "resumed", self.resumes),
        ];
        super::super::report::rows("  a process was killed, and another went on", &rows)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "messages": self.messages,
            "lost": self.lost,
            "again": self.again,
            "unmarked": self.unmarked,
            "identified": self.identifies,
            "resumed": self.resumes,
        })
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        let wrong = [
            (
                self.lost > 0,
                "messages were lost with the process that was killed",
            ),
            (self.unmarked > 0, "messages came again and did not say so"),
            (
                self.identifies != u64::from(BEFORE),
                "the second process had to identify",
            ),
        ];
        let wrong = wrong.into_iter().filter(|(is, _)| *is);
        wrong.map(|(_, what)| what.to_owned()).collect()
    }
}
