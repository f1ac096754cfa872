//! A TCP connection, with TLS or without, read into borrowed buffers.

use std::io::{self, BufRead, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use shardkeep_core::wire::Buffer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// How much one system call brings while there is little to read, and what TLS opens at once.
pub(super) const READ_BYTES_MIN: usize = 128 << 10;

/// The least room that is worth a system call.
const ROOM_MIN: usize = 4 << 10;

/// How much room for outgoing bytes a connection at rest keeps.
const OUT_KEPT: usize = 1 << 10;

/// A connection and the bytes that wait to be written to it.
pub(crate) struct Stream {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// What goes to the socket: ciphertext where there is TLS.
    out: Vec<u8>,
}

impl Stream {
    pub(super) const fn plain(tcp: TcpStream) -> Self {
        Self {
            tcp,
            tls: None,
            out: Vec::new(),
        }
    }

    /// Shakes hands.
    pub(super) async fn tls(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let mut session = ClientConnection::new(config, name).map_err(io::Error::other)?;
        session.set_buffer_limit(None);
        let mut stream = Self {
            tcp,
            tls: None,
            out: Vec::new(),
        };
        let mut read = vec![0; ROOM_MIN];
        while session.is_handshaking() {
            while session.wants_write() {
                session.write_tls(&mut stream.out)?;
            }
            stream.tcp.write_all(&stream.out).await?;
            stream.out.clear();
            if !session.is_handshaking() {
                break;
            }
            let n = stream.tcp.read(&mut read).await?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut rest = &read[..n];
            while !rest.is_empty() {
                session.read_tls(&mut rest)?;
                session.process_new_packets().map_err(io::Error::other)?;
            }
        }
        stream.tls = Some(Box::new(session));
        Ok(stream)
    }

    /// Reads what there is, until `into` holds about `room` bytes. 0 is the end of the stream. `cipher` is room for
    /// what TLS has to open; it holds nothing between calls.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Buffer,
        room: usize,
        cipher: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        let Some(session) = &mut self.tls else {
            let room = into.spare(room.saturating_sub(into.len()).max(ROOM_MIN));
            let mut room = ReadBuf::new(room);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut room))?;
            let n = room.filled().len();
            into.advance(n);
            return Poll::Ready(Ok(n));
        };
        cipher.resize(READ_BYTES_MIN, 0);
        // The end of the handshake may have brought data along.
        let mut opened = drain(session, into)?;
        while opened == 0 {
            let mut room = ReadBuf::new(cipher);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut room))?;
            let mut rest = room.filled();
            if rest.is_empty() {
                return Poll::Ready(Ok(0));
            }
            while !rest.is_empty() {
                session.read_tls(&mut rest)?;
                let state = session.process_new_packets().map_err(io::Error::other)?;
                opened += drain(session, into)?;
                if state.peer_has_closed() {
                    return Poll::Ready(Ok(opened));
                }
            }
        }
        Poll::Ready(Ok(opened))
    }

    /// Queues bytes; [`Stream::poll_flush`] writes them.
    pub(super) fn queue(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(session) => session.writer().write_all(bytes),
            None => {
                self.out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Writes what is queued.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(session) = &mut self.tls {
            while session.wants_write() {
                session.write_tls(&mut self.out)?;
            }
        }
        while !self.out.is_empty() {
            let n = ready!(Pin::new(&mut self.tcp).poll_write(cx, &self.out))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.drain(..n);
        }
        if self.out.capacity() > OUT_KEPT {
            self.out = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

/// Moves what TLS has opened into `into`.
fn drain(session: &mut ClientConnection, into: &mut Buffer) -> io::Result<usize> {
    let mut reader = session.reader();
    let mut moved = 0;
    loop {
        let n = match reader.fill_buf() {
            Ok(opened) => {
                into.extend_from_slice(opened);
                opened.len()
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if n == 0 {
            return Ok(moved);
        }
        reader.consume(n);
        moved += n;
    }
}
