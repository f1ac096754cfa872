//! Over sockets: what an event costs from the wire to whoever wants it, here and elsewhere.
//!
//! `cargo xtask bench ingest` compares; the other words are how it starts its own clients.

mod clients;
mod compare;

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use shardkeep_benches::feeder::Feeder;
use shardkeep_benches::recording::Recording;
use shardkeep_core::wire::Compression;

/// What the feeder says about itself, as one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Feed {
    address: SocketAddr,
    events: u64,
    /// The mean size of an event before compression.
    mean_bytes: f64,
    /// Events before those that count: READY and the guilds.
    ready_events: u64,
    /// The same in bytes on the wire.
    ready_bytes: u64,
    event_bytes: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["feeder", compression, events] => feeder(compression.parse()?, events.parse()?),
        ["raw", feed] => Ok(clients::raw(&serde_json::from_str(feed)?)?),
        ["shardkeep", compression, feed] => {
            clients::shardkeep(compression.parse()?, &serde_json::from_str(feed)?)
        }
        _ => compare::run(&words),
    }
}

/// Serves one recording until its parent ends it.
fn feeder(compression: Compression, events: usize) -> Result<(), Box<dyn Error>> {
    let recording = Recording::new(compression, events);
    let feeder = Feeder::new(&recording)?;
    let plain_bytes = match compression {
        Compression::None => recording.events.mean_bytes(),
        _ => Recording::new(Compression::None, events.min(5_000))
            .events
            .mean_bytes(),
    };
    let feed = Feed {
        address: feeder.address(),
        events: recording.events.len() as u64,
        mean_bytes: plain_bytes,
        ready_events: recording.ready.len() as u64,
        ready_bytes: feeder.ready_bytes() as u64,
        event_bytes: feeder.event_bytes() as u64,
    };
    drop(recording);
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&feed)?)?;
    Ok(feeder.serve()?)
}
