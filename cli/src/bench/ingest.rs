//! `shardkeep bench ingest`: from sockets to batches, every dispatch counted.

use std::collections::BTreeSet;
use std::io::{Write, stdout};
use std::time::Duration;

use clap::Args;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::json;
use shardkeep::core::ShardId;
use shardkeep::core::wire::EventKind;
use shardkeep::events::Entry;
use shardkeep::{Bot, Topic};

use super::usage;
use crate::connect::{self, Connection};
use crate::failure::Failure;
use crate::signals::Stop;

/// The most events one look at the queue takes.
const BATCH: usize = 4_096;

/// Count every dispatch of every shard until each shard has seen a given message.
#[derive(Debug, Args)]
pub(crate) struct Ingest {
    #[command(flatten)]
    connection: Connection,
    /// How many shards.
    #[arg(long, default_value_t = 1)]
    shards: u32,
    /// How Discord compresses events: zstd, zlib, payload or none.
    #[arg(long, default_value = "zstd")]
    compress: String,
    /// Which events Discord sends. Without `message_content` no message has content, and nothing ends the count.
    #[arg(long, default_value = "all", value_name = "NAME,..")]
    intents: String,
    /// The content of the message that ends the count.
    #[arg(long, value_name = "TEXT")]
    until: String,
    /// Give up after this time.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    timeout_s: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was counted.
#[derive(Default)]
struct Count {
    events: u64,
    bytes: u64,
    finished: BTreeSet<ShardId>,
    sessions: u64,
    resumes: u64,
}

/// Finds the message with a given content.
struct Ending {
    content: String,
    /// The content as JSON writes it, which is looked for before anything is decoded. `None` where JSON could write it
    /// in several ways.
    quoted: Option<Finder<'static>>,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

impl Ending {
    fn new(content: String) -> Self {
        let plain = content.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
            && !content.contains(['"', '\\', '/', '<', '>', '&', '\'']);
        let quoted = plain.then(|| Finder::new(&format!("\"{content}\"")).into_owned());
        Self { content, quoted }
    }

    fn is(&self, entry: &Entry<'_>) -> bool {
        entry.kind == EventKind::MessageCreate
            && self
                .quoted
                .as_ref()
                .is_none_or(|quoted| quoted.find(entry.data).is_some())
            && serde_json::from_slice::<Message>(entry.data)
                .is_ok_and(|message| message.content == self.content)
    }
}

pub(crate) async fn run(arguments: Ingest) -> Result<(), Failure> {
    let builder = arguments
        .connection
        .builder()
        .set("shards", arguments.shards)
        .set_text("compress", &arguments.compress)
        .set_text("intents", &arguments.intents);
    let config = connect::build(builder)?;
    let mut stop = Stop::listen()?;
    let (start, cpu) = (shardkeep::clock::now(), usage::cpu_s());
    let bot = Bot::new(config)?;
    bot.start().await?;
    let mut count = Count::default();
    let ending = Ending::new(arguments.until);
    tokio::select! {
        counted = ingest(&bot, arguments.shards, &ending, &mut count) => counted?,
        () = stop.wait() => return Err(unfinished(&count, arguments.shards, "stopped")),
        () = tokio::time::sleep(Duration::from_secs(arguments.timeout_s)) => {
            return Err(unfinished(&count, arguments.shards, "the time is over"));
        }
    }
    let wall_s = shardkeep::clock::now().since(start).as_secs_f64();
    let cpu_s = usage::cpu_s().zip(cpu).map(|(end, start)| end - start);
    let rss_peak_mb = usage::rss_peak_mb();
    bot.shutdown(false).await;
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    let events = count.events as f64;
    let report = json!({
        "shards": arguments.shards,
        "compress": arguments.compress,
        "events": count.events,
        "bytes": count.bytes,
        "sessions": count.sessions,
        "resumes": count.resumes,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "events_per_s": events / wall_s,
        "cpu_us_per_event": cpu_s.map(|cpu| cpu * 1e6 / events),
        "rss_peak_mb": rss_peak_mb,
    });
    print(&report, arguments.json).map_err(|error| Failure::output(&error))
}

/// Counts until every shard has seen the ending.
async fn ingest(bot: &Bot, shards: u32, ending: &Ending, count: &mut Count) -> Result<(), Failure> {
    while count.finished.len() < shards as usize {
        let Some(batch) = bot.next_batch(BATCH).await else {
            let why = bot
                .failure()
                .map_or_else(|| "the bot stopped".to_owned(), |why| why.to_string());
            return Err(unfinished(count, shards, &why));
        };
        for entry in &batch {
            match entry.topic {
                Topic::Dispatch => {
                    count.events += 1;
                    count.bytes += entry.data.len() as u64;
                    if ending.is(&entry) {
                        count.finished.insert(entry.shard);
                    }
                }
                Topic::ShardConnect => count.sessions += 1,
                Topic::ShardResume => count.resumes += 1,
                _ => {}
            }
        }
    }
    Ok(())
}

fn unfinished(count: &Count, shards: u32, why: &str) -> Failure {
    Failure::Failed(format!(
        "{why}: {} of {shards} shards have seen the message, after {} events",
        count.finished.len(),
        count.events
    ))
}

fn print(report: &serde_json::Value, json: bool) -> std::io::Result<()> {
    if json {
        return writeln!(stdout(), "{report}");
    }
    let number = |key: &str| report[key].as_f64().unwrap_or(f64::NAN);
    writeln!(
        stdout(),
        "{} events of {} shards in {:.2} s ({:.0} events/s), {:.2} s CPU ({:.2} us/event), {:.0} MB at most",
        report["events"],
        report["shards"],
        number("wall_s"),
        number("events_per_s"),
        number("cpu_s"),
        number("cpu_us_per_event"),
        number("rss_peak_mb"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: EventKind, data: &str) -> bool {
        let ending = Ending::new("the end".to_owned());
        let message: Result<Message, _> = serde_json::from_str(data);
        let quoted = ending
            .quoted
            .as_ref()
            .unwrap()
            .find(data.as_bytes())
            .is_some();
        kind == EventKind::MessageCreate && quoted && message.unwrap().content == ending.content
    }

    #[test]
    fn the_ending_is_a_messages_content_and_no_other_field() {
        assert!(entry(EventKind::MessageCreate, r#"{"content":"the end"}"#));
        assert!(!entry(
            EventKind::MessageCreate,
            r#"{"content":"x","nonce":"the end"}"#
        ));
        assert!(Ending::new("caf\u{e9}".to_owned()).quoted.is_none());
    }
}
