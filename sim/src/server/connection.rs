//! One WebSocket: bytes from the socket to the world, and from its queue to the socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

use super::frame::{Assembler, Broken, Received};
use super::outgoing::{Outgoing, Work};
use super::traffic::Traffic;
use super::world_task::{Closing, Message};

/// How long the other side has for its part of a closing handshake.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes read at once. Clients send little.
const READ_BYTES: usize = 4 * 1024;

/// What a connection needs besides its socket.
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) target: String,
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) world: mpsc::Sender<Message>,
    pub(super) traffic: Arc<Traffic>,
}

impl Connection {
    /// Carries bytes both ways until the connection ended. `early` is what arrived along with the upgrade request.
    pub(super) async fn serve(self, stream: TcpStream, early: &[u8]) {
        let open = Message::Open {
            connection: self.number,
            path_and_query: self.target.clone(),
            outgoing: Arc::clone(&self.outgoing),
        };
        if self.world.send(open).await.is_err() {
            return;
        }
        let (read, write) = stream.into_split();
        let mut reading = Box::pin(self.read(read, early));
        let mut writing = Box::pin(self.write(write));
        tokio::select! {
            // The world answers a close frame, or leaves it unanswered on a half-open connection.
            () = &mut reading => {
                writing.await;
            }
            work = &mut writing => {
                if work == Work::WriteThenClose {
                    let _ = tokio::time::timeout(CLOSING_TIMEOUT, reading).await;
                }
                // It may be the writer who finds out first that the client is gone.
                self.tell(Message::Closed { connection: self.number, how: Closing::Broken }).await;
            }
        }
    }

    async fn read(&self, mut socket: OwnedReadHalf, early: &[u8]) {
        let connection = self.number;
        let mut assembler = Assembler::default();
        assembler.push(early);
        let mut bytes = vec![0; READ_BYTES];
        loop {
            loop {
                match assembler.next() {
                    Ok(Some(Received::Close(code))) => {
                        let how = Closing::Frame(code);
                        return self.tell(Message::Closed { connection, how }).await;
                    }
                    Ok(Some(received)) => self.received(received).await,
                    Ok(None) => break,
                    Err(broken) => return self.refuse(broken).await,
                }
            }
            match socket.read(&mut bytes).await {
                Ok(0) | Err(_) => {
                    let how = Closing::Broken;
                    return self.tell(Message::Closed { connection, how }).await;
                }
                Ok(count) => assembler.push(&bytes[..count]),
            }
        }
    }

    async fn received(&self, received: Received) {
        let connection = self.number;
        match received {
            Received::Text(text) => {
                self.tell(Message::Text {
                    connection,
                    bytes: text.into_bytes(),
                })
                .await;
            }
            Received::Binary(bytes) => self.tell(Message::Binary { connection, bytes }).await,
            Received::Ping(bytes) => self.tell(Message::Ping { connection, bytes }).await,
            Received::Pong | Received::Close(_) => {}
        }
    }

    async fn refuse(&self, broken: Broken) {
        add(&self.traffic.malformed_frames, 1);
        self.outgoing.close(Some(broken.code), broken.reason);
        let how = Closing::Broken;
        self.tell(Message::Closed {
            connection: self.number,
            how,
        })
        .await;
    }

    async fn tell(&self, message: Message) {
        // A world that is gone is shutting down: nobody is left to be told.
        let _ = self.world.send(message).await;
    }

    async fn write(&self, mut socket: OwnedWriteHalf) -> Work {
        let mut batch = Vec::new();
        loop {
            let work = self.outgoing.take(&mut batch).await;
            let written = match work {
                Work::Reset => false,
                Work::Write => tokio::select! {
                    written = socket.write_all(&batch) => written.is_ok(),
                    () = self.outgoing.reset_wanted() => false,
                },
                Work::WriteThenClose | Work::WriteThenReset => {
                    let writing = tokio::time::timeout(CLOSING_TIMEOUT, socket.write_all(&batch));
                    matches!(writing.await, Ok(Ok(())))
                }
            };
            if written {
                add(&self.traffic.writes, 1);
                add(&self.traffic.written_bytes, batch.len() as u64);
            }
            match work {
                Work::Write if written => {}
                Work::WriteThenClose if written => {
                    let _ = socket.shutdown().await;
                    return work;
                }
                _ => {
                    // Unsent bytes are thrown away and the client sees a reset, not an end of stream.
                    let _ = socket.as_ref().set_zero_linger();
                    return Work::Reset;
                }
            }
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
