//! A Discord that says the same to everyone, as fast as the socket takes it: all frames are made beforehand.
//!
//! It hears nothing but the Identify: HELLO asks for a heartbeat so rarely that none falls into a run.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::json;
use shardkeep_core::wire::Compression;
use tungstenite::handshake::derive_accept_key;

use crate::recording::{Messages, Recording};

/// How many bytes are handed to the socket at once.
const WRITE_BYTES: usize = 256 << 10;

/// What is sent, ready for the socket.
#[derive(Debug)]
struct Frames {
    hello: Vec<u8>,
    ready: Vec<u8>,
    events: Vec<u8>,
}

/// A server of one recording.
#[derive(Debug)]
pub struct Feeder {
    frames: Arc<Frames>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Feeder {
    /// Makes the frames and listens on a free port of this machine.
    ///
    /// # Errors
    ///
    /// If no port can be opened.
    pub fn new(recording: &Recording) -> io::Result<Self> {
        let binary = recording.compression != Compression::None;
        let frames = Frames {
            hello: framed(&recording.hello, binary),
            ready: framed(&recording.ready, binary),
            events: framed(&recording.events, binary),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        Ok(Self {
            frames: Arc::new(frames),
            listener,
            address,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many bytes come after the Identify and before the events.
    #[must_use]
    pub fn ready_bytes(&self) -> usize {
        self.frames.ready.len()
    }

    /// How many bytes the events have in their frames.
    #[must_use]
    pub fn event_bytes(&self) -> usize {
        self.frames.events.len()
    }

    /// Serves until the listener breaks.
    ///
    /// # Errors
    ///
    /// If the listener breaks.
    pub fn serve(&self) -> io::Result<()> {
        loop {
            let (stream, _) = self.listener.accept()?;
            let (frames, address) = (Arc::clone(&self.frames), self.address);
            // A client that hangs up early is its own business.
            thread::spawn(move || serve_one(stream, &frames, address).ok());
        }
    }
}

/// Every message in a frame of its own (RFC 6455, 5.2), unmasked as a server's are.
fn framed(messages: &Messages, binary: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(messages.bytes() + messages.len() * 10);
    for message in messages.iter() {
        out.push(if binary { 0x82 } else { 0x81 });
        match (u8::try_from(message.len()), u16::try_from(message.len())) {
            (Ok(len @ ..126), _) => out.push(len),
            (_, Ok(len)) => {
                out.push(126);
                out.extend_from_slice(&len.to_be_bytes());
            }
            _ => {
                out.push(127);
                out.extend_from_slice(&(message.len() as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(message);
    }
    out
}

/// Answers one request: `/gateway/bot`, or a WebSocket.
fn serve_one(stream: TcpStream, frames: &Frames, address: SocketAddr) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut key = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("sec-websocket-key") {
            key = Some(value.trim().to_owned());
        }
    }
    match key {
        Some(key) => socket(&stream, &mut reader, frames, &key),
        None => gateway_bot(&stream, address),
    }
}

fn gateway_bot(mut stream: &TcpStream, address: SocketAddr) -> io::Result<()> {
    let limit = json!({ "total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1 });
    let body =
        json!({ "url": format!("ws://{address}"), "shards": 1, "session_start_limit": limit })
            .to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

fn socket(
    mut stream: &TcpStream,
    reader: &mut BufReader<TcpStream>,
    frames: &Frames,
    key: &str,
) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    )?;
    stream.write_all(&frames.hello)?;
    // Whatever the client says first is its Identify.
    reader.read_exact(&mut [0])?;
    stream.write_all(&frames.ready)?;
    for chunk in frames.events.chunks(WRITE_BYTES) {
        stream.write_all(chunk)?;
    }
    stream.shutdown(Shutdown::Write)?;
    io::copy(reader, &mut io::sink())?;
    Ok(())
}
