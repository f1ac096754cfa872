//! `shardkeep run`: a bot that prints what it hears.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::net::SocketAddr;

use clap::Args;
use shardkeep::config::{Config, OnShutdown};
use shardkeep::events::Entry;
use shardkeep::{Batch, Bot, Topic};

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
    let resumable = config.on_shutdown == OnShutdown::Resume;
    let bot = start(config).await?;
    let mut printer = Printer::new(arguments.ndjson);
    let ended = loop {
        tokio::select! {
            batch = bot.next_batch(BATCH) => match batch {
                Some(batch) => printer.print(&batch)?,
                None => break Ended::Itself,
            },
            () = stop.wait() => break Ended::Asked,
        }
        if printer.closed {
            break Ended::Asked;
        }
    };
    if matches!(ended, Ended::Asked) {
        say(if resumable {
            "stopping; Discord keeps the sessions for a few minutes"
        } else {
            "stopping"
        });
        bot.shutdown(resumable).await;
        while let Some(batch) = bot.next_batch(BATCH).await {
            printer.print(&batch)?;
        }
    }
    match bot.failure() {
        Some(failure) => Err(Failure::Failed(failure.to_string())),
        None => Ok(()),
    }
}

async fn start(config: Config) -> Result<Bot, Failure> {
    let bot = Bot::new(config)?;
    bot.start().await?;
    bot.serve_ops().await?;
    Ok(bot)
}

enum Ended {
    /// Every shard ended for good.
    Itself,
    /// The user, the supervisor or a closed output asked for it.
    Asked,
}

/// Writes a line for people. Where standard error is closed, nobody reads it.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// Prints events.
struct Printer {
    ndjson: bool,
    terminal: bool,
    lines: Vec<u8>,
    /// Whether nobody reads standard output any more.
    closed: bool,
}

impl Printer {
    fn new(ndjson: bool) -> Self {
        Self {
            ndjson,
            terminal: stdout().is_terminal(),
            lines: Vec::new(),
            closed: false,
        }
    }

    fn print(&mut self, batch: &Batch) -> Result<(), Failure> {
        self.lines.clear();
        for entry in batch {
            match entry.topic {
                Topic::Dispatch if self.ndjson => object(&mut self.lines, &entry),
                Topic::Dispatch if self.terminal => summary(&mut self.lines, &entry),
                // The rest of a shard's life is in the log, on standard error.
                _ => {}
            }
        }
        let mut out = stdout().lock();
        match out.write_all(&self.lines).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Failure::output(&error)),
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
