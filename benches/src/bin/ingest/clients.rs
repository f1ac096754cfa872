//! The clients of our own: one that only reads the socket, and Shardkeep.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use shardkeep::config::Config;
use shardkeep::{Bot, Topic};
use shardkeep_benches::meter::Meter;
use shardkeep_core::wire::Compression;

use super::Feed;

/// How much the floor reads at once.
const READ_BYTES: usize = 64 << 10;

/// The most events one look at the queue takes.
const BATCH: usize = 4_096;

/// Reads every byte and looks at none: what the kernel alone costs.
pub(super) fn raw(feed: &Feed) -> io::Result<()> {
    let mut stream = TcpStream::connect(feed.address)?;
    let key = "MDEyMzQ1Njc4OWFiY2RlZg==";
    write!(
        stream,
        "GET / HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nsec-websocket-key: {key}\r\n\r\n",
        feed.address
    )?;
    // HELLO comes before anyone says anything; whatever is said then counts as Identify.
    let mut room = vec![0; READ_BYTES];
    stream
        .read(&mut room)
        .and_then(|_| stream.write_all(&[0]))?;
    io::copy(&mut (&stream).take(feed.ready_bytes), &mut io::sink())?;
    let mut meter = Meter::new(1, feed.events);
    meter.count(1, 0);
    let mut bytes = 0;
    loop {
        match stream.read(&mut room)? {
            0 => break,
            n => bytes += n,
        }
    }
    meter.count(feed.events, bytes);
    meter.report()
}

/// Takes batches and looks at every event's bytes.
pub(super) fn shardkeep(compression: Compression, feed: &Feed) -> Result<(), Box<dyn Error>> {
    let config = Config::builder()
        .token("not.a.token")
        .api_base(&format!("http://{}/api/v10", feed.address))
        .set("shards", 1)
        .set_text("compress", compression.name())
        .set_text("intents", "all")
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut meter = Meter::new(feed.ready_events, feed.events);
    runtime.block_on(async {
        let bot = Bot::new(config)?;
        bot.start().await?;
        loop {
            let Some(batch) = bot.next_batch(BATCH).await else {
                return Err("the bot stopped before all events had come".into());
            };
            let mut done = false;
            for entry in batch.iter().filter(|entry| entry.topic == Topic::Dispatch) {
                done |= meter.count(1, std::hint::black_box(entry.data).len());
            }
            if done {
                return Ok::<(), Box<dyn Error>>(());
            }
        }
    })?;
    Ok(meter.report()?)
}
