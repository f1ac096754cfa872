//! `shardkeep run`: a bot that prints what it hears.

use std::io::{ErrorKind, IsTerminal, Write, stderr};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use shardkeep::config::{Config, OnShutdown};
use shardkeep::events::Entry;
use shardkeep::proxy::Changes;
use shardkeep::{Batch, Bot, Topic};
use tokio::io::{AsyncWriteExt, Stdout, stdout};
use tokio::time::timeout;

use crate::connect::{self, Connection};
use crate::failure::Failure;
use crate::signals::Stop;

/// The most events one look at the queue takes.
const BATCH: usize = 1_024;

/// Run a bot that prints what it hears: the life of its shards on standard error, events on standard output.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    connection: Connection,
    /// Print events as one JSON object a line: shard, s, t, d.
    #[arg(long)]
    ndjson: bool,
    /// These events only, such as `MESSAGE_CREATE,GUILD_CREATE` [default: all]
    #[arg(long, value_name = "NAME,..")]
    events: Option<String>,
    /// Which shards: `auto`, a count, a range such as `0-7/16`, or pairs such as `[[2,4],[3,4]]`.
    #[arg(long)]
    shards: Option<String>,
    /// Which events Discord sends, such as `guilds,guild_messages`, or the bits as a number.
    #[arg(long, value_name = "NAME,..")]
    intents: Option<String>,
    /// How Discord compresses events: zlib, zstd, payload or none.
    #[arg(long)]
    compress: Option<String>,
    /// Redis, over which proxies are told what events have changed, so that their caches do not keep it.
    #[arg(long, value_name = "URL")]
    changes: Option<String>,
    /// Serve /health, /ready, /status and /metrics here, such as `127.0.0.1:9090`.
    #[arg(long, value_name = "ADDRESS")]
    ops: Option<SocketAddr>,
}

impl Run {
    fn config(&self) -> Result<Config, Failure> {
        let mut builder = self.connection.builder();
        for (name, text) in [
            ("events", &self.events),
            ("shards", &self.shards),
            ("intents", &self.intents),
            ("compress", &self.compress),
        ] {
            if let Some(text) = text {
                builder = builder.set_text(name, text);
            }
        }
        if let Some(address) = self.ops {
            builder = builder.set("ops.listen", address.to_string());
        }
        connect::build(builder)
    }
}

pub(crate) async fn run(arguments: Run) -> Result<(), Failure> {
    let config = arguments.config()?;
    let mut stop = Stop::listen()?;
    // Where a subscriber is set up already there is nothing to do.
    let _ = shardkeep::log::init(config.log_format, config.log_level);
    let resumable = config.on_shutdown != OnShutdown::Close;
    let patience = Duration::from_millis(config.shutdown_timeout_ms);
    let bot = Bot::new(config)?;
    let bus = arguments.changes.as_deref().map(connect::bus).transpose()?;
    bot.start().await?;
    bot.serve_ops().await?;
    let mut printer = Printer::new(arguments.ndjson, bus.map(Changes::new));
    let printed = tokio::select! {
        printed = printer.print_all(&bot) => printed?,
        () = stop.wait() => Printed::Interrupted,
    };
    if printed != Printed::Everything {
        say(if resumable {
            "stopping; Discord keeps the sessions for a few minutes"
        } else {
            "stopping"
        });
        bot.shutdown(resumable).await;
    }
    if printed == Printed::Interrupted {
        // What has arrived is still printed, unless nobody takes it.
        tokio::select! {
            printed = timeout(patience, printer.print_all(&bot)) => match printed {
                Ok(printed) => drop(printed?),
                Err(_) => say("events are left: nobody reads standard output"),
            },
            () = stop.wait() => say("events are left: stopped at once"),
        }
    }
    match bot.failure() {
        Some(failure) => Err(Failure::Failed(failure.to_string())),
        None => Ok(()),
    }
}

/// How far the printing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Printed {
    /// The bot has stopped, and there is nothing more.
    Everything,
    /// Somebody asked for an end.
    Interrupted,
    /// Nobody reads standard output any more.
    Closed,
}

/// Writes a line for people. Where standard error is closed, nobody reads it.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Prints events. It can be interrupted at any moment and goes on where it was: no line is torn.
struct Printer {
    ndjson: bool,
    changes: Option<Changes>,
    terminal: bool,
    out: Stdout,
    lines: Vec<u8>,
    written: usize,
    /// What the lines are of: it counts as finished when they are written.
    batch: Option<Batch>,
}

impl Printer {
    fn new(ndjson: bool, changes: Option<Changes>) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self {
            ndjson,
            changes,
            terminal,
            out: stdout(),
            lines: Vec::new(),
            written: 0,
            batch: None,
        }
    }

    /// Prints whatever comes until the bot has stopped.
    async fn print_all(&mut self, bot: &Bot) -> Result<Printed, Failure> {
        loop {
            match self.write_out().await {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Printed::Closed),
                Err(error) => return Err(Failure::output(&error)),
            }
            match bot.next_batch(BATCH).await {
                Some(batch) => {
                    self.render(&batch);
                    self.batch = Some(batch);
                }
                None => return Ok(Printed::Everything),
            }
        }
    }

    async fn write_out(&mut self) -> std::io::Result<()> {
        while self.written < self.lines.len() {
            self.written += self.out.write(&self.lines[self.written..]).await?;
        }
        self.lines.clear();
        self.written = 0;
        self.out.flush().await?;
        self.batch = None;
        Ok(())
    }

    fn render(&mut self, batch: &Batch) {
        for entry in batch {
            if let Some(changes) = &self.changes {
                changes.saw(&entry);
            }
            match entry.topic {
                Topic::Dispatch if self.ndjson => object(&mut self.lines, &entry),
                Topic::Dispatch if self.terminal => summary(&mut self.lines, &entry),
                // The rest of a shard's life is in the log, on standard error.
                _ => {}
            }
        }
    }
}

/// One event as one line of JSON. `d` goes out as the bytes came in.
fn object(lines: &mut Vec<u8>, entry: &Entry<'_>) {
    const TO_MEMORY: &str = "writing to memory cannot fail";
    write!(
        lines,
        r#"{{"shard":[{},{}],"#,
        entry.shard.index(),
        entry.shard.total()
    )
    .expect(TO_MEMORY);
    write!(
        lines,
        r#""s":{},"replayed":{},"t":"#,
        entry.sequence, entry.replayed
    )
    .expect(TO_MEMORY);
    serde_json::to_writer(&mut *lines, entry.name).expect(TO_MEMORY);
    lines.extend_from_slice(br#","d":"#);
    let start = lines.len();
    lines.extend_from_slice(entry.data);
    // A line break inside a JSON text can only stand between its tokens, where a space does as well.
    for byte in lines[start..]
        .iter_mut()
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
    {
        *byte = b' ';
    }
    lines.extend_from_slice(b"}\n");
}

/// One event as one line for people.
fn summary(lines: &mut Vec<u8>, entry: &Entry<'_>) {
    let replayed = if entry.replayed { " (replayed)" } else { "" };
    writeln!(
        lines,
        "shard {} #{} {}{replayed}, {} bytes",
        entry.shard,
        entry.sequence,
        entry.name,
        entry.data.len()
    )
    .expect("writing to memory cannot fail");
}
