//! Reads the feeder's stream with twilight-gateway: `twilight typed|text URL SKIP EVENTS`.

use std::error::Error;

use futures_util::StreamExt as _;
use shardkeep_benches::meter::Meter;
use twilight_gateway::{
    ConfigBuilder, EventTypeFlags, Intents, Message, Shard, ShardId, StreamExt as _,
};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, skip, events] = &words[..] else {
        return Err("twilight typed|text URL SKIP EVENTS".into());
    };
    // HELLO is handed out too.
    let skip = skip.parse::<u64>()? + 1;
    let mut meter = Meter::new(skip, events.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Its identify queue is a task.
    let inside = runtime.enter();
    let config = ConfigBuilder::new("not.a.token".to_owned(), Intents::all())
        .proxy_url(url.clone())
        .build();
    let shard = Shard::with_config(ShardId::ONE, config);
    drop(inside);
    match mode.as_str() {
        "typed" => runtime.block_on(typed(shard, &mut meter)),
        "text" => runtime.block_on(text(shard, &mut meter)),
        _ => return Err("typed or text".into()),
    }
    Ok(meter.report()?)
}

/// What its documentation shows: every event as a value of its own type.
async fn typed(mut shard: Shard, meter: &mut Meter) {
    while let Some(event) = shard.next_event(EventTypeFlags::all()).await {
        let done = match event {
            Ok(event) => {
                std::hint::black_box(event);
                meter.count(1, 0)
            }
            Err(error) => {
                eprintln!("{error}: {:?}", error.source());
                meter.error()
            }
        };
        if done {
            break;
        }
    }
}

/// Text as it was received, nothing parsed but the envelope that the shard itself needs.
async fn text(mut shard: Shard, meter: &mut Meter) {
    while let Some(message) = shard.next().await {
        let done = match message {
            Ok(Message::Text(text)) => meter.count(1, text.len()),
            Ok(Message::Close(_)) => break,
            Err(_) => meter.error(),
        };
        if done {
            break;
        }
    }
}
