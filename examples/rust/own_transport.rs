//! Core without the runtime: one session over a blocking socket, until ten events have come. The session decides, this
//! loop moves bytes. Plain `ws://` for a simulator (`shardkeep sim`); wrap the stream in TLS for Discord.

use std::error::Error;
use std::io::ErrorKind::{TimedOut, WouldBlock};
use std::net::TcpStream;
use std::time::{Duration, Instant as Clock};

use shardkeep_core::gateway::{Config, Input, Output, Session};
use shardkeep_core::wire::{CloseCode, Intents, Miniz};
use shardkeep_core::{Instant, Machine, ShardId, Token};
use tungstenite::{Error::Io, Message, WebSocket};

const GONE: Input<'_> = Input::Disconnected { code: None };

fn main() -> Result<(), Box<dyn Error>> {
    let gateway = format!("{}/gateway", std::env::var("DISCORD_API_BASE")?);
    let answer: serde_json::Value = ureq::get(gateway).call()?.body_mut().read_json()?;
    let url = answer["url"].as_str().ok_or("no url")?;
    let token = Token::new(&std::env::var("DISCORD_TOKEN")?)?;
    let mut config = Config::new(ShardId::SINGLE, token, Intents::GUILDS, url);
    config.custom_base = true;
    let start = Clock::now();
    let now = || Instant::ZERO + start.elapsed();
    let mut session = Session::new(config, Box::new(Miniz::new()), now())?;
    let mut socket: Option<WebSocket<TcpStream>> = None;
    let mut left = 10;
    while left > 0 {
        session.handle_timeout(now());
        let mut next = None;
        while let Some(output) = session.poll_output() {
            match output {
                Output::Connect { url } => {
                    socket = open(url).ok();
                    next = Some(if socket.is_some() { Input::Connected } else { GONE });
                }
                Output::Send(json) => {
                    let text = str::from_utf8(json)?;
                    socket.as_mut().map(|open| open.send(text.into())).transpose()?;
                }
                Output::Close { .. } => (socket, next) = (None, Some(GONE)),
                // Of several shards, one may identify at a time: a `Fleet` would grant this.
                Output::WantIdentify => next = Some(Input::IdentifyGranted),
                Output::Dispatch(event) => {
                    left -= 1;
                    println!("#{} {} {} bytes", event.sequence, event.name, event.data.len());
                }
                Output::Event(event) => println!("{event:?}"),
                _ => {}
            }
        }
        let message = if next.is_none() { socket.as_mut().map(read) } else { None };
        match &message {
            Some(Ok(Message::Text(text))) => next = Some(Input::Text(text.as_bytes())),
            Some(Ok(Message::Binary(bytes))) => next = Some(Input::Binary(bytes)),
            Some(Err(code)) => (socket, next) = (None, Some(Input::Disconnected { code: *code })),
            _ => {}
        }
        match next {
            Some(input) => session.handle_input(now(), input)?,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    Ok(())
}

/// A message; a ping stands for a tick of silence; or the close code, where there is one.
fn read(socket: &mut WebSocket<TcpStream>) -> Result<Message, Option<CloseCode>> {
    match socket.read() {
        Ok(Message::Close(frame)) => Err(frame.map(|frame| CloseCode(frame.code.into()))),
        Ok(message) => Ok(message),
        Err(Io(e)) if matches!(e.kind(), WouldBlock | TimedOut) => Ok(Message::Ping(vec![].into())),
        Err(_) => Err(None),
    }
}

fn open(url: &str) -> Result<WebSocket<TcpStream>, Box<dyn Error>> {
    let authority = url.trim_start_matches("ws://").split('/').next().unwrap_or_default();
    let (socket, _) = tungstenite::client(url, TcpStream::connect(authority)?)?;
    socket.get_ref().set_read_timeout(Some(Duration::from_millis(50)))?;
    Ok(socket)
}
