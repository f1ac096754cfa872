//! A proxy on the loopback before a server, that delays, corrupts, swallows and cuts.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardkeep::redis::Redis;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::connect;

/// What happens to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Each piece comes this many milliseconds late.
    Late(u64),
    /// The first byte of every piece, which names the kind of an answer, becomes another.
    Corrupt,
    /// Every answer becomes this: well-formed, and no answer to the question.
    Instead(&'static str),
    /// Nothing comes back any more.
    Swallow,
    /// Connections end as soon as something comes back.
    Cut,
}

#[derive(Default)]
struct State {
    kind: AtomicU8,
    late_ms: AtomicU64,
    instead: Mutex<&'static str>,
}

/// A proxy. Dropping it ends it.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = carry(client, server, &state).await;
                    }
                });
            }
        });
        Self {
            port: own,
            state,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn redis(&self) -> Redis {
        connect(&self.url())
    }

    pub(crate) fn set(&self, mode: Mode) {
        let kind = match mode {
            Mode::Pass => 0,
            Mode::Late(ms) => {
                self.state.late_ms.store(ms, Ordering::SeqCst);
                1
            }
            Mode::Corrupt => 2,
            Mode::Instead(text) => {
                *self.state.instead.lock().expect("unpoisoned") = text;
                3
            }
            Mode::Swallow => 4,
            Mode::Cut => 5,
        };
        self.state.kind.store(kind, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(client: TcpStream, server: TcpStream, state: &State) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = async {
        let mut buffer = vec![0; 64 * 1_024];
        loop {
            let len = from_server.read(&mut buffer).await?;
            if len == 0 {
                return Ok(0);
            }
            let piece = &mut buffer[..len];
            match state.kind.load(Ordering::SeqCst) {
                0 => to_client.write_all(piece).await?,
                1 => {
                    let ms = state.late_ms.load(Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    to_client.write_all(piece).await?;
                }
                2 => {
                    piece[0] = b'?';
                    to_client.write_all(piece).await?;
                }
                3 => {
                    let text = *state.instead.lock().expect("unpoisoned");
                    to_client.write_all(text.as_bytes()).await?;
                }
                4 => {}
                _ => return Ok(0),
            }
        }
    };
    tokio::select! {
        ended = there => ended.map(drop),
        ended = back => ended.map(drop),
    }
}
